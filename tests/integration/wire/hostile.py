"""What the tests of hostile peers share: raw connections, and questions whether a node still lives."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from harness.protocols.dicom import command, negotiation, uids
from harness.protocols.dicom.fragments import command_pdus
from harness.protocols.dicom.misbehaviour import raw_pdata
from harness.protocols.dicom.node import Node, Proposal

ECHO = [Proposal(uids.VERIFICATION)]
REQUEST = negotiation.request_for("HOSTILE", "ACTOR", [*ECHO, Proposal(uids.MODALITY_WORKLIST)], 16384)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def dial(node: Node) -> socket.socket:
    return socket.create_connection(("127.0.0.1", node.port), 5)


def associated(node: Node) -> socket.socket:
    sock = dial(node)
    sock.sendall(REQUEST.encode())
    assert sock.recv(6, socket.MSG_WAITALL)[0] == 2
    return sock


def ask(kind: str, uid: str, message_id: int, data: bytes | None = None, context: int = 1) -> bytes:
    values = {
        "CommandField": command.FIELDS[kind],
        "MessageID": message_id,
        "AffectedSOPClassUID": uid,
        "CommandDataSetType": 0x0101 if data is None else 1,
    }
    parts = b"".join(command_pdus(context, command.encode(values), 16384))
    return parts if data is None else parts + raw_pdata(context, 2, data)


def alive(asker: Node, node: Node) -> bool:
    with asker.connect(node.address, ECHO) as link:
        return link.echo() == 0
