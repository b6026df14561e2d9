"""Two runs of a product: what became worse is told first and is exit code 1, what is only different is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import call
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting.changes import Change, changes
from harness.reporting.evidence import EvidenceStore

PASS, FAIL, WARNING, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.WARNING, Verdict.INCONCLUSIVE


def run(verdict: Verdict | None, **more: Any) -> RunResult:
    found = () if verdict is None else (Finding("c", "RAD-5-SCU-16", verdict, "seen"),)
    result = verdict if verdict is not None else Verdict.NOT_APPLICABLE
    scenario = ScenarioResult("swf/x/a", "a", "f", "p", 1, result, 0.1, findings=found)
    return RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", more.pop("sut", {"name": "P"}), (scenario,), **more)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (PASS, FAIL, Change.BROKE),
        (None, FAIL, Change.BROKE),
        (INCONCLUSIVE, FAIL, Change.BROKE),
        (FAIL, FAIL, Change.BROKEN),
        (FAIL, PASS, Change.MENDED),
        (WARNING, PASS, Change.MENDED),
        (PASS, WARNING, Change.WARNS),
        (FAIL, WARNING, Change.WARNS),
        (WARNING, WARNING, None),
        (PASS, INCONCLUSIVE, Change.UNJUDGED),
        (FAIL, INCONCLUSIVE, Change.UNJUDGED),
        (PASS, None, Change.UNJUDGED),
        (INCONCLUSIVE, PASS, Change.JUDGED),
        (None, PASS, Change.JUDGED),
        (PASS, PASS, None),
        (INCONCLUSIVE, INCONCLUSIVE, None),
    ],
)
def test_each_pair_of_verdicts(before: Verdict | None, after: Verdict | None, change: Change | None) -> None:
    found = changes(run(before), run(after), {})
    assert [each.change for each in found] == ([change] if change else [])


def stored(folder: Path, result: RunResult) -> str:
    EvidenceStore(folder).write_run(result)
    return str(folder)


def test_worse_is_exit_code_1_and_better_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = stored(tmp_path / "good", run(PASS)), stored(tmp_path / "bad", run(FAIL))
    assert call(["compare", good, bad]) == 1
    assert "broke            RAD-5-SCU-16 seen" in capsys.readouterr().out
    assert call(["compare", bad, good, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["worse"], answer["changes"][0]["change"], answer["remarks"]) == (False, "mended", [])
    assert call(["compare", good, good]) == 0
    assert "No requirement fares otherwise" in capsys.readouterr().out
    assert call(["compare", good, str(tmp_path / "none")]) == 2


def test_what_makes_runs_hard_to_compare_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = stored(tmp_path / "one", run(PASS, options={"quick": False}))
    other = run(PASS, sut={"name": "Q"}, options={"quick": True}, environment={"rules": {"x": 1}}, interrupted=True)
    assert call(["compare", one, stored(tmp_path / "other", other)]) == 0
    said = capsys.readouterr().out
    for words in (
        "not one product: P; Q",
        "another quick: False; True",
        "judged by other rules",
        "not come to its end",
    ):
        assert words in said
