"""Seeded defects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import UsageError
from harness.modality.behaviour import HEALTHY, Behaviour


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong: `breaks` names the requirements that a harness must find broken, none for a legal variant."""

    id: str
    title: str
    breaks: frozenset[str]
    apply: Callable[[Behaviour], Behaviour]


DEFECTS: tuple[Defect, ...] = ()
VARIANTS: tuple[Defect, ...] = ()


def behaviour(ids: Sequence[str]) -> Behaviour:
    """Return the behaviour with these defects; raise UsageError for an unknown id."""
    known = {each.id: each for each in (*DEFECTS, *VARIANTS)}
    made = HEALTHY
    for each in ids:
        if each not in known:
            raise UsageError(f"no defect {each!r}; `modality defects` lists them: {', '.join(known)}")
        made = known[each].apply(made)
    return made


def describe(defect: Defect) -> dict[str, Any]:
    """Tell of a defect in plain data."""
    return {"id": defect.id, "title": defect.title, "breaks": " ".join(sorted(defect.breaks))}
