"""Checks over HL7 and DICOM together: a good flow passes, one change fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.core.check import Declaration
from harness.profiles.journal import MWL_FIND
from harness.profiles.swf.checks import CHECKS
from tests.unit.profiles.builders import FROM_SUT, SC_IMAGE, TO_SUT, Story, failing, observed
from tests.unit.profiles.stories.archives import archive, ask_archive
from tests.unit.profiles.stories.exams import creation, entry, image, keys
from tests.unit.profiles.stories.retrievals import retrieved

Base = Callable[[], Story]
Change = Callable[[Story], object]

PID = "PID|||PID1^^^HOSP||Doe^Jane||19700101|F||||||||||ACCT1"
PV1 = "PV1||O||||||S1^Sender^Sam"


def msh(kind: str, control: str, version: str = "2.3.1") -> str:
    return f"MSH|^~\\&|A|B|C|D|20260102||{kind}|{control}|P|{version}"


def order(control: str, placer: str, filler: str, status: str = "") -> str:
    return f"ORC|{control}|{placer}|{filler}||{status}||^^^20260102103000"


def request(placer: str = "PL1^A", filler: str = "F1^B", *, scheduled: bool = True) -> str:
    """An OBR; scheduled ones hold accession, procedure, step, modality, start, and the procedure's code."""
    fields = [""] * 45
    fields[0], fields[2], fields[3] = "OBR", placer, filler
    fields[4] = "SVC^Service^99TEST^P1^Protocol^99TEST"
    fields[12], fields[13] = "^Walking", "Pacemaker"
    fields[16], fields[30], fields[31] = "D1^Doctor^Dora", "WALK", "^Cough"
    if scheduled:
        fields[18], fields[19], fields[20], fields[24] = "ACC1", "RP1", "SPS1", "CT"
        fields[27], fields[44] = "^^^20260102103000", "RPC1^Procedure^99TEST"
    return "|".join(fields)


def filler(**declared: Any) -> Story:
    """A patient is registered, an order placed, and the filler schedules and offers it."""
    story = Story(
        Declaration(
            frozenset({"DSS/Order Filler"}), declared.get("profiles", frozenset({"SWF"})), frozenset(), frozenset(), {}
        )
    )
    story.hl7("register", TO_SUT, [msh("ADT^A04", "1"), "EVN|A04|20260102", PID, PV1], actor="ADT")
    placed = [msh("ORM^O01", "2"), PID, PV1, order("NW", "PL1^A", ""), request(filler="", scheduled=False)]
    story.hl7("order", TO_SUT, placed, actor="Order Placer")
    plan = [msh("ORM^O01", "3"), PID, PV1, order("NW", "PL1^A", "F1^B", "SC"), request()]
    plan.append("ZDS|1.2.3.1^^Application^DICOM")
    story.hl7("schedule", FROM_SUT, plan, actor="Image Manager/Archive")
    identifier = keys()
    extra = {
        "PlacerOrderNumberImagingServiceRequest": "PL1",
        "FillerOrderNumberImagingServiceRequest": "F1",
        "RequestingPhysician": "Doctor^Dora",
        "ReferringPhysicianName": "Sender^Sam",
        "ReasonForTheRequestedProcedure": "Cough",
        "PatientTransportArrangements": "WALK",
        "PatientState": "Walking",
        "MedicalAlerts": "Pacemaker",
        "PregnancyStatus": "4",
    }
    identifier.update(dict.fromkeys(extra, ""))
    story.ask("query", "C-FIND-RQ", TO_SUT, MWL_FIND, identifier, status=None)
    story.answer("query", 0xFF00, {**entry(), **extra}, name="match")
    story.answer("query", 0, name="query answer")
    return story


def pregnant() -> Story:
    story = filler()
    story.rewrite("order", PV1, PV1 + "|||||||B6")
    story.data("match")["PregnancyStatus"] = "3"
    return story


def filler_b() -> Story:
    """The same in the form of SWF.b."""
    story = Story(Declaration(frozenset({"DSS/Order Filler"}), frozenset({"SWF.b"})))
    status = [msh("OMG^O19", "2", "2.5.1"), PID, PV1, order("SC", "PL1^A", "F1^B", "IP"), request(scheduled=False)]
    story.hl7("status", FROM_SUT, status, actor="Order Placer")
    plan = [msh("OMI^O23", "3", "2.5.1"), PID, PV1, order("NW", "PL1^A", "F1^B", "SC"), request(scheduled=False)]
    story.hl7("schedule", FROM_SUT, [*plan, "IPC|ACC1|RP1|1.2.3.1|SPS1|CT"], actor="Image Manager/Archive")
    return story


