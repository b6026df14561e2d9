"""BER as the Cryptographic Message Syntax uses it: a bounded reader, and a writer of DER (ITU-T X.690).

Lengths are never trusted, indefinite lengths and octet strings in pieces are read, nesting is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SEQUENCE, SET, INTEGER, OCTETS, OID, NULL = 0x30, 0x31, 0x02, 0x04, 0x06, 0x05
_DEPTH: Final = 24
_PIECES: Final = 100_000


class BerProblem(Exception):
    """The bytes are no BER: where and why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value: its identifier octet at ``head``, its contents from ``start`` to ``end``; ``after`` is behind it."""

    raw: bytes
    tag: int
    head: int
    start: int
    end: int
    after: int
    depth: int = 0

    @property
    def contents(self) -> bytes:
        """The contents octets."""
        return self.raw[self.start : self.end]

    @property
    def encoded(self) -> bytes:
        """The value with its header, as it is in the bytes."""
        return self.raw[self.head : self.after]

    def children(self) -> list[Value]:
        """The values inside. Raises BerProblem."""
        return list(_values(self.raw, self.start, self.end, self.depth + 1))

    def octets(self) -> bytes:
        """An octet string, put together if it comes in pieces. Raises BerProblem."""
        if not self.tag & 0x20:
            return self.contents
        return b"".join(piece.octets() for piece in self.children())

    def number(self) -> int:
        """An INTEGER of at most 16 bytes. Raises BerProblem."""
        if self.tag != INTEGER or not 0 < self.end - self.start <= 16:
            raise BerProblem(f"byte {self.start}: no integer")
        return int.from_bytes(self.contents, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER in dots. Raises BerProblem."""
        body = self.contents
        if self.tag != OID or not body or len(body) > 64:
            raise BerProblem(f"byte {self.start}: no object identifier")
        numbers: list[int] = []
        value = 0
        for byte in body:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2) if numbers else 0
        return ".".join(str(one) for one in (first, numbers[0] - 40 * first, *numbers[1:])) if numbers else ""


def read(raw: bytes, start: int = 0) -> Value:
    """The value at a place. Raises BerProblem."""
    return _value(raw, start, len(raw), 0)


def _value(raw: bytes, start: int, limit: int, depth: int) -> Value:
    if depth > _DEPTH:
        raise BerProblem(f"byte {start}: nested too deep")
    if limit - start < 2:
        raise BerProblem(f"byte {start}: cut off")
    tag, length, place = raw[start], raw[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise BerProblem(f"byte {start}: an identifier of several octets")
    if length == 0x80:
        if not tag & 0x20:
            raise BerProblem(f"byte {start}: a primitive value of indefinite length")
        end = place
        for number, inner in enumerate(_values(raw, place, limit, depth + 1, ending=True)):
            end = inner.after
            if number > _PIECES:
                raise BerProblem(f"byte {start}: too many values")
        if raw[end : end + 2] != b"\0\0":
            raise BerProblem(f"byte {end}: no end of contents")
        return Value(raw, tag, start, place, end, end + 2, depth)
    if length & 0x80:
        octets = length & 0x7F
        if octets > 8 or limit - place < octets:
            raise BerProblem(f"byte {start}: a length of {octets} octets")
        length = int.from_bytes(raw[place : place + octets], "big")
        place += octets
    if length > limit - place:
        raise BerProblem(f"byte {start}: {length} bytes, {limit - place} are left")
    return Value(raw, tag, start, place, place + length, place + length, depth)


def _values(raw: bytes, start: int, limit: int, depth: int, *, ending: bool = False) -> Iterator[Value]:
    count = 0
    while start < limit:
        if ending and raw[start : start + 2] == b"\0\0":
            return
        value = _value(raw, start, limit, depth)
        count += 1
        if count > _PIECES:
            raise BerProblem(f"byte {start}: too many values")
        yield value
        start = value.after


def wrap(tag: int, *parts: bytes) -> bytes:
    """A value in DER."""
    length = sum(map(len, parts))
    if length < 0x80:
        head = bytes((tag, length))
    else:
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes((tag, 0x80 | len(octets))) + octets
    return head + b"".join(parts)


def integer(value: int) -> bytes:
    """An INTEGER in DER."""
    return wrap(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER in DER."""
    first, second, *others = (int(part) for part in dotted.split("."))
    body = bytearray()
    for number in (40 * first + second, *others):
        octets = [number & 0x7F]
        while number := number >> 7:
            octets.append(0x80 | number & 0x7F)
        body += bytes(reversed(octets))
    return wrap(OID, bytes(body))


def algorithm(dotted: str, parameters: bytes | None = None) -> bytes:
    """An AlgorithmIdentifier in DER; without parameters it gets NULL only if ``parameters`` is empty bytes."""
    return wrap(SEQUENCE, oid(dotted), wrap(NULL) if parameters == b"" else parameters or b"")
