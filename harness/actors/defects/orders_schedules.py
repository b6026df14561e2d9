"""Seeded defects of the schedules that a DSS/Order Filler sends, changes and cancels (RAD-4, RAD-13)."""

from __future__ import annotations

from dataclasses import replace

from harness.actors.defects.orders_defect import (
    FILLER,
    OrdersDefect,
    controls,
    fixed,
    lengthened,
    one_message_per_step,
    shared_study,
    when,
    without,
    zds_first,
)
from harness.actors.orders.hl7 import HL7_231, HL7_251

DEFECTS: tuple[OrdersDefect, ...] = (
    OrdersDefect(
        "filler-study-shared",
        "Two requested procedures of an order have one Study Instance UID",
        FILLER,
        ("RAD-4-SRC-01", "RAD-4-SRC-21"),
        lambda b: replace(b, study_uid=shared_study),
    ),
    OrdersDefect(
        "filler-zds-without-application",
        "ZDS-1 is the bare UID",
        FILLER,
        ("RAD-4-SRC-05",),
        fixed("ZDS", _1_3=""),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-zds-first",
        "ZDS comes before the orders",
        FILLER,
        ("RAD-4-SRC-04",),
        lambda b: replace(b, schedule_layout=zds_first),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-accession-long",
        "The Accession Number is longer than 16 characters",
        FILLER,
        ("RAD-4-SRC-07",),
        lambda b: replace(b, accession=lambda number: f"ACCESSION-{number:0>12}"),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-no-modality", "OBR-24 is left empty", FILLER, ("RAD-4-SRC-10",), fixed("OBR", _24=""), (HL7_231,)
    ),
    OrdersDefect(
        "filler-no-procedure-code", "OBR-44 is left empty", FILLER, ("RAD-4-SRC-12",), fixed("OBR", _44=""), (HL7_231,)
    ),
    OrdersDefect(
        "filler-ipc-procedure-differs",
        "Each IPC names a Requested Procedure of its own",
        FILLER,
        ("RAD-4-SRC-17",),
        when("IPC", lambda s: s.number > 1, lambda s, f: {**f, "2.1": f"{f['2.1']}{s.number}"}),
        (HL7_251,),
        in_flows=("XC-04",),
    ),
    OrdersDefect(
        "filler-step-by-step",
        "Each step has a message of its own",
        FILLER,
        ("RAD-4-SRC-01", "RAD-4-SRC-15"),
        lambda b: replace(b, steps_of_message=one_message_per_step),
        (HL7_251,),
    ),
    OrdersDefect(
        "filler-timing-in-orc",
        "ORC-7 is used in OMI",
        FILLER,
        ("RAD-4-SRC-20",),
        when("ORC", lambda s: s.type == "OMI", lambda s, f: {**f, "7.4": "20260101"}),
        (HL7_251,),
    ),
    OrdersDefect(
        "filler-no-priority", "TQ1-9 is left empty", FILLER, ("RAD-4-SRC-19",), fixed("TQ1", _9=""), (HL7_251,)
    ),
    OrdersDefect(
        "filler-cancel-status",
        "A cancelled procedure has status SC",
        FILLER,
        ("RAD-13-SRC-01",),
        controls(CANCELLED=("CA", "SC")),
    ),
    OrdersDefect(
        "filler-change-status",
        "A changed procedure has status CM",
        FILLER,
        ("RAD-13-SRC-02",),
        controls(CHANGED=("XO", "CM")),
    ),
    OrdersDefect(
        "filler-discontinue-status",
        "A discontinued procedure has status CM",
        FILLER,
        ("RAD-13-SRC-04",),
        controls(DISCONTINUED=("DC", "CM")),
    ),
    OrdersDefect(
        "filler-change-as-new",
        "A change is sent as a new order",
        FILLER,
        ("RAD-4-SRC-01",),
        controls(CHANGED=("NW", "SC")),
    ),
    OrdersDefect(
        "filler-new-study-on-change",
        "A change has another Study Instance UID",
        FILLER,
        ("RAD-13-SRC-05", "RAD-4-SRC-01", "RAD-2-DST-02"),
        lambda b: replace(b, study_uid_of_change=lambda new, procedure: new()),
    ),
    OrdersDefect(
        "filler-late-change-status",
        "A change after completion has status SC",
        FILLER,
        ("RAD-13-SRC-03",),
        controls(CHANGED_AFTER_COMPLETION=("XO", "SC")),
    ),
    OrdersDefect(
        "filler-late-order-new-study",
        "An exam done before gets a new Study Instance UID",
        FILLER,
        ("RAD-13-SRC-06",),
        lambda b: replace(b, study_uid_of_exam=lambda new, uid: new()),
    ),
    OrdersDefect(
        "filler-cancel-not-carried-out",
        "A cancelled order stays on the worklist",
        FILLER,
        ("RAD-13-SRC-07",),
        lambda b: replace(b, withdraw=lambda book, order: order),
    ),
    OrdersDefect(
        "filler-new-status",
        "A new procedure has no status",
        FILLER,
        ("RAD-4-SRC-02",),
        controls(SCHEDULED=("NW", "")),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-new-status-omi",
        "A new procedure has no status in v2.5.1",
        FILLER,
        ("RAD-4-SRC-14",),
        controls(SCHEDULED=("NW", "")),
        (HL7_251,),
    ),
    OrdersDefect(
        "filler-procedure-differs",
        "Each OBR names a Requested Procedure of its own",
        FILLER,
        ("RAD-4-SRC-03",),
        when("OBR", lambda s: s.number > 1, lambda s, f: {**f, "19": f"{f['19']}{s.number}"}),
        (HL7_231,),
        in_flows=("XC-04",),
    ),
    OrdersDefect(
        "filler-obr-no-number",
        "OBR-3 is left empty",
        FILLER,
        ("RAD-4-SRC-06",),
        when("OBR", lambda s: s.procedure is not None, without("3")),
    ),
    OrdersDefect(
        "filler-procedure-id-long",
        "OBR-19 is too long",
        FILLER,
        ("RAD-4-SRC-08", "RAD-4-SRC-22"),
        lengthened("19"),
        (HL7_231,),
        in_flows=("XC-04",),
    ),
    OrdersDefect(
        "filler-step-id-long",
        "OBR-20 is too long",
        FILLER,
        ("RAD-4-SRC-09",),
        lengthened("20"),
        (HL7_231,),
        in_flows=("RAD-5-SCP-08",),
    ),
    OrdersDefect(
        "filler-no-protocol",
        "OBR-4 has no protocol code",
        FILLER,
        ("RAD-4-SRC-11",),
        fixed("OBR", _4_4="", _4_5="", _4_6=""),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-no-start",
        "ORC-7 and OBR-27 have no start",
        FILLER,
        ("RAD-4-SRC-13",),
        lambda b: when("ORC", lambda s: s.procedure is not None, without("7.4"))(
            when("OBR", lambda s: s.procedure is not None, without("27.4"))(b)
        ),
        (HL7_231,),
    ),
    OrdersDefect(
        "filler-no-ipc-modality", "IPC-5 is left empty", FILLER, ("RAD-4-SRC-16",), fixed("IPC", _5=""), (HL7_251,)
    ),
    OrdersDefect(
        "filler-no-ipc-protocol", "IPC-6 is left empty", FILLER, ("RAD-4-SRC-18",), fixed("IPC", _6=""), (HL7_251,)
    ),
    OrdersDefect(
        "filler-other-accession",
        "RAD-4 and worklist have different Accession Numbers",
        FILLER,
        ("RAD-4-SRC-22",),
        fixed("OBR", _18="OTHER"),
        (HL7_231,),
        in_flows=("XC-04",),
    ),
)
