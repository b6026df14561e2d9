"""Both ends on loopback: every service, several at once, and how associations end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom import items, uids
from harness.protocols.dicom.errors import (
    AssociationAborted,
    AssociationRejected,
    NoPresentationContext,
    PeerTimeout,
    PeerUnreachable,
)
from harness.protocols.dicom.node import Address, Association, Node, Proposal, Request, Response, Timeouts
from harness.protocols.dicom.pdu import AssociateRQ
from tests.integration.wire.conftest import TIMEOUTS, Actor, answer, image, save

EVERYTHING = [
    Proposal(uid)
    for uid in (
        uids.VERIFICATION,
        uids.MODALITY_WORKLIST,
        uids.STUDY_ROOT_FIND,
        uids.STUDY_ROOT_GET,
        uids.MPPS,
        uids.PRINTER,
        uids.STORAGE_COMMITMENT,
        uids.PATIENT_ROOT_FIND,
    )
] + [Proposal(uids.CT_IMAGE, scu_role=True, scp_role=True)]


def ok(_request: Request) -> Response:
    return Response()


@pytest.fixture(params=[None, ok], ids=["caller reads", "thread reads"])
def link(request: pytest.FixtureRequest, actor: Actor, asker: Node) -> Association:
    return asker.connect(actor.node.address, EVERYTHING, handler=request.param)


def test_echo(link: Association) -> None:
    assert link.echo() == 0


def test_find_gives_every_answer(link: Association) -> None:
    answers = link.find(uids.MODALITY_WORKLIST, answer(""))
    assert [found.status for found in answers] == [0xFF00, 0xFF00, 0xFF00, 0]
    assert [found.dataset().PatientID for found in answers[:3]] == ["0", "1", "2"]


def test_cancel_reaches_the_handler(link: Association) -> None:
    operation = link.find_iter(uids.STUDY_ROOT_FIND, answer(""))
    assert next(operation).is_pending
    operation.cancel()
    assert [found.status for found in operation] == [0xFE00]


def test_get_receives_its_suboperations(actor: Actor, asker: Node) -> None:
    stored = []

    def store(request: Request) -> Response:
        stored.append(request.dataset().SOPInstanceUID)
        return Response()

    with asker.connect(actor.node.address, EVERYTHING) as link:
        answers = link.get(uids.STUDY_ROOT_GET, answer(""), store)
    assert stored == ["1.2.3.0", "1.2.3.1", "1.2.3.2"]
    assert answers[-1].command["NumberOfCompletedSuboperations"] == 3


def test_store_keeps_the_bytes(link: Association, actor: Actor) -> None:
    link.store(image(7, 1024))
    (request,) = actor.stored
    assert request.dataset().SOPInstanceUID == "1.2.3.7"
    assert request.dataset().PixelData == bytes(range(256)) * 4


def test_a_large_data_set_goes_to_a_file(link: Association, actor: Actor) -> None:
    link.store(image(8, 1 << 20))
    payload = actor.stored[0].payload
    assert payload.data is None
    assert payload.path is not None
    assert payload.path.read_bytes()[128:132] == b"DICM"
    assert actor.stored[0].dataset().PixelData == bytes(range(256)) * 4096


def test_normalized_services(link: Association) -> None:
    assert link.n_create(uids.MPPS, "1.2.9", answer("x")).command["AffectedSOPInstanceUID"] == "1.2.9"
    assert link.n_set(uids.MPPS, "1.2.9", answer("y")).dataset().PatientID == "N-SET-RQ"
    assert link.n_get(uids.PRINTER, uids.PRINTER_INSTANCE, [0x21100010]).dataset().PatientID == "N-GET-RQ"
    assert link.n_delete(uids.MPPS, "1.2.9").status == 0
    assert link.n_event_report(uids.PRINTER, uids.PRINTER_INSTANCE, 2).command["EventTypeID"] == 2


def test_an_event_report_may_come_before_the_response(actor: Actor, asker: Node, transcript: Transcript) -> None:
    with asker.connect(actor.node.address, EVERYTHING, handler=ok) as link:
        response = link.n_action(uids.STORAGE_COMMITMENT, uids.STORAGE_COMMITMENT_INSTANCE, 1, answer("t"))
    assert response.status == 0
    kinds = [message.kind for message in transcript.messages if message.actor == "image_manager"]
    assert kinds.index("N-EVENT-REPORT-RQ") < kinds.index("N-ACTION-RSP")


def test_an_event_report_may_come_at_any_time(actor: Actor, asker: Node, transcript: Transcript) -> None:
    with asker.connect(actor.node.address, EVERYTHING, handler=ok):
        (theirs,) = actor.node.associations
        assert theirs.n_event_report(uids.PRINTER, uids.PRINTER_INSTANCE, 3, answer("status")).status == 0


def test_requests_of_several_threads_share_an_association(link: Association) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.extend(link.echo() for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert statuses == [0] * 80


def test_several_operations_run_at_once_if_it_was_agreed(transcript: Transcript) -> None:
    both = threading.Barrier(2, timeout=5)

    def handle(_request: Request) -> Response:
        both.wait()  # passes only if two handlers run at the same time
        return Response()

    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, operations_window=(4, 4))
    server.serve([uids.MPPS], handle)
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, operations_window=(4, 4))
    with server, client.connect(server.address, [Proposal(uids.MPPS)]) as link:
        operations = [
            link.request("N-SET-RQ", {"RequestedSOPInstanceUID": "1.2"}, answer("x"), abstract_syntax=uids.MPPS)
            for _ in range(2)
        ]
        assert [next(operation).status for operation in operations] == [0, 0]
    assert transcript.faults == ()


def test_the_transcript_has_both_sides_in_order(actor: Actor, asker: Node, transcript: Transcript) -> None:
    with asker.connect(actor.node.address, [Proposal(uids.VERIFICATION)]) as link:
        link.echo()
    ours = [(m.kind, m.direction) for m in transcript.messages if m.association == link.id]
    assert ours == [
        ("CONNECTION-OPENED", Direction.NONE),
        ("A-ASSOCIATE-RQ", Direction.TO_SUT),
        ("A-ASSOCIATE-AC", Direction.FROM_SUT),
        ("C-ECHO-RQ", Direction.TO_SUT),
        ("C-ECHO-RSP", Direction.FROM_SUT),
        ("A-RELEASE-RQ", Direction.TO_SUT),
        ("A-RELEASE-RP", Direction.FROM_SUT),
        ("CONNECTION-CLOSED", Direction.NONE),
    ]
    (accepted,) = transcript.select("A-ASSOCIATE-AC", direction=Direction.FROM_SUT)
    assert accepted.fields["contexts"][0]["abstract_syntax"] == uids.VERIFICATION
    (echo,) = transcript.select("C-ECHO-RQ", direction=Direction.FROM_SUT)
    assert echo.fields["AbstractSyntax"] == uids.VERIFICATION
    assert echo.header.size > 0


def test_a_failing_handler_is_a_fault_of_ours(link: Association, transcript: Transcript) -> None:
    assert [found.status for found in link.find(uids.PATIENT_ROOT_FIND, answer(""))] == [0x0110]
    assert "ZeroDivisionError" in transcript.faults[0].error
    assert link.echo() == 0


def test_what_was_not_accepted_cannot_be_asked(link: Association) -> None:
    with pytest.raises(NoPresentationContext, match="Verification"):
        link.find(uids.PATIENT_ROOT_MOVE, answer(""))


def test_roles_and_results_of_negotiation(actor: Actor, asker: Node, transcript: Transcript) -> None:
    proposals = [
        Proposal(uids.MPPS),
        Proposal("1.2.3.4"),
        Proposal(uids.PRINTER, (uids.JPEG_2000,)),
        Proposal(uids.CT_IMAGE, (uids.RLE_LOSSLESS,), scu_role=False, scp_role=True),
    ]
    with asker.connect(actor.node.address, proposals) as link:
        assert [context.abstract_syntax for context in link.accepted] == [uids.MPPS, uids.CT_IMAGE]
        assert (link.accepted[1].scu_role, link.accepted[1].scp_role) == (False, True)
    (answered,) = transcript.select("A-ASSOCIATE-AC", direction=Direction.FROM_SUT)
    assert [context["result"] for context in answered.fields["contexts"]] == [0, 3, 4, 0]


def test_user_identity_and_unknown_items_are_shown(actor: Actor, asker: Node, transcript: Transcript) -> None:
    extra: list[items.UserItem] = [items.UserIdentity(2, True, b"user", b"secret"), items.UnknownItem(0x77, b"\1\2")]
    asker.connect(actor.node.address, [Proposal(uids.VERIFICATION)], user_items=extra).release()
    (asked,) = transcript.select("A-ASSOCIATE-RQ", direction=Direction.FROM_SUT)
    assert {"item": "UnknownItem", "type": 0x77, "data": "0102"} in asked.fields["user_items"]
    assert "secret" not in str(asked.fields)


def test_an_answer_may_carry_extended_negotiation(transcript: Transcript) -> None:
    def answers(request: AssociateRQ) -> list[items.UserItem]:
        asked = [item for item in request.user_items if isinstance(item, items.ExtendedNegotiation)]
        return [items.ExtendedNegotiation(item.sop_class, b"\1") for item in asked]

    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, answer_items=answers)
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS)
    wanted = [items.ExtendedNegotiation(uids.STUDY_ROOT_FIND, b"\1\0\1")]
    with server:
        link = client.connect(server.address, [Proposal(uids.VERIFICATION)], user_items=wanted)
        assert link.answer_pdu is not None
        assert items.ExtendedNegotiation(uids.STUDY_ROOT_FIND, b"\1") in link.answer_pdu.user_items
        link.release()


@pytest.mark.parametrize(
    ("called", "calling", "expected"),
    [("WRONG", "ASKER", (1, 1, 7)), ("STRICT", "STRANGER", (1, 1, 3))],
)
def test_titles_that_are_not_allowed_are_rejected(
    transcript: Transcript, called: str, calling: str, expected: tuple[int, int, int]
) -> None:
    strict = Node(
        "STRICT", transcript, actor="a", timeouts=TIMEOUTS, called_ae_check=True, allowed_callers=frozenset({"ASKER"})
    )
    client = Node(calling, transcript, actor="b", timeouts=TIMEOUTS)
    with strict, pytest.raises(AssociationRejected) as caught:
        client.connect(Address(called, "127.0.0.1", strict.port), [Proposal(uids.VERIFICATION)])
    assert (caught.value.result, caught.value.source, caught.value.reason) == expected


def test_an_abort_ends_what_waits(actor: Actor, asker: Node) -> None:
    link = asker.connect(actor.node.address, EVERYTHING)
    operation = link.find_iter(uids.STUDY_ROOT_FIND, answer(""))
    next(operation)
    actor.node.associations[0].abort()
    with pytest.raises(AssociationAborted):
        list(operation)
    assert not link.is_open


def test_nobody_listens(asker: Node) -> None:
    with pytest.raises(PeerUnreachable, match="cannot be reached"):
        asker.connect(Address("X", "127.0.0.1", 1), [Proposal(uids.VERIFICATION)])


def test_no_answer_in_time(actor: Actor, asker: Node) -> None:
    with asker.connect(actor.node.address, EVERYTHING) as link:
        operation = link.find_iter(uids.STUDY_ROOT_FIND, answer(""), timeout=0.2)
        next(operation)
        with pytest.raises(PeerTimeout):
            next(operation)


def test_a_late_response_is_no_response_to_nothing(asker: Node, transcript: Transcript) -> None:
    hold = threading.Event()
    server = Node("ACTOR", Transcript(), actor="a", timeouts=TIMEOUTS)

    def slowly(_request: Request) -> Response:
        hold.wait(5)
        return Response()

    server.serve([uids.MPPS], slowly)
    with server, asker.connect(server.address, [Proposal(uids.MPPS), Proposal(uids.VERIFICATION)]) as link:
        with pytest.raises(PeerTimeout):
            link.n_set(uids.MPPS, "1.2", answer("x"), timeout=0.1)
        hold.set()
        assert link.echo() == 0
    assert transcript.select("PROTOCOL-VIOLATION") == ()


def test_an_idle_association_is_aborted(transcript: Transcript) -> None:
    server = Node("ACTOR", transcript, actor="a", timeouts=Timeouts(idle=0.2, release=0.5))
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS)
    with server:
        link = client.connect(server.address, [Proposal(uids.VERIFICATION)])
        assert transcript.wait_for("A-ABORT", timeout=5, direction=Direction.TO_SUT) is not None
        with pytest.raises(AssociationAborted):
            link.echo()
        client.stop()


def test_stop_ends_open_associations_and_threads(transcript: Transcript) -> None:
    before = threading.active_count()
    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS)
    server.start()
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS)
    links = [client.connect(server.address, [Proposal(uids.VERIFICATION)], handler=ok) for _ in range(5)]
    server.stop()
    client.stop()
    assert not any(link.is_open for link in links)
    assert threading.active_count() == before


def test_a_part10_file_travels_as_it_is(actor: Actor, asker: Node, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    save(image(3, 4096), path)
    with asker.connect(actor.node.address, [Proposal(uids.CT_IMAGE, (uids.EXPLICIT_VR_LE,))]) as link:
        assert link.store(path).status == 0
    assert path.read_bytes().endswith(actor.stored[0].payload.bytes())


def test_a_file_is_re_encoded_between_uncompressed_syntaxes_only(actor: Actor, asker: Node, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    save(image(3), path)
    with asker.connect(actor.node.address, [Proposal(uids.CT_IMAGE, (uids.IMPLICIT_VR_LE,))]) as link:
        assert link.store(path).status == 0
    assert actor.stored[0].transfer_syntax == uids.IMPLICIT_VR_LE
    assert actor.stored[0].dataset().SOPInstanceUID == "1.2.3.3"


def test_small_pdus_of_the_peer_are_respected(transcript: Transcript) -> None:
    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, max_pdu=64)
    actor = Actor(server)
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS)
    with server, client.connect(server.address, [Proposal(uids.CT_IMAGE)]) as link:
        assert link.store(image(1, 2048)).status == 0
    assert actor.stored[0].dataset().PixelData == bytes(range(256)) * 8
    assert transcript.select("PROTOCOL-VIOLATION") == ()
