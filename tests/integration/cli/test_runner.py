"""A runner that breaks must never leave a pass behind: what was judged before is kept, and the failure is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import resources
from harness.bdd import plugin
from harness.bdd.progress import Quiet
from harness.bdd.runner import RunOutcome, carry_out
from harness.bdd.settings import RunSettings
from harness.cli.run import exit_code
from harness.core.errors import EngineFailure
from harness.core.result import ScenarioResult
from harness.core.verdict import Verdict
from harness.sut import waivers

FEATURE = """@profile:SWF @actor:acquisition-modality @transaction:RAD-5
Feature: Ours
  Scenario: first
    Given the Order Filler has nothing scheduled
    Then the requirement "RAD-5-SCU-17" is met
  Scenario: second
    Given the Order Filler has nothing scheduled
    Then the requirement "RAD-5-SCU-17" is met
"""


def settings(folder: Path, **more: object) -> RunSettings:
    (folder / "ours.feature").write_text(FEATURE, encoding="utf-8")
    reference = (resources.folder("fixtures") / "sut" / "reference.toml").read_text(encoding="utf-8")
    silent = folder / "silent.toml"
    silent.write_text(reference.replace('kind = "reference"', 'kind = "silent"'), encoding="utf-8")
    values = {"sut": str(silent), "features": (str(folder),), "out": str(folder / "run"), "run_id": "run", **more}
    return RunSettings.from_json(values)


def code_of(outcome: RunOutcome, verdict: Verdict) -> int:
    """The exit code of a run whose scenarios, as far as they are known, all had that verdict."""
    seen = waivers.WaivedRun({scenario.id: verdict for scenario in outcome.result.scenarios}, (), (), ())
    return exit_code(outcome.result, seen, outcome.failure, allow_inconclusive=True)


class Breaks(Quiet):
    """Progress that fails outside of every scenario, which pytest calls an internal error."""

    def __init__(self, after: int) -> None:
        self._left = after

    def scenario_finished(self, result: ScenarioResult) -> None:
        """The last one is too much."""
        del result
        self._left -= 1
        if self._left == 0:
            raise RuntimeError("the disk is full")


@pytest.mark.parametrize("after", [1, 2])
def test_an_internal_error_ends_the_run_as_a_failure_of_ours(tmp_path: Path, after: int) -> None:
    outcome = carry_out(settings(tmp_path), Breaks(after))
    assert isinstance(outcome.failure, EngineFailure)
    assert "the disk is full" in str(outcome.failure)
    assert len(outcome.result.scenarios) == after
    assert outcome.result.verdict > Verdict.WARNING
    assert code_of(outcome, Verdict.PASS) == 4


def test_a_worker_that_died_is_told_although_nobody_has_a_result_of_its_scenario() -> None:
    config: Any = SimpleNamespace(stash=pytest.Stash())
    report: Any = SimpleNamespace(when="???", nodeid="ours.feature::test_first", user_properties=[])
    plugin.ResultSink(config).pytest_runtest_logreport(report)
    assert "a worker died while it ran ours.feature::test_first" in str(config.stash[plugin.FAILURE])
