"""Facts that checks read besides messages: names and JSON shapes.

Whoever drives a scenario notes them with ``transcript.note(KIND, data)``; a check reads them with
``transcript.facts_of(KIND)``. Every value is plain JSON, dates and times as DICOM writes them, UIDs as text. A key that
is not known is left out, never guessed: a check that misses it sees nothing to judge.
"""

from __future__ import annotations

from typing import Any, Final, TypedDict

ORDER: Final = "ORDER"
ACTION: Final = "ACTION"
OUTCOME: Final = "OUTCOME"
QUERY: Final = "QUERY"
KNOWN_OBJECTS: Final = "KNOWN-OBJECTS"
MOVE: Final = "MOVE"
COMMIT: Final = "COMMIT"
NEGATIVE: Final = "NEGATIVE"
FAULT_INJECTED: Final = "FAULT-INJECTED"
UPDATE: Final = "UPDATE"


class Order(TypedDict, total=False):
    """ORDER: one per scheduled step that our worklist offers or that a product's worklist must offer.

    ``keywords`` maps DICOM keywords of the worklist entry to decoded text; sequences are lists of such maps, and the
    step's own attributes are inside ``ScheduledProcedureStepSequence``. ``cancelled`` is noted by a later ORDER fact
    of the same step. ``hl7`` (optional) says which message announced it: its ``seq``.
    """

    keywords: dict[str, Any]
    cancelled: bool
    hl7: int


class Action(TypedDict, total=False):
    """ACTION: what was asked of the product; ``parameters`` as the closed list of actions names them."""

    action: str
    parameters: dict[str, Any]


class Outcome(TypedDict, total=False):
    """OUTCOME: what the driver said of the action before it.

    ``state`` is "done", "declined", "unsupported" or "failed". A driver that can see it adds to ``answers``:
    ``entries`` (worklist entries or matches that the product shows: a number, or a list) and ``error`` (text, "" when
    the product reports no error).
    """

    action: str
    state: str
    detail: str
    answers: dict[str, Any]


class Query(TypedDict, total=False):
    """QUERY: a C-FIND that we sent, with what must come back.

    ``message`` is the ``seq`` of the C-FIND-RQ; ``model`` "WORKLIST", "STUDY" or "PATIENT"; ``level`` the query level
    ("STEP" for worklists). ``by`` is the keyword that tells matches apart (a unique key, or
    ScheduledProcedureStepID) and ``expected`` the sorted values that must match, exactly these among the ones in
    ``universe`` (values the harness knows; foreign ones are not judged when ``universe`` is given). ``purpose``
    names a special query: "cancelled", "invalid-hierarchy", "unsupported-key", "lower-case-name", "after-cancel",
    "after-completed", "after-wrong-entry", "after-merge", "after-update", "missing-instance".
    """

    message: int
    level: str
    model: str
    keys: dict[str, Any]
    expected: list[str]
    by: str
    universe: list[str]
    option: str
    purpose: str


class KnownObjects(TypedDict, total=False):
    """KNOWN-OBJECTS: instances as stored into the archive under test, by keyword (identifiers, counts' sources)."""

    instances: list[dict[str, Any]]


class Move(TypedDict, total=False):
    """MOVE: a C-MOVE that we sent: ``seq`` of the request, SOP Instance UIDs to arrive, and those we refuse."""

    message: int
    destination: str
    expected: list[str]
    failing: list[str]
    unknown_destination: bool


class Commit(TypedDict, total=False):
    """COMMIT: a storage commitment request that we sent, or the answer that we gave to one (``answering``).

    ``expected_ok`` and ``expected_failed`` are SOP Instance UIDs. For a request of the product, ``message`` is the
    ``seq`` of its N-ACTION-RQ, and ``delivery`` "same" or "other" association.
    """

    message: int
    transaction_uid: str
    expected_ok: list[str]
    expected_failed: list[str]
    delivery: str


class Negative(TypedDict, total=False):
    """NEGATIVE: a request that we sent to be refused: ``seq``, why, and the statuses that are right.

    ``rule`` is one of "create-status", "create-duplicate", "set-final", "set-unknown", "find-hierarchy",
    "move-destination", "unknown-trigger"; ``statuses`` are integers.
    """

    message: int
    rule: str
    statuses: list[int]


class FaultInjected(TypedDict, total=False):
    """FAULT-INJECTED: how our simulated actor misbehaved on purpose.

    ``fault`` is one of "store-refused" (with ``message`` of our C-STORE-RSP and ``status``), "store-aborted",
    "store-stalled" (``message`` the seq of our late C-STORE-RSP), "find-failed", "acknowledgement-withheld"
    (``message`` of the HL7 message), "unreachable" (``actor``; it is away until a "reachable-again" of that
    actor is noted, or the seq in ``until`` where that is known).
    """

    fault: str
    actor: str
    message: int
    status: int
    until: int


class Update(TypedDict, total=False):
    """UPDATE: a patient update or merge: the new values by keyword, the retired Patient ID if any.

    Not needed where the product took an ADT^A08 or ADT^A40 in the same exchange: checks read those themselves.
    """

    kind: str
    patient_id: str
    retired_patient_id: str
    keywords: dict[str, str]
