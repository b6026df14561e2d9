"""What holds for all checks: each can fail, none speaks of what is not there, garbage earns nothing."""

from __future__ import annotations

import dataclasses

import pytest

from harness.core.check import Declaration, Exchange, judge
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import requirements
from harness.profiles.swf.checks import CHECKS
from tests.unit.profiles import test_across_checks, test_modality_checks, test_provider_checks, test_received_steps
from tests.unit.profiles.builders import Story
from tests.unit.profiles.stories.archives import archive
from tests.unit.profiles.stories.exams import exam
from tests.unit.profiles.stories.retrievals import retrieved
from tests.unit.profiles.stories.worklists import asked

CASES = (*test_modality_checks.CASES, *test_provider_checks.CASES, *test_across_checks.CASES)
COVERED = {case[0] for case in CASES} | test_received_steps.SHOWN


def test_every_check_is_shown_to_pass_and_to_fail() -> None:
    assert sorted({check.id for check in CHECKS} - COVERED) == []


@pytest.mark.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])
def test_nothing_is_said_of_what_is_not_there(check: object) -> None:
    assert check in CHECKS
    found = next(c for c in CHECKS if c is check)
    assert list(found(Exchange(Transcript(), Declaration()))) == []


def garbage(story: Story) -> Story:
    """The same messages with data sets that nobody can read."""
    for event in story.events:
        if event.direction is Direction.FROM_SUT and event.data is not None:
            event.raw = b"\x00\x01garbage that is no data set\xff" * 3
    return story


@pytest.mark.parametrize("base", [exam, asked(), archive, retrieved], ids=["exam", "worklist", "archive", "retrieve"])
def test_garbage_raises_nothing_and_breaks_something(base: object) -> None:
    assert callable(base)
    exchange = garbage(base()).exchange()
    seen = [found for check in CHECKS for found in judge(check, requirements()[check.requirement], exchange)]
    assert [found.summary for found in seen if found.verdict is Verdict.ERROR] == []
    if base is not archive:  # there the product sends no data set at all
        assert any(found.verdict >= Verdict.WARNING for found in seen)


def test_garbage_is_not_praised_for_what_it_leaves_out() -> None:
    exchange = garbage(exam()).exchange()
    check = next(check for check in CHECKS if check.id == "mpps-fixed")
    assert [seen.ok for seen in check(exchange)] == [None]


def test_a_focus_narrows_the_judgement_to_one_message() -> None:
    exchange = exam().exchange()
    first = exchange.transcript.select("C-STORE-RQ")[0]
    check = next(check for check in CHECKS if check.id == "store-patient")
    everything = list(check(exchange))
    focused = list(check(dataclasses.replace(exchange, focus=first)))
    assert 0 < len(focused) < len(everything)
    assert all(first.seq in seen.evidence for seen in focused)


def test_evidence_names_messages_only() -> None:
    for base in (exam, asked(), retrieved):
        exchange = base().exchange()
        messages = {message.seq for message in exchange.transcript.messages}
        for check in CHECKS:
            for seen in check(exchange):
                assert set(seen.evidence) <= messages, check.id


def test_severity_follows_the_requirement() -> None:
    story = exam()
    story.data("create")["StudyID"] = "OTHER"
    check = next(check for check in CHECKS if check.id == "mpps-study-id")
    found = judge(check, requirements()[check.requirement], story.exchange())
    assert [finding.verdict for finding in found] == [Verdict.WARNING], "a recommendation never fails a product"
