"""Each check of the modality's side: the good exam passes it, one change fails it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.profiles.journal import MPPS
from harness.profiles.swf.checks import CHECKS
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, Event, Story, failing, observed
from tests.unit.profiles.stories.exams import (
    append,
    code,
    creation,
    entry,
    exam,
    image,
    perform,
    references,
    series_item,
    unscheduled,
)
from tests.unit.profiles.stories.modality import (
    PPS,
    REASON,
    SSAS,
    Base,
    abandoned,
    accented,
    deviating,
    discontinued,
    manager_away,
    nothing_found,
    partly_failed,
    provider_away,
    provider_failed,
    queried,
    refused_image,
    requeried,
    result_at_once,
    stalled,
    started_then_finished,
    two_procedures,
    two_sets,
    two_steps,
    wrong_entry,
)

Change = Callable[[Story], object]


def put(event: str, keyword: str, value: Any) -> Change:
    return lambda story: story.data(event).update({keyword: value})


def without(event: str, keyword: str) -> Change:
    return lambda story: story.data(event).pop(keyword)


def item(event: str, sequence: str, keyword: str, value: Any, number: int = 0) -> Change:
    return lambda story: story.data(event)[sequence][number].update({keyword: value})


def no_item_key(event: str, sequence: str, keyword: str) -> Change:
    return lambda story: story.data(event)[sequence][0].pop(keyword)


def status(event: str, value: int) -> Change:
    return lambda story: story[event].fields.update({"Status": value})


def drop(*events: str) -> Change:
    return lambda story: story.drop(*events)


def shortened(story: Story) -> None:
    story.drop("image2", "image2 answer")


def unreleased_second_set(story: Story) -> None:
    story.ask("late", "N-SET-RQ", FROM_SUT, MPPS, {"PerformedProcedureStepStatus": "COMPLETED"}, instance="1.2.5.1")


def create_after_image(story: Story) -> None:
    moved = [story["create"], story["create answer"]]
    story.drop("create", "create answer")
    for event in moved:
        story.add(event, before="end")


def announced_at_the_end(story: Story) -> None:
    moved = [story["finish"]]
    story.drop("finish")
    story.add(moved[0], before="create")


def performed_as_planned(story: Story) -> None:
    story.data("create").update(PerformedProtocolCodeSequence=[code("P1")], ProcedureCodeSequence=[code("RPC1")])


def created_twice(story: Story) -> None:
    story.ask("twin", "N-CREATE-RQ", FROM_SUT, MPPS, story.data("create"), instance="1.2.5.1", status=0x0111)


def second_exam_same_id(story: Story) -> None:
    perform(story, creation([entry()], 1), 2)


def refuse_call(story: Story) -> None:
    story["call accepted"].kind = "A-ASSOCIATE-RJ"
    story["call accepted"].fields = {"result": 1}
    story.drop("result", "result answer")


def second_context(story: Story) -> None:
    story["association"].fields["contexts"][0]["transfer_syntaxes"] = ["1.2.840.10008.1.2.1"]


def aborted_query(story: Story) -> None:
    story.drop("query answer")
    story.add(Event("abort", "A-ABORT", FROM_SUT, association=1), after="query match1")


def released_query(story: Story) -> None:
    story.drop("query answer")
    story.add(Event("release", "A-RELEASE-RQ", FROM_SUT, association=1), after="query match1")


def other_content_same_uid(story: Story) -> None:
    again = image(story.data("create"), "1.2.6.1.1", InstanceNumber="7")
    story.ask("twin", "C-STORE-RQ", FROM_SUT, SC_IMAGE, again, instance="1.2.6.1.1")


CASES: list[tuple[str, Base, Change]] = [
    ("mwl-scu-class", exam, lambda s: s["query"].fields.update(AbstractSyntax="1.2.840.10008.5.1.4.1.2.2.1")),
    ("mwl-scu-implicit-vr", exam, second_context),
    ("mwl-scu-one-step-item", exam, put("query", "Modality", "CT")),
    ("mwl-scu-one-step-item", exam, put("query", "ScheduledProcedureStepSequence", [])),
    ("mwl-scu-by-name", queried(PatientName="Doe*"), put("query", "PatientID", "PID1")),
    ("mwl-scu-by-patient-id", queried(PatientID="PID1"), put("query", "PatientID", "")),
    ("mwl-scu-by-accession", queried(AccessionNumber="ACC1"), put("query", "AccessionNumber", "")),
    ("mwl-scu-by-procedure-id", queried(RequestedProcedureID="RP1"), put("query", "PatientName", "Doe*")),
    ("mwl-scu-by-several", queried(PatientID="PID1", AccessionNumber="ACC1"), put("query", "AccessionNumber", "")),
    (
        "mwl-scu-by-date",
        queried(ScheduledProcedureStepStartDate="20260102"),
        item("query", "ScheduledProcedureStepSequence", "ScheduledProcedureStepStartDate", ""),
    ),
    (
        "mwl-scu-by-date-modality",
        queried(ScheduledProcedureStepStartDate="20260102", Modality="CT"),
        item("query", "ScheduledProcedureStepSequence", "Modality", ""),
    ),
    (
        "mwl-scu-by-date-station",
        queried(ScheduledProcedureStepStartDate="20260102", ScheduledStationAETitle="PRODUCT"),
        item("query", "ScheduledProcedureStepSequence", "ScheduledStationAETitle", ""),
    ),
    (
        "mwl-scu-date-range",
        queried(ScheduledProcedureStepStartDate="20260102-20260104"),
        item("query", "ScheduledProcedureStepSequence", "ScheduledProcedureStepStartDate", "20260102"),
    ),
    ("mwl-scu-procedure-return-keys", exam, without("query", "StudyInstanceUID")),
    ("mwl-scu-patient-return-keys", exam, without("query", "PatientSex")),
    (
        "mwl-scu-protocol-codes",
        exam,
        no_item_key("query", "ScheduledProcedureStepSequence", "ScheduledProtocolCodeSequence"),
    ),
    ("mwl-scu-all-responses", exam, aborted_query),
    ("mwl-scu-all-responses", exam, released_query),
    ("mwl-scu-all-responses", queried(PatientID="PID1"), put("outcome", "answers", {"entries": 0})),
    ("mwl-scu-zero-matches", nothing_found, put("outcome", "answers", {"entries": 0, "error": "failed"})),
    ("mwl-scu-failure", provider_failed, put("outcome", "answers", {"entries": 0, "error": ""})),
    ("mwl-scu-newest-answer", requeried, put("create", "PatientName", "Old^Name")),
    ("mwl-scu-text-copied", accented, put("create", "PatientName", "Muller^Jurgen")),
    ("mwl-scu-text-copied", accented, put("image1", "PatientName", "Müller^Jürgen")),
    ("mwl-scu-provider-down", provider_away, drop("image1", "image1 answer", "image2", "image2 answer")),
    # RAD-6
    ("mpps-created-first", exam, create_after_image),
    ("mpps-created-first", exam, drop("create", "create answer", "end", "end answer")),
    ("mpps-created-first", started_then_finished, announced_at_the_end),
    ("mpps-append", append, drop("create2", "create2 answer")),
    ("mpps-in-progress", exam, put("create", f"{PPS}Status", "COMPLETED")),
    ("mpps-create-type-1", exam, put("create", "PerformedStationAETitle", "")),
    ("mpps-create-type-1", exam, item("create", SSAS, "StudyInstanceUID", "")),
    ("mpps-create-type-1", exam, lambda s: setattr(s["create"], "raw", b"garbage!")),
    ("mpps-create-type-2", exam, without("create", f"{PPS}EndDate")),
    ("mpps-item-type-2", exam, no_item_key("create", SSAS, "ReferencedStudySequence")),
    ("mpps-simple-copies", exam, item("create", SSAS, "StudyInstanceUID", "1.2.3.77")),
    ("mpps-simple-copies", exam, put("create", SSAS, [])),
    ("mpps-patient", exam, put("create", "PatientSex", "M")),
    ("mpps-id-unique", exam, second_exam_same_id),
    ("mpps-set-what-was-created", discontinued, without("create", REASON)),
    ("mpps-unscheduled", unscheduled, item("create", SSAS, "AccessionNumber", "INVENTED")),
    ("mpps-unscheduled", unscheduled, no_item_key("create", SSAS, "RequestedProcedureID")),
    ("mpps-group-items", two_steps, lambda s: s.data("create")[SSAS].pop()),
    ("mpps-group-items", two_procedures, item("create", SSAS, "AccessionNumber", "ACC1", 1)),
    ("mpps-group-study", two_procedures, item("create", SSAS, "StudyInstanceUID", "1.2.3.2", 1)),
    ("mpps-group-study", two_procedures, item("create", SSAS, "ReferencedStudySequence", [], 1)),
    ("mpps-append", append, put("create2", f"{PPS}ID", "PPS1")),
    ("mpps-append", append, item("create2", SSAS, "AccessionNumber", "")),
    ("mpps-deviation", deviating, item("create", SSAS, "ScheduledProtocolCodeSequence", [code("OTHER")])),
    ("mpps-deviation", deviating, item("create", SSAS, "RequestedProcedureDescription", "Something else")),
    ("mpps-deviation", deviating, performed_as_planned),
    ("mpps-assisted-protocol", exam, put("create", "PerformedProtocolCodeSequence", [])),
    ("mpps-sent-once", exam, created_twice),
    ("mpps-queued", manager_away, drop("create", "create answer", "end", "end answer")),
    ("mpps-charset", accented, without("create", "SpecificCharacterSet")),
    ("mpps-charset", accented, put("end", "SpecificCharacterSet", "ISO_IR 100")),
    ("mpps-study-id", exam, put("create", "StudyID", "OTHER")),
    # RAD-7
    ("mpps-ended", exam, drop("end", "end answer")),
    ("mpps-ended", exam, lambda s: s["end"].fields.update(RequestedSOPInstanceUID="1.2.5.77")),
    ("mpps-end-time", exam, put("end", f"{PPS}EndTime", "090000")),
    ("mpps-end-time", exam, put("end", f"{PPS}EndDate", "")),
    ("mpps-series", exam, put("end", "PerformedSeriesSequence", [])),
    ("mpps-series", exam, item("end", "PerformedSeriesSequence", "ProtocolName", "")),
    ("mpps-series-type-2", exam, no_item_key("end", "PerformedSeriesSequence", "RetrieveAETitle")),
    ("mpps-all-instances", exam, put("end", "PerformedSeriesSequence", [series_item(1, ["1.2.6.1.1"])])),
    ("mpps-whole-sequences", two_sets, put("end", "PerformedSeriesSequence", [series_item(9, ["1.2.6.1.1"])])),
    ("mpps-fixed", exam, put("end", "Modality", "CT")),
    ("mpps-closed", exam, unreleased_second_set),
    ("mpps-end-prompt", stalled, lambda s: s.add(s.events.pop(s.events.index(s["end"])), after="image2 answer")),
    ("mpps-discontinued", discontinued, put("end", f"{PPS}Status", "COMPLETED")),
    ("mpps-discontinued", exam, put("end", f"{PPS}Status", "DISCONTINUED")),
    ("mpps-reason", discontinued, put("end", REASON, [code("999", "Whatever", "99X")])),
    ("mpps-wrong-entry", wrong_entry, put("end", REASON, [code("110513", "Unspecified", "DCM")])),
    ("mpps-wrong-entry-anew", wrong_entry, lambda s: s["image2-1"].fields.update(AffectedSOPInstanceUID="1.2.6.1.1")),
    (
        "mpps-billing",
        exam,
        lambda s: [
            s.data("end").pop(k)
            for k in ("BillingProcedureStepSequence", "FilmConsumptionSequence", "BillingSuppliesAndDevicesSequence")
        ],
    ),
    ("mpps-billing-items", exam, put("end", "BillingProcedureStepSequence", [{"CodeValue": "1"}])),
    ("mpps-billing-items", exam, put("end", "BillingSuppliesAndDevicesSequence", [{"QuantitySequence": []}])),
    ("mpps-billing-items", exam, put("end", "FilmConsumptionSequence", [{"NumberOfFilms": "1"}])),
    ("mpps-abandoned", abandoned, put("end", "PerformedSeriesSequence", [series_item(1, ["1.2.6.1.1"])])),
    ("mpps-abandoned", abandoned, put("end", "PerformedSeriesSequence", [])),
    ("mpps-broken-off", discontinued, put("end", "PerformedSeriesSequence", [series_item(1, [])])),
    ("mpps-reason-chosen", discontinued, put("end", REASON, [code("110500", "Doctor cancelled", "DCM")])),
    # RAD-8
    ("store-class", exam, lambda s: s["image1"].fields.update(AffectedSOPClassUID="1.2.3")),
    ("store-patient", exam, put("image1", "PatientID", "PID2")),
    ("store-study-uid", exam, put("image1", "StudyInstanceUID", "1.2.3.77")),
    ("store-accession", exam, put("image2", "AccessionNumber", "1")),
    ("store-accession", unscheduled, put("image2", "AccessionNumber", "1")),
    ("store-request", exam, without("image1", "RequestAttributesSequence")),
    ("store-request", exam, item("image1", "RequestAttributesSequence", "ScheduledProtocolCodeSequence", [])),
    ("store-step-reference", exam, without("image1", "ReferencedPerformedProcedureStepSequence")),
    ("store-step-attributes", exam, put("image1", f"{PPS}StartTime", "110000")),
    ("store-protocol-code", exam, put("image1", "PerformedProtocolCodeSequence", [code("X")])),
    ("store-procedure-code", exam, put("image1", "ProcedureCodeSequence", [code("X")])),
    ("store-referenced-study", exam, without("image1", "ReferencedStudySequence")),
    ("store-study-id", exam, put("image1", "StudyID", "X")),
    ("store-study-date", exam, put("image1", "StudyTime", "104001")),
    ("store-series", exam, put("image1", "SeriesInstanceUID", "1.2.4.77")),
    ("store-series", exam, put("image1", "ProtocolName", "Foot")),
    ("store-series-in-one-step", append, put("image2-1", "SeriesInstanceUID", "1.2.4.1")),
    ("store-group-items", two_steps, lambda s: s.data("image1")["RequestAttributesSequence"].pop()),
    ("store-group-items", two_procedures, lambda s: s.data("image1")["ReferencedStudySequence"].pop()),
    ("store-group-accession", two_procedures, put("image1", "AccessionNumber", "ACC1")),
    ("store-uid", exam, other_content_same_uid),
    ("store-refused", refused_image, drop("image1 again", "again answer")),
    ("store-lost", refused_image, drop("image1 again", "again answer")),
    ("store-object", exam, without("image1", "Rows")),
    # RAD-10
    ("commit-instance", exam, lambda s: s["commit"].fields.update(ActionTypeID=2)),
    ("commit-transaction-uid", append, put("commit2", "TransactionUID", "1.2.7.1")),
    ("commit-sent-once", exam, put("commit", "ReferencedSOPSequence", references(["1.2.6.1.1"] * 2))),
    ("commit-sent-once", exam, put("commit", "ReferencedSOPSequence", references(["1.2.6.9.9"]))),
    ("commit-covered", exam, put("commit", "ReferencedSOPSequence", references(["1.2.6.1.1"]))),
    ("commit-same", result_at_once, status("result answer", 0x0110)),
    ("commit-other", exam, refuse_call),
    ("commit-other", exam, lambda s: s["call accepted"].fields.update(user_items=[])),
    ("commit-answered", exam, drop("result answer")),
    ("commit-failure-recovered", partly_failed, drop("again", "again answer", "commit again", "commit again answer")),
    ("commit-failed-taken", partly_failed, status("result answer", 0x0110)),
    ("commit-late-taken", exam, status("result answer", 0x0112)),
    ("commit-consistent", exam, put("commit", "ReferencedSOPSequence", references(["1.2.6.1.1"]))),
    # whole exchange
    ("xc-patient-step", exam, put("create", "PatientBirthDate", "19710101")),
    ("xc-scheduled-step", exam, item("create", SSAS, "ScheduledProcedureStepDescription", "Other")),
    ("xc-patient-images", exam, put("image1", "PatientName", "Doe^John")),
    ("xc-scheduled-images", exam, put("image1", "AccessionNumber", "OTHER")),
    ("xc-step-uid", exam, without("image1", "ReferencedPerformedProcedureStepSequence")),
    ("xc-step-attributes", exam, put("image1", f"{PPS}ID", "X")),
    ("xc-study-id", exam, put("image1", "StudyID", "X")),
    ("xc-codes", exam, put("image1", "ProcedureCodeSequence", [])),
    ("xc-modality", exam, put("image1", "Modality", "MR")),
    ("xc-listed-stored", exam, shortened),
    ("xc-series", exam, put("image1", "SeriesDescription", "Other")),
    ("xc-ids", exam, put("image1", f"{PPS}ID", "X")),
    ("xc-text", accented, put("image1", "PatientName", "Müller^Jürgen=山田^次郎=やまだ^たろう")),
    ("xc-name-groups", accented, put("create", "PatientName", "Müller^Jürgen")),
    ("xc-unscheduled", unscheduled, put("image1", "StudyInstanceUID", "1.2.9.8")),
    (
        "xc-unscheduled",
        unscheduled,
        put("image1", "RequestAttributesSequence", [{"ScheduledProcedureStepID": "INVENTED"}]),
    ),
    ("xc-group", two_steps, lambda s: s.data("image1")["RequestAttributesSequence"].pop()),
    ("xc-append", append, item("end2", "PerformedSeriesSequence", "SeriesInstanceUID", "1.2.4.1")),
    ("xc-order-of-events", exam, create_after_image),
    ("uids-well-formed", exam, put("image1", "SeriesInstanceUID", "1.2.04.1")),
    ("values-within-length", exam, put("image1", "AccessionNumber", "A" * 17)),
    # cases
    ("case-unscheduled", unscheduled, item("create", SSAS, "ScheduledProcedureStepID", "INVENTED")),
    ("case-other-procedure", deviating, item("create", SSAS, "ScheduledProcedureStepDescription", "Other")),
    ("case-append", append, put("create2", f"{PPS}ID", "PPS1")),
    ("case-group-one", two_steps, lambda s: s.data("create")[SSAS].pop()),
    ("case-group-two", two_procedures, item("create", SSAS, "StudyInstanceUID", "1.2.3.1")),
    # declarations
    ("declared-modality", exam, drop("commit", "commit answer")),
    ("declared-worklist-option", exam, lambda s: s.declare(options=())),
    ("declared-options", exam, lambda s: s.declare(options=("Web Content",))),
    ("declared-assisted", exam, lambda s: s.declare(actors=("Image Display",))),
    ("declared-exception", exam, lambda s: s.declare(actors=("Image Display",))),
    ("declared-group", exam, lambda s: s.declare(actors=("Image Display",))),
    ("declared-billing", exam, lambda s: s.declare(actors=("Image Display",))),
]


@pytest.mark.parametrize(("check_id", "base", "change"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_the_good_story_passes_and_the_change_fails(check_id: str, base: Base, change: Change) -> None:
    good = observed(check_id, base())
    assert good, "the check sees nothing in the good story"
    assert [seen.summary for seen in good if seen.ok is not True] == []
    story = base()
    change(story)
    assert [seen for seen in failing(check_id, story) if seen.ok is False], "the check does not see the defect"


GOOD: list[Base] = [
    exam,
    two_steps,
    two_procedures,
    unscheduled,
    append,
    queried(PatientName="Doe*"),
    nothing_found,
    provider_failed,
    requeried,
    accented,
    provider_away,
    deviating,
    discontinued,
    abandoned,
    wrong_entry,
    two_sets,
    stalled,
    result_at_once,
    partly_failed,
    manager_away,
    refused_image,
]


@pytest.mark.parametrize("base", GOOD, ids=[base.__name__ for base in GOOD])
def test_a_good_story_breaks_nothing(base: Base) -> None:
    exchange = base().exchange()
    broken = [(check.id, seen.summary) for check in CHECKS for seen in check(exchange) if seen.ok is not True]
    assert broken == []
