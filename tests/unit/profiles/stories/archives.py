"""An archive under test is asked for commitment, and queried."""

from __future__ import annotations

from typing import Any

from harness.profiles.journal import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
)
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Event, Story
from tests.unit.profiles.stories.changes import UIDS, Base, Change, declare, drop, fields, put, status, without
from tests.unit.profiles.stories.exams import creation, entry, image, references

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"


def archive(*, known: bool = True, **statement: Any) -> Story:
    """Two images are stored, committed, found and retrieved."""
    story = Story(declare("Image Manager/Archive", options=("Availability of PPS-Referenced Instances",), **statement))
    story.associate("association", TO_SUT, (SC_IMAGE, STUDY_ROOT_FIND, PATIENT_ROOT_FIND), 1)
    created = creation([entry()])
    for number, uid in enumerate(UIDS, start=1):
        story.ask(f"store{number}", "C-STORE-RQ", TO_SUT, SC_IMAGE, image(created, uid), instance=uid)
    return story


def committed(*wanted: str) -> Story:
    story = archive()
    uids = wanted or UIDS
    data = {"TransactionUID": "1.2.7.1", "ReferencedSOPSequence": references(uids)}
    action = {"ActionTypeID": 1}
    story.ask("commit", "N-ACTION-RQ", TO_SUT, COMMITMENT, data, instance=COMMITMENT_INSTANCE, fields=action)
    story.associate("call", FROM_SUT, (COMMITMENT,), 9, roles=True)
    result: dict[str, Any] = {"TransactionUID": "1.2.7.1"}
    good, bad = [u for u in uids if u in UIDS], [u for u in uids if u not in UIDS]
    result["ReferencedSOPSequence"] = references(good)
    if bad:
        result["FailedSOPSequence"] = [{**found, "FailureReason": "274"} for found in references(bad)]
    event = {"EventTypeID": 2 if bad else 1}
    story.ask(
        "result",
        "N-EVENT-REPORT-RQ",
        FROM_SUT,
        COMMITMENT,
        result,
        instance=COMMITMENT_INSTANCE,
        fields=event,
        association=9,
    )
    return story


def partial() -> Story:
    return committed(*UIDS, "1.2.6.9.9")


def commit_state() -> Story:
    story = archive()
    data = {**image(creation([entry()]), "1.2.6.2.1"), "SOPClassUID": GSPS, "Modality": "PR"}
    story.ask("state", "C-STORE-RQ", TO_SUT, GSPS, data, instance="1.2.6.2.1")
    wanted = [{"ReferencedSOPClassUID": GSPS, "ReferencedSOPInstanceUID": "1.2.6.2.1"}]
    content = {"TransactionUID": "1.2.7.1", "ReferencedSOPSequence": wanted}
    story.ask("commit", "N-ACTION-RQ", TO_SUT, COMMITMENT, content, instance=COMMITMENT_INSTANCE)
    story.ask(
        "result", "N-EVENT-REPORT-RQ", FROM_SUT, COMMITMENT, dict(content), fields={"EventTypeID": 1}, association=9
    )
    return story


def requester_away() -> Story:
    story = committed()
    data = {"fault": "unreachable", "actor": "Acquisition Modality", "until": "@call"}
    story.add(Event("fault", "#FAULT-INJECTED", data=data), after="commit answer")
    return story


COMMITMENTS: list[tuple[str, Base, Change]] = [
    ("commit-scp-action", committed, status("commit answer", 0x0110)),
    ("commit-scp-success", committed, put("result", "ReferencedSOPSequence", references(UIDS[:1]))),
    ("commit-scp-success", committed, fields("result", EventTypeID=2)),
    ("commit-scp-success", committed, put("result", "TransactionUID", "1.2.7.9")),
    ("commit-scp-failures", partial, fields("result", EventTypeID=1)),
    ("commit-scp-failures", partial, put("result", "FailedSOPSequence", [])),
    (
        "commit-scp-reasons",
        partial,
        lambda s: s.data("result")["FailedSOPSequence"][0].update(FailureReason="1"),
    ),
    ("commit-scp-role", committed, lambda s: s["call"].fields["contexts"][0].update(scp_role=None)),
    ("commit-scp-repeated", requester_away, drop("result", "result answer")),
    ("commit-scp-other", commit_state, put("result", "ReferencedSOPSequence", [])),
    ("commit-scp-sum", partial, put("result", "FailedSOPSequence", [])),
    ("commit-scp-sum", committed, put("result", "ReferencedSOPSequence", references([*UIDS, UIDS[0]]))),
]


def found(level: str, *, purpose: str = "", **wanted: str) -> Base:
    """We query the archive at a level by these keys."""

    def base() -> Story:
        story = archive(person_name_case_sensitive=False)
        ask_archive(story, level, wanted, purpose)
        return story

    return base


