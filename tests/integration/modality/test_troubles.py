"""Bad input and bad luck: each is told in words that a technologist understands, and loses nothing."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.modality import wire
from harness.modality.elements import items, put
from harness.modality.errors import Refused, StoreProblem
from harness.modality.service import Modality
from tests.integration.modality.hospital import Hospital, code, entry


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    with Hospital(worklist=[entry()]).open() as opened:
        yield opened


@pytest.fixture
def modality(hospital: Hospital, tmp_path: Path) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=hospital.settings(), seed=1) as opened:
        hospital.modality = ("REFMOD", "127.0.0.1", opened.listen())
        yield opened


def started(modality: Modality) -> int:
    modality.registration.worklist()
    key = int(modality.registration.register(items=[1])["exam"])
    modality.examination.start(key)
    return key


# -- worklist rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PatientID": ""}, "no patient ID"),
        ({"PatientID": None}, "no patient ID"),
        ({"StudyInstanceUID": ""}, "no Study Instance UID"),
        ({"RequestedProcedureID": ""}, "no Requested Procedure ID"),
        ({"AccessionNumber": "A" * 20}, "accession number has 20 characters, 16 are allowed"),
        ({"ScheduledProcedureStepSequence": []}, "no Scheduled Procedure Step ID"),
    ],
)
def test_row_that_cannot_be_used_says_why_and_is_not_started(
    modality: Modality, hospital: Hospital, changes: dict[str, Any], said: str
) -> None:
    hospital.worklist = [put(entry(), **changes), entry("GOOD")]
    rows = modality.registration.worklist()["items"]
    bad = next(row for row in rows if row["step_id"] != "GOOD")
    assert said in bad["problems"]
    with pytest.raises(Refused, match=said):
        modality.registration.register(items=[bad["item"]])
    assert modality.examination.exams() == []
    assert modality.registration.register(step_ids=["GOOD"])["state"] == "registered"


def test_rows_as_they_are_seen_at_a_connectathon(modality: Modality, hospital: Hospital) -> None:
    """Eight rows for other stations, with odd schemes of codes, and empty keys behind the modality."""
    stations = ("a", "MOD_CMT", "ECDIMPORT", "Eleva", "Samsung", "MODALITY1", "LEMOUSSUA", "REFMOD")
    hospital.worklist = []
    for number, station in enumerate(stations):
        row = entry(f"S{number}", patient_id=f"P{number}", study=f"1.2.3.{number}")
        step = items(row, "ScheduledProcedureStepSequence")[0]
        put(step, ScheduledStationAETitle=station, ScheduledProcedureStepStartTime=f"{10 - number:02d}00")
        scheme = "99IHE" if number % 2 else "IHE99"
        put(row, RequestedProcedureCodeSequence=[code("11410", scheme, "XRay: Ankle")])
        if number == 7:
            for keyword in ("AccessionNumber", "PatientBirthDate", "RequestedProcedureDescription"):
                put(row, **{keyword: ""})
            put(step, ScheduledProcedureStepDescription="", ScheduledProtocolCodeSequence=[])
        hospital.worklist.append(row)
    rows = modality.registration.worklist()["items"]
    assert [row["station_ae_title"] for row in rows] == list(reversed(stations))
    assert {row["requested_procedure_codes"][0]["scheme"] for row in rows} == {"99IHE", "IHE99"}
    assert all(row["problems"] == [] for row in rows)
    bare = modality.registration.register(step_ids=["S7"])["exam"]
    modality.examination.start(bare)
    modality.examination.expose(bare)
    assert modality.examination.end(bare)["state"] == "sent"
    assert hospital.last("C-STORE").AccessionNumber in {"", None}


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"StudyInstanceUID": "../../../../evil"}, "study instance uid is no UID"),
        ({"StudyInstanceUID": "/etc/evil"}, "study instance uid is no UID"),
        ({"PatientID": "P" * 70000}, "patient id has 70000 characters, 64 are allowed"),
        ({"PatientName": "N" * 70000}, "patient name has 70000 characters in a group, 64 are allowed"),
        ({"RequestedProcedureDescription": "D" * 70000}, "a text of it has more than 10240 characters"),
    ],
)
def test_hostile_row_goes_no_further_than_the_list(
    modality: Modality, hospital: Hospital, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    hospital.worklist = [put(entry(), **changes), entry("GOOD")]
    rows = modality.registration.worklist()["items"]
    (bad,) = [row for row in rows if row["step_id"] != "GOOD"]
    assert said in bad["problems"]
    with pytest.raises(Refused, match="cannot be used"):
        modality.registration.register(items=[bad["item"]])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    exam = int(modality.registration.register(step_ids=["GOOD"])["exam"])
    modality.examination.start(exam)
    modality.examination.expose(exam)
    assert modality.examination.end(exam)["state"] == "sent"


def test_ten_thousand_rows_are_cut_and_cancelled(modality: Modality, hospital: Hospital) -> None:
    row = entry()
    hospital.worklist = [row] * 10000
    found = modality.registration.worklist()
    assert (len(found["items"]), found["cut"]) == (500, True)
    assert hospital.cancelled == 1


def test_row_is_asked_for_by_patient_and_by_accession_number(modality: Modality, hospital: Hospital) -> None:
    modality.registration.worklist(patient_id="PID1", patient_name="Doe^*")
    assert (hospital.queries[-1].PatientID, str(hospital.queries[-1].PatientName)) == ("PID1", "Doe^*")
    modality.registration.worklist(accession_number="ACC1")
    assert hospital.queries[-1].AccessionNumber == "ACC1"
    keys = hospital.queries[-1]
    step = keys.ScheduledProcedureStepSequence[0]
    columns = (
        "StudyInstanceUID", "RequestedProcedureID", "RequestedProcedureCodeSequence", "AccessionNumber", "PatientID",
        "PatientName",
    )  # fmt: skip
    steps = (
        "ScheduledProcedureStepStartDate", "Modality", "ScheduledStationAETitle", "ScheduledProcedureStepID",
        "ScheduledProcedureStepDescription",
    )  # fmt: skip
    assert [name for name in columns if name not in keys] == []
    assert [name for name in steps if name not in step] == []
    assert len(hospital.queries) == 2


# -- peers and disks -------------------------------------------------------------------------------------------------


def test_archive_that_takes_no_service_keeps_the_images_here(tmp_path: Path) -> None:
    with Hospital(worklist=[entry()]).open() as hospital, Hospital(title="NOTHING").open(storage=()) as archive:
        nodes = {"storage": {"ae_title": "NOTHING", "host": "127.0.0.1", "port": archive.port, "enabled": True}}
        settings = hospital.settings()
        with Modality(tmp_path / "home", settings=settings, seed=1) as modality:
            modality.administration.config_set(
                [f"nodes.storage.{key}={value}" for key, value in nodes["storage"].items()]
            )
            key = started(modality)
            modality.examination.expose(key, count=2)
            done = modality.examination.end(key)
            job = next(job for job in done["jobs"] if job["kind"] == "send")
            assert job["state"] == "failed"
            assert "none of our services" in job["message"]
            assert "ask its administrator" in job["message"]
            assert (done["state"], done["mpps_status"]) == ("failed", "COMPLETED")
            assert len(modality.studies.instances(done["study_instance_uid"])) == 2
            assert modality.administration.db_check()["ok"]
            modality.administration.config_set(
                [f"nodes.storage.port={hospital.port}", f"nodes.storage.ae_title={hospital.title}"]
            )
            assert modality.administration.queue_retry(job["job"])["state"] == "done"
            assert len(hospital.stored) == 2


def test_full_disk_at_the_shot_can_be_repeated(
    modality: Modality, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = started(modality)
    modality.examination.ready(key)
    write = wire.write_bytes

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wire, "write_bytes", full)
    with pytest.raises(StoreProblem, match="No space left on device; free space and repeat"):
        modality.examination.shot(key)
    assert modality.examination.show(key)["state"] == "ready"
    monkeypatch.setattr(wire, "write_bytes", write)
    modality.examination.shot(key)
    modality.examination.confirm(key)
    assert modality.examination.end(key)["state"] == "sent"
    assert len(hospital.stored) == 1


def test_full_disk_at_the_end_leaves_the_exam_open(
    modality: Modality, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = started(modality)
    modality.examination.expose(key, count=2)
    write, calls = wire.write_bytes, []

    def full_at_second(*given: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*given)

    monkeypatch.setattr(wire, "write_bytes", full_at_second)
    with pytest.raises(StoreProblem, match="free space"):
        modality.examination.end(key)
    assert modality.examination.show(key)["state"] == "in-progress"
    assert hospital.kinds() == ["N-CREATE"]
    monkeypatch.setattr(wire, "write_bytes", write)
    assert modality.examination.end(key)["state"] == "sent"
    assert hospital.kinds() == ["N-CREATE", "N-SET", "C-STORE", "C-STORE"]


# -- rejected images ------------------------------------------------------------------------------------------------


def notes(hospital: Hospital) -> list[Dataset]:
    return [each for each in hospital.stored.values() if each.Modality == "KO"]


def test_rejected_image_goes_out_under_a_rejection_note_if_wanted(modality: Modality, hospital: Hospital) -> None:
    modality.administration.config_set(["end_exam.send_rejected=true"])
    key = started(modality)
    modality.examination.expose(key, count=2, confirm=False)
    bad = modality.examination.reject(key, reason="113037")["objects"][-1]["sop_instance_uid"]
    modality.examination.expose(key)
    done = modality.examination.end(key)
    assert done["state"] == "sent"
    assert len([each for each in hospital.stored.values() if each.Modality == "DX"]) == 3
    (note,) = notes(hospital)
    title = note.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator) == ("113037", "DCM")
    evidence = note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert [each.ReferencedSOPInstanceUID for series in evidence for each in series.ReferencedSOPSequence] == [bad]
    more = "ReferencedNonImageCompositeSOPInstanceSequence"
    series = hospital.last("N-SET").PerformedSeriesSequence
    listed = {
        each.ReferencedSOPInstanceUID for one in series for each in [*one.ReferencedImageSequence, *one.get(more, [])]
    }
    assert listed == set(hospital.stored)


def test_each_reason_of_rejection_has_its_own_note(modality: Modality, hospital: Hospital) -> None:
    modality.administration.config_set(["end_exam.send_rejected=true"])
    key = started(modality)
    modality.examination.expose(key, count=3)
    modality.examination.reject(key, number=1, reason="113001")
    modality.examination.reject(key, number=2, reason="113038")
    modality.examination.end(key)
    assert {str(note.ConceptNameCodeSequence[0].CodeValue) for note in notes(hospital)} == {"113001", "113038"}


def test_without_the_wish_a_rejected_image_stays_here(modality: Modality, hospital: Hospital) -> None:
    key = started(modality)
    modality.examination.expose(key, count=2)
    modality.examination.reject(key, number=1)
    modality.examination.end(key)
    assert (len(hospital.stored), notes(hospital)) == (1, [])
    assert [int(each.InstanceNumber) for each in hospital.stored.values()] == [1]
