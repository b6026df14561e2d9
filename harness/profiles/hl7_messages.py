"""The little of HL7 that checks across both protocols need: segments and fields of a message, order status reports.

Reads the bytes as they came; whoever judges HL7 itself uses the checks of the HL7 transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.message import Direction, Message, Protocol
from harness.profiles.journal import Journal

_SIZE_LIMIT = 4_000_000


@dataclass(frozen=True, slots=True)
class StatusReport:
    """An order status message of the system under test: its ORC-5 and the order numbers in ORC-2 and ORC-3."""

    message: Message
    control: str
    status: str
    numbers: frozenset[str]


def segments(message: Message) -> list[list[str]]:
    """Fields of each segment; index 0 is the name, so that ``fields[5]`` is field 5 (MSH is shifted to fit).

    Bytes are read as UTF-8, or Latin-1 where they are not: names are not compared here, identifiers are ASCII.
    """
    if message.protocol is not Protocol.HL7 or message.payload.size > _SIZE_LIMIT:
        return []
    data = message.payload.bytes()
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        content = data.decode("latin-1")
    found = []
    for line in content.replace("\n", "\r").split("\r"):
        if line.strip("\x0b\x1c "):
            fields = line.strip("\x0b\x1c").split("|")
            found.append(["MSH", "|", *fields[1:]] if fields[0] == "MSH" else fields)
    return found


def field(segment: list[str], number: int, component: int = 0) -> str:
    """A field, or one component of its first repetition (1 is the first); "" if it is not there."""
    value = segment[number] if number < len(segment) else ""
    if not component:
        return value
    parts = value.split("~")[0].split("^")
    return parts[component - 1] if component <= len(parts) else ""


def first(message: Message, name: str) -> list[str]:
    """The first segment of that name, ``[]`` if there is none."""
    return next((segment for segment in segments(message) if segment[0] == name), [])


def hl7_messages(j: Journal, direction: Direction | None = None) -> Iterator[Message]:
    """HL7 messages of the exchange."""
    for message in j.messages:
        if message.protocol is Protocol.HL7 and (direction is None or message.direction is direction):
            yield message


def order_status_messages(j: Journal) -> Iterator[StatusReport]:
    """Order messages of the system under test (RAD-3) with what they say of the order."""
    for message in hl7_messages(j, Direction.FROM_SUT):
        if not message.kind.startswith(("ORM", "OMG")):
            continue
        orc = first(message, "ORC")
        if not orc or first(message, "ZDS"):
            continue
        numbers = frozenset({field(orc, 2, 1), field(orc, 3, 1)} - {""})
        yield StatusReport(message, field(orc, 1), field(orc, 5), numbers)
