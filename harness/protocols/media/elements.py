"""Elements of a data set by tag with the place of their values, and the header of a Part 10 file on a medium.

Nothing is decoded. Lengths are never trusted; nesting, sizes and time are bounded (PS3.5 section 7, PS3.10 7.1).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from harness.protocols.dicom import uids
from harness.protocols.media.medium import Medium

UNDEFINED: Final = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA: Final = 0x7FE00010
_LONG: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_NAMES: Final = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_SHORT: Final = frozenset(_SHORT_NAMES.encode().split())
_DEPTH: Final = 32
_ELEMENTS: Final = 100_000
_KEPT: Final = 16 << 10
_FIRST, _MOST = 16 << 10, 32 << 20
_END_OF_FRAGMENTS: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Element:
    """Where the value of an element lies; ``vr`` is empty in implicit encoding."""

    tag: int
    vr: str
    start: int
    end: int


@dataclass(slots=True)
class Scan:
    """What was found: elements by tag, where reading stopped, and why if that was too early.

    ``missing`` is True when the bytes ended before the data set did.
    """

    elements: dict[int, Element] = field(default_factory=dict)
    end: int = 0
    problem: str = ""
    missing: bool = False
    #: the first bulk value (pixel data, waveform, document): scanning ends at its header
    bulk: Element | None = None


class _Stop(Exception):
    def __init__(self, problem: str, missing: bool = False) -> None:
        self.problem, self.missing = problem, missing
        super().__init__(problem)


def scan(
    raw: bytes,
    start: int,
    end: int,
    *,
    explicit: bool = True,
    little: bool = True,
    group: int | None = None,
    until: int = PIXEL_DATA,
    ending: bool = False,
) -> Scan:
    """Elements of ``raw[start:end]``: only of one group if ``group`` is given, and up to the tag ``until``.

    ``ending`` means that an item delimiter ends the data set.
    """
    found = Scan(end=start)
    order = "<" if little else ">"
    head, tag_length, long = (struct.Struct(order + form).unpack_from for form in ("HH2sH", "HHI", "I"))

    def header(position: int, limit: int) -> tuple[int, bytes, int, int]:
        if limit - position < 8:
            raise _Stop(f"byte {position}: an element header is cut off", True)
        if explicit:
            one, two, vr, length = head(raw, position)
            tag = one << 16 | two
            if one == 0xFFFE:
                return tag, b"", tag_length(raw, position)[2], position + 8
            if not (vr.isalpha() and vr.isupper()):
                raise _Stop(f"byte {position}: {vr!r} is no value representation")
            if vr in _LONG:
                if limit - position < 12:
                    raise _Stop(f"byte {position}: an element header is cut off", True)
                return tag, vr, long(raw, position + 8)[0], position + 12
            return tag, vr, length, position + 8
        one, two, length = tag_length(raw, position)
        return one << 16 | two, b"", length, position + 8

    def skip(position: int, limit: int) -> int:
        """Behind the end of a value of undefined length."""
        stack = [False]  # False: in a sequence, True: in an item
        steps = 0
        while stack:
            steps += 1
            if len(stack) > _DEPTH or steps > _ELEMENTS:
                raise _Stop(f"byte {position}: sequences are nested too deep or too long")
            if stack[-1]:
                tag, _, length, value = header(position, limit)
                if tag == ITEM_END:
                    stack.pop()
                    position = value
                elif length == UNDEFINED:
                    stack.append(False)
                    position = value
                else:
                    position = value + length
            else:
                if limit - position < 8:
                    raise _Stop(f"byte {position}: a sequence is cut off", True)
                one, two, length = tag_length(raw, position)
                tag, position = one << 16 | two, position + 8
                if tag == SEQUENCE_END:
                    stack.pop()
                elif tag != ITEM:
                    raise _Stop(f"byte {position - 8}: no item in a sequence")
                elif length == UNDEFINED:
                    stack.append(True)
                else:
                    position += length
            if position > limit:
                raise _Stop(f"byte {position}: a sequence is cut off", True)
        return position

    position = start
    try:
        while position < end:
            # nearly all elements are short and explicit: they are read without a call
            if explicit and end - position >= 8 and (short := head(raw, position))[2] in _SHORT:
                one, two, vr, length = short
                tag, value = one << 16 | two, position + 8
            else:
                tag, vr, length, value = header(position, end)
            if ending and tag == ITEM_END:
                position = value
                ending = False
                break
            if group is not None and tag >> 16 != group:
                break
            if tag >= until:
                found.bulk = Element(tag, vr.decode(), value, value + length if length != UNDEFINED else -1)
                break
            if tag >> 16 == 0xFFFE:
                raise _Stop(f"byte {position}: a delimiter where an element must be")
            if len(found.elements) >= _ELEMENTS:
                raise _Stop("too many elements")
            stop = skip(value, end) if length == UNDEFINED else value + length
            if stop > end:
                raise _Stop(f"byte {position}: a value of {length} bytes, {end - value} are left", True)
            found.elements.setdefault(tag, Element(tag, vr.decode(), value, stop))
            position = stop
        if ending and position >= end:
            raise _Stop(f"byte {position}: an item without its delimiter", True)
    except _Stop as stopped:
        found.problem, found.missing = stopped.problem, stopped.missing
    found.end = position
    return found


@dataclass(frozen=True, slots=True)
class Header:
    """What a Part 10 file says before its pixel data. Values are raw bytes by tag; long ones are left out."""

    path: str
    meta: Mapping[int, bytes]
    values: Mapping[int, bytes]
    transfer_syntax: str
    problem: str = ""
    has_meta: bool = True
    #: where pixel data in fragments begin, -1 if there are none
    fragments: int = -1

    def text(self, tag: int) -> str:
        """A value of the default repertoire without padding, "" if it is not there."""
        return self.values.get(tag, b"").decode("latin-1").strip(" \0")

    def meta_text(self, tag: int) -> str:
        """The same of the file meta information."""
        return self.meta.get(tag, b"").decode("latin-1").strip(" \0")


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first 140 bytes are a Part 10 file, or a bare data set that begins with group 0008."""
    return head[128:132] == b"DICM" or (
        head[:2] == b"\x08\x00" and head[3:4] == b"\x00" and head[4:6] in (b"UL", b"CS", b"UI")
    )


