"""Orders, schedules and appointments over HL7 (RAD-2, 3, 4, 13, 48), on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.orders import Code, Identifier, RequestedProcedure, StepState
from harness.actors.orders_catalogue import SCHEME
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import (
    MEANINGS,
    Sent,
    await_answers,
    hospital_of,
    new_order,
    order_ourselves,
    ordered,
    patient_values,
    placed_order,
    scheduler_of,
    service_code,
)
from harness.bdd.orders import Step
from harness.bdd.people import person
from harness.bdd.registry import given, then, when
from harness.core.message import Direction, Message
from harness.profiles import names
from harness.protocols.hl7.message import HL7Message


@given('the "{who:Text}" has ordered "{service:Text}" for "{patient:Text}" as "{order:Text}"')
@when('the "{who:Text}" orders "{service:Text}" for "{patient:Text}" as "{order:Text}"')
def we_order(scenario_context: ScenarioContext, who: str, service: str, patient: str, order: str) -> None:
    """Our Order Placer orders (RAD-2), or our DSS/Order Filler for itself (RAD-3 SN, then RAD-4)."""
    order_ourselves(scenario_context, who, service, patient, order)


@when('the "{who:Text}" cancels "{order:Text}"')
def we_cancel(scenario_context: ScenarioContext, who: str, order: str) -> None:
    """Our Order Placer cancels an order (RAD-2 CA), or our DSS/Order Filler does (RAD-3 OC, RAD-13 CA)."""
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()
    if who == names.ORDER_PLACER:
        known.order, delivery = hospital.placer.cancel(placed)
        await_answers(scenario_context, [delivery])
        return
    with Sent(scenario_context):
        known.order = hospital.filler.cancel(placed)


@when('the "DSS/Order Filler" replaces "{order:Text}" by "{service:Text}"')
def we_replace(scenario_context: ScenarioContext, order: str, service: str) -> None:
    """Our DSS/Order Filler changes an order: OC for the old one, SN for a new one, and the schedules of both."""
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()
    new = replace(placed, service=Code(service, SCHEME, MEANINGS.get(service, service)), procedures=())
    if hospital.filler.peers.placer is not None:
        new = replace(new, placer_number=Identifier())
    with Sent(scenario_context):
        known.order, _ = hospital.filler.replace(placed, new)


@when('the "DSS/Order Filler" moves "{order:Text}" to "{hour:Text}"')
def we_move(scenario_context: ScenarioContext, order: str, hour: str) -> None:
    """Our DSS/Order Filler changes the time of a schedule: RAD-13 XO."""
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()

    def later(procedure: RequestedProcedure) -> RequestedProcedure:
        steps = tuple(replace(step, start_time=hour.replace(":", "") + "00") for step in procedure.steps)
        return replace(procedure, steps=steps)

    with Sent(scenario_context):
        known.order = hospital.filler.change(placed, later)


@when('the "DSS/Order Filler" reports "{order:Text}" as "{status:Text}"')
def we_report(scenario_context: ScenarioContext, order: str, status: str) -> None:
    """Our DSS/Order Filler starts (IP), completes (CM) or discontinues (DC) all steps of an order."""
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    placed = hospital.filler.book.current(placed)
    scenario_context.begin()
    with Sent(scenario_context):
        if status == "DC":
            known.order = hospital.filler.discontinue(placed)
        else:
            state = {"IP": StepState.STARTED, "CM": StepState.COMPLETED}[status]
            for step in placed.steps:
                hospital.filler.book.set_step_state(step.id, state)
            hospital.filler.steps_changed([step.id for step in placed.steps])


@when('the "DSS/Order Filler" announces "{event:Text}" of "{order:Text}"')
def we_announce(scenario_context: ScenarioContext, event: str, order: str) -> None:
    """Our DSS/Order Filler books (S12), moves (S13) or cancels (S15) the appointment of an order."""
    hospital = hospital_of(scenario_context)
    _, placed = placed_order(scenario_context, order)
    scenario_context.begin()
    with Sent(scenario_context):
        if event == "S12":
            hospital.filler.book_appointment(placed)
        elif event == "S13":
            hospital.filler.move_appointment(placed, f"{scheduler_of(scenario_context).day('tomorrow')}100000")
        else:
            hospital.filler.cancel_appointment(placed)


@given('the system under test has ordered "{service:Text}" for "{patient:Text}" as "{order:Text}"')
@when('the system under test orders "{service:Text}" for "{patient:Text}" as "{order:Text}"')
def product_orders(scenario_context: ScenarioContext, service: str, patient: str, order: str) -> None:
    """Have an Order Placer under test order, or a DSS/Order Filler under test for itself."""
    made = new_order(scenario_context, service, patient, order)
    placer = scenario_context.tags.actor == names.ORDER_PLACER
    outcome = scenario_context.act("place-order" if placer else "order-procedure", order=made.values)
    made.accession = str(outcome.answers.get("accession", ""))


@when('the system under test cancels "{order:Text}"')
def product_cancels(scenario_context: ScenarioContext, order: str) -> None:
    """Have an Order Placer under test cancel by placer number, or a DSS/Order Filler by accession number."""
    known = ordered(scenario_context, order)
    if scenario_context.tags.actor == names.ORDER_PLACER:
        scenario_context.act("withdraw-order", placer_number=known.placer_number)
    else:
        scenario_context.act("cancel-order", accession=known.accession)


@when('the system under test replaces "{order:Text}" by "{service:Text}"')
def product_replaces(scenario_context: ScenarioContext, order: str, service: str) -> None:
    """Have a DSS/Order Filler under test change what was ordered."""
    known = ordered(scenario_context, order)
    scenario_context.act("change-order", accession=known.accession, change={"Service": service_code(service)})


@when('the system under test moves "{order:Text}" to "{hour:Text}"')
def product_moves(scenario_context: ScenarioContext, order: str, hour: str) -> None:
    """Have a DSS/Order Filler under test change the time of a schedule."""
    known = ordered(scenario_context, order)
    start = f"{scheduler_of(scenario_context).day('today')}{hour.replace(':', '')}00"
    scenario_context.act("change-order", accession=known.accession, change={"Start": start})


@when('the system under test reports "{order:Text}" as "{status:Text}"')
def product_reports(scenario_context: ScenarioContext, order: str, status: str) -> None:
    """Have a DSS/Order Filler under test start (IP), complete (CM) or discontinue (DC) an order."""
    scenario_context.act("report-status", accession=ordered(scenario_context, order).accession, status=status)


@when('the system under test announces "{event:Text}" of "{order:Text}"')
def product_announces(scenario_context: ScenarioContext, event: str, order: str) -> None:
    """Have a DSS/Order Filler under test book (S12), move (S13) or cancel (S15) an appointment."""
    scenario_context.act("book-appointment", accession=ordered(scenario_context, order).accession, event=event)


# -- what must come ------------------------------------------------------------------------------------------------

#: ORC-1 of what is waited for, receiver -> the requirement that silence breaks
_DEMANDED: Mapping[tuple[str, str], str] = {
    ("CA", names.ORDER_FILLER): "RAD-2-SRC-02",
    ("OC", names.ORDER_PLACER): "RAD-3-SRC-09",
    ("IP", names.ORDER_PLACER): "RAD-3-SRC-07",
    ("CM", names.ORDER_PLACER): "RAD-3-SRC-08",
    ("DC", names.ORDER_PLACER): "RAD-3-SRC-06",
    ("CA", names.IMAGE_MANAGER): "RAD-13-SRC-01",
    ("XO", names.IMAGE_MANAGER): "RAD-13-SRC-02",
    ("DC", names.IMAGE_MANAGER): "RAD-13-SRC-04",
}


@given('the order "{order:Text}" has reached the "{actor:Text}" as "{what:Text}"')
@then('the order "{order:Text}" reaches the "{actor:Text}" as "{what:Text}"')
def order_reaches(scenario_context: ScenarioContext, order: str, actor: str, what: str) -> None:
    """Wait for the next order message to that actor, in the form of the run's HL7 version, and learn its numbers.

    ``what`` is what it should be (NW, CA, SN, OC, XO, DC, or a status IP, CM, DC); the checks say whether it is.
    """
    known = ordered(scenario_context, order)
    new = "OMI^O23" if actor == names.IMAGE_MANAGER else "OMG^O19"
    kind = "ORM^O01" if scenario_context.lab.hospital.version == "2.3.1" else new
    message = scenario_context.expect(kind, actor, demanded_by=_DEMANDED.get((what, actor), ""), condition=f"({what})")
    _answered(scenario_context, message)
    hl7 = HL7Message(message.payload.bytes())
    # a replaced order goes on under new numbers
    known.placer_number = hl7["ORC-2.1"] or known.placer_number
    known.filler_number = hl7["ORC-3.1"] or known.filler_number
    known.accession = hl7["IPC-1.1"] or hl7["OBR-18"] or known.accession
    step = (hl7.values("IPC-4.1") or hl7.values("OBR-20") or [""])[0]
    if step:
        entry = {
            "PatientID": hl7["PID-3.1"],
            "ScheduledProcedureStepSequence": [{"ScheduledProcedureStepID": step, "Modality": hl7["IPC-5.1"]}],
        }
        scenario_context.memory.setdefault("steps", {})[order] = Step(order, person(known.subject), entry)


def _answered(context: ScenarioContext, message: Message) -> None:
    """Wait until our actor has answered: what is judged next includes the answer."""

    def ours(answer: Message) -> bool:
        return bool(answer.fields.get("acknowledged_id") == message.fields.get("control_id"))

    for kind in ("ACK", "ORR^O02", "ORG^O20"):
        already = [m for m in context.transcript.select(kind, direction=Direction.TO_SUT) if ours(m)]
        if already:
            return
    context.lab.hospital.settle(context.lab.sut.timeouts.exchange)


# -- the worklist of an order filler -------------------------------------------------------------------------------


def _ask(context: ScenarioContext, keys: Mapping[str, Any]) -> int:
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    # besides what every modality asks for, the numbers that join a step with its order
    wanted = {"PlacerOrderNumberImagingServiceRequest": None, "FillerOrderNumberImagingServiceRequest": None, **keys}
    replies = context.converse("RAD-5-SCP-01", "The worklist query", lambda: user.query(context.lab.product, wanted))
    return len(replies.pending)


@then('the worklist has steps of "{patient:Text}" as "{requirement:Text}" demands')
def worklist_has(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Ask the product's worklist by Patient ID: at least one match must come."""
    wanted = patient_values(scenario_context, patient)["PatientID"]
    found = _ask(scenario_context, {"PatientID": wanted})
    if found:
        scenario_context.met(requirement, f"The worklist has {found} step(s) of the patient {wanted}")
    else:
        summary = f"The worklist has no step of the patient {wanted}"
        scenario_context.broken(requirement, summary, expected=("a match",), actual="no match")


@then('the worklist has no step of "{patient:Text}" as "{requirement:Text}" demands')
def worklist_has_none(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Ask the product's worklist by Patient ID: nothing may match."""
    wanted = patient_values(scenario_context, patient)["PatientID"]
    found = _ask(scenario_context, {"PatientID": wanted})
    if found:
        summary = f"The worklist still has {found} step(s) of the patient {wanted}"
        scenario_context.broken(requirement, summary, expected=("no match",), actual=f"{found} matches")
    else:
        scenario_context.met(requirement, f"The worklist has nothing of the patient {wanted}")


@then('it is answered with "{codes:Text}" as "{requirement:Text}" demands')
def answered_with(scenario_context: ScenarioContext, codes: str, requirement: str) -> None:
    """MSA-1 of the last answer to a message of ours is one of these codes."""
    wanted = tuple(code.strip() for code in codes.split(","))
    code = scenario_context.memory["answer"].code
    if code in wanted:
        scenario_context.met(requirement, f"The message was answered with {code}")
    else:
        summary = f"The message was answered with {code or 'no code'}"
        scenario_context.broken(requirement, summary, expected=wanted, actual=code, locator="MSA-1")
