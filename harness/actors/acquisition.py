"""A simulated Acquisition Modality that sends: worklist, performed steps, images and commitment (RAD-5 to 8, 10).

It stands on the other side of Order Fillers, PPS Managers and Image Managers under test. The reference modality,
which is a product of its own, stands for modalities under test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from harness.actors import step_messages
from harness.actors.objects import Sample, SeriesPlan, StudyPlan, Subject, UidSource, make
from harness.actors.orders.values import Code
from harness.actors.sender import Sender, SenderBehaviour
from harness.actors.step_messages import UNSPECIFIED_REASON, StepPlan
from harness.actors.worklist_user import WorklistUser
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.node import Address, Answer
from harness.protocols.dicom.uids import MPPS


@dataclass(frozen=True, slots=True)
class Exam:
    """One performed step from beginning to end: what was sent, and how each message was answered."""

    uid: str
    plan: StepPlan
    samples: tuple[Sample, ...]
    created: Answer
    stored: tuple[Answer, ...] = ()
    ended: Answer | None = None

    @property
    def accepted(self) -> bool:
        """True if every message was answered with success."""
        answers = (self.created, *self.stored, *([self.ended] if self.ended else []))
        return all(answer.status == 0 for answer in answers)


class Acquisition(Sender):
    """Performs scheduled, grouped, appended, abandoned and unscheduled steps with images that fit them."""

    slug = "acquisition-modality"
    name = "Acquisition Modality"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: SenderBehaviour | None = None,
        peers: Mapping[str, Address] | None = None,
        uid: UidSource | None = None,
    ) -> None:
        super().__init__(ae_title, recorder, host, port, behaviour=behaviour, peers=peers, uid=uid)
        self.worklist = WorklistUser(self.node, recorder)
        self._numbers: Iterator[int] = itertools.count(1)

    def plan(self, modality: str = "CT", subject: Subject | None = None, *, description: str = "") -> StepPlan:
        """A performed step with an ID and a spare study UID of its own."""
        number = next(self._numbers)
        return StepPlan(
            pps_id=f"PPS{number:05}",
            study_uid=self.uid(),
            station_ae_title=self.ae_title,
            modality="OT" if modality == "SC" else modality,
            description=description,
            subject=subject or Subject(),
        )

    def acquire(
        self, entries: Sequence[Dataset], plan: StepPlan, step_uid: str, *, images: int = 2, modality: str = ""
    ) -> list[Sample]:
        """Images of a step, identified as RAD TF-2 Appendix A asks; one series."""
        kind = modality or (plan.modality if plan.modality != "OT" else "SC")
        study = StudyPlan(
            _subject(entries, plan),
            (SeriesPlan(kind, images, plan.description),),
            uid=step_messages.study_uid_of(entries, plan),
            accession_number=_shared(entries, "AccessionNumber"),
            study_id=plan.study_id or (str(entries[0].get("RequestedProcedureID", "") or "") if entries else ""),
            date=plan.start_date,
            time=plan.start_time,
            referring_physician=_shared(entries, "ReferringPhysicianName"),
        )
        samples = make([study], self.uid)
        for sample in samples:
            dataset = sample.dataset
            performed = Dataset()
            performed.ReferencedSOPClassUID, performed.ReferencedSOPInstanceUID = MPPS, step_uid
            dataset.ReferencedPerformedProcedureStepSequence = [performed]
            dataset.PerformedProcedureStepID = plan.pps_id
            dataset.PerformedProcedureStepStartDate = plan.start_date
            dataset.PerformedProcedureStepStartTime = plan.start_time
            dataset.PerformedProcedureStepDescription = plan.description
            for keyword, items in (
                ("RequestAttributesSequence", step_messages.request_attributes(entries)),
                ("ReferencedStudySequence", step_messages.referenced_studies(entries)),
                ("ProcedureCodeSequence", step_messages.procedure_codes(entries, plan)),
                ("PerformedProtocolCodeSequence", step_messages.protocol_codes(entries, plan)),
            ):
                if items:
                    setattr(dataset, keyword, items)
        return samples

    def perform(
        self,
        entries: Sequence[Dataset],
        steps: Address,
        archive: Address | None = None,
        *,
        plan: StepPlan | None = None,
        images: int = 2,
        abandon: bool = False,
        reason: Code | None = UNSPECIFIED_REASON,
    ) -> Exam:
        """Create a step, store its images and end it. Entries: none is unscheduled, several are a group.

        Performing the same entry again appends. Raises PeerError.
        """
        chosen = plan or self.plan_for(entries)
        created = step_messages.creation(entries, chosen)
        uid, answer = self.create_step(steps, created)
        samples = self.acquire(entries, chosen, uid, images=images) if images else []
        stored = self.store(archive, samples) if archive is not None and samples else []
        if abandon:
            final = step_messages.discontinuation(samples, chosen, created, reason)
        else:
            final = step_messages.completion(samples, chosen, created)
        ended = self.set_step(steps, uid, final)
        return Exam(uid, chosen, tuple(samples), answer, tuple(stored), ended)

    def plan_for(self, entries: Sequence[Dataset]) -> StepPlan:
        """A performed step for these worklist entries; its modality is that of the first."""
        modality = str(step_messages.scheduled_step(entries[0]).get("Modality", "") or "CT") if entries else "CT"
        known = modality if modality in ("CT", "MR", "CR", "DX", "US") else "SC"
        return replace(self.plan(known), modality=modality)


def _subject(entries: Sequence[Dataset], plan: StepPlan) -> Subject:
    if not entries:
        return plan.subject
    entry = entries[0]
    declared = entry.get("SpecificCharacterSet", None) or ()
    return Subject(
        str(entry.get("PatientName", "") or ""),
        str(entry.get("PatientID", "") or ""),
        str(entry.get("PatientBirthDate", "") or ""),
        str(entry.get("PatientSex", "") or ""),
        (declared,) if isinstance(declared, str) else tuple(declared),
        str(entry.get("IssuerOfPatientID", "") or ""),
    )


def _shared(entries: Sequence[Dataset], keyword: str) -> str:
    """The value that all entries have; empty if they differ, as images of a group leave it."""
    values = {str(entry.get(keyword, "") or "") for entry in entries}
    return values.pop() if len(values) == 1 else ""
