"""The message ladder: time downwards, one column per actor, the system under test leftmost; geometry for one SVG."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import east_asian_width

from pydicom.uid import UID

from harness.core.message import Direction, Message, Protocol
from harness.reporting.decode import UNREADABLE, Decoder, visible

MAX_ROWS = 60
_TOP, _ROW, _LEFT = 62, 34, 150
#: Events that say nothing which the messages around them do not say.
_QUIET = frozenset({"CONNECTION-OPENED", "CONNECTION-CLOSED", "A-RELEASE-RQ", "A-RELEASE-RP"})
#: whose operations are told apart by their SOP class
_PRINT = "1.2.840.10008.5.1.1."
_QUERIES = {
    "1.2.840.10008.5.1.4.31": "worklist",
    "1.2.840.10008.5.1.4.1.2.1.1": "patients and studies",
    "1.2.840.10008.5.1.4.1.2.2.1": "studies",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the ladder: a message, a group that belongs together, or a note where some were left out."""

    seqs: tuple[int, ...]
    label: str
    time: float
    direction: Direction
    actor: str
    answer: bool = False
    offending: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rung with its place in the picture; ``tip`` are the points of its arrow head."""

    rung: Rung
    y: int
    x1: int
    x2: int
    text_x: int
    tip: str
    clock: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """Everything a template needs to draw; no rungs means that nothing was exchanged."""

    width: int
    height: int
    heads: tuple[tuple[int, str], ...]
    rungs: tuple[Drawn, ...]
    left_out: int


def ladder(messages: Sequence[Message], sut: str, offending: frozenset[int], decoder: Decoder) -> Ladder:
    """Lay out the messages of one scenario; those in ``offending`` are never left out."""
    rungs = list(_rungs(messages, offending, decoder))
    left_out = 0
    if len(rungs) > MAX_ROWS:
        head = MAX_ROWS * 2 // 3
        tail = len(rungs) - (MAX_ROWS - head)
        kept = [r for i, r in enumerate(rungs) if i < head or i >= tail or r.offending]
        left_out, rungs = len(rungs) - len(kept), kept[: MAX_ROWS * 2]
    actors = list(dict.fromkeys(rung.actor for rung in rungs if rung.direction is not Direction.NONE))
    gap = {0: 520, 1: 520, 2: 290}.get(len(actors), 230)
    column = {actor: _LEFT + gap * (number + 1) for number, actor in enumerate(actors)}
    width = max([_LEFT + 520, *[x + 100 for x in column.values()]])
    start = min((m.time for m in messages), default=0.0)
    drawn = tuple(_draw(rung, _TOP + _ROW * i, column, start, width) for i, rung in enumerate(rungs))
    heads = ((_LEFT, sut), *((x, actor or "Peer") for actor, x in column.items()))
    return Ladder(width, _TOP + _ROW * len(rungs) + 4, heads, drawn, left_out)


def _draw(rung: Rung, y: int, column: Mapping[str, int], start: float, width: int) -> Drawn:
    clock = f"+{rung.time - start:.3f}"
    far = column.get(rung.actor, width - 90)
    short = replace(rung, label=clipped(rung.label, (width - _LEFT - 20) // 7))
    if rung.direction is Direction.FROM_SUT:
        tip = f"{far},{y} {far - 9},{y - 4} {far - 9},{y + 4}"
        return Drawn(short, y, _LEFT, far - 8, _LEFT + 12, tip, clock)
    if rung.direction is Direction.TO_SUT:
        tip = f"{_LEFT},{y} {_LEFT + 9},{y - 4} {_LEFT + 9},{y + 4}"
        return Drawn(short, y, far, _LEFT + 8, _LEFT + 12, tip, clock)
    return Drawn(short, y, _LEFT, _LEFT, _LEFT + 12, "", clock)


def clipped(text: str, limit: int) -> str:
    """One line of at most ``limit`` characters, wide ones counted twice."""
    text = visible(text, 400)
    room = limit
    for index, character in enumerate(text):
        room -= 2 if east_asian_width(character) in "WF" else 1
        if room < 0:
            return text[: max(index - 1, 0)].rstrip() + "…"
    return text


def _rungs(messages: Sequence[Message], offending: frozenset[int], decoder: Decoder) -> Iterator[Rung]:
    group: list[Message] = []
    for message in messages:
        if message.kind in _QUIET and message.seq not in offending:
            continue
        if group and not _belongs(group, message, offending):
            yield _rung(group, decoder, offending)
            group = []
        group.append(message)
    if group:
        yield _rung(group, decoder, offending)


def _belongs(group: list[Message], message: Message, offending: frozenset[int]) -> bool:
    """Stores with their answers, query answers of one query, and an association with its acceptance are one line."""
    first, last = group[0], group[-1]
    if message.association != first.association or offending & {last.seq, message.seq}:
        return False
    if first.kind == "C-STORE-RQ":
        return message.kind in ("C-STORE-RQ", "C-STORE-RSP") and message.actor == first.actor
    if first.kind == "C-FIND-RSP":
        return message.kind == "C-FIND-RSP"
    return first.kind == "A-ASSOCIATE-RQ" and message.kind == "A-ASSOCIATE-AC" and len(group) == 1


def _rung(group: list[Message], decoder: Decoder, offending: frozenset[int]) -> Rung:
    first = group[0]
    seqs = tuple(message.seq for message in group)
    number = f"#{seqs[0]}" if len(seqs) == 1 else f"#{seqs[0]}–{seqs[-1]}"
    return Rung(
        seqs=seqs,
        label=f"{number} {_describe(group, decoder)}",
        time=first.time,
        direction=first.direction,
        actor=first.actor,
        answer=first.kind.endswith("-RSP") or first.kind.startswith("ACK"),
        offending=bool(offending & set(seqs)),
        quiet=first.kind.startswith("A-ASSOCIATE") and not first.kind.endswith("RJ"),
    )


def _describe(group: list[Message], decoder: Decoder) -> str:
    first = group[0]
    try:
        if first.kind == "C-STORE-RQ":
            return _stores(group)
        if first.kind == "C-FIND-RSP":
            return _matches(group)
        if first.kind.startswith(("A-", "CONNECTION")):
            return _association(group)
        if first.protocol is Protocol.DICOM:
            return _dimse(first, decoder)
        if first.protocol is Protocol.HL7:
            return _hl7(first, decoder)
    except UNREADABLE:
        return first.kind
    name = first.fields.get("path") or first.fields.get("name") or ""
    return f"{first.kind} {os.path.basename(str(name))}".strip()  # noqa: PTH119 - a name to show, not a path to open


def describe(message: Message, decoder: Decoder) -> str:
    """One message in a few words: ``N-CREATE in progress``, ``C-FIND worklist``, ``ACK AA``."""
    if message.kind == "C-FIND-RSP":
        return "C-FIND match" if message.payload.size else f"C-FIND {status_text(_status(message))}"
    return _describe([message], decoder)


def _stores(group: list[Message]) -> str:
    sent = sum(1 for message in group if message.kind == "C-STORE-RQ")
    answers = [_status(message) for message in group if message.kind == "C-STORE-RSP"]
    bad = [status for status in answers if status not in (None, 0)]
    text = "C-STORE" if sent == 1 else f"C-STORE, {sent} objects"
    if bad:
        return f"{text}, {len(bad)} answered {status_text(bad[0])}"
    return f"{text}, stored" if answers and len(answers) == sent else text


def _matches(group: list[Message]) -> str:
    pending = sum(1 for message in group if _status(message) in (0xFF00, 0xFF01))
    last = _status(group[-1])
    text = f"C-FIND answer, {'1 match' if pending == 1 else f'{pending} matches'}"
    return text if last in (0, 0xFF00, 0xFF01, None) else f"{text}, {status_text(last)}"


def _association(group: list[Message]) -> str:
    first = group[0]
    fields = first.fields
    number = f"association {first.association}"
    if first.kind == "A-ASSOCIATE-RQ":
        names = f"{fields.get('calling_ae', '?')} → {fields.get('called_ae', '?')}"
        return f"{number} opened, {names}" if len(group) > 1 else f"asks for {number}, {names}"
    if first.kind == "A-ASSOCIATE-AC":
        contexts = [c for c in fields.get("contexts") or () if isinstance(c, Mapping)]
        accepted = sum(1 for c in contexts if c.get("result") in (0, "0", "accepted"))
        return f"{number} accepted" + (f", {accepted} of {len(contexts)} contexts" if contexts else "")
    if first.kind == "A-ASSOCIATE-RJ":
        return f"{number} rejected, reason {fields.get('reason', '?')}"
    if first.kind == "A-ABORT":
        return f"{number} aborted"
    return f"{first.kind} {number}"


def _dimse(message: Message, decoder: Decoder) -> str:
    service = message.kind.removesuffix("-RQ").removesuffix("-RSP")
    if message.kind == "PROTOCOL-VIOLATION":
        return f"violates the protocol: {message.fields.get('text', '')}"
    if message.kind.endswith("-RSP"):
        return f"{service} {status_text(_status(message))}"
    abstract_syntax = str(message.fields.get("AbstractSyntax") or message.fields.get("AffectedSOPClassUID") or "")
    if service in ("C-FIND", "C-MOVE", "C-GET"):
        model = UID(abstract_syntax).name if abstract_syntax else ""
        return f"{service} {_QUERIES.get(abstract_syntax, model.split(' Information')[0])}"
    dataset = decoder.dataset(message)
    if dataset is not None and service in ("N-CREATE", "N-SET") and dataset.get("PerformedProcedureStepStatus"):
        return f"{service} step {str(dataset.PerformedProcedureStepStatus).lower()}"
    if dataset is not None and "TransactionUID" in dataset:
        number = sum(len(dataset.get(name) or ()) for name in ("ReferencedSOPSequence", "FailedSOPSequence"))
        return f"{service} commitment, {'1 object' if number == 1 else f'{number} objects'}"
    sop_class = str(message.fields.get("AffectedSOPClassUID") or message.fields.get("RequestedSOPClassUID") or "")
    if sop_class.startswith(_PRINT):
        return f"{service} {UID(sop_class).name.removesuffix(' SOP Class').removeprefix('Basic ')}"
    return service


def _hl7(message: Message, decoder: Decoder) -> str:
    for name, fields in decoder.segments(message):
        if name == "MSA" and len(fields) > 1:
            return f"{message.kind} {fields[1]}"
        if name == "ORC" and len(fields) > 1:
            return f"{message.kind} order control {fields[1]}"
    return message.kind


def _status(message: Message) -> int | None:
    status: Any = message.fields.get("Status")
    return status if isinstance(status, int) else None


def status_text(status: int | None) -> str:
    """A DIMSE status in words (PS3.7 annex C)."""
    if status is None:
        return "answered"
    if status == 0:
        return "success"
    if status in (0xFF00, 0xFF01):
        return "pending"
    if status == 0xFE00:
        return "cancelled"
    kind = "warning" if status == 1 or 0xB000 <= status <= 0xBFFF or status in (0x0107, 0x0116) else "failure"
    return f"{kind} 0x{status:04X}"
