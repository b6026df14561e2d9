"""One way to count requirements: what the terminal, the page and its tables say of a run is the same."""

from __future__ import annotations

import io

from rich.console import Console

from harness.cli.summary import by_transaction
from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.reporting import totals
from harness.reporting.build import build_view


def finding(requirement: str, verdict: Verdict = Verdict.PASS) -> Finding:
    return Finding("c", requirement, verdict, f"{requirement} was seen")


def scenario(name: str, transactions: tuple[str, ...], *found: Finding, claims: tuple[str, ...] = ()) -> ScenarioResult:
    verdict = max((f.verdict for f in found), default=Verdict.NOT_APPLICABLE)
    return ScenarioResult(
        name, name, "f", "p", 1, verdict, 0.1, findings=found, transactions=transactions, claims=claims
    )


#: rows of one transaction, of two, judged where another transaction is meant, named and never judged
RUN = RunResult(
    "r",
    "2026-11-20T00:00:00+00:00",
    1.0,
    "0",
    {"name": "P"},
    (
        scenario("a", ("RAD-5",), finding("RAD-5-SCU-01"), finding("RAD-5-SCU-18", Verdict.FAIL)),
        scenario("b", ("RAD-5", "RAD-6"), finding("RAD-5-SCU-01"), finding("XC-08"), finding("RAD-7-SCU-05")),
        scenario("c", ("RAD-5",), claims=("RAD-5-SCU-17",)),
        scenario("d", ("RAD-5",), finding("RAD-5-SCU-19", Verdict.INCONCLUSIVE)),
    ),
)


def test_terminal_and_page_count_alike() -> None:
    view = build_view(RUN, None, registry.requirements(), registry.TRANSACTIONS)
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(by_transaction(RUN))
    printed = {line.split()[0]: line.split() for line in console.export_text().splitlines()[1:] if line.strip()}
    assert set(printed) == {row.id for row in view.transactions}
    for row in view.transactions:
        counts = [row.counts[verdict] for verdict in (*totals.JUDGED, Verdict.INCONCLUSIVE) if row.counts[verdict]]
        judged = sum(row.counts[verdict] for verdict in totals.JUDGED)
        assert printed[row.id][-len(counts) - 1 :] == [str(number) for number in (judged, *counts)], row.id


def test_a_requirement_counts_where_its_verdict_was_seen() -> None:
    found = {total.requirement: total for total in totals.of_requirements(RUN, registry.requirements())}
    assert found["RAD-5-SCU-01"].scenarios == (1, 2)
    assert found["RAD-7-SCU-05"].transactions == ("RAD-7",)
    assert set(found["XC-08"].transactions) <= {"RAD-5", "RAD-6"}
    assert found["RAD-5-SCU-17"].verdict is Verdict.NOT_APPLICABLE
    assert found["RAD-5-SCU-19"].verdict is Verdict.INCONCLUSIVE
