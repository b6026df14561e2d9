"""Make the view of a run: everything is counted, ordered and bounded here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.finding import Basis, Finding
from harness.core.message import Direction, Message, Protocol
from harness.core.result import RunResult, ScenarioResult
from harness.core.spec import Requirement, Transaction
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting import evidence, totals, words
from harness.reporting.decode import Decoded, Decoder, matches, steps_of, visible
from harness.reporting.film import film_view
from harness.reporting.ladder import Ladder, describe, ladder
from harness.reporting.media_section import SCREENSHOTS, at_most, media_sections
from harness.reporting.media_view import Browser
from harness.reporting.totals import Rules
from harness.reporting.trace import trace
from harness.reporting.view import (
    Diff,
    FindingView,
    MessageView,
    ReportView,
    ScenarioView,
)

#: Data set rows in one report; scenarios that need attention get theirs first.
MAX_REPORT_ROWS = 12_000
MAX_MESSAGE_ROWS = 160
MAX_MESSAGES = 80
MAX_FINDINGS = 100
MAX_FIXES = 10
_NUMBER = re.compile(r"#\d+")


def build_view(
    run: RunResult,
    folder: Path | None,
    requirements: Mapping[str, Requirement],
    transactions: Mapping[str, Transaction],
    prefix: str = "",
    browser: Browser | None = None,
) -> ReportView:
    """Everything that the page of a run shows; ``prefix`` leads from the page to the run folder.

    ``browser`` shows pages of media as pictures.
    """
    rules = Rules(requirements)
    wire = tuple(evidence.captures(folder)) if folder else ()
    shots = at_most(browser, SCREENSHOTS) if browser is not None else None
    views = _scenarios(run, folder, rules, wire, shots)
    rows = totals.requirement_rows(run, views, rules)
    fixes = sorted(
        (row for row in rows if row.verdict in (Verdict.FAIL, Verdict.WARNING)),
        key=lambda row: (row.accepted, -row.verdict, row.rule.keyword != "SHALL", -len(row.scenarios), row.rule.id),
    )
    return ReportView(
        run=run,
        numbers=totals.numbers(rows),
        fixes=tuple(fixes[:MAX_FIXES]),
        fixes_left_out=max(0, len(fixes) - MAX_FIXES),
        transactions=tuple(totals.transaction_rows(run, rows, transactions)),
        requirements=rows,
        unjudged=tuple(totals.unjudged(views, rows)),
        scenarios=views,
        scenario_counts=totals.scenario_counts(run),
        prefix=prefix,
        captures=wire,
    )


# -- scenarios ---------------------------------------------------------------------------------------------


def _scenarios(
    run: RunResult, folder: Path | None, rules: Rules, wire: tuple[str, ...], browser: Browser | None
) -> tuple[ScenarioView, ...]:
    decoder = Decoder()
    rows_left = MAX_REPORT_ROWS
    opened = 0
    views: dict[int, ScenarioView] = {}
    for number, scenario in sorted(enumerate(run.scenarios, start=1), key=lambda entry: -entry[1].verdict):
        expand = opened < 3 and scenario.verdict in (Verdict.FAIL, Verdict.ERROR)
        opened += expand
        view = _scenario(run, number, scenario, folder, rules, wire, decoder, rows_left, expand, browser)
        rows_left = max(0, rows_left - sum(len(m.decoded.rows) for m in view.messages))
        views[number] = view
        decoder.datasets.clear()
        decoder.texts.clear()
    return tuple(views[number] for number in sorted(views))


def _scenario(
    run: RunResult,
    number: int,
    scenario: ScenarioResult,
    folder: Path | None,
    rules: Rules,
    wire: tuple[str, ...],
    decoder: Decoder,
    rows_left: int,
    expand: bool,
    browser: Browser | None,
) -> ScenarioView:
    transcript, problem = _transcript(folder, scenario)
    by_seq = {message.seq: message for message in transcript.messages}
    grave = [f for f in scenario.findings if f.verdict >= Verdict.WARNING]
    offending = frozenset(seq for f in grave if f.verdict is Verdict.FAIL for seq in f.evidence)
    drawn = None
    if transcript.messages:
        drawn = ladder(transcript.messages, words.short_sut_name(run.sut), offending, decoder)
    shown = _worth_showing(transcript.messages, drawn)
    views = []
    for message in shown[:MAX_MESSAGES]:
        view = _message(message, grave, offending, decoder, min(rows_left, MAX_MESSAGE_ROWS))
        rows_left -= len(view.decoded.rows)
        views.append(view)
    name = evidence.file_name(scenario.id)
    return ScenarioView(
        number=number,
        result=scenario,
        grave=tuple(_finding_views(run, number, scenario, _grouped(grave), rules, by_seq)),
        passed=tuple(
            _finding_views(
                run,
                number,
                scenario,
                _grouped([f for f in scenario.findings if f.verdict < Verdict.WARNING]),
                rules,
                by_seq,
                first=len(grave),
            )
        ),
        ladder=drawn,
        messages=tuple(views),
        messages_left_out=max(0, len(shown) - MAX_MESSAGES),
        trace=trace(transcript, decoder),
        captures=tuple(path for path in wire if path.split("/", 1)[1].startswith((name + ".", name + "/", name + "-"))),
        command=words.reproduce(run, scenario.id),
        problem=problem,
        open=expand,
        late=tuple(
            f"{message.label} to the {message.actor}: {visible(describe(message, decoder), 160)}"
            for message in transcript.late
            if message.kind.endswith("-RQ") or message.protocol is Protocol.HL7
            if message.direction is Direction.FROM_SUT
        ),
        film=film_view(transcript),
        media=media_sections(transcript, browser),
    )


def _transcript(folder: Path | None, scenario: ScenarioResult) -> tuple[Transcript, str]:
    if not scenario.transcript:
        return Transcript(), "No messages were recorded."
    if folder is None:
        return Transcript(), "The evidence is not at hand; only the findings are shown."
    try:
        return evidence.load_transcript(folder, scenario.transcript), ""
    except UsageError as error:
        return Transcript(), f"The evidence cannot be shown: {error}"


def _worth_showing(messages: Iterable[Message], drawn: Ladder | None) -> list[Message]:
    """Those with a payload, and those that a line of the ladder leads to."""
    linked = {seq for line in (drawn.rungs if drawn else ()) for seq in line.rung.seqs[:1]}
    linked |= {seq for line in (drawn.rungs if drawn else ()) if line.rung.offending for seq in line.rung.seqs}
    return [message for message in messages if message.payload.size or message.seq in linked]


def _message(
    message: Message, grave: list[Finding], offending: frozenset[int], decoder: Decoder, max_rows: int
) -> MessageView:
    if max_rows > 0:
        decoded = decoder.decode(message, max_rows)
    else:
        decoded = Decoded(note="Left out to keep this page small; the bytes are in the evidence file.")
    if not decoded.rows and message.kind.startswith("A-"):
        decoded = Decoded(note=_association_text(message))
    paths = [steps_of(f.locator) for f in grave if f.verdict is Verdict.FAIL and message.seq in f.evidence]
    bad = frozenset(i for i, row in enumerate(decoded.rows) if any(path and matches(row, path) for path in paths))
    size = f"{message.payload.size:,} bytes" if message.payload.size else "no data set"
    return MessageView(
        seq=message.seq,
        kind=message.kind,
        says=visible(describe(message, decoder), 120),
        arrow={"from-sut": "→", "to-sut": "←"}.get(message.direction.value, "·"),
        actor=message.actor,
        meta=" · ".join(
            part for part in (f"association {message.association}" if message.association else "", size) if part
        ),
        decoded=decoded,
        bad=bad,
        offending=message.seq in offending,
        blob=f"{evidence.BLOBS}/{message.payload.sha256}" if message.payload.size else "",
    )


def _association_text(message: Message) -> str:
    parts = [
        f"{name.replace('_', ' ')} {message.fields[name]}"
        for name in ("calling_ae", "called_ae", "max_pdu", "implementation_version", "result", "source", "reason")
        if message.fields.get(name) not in (None, "")
    ]
    contexts = message.fields.get("contexts")
    if isinstance(contexts, list):
        parts.append(f"{len(contexts)} presentation contexts")
    return visible("; ".join(parts), 600)


# -- findings ----------------------------------------------------------------------------------------------


def _grouped(findings: list[Finding]) -> list[tuple[Finding, ...]]:
    """Findings that differ only in the message they are about, together; the gravest first, else in order."""
    groups: dict[tuple[str, str, Verdict, str, str, str], list[Finding]] = {}
    for finding in findings:
        said = _NUMBER.sub("#", finding.summary)
        key = (finding.requirement, finding.check, finding.verdict, said, finding.actual, finding.locator)
        groups.setdefault(key, []).append(finding)
    return sorted((tuple(group) for group in groups.values()), key=lambda group: -group[0].verdict)


def _finding_views(
    run: RunResult,
    number: int,
    scenario: ScenarioResult,
    grouped: list[tuple[Finding, ...]],
    rules: Rules,
    by_seq: Mapping[int, Message],
    first: int = 0,
) -> Iterator[FindingView]:
    for index, group in enumerate(grouped[:MAX_FINDINGS], start=first + 1):
        finding = group[0]
        evidence_of_all = dict.fromkeys(seq for member in group for seq in member.evidence)
        waiver = words.waiver_of(run, scenario, finding)
        yield FindingView(
            anchor=f"s{number}f{index}",
            finding=finding,
            rule=rules.rule(finding.requirement),
            expected=tuple(visible(value) for value in finding.expected[:8]),
            actual=visible(finding.actual),
            diff=_diff(finding),
            messages=tuple((seq, by_seq[seq].kind if seq in by_seq else "") for seq in list(evidence_of_all)[:8]),
            attested=finding.basis is Basis.ATTESTED,
            waiver=str(waiver.get("reason") or "no reason given") if waiver else "",
            command=words.reproduce(run, finding.requirement),
            count=len(group),
        )


def _diff(finding: Finding) -> Diff | None:
    """Only for one expected value that is like the one that came; unlike ones are easier to read side by side."""
    if len(finding.expected) != 1 or not finding.actual or finding.verdict < Verdict.WARNING:
        return None
    expected, actual = visible(finding.expected[0]), visible(finding.actual)
    start = 0
    while start < min(len(expected), len(actual)) and expected[start] == actual[start]:
        start += 1
    end = 0
    while end < min(len(expected), len(actual)) - start and expected[-1 - end] == actual[-1 - end]:
        end += 1
    if expected == actual or start + end < min(len(expected), len(actual)) // 2 or start + end == 0:
        return None
    stop = len(expected) - end
    return Diff(expected[:start], expected[start:stop], actual[start : len(actual) - end], expected[stop:])
