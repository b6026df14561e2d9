"""Messages to P-DATA-TF PDUs as lists of buffers: headers are made once, data are never copied."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.core.message import Blob
from harness.protocols.dicom.elements import scan
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import EXPLICIT_VR_LE

LARGEST: Final = 128 << 10
"""The largest P-DATA-TF we make for a peer that sets no limit or a very large one."""
_CHUNK: Final = 1 << 20
_META: Final = frozenset((0x00020002, 0x00020003, 0x00020010))
_META_ROOM: Final = 64 << 10
_HEAD = struct.Struct(">BBIIBB")
_META_LENGTH = struct.Struct("<HH2sHI")


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of a data set to send: in memory, or the tail of a file."""

    blob: Blob
    sop_class: str = ""
    sop_instance: str = ""
    transfer_syntax: str = ""

    @classmethod
    def of(cls, data: bytes) -> Payload:
        """Bytes that go out as they are."""
        return cls(Blob.of(data))

    @classmethod
    def part10(cls, path: Path) -> Payload:
        """The data set of a DICOM file, as it is stored. Raises UsageError if it is no Part 10 file."""
        try:
            with path.open("rb") as stream:
                head = stream.read(_META_ROOM)
            size = path.stat().st_size
            if head[128:132] != b"DICM":
                raise UsageError(f"{path} is no DICOM file: DICM is missing after the preamble; convert it to Part 10")
            group, element, vr, _, length = _META_LENGTH.unpack_from(head, 132)
            if (group, element, vr) != (2, 0, b"UL"):
                raise UsageError(f"{path}: File Meta Information Group Length (0002,0000) is missing")
            meta = scan(head[144 : 144 + length], EXPLICIT_VR_LE, _META)
        except (OSError, struct.error, WireError) as problem:
            raise UsageError(f"{path} cannot be read as a DICOM file: {problem}") from None
        offset = 144 + length
        if size < offset:
            raise UsageError(f"{path} ends inside its file meta information")
        sop_class, sop_instance, transfer_syntax = (
            meta.get(tag, b"").decode("latin-1").rstrip("\0 ") for tag in sorted(_META)
        )
        return cls(Blob("", size - offset, path=path, offset=offset), sop_class, sop_instance, transfer_syntax)


def _room(maximum: int) -> int:
    """Bytes of data in one PDV for the maximum length that the peer announced; even, and at least 2."""
    limit = min(maximum, LARGEST) if maximum else LARGEST
    return max(2, (limit - 6) & ~1)


def command_pdus(context_id: int, data: bytes, maximum: int) -> list[bytes | memoryview]:
    """The P-DATA-TF PDUs of a command set."""
    return list(_cut(context_id, 1, memoryview(data), _room(maximum), True))


def data_pdus(context_id: int, payload: Payload, maximum: int) -> Iterator[list[bytes | memoryview]]:
    """The P-DATA-TF PDUs of a data set, in portions of about a megabyte."""
    room = _room(maximum)
    blob = payload.blob
    if blob.data is not None:
        yield list(_cut(context_id, 0, memoryview(blob.data), room, True))
        return
    portion = max(1, _CHUNK // room) * room
    buffer = bytearray(min(portion, max(blob.size, 1)))
    left = blob.size
    with blob.open() as stream:
        while True:
            view = memoryview(buffer)[: min(left, portion)]
            got = stream.readinto(view)
            if got < len(view):
                raise UsageError(f"{blob.path} became shorter while it was sent")
            left -= got
            yield list(_cut(context_id, 0, view, room, left == 0))
            if left == 0:
                return


def _cut(context_id: int, command: int, data: memoryview, room: int, last: bool) -> Iterator[bytes | memoryview]:
    size = len(data)
    if size > room:
        full = _HEAD.pack(4, 0, room + 6, room + 2, context_id, command)
        position = 0
        while size - position > room:
            yield full
            yield data[position : position + room]
            position += room
        data = data[position:]
    size = len(data)
    yield _HEAD.pack(4, 0, size + 6, size + 2, context_id, command | 2 * last)
    yield data
