"""The coded character sets of DICOM as data: terms, code elements and escape sequences (PS3.3 C.12.1.1.2).

A :class:`CodeElement` is one registered set that can be designated as G0 (bytes 0x21-0x7E) or as G1 (0xA0-0xFF).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeElement:
    """One registered set: ISO-IR number, G0 or G1, bytes per character, escape sequence after ESC, Python codec."""

    registration: int
    area: int
    width: int
    escape: bytes
    codec: str
    prefix: bytes = b""

    def decode(self, code: bytes) -> str | None:
        """The character of ``code`` (``width`` bytes as on the wire), or None if none is assigned."""
        if self.registration == 14:
            return {b"\x5c": "¥", b"\x7e": "‾"}.get(code) or code.decode("ascii")
        raised = bytes(byte | 0x80 for byte in code) if self.width == 2 or self.area else code
        try:
            text = (self.prefix + raised).decode(self.codec)
        except UnicodeDecodeError:
            return None
        return text if len(text) == 1 and not "\x80" <= text <= "\x9f" else None

    def encode(self, character: str) -> bytes | None:
        """The bytes of ``character`` in this set, or None if it has none there."""
        if self.registration in (6, 14):
            romaji = {"¥": b"\x5c", "‾": b"\x7e"} if self.registration == 14 else {}
            if character in romaji:
                return romaji[character]
            plain = character.isascii() and (self.registration == 6 or character not in "~\\")
            return character.encode("ascii") if plain else None
        try:
            raw = character.encode(self.codec)
        except UnicodeEncodeError:
            return None
        if self.prefix:
            if not raw.startswith(self.prefix):
                return None
            raw = raw[len(self.prefix) :]
        if len(raw) != self.width or raw[0] < 0xA0:
            return None
        if self.registration == 13 and not 0xA1 <= raw[0] <= 0xDF:
            return None
        return raw if self.area else bytes(byte & 0x7F for byte in raw)


G0_ASCII = CodeElement(6, 0, 1, b"(B", "ascii")
G0_ROMAJI = CodeElement(14, 0, 1, b"(J", "ascii")
G0_KANJI = CodeElement(87, 0, 2, b"$B", "euc_jp")
G0_SUPPLEMENTARY_KANJI = CodeElement(159, 0, 2, b"$(D", "euc_jp", b"\x8f")
G1_KATAKANA = CodeElement(13, 1, 1, b")I", "shift_jis")
G1_KOREAN = CodeElement(149, 1, 2, b"$)C", "euc_kr")
G1_CHINESE = CodeElement(58, 1, 2, b"$)A", "gb2312")

_LATIN_LIKE = (
    CodeElement(100, 1, 1, b"-A", "iso8859_1"),
    CodeElement(101, 1, 1, b"-B", "iso8859_2"),
    CodeElement(109, 1, 1, b"-C", "iso8859_3"),
    CodeElement(110, 1, 1, b"-D", "iso8859_4"),
    CodeElement(144, 1, 1, b"-L", "iso8859_5"),
    CodeElement(127, 1, 1, b"-G", "iso8859_6"),
    CodeElement(126, 1, 1, b"-F", "iso8859_7"),
    CodeElement(138, 1, 1, b"-H", "iso8859_8"),
    CodeElement(148, 1, 1, b"-M", "iso8859_9"),
    CodeElement(203, 1, 1, b"-b", "iso8859_15"),
    CodeElement(166, 1, 1, b"-T", "iso8859_11"),
)


@dataclass(frozen=True, slots=True)
class Repertoire:
    """What one defined term brings: the code elements for G0 and G1 (None: that area is left alone)."""

    registration: int
    g0: CodeElement | None
    g1: CodeElement | None


#: by ISO-IR number, single-byte repertoires that may be value 1
SINGLE_BYTE: dict[int, Repertoire] = {
    6: Repertoire(6, G0_ASCII, None),
    13: Repertoire(13, G0_ROMAJI, G1_KATAKANA),
    **{element.registration: Repertoire(element.registration, G0_ASCII, element) for element in _LATIN_LIKE},
}
#: by ISO-IR number, multi-byte repertoires that may only be values 2 to n
MULTI_BYTE: dict[int, Repertoire] = {
    87: Repertoire(87, G0_KANJI, None),
    159: Repertoire(159, G0_SUPPLEMENTARY_KANJI, None),
    149: Repertoire(149, None, G1_KOREAN),
    58: Repertoire(58, None, G1_CHINESE),
}
ESCAPES: dict[bytes, CodeElement] = {
    element.escape: element
    for element in (
        G0_ASCII,
        G0_ROMAJI,
        G0_KANJI,
        G0_SUPPLEMENTARY_KANJI,
        G1_KATAKANA,
        G1_KOREAN,
        G1_CHINESE,
        *_LATIN_LIKE,
    )
}
#: terms that stand alone and prohibit code extension, with the Python codec
WITHOUT_EXTENSION = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
DEFAULT = SINGLE_BYTE[6]


def repertoire_of(term: str) -> tuple[Repertoire | None, bool]:
    """The repertoire of a defined term and whether the term announces code extension; None if it is no such term."""
    for prefix, extension in (("ISO 2022 IR ", True), ("ISO_IR ", False)):
        number = term.removeprefix(prefix)
        if number != term and number.isascii() and number.isdigit() and number == str(int(number[:6])):
            registration = int(number)
            if extension and registration in MULTI_BYTE:
                return MULTI_BYTE[registration], True
            if registration in SINGLE_BYTE and (extension or registration != 6):
                return SINGLE_BYTE[registration], extension
    return None, False
