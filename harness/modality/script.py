"""A working day as a file: a list of steps, each an operation with its arguments."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.core.errors import ConfigurationError, HarnessError
from harness.modality.operations import BY_NAME
from harness.modality.service import Modality


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; with `may_fail` the day goes on after an error."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    may_fail: bool = False


def load(path: Path) -> tuple[Step, ...]:
    """Read a day: a list under `steps`, of `{do, with, may_fail}`; raises ConfigurationError naming the step."""
    try:
        raw = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".toml":
            data: Any = tomllib.loads(raw)
        else:
            data = json.loads(raw) if path.suffix.lower() == ".json" else yaml.safe_load(raw)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(path, "", str(error)) from None
    steps = data.get("steps") if isinstance(data, dict) else data
    if not isinstance(steps, list) or not steps:
        raise ConfigurationError(path, "steps", "expected a list of steps")
    return tuple(_step(path, number, entry) for number, entry in enumerate(steps, start=1))


def _step(path: Path, number: int, entry: Any) -> Step:
    where = f"step {number}"
    if isinstance(entry, str):
        entry = {"do": entry}
    if not isinstance(entry, dict) or set(entry) - {"do", "with", "may_fail"} or not isinstance(entry.get("do"), str):
        raise ConfigurationError(path, where, "expected a verb, or a table with do, with and may_fail")
    operation = BY_NAME.get(entry["do"])
    if operation is None:
        raise ConfigurationError(path, where, f"unknown verb {entry['do']!r}; known: {', '.join(BY_NAME)}")
    arguments = entry.get("with") or {}
    known = {parameter.name for parameter in operation.parameters()}
    if not isinstance(arguments, dict) or set(arguments) - known:
        raise ConfigurationError(path, where, f"{entry['do']} takes {', '.join(sorted(known)) or 'no arguments'}")
    return Step(entry["do"], arguments, bool(entry.get("may_fail", False)))


def perform(modality: Modality, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Do all steps in order; an error ends the day unless its step may fail."""
    done: list[dict[str, Any]] = []
    for step in steps:
        try:
            result = BY_NAME[step.operation].call(modality, dict(step.arguments))
        except HarnessError as error:
            if not step.may_fail:
                raise
            done.append({"do": step.operation, "ok": False, "error": str(error)})
        else:
            done.append({"do": step.operation, "ok": True, "result": result})
    return done
