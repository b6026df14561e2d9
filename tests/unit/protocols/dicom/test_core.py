"""The association without sockets: however the stream is cut, the events are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.protocols.dicom import command, items, pdu
from harness.protocols.dicom.core import AssociationCore
from harness.protocols.dicom.events import CoreEvent, Ended, MessageArrived, PduArrived, Violation
from harness.protocols.dicom.fragments import Payload, command_pdus, data_pdus
from harness.protocols.dicom.fsm import State
from tests.unit.protocols.dicom.test_pdu import RQ

AC = pdu.AssociateAC(
    RQ.called, RQ.calling, (items.ContextResult(1, 0, "1.2.840.10008.1.2"),), (items.MaximumLength(16384),)
)
ECHO = {"CommandField": 0x30, "MessageID": 1, "AffectedSOPClassUID": "1.2.840.10008.1.1", "CommandDataSetType": 0x101}
STORE = {**ECHO, "CommandField": 0x01, "CommandDataSetType": 1, "AffectedSOPInstanceUID": "1.2.3"}


def message(values: dict[str, object], data: bytes | None = None, maximum: int = 16384, context: int = 1) -> bytes:
    parts = list(command_pdus(context, command.encode(values), maximum))
    if data is not None:
        for portion in data_pdus(context, Payload.of(data), maximum):
            parts += portion
    return b"".join(parts)


def acceptor() -> AssociationCore:
    core = AssociationCore(requestor=False)
    core.transport_opened()
    core.receive(RQ.encode())
    core.accept(AC)
    core.take_events()
    core.take_output()
    assert core.state is State.ESTABLISHED
    return core


def requestor() -> AssociationCore:
    core = AssociationCore(requestor=True)
    core.request(RQ)
    core.transport_opened()
    assert core.take_output() == [RQ.encode()]
    core.receive(AC.encode())
    assert core.state is State.ESTABLISHED
    return core


def state_of(core: AssociationCore) -> State:
    return core.state


def violations(events: list[CoreEvent]) -> list[Violation]:
    return [event for event in events if isinstance(event, Violation)]


CONVERSATION = (
    message(ECHO)
    + message(STORE, b"0123456789" * 40, 64)
    + message(STORE, b"")
    + message(ECHO)
    + message(STORE, b"ab" * 5000)
    + pdu.ReleaseRQ().encode()
)


def shown(events: list[CoreEvent]) -> list[object]:
    return [
        replace(event, payload=event.payload.bytes()) if isinstance(event, MessageArrived) else event  # type: ignore[arg-type]
        for event in events
    ]


WHOLE = shown(acceptor().receive(CONVERSATION))


def test_the_conversation_gives_its_messages() -> None:
    messages = [event for event in acceptor().receive(CONVERSATION) if isinstance(event, MessageArrived)]
    assert [event.command.kind for event in messages] == [
        "C-ECHO-RQ",
        "C-STORE-RQ",
        "C-STORE-RQ",
        "C-ECHO-RQ",
        "C-STORE-RQ",
    ]
    assert messages[1].payload.bytes() == b"0123456789" * 40
    assert len(WHOLE) == 6


@given(st.lists(st.integers(1, len(CONVERSATION) - 1), max_size=40, unique=True).map(sorted))
@settings(max_examples=60, deadline=None)
def test_arbitrary_splits_give_the_same_events(cuts: list[int]) -> None:
    core = acceptor()
    events: list[CoreEvent] = []
    for begin, end in zip([0, *cuts], [*cuts, len(CONVERSATION)], strict=True):
        events += core.receive(CONVERSATION[begin:end])
    assert shown(events) == WHOLE


def test_byte_by_byte_gives_the_same_events() -> None:
    core = acceptor()
    events = [event for byte in CONVERSATION for event in core.receive(bytes((byte,)))]
    assert shown(events) == WHOLE


@given(st.binary(max_size=400), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_garbage_never_raises(garbage: bytes, where: int) -> None:
    core = AssociationCore(requestor=False) if where == 0 else acceptor() if where == 1 else requestor()
    if where == 0:
        core.transport_opened()
    core.receive(garbage)
    core.receive(garbage)
    core.transport_closed()
    assert core.closing


@given(st.integers(0, len(CONVERSATION) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_one_wrong_byte_never_raises(position: int, value: int) -> None:
    core = acceptor()
    core.receive(CONVERSATION[:position] + bytes((value,)) + CONVERSATION[position + 1 :])
    core.transport_closed()
    assert core.closing


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x99\0\0\0\0\4\0\0\0\0", 1),  # unknown PDU type
        (b"\x04\0\0\0\0\x04\0\0\0\0", 6),  # no room for a PDV
        (b"\x04\0\0\0\0\x06\0\0\0\x01\1\3", 6),  # PDV length 1
        (b"\x04\0\0\0\0\x08\0\0\0\x40\1\3ab", 6),  # PDV exceeds its PDU
        (b"\x04\0\0\0\0\x0a\0\0\0\x04\1\3abXY", 6),  # two bytes left over
        (b"\x05\0\xff\xff\xff\xff", 6),  # a control PDU of 4 GB
        (message(ECHO, context=77), 6),  # unknown context
        (message(STORE, b"ab")[len(message(STORE)) :], 6),  # data without a command
        (AC.encode(), 2),  # an association answer in the middle
    ],
)
def test_what_cannot_be_followed_is_aborted_with_its_reason(data: bytes, reason: int) -> None:
    core = acceptor()
    events = core.receive(data)
    assert violations(events)
    assert core.take_output() == [pdu.Abort(2, reason).encode()]
    assert Ended("failed", 2, reason) in events
    assert core.state is State.AWAITING_CLOSE
    assert core.artim


def test_a_pdu_over_the_maximum_is_said_once_and_taken() -> None:
    core = AssociationCore(requestor=False, max_pdu=128)
    core.transport_opened()
    core.receive(RQ.encode())
    core.accept(AC)
    core.take_events()
    events = core.receive(message(STORE, b"ab" * 500) + message(STORE, b"ab" * 500))
    assert len(violations(events)) == 1
    assert len([event for event in events if isinstance(event, MessageArrived)]) == 2


def test_release_collision_of_both_sides() -> None:
    ours, theirs = requestor(), acceptor()
    assert ours.release()
    assert theirs.release()
    from_ours, from_theirs = b"".join(ours.take_output()), b"".join(theirs.take_output())
    theirs.receive(from_ours)
    ours.receive(from_theirs)
    assert (ours.state, theirs.state) == (State.COLLISION_REQUESTOR_LOCAL, State.COLLISION_ACCEPTOR_PEER)
    assert ours.answer_release()
    theirs.receive(b"".join(ours.take_output()))
    assert state_of(theirs) is State.COLLISION_ACCEPTOR_LOCAL
    assert theirs.answer_release()
    events = ours.receive(b"".join(theirs.take_output()))
    assert Ended("released") in events
    assert ours.closing
    assert state_of(theirs) is State.AWAITING_CLOSE


def test_artim_runs_until_the_request_comes() -> None:
    core = AssociationCore(requestor=False)
    core.transport_opened()
    assert core.artim
    core.receive(RQ.encode())
    assert not core.artim


def test_artim_expiry_closes() -> None:
    core = AssociationCore(requestor=False)
    core.transport_opened()
    core.artim_expired()
    assert core.closing


def test_a_rejection_ends_it() -> None:
    core = AssociationCore(requestor=True)
    core.request(RQ)
    core.transport_opened()
    events = core.receive(pdu.AssociateRJ(1, 1, 7).encode())
    assert Ended("rejected", 1, 7) in events
    assert core.closing


def test_the_abort_of_the_peer_ends_it() -> None:
    core = acceptor()
    events = core.receive(pdu.Abort(0, 0).encode())
    assert any(isinstance(event, PduArrived) for event in events)
    assert Ended("aborted", 0, 0) in events


@pytest.mark.parametrize("first", [pdu.Abort(0, 0).encode(), pdu.ReleaseRQ().encode()])
def test_what_follows_the_end_in_the_same_bytes_is_not_heard(first: bytes) -> None:
    core = acceptor()
    events = core.receive(first + message(ECHO) + message(STORE, b"ab") + AC.encode())
    assert not any(isinstance(event, MessageArrived) for event in events)


def test_a_connection_lost_in_a_pdu_is_a_violation() -> None:
    core = acceptor()
    core.receive(message(STORE, b"ab" * 500)[:200])
    events = core.transport_closed()
    assert [event.rule for event in violations(events)] == ["PS3.8 9.3"]
    assert Ended("lost") in events


def test_after_the_abort_nothing_is_heard() -> None:
    core = acceptor()
    core.receive(b"\x99\0\0\0\0\4\0\0\0\0")
    assert core.receive(message(ECHO)) == []


def test_a_data_set_of_odd_length_is_a_violation_and_arrives() -> None:
    events = acceptor().receive(message(STORE, b"abc"))
    assert [event.rule for event in violations(events)] == ["PS3.5 7.1"]
    assert isinstance(events[0], MessageArrived)
