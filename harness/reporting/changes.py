"""What changed between two runs of a product: requirements that broke, were mended, or are no longer judged."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.result import RunResult
from harness.core.spec import Requirement
from harness.core.verdict import Verdict
from harness.reporting import totals

_JUDGED = frozenset(totals.JUDGED)


class Change(enum.StrEnum):
    """How a requirement fared, the worst first."""

    BROKE = "broke"
    UNJUDGED = "no longer judged"
    WARNS = "warns now"
    BROKEN = "still broken"
    MENDED = "mended"
    JUDGED = "judged now"


@dataclass(frozen=True, slots=True)
class Changed:
    """One requirement in both runs; None: it was not met at all. ``scenarios`` show the newer verdict."""

    requirement: str
    change: Change
    before: Verdict | None
    after: Verdict | None
    scenarios: tuple[str, ...]
    summary: str


def changes(before: RunResult, after: RunResult, requirements: Mapping[str, Requirement]) -> tuple[Changed, ...]:
    """Every requirement whose verdict differs or is still FAIL, the worst changes first."""
    return tuple(
        sorted(_changes(before, after, requirements), key=lambda c: (list(Change).index(c.change), c.requirement))
    )


def _changes(before: RunResult, after: RunResult, requirements: Mapping[str, Requirement]) -> Iterator[Changed]:
    old, new = ({t.requirement: t for t in totals.of_requirements(run, requirements)} for run in (before, after))
    for name in sorted({*old, *new}):
        first, last = old.get(name), new.get(name)
        was, now = _met(first), _met(last)
        change = _change(was, now)
        if change is None:
            continue
        shown = [after.scenarios[number - 1] for number in last.scenarios] if last else []
        said = (f.summary for s in shown for f in s.findings if f.requirement == name and f.verdict is now)
        yield Changed(name, change, was, now, tuple(s.name for s in shown), next(said, ""))


def _met(total: totals.Total | None) -> Verdict | None:
    return None if total is None or total.verdict is Verdict.NOT_APPLICABLE else total.verdict


def _change(was: Verdict | None, now: Verdict | None) -> Change | None:
    if now is Verdict.FAIL:
        return Change.BROKEN if was is Verdict.FAIL else Change.BROKE
    if was in _JUDGED and now not in _JUDGED:
        return Change.UNJUDGED
    if now is Verdict.WARNING:
        return None if was is Verdict.WARNING else Change.WARNS
    if now is Verdict.PASS:
        return Change.MENDED if was in (Verdict.FAIL, Verdict.WARNING) else None if was is now else Change.JUDGED
    return None
