"""The decisions of an Image Manager/Archive that the Technical Framework and DICOM regulate, as pure functions."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from harness.actors.archive_index import StoredInstance
from harness.actors.archive_keys import Level
from harness.actors.matching import MatchingRules, Query
from harness.actors.performed_steps import StepBehaviour
from harness.actors.records import Record, encode
from harness.protocols.dicom.model import Request

PENDING = 0xFF00
PENDING_UNSUPPORTED_KEYS = 0xFF01
SUB_OPERATIONS_FAILED = 0xB000
UNABLE_TO_PERFORM = 0xA702
UNKNOWN_DESTINATION = 0xA801

#: failure reasons of storage commitment (PS3.3 C.14.1.1)
NO_SUCH_OBJECT_INSTANCE = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119
DUPLICATE_TRANSACTION_UID = 0x0131


@dataclass(frozen=True, slots=True)
class Reference:
    """One instance that a commitment request names."""

    sop_class: str
    sop_instance: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a commitment request: what is safe, and what is not with the failure reason."""

    transaction_uid: str
    committed: tuple[Reference, ...] = ()
    failed: tuple[tuple[Reference, int], ...] = ()

    @property
    def event_type(self) -> int:
        """1 if everything is committed, 2 if there are failures (PS3.4 J.3.3.1)."""
        return 2 if self.failed else 1


class Way(enum.StrEnum):
    """How a commitment result travels; AUTOMATIC: on its own association if the requester is a known peer."""

    SAME_ASSOCIATION = "same association"
    SEPARATE_ASSOCIATION = "separate association"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class CommitmentReply:
    """How one commitment request is answered. ``delay`` in seconds after the N-ACTION response."""

    way: Way = Way.AUTOMATIC
    delay: float = 0.0
    copies: int = 1
    #: the first so many instances are reported as failed
    failures: int = 0
    reason: int = NO_SUCH_OBJECT_INSTANCE
    #: None: that of the request
    transaction_uid: str | None = None


@dataclass(frozen=True, slots=True)
class SubOperations:
    """The counts of a retrieve (PS3.4 C.4.2.1.7)."""

    remaining: int
    completed: int = 0
    failed: int = 0
    warning: int = 0


def pending_status(query: Query) -> int:
    """FF01 if a key was asked that is not supported, else FF00 (PS3.4 Table C.4-1)."""
    return PENDING_UNSUPPORTED_KEYS if query.unsupported else PENDING


def retrieve_status(counts: SubOperations) -> int:
    """The final status of a retrieve (PS3.4 Tables C.4-2, C.4-3)."""
    if counts.failed and not counts.completed and not counts.warning:
        return UNABLE_TO_PERFORM
    return SUB_OPERATIONS_FAILED if counts.failed or counts.warning else 0x0000


def commit(
    transaction_uid: str, references: Sequence[Reference], held: Callable[[str], str | None], repeated: bool
) -> Result:
    """Which instances are safe: ``held`` gives the SOP Class of an archived instance, or None."""
    committed: list[Reference] = []
    failed: list[tuple[Reference, int]] = []
    for reference in references:
        sop_class = held(reference.sop_instance)
        if repeated:
            failed.append((reference, DUPLICATE_TRANSACTION_UID))
        elif sop_class is None:
            failed.append((reference, NO_SUCH_OBJECT_INSTANCE))
        elif sop_class != reference.sop_class:
            failed.append((reference, CLASS_INSTANCE_CONFLICT))
        else:
            committed.append(reference)
    return Result(transaction_uid, tuple(committed), tuple(failed))


@dataclass(frozen=True, slots=True)
class ImageManagerBehaviour:
    """Every decision; a defective archive replaces one of them."""

    #: SOP Classes that are not offered
    refused_classes: frozenset[str] = frozenset()

    # storage
    store_status: Callable[[Request], int] = lambda request: 0x0000
    keeps: Callable[[Request], bool] = lambda request: True

    # query
    rules: MatchingRules = field(default_factory=MatchingRules)
    requires_unique_keys: bool = True
    matches: Callable[[list[Record], Level], list[Record]] = lambda records, level: records
    describe: Callable[[Record, Level], Record] = lambda record, level: record
    write: Callable[..., bytes] = encode
    pending_status: Callable[[Query], int] = pending_status
    honours_cancel: bool = True
    #: levels at which it cannot be asked
    refused_levels: frozenset[Level] = frozenset()

    # retrieve
    unknown_destination_status: int = UNKNOWN_DESTINATION
    selection: Callable[[list[StoredInstance], Level], list[StoredInstance]] = lambda instances, level: instances
    #: attributes that are replaced on the way out, besides what patient updates ask for
    replaced: Callable[[StoredInstance], Record] = lambda instance: instance.revised
    counts: Callable[[SubOperations], SubOperations] = lambda counts: counts
    retrieve_status: Callable[[SubOperations], int] = retrieve_status
    names_originator: bool = True
    #: whether a response tells which instances could not be delivered
    lists_failed: bool = True
    #: attributes by keyword that are lost on the way out
    loses: tuple[str, ...] = ()
    #: whether an instance can be read and sent when it is asked for
    delivers: Callable[[StoredInstance], bool] = lambda instance: True

    # storage commitment
    commit: Callable[[str, Sequence[Reference], Callable[[str], str | None], bool], Result] = commit
    action_status: Callable[[Request], int] = lambda request: 0x0000
    reply: CommitmentReply = field(default_factory=CommitmentReply)
    event_type: Callable[[Result], int] = lambda result: result.event_type
    calls_back: bool = True
    proposes_scp_role: bool = True
    retries_results: bool = True

    # performed procedure steps and availability
    steps: StepBehaviour = field(default_factory=StepBehaviour)
    withdraws_wrong_entries: bool = True
    announces_when_complete: bool = True
    availability: str = "ONLINE"
    notices: Callable[[list[Dataset]], list[Dataset]] = lambda notices: notices
    applies_patient_updates: bool = True
