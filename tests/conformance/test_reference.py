"""The reference modality is healthy, and everything a run leaves can be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from harness import resources
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner
from tests.peers import require_program

FEATURES = resources.folder("features")


def test_the_reference_modality_passes_everything_and_the_evidence_is_complete(harness_run: Runner) -> None:
    ran = harness_run("--profile", "SWF")
    assert ran.code == 0, ran.error
    assert ran.answer["verdict"] == "PASS"
    assert set(ran.answer["scenarios"]) == {"passed", "failed", "inconclusive", "not_applicable", "error"}
    assert ran.answer["scenarios"]["passed"] >= 25
    assert Path(ran.answer["run"]).is_file()
    report = Path(ran.answer["report"]).read_text(encoding="utf-8")
    assert "http://" not in report.split("</style>")[0]
    judged = ran.result.requirement_verdicts()
    assert sum(verdict is Verdict.PASS for verdict in judged.values()) > 100
    suites = etree.parse(ran.folder / "junit.xml").getroot()
    assert int(suites.get("failures", "1")) == 0
    assert int(suites.get("tests", "0")) == len(ran.result.scenarios)
    assert list((ran.folder / "wire").glob("*.pcapng"))
    rejudged = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "rejudge", str(ran.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rejudged.returncode == 0, rejudged.stdout + rejudged.stderr


def test_the_reference_modality_writes_media_and_prints_what_presentation_states_say(harness_run: Runner) -> None:
    ran = harness_run("--profile", "PDI", "--profile", "CPI", "--workers", "2")
    assert ran.code == 0, ran.error
    judged = ran.result.requirement_verdicts()
    proven = {name for name, verdict in judged.items() if verdict is Verdict.PASS}
    assert {"PDI-ACT-01", "RAD-47-PMC-02", "RAD-47-PMC-27", "RAD-47-WEB-02", "XC-34"} <= proven
    assert {"RAD-23-SCU-01", "RAD-23-SCU-02", "RAD-23-SCU-09", "RAD-23-SCU-10"} <= proven
    passed = [s.name for s in ran.result.scenarios if s.verdict is Verdict.PASS]
    assert "A printer without Presentation LUT" in passed
    assert "A CD with images, presentation state, key objects, report and document" in passed


@pytest.mark.peer("tshark")
def test_wireshark_opens_the_capture_of_a_run(harness_run: Runner) -> None:
    tshark = require_program("tshark")
    ran = harness_run("--only", "MESA-211")
    assert ran.code == 0, ran.error
    (capture,) = (ran.folder / "wire").glob("*.pcapng")
    done = subprocess.run(
        [tshark, "-r", str(capture), "-o", "tcp.try_heuristic_first:TRUE", "-T", "fields", "-e", "_ws.col.Protocol"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "DICOM" in done.stdout


def test_two_workers_find_the_same(harness_run: Runner) -> None:
    ran = harness_run("--only", "RAD-5", "--profile", "SWF", "--actor", "acquisition-modality", "--workers", "2")
    assert ran.code == 0, ran.error
    assert ran.answer["scenarios"]["passed"] >= 10


def test_what_failed_can_be_run_again_alone(harness_run: Runner) -> None:
    first = harness_run("--only", "RAD-5-SCU-16", "--profile", "SWF", "--defect", "worklist-stops-at-ff01")
    assert first.code == 1, first.error
    failed = [s.id for s in first.result.scenarios if s.verdict is Verdict.FAIL]
    again = harness_run("--rerun-failed", str(first.folder))
    assert [s.id for s in again.result.scenarios] == failed
    assert again.code == 0


def test_replayed_evidence_is_judged_like_the_product_itself(harness_run: Runner, tmp_path: Path) -> None:
    first = harness_run("--only", "MESA-211")
    sut = tmp_path / "replay.toml"
    text = (resources.folder("fixtures") / "sut" / "reference.toml").read_text(encoding="utf-8")
    sut.write_text(text.replace('kind = "reference"', f'kind = "replay"\nreplay = "{first.folder}"'), encoding="utf-8")
    again = harness_run("--sut", str(sut), "--only", "MESA-211")
    assert again.result.requirement_verdicts() == first.result.requirement_verdicts()


def test_allure_results_have_gherkin_steps(harness_run: Runner, tmp_path: Path) -> None:
    results = tmp_path / "allure"
    ran = harness_run("--only", "MESA-211", "--allure", str(results))
    assert ran.code == 0, ran.error
    stored = [json.loads(result.read_text(encoding="utf-8")) for result in results.glob("*-result.json")]
    (exam,) = (result for result in stored if result["name"] == "A scheduled step is performed, stored and committed")
    named = {label["value"] for label in exam["labels"] if label["name"] == "scenario"}
    assert named <= {scenario.id for scenario in ran.result.scenarios}
    assert len(named) == 1
    steps = [step["name"] for step in exam["steps"]]
    assert any(name.startswith("Given the Order Filler has scheduled") for name in steps)
    assert any(name.startswith("And the exchange satisfies every") for name in steps)
