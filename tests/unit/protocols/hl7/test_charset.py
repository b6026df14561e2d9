"""MSH-18 and (0008,0005): bytes as the examples of PS3.5 annexes H to K have them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.protocols.hl7 import charset
from harness.protocols.hl7.message import HL7Message, compose

MAP = [
    ((), ()),
    (("ASCII",), ()),
    (("8859/1",), ("ISO_IR 100",)),
    (("8859/2",), ("ISO_IR 101",)),
    (("8859/5",), ("ISO_IR 144",)),
    (("8859/7",), ("ISO_IR 126",)),
    (("8859/9",), ("ISO_IR 148",)),
    (("ISO IR14",), ("ISO_IR 13",)),
    (("ISO IR87",), ("", "ISO 2022 IR 87")),
    (("", "ISO IR87"), ("", "ISO 2022 IR 87")),
    (("ASCII", "ISO IR87", "ISO IR159"), ("", "ISO 2022 IR 87", "ISO 2022 IR 159")),
    (("ISO IR14", "ISO IR87"), ("ISO 2022 IR 13", "ISO 2022 IR 87")),
    (("KS X 1001",), ("", "ISO 2022 IR 149")),
    (("GB 18030-2000",), ("GB18030",)),
    (("UNICODE UTF-8",), ("ISO_IR 192",)),
    (("UNICODE",), ("ISO_IR 192",)),
    (("UNICODE UTF-16",), None),
    (("no such set",), None),
]


@pytest.mark.parametrize(("hl7", "dicom"), MAP)
def test_msh_18_to_specific_character_set(hl7: tuple[str, ...], dicom: tuple[str, ...] | None) -> None:
    assert charset.to_dicom(hl7) == dicom


@pytest.mark.parametrize(
    ("dicom", "hl7"),
    [
        ((), ()),
        (("",), ()),
        (("ISO_IR 6",), ()),
        (("ISO_IR 100",), ("8859/1",)),
        (("", "ISO 2022 IR 87"), ("ASCII", "ISO IR87")),
        (("", "ISO 2022 IR 149"), ("ASCII", "KS X 1001")),
        (("ISO_IR 192",), ("UNICODE UTF-8",)),
        (("GB18030",), ("GB 18030-2000",)),
        (("ISO_IR 166",), None),
    ],
)
def test_specific_character_set_to_msh_18(dicom: tuple[str, ...], hl7: tuple[str, ...] | None) -> None:
    assert charset.from_dicom(dicom) == hl7


# text, MSH-18 repetitions, bytes
SAMPLES = [
    ("Buc^Jérôme", ("8859/1",), b"Buc^J\xe9r\xf4me"),
    ("Διονυσιος", ("8859/7",), b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"),
    ("Люкceмбypг", ("8859/5",), b"\xbb\xee\xdace\xdc\xd1yp\xd3"),
    ("山田^太郎", ("", "ISO IR87"), b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    ("やまだ^たろう", ("ISO IR87",), b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"),
    ("ﾔﾏﾀﾞ^ﾀﾛｳ", ("ISO IR14",), b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
    ("洪^吉洞", ("KS X 1001",), b"\xfb\xf3^\xd1\xce\xd4\xd7"),
    ("洪^吉洞", ("ASCII", "KS X 1001"), b"\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7"),
    ("王^小东", ("GB 18030-2000",), b"\xcd\xf5^\xd0\xa1\xb6\xab"),
    ("王^小東", ("UNICODE UTF-8",), b"\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1"),
]


@pytest.mark.parametrize(("text", "names", "raw"), SAMPLES)
def test_samples_of_the_standard_both_ways(text: str, names: tuple[str, ...], raw: bytes) -> None:
    assert charset.encode(text, names) == raw
    assert charset.decode(raw, names) == (text, True)


def test_a_character_of_jis_x_0212_needs_ir159() -> None:
    assert charset.decode(charset.encode("丂", ("", "ISO IR87", "ISO IR159")), ("", "ISO IR87", "ISO IR159")) == (
        "丂",
        True,
    )
    with pytest.raises(UsageError, match="ISO IR87"):
        charset.encode("丂", ("ISO IR87",))


def test_two_byte_characters_that_contain_delimiter_bytes_do_not_split_a_field() -> None:
    # たろう has 0x24 0x5E in its neighbour ま, and 0x5E is the component separator
    name = "やまだ"
    raw = compose([("MSH", {"18[1]": "ASCII", "18[2]": "ISO IR87"}), ("PID", {"5.1": name, "5.2": "太郎"})],
                  character_sets=("ASCII", "ISO IR87"))  # fmt: skip
    assert b"$^" in raw
    message = HL7Message(raw)
    assert message["PID-5.1"] == name
    assert message["PID-5.2"] == "太郎"


def test_a_gb18030_second_byte_may_be_a_separator() -> None:
    text = next(c for c in map(chr, range(0x4E00, 0x9FFF)) if c.encode("gb18030")[1:2] == b"|")
    raw = compose([("MSH", {"18": "GB 18030-2000"}), ("PID", {"5.1": text})], character_sets=("GB 18030-2000",))
    assert HL7Message(raw)["PID-5.1"] == text


def test_bytes_that_do_not_fit_are_told() -> None:
    assert charset.decode(b"J\xe9r\xf4me", ()) == ("J\ufffdr\ufffdme", False)
    assert charset.decode(b"J\xe9r", ("UNICODE UTF-8",))[1] is False
    assert charset.decode(b"a\x1bZb", ("ISO IR87",))[1] is False


@pytest.mark.parametrize("names", [(), ("UNICODE UTF-8",), ("8859/1",), ("GB 18030-2000",), ("ISO IR14",)])
def test_escape_sequences_to_sets_that_were_not_declared_are_no_text(names: tuple[str, ...]) -> None:
    text, fine = charset.decode(b"\x1b$B;3ED\x1b(B^A", names)
    assert "山" not in text
    assert fine is False


def test_a_character_outside_the_sets_is_a_usage_error_that_names_it() -> None:
    with pytest.raises(UsageError, match=r"'山田'.*8859/1"):
        charset.encode("山田", ("8859/1",))
    with pytest.raises(UsageError, match="table 0211"):
        charset.encode("é", ("nonsense",))


PIECES = st.sampled_from(
    [b"\x1b", b"\x1b(B", b"\x1b(J", b"\x1b$B", b"\x1b$(D", b"\x1b$)C", b"\x1b-A", b"\x1b)I", b"\r", b"|", b"^", b"\x7f"]
)
NAMES = st.lists(st.sampled_from([*(row.hl7 for row in charset.CHARACTER_SETS), "", "nonsense"]), max_size=3)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=12).map(b"".join), NAMES)
def test_no_bytes_in_any_set_make_the_decoder_raise(raw: bytes, names: list[str]) -> None:
    text, _ = charset.decode(raw, names)
    assert isinstance(text, str)
    charset.to_dicom(names)


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(codec="gb18030", exclude_categories=("Cc", "Cs")), max_size=20))
def test_what_was_encoded_is_decoded_again(text: str) -> None:
    for names in (("GB 18030-2000",), ("UNICODE UTF-8",)):
        assert charset.decode(charset.encode(text, names), names) == (text, True)
