"""C-MOVE on both roles, release collision on the wire, and the operations window of our own requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom import negotiation, pdu, uids
from harness.protocols.dicom.errors import PeerError, PeerTimeout
from harness.protocols.dicom.node import Node, Proposal, Request, Response, Timeouts
from harness.protocols.dicom.script import Accept, Ask, Expect, Reply, SendPdu
from harness.protocols.dicom.scripted import ScriptedListener, play
from tests.integration.wire.conftest import TIMEOUTS, answer, image

MOVE = [Proposal(uids.STUDY_ROOT_MOVE)]
COUNTS = ("Remaining", "Completed", "Failed", "Warning")


def counted(remaining: int | None, completed: int, failed: int = 0, warning: int = 0) -> dict[str, int | None]:
    values = (remaining, completed, failed, warning)
    return {f"NumberOf{name}Suboperations": value for name, value in zip(COUNTS, values, strict=True)}


class Mover:
    """Moves four images to a destination: the second is refused there, the third gets a warning."""

    def __init__(self, transcript: Transcript, destination: Node) -> None:
        self.node = Node("MOVER", transcript, actor="image_manager", timeouts=TIMEOUTS)
        self.destination = destination
        self.pause = threading.Event()
        self.pause.set()
        self.node.serve([uids.STUDY_ROOT_MOVE], self._move)

    def _move(self, request: Request) -> Iterator[Response]:
        if request.command["MoveDestination"] != self.destination.ae_title:
            yield Response(0xA801)
            return
        originator = (request.association.calling_ae, request.command["MessageID"])
        done = {0: 0, 1: 0, 2: 0}
        with self.node.connect(self.destination.address, [Proposal(uids.CT_IMAGE)]) as link:
            for number in range(1, 5):
                if request.cancelled.is_set():
                    yield Response(0xFE00, fields=counted(5 - number, done[0], done[1], done[2]))
                    return
                status = link.store(image(number), move_originator=originator).status
                done[0 if status == 0 else 2 if status == 0xB000 else 1] += 1
                yield Response(0xFF00, fields=counted(4 - number, done[0], done[1], done[2]))
                if not self.pause.is_set():
                    request.cancelled.wait(5)
        yield Response(0xB000, fields=counted(None, done[0], done[1], done[2]))


@pytest.fixture
def mover(transcript: Transcript) -> Iterator[tuple[Mover, list[Request]]]:
    got: list[Request] = []

    def store(request: Request) -> Response:
        got.append(request)
        return Response({2: 0xA700, 3: 0xB000}.get(len(got), 0))

    destination = Node("STORE", transcript, actor="destination", timeouts=TIMEOUTS)
    destination.serve([uids.CT_IMAGE], store)
    with destination:
        actor = Mover(transcript, destination)
        with actor.node:
            yield actor, got


def test_a_move_counts_its_suboperations(mover: tuple[Mover, list[Request]], asker: Node) -> None:
    actor, got = mover
    with asker.connect(actor.node.address, MOVE) as link:
        answers = link.move(uids.STUDY_ROOT_MOVE, answer(""), "STORE")
    assert [found.status for found in answers] == [0xFF00] * 4 + [0xB000]
    seen = [tuple(found.command.get(f"NumberOf{name}Suboperations") for name in COUNTS) for found in answers]
    assert seen == [(3, 1, 0, 0), (2, 1, 1, 0), (1, 1, 1, 1), (0, 2, 1, 1), (None, 2, 1, 1)]
    assert len(got) == 4
    for request in got:
        assert request.command["MoveOriginatorApplicationEntityTitle"] == "ASKER"
        assert request.command["MoveOriginatorMessageID"] == answers[0].command["MessageIDBeingRespondedTo"]


def test_a_cancelled_move_says_what_remains(mover: tuple[Mover, list[Request]], asker: Node) -> None:
    actor, got = mover
    actor.pause.clear()
    with asker.connect(actor.node.address, MOVE) as link:
        operation = link.move_iter(uids.STUDY_ROOT_MOVE, answer(""), "STORE")
        assert next(operation).command["NumberOfRemainingSuboperations"] == 3
        operation.cancel()
        (final,) = list(operation)
    assert final.status == 0xFE00
    assert final.command["NumberOfRemainingSuboperations"] == 3
    assert final.command["NumberOfCompletedSuboperations"] == 1
    assert len(got) == 1


def test_an_unknown_destination_is_refused(mover: tuple[Mover, list[Request]], asker: Node) -> None:
    actor, got = mover
    with asker.connect(actor.node.address, MOVE) as link:
        assert [found.status for found in link.move(uids.STUDY_ROOT_MOVE, answer(""), "NOWHERE")] == [0xA801]
    assert got == []


def test_release_collision_as_the_requestor(asker: Node, transcript: Transcript) -> None:
    """Sta7, Sta9, Sta11, Sta1: the requestor answers first, then hears the answer to its own request."""
    script = (
        Expect("A-ASSOCIATE-RQ"), Accept(), Expect("A-RELEASE-RQ"), SendPdu(pdu.ReleaseRQ()), Expect("A-RELEASE-RP"),
        SendPdu(pdu.ReleaseRP()), Expect("close"),
    )  # fmt: skip
    with ScriptedListener([script], Transcript()) as listener:
        link = asker.connect(listener.address, [Proposal(uids.VERIFICATION)])
        assert link.release()
        assert listener.played[0].complete, listener.played[0].reason
    assert transcript.select("PROTOCOL-VIOLATION") == ()


def test_release_collision_as_the_acceptor(transcript: Transcript) -> None:
    """Sta7, Sta10, Sta12, Sta13: the acceptor waits for the answer before it gives its own."""
    released: list[bool] = []

    def release(request: Request) -> Response:
        released.append(request.association.release())
        return Response()

    request = negotiation.request_for("SCRIPT", "ACTOR", [Proposal(uids.VERIFICATION)], 16384)
    script = (
        SendPdu(request), Expect("A-ASSOCIATE-AC"), Ask("C-ECHO-RQ", {"AffectedSOPClassUID": uids.VERIFICATION}),
        Expect("A-RELEASE-RQ"), SendPdu(pdu.ReleaseRQ()), SendPdu(pdu.ReleaseRP()), Expect("A-RELEASE-RP"),
    )  # fmt: skip
    node = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, verification=False)
    node.serve([uids.VERIFICATION], release)
    with node:
        played = play(node.address, script, Transcript())
    assert played.complete, played.reason
    assert released == [True]
    assert transcript.faults == ()
    assert transcript.select("PROTOCOL-VIOLATION") == ()


@pytest.mark.parametrize(("window", "allowed"), [(None, 1), ((3, 1), 3)])
def test_our_own_requests_stay_within_the_window(window: tuple[int, int] | None, allowed: int) -> None:
    lock, at_once, most = threading.Lock(), 0, 0
    full = threading.Event()

    def handle(_request: Request) -> Response:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            if at_once == allowed:
                full.set()
        full.wait(3)
        with lock:
            at_once -= 1
        return Response()

    theirs = Transcript()
    server = Node("ACTOR", theirs, actor="a", timeouts=TIMEOUTS, operations_window=window and window[::-1])
    server.serve([uids.MPPS], handle)
    client = Node("ASKER", Transcript(), actor="b", timeouts=TIMEOUTS, operations_window=window)
    statuses: list[int] = []
    with server, client.connect(server.address, [Proposal(uids.MPPS)]) as link:
        jobs = [
            threading.Thread(target=lambda: statuses.append(link.n_set(uids.MPPS, "1.2", answer("x")).status))
            for _ in range(8)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join(10)
    assert statuses == [0] * 8
    assert most == allowed
    assert theirs.select("PROTOCOL-VIOLATION") == ()


def test_a_full_window_that_never_opens_is_a_timeout(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=Timeouts(dimse=0.3, release=0.3))
    script = (Expect("A-ASSOCIATE-RQ"), Accept(), Expect("C-ECHO-RQ"), Expect("close", 5))
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.VERIFICATION)])
        link.request("C-ECHO-RQ", {}, abstract_syntax=uids.VERIFICATION)
        with pytest.raises(PeerTimeout, match="no more may be outstanding"):
            link.echo()
        link.abort()
    assert len(transcript.select("C-ECHO-RQ", direction=Direction.TO_SUT)) == 1


def test_a_request_that_was_given_up_frees_its_place(transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=Timeouts(dimse=0.3, release=0.3))
    script = (Expect("A-ASSOCIATE-RQ"), Accept(), Expect("C-ECHO-RQ"), Expect("C-ECHO-RQ"), Reply(), Expect("close"))
    with ScriptedListener([script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.VERIFICATION)])
        with pytest.raises(PeerError):
            link.echo()
        assert link.echo(timeout=3) == 0
        link.abort()
