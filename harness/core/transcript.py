"""The append-only record of one scenario: messages, facts, engine faults; and the only place that waits."""

from __future__ import annotations

import itertools
import threading
import time as _time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.late import Earlier
from harness.core.message import EMPTY, Blob, Direction, Message, Protocol


@dataclass(frozen=True, slots=True)
class EngineFault:
    """An exception inside a simulated actor or engine: our fault, it makes the scenario an ERROR."""

    time: float
    where: str
    error: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the harness knows besides messages: an order it scheduled, an action it asked for.

    ``data`` is plain JSON, so that stored evidence can be judged again.
    """

    seq: int
    time: float
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Transcript:
    """Thread-safe and append-only; every reader sees messages in the order of their ``seq``.

    Simulated actors call :meth:`record` and nothing else. Steps call :meth:`wait_for` with the :meth:`mark`
    they took before they asked for something; one message satisfies one wait.
    """

    def __init__(self, clock: Callable[[], float] = _time.time) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._messages: list[Message] = []
        self._facts: list[Fact] = []
        self._faults: list[EngineFault] = []
        self._late: list[Message] = []
        self._taken: set[int] = set()
        self._sequence = itertools.count(1)

    # -- writing -------------------------------------------------------------------------------------------

    def record(
        self,
        direction: Direction,
        protocol: Protocol,
        kind: str,
        *,
        actor: str = "",
        association: int = 0,
        context: int = 0,
        transfer_syntax: str = "",
        fields: Mapping[str, Any] | None = None,
        payload: Blob = EMPTY,
        header: Blob = EMPTY,
        late: bool = False,
    ) -> Message:
        """Append one message and wake whoever waits for it; one that is ``late`` is put aside and judged nowhere."""
        with self._changed:
            message = Message(
                seq=next(self._sequence),
                time=self._clock(),
                direction=direction,
                protocol=protocol,
                kind=kind,
                actor=actor,
                association=association,
                context=context,
                transfer_syntax=transfer_syntax,
                fields=dict(fields or {}),
                payload=payload,
                header=header,
            )
            (self._late if late else self._messages).append(message)
            self._changed.notify_all()
            return message

    def put_aside(self, association: int) -> None:
        """What an association brought so far turns out to be late, unless it carried a message of this scenario."""
        with self._changed:
            ours = [m for m in self._messages if m.association == association]
            if all(m.kind.startswith(("A-", "CONNECTION-")) for m in ours):
                self._messages = [m for m in self._messages if m.association != association]
                self._late = sorted([*self._late, *ours], key=lambda m: m.seq)

    def note(self, kind: str, data: Mapping[str, Any] | None = None) -> Fact:
        """Append a fact: plain JSON data that checks may compare messages with."""
        with self._changed:
            fact = Fact(next(self._sequence), self._clock(), kind, dict(data or {}))
            self._facts.append(fact)
            self._changed.notify_all()
            return fact

    def fault(self, where: str, error: BaseException, traceback: str = "") -> EngineFault:
        """Append an engine fault; the scenario becomes an ERROR."""
        with self._changed:
            fault = EngineFault(self._clock(), where, f"{type(error).__name__}: {error}", traceback)
            self._faults.append(fault)
            self._changed.notify_all()
            return fault

    # -- reading -------------------------------------------------------------------------------------------

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages so far."""
        with self._changed:
            return tuple(self._messages)

    @property
    def late(self) -> tuple[Message, ...]:
        """Messages that came now and belong to an earlier scenario: kept as evidence, never judged here."""
        with self._changed:
            return tuple(self._late)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts so far."""
        with self._changed:
            return tuple(self._facts)

    @property
    def faults(self) -> tuple[EngineFault, ...]:
        """All engine faults so far."""
        with self._changed:
            return tuple(self._faults)

    def select(
        self,
        kind: str | None = None,
        *,
        direction: Direction | None = None,
        after: int = 0,
        where: Callable[[Message], bool] | None = None,
    ) -> tuple[Message, ...]:
        """Messages of that kind and direction with ``seq`` greater than ``after`` for which ``where`` holds."""
        return tuple(_matching(self.messages, kind, direction, after, where))

    def facts_of(self, kind: str) -> tuple[Fact, ...]:
        """Facts of that kind, oldest first."""
        return tuple(fact for fact in self.facts if fact.kind == kind)

    def until(self, seq: int) -> Transcript:
        """What had been recorded up to and including that ``seq``, as a transcript of its own."""
        with self._changed:
            earlier = Transcript(self._clock)
            earlier._messages = [message for message in self._messages if message.seq <= seq]
            earlier._facts = [fact for fact in self._facts if fact.seq <= seq]
            earlier._faults = list(self._faults)
            earlier._sequence = itertools.count(seq + 1)
            return earlier

    # -- waiting -------------------------------------------------------------------------------------------

    def mark(self) -> int:
        """The highest ``seq`` so far; what comes later is ``after`` it."""
        with self._changed:
            newest_message = self._messages[-1].seq if self._messages else 0
            newest_fact = self._facts[-1].seq if self._facts else 0
            return max(newest_message, newest_fact)

    def wait_for(
        self,
        kind: str | None,
        *,
        timeout: float,
        after: int = 0,
        direction: Direction | None = None,
        where: Callable[[Message], bool] | None = None,
    ) -> Message | None:
        """The first such message that no earlier wait has taken, or None when ``timeout`` seconds are over.

        ``kind`` None stands for any kind.

        Returns early with None when an engine fault appears: nothing that comes after it can be trusted.
        """
        deadline = _time.monotonic() + timeout
        with self._changed:
            known_faults = len(self._faults)
            while True:
                for message in _matching(self._messages, kind, direction, after, where):
                    if message.seq not in self._taken:
                        self._taken.add(message.seq)
                        return message
                remaining = deadline - _time.monotonic()
                if remaining <= 0 or len(self._faults) > known_faults:
                    return None
                self._changed.wait(remaining)

    def quiet_for(self, kind: str, seconds: float, *, after: int = 0, direction: Direction | None = None) -> bool:
        """True if no such message (taken or not) is there and none arrives for ``seconds`` from now."""
        deadline = _time.monotonic() + seconds
        with self._changed:
            while True:
                if any(True for _ in _matching(self._messages, kind, direction, after, None)):
                    return False
                remaining = deadline - _time.monotonic()
                if remaining <= 0:
                    return True
                self._changed.wait(remaining)

    # -- storing -------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``transcript.json``; the blobs are stored beside it."""
        return {
            "messages": [message.to_json() for message in self.messages],
            "facts": [{"seq": f.seq, "time": f.time, "kind": f.kind, "data": dict(f.data)} for f in self.facts],
            "faults": [
                {"time": f.time, "where": f.where, "error": f.error, "traceback": f.traceback} for f in self.faults
            ],
            "late": [message.to_json() for message in self.late],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], blobs: Path) -> Transcript:
        """Read back what :meth:`to_json` wrote; ``blobs`` is the folder of files named by SHA-256."""
        transcript = cls()
        transcript._messages = [Message.from_json(entry, blobs) for entry in data["messages"]]
        transcript._late = [Message.from_json(entry, blobs) for entry in data.get("late", [])]
        transcript._facts = [Fact(e["seq"], e["time"], e["kind"], e["data"]) for e in data["facts"]]
        transcript._faults = [EngineFault(e["time"], e["where"], e["error"], e["traceback"]) for e in data["faults"]]
        transcript._sequence = itertools.count(transcript.mark() + 1)
        return transcript


