"""What must have come from the system under test, or have been answered, before it is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.actors.image_manager_behaviour import CommitmentReply, Way
from harness.bdd.context import ScenarioContext
from harness.bdd.registry import then
from harness.core.errors import NonConformance, Unjudgeable, UsageError
from harness.core.message import Direction, Message
from harness.profiles import facts, names
from harness.protocols.dicom.attributes import dataset_of

_FINAL: Final = ("COMPLETED", "DISCONTINUED")
#: how long a notice that must not come is waited for
_NOTICE_SECONDS: Final = 1.0


@then('a(n) "{kind:Text}" reaches the "{actor:Text}"')
def message_reaches(scenario_context: ScenarioContext, kind: str, actor: str) -> None:
    """Wait for a message of that kind from the system under test; silence breaks what demands it."""
    timeouts = scenario_context.lab.sut.timeouts
    slow = kind.startswith("N-EVENT-REPORT")
    scenario_context.expect(
        kind,
        actor,
        timeout=timeouts.commitment if slow else None,
        demanded_by=_commitment_requirement(scenario_context, kind) if slow else "",
    )


def _commitment_requirement(context: ScenarioContext, kind: str) -> str:
    """What silence after a commitment request breaks depends on how the report was to come."""
    if kind == "N-EVENT-REPORT-RQ":
        repeated = "RAD-10-SCP-06"
        return repeated if repeated in context.tags.requirements else ""
    reply: CommitmentReply = context.memory.get("commitment", CommitmentReply())
    return "RAD-10-SCU-05" if reply.way is Way.SAME_ASSOCIATION else "RAD-10-SCU-06"


@then('a(n) "{kind:Text}" with a final state reaches the "{actor:Text}"')
def final_state_reaches(scenario_context: ScenarioContext, kind: str, actor: str) -> None:
    """Wait for an N-SET that completes or discontinues the step."""

    def is_final(message: Message) -> bool:
        return str(dataset_of(message).get("PerformedProcedureStepStatus", "")) in _FINAL

    scenario_context.expect(kind, actor, where=is_final, condition="with a final state")


@then("{images:Count} image(s) reach(es) the Image Manager")
def images_reach(scenario_context: ScenarioContext, images: int) -> None:
    """Wait for exactly so many C-STORE requests since the product was asked."""
    context = scenario_context
    for _ in range(images):
        context.expect("C-STORE-RQ", "Image Manager/Archive", condition=f"({images} images)")
    context.transcript.quiet_for("C-STORE-RQ", context.lab.sut.timeouts.quiet, after=context.transcript.mark())
    came = {
        str(m.fields.get("AffectedSOPInstanceUID"))
        for m in context.transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT, after=context.asked_at)
    }
    if len(came) != images:
        summary = f"{len(came)} different images came to the Image Manager; {images} were kept"
        context.broken("RAD-7-SCU-05", summary, expected=(f"{images} images",), actual=f"{len(came)} images")
        raise NonConformance(summary, tuple(context.findings))


# -- how our side answered a query --------------------------------------------------------------------------------


@then("the query was answered with {matches:Count} match(es)")
def answered_with(scenario_context: ScenarioContext, matches: int) -> None:
    """Our Order Filler or archive had exactly so many matches: the keys of the product mean what was asked for."""
    request = scenario_context.that
    if request is None or request.kind != "C-FIND-RQ":
        raise UsageError("this step follows 'a \"C-FIND-RQ\" reaches ...'")
    if request.actor == names.ORDER_FILLER:
        _worklist_answered(scenario_context, request, matches)
    else:
        _archive_answered(scenario_context, request, matches)


def _worklist_answered(context: ScenarioContext, request: Message, matches: int) -> None:
    ended = context.transcript.wait_for(
        None,
        timeout=context.lab.sut.timeouts.exchange,
        after=request.seq,
        where=lambda m: m.association == request.association and (_is_final(m) or _leaves(m)),
    )
    pending = [
        m
        for m in context.transcript.select("C-FIND-RSP", direction=Direction.TO_SUT, after=request.seq)
        if m.association == request.association and m.fields.get("Status") in (0xFF00, 0xFF01)
    ]
    if ended is not None and _leaves(ended):
        summary = f"The product ended the association after {len(pending)} match(es), before the final response"
        context.broken("RAD-5-SCU-16", summary, expected=(f"{matches} matches are taken",), actual=ended.kind)
        raise NonConformance(summary, tuple(context.findings))
    if ended is not None and len(pending) == matches:
        return
    requirement = _query_requirement(context.memory.get("asked keys", {}))
    summary = (
        f"The product's keys matched {len(pending)} scheduled steps; {matches} were to be found with what was asked"
    )
    context.broken(requirement, summary, expected=(f"{matches} matches",), actual=f"{len(pending)} matches")
    raise NonConformance(summary, tuple(context.findings))


def _query_requirement(keys: dict[str, str]) -> str:
    """The requirement that a product breaks when it cannot query by these keys (RAD TF-2 Tables 4.5-1, 4.5-2)."""
    date = "ScheduledProcedureStepStartDate"
    by_patient = {
        "PatientName": "RAD-5-SCU-04",
        "PatientID": "RAD-5-SCU-05",
        "AccessionNumber": "RAD-5-SCU-06",
        "RequestedProcedureID": "RAD-5-SCU-07",
    }
    asked = [name for name in keys if name in by_patient]
    if asked:
        return by_patient[asked[0]] if len(keys) == 1 else "RAD-5-SCU-08"
    if "-" in keys.get(date, ""):
        return "RAD-5-SCU-12"
    if "ScheduledStationAETitle" in keys:
        return "RAD-5-SCU-11"
    return "RAD-5-SCU-10" if "Modality" in keys else "RAD-5-SCU-09"


def _is_final(message: Message) -> bool:
    return message.kind == "C-FIND-RSP" and message.fields.get("Status") not in (0xFF00, 0xFF01)


def _leaves(message: Message) -> bool:
    return message.direction is Direction.FROM_SUT and message.kind in ("A-RELEASE-RQ", "A-ABORT")


#: which requirement a key of a query exercises
_BY_KEY: Final = {
    "PatientName": "RAD-14-SCU-02",
    "PatientID": "RAD-14-SCU-03",
    "AccessionNumber": "RAD-14-SCU-04",
    "StudyDate": "RAD-14-SCU-05",
    "ModalitiesInStudy": "RAD-14-SCU-06",
}


def _archive_answered(context: ScenarioContext, request: Message, matches: int) -> None:
    final = context.transcript.wait_for(
        "C-FIND-RSP",
        timeout=context.lab.sut.timeouts.exchange,
        after=request.seq,
        direction=Direction.TO_SUT,
        where=lambda m: m.association == request.association and m.fields.get("Status") not in (0xFF00, 0xFF01),
    )
    answers = context.transcript.select(
        "C-FIND-RSP",
        direction=Direction.TO_SUT,
        after=request.seq,
        where=lambda m: m.association == request.association and m.fields.get("Status") in (0xFF00, 0xFF01),
    )
    if final is not None and len(answers) == matches:
        return
    keys = [name for name, value in context.memory.get("asked", {}).items() if value]
    requirement = next((_BY_KEY[name] for name in keys if name in _BY_KEY), "RAD-14-SCU-01")
    summary = f"The product's keys matched {len(answers)} entries; {matches} were to be found with what was asked"
    context.broken(requirement, summary, expected=(f"{matches} matches",), actual=f"{len(answers)} matches")
    raise NonConformance(summary, tuple(context.findings))


# -- time for what is judged later --------------------------------------------------------------------------------


def _send_the_refused_image_again(context: ScenarioContext) -> None:
    """Until the refused instance comes again, or the exchange time-out is over."""
    refused = next(
        (
            str(m.fields.get("AffectedSOPInstanceUID"))
            for m in context.transcript.select("C-STORE-RSP", direction=Direction.TO_SUT)
            if m.fields.get("Status") not in (0, None)
        ),
        None,
    )
    if refused is None:
        refused = _unanswered(context)
    if refused is None:
        raise Unjudgeable("no image was refused: the product stored none")
    seen = [
        m
        for m in context.transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT)
        if m.fields.get("AffectedSOPInstanceUID") == refused
    ]
    seconds = context.lab.sut.timeouts.exchange
    again = context.transcript.wait_for(
        "C-STORE-RQ",
        timeout=seconds,
        after=seen[0].seq,
        direction=Direction.FROM_SUT,
        where=lambda m: m.fields.get("AffectedSOPInstanceUID") == refused,
    )
    if again is not None:
        context.transcript.wait_for(
            "C-STORE-RSP",
            timeout=seconds,
            after=again.seq,
            direction=Direction.TO_SUT,
            where=lambda m: m.association == again.association,
        )


def _on(request: Message) -> Callable[[Message], bool]:
    """Messages on the association of a request."""
    return lambda message: message.association == request.association


def _unanswered(context: ScenarioContext) -> str | None:
    """The image that an aborted association carried."""
    for request in context.transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT):
        answers = context.transcript.select(
            "C-STORE-RSP",
            direction=Direction.TO_SUT,
            after=request.seq,
            where=_on(request),
        )
        if not answers:
            return str(request.fields.get("AffectedSOPInstanceUID"))
    return None


def _send_the_message_again(context: ScenarioContext) -> None:
    """Until the message that we did not acknowledge comes again, or time is up."""
    withheld = [
        int(fact.data["message"])
        for fact in context.transcript.facts_of(facts.FAULT_INJECTED)
        if fact.data.get("fault") == "acknowledgement-withheld"
    ]
    if not withheld:
        raise UsageError("every message so far was acknowledged")
    (lost,) = (m for m in context.transcript.messages if m.seq == withheld[-1])
    wanted = lost.fields.get("control_id")
    again = context.transcript.wait_for(
        lost.kind,
        timeout=context.lab.sut.timeouts.exchange,
        after=lost.seq,
        direction=Direction.FROM_SUT,
        where=lambda message: message.actor == lost.actor and message.fields.get("control_id") == wanted,
    )
    if again is not None:
        context.lab.hospital.settle(context.lab.sut.timeouts.exchange)


def _say_what_it_must_not(context: ScenarioContext) -> None:
    """A moment for notices and order statuses that must not come."""
    context.transcript.quiet_for("N-CREATE-RQ", _NOTICE_SECONDS, after=context.asked_at, direction=Direction.FROM_SUT)


def _wait_for_the_late_answer(context: ScenarioContext) -> None:
    """Until our late C-STORE response has gone out; when, is noted."""
    late = context.transcript.wait_for(
        "C-STORE-RSP",
        timeout=context.lab.sut.timeouts.exchange + float(context.memory["stalled"]),
        after=context.asked_at,
        direction=Direction.TO_SUT,
    )
    if late is None:
        raise Unjudgeable("no image was stored whose answer could be held back")
    context.transcript.note(facts.FAULT_INJECTED, {"fault": "store-stalled", "message": late.seq})


_CHANCES: Final = {
    "send the refused image again": _send_the_refused_image_again,
    "send the message again": _send_the_message_again,
    "wait for the late answer": _wait_for_the_late_answer,
    "announce what is available": _say_what_it_must_not,
    "tell the Order Placer": _say_what_it_must_not,
}


@then("the system under test has had the time to {what:Text}", what=tuple(_CHANCES))
def time_to(scenario_context: ScenarioContext, what: str) -> None:
    """Wait until the product has done so, or time is up; judging is left to others."""
    if what not in _CHANCES:
        raise UsageError(f"there is no time to {what}; known: {', '.join(_CHANCES)}")
    _CHANCES[what](scenario_context)
