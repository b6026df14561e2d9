"""Test objects are what they claim: valid, deterministic, several patients and character sets."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from harness.actors import objects
from tests.peers import require_program


def test_the_plan_covers_patients_studies_series_and_modalities() -> None:
    samples = objects.make(objects.archive_plan(), objects.uid_source(1))
    assert len({sample.sop_instance for sample in samples}) == len(samples) == 30
    assert len({str(sample.dataset.PatientID) for sample in samples}) == 5
    assert len({str(sample.dataset.StudyInstanceUID) for sample in samples}) == 10
    assert Counter(str(s.dataset.Modality) for s in samples) == {"CT": 15, "OT": 5, "MR": 4, "CR": 2, "DX": 2, "US": 2}


def test_the_same_seed_makes_the_same_objects() -> None:
    first, second = (objects.make(objects.archive_plan(), objects.uid_source(7)) for _ in range(2))
    assert [sample.dataset for sample in first] == [sample.dataset for sample in second]


@pytest.mark.peer("dicom3tools")
def test_an_independent_validator_has_nothing_to_say(tmp_path: Path) -> None:
    dciodvfy = require_program("dciodvfy")
    plan = objects.StudyPlan(
        objects.SUBJECTS[2],
        tuple(objects.SeriesPlan(modality, 1) for modality in objects.SOP_CLASSES),
        accession_number="A1",
        study_id="S1",
    )
    for sample in objects.make([plan], objects.uid_source(3)):
        path = tmp_path / f"{sample.dataset.SeriesNumber}.dcm"
        sample.dataset.save_as(path, enforce_file_format=True)
        said = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, timeout=30, check=False)
        errors = [line for line in said.stderr.splitlines() if line.startswith("Error")]
        assert errors == [], f"{sample.dataset.Modality}: {errors}"
        assert said.returncode == 0
