"""Seeded defects of the Image Manager, and those that only whole scenarios show: worklists, names in many scripts."""

from __future__ import annotations

from dataclasses import replace

from harness.actors.defects.orders_defect import (
    ADT,
    FILLER,
    MANAGER,
    PLACER,
    OrdersDefect,
    another_start,
    garbled,
    refuse,
    when,
    without_details,
)
from harness.actors.orders.hl7 import HL7_231, HL7_251
from harness.actors.orders.layouts import schedule_layout

DEFECTS: tuple[OrdersDefect, ...] = (
    # -- Image Manager ---------------------------------------------------------------------------------------------
    OrdersDefect(
        "manager-refuses-schedule",
        "Schedules are refused",
        MANAGER,
        ("RAD-4-DST-01",),
        refuse("ORM", "NW"),
        (HL7_231,),
    ),
    OrdersDefect(
        "manager-refuses-update",
        "Changed schedules are refused",
        MANAGER,
        ("RAD-13-DST-01",),
        refuse("OMI", "XO"),
        (HL7_251,),
    ),
    OrdersDefect(
        "manager-keeps-old-demographics",
        "Updates are acknowledged and do not reach the images",
        MANAGER,
        (),
        lambda b: replace(b, update_archive=lambda archive, patient: None),
        in_flows=("RAD-12-DST-04", "RAD-12-DST-06", "XC-24", "EX-12"),
    ),
    OrdersDefect(
        "manager-ignores-merges",
        "Merges are acknowledged and do not reach the images",
        MANAGER,
        (),
        lambda b: replace(b, merge_archive=lambda archive, survivor, retired: None),
        in_flows=(
            "RAD-12-DST-04",
            "RAD-12-DST-05",
            "RAD-12-DST-06",
            "RAD-12-DST-07",
            "XC-24",
            "EX-11",
            "EX-13",
            "EX-16",
        ),
    ),
    # -- names in several character sets ---------------------------------------------------------------------------
    OrdersDefect(
        "placer-garbles-ideographs",
        "Ideographic names are read in the wrong character set",
        PLACER,
        (),
        lambda b: replace(b, patient_of=garbled),
        # what was misread cannot be written in KS X 1001 and ISO IR87: those orders do not come at all
        in_flows=("RAD-1-DST-01", "RAD-2-SRC-01"),
    ),
    OrdersDefect(
        "filler-garbles-ideographs",
        "Ideographic names are read in the wrong character set",
        FILLER,
        (),
        lambda b: replace(b, patient_of=garbled),
        in_flows=("RAD-1-DST-01", "XC-01"),
    ),
    # -- what only whole flows show --------------------------------------------------------------------------------
    OrdersDefect(
        "adt-updates-filler-only",
        "Updates do not reach the placer",
        ADT,
        (),
        lambda b: replace(b, receivers=lambda t, to: to[1:] if t == "A08" else to),
        in_flows=("RAD-12-SRC-01", "SWF-ACT-01"),
    ),
    OrdersDefect(
        "filler-study-told-twice",
        "Schedules of v2.5.1 have ZDS besides IPC",
        FILLER,
        (),
        lambda b: replace(b, schedule_layout=lambda version: replace(schedule_layout(version), last=("ZDS",))),
        (HL7_251,),
        in_flows=("SWFB-ACT-02",),
    ),
    OrdersDefect(
        "filler-tells-nothing",
        "The placer is told of no exam",
        FILLER,
        ("RAD-3-SRC-07", "RAD-3-SRC-08"),
        lambda b: replace(b, tells_status=lambda old, new: False),
        in_flows=("RAD-6-SCP-07", "RAD-6-SCP-09", "RAD-7-SCP-04", "SWF-ACT-03"),
    ),
    OrdersDefect(
        "filler-cancels-what-began",
        "An exam under way is cancelled as if it had not begun",
        FILLER,
        (),
        lambda b: replace(b, cancellable=lambda order: True),
        in_flows=("EX-03",),
    ),
    OrdersDefect(
        "filler-follows-one",
        "Of a group only the first order is started",
        FILLER,
        (),
        lambda b: replace(b, followed=lambda step_ids: step_ids[:1]),
        in_flows=("RAD-3-SRC-07", "RAD-6-SCP-09"),
    ),
    OrdersDefect(
        "filler-discontinued-is-completed",
        "A discontinued exam is told as completed",
        FILLER,
        (),
        lambda b: replace(b, status_for=lambda order: "CM" if order.state.value == "DC" else order.state.value),
        in_flows=("RAD-3-SRC-06", "RAD-7-SCP-05"),
    ),
    OrdersDefect(
        "filler-wrong-pick-is-completed",
        "An order that was picked by mistake is told as completed",
        FILLER,
        (),
        lambda b: replace(
            b,
            tells_status=lambda old, new: old != new,
            status_for=lambda order: "CM" if order.state.value == "SC" else order.state.value,
        ),
        in_flows=("EX-08", "RAD-7-SCP-07"),
    ),
    # -- what only the worklist shows ------------------------------------------------------------------------------
    OrdersDefect(
        "filler-other-study",
        "RAD-4 and worklist have different Study Instance UIDs",
        FILLER,
        ("RAD-4-SRC-22", "RAD-13-SRC-06"),
        when("ZDS", lambda s: True, lambda s, f: {**f, "1.1": f"{f['1.1'][:60]}.7"}),
        (HL7_231,),
        in_flows=("XC-03",),
    ),
    OrdersDefect(
        "filler-other-protocol",
        "RAD-4 and worklist have different protocol codes",
        FILLER,
        (),
        when("OBR", lambda s: s.procedure is not None, lambda s, f: {**f, "4.4": "OTHER"}),
        (HL7_231,),
        in_flows=("XC-05",),
    ),
    OrdersDefect(
        "filler-other-start",
        "RAD-4 and worklist have different starts",
        FILLER,
        (),
        lambda b: when("ORC", lambda s: s.procedure is not None, another_start("7.4"))(
            when("OBR", lambda s: s.procedure is not None, another_start("27.4"))(b)
        ),
        (HL7_231,),
        in_flows=("XC-06",),
    ),
    OrdersDefect(
        "filler-loses-details",
        "What the order says of transport and reason does not reach the worklist",
        FILLER,
        (),
        lambda b: replace(b, order_of=without_details),
        (HL7_231,),
        in_flows=("XC-07",),
    ),
)
