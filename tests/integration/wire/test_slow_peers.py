"""Peers that are slow or silent: who says nothing, or a byte at a time, holds up nobody else.

Each sleep is the slowness of such a peer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.node import Node, Proposal, Request, Response, Timeouts
from tests.integration.wire.conftest import answer
from tests.integration.wire.hostile import REQUEST, alive, ask, associated, dial, until


def test_a_request_byte_by_byte_does_not_outlast_the_artim_timer(transcript: Transcript) -> None:
    with Node("ACTOR", transcript, actor="a", timeouts=Timeouts(associate=0.4, release=0.2)) as node:
        with dial(node) as sock, contextlib.suppress(ConnectionError):
            for byte in REQUEST.encode():
                sock.sendall(bytes((byte,)))
                time.sleep(0.02)
                if not node.associations and transcript.select("CONNECTION-CLOSED"):
                    break
            else:
                pytest.fail("it waited for the whole request")
        assert until(lambda: not node.associations)


def test_a_message_byte_by_byte_is_idle_and_a_large_one_over_a_slow_line_is_not(transcript: Transcript) -> None:
    stored: list[Request] = []
    node = Node("ACTOR", transcript, actor="a", timeouts=Timeouts(idle=0.4, release=0.3))

    def store(request: Request) -> Response:
        stored.append(request)
        return Response()

    node.serve([uids.VERIFICATION], store)
    with node:
        with associated(node) as sock, contextlib.suppress(ConnectionError):
            for byte in ask("C-ECHO-RQ", uids.VERIFICATION, 1):
                sock.sendall(bytes((byte,)))
                time.sleep(0.02)
        assert until(lambda: bool(transcript.select("IDLE-TIMEOUT")))
        assert stored == []
        with associated(node) as sock:
            data = ask("C-ECHO-RQ", uids.VERIFICATION, 1, bytes(60_000))
            for start in range(0, len(data), 8192):
                sock.sendall(data[start : start + 8192])
                time.sleep(0.1)
            assert until(lambda: len(stored) == 1)


def test_silence_while_we_work_is_not_idle(transcript: Transcript) -> None:
    node = Node("ACTOR", transcript, actor="a", timeouts=Timeouts(idle=0.4, release=0.5))
    go_on = threading.Event()

    def slowly(_request: Request) -> Iterator[Response]:
        go_on.wait(5)
        yield Response()

    node.serve([uids.MODALITY_WORKLIST], slowly)
    asker = Node("ASKER", Transcript(), actor="b", timeouts=Timeouts(idle=0.2))
    with node, asker.connect(node.address, [Proposal(uids.MODALITY_WORKLIST)], handler=lambda _: Response()) as link:
        operation = link.find_iter(uids.MODALITY_WORKLIST, answer(""))
        threading.Timer(1.2, go_on.set).start()
        assert next(operation).status == 0
    asker.stop()
    assert transcript.select("IDLE-TIMEOUT") == ()


def test_who_sends_but_does_not_read_is_held_back(transcript: Transcript, asker: Node) -> None:
    """The inbox must not grow while the peer leaves our responses in its window."""
    node = Node("ACTOR", transcript, actor="a", timeouts=Timeouts(dimse=1.0, release=0.5))
    node.serve([uids.MODALITY_WORKLIST], lambda _request: [Response(0xFF00, bytes(8192))] * 3000)
    with node:
        with associated(node) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(4)
            sock.sendall(ask("C-FIND-RQ", uids.MODALITY_WORKLIST, 1, b"", 3))
            flood = b"".join(ask("C-ECHO-RQ", uids.VERIFICATION, 2) for _ in range(2000))
            with contextlib.suppress(OSError):
                while True:
                    sock.sendall(flood)
        assert until(lambda: not node.associations)
        assert len(transcript.select("C-ECHO-RQ", direction=Direction.FROM_SUT)) < 20_000
        assert alive(asker, node)
    assert transcript.faults == ()


def test_a_flood_of_queries_takes_no_flood_of_threads(transcript: Transcript) -> None:
    node = Node("ACTOR", transcript, actor="a", timeouts=Timeouts(release=2))
    hold = threading.Event()

    def wait(_request: Request) -> Response:
        hold.wait(5)
        return Response()

    node.serve([uids.MODALITY_WORKLIST], wait)
    with node, associated(node) as sock:
        before = threading.active_count()
        sock.sendall(b"".join(ask("C-FIND-RQ", uids.MODALITY_WORKLIST, number, b"", 3) for number in range(1, 2000)))
        assert until(lambda: bool(transcript.select("A-ABORT", direction=Direction.TO_SUT)))
        assert threading.active_count() <= before + 2
        hold.set()
    texts = [str(entry.fields["text"]) for entry in transcript.select("PROTOCOL-VIOLATION")]
    assert any("2 operations at once; 1 were agreed" in text for text in texts)
    assert any("requests wait for their turn" in text for text in texts)
