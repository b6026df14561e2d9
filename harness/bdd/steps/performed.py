"""What receivers of performed steps make of them: forwarding, availability, worklists and archives afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.actors import step_messages
from harness.actors.availability import notifications
from harness.actors.performed_steps import PerformedStep, merge
from harness.actors.worklist_user import Replies, WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Step
from harness.bdd.performances import Performed, performance
from harness.bdd.registry import then, when
from harness.core.errors import UsageError
from harness.core.message import Direction, Message
from harness.profiles import demands, facts, names
from harness.profiles.swf.checks.rad06_scp import destinations
from harness.protocols.dicom.node import Proposal
from harness.protocols.dicom.uids import INSTANCE_AVAILABILITY, MPPS

# -- destinations ------------------------------------------------------------------------------------------------


@then('every accepted message reaches the "{actor:Text}"')
def forwarded_to(scenario_context: ScenarioContext, actor: str) -> None:
    """Wait until a PPS Manager under test has passed everything on to one of its destinations."""
    context = scenario_context
    if actor not in destinations(context.declaration):
        return
    accepted = [
        sent
        for kind in ("N-CREATE-RQ", "N-SET-RQ")
        for sent in context.transcript.select(kind, direction=Direction.TO_SUT)
        if _is_step(sent) and _was_accepted(context, sent)
    ]
    was_away = any(
        fact.data.get("fault") == "unreachable" and fact.data.get("actor") == actor
        for fact in context.transcript.facts_of(facts.FAULT_INJECTED)
    )
    for sent in accepted:
        uid = _instance(sent)
        came = context.transcript.wait_for(
            sent.kind,
            timeout=context.lab.sut.timeouts.exchange,
            after=sent.seq,
            direction=Direction.FROM_SUT,
            where=_of(uid, actor),
        )
        if came is None:
            # noted and not raised: checks compare what came, and the rest is not waited for
            demanded = demands.demanded_by(sent.kind, actor, names.PPS_MANAGER)
            context.broken(
                "RAD-6-SCP-05" if was_away else demanded,
                f"{sent.label} did not reach the {actor}",
                expected=(f"the {sent.kind} of {uid}",),
                actual="nothing",
            )
            return


def _of(uid: str, actor: str) -> Callable[[Message], bool]:
    """Messages to an actor about that performed step."""
    return lambda message: message.actor == actor and _is_step(message) and _instance(message) == uid


def _is_step(message: Message) -> bool:
    return message.fields.get("AbstractSyntax") == MPPS


def _instance(message: Message) -> str:
    fields = message.fields
    return str(fields.get("AffectedSOPInstanceUID") or fields.get("RequestedSOPInstanceUID") or "")


def _was_accepted(context: ScenarioContext, sent: Message) -> bool:
    answers = context.transcript.select(
        sent.kind.replace("-RQ", "-RSP"),
        direction=Direction.FROM_SUT,
        after=sent.seq,
        where=lambda m: m.association == sent.association,
    )
    return bool(answers) and answers[0].fields.get("Status") == 0


# -- what archives and order fillers make of it ------------------------------------------------------------------


def _series_of(performed: Performed) -> dict[str, str]:
    first = performed.samples[0].dataset
    return {"StudyInstanceUID": str(first.StudyInstanceUID), "SeriesInstanceUID": str(first.SeriesInstanceUID)}


def _note_images(context: ScenarioContext, replies: Replies, keys: dict[str, str], **more: Any) -> None:
    fact = {"message": replies.request, "level": "IMAGE", "model": "STUDY", "keys": keys, "by": "SOPInstanceUID"}
    context.transcript.note(facts.QUERY, {**fact, **more})


@when('the Order Filler asks the archive which images of "{wanted:Text}" it has')
def filler_asks_availability(scenario_context: ScenarioContext, wanted: str) -> None:
    """An Images Availability Query (RAD-11) for the series of a performed step."""
    context, performed = scenario_context, performance(scenario_context, wanted)
    keys = _series_of(performed)
    context.begin()
    replies = context.converse(
        "RAD-11-SCP-01",
        "The availability query",
        lambda: context.lab.order_filler.query_availability(context.lab.product, *keys.values()),
    )
    held = {sample.sop_instance for sample in context.memory.get("held back", ())}
    there = sorted(sample.sop_instance for sample in performed.samples if sample.sop_instance not in held)
    _note_images(context, replies, keys, expected=there, **({"purpose": "missing-instance"} if held else {}))


@then('the Image Display finds {images:Count} image(s) of "{wanted:Text}" after the wrong entry')
def display_finds(scenario_context: ScenarioContext, images: int, wanted: str) -> None:
    """An image query for the series of a performed step; none may be found of a step discontinued for 110514."""
    context, performed = scenario_context, performance(scenario_context, wanted)
    keys = _series_of(performed)
    context.begin()
    replies = context.converse(
        "RAD-14-SCP-01",
        "The query",
        lambda: context.lab.image_display.query(context.lab.product, "IMAGE", keys),
    )
    uids = sorted(sample.sop_instance for sample in performed.samples)
    _note_images(context, replies, keys, expected=uids[:images], universe=uids, purpose="after-wrong-entry")


@then('the objects of the work on "{name:Text}" are found in its study')
def derived_found(scenario_context: ScenarioContext, name: str) -> None:
    """An image query for the series that the Evidence Creator stored."""
    context, performed = scenario_context, performance(scenario_context, f"work on {name}")
    keys = _series_of(performed)
    context.begin()
    replies = context.converse(
        "RAD-14-SCP-01",
        "The query",
        lambda: context.lab.image_display.query(context.lab.product, "IMAGE", keys),
    )
    uids = sorted(sample.sop_instance for sample in performed.samples)
    _note_images(context, replies, keys, expected=uids, universe=uids)
    context.judge("requirement", "RAD-18-SCP-01")


@when('the Image Manager announces the images of "{wanted:Text}"')
def archive_announces(scenario_context: ScenarioContext, wanted: str) -> None:
    """An Instance Availability Notification (RAD-49) of a performed step, with nothing optional in it."""
    context, performed = scenario_context, performance(scenario_context, wanted)
    ended = step_messages.completion(performed.samples, performed.plan, performed.created)
    step = PerformedStep(performed.uid, merge(performed.created, ended))
    archive = context.lab.image_manager
    context.begin()

    def announce() -> None:
        with archive.node.connect(context.lab.product, [Proposal(INSTANCE_AVAILABILITY)]) as association:
            for notice in notifications(step, archive.ae_title, "ONLINE"):
                association.n_create(INSTANCE_AVAILABILITY, performed.sender.uid(), notice)

    context.converse("RAD-49-SCP-01", "The availability notice", announce)


_PURPOSES = {"cancellation": "cancelled", "wrong entry": "after-wrong-entry", "completion": "after-completed"}


@then('the worklist of the patient offers "{offered:Text}" after the "{event:Text}"', event=tuple(_PURPOSES))
def worklist_offers(scenario_context: ScenarioContext, offered: str, event: str) -> None:
    """Query the patient of the scenario; exactly these steps (none: empty) may be there after what happened."""
    context = scenario_context
    if event not in _PURPOSES:
        raise UsageError(f"{event!r} is not an event of a step; known: {', '.join(_PURPOSES)}")
    known: dict[str, Step] = context.memory["steps"]
    keys = {"PatientID": str(next(iter(known.values())).entry["PatientID"])}
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    context.begin()
    replies = context.converse("RAD-5-SCP-01", "The worklist query", lambda: user.query(context.lab.product, keys))
    context.transcript.note(
        facts.QUERY,
        {
            "message": replies.request,
            "level": "STEP",
            "model": "WORKLIST",
            "keys": keys,
            "by": "ScheduledProcedureStepID",
            "expected": sorted(known[name.strip()].step_id for name in offered.split(",") if name.strip()),
            "universe": sorted(step.step_id for step in known.values()),
            "purpose": _PURPOSES[event],
        },
    )
