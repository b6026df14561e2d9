"""What user information says, agreed with an independent stack (pynetdicom) in both directions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pynetdicom import AE, build_role, evt
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)

from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.dicom import items, uids
from harness.protocols.dicom.errors import AssociationRejected
from harness.protocols.dicom.node import Address, Node, Proposal, Response
from harness.protocols.dicom.pdu import AssociateAC, AssociateRQ, decode_control
from tests.integration.wire.conftest import TIMEOUTS

FIND = uids.STUDY_ROOT_FIND


class Seen(dict[str, Any]):
    """What the other stack understood of our request."""


@pytest.fixture
def pynetdicom() -> Iterator[tuple[Address, Seen]]:
    """Answers each item; lets only kim in."""
    seen = Seen()

    def identity(event: Any) -> tuple[bool, bytes | None]:
        seen["identity"] = (event.user_id_type, event.primary_field, event.secondary_field)
        return event.primary_field == b"kim", b"ticket"

    def extended(event: Any) -> dict[str, bytes]:
        seen["extended"] = dict(event.app_info)
        return {FIND: b"\x01\x00"}

    def window(event: Any) -> tuple[int, int]:
        seen["window"] = (event.nr_invoked, event.nr_performed)
        return 1, 1

    ae = AE("PYNETDICOM")
    for uid in (uids.VERIFICATION, FIND):
        ae.add_supported_context(uid)
    ae.add_supported_context(uids.CT_IMAGE, scu_role=False, scp_role=True)
    handlers = [(evt.EVT_USER_ID, identity), (evt.EVT_SOP_EXTENDED, extended), (evt.EVT_ASYNC_OPS, window)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield Address("PYNETDICOM", "127.0.0.1", server.server_address[1]), seen
    server.shutdown()


def asked(identity: bytes) -> list[items.UserItem]:
    return [items.ExtendedNegotiation(FIND, b"\x01\x01\x01"), items.UserIdentity(3, True, identity)]


def test_what_we_ask_is_understood_and_its_answers_too(
    pynetdicom: tuple[Address, Seen], transcript: Transcript
) -> None:
    address, seen = pynetdicom
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS, operations_window=(3, 2))
    proposals = [Proposal(uids.VERIFICATION), Proposal(FIND), Proposal(uids.CT_IMAGE, scu_role=True, scp_role=True)]
    with node.connect(address, proposals, user_items=asked(b"kim")) as link:
        assert link.echo() == 0
    node.stop()
    assert seen["identity"][:2] == (3, b"kim")
    assert seen["extended"] == {FIND: b"\x01\x01\x01"}
    assert seen["window"] == (3, 2)
    (accepted,) = transcript.select("A-ASSOCIATE-AC", direction=Direction.FROM_SUT)
    (ct,) = [context for context in accepted.fields["contexts"] if context["abstract_syntax"] == uids.CT_IMAGE]
    assert (ct["result"], ct["scu_role"], ct["scp_role"]) == (0, False, True)
    decoded = AssociateAnswer(accepted.header.bytes())
    assert decoded.of(items.AsynchronousOperations) == [items.AsynchronousOperations(1, 1)]
    assert decoded.of(items.ExtendedNegotiation) == [items.ExtendedNegotiation(FIND, b"\x01\x00")]
    assert decoded.of(items.UserIdentityResponse) == [items.UserIdentityResponse(b"ticket")]
    assert transcript.select("PROTOCOL-VIOLATION") == ()


def test_an_identity_that_is_refused_is_a_rejection(pynetdicom: tuple[Address, Seen], transcript: Transcript) -> None:
    address, seen = pynetdicom
    node = Node("ASKER", transcript, actor="a", timeouts=TIMEOUTS)
    with pytest.raises(AssociationRejected):
        node.connect(address, [Proposal(uids.VERIFICATION)], user_items=asked(b"mallory"))
    node.stop()
    assert seen["identity"][1] == b"mallory"


class AssociateAnswer:
    """The user items of an A-ASSOCIATE-AC by kind."""

    def __init__(self, raw: bytes) -> None:
        value = decode_control(raw[0], raw[6:])
        assert isinstance(value, AssociateAC)
        self._items = value.user_items

    def of(self, kind: type) -> list[Any]:
        return [item for item in self._items if isinstance(item, kind)]


@pytest.mark.parametrize(
    ("window", "proposed", "agreed"),
    [
        ((4, 2), (5, 3), (2, 3)),  # we perform at most 2 of theirs, and invoke at most the 3 that they perform
        ((4, 2), (0, 0), (2, 4)),  # 0 is no limit
        ((0, 0), (5, 3), (5, 3)),
        ((1, 1), (5, 3), (1, 1)),
        (None, (5, 3), None),  # not answered: one at a time (PS3.7 D.3.3.3)
    ],
)
def test_pynetdicom_reads_what_we_agree_to(
    window: tuple[int, int] | None,
    proposed: tuple[int, int],
    agreed: tuple[int, int] | None,
    transcript: Transcript,
) -> None:
    came = threading.Event()

    def extended(request: AssociateRQ) -> Iterator[items.UserItem]:
        for item in request.user_items:
            if isinstance(item, items.ExtendedNegotiation):
                came.set()
                yield items.ExtendedNegotiation(item.sop_class, item.information[:1] + b"\x00")

    node = Node(
        "ACTOR", transcript, actor="a", timeouts=TIMEOUTS, operations_window=window, answer_items=extended
    )  # fmt: skip
    node.serve([uids.CT_IMAGE], lambda _request: Response(0xC000), scp_role=True)
    operations = AsynchronousOperationsWindowNegotiation()
    operations.maximum_number_operations_invoked, operations.maximum_number_operations_performed = proposed
    negotiation = SOPClassExtendedNegotiation()
    negotiation.sop_class_uid, negotiation.service_class_application_information = uids.CT_IMAGE, b"\x01\x01"
    identity = UserIdentityNegotiation()
    identity.user_identity_type, identity.positive_response_requested = 2, True
    identity.primary_field, identity.secondary_field = b"kim", b"secret"
    ae = AE("PYNETDICOM")
    ae.add_requested_context(uids.VERIFICATION)
    ae.add_requested_context(uids.CT_IMAGE)
    role = build_role(uids.CT_IMAGE, scu_role=True, scp_role=True)
    with node:
        link = ae.associate("127.0.0.1", node.port, ae_title="ACTOR", ext_neg=[operations, negotiation, identity, role])
        assert link.is_established
        assert link.send_c_echo().Status == 0
        found = link.acceptor
        assert came.is_set()
        assert found.sop_class_extended == {uids.CT_IMAGE: b"\x01\x00"}
        assert (found.role_selection[uids.CT_IMAGE].scu_role, found.role_selection[uids.CT_IMAGE].scp_role) == (
            True,
            True,
        )
        answered = [item for item in found.user_information if type(item).__name__ == "UserIdentityNegotiation"]
        assert [item.server_response for item in answered] == [b""]
        windows = [
            (item.maximum_number_operations_invoked, item.maximum_number_operations_performed)
            for item in found.user_information
            if isinstance(item, AsynchronousOperationsWindowNegotiation)
        ]
        assert windows == ([agreed] if agreed else [])
        link.release()
    assert transcript.faults == ()
    assert transcript.select("PROTOCOL-VIOLATION") == ()
