"""Strict decoding of text: the byte examples of PS3.5 Annexes H to K, and each rule broken once."""

from __future__ import annotations

import random

import pytest

from harness.protocols.dicom.charset import Unencodable, check_terms, decode_strict, encode


def columns(text: str) -> bytes:
    """Bytes from the standard's column/row notation: ``05/09`` is 0x59."""
    return bytes(int(column) * 16 + int(row) for column, row in (pair.split("/") for pair in text.split()))


H31 = columns(
    "05/09 06/01 06/13 06/01 06/04 06/01 5/14 05/04 06/01 07/02 06/15 07/05 03/13 01/11 02/04 04/02 "
    "03/11 03/03 04/05 04/04 01/11 "
    "02/08 04/02 05/14 01/11 02/04 04/02 04/02 04/00 04/15 03/10 01/11 02/08 04/02 03/13 01/11 02/04 "
    "04/02 02/04 06/04 02/04 05/14 "
    "02/04 04/00 01/11 02/08 04/02 05/14 01/11 02/04 04/02 02/04 03/15 02/04 06/13 02/04 02/06 01/11 02/08 04/02"
)  # fmt: skip
H32 = columns(
    "13/04 12/15 12/00 13/14 05/14 12/00 13/11 11/03 03/13 01/11 02/04 04/02 03/11 03/03 04/05 04/04 "
    "01/11 02/08 04/10 05/14 01/11 "
    "02/04 04/02 04/02 04/00 04/15 03/10 01/11 02/08 04/10 03/13 01/11 02/04 04/02 02/04 06/04 02/04 "
    "05/14 02/04 04/00 01/11 02/08 "
    "04/10 05/14 01/11 02/04 04/02 02/04 03/15 02/04 06/13 02/04 02/06 01/11 02/08 04/10"
)  # fmt: skip
I21 = columns(
    "04/08 06/15 06/14 06/07 05/14 04/07 06/09 06/12 06/04 06/15 06/14 06/07 03/13 01/11 02/04 02/09 "
    "04/03 15/11 15/03 05/14 01/11 "
    "02/04 02/09 04/03 13/01 12/14 13/04 13/07 03/13 01/11 02/04 02/09 04/03 12/08 10/11 05/14 01/11 "
    "02/04 02/09 04/03 11/01 14/06 "
    "11/05 11/15"
)  # fmt: skip
I31 = (
    b"\x1b$)CThe first line includes \xc7\xd1\xb1\xdb.\r\n"
    b"\x1b$)CThe second line includes \xc7\xd1\xb1\xdb, too.\r\nThe third line"
)
J11 = bytes.fromhex("57616e675e5869616f446f6e673de78e8b5ee5b08fe69db13d")
J21 = (
    b"The first line includes \xe4\xb8\xad\xe6\x96\x87.\r\n"
    b"The second line includes \xe4\xb8\xad\xe6\x96\x87, too.\r\nThe third line.\r\n"
)
J31 = bytes.fromhex("57616e675e5869616f446f6e673dcdf55ed0a1b6ab3d")
J41 = (
    b"The first line includes \xd6\xd0\xce\xc4.\r\n"
    b"The second line includes \xd6\xd0\xce\xc4, too.\r\nThe third line.\r\n"
)
K21 = bytes.fromhex("5A68616E675E5869616F446F6E673D1B242941D5C55E1B242941D0A1B6AB3D")
K31 = bytes.fromhex(
    "312e1B242941B5DAD2BBD0D0CEC4D7D6A1A30D0A 322e1B242941B5DAB6FED0D0CEC4D7D6A1A30D0A "
    "332e1B242941B5DAC8FDD0D0CEC4D7D6A1A30D0A"
)

