"""Peers that mean harm: whatever they open and fill, threads, files and memory stay, and the next one is served."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Sequence

import pytest

from harness.core.transcript import Transcript
from harness.protocols import listening
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import AssociationAborted
from harness.protocols.dicom.misbehaviour import raw_pdata
from harness.protocols.dicom.node import Node, Proposal, Timeouts
from harness.protocols.dicom.tls import TlsSettings
from tests.integration.wire.conftest import TIMEOUTS, Actor, image
from tests.integration.wire.hostile import ECHO, REQUEST, alive, associated, descriptors, dial, until


def test_connections_over_the_limit_are_closed_and_told_and_room_comes_back(
    transcript: Transcript, asker: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MAX_CONNECTIONS", 8)
    monkeypatch.setattr(listening, "affordable", lambda: 8)
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS) as node, contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(dial(node)) for _ in range(12)]
        assert until(lambda: len(transcript.select("CONNECTION-REFUSED")) == 4)
        assert sum(1 for thread in threading.enumerate() if thread.name.startswith("ACTOR-association")) == 8
        for sock in crowd:
            sock.close()
        assert until(lambda: not node.associations)
        assert alive(asker, node)


def test_a_thousand_connections_leave_nothing_behind(transcript: Transcript, asker: Node) -> None:
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS) as node:
        assert alive(asker, node)
        before = descriptors()
        for _ in range(10):
            crowd = [dial(node) for _ in range(100)]
            for number, sock in enumerate(crowd):
                if number % 2:
                    sock.sendall(b"\x01\0\0\0\1\0half a request")
                sock.close()
        assert until(lambda: not node.associations)
        assert until(lambda: descriptors() <= before + 1)
        assert alive(asker, node)
    assert transcript.faults == ()


def test_a_listener_outlives_a_lack_of_descriptors(asker: Node, actor: Actor) -> None:
    class Scarce:
        def __init__(self) -> None:
            self.failures = [OSError(24, "Too many open files"), OSError(103, "Software caused connection abort")]

        def accept(self) -> tuple[socket.socket, object]:
            if self.failures:
                raise self.failures.pop()
            raise OSError(9, "Bad file descriptor")

    scarce = Scarce()
    listening.accept_all(scarce, lambda sock: None)  # type: ignore[arg-type]
    assert scarce.failures == []  # it went on after both, and ended when the socket was closed


def test_released_associations_are_forgotten(actor: Actor, asker: Node) -> None:
    for _ in range(5):
        asker.connect(actor.node.address, ECHO).release()
    assert asker.associations == ()
    link = asker.connect(actor.node.address, ECHO)
    link.abort()
    assert asker.associations == ()


def test_tls_handshakes_that_never_come_are_counted_and_end_with_the_node(transcript: Transcript) -> None:
    slow = Timeouts(associate=30, release=3)
    node = Node("ACTOR", transcript, actor="a", timeouts=slow, tls=TlsSettings(client_certificate_required=False))
    with contextlib.ExitStack() as stack:
        node.start()
        for _ in range(5):
            stack.enter_context(dial(node))
        assert until(lambda: len(node._connections) == 5)
        begin = time.monotonic()
        node.stop()
        assert time.monotonic() - begin < 3
    assert transcript.faults == ()


def test_garbage_instead_of_tls_is_told(transcript: Transcript) -> None:
    settings = TlsSettings(client_certificate_required=False)
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=settings) as node:
        for garbage in (
            b"\x16\x03\x01\xff\xff" + bytes(5000),
            b"GET / HTTP/1.0\r\n\r\n",
            b"\x80" * 300,
            REQUEST.encode(),
        ):
            with dial(node) as sock:
                sock.sendall(garbage)
                with contextlib.suppress(ConnectionError):
                    while sock.recv(4096):
                        pass
        assert until(lambda: len(transcript.select("PROTOCOL-VIOLATION")) == 4)
    assert transcript.faults == ()


def test_a_full_disk_ends_the_association_and_not_the_listener(
    actor: Actor, asker: Node, transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer is told by A-ABORT, half a file does not stay, and there is room for the next one."""
    real, full = os.writev, threading.Event()

    def writev(handle: int, buffers: Sequence[bytes]) -> int:
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, buffers)

    monkeypatch.setattr(os, "writev", writev)
    full.set()
    with pytest.raises(AssociationAborted):
        asker.connect(actor.node.address, [Proposal(uids.CT_IMAGE)]).store(image(1, 1 << 20))
    assert until(lambda: bool(transcript.faults))  # it is told after the connection was closed
    (fault,) = transcript.faults
    assert "free some room" in fault.error
    assert not actor.stored
    full.clear()
    with asker.connect(actor.node.address, [Proposal(uids.CT_IMAGE)]) as link:
        assert link.store(image(2, 1 << 20)).status == 0
    assert len(actor.stored) == 1
    assert actor.stored[0].payload.path is not None
    left = [path for path in actor.stored[0].payload.path.parent.iterdir() if path.stat().st_size]
    assert left == [actor.stored[0].payload.path]


@pytest.mark.parametrize("size", [0, 4, 16_000], ids=["empty fragments", "small fragments", "large fragments"])
def test_an_endless_command_set_is_cut_off(size: int, transcript: Transcript, asker: Node) -> None:
    """It ends with A-ABORT, little is kept of it, and who goes on nevertheless is hung up on."""
    fragment = raw_pdata(1, 1, bytes(size))
    portion = fragment * max(1, 60_000 // len(fragment))
    with Node("ACTOR", transcript, actor="a", timeouts=Timeouts(release=5)) as node:
        sent = 0
        with associated(node) as sock, contextlib.suppress(ConnectionError):
            sock.settimeout(10)
            while sent < 64 << 20:
                sock.sendall(portion)
                sent += len(portion)
        assert sent < 16 << 20  # what the sockets hold, and what was drained
        assert transcript.wait_for("A-ABORT", timeout=5) is not None
        texts = [str(entry.fields["text"]) for entry in transcript.select("PROTOCOL-VIOLATION")]
        assert any("a command set of more than" in text for text in texts)
        assert until(lambda: not node.associations)
        assert alive(asker, node)
    assert transcript.faults == ()


def test_a_crowd_takes_a_bounded_number_of_threads(transcript: Transcript, asker: Node) -> None:
    before = threading.active_count()
    with Node("ACTOR", transcript, actor="a", timeouts=Timeouts(associate=20, release=1)) as node:
        with contextlib.ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(dial(node))
            limit = listening.affordable()
            assert limit <= 256
            assert until(lambda: len(transcript.select("CONNECTION-REFUSED")) == 400 - limit, 20)
            assert threading.active_count() <= before + limit + 2
        assert until(lambda: not node.associations, 20)
        assert alive(asker, node)
    assert transcript.faults == ()
