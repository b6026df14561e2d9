"""What is on a worklist: ours, or that of the system under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.actors.order_filler import EMPTY_WORKLIST
from harness.bdd.context import ScenarioContext
from harness.bdd.numbers import Numbers
from harness.bdd.orders import COLUMNS, OPTIONAL_COLUMNS, Scheduler, Step
from harness.bdd.registry import PRODUCT, given, when
from harness.bdd.tables import rows
from harness.core.errors import UsageError
from harness.profiles import facts, names

#: how many queries a scripted answer lasts: a product may ask more than once for one action
_LASTING = 20


def _made_steps(context: ScenarioContext, table: Sequence[Sequence[str]]) -> dict[str, Step]:
    """Make the steps of a table and remember them by their names."""
    scheduler = Scheduler(context.lab.source, context.lab.today, context.lab.station)
    made = scheduler.steps(rows(table, required=COLUMNS, optional=OPTIONAL_COLUMNS))
    steps: dict[str, Step] = context.memory.setdefault("steps", {})
    steps.update({step.name: step for step in made})
    context.memory["scheduler"] = scheduler
    return steps


@given("{who:Party} has scheduled these steps", who=(PRODUCT, names.ORDER_FILLER))
def steps_scheduled(scenario_context: ScenarioContext, who: str, datatable: list[list[str]]) -> None:
    """Put steps on a worklist: step, patient, modality, start [station, procedure, order, physician, protocol].

    A product schedules by its driver; what its worklist must offer then is noted. It may number the steps itself: the
    driver answers with the numbers, `{"orders": [{...}, ...]}` by DICOM keyword, or `{"numbers": "worklist"}` to have
    them looked up by patient, modality and start, as for an operator.
    """
    steps = _made_steps(scenario_context, datatable)
    if who != PRODUCT:
        for step in steps.values():
            scenario_context.lab.order_filler.schedule(step.entry)
        return
    numbers = Numbers(scenario_context, steps)
    outcome = scenario_context.act("schedule-steps", orders=[dict(step.entry) for step in steps.values()])
    steps.update(numbers.learn(outcome.answers))
    for step in steps.values():
        scenario_context.transcript.note(facts.ORDER, {"keywords": dict(step.entry)})


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


@given('the system under test has scheduled {number:Count} step(s) of "{patient:Text}" for today')
def product_scheduled_many(scenario_context: ScenarioContext, number: int, patient: str) -> None:
    """Have the product schedule so many steps of one patient: an answer long enough to be cancelled."""
    rows_ = [[f"S{n}", patient, "CT", f"today {8 + n // 60 % 12:02d}:{n % 60:02d}"] for n in range(1, number + 1)]
    steps_scheduled(scenario_context, PRODUCT, [list(COLUMNS), *rows_])
