"""A capture as a pcapng file: TCP segments around the bytes that passed, for Wireshark and tshark.

The captured bytes are what the sockets gave and took, so packet boundaries, sequence numbers and handshakes are
made here; addresses, ports, times and content are those of the wire. TLS connections show what was inside.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from harness.protocols.dicom.capture import SENT, CaptureReader, Connection

_LINKTYPE_RAW: Final = 101
_SEGMENT: Final = 32 << 10
_SYN, _FIN, _PSH, _ACK = 0x02, 0x01, 0x08, 0x10
_TSHARK_NAMES: Final = {"dicom": "dicom", "hl7": "hl7"}


@dataclass(slots=True)
class _Side:
    """One end of a connection."""

    address: bytes
    port: int
    sequence: int = 1


def write(folder: Path, target: Path) -> int:
    """Write the capture in ``folder`` to ``target``; the number of packets.

    The file's comment names the ports with ``-d`` options, for listeners outside the registered ports.
    """
    capture = CaptureReader(folder)
    known = _seen_once(capture.connections)
    packets: int = 0
    with target.open("wb") as out:
        out.write(_section(_hints(known)))
        out.write(_interface())
        sides: dict[int, tuple[_Side, _Side]] = {}
        last = 0
        for chunk in capture.chunks():
            connection = known.get(chunk.association)
            if connection is None:
                continue
            last = chunk.time
            if chunk.association not in sides:
                local = _Side(_packed(connection.local[0]), connection.local[1])
                peer = _Side(_packed(connection.peer[0]), connection.peer[1])
                sides[chunk.association] = (local, peer)
                client, server = (peer, local) if connection.incoming else (local, peer)
                packets += _handshake(out, min(connection.opened, chunk.time), client, server)
            local, peer = sides[chunk.association]
            source, sink = (local, peer) if chunk.direction == SENT else (peer, local)
            for segment in _segments(capture.bytes_of(chunk)):
                out.write(_packet(chunk.time, source, sink, _PSH | _ACK, segment))
                source.sequence += len(segment)
                packets += 1
        for local, peer in sides.values():
            for source, sink in ((local, peer), (peer, local)):
                out.write(_packet(last, source, sink, _FIN | _ACK, b""))
                source.sequence += 1
                packets += 1
    return packets


def _seen_once(known: dict[int, Connection]) -> dict[int, Connection]:
    """Without the second view of a connection whose both ends were ours."""
    incoming = {(entry.local, entry.peer) for entry in known.values() if entry.incoming}
    return {
        number: entry for number, entry in known.items() if entry.incoming or (entry.peer, entry.local) not in incoming
    }


def _hints(known: dict[int, Connection]) -> str:
    ports = {
        (connection.local if connection.incoming else connection.peer)[1]: _TSHARK_NAMES.get(connection.protocol)
        for connection in known.values()
    }
    options = " ".join(f"-d tcp.port=={port},{name}" for port, name in sorted(ports.items()) if name)
    return f"decode with: tshark {options}" if options else "no connections"


def decode_options(folder: Path) -> list[str]:
    """The ``-d`` arguments that tell tshark which port speaks what."""
    return _hints(CaptureReader(folder).connections).removeprefix("decode with: tshark ").split()


def _handshake(out: BinaryIO, when: int, client: _Side, server: _Side) -> int:
    client.sequence = server.sequence = 0
    out.write(_packet(when, client, server, _SYN, b""))
    client.sequence = 1
    out.write(_packet(when, server, client, _SYN | _ACK, b""))
    server.sequence = 1
    out.write(_packet(when, client, server, _ACK, b""))
    return 3


def _segments(data: bytes) -> Iterator[bytes]:
    for position in range(0, len(data), _SEGMENT):
        yield data[position : position + _SEGMENT]


def _packed(host: str) -> bytes:
    try:
        return ipaddress.ip_address(host).packed
    except ValueError:
        return b"\x7f\0\0\1"


def _checksum(data: bytes) -> int:
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def _packet(when: int, source: _Side, sink: _Side, flags: int, payload: bytes) -> bytes:
    acknowledged = sink.sequence if flags & _ACK else 0
    tcp = struct.pack(
        ">HHIIBBHHH",
        source.port,
        sink.port,
        source.sequence & 0xFFFFFFFF,
        acknowledged & 0xFFFFFFFF,
        5 << 4,
        flags,
        65535,
        0,  # no checksum: there was no packet that had one
        0,
    )
    length = len(tcp) + len(payload)
    if len(source.address) == 16:
        ip = struct.pack(">IHBB", 6 << 28, length, 6, 64) + source.address + sink.address
    else:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0) + source.address + sink.address
        ip = head[:10] + struct.pack(">H", _checksum(head)) + head[12:]
    frame = ip + tcp + payload
    body = struct.pack("<IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(frame), len(frame)) + _padded(frame)
    return _block(6, body)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _section(comment: str) -> bytes:
    return _block(
        0x0A0D0D0A,
        struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        + _option(1, comment.encode())
        + _option(4, b"ihe-harness")
        + bytes(4),
    )


def _interface() -> bytes:
    # Time stamps in nanoseconds (option 9).
    return _block(1, struct.pack("<HHI", _LINKTYPE_RAW, 0, 0) + _option(9, b"\x09") + bytes(4))
