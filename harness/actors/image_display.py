"""A simulated Image Display: queries, retrieves by C-MOVE to its own Storage SCP, or by C-GET (RAD-14 to RAD-17)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor, answered, sop_instance
from harness.actors.archive_keys import Level
from harness.actors.records import assign
from harness.actors.worklist_user import Replies, collect, last_sent
from harness.core.message import Blob
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address, Answer, Operation, Proposal, Request, Response
from harness.protocols.dicom.uids import (
    ALL_TRANSFER_SYNTAXES,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)

#: the return keys of RAD TF-2 Table 4.14-1
RETURN_KEYS: Mapping[Level, tuple[str, ...]] = {
    Level.PATIENT: ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    Level.STUDY: (
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "ModalitiesInStudy",
        "ReferringPhysicianName",
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyID",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ),
    Level.SERIES: (
        "Modality",
        "SeriesNumber",
        "SeriesInstanceUID",
        "NumberOfSeriesRelatedInstances",
        "RequestAttributesSequence",
        "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime",
    ),
    Level.IMAGE: (
        "SOPClassUID",
        "SOPInstanceUID",
        "InstanceNumber",
        "Rows",
        "Columns",
        "BitsAllocated",
        "NumberOfFrames",
    ),
}


#: what is asked of the items of a sequence
_WITHIN: Mapping[str, tuple[str, ...]] = {
    "RequestAttributesSequence": ("RequestedProcedureID", "ScheduledProcedureStepID"),
}


@dataclass(frozen=True, slots=True)
class Received:
    """One instance that a retrieve brought, exactly as it came."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    payload: Blob

    def dataset(self) -> Dataset:
        """The instance, decoded. Raises WireError if it cannot be read."""
        return decode(self.payload, self.transfer_syntax, pixels=True)


@dataclass(frozen=True, slots=True)
class ImageDisplayBehaviour:
    """The decisions of a display: what it asks for, where it wants it, what it takes, and what it tells its user."""

    #: the identifier of a query, as it goes out
    asked: Callable[[Dataset], Dataset] = lambda identifier: identifier
    #: whether a user's question reaches the archive at all
    asks: bool = True
    #: the move destination, from its own AE title
    destination: Callable[[str], str] = lambda own: own
    #: SOP Classes that its Storage SCP does not offer
    refused_classes: frozenset[str] = frozenset()
    #: the status that each C-STORE sub-operation is answered with
    store_status: Callable[[Request], int] = lambda request: 0x0000
    #: what a user sees of an action: ``entries`` and ``error``
    told: Callable[[dict[str, Any]], dict[str, Any]] = lambda answers: answers


