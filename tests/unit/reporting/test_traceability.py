"""The matrix: every requirement is counted once per profile, and only what a defect broke is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.reporting.traceability import load_kills, matrix
from tests.unit.reporting import builders

CONTRACT = {
    "profile",
    "requirements",
    "automated",
    "attested",
    "unverifiable",
    "passed",
    "failed",
    "inconclusive",
    "killed",
}


def test_requirements_by_how_they_are_verified() -> None:
    swf, swf_b = matrix(builders.REQUIREMENTS.values(), ["SWF", "SWF.b"])
    assert (swf.requirements, swf.automated, swf.attested, swf.unverifiable) == (8, 6, 1, 1)
    assert (swf_b.requirements, swf_b.automated) == (9, 7)
    assert swf.requirements == swf.automated + swf.attested + swf.unverifiable


def test_without_a_run_nothing_passed() -> None:
    (row,) = matrix(builders.REQUIREMENTS.values(), ["SWF.b"])
    assert (row.passed, row.failed, row.inconclusive, row.warnings, row.not_run) == (0, 0, 0, 0, 9)


def test_results_of_a_run(tmp_path: Path) -> None:
    run = builders.build_run(tmp_path)
    (row,) = matrix(builders.REQUIREMENTS.values(), ["SWF"], run)
    assert (row.passed, row.failed, row.inconclusive, row.warnings, row.not_run) == (4, 2, 0, 1, 1)


def test_only_automated_rows_are_killed() -> None:
    (row,) = matrix(builders.REQUIREMENTS.values(), ["SWF"], None, frozenset({"RAD-7-SCU-11", "RAD-5-SCU-09", "X"}))
    assert row.killed == 1


def test_json_has_the_keys_that_scripts_rely_on() -> None:
    (row,) = matrix([], ["PDI"])
    assert set(row.to_json()) >= CONTRACT
    assert all(value == 0 for key, value in row.to_json().items() if key != "profile")


def test_kill_files(tmp_path: Path) -> None:
    file = tmp_path / "kills.json"
    file.write_text(json.dumps({"killed": {"RAD-7-SCU-11": ["mpps-lists-too-few"], "RAD-6-SCU-04": []}}))
    assert load_kills(file) == {"RAD-7-SCU-11"}
    file.write_text(json.dumps({"killed": ["RAD-6-SCU-04"]}))
    assert load_kills(file) == {"RAD-6-SCU-04"}


@pytest.mark.parametrize("text", ["{}", "[]", '{"killed": 3}', '{"killed": [3]}', "no"])
def test_what_is_no_kill_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kills.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"kills\.json"):
        load_kills(file)
