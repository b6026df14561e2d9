"""Agreed deviations."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import ConfigurationError
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult, StepResult
from harness.core.verdict import Verdict
from harness.sut import waivers

TODAY = datetime.date(2026, 11, 20)
WAIVER = """
[[waivers]]
requirement = "RAD-5-SCP-07"
reason = "agreed with the hospital"
expires = 2026-12-31
"""


def load(folder: Path, text: str) -> tuple[waivers.Waiver, ...]:
    path = folder / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    return waivers.load(path)


def run_with(*verdicts: Verdict, faults: tuple[str, ...] = ()) -> RunResult:
    findings = tuple(Finding("c", f"RAD-5-SCP-0{7 + n}", verdict, "s") for n, verdict in enumerate(verdicts))
    scenario = ScenarioResult("swf/rad_05/x", "x", "f", "p", 1, max(verdicts), 0.1, findings=findings, faults=faults)
    return RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (scenario,))


def test_a_valid_waiver_relieves_its_finding_and_only_that(tmp_path: Path) -> None:
    accepted = load(tmp_path, WAIVER)
    relieved = waivers.apply(run_with(Verdict.FAIL), accepted, TODAY)
    assert relieved.verdicts == {"swf/rad_05/x": Verdict.PASS}
    assert not relieved.spoiled
    other = waivers.apply(run_with(Verdict.FAIL, Verdict.FAIL), accepted, TODAY)
    assert other.verdicts == {"swf/rad_05/x": Verdict.FAIL}


def test_a_fault_is_never_waived(tmp_path: Path) -> None:
    relieved = waivers.apply(run_with(Verdict.FAIL, faults=("x",)), load(tmp_path, WAIVER), TODAY)
    assert relieved.verdicts == {"swf/rad_05/x": Verdict.ERROR}


def test_a_waiver_of_what_passes_is_stale(tmp_path: Path) -> None:
    assert waivers.apply(run_with(Verdict.PASS), load(tmp_path, WAIVER), TODAY).stale


def test_a_waiver_of_what_was_not_run_is_not_stale(tmp_path: Path) -> None:
    other = load(tmp_path, WAIVER.replace("RAD-5-SCP-07", "RAD-14-SCP-01"))
    assert not waivers.apply(run_with(Verdict.PASS), other, TODAY).spoiled


def test_an_expired_waiver_relieves_nothing(tmp_path: Path) -> None:
    relieved = waivers.apply(run_with(Verdict.FAIL), load(tmp_path, WAIVER), datetime.date(2027, 1, 1))
    assert relieved.expired
    assert relieved.verdicts == {"swf/rad_05/x": Verdict.FAIL}


def test_a_glob_limits_a_waiver_to_scenarios(tmp_path: Path) -> None:
    narrow = load(tmp_path, WAIVER + 'scenario = "swf/rad_14*"\n')
    assert waivers.apply(run_with(Verdict.FAIL), narrow, TODAY).verdicts == {"swf/rad_05/x": Verdict.FAIL}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (WAIVER.replace("expires = 2026-12-31", ""), "expires"),
        (WAIVER.replace('reason = "agreed with the hospital"', ""), "reason"),
        (WAIVER + "nonsense = 1\n", "nonsense"),
        ("[[waivers]", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("verdict", "message", "left"),
    [
        (Verdict.INCONCLUSIVE, "nothing to judge for RAD-5", Verdict.INCONCLUSIVE),
        (Verdict.FAIL, "s", Verdict.PASS),  # the exchange step that raised what is accepted
        (Verdict.FAIL, "", Verdict.PASS),  # the judgement step that collected what is accepted
    ],
)
def test_what_a_step_could_not_judge_is_not_waived_with_a_finding(
    tmp_path: Path, verdict: Verdict, message: str, left: Verdict
) -> None:
    run = run_with(Verdict.FAIL)
    step = StepResult("Then", "x", verdict, 0.1, message)
    run = replace(run, scenarios=(replace(run.scenarios[0], steps=(step,)),))
    relieved = waivers.apply(run, load(tmp_path, WAIVER), TODAY)
    assert relieved.verdicts == {"swf/rad_05/x": left}
