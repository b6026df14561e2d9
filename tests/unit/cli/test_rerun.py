"""What ``run --rerun-failed`` takes up again, and what the end of a run says of what it did not reach."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness.cli.run import failed_ids
from harness.core.errors import UsageError
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting import words
from harness.reporting.evidence import EvidenceStore
from harness.reporting.junit import junit_xml

SELECTED = ("swf/x/a", "swf/x/b", "swf/x/c[1]")


def stored(folder: Path, *verdicts: Verdict, **more: Any) -> RunResult:
    done = [ScenarioResult(name, name, "f", "p", 1, v, 0.1) for name, v in zip(SELECTED, verdicts, strict=False)]
    run = RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, tuple(done), selected=SELECTED)
    run = dataclasses.replace(run, **more)
    EvidenceStore(folder).write_run(run)
    return run


def test_what_a_cut_run_did_not_reach_is_run_with_what_failed(tmp_path: Path) -> None:
    stored(tmp_path, Verdict.PASS, Verdict.FAIL, interrupted=True)
    assert failed_ids(tmp_path) == ("swf/x/b", "swf/x/c[1]")


def test_passes_alone_do_not_make_a_cut_run_whole(tmp_path: Path) -> None:
    run = stored(tmp_path, Verdict.PASS, interrupted=True)
    assert failed_ids(tmp_path) == ("swf/x/b", "swf/x/c[1]")
    assert words.headline(run).endswith("(the run was interrupted; 2 scenarios not run)")
    assert b"the run was interrupted; 2 scenarios not run" in junit_xml(run)


def test_a_whole_run_without_a_failure_leaves_nothing(tmp_path: Path) -> None:
    stored(tmp_path, Verdict.PASS, Verdict.WARNING, Verdict.NOT_APPLICABLE)
    with pytest.raises(UsageError, match=r"everything in .* passed"):
        failed_ids(tmp_path)


@pytest.mark.parametrize("how", [{"interrupted": True}, {"failure": {"kind": "environment", "text": "away"}}])
def test_a_cut_run_that_does_not_know_what_it_left_out_is_not_called_passed(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    stored(tmp_path, Verdict.PASS, selected=(), **how)
    with pytest.raises(UsageError, match="ended early"):
        failed_ids(tmp_path)
