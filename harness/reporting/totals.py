"""What a run amounts to: requirements over all scenarios, by transaction, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.result import RunResult
from harness.core.spec import Requirement, Transaction
from harness.core.verdict import Verdict
from harness.reporting import words
from harness.reporting.view import (
    FindingView,
    Numbers,
    RequirementRow,
    Rule,
    ScenarioView,
    TransactionRow,
    css_class,
    filter_class,
)

JUDGED = (Verdict.PASS, Verdict.WARNING, Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Rules:
    requirements: Mapping[str, Requirement]

    def rule(self, requirement_id: str) -> Rule:
        row = self.requirements.get(requirement_id)
        if row is None:
            return Rule(requirement_id)
        return Rule(row.id, row.statement, row.source, row.confidence.value, row.keyword.value, row.transactions)


@dataclass(frozen=True, slots=True)
class Total:
    """One requirement over all scenarios: the gravest verdict, the scenarios (numbered from 1) that show it, where it
    counts.

    INCONCLUSIVE for one that scenarios name and nobody judged, NOT_APPLICABLE if none of them applied.
    """

    requirement: str
    verdict: Verdict
    scenarios: tuple[int, ...]
    transactions: tuple[str, ...]


def of_requirements(run: RunResult, requirements: Mapping[str, Requirement]) -> Iterator[Total]:
    """Every requirement that was judged or named, by id. A requirement of several transactions counts in each that
    the scenarios of its verdict belong to."""
    numbered = tuple(enumerate(run.scenarios, start=1))
    verdicts = run.requirement_verdicts()
    gravest: dict[str, list[int]] = {}
    claiming: dict[str, list[int]] = {}
    for number, scenario in numbered:
        for claim in scenario.claims:
            claiming.setdefault(claim, []).append(number)
        for name in {f.requirement for f in scenario.findings if f.verdict is verdicts[f.requirement]}:
            gravest.setdefault(name, []).append(number)
    for name in sorted({*claiming, *verdicts}):
        verdict = verdicts.get(name)
        shown = gravest.get(name) or claiming[name]
        scenarios = [run.scenarios[number - 1] for number in shown]
        if verdict is None:
            left_out = all(scenario.verdict is Verdict.NOT_APPLICABLE for scenario in scenarios)
            verdict = Verdict.NOT_APPLICABLE if left_out else Verdict.INCONCLUSIVE
        row = requirements.get(name)
        met = {transaction for scenario in scenarios for transaction in scenario.transactions}
        yield Total(name, verdict, tuple(shown), _places(row.transactions if row else (), met))


def _places(binds: tuple[str, ...], met: set[str]) -> tuple[str, ...]:
    if len(binds) < 2:
        return binds or tuple(sorted(met, key=natural)) or ("other",)
    return tuple(name for name in binds if name in met) or binds[:1]


def requirement_rows(run: RunResult, views: tuple[ScenarioView, ...], rules: Rules) -> tuple[RequirementRow, ...]:
    found: dict[str, list[tuple[ScenarioView, FindingView]]] = {}
    for view in views:
        for finding in (*view.grave, *view.passed):
            found.setdefault(finding.finding.requirement, []).append((view, finding))
    accepted = {
        verdict: words.broken_requirements(run, verdict)[1]
        for verdict in (Verdict.WARNING, Verdict.INCONCLUSIVE, Verdict.FAIL)
    }
    by_number = {view.number: view for view in views}
    rows = []
    for total in of_requirements(run, rules.requirements):
        seen = found.get(total.requirement, [])
        first = next((finding for _, finding in seen if finding.finding.verdict is total.verdict), None)
        rows.append(
            RequirementRow(
                rule=rules.rule(total.requirement),
                verdict=total.verdict,
                summary=first.finding.summary if first else "",
                scenarios=tuple(by_number[number] for number in total.scenarios),
                first=first,
                attested=any(finding.attested for _, finding in seen),
                accepted=total.requirement in accepted.get(total.verdict, ()),
                transactions=total.transactions,
            )
        )
    return tuple(rows)


def numbers(rows: tuple[RequirementRow, ...]) -> Numbers:
    def having(*verdicts: Verdict) -> int:
        return sum(1 for row in rows if row.verdict in verdicts)

    return Numbers(
        total=len(rows) - having(Verdict.NOT_APPLICABLE),
        judged=having(*JUDGED),
        passed=having(Verdict.PASS),
        broken=having(Verdict.FAIL),
        warnings=having(Verdict.WARNING),
        unjudged=having(Verdict.INCONCLUSIVE, Verdict.ERROR),
    )


def transaction_rows(
    run: RunResult, rows: tuple[RequirementRow, ...], transactions: Mapping[str, Transaction]
) -> Iterator[TransactionRow]:
    grouped: dict[str, list[RequirementRow]] = {}
    for row in rows:
        for name in row.transactions:
            grouped.setdefault(name, []).append(row)
    own = {actor for actor, _ in _claimed(run)}
    for name in sorted(grouped, key=natural):
        transaction = transactions.get(name)
        members = sorted(grouped[name], key=lambda row: (-row.verdict, row.rule.id))
        counts = {verdict: sum(1 for row in members if row.verdict is verdict) for verdict in Verdict}
        yield TransactionRow(
            id=name,
            name=transaction.name if transaction else "",
            peers=words.listing([a for a in (*transaction.initiators, *transaction.responders) if a not in own])
            if transaction
            else "",
            counts=counts,
            bar=_bar(counts),
            requirements=tuple(members),
        )


def _claimed(run: RunResult) -> Iterator[tuple[str, str]]:
    claims = run.sut.get("claims")
    for claim in claims if isinstance(claims, list | tuple) else ():
        if isinstance(claim, Mapping):
            yield str(claim.get("actor", "")), str(claim.get("profile", ""))


def _bar(counts: Mapping[Verdict, int]) -> tuple[tuple[str, float, float], ...]:
    total = sum(count for verdict, count in counts.items() if verdict is not Verdict.NOT_APPLICABLE)
    segments = []
    x = 0.0
    for verdict in (Verdict.PASS, Verdict.WARNING, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR):
        width = 100 * counts[verdict] / total if total else 0.0
        if width:
            segments.append((css_class(verdict), round(x, 2), round(width, 2)))
        x += width
    return tuple(segments)


def unjudged(
    views: tuple[ScenarioView, ...], rows: tuple[RequirementRow, ...]
) -> Iterator[tuple[str, str, ScenarioView]]:
    """Name, reason and scenario of everything that was not judged; a scenario speaks for its requirements.

    What many scenarios were not judged for is said once.
    """
    told = set()
    reasons: dict[str, list[ScenarioView]] = {}
    for view in views:
        if view.result.verdict not in (Verdict.INCONCLUSIVE, Verdict.ERROR):
            continue
        gravest = [f"{f.requirement}: {f.summary}" for f in view.result.findings if f.verdict is view.result.verdict]
        why = [words.own_reason(view.result), *view.result.faults, *gravest, view.result.reason]
        if said := next(filter(None, why), ""):
            told.add(view.number)
            reasons.setdefault(said.split("\n", 1)[0], []).append(view)
    for reason, unjudged_views in reasons.items():
        first, *others = unjudged_views
        more = f" and {words.plural(len(others), 'more scenario')}" if others else ""
        yield f"{first.result.name}{more}", reason, first
    for row in rows:
        if row.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
            for view in row.scenarios[:1]:
                if view.number not in told:
                    yield row.rule.id, row.summary or "no check looked at it in any scenario", view


def scenario_counts(run: RunResult) -> dict[str, int]:
    counts = dict.fromkeys(("fail", "warn", "inc", "pass", "na"), 0)
    for scenario in run.scenarios:
        counts[filter_class(scenario.verdict)] += 1
    return counts


def natural(name: str) -> tuple[str, int, str]:
    """A sort key that puts RAD-5 before RAD-10."""
    head, _, number = name.rpartition("-")
    return (head, int(number), "") if number.isdigit() else (name, 0, name)
