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


def test_brackets_of_a_scenario_id_are_brackets(tmp_path: Path) -> None:
    """The id of an example is copied from a report as it is."""
    run = run_with(Verdict.FAIL)
    run = replace(run, scenarios=(replace(run.scenarios[0], id="swf/x/a_name[Korean-hong]"),))
    for pattern in ("swf/x/a_name[Korean-hong]", "swf/x/a_name[K*", "*hong?"):
        accepted = load(tmp_path, WAIVER + f'scenario = "{pattern}"\n')
        assert waivers.apply(run, accepted, TODAY).verdicts == {"swf/x/a_name[Korean-hong]": Verdict.PASS}


@pytest.mark.parametrize(("locator", "left"), [("(0008,0061)[1]/*", Verdict.PASS), ("(0010,*", Verdict.FAIL)])
def test_a_locator_limits_a_waiver_to_a_place(tmp_path: Path, locator: str, left: Verdict) -> None:
    run = run_with(Verdict.FAIL)
    (scenario,) = run.scenarios
    found = replace(scenario.findings[0], locator="(0008,0061)[1]/(0020,000D)")
    run = replace(run, scenarios=(replace(scenario, findings=(found,)),))
    narrow = load(tmp_path, WAIVER + f'locator = "{locator}"\nticket = "CT-1"\n')
    assert waivers.apply(run, narrow, TODAY).verdicts == {scenario.id: left}


def test_a_waiver_for_another_version_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    accepted = load(tmp_path, WAIVER + 'version = "4.*"\n')
    four, five = (replace(run_with(Verdict.FAIL), sut={"version": version}) for version in ("4.2", "5.0"))
    assert waivers.apply(four, accepted, TODAY).verdicts == {"swf/rad_05/x": Verdict.PASS}
    assert waivers.apply(five, accepted, TODAY).verdicts == {"swf/rad_05/x": Verdict.FAIL}
    assert not waivers.apply(replace(five, scenarios=run_with(Verdict.PASS).scenarios), accepted, TODAY).spoiled
    assert not waivers.apply(five, accepted, datetime.date(2030, 1, 1)).spoiled


def test_a_draft_accepts_exactly_what_was_broken(tmp_path: Path) -> None:
    run = run_with(Verdict.FAIL, Verdict.WARNING, Verdict.FAIL)
    (scenario,) = run.scenarios
    odd = replace(scenario.findings[0], summary='came\n"x" \x07' + "y" * 300)
    run = replace(run, scenarios=(replace(scenario, findings=(odd, *scenario.findings[1:])),))
    made = load(tmp_path, waivers.draft(run, 'agreed \\ with "them"', TODAY, "k.kim"))
    assert [(w.requirement, w.scenario, w.owner) for w in made] == [
        ("RAD-5-SCP-07", "swf/rad_05/x", "k.kim"),
        ("RAD-5-SCP-09", "swf/rad_05/x", "k.kim"),
    ]
    assert waivers.apply(run, made, TODAY).verdicts == {"swf/rad_05/x": Verdict.WARNING}
    only = waivers.draft(run, "agreed", TODAY, only=("RAD-5-SCP-09",))
    assert [w.requirement for w in load(tmp_path, only.replace("agreed", "agreed here"))] == ["RAD-5-SCP-09"]


@pytest.mark.parametrize(
    "reason", ["합의되었음, 다음 판", "agreed \U0001f44d by both", "agreed\x7f\t\x01 here", "agreed \ud800 here"]
)
def test_a_draft_is_toml_whatever_the_reason_holds(tmp_path: Path, reason: str) -> None:
    (made,) = load(tmp_path, waivers.draft(run_with(Verdict.FAIL), reason, TODAY))
    assert made.reason == reason.encode("utf-8", "replace").decode()


def test_what_was_waived_before_is_not_drafted_again(tmp_path: Path) -> None:
    known = {"requirement": "RAD-5-SCP-07", "scenario": "swf/rad_05/x", "state": "valid"}
    run = replace(run_with(Verdict.FAIL), waivers=(known,))
    assert "[[waivers]]" not in waivers.draft(run, "agreed here", TODAY)