class Recorder:
    """Where long-living actors write: forwards to the transcript of the scenario that runs now.

    Listeners outlive scenarios (a product is configured once), transcripts do not. What a product still sends for an
    earlier scenario is put aside: the request, its answer, and the association that carried nothing else.
    """

    def __init__(self, target: Transcript) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._earlier = Earlier()
        self._late_requests: set[tuple[int, Any]] = set()
        self._late_associations: set[int] = set()

    def turn_to(self, target: Transcript) -> None:
        """The scenario of the current target is over, another one begins."""
        with self._lock:
            self._earlier.remember(self.target)
            self._late_requests.clear()
            self.target = target

    def record(self, direction: Direction, protocol: Protocol, kind: str, **details: Any) -> Message:
        """As :meth:`Transcript.record`, into the current target."""
        target = self.target
        return target.record(
            direction, protocol, kind, late=self._is_late(direction, protocol, kind, details), **details
        )

    def fault(self, where: str, error: BaseException, traceback: str = "") -> EngineFault:
        """As :meth:`Transcript.fault`, into the current target."""
        return self.target.fault(where, error, traceback)

    def _is_late(self, direction: Direction, protocol: Protocol, kind: str, details: Mapping[str, Any]) -> bool:
        fields: Mapping[str, Any] = details.get("fields") or {}
        association: int = details.get("association", 0)
        with self._lock:
            if kind.startswith(("A-", "CONNECTION-")):
                return association in self._late_associations
            answered = fields.get("MessageIDBeingRespondedTo", fields.get("acknowledged_id"))
            if answered is not None:
                return (association, answered) in self._late_requests
            asked = direction is Direction.FROM_SUT or kind == "N-EVENT-REPORT-RQ"
            late = asked and self._earlier.sent(kind, fields, details.get("payload", EMPTY), protocol, self.target)
            if not late:
                self._late_associations.discard(association)
                return False
            self._late_requests.add((association, fields.get("MessageID", fields.get("control_id"))))
            if association not in self._late_associations:
                self.target.put_aside(association)
                self._late_associations.add(association)
            return True


def _matching(
    messages: tuple[Message, ...] | list[Message],
    kind: str | None,
    direction: Direction | None,
    after: int,
    where: Callable[[Message], bool] | None,
) -> Iterator[Message]:
    for message in messages:
        if message.seq <= after or (kind is not None and message.kind != kind):
            continue
        if direction is not None and message.direction is not direction:
            continue
        if where is None or where(message):
            yield message
