"""Table 9-10 as data, against an independent transcription of it."""

from __future__ import annotations

import pytest
from pynetdicom.fsm import TRANSITION_TABLE

from harness.protocols.dicom.fsm import ACTIONS, TRANSITIONS, Event, State


def test_every_transition_takes_the_action_that_pynetdicom_takes() -> None:
    ours = {(f"Evt{event.value}", f"Sta{state.value}"): action for (event, state), (action, _) in TRANSITIONS.items()}
    assert ours == TRANSITION_TABLE


def test_every_action_is_defined() -> None:
    assert {action for action, _ in TRANSITIONS.values()} == set(ACTIONS)


@pytest.mark.parametrize(
    ("event", "state", "following"),
    [
        (Event.ASSOCIATE_AC_PDU, State.AWAITING_ASSOCIATE_ANSWER, State.ESTABLISHED),
        (Event.RELEASE_RQ_PDU, State.ESTABLISHED, State.AWAITING_LOCAL_RELEASE),
        (Event.RELEASE_RP_PDU, State.AWAITING_RELEASE_ANSWER, State.IDLE),
        (Event.RELEASE_RESPONSE, State.COLLISION_REQUESTOR_LOCAL, State.COLLISION_REQUESTOR_PEER),
        (Event.RELEASE_RP_PDU, State.COLLISION_ACCEPTOR_PEER, State.COLLISION_ACCEPTOR_LOCAL),
        (Event.INVALID_PDU, State.ESTABLISHED, State.AWAITING_CLOSE),
        (Event.ABORT_PDU, State.ESTABLISHED, State.IDLE),
    ],
)
def test_next_state(event: Event, state: State, following: State) -> None:
    assert TRANSITIONS[event, state][1] is following


@pytest.mark.parametrize("state", list(State)[1:])
def test_a_closed_connection_is_expected_in_every_state_with_a_connection(state: State) -> None:
    assert TRANSITIONS[Event.TRANSPORT_CLOSED, state][1] is State.IDLE
