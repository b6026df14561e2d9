"""The step catalogue: all steps that a feature file may use, by what an author wants to say."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final

from harness.bdd.registry import StepInfo, steps_of

#: what an author wants to say -> the modules that say it; a step exists because its module is named here
INTENTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Judge: what must have come, and what it must satisfy": ("exchanging", "judging"),
    "Worklists: schedule steps and query for them": ("scheduling", "worklist"),
    "Examinations: perform scheduled steps and report them": ("performing", "performed"),
    "Patients and orders by HL7": ("registering", "ordering", "announced"),
    "Archives: store, commit, query and retrieve": ("storing", "archiving", "displaying"),
    "Presentation states, notes and displays": ("presenting", "viewing"),
    "Print": ("printing",),
    "Reports": ("reading",),
    "Portable media": ("media",),
    "Trouble: our side answers badly, sends nonsense or is away": ("disturbing", "misbehaving"),
}
STEP_MODULES: Final = tuple(f"harness.bdd.steps.{name}" for group in INTENTIONS.values() for name in group)


def all_steps() -> tuple[StepInfo, ...]:
    """Every step, in the order of the modules."""
    return tuple(steps_of(importlib.import_module(name) for name in STEP_MODULES))


def intention_of(step: StepInfo) -> str:
    """The group of a step in the catalogue."""
    name = step.module.rpartition(".")[2]
    return next(group for group, modules in INTENTIONS.items() if name in modules)
