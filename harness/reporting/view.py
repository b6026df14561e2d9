"""What the HTML report shows, as plain data; templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting.decode import Decoded
from harness.reporting.film import FilmView
from harness.reporting.ladder import Ladder
from harness.reporting.media_section import MediumSection
from harness.reporting.trace import Trace


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement as a reader needs it, also when the registry no longer has it."""

    id: str
    statement: str = ""
    source: str = ""
    confidence: str = ""
    keyword: str = ""
    transactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """Where two values part: common start, what was expected and came in between, common end."""

    start: str
    expected: str
    actual: str
    end: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with its requirement and links to its messages; ``count`` equal ones were seen."""

    anchor: str
    finding: Finding
    rule: Rule
    expected: tuple[str, ...]
    actual: str
    diff: Diff | None
    messages: tuple[tuple[int, str], ...]
    attested: bool
    waiver: str
    command: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message: a line, and what its payload holds; ``bad`` are the rows that a broken requirement names."""

    seq: int
    kind: str
    says: str
    arrow: str
    actor: str
    meta: str
    decoded: Decoded
    bad: frozenset[int]
    offending: bool
    blob: str


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """One scenario, ready to be shown; ``problem`` says why its evidence is not."""

    number: int
    result: ScenarioResult
    grave: tuple[FindingView, ...]
    passed: tuple[FindingView, ...]
    ladder: Ladder | None
    messages: tuple[MessageView, ...]
    messages_left_out: int
    trace: Trace
    captures: tuple[str, ...]
    command: str
    problem: str
    open: bool
    film: FilmView
    media: tuple[MediumSection, ...] = ()
    #: what came during this scenario and belongs to an earlier one
    late: tuple[str, ...] = ()

    @property
    def shown(self) -> frozenset[int]:
        """The messages that a link can lead to."""
        return frozenset(message.seq for message in self.messages)

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        return f"s{self.number}"


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """A requirement over all scenarios."""

    rule: Rule
    verdict: Verdict
    summary: str
    scenarios: tuple[ScenarioView, ...]
    first: FindingView | None
    attested: bool
    accepted: bool
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """The requirements of one transaction by verdict; ``bar`` are (class, x, width) in percent."""

    id: str
    name: str
    peers: str
    counts: Mapping[Verdict, int]
    bar: tuple[tuple[str, float, float], ...]
    requirements: tuple[RequirementRow, ...]

    @property
    def total(self) -> int:
        """All requirements of the row."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Numbers:
    """The five numbers, all of requirements."""

    total: int
    judged: int
    passed: int
    broken: int
    warnings: int
    unjudged: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole page."""

    run: RunResult
    numbers: Numbers
    fixes: tuple[RequirementRow, ...]
    fixes_left_out: int
    transactions: tuple[TransactionRow, ...]
    requirements: tuple[RequirementRow, ...]
    unjudged: tuple[tuple[str, str, ScenarioView], ...]
    scenarios: tuple[ScenarioView, ...]
    scenario_counts: Mapping[str, int]
    prefix: str
    captures: tuple[str, ...]

    @property
    def by_gravity(self) -> list[ScenarioView]:
        """What needs attention first; else in the order of the run."""
        return sorted(self.scenarios, key=lambda view: -view.result.verdict)


def css_class(verdict: Verdict) -> str:
    """The class that carries a verdict's colours."""
    return {
        Verdict.NOT_APPLICABLE: "na",
        Verdict.PASS: "pass",
        Verdict.WARNING: "warn",
        Verdict.INCONCLUSIVE: "inc",
        Verdict.FAIL: "fail",
        Verdict.ERROR: "err",
    }[verdict]


def filter_class(verdict: Verdict) -> str:
    """The filter that shows a verdict; our own faults are among what was not judged."""
    return "inc" if verdict is Verdict.ERROR else css_class(verdict)
