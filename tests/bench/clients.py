"""Loads that are the same for both sides: raw sockets and bytes made beforehand, so that they cost little.

``python -m tests.bench.clients echo PORT SECONDS`` prints associations per second, ``hl7`` messages per second.
"""

from __future__ import annotations

import socket
import sys
import time

from harness.protocols.dicom import command, negotiation, uids
from harness.protocols.dicom.fragments import command_pdus
from harness.protocols.dicom.model import Proposal
from harness.protocols.dicom.pdu import ReleaseRQ

ORDER = (
    "MSH|^~\\&|PLACER|HOSPITAL|FILLER|HOSPITAL|20260101101500||ORM^O01|{id}|P|2.3.1\r"
    "PID|||P1^^^HOSPITAL||BENCH^PATIENT||19700101|O\rPV1||O\r"
    "ORC|NW|{id}^PLACER|||||^^^20260101101500^^R\rOBR||{id}^PLACER||CT1^CT OF THE HEAD^LOCAL\r"
)


def read_pdu(sock: socket.socket, buffer: bytearray) -> int:
    """Read one whole PDU; its type."""
    while len(buffer) < 6 or len(buffer) < 6 + int.from_bytes(buffer[2:6], "big"):
        data = sock.recv(65536)
        if not data:
            raise ConnectionError("the peer closed the connection")
        buffer += data
    kind = buffer[0]
    del buffer[: 6 + int.from_bytes(buffer[2:6], "big")]
    return kind


def echo(port: int, seconds: float) -> float:
    """Associations with 20 contexts, one C-ECHO and a release, one after the other; per second."""
    proposals = [Proposal(uids.VERIFICATION), *(Proposal(uid) for uid in uids.STORAGE[:19])]
    request = negotiation.request_for("LOAD", "BENCH", proposals, 16384).encode()
    values = {
        "CommandField": 0x30,
        "MessageID": 1,
        "AffectedSOPClassUID": uids.VERIFICATION,
        "CommandDataSetType": 0x101,
    }
    question = b"".join(command_pdus(1, command.encode(values), 16384))
    release = ReleaseRQ().encode()
    done = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            buffer = bytearray()
            for data, expected in ((request, 2), (question, 4), (release, 6)):
                sock.sendall(data)
                if read_pdu(sock, buffer) != expected:
                    raise ConnectionError("the peer answered something else")
        done += 1
    return done / (time.perf_counter() - begin)


def hl7(port: int, seconds: float) -> float:
    """Orders on one connection, each acknowledged before the next; per second."""
    done = 0
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds:
            identifier = f"M{done}".encode()
            sock.sendall(b"\x0b" + ORDER.format(id=identifier.decode()).encode() + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                data = sock.recv(65536)
                if not data:
                    raise ConnectionError("the peer closed the connection")
                answer += data
            if b"MSA|AA|" + identifier not in answer:
                raise ConnectionError(f"not acknowledged: {answer!r}")
            done += 1
        return done / (time.perf_counter() - begin)


def main() -> None:
    """Run one load."""
    kind, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print({"echo": echo, "hl7": hl7}[kind](port, seconds))


if __name__ == "__main__":
    main()
