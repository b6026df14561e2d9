"""An archive under test is asked for instances, and told of patients."""

from __future__ import annotations

from harness.profiles.journal import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Event, Story
from tests.unit.profiles.stories.archives import answers_at, archive, ask_archive
from tests.unit.profiles.stories.changes import UIDS, Base, Change, drop, fields, put, status, without
from tests.unit.profiles.stories.exams import references

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"


def retrieved(level: str = "STUDY") -> Story:
    story = archive()
    story["association"].fields["calling_ae"] = "HARNESS"
    ask_archive(story, "STUDY", {})
    counts = {
        "NumberOfCompletedSuboperations": 2,
        "NumberOfFailedSuboperations": 0,
        "NumberOfWarningSuboperations": 0,
    }
    identifier = {"QueryRetrieveLevel": level, "StudyInstanceUID": "1.2.3.1"}
    command = {"MoveDestination": "HARNESS", "MessageID": 7}
    story.ask("move", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, identifier, status=None, fields=command)
    story.associate("delivery", FROM_SUT, (SC_IMAGE,), 3)
    origin = {"MoveOriginatorApplicationEntityTitle": "HARNESS", "MoveOriginatorMessageID": 7}
    for number, uid in enumerate(UIDS, start=1):
        content = dict(story.data(f"store{number}"))
        story.ask(f"got{number}", "C-STORE-RQ", FROM_SUT, SC_IMAGE, content, instance=uid, association=3, fields=origin)
    story.answer("move", 0, name="move answer", fields={**counts, "MessageIDBeingRespondedTo": 7})
    story.fact("MOVE", "fact", message="@move", destination="HARNESS", expected=list(UIDS))
    return story


def half_refused() -> Story:
    story = retrieved()
    story["got2 answer"].fields["Status"] = 0xA700
    story["move answer"].fields.update(Status=0xB000, NumberOfCompletedSuboperations=1, NumberOfFailedSuboperations=1)
    story["move answer"].data = {"FailedSOPInstanceUIDList": UIDS[1]}
    return story


def none_taken() -> Story:
    story = retrieved()
    for number in (1, 2):
        story[f"got{number} answer"].fields["Status"] = 0xA700
    story["move answer"].fields.update(Status=0xA702, NumberOfCompletedSuboperations=0, NumberOfFailedSuboperations=2)
    return story


def counting() -> Story:
    """A pending response after the first sub-operation."""
    story = retrieved()
    numbers = (("Remaining", 1), ("Completed", 1), ("Failed", 0), ("Warning", 0))
    counts = {f"NumberOf{which}Suboperations": number for which, number in numbers}
    story.answer("move", 0xFF00, name="pending", fields={**counts, "MessageIDBeingRespondedTo": 7})
    story.events.insert(story.events.index(story["got2"]), story.events.pop())
    return story


def got() -> Story:
    """The same by C-GET, on one association."""
    story = retrieved()
    for name in ("got1", "got1 answer", "got2", "got2 answer"):
        story[name].association = 1
    for name in ("move", "move answer"):
        story[name].kind = story[name].kind.replace("C-MOVE", "C-GET")
        story[name].sop_class = STUDY_ROOT_GET
        story[name].fields["AbstractSyntax"] = STUDY_ROOT_GET
    story["move"].fields["AffectedSOPClassUID"] = STUDY_ROOT_GET
    story.drop("delivery", "delivery accepted")
    return story


def cancelled_move() -> Story:
    """We have enough after the first of three instances."""
    story = retrieved()
    story.drop("got2", "got2 answer")
    cancel = Event("cancel", "C-CANCEL-RQ", TO_SUT, None, {"MessageIDBeingRespondedTo": 7}, 1, STUDY_ROOT_MOVE)
    story.add(cancel, after="got1 answer")
    story["move answer"].fields.update(Status=0xFE00, NumberOfCompletedSuboperations=1)
    return story


def finished_anyway(story: Story) -> None:
    content, origin = dict(story.data("got1")), dict(story["got1"].fields)
    for number in range(2, 20):
        store = Event(f"more{number}", "C-STORE-RQ", FROM_SUT, content, origin, 3, SC_IMAGE)
        story.add(store, before="move answer")
    story["move answer"].fields["Status"] = 0


def nowhere() -> Story:
    story = retrieved()
    story.drop("delivery", "delivery accepted", "got1", "got1 answer", "got2", "got2 answer")
    story["move answer"].fields.update(Status=0xA801)
    story.data("fact").update(unknown_destination=True, expected=[])
    return story


