"""Seeded mutation of real objects and messages: flipped bytes, cut and repeated parts, wrong lengths."""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.core.message import Blob, Direction, Message, Protocol
from harness.validation.dimse import validate_command
from harness.validation.finding import ValidationFinding
from harness.validation.hl7 import validate_hl7
from harness.validation.objects import validate_part10

_LENGTHS = (
    b"\xff\xff\xff\xff",
    b"\xfe\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\x00\x00\x00\x00",
    b"\xff\xff",
    b"\x01\x00",
)
_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\x00", b"\x08\x00\x05\x00SQ")


def mutations(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` mutated inputs, the same for the same ``seed``."""
    source = random.Random(seed)
    for _ in range(count):
        raw = bytearray(source.choice(seeds))
        for _ in range(source.choice((1, 1, 2, 4, 16))):
            place = source.randrange(len(raw)) if raw else 0
            kind = source.randrange(6)
            if kind == 0:
                raw[place : place + 1] = bytes([source.randrange(256)])
            elif kind == 1:
                del raw[place : place + source.choice((1, 2, 4, 64))]
            elif kind == 2:
                raw[place:place] = raw[place : place + source.choice((2, 8, 64))]
            elif kind == 3:
                new = source.choice(_LENGTHS)
                raw[place : place + len(new)] = new
            elif kind == 4:
                raw[place:place] = source.choice(_TAGS)
            else:
                del raw[place:]
        yield bytes(raw)


def judge(raw: bytes) -> list[ValidationFinding]:
    """The same bytes as a file, as a message with command and data set, and, if they look so, as HL7."""
    if raw[:3] == b"MSH":
        return validate_hl7(raw)
    found = validate_part10(raw)
    if len(raw) % 8 == 0:  # a share: the walker is the same one
        half = len(raw) // 2
        found += validate_command(
            Message(
                1, 0.0, Direction.FROM_SUT, Protocol.DICOM, "N-CREATE-RQ", transfer_syntax="1.2.840.10008.1.2.1",
                header=Blob.of(raw[:half]), payload=Blob.of(raw[half:]),
            )
        )  # fmt: skip
    return found
