"""What two objects of one entity say of it: the same, the same otherwise written, or else (as dcentvfy has it)."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from harness.validation.consistency import SetRules
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.objects import judge_part10
from tests.unit.validation import samples as s

ANOTHER_STUDY = {"StudyInstanceUID": s.UID + ".50", "SeriesInstanceUID": s.UID + ".51"}


def compared(first: dict[str, str], second: dict[str, str]) -> list[tuple[str, str, Severity]]:
    """Code, keyword and severity of what two CT images with these values say about each other."""
    found: list[ValidationFinding] = []
    rules = SetRules(lambda path, finding: found.append(finding))
    for number, values in enumerate((first, second)):
        ds: Dataset = s.ct()
        ds.SOPInstanceUID = f"{s.UID}.77.{number}"
        for keyword, value in values.items():
            setattr(ds, keyword, value)
        _, root = judge_part10(s.part10(ds))
        assert root is not None
        rules.add(str(number), root)
    rules.finish()
    return [(f.code, f.locator.rpartition(" ")[2], f.severity) for f in found]


@pytest.mark.parametrize(
    ("code", "keyword", "first", "second"),
    [
        ("SET-PATIENT", "PatientName", "Doe^Jane", "Doe^John"),
        ("SET-PATIENT", "PatientBirthDate", "19700101", "19800101"),
        ("SET-STUDY", "StudyDescription", "Head", "Abdomen"),
        ("SET-STUDY", "PatientAge", "030Y", "031Y"),
        ("SET-STUDY", "PatientWeight", "70", "71"),
        ("SET-SERIES", "SeriesDescription", "native", "contrast"),
        ("SET-SERIES", "Modality", "CT", "MR"),
        ("SET-SERIES", "Laterality", "L", "R"),
        ("SET-SERIES", "FrameOfReferenceUID", "1.2.3", "1.2.4"),
    ],
)
def test_other_values_of_one_entity_are_errors(code: str, keyword: str, first: str, second: str) -> None:
    assert (code, keyword, Severity.ERROR) in compared({keyword: first}, {keyword: second})


@pytest.mark.parametrize(
    ("keyword", "first", "second"),
    [
        ("PatientName", "Doe^Jane", "Doe^Jane^^="),
        ("SeriesNumber", "1", "+01"),
        ("PatientWeight", "70", "70.0"),
        ("StudyTime", "101112", "101112.000"),
        ("AccessionNumber", "A1", ""),
        ("PatientSex", "", "F"),
    ],
)
def test_the_same_written_otherwise_and_what_one_does_not_know_are_warnings(
    keyword: str, first: str, second: str
) -> None:
    found = compared({keyword: first}, {keyword: second})
    assert [(of, severity) for _, of, severity in found] == [(keyword, Severity.WARNING)]


def test_a_name_in_two_character_sets_is_one_name() -> None:
    latin = {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Änne"}
    assert compared(latin, {**latin, "SpecificCharacterSet": "ISO_IR 192"}) == []
    other = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Möller^Änne"}
    assert compared(latin, other) == [("SET-PATIENT", "PatientName", Severity.ERROR)]


def test_a_person_who_is_called_otherwise_in_another_study_is_a_warning() -> None:
    found = compared({}, {**ANOTHER_STUDY, "PatientName": "Roe^Jane", "FrameOfReferenceUID": s.UID + ".52"})
    assert found == [("SET-PATIENT", "PatientName", Severity.WARNING)]
    another = {**ANOTHER_STUDY, "PatientID": "4712", "FrameOfReferenceUID": s.UID + ".52"}
    assert compared({}, {**another, "PatientName": "Roe^Jane"}) == []
