"""MLLP framing without input or output: bytes in, events out.

A block is ``0x0B``, the message, ``0x1C 0x0D`` (HL7 v2 implementation guide, appendix C; HL7 MLLP release 1). What
breaks that rule becomes a :class:`Violation` and reading goes on where it can; memory is bounded whatever arrives.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c"
CARRIAGE_RETURN = b"\x0d"

MAX_MESSAGE = 16 * 1024 * 1024
"""The longest message that is kept, in bytes; HL7 itself sets no limit."""

KEEP = 4096
"""How many bytes of a violation are kept as evidence."""


class Rule(enum.StrEnum):
    """Which rule of the block format was broken."""

    BYTES_OUTSIDE_BLOCK = "bytes-outside-block"
    MISSING_END_BLOCK = "missing-end-block"
    MISSING_CARRIAGE_RETURN = "missing-carriage-return"
    EMPTY_BLOCK = "empty-block"
    TOO_LONG = "message-too-long"


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole block; ``payload`` is what stood between start and end block, byte for byte."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of the framing; ``data`` are the first bytes of what was read, ``size`` how many there were."""

    rule: Rule
    text: str
    data: bytes = b""
    size: int = 0


Event = Frame | Violation


def frame(payload: bytes) -> bytes:
    """A message as it goes over the wire."""
    return START + payload + END + CARRIAGE_RETURN


class _State(enum.Enum):
    OUTSIDE = enum.auto()
    INSIDE = enum.auto()
    AFTER_END = enum.auto()
    SKIPPING = enum.auto()
    AFTER_SKIPPED = enum.auto()


class Deframer:
    """Feed bytes as they come; the same bytes give the same events however they were split."""

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self._max = max_message
        self._state = _State.OUTSIDE
        self._block = bytearray()
        self._junk = bytearray()
        self._junk_size = 0

    @property
    def inside(self) -> bool:
        """Whether a block has begun and is not complete."""
        return self._state is not _State.OUTSIDE

    @property
    def pending(self) -> bool:
        """Whether anything was read that no event has told of yet."""
        return self.inside or self._junk_size > 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """What these bytes complete."""
        return list(self.events(data))

    def events(self, data: bytes | bytearray | memoryview) -> Iterator[Event]:
        """As :meth:`feed`, one event after the other: who has had enough of a peer need not read the rest."""
        data = bytes(data)
        position, size = 0, len(data)
        if self._state is _State.OUTSIDE and not self._junk_size and self._is_whole(data):
            yield Frame(data[1:-2])
            return
        events: list[Event] = []
        while position < size:
            if self._state is _State.OUTSIDE:
                position = self._outside(data, position, events)
            elif self._state is _State.AFTER_END:
                position = self._after_end(data, position, events)
            elif self._state is _State.AFTER_SKIPPED:
                position += data[position : position + 1] == CARRIAGE_RETURN
                self._state = _State.OUTSIDE
            else:
                position = self._inside(data, position, events)
            if events:
                yield from events
                events.clear()

    def _is_whole(self, data: bytes) -> bool:
        """Whether these bytes are one good block and nothing else, as they nearly always are."""
        end = len(data) - 2
        return (
            1 < end <= self._max + 1
            and data.startswith(START)
            and data.find(END) == end
            and data.endswith(CARRIAGE_RETURN)
            and data.find(START, 1) < 0
        )

    def flush(self, *, closed: bool = False) -> list[Event]:
        """What is left when the peer pauses too long or (``closed``) has closed the connection."""
        events: list[Event] = []
        if self._state is _State.AFTER_END:
            self._finish(events, carriage_return=False)
        elif self._state is _State.INSIDE:
            when = "the connection was closed" if closed else "the peer fell silent"
            self._broken(events, f"{when} inside a block: no end block 0x1C 0x0D came")
        else:
            self._state = _State.OUTSIDE
        self._tell_junk(events)
        return events

    def _outside(self, data: bytes, position: int, events: list[Event]) -> int:
        start = data.find(START, position)
        stop = start if start >= 0 else len(data)
        if stop > position:
            room = KEEP - len(self._junk)
            if room > 0:
                self._junk += data[position : min(stop, position + room)]
            self._junk_size += stop - position
        if start < 0:
            return stop
        self._tell_junk(events)
        self._state = _State.INSIDE
        return start + 1

    def _inside(self, data: bytes, position: int, events: list[Event]) -> int:
        end = data.find(END, position)
        start = data.find(START, position, end if end >= 0 else len(data))
        stops = [place for place in (end, start) if place >= 0]
        stop = min(stops, default=len(data))
        if self._state is _State.INSIDE:
            # one byte more than allowed is taken, so that the limit acts at the same place for every split
            room = self._max + 1 - len(self._block)
            self._block += data[position : min(stop, position + room)]
            if len(self._block) > self._max:
                text = f"a message longer than {self._max} bytes; it was not kept"
                events.append(Violation(Rule.TOO_LONG, text, bytes(self._block[:KEEP]), self._max + 1))
                self._block.clear()
                self._state = _State.SKIPPING
        if not stops:
            return len(data)
        if stop == start:
            if self._state is _State.INSIDE:
                self._broken(events, "a start block 0x0B inside a block: the message before has no end block")
            self._block.clear()
            self._state = _State.INSIDE
        elif self._state is _State.INSIDE:
            self._state = _State.AFTER_END
        else:
            self._state = _State.AFTER_SKIPPED
        return stop + 1

    def _after_end(self, data: bytes, position: int, events: list[Event]) -> int:
        good = data[position : position + 1] == CARRIAGE_RETURN
        self._finish(events, carriage_return=good)
        return position + 1 if good else position

    def _finish(self, events: list[Event], *, carriage_return: bool) -> None:
        payload = bytes(self._block)
        self._block.clear()
        self._state = _State.OUTSIDE
        if not carriage_return:
            text = "the end block 0x1C is not followed by a carriage return 0x0D"
            events.append(Violation(Rule.MISSING_CARRIAGE_RETURN, text, payload[:KEEP], len(payload)))
        if payload:
            events.append(Frame(payload))
        else:
            events.append(Violation(Rule.EMPTY_BLOCK, "a block without a message"))

    def _broken(self, events: list[Event], text: str) -> None:
        events.append(Violation(Rule.MISSING_END_BLOCK, text, bytes(self._block[:KEEP]), len(self._block)))
        self._block.clear()
        self._state = _State.OUTSIDE

    def _tell_junk(self, events: list[Event]) -> None:
        if self._junk_size:
            text = f"{self._junk_size} bytes outside a block; a message begins with 0x0B"
            events.append(Violation(Rule.BYTES_OUTSIDE_BLOCK, text, bytes(self._junk), self._junk_size))
            self._junk.clear()
            self._junk_size = 0
