"""The step catalogue: all steps that a feature file may use, by subject."""

from __future__ import annotations

import importlib

from harness.bdd.registry import StepInfo, steps_of

#: an explicit list: a step exists because it is named here, not because something imported it
STEP_MODULES: tuple[str, ...] = (
    "harness.bdd.steps.judging",
    "harness.bdd.steps.scheduling",
    "harness.bdd.steps.examining",
    "harness.bdd.steps.registering",
    "harness.bdd.steps.ordering",
    "harness.bdd.steps.misbehaving",
    "harness.bdd.steps.announced",
    "harness.bdd.steps.worklist",
    "harness.bdd.steps.performing",
    "harness.bdd.steps.performed",
    "harness.bdd.steps.displaying",
    "harness.bdd.steps.archiving",
    "harness.bdd.steps.printing",
    "harness.bdd.steps.presenting",
    "harness.bdd.steps.viewing",
    "harness.bdd.steps.reading",
    "harness.bdd.steps.media",
)


def all_steps() -> tuple[StepInfo, ...]:
    """Every step, in the order of the modules."""
    return tuple(steps_of(importlib.import_module(name) for name in STEP_MODULES))
