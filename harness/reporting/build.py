"""Make the view of a run: everything is counted, ordered and bounded here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.finding import Basis, Finding
from harness.core.message import Direction, Message, Protocol
from harness.core.result import RunResult, ScenarioResult
from harness.core.spec import Requirement, Transaction
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting import evidence, words
from harness.reporting.decode import Decoded, Decoder, matches, steps_of, visible
from harness.reporting.film import film_view
from harness.reporting.ladder import Ladder, describe, ladder
from harness.reporting.trace import trace
from harness.reporting.view import (
    Diff,
    FindingView,
    MessageView,
    Numbers,
    ReportView,
    RequirementRow,
    Rule,
    ScenarioView,
    TransactionRow,
    css_class,
    filter_class,
)

#: Data set rows in one report; scenarios that need attention get theirs first.
MAX_REPORT_ROWS = 12_000
MAX_MESSAGE_ROWS = 160
MAX_MESSAGES = 80
MAX_FINDINGS = 100
MAX_FIXES = 10
_NUMBER = re.compile(r"#\d+")
_JUDGED = (Verdict.PASS, Verdict.WARNING, Verdict.FAIL)


def build_view(
    run: RunResult,
    folder: Path | None,
    requirements: Mapping[str, Requirement],
    transactions: Mapping[str, Transaction],
    prefix: str = "",
) -> ReportView:
    """Everything that the page of a run shows; ``prefix`` leads from the page to the run folder."""
    rules = _Rules(requirements)
    wire = tuple(evidence.captures(folder)) if folder else ()
    views = _scenarios(run, folder, rules, wire)
    rows = _requirement_rows(run, views, rules)
    fixes = sorted(
        (row for row in rows if row.verdict in (Verdict.FAIL, Verdict.WARNING)),
        key=lambda row: (row.accepted, -row.verdict, row.rule.keyword != "SHALL", -len(row.scenarios), row.rule.id),
    )
    return ReportView(
        run=run,
        numbers=_numbers(rows),
        fixes=tuple(fixes[:MAX_FIXES]),
        fixes_left_out=max(0, len(fixes) - MAX_FIXES),
        transactions=tuple(_transaction_rows(run, rows, transactions)),
        requirements=rows,
        unjudged=tuple(_unjudged(views, rows)),
        scenarios=views,
        scenario_counts=_scenario_counts(run),
        prefix=prefix,
        captures=wire,
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    requirements: Mapping[str, Requirement]

    def rule(self, requirement_id: str) -> Rule:
        row = self.requirements.get(requirement_id)
        if row is None:
            return Rule(requirement_id)
        return Rule(row.id, row.statement, row.source, row.confidence.value, row.keyword.value, row.transactions)


# -- scenarios ---------------------------------------------------------------------------------------------


def _scenarios(run: RunResult, folder: Path | None, rules: _Rules, wire: tuple[str, ...]) -> tuple[ScenarioView, ...]:
    decoder = Decoder()
    rows_left = MAX_REPORT_ROWS
    opened = 0
    views: dict[int, ScenarioView] = {}
    for number, scenario in sorted(enumerate(run.scenarios, start=1), key=lambda entry: -entry[1].verdict):
        expand = opened < 3 and scenario.verdict in (Verdict.FAIL, Verdict.ERROR)
        opened += expand
        view = _scenario(run, number, scenario, folder, rules, wire, decoder, rows_left, expand)
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
    rules: _Rules,
    wire: tuple[str, ...],
    decoder: Decoder,
    rows_left: int,
    expand: bool,
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
    rules: _Rules,
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


# -- totals ------------------------------------------------------------------------------------------------


def _requirement_rows(run: RunResult, views: tuple[ScenarioView, ...], rules: _Rules) -> tuple[RequirementRow, ...]:
    found: dict[str, list[tuple[ScenarioView, FindingView]]] = {}
    for view in views:
        for finding in (*view.grave, *view.passed):
            found.setdefault(finding.finding.requirement, []).append((view, finding))
    verdicts = run.requirement_verdicts()
    accepted = {
        verdict: words.broken_requirements(run, verdict)[1]
        for verdict in (Verdict.WARNING, Verdict.INCONCLUSIVE, Verdict.FAIL)
    }
    claimed = {claim for scenario in run.scenarios for claim in scenario.claims}
    rows = []
    for requirement in sorted(claimed | set(verdicts)):
        verdict = verdicts.get(requirement)
        seen = found.get(requirement, [])
        gravest = [(view, finding) for view, finding in seen if finding.finding.verdict is verdict]
        first = gravest[0][1] if gravest else None
        scenarios = tuple(dict.fromkeys(view.number for view, _ in gravest))
        by_number = {view.number: view for view, _ in gravest}
        if verdict is None:
            claiming = [view for view in views if requirement in view.result.claims]
            if all(view.result.verdict is Verdict.NOT_APPLICABLE for view in claiming):
                verdict = Verdict.NOT_APPLICABLE
            by_number = {view.number: view for view in claiming}
            scenarios = tuple(by_number)
        rows.append(
            RequirementRow(
                rule=rules.rule(requirement),
                verdict=Verdict.INCONCLUSIVE if verdict is None else verdict,
                summary=first.finding.summary if first else "",
                scenarios=tuple(by_number[number] for number in scenarios),
                first=first,
                attested=any(finding.attested for _, finding in seen),
                accepted=verdict is not None and requirement in accepted.get(verdict, ()),
            )
        )
    return tuple(rows)


def _numbers(rows: tuple[RequirementRow, ...]) -> Numbers:
    def having(*verdicts: Verdict) -> int:
        return sum(1 for row in rows if row.verdict in verdicts)

    return Numbers(
        total=len(rows) - having(Verdict.NOT_APPLICABLE),
        judged=having(*_JUDGED),
        passed=having(Verdict.PASS),
        broken=having(Verdict.FAIL),
        warnings=having(Verdict.WARNING),
        unjudged=having(Verdict.INCONCLUSIVE, Verdict.ERROR),
    )


def _transaction_rows(
    run: RunResult, rows: tuple[RequirementRow, ...], transactions: Mapping[str, Transaction]
) -> Iterator[TransactionRow]:
    grouped: dict[str, list[RequirementRow]] = {}
    for row in rows:
        of_scenarios = {t for view in row.scenarios for t in view.result.transactions}
        for name in row.rule.transactions or sorted(of_scenarios) or ("other",):
            if not row.rule.transactions or not of_scenarios or name in of_scenarios or len(row.rule.transactions) == 1:
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


def _unjudged(
    views: tuple[ScenarioView, ...], rows: tuple[RequirementRow, ...]
) -> Iterator[tuple[str, str, ScenarioView]]:
    """Name, reason and scenario of everything that was not judged; a scenario speaks for its requirements."""
    told = set()
    for view in views:
        if view.result.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR) and (view.result.reason or view.result.faults):
            told.add(view.number)
            yield view.result.name, (view.result.reason or view.result.faults[0]).split("\n", 1)[0], view
    for row in rows:
        if row.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
            for view in row.scenarios[:1]:
                if view.number not in told:
                    yield row.rule.id, row.summary or "no check looked at it in any scenario", view


def _scenario_counts(run: RunResult) -> dict[str, int]:
    counts = dict.fromkeys(("fail", "warn", "inc", "pass", "na"), 0)
    for scenario in run.scenarios:
        counts[filter_class(scenario.verdict)] += 1
    return counts


def natural(name: str) -> tuple[str, int, str]:
    """A sort key that puts RAD-5 before RAD-10."""
    head, _, number = name.rpartition("-")
    return (head, int(number), "") if number.isdigit() else (name, 0, name)
