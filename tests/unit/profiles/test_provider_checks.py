"""Each check of order fillers, managers, archives, displays and creators: a good story passes, one change fails."""

from __future__ import annotations

import pytest

from harness.profiles.journal import (
    STUDY_ROOT_FIND,
)
from harness.profiles.swf.checks import CHECKS
from tests.unit.profiles.builders import (
    FROM_SUT,
    TO_SUT,
    Event,
    failing,
    observed,
)
from tests.unit.profiles.stories.archives import (
    COMMITMENTS,
    QUERIES,
    answers_at,
    archive,
    cancelled_images,
    commit_state,
    committed,
    derived,
    found,
    hidden,
    invalid_hierarchy,
    partial,
    patients,
    requester_away,
    stored_twice,
    unsupported_key,
)
from tests.unit.profiles.stories.askers import FLOWS, OTHERS, creator, display, updated_during_exam, whole_flow
from tests.unit.profiles.stories.availability import (
    AVAILABILITY,
    availability_asked,
    notice_received,
    notified,
    notified_and_retrieved,
    one_missing,
)
from tests.unit.profiles.stories.changes import Base, Change
from tests.unit.profiles.stories.received_steps import (
    STEPS_RECEIVED,
    creator_reports,
    destination_away,
    grouped,
    late_order,
    manager,
    negative,
    reported,
)
from tests.unit.profiles.stories.retrievals import (
    RETRIEVALS,
    STUDY_ROOT_GET,
    cancelled_move,
    counting,
    everything,
    got,
    half_refused,
    merged,
    none_taken,
    nowhere,
    renamed,
    retrieved,
    updated,
)
from tests.unit.profiles.stories.worklists import (
    WORKLIST,
    asked,
    asked_twice,
    cancelled_order,
    cancelled_query,
    worklist_with_name,
)

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


def test_what_a_creator_made_and_got_back_is_no_source_of_it() -> None:
    story = creator()
    made = story.data("image1")
    story.ask("back", "C-STORE-RQ", TO_SUT, made["SOPClassUID"], dict(made), instance=made["SOPInstanceUID"])
    assert observed("creator-series", story)
    assert not failing("creator-series", story)


def test_a_presentation_state_names_no_step_of_its_creator() -> None:
    story = creator()
    state = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1", "SOPInstanceUID": "1.2.9.9", "Modality": "PR"}
    state |= {"StudyInstanceUID": story.data("image1")["StudyInstanceUID"], "SeriesInstanceUID": "1.2.9"}
    story.ask("state", "C-STORE-RQ", FROM_SUT, state["SOPClassUID"], state, instance=state["SOPInstanceUID"])
    assert observed("creator-own-step", story)
    assert not failing("creator-own-step", story)
