"""What happened to one scenario, from the runner's side, until it becomes a ScenarioResult."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd.exceptions import StepDefinitionNotFoundError

from harness.bdd.context import ScenarioContext
from harness.bdd.identity import identity
from harness.bdd.tags import ScenarioTags
from harness.core.errors import EnvironmentFailure, NonConformance, Unjudgeable, UsageError
from harness.core.result import ScenarioResult, StepResult
from harness.core.verdict import Verdict, roll_up

if TYPE_CHECKING:
    from harness.bdd.lab import Lab


#: how the reason of a scenario starts that failed because of its own text: neither the product nor we are at fault
AUTHORS_MISTAKE = "mistake in the scenario: "


class ScenarioRecord:
    """Collects steps and the outcome of the phases; one per item."""

    def __init__(self, identifier: str, name: str, feature: str, path: str, line: int, tags: ScenarioTags) -> None:
        self.id = identifier
        self.name = name
        self.feature = feature
        self.path = path
        self.line = line
        self.tags = tags
        self.context: ScenarioContext | None = None
        self.steps: list[StepResult] = []
        self.raised = False
        self.exchange_failed = False
        self.verdict: Verdict | None = None
        self.reason = ""
        self.allure_open: list[str] = []
        self._started = time.monotonic()
        self._step: Any = None
        self._step_started = 0.0
        self._judged_before = 0
        self._unjudged_before = 0

    @classmethod
    def of(cls, item: pytest.Item, tags: ScenarioTags, roots: Sequence[str]) -> ScenarioRecord:
        """The record of a collected scenario, before its feature has been looked at."""
        identifier = identity(item.path, item.name, roots)
        path = "/".join(item.path.parts[-3:])
        return cls(identifier, item.name.removeprefix("test_").replace("_", " "), path, path, 0, tags)

    def describe(self, feature: Any, scenario: Any) -> None:
        """Take the names that a person wrote."""
        self.name, self.line = scenario.name, scenario.line_number
        self.feature = feature.name or self.feature

    # -- steps -----------------------------------------------------------------------------------------------

    def step_started(self, step: Any) -> None:
        """The clock of a step starts."""
        self._step, self._step_started = step, time.monotonic()
        self._judged_before = len(self.context.findings) if self.context else 0
        self._unjudged_before = len(self.context.unjudged) if self.context else 0

    def step_finished(self, step: Any) -> StepResult:
        """A step without an exception is as good as the worst it found; a Given or When passes by itself.

        One that found nothing to judge says so, and is no better than that.
        """
        found = self.context.findings[self._judged_before :] if self.context else []
        unjudged = self.context.unjudged[self._unjudged_before :] if self.context else []
        verdicts = [finding.verdict for finding in found] + [Verdict.INCONCLUSIVE for _ in unjudged]
        return self._keep(step, roll_up(verdicts or [Verdict.PASS]), "; ".join(unjudged))

    def step_failed(self, step: Any, error: BaseException) -> StepResult:
        """A step that raised: the product's fault, nobody's, or ours."""
        self.raised = True
        self.exchange_failed = self.exchange_failed or isinstance(error, NonConformance)
        verdict, message = grade(error)
        if message.startswith(AUTHORS_MISTAKE):
            message = f"{AUTHORS_MISTAKE}{self.path}:{step.line_number}: {message.removeprefix(AUTHORS_MISTAKE)}"
        if self.verdict is None or verdict > self.verdict:
            self.verdict, self.reason = verdict, message
        return self._keep(step, verdict, message)

    def _keep(self, step: Any, verdict: Verdict, message: str) -> StepResult:
        keyword = str(step.keyword).strip()
        done = StepResult(keyword, step.name, verdict, time.monotonic() - self._step_started, message)
        self.steps.append(done)
        return done

    # -- outcome -----------------------------------------------------------------------------------------------

    def skip(self, reason: str) -> None:
        """The scenario does not apply to this product."""
        self.verdict, self.reason = Verdict.NOT_APPLICABLE, reason

    def fail(self, verdict: Verdict, reason: str) -> None:
        """The scenario could not be run."""
        self.verdict, self.reason = verdict, reason

    def phase(self, call: pytest.CallInfo[None]) -> None:
        """An exception outside of a step (a fixture, the end of the scenario, teardown) counts too."""
        if call.excinfo is None or self.verdict is Verdict.NOT_APPLICABLE:
            return
        error = call.excinfo.value
        verdict, message = grade(error)
        if self.verdict is None or verdict > self.verdict:
            self.verdict, self.reason = verdict, message

    def result(self, lab: Lab | None, now: float) -> ScenarioResult:
        """Everything as a ScenarioResult; stores the transcript."""
        del now
        context = self.context
        verdicts = [] if self.verdict is None else [self.verdict]
        transcript_path = ""
        if context is not None and self.verdict is not Verdict.NOT_APPLICABLE:
            verdicts.append(context.verdict())
            if lab is not None:
                transcript_path = lab.store(self.id, context.transcript)
        return ScenarioResult(
            id=self.id,
            name=self.name,
            feature=self.feature,
            path=self.path,
            line=self.line,
            verdict=roll_up(verdicts),
            seconds=time.monotonic() - self._started,
            tags=self.tags.all,
            profiles=tuple(sorted(self.tags.profiles)),
            transactions=tuple(sorted(self.tags.transactions)),
            actor=self.tags.actor,
            aliases=self.tags.aliases,
            claims=self.tags.requirements,
            steps=tuple(self.steps),
            findings=tuple(context.findings) if context else (),
            faults=tuple(f"{f.where}: {f.error}" for f in context.transcript.faults) if context else (),
            transcript=transcript_path,
            reason=self.reason or "; ".join(context.unjudged if context else ()),
        )


def grade(error: BaseException) -> tuple[Verdict, str]:
    """What an exception means: a broken requirement, nothing judged, or a fault of ours."""
    if isinstance(error, NonConformance):
        return Verdict.FAIL if _confirmed(error) else Verdict.INCONCLUSIVE, str(error)
    if isinstance(error, Unjudgeable | KeyboardInterrupt):
        return Verdict.INCONCLUSIVE, str(error) or "interrupted"
    if isinstance(error, EnvironmentFailure):
        return Verdict.INCONCLUSIVE, str(error)
    if isinstance(error, pytest.skip.Exception):
        # a scenario that does not apply was told apart before it began: this one ends in its midst
        return Verdict.INCONCLUSIVE, f"skipped by one of its steps: {error}"
    if isinstance(error, UsageError):
        return Verdict.ERROR, f"{AUTHORS_MISTAKE}{error}"
    if isinstance(error, StepDefinitionNotFoundError):
        return Verdict.ERROR, f"{AUTHORS_MISTAKE}undefined step: {error}"
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({last[0].name}, line {last[0].lineno})" if last else ""
    return Verdict.ERROR, f"{type(error).__name__}: {error}{place}"


def _confirmed(error: NonConformance) -> bool:
    return not error.findings or any(finding.verdict is Verdict.FAIL for finding in error.findings)
