"""The contract with pipelines: one run for each exit code, and what doctor says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness import resources
from harness.cli.run import exit_code
from harness.core.errors import EngineFailure, UsageError
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.sut import waivers

ONLY = ("--only", "Nothing is scheduled", "--profile", "SWF")
AWAY = """
[product]
name = "Away"
[[claims]]
profile = "SWF"
actor = "DSS/Order Filler"
transactions = ["RAD-5"]
[dicom]
ae_title = "AWAY"
port = {port}
[driver]
kind = "silent"
"""
EXPIRED = """
[[waivers]]
requirement = "RAD-5-SCU-17"
reason = "agreed with the hospital"
expires = 2020-01-01
"""


def harness(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness.cli.main", *arguments]
    return subprocess.run(
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_0_everything_passed(tmp_path: Path) -> None:
    done = harness(tmp_path, "run", "--json", *ONLY)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["verdict"], json.loads(done.stdout)["exit_code"]) == ("PASS", 0)


def test_1_nothing_is_never_a_pass(tmp_path: Path) -> None:
    reference = (resources.folder("fixtures") / "sut" / "reference.toml").read_text(encoding="utf-8")
    silent = tmp_path / "silent.toml"
    text = reference.replace('kind = "reference"', 'kind = "silent"').replace("exchange = 6.0", "exchange = 0.2")
    silent.write_text(text, encoding="utf-8")
    done = harness(tmp_path, "run", "--sut", str(silent), *ONLY)
    assert done.returncode == 1, done.stderr


def test_2_a_mistake_in_a_scenario_is_the_authors(tmp_path: Path) -> None:
    (tmp_path / "ours.feature").write_text(
        """@profile:SWF @actor:acquisition-modality @transaction:RAD-5
Feature: Ours
  Scenario: nobody scheduled this step
    Given the Order Filler has nothing scheduled
    When the system under test performs "S1" with 1 image
    Then the requirement "RAD-5-SCU-17" is met
""",
        encoding="utf-8",
    )
    done = harness(tmp_path, "run", "--features", "ours.feature")
    assert done.returncode == 2, done.stderr
    assert "mistake in the scenario: " in done.stderr
    assert "ours.feature:5: no step S1 was scheduled; known: none" in done.stderr


def test_3_a_product_that_is_away(tmp_path: Path) -> None:
    sut = tmp_path / "away.toml"
    port = closed_port()
    sut.write_text(AWAY.format(port=port), encoding="utf-8")
    done = harness(tmp_path, "run", "--sut", str(sut), "--quick", "--json")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["verdict"] == "INCONCLUSIVE", "nothing applies is something else"
    assert f"Away does not answer on 127.0.0.1:{port}" in done.stderr
    assert "the run did not take place" in done.stderr
    assert "None of the selected scenarios" not in done.stderr


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_3_a_program_that_cannot_be_started_stops_the_run_at_once(tmp_path: Path, workers: tuple[str, ...]) -> None:
    sut = tmp_path / "broken.toml"
    sut.write_text(AWAY.format(port=0) + '[process]\nargv = ["/no/such/program"]\n', encoding="utf-8")
    done = harness(tmp_path, "run", "--sut", str(sut), "--quick", *workers)
    assert done.returncode == 3, done.stderr
    assert "/no/such/program cannot be started" in done.stderr
    assert "Traceback" not in done.stderr


def test_4_the_harness_itself_is_never_the_product() -> None:
    fault = ScenarioResult("swf/x", "x", "f", "p", 1, Verdict.ERROR, 0.1, faults=("node: boom",))
    run = RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (fault,))
    seen = waivers.WaivedRun({"swf/x": Verdict.ERROR}, (), (), ())
    assert exit_code(run, seen, None, allow_inconclusive=True) == 4
    assert exit_code(run, seen, EngineFailure("x"), allow_inconclusive=True) == 4
    assert exit_code(run, seen, UsageError("x"), allow_inconclusive=True) == 2


def test_5_an_expired_waiver(tmp_path: Path) -> None:
    (tmp_path / "agreed.toml").write_text(EXPIRED, encoding="utf-8")
    done = harness(tmp_path, "run", "--waivers", "agreed.toml", *ONLY)
    assert done.returncode == 5, done.stderr
    assert "Expired waiver: RAD-5-SCU-17" in done.stderr


def test_doctor_finds_the_reference_modality_healthy(tmp_path: Path) -> None:
    sut = resources.folder("fixtures") / "sut" / "reference.toml"
    done = harness(tmp_path, "doctor", "--sut", str(sut), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["healthy"]) == (0, True), done.stdout
    assert {row["actor"] for row in said["configure"]} >= {"DSS/Order Filler", "Image Manager/Archive"}
    listening = {row["actor"]: row["port"] for row in said["configure"] if row["port"]}
    assert {"DSS/Order Filler", "PPS Manager", "Image Manager/Archive"} <= set(listening)


def test_doctor_says_what_to_configure_even_if_the_product_is_away(tmp_path: Path) -> None:
    sut = tmp_path / "away.toml"
    sut.write_text(AWAY.format(port=closed_port()), encoding="utf-8")
    done = harness(tmp_path, "doctor", "--sut", str(sut), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["healthy"]) == (3, False)
    assert said["configure"]
    assert "does not answer" in said["findings"][0]["detail"]


def test_doctor_lists_and_tries_hl7(tmp_path: Path) -> None:
    sut = tmp_path / "placer.toml"
    text = """
[product]
name = "Placer"
[[claims]]
profile = "SWF"
actor = "Order Placer"
[hl7]
application = "OE"
port = {port}
[driver]
kind = "silent"
"""
    with socket.create_server(("127.0.0.1", 0)) as product:
        sut.write_text(text.format(port=product.getsockname()[1]), encoding="utf-8")
        done = harness(tmp_path, "doctor", "--sut", str(sut), "--json", "--wait", "0.1")
        said = json.loads(done.stdout)
    rows = [row for row in said["configure"] if row["protocol"] == "HL7"]
    assert {row["actor"] for row in rows} == {"ADT", "Order Placer", "DSS/Order Filler", "Image Manager/Archive"}
    assert all(row["port"] and row["application"] and row["facility"] for row in rows)
    tried = {finding["what"]: finding["state"] for finding in said["findings"]}
    assert tried["TCP connection to the product for HL7"] == "ok"
    sut.write_text(text.format(port=closed_port()), encoding="utf-8")
    away = harness(tmp_path, "run", "--sut", str(sut), "--only", "RAD-2")
    assert away.returncode == 3, away.stderr
    assert "Placer does not answer for HL7 on 127.0.0.1:" in away.stderr
