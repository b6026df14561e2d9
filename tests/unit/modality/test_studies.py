"""The Studies tab: search, related studies, correction by hand, and deletion."""

from __future__ import annotations

import datetime
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from harness.modality import wire
from harness.modality.clock import ManualClock
from harness.modality.errors import NotFound, Refused, StoreProblem
from harness.modality.service import Modality
from tests.unit.modality.test_interfaces import offline


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.datetime(2026, 3, 1, 9, 0))


@pytest.fixture
def modality(tmp_path: Path, clock: ManualClock) -> Iterator[Modality]:
    with Modality(tmp_path / "home", settings=offline(), seed=4, clock=clock) as made:
        yield made


def study(console: Modality, patient_id: str = "P1", name: str = "Kim^Yuna", **values: Any) -> str:
    exam = console.registration.register(patient_id=patient_id, patient_name=name, **values)["exam"]
    console.examination.start(exam)
    console.examination.expose(exam)
    return str(console.examination.end(exam)["study_instance_uid"])


def found(console: Modality, **keys: str) -> list[str]:
    return [row["study_instance_uid"] for row in console.studies.studies(**keys)]


def test_each_filter_narrows_the_list(modality: Modality, clock: ManualClock) -> None:
    one = study(modality, study_description="CHEST 100%", accession_number="A1", study_id="S1")
    clock.advance(86400)
    two = study(modality, "Q2", "Lee_Min", modality="CT", study_id="S2", study_description="HEAD")
    assert found(modality) == [two, one]
    for keys, wanted in (
        ({"patient_id": "p1"}, [one]), ({"patient_name": "_"}, [two]), ({"patient_name": "yuna"}, [one]),
        ({"study_id": "S2"}, [two]), ({"description": "100%"}, [one]), ({"accession_number": "A1"}, [one]),
        ({"modality": "CT"}, [two]), ({"modality": "ALL"}, [two, one]), ({"modality": "MR"}, []),
        ({"date_from": "20260302"}, [two]), ({"date_to": "2026-03-01"}, [one]),
        ({"date_from": "20260301", "date_to": "20260302"}, [two, one]), ({"patient_id": "' OR 1=1 --"}, []),
    ):  # fmt: skip
        assert (keys, found(modality, **keys)) == (keys, wanted)
    with pytest.raises(Refused, match="is not a date"):
        modality.studies.studies(date_from="tomorrow")


def test_related_studies_are_those_of_the_same_patient(modality: Modality, clock: ManualClock) -> None:
    one = study(modality)
    clock.advance(60)
    two = study(modality)
    other = study(modality, "P2", "Kim^Yuna")
    nameless = study(modality, "", "Kim^Yuna"), study(modality, "", "Kim^Yuna")
    assert [row["study_instance_uid"] for row in modality.studies.related(one)] == [two]
    assert modality.studies.related(other) == []
    assert modality.studies.related(nameless[0]) == []
    with pytest.raises(NotFound):
        modality.studies.related("1.2.3")


def test_counts_and_series_are_those_of_the_rows(modality: Modality) -> None:
    uid = study(modality)
    row = modality.studies.studies()[0]
    assert (row["series_count"], row["instance_count"], row["modalities"]) == (1, 1, "DX")
    assert len(modality.studies.series(uid)) == row["series_count"]


def test_correction_reaches_files_rows_and_exam(modality: Modality) -> None:
    uid = study(modality)
    changed = modality.studies.study_modify(
        uid, patient_name="Kim^Yuna=金^妍兒", patient_id="P9", birth_date="1990-09-05", sex="F", study_description="X"
    )
    assert (changed["patient_id"], changed["patient_birth_dttm"], changed["study_desc"]) == ("P9", "1990-09-05", "X")
    file = dcmread(modality.studies.file_of(modality.studies.instances(uid)[0]["sop_instance_uid"]))
    assert (str(file.PatientID), str(file.PatientBirthDate), str(file.PatientSex)) == ("P9", "19900905", "F")
    assert file.SpecificCharacterSet == "ISO_IR 192"
    assert str(file.PatientName) == "Kim^Yuna=金^妍兒"
    assert modality.examination.show(1)["patient"]["id"] == "P9"
    assert modality.administration.db_check()["ok"]
    assert modality.administration.events()[0]["kind"] == "study-modified"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patient_id": "x" * 65}, "patient id has 65 characters"), ({"sex": "Q"}, "is not M, F or O"),
        ({"birth_date": "5.9.1990"}, "is not YYYYMMDD"), ({"patient_name": "A^B^C^D^E^F"}, "at most 3 groups"),
        ({"study_description": "a\\b"}, "backslash"), ({"patient_id": "", "patient_name": ""}, "give a patient ID"),
    ],
)  # fmt: skip
def test_wrong_correction_is_refused_and_changes_nothing(
    modality: Modality, changes: dict[str, str], said: str
) -> None:
    uid = study(modality)
    file = modality.studies.file_of(modality.studies.instances(uid)[0]["sop_instance_uid"])
    before = file.read_bytes()
    with pytest.raises(Refused, match=said):
        modality.studies.study_modify(uid, **changes)
    assert file.read_bytes() == before


def test_full_disk_gives_the_old_files_back(modality: Modality, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = modality.registration.register(patient_id="P1", patient_name="A^B")["exam"]
    modality.examination.start(exam)
    modality.examination.expose(exam, count=2)
    uid = modality.examination.end(exam)["study_instance_uid"]
    files = [modality.studies.file_of(row["sop_instance_uid"]) for row in modality.studies.instances(uid)]
    before = [file.read_bytes() for file in files]
    write, calls = wire.write_bytes, []

    def full_at_second(*given: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*given)

    monkeypatch.setattr(wire, "write_bytes", full_at_second)
    with pytest.raises(StoreProblem, match="nothing was changed"):
        modality.studies.study_modify(uid, sex="F")
    assert [file.read_bytes() for file in files] == before
    assert modality.studies.studies()[0]["patient_sex"] == ""


def test_what_was_sent_or_scheduled_is_corrected_elsewhere(modality: Modality) -> None:
    uid = study(modality)
    modality.kernel.database.run("UPDATE Delivery SET stored_dttm = '2026-03-01'")
    with pytest.raises(Refused, match="has been sent"):
        modality.studies.study_modify(uid, sex="F")


def test_deleted_study_keeps_its_files_until_they_are_purged(modality: Modality) -> None:
    uid = study(modality)
    file = modality.studies.file_of(modality.studies.instances(uid)[0]["sop_instance_uid"])
    with pytest.raises(Refused, match="no storage commitment"):
        modality.studies.delete(uid)
    modality.kernel.database.run("UPDATE Delivery SET committed_dttm = '2026-03-01'")
    modality.studies.delete(uid)
    assert (found(modality), file.exists()) == ([], True)
    assert modality.studies.purge() == {"files": 1}
    assert not file.exists()
