"""Asking a worklist (RAD-5) as a modality does, and asking an archive (RAD-14, RAD-16) as a display does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.records import assign, tag_of
from harness.actors.worklist import STEP_KEYS
from harness.core.message import Direction
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.node import Address, Answer, Association, Node, Proposal
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, IMPLICIT_VR_LE, MODALITY_WORKLIST

#: the return keys of RAD TF-2 Table 4.5-3
RETURN_KEYS = (
    "AccessionNumber",
    "ReferringPhysicianName",
    "ReferencedStudySequence",
    "ReferencedPatientSequence",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientWeight",
    "MedicalAlerts",
    "Allergies",
    "PregnancyStatus",
    "SpecialNeeds",
    "StudyInstanceUID",
    "RequestingPhysician",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
    "AdmissionID",
    "CurrentPatientLocation",
    "PatientState",
    "RequestedProcedureID",
    "RequestedProcedurePriority",
    "PatientTransportArrangements",
    "ConfidentialityConstraintOnPatientDataDescription",
    "Modality",
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "ScheduledPerformingPhysicianName",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
    "ScheduledProcedureStepID",
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
)


@dataclass(frozen=True, slots=True)
class Replies:
    """What came back for one request: the final answer and the pending ones; ``request`` is its ``seq``."""

    request: int
    final: Answer
    pending: tuple[Answer, ...] = ()

    @property
    def status(self) -> int:
        """The final status."""
        return self.final.status

    def datasets(self) -> list[Dataset]:
        """The identifiers of the pending answers, decoded. Raises WireError for bytes that cannot be read."""
        return [answer.dataset() for answer in self.pending]


def transcript_of(recorder: Transcript | Recorder) -> Transcript:
    """The transcript that is written now."""
    return recorder.target if isinstance(recorder, Recorder) else recorder


def last_sent(recorder: Transcript | Recorder, kind: str, association: Association) -> int:
    """The ``seq`` of the newest message of that kind that went out on an association; 0 if there is none."""
    sent = transcript_of(recorder).select(
        kind, direction=Direction.TO_SUT, where=lambda message: message.association == association.id
    )
    return sent[-1].seq if sent else 0


def identifier(
    keys: Mapping[str, Any], returned: Sequence[str] = RETURN_KEYS, *, character_set: Sequence[str] = ()
) -> Dataset:
    """A worklist identifier: ``keys`` by keyword of either level, ``returned`` keywords with zero length.

    Raises KeyError for a word that is no DICOM keyword.
    """
    dataset, step = Dataset(), Dataset()
    if character_set:
        dataset.SpecificCharacterSet = list(character_set)
    for keyword in dict.fromkeys((*returned, *keys)):
        tag = tag_of(keyword)
        place = step if tag in STEP_KEYS else dataset
        assign(place, keyword, keys.get(keyword))
    dataset.ScheduledProcedureStepSequence = [step]
    return dataset


class WorklistUser:
    """The worklist side of a modality; ``node`` is its application entity."""

    def __init__(self, node: Node, recorder: Transcript | Recorder) -> None:
        self._node = node
        self._recorder = recorder

    def query(
        self,
        peer: Address,
        keys: Mapping[str, Any] | Dataset | None = None,
        *,
        returned: Sequence[str] = RETURN_KEYS,
        character_set: Sequence[str] = (),
        transfer_syntaxes: Sequence[str] = (IMPLICIT_VR_LE, EXPLICIT_VR_LE),
        cancel_after: int | None = None,
    ) -> Replies:
        """One worklist query; ``cancel_after`` sends C-CANCEL after so many matches. Raises PeerError."""
        asked = keys if isinstance(keys, Dataset) else identifier(keys or {}, returned, character_set=character_set)
        proposals = [Proposal(MODALITY_WORKLIST, tuple(transfer_syntaxes))]
        if IMPLICIT_VR_LE in transfer_syntaxes and len(transfer_syntaxes) > 1:
            # alone as well: a provider that takes another encoding where it may choose has shown nothing of this one
            proposals.append(Proposal(MODALITY_WORKLIST, (IMPLICIT_VR_LE,)))
        with self._node.connect(peer, proposals) as association:
            return collect(association, self._recorder, MODALITY_WORKLIST, asked, cancel_after)


def collect(
    association: Association,
    recorder: Transcript | Recorder,
    model: str,
    asked: Dataset,
    cancel_after: int | None = None,
) -> Replies:
    """Send one C-FIND and read it to its end; ``cancel_after`` 0 cancels it at once. Raises PeerError."""
    operation = association.find_iter(model, asked)
    request = last_sent(recorder, "C-FIND-RQ", association)
    if cancel_after == 0:
        operation.cancel()
    pending: list[Answer] = []
    for answer in operation:
        if not answer.is_pending:
            return Replies(request, answer, tuple(pending))
        pending.append(answer)
        if cancel_after is not None and len(pending) == cancel_after:
            operation.cancel()
    raise AssertionError("an operation ends with a final answer or raises")  # pragma: no cover
