"""MLLP framing: the same events however the bytes were split, and every breach told."""

from __future__ import annotations

import itertools
import time
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.protocols.hl7.framing import Deframer, Event, Frame, Rule, Violation, frame

MESSAGE = b"MSH|^~\\&|A|B|C|D|20260102||ADT^A04|1|P|2.3.1\rEVN|A04|20260102\r"


def events_of(data: bytes, *, closed: bool = True, max_message: int = 1000) -> list[Event]:
    deframer = Deframer(max_message)
    return [*deframer.feed(data), *deframer.flush(closed=closed)]


def rules(events: list[Event]) -> list[Rule]:
    return [event.rule for event in events if isinstance(event, Violation)]


def test_a_block_gives_its_message_byte_for_byte() -> None:
    assert events_of(frame(MESSAGE)) == [Frame(MESSAGE)]


def test_joined_blocks_give_each_message() -> None:
    assert events_of(frame(MESSAGE) + frame(b"MSH|2") + frame(b"MSH|3")) == [
        Frame(MESSAGE),
        Frame(b"MSH|2"),
        Frame(b"MSH|3"),
    ]


def test_bytes_before_the_start_block_are_told_and_the_message_is_kept() -> None:
    events = events_of(b"\r\nhello" + frame(MESSAGE))
    assert rules(events) == [Rule.BYTES_OUTSIDE_BLOCK]
    assert events[0] == Violation(
        Rule.BYTES_OUTSIDE_BLOCK, "7 bytes outside a block; a message begins with 0x0B", b"\r\nhello", 7
    )
    assert events[1] == Frame(MESSAGE)


def test_a_message_without_any_block_is_told_when_the_peer_falls_silent() -> None:
    assert rules(events_of(MESSAGE, closed=False)) == [Rule.BYTES_OUTSIDE_BLOCK]


def test_a_missing_end_block_loses_that_message_only() -> None:
    events = events_of(b"\x0b" + MESSAGE + frame(b"MSH|2"))
    assert rules(events) == [Rule.MISSING_END_BLOCK]
    assert events[-1] == Frame(b"MSH|2")


def test_a_connection_closed_inside_a_block_is_told() -> None:
    events = events_of(b"\x0b" + MESSAGE)
    assert rules(events) == [Rule.MISSING_END_BLOCK]
    assert "closed" in events[0].text if isinstance(events[0], Violation) else False


def test_an_end_block_without_carriage_return_still_gives_the_message() -> None:
    events = events_of(b"\x0b" + MESSAGE + b"\x1c", closed=False)
    assert rules(events) == [Rule.MISSING_CARRIAGE_RETURN]
    assert events[-1] == Frame(MESSAGE)
    joined = events_of(b"\x0bMSH|1\x1c\x0bMSH|2\x1c\r")
    assert rules(joined) == [Rule.MISSING_CARRIAGE_RETURN]
    assert [event for event in joined if isinstance(event, Frame)] == [Frame(b"MSH|1"), Frame(b"MSH|2")]


def test_an_empty_block_is_told() -> None:
    assert rules(events_of(frame(b""))) == [Rule.EMPTY_BLOCK]


@pytest.mark.parametrize("excess", [1, 5000])
def test_a_message_over_the_limit_is_not_kept_and_the_next_one_is_read(excess: int) -> None:
    events = events_of(frame(b"M" * (1000 + excess)) + frame(MESSAGE))
    assert rules(events) == [Rule.TOO_LONG]
    assert events[-1] == Frame(MESSAGE)


def test_a_message_of_exactly_the_limit_is_kept() -> None:
    assert events_of(frame(b"M" * 1000)) == [Frame(b"M" * 1000)]


def test_memory_stays_bounded_by_the_limit() -> None:
    deframer = Deframer(1000)
    deframer.feed(b"\x0b")
    for _ in range(100):
        deframer.feed(b"x" * 10_000)
    assert len(deframer._block) <= 1001
    deframer.flush()
    for _ in range(100):
        deframer.feed(b"x" * 10_000)
    assert len(deframer._junk) <= 4096


STREAM = st.lists(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\x1c\r", b"MSH|^~\\&|", b"x" * 40, frame(b"MSH|1"), b"\n"]), max_size=30
).map(b"".join)


@settings(max_examples=120, deadline=None)
@given(stream=st.one_of(STREAM, st.binary(max_size=200)), cuts=st.lists(st.integers(0, 400), max_size=12))
def test_every_split_of_a_stream_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    whole = events_of(stream, max_message=60)
    deframer = Deframer(60)
    found: list[Event] = []
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, stop in itertools.pairwise(edges):
        found += deframer.feed(stream[start:stop])
    found += deframer.flush(closed=True)
    assert found == whole


@settings(max_examples=80, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=50).filter(lambda b: not set(b) & {0x0B, 0x1C}), max_size=8))
def test_what_was_framed_is_read_again(payloads: list[bytes]) -> None:
    assert events_of(b"".join(map(frame, payloads))) == [Frame(payload) for payload in payloads]


def test_who_has_had_enough_does_not_read_the_rest() -> None:
    """Ten million start blocks take seconds to read; the first breaches of them take none."""
    begin = time.process_time()
    first = list(islice(Deframer().events(b"\x0b" * 10_000_000), 65))
    assert len(first) == 65
    assert time.process_time() - begin < 2
