"""Short renderings for where people already look: Markdown for a pull request, annotations for GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting import words
from harness.reporting.decode import visible

MAX_ROWS = 20
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~@])")


def markdown(run: RunResult) -> str:
    """A comment of at most some 60 lines: verdict, numbers, what to fix first, what was not judged."""
    verdict = words.headline_verdict(run)
    counts = run.counts()
    lines = [
        f"### {verdict.mark} {_plain(words.headline(run))}",
        "",
        f"{_plain(words.sut_name(run.sut))} · {words.plural(len(run.scenarios), 'scenario')}"
        f" in {words.duration(run.seconds)} · harness {_plain(run.harness_version)}",
        "",
        "| Scenarios passed | broken | not judged | not applicable | harness errors |",
        "|---:|---:|---:|---:|---:|",
        f"| {counts['passed']} | {counts['failed']} | {counts['inconclusive']}"
        f" | {counts['not_applicable']} | {counts['error']} |",
    ]
    lines += _section("Broken", [(s, f) for s, f in _findings(run) if f.verdict is Verdict.FAIL], run)
    lines += _section("Warnings", [(s, f) for s, f in _findings(run) if f.verdict is Verdict.WARNING], run)
    unjudged = [s for s in run.scenarios if s.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)]
    if unjudged:
        lines += ["", "**Not judged**", ""]
        reasons: dict[str, list[ScenarioResult]] = {}
        for scenario in unjudged:
            reasons.setdefault(reason_of(scenario), []).append(scenario)
        for reason, (first, *others) in list(reasons.items())[:MAX_ROWS]:
            more = f" and {words.plural(len(others), 'more scenario')}" if others else ""
            lines.append(f"- {_plain(first.name)}{more}: {_plain(reason)}")
        lines += _more(len(reasons))
    return "\n".join(lines) + "\n"


def github_annotations(run: RunResult) -> Iterator[str]:
    """GitHub workflow commands, one per broken requirement and scenario that could not be judged, and one for a run
    that ended early."""
    if run.failure or run.interrupted:
        text = run.failure.get("text", "the run was interrupted")
        left = f"; {words.plural(len(run.not_run), 'scenario')} not run" if run.not_run else ""
        yield f"::error title={_property('The run did not come to its end')}::{_data(text + left)}"
    for scenario, finding in _findings(run):
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING) and words.waiver_of(run, scenario, finding) is None:
            level = "error" if finding.verdict is Verdict.FAIL else "warning"
            yield _command(level, scenario, finding.requirement, finding.summary)
    for scenario in run.scenarios:
        if scenario.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
            level = "error" if scenario.verdict is Verdict.ERROR else "warning"
            yield _command(level, scenario, f"{scenario.verdict.word}: {scenario.name}", reason_of(scenario))


def _section(title: str, found: list[tuple[ScenarioResult, Finding]], run: RunResult) -> list[str]:
    if not found:
        return []
    lines = ["", f"**{title}**", "", "| Requirement | What was seen | Where | Scenario |", "|---|---|---|---|"]
    seen: dict[tuple[str, str], tuple[ScenarioResult, Finding]] = {}
    for scenario, finding in found:
        seen.setdefault((finding.requirement, finding.summary), (scenario, finding))
    for scenario, finding in list(seen.values())[:MAX_ROWS]:
        waived = " (waived)" if words.waiver_of(run, scenario, finding) else ""
        lines.append(
            f"| {_plain(finding.requirement)}{waived} | {_plain(finding.summary)} | {_plain(finding.locator)}"
            f" | {_plain(scenario.name)} |"
        )
    return lines + _more(len(seen))


def _more(count: int) -> list[str]:
    return ["", f"… and {count - MAX_ROWS} more in the report."] if count > MAX_ROWS else []


def _findings(run: RunResult) -> Iterator[tuple[ScenarioResult, Finding]]:
    for scenario in run.scenarios:
        for finding in scenario.findings:
            yield scenario, finding


def reason_of(scenario: ScenarioResult) -> str:
    """Why a scenario was not judged, or failed for our own fault."""
    if scenario.reason:
        return scenario.reason
    if scenario.faults:
        return scenario.faults[0]
    found = next((f.summary for f in scenario.findings if f.verdict is scenario.verdict), "")
    return found or "nothing was judged"


def _plain(text: str) -> str:
    """Text from the wire as Markdown text: on one line, no markup, no mention, at most 300 characters."""
    text = visible(" ".join(text[:4000].split()), 4000)
    return _MARKDOWN.sub(r"\\\1", text[:300] + ("…" if len(text) > 300 else ""))


def _command(level: str, scenario: ScenarioResult, title: str, message: str) -> str:
    place = f"file={_property(scenario.path)},line={scenario.line}," if scenario.path else ""
    return f"::{level} {place}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return (
        "\n".join(visible(line, 1000) for line in text[:1000].splitlines())
        .replace("%", "%25")
        .replace("\r", "%0D")
        .replace("\n", "%0A")
    )


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
