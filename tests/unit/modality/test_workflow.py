"""The state machine: each pair of state and button is either in the table or refused with the reason."""

from __future__ import annotations

import pytest

from harness.modality import workflow
from harness.modality.domain import State
from harness.modality.errors import Refused
from harness.modality.workflow import TRANSITIONS, Event


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_pair_is_allowed_or_refused(state: State, event: Event) -> None:
    target = TRANSITIONS.get((state, event))
    if target is None:
        with pytest.raises(Refused, match=f"'{event.value}' is not possible while the exam is {state.value}"):
            workflow.advance(state, event)
    else:
        assert workflow.advance(state, event) is target


def test_shot_only_when_ready() -> None:
    assert [state for state in State if Event.SHOT in workflow.allowed(state)] == [State.READY]


def test_finished_exam_never_goes_back_to_acquisition() -> None:
    for (source, _), target in TRANSITIONS.items():
        assert not (source in workflow.FINISHED and target in workflow.ACTIVE)


def test_every_state_is_reached_and_drawn() -> None:
    reached = {State.REGISTERED} | set(TRANSITIONS.values())
    assert reached == set(State)
    drawing, table = workflow.mermaid(), workflow.markdown()
    assert drawing.count("-->") == len(TRANSITIONS) + 1 + sum(not workflow.allowed(state) for state in State)
    assert all(f"| {state.value} |" in table for state in State)
