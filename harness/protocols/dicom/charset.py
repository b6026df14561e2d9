"""Strict decoding and encoding of text by Specific Character Set (PS3.5 6.1, 6.2.1.2; PS3.3 C.12.1.1.2).

Libraries repair what they can; this decoder says what is wrong and still returns a text, with U+FFFD where
no character could be found. It never raises for any bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.protocols.dicom.charset_tables import (
    DEFAULT,
    ESCAPES,
    G0_ASCII,
    MULTI_BYTE,
    WITHOUT_EXTENSION,
    CodeElement,
    Repertoire,
    repertoire_of,
)

ESC = 0x1B
#: value representations whose text Specific Character Set governs
TEXT_VRS = frozenset({"SH", "LO", "UC", "ST", "LT", "UT", "PN"})
#: of these, the ones that hold a single value with lines, where 05/12 is an ordinary character
LINE_VRS = frozenset({"ST", "LT", "UT"})
REPLACEMENT = "�"
_LINE_CONTROLS = frozenset(b"\t\n\x0c\r")
_LINE_ENDS = frozenset(b"\n\x0c\r")
_ALL_CONTROLS = bytes((*range(0x20), 0x7F))
#: half-width katakana and Thai make sequences that look like UTF-8 in ordinary words
_RESEMBLE_UTF8 = frozenset({13, 166})
#: enough for a reader; a megabyte of wrong bytes is one mistake, not a million
MAXIMUM_PROBLEMS = 8


@dataclass(frozen=True, slots=True)
class CharsetProblem:
    """One broken rule: a stable ``code``, the byte ``offset`` in the value field and what was found there."""

    code: str
    offset: int
    detail: str


class Unencodable(HarnessError):
    """The text has a character that none of the declared character sets has."""


@dataclass(frozen=True, slots=True)
class CodeExtension:
    """The initial state and the elements that escape sequences may designate.

    ``delimiters`` are bytes before which the initial state must be active and after which it is. ``extension``
    False means that no escape sequence is allowed at all.
    """

    initial: Repertoire
    declared: frozenset[CodeElement]
    extension: bool
    delimiters: frozenset[int]
    controls: frozenset[int]


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
    else:
        rules = code_extension(terms, vr)
        text, found = _Decoder(rules).decode(raw)
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
    text, problems = _Decoder(rules).decode(raw)
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


class _Decoder:
    """The state machine: which element is designated as G0 and G1, byte by byte."""

    def __init__(self, rules: CodeExtension) -> None:
        self.rules = rules
        self.g0 = rules.initial.g0 or G0_ASCII
        self.g1 = rules.initial.g1
        self.lost_g1: CodeElement | None = None
        self.run_end = 0
        self.out: list[str] = []
        self.problems: list[CharsetProblem] = []

    def decode(self, raw: bytes) -> tuple[str, list[CharsetProblem]]:
        if raw.isascii() and self.g0 is G0_ASCII and len(raw.translate(None, _ALL_CONTROLS)) == len(raw):
            return raw.decode("ascii"), []
        position, length = 0, len(raw)
        while position < length:
            byte = raw[position]
            if byte == ESC:
                position = self._escape(raw, position)
            elif byte < 0x20 or byte == 0x7F:
                self._control(byte, position)
                position += 1
            elif byte == 0x20 or (byte in self.rules.delimiters and self.g0.width == 1):
                if byte in self.rules.delimiters:
                    self._boundary(position, f"before {chr(byte)!r}")
                self.out.append(chr(byte))
                position += 1
            elif byte < 0x7F:
                position = self._graphic(raw, position, self.g0)
            elif byte < 0xA0:
                self._problem("CS-CONTROL", position, f"byte {byte:02X} is a C1 control, which DICOM does not use")
                self.out.append(REPLACEMENT)
                position += 1
            elif self.g1 is None and self.lost_g1 is not None:
                lost = f"the escape sequence of ISO-IR {self.lost_g1.registration}"
                self._problem("CS-ISO2022-NOT-REPEATED", position, f"{lost} must be repeated after a delimiter")
                self.g1, self.lost_g1 = self.lost_g1, None
            elif self.g1 is None:
                self._problem("CS-BYTE-UNDECLARED", position, f"byte {byte:02X} with no declared set for it")
                self.out.append(REPLACEMENT)
                position += 1
            else:
                position = self._graphic(raw, position, self.g1)
        self._boundary(length, "at the end of the value")
        self._mislabelled(raw)
        return "".join(self.out), self.problems

    def _problem(self, code: str, offset: int, detail: str) -> None:
        if len(self.problems) < MAXIMUM_PROBLEMS:
            self.problems.append(CharsetProblem(code, offset, detail))

    def _escape(self, raw: bytes, position: int) -> int:
        for size in (3, 2):
            sequence = raw[position + 1 : position + 1 + size]
            element = ESCAPES.get(sequence)
            if element is not None:
                break
        else:
            shown = raw[position + 1 : position + 4].hex(" ").upper()
            self._problem("CS-ESC-UNKNOWN", position, f"ESC {shown} designates no set that DICOM knows")
            self.out.append(REPLACEMENT)
            return position + 1
        shown = f"ESC {sequence.decode('ascii')} (ISO-IR {element.registration})"
        if not self.rules.extension:
            self._problem("CS-ESC-FORBIDDEN", position, f"{shown} although no code extension is declared")
        elif element not in self.rules.declared:
            self._problem("CS-ESC-UNDECLARED", position, f"{shown} designates a set that is not declared")
        if element.area:
            self.g1, self.lost_g1 = element, None
        else:
            self.g0 = element
        return position + 1 + len(sequence)

    def _control(self, byte: int, position: int) -> None:
        if byte not in self.rules.controls:
            self._problem("CS-CONTROL", position, f"control character {byte:02X} is not allowed here")
            self.out.append(chr(byte))
            return
        self._boundary(position, f"before control character {byte:02X}", restart=byte in _LINE_ENDS)
        self.out.append(chr(byte))

    def _graphic(self, raw: bytes, position: int, element: CodeElement) -> int:
        code = raw[position : position + element.width]
        if element.width == 2:
            low, high = (0xA1, 0xFE) if element.area else (0x21, 0x7E)
            whole = len(code) == 2 and low <= code[1] <= high
            if not whole or self._swallows_delimiter(raw, position, element):
                return self._half(code, position, element)
        character = element.decode(code)
        if character is None:
            shown = code.hex(" ").upper()
            self._problem("CS-BYTE-UNASSIGNED", position, f"{shown} is no character of ISO-IR {element.registration}")
            character = REPLACEMENT
        self.out.append(character)
        return position + len(code)

    def _half(self, code: bytes, position: int, element: CodeElement) -> int:
        if not element.area and code[0] in self.rules.delimiters:
            self._boundary(position, f"before {chr(code[0])!r}")
            self.out.append(chr(code[0]))
        else:
            detail = f"{code[:1].hex().upper()} lacks its second byte (ISO-IR {element.registration})"
            self._problem("CS-MULTIBYTE-TRUNCATED", position, detail)
            self.out.append(REPLACEMENT)
        return position + 1

    def _swallows_delimiter(self, raw: bytes, position: int, element: CodeElement) -> bool:
        """A delimiter byte at an even place of a G0 run of odd length: the double-byte set was never left."""
        if element.area or raw[position] not in self.rules.delimiters:
            return False
        if self.run_end <= position:
            self.run_end = position
            while self.run_end < len(raw) and 0x21 <= raw[self.run_end] <= 0x7E:
                self.run_end += 1
        return (self.run_end - position) % 2 == 1

    def _boundary(self, position: int, where: str, restart: bool = True) -> None:
        initial_g0 = self.rules.initial.g0 or G0_ASCII
        left = self.g0 if self.g0 is not initial_g0 else None
        if left is None and self.rules.initial.g1 is not None and self.g1 is not self.rules.initial.g1:
            left = self.g1
        if left is not None and self.rules.extension:
            detail = f"ISO-IR {left.registration} is still active {where}; value 1's set must be"
            self._problem("CS-ISO2022-NO-RESET", position, detail)
        if restart:
            if self.g1 is not self.rules.initial.g1:
                self.lost_g1 = self.g1
            self.g0, self.g1 = initial_g0, self.rules.initial.g1

    def _mislabelled(self, raw: bytes) -> None:
        if raw.isascii() or ESC in raw or self.rules.initial.registration in _RESEMBLE_UTF8:
            return
        try:
            as_utf8 = raw.decode("utf-8")
        except UnicodeDecodeError:
            return
        self._problem("CS-UTF8-MISLABELLED", 0, f"the bytes are valid UTF-8 ({as_utf8[:32]!r}), which is not declared")


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
