"""What an order filler or manager may do with performed steps without breaking anything."""

from __future__ import annotations

from harness.profiles.journal import MPPS
from tests.unit.profiles.builders import TO_SUT, Story, creation, entry, observed
from tests.unit.profiles.test_provider_checks import declare, order_status, receiver


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
