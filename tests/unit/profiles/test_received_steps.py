"""What an order filler or manager may do with performed steps without breaking anything."""

from __future__ import annotations

from harness.profiles.journal import MPPS
from tests.unit.profiles.builders import FROM_SUT, TO_SUT, Story, observed
from tests.unit.profiles.stories.availability import availability_asked
from tests.unit.profiles.stories.changes import declare
from tests.unit.profiles.stories.exams import creation, ending, entry, series_item
from tests.unit.profiles.stories.received_steps import order_status, receiver
from tests.unit.profiles.test_across_checks import PID, PV1, filler, msh, order, request

#: checks that are shown here to pass and to fail
SHOWN = {"late-cancel"}


def second_step_of_an_order() -> Story:
    """The order was in progress when its second step began: nobody says so again."""
    story = Story(declare("DSS/Order Filler"))
    for number in (1, 2):
        keywords = {**entry(number, AccessionNumber="ACC1"), "PlacerOrderNumberImagingServiceRequest": "PL1"}
        story.fact("ORDER", f"order{number}", keywords=keywords)
        created = creation([entry(number, AccessionNumber="ACC1")], number)
        story.ask(f"create{number}", "N-CREATE-RQ", TO_SUT, MPPS, created, instance=f"1.2.5.{number}")
        if number == 1:
            story.add(order_status("IP", "in progress"))
    return story


def test_an_order_is_reported_in_progress_once() -> None:
    seen = observed("mpps-scp-tied", second_step_of_an_order())
    assert [one.ok for one in seen] == [True, True]
    story = second_step_of_an_order()
    story.add(order_status("IP", "another", "PL9"), after="create2 answer")
    story.drop("in progress")
    assert [one.ok for one in observed("mpps-scp-tied", story)] == [False, False]


def test_what_follows_a_refused_creation_is_not_judged_again() -> None:
    story = receiver()
    story["create answer"].fields["Status"] = 0x0110
    story["end answer"].fields["Status"] = 0x0110
    assert [one.ok for one in observed("mpps-scp-create", story)] == [False]
    assert observed("mpps-scp-unknown", story) == []


def cancelled_while_under_way(answer: str = "AE", told: str = "") -> Story:
    """An exam begins, its order is cancelled and refused or told (``told`` is ORC-1 of RAD-13), and the exam ends."""
    story = filler()
    story.ask("create", "N-CREATE-RQ", TO_SUT, MPPS, creation([entry()]), instance="1.2.5.1")
    cancel = [msh("ORM^O01", "8"), PID, PV1, order("CA", "PL1^A", ""), request(filler="", scheduled=False)]
    story.hl7("cancel", TO_SUT, cancel, actor="Order Placer")
    story.rewrite("cancel answer", "MSA|AA", f"MSA|{answer}")
    if told:
        lines = [msh("ORM^O01", "9"), PID, PV1, order(told, "PL1^A", "F1^B", "CA"), request()]
        study = "ZDS|1.2.3.1^^Application^DICOM"
        story.hl7("told", FROM_SUT, [*lines, study], actor="Image Manager/Archive")
    final = ending([series_item(1, ("1.2.6.1.1",))])
    story.ask("end", "N-SET-RQ", TO_SUT, MPPS, final, instance="1.2.5.1")
    return story


def test_a_cancel_of_an_exam_under_way_is_refused_or_told_as_discontinued() -> None:
    for story, good in (
        (cancelled_while_under_way(), True),
        (cancelled_while_under_way("AA", "DC"), True),
        (cancelled_while_under_way("AA", "CA"), False),
        (cancelled_while_under_way("AA"), False),
    ):
        assert [one.ok for one in observed("late-cancel", story)] == [good, True]
        assert observed("RAD-2-DST-02/cancelled", story) == [], "a cancel before the exam is another matter"


def test_an_exam_that_was_cancelled_under_way_goes_on() -> None:
    story = cancelled_while_under_way()
    story["end answer"].fields["Status"] = 0x0112
    assert [one.ok for one in observed("late-cancel", story)] == [True, False]
    assert observed("late-cancel", filler()) == []


def test_a_filler_may_ask_for_other_studies_than_performed_ones() -> None:
    story = availability_asked()
    story.data("query").update(QueryRetrieveLevel="STUDY", StudyInstanceUID="", PatientID="PID1")
    assert observed("availability-asked", story) == []
    story.data("query").update(StudyInstanceUID="1.2.3.1")
    assert [one.ok for one in observed("availability-asked", story)] == [False]
