"""HL7 messages, orders and bytes of ours that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from harness.actors.orders.actions import tell
from harness.actors.orders.endpoint import Delivery, HL7Endpoint
from harness.actors.orders.hl7 import Fields, Scene
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import await_answers, hospital_of, order_ourselves, patient_values, teller
from harness.bdd.registry import when
from harness.core.errors import NonConformance, UsageError
from harness.profiles import facts, names
from harness.protocols.hl7.errors import HL7PeerError
from harness.protocols.hl7.mllp import MllpSender, Timeouts


def _without(segment: str, name: str) -> tuple[str, Any]:
    def change(scene: Scene, fields: Fields) -> Fields:
        return {path: value for path, value in fields.items() if path.split(".")[0].split("[")[0] != name}

    return segment, change


def _header(**values: str) -> tuple[str, Any]:
    named = {path[1:].replace("_", "."): value for path, value in values.items()}

    def change(scene: Scene, fields: Fields) -> Fields:
        return {**fields, **named}

    return "MSH", change


#: what is sent -> what is wrong with it -> the segment that is written otherwise
_FLAWS: Final[Mapping[str, Mapping[str, tuple[str, Any]]]] = {
    "message": {
        "an unknown trigger": _header(_9_2="Z99", _9_3=""),
        "an unknown type": _header(_9_1="ZZZ", _9_2="Z01", _9_3=""),
        "an unknown version": _header(_12="9.9"),
        "no patient ID": _without("PID", "3"),
    },
    "order": {
        "no order control": _without("ORC", "1"),
        "no patient ID": _without("PID", "3"),
        "an unknown version": _header(_12="9.9"),
    },
}
_RULES: Final[Mapping[str, str]] = {"an unknown trigger": "unknown-trigger", "an unknown type": "unknown-trigger"}
_SENDERS: Final = (names.ADT, names.ORDER_PLACER, names.ORDER_FILLER)


@when(
    '{who:Party} sends a(n) {what:Text} with "{flaw:Text}"',
    who=_SENDERS,
    what=tuple(_FLAWS),
    flaw=tuple(dict.fromkeys(flaw for flaws in _FLAWS.values() for flaw in flaws)),
)
def we_send_flawed(scenario_context: ScenarioContext, who: str, what: str, flaw: str) -> None:
    """Send what has to be refused: an ADT message, or an order (RAD-2; of a DSS/Order Filler a schedule, RAD-4)."""
    context = scenario_context
    if flaw not in _FLAWS.get(what, {}):
        known = "; ".join(f"{kind} with {', '.join(flaws)}" for kind, flaws in _FLAWS.items())
        raise UsageError(f"there is no {what} with {flaw!r}; known: {known}")
    adt = teller(context, who) if what == "message" else None
    endpoint: HL7Endpoint = adt.endpoint if adt is not None else hospital_of(context).end_of(who)
    good, (segment, change) = endpoint.behaviour, _FLAWS[what][flaw]
    context.begin()
    endpoint.behaviour = good.rewrite(segment, change)
    deliveries: Sequence[Delivery] = ()
    try:
        if adt is not None:
            event = "A08" if who == names.ORDER_FILLER else "A04"
            deliveries = tell(adt, event, patient_values(context, "doe"))
        else:
            order_ourselves(context, who, "CT-HEAD", "doe", "flawed")
    finally:
        endpoint.behaviour = good
    if adt is not None:
        await_answers(context, deliveries)
    sent = context.memory["answer"].sent
    context.transcript.note(facts.NEGATIVE, {"message": sent.seq, "rule": _RULES.get(flaw, "hl7"), "statuses": []})


@when(
    '{who:Party} sends "{event:Text}" with an unknown segment for "{patient:Text}"',
    who=(names.ADT, names.ORDER_FILLER),
)
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


@when('{who:Party} sends "{what:Text}" over a connection of its own', who=_SENDERS, what=tuple(_BYTES))
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