def coerced() -> Story:
    story = retrieved()
    for number in (1, 2):
        story[f"store{number} answer"].fields["Status"] = 0xB000
        story.data(f"got{number}")["PatientName"] = "Changed^Name"
    return story


def updated() -> Story:
    """The patient is renamed; queries and retrieved objects show it."""
    story = retrieved()
    data = {"kind": "A08", "patient_id": "PID1", "keywords": {"PatientName": "New^Name"}}
    story.add(Event("update", "#UPDATE", data=data), before="query")
    story.data("query match1")["PatientName"] = "New^Name"
    for number in (1, 2):
        story.data(f"got{number}")["PatientName"] = "New^Name"
    return story


def merged() -> Story:
    """The patient gets another number; the old one leads nowhere."""
    story = archive()
    data = {"kind": "A40", "patient_id": "PID9", "retired_patient_id": "PID1", "keywords": {"PatientID": "PID9"}}
    story.fact("UPDATE", "update", **data)
    ask_archive(story, "STUDY", {"PatientID": "PID9"}, "after-merge")
    story.data("query match1")["PatientID"] = "PID9"
    ask_archive(story, "STUDY", {"PatientID": "PID1"}, "after-merge", "old")
    story.drop("old match1")
    return story


def renamed() -> Story:
    story = archive()
    data = {"kind": "A08", "patient_id": "PID1", "keywords": {"PatientName": "New^Name"}}
    story.fact("UPDATE", "update", **data)
    ask_archive(story, "STUDY", {}, "after-update")
    story.data("query match1")["PatientName"] = "New^Name"
    return story


def old_number_found(story: Story) -> None:
    match = Event(
        "old match", "C-FIND-RSP", FROM_SUT, answers_at("STUDY")[0], {"Status": 0xFF00}, 1, STUDY_ROOT_FIND, "old"
    )
    story.add(match, after="old")


def everything() -> Story:
    story = retrieved()
    data = {"TransactionUID": "1.2.7.1", "ReferencedSOPSequence": references(UIDS)}
    story.ask("commit", "N-ACTION-RQ", TO_SUT, COMMITMENT, data, instance=COMMITMENT_INSTANCE)
    return story


RETRIEVALS: list[tuple[str, Base, Change]] = [
    ("move-scp-exact", retrieved, drop("got2", "got2 answer")),
    ("move-scp-counts", retrieved, fields("move answer", NumberOfCompletedSuboperations=3)),
    ("move-scp-counts", half_refused, fields("move answer", NumberOfFailedSuboperations=0)),
    ("move-scp-counts", retrieved, status("move answer", 0xB000)),
    ("move-scp-counts", retrieved, status("move answer", 0xC000)),
    ("move-scp-counts", none_taken, status("move answer", 0xB000)),
    ("move-scp-counts", counting, fields("pending", NumberOfRemainingSuboperations=0)),
    ("move-scp-counts", counting, lambda s: s["pending"].fields.pop("NumberOfFailedSuboperations")),
    ("move-scp-partial", half_refused, lambda s: setattr(s["move answer"], "data", None)),
    ("get-scp", got, drop("got2", "got2 answer")),
    ("get-scp", got, fields("move answer", NumberOfCompletedSuboperations=1)),
    ("retrieve-scp-cancel", cancelled_move, finished_anyway),
    ("retrieve-scp-cancel", cancelled_move, fields("move answer", NumberOfCompletedSuboperations=3)),
    ("move-scp-unknown", nowhere, status("move answer", 0)),
    ("move-scp-partial", half_refused, status("move answer", 0)),
    ("move-scp-originator", retrieved, fields("got1", MoveOriginatorMessageID=8)),
    ("move-scp-unchanged", retrieved, put("got1", "StudyDescription", "Added")),
    ("store-scp-level-2", retrieved, without("got1", "PatientSex")),
    ("store-scp-coercion", coerced, status("store1 answer", 0)),
    ("store-scp-coercion", retrieved, status("store1 answer", 0xB000)),
    ("archive-consistent", retrieved, put("query match1", "NumberOfStudyRelatedInstances", "5")),
    ("archive-consistent", retrieved, drop("got2", "got2 answer")),
    ("xc-updated", updated, put("got1", "PatientName", "Doe^Jane")),
    ("case-merge", merged, old_number_found),
    ("case-merged", merged, old_number_found),
    ("case-temporary", merged, old_number_found),
    ("case-renamed", renamed, put("query match1", "PatientName", "Doe^Jane")),
    ("declared-archive", everything, drop("move answer")),
]
