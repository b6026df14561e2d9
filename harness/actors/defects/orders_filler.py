"""Seeded defects of a DSS/Order Filler with orders, patients and appointments (RAD-1, 2, 3, 12, 48)."""

from __future__ import annotations

from dataclasses import replace

from harness.actors.defects.orders_defect import (
    FILLER,
    OrdersDefect,
    fixed,
    late_patient,
    merge_needs_visit,
    moved,
    no_merge,
    other_issuer,
    refuse_unregistered,
    reject_unknown_patient,
    renumbered,
    when,
    without,
)
from harness.actors.orders import layouts
from harness.actors.orders.values import Identifier

DEFECTS: tuple[OrdersDefect, ...] = (
    OrdersDefect(
        "filler-sn-with-placer-number",
        "An order of the filler comes with a placer number",
        FILLER,
        ("RAD-3-SRC-01",),
        lambda b: replace(b, announced=lambda order: replace(order, placer_number=Identifier("P0", "OF"))),
    ),
    OrdersDefect(
        "filler-forgets-placer-number",
        "The number that the placer gave is not used",
        FILLER,
        ("RAD-3-SRC-02", "RAD-3-SRC-05", "RAD-3-SRC-09"),
        lambda b: replace(b, learned=lambda order, number: order),
        in_flows=("EX-02",),
    ),
    OrdersDefect(
        "filler-unknown-status",
        "A status update says A instead of IP",
        FILLER,
        (
            "RAD-3-SRC-06",
            "RAD-3-SRC-07",
            "RAD-3-SRC-08",
        ),
        lambda b: replace(b, status_for=lambda order: "A"),
        in_flows=("RAD-7-SCP-04",),
    ),
    OrdersDefect(
        "filler-keeps-updates",
        "Patient updates are not passed on",
        FILLER,
        ("RAD-12-SRC-10",),
        lambda b: replace(b, forwards=lambda has_orders: False),
    ),
    OrdersDefect(
        "filler-changes-updates",
        "Patient updates are passed on without the sex",
        FILLER,
        ("RAD-12-SRC-11",),
        lambda b: replace(b, forwarded=lambda patient: replace(patient, sex="")),
    ),
    OrdersDefect(
        "filler-merge-ignored",
        "A merge is acknowledged and not carried out",
        FILLER,
        ("RAD-12-DST-03",),
        lambda b: replace(b, merge=no_merge, forwards=lambda has_orders: True),
        in_flows=("EX-13", "EX-15"),
    ),
    OrdersDefect(
        "filler-refuses-unregistered",
        "Orders for patients that were not registered are refused",
        FILLER,
        ("RAD-2-DST-01", "RAD-2-DST-04"),
        refuse_unregistered,
    ),
    OrdersDefect(
        "filler-merge-needs-visit",
        "A merge without PV1 is refused",
        FILLER,
        ("RAD-12-SRC-05",),
        lambda b: replace(b, judge=merge_needs_visit),
        in_flows=("RAD-12-SRC-10",),
    ),
    OrdersDefect(
        "filler-appointment-renumbered",
        "A moved appointment has another number",
        FILLER,
        ("RAD-48-SRC-04",),
        lambda b: replace(b, moved=moved),
        in_flows=("EX-28",),
    ),
    OrdersDefect(
        "filler-appointment-no-contact", "SCH-16 is left empty", FILLER, ("RAD-48-SRC-03",), fixed("SCH", _16="")
    ),
    OrdersDefect(
        "filler-orders-for-cancelled-visit",
        "Orders for cancelled visits are taken",
        FILLER,
        ("RAD-1-DST-02",),
        lambda b: replace(b, visit_allows_order=lambda visit: True),
    ),
    OrdersDefect(
        "filler-issuer-changed",
        "Patient IDs get another issuer",
        FILLER,
        (
            "RAD-1-DST-03",
            "RAD-12-DST-03",
        ),
        lambda b: replace(b, patient_of=other_issuer, forwards=lambda has_orders: True),
        in_flows=(
            "XC-01",
            "EX-13",
            "EX-15",
        ),
    ),
    OrdersDefect(
        "filler-worklist-not-updated",
        "The worklist keeps old demographics",
        FILLER,
        ("RAD-12-DST-02",),
        lambda b: replace(b, update=lambda book, patient: None),
        in_flows=(
            "EX-10",
            "EX-12",
        ),
    ),
    OrdersDefect(
        "filler-rejects-unknown-patient",
        "An update of an unknown patient is rejected",
        FILLER,
        ("RAD-12-DST-08",),
        reject_unknown_patient,
    ),
    OrdersDefect(
        "filler-own-placer-number",
        "Schedules have a placer number of the filler's making",
        FILLER,
        (
            "RAD-2-DST-01",
            "RAD-2-DST-03",
            "RAD-3-SRC-02",
            "RAD-4-SRC-22",
        ),
        lambda b: renumbered(b),
        in_flows=(
            "EX-02",
            "XC-02",
        ),
    ),
    OrdersDefect("filler-no-reason", "OBR-31 is left empty", FILLER, ("RAD-3-SRC-03",), fixed("OBR", _31="")),
    OrdersDefect(
        "filler-number-no-application",
        "Filler numbers have no application",
        FILLER,
        ("RAD-3-SRC-04",),
        when("ORC", lambda s: s.procedure is None, without("3.2")),
    ),
    OrdersDefect(
        "filler-start-not-told",
        "The start of an exam is not told",
        FILLER,
        ("RAD-3-SRC-07",),
        lambda b: replace(b, tells_status=lambda old, new: old != new and new in ("CM", "DC")),
        in_flows=("RAD-6-SCP-07",),
    ),
    OrdersDefect(
        "filler-end-not-told",
        "The end of an exam is not told",
        FILLER,
        ("RAD-3-SRC-08",),
        lambda b: replace(b, tells_status=lambda old, new: old != new and new in ("IP", "DC")),
        in_flows=("RAD-7-SCP-04",),
    ),
    OrdersDefect(
        "filler-change-to-placer",
        "A change reaches the placer as XO",
        FILLER,
        ("RAD-3-SRC-10",),
        when("ORC", lambda s: s.control == "OC", lambda s, f: {**f, "1": "XO"}),
    ),
    OrdersDefect(
        "filler-appointment-trigger",
        "A moved appointment is sent as S14",
        FILLER,
        ("RAD-48-SRC-01",),
        lambda b: replace(b, appointment_layout=lambda t: layouts.appointment_layout("S14" if t == "S13" else t)),
    ),
    OrdersDefect(
        "filler-appointment-no-patient-order",
        "PID follows the resources",
        FILLER,
        ("RAD-48-SRC-02",),
        lambda b: replace(b, appointment_layout=late_patient),
    ),
)
