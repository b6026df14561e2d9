"""Judge stored evidence again: the same checks over the same bytes, without network and without a product.

Each judgement step leaves a fact of kind ``JUDGEMENT`` in the transcript, in order::

    {"scope": "transaction" | "requirement" | "message", "id": KEY, "focus": seq or null, "at": seq}

``KEY`` names a transaction or a requirement, ``focus`` the one message that was judged, ``at`` the last ``seq`` that
existed then: what came later did not count. ``checks``, when present, lists the ids of the checks that were run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.check import Check, Declaration, Exchange, judge
from harness.core.errors import UsageError
from harness.core.finding import Basis, Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.spec import Requirement
from harness.core.transcript import Fact, Transcript
from harness.core.verdict import Verdict
from harness.reporting import evidence

JUDGEMENT = "JUDGEMENT"


@dataclass(frozen=True, slots=True)
class Rules:
    """The checks and requirements to judge with."""

    checks_for: Callable[[str], Sequence[Check]]
    requirements: Mapping[str, Requirement]
    check_ids: frozenset[str]


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
    problems: tuple[str, ...] = field(default=())

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
    return Rejudgement(len(run.scenarios), judged, taken_over, tuple(differences), tuple(problems))


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


def as_of(data: Mapping[str, Any], at: int, time: float, blobs: Path) -> Transcript:
    """A stored transcript as it was when its highest ``seq`` was ``at``, at ``time`` seconds since the epoch."""
    return Transcript.from_json(
        {
            "messages": [entry for entry in data["messages"] if entry["seq"] <= at],
            "facts": [entry for entry in data["facts"] if entry["seq"] <= at],
            "faults": [entry for entry in data["faults"] if entry["time"] <= time],
        },
        blobs,
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
    data = transcript.to_json()
    findings: list[Finding] = []
    for fact in transcript.facts_of(JUDGEMENT):
        findings += _repeat(fact, data, folder / evidence.BLOBS, rules, declaration, strict=strict)
    return findings, []


def _repeat(
    fact: Fact, data: Mapping[str, Any], blobs: Path, rules: Rules, declaration: Declaration, *, strict: bool
) -> list[Finding]:
    at = fact.data.get("at")
    then = as_of(data, at if isinstance(at, int) else fact.seq, fact.time, blobs)
    focus_seq = fact.data.get("focus")
    focus = next((message for message in then.messages if message.seq == focus_seq), None)
    exchange = Exchange(then, declaration, focus)
    only = fact.data.get("checks")
    findings: list[Finding] = []
    for check in rules.checks_for(str(fact.data.get("id", ""))):
        requirement = rules.requirements.get(check.requirement)
        if requirement is not None and (not isinstance(only, list) or check.id in only):
            findings += judge(check, requirement, exchange, strict=strict)
    return findings


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
    dicom = sut.get("dicom")
    titles: list[Any] = []
    if isinstance(dicom, Mapping):
        titles = [dicom.get("ae_title"), *(dicom.get("calling_ae_titles") or ())]
    return {
        "actors": [claim.get("actor") for claim in claims],
        "profiles": [claim.get("profile") for claim in claims],
        "options": [option for claim in claims for option in claim.get("options") or ()],
        "ae_titles": titles,
        "statement": sut.get("statement"),
    }


def _names(value: Any) -> frozenset[str]:
    return frozenset(str(v) for v in value if v) if isinstance(value, list | tuple | set | frozenset) else frozenset()
