"""Orders, schedules and appointments over HL7 (RAD-2, 3, 4, 13, 48), on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.actors.orders.catalogue import SCHEME
from harness.actors.orders.values import Code, Identifier, RequestedProcedure, StepState
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import (
    MEANINGS,
    Sent,
    await_answers,
    hospital_of,
    new_order,
    order_ourselves,
    ordered,
    placed_order,
    scheduler_of,
    service_code,
)
from harness.bdd.orders import Step
from harness.bdd.people import person
from harness.bdd.registry import PRODUCT, given, then, when
from harness.core.message import Direction, Message
from harness.profiles import facts, names
from harness.protocols.hl7.message import HL7Message

_PLACERS: Final = (PRODUCT, names.ORDER_PLACER, names.ORDER_FILLER)
_FILLERS: Final = (PRODUCT, names.ORDER_FILLER)


@given('{who:Party} has ordered "{service:Text}" for "{patient:Text}" as "{order:Text}"', who=_PLACERS)
@when('{who:Party} orders "{service:Text}" for "{patient:Text}" as "{order:Text}"', who=_PLACERS)
def orders(scenario_context: ScenarioContext, who: str, service: str, patient: str, order: str) -> None:
    """An Order Placer orders (RAD-2), or a DSS/Order Filler for itself (RAD-3 SN, then RAD-4)."""
    if who != PRODUCT:
        order_ourselves(scenario_context, who, service, patient, order)
        return
    made = new_order(scenario_context, service, patient, order)
    placer = scenario_context.tags.actor == names.ORDER_PLACER
    outcome = scenario_context.act("place-order" if placer else "order-procedure", order=made.values)
    made.accession = str(outcome.answers.get("accession", ""))


@when('{who:Party} cancels "{order:Text}"', who=_PLACERS)
def cancels(scenario_context: ScenarioContext, who: str, order: str) -> None:
    """An Order Placer cancels an order (RAD-2 CA), or a DSS/Order Filler does (RAD-3 OC, RAD-13 CA).

    A product may also cancel the order of a scheduled step, by the name of the step.
    """
    if who == PRODUCT:
        _product_cancels(scenario_context, order)
        return
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()
    if who == names.ORDER_PLACER:
        known.order, delivery = hospital.placer.cancel(placed)
        await_answers(scenario_context, [delivery])
        return
    with Sent(scenario_context):
        known.order = hospital.filler.cancel(placed)


def _product_cancels(context: ScenarioContext, order: str) -> None:
    step = context.memory.get("steps", {}).get(order)
    if step is not None and order not in context.memory.get("ordered", {}):
        context.act("cancel-order", accession=str(step.entry["AccessionNumber"]))
        context.transcript.note(facts.ORDER, {"keywords": dict(step.entry), "cancelled": True})
        return
    known = ordered(context, order)
    if context.tags.actor == names.ORDER_PLACER:
        context.act("withdraw-order", placer_number=known.placer_number)
    else:
        context.act("cancel-order", accession=known.accession)


@when('{who:Party} replaces "{order:Text}" by "{service:Text}"', who=_FILLERS)
def replaces(scenario_context: ScenarioContext, who: str, order: str, service: str) -> None:
    """A DSS/Order Filler changes what was ordered: OC for the old order, SN for a new one, the schedules of both."""
    if who == PRODUCT:
        _change(scenario_context, order, {"Service": service_code(service)})
        return
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()
    new = replace(placed, service=Code(service, SCHEME, MEANINGS.get(service, service)), procedures=())
    if hospital.filler.peers.placer is not None:
        new = replace(new, placer_number=Identifier())
    with Sent(scenario_context):
        known.order, _ = hospital.filler.replace(placed, new)


def _change(context: ScenarioContext, order: str, change: Mapping[str, object]) -> None:
    context.act("change-order", accession=ordered(context, order).accession, change=change)


@when('{who:Party} moves "{order:Text}" to "{hour:Text}"', who=_FILLERS)
def moves(scenario_context: ScenarioContext, who: str, order: str, hour: str) -> None:
    """A DSS/Order Filler changes the time of a schedule: RAD-13 XO."""
    time = hour.replace(":", "") + "00"
    if who == PRODUCT:
        _change(scenario_context, order, {"Start": f"{scheduler_of(scenario_context).day('today')}{time}"})
        return
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    scenario_context.begin()

    def later(procedure: RequestedProcedure) -> RequestedProcedure:
        return replace(procedure, steps=tuple(replace(step, start_time=time) for step in procedure.steps))

    with Sent(scenario_context):
        known.order = hospital.filler.change(placed, later)


_STATES: Final = {"IP": StepState.STARTED, "CM": StepState.COMPLETED}


@when('{who:Party} reports "{order:Text}" as "{status:Text}"', who=_FILLERS, status=(*_STATES, "DC"))
def reports(scenario_context: ScenarioContext, who: str, order: str, status: str) -> None:
    """A DSS/Order Filler starts (IP), completes (CM) or discontinues (DC) all steps of an order."""
    if who == PRODUCT:
        scenario_context.act("report-status", accession=ordered(scenario_context, order).accession, status=status)
        return
    hospital = hospital_of(scenario_context)
    known, placed = placed_order(scenario_context, order)
    placed = hospital.filler.book.current(placed)
    scenario_context.begin()
    with Sent(scenario_context):
        if status == "DC":
            known.order = hospital.filler.discontinue(placed)
            return
        for step in placed.steps:
            hospital.filler.book.set_step_state(step.id, _STATES[status])
        hospital.filler.steps_changed([step.id for step in placed.steps])


@when('{who:Party} announces "{event:Text}" of "{order:Text}"', who=_FILLERS, event=("S12", "S13", "S15"))
def announces(scenario_context: ScenarioContext, who: str, event: str, order: str) -> None:
    """A DSS/Order Filler books (S12), moves (S13) or cancels (S15) the appointment of an order."""
    if who == PRODUCT:
        scenario_context.act("book-appointment", accession=ordered(scenario_context, order).accession, event=event)
        return
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
