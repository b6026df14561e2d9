"""What a tester does to an archive, an order filler or a PPS manager, and what the checks say of it.

The actor under test writes to a transcript of its own that nobody reads; only what the tester's actors saw is judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from pydicom.dataset import Dataset

from harness.actors import objects, step_messages
from harness.actors.acquisition import Acquisition
from harness.actors.archive_keys import Level
from harness.actors.defects import registry as defects
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour
from harness.actors.image_manager import ImageManager
from harness.actors.image_manager_behaviour import CommitmentReply, Reference, Way
from harness.actors.objects import SOP_CLASSES, Sample, StudyPlan
from harness.actors.order_filler import OrderFiller
from harness.actors.sender import CommitmentRequest
from harness.actors.step_messages import INCORRECT_WORKLIST_ENTRY
from harness.actors.worklist_user import Replies
from harness.core.transcript import Transcript
from harness.profiles import facts
from harness.protocols.dicom.errors import NoPresentationContext
from harness.protocols.dicom.node import Address
from tests.integration.actors.battery_steps import LOCAL_REASON
from tests.integration.actors.judging import LONG, SHORT, illegal_steps, no_faults

PLANS = (
    StudyPlan(
        objects.SUBJECTS[0], (objects.SeriesPlan("CT", 3), objects.SeriesPlan("SC", 1)), accession_number="ACC1",
        study_id="ST1", date="20260105", time="091500", referring_physician="Welby^Marcus", description="One",
    ),
    StudyPlan(
        objects.SUBJECTS[2], (objects.SeriesPlan("MR", 2), objects.SeriesPlan("MR", 1)), accession_number="ACC2",
        study_id="ST2", date="20260210", time="151500", referring_physician="Kildare^James", description="Two",
    ),
    StudyPlan(
        objects.SUBJECTS[0], (objects.SeriesPlan("CR", 2),), accession_number="ACC3", study_id="ST3",
        date="20260315", time="120000", referring_physician="Zweig^Arnold", description="Three",
    ),
)  # fmt: skip


# -- Image Manager/Archive -------------------------------------------------------------------------------------


class ArchiveTester:
    """A modality, a display and a receiver of notifications around an archive under test."""

    def __init__(
        self, transcript: Transcript, archive: ImageManager, modality: Acquisition, display: ImageDisplay,
        creator: EvidenceCreator,
    ) -> None:  # fmt: skip
        self.transcript, self.sut, self.modality, self.display = transcript, archive, modality, display
        self.creator = creator
        self.peer = archive.address
        self.samples = objects.make(PLANS, objects.uid_source(8))
        for sample in self.samples:
            request = Dataset()
            request.RequestedProcedureID, request.ScheduledProcedureStepID = "R1", "S1"
            sample.dataset.RequestAttributesSequence = [request]

    def run(self) -> None:
        self.illegal_steps()
        self.held_back_image()
        with contextlib.suppress(NoPresentationContext):
            self.modality.store(self.peer, self.samples[3:4])
        self.modality.store(self.peer, [*self.samples[:3], *self.samples[4:]])
        self.modality.store(self.peer, self.samples[:1])
        self.commitments()
        self.queries()
        self.retrievals()
        self.wrong_entry()
        self.modality.perform([], self.peer, images=0, abandon=True, reason=LOCAL_REASON)
        self.update()
        self.derived_images()
        self.image_that_never_comes()

    def query(
        self, level: Level, keys: dict[str, Any], expected: Sequence[str] | None, *, purpose: str = "", by: str = "",
        returned: Sequence[str] | None = None, patient_root: bool = False,
    ) -> Replies:  # fmt: skip
        replies = self.display.query(self.peer, level, keys, returned=returned, patient_root=patient_root)
        fact: dict[str, Any] = {
            "message": replies.request, "level": level.value, "model": "PATIENT" if patient_root else "STUDY",
            "keys": {name: value for name, value in keys.items() if isinstance(value, str)},
            "by": by or level.unique_key,
        }  # fmt: skip
        if expected is not None:
            fact["expected"] = sorted(expected)
        if purpose:
            fact["purpose"] = purpose
        self.transcript.note(facts.QUERY, fact)
        return replies

    def uids(self, keyword: str, **values: str) -> list[str]:
        return sorted(
            {
                str(sample.dataset[keyword].value)
                for sample in self.samples
                if all(str(sample.dataset[name].value) == value for name, value in values.items())
            }
        )

    def queries(self) -> None:
        study = "StudyInstanceUID"
        for keys in (
            {"PatientID": "P-1001"},
            {"PatientName": "Adams*"},
            {"StudyDate": "20260210"},
            {"StudyDate": "20260201-20260401"},
            {"StudyTime": "110000-130000"},
            {"AccessionNumber": "ACC3"},
            {"StudyID": "ST1"},
            {"ReferringPhysicianName": "Kildare*"},
            {"ModalitiesInStudy": "CT"},
        ):
            ((name, value),) = keys.items()
            chosen = {
                "PatientID": ("P-1001",), "PatientName": ("ACC1", "ACC3"), "StudyDate": ("ACC2",),
                "StudyTime": ("ACC3",), "AccessionNumber": ("ACC3",), "StudyID": ("ACC1",),
                "ReferringPhysicianName": ("ACC2",),
                "ModalitiesInStudy": ("ACC1",),
            }[name]  # fmt: skip
            if value == "20260201-20260401":
                chosen = ("ACC2", "ACC3")
            if name == "PatientID":
                chosen = ("ACC1", "ACC3")
            expected = [uid for accession in chosen for uid in self.uids(study, AccessionNumber=accession)]
            self.query(Level.STUDY, keys, expected)
        with contextlib.suppress(NoPresentationContext):
            self.query(Level.STUDY, {"PatientID": "P-1003"}, self.uids(study, PatientID="P-1003"), patient_root=True)
        first = self.uids(study, AccessionNumber="ACC1")[0]
        series = "SeriesInstanceUID"
        self.query(
            Level.SERIES, {study: first, "Modality": "CT"}, self.uids(series, AccessionNumber="ACC1", Modality="CT")
        )
        request = Dataset()
        request.RequestedProcedureID = request.ScheduledProcedureStepID = ""
        self.query(Level.SERIES, {study: first, "RequestAttributesSequence": [request]}, None)
        second = self.uids(study, AccessionNumber="ACC2")[0]
        self.query(
            Level.SERIES,
            {study: second, "SeriesNumber": "2"},
            self.uids(series, AccessionNumber="ACC2", SeriesNumber="2"),
        )
        ct = self.uids(series, AccessionNumber="ACC1", Modality="CT")[0]
        where = {study: first, series: ct}
        instance = "SOPInstanceUID"
        self.query(Level.IMAGE, where, self.uids(instance, SeriesInstanceUID=ct))
        self.query(
            Level.IMAGE, {**where, "InstanceNumber": "2"}, self.uids(instance, SeriesInstanceUID=ct, InstanceNumber="2")
        )
        self.query(Level.SERIES, {"Modality": "CT"}, None, purpose="invalid-hierarchy", returned=(series,))
        self.query(
            Level.STUDY, {study: first}, [first], purpose="unsupported-key", returned=("StudyInstanceUID", "EchoTime")
        )
        self.query(
            Level.STUDY, {"PatientName": "adams*"}, self.uids(study, PatientID="P-1001"), purpose="lower-case-name"
        )

    def retrievals(self) -> None:
        first = self.uids("StudyInstanceUID", AccessionNumber="ACC1")[0]
        ct = self.uids("SeriesInstanceUID", AccessionNumber="ACC1", Modality="CT")[0]
        one = self.uids("SOPInstanceUID", SeriesInstanceUID=ct)[0]
        keys = {"StudyInstanceUID": first}
        self.move(Level.STUDY, keys, self.uids("SOPInstanceUID", StudyInstanceUID=first))
        keys["SeriesInstanceUID"] = ct
        self.move(Level.SERIES, keys, self.uids("SOPInstanceUID", SeriesInstanceUID=ct))
        self.move(Level.IMAGE, {**keys, "SOPInstanceUID": one}, [one])
        self.get(first)
        unknown = self.display.move(self.peer, Level.STUDY, {"StudyInstanceUID": first}, destination="NOBODY")
        self.transcript.note(
            facts.MOVE,
            {"message": unknown.request, "destination": "NOBODY", "expected": [], "unknown_destination": True},
        )
        captures = self.uids("SOPInstanceUID", AccessionNumber="ACC1", Modality="OT")
        self.display.behaviour = ImageDisplayBehaviour(
            store_status=lambda request: 0xA700 if request.abstract_syntax == SOP_CLASSES["SC"] else 0
        )
        self.move(
            Level.STUDY,
            {"StudyInstanceUID": first},
            self.uids("SOPInstanceUID", StudyInstanceUID=first),
            failing=captures,
        )
        self.display.behaviour = ImageDisplayBehaviour()

    def move(self, level: Level, keys: dict[str, str], expected: list[str], failing: Sequence[str] = ()) -> None:
        try:
            replies = self.display.move(self.peer, level, keys)
        except NoPresentationContext:
            return
        self.transcript.note(
            facts.MOVE,
            {"message": replies.request, "destination": "DISPLAY", "expected": expected, "failing": list(failing)},
        )

    def get(self, study: str) -> None:
        classes = sorted({sample.sop_class for sample in self.samples})
        try:
            replies = self.display.get(self.peer, Level.STUDY, {"StudyInstanceUID": study}, storage_classes=classes)
        except NoPresentationContext:
            return
        expected = self.uids("SOPInstanceUID", StudyInstanceUID=study)
        self.transcript.note(facts.MOVE, {"message": replies.request, "destination": "DISPLAY", "expected": expected})

    def commitments(self) -> None:
        known = [Reference(sample.sop_class, sample.sop_instance) for sample in self.samples[:3]]
        unknown = [Reference(known[0].sop_class, f"1.2.3.4.{number}") for number in (5, 6)]
        self.sut.commit_with(self.sut.behaviour.reply)
        self.commit(known, [])
        self.commit(known[:1], unknown)
        self.sut.commit_with(
            CommitmentReply(Way.SAME_ASSOCIATION, transaction_uid=self.sut.behaviour.reply.transaction_uid)
        )
        self.commit(known, [], wait=2 * SHORT)
        state = presentation_state(self.samples[0])
        self.modality.store(self.peer, [state])
        self.commit([Reference(state.sop_class, state.sop_instance)], [])
        self.away(known)

    def away(self, known: list[Reference]) -> None:
        """A requester that releases and is not there when the result comes, but later."""
        requester = Acquisition("AWAY", self.transcript)
        port = requester.start()
        requester.stop()
        self.sut.know(Address("AWAY", "127.0.0.1", port))
        outage = self.transcript.note(facts.FAULT_INJECTED, {"fault": "unreachable", "actor": requester.name})
        request = requester.request_commitment(self.peer, known)
        self.sut.commitment.wait_reported(SHORT)
        # what has begun is noted before it is known when it ends
        cast("dict[str, Any]", outage.data)["until"] = self.transcript.mark()
        with Acquisition("AWAY", self.transcript, port=port) as back:
            if request.answer.status == 0:
                back.wait_result(request.transaction_uid, 3 * SHORT)
                self.sut.commitment.wait_reported(SHORT)
        requester.stop()

    def commit(self, known: list[Reference], unknown: list[Reference], wait: float = 0.0) -> None:
        request: CommitmentRequest = self.modality.request_commitment(self.peer, [*known, *unknown], wait=wait)
        self.transcript.note(
            facts.COMMIT,
            {
                "message": request.request,
                "transaction_uid": request.transaction_uid,
                "expected_ok": [reference.sop_instance for reference in known],
                "expected_failed": [reference.sop_instance for reference in unknown],
            },
        )
        if request.answer.status == 0:
            self.sut.commitment.wait_reported(LONG)

    def illegal_steps(self) -> None:
        illegal_steps(self.transcript, self.modality, self.peer)

    def held_back_image(self) -> None:
        """All but one image, the end of the step, then the last image: the notice may come only now."""
        plan = self.modality.plan("US", objects.SUBJECTS[3])
        created = step_messages.creation([], plan)
        uid, _ = self.modality.create_step(self.peer, created)
        images = self.modality.acquire([], plan, uid, images=2)
        self.modality.store(self.peer, images[:1])
        self.modality.set_step(self.peer, uid, step_messages.completion(images, plan, created))
        self.sut.wait_announced(LONG)
        self.modality.store(self.peer, images[1:])
        self.sut.wait_announced(LONG)
        self.samples += images
        study = str(images[0].dataset.StudyInstanceUID)
        self.move(Level.STUDY, {"StudyInstanceUID": study}, [sample.sop_instance for sample in images])

    def derived_images(self) -> None:
        """What an evidence creator stores is found in the study that it was made from."""
        images = self.creator.derive([sample.dataset for sample in self.samples[:2]])
        self.creator.store(self.peer, images)
        first = images[0].dataset
        keys = {"StudyInstanceUID": str(first.StudyInstanceUID), "SeriesInstanceUID": str(first.SeriesInstanceUID)}
        self.display.query(self.peer, Level.IMAGE, keys)

    def image_that_never_comes(self) -> None:
        plan = self.modality.plan("US", objects.SUBJECTS[3])
        created = step_messages.creation([], plan)
        uid, _ = self.modality.create_step(self.peer, created)
        images = self.modality.acquire([], plan, uid, images=2)
        self.modality.store(self.peer, images[:1])
        self.modality.set_step(self.peer, uid, step_messages.completion(images, plan, created))
        self.sut.wait_announced(LONG)

    def wrong_entry(self) -> None:
        exam = self.modality.perform([], self.peer, self.peer, abandon=True, reason=INCORRECT_WORKLIST_ENTRY)
        study = str(exam.samples[0].dataset.StudyInstanceUID)
        self.query(Level.STUDY, {"StudyInstanceUID": study}, [], purpose="after-wrong-entry")

    def update(self) -> None:
        new = {"PatientName": "Adams^Jane", "PatientSex": "F"}
        self.transcript.note(facts.UPDATE, {"kind": "A08", "patient_id": "P-1001", "keywords": new})
        self.sut.update_patient("P-1001", "", new)
        self.query(
            Level.STUDY,
            {"PatientID": "P-1001"},
            self.uids("StudyInstanceUID", PatientID="P-1001"),
            purpose="after-update",
        )


def presentation_state(image: Sample) -> Sample:
    """As much of a presentation state as an archive looks at."""
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.StudyDate = "Other^Patient", "P-2000", "20250101"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.11.1"
    dataset.SOPInstanceUID = f"{image.sop_instance}.1"[-64:].lstrip(".0")
    dataset.StudyInstanceUID = f"{image.dataset.StudyInstanceUID}.1"
    dataset.SeriesInstanceUID = f"{image.dataset.SeriesInstanceUID}.1"
    dataset.Modality = "PR"
    return Sample(dataset)


@contextmanager
def archive_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, ArchiveTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        OrderFiller("FILLER", transcript) as receiver,
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        ImageDisplay("DISPLAY", transcript) as display,
        EvidenceCreator("CREATOR", transcript, uid=objects.uid_source(5)) as creator,
        ImageManager(
            "SUT",
            own,
            behaviour=defects.behaviour("image-manager", ids),
            peers={"MODALITY": modality.address, "DISPLAY": display.address},
            receivers=[receiver.address],
            retry=0.1,
        ) as archive,
    ):
        yield transcript, ArchiveTester(transcript, archive, modality, display, creator)
    no_faults(transcript, own)
