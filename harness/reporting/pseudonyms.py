"""Replacements for identifying values: keyed, of the same form, equal for equal values, and not to be undone."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

_TOKEN_SPLIT = re.compile(r"[\s^=~&\\|/,;:]+")
_DATE = re.compile(r"\d{8}")
#: Shorter words are not remembered, nor looked for: they would be found everywhere.
MIN_TOKEN = 3
#: Numbers of this length are replaced inside other words, too.
LONG = 6


@dataclass(slots=True)
class Pseudonyms:
    """One secret and everything that was replaced with it; values met anywhere are replaced everywhere."""

    key: bytes
    #: whole values and parts of names that must not be left anywhere
    seen: set[str] = field(default_factory=set)
    #: parts of other names, replaced where they stand as words and in the same case
    words: set[str] = field(default_factory=set)
    #: birth dates, which are replaced only where the element is one
    dates: set[str] = field(default_factory=set)
    _pattern: re.Pattern[str] | None = None
    _known: tuple[int, int] = (0, 0)

    def patient(self, value: str) -> str:
        """The replacement of a patient's name; remembers it and its parts."""
        plain = value.strip()
        for word in {plain, *plain.split("="), *_TOKEN_SPLIT.split(plain)}:
            if len(word) >= MIN_TOKEN or has_ideographs(word):
                self.seen.add(word)
        return self.swap(value)

    def staff(self, value: str) -> str:
        """The replacement of any other name; remembers its parts just as they are written, for they may be common."""
        plain = value.strip()
        self.words.update(word for word in _TOKEN_SPLIT.split(plain) if len(word) >= MIN_TOKEN)
        return self.swap(value)

    def identifier(self, value: str) -> str:
        """The replacement of a number of a person or an order; remembers it."""
        plain = value.strip()
        if len(plain) >= MIN_TOKEN and plain.strip("*?"):
            self.seen.add(plain)
        return self.swap(value)

    def swap(self, value: str) -> str:
        """Replace every letter and digit by its successor at a distance that the word so far decides."""
        out: list[str] = []
        word = ""
        for character in value:
            alphabet = _alphabet(character)
            if not alphabet:
                out.append(character)
                if not character.isalnum():
                    word = ""
                continue
            digest = hmac.new(self.key, word.encode("utf-8", "replace"), hashlib.sha256).digest()
            distance = 1 + int.from_bytes(digest[:4], "big") % (len(alphabet) - 1)
            place = alphabet.find(character)
            out.append(alphabet[(place + distance) % len(alphabet)])
            word += character.casefold()
        return "".join(out)

    def birth_date(self, value: str) -> str:
        """Another day, the same distance for everybody; ranges and wrong dates keep their form."""

        def moved(match: re.Match[str]) -> str:
            text = match[0]
            self.dates.add(text)
            try:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
                distance = 200 + int.from_bytes(hmac.new(self.key, b"birth", hashlib.sha256).digest()[:2], "big") % 3000
                return f"{day - timedelta(days=distance):%Y%m%d}"
            except (ValueError, OverflowError):
                return self.swap(text)

        return _DATE.sub(moved, value)

    def everywhere(self, text: str) -> str:
        """Replace all values met so far: numbers and ideographs wherever they stand, others as words."""
        pattern = self._compiled()
        return pattern.sub(lambda match: self.swap(match[0]), text) if pattern and text else text

    def everywhere_and_dates(self, text: str) -> str:
        """As :meth:`everywhere`, and birth dates met so far, for texts about messages."""
        text = self.everywhere(text)
        return _DATE.sub(lambda match: self.birth_date(match[0]) if match[0] in self.dates else match[0], text)

    def _compiled(self) -> re.Pattern[str] | None:
        if self._known != (len(self.seen), len(self.words)):
            parts = [f"(?i:{re.escape(v) if _unmistakable(v) else _as_word(v)})" for v in _longest_first(self.seen)]
            parts += [_as_word(v) for v in _longest_first(self.words - self.seen)]
            self._pattern = re.compile("|".join(parts)) if parts else None
            self._known = (len(self.seen), len(self.words))
        return self._pattern


def _longest_first(values: set[str]) -> list[str]:
    return sorted(values, key=lambda value: (-len(value), value))


def _as_word(value: str) -> str:
    return rf"(?<![\w.]){re.escape(value)}(?!\w)"


def _unmistakable(value: str) -> bool:
    """Whether a value is itself also inside of a longer word."""
    return has_ideographs(value) or (len(value) >= LONG and any(character.isdigit() for character in value))


def has_ideographs(text: str) -> bool:
    """Whether a text has characters of which one alone can be a name."""
    return any(ord(character) >= 0x2E80 for character in text)


# -- alphabets ---------------------------------------------------------------------------------------------

_UPPER, _LOWER, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
_REPERTOIRES = ("latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso2022_jp", "euc_kr", "gb2312", "shift_jis")


def _alphabet(character: str) -> str:
    """Characters that may stand for this one: of the same kind and in the same repertoires; empty for a delimiter."""
    for plain in (_UPPER, _LOWER, _DIGITS):
        if character in plain:
            return plain
    code = ord(character)
    if code < 0x80 or not character.isalnum():
        return ""
    start, stop = _block(code)
    alphabet = _alphabets(start, stop).get(_signature(character), "")
    return alphabet if len(alphabet) > 1 else ""


def _block(code: int) -> tuple[int, int]:
    for start, stop in ((0x3041, 0x3097), (0x30A1, 0x30FB), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xFF66, 0xFF9E)):
        if start <= code < stop:
            return start, stop
    return code & ~0x7F, (code & ~0x7F) + 0x80


@cache
def _alphabets(start: int, stop: int) -> Mapping[tuple[bool | str, ...], str]:
    groups: dict[tuple[bool | str, ...], list[str]] = {}
    for code in range(start, stop):
        character = chr(code)
        if character.isalnum():
            groups.setdefault(_signature(character), []).append(character)
    return {signature: "".join(characters) for signature, characters in groups.items()}


def _signature(character: str) -> tuple[bool | str, ...]:
    return (unicodedata.category(character), *(_has(name, character) for name in _REPERTOIRES))


def _has(codec: str, character: str) -> bool:
    try:
        encoded = character.encode(codec)
    except UnicodeEncodeError:
        return False
    # Python spells syllables outside of KS X 1001 with eight bytes of letters, which DICOM does not know
    return len(encoded) <= 2 or codec == "iso2022_jp"
