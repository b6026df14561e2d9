"""HL7 messages and bytes that are wrong on purpose, answers that we hold back or spoil, and what the product does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.orders_actions import tell
from harness.actors.orders_endpoint import HL7Endpoint
from harness.actors.orders_hl7 import Fields, Scene
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import await_answers, hospital_of, order_ourselves, patient_values, teller
from harness.bdd.registry import given, then, when
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction
from harness.profiles import facts, names
from harness.protocols.hl7.acknowledge import Code
from harness.protocols.hl7.errors import HL7PeerError
from harness.protocols.hl7.mllp import MllpSender, Received, Reply, Timeouts, Wire


def _without(segment: str, name: str) -> tuple[str, Any]:
    def change(scene: Scene, fields: Fields) -> Fields:
        return {path: value for path, value in fields.items() if path.split(".")[0].split("[")[0] != name}

    return segment, change


def _header(**values: str) -> tuple[str, Any]:
    named = {path[1:].replace("_", "."): value for path, value in values.items()}

    def change(scene: Scene, fields: Fields) -> Fields:
        return {**fields, **named}

    return "MSH", change


_FLAWS: Mapping[str, tuple[str, Any]] = {
    "an unknown trigger": _header(_9_2="Z99", _9_3=""),
    "an unknown type": _header(_9_1="ZZZ", _9_2="Z01", _9_3=""),
    "an unknown version": _header(_12="9.9"),
    "no patient ID": _without("PID", "3"),
}
#: the same for orders (RAD-2) and schedules (RAD-4)
_ORDER_FLAWS: Mapping[str, tuple[str, Any]] = {
    "no order control": _without("ORC", "1"),
    "no patient ID": _without("PID", "3"),
    "an unknown version": _header(_12="9.9"),
}
_RULES: Mapping[str, str] = {"an unknown trigger": "unknown-trigger", "an unknown type": "unknown-trigger"}


def _flawed(context: ScenarioContext, who: str, flaw: str) -> None:
    adt = teller(context, who)
    endpoint: HL7Endpoint = adt.endpoint
    if flaw not in _FLAWS:
        raise UsageError(f"there is no flaw {flaw!r}; known: {', '.join(_FLAWS)}")
    event = "A08" if who == names.ORDER_FILLER else "A04"
    good, (segment, change) = endpoint.behaviour, _FLAWS[flaw]
    context.begin()
    endpoint.behaviour = good.rewrite(segment, change)
    try:
        deliveries = tell(adt, event, patient_values(context, "doe"))
    finally:
        endpoint.behaviour = good
    await_answers(context, deliveries)
    sent = context.memory["answer"].sent
    context.transcript.note(facts.NEGATIVE, {"message": sent.seq, "rule": _RULES.get(flaw, "hl7"), "statuses": []})


@when('the "{who:Text}" sends an order with "{flaw:Text}"')
def we_send_flawed_order(scenario_context: ScenarioContext, who: str, flaw: str) -> None:
    """Our Order Placer sends an order (RAD-2), or our DSS/Order Filler a schedule (RAD-4), that has to be refused."""
    if flaw not in _ORDER_FLAWS:
        raise UsageError(f"there is no flaw {flaw!r} of orders; known: {', '.join(_ORDER_FLAWS)}")
    endpoint = hospital_of(scenario_context).end_of(who)
    good, (segment, change) = endpoint.behaviour, _ORDER_FLAWS[flaw]
    endpoint.behaviour = good.rewrite(segment, change)
    try:
        order_ourselves(scenario_context, who, "CT-HEAD", "doe", "flawed")
    finally:
        endpoint.behaviour = good
    sent = scenario_context.memory["answer"].sent
    note = {"message": sent.seq, "rule": "hl7", "statuses": []}
    scenario_context.transcript.note(facts.NEGATIVE, note)


@when('the "{who:Text}" sends a message with "{flaw:Text}"')
def we_send_flawed(scenario_context: ScenarioContext, who: str, flaw: str) -> None:
    """Send an ADT message that has to be refused: an unknown trigger, type or version, or no patient ID."""
    _flawed(scenario_context, who, flaw)


@when('the "{who:Text}" sends "{event:Text}" with an unknown segment for "{patient:Text}"')
def we_send_unknown_segment(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """Send an ADT message with a Z segment that nobody can know; it has to be accepted."""
    adt = teller(scenario_context, who)
    good = adt.endpoint.behaviour
    layout = good.adt_layout(event)
    more = replace(layout, segments=(*layout.segments, "ZIH"))
    scenario_context.begin()
    adt.endpoint.behaviour = replace(
        good, adt_layout=lambda trigger: more, writers={**good.writers, "ZIH": lambda scene: {"1": "local"}}
    )
    try:
        deliveries = tell(adt, event, patient_values(scenario_context, patient))
    finally:
        adt.endpoint.behaviour = good
    await_answers(scenario_context, deliveries)


_WHOLE = b"MSH|^~\\&|IHE_ADT|IHE|SUT|HOSPITAL|20260101||ADT^A04|1|P|2.3.1\rPID|||X^^^IHE||A^B\r"
_BYTES: Mapping[str, bytes] = {
    "bytes without a frame": _WHOLE,
    "half a message": b"\x0b" + _WHOLE[:40],
    "a message without an end block": b"\x0b" + _WHOLE,
    "an empty frame": b"\x0b\x1c\r",
    "a frame of noise": b"\x0b" + bytes(range(0x80, 0x100)) * 8 + b"\x1c\r",
    "a frame inside a frame": b"\x0b" + _WHOLE[:40] + b"\x0b" + _WHOLE,
}


@when('the "{who:Text}" sends "{what:Text}" over a connection of its own')
def we_send_bytes(scenario_context: ScenarioContext, who: str, what: str) -> None:
    """Send bytes that are no message in an MLLP block, and hang up; no answer is waited for."""
    if what not in _BYTES:
        raise UsageError(f"{what!r} is nothing that can be sent; known: {', '.join(_BYTES)}")
    hospital = hospital_of(scenario_context)
    assert hospital.product is not None
    seconds = scenario_context.lab.sut.timeouts
    scenario_context.begin()
    with MllpSender(
        scenario_context.lab.recorder,
        hospital.product.host,
        hospital.product.port,
        actor=who,
        timeouts=Timeouts(connect=seconds.connect, acknowledge=seconds.exchange),
    ) as sender:
        try:
            sender.send_raw(_BYTES[what])
        except HL7PeerError as error:
            summary = f"The product cannot be reached: {error}"
            scenario_context.broken("HL7-GEN-02", summary, expected=("a connection",), actual=str(error))
            raise NonConformance(summary, tuple(scenario_context.findings)) from None


# -- answers that we spoil -----------------------------------------------------------------------------------------


@given('the "{actor:Text}" answers the next message with "{what:Text}"')
def we_answer(scenario_context: ScenarioContext, actor: str, what: str) -> None:
    """Refuse the next HL7 message (AE or AR), or hang up instead of answering it (nothing); later ones are taken."""
    context = scenario_context
    endpoint = hospital_of(context).end_of(actor)
    if what not in ("nothing", "AE", "AR"):
        raise UsageError(f"{what!r} is no answer; known: nothing, AE, AR")

    def reply(received: Received) -> Reply:
        fault = "acknowledgement-withheld" if what == "nothing" else f"acknowledgement-{what}"
        context.transcript.note(facts.FAULT_INJECTED, {"fault": fault, "actor": actor, "message": received.record.seq})
        if what == "nothing":
            return Wire(close=True)
        return endpoint.refusal(received.message, Code(what), "refused by the harness on purpose")

    endpoint.reply_once(reply)


@then("the system under test has had the time to send the message again")
def time_to_repeat(scenario_context: ScenarioContext) -> None:
    """Wait until the message that we did not acknowledge comes again, or time is up; judging is left to others."""
    context = scenario_context
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
