"""A check: a pure function over an exchange, with the requirement that it judges.

A check yields one :class:`Observation` for everything it looked at, passes included. It knows neither verdicts
nor severities: :func:`judge` makes findings of observations, by the keyword and the confidence of the
requirement. A check that has nothing to look at yields nothing, and nothing is never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.finding import Finding
from harness.core.message import Message
from harness.core.spec import Requirement
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the system under test claims to be, as far as checks need it.

    ``statement`` carries behaviour that a conformance statement must document and a check compares with (for
    instance ``{"person_name_case_sensitive": False}``).
    """

    actors: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    ae_titles: frozenset[str] = frozenset()
    statement: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a check may look at: the transcript of one scenario and the declaration of the product."""

    transcript: Transcript
    sut: Declaration = field(default_factory=Declaration)
    #: when set, the judgement concerns this message only ("that message satisfies ...")
    focus: Message | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing a check looked at. ``ok`` None: it was there but could not be judged, for the reason in ``summary``."""

    ok: bool | None
    summary: str
    expected: tuple[str, ...] = ()
    actual: str = ""
    locator: str = ""
    evidence: tuple[int, ...] = ()
    why: str = ""


CheckFunction = Callable[[Exchange], Iterator[Observation]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check function and its metadata. ``id`` is literal and permanent; one check judges one requirement."""

    id: str
    requirement: str
    transactions: tuple[str, ...]
    function: CheckFunction
    title: str

    def __call__(self, exchange: Exchange) -> Iterator[Observation]:
        return self.function(exchange)


def judge(check: Check, requirement: Requirement, exchange: Exchange, *, strict: bool = False) -> list[Finding]:
    """Run one check and grade what it saw. An exception inside a check is an ERROR finding, never a FAIL."""
    findings: list[Finding] = []
    try:
        for seen in check(exchange):
            findings.append(_grade(check, requirement, seen, strict=strict))
    except Exception as error:  # noqa: BLE001 - a fault of ours must not be blamed on the product
        findings.append(
            Finding(
                check=check.id,
                requirement=requirement.id,
                verdict=Verdict.ERROR,
                summary=f"The check itself failed: {type(error).__name__}: {error}",
            )
        )
    return findings


def _grade(check: Check, requirement: Requirement, seen: Observation, *, strict: bool) -> Finding:
    if seen.ok is None:
        verdict = Verdict.INCONCLUSIVE
    elif seen.ok:
        verdict = Verdict.PASS
    else:
        verdict = requirement.verdict_if_broken(strict=strict)
    return Finding(
        check=check.id,
        requirement=requirement.id,
        verdict=verdict,
        summary=seen.summary,
        expected=seen.expected,
        actual=seen.actual,
        locator=seen.locator,
        evidence=seen.evidence,
        why=seen.why,
        unconfirmed=seen.ok is False and not requirement.confirmed,
    )
