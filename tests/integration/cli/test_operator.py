"""The manual driver on a real terminal: prompt, answer, attest, skip, Ctrl-C and a terminal that goes away."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

SUT = """
[product]
name = "CT-9"
[[claims]]
profile = "SWF"
actor = "Acquisition Modality"
[dicom]
ae_title = "CT9"
[driver]
kind = "manual"
[timeouts]
exchange = 0.2
operator = {operator}
"""
FEATURE = """@profile:SWF @actor:acquisition-modality @transaction:RAD-5
Feature: By hand
  Scenario: the operator is asked
    Given the Order Filler has nothing scheduled
    When the system under test queries the worklist by
      | Modality | CT |
    Then the operator confirms "RAD-5-SCU-17": "Does the list show that it is empty?"
"""


class Terminal:
    """A run of its own session on a pseudo-terminal."""

    def __init__(self, folder: Path, *, operator: float = 60.0) -> None:
        self.folder = folder
        (folder / "sut.toml").write_text(SUT.format(operator=operator), encoding="utf-8")
        (folder / "by_hand.feature").write_text(FEATURE, encoding="utf-8")
        argv = [sys.executable, "-m", "harness.cli.main", "run"]
        argv += ["--sut", "sut.toml", "--features", "by_hand.feature", "--out", str(folder / "run")]
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        self.process, self.master = pty.fork()
        if self.process == 0:  # pragma: no cover - the other process
            os.chdir(folder)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored
            os.execvpe(argv[0], argv, environment | {"TERM": "xterm", "COLUMNS": "100"})
        self.seen = ""

    def until(self, text: str, seconds: float = 60.0) -> None:
        """Read until ``text`` was shown."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            ready, _, _ = select.select([self.master], [], [], 1.0)
            if ready:
                try:
                    self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    pytest.fail(f"the run ended before {text!r} was shown: {self.seen}")

    def answer(self, text: str) -> None:
        """Type it, with Enter."""
        os.write(self.master, f"{text}\n".encode())
        self.seen = ""

    def exit_code(self, seconds: float = 60.0) -> int:
        """Read to the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
            with suppress(OSError):
                if select.select([self.master], [], [], 0.05)[0]:
                    self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
        pytest.fail(f"the run did not end: {self.seen}")

    def result(self) -> dict[str, Any]:
        """run.json."""
        found: dict[str, Any] = json.loads((self.folder / "run" / "run.json").read_text(encoding="utf-8"))
        return found

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        with suppress(OSError):
            os.close(self.master)


@contextmanager
def terminal(folder: Path, **more: float) -> Iterator[Terminal]:
    made = Terminal(folder, **more)
    try:
        yield made
    finally:
        made.close()


def test_an_operator_is_asked_and_attests(tmp_path: Path) -> None:
    with terminal(tmp_path) as run:
        run.until("[d]one / [n]ot possible / [f]ailed")
        assert "Modality" in run.seen
        run.answer("what?")
        run.until("please answer")
        run.answer("d")
        run.until("Does the list show that it is empty?")
        run.until("[y]es / [n]o / [c]annot say")
        run.answer("Yes")
        assert run.exit_code() == 0, run.seen
        (finding,) = run.result()["scenarios"][0]["findings"]
        assert (finding["verdict"], finding["basis"], finding["requirement"]) == ("PASS", "attested", "RAD-5-SCU-17")


def test_what_is_not_possible_or_denied_is_no_pass(tmp_path: Path) -> None:
    with terminal(tmp_path) as run:
        run.until("[n]ot possible")
        run.answer("n")
        assert run.exit_code() == 1, run.seen
        scenario = run.result()["scenarios"][0]
        assert scenario["verdict"] == "INCONCLUSIVE"
        assert "the operator says that the product cannot do this" in scenario["reason"]


def end_of_input(run: Terminal) -> None:
    os.write(run.master, b"\x04")


def nothing(run: Terminal) -> None:
    """Wait for the time-out."""


@pytest.mark.parametrize(("act", "operator"), [(end_of_input, 60.0), (nothing, 1.0)])
def test_an_operator_who_does_not_answer_leaves_it_unjudged(
    tmp_path: Path, act: Callable[[Terminal], None], operator: float
) -> None:
    with terminal(tmp_path, operator=operator) as run:
        run.until("[n]ot possible")
        act(run)
        assert run.exit_code() == 1, run.seen
        assert run.result()["scenarios"][0]["verdict"] == "INCONCLUSIVE"
        before, _, _ = run.seen.partition("no answer")
        question = before.rpartition(">>> ")[2]
        assert "\x1b[2K" not in question, "something was drawn over the question"


def interrupt(run: Terminal) -> None:
    os.write(run.master, b"\x03")


def hang_up(run: Terminal) -> None:
    os.close(run.master)


@pytest.mark.parametrize("act", [interrupt, hang_up])
def test_ctrl_c_and_a_closed_terminal_leave_a_report(tmp_path: Path, act: Callable[[Terminal], None]) -> None:
    with terminal(tmp_path) as run:
        run.until("[n]ot possible")
        act(run)
        assert run.exit_code() == 1, run.seen
        assert run.result()["interrupted"] is True
        (scenario,) = run.result()["scenarios"]
        assert (scenario["verdict"], scenario["reason"]) == ("INCONCLUSIVE", "interrupted")
        assert (tmp_path / "run" / "report.html").is_file()
