"""An order filler under test is asked for its worklist."""

from __future__ import annotations

from typing import Any

from harness.profiles.journal import (
    MWL_FIND,
)
from tests.unit.profiles.builders import IMPLICIT, TO_SUT, Event, Story
from tests.unit.profiles.stories.changes import Base, Change, declare, put, status, without
from tests.unit.profiles.stories.exams import entry, keys

STEPS = [entry(1, procedure=1), entry(2, procedure=1), entry(3, AccessionNumber="ACC1")]


def filler() -> Story:
    story = Story(declare("DSS/Order Filler"))
    story.associate("association", TO_SUT, (MWL_FIND,), 1, syntaxes=(IMPLICIT,))
    for number, step in enumerate(STEPS, start=1):
        story.fact("ORDER", f"order{number}", keywords=step)
    return story


def asked(purpose: str = "", expected: tuple[str, ...] = ("SPS1", "SPS2", "SPS3"), **wanted: str) -> Base:
    """We ask the worklist by these keys and get the steps that match."""

    def base() -> Story:
        story = filler()
        identifier = keys()
        for keyword, value in wanted.items():
            (identifier if keyword in identifier else identifier["ScheduledProcedureStepSequence"][0])[keyword] = value
        ask_worklist(story, identifier, expected)
        data = {"message": "@query", "by": "ScheduledProcedureStepID", "expected": list(expected)}
        story.fact("QUERY", "fact", **data, **({"purpose": purpose} if purpose else {}))
        return story

    return base


def ask_worklist(story: Story, identifier: dict[str, Any], steps: tuple[str, ...], name: str = "query") -> None:
    story.ask(name, "C-FIND-RQ", TO_SUT, MWL_FIND, identifier, status=None)
    for number, step in enumerate(STEPS, start=1):
        if f"SPS{number}" in steps:
            copied = {**step, "ScheduledProcedureStepSequence": [dict(step["ScheduledProcedureStepSequence"][0])]}
            story.answer(name, 0xFF00, copied, name=f"{name} match{number}")
    story.answer(name, 0, name=f"{name} answer")


def worklist_with_name() -> Story:
    story = asked()()
    for number in (1, 2, 3):
        story.data(f"query match{number}").update(PatientName="Müller^Jürgen", SpecificCharacterSet="ISO_IR 100")
    return story


def asked_twice() -> Story:
    story = asked()()
    ask_worklist(story, keys(), ("SPS1", "SPS2", "SPS3"), "again")
    return story


def cancelled_order() -> Story:
    story = filler()
    story.fact("ORDER", "cancel", keywords=STEPS[1], cancelled=True)
    ask_worklist(story, keys(), ("SPS1", "SPS3"))
    return story


def cancelled_query() -> Story:
    story = asked()()
    request = story["query"]
    cancel = Event("cancel", "C-CANCEL-RQ", TO_SUT, None, {}, 1, MWL_FIND, "query")
    story.add(cancel, after="query match1")
    story["query answer"].fields["Status"] = 0xFE00
    assert request.kind == "C-FIND-RQ"
    return story


def type_2_keys() -> Story:
    story = asked()()
    story.data("query")["AdmissionID"] = ""
    for number in (1, 2, 3):
        story.data(f"query match{number}")["AdmissionID"] = ""
    return story


def edit_step(event: str, **changes: Any) -> Change:
    return lambda story: story.data(event)["ScheduledProcedureStepSequence"][0].update(changes)


def missing_match(story: Story) -> None:
    story.drop("query match1")


DATE = "ScheduledProcedureStepStartDate"
TIME = "ScheduledProcedureStepStartTime"

WORKLIST: list[tuple[str, Base, Change]] = [
    ("mwl-scp-implicit-vr", asked(), lambda s: s["association accepted"].fields.update(contexts=[])),
    (
        "mwl-scp-by-station",
        asked(ScheduledStationAETitle="PRODUCT"),
        edit_step("query match1", ScheduledStationAETitle="X"),
    ),
    (
        "mwl-scp-by-date",
        asked(ScheduledProcedureStepStartDate="20260101-20260103"),
        edit_step("query match1", **{DATE: "20260201"}),
    ),
    ("mwl-scp-by-date", asked(ScheduledProcedureStepStartDate="20260102"), missing_match),
    (
        "mwl-scp-by-time",
        asked(ScheduledProcedureStepStartDate="20260102", ScheduledProcedureStepStartTime="0900-1100"),
        edit_step("query match1", **{TIME: "120000"}),
    ),
    ("mwl-scp-by-modality", asked(Modality="CT"), edit_step("query match1", Modality="MR")),
    ("mwl-scp-by-physician", asked(ScheduledPerformingPhysicianName="Read*"), missing_match),
    ("mwl-scp-by-name", asked(PatientName="DOE*"), put("query match1", "PatientName", "Other^Name")),
    ("mwl-scp-by-patient-id", asked(PatientID="PID1"), put("query match1", "PatientID", "PID2")),
    ("mwl-scp-by-accession", asked(AccessionNumber="ACC1"), missing_match),
    ("mwl-scp-by-procedure-id", asked(expected=("SPS1", "SPS2"), RequestedProcedureID="RP1"), missing_match),
    ("mwl-scp-keys-combine", asked(PatientID="PID1", Modality="CT"), put("query match2", "PatientID", "PID2")),
    ("mwl-scp-universal", asked(), missing_match),
    ("mwl-scp-one-step", asked(), put("query match1", "ScheduledProcedureStepSequence", [])),
    ("mwl-scp-type-1", asked(), put("query match1", "StudyInstanceUID", "")),
    (
        "mwl-scp-step-described",
        asked(),
        edit_step("query match1", ScheduledProcedureStepDescription="", ScheduledProtocolCodeSequence=[]),
    ),
    (
        "mwl-scp-procedure-described",
        asked(),
        lambda s: s.data("query match1").update(RequestedProcedureDescription="", RequestedProcedureCodeSequence=[]),
    ),
    ("mwl-scp-type-2", type_2_keys, without("query match1", "AdmissionID")),
    ("mwl-scp-keys-supplied", asked(), edit_step("query match1", ScheduledProcedureStepDescription="Other")),
    ("mwl-scp-codes", asked(), put("query match1", "RequestedProcedureCodeSequence", [{"CodeValue": "X"}])),
    ("mwl-scp-final", asked(), status("query answer", 0xA700)),
    ("mwl-scp-final", asked(), lambda s: setattr(s["query answer"], "data", entry())),
    ("mwl-scp-charset", worklist_with_name, without("query match1", "SpecificCharacterSet")),
    ("mwl-scp-same-procedure", asked(), put("query match1", "StudyInstanceUID", "1.2.3.77")),
    ("mwl-scp-same-order", asked(), put("query match3", "StudyInstanceUID", "1.2.3.1")),
    ("mwl-scp-cancelled", cancelled_order, lambda s: ask_worklist(s, keys(), ("SPS2",), "again")),
    ("case-cancel", cancelled_order, lambda s: ask_worklist(s, keys(), ("SPS2",), "again")),
    ("mwl-scp-wrong-pick", asked("after-wrong-entry"), missing_match),
    ("case-wrong-pick", asked("after-wrong-entry"), missing_match),
    ("mwl-scp-completed", asked("after-completed", ("SPS2",)), put("fact", "expected", [])),
    ("mwl-scp-cancel", cancelled_query, status("query answer", 0)),
    ("mwl-scp-stable", asked_twice, put("again match1", "StudyInstanceUID", "1.2.3.77")),
]
