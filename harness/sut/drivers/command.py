"""A product with a command line: one argument list per action, no shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from harness.sut.actions import DONE, Action, Outcome, OutcomeState
from harness.sut.config import DriverTable
from harness.sut.drivers.manual import Operator, ask, prompt
from harness.sut.process import fill

_MAX_OUTPUT = 1_000_000


class CommandDriver:
    """Runs ``[driver.actions.<name>] argv``; the parameters are in ``{parameters}``, the path of a JSON file.

    A parameter that is a plain value can be used directly, e.g. ``{accession}``. Standard output, if it is a JSON
    object, becomes the answers. Exit 0 is DONE, 3 UNSUPPORTED, anything else FAILED. Actions without an argument
    list fall back to the operator.
    """

    def __init__(self, table: DriverTable, values: Mapping[str, str], work: Path, operator: Operator) -> None:
        self._table, self._values, self._work, self._operator = table, dict(values), work, operator
        self.parallel_safe = table.parallel_safe
        self._count = 0

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Run the command and wait for its end, at most ``timeout`` seconds."""
        _ = action.kind
        command = self._table.actions.get(action.name)
        if command is None or command.argv is None:
            return prompt(self._operator, action, timeout)
        self._count += 1
        parameters = self._work / f"action-{self._count}.json"
        parameters.write_text(json.dumps(dict(action.parameters), ensure_ascii=False), encoding="utf-8")
        plain = {key: str(value) for key, value in action.parameters.items() if isinstance(value, str | int | float)}
        values = {**self._values, **plain, "parameters": str(parameters)}
        argv = [fill(part, values) for part in command.argv]
        argv += [fill(part, {**values, "defect": one}) for one in self._table.defects for part in command.defect_argv]
        return _run(argv, self._work, timeout)

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Ask the operator, if there is one."""
        return ask(self._operator, question, timeout)

    def close(self) -> None:
        """Nothing to release."""


def _run(argv: list[str], work: Path, timeout: float) -> Outcome:
    """Run it in a process group of its own; what it prints goes to files, which no grandchild can hold us at."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complained:
        try:
            process = subprocess.Popen(
                argv, cwd=work, stdin=subprocess.DEVNULL, stdout=printed, stderr=complained, start_new_session=True
            )
        except FileNotFoundError:
            hint = "; write {here}/… for the folder of the SUT file" if "/" in argv[0] else ""
            return Outcome(OutcomeState.UNSUPPORTED, f"the program {argv[0]!r} of the driver is not installed{hint}")
        except OSError as error:
            text = f"the program {argv[0]!r} of the driver cannot be started: {error.strerror}"
            return Outcome(OutcomeState.UNSUPPORTED, text)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            return Outcome(OutcomeState.FAILED, f"the command did not end within {timeout:g} s: {' '.join(argv)}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return _outcome(code, _text(printed), _text(complained))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(_MAX_OUTPUT).decode(errors="replace")


def _outcome(code: int, output: str, errors: str) -> Outcome:
    if code == 3:
        return Outcome(OutcomeState.UNSUPPORTED, output.strip()[-500:] or "the command says that it cannot do this")
    if code != 0:
        return Outcome(OutcomeState.FAILED, f"the command ended with {code}: {(errors or output).strip()[-500:]}")
    answers = _json_object(output)
    return Outcome(OutcomeState.DONE, "", answers) if answers else DONE


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
