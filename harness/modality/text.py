"""Text in DICOM character sets, both ways, with ISO 2022 code extensions (PS3.3 C.12.1.1.2, PS3.5 6.1 and H to K).

Own code rather than pydicom's, which loses the escape sequences of ISO 2022 IR 58 (PS3.5 K.2) when writing and leaves
them in the text when reading. Decoding never fails (U+FFFD stands for what cannot be read), encoding never replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ESC = 0x1B
TEXT_VRS = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
UTF8 = "ISO_IR 192"

_SINGLE = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "tis-620",
    UTF8: "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


class TextError(ValueError):
    """A text cannot be written in the character sets that were chosen."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One code element: which half of the code table it fills, its escape sequence, bytes per character, codec."""

    half: int
    escape: bytes
    width: int
    codec: str

    def encode(self, char: str) -> bytes | None:
        """Return the bytes of one character in this set, or None."""
        try:
            raw = char.encode(self.codec)
        except UnicodeEncodeError:
            return None
        if self.codec == "euc_jp":
            if self.escape == b"\x1b$B" and len(raw) == 2 and raw[0] >= 0xA1:
                return bytes(byte & 0x7F for byte in raw)
            if self.escape == b"\x1b$(D" and len(raw) == 3 and raw[0] == 0x8F:
                return bytes(byte & 0x7F for byte in raw[1:])
            return None
        fits = len(raw) == self.width and all((byte >= 0x80) == bool(self.half) for byte in raw)
        return raw if fits else None

    def decode(self, raw: bytes) -> str:
        """Return the text of whole characters of this set."""
        if self.codec == "euc_jp":
            lead = b"\x8f" if self.escape == b"\x1b$(D" else b""
            pairs = (raw[i : i + 2] for i in range(0, len(raw), 2))
            raw = b"".join(lead + bytes(byte | 0x80 for byte in pair) for pair in pairs)
        return raw.decode(self.codec, "replace")


_ASCII = _Set(0, b"\x1b(B", 1, "ascii")
_ROMAJI = _Set(0, b"\x1b(J", 1, "ascii")


def _latin(escape: bytes, codec: str) -> tuple[_Set, ...]:
    return (_ASCII, _Set(1, escape, 1, codec))


# The defined terms with code extensions: PS3.3 Tables C.12-3 and C.12-4.
_EXTENDED: dict[str, tuple[_Set, ...]] = {
    "ISO 2022 IR 6": (_ASCII,),
    "ISO 2022 IR 100": _latin(b"\x1b-A", "latin-1"),
    "ISO 2022 IR 101": _latin(b"\x1b-B", "iso8859-2"),
    "ISO 2022 IR 109": _latin(b"\x1b-C", "iso8859-3"),
    "ISO 2022 IR 110": _latin(b"\x1b-D", "iso8859-4"),
    "ISO 2022 IR 144": _latin(b"\x1b-L", "iso8859-5"),
    "ISO 2022 IR 127": _latin(b"\x1b-G", "iso8859-6"),
    "ISO 2022 IR 126": _latin(b"\x1b-F", "iso8859-7"),
    "ISO 2022 IR 138": _latin(b"\x1b-H", "iso8859-8"),
    "ISO 2022 IR 148": _latin(b"\x1b-M", "iso8859-9"),
    "ISO 2022 IR 203": _latin(b"\x1b-b", "iso8859-15"),
    "ISO 2022 IR 166": _latin(b"\x1b-T", "tis-620"),
    "ISO 2022 IR 13": (_ROMAJI, _Set(1, b"\x1b)I", 1, "shift_jis")),
    "ISO 2022 IR 87": (_Set(0, b"\x1b$B", 2, "euc_jp"),),
    "ISO 2022 IR 159": (_Set(0, b"\x1b$(D", 2, "euc_jp"),),
    "ISO 2022 IR 149": (_Set(1, b"\x1b$)C", 2, "euc_kr"),),
    "ISO 2022 IR 58": (_Set(1, b"\x1b$)A", 2, "gb2312"),),
}
_BY_ESCAPE = {part.escape: part for parts in _EXTENDED.values() for part in parts}
_LONGEST = max(map(len, _BY_ESCAPE))

KNOWN = frozenset(_SINGLE) | frozenset(_EXTENDED)


def _normal(sets: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in sets)
    while len(names) == 1 and not names[0]:
        names = ()
    return names


