"""The rules of performed procedure steps (PS3.4 F.7.2), the messages a modality makes, and the courier."""

from __future__ import annotations

import threading

import pytest
from pydicom.dataset import Dataset

from harness.actors import objects, step_messages
from harness.actors.courier import Courier
from harness.actors.orders.values import Code
from harness.actors.performed_steps import PerformedSteps, selected
from harness.actors.records import encode
from harness.actors.step_messages import StepPlan
from harness.actors.worklist import item_from_mapping
from harness.core.transcript import Transcript
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.errors import PeerUnreachable

PLAN = StepPlan("PPS1", "1.2.9", "CT1")


def entry(number: int, procedure: int = 1) -> Dataset:
    item = item_from_mapping(
        {
            "PatientName": "Doe^John",
            "PatientID": "P1",
            "AccessionNumber": f"A{procedure}",
            "StudyInstanceUID": f"1.2.{procedure}",
            "RequestedProcedureID": f"R{procedure}",
            "RequestedProcedureCodeSequence": [
                {"CodeValue": "C", "CodingSchemeDesignator": "L", "CodeMeaning": "Head"}
            ],
            "ScheduledProcedureStepID": f"S{number}",
            "ScheduledProtocolCodeSequence": [
                {"CodeValue": f"T{number}", "CodingSchemeDesignator": "L", "CodeMeaning": "Native"}
            ],
        }
    )
    return decode(encode(item.record, implicit=True), "1.2.840.10008.1.2")


def test_only_in_progress_and_only_once() -> None:
    steps = PerformedSteps()
    created = step_messages.creation([entry(1)], PLAN)
    finished = step_messages.creation([entry(1)], PLAN)
    finished.PerformedProcedureStepStatus = "COMPLETED"
    assert steps.create("1.1", finished).status == 0x0106
    assert steps.create("1.1", Dataset()).status == 0x0106
    assert steps.create("1.1", created).status == 0
    assert steps.create("1.1", created).status == 0x0111
    assert steps.get("1.1") is not None


def test_a_final_step_stays_as_it_is() -> None:
    steps = PerformedSteps()
    created = step_messages.creation([entry(1)], PLAN)
    steps.create("1.1", created)
    assert steps.change("1.2", Dataset()).status == 0x0112
    wrong = Dataset()
    wrong.PerformedProcedureStepStatus = "DONE"
    assert steps.change("1.1", wrong).status == 0x0106
    samples = objects.make([objects.StudyPlan()], objects.uid_source(1))
    assert steps.change("1.1", step_messages.progress(samples[:1], created)).status == 0
    assert steps.change("1.1", step_messages.completion(samples, PLAN, created)).status == 0
    late = steps.change("1.1", step_messages.discontinuation(samples, PLAN, created))
    assert (late.status, late.fields["ErrorID"]) == (0x0110, 0xA710)
    step = steps.get("1.1")
    assert step is not None
    assert step.status == "COMPLETED"
    assert [uid for _, _, uid in step.instances] == [sample.sop_instance for sample in samples]
    assert step.scheduled_step_ids == ("S1",)
    assert step.dataset.PatientName == "Doe^John"


def test_a_simple_step_copies_the_worklist_and_creates_all_it_may_set_later() -> None:
    created = step_messages.creation([entry(1)], PLAN)
    item = created.ScheduledStepAttributesSequence[0]
    assert (item.StudyInstanceUID, item.AccessionNumber, item.ScheduledProcedureStepID) == ("1.2.1", "A1", "S1")
    assert created.StudyID == "R1"
    assert created.PerformedProtocolCodeSequence[0].CodeValue == "T1"
    assert len(created.PerformedProcedureStepDiscontinuationReasonCodeSequence) == 0
    later = step_messages.discontinuation([], PLAN, created)
    assert {element.tag for element in later} <= {element.tag for element in created}


