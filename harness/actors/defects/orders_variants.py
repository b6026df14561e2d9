"""Legal but unusual ways of the HL7 sides: nothing may be found broken."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from harness.actors.defects.orders_defect import ADT, FILLER, PLACER, OrdersDefect, fixed, when, without
from harness.actors.orders import behaviour as usual
from harness.actors.orders import layouts
from harness.actors.orders.behaviour import OrdersBehaviour
from harness.actors.orders.hl7 import HL7_231, Fields, Scene
from harness.actors.orders.layouts import Layout


def _old_structure(scene: Scene) -> str:
    """The structure by table 0354 of v2.3.1, where two events have another one than later."""
    return {"A05": "ADT_A01", "A12": "ADT_A12"}.get(scene.trigger, scene.structure)


def _merge_with_visit(trigger: str) -> Layout:
    layout = layouts.adt_layout(trigger)
    return replace(layout, segments=(*layout.segments, "PV1")) if trigger == "A40" else layout


def _with_local_segment(behaviour: OrdersBehaviour) -> OrdersBehaviour:
    def layout(trigger: str) -> Layout:
        found = layouts.adt_layout(trigger)
        return replace(found, segments=(*found.segments, "ZPV"))

    writers = MappingProxyType({**behaviour.writers, "ZPV": lambda scene: {"1": "local"}})
    return replace(behaviour, adt_layout=layout, writers=writers)


def _second_identifier(scene: Scene, fields: Fields) -> Fields:
    first = {path.replace("3.", "3[1].", 1) if path.startswith("3.") else path: v for path, v in fields.items()}
    return {**first, "3[2].1": "99-88", "3[2].4.1": "SSA", "3[2].5": "SS"}


VARIANTS: tuple[OrdersDefect, ...] = (
    OrdersDefect(
        "hl7-structure-named",
        "MSH-9.3 is sent in v2.3.1",
        ADT,
        (),
        lambda b: b.rewrite("MSH", lambda scene, fields: {**fields, "9.3": _old_structure(scene)}),
        (HL7_231,),
    ),
    OrdersDefect(
        "hl7-time-zone",
        "Time stamps have fractions of a second and a time zone",
        ADT,
        (),
        lambda b: replace(b, time_stamp=lambda text: f"{text}.25+0100"),
    ),
    OrdersDefect(
        "hl7-ascii-declared",
        "MSH-18 is ASCII where all is",
        PLACER,
        (),
        lambda b: replace(b, declare=lambda wanted, text: usual.declare(wanted, text) or ("ASCII",)),
    ),
    OrdersDefect("adt-merge-with-visit", "A40 has a PV1", ADT, (), lambda b: replace(b, adt_layout=_merge_with_visit)),
    OrdersDefect("adt-local-segment", "A Z segment follows", ADT, (), _with_local_segment),
    OrdersDefect(
        "adt-universal-authority",
        "Assigning authorities have a universal ID alone",
        ADT,
        (),
        lambda b: b.rewrite("PID", lambda s, f: {**without("3.4.1")(s, f), "3.4.2": "1.2.3", "3.4.3": "ISO"}),
    ),
    OrdersDefect(
        "adt-two-identifiers",
        "PID-3 has a second identifier",
        ADT,
        (),
        lambda b: b.rewrite("PID", _second_identifier),
    ),
    OrdersDefect("adt-visit-number-alone", "The encounter is in PV1-19 alone", ADT, (), fixed("PID", _18="")),
    OrdersDefect("adt-account-number-alone", "The encounter is in PID-18 alone", ADT, (), fixed("PV1", _19="")),
    OrdersDefect("adt-other-sex", "The sex is O", ADT, (), fixed("PID", _8="O")),
    OrdersDefect(
        "placer-number-by-universal-id",
        "Placer numbers have a universal ID as application",
        PLACER,
        (),
        lambda b: when("ORC", lambda s: True, _universal)(when("OBR", lambda s: True, _universal)(b)),
    ),
    OrdersDefect(
        "filler-discontinued-as-cd",
        "A discontinued order is told as CD",
        FILLER,
        (),
        lambda b: replace(b, status_for=lambda order: {"DC": "CD"}.get(order.state.value, order.state.value)),
    ),
    OrdersDefect(
        "filler-more-fields",
        "OBR has fields that nobody asked for",
        FILLER,
        (),
        fixed("OBR", _21="local", _22="20260102", _46="more"),
    ),
)


def _universal(scene: Scene, fields: Fields) -> Fields:
    return {**without("2.2")(scene, fields), "2.3": "1.2.3.4", "2.4": "ISO"}