def adt() -> Story:
    story = Story(Declaration(frozenset({"ADT"}), frozenset({"SWF"})))
    lines = [msh("ADT^A04", "1"), "EVN|A04|20260102", PID, PV1]
    story.hl7("placer", FROM_SUT, lines, actor="Order Placer")
    story.hl7("filler", FROM_SUT, lines, actor="DSS/Order Filler")
    story.hl7("other", FROM_SUT, [msh("ADT^A04", "9"), "EVN|A04|20260103", PID, PV1], actor="DSS/Order Filler")
    story.hl7("other too", FROM_SUT, [msh("ADT^A04", "9"), "EVN|A04|20260103", PID, PV1], actor="Order Placer")
    return story


def placer() -> Story:
    story = Story(Declaration(frozenset({"Order Placer"}), frozenset({"SWF"})))
    story.hl7("register", TO_SUT, [msh("ADT^A04", "1"), "EVN|A04|20260102", PID, PV1], actor="ADT")
    story.hl7("order", FROM_SUT, [msh("ORM^O01", "2"), PID, PV1, order("NW", "PL1^A", "")], actor="DSS/Order Filler")
    lines = [msh("ORM^O01", "3"), PID, PV1, order("SC", "PL1^A", "F1^B", "IP")]
    story.hl7("status", TO_SUT, lines, actor="DSS/Order Filler")
    return story


def changed_order() -> Story:
    story = Story(Declaration(frozenset({"DSS/Order Filler"}), frozenset({"SWF"})))
    old = "ZDS|1.2.3.1^^Application^DICOM"
    story.hl7("cancel", FROM_SUT, [msh("ORM^O01", "1"), PID, PV1, order("OC", "PL1^A", "F1^B")], actor="Order Placer")
    withdraw = [msh("ORM^O01", "2"), PID, PV1, order("CA", "PL1^A", "F1^B", "CA"), request(), old]
    story.hl7("withdraw", FROM_SUT, withdraw, actor="Image Manager/Archive")
    story.hl7("new", FROM_SUT, [msh("ORM^O01", "3"), PID, PV1, order("SN", "", "F2^B")], actor="Order Placer")
    plan = [msh("ORM^O01", "4"), PID, PV1, order("NW", "PL2^A", "F2^B", "SC"), request("PL2^A", "F2^B")]
    story.hl7("schedule", FROM_SUT, [*plan, "ZDS|1.2.3.9^^Application^DICOM"], actor="Image Manager/Archive")
    return story


def appointments() -> Story:
    story = Story(Declaration(frozenset({"DSS/Order Filler"}), frozenset({"SWF"})))
    for number, trigger in enumerate(("S12", "S13", "S15")):
        story.hl7(trigger, FROM_SUT, [msh(f"SIU^{trigger}", str(number)), "SCH||AP1|||||"], actor="Order Placer")
    return story


def merge_message(story: Story) -> None:
    lines = [msh("ADT^A40", "7"), "EVN|A40|20260102", PID.replace("PID1", "PID9"), "MRG|PID1^^^HOSP"]
    story.hl7("merge", TO_SUT, lines, actor="ADT")


def merged_archive() -> Story:
    story = archive()
    merge_message(story)
    ask_archive(story, "STUDY", {"PatientID": "PID9"}, "after-merge")
    story.data("query match1")["PatientID"] = "PID9"
    ask_archive(story, "STUDY", {"PatientID": "PID1"}, "after-merge", "old")
    story.drop("old match1")
    return story


def late_images() -> Story:
    story = Story(archive().sut)
    merge_message(story)
    story.ask("late", "C-STORE-RQ", TO_SUT, SC_IMAGE, image(creation([entry()]), "1.2.6.1.1"), instance="1.2.6.1.1")
    ask_archive(story, "STUDY", {"PatientID": "PID9"}, "after-merge")
    story.data("query match1")["PatientID"] = "PID9"
    story.data("query match1")["NumberOfStudyRelatedInstances"] = "1"
    return story


def renamed_archive() -> Story:
    story = retrieved()
    lines = [msh("ADT^A08", "7"), "EVN|A08|20260102", PID.replace("Doe^Jane", "New^Name")]
    story.hl7("update", TO_SUT, lines, actor="ADT")
    told = [story.events.pop(), story.events.pop()]
    for event in reversed(told):
        story.add(event, before="query")
    story.data("query match1")["PatientName"] = "New^Name"
    for number in (1, 2):
        story.data(f"got{number}")["PatientName"] = "New^Name"
    return story


def filler_merge() -> Story:
    story = filler()
    merge_message(story)
    story.ask("again", "C-FIND-RQ", TO_SUT, MWL_FIND, {**keys(), "PatientID": "PID1"})
    return story


def put(event: str, keyword: str, value: Any) -> Change:
    return lambda story: story.data(event).update({keyword: value})


