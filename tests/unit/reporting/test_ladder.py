"""The ladder: what belongs together is one line, and the offender is never left out."""

from __future__ import annotations

import pytest

from harness.core.message import Direction, Protocol
from harness.core.transcript import Transcript
from harness.reporting.decode import Decoder
from harness.reporting.ladder import MAX_ROWS, Ladder, clipped, ladder, status_text
from tests.unit.reporting import builders


def drawn(transcript: Transcript, *offending: int) -> Ladder:
    return ladder(transcript.messages, "CT-9", frozenset(offending), Decoder())


def labels(picture: Ladder) -> list[str]:
    return [line.rung.label for line in picture.rungs]


def test_messages_that_belong_together_are_one_line() -> None:
    assert labels(drawn(builders.exam_transcript()[0])) == [
        "#2 OMI^O23 order control NW",
        "#3–4 association 3 opened, ACME_CT9 → IHE_OF",
        "#5 C-FIND worklist",
        "#6–7 C-FIND answer, 1 match",
        "#9 N-CREATE step in progress",
        "#10 N-CREATE success",
        "#11–18 C-STORE, 4 objects, stored",
        "#19 N-SET step completed",
        "#20 N-SET success",
        "#22 N-ACTION commitment, 4 objects",
        "#23 N-ACTION success",
        "#24 association 8 rejected, reason 7",
    ]


def test_print_operations_are_told_apart_by_their_sop_class() -> None:
    transcript = Transcript()
    for kind, sop_class in (("N-CREATE-RQ", "1"), ("N-CREATE-RQ", "23"), ("N-SET-RQ", "4"), ("N-GET-RQ", "16")):
        word = "Affected" if kind == "N-CREATE-RQ" else "Requested"
        transcript.record(
            Direction.FROM_SUT,
            Protocol.DICOM,
            kind,
            association=1,
            fields={f"{word}SOPClassUID": f"1.2.840.10008.5.1.1.{sop_class}"},
        )
    assert labels(drawn(transcript)) == [
        "#1 N-CREATE Film Session",
        "#2 N-CREATE Presentation LUT",
        "#3 N-SET Grayscale Image Box",
        "#4 N-GET Printer",
    ]


def test_an_offending_message_stands_alone() -> None:
    transcript, _ = builders.exam_transcript()
    picture = drawn(transcript, 13)
    assert [line.rung.label for line in picture.rungs if line.rung.offending] == ["#13 C-STORE"]
    assert "#11–12 C-STORE, stored" in labels(picture)


def test_arrows_point_at_the_receiver() -> None:
    picture = drawn(builders.exam_transcript()[0])
    sut = picture.heads[0][0]
    for line in picture.rungs:
        tip = int(line.tip.split(",")[0])
        assert (tip == sut) is (line.rung.direction is Direction.TO_SUT)


def test_refused_objects_are_told() -> None:
    t = Transcript(builders.Ticking())
    builders.talk(t, "C-STORE-RQ", "Image Manager", data=builders.image(1))
    builders.talk(t, "C-STORE-RSP", "Image Manager", sent=False, Status=0xA700)
    assert labels(drawn(t)) == ["#1–2 C-STORE, 1 answered failure 0xA700"]


def test_a_long_exchange_keeps_its_ends_and_its_offender() -> None:
    t = Transcript(builders.Ticking())
    for _ in range(300):
        builders.talk(t, "N-GET-RQ", "Print Server")
    picture = drawn(t, 150)
    assert len(picture.rungs) == MAX_ROWS + 1
    assert picture.left_out == 300 - MAX_ROWS - 1
    assert [line.rung.seqs for line in picture.rungs if line.rung.offending] == [(150,)]
    assert picture.rungs[0].rung.seqs == (1,)
    assert picture.rungs[-1].rung.seqs == (300,)


def test_no_messages_no_lines() -> None:
    assert drawn(Transcript()).rungs == ()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "success"),
        (0xFF00, "pending"),
        (0xFE00, "cancelled"),
        (0xB000, "warning 0xB000"),
        (0x0110, "failure 0x0110"),
    ],
)
def test_statuses_in_words(status: int, text: str) -> None:
    assert status_text(status) == text


def test_wide_characters_count_twice() -> None:
    assert clipped("가나다라", 8) == "가나다라"
    assert clipped("가나다라마", 8) == "가나다…"
