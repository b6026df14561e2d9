"""The simulated actors with each other: every case of a performed step, commitment both ways, availability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.actors import step_messages
from harness.actors.acquisition import Acquisition
from harness.actors.archive_keys import Level
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay, ImageDisplayBehaviour
from harness.actors.image_manager import ImageManager
from harness.actors.image_manager_behaviour import CommitmentReply, Reference, Way
from harness.actors.objects import SOP_CLASSES, archive_plan, make, uid_source
from harness.actors.order_filler import EMPTY_WORKLIST, MIXED_PENDING, REFUSAL, OrderFiller
from harness.actors.orders.values import StepState
from harness.actors.pps_manager import PpsManager
from harness.actors.step_messages import INCORRECT_WORKLIST_ENTRY
from harness.core.message import Direction
from harness.core.transcript import Transcript

TIMEOUT = 10.0


@dataclass
class Department:
    transcript: Transcript
    filler: OrderFiller
    archive: ImageManager
    manager: PpsManager
    modality: Acquisition
    display: ImageDisplay

    def entries(self, **keys: str) -> list[Dataset]:
        return self.modality.worklist.query(self.filler.address, keys).datasets()

    def found(self, **keys: str) -> int:
        return len(self.display.query(self.archive.address, Level.STUDY, keys).pending)


@pytest.fixture
def department() -> Iterator[Department]:
    transcript = Transcript()
    with (
        OrderFiller("FILLER", transcript) as filler,
        ImageManager("ARCHIVE", transcript, receivers=[filler.address], retry=0.05) as archive,
        PpsManager("PPSM", transcript, destinations=[filler.address, archive.address], retry=0.05) as manager,
        Acquisition("MODALITY", transcript, uid=uid_source(5)) as modality,
        ImageDisplay("DISPLAY", transcript) as display,
    ):
        archive.know(modality.address)
        archive.know(display.address)
        yield Department(transcript, filler, archive, manager, modality, display)
    assert [f"{fault.where}: {fault.error}" for fault in transcript.faults] == []


def order(number: int, *, procedure: int | None = None, **more: Any) -> dict[str, Any]:
    requested = procedure or number
    return {
        "PatientName": "Hong^Gildong=洪^吉洞=홍^길동",
        "SpecificCharacterSet": ["", "ISO 2022 IR 149"],
        "PatientID": "P1",
        "PatientBirthDate": "19700101",
        "PatientSex": "M",
        "AccessionNumber": f"A{requested}",
        "StudyInstanceUID": f"1.2.3.{requested}",
        "RequestedProcedureID": f"R{requested}",
        "RequestedProcedureDescription": "CT head",
        "RequestedProcedureCodeSequence": [
            {"CodeValue": f"C{requested}", "CodingSchemeDesignator": "L", "CodeMeaning": "CT head"}
        ],
        "Modality": "CT",
        "ScheduledStationAETitle": "MODALITY",
        "ScheduledProcedureStepStartDate": "20260105",
        "ScheduledProcedureStepStartTime": "1000",
        "ScheduledProcedureStepID": f"S{number}",
        "ScheduledProcedureStepDescription": "Head native",
        "ScheduledProtocolCodeSequence": [
            {"CodeValue": f"T{number}", "CodingSchemeDesignator": "L", "CodeMeaning": "Native"}
        ],
        **more,
    }


def test_simple_case_from_worklist_to_availability(department: Department) -> None:
    department.filler.schedule(order(1))
    (entry,) = department.entries(Modality="CT")
    exam = department.modality.perform([entry], department.manager.address, department.archive.address)
    assert exam.accepted
    assert department.manager.wait_forwarded(TIMEOUT)
    assert department.archive.wait_announced(TIMEOUT)
    forwarded = department.archive.performed.get(exam.uid)
    assert forwarded is not None
    assert forwarded.status == "COMPLETED"
    assert str(forwarded.dataset.PatientName) == "Hong^Gildong=洪^吉洞=홍^길동"
    item = department.filler.worklist.item("S1")
    assert item is not None
    assert item.state is StepState.COMPLETED
    assert department.entries() == []
    notice = department.transcript.wait_for(
        "N-CREATE-RQ",
        timeout=TIMEOUT,
        direction=Direction.FROM_SUT,
        where=lambda m: str(m.fields.get("AffectedSOPClassUID", "")).endswith("5.1.4.33"),
    )
    assert notice is not None
    created = [m for m in department.transcript.select("N-CREATE-RQ", direction=Direction.FROM_SUT) if m.actor]
    steps = [m for m in created if str(m.fields["AffectedSOPClassUID"]).endswith("3.1.2.3.3")]
    assert len(steps) == 3
    assert len({m.payload.sha256 for m in steps}) == 1, "the PPS Manager passes bytes on unchanged"


def test_group_case_over_two_procedures_has_one_step_and_a_new_study(department: Department) -> None:
    department.filler.schedule(order(1))
    department.filler.schedule(order(2))
    entries = department.entries()
    exam = department.modality.perform(entries, department.manager.address, department.archive.address)
    assert exam.accepted
    assert department.manager.wait_forwarded(TIMEOUT)
    (step,) = department.manager.steps
    assert step.scheduled_step_ids == ("S1", "S2")
    assert len(set(step.study_uids)) == 1
    assert step.study_uids[0] not in ("1.2.3.1", "1.2.3.2")
    assert exam.samples[0].dataset.AccessionNumber == ""
    assert len(exam.samples[0].dataset.RequestAttributesSequence) == 2
    assert {department.filler.worklist.item(s).state for s in ("S1", "S2")} == {StepState.COMPLETED}  # type: ignore[union-attr]


def test_append_and_unscheduled_steps(department: Department) -> None:
    department.filler.schedule(order(1))
    (entry,) = department.entries()
    first, second = (
        department.modality.perform([entry], department.manager.address, department.archive.address) for _ in range(2)
    )
    assert first.uid != second.uid
    assert first.plan.pps_id != second.plan.pps_id
    unscheduled = department.modality.perform([], department.manager.address, department.archive.address)
    assert unscheduled.accepted
    assert len(department.manager.steps) == 3
    assert department.manager.steps[-1].scheduled_step_ids == ()
    assert department.found() == 2


def test_a_wrong_worklist_entry_is_offered_again_and_its_images_are_withdrawn(department: Department) -> None:
    department.filler.schedule(order(1))
    entries = department.entries()
    department.modality.perform(
        entries, department.manager.address, department.archive.address, abandon=True, reason=INCORRECT_WORKLIST_ENTRY
    )
    assert department.manager.wait_forwarded(TIMEOUT)
    assert department.found() == 0
    assert len(department.entries()) == 1


def test_an_abandoned_step_without_images(department: Department) -> None:
    department.filler.schedule(order(1))
    exam = department.modality.perform(
        department.entries(), department.manager.address, department.archive.address, images=0, abandon=True
    )
    assert exam.accepted
    assert department.manager.wait_forwarded(TIMEOUT)
    assert department.entries() == []
    assert department.filler.worklist.item("S1").state is StepState.DISCONTINUED  # type: ignore[union-attr]


def test_illegal_step_messages_get_the_statuses_of_the_standard(department: Department) -> None:
    modality, manager = department.modality, department.manager.address
    plan = modality.plan()
    created = step_messages.creation([], plan)
    created.PerformedProcedureStepStatus = "COMPLETED"
    assert modality.create_step(manager, created)[1].status == 0x0106
    created.PerformedProcedureStepStatus = "IN PROGRESS"
    uid, answer = modality.create_step(manager, created)
    assert answer.status == 0
    assert modality.create_step(manager, created, uid)[1].status == 0x0111
    assert modality.set_step(manager, "1.2.3.4.5", step_messages.completion([], plan, created)).status == 0x0112
    assert modality.set_step(manager, uid, step_messages.completion([], plan, created)).status == 0
    late = modality.set_step(manager, uid, step_messages.completion([], plan, created))
    assert (late.status, late.command["ErrorID"]) == (0x0110, 0xA710)
    got = modality.get_step(manager, uid, [0x00400252]).dataset()
    assert [element.keyword for element in got] == ["PerformedProcedureStepStatus"]
    assert got.PerformedProcedureStepStatus == "COMPLETED"
    assert modality.get_step(manager, "1.2.3.4.5").status == 0x0112


def test_the_pps_manager_keeps_messages_in_order_while_a_destination_is_down() -> None:
    transcript = Transcript()
    filler = OrderFiller("FILLER", transcript)
    port = filler.start()
    address = filler.address
    filler.stop()
    with (
        PpsManager("PPSM", transcript, destinations=[address], retry=0.05) as manager,
        Acquisition("MODALITY", transcript) as modality,
    ):
        exam = modality.perform([], manager.address, images=0)
        assert exam.accepted
        assert manager.pending() == 2
        with OrderFiller("FILLER", transcript, port=port) as again:
            assert manager.wait_forwarded(TIMEOUT)
            step = again.performed.get(exam.uid)
            assert step is not None
            assert step.status == "COMPLETED"
    assert transcript.faults == ()


def samples_in(department: Department, count: int = 3) -> list[Any]:
    samples = make(archive_plan(), uid_source(2))[:count]
    department.modality.store(department.archive.address, samples)
    return samples


def test_commitment_on_the_same_and_on_a_separate_association(department: Department) -> None:
    samples = samples_in(department)
    archive = department.archive.address
    department.archive.commit_with(CommitmentReply(Way.SAME_ASSOCIATION), CommitmentReply(Way.SEPARATE_ASSOCIATION))
    for wait in (TIMEOUT, 0.0):
        request = department.modality.request_commitment(archive, samples, wait=wait)
        result = department.modality.wait_result(request.transaction_uid, TIMEOUT)
        assert result is not None
        assert {one.sop_instance for one in result.committed} == {sample.sop_instance for sample in samples}
        assert result.failed == ()
    reports = department.transcript.select("N-EVENT-REPORT-RQ", direction=Direction.FROM_SUT)
    actions = department.transcript.select("N-ACTION-RQ", direction=Direction.TO_SUT)
    assert [report.association == action.association for report, action in zip(reports, actions, strict=True)] == [
        True,
        False,
    ]
    answers = department.transcript.select("N-ACTION-RSP", direction=Direction.TO_SUT)
    sent = department.transcript.select("N-EVENT-REPORT-RQ", direction=Direction.TO_SUT)
    assert answers[0].seq < sent[0].seq


def test_commitment_of_unknown_and_mislabelled_instances_fails_for_them_only(department: Department) -> None:
    (sample, other) = samples_in(department, 2)
    references = [
        Reference(sample.sop_class, sample.sop_instance),
        Reference(SOP_CLASSES["MR"], other.sop_instance),
        Reference(sample.sop_class, "1.2.3.4.5"),
    ]
    request = department.modality.request_commitment(department.archive.address, references)
    result = department.modality.wait_result(request.transaction_uid, TIMEOUT)
    assert result is not None
    assert [one.sop_instance for one in result.committed] == [sample.sop_instance]
    assert [(one.sop_instance, reason) for one, reason in result.failed] == [
        (other.sop_instance, 0x0119),
        ("1.2.3.4.5", 0x0112),
    ]


def test_scripted_commitment_results(department: Department) -> None:
    samples = samples_in(department)
    archive = department.archive.address
    department.archive.commit_with(
        CommitmentReply(failures=1, reason=0x0110),
        CommitmentReply(copies=2),
        CommitmentReply(transaction_uid="1.2.9"),
        CommitmentReply(delay=0.2),
    )
    partial, twice, wrong, late = (department.modality.request_commitment(archive, samples) for _ in range(4))
    result = department.modality.wait_result(partial.transaction_uid, TIMEOUT)
    assert result is not None
    assert [reason for _, reason in result.failed] == [0x0110]
    assert department.archive.commitment.wait_reported(TIMEOUT)
    assert len(department.modality.results(twice.transaction_uid)) == 2
    assert department.modality.results(wrong.transaction_uid) == ()
    assert department.modality.wait_result("1.2.9", TIMEOUT) is not None
    assert department.modality.wait_result(late.transaction_uid, TIMEOUT) is not None


def test_a_result_is_kept_until_the_requester_listens() -> None:
    transcript = Transcript()
    modality = Acquisition("MODALITY", transcript)
    port = modality.start()
    address = modality.address
    modality.stop()
    with ImageManager("ARCHIVE", transcript, peers={"MODALITY": address}, retry=0.05) as archive:
        request = modality.request_commitment(archive.address, [Reference("1.2.3", "1.2.3.4")])
        with Acquisition("MODALITY", transcript, port=port) as again:
            assert again.wait_result(request.transaction_uid, TIMEOUT) is not None
            assert archive.commitment.wait_reported(TIMEOUT)
        modality.stop()


def test_scripted_worklist_replies_and_cancel(department: Department) -> None:
    for number in range(200):
        department.filler.schedule(order(number))
    query = department.modality.worklist.query
    filler = department.filler.address
    department.filler.reply_with(REFUSAL, EMPTY_WORKLIST, replace(MIXED_PENDING, pause=0.0))
    assert query(filler).status == 0xA700
    empty = query(filler)
    assert (empty.status, empty.pending) == (0, ())
    assert {answer.status for answer in query(filler).pending} == {0xFF00, 0xFF01}
    stopped = query(filler, cancel_after=1)
    assert stopped.status in (0xFE00, 0x0000)
    assert len(query(filler, {"ScheduledProcedureStepID": "S7"}).pending) == 1


def test_retrieve_by_move_and_get_and_cancel(department: Department) -> None:
    samples = samples_in(department, 4)
    study = str(samples[0].dataset.StudyInstanceUID)
    display, archive = department.display, department.archive.address
    moved = display.move(archive, Level.STUDY, {"StudyInstanceUID": study})
    assert moved.status == 0
    assert {one.sop_instance for one in display.received} == {sample.sop_instance for sample in samples}
    display.reset()
    classes = sorted({sample.sop_class for sample in samples})
    got = display.get(archive, Level.STUDY, {"StudyInstanceUID": study}, storage_classes=classes)
    assert got.status == 0
    assert len(display.received) == 4
    assert display.received[0].dataset().PixelData == samples[0].dataset.PixelData
    assert display.move(archive, Level.STUDY, {"StudyInstanceUID": study}, destination="NOBODY").status == 0xA801
    department.display.behaviour = ImageDisplayBehaviour(store_status=lambda request: 0xA700)
    assert display.move(archive, Level.STUDY, {"StudyInstanceUID": study}).status == 0xA702


def test_evidence_creator_stores_derived_images_with_a_step_of_its_own(department: Department) -> None:
    samples = samples_in(department, 3)
    with EvidenceCreator("CREATOR", department.transcript) as creator:
        exam = creator.perform(
            [sample.dataset for sample in samples], department.manager.address, department.archive.address
        )
        assert exam.accepted
    derived = exam.samples[0].dataset
    assert derived.StudyInstanceUID == samples[0].dataset.StudyInstanceUID
    assert derived.SeriesInstanceUID not in {sample.dataset.SeriesInstanceUID for sample in samples}
    assert derived.ImageType[0] == "DERIVED"
    series = department.display.query(
        department.archive.address, Level.SERIES, {"StudyInstanceUID": str(derived.StudyInstanceUID)}
    )
    assert len(series.pending) == 2


def test_merged_patients_are_found_under_the_surviving_id(department: Department) -> None:
    samples_in(department, 30)
    assert department.archive.merge_patients(("P-1001", ""), ("P-1002", ""), {})
    assert department.found(PatientID="P-1001") == 0
    assert department.found(PatientID="P-1002") == 4


def test_the_order_filler_asks_what_is_available(department: Department) -> None:
    first = samples_in(department, 3)[0].dataset
    archive = department.archive.address
    found = department.filler.query_availability(archive, str(first.StudyInstanceUID), str(first.SeriesInstanceUID))
    assert len(found.datasets()) == 3
    assert {answer.RetrieveAETitle for answer in found.datasets()} == {"ARCHIVE"}
    nothing = department.filler.query_availability(archive, str(first.StudyInstanceUID), "1.2.3")
    assert (nothing.status, nothing.pending) == (0, ())
