"""Top level elements of a data set without a library object for each: for indexes and answers at line speed.

``scan`` finds some elements near the beginning of a data set, ``encode_elements`` writes elements that are bytes
already. Whoever judges decodes with :mod:`harness.protocols.dicom.datasets` instead.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from harness.core.message import Blob
from harness.protocols.dicom.datasets import inflate
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import encoding_of

LONG_VRS: Final = frozenset((
    b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV",
))  # fmt: skip
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_HEAD_BYTES: Final = 8 << 10
_MAX_DEPTH: Final = 32

Element = tuple[int, str, bytes | Sequence["Elements"]]
"""Tag, VR, and the value as bytes or, for SQ, its items."""
Elements = Sequence[Element]


def scan(payload: Blob | bytes, transfer_syntax: str, wanted: frozenset[int] | set[int]) -> dict[int, bytes]:
    """Values (with padding) of the top level elements in ``wanted``, stopping after the last of them.

    Sequences are skipped. Raises WireError if the structure cannot be followed.
    """
    implicit, little, deflated = encoding_of(transfer_syntax)
    if deflated:
        data = inflate(payload if isinstance(payload, bytes) else payload.bytes())
    elif isinstance(payload, bytes):
        data = payload
    elif payload.data is not None:
        data = payload.data
    else:
        assert payload.path is not None
        handle = os.open(payload.path, os.O_RDONLY)
        try:
            data = os.pread(handle, _HEAD_BYTES, payload.offset)
        finally:
            os.close(handle)
        try:
            return _scan(data, implicit, little, wanted)
        except WireError:  # it goes on behind what was read
            data = payload.bytes()
    return _scan(data, implicit, little, wanted)


def _scan(data: bytes, implicit: bool, little: bool, wanted: frozenset[int] | set[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    last = max(wanted, default=-1)
    end = len(data)
    tag_of = struct.Struct("<HH" if little else ">HH").unpack_from
    long_of = struct.Struct("<I" if little else ">I").unpack_from
    short_of = struct.Struct("<H" if little else ">H").unpack_from
    position = 0
    try:
        while position < end:
            group, element = tag_of(data, position)
            tag = group << 16 | element
            if tag > last:
                break
            if implicit:
                length = long_of(data, position + 4)[0]
                position += 8
            elif data[position + 4 : position + 6] in LONG_VRS:
                length = long_of(data, position + 8)[0]
                position += 12
            else:
                length = short_of(data, position + 6)[0]
                position += 8
            if length == _UNDEFINED:
                position = _skip(data, position, implicit, little, 0)
                continue
            if length > end - position:
                raise WireError("PS3.5 7.1", f"element {tag:08X} says {length} bytes, {end - position} are left")
            if tag in wanted:
                found[tag] = data[position : position + length]
            position += length
    except struct.error:
        raise WireError("PS3.5 7.1", "the data set ends inside an element") from None
    return found


def _skip(data: bytes, position: int, implicit: bool, little: bool, depth: int) -> int:
    """The position after a sequence or item of undefined length."""
    if depth > _MAX_DEPTH:
        raise WireError("PS3.5 7.5", f"sequences nested deeper than {_MAX_DEPTH}")
    head = struct.Struct("<HHI" if little else ">HHI").unpack_from
    short_of = struct.Struct("<H" if little else ">H").unpack_from
    long_of = struct.Struct("<I" if little else ">I").unpack_from
    while True:
        group, element, length = head(data, position)
        tag = group << 16 | element
        if tag in (_SEQUENCE_END, _ITEM_END):
            return position + 8
        if tag == _ITEM or implicit:
            position += 8
        elif data[position + 4 : position + 6] in LONG_VRS:
            length = long_of(data, position + 8)[0]
            position += 12
        else:
            length = short_of(data, position + 6)[0]
            position += 8
        if length == _UNDEFINED:
            position = _skip(data, position, implicit, little, depth + 1)
        elif length > len(data) - position:
            raise WireError("PS3.5 7.1", f"element {tag:08X} says {length} bytes, {len(data) - position} are left")
        else:
            position += length


def encode_elements(elements: Iterable[Element], transfer_syntax: str) -> bytes:
    """A data set from elements in ascending order, in an uncompressed little endian transfer syntax."""
    implicit, _, _ = encoding_of(transfer_syntax)
    parts: list[bytes] = []
    for tag, vr, value in elements:
        if not isinstance(value, bytes):
            value = b"".join(
                struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item
                for item in (encode_elements(entry, transfer_syntax) for entry in value)
            )
        elif len(value) & 1:
            value += b"\0" if vr in ("UI", "OB", "UN") else b" "
        if implicit:
            parts.append(struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)))
        elif (code := vr.encode()) in LONG_VRS:
            parts.append(struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, code, 0, len(value)))
        else:
            parts.append(struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, code, len(value)))
        parts.append(value)
    return b"".join(parts)