def test_a_group_over_two_procedures_has_a_study_of_its_own_and_names_the_others() -> None:
    created = step_messages.creation([entry(1), entry(2, 2)], PLAN)
    found = created.ScheduledStepAttributesSequence
    assert [item.StudyInstanceUID for item in found] == ["1.2.9", "1.2.9"]
    assert [item.ReferencedStudySequence[0].ReferencedSOPInstanceUID for item in found] == ["1.2.1", "1.2.2"]
    assert [item.AccessionNumber for item in found] == ["A1", "A2"]
    same = step_messages.creation([entry(1), entry(2)], PLAN)
    assert {item.StudyInstanceUID for item in same.ScheduledStepAttributesSequence} == {"1.2.1"}


def test_an_unscheduled_step_has_one_item_with_nothing_but_the_study() -> None:
    (item,) = step_messages.creation([], PLAN).ScheduledStepAttributesSequence
    assert item.StudyInstanceUID == "1.2.9"
    assert [item.AccessionNumber, item.RequestedProcedureID, item.ScheduledProcedureStepID] == ["", "", ""]
    assert len(item.ReferencedStudySequence) == 0


def test_what_was_done_instead_stands_in_performed_attributes_only() -> None:
    other = StepPlan("P", "1.2.9", "CT1", performed_protocol=(Code("X", "L", "Other"),))
    created = step_messages.creation([entry(1)], other)
    assert created.PerformedProtocolCodeSequence[0].CodeValue == "X"
    assert created.ScheduledStepAttributesSequence[0].ScheduledProtocolCodeSequence[0].CodeValue == "T1"


def test_a_step_is_read_back_by_the_attributes_asked() -> None:
    created = step_messages.creation([], PLAN)
    assert selected(created, ()) is created
    assert [element.keyword for element in selected(created, (0x00400252, 0x00999999))] == [
        "PerformedProcedureStepStatus"
    ]


# -- the courier -----------------------------------------------------------------------------------------------


def test_a_courier_keeps_the_order_and_repeats_until_it_succeeds() -> None:
    delivered: list[int] = []
    failures = iter([True, True, False, False, False])

    def deliver(job: int) -> None:
        if next(failures):
            raise PeerUnreachable("down")
        delivered.append(job)

    courier = Courier[int]("test", deliver, Transcript().fault, retry=0.01)
    for job in (1, 2, 3):
        courier.post(job)
    courier.start()
    assert courier.wait_idle(5)
    courier.stop()
    assert delivered == [1, 2, 3]


def test_a_courier_gives_up_where_it_is_told_to_and_reports_faults() -> None:
    transcript = Transcript()
    tried: list[int] = []

    def deliver(job: int) -> None:
        tried.append(job)
        if job == 1:
            raise PeerUnreachable("down")
        raise ValueError("broken")

    courier = Courier[int]("test", deliver, transcript.fault, retry=0.01, attempts=2)
    courier.post(1)
    courier.post(2)
    courier.start()
    assert courier.wait_idle(5)
    courier.stop()
    assert tried == [1, 1, 2]
    assert [fault.error for fault in transcript.faults] == ["ValueError: broken"]


@pytest.mark.parametrize(("ordered", "expected"), [(True, ["late", "soon"]), (False, ["soon", "late"])])
def test_a_delayed_job_is_overtaken_only_where_order_does_not_matter(ordered: bool, expected: list[str]) -> None:
    delivered: list[str] = []
    courier = Courier[str]("test", delivered.append, Transcript().fault, ordered=ordered)
    courier.post("late", delay=0.1)
    courier.post("soon")
    courier.start()
    assert courier.wait_idle(5)
    courier.stop()
    assert delivered == expected


def test_stopping_leaves_no_thread_and_keeps_what_is_queued() -> None:
    courier = Courier[str]("stopping", lambda job: None, Transcript().fault)
    courier.start()
    courier.post("later", delay=60)
    courier.stop()
    assert courier.pending == ("later",)
    assert not any(thread.name == "courier-stopping" for thread in threading.enumerate())
