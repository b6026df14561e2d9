"""Displays and creators under test ask and make; whole flows from the order to the images."""

from __future__ import annotations

from typing import Any

from harness.core.message import Protocol
from harness.profiles.journal import (
    MWL_FIND,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Event, Story
from tests.unit.profiles.stories.archives import ABOVE, answers_at
from tests.unit.profiles.stories.changes import UIDS, Base, Change, declare, drop, fields, put, status, without
from tests.unit.profiles.stories.exams import creation, entry, image, keys, perform, references, series_item
from tests.unit.profiles.stories.received_steps import reported


def display(level: str = "STUDY", **wanted: str) -> Base:
    def base() -> Story:
        story = Story(declare("Image Display", display_sop_classes=[SC_IMAGE]))
        story.fact("ACTION", "action", action="query-images", parameters={"keys": wanted, "level": level})
        identifier: dict[str, Any] = {**dict.fromkeys(answers_at(level)[0], ""), **ABOVE[level], **wanted}
        identifier["QueryRetrieveLevel"] = level
        identifier.pop("RetrieveAETitle")
        if level == "SERIES":
            identifier.pop("RequestAttributesSequence")
        story.associate("association", FROM_SUT, (STUDY_ROOT_FIND, STUDY_ROOT_MOVE), 1)
        story.ask("query", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, identifier)
        story.fact("ACTION", "action2", action="retrieve-images", parameters={"study": "1.2.3.1"})
        command = {"MoveDestination": "PRODUCT", "MessageID": 7}
        study = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3.1"}
        story.ask("move", "C-MOVE-RQ", FROM_SUT, STUDY_ROOT_MOVE, study, fields=command)
        story.associate("delivery", TO_SUT, (SC_IMAGE,), 3)
        origin = {"MoveOriginatorMessageID": 7}
        content = image(creation([entry()]), UIDS[0])
        story.ask("sent", "C-STORE-RQ", TO_SUT, SC_IMAGE, content, instance=UIDS[0], association=3, fields=origin)
        return story

    return base


def display_without_matches() -> Story:
    story = Story(declare("Image Display"))
    story.fact(
        "ACTION", "action", action="query-images", parameters={"keys": {"PatientID": "NOBODY"}, "level": "STUDY"}
    )
    story.associate("association", FROM_SUT, (STUDY_ROOT_FIND,), 1)
    story.ask("query", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "PatientID": "NOBODY"})
    story.fact("OUTCOME", "outcome", action="query-images", state="done", answers={"entries": 0, "error": ""})
    return story


def told_of_an_error(story: Story) -> None:
    story.data("outcome")["answers"] = {"entries": 0, "error": "the archive failed"}


def creator() -> Story:
    story = Story(declare("Evidence Creator", options=("Creator Performed Procedure Step",)))
    created = creation([entry()])
    source = {k: v for k, v in image(created, "1.2.6.5.1", series=5).items() if k != "PixelData"}
    story.fact("KNOWN-OBJECTS", "sources", instances=[source])
    story.fact("ACTION", "action", action="create-evidence", parameters={"study": "1.2.3.1"})
    perform(story, created)
    own = story.data("create")
    own.update(StudyID="RP1")
    for item in own["ScheduledStepAttributesSequence"]:
        item.update(ScheduledProcedureStepID="", AccessionNumber="", ReferencedStudySequence=[])
    for name in ("image1", "image2"):
        story.data(name)["ImageType"] = "DERIVED\\SECONDARY"
    return story