def _delimiters(vr: str) -> str:
    return "^=\\\r\n\t\f" if vr == "PN" else "\\\r\n\t\f" if vr in {"SH", "LO", "UC"} else "\r\n\t\f"


def _initial(names: tuple[str, ...]) -> dict[int, _Set | None]:
    first = names[0] if names else ""
    parts = _EXTENDED.get(first.replace("ISO_IR", "ISO 2022 IR"), (_ASCII,)) if first else (_ASCII,)
    state: dict[int, _Set | None] = {0: _ASCII, 1: None}
    for part in parts:
        if part.width == 1 or part.half == 1:
            state[part.half] = part
    return state


def encode(value: str, sets: Sequence[str], vr: str = "LO") -> bytes:
    """Encode one value (multiple values joined by a backslash) without padding; raise TextError if it cannot be."""
    names = _normal(sets)
    if len(names) <= 1 and (names or ("",))[0] in _SINGLE:
        codec = _SINGLE[(names or ("",))[0]]
        try:
            return value.encode(codec)
        except UnicodeEncodeError as error:
            bad = value[error.start : error.end]
            raise TextError(f"{bad!r} in {value!r} cannot be written in {names[0] if names else 'ISO_IR 6'}") from None
    return _encode_extended(value, names, vr)


def _encode_extended(value: str, names: tuple[str, ...], vr: str) -> bytes:
    initial = _initial(names)
    state = dict(initial)
    candidates = [
        part for name in names for part in _EXTENDED.get((name or "ISO 2022 IR 6").replace("ISO_IR", "ISO 2022 IR"), ())
    ]
    delimiters = _delimiters(vr)
    out = bytearray()

    def restore_g0() -> None:
        # Text ends, and every delimiter stands, in the code element of the first value (PS3.5 6.1.2.5.3).
        start = initial[0]
        if start is not None and state[0] is not start:
            out.extend(start.escape)
            state[0] = start

    for char in value:
        if char in delimiters:
            restore_g0()
            out.extend(char.encode("ascii"))
            state = dict(initial)
            continue
        for part in (state[0], state[1]):
            raw = part.encode(char) if part else None
            if raw is not None:
                out.extend(raw)
                break
        else:
            for part in candidates:
                raw = part.encode(char)
                if raw is not None:
                    out.extend(part.escape + raw)
                    state[part.half] = part
                    break
            else:
                raise TextError(f"{char!r} in {value!r} cannot be written in {chr(92).join(names)}")
    restore_g0()
    return bytes(out)


def decode(raw: bytes, sets: Sequence[str], vr: str = "LO") -> str:
    """Decode one value without raising; what no declared or designated set can read becomes U+FFFD."""
    names = _normal(sets)
    if len(names) <= 1 and (names or ("",))[0] in _SINGLE:
        return raw.decode(_SINGLE[(names or ("",))[0]], "replace")
    initial = _initial(names)
    state = dict(initial)
    delimiters = _delimiters(vr).encode("ascii")
    out: list[str] = []
    position = 0
    while position < len(raw):
        byte = raw[position]
        if byte == ESC:
            part = next(
                (p for n in range(_LONGEST, 2, -1) if (p := _BY_ESCAPE.get(raw[position : position + n]))), None
            )
            if part is not None:
                state[part.half] = part
                position += len(part.escape)
                continue
            out.append("�")
            position += 1
            continue
        half = 1 if byte >= 0x80 else 0
        if half == 0 and byte in delimiters and (state[0] is None or state[0].width == 1):
            out.append(chr(byte))
            state = dict(initial)
            position += 1
            continue
        current = state[half]
        width = current.width if current else 1
        chunk = raw[position : position + width]
        out.append(current.decode(chunk) if current else "�")
        position += width
    return "".join(out)


def fits(texts: Iterable[str], sets: Sequence[str]) -> bool:
    """Say whether every text can be written in `sets`."""
    try:
        for text in texts:
            encode(text, sets, "PN" if "^" in text or "=" in text else "LO")
    except TextError:
        return False
    return True


def choose(texts: Iterable[str], *preferred: Sequence[str]) -> tuple[str, ...]:
    """Return the sets for a data set: none if all is ASCII, else the first of `preferred` that fits, else UTF-8."""
    every = tuple(texts)
    if all(text.isascii() for text in every):
        return ()
    for sets in preferred:
        if _normal(sets) and fits(every, sets):
            return tuple(sets)
    return (UTF8,)
