"""The state machine of an exam: one table says which button is allowed when, and where it leads."""

from __future__ import annotations

from enum import StrEnum

from harness.modality.domain import State
from harness.modality.errors import Refused


class Event(StrEnum):
    """What a technologist, or the background work, does to an exam."""

    MODIFY = "modify"
    START = "start"
    SELECT = "select"
    READY = "ready"
    SHOT = "shot"
    CONFIRM = "confirm"
    REJECT = "reject"
    END = "end"
    CANCEL = "cancel"
    QUEUE = "queue"
    SENT = "sent"
    SEND_FAILED = "send-failed"
    COMMITTED = "committed"
    COMMIT_FAILED = "commit-failed"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.REGISTERED, Event.MODIFY): State.REGISTERED,
    (State.REGISTERED, Event.START): State.IN_PROGRESS,
    (State.REGISTERED, Event.CANCEL): State.DISMISSED,
    (State.IN_PROGRESS, Event.SELECT): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.READY): State.READY,
    (State.IN_PROGRESS, Event.REJECT): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.END): State.ENDED,
    (State.IN_PROGRESS, Event.CANCEL): State.CANCELLED,
    (State.READY, Event.SELECT): State.READY,
    (State.READY, Event.SHOT): State.REVIEWING,
    (State.READY, Event.CANCEL): State.CANCELLED,
    (State.READY, Event.END): State.ENDED,
    (State.REVIEWING, Event.CONFIRM): State.IN_PROGRESS,
    (State.REVIEWING, Event.REJECT): State.IN_PROGRESS,
    (State.REVIEWING, Event.CANCEL): State.CANCELLED,
    (State.ENDED, Event.QUEUE): State.QUEUED,
    (State.CANCELLED, Event.QUEUE): State.QUEUED,
    (State.QUEUED, Event.QUEUE): State.QUEUED,
    (State.QUEUED, Event.SENT): State.SENT,
    (State.QUEUED, Event.SEND_FAILED): State.FAILED,
    (State.QUEUED, Event.COMMITTED): State.COMMITTED,
    (State.SENT, Event.QUEUE): State.QUEUED,
    (State.SENT, Event.COMMITTED): State.COMMITTED,
    (State.SENT, Event.COMMIT_FAILED): State.FAILED,
    (State.FAILED, Event.QUEUE): State.QUEUED,
    (State.FAILED, Event.SENT): State.SENT,
    (State.FAILED, Event.COMMITTED): State.COMMITTED,
    (State.FAILED, Event.COMMIT_FAILED): State.FAILED,
    (State.COMMITTED, Event.QUEUE): State.QUEUED,
    (State.COMMITTED, Event.COMMITTED): State.COMMITTED,
    (State.COMMITTED, Event.COMMIT_FAILED): State.FAILED,
}
ACTIVE = frozenset({State.IN_PROGRESS, State.READY, State.REVIEWING})
FINISHED = frozenset({State.ENDED, State.CANCELLED, State.QUEUED, State.SENT, State.COMMITTED, State.FAILED})


def allowed(state: State) -> tuple[Event, ...]:
    """Return the events that a state allows."""
    return tuple(event for (source, event) in TRANSITIONS if source is state)


def advance(state: State, event: Event) -> State:
    """Return the next state, or raise Refused saying what is possible instead."""
    target = TRANSITIONS.get((state, event))
    if target is None:
        possible = ", ".join(allowed(state)) or "nothing, the exam is closed"
        raise Refused(f"{event.value!r} is not possible while the exam is {state.value}; possible: {possible}")
    return target


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> registered"]
    lines += [
        f"    {s.value.replace('-', '_')} --> {t.value.replace('-', '_')}: {e.value}"
        for (s, e), t in TRANSITIONS.items()
    ]
    ends = [state for state in State if not allowed(state)]
    return "\n".join([*lines, *(f"    {state.value.replace('-', '_')} --> [*]" for state in ends)]) + "\n"


def markdown() -> str:
    """Write the table in Markdown, one row for each state, one column for each event."""
    head = "| state | " + " | ".join(e.value for e in Event) + " |"
    rule = "|" + "---|" * (len(Event) + 1)
    rows = [
        f"| {s.value} | " + " | ".join(t.value if (t := TRANSITIONS.get((s, e))) else "" for e in Event) + " |"
        for s in State
    ]
    return "\n".join([head, rule, *rows]) + "\n"
