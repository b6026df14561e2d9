"""The separators of ER7 and its escape sequences (HL7 v2.5 sections 2.5.4 and 2.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.protocols.hl7 import charset

_HIGHLIGHT = ("H", "N")


@dataclass(frozen=True, slots=True)
class Separators:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """The value of MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent

    @classmethod
    def of(cls, msh: str) -> Separators:
        """As an MSH segment declares them; the usual ones where it is too short."""
        field = msh[3:4] or "|"
        declared = msh[4:].split(field, 1)[0]
        usual = cls()
        declared = (declared + usual.encoding_characters[len(declared) :])[:4]
        return cls(field, *declared)

    def escape_text(self, text: str) -> str:
        """A value with delimiters in it, as it may stand in a message."""
        if not any(sign in text for sign in (*self.encoding_characters, self.field, "\r", "\n")):
            return text
        table = {
            self.escape: "E",
            self.field: "F",
            self.component: "S",
            self.subcomponent: "T",
            self.repetition: "R",
            "\r": "X0D",
            "\n": "X0A",
        }
        return "".join(f"{self.escape}{table[c]}{self.escape}" if c in table else c for c in text)

    def unescape(self, text: str, names: Sequence[str] = ()) -> str:
        r"""The value that escaped text stands for; escapes that are not understood stay as they are."""
        if self.escape not in text:
            return text
        table = {"F": self.field, "S": self.component, "T": self.subcomponent, "R": self.repetition, "E": self.escape}
        out: list[str] = []
        position = 0
        while (start := text.find(self.escape, position)) >= 0:
            end = text.find(self.escape, start + 1)
            if end < 0:
                break
            out.append(text[position:start])
            code = text[start + 1 : end]
            if code in table:
                out.append(table[code])
            elif code == ".br":
                out.append("\n")
            elif re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", code):
                out.append(charset.decode(bytes.fromhex(code[1:]), names)[0])
            elif code not in _HIGHLIGHT:
                out.append(text[start : end + 1])
            position = end + 1
        out.append(text[position:])
        return "".join(out)


STANDARD = Separators()
