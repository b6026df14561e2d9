"""Judge stored evidence again: the same checks over the same bytes, without network and without a product.

Each judgement step leaves a fact of kind ``JUDGEMENT`` in the transcript, in order; ``harness.profiles.judgement``
says what is in it and carries it out. What came later than a judgement does not count for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.core.check import Declaration
from harness.core.errors import UsageError
from harness.core.finding import Basis, Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting import evidence

JUDGEMENT = "JUDGEMENT"
#: What steps write as the check of findings that they make themselves; stored evidence cannot repeat those.
STEP_CHECKS = frozenset({"exchange", "claim", "attestation"})


class CarryOut(Protocol):
    """Carries out one judgement over a transcript, as ``harness.profiles.judgement.carry_out`` does."""

    def __call__(
        self, judgement: Mapping[str, Any], transcript: Transcript, sut: Declaration, *, strict: bool = False
    ) -> list[Finding]:
        """The findings of that judgement."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to judge, and which checks there are: a finding of any other check cannot be reached again."""

    carry_out: CarryOut
    check_ids: frozenset[str]
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A finding that only one of the two judgements has."""

    scenario: str
    check: str
    requirement: str
    stored: str
    again: str


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """What judging again came to. ``taken_over`` counts findings no check can repeat: attested, or made by steps."""

    scenarios: int = 0
    judged: int = 0
    taken_over: int = 0
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()
    #: fingerprint of the rules that judged the run first, if they were other ones
    other_rules: str = ""

    @property
    def same(self) -> bool:
        """Whether every finding was reached again and no evidence was missing."""
        return not self.differences and not self.problems


def rejudge(run_path: Path, rules: Rules) -> Rejudgement:
    """Judge every scenario of a stored run again. Raises UsageError if it is not a run."""
    folder = evidence.run_folder(run_path)
    run = evidence.load_run(run_path)
    declaration = declaration_of(run)
    strict = bool(run.options.get("strict"))
    judged = taken_over = 0
    differences: list[Difference] = []
    problems: list[str] = []
    for scenario in run.scenarios:
        repeatable = [f for f in scenario.findings if _repeatable(f, rules)]
        taken_over += len(scenario.findings) - len(repeatable)
        unknown = {f.check for f in scenario.findings if f.basis is Basis.OBSERVED} - rules.check_ids - STEP_CHECKS
        problems += [f"{scenario.id}: this program has no check {name!r}" for name in sorted(unknown)]
        if not scenario.transcript:
            if repeatable:
                problems.append(f"{scenario.id}: has findings but no transcript")
            continue
        try:
            again, missing = _judge_again(folder, scenario, rules, declaration, strict=strict)
        except UsageError as error:
            problems.append(str(error))
            continue
        problems += missing
        judged += len(again)
        differences += _compare(scenario, repeatable, again)
    then = run.environment.get("rules")
    before = str(then.get("fingerprint", "")) if isinstance(then, Mapping) else ""
    other = before if before != rules.fingerprint else ""
    return Rejudgement(len(run.scenarios), judged, taken_over, tuple(differences), tuple(problems), other)


def declaration_of(run: RunResult) -> Declaration:
    """What the product claimed in that run, from the options if they hold it, else from its SUT file."""
    stored = run.options.get("declaration")
    data: Mapping[str, Any] = stored if isinstance(stored, Mapping) else _declaration_of_sut(run.sut)
    statement = data.get("statement")
    return Declaration(
        actors=_names(data.get("actors")),
        profiles=_names(data.get("profiles")),
        options=_names(data.get("options")),
        ae_titles=_names(data.get("ae_titles")),
        statement=statement if isinstance(statement, Mapping) else {},
    )


def _judge_again(
    folder: Path, scenario: ScenarioResult, rules: Rules, declaration: Declaration, *, strict: bool
) -> tuple[list[Finding], list[str]]:
    transcript = evidence.load_transcript(folder, scenario.transcript)
    damaged = [
        f"{scenario.id}: {message.label}: the stored bytes are missing or changed"
        for message in transcript.messages
        if not (evidence.blob_is_intact(message.payload) and evidence.blob_is_intact(message.header))
    ]
    if damaged:
        return [], damaged
    findings: list[Finding] = []
    for fact in transcript.facts_of(JUDGEMENT):
        try:
            findings += rules.carry_out(fact.data, transcript, declaration, strict=strict)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{scenario.id}: the judgement #{fact.seq} cannot be carried out: {error}") from error
    return findings, []


def _repeatable(finding: Finding, rules: Rules) -> bool:
    return finding.basis is Basis.OBSERVED and finding.check in rules.check_ids


def _compare(scenario: ScenarioResult, stored: list[Finding], again: list[Finding]) -> list[Difference]:
    """Findings as a set: judging one thing twice is no difference. A changed finding is told in one row."""
    before, after = set(stored), set(again)
    lost = sorted(before - after, key=_order)
    new = sorted(after - before, key=_order)
    rows: list[Difference] = []
    for finding in lost:
        partner = next(
            (other for other in new if (other.check, other.locator) == (finding.check, finding.locator)), None
        )
        if partner is not None:
            new.remove(partner)
        rows.append(_difference(scenario, finding, partner))
    rows += [_difference(scenario, None, finding) for finding in new]
    return rows


def _difference(scenario: ScenarioResult, stored: Finding | None, again: Finding | None) -> Difference:
    either = stored or again
    assert either is not None
    return Difference(scenario.id, either.check, either.requirement, _told(stored), _told(again))


def _told(finding: Finding | None) -> str:
    return "" if finding is None else f"{finding.verdict.mark} {finding.verdict.word}: {finding.summary}"


def _order(finding: Finding) -> tuple[str, str, Verdict, tuple[int, ...], str]:
    return (finding.requirement, finding.locator, finding.verdict, finding.evidence, finding.summary)


def _declaration_of_sut(sut: Mapping[str, Any]) -> Mapping[str, Any]:
    claims = [claim for claim in sut.get("claims") or () if isinstance(claim, Mapping)]
    return {
        "actors": [claim.get("actor") for claim in claims],
        "profiles": [claim.get("profile") for claim in claims],
        "options": [option for claim in claims for option in claim.get("options") or ()],
        "ae_titles": sut.get("ae_titles"),
        "statement": sut.get("statement"),
    }


def _names(value: Any) -> frozenset[str]:
    return frozenset(str(v) for v in value if v) if isinstance(value, list | tuple | set | frozenset) else frozenset()
