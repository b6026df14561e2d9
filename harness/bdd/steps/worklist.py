"""Worklists are queried: ours by a modality under test, or one under test by our modality."""

from __future__ import annotations

from typing import Any

from harness.actors.worklist_user import Replies, WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Scheduler, Step, Vocabulary
from harness.bdd.registry import PRODUCT, when
from harness.bdd.tables import pairs
from harness.core.errors import UsageError
from harness.profiles import facts, names


def _ask(context: ScenarioContext, keys: dict[str, Any], **more: Any) -> Replies:
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    context.begin()
    charset = sorted({term for step in _known(context).values() for term in step.patient.character_set if term})
    named = any(not str(value).isascii() for value in keys.values())
    replies = context.converse(
        "RAD-5-SCP-01",
        "The worklist query",
        lambda: user.query(context.lab.product, keys, character_set=charset if named else (), **more),
    )
    context.memory["replies"] = replies
    context.memory["keys"] = keys
    return replies


def _known(context: ScenarioContext) -> dict[str, Step]:
    steps: dict[str, Step] = context.memory.get("steps", {})
    return steps


@when("{who:Party} queries the worklist by", who=(PRODUCT, names.MODALITY))
def queries_worklist(scenario_context: ScenarioContext, who: str, datatable: list[list[str]]) -> None:
    """Query with these keys; values may be words: today, ID of S1, this (station).

    A product queries by exactly these; ours asks for all return keys of the Technical Framework as well.
    """
    scheduler: Scheduler = scenario_context.memory["scheduler"]
    words = Vocabulary(scheduler, _known(scenario_context))
    keys = {name: words.value(text, scenario_context.lab.station) for name, text in pairs(datatable).items()}
    if who != PRODUCT:
        _ask(scenario_context, keys)
        return
    scenario_context.memory["asked keys"] = keys
    scenario_context.act("query-worklist", keys=keys)


@when("the Acquisition Modality queries the worklist and cancels after {matches:Count} match(es)")
def modality_cancels(scenario_context: ScenarioContext, matches: int) -> None:
    """Query everything and send a C-CANCEL after so many matches."""
    replies = _ask(scenario_context, {}, cancel_after=matches)
    scenario_context.transcript.note(
        facts.QUERY,
        {"message": replies.request, "level": "STEP", "model": "WORKLIST", "keys": {}, "purpose": "after-cancel"},
    )


def expect_steps(context: ScenarioContext, wanted: list[str]) -> None:
    """Say which of the scheduled steps must match, and judge it. Raises UsageError without a worklist query."""
    replies: Replies | None = context.memory.get("replies")
    if replies is None:
        raise UsageError("this step follows a worklist query")
    known = _known(context)
    if missing := [name for name in wanted if name not in known]:
        raise UsageError(f"no step {', '.join(missing)} was scheduled; known: {', '.join(known)}")
    keys: dict[str, Any] = context.memory["keys"]
    context.transcript.note(
        facts.QUERY,
        {
            "message": replies.request,
            "level": "STEP",
            "model": "WORKLIST",
            "keys": {name: value for name, value in keys.items() if value},
            "by": "ScheduledProcedureStepID",
            "expected": sorted(known[name].step_id for name in wanted),
            "universe": sorted(step.step_id for step in known.values()),
        },
    )
    context.judge("requirement", requirement_for(keys))


def requirement_for(keys: dict[str, Any]) -> str:
    """The matching requirement that a query exercises: by its first key, or AND for several, or universal matching."""
    valued = [name for name, value in keys.items() if value]
    if len(valued) > 1 and set(valued) != {"ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"}:
        return "RAD-5-SCP-11"
    by_keyword = {
        "ScheduledStationAETitle": "RAD-5-SCP-02",
        "ScheduledProcedureStepStartDate": "RAD-5-SCP-03",
        "Modality": "RAD-5-SCP-05",
        "ScheduledPerformingPhysicianName": "RAD-5-SCP-06",
        "PatientName": "RAD-5-SCP-07",
        "PatientID": "RAD-5-SCP-08",
        "AccessionNumber": "RAD-5-SCP-09",
        "RequestedProcedureID": "RAD-5-SCP-10",
    }
    if "ScheduledProcedureStepStartTime" in valued:
        return "RAD-5-SCP-04"
    return by_keyword.get(valued[0], "RAD-5-SCP-12") if valued else "RAD-5-SCP-12"
