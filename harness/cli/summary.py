"""The end of a run on the terminal: a table by transaction, what to fix first, where the report is."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.bdd.settings import RunSettings
from harness.cli.console import STYLES
from harness.cli.unknown import unknown_only
from harness.core.errors import HarnessError
from harness.core.finding import Finding
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.reporting import totals
from harness.reporting.decode import visible
from harness.reporting.summary import reason_of
from harness.reporting.words import plural
from harness.sut.waivers import WaivedRun

#: characters of one value on the terminal; the report has more
_LONGEST = 300
#: reasons for not judging that the terminal names
_REASONS = 5
_COLUMNS = (Verdict.PASS, Verdict.WARNING, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR)


def print_summary(
    console: Console,
    result: RunResult,
    waived: WaivedRun,
    failure: HarnessError | None,
    report: Path,
    code: int,
    settings: RunSettings,
) -> None:
    """Everything a person needs in one screen of 80 columns."""
    console.print()
    console.print(by_transaction(result))
    _print_broken(console, result, waived)
    _print_unjudged(console, result)
    if waived.waived:
        names = sorted({finding.requirement for _, finding, _ in waived.waived})
        console.print(f"Accepted deviations: {', '.join(names)}")
    for title, group in (("Stale waiver", waived.stale), ("Expired waiver", waived.expired)):
        for waiver in group:
            console.print(Text(f"{title}: {waiver.requirement} ({waiver.file.name}): {waiver.reason}", style="red"))
    if failure is not None:
        console.print(Text(str(failure), style="bold red"))
    counts = result.counts()
    selected = len(result.scenarios)
    if result.interrupted:
        pass  # what was left out may well apply
    elif failure is None and selected and counts["not_applicable"] == selected:
        console.print(Text("None of the selected scenarios applies to what the SUT file claims.", style="red"))
    elif not selected and failure is None:
        console.print(Text(f"Nothing was selected{unknown_only(settings.only)}", style="red"))
    numbers = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    console.print(f"Scenarios: {numbers or 'none'} in {result.seconds:.0f} s")
    overall = result.accepted_verdict
    words = _words(result, overall)
    if waived.waived and overall <= Verdict.WARNING:
        number = len({finding.requirement for _, finding, _ in waived.waived})
        words = f"Conforming, apart from {number} accepted deviation{'s' if number != 1 else ''}"
    console.print(Text.assemble(("Verdict: ", "bold"), (f"{overall.mark} {words}", STYLES[overall])))
    if result.interrupted:
        console.print(Text("The run was interrupted: this is what was judged until then.", style="yellow"))
    if result.not_run:
        left = f"{plural(len(result.not_run), 'scenario')} not run; `--rerun-failed {settings.out}` runs what is left."
        console.print(Text(left, style="yellow"))
    console.print(Text(f"Report:  {report}", no_wrap=True, overflow="ignore"), soft_wrap=True)
    console.print(f"Exit code {code}")


def _words(result: RunResult, overall: Verdict) -> str:
    if result.failure and not any(scenario.findings for scenario in result.scenarios):
        return "None: the run did not take place"
    if result.failure:
        return "None: the run did not come to its end"
    by_requirement = result.requirement_verdicts()
    broken = sum(1 for verdict in by_requirement.values() if verdict is Verdict.FAIL)
    if overall is Verdict.FAIL:
        return f"Not conforming: {broken} requirement{'s' if broken != 1 else ''} broken"
    return {
        Verdict.PASS: "Conforming in everything that was judged",
        Verdict.WARNING: "Conforming, with warnings",
        Verdict.INCONCLUSIVE: "Not everything could be judged",
        Verdict.ERROR: "No verdict: not the product, the harness or a scenario failed",
        Verdict.NOT_APPLICABLE: "Nothing applied",
    }[overall]


def _print_unjudged(console: Console, result: RunResult) -> None:
    """Why scenarios were not judged, each reason once."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for scenario in result.scenarios:
        if result.accepted.get(scenario.id, scenario.verdict) is Verdict.INCONCLUSIVE:
            reasons[reason_of(scenario).split("\n", 1)[0]].append(scenario.name)
    if not reasons:
        return
    console.print(Text("\nNot judged", style="bold"))
    most = sorted(reasons.items(), key=lambda entry: -len(entry[1]))
    for reason, (first, *others) in most[:_REASONS]:
        more = f" and {plural(len(others), 'more scenario')}" if others else ""
        console.print(Text.assemble((" ? ", STYLES[Verdict.INCONCLUSIVE]), visible(reason, _LONGEST)))
        console.print(Text(f"     {first[:200]}{more}", style="bright_black"))
    if len(most) > _REASONS:
        console.print(f" … and {plural(len(most) - _REASONS, 'more reason')} in the report")
    console.print()


def by_transaction(result: RunResult) -> Table:
    """Requirements of each transaction by verdict, counted as the page of the run counts them."""
    cells: dict[str, list[Verdict]] = defaultdict(list)
    for total in totals.of_requirements(result, registry.requirements()):
        for place in total.transactions:
            cells[place].append(total.verdict)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("Transaction", overflow="ellipsis", no_wrap=True, max_width=44)
    table.add_column("judged", justify="right")
    for verdict in _COLUMNS:
        table.add_column(verdict.mark, justify="right")
    for place in sorted(cells, key=totals.natural):
        verdicts = cells[place]
        if not any(verdicts):
            continue  # nothing of it applies
        known = registry.TRANSACTIONS.get(place)
        name = f"{place} {known.name}" if known else place
        counts = [verdicts.count(verdict) for verdict in _COLUMNS]
        judged = sum(counts[: len(totals.JUDGED)])
        table.add_row(name, str(judged), *(_cell(c, v) for c, v in zip(counts, _COLUMNS, strict=True)))
    return table


def _cell(count: int, verdict: Verdict) -> Text:
    return Text(str(count) if count else "", style=STYLES[verdict])


def _print_broken(console: Console, result: RunResult, waived: WaivedRun) -> None:
    accepted = {(scenario, id(finding)) for scenario, finding, _ in waived.waived}
    worst: dict[str, tuple[Finding, str]] = {}
    for scenario in result.scenarios:
        for finding in scenario.findings:
            if finding.verdict >= Verdict.FAIL and (scenario.id, id(finding)) not in accepted:
                worst.setdefault(finding.requirement, (finding, scenario.name))
    if not worst:
        return
    console.print(Text("\nWhat to fix first", style="bold"))
    for requirement, (finding, name) in list(worst.items())[:10]:
        console.print(
            Text.assemble(
                (f" {finding.verdict.mark} {requirement} ", STYLES[finding.verdict]), visible(finding.summary, _LONGEST)
            )
        )
        came = (
            f"expected {' or '.join(finding.expected)}; came {finding.actual}" if finding.expected else finding.actual
        )
        if came:
            console.print(Text(f"     {visible(came, _LONGEST)}"))
        console.print(
            Text(
                f"     {visible(finding.locator, 120) + ' · ' if finding.locator else ''}{name[:200]}",
                style="bright_black",
            )
        )
    if len(worst) > 10:
        console.print(f" … and {len(worst) - 10} more in the report")
    console.print()
