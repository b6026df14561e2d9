"""Headers of arriving instances as records, at line speed: one pass over the bytes, without a library object each.

It reads what is plainly well formed and little endian, and says None to everything else: then the tolerant reader
of :mod:`harness.actors.records` decides. Where both read, both give the same record.
"""

from __future__ import annotations

import functools
import os
import struct
from typing import Final

from pydicom.charset import python_encoding

from harness.actors import records
from harness.actors.records import CHARACTER_SET, Record, Terms
from harness.core.message import Blob
from harness.protocols.dicom.elements import LONG_VRS
from harness.protocols.dicom.uids import encoding_of

_ROOMS: Final = (16 << 10, 1 << 20)
_SHORT_VRS: Final = frozenset((
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
))  # fmt: skip
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CACHED: Final = 64
_DEEPEST: Final = 16
_IMPLICIT = struct.Struct("<HHI")
_EXPLICIT = struct.Struct("<HH2sH")
_LONG_LENGTH = struct.Struct("<I")

Slot = tuple[int, bool, int, int]
"""Tag, whether it is a sequence, and where its value begins and ends."""


class _Odd(Exception):
    """Not plainly well formed, or not all there."""


def read_record(payload: Blob, transfer_syntax: str, wanted: frozenset[int]) -> Record | None:
    """The wanted elements before the pixel data; None if the tolerant reader has to look."""
    implicit, little, deflated = encoding_of(transfer_syntax)
    if deflated or not little:
        return None
    for room in _ROOMS:
        data = _head(payload, room)
        try:
            return _record(data, 0, len(data), implicit, wanted, ("",), records.DEPTH, len(data) == payload.size)
        except (_Odd, struct.error):
            if len(data) == payload.size:
                return None
    return None


def _head(payload: Blob, room: int) -> bytes:
    if payload.data is not None:
        return payload.data
    assert payload.path is not None
    handle = os.open(payload.path, os.O_RDONLY)
    try:
        return os.pread(handle, min(room, payload.size), payload.offset)
    finally:
        os.close(handle)


def _record(
    data: bytes,
    position: int,
    end: int,
    implicit: bool,
    wanted: frozenset[int] | None,
    terms: Terms,
    depth: int,
    whole: bool = True,
) -> Record:
    slots = _slots(data, position, end, implicit, wanted, whole)
    record: Record = {}
    for tag, _, begin, stop in slots:
        if tag == CHARACTER_SET:
            terms = tuple(value.strip() for value in _values(data[begin:stop], "CS", ())) or ("",)
            if any(term not in python_encoding for term in terms):
                raise _Odd
            record[CHARACTER_SET] = terms
    for tag, is_sequence, begin, stop in slots:
        if is_sequence:
            if depth:
                record[tag] = _items(data, begin, stop, implicit, terms, depth - 1)
        elif tag != CHARACTER_SET:
            record[tag] = _values(data[begin:stop], records.vr_of(tag), terms)
    return record


def _slots(
    data: bytes, position: int, end: int, implicit: bool, wanted: frozenset[int] | None, whole: bool
) -> list[Slot]:
    """Where the values that are wanted stand. Raises _Odd for what is out of order or leaves the data."""
    top = wanted is not None
    slots: list[Slot] = []
    last = -1
    if implicit and _seems_explicit(data, position, end):
        raise _Odd
    while position < end:
        if implicit:
            group, element, length = _IMPLICIT.unpack_from(data, position)
            tag = group << 16 | element
            position += 8
            vr = b""
        else:
            group, element, vr, length = _EXPLICIT.unpack_from(data, position)
            tag = group << 16 | element
            if vr in _SHORT_VRS:
                position += 8
            elif vr in LONG_VRS:
                (length,) = _LONG_LENGTH.unpack_from(data, position + 8)
                position += 12
            else:
                raise _Odd
        if tag <= last or group == 0xFFFE:
            raise _Odd
        last = tag
        if top and tag >= records.PIXELS:
            return slots
        if length == _UNDEFINED:
            stop = _end_of_sequence(data, position, end, implicit, vr, tag)
            value_end = stop - 8
        else:
            stop = value_end = position + length
            if stop > end:
                raise _Odd
        if wanted is None or tag in wanted or tag == CHARACTER_SET:
            known = records.vr_of(tag)
            is_sequence = known == "SQ"
            if not implicit and is_sequence != (vr == b"SQ"):
                raise _Odd
            if not group & 1 and (known not in records.BULK or known == "UN"):
                slots.append((tag, is_sequence, position, value_end))
        position = stop
    if position != end or not whole:
        raise _Odd
    return slots


def _seems_explicit(data: bytes, position: int, end: int) -> bool:
    vr = data[position + 4 : position + 6]
    return position < end and vr.isalpha() and vr.isupper()


def _end_of_sequence(data: bytes, position: int, end: int, implicit: bool, vr: bytes, tag: int) -> int:
    if vr != b"SQ" and (not implicit or records.vr_of(tag) != "SQ"):
        raise _Odd
    stop = _after(data, position, implicit, 0)
    if stop > end:
        raise _Odd
    return stop


def _after(data: bytes, position: int, implicit: bool, depth: int) -> int:
    """Behind the delimiter of a sequence of undefined length that begins here."""
    if depth > _DEEPEST:
        raise _Odd
    while True:
        group, element, length = _IMPLICIT.unpack_from(data, position)
        tag = group << 16 | element
        position += 8
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise _Odd
        position = _after_item(data, position, implicit, depth) if length == _UNDEFINED else position + length


def _after_item(data: bytes, position: int, implicit: bool, depth: int) -> int:
    """Behind the delimiter of an item of undefined length that begins here."""
    while True:
        group, element, length = _IMPLICIT.unpack_from(data, position)
        tag = group << 16 | element
        if tag == _ITEM_END:
            return position + 8
        vr = b""
        position += 8
        if not implicit:
            vr, short = data[position - 4 : position - 2], length >> 16
            if vr in _SHORT_VRS:
                length = short
            elif vr in LONG_VRS:
                (length,) = _LONG_LENGTH.unpack_from(data, position)
                position += 4
            else:
                raise _Odd
        if length != _UNDEFINED:
            position += length
        elif vr == b"SQ" or (implicit and records.vr_of(tag) == "SQ"):
            position = _after(data, position, implicit, depth + 1)
        else:
            raise _Odd


def _items(data: bytes, position: int, end: int, implicit: bool, terms: Terms, depth: int) -> tuple[Record, ...]:
    found: list[Record] = []
    while position < end:
        group, element, length = _IMPLICIT.unpack_from(data, position)
        if group << 16 | element != _ITEM:
            raise _Odd
        position += 8
        if length == _UNDEFINED:
            stop = _after_item(data, position, implicit, 0)
            inner = stop - 8
        else:
            stop = inner = position + length
        if stop > end:
            raise _Odd
        found.append(_record(data, position, inner, implicit, None, terms, depth))
        position = stop
    return tuple(found)


def _values(value: bytes, vr: str, terms: Terms) -> tuple[str, ...]:
    return _short_values(value, vr, terms) if len(value) <= _CACHED else records.from_bytes(value, vr, terms)


@functools.lru_cache(maxsize=8192)
def _short_values(value: bytes, vr: str, terms: Terms) -> tuple[str, ...]:
    """Most values of one image are those of the image before."""
    return records.from_bytes(value, vr, terms)
