"""HL7 messages and bytes that are wrong on purpose, answers that we hold back or spoil, and what the product does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.orders_actions import tell
from harness.actors.orders_endpoint import HL7Endpoint
from harness.actors.orders_hl7 import Fields, Scene
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import await_answers, hospital_of, patient_values, teller
from harness.bdd.registry import when
from harness.core.errors import NonConformance, UsageError
from harness.profiles import facts, names
from harness.protocols.hl7.errors import HL7PeerError
from harness.protocols.hl7.mllp import MllpSender, Timeouts


def _without(name: str) -> tuple[str, Any]:
    def change(scene: Scene, fields: Fields) -> Fields:
        return {path: value for path, value in fields.items() if path.split(".")[0].split("[")[0] != name}

    return "PID", change


def _header(**values: str) -> tuple[str, Any]:
    named = {path[1:].replace("_", "."): value for path, value in values.items()}

    def change(scene: Scene, fields: Fields) -> Fields:
        return {**fields, **named}

    return "MSH", change


_FLAWS: Mapping[str, tuple[str, Any]] = {
    "an unknown trigger": _header(_9_2="Z99", _9_3=""),
    "an unknown type": _header(_9_1="ZZZ", _9_2="Z01", _9_3=""),
    "an unknown version": _header(_12="9.9"),
    "no patient ID": _without("3"),
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


@when('the "{who:Text}" sends bytes without a frame')
def we_send_unframed(scenario_context: ScenarioContext, who: str) -> None:
    """Send bytes that are no MLLP block over a connection of their own, and close it; no answer is waited for."""
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
            sender.send_raw(b"MSH|^~\\&|IHE_ADT|IHE|SUT|HOSPITAL|20260101||ADT^A04|1|P|2.3.1\rPID|||X^^^IHE||A^B\r")
        except HL7PeerError as error:
            summary = f"The product cannot be reached: {error}"
            scenario_context.broken("HL7-GEN-02", summary, expected=("a connection",), actual=str(error))
            raise NonConformance(summary, tuple(scenario_context.findings)) from None
