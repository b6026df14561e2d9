"""Strict decoding and encoding of text by Specific Character Set (PS3.5 6.1, 6.2.1.2; PS3.3 C.12.1.1.2).

Libraries repair what they can; this decoder says what is wrong and still returns a text, with U+FFFD where
no character could be found. It never raises for any bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import HarnessError
from harness.protocols.dicom.charset_state import (
    ESC,
    MAXIMUM_PROBLEMS,
    REPLACEMENT,
    CharsetProblem,
    CodeExtension,
    Decoder,
)
from harness.protocols.dicom.charset_tables import (
    DEFAULT,
    G0_ASCII,
    MULTI_BYTE,
    WITHOUT_EXTENSION,
    repertoire_of,
)

#: value representations whose text Specific Character Set governs
TEXT_VRS = frozenset({"SH", "LO", "UC", "ST", "LT", "UT", "PN"})
#: of these, the ones that hold a single value with lines, where 05/12 is an ordinary character
LINE_VRS = frozenset({"ST", "LT", "UT"})
#: beyond U+1FFF, what the alphabetic group of a name may have: kana and marks that go with it
_ALPHABETIC = frozenset(map(chr, (0x3001, 0x3002, 0x300C, 0x300D, *range(0x3099, 0x309D), *range(0x30A0, 0x3100))))
_LINE_CONTROLS = frozenset(b"\t\n\x0c\r")


class Unencodable(HarnessError):
    """The text has a character that none of the declared character sets has."""


def check_terms(terms: Sequence[str]) -> list[CharsetProblem]:
    """What is wrong with the values of Specific Character Set itself; ``offset`` is the index of the value."""
    problems: list[CharsetProblem] = []
    seen: set[int] = set()
    for index, term in enumerate(terms):
        if term in WITHOUT_EXTENSION:
            if len(terms) > 1:
                problems.append(CharsetProblem("CS-TERM-COMBINATION", index, f"{term} allows no other value beside it"))
            continue
        if not term:
            if index:
                problems.append(CharsetProblem("CS-TERM-UNKNOWN", index, "only value 1 may be empty"))
            continue
        repertoire, extension = repertoire_of(term)
        if repertoire is None:
            problems.append(CharsetProblem("CS-TERM-UNKNOWN", index, f"{term!r} is not a defined term"))
            continue
        if len(terms) > 1 and not extension:
            problems.append(
                CharsetProblem("CS-TERM-COMBINATION", index, f"{term} in a multi-valued attribute, needs ISO 2022 IR")
            )
        if len(terms) == 1 and extension:
            problems.append(
                CharsetProblem("CS-TERM-SINGLE", index, f"{term} announces code extension but stands alone")
            )
        if index == 0 and repertoire.registration in MULTI_BYTE:
            problems.append(CharsetProblem("CS-TERM-FIRST", index, f"{term} is multi-byte and may not be value 1"))
        if repertoire.registration in seen or (repertoire.registration == 6 and index > 0 and not terms[0]):
            problems.append(CharsetProblem("CS-TERM-REPEATED", index, f"{term} repeats a set that is already named"))
        seen.add(repertoire.registration)
    return problems


def decode_strict(raw: bytes, terms: Sequence[str], vr: str) -> tuple[str, list[CharsetProblem]]:
    """Decode a whole value field (all values, delimiters included) and list every rule that it breaks.

    ``terms`` are the values of Specific Character Set in order, without padding (none: default repertoire);
    problems of the terms themselves come first. For a VR that the attribute does not govern (CS, DA, AE, ...) the
    default repertoire applies. Trailing padding is part of the text. Multi-byte characters may contain the byte
    05/12, so split the text at ``"\\\\"``, never the bytes.
    """
    if vr not in TEXT_VRS:
        return _default_only(raw)
    problems = check_terms(terms)
    controls = _LINE_CONTROLS if vr in LINE_VRS else frozenset[int]()
    if len(terms) == 1 and terms[0] in WITHOUT_EXTENSION:
        text, found = _decode_codec(raw, WITHOUT_EXTENSION[terms[0]], controls)
        if vr == "PN" and not raw.isascii():
            found += _alphabetic(text)
    else:
        rules = code_extension(terms, vr)
        text, found = Decoder(rules).decode(raw)
        if vr == "PN" and ESC in raw:
            found += _first_group(raw)
    return text, (problems + found)[:MAXIMUM_PROBLEMS]


def code_extension(terms: Sequence[str], vr: str) -> CodeExtension:
    """The state machine's rules for these terms in this VR; an unknown term brings nothing."""
    first, _ = repertoire_of(terms[0]) if terms and terms[0] else (DEFAULT, False)
    declared = {
        element for term in terms for r in (repertoire_of(term)[0],) if r for element in (r.g0, r.g1) if element
    }
    initial = first if first is not None and first.registration not in MULTI_BYTE else DEFAULT
    declared |= {element for element in (initial.g0, initial.g1) if element}
    delimiters = frozenset(b"\\^=") if vr == "PN" else frozenset() if vr in LINE_VRS else frozenset(b"\\")
    controls = _LINE_CONTROLS if vr in LINE_VRS else frozenset[int]()
    return CodeExtension(initial, frozenset(declared), len(terms) > 1, delimiters, controls)


