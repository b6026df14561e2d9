"""A run says honestly how it ended, and reads back what it wrote."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict


def run(*verdicts: Verdict) -> RunResult:
    scenarios = tuple(
        ScenarioResult(f"swf/x/{n}", str(n), "f", "p", 1, verdict, 0.1) for n, verdict in enumerate(verdicts)
    )
    return RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, scenarios)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("environment", Verdict.INCONCLUSIVE), ("usage", Verdict.ERROR), ("harness", Verdict.ERROR)],
)
@pytest.mark.parametrize("seen", [(), (Verdict.NOT_APPLICABLE,), (Verdict.PASS, Verdict.NOT_APPLICABLE)])
def test_a_run_that_did_not_take_place_shows_nothing(kind: str, verdict: Verdict, seen: tuple[Verdict, ...]) -> None:
    ended = dataclasses.replace(run(*seen), failure={"kind": kind, "text": "no answer"})
    assert ended.verdict is verdict
    assert ended.accepted_verdict is verdict


def test_what_was_broken_before_the_end_stays_broken() -> None:
    ended = dataclasses.replace(run(Verdict.FAIL), failure={"kind": "environment", "text": "no answer"})
    assert ended.verdict is Verdict.FAIL


def test_an_interrupted_run_is_not_a_pass() -> None:
    assert dataclasses.replace(run(Verdict.PASS), interrupted=True).verdict is Verdict.INCONCLUSIVE
    assert run(Verdict.PASS).verdict is Verdict.PASS
    assert run().verdict is Verdict.INCONCLUSIVE


def test_waivers_change_only_the_accepted_verdict() -> None:
    waived = dataclasses.replace(run(Verdict.FAIL, Verdict.PASS), accepted={"swf/x/0": Verdict.PASS})
    assert (waived.verdict, waived.accepted_verdict) == (Verdict.FAIL, Verdict.PASS)


def test_a_run_reads_back_what_it_wrote() -> None:
    written = dataclasses.replace(
        run(Verdict.FAIL), failure={"kind": "usage", "text": "x"}, accepted={"swf/x/0": Verdict.WARNING}
    )
    assert RunResult.from_json(json.loads(json.dumps(written.to_json()))) == written
    older = {k: v for k, v in run(Verdict.PASS).to_json().items() if k not in ("failure", "accepted")}
    assert RunResult.from_json(older) == run(Verdict.PASS)


def test_what_was_selected_and_not_reached_is_known() -> None:
    cut = dataclasses.replace(run(Verdict.PASS), interrupted=True, selected=("swf/x/0", "swf/x/1", "swf/x/2"))
    assert cut.not_run == ("swf/x/1", "swf/x/2")
    assert RunResult.from_json(json.loads(json.dumps(cut.to_json()))).not_run == cut.not_run
    assert run(Verdict.PASS).not_run == ()
