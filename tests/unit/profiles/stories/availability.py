"""An archive under test says what is available."""

from __future__ import annotations

from typing import Any

from harness.profiles.journal import (
    GENERAL_PURPOSE_PPS,
    IAN,
    MPPS,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Story
from tests.unit.profiles.stories.archives import archive, ask_archive
from tests.unit.profiles.stories.changes import UIDS, Base, Change, declare, drop, put, status
from tests.unit.profiles.stories.exams import creation, ending, entry, references, series_item
from tests.unit.profiles.stories.received_steps import receiver


def notified() -> Story:
    story = archive()
    story.ask("create", "N-CREATE-RQ", TO_SUT, MPPS, creation([entry()]), instance="1.2.5.1")
    story.ask("end", "N-SET-RQ", TO_SUT, MPPS, ending([series_item(1, UIDS)]), instance="1.2.5.1")
    available = {"InstanceAvailability": "ONLINE", "RetrieveAETitle": "PRODUCT"}
    series = {
        "SeriesInstanceUID": "1.2.4.1",
        "ReferencedSOPSequence": [{**found_reference, **available} for found_reference in references(UIDS)],
    }
    step = {
        "ReferencedSOPClassUID": MPPS,
        "ReferencedSOPInstanceUID": "1.2.5.1",
        "PerformedWorkitemCodeSequence": [],
    }
    data = {
        "StudyInstanceUID": "1.2.3.1",
        "ReferencedSeriesSequence": [series],
        "ReferencedPerformedProcedureStepSequence": [step],
    }
    story.ask("notice", "N-CREATE-RQ", FROM_SUT, IAN, data, instance="1.2.8.1", association=4)
    return story


def notified_and_retrieved() -> Story:
    story = notified()
    command = {"MoveDestination": "HARNESS", "MessageID": 7}
    identifier = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3.1"}
    story.ask("move", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, identifier, status=None, fields=command)
    origin = {"MoveOriginatorApplicationEntityTitle": "HARNESS", "MoveOriginatorMessageID": 7}
    for number, uid in enumerate(UIDS, start=1):
        content = dict(story.data(f"store{number}"))
        story.ask(f"got{number}", "C-STORE-RQ", FROM_SUT, SC_IMAGE, content, instance=uid, association=3, fields=origin)
    counts = {"NumberOfCompletedSuboperations": 2, "MessageIDBeingRespondedTo": 7}
    story.answer("move", 0, name="move answer", fields=counts)
    return story


def one_missing() -> Story:
    story = notified()
    story.drop("store2", "store2 answer", "notice", "notice answer")
    ask_archive(story, "IMAGE", {}, "missing-instance")
    story.drop("query match2")
    story.data("query fact")["expected"] = [UIDS[0]]
    return story


def early_notice(story: Story) -> None:
    other = notified()
    for event in (other["notice"], other["notice answer"]):
        story.add(event)


def notice_received() -> Story:
    story = Story(declare("DSS/Order Filler"))
    story.ask("notice", "N-CREATE-RQ", TO_SUT, IAN, notified().data("notice"), instance="1.2.8.1")
    return story


def availability_asked() -> Story:
    story = receiver()
    identifier = {
        "QueryRetrieveLevel": "IMAGE",
        "StudyInstanceUID": "1.2.3.1",
        "SeriesInstanceUID": "1.2.4.1",
        "SOPClassUID": "",
        "SOPInstanceUID": "",
    }
    story.ask("query", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, identifier)
    return story


def work_status(direction: Any) -> Base:
    def base() -> Story:
        story = Story(declare("DSS/Order Filler"))
        data = {"GeneralPurposePerformedProcedureStepStatus": "IN PROGRESS"}
        story.ask("status", "N-CREATE-RQ", direction, GENERAL_PURPOSE_PPS, data, instance="1.2.8.2")
        return story

    return base


def notice_item(**changes: Any) -> Change:
    return lambda s: s.data("notice")["ReferencedSeriesSequence"][0]["ReferencedSOPSequence"][0].update(changes)


def without_workitem(story: Story) -> None:
    story.data("notice")["ReferencedPerformedProcedureStepSequence"][0].pop("PerformedWorkitemCodeSequence")


def too_early(story: Story) -> None:
    moved = [story["store2"], story["store2 answer"]]
    story.drop("store2", "store2 answer")
    story.events += moved


AVAILABILITY: list[tuple[str, Base, Change]] = [
    ("ian-sent", notified, drop("notice", "notice answer")),
    ("ian-described", notified, notice_item(RetrieveAETitle="")),
    ("ian-availability", notified, notice_item(InstanceAvailability="THERE")),
    ("ian-complete", notified, too_early),
    ("ian-lists-step", notified, notice_item(ReferencedSOPInstanceUID="1.2.6.9.9")),
    ("ian-step-sequence", notified, without_workitem),
    ("ian-retrievable", notified_and_retrieved, drop("got2", "got2 answer")),
    ("ian-accepted", notice_received, status("notice answer", 0x0110)),
    ("ian-incomplete", one_missing, early_notice),
    ("xc-notified", notified, notice_item(ReferencedSOPInstanceUID="1.2.6.9.9")),
    ("mpps-scp-related", notified, lambda s: s["create"].fields.update(AffectedSOPInstanceUID="1.2.5.9")),
    ("availability-asked", availability_asked, put("query", "SeriesInstanceUID", "")),
    ("work-status-sent", work_status(FROM_SUT), put("status", "GeneralPurposePerformedProcedureStepStatus", "DONE")),
    ("work-status-accepted", work_status(TO_SUT), status("status answer", 0x0122)),
]
