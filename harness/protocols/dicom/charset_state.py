"""The state machine of ISO 2022 text: which set is designated where, byte by byte (PS3.5 6.1.2.5).

It never raises for any bytes; what has no character becomes U+FFFD and a problem.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.protocols.dicom.charset_tables import ESCAPES, G0_ASCII, CodeElement, Repertoire

ESC = 0x1B
REPLACEMENT = "�"
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


class Decoder:
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
