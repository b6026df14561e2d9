"""Live progress of a run: scenario, steps, verdict, time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from harness.cli.console import STYLES, err
from harness.core.finding import Finding
from harness.core.result import ScenarioResult, StepResult
from harness.core.verdict import Verdict
from harness.reporting.decode import visible


def _worst(result: ScenarioResult, most: int = 3) -> list[Finding]:
    """What a line of its own is worth: the worst finding of each requirement, at most ``most`` of them."""
    worst: dict[str, Finding] = {}
    for finding in sorted(result.findings, key=lambda f: -f.verdict):
        if finding.verdict >= min(result.verdict, Verdict.INCONCLUSIVE):
            worst.setdefault(finding.requirement, finding)
    return list(worst.values())[:most]


#: characters of one value on the terminal; the report has more
_LONGEST = 300


def _repeats(result: ScenarioResult) -> bool:
    """Whether the reason is only the list of findings again, as the end of a scenario writes it."""
    return any(f.requirement in result.reason.splitlines()[0] for f in result.findings)


class LiveProgress:
    """One line per scenario; on a terminal the running step is shown below it. Implements ``bdd.progress.Progress``."""

    def __init__(self, product: str, version: str, *, quiet: bool) -> None:
        self._console = err()
        self._title = f"{product} {version}".strip()
        self._quiet = quiet
        self._total = 0
        self._done = 0
        self._feature = ""
        self._reasons: set[str] = set()
        self._started = time.monotonic()
        self._status = self._console.status("starting", spinner="dots") if self._console.is_terminal else None

    def __enter__(self) -> LiveProgress:
        self._console.print(f"Testing [bold]{escape(self._title)}[/bold]")
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def planned(self, scenarios: int) -> None:
        """So many scenarios were selected."""
        self._total = scenarios

    def remark(self, text: str) -> None:
        """A line of its own, before the first scenario."""
        self._console.print(Text(text, style="yellow"))

    def scenario_started(self, name: str, feature: str) -> None:
        """Show what runs now."""
        self._tell(f"{self._done + 1}/{self._total}  {name}")

    def step_finished(self, step: StepResult) -> None:
        """Show the last step that ended."""
        self._tell(f"{self._done + 1}/{self._total}  {step.verdict.mark} {step.keyword} {step.text}")

    def scenario_finished(self, result: ScenarioResult) -> None:
        """One line: mark, name, time; the reason below if it did not pass."""
        self._done += 1
        if result.verdict is Verdict.NOT_APPLICABLE or self._quiet:
            return
        if result.feature != self._feature:
            self._feature = result.feature
            self._console.print(Text(result.feature, style="bold"))
        style = STYLES[result.verdict]
        seconds = f"{result.seconds:5.1f} s"
        width = self._console.width - len(seconds) - 5
        name = Text(result.name[:400])
        name.truncate(width, overflow="ellipsis", pad=True)
        self._console.print(Text.assemble((f" {result.verdict.mark} ", style), name, " ", (seconds, "bright_black")))
        if result.verdict < Verdict.WARNING:
            return
        for finding in _worst(result):
            mark = f"{finding.verdict.mark} {finding.requirement} "
            line = Text.assemble((mark, STYLES[finding.verdict]), visible(finding.summary, _LONGEST))
            self._console.print(Padding(line, (0, 0, 0, 3)))
        shown = " ".join(f.summary for f in result.findings)
        if result.verdict >= Verdict.INCONCLUSIVE and result.reason:
            first = result.reason.splitlines()[0]
            if first not in shown and not _repeats(result):
                again = first in self._reasons
                self._reasons.add(first)
                said = "for the same reason as above" if again else visible(first, _LONGEST)
                self._console.print(Padding(Text(said, style=style), (0, 0, 0, 3)))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The spinner stands still and leaves the line to a question."""
        if self._status is None:
            yield
            return
        self._status.stop()
        try:
            yield
        finally:
            self._status.start()

    def _tell(self, text: str) -> None:
        if self._status is not None:
            line = Text(text[:400])
            line.truncate(self._console.width - 6, overflow="ellipsis")
            self._status.update(line)