def decode_with(rules: CodeExtension, raw: bytes) -> tuple[str, list[CharsetProblem]]:
    """Decode by explicit rules; for protocols with delimiters of their own (HL7)."""
    text, problems = Decoder(rules).decode(raw)
    return text, problems[:MAXIMUM_PROBLEMS]


def encode(text: str, terms: Sequence[str], vr: str) -> bytes:
    """Encode a value field by the rules that :func:`decode_strict` enforces; no padding is added.

    Raises Unencodable if a character is in none of the declared sets, or if the terms are not usable.
    """
    if vr not in TEXT_VRS:
        terms = ()
    if len(terms) == 1 and terms[0] in WITHOUT_EXTENSION:
        try:
            return text.encode(WITHOUT_EXTENSION[terms[0]])
        except UnicodeEncodeError as error:
            raise Unencodable(f"{text[error.start]!r} cannot be encoded in {terms[0]}; use ISO_IR 192") from error
    fatal = [problem for problem in check_terms(terms) if problem.code in ("CS-TERM-UNKNOWN", "CS-TERM-FIRST")]
    if fatal:
        raise Unencodable(f"Specific Character Set {chr(92).join(terms)!r} cannot be used: {fatal[0].detail}")
    return _encode(text, terms, vr)


# -- decoding ----------------------------------------------------------------------------------------------


def _default_only(raw: bytes) -> tuple[str, list[CharsetProblem]]:
    problems = [
        CharsetProblem("CS-VR-DEFAULT", offset, f"byte {byte:02X} in a value that allows the default repertoire only")
        for offset, byte in enumerate(raw)
        if byte >= 0x7F or byte == ESC
    ]
    return raw.decode("ascii", errors="replace"), problems[:MAXIMUM_PROBLEMS]


def _decode_codec(raw: bytes, codec: str, controls: frozenset[int]) -> tuple[str, list[CharsetProblem]]:
    problems: list[CharsetProblem] = []
    position = 0
    pieces: list[str] = []
    code = "CS-UTF8-INVALID" if codec == "utf-8" else "CS-GB-INVALID"
    while True:
        try:
            pieces.append(raw[position:].decode(codec))
            break
        except UnicodeDecodeError as error:
            start, end = position + error.start, position + max(error.end, error.start + 1)
            pieces.append(raw[position:start].decode(codec) + REPLACEMENT)
            problems.append(CharsetProblem(code, start, f"{raw[start:end].hex(' ').upper()} is not {codec}"))
            if len(problems) >= MAXIMUM_PROBLEMS:
                pieces.append(raw[end:].decode(codec, errors="replace"))
                break
            position = end
    for offset, byte in enumerate(raw):
        if (byte < 0x20 or byte == 0x7F) and byte not in controls:
            detail = (
                "an escape sequence, but this character set allows none"
                if byte == ESC
                else f"control character {byte:02X}"
            )
            problems.append(CharsetProblem("CS-ESC-FORBIDDEN" if byte == ESC else "CS-CONTROL", offset, detail))
    if codec == "utf-8" and raw.startswith(b"\xef\xbb\xbf"):
        problems.append(CharsetProblem("CS-UTF8-BOM", 0, "a byte order mark begins the value"))
    return "".join(pieces), problems


