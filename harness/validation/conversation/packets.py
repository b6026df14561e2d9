"""TCP segments of a capture file: pcap and pcapng, Ethernet, Linux cooked, loopback and raw IP.

Whatever the bytes say, reading is bounded by the file and ends; what cannot be read is told, not guessed.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
#: magic -> byte order and parts of a second
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e6),
    b"\xa1\xb2\xc3\xd4": (">", 1e6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e9),
    b"\xa1\xb2\x3c\x4d": (">", 1e9),
}
_NULL, _ETHERNET, _RAW, _LOOP, _COOKED, _COOKED2, _IPV4, _IPV6 = 0, 1, 101, 108, 113, 276, 228, 229
_TCP: Final = 6
#: a longer packet or block was not written by a capture program
MAXIMUM_PACKET: Final = 16 << 20


class CaptureError(ValueError):
    """The file cannot be read as a capture; the text says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment; ``cut`` if the capture holds less of it than was sent. Time in seconds since the epoch."""

    time: float
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    syn: bool
    ack: bool
    fin: bool
    rst: bool
    data: bytes
    cut: bool


def is_capture(head: bytes) -> bool:
    """Whether a file begins like a capture."""
    return head[:4] == _PCAPNG or head[:4] in _PCAP


def segments(stream: BinaryIO) -> Iterator[Segment]:
    """All TCP segments in the order they were captured. Raises CaptureError."""
    for time, link, frame, cut in _frames(stream):
        ip = _network_layer(link, frame)
        if ip is not None and (found := _segment(time, ip, cut)) is not None:
            yield found


# -- files -----------------------------------------------------------------------------------------------------


def _frames(stream: BinaryIO) -> Iterator[tuple[float, int, bytes, bool]]:
    magic = stream.read(4)
    if magic == _PCAPNG:
        stream.seek(0)
        yield from _pcapng(stream)
    elif magic in _PCAP:
        yield from _pcap(stream, *_PCAP[magic])
    else:
        raise CaptureError("it is neither pcap nor pcapng")


def _pcap(stream: BinaryIO, order: str, parts: float) -> Iterator[tuple[float, int, bytes, bool]]:
    head = stream.read(20)
    if len(head) < 20:
        raise CaptureError("the file ends in its header")
    link = struct.unpack(f"{order}HHiIII", head)[5] & 0xFFFF
    while record := stream.read(16):
        if len(record) < 16:
            raise CaptureError("the file ends in a packet header")
        seconds, fraction, kept, sent = struct.unpack(f"{order}IIII", record)
        if kept > MAXIMUM_PACKET:
            raise CaptureError(f"a packet of {kept} bytes")
        frame = stream.read(kept)
        if len(frame) < kept:
            raise CaptureError("the file ends in a packet")
        yield seconds + fraction / parts, link, frame, kept < sent


def _pcapng(stream: BinaryIO) -> Iterator[tuple[float, int, bytes, bool]]:
    order = "<"
    links: list[tuple[int, float]] = []
    while head := stream.read(8):
        if len(head) < 8:
            raise CaptureError("the file ends in a block header")
        if head[:4] == _PCAPNG:
            mark = stream.read(4)
            order = "<" if mark == b"\x4d\x3c\x2b\x1a" else ">"
            if mark not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise CaptureError("a section without its byte order")
            links, taken = [], 12
        else:
            taken = 8
        kind, length = struct.unpack(f"{order}II", head)
        if length < taken + 4 or length % 4 or length > MAXIMUM_PACKET:
            raise CaptureError(f"a block of {length} bytes")
        body = stream.read(length - taken)
        if len(body) < length - taken:
            raise CaptureError("the file ends in a block")
        if kind == 1 and len(body) >= 8:
            links.append((struct.unpack_from(f"{order}H", body)[0], _resolution(body[8:-4], order)))
        elif kind == 6 and len(body) >= 24:
            number, high, low, kept, sent = struct.unpack_from(f"{order}IIIII", body)
            if number >= len(links) or kept > len(body) - 24:
                raise CaptureError("a packet that does not fit its block")
            link, parts = links[number]
            yield (high << 32 | low) / parts, link, body[20 : 20 + kept], kept < sent


def _resolution(options: bytes, order: str) -> float:
    """Parts of a second of the time stamps: option 9, microseconds without it."""
    position = 0
    while position + 4 <= len(options):
        code, length = struct.unpack_from(f"{order}HH", options, position)
        if code == 9 and length == 1 and position + 5 <= len(options):
            value = options[position + 4]
            return float(2 ** (value & 0x7F)) if value & 0x80 else float(10 ** min(value, 18))
        if code == 0:
            break
        position += 4 + length + -length % 4
    return 1e6


# -- layers ----------------------------------------------------------------------------------------------------


def _network_layer(link: int, frame: bytes) -> bytes | None:
    """The IP packet in a frame, None if there is none."""
    if link in (_RAW, _IPV4, _IPV6, 12, 14):
        return frame
    if link in (_NULL, _LOOP):
        return frame[4:]
    if link == _COOKED:
        return frame[16:] if frame[14:16] in (b"\x08\x00", b"\x86\xdd") else None
    if link == _COOKED2:
        return frame[20:] if frame[:2] in (b"\x08\x00", b"\x86\xdd") else None
    if link != _ETHERNET:
        raise CaptureError(f"link type {link} is not supported; capture on Ethernet or convert with editcap")
    position = 12
    while frame[position : position + 2] in (b"\x81\x00", b"\x88\xa8"):
        position += 4
    return frame[position + 2 :] if frame[position : position + 2] in (b"\x08\x00", b"\x86\xdd") else None


def _segment(time: float, packet: bytes, cut: bool) -> Segment | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        head = (packet[0] & 15) * 4
        total = int.from_bytes(packet[2:4], "big")
        fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
        if packet[9] != _TCP or fragment or head < 20:
            return None
        addresses = str(ipaddress.IPv4Address(packet[12:16])), str(ipaddress.IPv4Address(packet[16:20]))
    elif version == 6 and len(packet) >= 40 and packet[6] == _TCP:
        head, total = 40, 40 + int.from_bytes(packet[4:6], "big")
        addresses = str(ipaddress.IPv6Address(packet[8:24])), str(ipaddress.IPv6Address(packet[24:40]))
    else:
        return None
    if total <= head:
        total = len(packet)  # the network card cuts segments itself and leaves the length open
    tcp = packet[head:total]
    if len(tcp) < 20:
        return None
    source, target, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", tcp)
    start = (offset >> 4) * 4
    if start < 20:
        return None
    return Segment(
        time, (addresses[0], source), (addresses[1], target), sequence,
        bool(flags & 2), bool(flags & 16), bool(flags & 1), bool(flags & 4), tcp[start:], cut or len(packet) < total,
    )  # fmt: skip
