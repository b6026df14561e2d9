"""A simulated Evidence Creator: derived images, creator steps (RAD-18, 20, 21, 10) and documents (RAD-29, 43)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from harness.actors import evidence_documents, step_messages
from harness.actors.acquisition import Exam
from harness.actors.archive_keys import Level
from harness.actors.image_display import identifier
from harness.actors.objects import SOP_CLASSES, Sample, SeriesPlan, StudyPlan, Subject, UidSource, make
from harness.actors.sender import Sender, SenderBehaviour
from harness.actors.step_messages import StepPlan
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address, Proposal, Request, Response
from harness.protocols.dicom.uids import MPPS, STUDY_ROOT_GET

_COPIED = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "ReferencedStudySequence",
    "RequestAttributesSequence",
)


@dataclass(frozen=True, slots=True)
class EvidenceCreatorBehaviour:
    """The decisions of an evidence creator; each edits what the healthy one would send."""

    #: a derived image, and the image that it was made of
    finish: Callable[[Dataset, Dataset], None] = lambda derived, source: None
    created: Callable[[Dataset], None] = lambda dataset: None
    ended: Callable[[Dataset], None] = lambda dataset: None
    reports_end: bool = True
    #: what commitment is asked for; nothing: it is not asked
    to_commit: Callable[[Sequence[Sample]], Sequence[Sample]] = lambda samples: samples
    #: key image notes and evidence documents as they are stored
    written: Callable[[list[Dataset]], list[Dataset]] = lambda documents: documents


class EvidenceCreator(Sender):
    """Makes secondary captures of what others acquired, and documents about it."""

    slug = "evidence-creator"
    name = "Evidence Creator"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: SenderBehaviour | None = None,
        evidence: EvidenceCreatorBehaviour | None = None,
        peers: Mapping[str, Address] | None = None,
        uid: UidSource | None = None,
    ) -> None:
        self.evidence = evidence or EvidenceCreatorBehaviour()
        super().__init__(ae_title, recorder, host, port, behaviour=behaviour, peers=peers, uid=uid)

    def fetch(self, archive: Address, study_uid: str) -> list[Dataset]:
        """The images of a study, by C-GET; other objects are left where they are. Raises PeerError."""
        found: list[Dataset] = []

        def keep(request: Request) -> Response:
            found.append(decode(request.payload, request.transfer_syntax, pixels=True))
            return Response()

        proposals = [Proposal(STUDY_ROOT_GET)] + [
            Proposal(uid, scu_role=False, scp_role=True) for uid in SOP_CLASSES.values()
        ]
        with self.node.connect(archive, proposals) as association:
            association.get(STUDY_ROOT_GET, identifier(Level.STUDY, {"StudyInstanceUID": study_uid}, ()), keep)
        return found

    def derive(self, sources: Sequence[Dataset], *, step_uid: str = "", plan: StepPlan | None = None) -> list[Sample]:
        """One derived image per source, all of one study: its patient, study and request data, a new series.

        With a creator step they refer to it (PS3.3 A.1.2, C.7.6.1.1.2, C.12.4.1.1).
        """
        study = StudyPlan(Subject(), (SeriesPlan("SC", len(sources), "Derived"),))
        samples = make([study], self.uid)
        for sample, source in zip(samples, sources, strict=True):
            dataset = sample.dataset
            for keyword in _COPIED:
                if keyword in source:
                    dataset[keyword] = source[keyword]
                elif keyword in dataset:
                    del dataset[keyword]
            dataset.SeriesNumber = 900
            dataset.ImageType = ["DERIVED", "SECONDARY"]
            dataset.DerivationDescription = "Copy with new grey values"
            reference = Dataset()
            reference.ReferencedSOPClassUID = source.SOPClassUID
            reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
            dataset.SourceImageSequence = [reference]
            if step_uid and plan is not None:
                performed = Dataset()
                performed.ReferencedSOPClassUID, performed.ReferencedSOPInstanceUID = MPPS, step_uid
                dataset.ReferencedPerformedProcedureStepSequence = [performed]
                dataset.PerformedProcedureStepID = plan.pps_id
                dataset.PerformedProcedureStepStartDate = plan.start_date
                dataset.PerformedProcedureStepStartTime = plan.start_time
            self.evidence.finish(dataset, source)
        return samples

    def plan_for(self, sources: Sequence[Dataset]) -> StepPlan:
        """A creator step on the study of these images."""
        first = sources[0]
        plan = StepPlan(
            pps_id=f"EC{self.uid()[-8:]}",
            study_uid=str(first.StudyInstanceUID),
            station_ae_title=self.ae_title,
            modality="OT",
            study_id=str(first.get("StudyID", "") or ""),
            subject=_subject(first),
        )
        return replace(plan, start_date=str(first.StudyDate) or plan.start_date)

    def perform(self, sources: Sequence[Dataset], steps: Address, archive: Address) -> Exam:
        """A creator step on a study: create it, store the derived images, complete it. Raises PeerError."""
        plan = self.plan_for(sources)
        created = step_messages.creation([], plan)
        self.evidence.created(created)
        uid, answer = self.create_step(steps, created)
        samples = self.derive(sources, step_uid=uid, plan=plan)
        stored = self.store(archive, samples)
        if not self.evidence.reports_end:
            return Exam(uid, plan, tuple(samples), answer, tuple(stored))
        completed = step_messages.completion(samples, plan, created)
        self.evidence.ended(completed)
        ended = self.set_step(steps, uid, completed)
        return Exam(uid, plan, tuple(samples), answer, tuple(stored), ended)

    def write(self, archive: Address, kind: str, study_uids: Sequence[str]) -> list[int]:
        """Store a document of that kind into each of the studies; the status of each. Raises PeerError, UsageError.

        For presentation states commitment is asked (RAD-10).
        """
        studies = [images for uid in study_uids if (images := self.fetch(archive, uid))]
        if not studies:
            return []
        made = self.evidence.written(evidence_documents.documents(kind, _subject(studies[0][0]), studies, self.uid))
        statuses = [answer.status for answer in self.store(archive, made)]
        states = [Sample(one) for one in made if kind == evidence_documents.PRESENTATION_STATE]
        if states and (asked := self.evidence.to_commit(states)):
            self.request_commitment(archive, asked)
        return statuses


def _subject(source: Dataset) -> Subject:
    declared = source.get("SpecificCharacterSet", None) or ()
    return Subject(
        str(source.get("PatientName", "") or ""),
        str(source.get("PatientID", "") or ""),
        str(source.get("PatientBirthDate", "") or ""),
        str(source.get("PatientSex", "") or ""),
        (declared,) if isinstance(declared, str) else tuple(declared),
    )