def _alphabetic(text: str) -> list[CharsetProblem]:
    """Characters that the alphabetic group of a name may not have where no code extension is (PS3.5 6.2.1.2)."""
    for value in text.split("\\"):
        for character in value.partition("=")[0]:
            if character >= "\u2000" and character not in _ALPHABETIC and character != REPLACEMENT:
                offset = text.index(character)
                detail = f"{character!r} (U+{ord(character):04X}) in the alphabetic component group, character {offset}"
                return [CharsetProblem("CS-PN-ALPHABETIC", offset, detail)]
    return []


def _first_group(raw: bytes) -> list[CharsetProblem]:
    """Escape sequences in the alphabetic group of any value (PS3.5 6.2.1.2). Group and value ends are looked for in
    bytes outside multi-byte G0 runs only, which is exact up to the first such run, and that run is the problem."""
    position, start_of_value = 0, True
    while position < len(raw):
        byte = raw[position]
        if byte == ESC and start_of_value:
            return [CharsetProblem("CS-PN-FIRST-GROUP", position, "escape sequence in the alphabetic component group")]
        if byte == ESC and raw[position + 1 : position + 3] in (b"$B", b"$("):
            end = raw.find(b"\x1b(", position + 2 if raw[position + 1 : position + 3] == b"$B" else position + 4)
            position = len(raw) if end < 0 else end + 3
            continue
        if byte == 0x3D:
            start_of_value = False
        elif byte == 0x5C:
            start_of_value = True
        position += 1
    return []


# -- encoding ----------------------------------------------------------------------------------------------


def _encode(text: str, terms: Sequence[str], vr: str) -> bytes:
    rules = code_extension(terms, vr)
    initial_g0, initial_g1 = rules.initial.g0 or G0_ASCII, rules.initial.g1
    others = [e for term in terms[1:] for r in (repertoire_of(term)[0],) if r for e in (r.g0, r.g1) if e]
    g0, g1 = initial_g0, initial_g1
    out = bytearray()

    def reset() -> None:
        nonlocal g0, g1
        if g0 is not initial_g0:
            out.extend(b"\x1b" + initial_g0.escape)
        if initial_g1 is not None and g1 is not initial_g1:
            out.extend(b"\x1b" + initial_g1.escape)
        g0, g1 = initial_g0, initial_g1

    for character in text:
        if character.isascii() and (ord(character) in rules.delimiters or ord(character) < 0x20):
            reset()
            out.extend(character.encode("ascii"))
            continue
        current = [element for element in (g0, g1) if element]
        first = [element for element in (initial_g0, initial_g1) if element]
        candidates = (*current, *first, *others) if rules.extension else tuple(first)
        for element in candidates:
            code = element.encode(character)
            if code is not None:
                break
        else:
            declared = "\\".join(terms) or "the default repertoire"
            raise Unencodable(
                f"{character!r} (U+{ord(character):04X}) is not in {declared}; declare ISO_IR 192 instead"
            )
        if element.area and element is not g1:
            out.extend(b"\x1b" + element.escape)
            g1 = element
        elif not element.area and element is not g0:
            out.extend(b"\x1b" + element.escape)
            g0 = element
        out.extend(code)
    reset()
    return bytes(out)