STUDY = {
    "StudyDate": "20260102",
    "StudyTime": "104000",
    "AccessionNumber": "ACC1",
    "PatientName": "Doe^Jane",
    "PatientID": "PID1",
    "StudyID": "RP1",
    "StudyInstanceUID": "1.2.3.1",
    "ModalitiesInStudy": "CT",
    "ReferringPhysicianName": "Sender^Sam",
    "PatientBirthDate": "19700101",
    "PatientSex": "F",
    "NumberOfStudyRelatedSeries": "1",
    "NumberOfStudyRelatedInstances": "2",
}
SERIES = {
    "Modality": "CT",
    "SeriesNumber": "1",
    "SeriesInstanceUID": "1.2.4.1",
    "NumberOfSeriesRelatedInstances": "2",
    "PerformedProcedureStepStartDate": "20260102",
}
IMAGE = {"SOPClassUID": SC_IMAGE, "Rows": 2, "Columns": 2, "BitsAllocated": 8}
ABOVE = {
    "STUDY": {},
    "SERIES": {"StudyInstanceUID": "1.2.3.1"},
    "IMAGE": {"StudyInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.4.1"},
}


def answers_at(level: str) -> list[dict[str, Any]]:
    common = {"QueryRetrieveLevel": level, "RetrieveAETitle": "PRODUCT", **ABOVE[level]}
    if level == "STUDY":
        return [{**common, **STUDY}]
    if level == "SERIES":
        request = [{"RequestedProcedureID": "RP1", "ScheduledProcedureStepID": "SPS1"}]
        return [{**common, **SERIES, "RequestAttributesSequence": request}]
    return [
        {**common, **IMAGE, "SOPInstanceUID": uid, "InstanceNumber": str(number)} for number, uid in enumerate(UIDS, 1)
    ]


def ask_archive(story: Story, level: str, wanted: dict[str, str], purpose: str = "", name: str = "query") -> None:
    matches = answers_at(level)
    identifier: dict[str, Any] = dict.fromkeys(matches[0], "")
    if level == "SERIES":
        identifier["RequestAttributesSequence"] = [{"RequestedProcedureID": "", "ScheduledProcedureStepID": ""}]
    identifier.update(QueryRetrieveLevel=level, **ABOVE[level])
    identifier.update(wanted)
    story.ask(name, "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, identifier, status=None)
    for number, match in enumerate(matches, start=1):
        if "SOPInstanceUID" not in wanted or match.get("SOPInstanceUID") == wanted["SOPInstanceUID"]:
            story.answer(name, 0xFF00, match, name=f"{name} match{number}")
    story.answer(name, 0, name=f"{name} answer")
    unique = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}[level]
    expected = [event.data[unique] for event in story.events if event.name.startswith(f"{name} match") and event.data]
    data = {"message": f"@{name}", "by": unique, "expected": expected}
    story.fact("QUERY", f"{name} fact", **data, **({"purpose": purpose} if purpose else {}))


def invalid_hierarchy() -> Story:
    story = found("SERIES")()
    story.data("query").pop("StudyInstanceUID")
    story.drop("query match1", "query fact")
    story["query answer"].fields["Status"] = 0xA900
    return story


def answered_anyway(story: Story) -> None:
    match = answers_at("SERIES")[0]
    event = Event("match", "C-FIND-RSP", FROM_SUT, match, {"Status": 0xFF00}, 1, STUDY_ROOT_FIND, "query")
    story.add(event, after="query")


def unsupported_key() -> Story:
    story = found("STUDY", purpose="unsupported-key")()
    story.data("query")["InstitutionName"] = ""
    story["query match1"].fields["Status"] = 0xFF01
    return story


def hidden() -> Story:
    story = found("STUDY", purpose="after-wrong-entry", StudyInstanceUID="1.2.3.1")()
    story.data("query fact")["expected"] = []
    story.drop("query match1")
    return story


def stored_twice() -> Story:
    story = archive()
    story.ask("store3", "C-STORE-RQ", TO_SUT, SC_IMAGE, story.data("store1"), instance=UIDS[0])
    ask_archive(story, "IMAGE", {})
    return story


def derived() -> Story:
    story = archive()
    for name in ("store1", "store2"):
        story.data(name)["ImageType"] = "DERIVED\\SECONDARY"
    ask_archive(story, "IMAGE", {})
    return story


def patients() -> Story:
    """A query at patient level, which Patient Root alone has."""
    story = archive()
    identifier = {"QueryRetrieveLevel": "PATIENT", "PatientName": "Doe*", "PatientID": ""}
    story.ask("query", "C-FIND-RQ", TO_SUT, PATIENT_ROOT_FIND, identifier, status=None)
    match = {**identifier, "PatientName": "Doe^Jane", "PatientID": "PID1", "RetrieveAETitle": ""}
    story.answer("query", 0xFF00, match, name="query match1")
    story.answer("query", 0, name="query answer")
    story.fact("QUERY", "query fact", message="@query", by="PatientID", expected=["PID1"])
    return story


