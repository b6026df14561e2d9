"""A person operates the product: prompts on the terminal, answers from it."""

from __future__ import annotations

from typing import Protocol

from harness.sut.actions import DONE, Action, Outcome, OutcomeState


class Operator(Protocol):
    """How a person is asked; the command line provides one that owns the terminal."""

    @property
    def present(self) -> bool:
        """Whether somebody can answer."""
        ...

    def ask(self, text: str, choices: tuple[str, ...], *, timeout: float) -> str | None:
        """Show ``text``, return one of ``choices``, or None when ``timeout`` seconds went by."""
        ...


class Nobody:
    """No operator: a run in a pipeline."""

    present = False

    def ask(self, text: str, choices: tuple[str, ...], *, timeout: float) -> str | None:
        """Nobody answers."""
        del text, choices, timeout
        return None


class ManualDriver:
    """Every action is a prompt. An operator who does not answer leaves the scenario not judged, never passed."""

    parallel_safe = False

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Tell the operator what to do and wait for their word."""
        return prompt(self._operator, action, timeout)

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Ask the operator what they saw."""
        return ask(self._operator, question, timeout)

    def close(self) -> None:
        """Nothing to release."""


def prompt(operator: Operator, action: Action, timeout: float) -> Outcome:
    """Ask an operator to perform an action: done, not possible on this product, or did not work."""
    if not operator.present:
        return Outcome(OutcomeState.UNSUPPORTED, "an operator is needed and none is present: " + action.wording())
    answer = operator.ask(action.wording(), ("done", "not possible", "failed"), timeout=timeout)
    if answer is None:
        return Outcome(OutcomeState.DECLINED, f"no answer from the operator within {timeout:g} s")
    if answer == "done":
        return DONE
    if answer == "not possible":
        return Outcome(OutcomeState.UNSUPPORTED, "the operator says that the product cannot do this")
    return Outcome(OutcomeState.FAILED, "the operator says that it did not work")


def ask(operator: Operator, question: str, timeout: float) -> Outcome:
    """Ask an operator for an attestation."""
    if not operator.present:
        return Outcome(OutcomeState.UNSUPPORTED, "no operator is present to say what the product showed")
    answer = operator.ask(question, ("yes", "no", "cannot say"), timeout=timeout)
    if answer == "yes":
        return DONE
    if answer == "no":
        return Outcome(OutcomeState.DECLINED, "the operator answered no")
    return Outcome(OutcomeState.UNSUPPORTED, "the operator could not say" if answer else "the operator did not answer")
