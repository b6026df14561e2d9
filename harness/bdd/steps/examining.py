"""What a modality under test is asked to do, and how our archive treats it."""

from __future__ import annotations

from harness.actors.image_manager_behaviour import CommitmentReply, Way
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Scheduler, Step, Vocabulary
from harness.bdd.people import person
from harness.bdd.registry import given, then, when
from harness.bdd.tables import pairs
from harness.core.errors import NonConformance, Unjudgeable, UsageError
from harness.core.message import Direction, Message
from harness.profiles import facts


def _steps(context: ScenarioContext, names: str) -> list[Step]:
    known: dict[str, Step] = context.memory.get("steps", {})
    wanted = [name.strip() for name in names.split(",")]
    if missing := [name for name in wanted if name not in known]:
        raise UsageError(f"no step {', '.join(missing)} was scheduled; known: {', '.join(known) or 'none'}")
    return [known[name] for name in wanted]


def _perform(context: ScenarioContext, names: str, **more: object) -> None:
    steps = _steps(context, names)
    context.act(
        "perform-step",
        step_ids=[step.step_id for step in steps],
        patient=steps[0].patient.name,
        modality=str(steps[0].sps["Modality"]),
        commit=True,
        **more,
    )


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


# -- asking ------------------------------------------------------------------------------------------------------


@when("the system under test queries the worklist by")
def product_queries(scenario_context: ScenarioContext, datatable: list[list[str]]) -> None:
    """Have the product query with exactly these keys; values may be words: today, ID of S1, this (station)."""
    scheduler: Scheduler = scenario_context.memory["scheduler"]
    words = Vocabulary(scheduler, scenario_context.memory.get("steps", {}))
    keys = {name: words.value(text, scenario_context.lab.station) for name, text in pairs(datatable).items()}
    scenario_context.memory["asked keys"] = keys
    scenario_context.act("query-worklist", keys=keys)


@when('the system under test performs "{names:Text}" with {images:Count} images')
@when('the system under test performs "{names:Text}" with {images:Count} image')
def product_performs(scenario_context: ScenarioContext, names: str, images: int) -> None:
    """Have the product perform one or more scheduled steps, store the images and ask for commitment."""
    _perform(scenario_context, names, images=images)


@when('the system under test performs "{names:Text}" with {images:Count} images and stays for the commitment report')
def product_stays(scenario_context: ScenarioContext, names: str, images: int) -> None:
    """As above; the product keeps the association of its commitment request open until the report has come."""
    _perform(scenario_context, names, images=images, stay=True)


@when('the system under test performs "{names:Text}" with {images:Count} images, rejecting {reject:Count}')
def product_performs_rejecting(scenario_context: ScenarioContext, names: str, images: int, reject: int) -> None:
    """As above, with images that are rejected and must not be part of the step."""
    _perform(scenario_context, names, images=images, reject=reject)


@when('the system under test performs "{names:Text}" with {images:Count} images, but another procedure')
def product_performs_other(scenario_context: ScenarioContext, names: str, images: int) -> None:
    """Have the product perform another procedure than the scheduled one."""
    _perform(scenario_context, names, images=images, protocol="other")


@when('the system under test abandons "{names:Text}" after {images:Count} images for the reason "{reason:Text}"')
def product_abandons(scenario_context: ScenarioContext, names: str, images: int, reason: str) -> None:
    """Have the product discontinue a step, with a code of CID 9300 as the reason."""
    _perform(scenario_context, names, images=images, end="discontinued", reason=reason)


@when('the system under test appends {images:Count} image to "{names:Text}"')
@when('the system under test appends {images:Count} images to "{names:Text}"')
def product_appends(scenario_context: ScenarioContext, images: int, names: str) -> None:
    """Have the product append images to a step that it completed before: a new performed step."""
    steps = _steps(scenario_context, names)
    scenario_context.act(
        "append-to-step",
        step_ids=[step.step_id for step in steps],
        patient=steps[0].patient.name,
        images=images,
        commit=True,
    )


@when('the system under test starts "{names:Text}" with {images:Count} images')
@when('the system under test starts "{names:Text}" with {images:Count} image')
def product_starts(scenario_context: ScenarioContext, names: str, images: int) -> None:
    """Have the product start a scheduled step and acquire images; it does not end the step yet."""
    steps = _steps(scenario_context, names)
    scenario_context.act(
        "start-step",
        step_ids=[step.step_id for step in steps],
        patient=steps[0].patient.name,
        modality=str(steps[0].sps["Modality"]),
        images=images,
    )


@when("the system under test finishes the open step with {images:Count} more images")
@when("the system under test finishes the open step with {images:Count} more image")
def product_finishes(scenario_context: ScenarioContext, images: int) -> None:
    """Have the product acquire the rest, end the step, store and ask for commitment."""
    scenario_context.act("finish-step", images=images, commit=True)


@when('the system under test moves the images of the wrong entry to "{names:Text}"')
def product_reassigns(scenario_context: ScenarioContext, names: str) -> None:
    """Have the product do the examination, discontinued for 110514, anew on the right entry."""
    steps = _steps(scenario_context, names)
    scenario_context.act(
        "reassign-step",
        step_ids=[step.step_id for step in steps],
        patient=steps[0].patient.name,
        commit=True,
    )


@when('the system under test examines "{key:Text}" unscheduled with {images:Count} images')
def product_unscheduled(scenario_context: ScenarioContext, key: str, images: int) -> None:
    """Have the product register a patient by hand and perform an examination without any order."""
    subject = person(key)
    scenario_context.act(
        "perform-unscheduled",
        patient=subject.name,
        patient_id=subject.patient_id,
        images=images,
        modality="DX",
        commit=True,
    )


# -- how our archive treats the product ----------------------------------------------------------------------------


