"""What a tester does to an archive, an order filler or a PPS manager, and what the checks say of it.

The actor under test writes to a transcript of its own that nobody reads; only what the tester's actors saw is judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from pydicom.dataset import Dataset

from harness.actors import defects, objects, step_messages
from harness.actors.acquisition import Acquisition
from harness.actors.archive_keys import Level
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour
from harness.actors.image_manager import ImageManager
from harness.actors.image_manager_behaviour import CommitmentReply, Reference, Way
from harness.actors.objects import SOP_CLASSES, Sample, StudyPlan
from harness.actors.order_filler import FindReply, OrderFiller
from harness.actors.orders import StepState
from harness.actors.pps_manager import PpsManager
from harness.actors.records import encode
from harness.actors.sender import CommitmentRequest
from harness.actors.step_messages import INCORRECT_WORKLIST_ENTRY
from harness.actors.worklist import item_from_mapping
from harness.actors.worklist_user import RETURN_KEYS as WORKLIST_RETURN_KEYS
from harness.actors.worklist_user import Replies
from harness.core.check import Declaration, Exchange, judge
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import facts, judgement, registry
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.errors import NoPresentationContext
from harness.protocols.dicom.node import Address

LONG, SHORT = 3.0, 0.3
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


@dataclass
class Outcome:
    """What was found: requirements that were judged, and those that were broken (unconfirmed ones included)."""

    judged: set[str]
    broken: dict[str, str]


def found(transcript: Transcript, actor: str, *, case_sensitive: bool = False) -> Outcome:
    """Judge everything that binds that actor by what was seen."""
    sut = Declaration(
        actors=frozenset({actor}),
        profiles=frozenset({"SWF", "SWF.b"}),
        options=frozenset({"Availability of PPS-Referenced Instances", "PPS Exception Management"}),
        ae_titles=frozenset({"SUT"}),
        statement={"person_name_case_sensitive": case_sensitive, "storage_sop_classes": sorted(SOP_CLASSES.values())},
    )
    rows = registry.requirements()
    outcome = Outcome(set(), {})
    for check in registry.CHECKS:
        # what is declared is not the matter here
        if not judgement.applies(check, actor, sut) or check.requirement.startswith("SWF-"):
            continue
        for finding in judge(check, rows[check.requirement], Exchange(transcript, sut), strict=True):
            assert finding.verdict is not Verdict.ERROR, f"{check.id}: {finding.summary}"
            if finding.verdict in (Verdict.PASS, Verdict.WARNING, Verdict.FAIL):
                outcome.judged.add(check.requirement)
            if finding.verdict in (Verdict.WARNING, Verdict.FAIL):
                outcome.broken.setdefault(check.requirement, finding.summary)
    return outcome


def no_faults(*transcripts: Transcript) -> None:
    """Nothing went wrong inside our own actors."""
    faults = [f"{fault.where}: {fault.error}\n{fault.traceback}" for one in transcripts for fault in one.faults]
    assert not faults, "\n".join(faults)


# -- Image Manager/Archive -------------------------------------------------------------------------------------


class ArchiveTester:
    """A modality, a display and a receiver of notifications around an archive under test."""

    def __init__(
        self, transcript: Transcript, archive: ImageManager, modality: Acquisition, display: ImageDisplay
    ) -> None:
        self.transcript, self.sut, self.modality, self.display = transcript, archive, modality, display
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
        self.update()

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
        replies = self.display.move(self.peer, level, keys)
        self.transcript.note(
            facts.MOVE,
            {"message": replies.request, "destination": "DISPLAY", "expected": expected, "failing": list(failing)},
        )

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


def illegal_steps(transcript: Transcript, modality: Acquisition, peer: Address) -> None:
    """The messages that a provider of performed procedure steps must refuse, and one that it must not."""

    def note(rule: str, kind: str, statuses: list[int]) -> None:
        transcript.note(
            facts.NEGATIVE, {"message": transcript.select(kind)[-1].seq, "rule": rule, "statuses": statuses}
        )

    plan = modality.plan()
    created = step_messages.creation([worklist_answer()], plan)
    created.PerformedProcedureStepStatus = "COMPLETED"
    modality.create_step(peer, created)
    note("create-status", "N-CREATE-RQ", [0x0106])
    created.PerformedProcedureStepStatus = "IN PROGRESS"
    uid, _ = modality.create_step(peer, created)
    modality.create_step(peer, created, uid)
    note("create-duplicate", "N-CREATE-RQ", [0x0111])
    final = step_messages.discontinuation([], plan, created)
    modality.set_step(peer, "1.2.3.4.5", final)
    note("set-unknown", "N-SET-RQ", [0x0112])
    modality.set_step(peer, uid, final)
    modality.set_step(peer, uid, final)
    note("set-final", "N-SET-RQ", [0x0110])


@contextmanager
def archive_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, ArchiveTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        OrderFiller("FILLER", transcript) as receiver,
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        ImageDisplay("DISPLAY", transcript) as display,
        ImageManager(
            "SUT",
            own,
            behaviour=defects.behaviour("image-manager", ids),
            peers={"MODALITY": modality.address, "DISPLAY": display.address},
            receivers=[receiver.address],
            retry=0.1,
        ) as archive,
    ):
        yield transcript, ArchiveTester(transcript, archive, modality, display)
    no_faults(transcript, own)


# -- DSS/Order Filler ------------------------------------------------------------------------------------------


def entry(number: int, *, procedure: int, korean: bool = False, **step: Any) -> dict[str, Any]:
    """A worklist entry of that step and procedure; patients alternate."""
    return {
        "SpecificCharacterSet": ["", "ISO 2022 IR 149"] if korean else "",
        "PatientName": "Hong^Gildong=洪^吉洞=홍^길동" if korean else f"Doe^John{procedure}",
        "PatientID": f"P{procedure}",
        "PatientBirthDate": "19700101",
        "PatientSex": "M",
        "AccessionNumber": f"A{procedure}",
        "ReferringPhysicianName": "Welby^Marcus",
        "StudyInstanceUID": f"1.2.826.0.1.{procedure}",
        "RequestedProcedureID": f"R{procedure}",
        "RequestedProcedureDescription": "Head",
        "RequestedProcedureCodeSequence": [
            {"CodeValue": f"C{procedure}", "CodingSchemeDesignator": "L", "CodeMeaning": "Head"}
        ],
        "RequestedProcedurePriority": "ROUTINE",
        "ScheduledProcedureStepSequence": [
            {
                "Modality": "CT",
                "ScheduledStationAETitle": "CT1",
                "ScheduledProcedureStepStartDate": "20260105",
                "ScheduledProcedureStepStartTime": "100000",
                "ScheduledPerformingPhysicianName": "House^Gregory",
                "ScheduledProcedureStepDescription": "Native",
                "ScheduledProtocolCodeSequence": [
                    {"CodeValue": f"T{number}", "CodingSchemeDesignator": "L", "CodeMeaning": "Native"}
                ],
                "ScheduledProcedureStepID": f"S{number}",
                **step,
            }
        ],
    }


ENTRIES = (
    entry(1, procedure=1),
    entry(2, procedure=1, ScheduledProcedureStepStartTime="143000"),
    entry(3, procedure=2, Modality="MR", ScheduledStationAETitle="MR1", ScheduledProcedureStepStartDate="20260106"),
    entry(4, procedure=3, korean=True, ScheduledPerformingPhysicianName="Kildare^James"),
    entry(5, procedure=4, korean=True) | {"AccessionNumber": "A3", "PatientID": "P3"},
)
_STEP_ID = "ScheduledProcedureStepID"


class FillerTester:
    """A modality and an image manager around an order filler under test."""

    def __init__(self, transcript: Transcript, filler: OrderFiller, modality: Acquisition) -> None:
        self.transcript, self.sut, self.modality = transcript, filler, modality
        self.peer = filler.address

    def run(self) -> None:
        for values in ENTRIES:
            self.sut.schedule(values)
            self.transcript.note(facts.ORDER, {"keywords": values})
        illegal_steps(self.transcript, self.modality, self.peer)
        every = ("S1", "S2", "S3", "S4", "S5")
        self.query({}, every)
        self.query({}, every)
        for keys, expected in (
            ({"ScheduledStationAETitle": "MR1"}, ("S3",)),
            ({"ScheduledProcedureStepStartDate": "20260106"}, ("S3",)),
            ({"ScheduledProcedureStepStartDate": "20260106-20260110"}, ("S3",)),
            (
                {"ScheduledProcedureStepStartDate": "20260105", "ScheduledProcedureStepStartTime": "120000-160000"},
                ("S2",),
            ),
            ({"Modality": "MR"}, ("S3",)),
            ({"ScheduledPerformingPhysicianName": "Kil?are*"}, ("S4",)),
            ({"PatientName": "Hong*"}, ("S4", "S5")),
            ({"PatientID": "P2"}, ("S3",)),
            ({"AccessionNumber": "A2"}, ("S3",)),
            ({"RequestedProcedureID": "R1"}, ("S1", "S2")),
            ({"PatientID": "P1", "Modality": "MR"}, ()),
        ):
            self.query(keys, expected)
        self.cancel_a_query()
        self.cancel_a_step("S5", ("S1", "S2", "S3", "S4"))
        self.perform("S3", ("S1", "S2", "S4"), "after-completed")
        self.perform("S4", ("S1", "S2", "S4"), "after-wrong-entry", wrong=True)
        self.perform("S1", ("S2", "S4"), "", abandon=True)
        self.modality.perform([], self.peer, images=0, abandon=True)

    def query(self, keys: dict[str, str], expected: Sequence[str], purpose: str = "") -> Replies:
        replies = self.modality.worklist.query(self.peer, keys)
        fact: dict[str, Any] = {
            "message": replies.request, "level": "STEP", "model": "WORKLIST", "keys": keys, "by": _STEP_ID,
            "expected": sorted(expected), "universe": [f"S{number}" for number in range(1, 6)],
        }  # fmt: skip
        if purpose:
            fact["purpose"] = purpose
        self.transcript.note(facts.QUERY, fact)
        return replies

    def cancel_a_query(self) -> None:
        for number in range(100, 140):
            self.sut.worklist.add(entry(number, procedure=number))
        keys = [name for name in WORKLIST_RETURN_KEYS if not name.endswith("Sequence")]
        self.sut.reply_with(FindReply(pause=0.01))
        self.modality.worklist.query(self.peer, {}, returned=keys, cancel_after=1)
        request = self.transcript.select("C-FIND-RQ")[-1].seq
        self.transcript.note(
            facts.QUERY, {"message": request, "level": "STEP", "model": "WORKLIST", "purpose": "after-cancel"}
        )
        for number in range(100, 140):
            self.sut.worklist.remove(f"S{number}")

    def cancel_a_step(self, step_id: str, left: Sequence[str]) -> None:
        self.sut.worklist.set_state(step_id, StepState.CANCELLED)
        values = next(one for one in ENTRIES if one["ScheduledProcedureStepSequence"][0][_STEP_ID] == step_id)
        self.transcript.note(facts.ORDER, {"keywords": values, "cancelled": True})
        self.query({}, left, "cancelled")

    def perform(
        self, step_id: str, left: Sequence[str], purpose: str, *, wrong: bool = False, abandon: bool = False
    ) -> None:
        entries = [
            answer
            for answer in self.modality.worklist.query(self.peer).datasets()
            if step_messages.scheduled_step(answer).get(_STEP_ID) == step_id and answer.get("StudyInstanceUID")
        ]
        if not entries:
            return
        reason = INCORRECT_WORKLIST_ENTRY if wrong else step_messages.DOCTOR_CANCELLED
        self.modality.perform(entries[:1], self.peer, abandon=wrong or abandon, reason=reason, images=1)
        self.query({}, left, purpose)


@contextmanager
def filler_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, FillerTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        OrderFiller("SUT", own, behaviour=defects.behaviour("order-filler", ids)) as filler,
        ImageManager("ARCHIVE", transcript, receivers=[filler.address]) as archive,
    ):
        yield transcript, FillerTester(transcript, filler, modality)
        modality.perform([], archive.address, archive.address, images=1)
        archive.wait_announced(LONG)
    no_faults(transcript, own)


# -- PPS Manager -----------------------------------------------------------------------------------------------


class ManagerTester:
    """A modality and an evidence creator before a PPS manager under test, two destinations behind it."""

    def __init__(
        self, transcript: Transcript, manager: PpsManager, modality: Acquisition, creator: EvidenceCreator,
        down: OrderFiller,
    ) -> None:  # fmt: skip
        self.transcript, self.sut, self.modality, self.creator, self.down = transcript, manager, modality, creator, down
        self.peer = manager.address

    def run(self) -> None:
        illegal_steps(self.transcript, self.modality, self.peer)
        dataset = objects.make([StudyPlan()], objects.uid_source(4))[0].dataset
        self.modality.perform([worklist_answer()], self.peer, images=1)
        plan = step_messages.StepPlan("EC1", str(dataset.StudyInstanceUID), "CREATOR", "OT")
        created = step_messages.creation([], plan)
        uid, _ = self.creator.create_step(self.peer, created)
        self.creator.set_step(self.peer, uid, step_messages.completion([Sample(dataset)], plan, created))
        self.sut.wait_forwarded(LONG)
        self.outage()

    def outage(self) -> None:
        port = self.down.port
        self.down.stop()
        outage = self.transcript.note(facts.FAULT_INJECTED, {"fault": "unreachable", "actor": self.down.name})
        self.modality.perform([], self.peer, images=0, abandon=True)
        self.sut.wait_forwarded(SHORT)
        self.modality.perform([], self.peer, images=0, abandon=True)
        again = OrderFiller("FILLER", self.transcript, port=port)
        back = self.transcript.mark()
        again.start()
        self.sut.retry_now()
        cast("dict[str, Any]", outage.data)["until"] = back
        self.sut.wait_forwarded(LONG)
        again.stop()


def worklist_answer() -> Dataset:
    """A worklist answer as a data set; the step it names is on no worklist."""
    return decode(encode(item_from_mapping(entry(9, procedure=9)).record, implicit=True), "1.2.840.10008.1.2")


@contextmanager
def manager_under_test(ids: Sequence[str]) -> Iterator[tuple[Transcript, ManagerTester]]:
    transcript, own = Transcript(), Transcript()
    with (
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        EvidenceCreator("CREATOR", transcript, uid=objects.uid_source(6)) as creator,
        OrderFiller("FILLER", transcript) as filler,
        ImageManager("ARCHIVE", transcript) as archive,
        PpsManager(
            "SUT",
            own,
            behaviour=defects.behaviour("pps-manager", ids),
            destinations=[archive.address, filler.address],
            retry=0.1,
        ) as manager,
    ):
        yield transcript, ManagerTester(transcript, manager, modality, creator, filler)
    no_faults(transcript, own)
