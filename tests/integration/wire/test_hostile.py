"""Peers that mean harm: whatever they do, threads, files and memory stay, and the next one is served."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols import listening
from harness.protocols.dicom import command, items, negotiation, pdu, uids
from harness.protocols.dicom.errors import AssociationAborted, PeerError
from harness.protocols.dicom.fragments import command_pdus
from harness.protocols.dicom.misbehaviour import raw_pdata
from harness.protocols.dicom.node import Node, Proposal, Request, Response, Timeouts
from harness.protocols.dicom.script import Accept, Ask, Expect, Reply, Send, SendPdu
from harness.protocols.dicom.scripted import ScriptedListener
from harness.protocols.dicom.tls import TlsSettings
from tests.integration.wire.conftest import TIMEOUTS, Actor, answer, image

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


# -- connections -----------------------------------------------------------------------------------------------


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


# -- slow ------------------------------------------------------------------------------------------------------


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


# -- odd -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "refused"),
    [
        ([items.UnknownItem(0x60, bytes(60_000))] * 10, False),
        ([items.UnknownItem(0x60, b"")] * 200_000, True),
        ([items.ExtendedNegotiation("1.2.3", bytes(65_000))], False),
        ([items.UserIdentity(2, True, bytes(30_000), bytes(30_000))], False),
    ],
    ids=["large items", "very many items", "large extended negotiation", "large identity"],
)
def test_giant_user_information(
    user: list[items.UserItem], refused: bool, actor: Actor, asker: Node, transcript: Transcript
) -> None:
    encoded = [items.encode_user_item(item) for item in user]
    body = b"".join(encoded) if refused else b"".join(items.item(0x50, one) for one in encoded)
    plain = REQUEST.encode()[6:]
    request = b"\x01\0" + struct.pack(">I", len(plain) + len(body)) + plain + body
    with dial(actor.node) as sock:
        sock.settimeout(5)
        sock.sendall(request)
        assert sock.recv(6, socket.MSG_WAITALL)[0] == (7 if refused else 2)
    assert alive(asker, actor.node)
    assert transcript.faults == ()


def test_pdvs_of_one_byte_and_of_none(transcript: Transcript, asker: Node) -> None:
    got: list[Request] = []
    node = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, spool_threshold=64)

    def handle(request: Request) -> Response:
        got.append(request)
        return Response()

    node.serve([uids.VERIFICATION], handle)
    data = bytes(range(200))
    pieces = [raw_pdata(1, 0, data[i : i + 1]) + raw_pdata(1, 0, b"") for i in range(200)]
    head = b"".join(command_pdus(1, command.encode(
        {"CommandField": 0x30, "MessageID": 1, "AffectedSOPClassUID": uids.VERIFICATION, "CommandDataSetType": 1}
    ), 16384))  # fmt: skip
    with node:
        with associated(node) as sock:
            sock.sendall(head + b"".join(pieces) + raw_pdata(1, 2, b""))
            assert until(lambda: bool(got))
            sock.sendall(raw_pdata(1, 1, b"") * 5000)  # a command set that never grows
            sock.sendall(ask("C-ECHO-RQ", uids.VERIFICATION, 2))
            assert until(lambda: len(got) == 2)
        assert got[0].payload.bytes() == data
        assert alive(asker, node)


def test_a_command_set_full_of_faults_is_told_in_a_few_sentences(actor: Actor, transcript: Transcript) -> None:
    elements = b"".join(struct.pack("<HHI", 0x0008, 0xFFFF - number % 7, 0) for number in range(20_000))
    with associated(actor.node) as sock:
        sock.sendall(raw_pdata(1, 3, elements))
        assert until(lambda: bool(transcript.select("PROTOCOL-VIOLATION")))
    assert until(lambda: not actor.node.associations)
    told = transcript.select("PROTOCOL-VIOLATION")
    assert 10 < len(told) < 40
    assert any("more" in str(entry.fields["text"]) for entry in told)


def test_what_was_accepted_without_being_proposed_is_told_and_cannot_be_used(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=Timeouts(dimse=0.5, associate=1, release=0.3))
    result = pdu.AssociateAC(
        REQUEST.called,
        REQUEST.calling,
        (items.ContextResult(1, 0, uids.IMPLICIT_VR_LE), items.ContextResult(201, 0, uids.IMPLICIT_VR_LE)),
        (items.MaximumLength(0),),
    )
    script = (Expect("A-ASSOCIATE-RQ"), SendPdu(result), Ask("C-ECHO-RQ", {}, None, 201), Expect("close"))
    with ScriptedListener([script], Transcript()) as listener, pytest.raises(PeerError):
        node.connect(listener.address, ECHO).echo()
    texts = [str(entry.fields["text"]) for entry in transcript.select("PROTOCOL-VIOLATION")]
    assert any("201 was accepted, but never proposed" in text for text in texts)
    node.stop()


@pytest.mark.parametrize("last", [pdu.ReleaseRQ(), pdu.Abort(0, 0)])
def test_everything_in_one_segment(last: pdu.PDU, transcript: Transcript, tmp_path: Path) -> None:
    """Acceptance, a store towards us and the end arrive before anything of it was acted on."""
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS, spool=tmp_path)
    accepted = pdu.AssociateAC(
        REQUEST.called, REQUEST.calling, (items.ContextResult(1, 0, uids.IMPLICIT_VR_LE),), (items.MaximumLength(0),)
    )
    everything = accepted.encode() + ask("C-STORE-RQ", uids.CT_IMAGE, 1, bytes(100)) + last.encode()
    script = (Expect("A-ASSOCIATE-RQ"), Send(everything), Expect("close", 3))
    with ScriptedListener([script], Transcript()) as listener, contextlib.suppress(PeerError):
        node.connect(listener.address, [Proposal(uids.CT_IMAGE)]).release()
    node.stop()
    assert transcript.faults == ()
    assert len(transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT)) == 1


def test_a_transfer_syntax_that_nobody_knows(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS)
    accepted = pdu.AssociateAC(
        REQUEST.called, REQUEST.calling, (items.ContextResult(1, 0, "1.2.3.4.5"),), (items.MaximumLength(0),)
    )
    script = (Expect("A-ASSOCIATE-RQ"), SendPdu(accepted), Expect("C-FIND-RQ"), Reply(), Expect("A-RELEASE-RQ"),
              SendPdu(pdu.ReleaseRP()))  # fmt: skip
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.MODALITY_WORKLIST)])
        with contextlib.suppress(PeerError):
            link.find(uids.MODALITY_WORKLIST, answer(""))
        link.abort()
    assert transcript.faults == ()


def test_an_acceptor_that_answers_at_once_with_everything(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS)
    script = (Expect("A-ASSOCIATE-RQ"), Accept(), Expect("C-ECHO-RQ"), Reply(), Send(b"\x00" * 64), Expect("close", 3))
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, ECHO)
        with contextlib.suppress(PeerError):
            link.echo()
        assert until(lambda: not link.is_open)
        node.stop()
    assert transcript.select("PROTOCOL-VIOLATION")


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


# -- endless ---------------------------------------------------------------------------------------------------


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
