"""A waiver file made of a run is one that the next run takes, and nothing is agreed by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bdd.lint import PlannedScenario
from harness.cli.main import call
from harness.cli.run import lost_waivers
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting.evidence import EvidenceStore
from harness.sut import waivers


@pytest.fixture
def run(tmp_path: Path) -> Path:
    found = (Finding("c", "RAD-5-SCU-16", Verdict.FAIL, "it stopped"), Finding("c", "RAD-5-SCU-01", Verdict.PASS, "ok"))
    scenario = ScenarioResult("swf/x/a[1]", "a", "f", "p", 1, Verdict.FAIL, 0.1, findings=found)
    folder = tmp_path / "run"
    EvidenceStore(folder).write_run(RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {"name": "P"}, (scenario,)))
    return folder


def test_what_was_broken_becomes_a_file(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "agreed.toml"
    words = ("--reason", "agreed with us", "--expires", "2999-01-01", "--owner", "kim")
    assert call(["waive", str(run), *words, "--out", str(target)]) == 0
    (made,) = waivers.load(target)
    assert (made.requirement, made.scenario, made.reason) == ("RAD-5-SCU-16", "swf/x/a[1]", "agreed with us")
    assert call(["waive", str(run), *words, "--out", str(target)]) == 2, "what was agreed is not overwritten"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "agreed with us", "--expires", "tomorrow"], "write a date as YYYY-MM-DD"),
        (["--reason", "agreed with us", "--expires", "2001-01-01"], "this day is over"),
        (["--reason", "ok", "--expires", "2999-01-01"], "at least 8 characters"),
        (["--reason", "agreed with us", "--expires", "2999-01-01", "--only", "RAD-5-SCU-01"], "nothing to waive"),
        (["--reason", "agreed with us", "--expires", "2999-01-01", "--only", "RAD-5-SCU-1"], "did you mean"),
    ],
)
def test_what_cannot_be_meant_is_said(
    run: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["waive", str(run), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_waiver_of_a_scenario_that_does_not_exist_is_told(tmp_path: Path) -> None:
    plan = [
        PlannedScenario(name, tmp_path, 1, "f", name, (), (), examples)
        for name, examples in (("swf/x/a", 1), ("swf/x/b", 3))
    ]
    patterns = ("swf/x/a", "swf/*", "swf/x/b[Korean-hong]", "swf/x/b[K*", "*hong]", "swf/y/a", "swf/x/c[Korean]")
    file = tmp_path / "w.toml"
    entry = '[[waivers]]\nrequirement = "X"\nscenario = "{}"\nreason = "agreed here"\nexpires = 2999-01-01\n'
    file.write_text("".join(entry.format(pattern) for pattern in patterns), encoding="utf-8")
    assert [w.scenario for w in lost_waivers(waivers.load(file), plan)] == ["swf/y/a", "swf/x/c[Korean]"]
