"""The text codec against the bytes that the standard prints (PS3.5 annexes H, I, J and K)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.modality import text

KANJI = ("", "ISO 2022 IR 87")
EXAMPLES = [
    # H.3.1, H.3.2
    pytest.param(
        "Yamada^Tarou=山田^太郎=やまだ^たろう", KANJI,
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", id="H.3.1",
    ),
    pytest.param(
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        ("ISO 2022 IR 13", "ISO 2022 IR 87"),
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J="
        b"\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J", id="H.3.2",
    ),
    # I.2
    pytest.param(
        "Hong^Gildong=洪^吉洞=홍^길동", ("", "ISO 2022 IR 149"),
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf", id="I.2",
    ),
    # J.1, J.2
    pytest.param(
        "Wang^XiaoDong=王^小東=", ("ISO_IR 192",),
        b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", id="J.1",
    ),
    pytest.param(
        "Wang^XiaoDong=王^小东=", ("GB18030",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", id="J.3",
    ),
    # K.2
    pytest.param(
        "Zhang^XiaoDong=张^小东=", ("", "ISO 2022 IR 58"),
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", id="K.2",
    ),
    pytest.param("Buc^Jérôme", ("ISO_IR 100",), b"Buc^J\xe9r\xf4me", id="Latin-1"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "sets", "raw"), EXAMPLES)
def test_bytes_of_the_standard_both_ways(value: str, sets: tuple[str, ...], raw: bytes) -> None:
    assert text.encode(value, sets, "PN") == raw
    assert text.decode(raw, sets, "PN") == value


def test_third_japanese_set_is_designated() -> None:
    sets = ("", "ISO 2022 IR 87", "ISO 2022 IR 159")
    raw = text.encode("丂山", sets, "LO")
    assert raw == b"\x1b$(D0!\x1b$B;3\x1b(B"
    assert text.decode(raw, sets, "LO") == "丂山"


def test_missing_designation_after_a_delimiter_is_not_hidden() -> None:
    assert "洞" not in text.decode(b"=\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7", ("", "ISO 2022 IR 149"), "PN")


@pytest.mark.parametrize("sets", [(), ("ISO_IR 100",), ("", "ISO 2022 IR 149")])
def test_what_does_not_fit_is_an_error_never_a_question_mark(sets: tuple[str, ...]) -> None:
    with pytest.raises(text.TextError, match="山"):
        text.encode("山" if sets != ("", "ISO 2022 IR 149") else "山\U0001f600", sets)


def test_choice_of_a_set() -> None:
    assert text.choose(["Doe^John"], ("ISO_IR 100",)) == ()
    assert text.choose(["Müller"], ("ISO_IR 100",)) == ("ISO_IR 100",)
    assert text.choose(["山田"], ("ISO_IR 100",), ("ISO_IR 192",)) == ("ISO_IR 192",)
    assert text.choose(["山田"], ("ISO_IR 100",)) == ("ISO_IR 192",)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abcXYZ ^=山田太郎やまだｱｲｳ丂", max_size=40))
def test_japanese_round_trip(value: str) -> None:
    sets = ("ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159")
    assert text.decode(text.encode(value, sets, "PN"), sets, "PN") == value


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([p.values[1] for p in EXAMPLES]))
def test_hostile_bytes_never_raise(raw: bytes, sets: tuple[str, ...]) -> None:
    assert isinstance(text.decode(raw, sets, "PN"), str)