def cancelled_images() -> Story:
    """We have enough after the first match; the second was on its way."""
    story = found("IMAGE")()
    story.add(Event("cancel", "C-CANCEL-RQ", TO_SUT, None, {}, 1, STUDY_ROOT_FIND, "query"), after="query match1")
    story["query answer"].fields["Status"] = 0xFE00
    return story


QUERIES: list[tuple[str, Base, Change]] = [
    ("query-scp-models", found("STUDY"), lambda s: s["association accepted"].fields["contexts"].pop()),
    ("query-scp-study", found("STUDY", PatientID="PID1"), put("query match1", "PatientID", "PID2")),
    ("query-scp-study", found("STUDY", StudyDate="20260101-"), drop("query match1")),
    ("query-scp-modalities", found("STUDY", ModalitiesInStudy="CT"), put("query match1", "ModalitiesInStudy", "MR")),
    ("query-scp-patient", found("STUDY"), put("query match1", "PatientSex", "")),
    ("query-scp-study-counts", found("STUDY"), put("query match1", "NumberOfStudyRelatedInstances", "3")),
    ("query-scp-physician", found("STUDY"), put("query match1", "ReferringPhysicianName", "")),
    ("query-scp-series", found("SERIES", Modality="CT"), put("query match1", "Modality", "MR")),
    ("query-scp-series-counts", found("SERIES"), put("query match1", "NumberOfSeriesRelatedInstances", "")),
    ("query-scp-series-request", found("SERIES"), put("query match1", "RequestAttributesSequence", [])),
    ("query-scp-image", found("IMAGE", SOPInstanceUID=UIDS[0]), drop("query match1")),
    ("query-scp-image-values", found("IMAGE"), put("query match1", "Rows", 3)),
    ("query-scp-retrieve", found("STUDY"), without("query match1", "RetrieveAETitle")),
    ("query-scp-retrieve", found("IMAGE"), put("query match1", "RetrieveAETitle", "")),
    # required keys come back as they were stored, whatever the status says, and a legal query is answered
    ("query-scp-study", found("STUDY"), without("query match1", "StudyTime")),
    ("query-scp-study", found("STUDY"), put("query match1", "PatientName", "Doe^J?ne")),
    ("query-scp-study", found("STUDY", AccessionNumber="ACC1"), put("query match1", "AccessionNumber", "")),
    ("query-scp-study", found("STUDY", PatientID="PID1"), status("query answer", 0xC001)),
    ("query-scp-study", patients, put("query match1", "PatientName", "")),
    ("query-scp-series", found("SERIES"), without("query match1", "SeriesNumber")),
    ("query-scp-series", found("SERIES", Modality="CT"), status("query answer", 0xA900)),
    ("query-scp-image", found("IMAGE"), put("query match1", "InstanceNumber", "7")),
    ("query-scp-cancel", cancelled_images, lambda s: s["query answer"].fields.update(Status=0)),
    ("query-scp-hierarchy", invalid_hierarchy, answered_anyway),
    (
        "query-scp-name-case",
        found("STUDY", purpose="lower-case-name", PatientName="doe^jane"),
        drop("query match1"),
    ),
    ("query-scp-unsupported", unsupported_key, status("query match1", 0xFF00)),
    ("availability-answered", found("IMAGE", SOPInstanceUID=UIDS[0]), drop("query match1")),
    ("declared-availability-query", found("IMAGE"), status("query answer", 0xA700)),
    ("wrong-entry-hidden", hidden, put("query fact", "expected", ["1.2.3.1"])),
    ("wrong-entry-stored", hidden, put("query fact", "expected", ["1.2.3.1"])),
    ("store-scp-classes", lambda: archive(storage_sop_classes=[SC_IMAGE]), status("store1 answer", 0xA700)),
    (
        "store-scp-classes",
        lambda: archive(storage_sop_classes=[SC_IMAGE]),
        lambda s: s["association accepted"].fields["contexts"].pop(0),
    ),
    ("store-scp-no-step", archive, status("store1 answer", 0xC000)),
    ("store-scp-unannounced", archive, status("store1 answer", 0xC000)),
    ("store-scp-twice", stored_twice, lambda s: s.add(copy_of(s, "query match1"), after="query match1")),
    ("store-scp-creator", derived, drop("query match1")),
]


def copy_of(story: Story, name: str) -> Event:
    event = story[name]
    return Event("copy", event.kind, event.direction, event.data, dict(event.fields), 1, event.sop_class, event.answers)
