"""What a rule is: a function over a view that says how much it looked at and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.validation.finding import Severity
from harness.validation.media.view import View


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what must be there and what is."""

    locator: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """``looked`` counts what was looked at; a rule that looked at nothing says nothing."""

    looked: int
    problems: tuple[Problem, ...] = field(default=())


RuleFunction = Callable[[View], Outcome]


@dataclass(frozen=True, slots=True)
class Rule:
    """``code`` is permanent; ``meaning`` says what a finding with it means."""

    code: str
    severity: Severity
    clause: str
    meaning: str
    function: RuleFunction


def outcome(looked: int, problems: Iterable[Problem]) -> Outcome:
    """An outcome with its problems collected."""
    return Outcome(looked, tuple(problems))
