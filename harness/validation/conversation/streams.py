"""TCP connections of a capture: what each side sent, in order, whatever order the segments came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.validation.conversation.packets import Segment

#: segments of one direction that wait for one before them; with more, that one is taken for lost
MAXIMUM_WAITING: Final = 2000
_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one side as they became readable; ``end`` tells that nothing more comes, ``lost`` that bytes lack."""

    connection: int
    client: tuple[str, int]
    server: tuple[str, int]
    time: float
    from_client: bool
    data: bytes = b""
    end: bool = False
    lost: bool = False


@dataclass(slots=True)
class _Side:
    expected: int | None = None
    waiting: dict[int, bytes] = field(default_factory=dict)
    broken: bool = False
    ended: bool = False


@dataclass(slots=True)
class _Connection:
    number: int
    client: tuple[str, int]
    server: tuple[str, int]
    sides: tuple[_Side, _Side] = field(default_factory=lambda: (_Side(), _Side()))
    last: float = 0.0


def chunks(segments: Iterable[Segment]) -> Iterator[Chunk]:
    """The bytes of all connections as they pass."""
    live: dict[frozenset[tuple[str, int]], _Connection] = {}
    number = 0
    for segment in segments:
        key = frozenset((segment.source, segment.target))
        known = live.get(key)
        opening = segment.syn and not segment.ack
        if known is None or (
            opening
            and any(side.ended or side.expected is not None for side in known.sides)
            and known.sides[0].expected != (segment.sequence + 1) % _WHOLE
        ):
            if known is not None:
                yield from _finish(known)
            number += 1
            swapped = segment.syn and segment.ack  # the answer to an opening that was not captured
            client, server = (segment.target, segment.source) if swapped else (segment.source, segment.target)
            known = live[key] = _Connection(number, client, server)
        yield from _take(known, segment)
    for known in live.values():
        yield from _finish(known)


def _take(connection: _Connection, segment: Segment) -> Iterator[Chunk]:
    from_client = segment.source == connection.client
    side = connection.sides[0 if from_client else 1]
    connection.last = segment.time
    if side.broken:
        return
    place = segment.sequence
    if segment.syn:
        side.expected = (place + 1) % _WHOLE
        return
    if segment.data:
        if side.expected is None:
            side.expected = place
        ahead = (place - side.expected) % _WHOLE
        if ahead >= _HALF:  # sent again: what was read already is cut off
            data, place = segment.data[_WHOLE - ahead :], side.expected
        else:
            data = segment.data
        if segment.cut:
            side.broken = True
        if data and (place not in side.waiting or len(side.waiting[place]) < len(data)):
            side.waiting[place] = data
        if ready := _ready(side):
            yield _chunk(connection, from_client, segment.time, ready)
        if side.broken or len(side.waiting) > MAXIMUM_WAITING:
            side.broken = True
            side.waiting.clear()
            yield Chunk(connection.number, connection.client, connection.server, segment.time, from_client, lost=True)
            return
    if (segment.fin or segment.rst) and not side.ended and not side.waiting:
        side.ended = True
        yield Chunk(connection.number, connection.client, connection.server, segment.time, from_client, end=True)


def _ready(side: _Side) -> bytes:
    """What can be read now; segments may overlap."""
    assert side.expected is not None
    parts = []
    while side.waiting:
        data = side.waiting.pop(side.expected, None)
        if data is None:
            behind = [place for place in side.waiting if (place - side.expected) % _WHOLE >= _HALF]
            if not behind:
                break
            for place in behind:
                rest = side.waiting.pop(place)[(side.expected - place) % _WHOLE :]
                if rest and len(rest) > len(side.waiting.get(side.expected, b"")):
                    side.waiting[side.expected] = rest
            continue
        parts.append(data)
        side.expected = (side.expected + len(data)) % _WHOLE
    return b"".join(parts)


def _finish(connection: _Connection) -> Iterator[Chunk]:
    for from_client, side in zip((True, False), connection.sides, strict=True):
        if side.waiting and not side.broken:
            yield Chunk(
                connection.number, connection.client, connection.server, connection.last, from_client, lost=True
            )
        if not side.ended:
            side.ended = True
            yield Chunk(connection.number, connection.client, connection.server, connection.last, from_client, end=True)


def _chunk(connection: _Connection, from_client: bool, time: float, data: bytes) -> Chunk:
    return Chunk(connection.number, connection.client, connection.server, time, from_client, data)
