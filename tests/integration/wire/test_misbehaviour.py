"""Whatever a peer does, the next good association works and nothing of ours is at fault."""

from __future__ import annotations

import pytest

from harness.core.check import Exchange
from harness.core.transcript import Transcript
from harness.profiles.common import conversation
from harness.protocols.dicom import datasets, negotiation, uids
from harness.protocols.dicom.errors import AssociationAborted, AssociationRejected, PeerError, PeerTimeout
from harness.protocols.dicom.misbehaviour import REFUSALS, answers, event_reports, requests
from harness.protocols.dicom.node import Node, Proposal, Request, Response, Timeouts
from harness.protocols.dicom.scripted import ScriptedListener, play
from tests.integration.wire.conftest import Actor, answer

PROPOSALS = [Proposal(uids.VERIFICATION), Proposal(uids.CT_IMAGE)]
REQUEST = negotiation.request_for("SCRIPT", "ACTOR", PROPOSALS, 16384)
REQUESTS = requests(REQUEST, seconds=0.1)
ANSWERS = answers(seconds=0.1)
SHORT = Timeouts(connect=2, associate=0.5, dimse=0.5, release=0.3, idle=5)


def broken(transcript: Transcript) -> set[str]:
    """The requirements of DICOM in general that this conversation breaks."""
    exchange = Exchange(transcript)
    return {check.requirement for check in conversation.CHECKS for seen in check(exchange) if seen.ok is False}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_listener_survives(name: str, actor: Actor, asker: Node, transcript: Transcript) -> None:
    case = REQUESTS[name]
    played = play(actor.node.address, case.script, Transcript())
    if case.reactions:
        assert set(played.kinds) & set(case.reactions), (played.kinds, played.reason)
    with asker.connect(actor.node.address, PROPOSALS) as link:
        assert link.echo() == 0
    assert transcript.faults == ()


@pytest.mark.parametrize(
    "name",
    [name for name, case in REQUESTS.items() if case.breaks != "none" and case.reactions == ("A-ABORT", "close")],
)
def test_what_was_broken_is_in_the_transcript(name: str, actor: Actor, transcript: Transcript) -> None:
    play(actor.node.address, REQUESTS[name].script, Transcript())
    assert transcript.wait_for("PROTOCOL-VIOLATION", timeout=3) is not None
    assert broken(transcript)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_requestor_survives(name: str, transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=SHORT)
    with ScriptedListener([ANSWERS[name].script], Transcript()) as listener:
        try:
            link = node.connect(listener.address, [Proposal(uids.VERIFICATION)])
            link.echo()
            link.release()
        except PeerError:
            pass
        finally:
            node.stop()
    assert transcript.faults == ()
    assert transcript.select("CONNECTION-CLOSED")


@pytest.mark.parametrize(("result", "source", "reason"), REFUSALS)
def test_every_refusal_is_understood(result: int, source: int, reason: int, transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=SHORT)
    with (
        ScriptedListener([ANSWERS[f"refusal-{result}-{source}-{reason}"].script], Transcript()) as listener,
        pytest.raises(AssociationRejected) as caught,
    ):
        node.connect(listener.address, [Proposal(uids.VERIFICATION)])
    assert (caught.value.result, caught.value.source, caught.value.reason) == (result, source, reason)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no-association-answer", PeerTimeout),
        ("no-response", PeerTimeout),
        ("abort-instead-of-response", AssociationAborted),
        ("reset-in-the-middle", AssociationAborted),
        ("half-a-response", AssociationAborted),
    ],
)
def test_each_failure_has_its_error(name: str, expected: type[PeerError], transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=SHORT)
    with ScriptedListener([ANSWERS[name].script], Transcript()) as listener, pytest.raises(expected):
        node.connect(listener.address, [Proposal(uids.VERIFICATION)]).echo()
    node.stop()


@pytest.mark.parametrize("name", ["two-responses", "response-to-nothing", "response-on-other-context"])
def test_a_wrong_response_is_a_violation(name: str, transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=SHORT)
    with ScriptedListener([ANSWERS[name].script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.VERIFICATION)])
        try:
            link.echo()
            link.release()
        except PeerError:
            pass
        node.stop()
    assert transcript.select("PROTOCOL-VIOLATION")
    assert broken(transcript)


REPORTS = event_reports(
    datasets.encode(answer("right"), uids.IMPLICIT_VR_LE), [datasets.encode(answer("wrong"), uids.IMPLICIT_VR_LE)]
)


@pytest.mark.parametrize(
    ("name", "reports"),
    [
        ("report-late", 1),
        ("report-before-response", 1),
        ("report-twice", 2),
        ("report-of-unknown-event", 1),
        ("report-wrong-1", 1),
    ],
)
def test_event_reports_of_every_kind_arrive(name: str, reports: int, transcript: Transcript) -> None:
    node = Node("ASKER", transcript, actor="a", timeouts=SHORT)
    got: list[Request] = []

    def handle(request: Request) -> Response:
        got.append(request)
        return Response()

    with ScriptedListener([REPORTS[name].script], Transcript()) as listener:
        link = node.connect(listener.address, [Proposal(uids.STORAGE_COMMITMENT)], handler=handle)
        action = link.n_action(uids.STORAGE_COMMITMENT, uids.STORAGE_COMMITMENT_INSTANCE, 1, answer("t"))
        assert action.status == 0
        for _ in range(reports):
            assert transcript.wait_for("N-EVENT-REPORT-RSP", timeout=3) is not None
        link.release()
        node.stop()
        assert all(played.complete for played in listener.played)
    assert len(got) == reports
