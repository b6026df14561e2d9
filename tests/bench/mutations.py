"""Deterministic mutations of real byte streams."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence

_NUMBERS = (0, 1, 2, 3, 5, 6, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def mutated(corpus: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Streams without end, the same ones for the same seed: each with one to six changes."""
    chance = random.Random(seed)
    while True:
        data = bytearray(chance.choice(corpus))
        for _ in range(chance.randint(1, 6)):
            _change(data, chance, corpus)
        yield bytes(data)


def _change(data: bytearray, chance: random.Random, corpus: Sequence[bytes]) -> None:
    if not data:
        data += chance.randbytes(8)
        return
    where = chance.randrange(len(data))
    match chance.randrange(9):
        case 0:
            data[where] ^= 1 << chance.randrange(8)
        case 1:
            data[where] = chance.randrange(256)
        case 2:
            del data[where:]
        case 3:
            del data[where : where + chance.randint(1, 32)]
        case 4:
            data[where:where] = chance.randbytes(chance.randint(1, 32))
        case 5:
            data[where:where] = data[where : where + chance.randint(1, 200)]
        case 6:
            other = chance.choice(corpus)
            cut = chance.randrange(len(other))
            data[where:] = other[cut:]
        case 7:  # a length field, big or little endian, of two or four bytes
            number = chance.choice(_NUMBERS)
            order = chance.choice("<>")
            packed = (
                struct.pack(order + "I", number) if chance.random() < 0.5 else struct.pack(order + "H", number & 0xFFFF)
            )
            data[where : where + len(packed)] = packed
        case _:  # the length of the first PDU, or its type
            if len(data) >= 6:
                if chance.random() < 0.5:
                    data[0] = chance.randrange(16)
                else:
                    data[2:6] = struct.pack(">I", chance.choice(_NUMBERS))