EXAMPLES = [
    pytest.param(H31, ["", "ISO 2022 IR 87"], "PN", "Yamada^Tarou=山田^太郎=やまだ^たろう", id="H.3-1"),
    pytest.param(H32, ["ISO 2022 IR 13", "ISO 2022 IR 87"], "PN", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", id="H.3-2"),
    pytest.param(I21, ["", "ISO 2022 IR 149"], "PN", "Hong^Gildong=洪^吉洞=홍^길동", id="I.2-1"),
    pytest.param(
        I31,
        ["", "ISO 2022 IR 149"],
        "LT",
        "The first line includes 한글.\r\nThe second line includes 한글, too.\r\nThe third line",
        id="I.3-1",
    ),
    pytest.param(J11, ["ISO_IR 192"], "PN", "Wang^XiaoDong=王^小東=", id="J.1-1"),
    pytest.param(
        J21,
        ["ISO_IR 192"],
        "LT",
        "The first line includes 中文.\r\nThe second line includes 中文, too.\r\nThe third line.\r\n",
        id="J.2-1",
    ),
    pytest.param(J31, ["GB18030"], "PN", "Wang^XiaoDong=王^小东=", id="J.3-1"),
    pytest.param(J31, ["GBK"], "PN", "Wang^XiaoDong=王^小东=", id="J.3-1 as GBK"),
    pytest.param(
        J41,
        ["GB18030"],
        "LT",
        "The first line includes 中文.\r\nThe second line includes 中文, too.\r\nThe third line.\r\n",
        id="J.4-1",
    ),
    pytest.param(K21, ["", "ISO 2022 IR 58"], "PN", "Zhang^XiaoDong=张^小东=", id="K.2-1"),
    pytest.param(
        K31,
        ["", "ISO 2022 IR 58"],
        "LT",
        "1.第一行文字。\r\n2.第二行文字。\r\n3.第三行文字。\r\n",
        id="K.3-1",
    ),
]


@pytest.mark.parametrize(("raw", "terms", "vr", "text"), EXAMPLES)
def test_the_standard_s_examples_decode_without_a_problem(raw: bytes, terms: list[str], vr: str, text: str) -> None:
    assert decode_strict(raw, terms, vr) == (text, [])


@pytest.mark.parametrize(("raw", "terms", "vr", "text"), EXAMPLES)
def test_what_is_encoded_decodes_again_without_a_problem(raw: bytes, terms: list[str], vr: str, text: str) -> None:
    assert decode_strict(encode(text, terms, vr), terms, vr) == (text, [])


@pytest.mark.parametrize(("raw", "terms", "vr", "text"), [case for case in EXAMPLES if case.id != "I.3-1"])
def test_the_standard_s_bytes_are_what_the_encoder_writes(raw: bytes, terms: list[str], vr: str, text: str) -> None:
    assert encode(text, terms, vr) == raw


def test_an_encoder_that_announces_the_set_late_in_the_line_is_also_legal() -> None:
    text = "The first line includes 한글.\r\n"
    assert encode(text, ["", "ISO 2022 IR 149"], "LT") == b"The first line includes \x1b$)C\xc7\xd1\xb1\xdb.\r\n"


LEGAL = [
    pytest.param(b"Buc^J\xe9r\xf4me", ["ISO_IR 100"], "PN", "Buc^Jérôme", id="Latin 1"),
    pytest.param(b"\xc4neas^R\xfcdiger", ["ISO_IR 100"], "PN", "Äneas^Rüdiger", id="German"),
    pytest.param(
        b"\xc4neas=\x1b-F\xc1\xe9\x1b-A^x",
        ["ISO 2022 IR 100", "ISO 2022 IR 126"],
        "PN",
        "Äneas=Αι^x",
        id="Greek in group 2, back to Latin 1",
    ),
    pytest.param(b"Price \xa4", ["ISO_IR 203"], "LO", "Price €", id="Latin 9"),
    pytest.param(b"\xb4\xcf", ["ISO_IR 13"], "LO", "ｴﾏ", id="katakana"),
    pytest.param(b"5\\6\\7", ["ISO_IR 13"], "LO", "5\\6\\7", id="05/12 separates values in romaji too"),
    pytest.param(b"5\\6", ["ISO_IR 13"], "LT", "5¥6", id="05/12 is a yen sign in romaji text"),
    pytest.param(b"a\\b", [], "LT", "a\\b", id="05/12 is ordinary in a long text"),
    pytest.param(b"=\x1b$B\x3b\x33\x1b(B", ["", "ISO 2022 IR 87"], "PN", "=山", id="no alphabetic group"),
    pytest.param(
        b"\x1b$)C\xb1\xe8\x1b-A\\\xe9", ["ISO 2022 IR 100", "ISO 2022 IR 149"], "LO", "김\\é", id="two values"
    ),
    pytest.param("昞".encode("gb18030"), ["GB18030"], "LO", "昞", id="05/12 in a GB pair"),
    pytest.param("naïve ".encode(), ["ISO_IR 192"], "LO", "naïve ", id="UTF-8 with padding"),
]


@pytest.mark.parametrize(("raw", "terms", "vr", "text"), LEGAL)
def test_legal_but_unusual_text_raises_nothing(raw: bytes, terms: list[str], vr: str, text: str) -> None:
    assert decode_strict(raw, terms, vr) == (text, [])


def test_supplementary_kanji_is_decoded_as_jis_x_0212() -> None:
    text, problems = decode_strict(b"\x1b$(D\x30\x21\x1b(B", ["", "ISO 2022 IR 159"], "LO")
    assert (text, problems) == (b"\x8f\xb0\xa1".decode("euc_jp"), [])


BROKEN = [
    ("CS-TERM-UNKNOWN", b"x", ["ISO-IR 100"], "LO"),
    ("CS-TERM-UNKNOWN", b"x", ["UTF-8"], "LO"),
    ("CS-TERM-UNKNOWN", b"x", ["ISO_IR 6"], "LO"),
    ("CS-TERM-UNKNOWN", b"x", ["ISO 2022 IR 100", ""], "LO"),
    ("CS-TERM-COMBINATION", b"x", ["ISO_IR 100", "ISO 2022 IR 87"], "LO"),
    ("CS-TERM-COMBINATION", b"x", ["ISO_IR 192", "ISO 2022 IR 87"], "LO"),
    ("CS-TERM-SINGLE", b"x", ["ISO 2022 IR 100"], "LO"),
    ("CS-TERM-FIRST", b"x", ["ISO 2022 IR 87", "ISO 2022 IR 100"], "LO"),
    ("CS-TERM-REPEATED", b"x", ["ISO 2022 IR 100", "ISO 2022 IR 100"], "LO"),
    ("CS-BYTE-UNDECLARED", b"M\xfcller", [], "PN"),
    ("CS-BYTE-UNASSIGNED", b"\xd2", ["ISO_IR 126"], "LO"),
    ("CS-BYTE-UNASSIGNED", b"\xe0", ["ISO_IR 13"], "LO"),
    ("CS-UTF8-MISLABELLED", "Müller".encode(), ["ISO_IR 100"], "PN"),
    ("CS-UTF8-MISLABELLED", "Müller".encode(), [], "PN"),
    ("CS-UTF8-INVALID", b"M\xfcller", ["ISO_IR 192"], "PN"),
    ("CS-UTF8-INVALID", b"\xc0\xaf", ["ISO_IR 192"], "LO"),
    ("CS-UTF8-BOM", b"\xef\xbb\xbfx", ["ISO_IR 192"], "LO"),
    ("CS-GB-INVALID", b"\xd6", ["GB18030"], "LO"),
    ("CS-ESC-FORBIDDEN", b"\x1b$B\x3b\x33\x1b(B", ["ISO_IR 192"], "LO"),
    ("CS-ESC-FORBIDDEN", b"\x1b-A\xe9", ["ISO_IR 100"], "LO"),
    ("CS-ESC-UNDECLARED", b"\x1b$)C\xb1\xe8", ["", "ISO 2022 IR 87"], "LO"),
    ("CS-ESC-UNDECLARED", b"=\x1b$B\x3b\x33\x1b(B", ["ISO 2022 IR 13", "ISO 2022 IR 87"], "PN"),
    ("CS-ESC-UNKNOWN", b"\x1bZ", ["", "ISO 2022 IR 87"], "LO"),
    ("CS-ISO2022-NO-RESET", b"=\x1b$B\x3b\x33^\x1b$B\x42\x40\x1b(B", ["", "ISO 2022 IR 87"], "PN"),
    ("CS-ISO2022-NO-RESET", b"=\x1b$B\x3b\x33^\x42\x40\x1b(B", ["", "ISO 2022 IR 87"], "PN"),
    ("CS-ISO2022-NO-RESET", b"=\x1b$B\x3b\x33", ["", "ISO 2022 IR 87"], "PN"),
    ("CS-ISO2022-NO-RESET", b"\x1b$B\x3b\x33\r\nx", ["", "ISO 2022 IR 87"], "LT"),
    ("CS-ISO2022-NO-RESET", b"\x1b$B\x3b\x33\tx\x1b(B", ["", "ISO 2022 IR 87"], "LT"),
    ("CS-ISO2022-NO-RESET", b"x=\x1b-F\xc1^y", ["ISO 2022 IR 100", "ISO 2022 IR 126"], "PN"),
    ("CS-ISO2022-NO-RESET", b"x=\x1b$B\x3b\x33\x1b(B", ["ISO 2022 IR 13", "ISO 2022 IR 87"], "PN"),
    ("CS-ISO2022-NOT-REPEATED", b"x=\x1b$)C\xfb\xf3^\xd1\xce", ["", "ISO 2022 IR 149"], "PN"),
    ("CS-ISO2022-NOT-REPEATED", b"\x1b$)A\xb5\xda\r\n\xb5\xda", ["", "ISO 2022 IR 58"], "LT"),
    ("CS-MULTIBYTE-TRUNCATED", b"\x1b$B\x3b\x33\x3b\x1b(B", ["", "ISO 2022 IR 87"], "LO"),
    ("CS-MULTIBYTE-TRUNCATED", b"\x1b$)C\xfb", ["", "ISO 2022 IR 149"], "LO"),
    ("CS-PN-FIRST-GROUP", b"\x1b$B\x3b\x33\x1b(B=x", ["", "ISO 2022 IR 87"], "PN"),
    ("CS-CONTROL", b"a\tb", [], "LO"),
    ("CS-CONTROL", b"a\x85b", ["ISO_IR 100"], "LO"),
    ("CS-CONTROL", b"a\x00", ["ISO_IR 192"], "LO"),
    ("CS-VR-DEFAULT", b"M\xc4GEN", ["ISO_IR 100"], "CS"),
]


@pytest.mark.parametrize(("code", "raw", "terms", "vr"), BROKEN)
def test_each_rule_is_reported_by_its_code(code: str, raw: bytes, terms: list[str], vr: str) -> None:
    assert code in {problem.code for problem in decode_strict(raw, terms, vr)[1]}


def test_a_forgotten_escape_does_not_hide_the_text_that_follows() -> None:
    text, problems = decode_strict(b"x=\x1b$)C\xfb\xf3^\xd1\xce", ["", "ISO 2022 IR 149"], "PN")
    assert text == "x=洪^吉"
    assert [(problem.code, problem.offset) for problem in problems] == [("CS-ISO2022-NOT-REPEATED", 9)]


def test_a_missing_return_does_not_swallow_the_delimiter() -> None:
    text, problems = decode_strict(b"=\x1b$B\x3b\x33^\x1b$B\x42\x40\x1b(B", ["", "ISO 2022 IR 87"], "PN")
    assert text == "=山^太"
    assert [problem.code for problem in problems] == ["CS-ISO2022-NO-RESET"]


@pytest.mark.parametrize("terms", [[], ["ISO_IR 100"], ["", "ISO 2022 IR 87"], ["ISO 2022 IR 13", "ISO 2022 IR 58"]])
def test_a_character_outside_the_declared_sets_cannot_be_encoded(terms: list[str]) -> None:
    with pytest.raises(Unencodable, match="declare ISO_IR 192"):
        encode("김", terms, "LO")


def test_unusable_terms_cannot_encode() -> None:
    with pytest.raises(Unencodable, match="not a defined term"):
        encode("x", ["latin1"], "LO")


def test_correct_terms_have_no_problem() -> None:
    for terms in ([], [""], ["ISO_IR 100"], ["ISO_IR 192"], ["", "ISO 2022 IR 87", "ISO 2022 IR 159"]):
        assert check_terms(terms) == []


def test_random_bytes_never_raise_and_stay_bounded() -> None:
    source = random.Random(8)
    terms = ["", "ISO 2022 IR 87", "ISO 2022 IR 149", "ISO 2022 IR 13", "ISO_IR 192", "rubbish", "ISO 2022 IR 58"]
    alphabet = [0x1B, *b"$()BCAJI-^=\\", *range(256)]
    for _ in range(3000):
        raw = bytes(source.choices(alphabet, k=source.randrange(60)))
        chosen = source.choices(terms, k=source.randrange(4))
        for vr in ("PN", "LT", "CS"):
            text, problems = decode_strict(raw, chosen, vr)
            assert len(text) <= len(raw) + 1
            assert len(problems) <= 8


def test_a_megabyte_of_delimiters_in_a_double_byte_set_is_linear() -> None:
    text, problems = decode_strict(b"\x1b$B" + b"^" * 1_000_001, ["", "ISO 2022 IR 87"], "PN")
    assert len(text) <= 1_000_001
    assert problems
