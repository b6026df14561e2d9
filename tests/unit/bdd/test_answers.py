"""Which answers our actors can be asked for."""

from __future__ import annotations

import pytest

from harness.actors.image_manager_behaviour import CommitmentReply, Way
from harness.bdd import answers
from harness.core.errors import UsageError
from harness.profiles import names


@pytest.mark.parametrize(
    ("who", "what", "answer"),
    [
        (names.ORDER_FILLER, "every query", "A700"),
        (names.ORDER_FILLER, "every query", "FF00 and FF01 in turn"),
        (names.IMAGE_MANAGER, "the next image", "0000 after 2.5 seconds"),
        (names.IMAGE_MANAGER, "the next retrieve", "B000 for 1 image"),
        (names.IMAGE_DISPLAY, "every SC object", "A700"),
        (names.PRINT_SERVER, "the first Presentation LUT", "0116"),
        (names.ADT, "the next message", "nothing"),
    ],
)
def test_an_answer_that_can_be_given(who: str, what: str, answer: str) -> None:
    answers.require_answer(who, what, answer)


@pytest.mark.parametrize(
    ("who", "what", "answer", "said"),
    [
        (names.PPS_MANAGER, "every query", "A700", "the PPS Manager answers nothing otherwise"),
        (names.ORDER_FILLER, "the next image", "A700", "is not asked 'the next image'; known: every query"),
        (names.IMAGE_MANAGER, "the next image", "soon", "'soon' is no answer of the Image Manager/Archive"),
        (names.IMAGE_MANAGER, "every retrieve", "A700", "known: A801"),
        (names.IMAGE_MANAGER, "the next retrieve", "0000 after 3 seconds", "known: B000 for"),
    ],
)
def test_an_answer_that_nobody_gives_is_an_authors_mistake(who: str, what: str, answer: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answers.require_answer(who, what, answer)


def test_ways_to_report_commitment() -> None:
    assert answers.commitment("twice").copies == 2
    assert answers.commitment("on the same association").way is Way.SAME_ASSOCIATION
    assert answers.commitment("on a new association 2 seconds later").delay == 2.0
    assert answers.commitment("with 1 failed instance") == CommitmentReply(failures=1)
    with pytest.raises(UsageError, match="commitment is not reported 'never'; known: on a new association"):
        answers.commitment("never")
