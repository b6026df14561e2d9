"""HL7 table 0211 (MSH-18) and DICOM Specific Character Set: decoding, encoding and the map between them.

ISO 2022 sets are decoded run by run, because a byte of a two-byte character may look like an HL7 delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """One row: the HL7 name, the Python codec of its plain form, the DICOM terms alone and with code extensions."""

    hl7: str
    codec: str
    dicom: str | None
    dicom_extended: str | None = None


CHARACTER_SETS: tuple[CharacterSet, ...] = (
    CharacterSet("ASCII", "ascii", "", "ISO 2022 IR 6"),
    CharacterSet("8859/1", "iso8859_1", "ISO_IR 100", "ISO 2022 IR 100"),
    CharacterSet("8859/2", "iso8859_2", "ISO_IR 101", "ISO 2022 IR 101"),
    CharacterSet("8859/3", "iso8859_3", "ISO_IR 109", "ISO 2022 IR 109"),
    CharacterSet("8859/4", "iso8859_4", "ISO_IR 110", "ISO 2022 IR 110"),
    CharacterSet("8859/5", "iso8859_5", "ISO_IR 144", "ISO 2022 IR 144"),
    CharacterSet("8859/6", "iso8859_6", "ISO_IR 127", "ISO 2022 IR 127"),
    CharacterSet("8859/7", "iso8859_7", "ISO_IR 126", "ISO 2022 IR 126"),
    CharacterSet("8859/8", "iso8859_8", "ISO_IR 138", "ISO 2022 IR 138"),
    CharacterSet("8859/9", "iso8859_9", "ISO_IR 148", "ISO 2022 IR 148"),
    CharacterSet("8859/15", "iso8859_15", "ISO_IR 203", "ISO 2022 IR 203"),
    CharacterSet("ISO IR6", "ascii", "", "ISO 2022 IR 6"),
    CharacterSet("ISO IR14", "shift_jis", "ISO_IR 13", "ISO 2022 IR 13"),
    CharacterSet("ISO IR87", "iso2022_jp", None, "ISO 2022 IR 87"),
    CharacterSet("ISO IR159", "iso2022_jp_1", None, "ISO 2022 IR 159"),
    CharacterSet("KS X 1001", "euc_kr", None, "ISO 2022 IR 149"),
    CharacterSet("GB 18030-2000", "gb18030", "GB18030"),
    CharacterSet("BIG-5", "big5", None),
    CharacterSet("UNICODE", "utf_8", "ISO_IR 192"),
    CharacterSet("UNICODE UTF-8", "utf_8", "ISO_IR 192"),
    CharacterSet("UNICODE UTF-16", "utf_16", None),
    CharacterSet("UNICODE UTF-32", "utf_32", None),
)
_BY_HL7 = {row.hl7: row for row in CHARACTER_SETS}

#: escape sequence -> (is it G1, codec, how one run of it is wrapped for that codec)
_ESCAPES: dict[bytes, tuple[bool, str]] = {
    b"\x1b(B": (False, "ascii"),
    b"\x1b(J": (False, "ascii"),
    b"\x1b)I": (True, "shift_jis"),
    b"\x1b$B": (False, "jis0208"),
    b"\x1b$@": (False, "jis0208"),
    b"\x1b$(D": (False, "jis0212"),
    b"\x1b$)C": (True, "euc_kr"),
    b"\x1b$)A": (True, "gb2312"),
    b"\x1b-A": (True, "iso8859_1"),
    b"\x1b-B": (True, "iso8859_2"),
    b"\x1b-C": (True, "iso8859_3"),
    b"\x1b-D": (True, "iso8859_4"),
    b"\x1b-L": (True, "iso8859_5"),
    b"\x1b-G": (True, "iso8859_6"),
    b"\x1b-F": (True, "iso8859_7"),
    b"\x1b-H": (True, "iso8859_8"),
    b"\x1b-M": (True, "iso8859_9"),
    b"\x1b-b": (True, "iso8859_15"),
}
_WRAP = {"jis0208": (b"\x1b$B", "iso2022_jp"), "jis0212": (b"\x1b$(D", "iso2022_jp_1")}
_ESCAPE_RE = re.compile(rb"(\x1b(?:\$\(D|\$\)[AC]|\$[B@]|[()\-][A-Za-z]))")
_RUN_RE = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")


def known(name: str) -> bool:
    """Whether that is a value of HL7 table 0211 which is understood here; the empty value is ASCII."""
    return name == "" or name in _BY_HL7


def decode(raw: bytes, names: Sequence[str] = ()) -> tuple[str, bool]:
    """Text of ER7 bytes in the sets of MSH-18, and whether every byte could be decoded.

    What cannot be decoded becomes U+FFFD. A set that is not in the table is read as UTF-8, then as ISO 8859/1. An
    escape sequence to a set that MSH-18 does not name is left as it stands: no receiver knows that it is one.
    """
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii"), True
    name = next((name for name in names if name), "")
    row = _BY_HL7.get(name)
    if name and row is None:
        return _first_that_fits(raw)
    codec = row.codec if row is not None else "ascii"
    if b"\x1b" in raw:
        first = _BY_HL7.get(names[0]) if names else None
        return _decode_2022(raw, (first or row or _BY_HL7["ASCII"]).codec, _invoked(names))
    try:
        return raw.decode(codec), True
    except UnicodeDecodeError:
        return raw.decode(codec, "replace"), False


def _first_that_fits(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode("utf_8"), False
    except UnicodeDecodeError:
        return raw.decode("iso8859_1"), False


def _invoked(names: Sequence[str]) -> frozenset[str]:
    """The codecs that escape sequences may lead to, by the sets of MSH-18."""
    codecs = {_BY_HL7[name].codec for name in names if name in _BY_HL7}
    japanese = {"iso2022_jp", "iso2022_jp_1"} & codecs
    if japanese:
        codecs |= {"jis0208", "jis0212"} if "iso2022_jp_1" in codecs else {"jis0208"}
    plain = codecs - {"utf_8", "gb18030", "big5", "utf_16", "utf_32"}
    return frozenset({*plain, "ascii"}) if plain - {"ascii"} else frozenset()


def _decode_2022(raw: bytes, codec: str, invoked: frozenset[str]) -> tuple[str, bool]:
    if codec in ("iso2022_jp", "iso2022_jp_1"):
        codec = "ascii"
    good, out = True, []
    for number, line in enumerate(raw.split(b"\r")):
        if number:
            out.append("\r")
        g0, g1 = "ascii", codec  # every segment starts in the first set of MSH-18
        for part in _ESCAPE_RE.split(line):
            if part in _ESCAPES and _ESCAPES[part][1] in invoked:
                is_g1, to = _ESCAPES[part]
                g0, g1 = (g0, to) if is_g1 else (to, g1)
                continue
            if not part:
                continue
            runs = [part] if codec in ("utf_8", "gb18030") and g0 == "ascii" else _RUN_RE.findall(part)
            for run in filter(None, runs):
                text, fine = _decode_run(run, g0 if run[0] < 0x80 else g1)
                good = good and fine
                out.append(text)
    return "".join(out), good


def _decode_run(run: bytes, codec: str) -> tuple[str, bool]:
    if codec in _WRAP:
        escape, codec = _WRAP[codec]
        run = escape + run + b"\x1b(B"
    try:
        return run.decode(codec), b"\x1b" not in run or codec.startswith("iso2022")
    except UnicodeDecodeError:
        return run.decode(codec, "replace"), False


def encode(text: str, names: Sequence[str] = ()) -> bytes:
    """ER7 bytes of a text in the sets of MSH-18; two-byte Japanese sets return to ASCII before each delimiter.

    Raises UsageError if a character is in none of the sets or a set is unknown.
    """
    if text.isascii():
        return text.encode("ascii")
    sets = [name for name in names if name] or ["ASCII"]
    unknown = [name for name in sets if name not in _BY_HL7]
    if unknown:
        raise UsageError(f"MSH-18: {unknown[0]!r} is no character set of HL7 table 0211 that can be written")
    codecs = [_BY_HL7[name].codec for name in sets]
    if len(codecs) == 1 or "iso2022_jp" in codecs or "iso2022_jp_1" in codecs:
        if codecs[0] == "shift_jis":
            return _encode_katakana(text, codecs[1:])
        codec = "iso2022_jp_1" if "iso2022_jp_1" in codecs else codecs[-1]
        return _encode_in(text, codec, sets)
    # a Korean set as an extension is invoked by its escape sequence in each segment that needs it (PS3.5 Annex I)
    for codec in codecs[1:]:
        escape = next(sequence for sequence, (_, to) in _ESCAPES.items() if to == codec)
        lines = text.split("\r")
        return b"\r".join((b"" if line.isascii() else escape) + _encode_in(line, codec, sets) for line in lines)
    raise AssertionError("unreachable")  # pragma: no cover


def _encode_in(text: str, codec: str, sets: Sequence[str]) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        bad = text[error.start : error.end]
        raise UsageError(
            f"{bad!r} cannot be written in {' and '.join(sets)}: choose another MSH-18, for instance UNICODE UTF-8"
        ) from error


def _encode_katakana(text: str, others: Sequence[str]) -> bytes:
    codec = "iso2022_jp_1" if "iso2022_jp_1" in others else "iso2022_jp" if others else "ascii"
    parts = re.split("([\uff61-\uff9f]+)", text)
    return b"".join(
        part.encode("shift_jis") if number % 2 else _encode_in(part, codec, ("ISO IR14", *others))
        for number, part in enumerate(parts)
    )


def to_dicom(names: Sequence[str]) -> tuple[str, ...] | None:
    """Specific Character Set (0008,0005) for the repetitions of MSH-18; None if DICOM has no such set."""
    names = tuple(names)
    while names and not names[-1]:
        names = names[:-1]
    if not names:
        return ()
    rows = [_BY_HL7.get(name or "ASCII") for name in names]
    if any(row is None for row in rows):
        return None
    found = [row for row in rows if row is not None]
    if len(found) == 1:
        row = found[0]
        if row.dicom is not None:
            return (row.dicom,) if row.dicom else ()
        return ("", row.dicom_extended) if row.dicom_extended else None
    terms = [row.dicom_extended for row in found]
    if any(term is None for term in terms):
        return None
    first = "" if terms[0] == "ISO 2022 IR 6" else str(terms[0])
    return (first, *(str(term) for term in terms[1:]))


def from_dicom(terms: Sequence[str]) -> tuple[str, ...] | None:
    """MSH-18 repetitions for a Specific Character Set; None if HL7 has no name for one of them."""
    names: list[str] = []
    for number, term in enumerate(terms):
        if term in ("", "ISO_IR 6", "ISO 2022 IR 6"):
            names.append("ASCII" if len(terms) > 1 or number else "")
            continue
        rows = [row for row in CHARACTER_SETS if term in (row.dicom, row.dicom_extended)]
        if not rows:
            return None
        names.append(rows[-1].hl7)
    return tuple(name for name in names if name)
