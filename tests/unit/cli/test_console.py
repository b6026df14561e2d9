"""What a product sends never steers the terminal, and never ends a run because a log cannot show it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli import console as consoles
from harness.cli import live, summary
from harness.cli.main import call
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict

HOSTILE = "Doe\x1b[2J\x1b]0;owned\x07\r^\u202egnp\u2066\x9b31m\x00[bold red]markup[/]\ud800"


def shown(*printed: Any) -> str:
    stream = io.StringIO()
    console = consoles._harmless(Console(file=stream, width=100, force_terminal=True, highlight=False))
    for each in printed:
        console.print(each)
    return stream.getvalue()


def harmless(text: str) -> bool:
    # rich's own colours are the only escapes that may be left: ESC [ digits m
    for part in text.split("\x1b")[1:]:
        if not part.startswith("[") or not part[1:].lstrip("0123456789;").startswith("m"):
            return False
    return not set(text) & set("\x00\x07\r\x9b\u202e\u2066\ud800")


def test_control_and_direction_characters_become_visible() -> None:
    table = Table()
    table.add_column("x")
    table.add_row(Text(HOSTILE))
    text = shown(Text(HOSTILE, style="red"), table)
    assert harmless(text)
    assert "␛" in text
    assert "⟨U+202E⟩" in text
    assert "[bold red]markup" in text


def finding(value: str) -> Finding:
    return Finding("c", "RAD-5-SCU-17", Verdict.FAIL, value, (value,), value, locator=value)


@pytest.mark.parametrize("value", [HOSTILE, "x" * 1_000_000])
def test_live_progress_and_summary_stay_readable(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()

    def err() -> Console:
        return consoles._harmless(Console(file=stream, width=80, force_terminal=False, highlight=False))

    monkeypatch.setattr(live, "err", err)
    scenario = ScenarioResult(
        "swf/x/y", value, "F", "p", 1, Verdict.FAIL, 0.1, findings=(finding(value),), reason=f"y {value}"
    )
    started = time.monotonic()
    live.LiveProgress("P", value[:20], quiet=False).scenario_finished(scenario)
    run = RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (scenario,))
    summary._print_broken(err(), run, SimpleNamespace(waived=()))  # type: ignore[arg-type]
    assert harmless(stream.getvalue())
    assert len(stream.getvalue()) < 5000
    assert time.monotonic() - started < 5
    assert all(len(line) <= 100 for line in stream.getvalue().splitlines())


def test_half_a_character_is_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    consoles.print_json({"value": HOSTILE})
    assert json.loads(capsys.readouterr().out)["value"] == HOSTILE


def test_a_log_without_utf8_is_no_reason_to_fail() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "explain", "MESA-211"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    done.stdout.decode("ascii")


def test_a_word_of_another_tool_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["test"]) == 2
    assert "Here it is: ihe-harness run" in capsys.readouterr().err
