"""Modality Performed Procedure Steps as a service class provider keeps them (PS3.4 F.7.2).

The decisions are pure functions of what is known and what arrived; the store applies them and keeps every
message that was accepted, so that it can be sent on unchanged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset

from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.model import Request

IN_PROGRESS = "IN PROGRESS"
COMPLETED = "COMPLETED"
DISCONTINUED = "DISCONTINUED"
FINAL = frozenset({COMPLETED, DISCONTINUED})
_STATES = FINAL | {IN_PROGRESS}

INVALID_ATTRIBUTE_VALUE = 0x0106
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
MISSING_ATTRIBUTE = 0x0120
UNRECOGNIZED_OPERATION = 0x0211
#: PS3.4 F.7.2.2.4: the step may no longer be updated
NO_LONGER_UPDATABLE = 0xA710

_STATUS = 0x00400252


@dataclass(frozen=True, slots=True)
class Reply:
    """The status of an N-service with the command elements that explain it."""

    status: int = 0x0000
    fields: Mapping[str, Any] = field(default_factory=dict)


ACCEPTED = Reply()


@dataclass(frozen=True, slots=True)
class PerformedStep:
    """One performed procedure step: its attributes now (a merged data set, not to be changed)."""

    uid: str
    dataset: Dataset

    @property
    def status(self) -> str:
        """Performed Procedure Step Status (0040,0252)."""
        return str(self.dataset.get("PerformedProcedureStepStatus", "") or "").strip()

    @property
    def is_final(self) -> bool:
        """True once it is completed or discontinued."""
        return self.status in FINAL

    @property
    def scheduled_step_ids(self) -> tuple[str, ...]:
        """Scheduled Procedure Step IDs it refers to; empty ones (unscheduled) left out."""
        return tuple(
            str(item.ScheduledProcedureStepID)
            for item in self.dataset.get("ScheduledStepAttributesSequence", None) or ()
            if item.get("ScheduledProcedureStepID")
        )

    @property
    def study_uids(self) -> tuple[str, ...]:
        """Study Instance UIDs of the Scheduled Step Attributes."""
        return tuple(
            str(item.StudyInstanceUID)
            for item in self.dataset.get("ScheduledStepAttributesSequence", None) or ()
            if item.get("StudyInstanceUID")
        )

    @property
    def instances(self) -> tuple[tuple[str, str, str], ...]:
        """(Series Instance UID, SOP Class UID, SOP Instance UID) of everything the Performed Series Sequence lists."""
        return tuple(
            (
                str(series.get("SeriesInstanceUID", "")),
                str(item.get("ReferencedSOPClassUID", "")),
                str(item.get("ReferencedSOPInstanceUID", "")),
            )
            for series in self.dataset.get("PerformedSeriesSequence", None) or ()
            for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
            for item in series.get(keyword, None) or ()
        )

    @property
    def discontinuation_reason(self) -> str:
        """Code value of the discontinuation reason (CID 9300), empty if none is given."""
        items = self.dataset.get("PerformedProcedureStepDiscontinuationReasonCodeSequence", None) or ()
        return str(items[0].get("CodeValue", "")) if items else ""


def admit_creation(dataset: Dataset, known: PerformedStep | None) -> Reply:
    """Whether an N-CREATE is accepted: only new instances, only IN PROGRESS (PS3.4 F.7.2.1.2, PS3.7 10.1.5)."""
    if known is not None:
        return Reply(DUPLICATE_INSTANCE)
    status = str(dataset.get("PerformedProcedureStepStatus", "") or "").strip()
    if status != IN_PROGRESS:
        return Reply(INVALID_ATTRIBUTE_VALUE, {"ErrorComment": f"status is {status or 'empty'}"[:64]})
    return ACCEPTED


def admit_change(dataset: Dataset, known: PerformedStep | None) -> Reply:
    """Whether an N-SET is accepted: a known step that is not final, a status that exists (PS3.4 F.7.2.2.2)."""
    if known is None:
        return Reply(NO_SUCH_INSTANCE)
    if known.is_final:
        comment = "Performed Procedure Step Object may no longer be updated"
        return Reply(PROCESSING_FAILURE, {"ErrorID": NO_LONGER_UPDATABLE, "ErrorComment": comment})
    status = str(dataset.get("PerformedProcedureStepStatus", IN_PROGRESS) or "").strip()
    if status not in _STATES:
        return Reply(INVALID_ATTRIBUTE_VALUE, {"ErrorComment": f"status is {status or 'empty'}"[:64]})
    return ACCEPTED


def merge(known: Dataset, change: Dataset) -> Dataset:
    """The attributes after an N-SET: what it holds replaces what was there, whole sequences included."""
    merged = Dataset()
    merged.update(known)
    merged.update(change)
    return merged


@dataclass(frozen=True, slots=True)
class StepBehaviour:
    """The decisions of a provider of performed procedure steps that the standard regulates."""

    admit_creation: Callable[[Dataset, PerformedStep | None], Reply] = admit_creation
    admit_change: Callable[[Dataset, PerformedStep | None], Reply] = admit_change
    merge: Callable[[Dataset, Dataset], Dataset] = merge


class PerformedSteps:
    """All performed procedure steps of one provider; thread-safe."""

    def __init__(self, behaviour: StepBehaviour | None = None) -> None:
        self._behaviour = behaviour or StepBehaviour()
        self._lock = threading.RLock()
        self._steps: dict[str, PerformedStep] = {}

    def apply(self, request: Request, uid: str) -> Reply:
        """Apply an N-CREATE-RQ or N-SET-RQ; anything else is an unrecognized operation (0211)."""
        if request.kind not in ("N-CREATE-RQ", "N-SET-RQ"):
            return Reply(UNRECOGNIZED_OPERATION)
        try:
            dataset = request.dataset()
        except WireError:
            return Reply(PROCESSING_FAILURE, {"ErrorComment": "the data set cannot be read"})
        return self.create(uid, dataset) if request.kind == "N-CREATE-RQ" else self.change(uid, dataset)

    def create(self, uid: str, dataset: Dataset) -> Reply:
        """Apply an N-CREATE."""
        with self._lock:
            reply = self._behaviour.admit_creation(dataset, self._steps.get(uid))
            if reply.status == 0:
                self._steps[uid] = PerformedStep(uid, dataset)
            return reply

    def change(self, uid: str, dataset: Dataset) -> Reply:
        """Apply an N-SET."""
        with self._lock:
            known = self._steps.get(uid)
            reply = self._behaviour.admit_change(dataset, known)
            if reply.status == 0:
                before = known.dataset if known else Dataset()
                self._steps[uid] = PerformedStep(uid, self._behaviour.merge(before, dataset))
            return reply

    def get(self, uid: str) -> PerformedStep | None:
        """The step of that SOP Instance UID as it is now, or None."""
        with self._lock:
            return self._steps.get(uid)

    @property
    def steps(self) -> tuple[PerformedStep, ...]:
        """Every step, oldest first."""
        with self._lock:
            return tuple(self._steps.values())


def selected(dataset: Dataset, tags: tuple[int, ...]) -> Dataset:
    """The attributes that an N-GET asks for; all of them if it names none."""
    if not tags:
        return dataset
    chosen = Dataset()
    for tag in (0x00080005, *tags):
        if tag in dataset:
            chosen[tag] = dataset[tag]
    return chosen