def rewrite(event: str, old: str, new: str) -> Change:
    return lambda story: story.rewrite(event, old, new)


def drop(*events: str) -> Change:
    return lambda story: story.drop(*events)


def step(**changes: Any) -> Change:
    return lambda story: story.data("match")["ScheduledProcedureStepSequence"][0].update(changes)


def found_again(story: Story) -> None:
    story.answer("again", 0xFF00, entry(), name="again match")
    story.add(story.events.pop(story.events.index(story["again answer"])), after="again match")


CASES: list[tuple[str, Base, Change]] = [
    ("xc-patient-hl7", filler, rewrite("schedule", "Doe^Jane", "Doe^John")),
    ("xc-patient-hl7", filler, put("match", "PatientSex", "M")),
    ("xc-order-numbers", filler, rewrite("schedule", "PL1", "PL7")),
    ("xc-order-numbers", filler, put("match", "FillerOrderNumberImagingServiceRequest", "F7")),
    ("xc-study-uid", filler, put("match", "StudyInstanceUID", "1.2.3.7")),
    ("xc-identifiers", filler, put("match", "AccessionNumber", "0001")),
    ("xc-codes-hl7", filler, rewrite("schedule", "RPC1", "RPC7")),
    ("xc-start", filler, step(ScheduledProcedureStepStartTime="113000")),
    ("xc-start", filler, step(ScheduledProcedureStepStartDate="20260103")),
    ("xc-order-details", filler, put("match", "ReasonForTheRequestedProcedure", "")),
    ("xc-order-details", filler, put("match", "RequestingPhysician", "Dora^Doctor")),
    ("xc-order-details", pregnant, put("match", "PregnancyStatus", "4")),
    ("swfb-orders", filler_b, rewrite("status", "OMG^O19", "ORM^O01")),
    ("swfb-schedules", filler_b, rewrite("schedule", "OMI^O23", "OMG^O19")),
    ("adt-reaches-all", adt, drop("placer", "placer answer")),
    ("placer-does-all", placer, drop("order", "order answer")),
    ("filler-change", changed_order, drop("withdraw", "withdraw answer")),
    ("filler-change", changed_order, rewrite("schedule", "1.2.3.9", "1.2.3.1")),
    ("appointment-moved", appointments, lambda s: s.hl7("more", FROM_SUT, [msh("SIU^S13", "8"), "SCH||AP1|||||"])),
    ("archive-updated", renamed_archive, put("query match1", "PatientName", "Doe^Jane")),
    ("archive-merged", merged_archive, put("query match1", "StudyInstanceUID", "1.2.3.7")),
    ("archive-objects-updated", renamed_archive, put("got1", "PatientName", "Doe^Jane")),
    ("archive-objects-updated", renamed_archive, put("got1", "SeriesInstanceUID", "1.2.4.7")),
    ("archive-late-images", late_images, drop("query match1")),
    ("case-filler-registered", filler_merge, found_again),
]


@pytest.mark.parametrize(("check_id", "base", "change"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_the_good_story_passes_and_the_change_fails(check_id: str, base: Base, change: Change) -> None:
    good = observed(check_id, base())
    assert good, "the check sees nothing in the good story"
    assert [(seen.summary, seen.expected, seen.actual) for seen in good if seen.ok is not True] == []
    story = base()
    change(story)
    assert [seen for seen in failing(check_id, story) if seen.ok is False], "the check does not see the defect"


def numbers_with_application() -> Story:
    story = filler()
    story.data("match").update(
        PlacerOrderNumberImagingServiceRequest="PL1^A", FillerOrderNumberImagingServiceRequest="F1^B^1.2^ISO"
    )
    return story


def copies_of_two_moments() -> Story:
    """An ADT that renders each copy for itself, and sends one again because it was not acknowledged."""
    story = adt()
    story.rewrite("filler", "EVN|A04|20260102", "EVN|A04|20260102093011.5")
    lines = [msh("ADT^A04", "1"), "EVN|A04|20260102", PID, PV1]
    story.hl7("once more", FROM_SUT, lines, actor="Order Placer")
    return story


GOOD: list[Base] = [
    numbers_with_application,
    copies_of_two_moments,
    filler,
    pregnant,
    filler_b,
    adt,
    placer,
    changed_order,
    appointments,
    merged_archive,
    late_images,
    renamed_archive,
    filler_merge,
]


@pytest.mark.parametrize("base", GOOD, ids=[base.__name__ for base in GOOD])
def test_a_good_story_breaks_nothing(base: Base) -> None:
    exchange = base().exchange()
    broken = [
        (check.id, seen.summary, seen.expected, seen.actual)
        for check in CHECKS
        for seen in check(exchange)
        if seen.ok is not True
    ]
    assert broken == []
