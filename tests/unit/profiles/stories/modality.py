"""Good exams of a modality under test, each with something that not every exam has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.profiles.journal import COMMITMENT, COMMITMENT_INSTANCE, MPPS, MWL_FIND
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Event, Story
from tests.unit.profiles.stories.exams import (
    code,
    creation,
    entry,
    exam,
    keys,
    perform,
    references,
    series_item,
    unscheduled,
    worklist_query,
)

Base = Callable[[], Story]


SSAS = "ScheduledStepAttributesSequence"
PPS = "PerformedProcedureStep"
REASON = "PerformedProcedureStepDiscontinuationReasonCodeSequence"


def two_steps() -> Story:
    return exam(entry(1, procedure=1), entry(2, procedure=1))


def two_procedures() -> Story:
    return exam(entry(1), entry(2))


def started_then_finished() -> Story:
    story = exam()
    story.data("action").update(action="start-step")
    story.add(
        Event("finish", "#ACTION", data={"action": "finish-step", "parameters": {"end": "completed"}}), before="image1"
    )
    return story


def queried(**asked: Any) -> Base:
    """The operator was asked to query by these keys, and the modality did."""

    def base() -> Story:
        story = Story(exam().sut)
        story.associate("association", FROM_SUT, (MWL_FIND,), 1)
        story.fact("ACTION", "action", action="query-worklist", parameters={"keys": asked})
        identifier = keys()
        for keyword, value in asked.items():
            (identifier if keyword in identifier else identifier["ScheduledProcedureStepSequence"][0])[keyword] = value
        worklist_query(story, [entry()], identifier)
        story.fact("OUTCOME", "outcome", action="query-worklist", state="done", answers={"entries": 1, "error": ""})
        return story

    return base


def nothing_found() -> Story:
    story = queried(PatientName="Nobody")()
    story.drop("query match1")
    story.data("outcome")["answers"] = {"entries": 0, "error": ""}
    return story


def provider_failed() -> Story:
    story = nothing_found()
    story["query answer"].fields["Status"] = 0xA700
    story.data("outcome")["answers"] = {"entries": 0, "error": "the worklist cannot be reached"}
    return story


def requeried() -> Story:
    """The order changes between two queries and the modality uses the newer answer."""
    story = exam()
    story.add(Event("query0", "C-FIND-RQ", FROM_SUT, keys(), dict(story["query"].fields), 1, MWL_FIND), before="query")
    old = Event("query0 match", "C-FIND-RSP", TO_SUT, entry(PatientName="Old^Name"), {"Status": 0xFF00}, 1, MWL_FIND)
    old.answers = "query0"
    story.add(old, after="query0")
    last = Event("query0 answer", "C-FIND-RSP", TO_SUT, None, {"Status": 0}, 1, MWL_FIND)
    last.answers = "query0"
    story.add(last, after="query0 match")
    return story


def accented() -> Story:
    story = exam(entry(PatientName="Müller^Jürgen=山田^太郎=やまだ^たろう", SpecificCharacterSet="ISO_IR 192"))
    for name in ("create", "image1", "image2"):
        story.data(name)["SpecificCharacterSet"] = "ISO_IR 192"
    return story


def provider_away() -> Story:
    story = Story(exam().sut)
    story.fact("FAULT-INJECTED", "fault", fault="unreachable", actor="DSS/Order Filler", until=0)
    story.fact("ACTION", "action", action="perform-unscheduled", parameters={})
    perform(story, unscheduled().data("create"))
    return story


def manager_away() -> Story:
    story = exam()
    fault = Event("fault", "#FAULT-INJECTED", data={"fault": "unreachable", "actor": "PPS Manager", "until": "@back"})
    story.add(fault, before="action")
    story.add(Event("back", "A-ASSOCIATE-RQ", FROM_SUT, association=77), before="create")
    return story


def deviating() -> Story:
    story = exam()
    story.data("action")["parameters"]["protocol"] = "OTHER"
    for name in ("create", "image1", "image2"):
        story.data(name)["PerformedProtocolCodeSequence"] = [code("OTHER")]
        story.data(name)["ProcedureCodeSequence"] = [code("OTHERPROC")]
    return story


def discontinued() -> Story:
    story = exam()
    story.data("action")["parameters"].update(end="discontinued", reason="110513")
    story.data("end")["PerformedProcedureStepStatus"] = "DISCONTINUED"
    story.data("end")[REASON] = [code("110513", "Discontinued for unspecified reason", "DCM")]
    return story


def abandoned() -> Story:
    story = discontinued()
    story.drop("image1", "image1 answer", "image2", "image2 answer", "commit", "commit answer", "result")
    story.drop("result answer", "call", "call accepted")
    story.data("end")["PerformedSeriesSequence"] = [series_item(1, [])]
    return story


def wrong_entry() -> Story:
    story = exam()
    story.data("action")["parameters"].update(end="discontinued", reason="110514")
    story.data("end")["PerformedProcedureStepStatus"] = "DISCONTINUED"
    story.data("end")[REASON] = [code("110514", "Incorrect worklist entry selected", "DCM")]
    story.fact("ACTION", "action2", action="perform-step", parameters={"step_ids": ["SPS2"], "end": "completed"})
    worklist_query(story, [entry(1), entry(2)])
    perform(story, creation([entry(2)], 2), 2)
    return story


def two_sets() -> Story:
    story = exam()
    story.add(
        Event(
            "set0",
            "N-SET-RQ",
            FROM_SUT,
            {"PerformedSeriesSequence": [series_item(1, ["1.2.6.1.1"])]},
            dict(story["end"].fields),
            1,
            MPPS,
        ),
        before="end",
    )
    return story


def stalled() -> Story:
    story = exam()
    answer = story["image2 answer"]
    story.drop("image2 answer")
    story.add(answer, after="end")
    story.fact("FAULT-INJECTED", "fault", fault="store-stalled", message="@image2 answer")
    return story


def refused_image() -> Story:
    """The archive refuses an image once; the modality repeats it."""
    story = exam()
    again = Event(
        "image1 again", "C-STORE-RQ", FROM_SUT, story["image1"].data, dict(story["image1"].fields), 1, SC_IMAGE
    )
    story["image1 answer"].fields["Status"] = 0xA700
    story.add(again, after="image1 answer")
    done = Event("again answer", "C-STORE-RSP", TO_SUT, None, {"Status": 0}, 1, SC_IMAGE, "image1 again")
    story.add(done, after="image1 again")
    story.fact("FAULT-INJECTED", "fault", fault="store-refused", message="@image1 answer", status=0xA700)
    return story


def result_at_once() -> Story:
    story = exam()
    story.drop("release", "call", "call accepted")
    story["result"].association = story["result answer"].association = 1
    return story


def partly_failed() -> Story:
    """One instance is not committed; the modality sends it again and asks again."""
    story = exam()
    story["result"].fields["EventTypeID"] = 2
    story.data("result")["ReferencedSOPSequence"] = references(["1.2.6.1.1"])
    story.data("result")["FailedSOPSequence"] = [{**references(["1.2.6.1.2"])[0], "FailureReason": "274"}]
    story.ask("again", "C-STORE-RQ", FROM_SUT, SC_IMAGE, story.data("image2"), instance="1.2.6.1.2")
    story.ask(
        "commit again",
        "N-ACTION-RQ",
        FROM_SUT,
        COMMITMENT,
        {"TransactionUID": "1.2.7.99", "ReferencedSOPSequence": references(["1.2.6.1.2"])},
        instance=COMMITMENT_INSTANCE,
        fields={"ActionTypeID": 1},
    )
    return story
