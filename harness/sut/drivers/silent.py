"""A product that says yes and does nothing: nothing may ever pass on it."""

from __future__ import annotations

from harness.sut.actions import DONE, Action, Outcome, OutcomeState


class SilentDriver:
    """Answers every action with DONE and never touches the network."""

    parallel_safe = True

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Claim that it was done."""
        del timeout
        _ = action.kind
        return DONE

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Nobody is there to ask."""
        del question, timeout
        return Outcome(OutcomeState.UNSUPPORTED, "the silent driver has no operator")

    def close(self) -> None:
        """Nothing to release."""
