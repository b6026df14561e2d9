"""A simulated Image Manager/Archive: storage, commitment, query, retrieve, performed steps, availability.

RAD-8, 9, 18, 19, 29, 43 (storage), RAD-10, RAD-11, RAD-14 to 17, 30, 31, 44, 45, RAD-6 and 7 as receiver, RAD-49.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor, answered, sop_instance
from harness.actors.archive import Archive, Unacceptable
from harness.actors.archive_keys import KNOWN_KEYS, Level
from harness.actors.availability import AwaitedInstances, notifications
from harness.actors.commitment import CommitmentProvider
from harness.actors.courier import Courier
from harness.actors.image_manager_behaviour import CommitmentReply, ImageManagerBehaviour
from harness.actors.matching import MatchingRules, Query
from harness.actors.objects import UidSource, uid_source
from harness.actors.order_filler import INCORRECT_WORKLIST_ENTRY
from harness.actors.performed_steps import DISCONTINUED, PerformedStep, PerformedSteps
from harness.actors.query_retrieve import QueryRetrieve
from harness.actors.records import Record, items, mapping_from_record, tag_of, text
from harness.core.message import Blob
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.node import Address, Handler, Proposal, Request, Response
from harness.protocols.dicom.uids import (
    ALL_TRANSFER_SYNTAXES,
    INSTANCE_AVAILABILITY,
    MPPS,
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE,
    STORAGE_COMMITMENT,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)

UNRECOGNIZED_OPERATION = 0x0211
_REFERENCED_STEPS = tag_of("ReferencedPerformedProcedureStepSequence")


class ImageManager(SimulatedActor):
    """An archive that keeps what it is sent in ``storage`` (None: until it stops) and answers for it."""

    slug = "image-manager"
    name = "Image Manager/Archive"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: ImageManagerBehaviour | None = None,
        storage: Path | None = None,
        peers: Mapping[str, Address] | None = None,
        receivers: Sequence[Address] = (),
        storage_classes: Sequence[str] = STORAGE,
        transfer_syntaxes: Sequence[str] = ALL_TRANSFER_SYNTAXES,
        retry: float = 1.0,
        uid: UidSource | None = None,
    ) -> None:
        self.behaviour = behaviour or ImageManagerBehaviour()
        self.archive = Archive(storage)
        self.performed = PerformedSteps(self.behaviour.steps)
        self._storage_classes = storage_classes
        self._transfer_syntaxes = transfer_syntaxes
        self._uid = uid or uid_source()
        self._retry = retry
        self._awaited = AwaitedInstances()
        self._withdrawn: set[str] = set()
        super().__init__(ae_title, recorder, host, port, peers=peers)
        self._couriers = [
            Courier[tuple[str, Dataset]](
                f"{ae_title} availability to {receiver.ae_title}",
                self._notify_of(receiver),
                recorder.fault,
                retry=retry,
            )
            for receiver in receivers
        ]

    def _serve(self) -> None:
        self.commitment = CommitmentProvider(
            self.node, self.behaviour, self._held, self.peers, self.recorder, retry=self._retry
        )
        service = QueryRetrieve(self.node, self.archive, self.behaviour, self.peers)
        offers: list[tuple[Sequence[str], Handler]] = [
            ([STORAGE_COMMITMENT], self.commitment.action),
            ([PATIENT_ROOT_FIND, STUDY_ROOT_FIND], service.find),
            ([PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE], service.move),
            ([PATIENT_ROOT_GET, STUDY_ROOT_GET], service.get),
            ([MPPS], self._step),
        ]
        refused = self.behaviour.refused_classes
        stored = [uid for uid in self._storage_classes if uid not in refused]
        # a requestor of C-GET takes the SCP role for storage
        self.node.serve(stored, self._store, transfer_syntaxes=self._transfer_syntaxes, scp_role=True)
        for classes, handler in offers:
            self.node.serve([uid for uid in classes if uid not in refused], handler)

    def _started(self) -> None:
        self.commitment.start()
        for courier in self._couriers:
            courier.start()

    def _stopping(self) -> None:
        self.commitment.stop()
        for courier in self._couriers:
            courier.stop()

    def stop(self) -> None:
        """Stop listening, then close the archive; an archive without a directory is gone."""
        super().stop()
        self.archive.close()

    # -- what scenarios ask of it --------------------------------------------------------------------------

    def commit_with(self, *replies: CommitmentReply) -> None:
        """Script the next commitment requests, one reply each."""
        self.commitment.reply_with(*replies)

    def reset(self) -> None:
        """Drop scripted replies; what was stored stays."""
        self.commitment.forget_script()

    def load(self, datasets: Sequence[Dataset], transfer_syntax: str) -> None:
        """Put objects into the archive without the network, and note them as KNOWN-OBJECTS."""
        for dataset in datasets:
            payload = Blob.of(encode(dataset, transfer_syntax))
            self.archive.store(
                payload,
                transfer_syntax=transfer_syntax,
                sop_class=str(dataset.SOPClassUID),
                sop_instance=str(dataset.SOPInstanceUID),
            )
        self.note_known_objects()

    def note_known_objects(self) -> None:
        """Note every archived instance with the attributes that queries compare."""
        everything = Query.of(Dataset(), KNOWN_KEYS[Level.IMAGE], MatchingRules())
        found = self.archive.index.find(Level.IMAGE, everything)
        self.note("KNOWN-OBJECTS", {"instances": [mapping_from_record(record) for record in found]})

    def update_patient(self, patient_id: str, issuer: str, values: Mapping[str, Any]) -> bool:
        """Apply a patient update (RAD-12 A08): demographics by keyword. False if nobody has that ID."""
        if not self.behaviour.applies_patient_updates:
            return True
        return self.archive.index.update_patient(patient_id, issuer, values)

    def merge_patients(self, old: tuple[str, str], new: tuple[str, str], values: Mapping[str, Any]) -> bool:
        """Apply a merge (RAD-12 A40) of (ID, issuer) into another. False if nobody has the old ID."""
        if not self.behaviour.applies_patient_updates:
            return True
        return self.archive.index.merge_patients(old, new, values)

    def _held(self, uid: str) -> str | None:
        instance = self.archive.index.instance(uid)
        return instance.sop_class if instance is not None else None

    # -- RAD-8 ---------------------------------------------------------------------------------------------

    def _store(self, request: Request) -> Response | Iterator[Response]:
        uid = sop_instance(request)
        status = self.behaviour.store_status(request)
        if status & 0xF000 in (0xA000, 0xC000) or request.kind != "C-STORE-RQ":
            return Response(status or UNRECOGNIZED_OPERATION)
        if not self.behaviour.keeps(request):
            return Response(status)
        try:
            stored = self.archive.store(
                request.payload,
                transfer_syntax=request.transfer_syntax,
                sop_class=request.abstract_syntax,
                sop_instance=uid,
                source=request.association.calling_ae,
            )
        except Unacceptable as problem:
            return Response(problem.status, None, {"ErrorComment": str(problem)[:64]})
        if self._withdrawn and _steps_of(stored.record) & self._withdrawn:
            self.archive.index.hide([uid])
        complete = self._awaited.arrived(uid)
        response = Response(status)
        return answered(response, lambda: self._announce(complete)) if complete else response

    # -- RAD-6, RAD-7 --------------------------------------------------------------------------------------

    def _step(self, request: Request) -> Response | Iterator[Response]:
        uid = sop_instance(request) or self._uid()
        reply = self.performed.apply(request, uid)
        response = Response(reply.status, None, {"AffectedSOPInstanceUID": uid, **reply.fields})
        step = self.performed.get(uid)
        if reply.status != 0 or step is None or not step.is_final:
            return response
        return answered(response, lambda: self._ended(step))

    def _ended(self, step: PerformedStep) -> None:
        wrong_entry = step.status == DISCONTINUED and step.discontinuation_reason == INCORRECT_WORKLIST_ENTRY
        if wrong_entry:
            if self.behaviour.withdraws_wrong_entries:
                self._withdrawn.add(step.uid)
                referring = [instance.sop_instance for instance in self.archive.index.of_step(step.uid)]
                self.archive.index.hide([*referring, *(uid for _, _, uid in step.instances)])
            return
        if not step.instances:
            return
        missing = {uid for _, _, uid in step.instances if self._held(uid) is None}
        if missing and self.behaviour.announces_when_complete:
            self._awaited.expect(step, missing)
            for uid in missing:
                if self._held(uid) is not None:  # it arrived meanwhile
                    self._announce(self._awaited.arrived(uid))
        else:
            self._announce([step])

    # -- RAD-49 --------------------------------------------------------------------------------------------

    def _announce(self, steps: Sequence[PerformedStep]) -> None:
        for step in steps:
            for notice in self.behaviour.notices(notifications(step, self.ae_title, self.behaviour.availability)):
                for courier in self._couriers:
                    courier.post((self._uid(), notice))

    def wait_announced(self, timeout: float) -> bool:
        """True once every notification is delivered; False if that takes longer than ``timeout`` seconds."""
        return all(courier.wait_idle(timeout) for courier in self._couriers)

    def _notify_of(self, receiver: Address) -> Callable[[tuple[str, Dataset]], None]:
        def deliver(job: tuple[str, Dataset]) -> None:
            uid, notice = job
            with self.node.connect(receiver, [Proposal(INSTANCE_AVAILABILITY)]) as association:
                association.n_create(INSTANCE_AVAILABILITY, uid, notice)

        return deliver


def _steps_of(record: Record) -> set[str]:
    tag = tag_of("ReferencedSOPInstanceUID")
    return {text(item, tag) for item in items(record, _REFERENCED_STEPS)}
