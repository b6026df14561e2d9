"""RAD-23: what composers and printers may do otherwise than usual, and the like of it that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.message import Direction
from harness.profiles.cpi import facts
from harness.profiles.cpi.checks import CHECKS
from harness.profiles.cpi.mapping import printing as table
from harness.profiles.facts import OUTCOME
from tests.unit.profiles.builders import Event, Story

FROM_SUT, TO_SUT = Direction.FROM_SUT, Direction.TO_SUT
COLOUR = "1.2.840.10008.5.1.1.18"


class Print:
    """A story of print operations; the composer is the product, or we are."""

    def __init__(self, direction: Direction = FROM_SUT) -> None:
        self.story, self.direction = Story(), direction

    def opened(self, *classes: str, number: int = 1) -> None:
        self.story.associate(f"association {number}", self.direction, classes, number)

    def do(
        self,
        kind: str,
        sop_class: str,
        uid: str,
        data: dict[str, Any] | None = None,
        *,
        status: int = 0,
        answer: dict[str, Any] | None = None,
        name: str = "",
        association: int = 1,
        syntax: str = table.META,
    ) -> str:
        name = name or f"{kind} {uid} {len(self.story.events)}"
        self.story.ask(
            name, f"{kind}-RQ", self.direction, sop_class, data, instance=uid, association=association, status=None,
            fields={"AbstractSyntax": syntax},
        )  # fmt: skip
        self.story.answer(name, status, answer)
        return name

    def session(self, **more: Any) -> None:
        self.do("N-CREATE", table.FILM_SESSION, "1.1", {}, **more)

    def film(self, uid: str, boxes: tuple[str, ...] = (), **more: Any) -> str:
        asked = {"ImageDisplayFormat": "STANDARD\\1,1", "MaxDensity": 300, **more.pop("asked", {})}
        listed = [{"ReferencedSOPClassUID": table.IMAGE_BOX, "ReferencedSOPInstanceUID": box} for box in boxes]
        answer = {"ReferencedImageBoxSequence": listed, **more.pop("answered", {})} if boxes else None
        return self.do("N-CREATE", table.FILM_BOX, uid, asked, answer=answer, **more)

    def image(self, box: str, **more: Any) -> str:
        asked = {"ImageBoxPosition": 1, **more.pop("asked", {})}
        return self.do("N-SET", table.IMAGE_BOX, box, asked, **more)

    def print(self, film: str, **more: Any) -> str:
        return self.do("N-ACTION", table.FILM_BOX, film, **more)

    def seen(self, row: str) -> list[bool | None]:
        exchange = self.story.exchange()
        return [found.ok for check in CHECKS if check.requirement == row for found in check(exchange)]


def composer() -> Print:
    told = Print()
    told.opened(table.META, table.PRESENTATION_LUT)
    told.session()
    return told


def server() -> Print:
    told = Print(TO_SUT)
    told.opened(table.META, table.PRESENTATION_LUT, table.PRINT_JOB)
    told.session()
    return told


# -- the composer ------------------------------------------------------------------------------------------------


def test_films_one_after_the_other_and_a_film_that_is_changed_and_printed_again_are_in_order() -> None:
    told = composer()
    told.film("2.1", ("3.1",))
    told.image("3.1")
    told.print("2.1")
    told.image("3.1")
    told.print("2.1")
    told.film("2.2", ("3.2",))
    told.image("3.2")
    told.print("2.2")
    assert told.seen("RAD-23-SCU-10") == [True]


@pytest.mark.parametrize("wrong", ["image", "print", "refused", "late", "stray"])
def test_only_the_film_box_that_was_made_last_is_set_and_printed(wrong: str) -> None:
    told = composer()
    told.film("2.1", ("3.1",))
    told.image("3.1")
    if wrong == "refused":
        told.film("2.2", status=0x0106)
        told.print("2.2", status=0x0112)
    elif wrong == "late":
        told.print("2.1")
        told.image("3.1")
    elif wrong == "stray":
        told.image("3.9", status=0x0112)
    else:
        told.film("2.2", ("3.2",))
        if wrong == "image":
            told.image("3.1")
        else:
            told.print("2.1")
    assert told.seen("RAD-23-SCU-10") == [False]


def test_an_association_for_the_state_of_the_printer_need_not_be_fit_for_films() -> None:
    told = Print()
    told.opened(table.META, number=7)
    told.do("N-GET", table.PRINTER, "1.2.840.10008.5.1.1.17", association=7)
    told.opened(COLOUR, number=8)
    told.opened(table.META, table.PRESENTATION_LUT)
    told.session()
    for row in ("RAD-23-SCU-01", "RAD-23-SCU-02", "CPI-ACT-05"):
        assert set(told.seen(row)) == {True}, row


@pytest.mark.parametrize("classes", [(table.META,), (COLOUR,)])
def test_a_composer_that_never_offers_what_the_profile_wants_is_found(classes: tuple[str, ...]) -> None:
    told = Print()
    told.opened(*classes)
    assert False in told.seen("RAD-23-SCU-02")
    told.session()
    assert False in told.seen("RAD-23-SCU-02")


def test_a_presentation_lut_may_be_given_to_a_film_box_later() -> None:
    told = composer()
    lut = {"PresentationLUTShape": "IDENTITY"}
    told.do("N-CREATE", table.PRESENTATION_LUT, "5.1", lut, syntax=table.PRESENTATION_LUT)
    session = [{"ReferencedSOPClassUID": table.FILM_SESSION, "ReferencedSOPInstanceUID": "1.1"}]
    told.film("2.1", ("3.1",), asked={"ReferencedFilmSessionSequence": session})
    assert False in told.seen("RAD-23-SCU-06")
    named = [{"ReferencedSOPClassUID": table.PRESENTATION_LUT, "ReferencedSOPInstanceUID": "5.1"}]
    told.do("N-SET", table.FILM_BOX, "2.1", {"ReferencedPresentationLUTSequence": named})
    assert set(told.seen("RAD-23-SCU-06")) == {True}


@pytest.mark.parametrize(("error", "ok"), [("image 1: warning (B604)", True), ("", False)])
def test_what_the_user_is_told_is_judged_where_the_driver_sees_it(error: str, ok: bool) -> None:
    told = composer()
    told.film("2.1", ("3.1",))
    told.image("3.1", status=0xB604)
    told.story.fact(OUTCOME, action="print-images", state="done", answers={})
    assert told.seen("RAD-23-SCU-11") == []
    told.story.fact(OUTCOME, "seen", action="print-images", state="done", answers={"error": error})
    assert told.seen("RAD-23-SCU-11") == [ok]


# -- the server --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "answered", "found"),
    [
        ({"FilmSizeID": "A4"}, 0, {"FilmSizeID": "A4"}, True),
        ({"FilmSizeID": "A4"}, 0x0106, {}, True),
        ({"FilmSizeID": "A4"}, 0x0116, {"FilmSizeID": "A3"}, True),
        ({"FilmSizeID": "A4"}, 0, {"FilmSizeID": "A3"}, False),
        ({"FilmSizeID": "A4"}, 0x0105, {}, False),
        ({"FilmSizeID": "A4"}, 0x0107, {}, False),
        ({"FilmSizeID": "A4", "MinDensity": 20}, 0x0105, {}, None),
        ({"ImageDisplayFormat": "STANDARD\\9,9"}, 0x0106, {}, None),
        ({}, 0x0106, {}, False),
        ({}, 0xB605, {"MaxDensity": 250}, True),
        ({}, 0, {"MaxDensity": 250}, False),
    ],
)
def test_what_a_printer_may_say_to_the_attributes_of_a_film(
    asked: dict[str, Any], status: int, answered: dict[str, Any], found: bool | None
) -> None:
    told = server()
    told.film("2.1", ("3.1",), asked=asked, status=status, answered=answered)
    seen = told.seen("RAD-23-SCP-04")
    assert (not seen) if found is None else (all(seen) is found)


@pytest.mark.parametrize(
    ("display_format", "boxes", "status", "found"),
    [
        ("STANDARD\\1,1", ("3.1",), 0, [True]),
        ("STANDARD\\1,1", (), 0x0106, []),
        ("STANDARD\\3,3", (), 0x0106, [True]),
        ("STANDARD\\3,3", (), 0x0110, []),
        ("STANDARD\\1,2", ("3.1",), 0, [False]),
        ("STANDARD\\1,2", ("3.1", "3.1"), 0, [False]),
        ("ROW\\1,2", ("3.1", "3.2", "3.3"), 0, [True]),
        ("SLIDE", ("3.1", "3.2"), 0, [True]),
        ("CUSTOM\\1", (), 0, [False]),
    ],
)
def test_formats_have_their_boxes_or_are_refused(
    display_format: str, boxes: tuple[str, ...], status: int, found: list[bool]
) -> None:
    told = server()
    told.film("2.1", boxes, asked={"ImageDisplayFormat": display_format}, status=status)
    assert told.seen("RAD-23-SCP-03") == found


@pytest.mark.parametrize(
    ("keyword", "value", "status", "ok"),
    [
        ("FilmSizeID", "99INX99IN", 0x0106, True),
        ("FilmSizeID", "99INX99IN", 0x0116, True),
        ("FilmSizeID", "99INX99IN", 0x0000, False),
        ("FilmSizeID", "99INX99IN", 0x0105, False),
        ("FilmSizeID", "99INX99IN", 0x0110, False),
        ("Trim", "MAYBE", 0x0107, True),
        ("Trim", "MAYBE", 0x0000, False),
    ],
)
def test_an_unsupported_value_is_told_with_the_status_for_it(keyword: str, value: str, status: int, ok: bool) -> None:
    told = server()
    name = told.film("2.1", asked={keyword: value}, status=status)
    told.story.fact(facts.PRINT_PROBE, message=f"@{name}", purpose=facts.UNSUPPORTED_VALUE, keyword=keyword)
    assert told.seen("RAD-23-SCP-10") == [ok]


@pytest.mark.parametrize(
    ("asked", "magnification", "of_image", "of_print", "told_09", "told_15"),
    [
        ("", "", 0x0000, 0x0000, [False], []),
        ("", "", 0xB604, 0x0000, [True], []),
        ("", "", 0x0000, 0xB60A, [True], []),
        ("", "", 0xC603, 0x0000, [True], []),
        ("FAIL", "", 0xC603, 0x0000, [], [True]),
        ("FAIL", "", 0x0000, 0xC603, [], [True]),
        ("FAIL", "", 0x0107, 0x0000, [], [True]),
        ("FAIL", "", 0xB604, 0x0000, [], [False]),
        ("FAIL", "", 0x0000, 0x0000, [], [False]),
        ("CROP", "", 0x0000, 0x0000, [], []),
        ("DECIMATE", "NONE", 0xB60A, 0x0000, [], [False]),
        ("DECIMATE", "NONE", 0xC603, 0x0000, [], [True]),
    ],
)
def test_an_image_that_is_too_large(
    asked: str, magnification: str, of_image: int, of_print: int, told_09: list[bool], told_15: list[bool]
) -> None:
    told = server()
    told.film("2.1", ("3.1",), asked={"MagnificationType": magnification} if magnification else {})
    name = told.image("3.1", asked={"RequestedDecimateCropBehavior": asked} if asked else {}, status=of_image)
    told.print("2.1", status=of_print)
    told.story.fact(facts.PRINT_PROBE, message=f"@{name}", purpose=facts.IMAGE_TOO_LARGE)
    assert told.seen("RAD-23-SCP-09") == told_09
    assert told.seen("RAD-23-SCP-15") == told_15


def _job(state: str, status: int, event: dict[str, Any] | None = None) -> Print:
    told = server()
    told.film("2.1", ("3.1",))
    named = [{"ReferencedSOPClassUID": table.PRINT_JOB, "ReferencedSOPInstanceUID": "7.1"}]
    told.print("2.1", answer={"ReferencedPrintJobSequence": named})
    answer = {"ExecutionStatus": state} if state else None
    told.do("N-GET", table.PRINT_JOB, "7.1", status=status, answer=answer, syntax=table.PRINT_JOB)
    if event is not None:
        told.story.add(
            Event("event", "N-EVENT-REPORT-RQ", FROM_SUT, {"ExecutionStatusInfo": event["info"]},
                  {"AffectedSOPClassUID": table.PRINT_JOB, "AffectedSOPInstanceUID": event["job"],
                   "EventTypeID": event["type"], "AbstractSyntax": table.PRINT_JOB}, sop_class=table.PRINT_JOB)
        )  # fmt: skip
    return told


@pytest.mark.parametrize(
    ("state", "status", "ok"),
    [("DONE", 0, True), ("", 0x0112, True), ("", 0x0110, False), ("FINISHED", 0, False), ("", 0, False)],
)
def test_a_job_tells_its_state_until_it_is_deleted(state: str, status: int, ok: bool) -> None:
    assert _job(state, status).seen("RAD-23-SCP-13") == [ok]


@pytest.mark.parametrize(
    ("job", "number", "info", "ok"),
    [("7.1", 3, "NORMAL", True), ("7.9", 3, "NORMAL", False), ("7.1", 9, "NORMAL", False), ("7.1", 1, "", False)],
)
def test_events_are_about_jobs_that_were_named(job: str, number: int, info: str, ok: bool) -> None:
    told = _job("PENDING", 0, {"job": job, "type": number, "info": info})
    assert told.seen("RAD-23-SCP-13") == [True, ok]


@pytest.mark.parametrize(
    ("kind", "sop_class"),
    [
        ("N-SET", table.FILM_SESSION),
        ("N-DELETE", table.FILM_SESSION),
        ("N-DELETE", table.FILM_BOX),
        ("N-DELETE", table.PRESENTATION_LUT),
    ],
)
@pytest.mark.parametrize(("status", "found"), [(0, [True]), (0x0211, [False]), (0x0213, [])])
def test_everything_can_be_deleted_and_the_session_changed(
    kind: str, sop_class: str, status: int, found: list[bool]
) -> None:
    told = server()
    told.do(kind, sop_class, "1.1", status=status)
    assert told.seen("RAD-23-SCP-14") == found


@pytest.mark.parametrize("status", [0x0105, 0x0107])
def test_a_presentation_lut_of_an_image_box_need_not_be_supported(status: int) -> None:
    told = server()
    told.film("2.1", ("3.1",))
    named = [{"ReferencedSOPClassUID": table.PRESENTATION_LUT, "ReferencedSOPInstanceUID": "5.1"}]
    told.image("3.1", asked={"ReferencedPresentationLUTSequence": named}, status=status)
    assert told.seen("RAD-23-SCP-08") == [True]


@pytest.mark.parametrize("takes_luts", [True, False])
def test_pixels_are_compared_only_if_the_printer_knows_what_they_mean(takes_luts: bool) -> None:
    told = composer()
    if not takes_luts:
        contexts = told.story["association 1 accepted"].fields["contexts"]
        contexts[1]["result"] = 3
    told.film("2.1", ("3.1",))
    told.story.fact(facts.PRINTED, image="9.9", state="", position=1)
    told.image("3.1")
    assert told.seen("RAD-23-SCU-09") == ([None] if takes_luts else [])