OTHERS: list[tuple[str, Base, Change]] = [
    ("query-hierarchical", display("SERIES"), without("query", "StudyInstanceUID")),
    ("query-hierarchical", display("SERIES"), without("query", "SeriesInstanceUID")),
    ("query-hierarchical", display(), put("query", "QueryRetrieveLevel", "PATIENT")),
    ("query-hierarchical", display("SERIES"), put("query", "SeriesInstanceUID", "1.2.*")),
    ("query-hierarchical", display("SERIES"), put("query", "SeriesInstanceUID", "1.2\\\\1.3")),
    ("query-by-name", display(PatientName="Doe*"), put("query", "PatientName", "")),
    ("query-by-accession", display(AccessionNumber="ACC1"), put("query", "AccessionNumber", "ACC2")),
    ("query-by-date", display(StudyDate="20260102-20260203"), put("query", "StudyDate", "20260102")),
    ("move-own-storage", display(), put("move", "StudyInstanceUID", "")),
    ("move-own-storage", display(), put("move", "StudyInstanceUID", "1.2.*")),
    ("query-by-patient-id", display(PatientID="PID1"), put("query", "PatientID", "")),
    ("query-by-accession", display(AccessionNumber="ACC1"), put("query", "AccessionNumber", "")),
    ("query-by-date", display(StudyDate="20260102"), put("query", "StudyDate", "")),
    ("query-by-modalities", display(ModalitiesInStudy="CT"), put("query", "ModalitiesInStudy", "")),
    ("query-study-keys", display(), without("query", "NumberOfStudyRelatedInstances")),
    ("query-series-keys", display("SERIES"), without("query", "SeriesNumber")),
    ("move-own-storage", display(), fields("move", MoveDestination="ELSEWHERE")),
    ("move-classes", display(), lambda s: s["delivery accepted"].fields.update(contexts=[])),
    ("move-classes", display(), status("sent answer", 0x0122)),
    ("declared-display", display(), drop("move", "move answer")),
    ("display-failures-shown", display_without_matches, told_of_an_error),
    ("creator-series", creator, put("image1", "SeriesInstanceUID", "1.2.4.5")),
    ("creator-study", creator, put("image1", "PatientID", "X")),
    ("creator-derived", creator, put("image1", "ImageType", "ORIGINAL\\PRIMARY")),
    (
        "creator-own-step",
        creator,
        put("image1", "ReferencedPerformedProcedureStepSequence", references(["1.2.5.77"])),
    ),
    ("creator-own-step", creator, put("image1", "ReferencedPerformedProcedureStepSequence", [])),
    (
        "creator-step",
        creator,
        lambda s: s.data("create")["ScheduledStepAttributesSequence"][0].update(AccessionNumber="1"),
    ),
    ("creator-step-ended", creator, drop("end", "end answer")),
    ("creator-step-ended", creator, put("end", "PerformedSeriesSequence", [series_item(1, UIDS[:1])])),
    ("declared-creator", creator, drop("commit", "commit answer")),
    ("declared-creator-option", creator, lambda s: s.declare(options=())),
    (
        "declared-availability",
        lambda: Story(declare("Image Manager/Archive", options=("Availability of PPS-Referenced Instances",))),
        lambda s: s.declare(actors=("Image Display",)),
    ),
    (
        "declared-work-status",
        lambda: Story(declare("Image Manager/Archive", options=("Performed Work Status Update - Receive",))),
        lambda s: s.declare(actors=("Image Display",)),
    ),
    (
        "declared-appointment",
        lambda: Story(declare("Order Placer", options=("Departmental Appointment Notification",))),
        lambda s: s.declare(actors=("Image Display",)),
    ),
    (
        "declared-hl7",
        lambda: Story(declare("Order Placer", options=("HL7 v2.5.1",))),
        lambda s: s.declare(actors=("Image Display",)),
    ),
]


def whole_flow() -> Story:
    """An order comes, is scheduled, offered, started and ended."""
    story = reported()
    new = "MSH|^~\\&|A|B|C|D|20260102||ORM^O01|1|P|2.3.1\rORC|NW|PL1^A\rOBR|1\r"
    scheduled = (
        "MSH|^~\\&|A|B|C|D|20260102||ORM^O01|2|P|2.3.1\rORC|NW|PL1^A|F1^B||SC\rOBR|1\rZDS|1.2.3.1^^Application^DICOM\r"
    )
    story.add(Event("order", "ORM^O01", TO_SUT, raw=new.encode(), protocol=Protocol.HL7), before="create")
    story.add(Event("scheduled", "ORM^O01", FROM_SUT, raw=scheduled.encode(), protocol=Protocol.HL7), before="create")
    story.ask("query", "C-FIND-RQ", TO_SUT, MWL_FIND, keys())
    return story


def updated_during_exam() -> Story:
    """A modality ends its step although the patient was renamed meanwhile."""
    from tests.unit.profiles.stories.exams import exam

    story = exam()
    data = {"kind": "A08", "patient_id": "PID1", "keywords": {"PatientName": "New^Name"}}
    story.add(Event("update", "#UPDATE", data=data), after="create answer")
    return story


FLOWS: list[tuple[str, Base, Change]] = [
    ("declared-filler", whole_flow, drop("scheduled")),
    ("case-update-in-exam", updated_during_exam, drop("end", "end answer")),
]