def _commit_with(context: ScenarioContext, reply: CommitmentReply) -> None:
    context.memory["commitment"] = reply
    context.lab.image_manager.commit_with(reply)


@given("the Image Manager reports commitment on a new association")
def commitment_elsewhere(scenario_context: ScenarioContext) -> None:
    """The archive calls back, proposing the SCP role for itself (PS3.4 J.3.3)."""
    _commit_with(scenario_context, CommitmentReply(Way.SEPARATE_ASSOCIATION))


@given("the Image Manager reports commitment on the same association")
def commitment_here(scenario_context: ScenarioContext) -> None:
    """The archive reports while the association of the request is open."""
    _commit_with(scenario_context, CommitmentReply(Way.SAME_ASSOCIATION))


@given("the Image Manager reports commitment on a new association {seconds:Number} seconds later")
def commitment_late(scenario_context: ScenarioContext, seconds: float) -> None:
    """The archive calls back long after the request was released."""
    _commit_with(scenario_context, CommitmentReply(Way.SEPARATE_ASSOCIATION, delay=seconds))


@given("the Image Manager reports commitment twice")
def commitment_twice(scenario_context: ScenarioContext) -> None:
    """The archive sends the same result again, each on an association of its own."""
    _commit_with(scenario_context, CommitmentReply(Way.SEPARATE_ASSOCIATION, copies=2))


@given("the Image Manager fails to commit {count:Count} instance")
def commitment_fails(scenario_context: ScenarioContext, count: int) -> None:
    """The report is of event type 2, with that many failed instances."""
    _commit_with(scenario_context, CommitmentReply(failures=count))


@given("the Image Manager refuses the next image with the status {status:Status}")
def store_refused(scenario_context: ScenarioContext, status: str) -> None:
    """The first C-STORE is answered with that status, e.g. A700 (out of resources)."""
    code = int(status, 16)
    scenario_context.lab.refusals.refuse_next(code)
    scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "store-refused", "status": code})


@given("the Image Manager aborts the association at the next image")
def store_aborted(scenario_context: ScenarioContext) -> None:
    """The first C-STORE is never answered: A-ABORT comes instead."""
    scenario_context.lab.refusals.abort_next()
    scenario_context.transcript.note(facts.FAULT_INJECTED, {"fault": "store-aborted"})


@given("the Image Manager holds back its answer to the next image for {seconds:Number} seconds")
def store_stalled(scenario_context: ScenarioContext, seconds: float) -> None:
    """The first C-STORE is answered that much later."""
    scenario_context.lab.refusals.stall_next(seconds)
    scenario_context.memory["stalled"] = seconds


# -- what must have come -------------------------------------------------------------------------------------------


def _is_final(message: Message) -> bool:
    return message.kind == "C-FIND-RSP" and message.fields.get("Status") not in (0xFF00, 0xFF01)


def _leaves(message: Message) -> bool:
    return message.direction is Direction.FROM_SUT and message.kind in ("A-RELEASE-RQ", "A-ABORT")


@then("the query was answered with {matches:Count} matches")
@then("the query was answered with {matches:Count} match")
def answered_with(scenario_context: ScenarioContext, matches: int) -> None:
    """Our Order Filler had exactly so many matches: the keys of the product mean what was asked for."""
    context = scenario_context
    if context.that is None or context.that.kind != "C-FIND-RQ":
        raise UsageError("this step follows 'a \"C-FIND-RQ\" reaches ...'")
    request = context.that
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


@then("{images:Count} images reach the Image Manager")
@then("{images:Count} image reaches the Image Manager")
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


@then("the product has had the time to send the refused image again")
def time_to_recover(scenario_context: ScenarioContext) -> None:
    """Wait until the refused instance comes again, or the exchange time-out is over; judging is left to others."""
    context = scenario_context
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


def _unanswered(context: ScenarioContext) -> str | None:
    """The image that an aborted association carried."""
    for request in context.transcript.select("C-STORE-RQ", direction=Direction.FROM_SUT):
        answers = context.transcript.select(
            "C-STORE-RSP",
            direction=Direction.TO_SUT,
            after=request.seq,
            where=lambda m, request=request: m.association == request.association,  # type: ignore[misc]
        )
        if not answers:
            return str(request.fields.get("AffectedSOPInstanceUID"))
    return None


@then("the answer that was held back has been given")
def stalled_answer_given(scenario_context: ScenarioContext) -> None:
    """Wait for our late C-STORE response, and note when it went out."""
    context = scenario_context
    late = context.transcript.wait_for(
        "C-STORE-RSP",
        timeout=context.lab.sut.timeouts.exchange + float(context.memory["stalled"]),
        after=context.asked_at,
        direction=Direction.TO_SUT,
    )
    if late is None:
        raise Unjudgeable("no image was stored whose answer could be held back")
    context.transcript.note(facts.FAULT_INJECTED, {"fault": "store-stalled", "message": late.seq})


@then("two storage commitment reports are accepted")
def reports_accepted(scenario_context: ScenarioContext) -> None:
    """Wait for the product's answers to both N-EVENT-REPORTs of one transaction."""
    for _ in range(2):
        report_accepted(scenario_context)


@then("the storage commitment report is accepted")
def report_accepted(scenario_context: ScenarioContext) -> None:
    """Wait for the product's answer to the N-EVENT-REPORT of our archive."""
    context = scenario_context
    reply: CommitmentReply = context.memory.get("commitment", CommitmentReply())
    demanded = "RAD-10-SCU-05" if reply.way is Way.SAME_ASSOCIATION else "RAD-10-SCU-06"
    context.expect(
        "N-EVENT-REPORT-RSP",
        "Image Manager/Archive",
        timeout=context.lab.sut.timeouts.commitment,
        demanded_by=demanded,
    )
