"""What a run tells while it runs; the command line prints it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from harness.core.result import ScenarioResult, StepResult


class Progress(Protocol):
    """Receives events in the process that started the run."""

    def planned(self, scenarios: int) -> None:
        """So many scenarios were selected."""
        ...

    def remark(self, text: str) -> None:
        """Something about the product and its surroundings that concerns many scenarios (not told with workers)."""
        ...

    def scenario_started(self, name: str, feature: str) -> None:
        """A scenario begins (not told with several workers)."""
        ...

    def step_finished(self, step: StepResult) -> None:
        """A step ended (not told with several workers)."""
        ...

    def scenario_finished(self, result: ScenarioResult) -> None:
        """A scenario ended."""
        ...

    def paused(self) -> AbstractContextManager[object]:
        """Nothing is drawn while a person is asked."""
        ...


class Quiet:
    """Tells nobody."""

    def planned(self, scenarios: int) -> None:
        """Nothing."""

    def remark(self, text: str) -> None:
        """Nothing."""

    def scenario_started(self, name: str, feature: str) -> None:
        """Nothing."""

    def step_finished(self, step: StepResult) -> None:
        """Nothing."""

    def scenario_finished(self, result: ScenarioResult) -> None:
        """Nothing."""

    def paused(self) -> AbstractContextManager[object]:
        """Nothing."""
        return nullcontext()