class ImageDisplay(SimulatedActor):
    """Keeps what it is sent in memory, in the order of arrival."""

    slug = "image-display"
    name = "Image Display"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: ImageDisplayBehaviour | None = None,
        peers: Mapping[str, Address] | None = None,
        storage_classes: Sequence[str] = STORAGE,
        transfer_syntaxes: Sequence[str] = ALL_TRANSFER_SYNTAXES,
    ) -> None:
        self.behaviour = behaviour or ImageDisplayBehaviour()
        self._storage_classes = storage_classes
        self._transfer_syntaxes = transfer_syntaxes
        self._arrived = threading.Condition()
        self._received: list[Received] = []
        self._breaking_off: Operation | None = None
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        classes = [uid for uid in self._storage_classes if uid not in self.behaviour.refused_classes]
        self.node.serve(classes, self._store, transfer_syntaxes=self._transfer_syntaxes)

    def _store(self, request: Request) -> Response | Iterator[Response]:
        status = self.behaviour.store_status(request)
        if status & 0xF000 not in (0xA000, 0xC000):
            received = Received(
                request.abstract_syntax, sop_instance(request), request.transfer_syntax, request.payload
            )
            with self._arrived:
                self._received.append(received)
                self._arrived.notify_all()
        operation, self._breaking_off = self._breaking_off, None
        return Response(status) if operation is None else answered(Response(status), operation.cancel)

    # -- what scenarios ask of it --------------------------------------------------------------------------

    @property
    def received(self) -> tuple[Received, ...]:
        """Everything that was stored to it, in the order of arrival."""
        with self._arrived:
            return tuple(self._received)

    def reset(self) -> None:
        """Forget what was received."""
        with self._arrived:
            self._received.clear()

    def wait_for(self, count: int, timeout: float) -> bool:
        """True once so many instances are there; False if that takes longer than ``timeout`` seconds."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._received) >= count, timeout)

    def query(
        self,
        peer: Address,
        level: Level | str,
        keys: Mapping[str, Any] | None = None,
        *,
        patient_root: bool = False,
        returned: Sequence[str] | None = None,
        character_set: Sequence[str] = (),
        transfer_syntaxes: Sequence[str] = (IMPLICIT_VR_LE, EXPLICIT_VR_LE),
        cancel_after: int | None = None,
    ) -> Replies:
        """One C-FIND; ``returned`` None asks for the return keys of the level. Raises PeerError."""
        model = PATIENT_ROOT_FIND if patient_root else STUDY_ROOT_FIND
        if returned is None and patient_root and level == Level.STUDY:
            # what a patient has is asked of patients (PS3.4 Tables C.6-1 and C.6-2)
            returned = [k for k in RETURN_KEYS[Level.STUDY] if k not in RETURN_KEYS[Level.PATIENT]]
        asked = self.behaviour.asked(identifier(level, keys or {}, returned, character_set=character_set))
        with self.node.connect(peer, [Proposal(model, tuple(transfer_syntaxes))]) as association:
            return collect(association, self.recorder, model, asked, cancel_after)

    def move(
        self,
        peer: Address,
        level: Level | str,
        keys: Mapping[str, Any],
        *,
        destination: str | None = None,
        patient_root: bool = False,
        cancel_after: int | None = None,
        break_off: bool = False,
    ) -> Replies:
        """One C-MOVE, to itself unless another ``destination`` is given.

        Cancelled after so many pending responses, or (``break_off``) once one instance is there. Raises PeerError.
        """
        model = PATIENT_ROOT_MOVE if patient_root else STUDY_ROOT_MOVE
        asked = identifier(level, keys, ())
        with self.node.connect(peer, [Proposal(model)]) as association:
            where = self.behaviour.destination(self.ae_title) if destination is None else destination
            operation = association.move_iter(model, asked, where)
            self._breaking_off = operation if break_off else None
            return _finish(operation, last_sent(self.recorder, "C-MOVE-RQ", association), cancel_after)

    def get(
        self,
        peer: Address,
        level: Level | str,
        keys: Mapping[str, Any],
        *,
        storage_classes: Sequence[str],
        patient_root: bool = False,
        transfer_syntaxes: Sequence[str] = (EXPLICIT_VR_LE, IMPLICIT_VR_LE),
        break_off: bool = False,
    ) -> Replies:
        """One C-GET; instances of these storage classes are accepted on the same association.

        With ``break_off`` it is cancelled once one instance is there. Raises PeerError.
        """
        model = PATIENT_ROOT_GET if patient_root else STUDY_ROOT_GET
        proposals = [Proposal(model)] + [
            Proposal(uid, tuple(transfer_syntaxes), scu_role=False, scp_role=True) for uid in storage_classes
        ]
        with self.node.connect(peer, proposals) as association:
            operation = association.get_iter(model, identifier(level, keys, ()), self._store)
            self._breaking_off = operation if break_off else None
            return _finish(operation, last_sent(self.recorder, "C-GET-RQ", association), None)


def identifier(
    level: Level | str,
    keys: Mapping[str, Any],
    returned: Sequence[str] | None = None,
    *,
    character_set: Sequence[str] = (),
) -> Dataset:
    """A query or retrieve identifier of that level; None asks for the return keys of the level."""
    if returned is None:
        returned = RETURN_KEYS.get(Level(level), ()) if level in tuple(Level) else ()
    dataset = Dataset()
    if character_set:
        dataset.SpecificCharacterSet = list(character_set)
    dataset.QueryRetrieveLevel = str(level)
    for keyword in dict.fromkeys((*returned, *keys)):
        assign(dataset, keyword, keys.get(keyword) or _asked_within(keyword), tuple(character_set))
    return dataset


def _asked_within(keyword: str) -> list[Dataset] | None:
    """An item of empty keys for a sequence of which parts are asked (PS3.4 C.2.2.2.6), None for anything else."""
    if keyword not in _WITHIN:
        return None
    item = Dataset()
    for inner in _WITHIN[keyword]:
        assign(item, inner)
    return [item]


def _finish(operation: Operation, request: int, cancel_after: int | None) -> Replies:
    pending: list[Answer] = []
    for answer in operation:
        if not answer.is_pending:
            return Replies(request, answer, tuple(pending))
        pending.append(answer)
        if cancel_after is not None and len(pending) == cancel_after:
            operation.cancel()
    raise AssertionError("an operation ends with a final answer or raises")  # pragma: no cover
