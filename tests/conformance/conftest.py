"""Run the command line as a user does, from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.core.result import RunResult


@dataclass(frozen=True)
class Ran:
    """What a run left."""

    code: int
    answer: dict[str, Any]
    error: str
    folder: Path

    @property
    def result(self) -> RunResult:
        """The run as stored."""
        return RunResult.from_json(json.loads((self.folder / "run.json").read_text(encoding="utf-8")))

    def verdicts(self) -> dict[str, str]:
        """Verdict by scenario name."""
        return {scenario.name: scenario.verdict.name for scenario in self.result.scenarios}


Runner = Callable[..., Ran]


@pytest.fixture
def harness_run(tmp_path: Path) -> Runner:
    """``ihe-harness run --json`` with these arguments."""

    def run(*arguments: str, timeout: float = 240) -> Ran:
        folder = tmp_path / f"run{len(list(tmp_path.glob('run*')))}"
        argv = [sys.executable, "-m", "harness.cli.main", "run", "--json", "--out", str(folder), *arguments]
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "100"},
        )
        answer = json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}
        return Ran(done.returncode, answer, done.stderr, folder)

    return run
