"""Managers, fillers and archives under test are told of performed steps."""

from __future__ import annotations

from harness.core.message import Protocol
from harness.profiles.journal import (
    MPPS,
    MWL_FIND,
)
from tests.unit.profiles.builders import FROM_SUT, TO_SUT, Event, Story
from tests.unit.profiles.stories.changes import UIDS, Base, Change, declare, drop, put, status
from tests.unit.profiles.stories.exams import code, creation, ending, entry, keys, series_item, unscheduled


def receiver(*actors: str) -> Story:
    story = Story(declare(*(actors or ("DSS/Order Filler",))))
    story.fact("ORDER", "order1", keywords={**entry(), "PlacerOrderNumberImagingServiceRequest": "PL1"})
    story.ask("create", "N-CREATE-RQ", TO_SUT, MPPS, creation([entry()]), instance="1.2.5.1")
    final = ending([series_item(1, UIDS)])
    story.ask("end", "N-SET-RQ", TO_SUT, MPPS, final, instance="1.2.5.1")
    return story


def order_status(state: str, name: str, number: str = "PL1") -> Event:
    text = f"MSH|^~\\&|A|B|C|D|20260102||ORM^O01|1|P|2.3.1\rPID|||PID1\rORC|SC|{number}^A|F1^B||{state}\rOBR|1\r"
    return Event(name, "ORM^O01", FROM_SUT, raw=text.encode(), protocol=Protocol.HL7)


def reported() -> Story:
    story = receiver()
    story.add(order_status("IP", "in progress"), after="create answer")
    story.add(order_status("CM", "completed"), after="end answer")
    return story


def grouped() -> Story:
    story = Story(declare("DSS/Order Filler"))
    for number in (1, 2):
        keywords = {**entry(number), "PlacerOrderNumberImagingServiceRequest": f"PL{number}"}
        story.fact("ORDER", f"order{number}", keywords=keywords)
    story.ask("create", "N-CREATE-RQ", TO_SUT, MPPS, creation([entry(1), entry(2)]), instance="1.2.5.1")
    story.add(order_status("IP", "first"))
    story.add(order_status("IP", "second", "PL2"))
    return story


def broken_off(reason: str) -> Base:
    def base() -> Story:
        story = reported()
        story.drop("completed")
        final = story.data("end")
        final["PerformedProcedureStepStatus"] = "DISCONTINUED"
        final["PerformedProcedureStepDiscontinuationReasonCodeSequence"] = [code(reason, "Reason", "DCM")]
        return story

    return base


def negative() -> Story:
    story = receiver()
    story.ask(
        "wrong",
        "N-CREATE-RQ",
        TO_SUT,
        MPPS,
        creation([entry()], 2, PerformedProcedureStepStatus="COMPLETED"),
        instance="1.2.5.2",
        status=0x0106,
    )
    story.ask("twin", "N-CREATE-RQ", TO_SUT, MPPS, creation([entry()]), instance="1.2.5.1", status=0x0111)
    story.ask(
        "late",
        "N-SET-RQ",
        TO_SUT,
        MPPS,
        {"PerformedProcedureStepDescription": "x"},
        instance="1.2.5.1",
        status=0x0110,
        answer_fields={"ErrorID": 0xA710},
    )
    story.ask("lost", "N-SET-RQ", TO_SUT, MPPS, ending([]), instance="1.2.5.9", status=0x0112)
    return story


def manager() -> Story:
    story = receiver("PPS Manager", "Image Manager/Archive")
    for name, kind in (("create", "N-CREATE-RQ"), ("end", "N-SET-RQ")):
        story.ask(
            f"{name} copy",
            kind,
            FROM_SUT,
            MPPS,
            dict(story.data(name)),
            instance="1.2.5.1",
            association=5,
            actor="DSS/Order Filler",
        )
    return story


def destination_away() -> Story:
    story = manager()
    away = {"fault": "unreachable", "actor": "DSS/Order Filler"}
    story.add(Event("fault", "#FAULT-INJECTED", data=away), before="create")
    story.add(Event("back", "#FAULT-INJECTED", data={**away, "fault": "reachable-again"}), after="end answer")
    return story


def creator_reports() -> Story:
    story = manager()
    for name in ("create", "end"):
        story[name].actor = "Evidence Creator"
    return story


def late_order() -> Story:
    story = Story(declare("DSS/Order Filler"))
    data = unscheduled().data("create")
    story.ask("create", "N-CREATE-RQ", TO_SUT, MPPS, data, instance="1.2.5.1")
    story.ask("query", "C-FIND-RQ", TO_SUT, MWL_FIND, keys(), status=None)
    story.answer("query", 0xFF00, entry(StudyInstanceUID="1.2.9.9"), name="match")
    story.answer("query", 0, name="query answer")
    return story


STEPS_RECEIVED: list[tuple[str, Base, Change]] = [
    ("mpps-scp-create", receiver, status("create answer", 0x0110)),
    ("mpps-scp-other-status", negative, status("wrong answer", 0)),
    ("mpps-scp-duplicate", negative, status("twin answer", 0)),
    ("mpps-scp-final", negative, status("late answer", 0)),
    ("mpps-scp-final", negative, lambda s: s["late answer"].fields.pop("ErrorID")),
    ("mpps-scp-unknown", negative, status("lost answer", 0)),
    ("mpps-scp-create-forwarded", manager, drop("create copy", "create copy answer")),
    ("mpps-scp-create-forwarded", manager, put("create copy", "PatientID", "X")),
    ("mpps-scp-set-forwarded", manager, drop("end copy", "end copy answer")),
    ("mpps-scp-equal", manager, put("end copy", "PerformedSeriesSequence", [])),
    ("mpps-scp-repeated", destination_away, drop("end copy", "end copy answer")),
    ("mpps-scp-away", destination_away, drop("create copy", "create copy answer")),
    ("mpps-scp-independent", destination_away, status("create answer", 0x0110)),
    ("mpps-scp-creator", creator_reports, status("end answer", 0x0110)),
    ("mpps-scp-tied", reported, drop("in progress")),
    ("mpps-scp-unscheduled", late_order, status("create answer", 0x0110)),
    ("mpps-scp-grouped", grouped, drop("second")),
    ("mpps-scp-completed", reported, drop("completed")),
    ("mpps-scp-discontinued", broken_off("110513"), lambda s: s.add(order_status("CM", "completed"))),
    ("mpps-scp-wrong-pick", broken_off("110514"), lambda s: s.add(order_status("CM", "completed"))),
    ("mpps-scp-other-reason", broken_off("PRIVATE"), status("end answer", 0x0106)),
    ("case-ordered-later", late_order, put("match", "StudyInstanceUID", "1.2.3.77")),
    ("declared-manager", manager, lambda s: s.declare(actors=("PPS Manager",))),
]
