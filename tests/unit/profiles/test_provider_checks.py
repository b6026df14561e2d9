"""Each check of order fillers, managers, archives, displays and creators: a good story passes, one change fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.core.check import Declaration
from harness.core.message import Protocol
from harness.profiles.journal import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    GENERAL_PURPOSE_PPS,
    IAN,
    MPPS,
    MWL_FIND,
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from harness.profiles.swf.checks import CHECKS
from tests.unit.profiles.builders import (
    FROM_SUT,
    IMPLICIT,
    SC_IMAGE,
    TO_SUT,
    Event,
    Story,
    code,
    creation,
    ending,
    entry,
    failing,
    image,
    keys,
    observed,
    perform,
    references,
    series_item,
    unscheduled,
)

Base = Callable[[], Story]
Change = Callable[[Story], object]
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
UIDS = ("1.2.6.1.1", "1.2.6.1.2")


def declare(*actors: str, options: tuple[str, ...] = (), **statement: Any) -> Declaration:
    return Declaration(frozenset(actors), frozenset({"SWF"}), frozenset(options), frozenset({"PRODUCT"}), statement)


# -- order filler: worklist --------------------------------------------------------------------------------------

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


def put(event: str, keyword: str, value: Any) -> Change:
    return lambda story: story.data(event).update({keyword: value})


def without(event: str, keyword: str) -> Change:
    return lambda story: story.data(event).pop(keyword)


def drop(*events: str) -> Change:
    return lambda story: story.drop(*events)


def status(event: str, value: int) -> Change:
    return lambda story: story[event].fields.update({"Status": value})


def fields(event: str, **values: Any) -> Change:
    return lambda story: story[event].fields.update(values)


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

# -- receivers of performed steps --------------------------------------------------------------------------------


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

# -- archive -----------------------------------------------------------------------------------------------------


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
    ("store-scp-twice", stored_twice, lambda s: s.add(_copy(s, "query match1"), after="query match1")),
    ("store-scp-creator", derived, drop("query match1")),
]


def _copy(story: Story, name: str) -> Event:
    event = story[name]
    return Event("copy", event.kind, event.direction, event.data, dict(event.fields), 1, event.sop_class, event.answers)


# -- retrieve ----------------------------------------------------------------------------------------------------


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

# -- availability ------------------------------------------------------------------------------------------------


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

# -- display and creator -----------------------------------------------------------------------------------------


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
    from tests.unit.profiles.builders import exam

    story = exam()
    data = {"kind": "A08", "patient_id": "PID1", "keywords": {"PatientName": "New^Name"}}
    story.add(Event("update", "#UPDATE", data=data), after="create answer")
    return story


FLOWS: list[tuple[str, Base, Change]] = [
    ("declared-filler", whole_flow, drop("scheduled")),
    ("case-update-in-exam", updated_during_exam, drop("end", "end answer")),
]

CASES = [*WORKLIST, *STEPS_RECEIVED, *COMMITMENTS, *QUERIES, *RETRIEVALS, *AVAILABILITY, *OTHERS, *FLOWS]


@pytest.mark.parametrize(("check_id", "base", "change"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_the_good_story_passes_and_the_change_fails(check_id: str, base: Base, change: Change) -> None:
    good = observed(check_id, base())
    assert good, "the check sees nothing in the good story"
    assert [(seen.summary, seen.expected, seen.actual) for seen in good if seen.ok is not True] == []
    story = base()
    change(story)
    assert [seen for seen in failing(check_id, story) if seen.ok is False], "the check does not see the defect"


GOOD: list[Base] = [
    asked(),
    asked(PatientName="Doe*", Modality="CT"),
    asked_twice,
    cancelled_order,
    cancelled_query,
    worklist_with_name,
    reported,
    grouped,
    negative,
    manager,
    destination_away,
    creator_reports,
    late_order,
    committed,
    partial,
    commit_state,
    requester_away,
    found("STUDY", PatientID="PID1"),
    found("SERIES", Modality="CT"),
    found("IMAGE"),
    invalid_hierarchy,
    unsupported_key,
    hidden,
    stored_twice,
    derived,
    retrieved,
    half_refused,
    none_taken,
    counting,
    got,
    cancelled_move,
    cancelled_images,
    patients,
    nowhere,
    updated,
    merged,
    renamed,
    everything,
    notified,
    notified_and_retrieved,
    one_missing,
    notice_received,
    availability_asked,
    display(PatientName="Doe*"),
    display("SERIES"),
    creator,
    whole_flow,
    updated_during_exam,
]


@pytest.mark.parametrize("base", GOOD, ids=[f"{number}-{base.__name__}" for number, base in enumerate(GOOD)])
def test_a_good_story_breaks_nothing(base: Base) -> None:
    exchange = base().exchange()
    broken = [
        (check.id, seen.summary, seen.expected, seen.actual)
        for check in CHECKS
        for seen in check(exchange)
        if seen.ok is not True
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("keyword", "asked_for", "sent"),
    [
        ("PatientName", "ROE*", "roe^*"),
        ("PatientName", "ROE", "*ROE*"),
        ("StudyDate", "20260102", "20260102-20260102"),
        ("StudyDate", "20260102-20260203", "20260101-"),
        ("ModalitiesInStudy", "CT", "CT"),
    ],
)
def test_a_question_may_be_written_otherwise(keyword: str, asked_for: str, sent: str) -> None:
    story = display(**{keyword: asked_for})()
    story.data("query")[keyword] = sent
    names = ("query-by-name", "query-by-date", "query-by-modalities")
    seen = [one for name in names for one in observed(name, story)]
    assert [one.ok for one in seen] == [True]


def test_legal_differences_of_an_archive_break_nothing() -> None:
    """An unknown value matches every key; a Retrieve AE Title above the image level and optional keys may lack."""
    story = found("STUDY", AccessionNumber="ACC1")()
    other = {**answers_at("STUDY")[0], "StudyInstanceUID": "1.2.999", "AccessionNumber": "", "RetrieveAETitle": ""}
    del other["ModalitiesInStudy"]
    story.add(
        Event("foreign", "C-FIND-RSP", FROM_SUT, other, {"Status": 0xFF01}, 1, STUDY_ROOT_FIND, "query"), after="query"
    )
    story.data("query fact")["universe"] = ["1.2.3.1"]
    for check_id in ("query-scp-study", "query-scp-retrieve", "query-scp-unsupported"):
        assert observed(check_id, story)
        assert failing(check_id, story) == []


def test_relational_queries_that_were_agreed_are_no_mistake() -> None:
    story = display("SERIES")()
    story.data("query")["StudyInstanceUID"] = ""
    assert failing("query-hierarchical", story)
    item = {"item": "ExtendedNegotiation", "sop_class": STUDY_ROOT_FIND, "information": "0100"}
    story["association accepted"].fields["user_items"] = [item]
    assert not failing("query-hierarchical", story)


def test_c_get_may_be_left_out() -> None:
    story = archive()
    story.associate("asked for get", TO_SUT, (STUDY_ROOT_GET,), 2)
    story["asked for get accepted"].fields["contexts"] = [{"id": 1, "result": 3}]
    assert [one.ok for one in observed("get-scp", story)] == [True]


def test_a_cancel_that_comes_too_late_is_not_held_against_the_archive() -> None:
    story = cancelled_move()
    story["move answer"].fields["Status"] = 0
    assert observed("retrieve-scp-cancel", story) == []