def read_header(medium: Medium, path: str) -> Header | None:
    """The header of a file on a medium, None if it is no DICOM file."""
    size = medium.entries[path].size
    raw = medium.read(path, _FIRST)
    if not looks_like_dicom(raw[:140]):
        return None
    while True:
        header, missing = _parse(path, raw, size)
        if not missing or len(raw) >= min(size, _MOST):
            return header if header.problem or header.fragments < 0 else _ended(header, medium, size)
        more = medium.read(path, len(raw) * 8)
        if len(more) <= len(raw):  # the medium has less than it promised
            return header
        raw = more


def _parse(path: str, raw: bytes, size: int) -> tuple[Header, bool]:
    if raw[128:132] != b"DICM":
        return Header(path, {}, {}, "", "no preamble and no file meta information", has_meta=False), False
    meta = scan(raw, 132, len(raw), group=2)
    values = {tag: raw[e.start : e.end] for tag, e in meta.elements.items() if e.end - e.start <= _KEPT}
    syntax = values.get(0x00020010, b"").decode("latin-1").strip(" \0")
    if meta.problem or not syntax:
        return Header(path, values, {}, syntax, meta.problem or "no transfer syntax"), meta.missing
    start, data, total = meta.end, raw, size
    if syntax == uids.DEFLATED_EXPLICIT_VR_LE:
        try:
            data = zlib.decompressobj(-15).decompress(raw[start:], _MOST)
        except zlib.error as error:
            return Header(path, values, {}, syntax, f"cannot be inflated: {error}"), False
        start, total = 0, -1
    implicit, big = syntax == uids.IMPLICIT_VR_LE, syntax == uids.EXPLICIT_VR_BE
    body = scan(data, start, len(data), explicit=not implicit, little=not big)
    problem = body.problem
    if body.missing and total > len(data):
        return Header(path, values, {}, syntax, problem), True
    if not problem and body.bulk is not None and 0 <= total < body.bulk.end:
        problem = f"pixel data of {body.bulk.end - body.bulk.start} bytes, {total - body.bulk.start} are left"
    held = {tag: data[e.start : e.end] for tag, e in body.elements.items() if e.end - e.start <= _KEPT}
    fragments = body.bulk.start if body.bulk is not None and body.bulk.end < 0 <= total else -1
    return Header(path, values, held, syntax, problem, fragments=fragments), False


def _ended(header: Header, medium: Medium, size: int) -> Header:
    """The header, with a problem unless a delimiter ends the fragments of its pixel data (PS3.5 A.4)."""
    # nearly always the file ends with it; data behind the pixels are legal and rare
    step = 8 << 20
    places = [max(header.fragments, size - 64), *range(header.fragments, size, step)]
    for place in places:
        if _END_OF_FRAGMENTS in medium.read(header.path, step + 8, place):
            return header
    return replace(header, problem="pixel data in fragments without their end")
