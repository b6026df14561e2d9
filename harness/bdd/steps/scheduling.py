"""What is on a worklist, ours or that of the system under test, and how our order filler answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.actors.order_filler import EMPTY_WORKLIST, MIXED_PENDING, FindReply
from harness.bdd.context import ScenarioContext
from harness.bdd.numbers import Numbers
from harness.bdd.orders import COLUMNS, OPTIONAL_COLUMNS, Scheduler, Step
from harness.bdd.registry import given, when
from harness.bdd.tables import rows
from harness.core.errors import UsageError
from harness.profiles import facts

#: how many queries a scripted answer lasts: a product may ask more than once for one action
_LASTING = 20


def made_steps(context: ScenarioContext, table: Sequence[Sequence[str]]) -> dict[str, Step]:
    """Make the steps of a table and remember them by their names."""
    scheduler = Scheduler(context.lab.source, context.lab.today, context.lab.station)
    made = scheduler.steps(rows(table, required=COLUMNS, optional=OPTIONAL_COLUMNS))
    steps: dict[str, Step] = context.memory.setdefault("steps", {})
    steps.update({step.name: step for step in made})
    context.memory["scheduler"] = scheduler
    return steps


@given("the Order Filler has scheduled these steps")
def order_filler_scheduled(scenario_context: ScenarioContext, datatable: list[list[str]]) -> None:
    """Put steps on the worklist of our Order Filler: step, patient, modality, start [station, procedure, order ...]."""
    for step in made_steps(scenario_context, datatable).values():
        scenario_context.lab.order_filler.schedule(step.entry)


@when('the Order Filler changes the "{keyword:Text}" of "{name:Text}" to "{value:Text}"')
def order_filler_changes(scenario_context: ScenarioContext, keyword: str, name: str, value: str) -> None:
    """Change one attribute of a worklist entry of ours; whoever asked before knows the older value."""
    steps: dict[str, Step] = scenario_context.memory.get("steps", {})
    if name not in steps or keyword not in steps[name].entry:
        raise UsageError(f"there is no {keyword} of {name!r} on our worklist; steps: {', '.join(steps) or 'none'}")
    steps[name] = replace(steps[name], entry={**steps[name].entry, keyword: value})
    scenario_context.lab.order_filler.schedule(steps[name].entry)


@given("the Order Filler has nothing scheduled")
def nothing_scheduled(scenario_context: ScenarioContext) -> None:
    """An empty worklist: every query has zero matches."""
    scenario_context.memory["scheduler"] = Scheduler(
        scenario_context.lab.source, scenario_context.lab.today, scenario_context.lab.station
    )
    scenario_context.lab.order_filler.reply_with(*[EMPTY_WORKLIST] * _LASTING)


@given("the Order Filler answers queries with the status {status:Status}")
def scripted_status(scenario_context: ScenarioContext, status: str) -> None:
    """Answer worklist queries with that final status and no match, e.g. A700."""
    scenario_context.lab.order_filler.reply_with(*[FindReply(final=int(status, 16), limit=0)] * _LASTING)
    scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "find-failed", "status": int(status, 16)})


@given("the Order Filler marks every second match with the status FF01")
def mixed_pending(scenario_context: ScenarioContext) -> None:
    """Answer with FF00 and FF01 in turn; both are matches."""
    scenario_context.lab.order_filler.reply_with(*[MIXED_PENDING] * _LASTING)


@given('the system under test has scheduled {number:Count} steps of "{patient:Text}" for today')
def product_scheduled_many(scenario_context: ScenarioContext, number: int, patient: str) -> None:
    """Have the product schedule so many steps of one patient: an answer long enough to be cancelled."""
    rows_ = [[f"S{n}", patient, "CT", f"today {8 + n // 60 % 12:02d}:{n % 60:02d}"] for n in range(1, number + 1)]
    product_scheduled(scenario_context, [list(COLUMNS), *rows_])


@given("the system under test has scheduled these steps")
def product_scheduled(scenario_context: ScenarioContext, datatable: list[list[str]]) -> None:
    """Have the product schedule steps, by its driver; an ORDER fact says what its worklist must offer.

    A product may number them itself: the driver answers with the numbers, `{"orders": [{...}, ...]}` by DICOM keyword,
    or `{"numbers": "worklist"}` to have them looked up by patient, modality and start, as for an operator.
    """
    steps = made_steps(scenario_context, datatable)
    numbers = Numbers(scenario_context, steps)
    outcome = scenario_context.act("schedule-steps", orders=[dict(step.entry) for step in steps.values()])
    steps.update(numbers.learn(outcome.answers))
    for step in steps.values():
        scenario_context.transcript.note(facts.ORDER, {"keywords": dict(step.entry)})
