"""What passes between an HL7 connection and its users: times, received messages, replies, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.core.message import Message
from harness.protocols.hl7.message import HL7Message


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``pause`` is how long a peer may fall silent inside a block; ``idle`` between blocks."""

    connect: float = 5.0
    acknowledge: float = 30.0
    pause: float = 2.0
    idle: float = 300.0


@dataclass(frozen=True, slots=True)
class Received:
    """One message that came in: the parsed form (lazy) and its record in the transcript."""

    message: HL7Message
    record: Message

    @property
    def association(self) -> int:
        """The number of the connection it came over."""
        return self.record.association


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes to send as they are, without framing: for a peer that is to misbehave.

    ``delay`` is waited before (seconds, ends early when the listener stops); ``close`` drops the connection after.
    """

    data: bytes = b""
    delay: float = 0.0
    close: bool = False


Reply = bytes | Wire
Handler = Callable[[Received], Iterable[Reply]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a sent message: every acknowledgement in order, the last one first to ask for."""

    sent: Message
    received: tuple[Received, ...]

    @property
    def message(self) -> HL7Message:
        """The last acknowledgement; in enhanced mode the application's, if one came."""
        return self.received[-1].message

    @property
    def code(self) -> str:
        """MSA-1 of the last acknowledgement."""
        return self.message["MSA-1"]
