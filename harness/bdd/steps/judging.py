"""Judgement: what everything that was seen so far must satisfy."""

from __future__ import annotations

from harness.bdd.context import ScenarioContext
from harness.bdd.registry import then
from harness.core.errors import UsageError
from harness.profiles import registry


@then('the exchange satisfies every "{transaction:Text}" requirement')
def satisfies_every(scenario_context: ScenarioContext, transaction: str) -> None:
    """Judge all that was seen so far by every check of the transaction that binds the system under test."""
    scenario_context.judge("transaction", transaction)


@then('the requirement "{requirement:Text}" is met')
def requirement_met(scenario_context: ScenarioContext, requirement: str) -> None:
    """Judge one requirement on all that was seen so far; not judged if there is nothing to look at."""
    scenario_context.judge("requirement", requirement)


@then('that message satisfies "{requirement:Text}"')
def message_satisfies(scenario_context: ScenarioContext, requirement: str) -> None:
    """Judge one requirement on the message of the last exchange step only."""
    if scenario_context.that is None:
        raise UsageError("'that message' needs an exchange step before it")
    scenario_context.judge("requirement", requirement, focus=scenario_context.that)


@then('the operator confirms "{requirement:Text}": "{question:Text}"')
def operator_confirms(scenario_context: ScenarioContext, requirement: str, question: str) -> None:
    """Judge what the product handed over of what it shows; without that ask the operator, or it is not judged."""
    context = scenario_context
    silent = len(context.unjudged)
    if registry.checks_for(requirement) and context.judge("requirement", requirement):
        return
    del context.unjudged[silent:]
    context.attest(requirement, question)
