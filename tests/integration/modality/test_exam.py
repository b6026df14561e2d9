"""Whole exams against peers written with pynetdicom alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.modality.errors import Cause, PeerProblem, Refused
from harness.modality.service import Modality
from tests.integration.modality.hospital import Hospital, entry


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    with Hospital(worklist=[entry()]).open() as opened:
        yield opened


@pytest.fixture
def modality(hospital: Hospital, tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=hospital.settings(), seed=1) as opened:
        hospital.modality = ("REFMOD", "127.0.0.1", opened.listen())
        yield opened


def scheduled(modality: Modality, *items: int) -> int:
    modality.registration.worklist()
    return int(modality.registration.register(items=items or (1,))["exam"])


def simple_case(modality: Modality, count: int = 2) -> dict[str, Any]:
    key = scheduled(modality)
    modality.examination.start(key)
    modality.examination.expose(key, count=count)
    return modality.examination.end(key)


def test_simple_case_reports_the_step_before_it_stores(modality: Modality, hospital: Hospital) -> None:
    done = simple_case(modality)
    assert hospital.kinds() == ["N-CREATE", "N-SET", "C-STORE", "C-STORE"]
    assert done["state"] == "sent"
    assert [job["state"] for job in done["jobs"]] == ["done", "done"]
    created, ended = hospital.last("N-CREATE"), hospital.last("N-SET")
    scheduled_item = created.ScheduledStepAttributesSequence[0]
    assert (scheduled_item.AccessionNumber, scheduled_item.ScheduledProcedureStepID) == ("ACC1", "SPS1")
    assert scheduled_item.StudyInstanceUID == "1.2.3.4.1"
    assert created.PerformedProcedureStepDiscontinuationReasonCodeSequence == []
    assert ended.PerformedProcedureStepStatus == "COMPLETED"
    listed = {i.ReferencedSOPInstanceUID for s in ended.PerformedSeriesSequence for i in s.ReferencedImageSequence}
    assert listed == set(hospital.stored)


def test_images_repeat_worklist_and_performed_step(modality: Modality, hospital: Hospital) -> None:
    done = simple_case(modality)
    created = hospital.last("N-CREATE")
    for image in hospital.stored.values():
        assert (image.StudyInstanceUID, image.AccessionNumber, image.PatientID) == ("1.2.3.4.1", "ACC1", "PID1")
        assert image.StudyID == created.StudyID == "RP1"
        request = image.RequestAttributesSequence[0]
        assert (request.RequestedProcedureID, request.ScheduledProcedureStepID) == ("RP1", "SPS1")
        assert image.ReferencedPerformedProcedureStepSequence[0].ReferencedSOPInstanceUID == done["mpps_instance_uid"]
        assert image.PerformedProcedureStepID == created.PerformedProcedureStepID
        assert image.PerformedProtocolCodeSequence[0].CodeValue == "PC1"
        assert created.PerformedProtocolCodeSequence[0].CodeValue == "PC1"
        assert image.ProcedureCodeSequence[0].CodeValue == created.ProcedureCodeSequence[0].CodeValue == "RPC1"
        assert image.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "1.2.3.4.1.9"
    assert sorted(int(i.InstanceNumber) for i in hospital.stored.values()) == [1, 2]


@pytest.mark.parametrize("where", ["same", "other"])
def test_commitment_comes_on_either_association(modality: Modality, hospital: Hospital, where: str) -> None:
    simple_case(modality)
    hospital.commit_where = where
    done = modality.delivery.commit(same_association=where == "same")
    assert done["commitments"][0]["state"] == "committed"
    assert done["exams"][0]["state"] == "committed"
    with hospital.seen:
        hospital.seen.wait_for(lambda: bool(hospital.report_status), 5)
    assert hospital.report_status == [0x0000]
    requested = {i.ReferencedSOPInstanceUID for i in hospital.requests[0].ReferencedSOPSequence}
    assert requested == set(hospital.stored)


def test_unscheduled_exam_has_empty_request(modality: Modality, hospital: Hospital) -> None:
    key = modality.registration.register(
        patient_id="17796376", patient_name="HONG^GIL DONG", birth_date="2015-06-29", sex="M", study_id="1211",
        accession_number="57571221", study_description="CHEST PA/LAT",
    )["exam"]  # fmt: skip
    modality.examination.start(key)
    modality.examination.expose(key)
    modality.examination.end(key)
    item = hospital.last("N-CREATE").ScheduledStepAttributesSequence[0]
    assert item.StudyInstanceUID
    for keyword in ("AccessionNumber", "RequestedProcedureID", "ScheduledProcedureStepID"):
        assert not item[keyword].value
    image = hospital.last("C-STORE")
    assert image.StudyInstanceUID == item.StudyInstanceUID
    assert "RequestAttributesSequence" not in image
    assert image.PatientBirthDate == "20150629"


def test_group_over_two_procedures_makes_one_new_study(modality: Modality, hospital: Hospital) -> None:
    hospital.worklist.append(entry("SPS2", accession="ACC2", procedure="RP2", study="1.2.3.4.2"))
    key = scheduled(modality, 1, 2)
    modality.examination.start(key)
    modality.examination.expose(key)
    modality.examination.end(key)
    items = hospital.last("N-CREATE").ScheduledStepAttributesSequence
    image = hospital.last("C-STORE")
    assert [i.ScheduledProcedureStepID for i in items] == ["SPS1", "SPS2"]
    assert {i.StudyInstanceUID for i in items} == {image.StudyInstanceUID}
    assert image.StudyInstanceUID not in {"1.2.3.4.1", "1.2.3.4.2"}
    assert [i.AccessionNumber for i in items] == ["ACC1", "ACC2"]
    assert image.AccessionNumber == ""
    assert len(image.RequestAttributesSequence) == len(image.ReferencedStudySequence) == 2


def test_append_makes_a_new_step_and_series_in_the_same_study(modality: Modality, hospital: Hospital) -> None:
    first = simple_case(modality, 1)
    key = modality.registration.append(first["exam"])["exam"]
    modality.examination.start(key)
    modality.examination.expose(key)
    second = modality.examination.end(key)
    created = [d for kind, _, d in hospital.messages if kind == "N-CREATE"]
    assert created[0].PerformedProcedureStepID != created[1].PerformedProcedureStepID
    assert created[0].ScheduledStepAttributesSequence == created[1].ScheduledStepAttributesSequence
    assert first["mpps_instance_uid"] != second["mpps_instance_uid"]
    images = [d for kind, _, d in hospital.messages if kind == "C-STORE"]
    assert len({i.SeriesInstanceUID for i in images}) == 2
    assert len({i.SeriesNumber for i in images}) == 2
    assert len({(i.StudyInstanceUID, i.StudyDate, i.StudyTime) for i in images}) == 1


def test_other_procedure_keeps_the_plan_and_tells_what_was_done(modality: Modality, hospital: Hospital) -> None:
    key = scheduled(modality)
    modality.examination.start(key, procedure="Wrist")
    modality.examination.expose(key)
    modality.examination.end(key)
    created, image = hospital.last("N-CREATE"), hospital.last("C-STORE")
    assert created.ScheduledStepAttributesSequence[0].ScheduledProtocolCodeSequence[0].CodeValue == "PC1"
    assert created.ProcedureCodeSequence[0].CodeValue == image.ProcedureCodeSequence[0].CodeValue == "WRIST"
    assert image.PerformedProtocolCodeSequence[0].CodeValue == "WR-PA"
    assert hospital.last("N-SET").PerformedProtocolCodeSequence[0].CodeValue == "WR-PA"
    assert image.BodyPartExamined == "WRIST"


@pytest.mark.parametrize("images", [0, 2])
def test_cancel_reports_a_coded_reason_and_what_exists(modality: Modality, hospital: Hospital, images: int) -> None:
    key = scheduled(modality)
    modality.examination.start(key)
    if images:
        modality.examination.expose(key, count=images)
    modality.examination.cancel(key, reason="110514")
    ended = hospital.last("N-SET")
    assert ended.PerformedProcedureStepStatus == "DISCONTINUED"
    reason = ended.PerformedProcedureStepDiscontinuationReasonCodeSequence
    assert [(r.CodeValue, r.CodingSchemeDesignator) for r in reason] == [("110514", "DCM")]
    assert len(ended.PerformedSeriesSequence) == 1
    assert len(ended.PerformedSeriesSequence[0].ReferencedImageSequence) == images
    assert len(hospital.stored) == images


def test_rejected_image_is_neither_reported_nor_sent(modality: Modality, hospital: Hospital) -> None:
    key = scheduled(modality)
    modality.examination.start(key)
    modality.examination.expose(key, count=3)
    made = modality.examination.reject(key, number=2)
    gone = made["objects"][1]["sop_instance_uid"]
    modality.examination.end(key)
    listed = hospital.last("N-SET").PerformedSeriesSequence[0].ReferencedImageSequence
    assert gone not in {i.ReferencedSOPInstanceUID for i in listed}
    assert gone not in hospital.stored
    assert sorted(int(i.InstanceNumber) for i in hospital.stored.values()) == [1, 2]


def test_wrong_entry_is_done_anew_under_new_identifiers(modality: Modality, hospital: Hospital) -> None:
    hospital.worklist.append(entry("SPS2", accession="ACC2", procedure="RP2", study="1.2.3.4.2", patient_id="PID2"))
    key = scheduled(modality, 1)
    modality.examination.start(key)
    modality.examination.expose(key, count=2)
    wrong = modality.examination.cancel(key, reason="110514")
    right = modality.examination.reassign(key, step_ids=["SPS2"])
    assert right["state"] == "sent"
    assert right["study_instance_uid"] == "1.2.3.4.2"
    old = {o["sop_instance_uid"] for o in wrong["objects"]}
    new = {o["sop_instance_uid"] for o in right["objects"]}
    assert not old & new
    assert {hospital.stored[uid].PatientID for uid in new} == {"PID2"}
    assert {hospital.stored[uid].RequestAttributesSequence[0].ScheduledProcedureStepID for uid in new} == {"SPS2"}


@pytest.mark.parametrize("pending", [0xFF00, 0xFF01])
def test_both_pending_codes_are_matches(modality: Modality, hospital: Hospital, pending: int) -> None:
    hospital.pending = pending
    assert len(modality.registration.worklist()["items"]) == 1


def test_worklist_failure_is_not_an_empty_list(modality: Modality, hospital: Hospital) -> None:
    hospital.find_status = 0xA700
    with pytest.raises(PeerProblem, match="A700") as caught:
        modality.registration.worklist()
    assert caught.value.cause is Cause.STATUS
    assert modality.registration.worklist_status()["connected"] is False


def test_too_many_matches_are_cancelled(modality: Modality, hospital: Hospital) -> None:
    hospital.worklist = [entry(f"SPS{n}") for n in range(200)]
    answer = modality.registration.worklist(limit=5)
    assert answer["cut"] is True
    assert len(answer["items"]) == 5


def test_unusable_row_is_refused_with_its_reason(modality: Modality, hospital: Hospital) -> None:
    bad = entry()
    bad.StudyInstanceUID = ""
    hospital.worklist = [bad]
    rows = modality.registration.worklist()["items"]
    assert rows[0]["problems"] == ["no Study Instance UID"]
    with pytest.raises(Refused, match="no Study Instance UID"):
        modality.registration.register(items=[1])


def test_text_keeps_its_character_set_everywhere(modality: Modality, hospital: Hospital) -> None:
    name = "Hong^Gildong=洪^吉洞=홍^길동"
    hospital.worklist = [entry(name=name, sets=["", "ISO 2022 IR 149"])]
    simple_case(modality, 1)
    for kind in ("N-CREATE", "C-STORE"):
        message = hospital.last(kind)
        assert list(message.SpecificCharacterSet) == ["", "ISO 2022 IR 149"]
        assert str(message.PatientName) == name
    assert list(hospital.last("N-SET").SpecificCharacterSet) == ["", "ISO 2022 IR 149"]


def test_commitment_failure_keeps_the_study_and_is_recovered(modality: Modality, hospital: Hospital) -> None:
    done = simple_case(modality, 2)
    bad = done["objects"][0]["sop_instance_uid"]
    hospital.commit_fail = {bad}
    answer = modality.delivery.commit()
    assert answer["commitments"][0]["state"] == "failed"
    assert answer["exams"][0]["state"] == "failed"
    hospital.commit_fail = set()
    calls = hospital.store_calls
    again = modality.delivery.recover(done["exam"])
    assert hospital.store_calls == calls + 1
    assert again["exams"][0]["state"] == "committed"
    first, second = (r.TransactionUID for r in hospital.requests)
    assert first != second


def test_failed_store_is_not_counted_as_stored(modality: Modality, hospital: Hospital) -> None:
    hospital.store_status = {2: 0xC000}
    done = simple_case(modality, 3)
    assert done["state"] == "failed"
    assert len(hospital.stored) == 2
    again = modality.delivery.send(done["exam"])
    assert again["exams"][0]["state"] == "sent"
    assert len(hospital.stored) == 3
