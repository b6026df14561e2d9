"""The HL7 messages of an exchange: which transaction each belongs to, and what was answered to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from harness.core.message import Direction, Message, Protocol
from harness.core.transcript import Transcript
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, TO_SUT, Journal
from harness.protocols.hl7.message import NULL, HL7Message, Separators

REGISTRATION = frozenset({"A01", "A04", "A05", "A11", "A38"})
UPDATE = frozenset({"A02", "A03", "A06", "A07", "A08", "A12", "A13", "A40"})
ANSWERS = frozenset({"ACK", "ORR", "ORG", "ORI", "MCF"})
ORDERS = frozenset({"ORM", "OMG"})
OLD_VERSION = "2.3.1"

#: the rules of framing that an engine may have found broken
FRAMING = frozenset(
    {"bytes-outside-block", "missing-end-block", "missing-carriage-return", "empty-block", "message-too-long"}
)


@lru_cache(maxsize=2048)
def _parsed(raw: bytes) -> HL7Message:
    return HL7Message(raw)


@lru_cache(maxsize=2048)
def _classified(raw: bytes, actor: str, direction: Direction) -> str:
    return transaction_of(actor, direction, _parsed(raw))


@dataclass(frozen=True, slots=True)
class Told:
    """One message that is no answer, with the answers to it in order. ``transaction`` is empty where none fits."""

    record: Message
    hl7: HL7Message
    transaction: str
    answers: tuple[Told, ...] = ()

    @property
    def seq(self) -> int:
        """Where it stands in the transcript."""
        return self.record.seq

    @property
    def label(self) -> str:
        """How observations name it."""
        return self.record.label

    @property
    def is_old(self) -> bool:
        """Whether it is in the v2.3.1 form: by its type where that tells, by MSH-12 otherwise."""
        if self.hl7.type in ("OMG", "OMI", "ORG", "ORI"):
            return False
        return self.hl7.type in ("ORM", "ORR") or self.hl7.version == OLD_VERSION

    @property
    def control(self) -> str:
        """ORC-1 of the first order."""
        return self.hl7["ORC-1"]

    @property
    def patient(self) -> tuple[str, str]:
        """PID-3.1 and the namespace or universal ID of the assigning authority."""
        return _identifier(self.hl7, "PID-3")

    @property
    def retired(self) -> tuple[str, str]:
        """MRG-1."""
        return _identifier(self.hl7, "MRG-1")

    @property
    def encounter(self) -> tuple[str, str]:
        """Account number and visit number, as far as sent."""
        return self.hl7["PID-18.1"], self.hl7["PV1-19.1"]

    @property
    def placer_number(self) -> str:
        """ORC-2.1, else OBR-2.1."""
        return self.hl7["ORC-2.1"] or self.hl7["OBR-2.1"]

    @property
    def filler_number(self) -> str:
        """ORC-3.1, else OBR-3.1."""
        return self.hl7["ORC-3.1"] or self.hl7["OBR-3.1"]

    @property
    def study_uid(self) -> str:
        """ZDS-1.1 or IPC-3.1."""
        return self.hl7["IPC-3.1"] or self.hl7["ZDS-1.1"]

    @property
    def procedure_id(self) -> str:
        """OBR-19 or IPC-2."""
        return self.hl7["IPC-2.1"] or self.hl7["OBR-19.1"]

    @property
    def answer(self) -> Told | None:
        """The last answer: the application's, where two came."""
        return self.answers[-1] if self.answers else None

    @property
    def code(self) -> str:
        """MSA-1 of the last answer, empty without one."""
        return self.answers[-1].hl7["MSA-1"] if self.answers else ""

    @property
    def evidence(self) -> tuple[int, ...]:
        """The message and its last answer."""
        return (self.seq, self.answers[-1].seq) if self.answers else (self.seq,)


def _identifier(message: HL7Message, path: str) -> tuple[str, str]:
    return message[f"{path}.1"], message[f"{path}.4.1"] or message[f"{path}.4.2"]


class HL7Journal:
    """All HL7 of an exchange; ``sent`` by the system under test, ``given`` to it by us."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    @cached_property
    def _records(self) -> tuple[Message, ...]:
        return tuple(
            message
            for message in self.journal.messages
            if message.protocol is Protocol.HL7 and message.direction is not Direction.NONE
        )

    @cached_property
    def raw(self) -> tuple[Told, ...]:
        """Every message of the system under test, answers included."""
        return tuple(
            Told(record, _parsed(record.payload.bytes()), "")
            for record in self._records
            if record.direction is FROM_SUT and record.kind != "PROTOCOL-VIOLATION"
        )

    @cached_property
    def violations(self) -> tuple[Message, ...]:
        """Breaches of the framing by the system under test."""
        return tuple(
            record
            for record in self._records
            if record.kind == "PROTOCOL-VIOLATION" and record.fields.get("rule") in FRAMING
        )

    @cached_property
    def sent(self) -> tuple[Told, ...]:
        """What the system under test sent of its own accord, in order, each with our answers."""
        return self._told(FROM_SUT)

    @cached_property
    def given(self) -> tuple[Told, ...]:
        """What we sent to the system under test, each with its answers."""
        return self._told(TO_SUT)

    def of(self, transaction: str) -> tuple[Told, ...]:
        """Messages of the system under test that belong to a transaction."""
        return tuple(told for told in self.sent if told.transaction == transaction)

    def asked(self, transaction: str) -> tuple[Told, ...]:
        """Our messages to the system under test that belong to a transaction."""
        return tuple(told for told in self.given if told.transaction == transaction)

    @cached_property
    def negative(self) -> frozenset[int]:
        """Messages of ours that were meant to be refused."""
        return frozenset(int(data.get("message", 0)) for _, data in self.journal.facts("NEGATIVE"))

    @cached_property
    def withheld(self) -> frozenset[int]:
        """Messages of the system under test that we did not acknowledge, on purpose."""
        return frozenset(
            int(data.get("message", 0))
            for _, data in self.journal.facts("FAULT-INJECTED")
            if data.get("fault") == "acknowledgement-withheld"
        )

    def sees(self, actor: str) -> bool:
        """Whether a simulated actor of that name took part in HL7 at all."""
        return any(m.actor == actor for m in self.journal.messages if m.protocol is Protocol.HL7)

    def _told(self, direction: Direction) -> tuple[Told, ...]:
        newest = self.journal.messages[-1].seq if self.journal.messages else 0
        return _all_told(self.journal.transcript, newest, direction)


# some hundred checks ask for the same; a transcript only grows, so that its newest message tells its state
@lru_cache(maxsize=4)
def _all_told(transcript: Transcript, newest: int, direction: Direction) -> tuple[Told, ...]:
    records = tuple(
        message
        for message in transcript.messages
        if message.protocol is Protocol.HL7 and message.direction is not Direction.NONE and message.seq <= newest
    )
    return tuple(_joined(records, direction))


def _joined(records: tuple[Message, ...], direction: Direction) -> Iterator[Told]:
    back = TO_SUT if direction is FROM_SUT else FROM_SUT
    answers: dict[int, list[Told]] = {}
    asked: dict[int, list[Message]] = {}
    found: list[Message] = []
    for record in records:
        if record.kind == "PROTOCOL-VIOLATION":
            continue
        is_answer = record.fields.get("type") in ANSWERS
        if record.direction is direction and not is_answer:
            found.append(record)
            asked.setdefault(record.association, []).append(record)
        elif record.direction is back and is_answer:
            waiting = asked.get(record.association, [])
            named = [m for m in waiting if m.fields.get("control_id") == record.fields.get("acknowledged_id")]
            if question := (named or waiting)[-1:]:
                answers.setdefault(question[0].seq, []).append(Told(record, _parsed(record.payload.bytes()), ""))
    for record in found:
        raw = record.payload.bytes()
        transaction = _classified(raw, record.actor, record.direction)
        yield Told(record, _parsed(raw), transaction, tuple(answers.get(record.seq, ())))


def transaction_of(actor: str, direction: Direction, hl7: HL7Message) -> str:
    """The transaction of a message, by type, trigger, order control, and which ``actor`` of ours had it."""
    if hl7.type == "ADT":
        return "RAD-1" if hl7.trigger in REGISTRATION else "RAD-12" if hl7.trigger in UPDATE else ""
    if hl7.type == "SIU":
        return "RAD-48"
    to_manager = actor == names.IMAGE_MANAGER and direction is FROM_SUT
    if hl7.type == "OMI" or "ZDS" in hl7 or (hl7.type in ORDERS and to_manager):
        return "RAD-4" if hl7["ORC-1"] == "NW" else "RAD-13"
    if hl7.type not in ORDERS:
        return ""
    if direction is FROM_SUT and actor in (names.ORDER_PLACER, names.ORDER_FILLER):
        return "RAD-3" if actor == names.ORDER_PLACER else "RAD-2"
    return "RAD-3" if hl7["ORC-1"] in ("SN", "SC", "OC", "NA") else "RAD-2"


def trimmed(text: str, separators: Separators) -> str:
    """A field without empty components and repetitions at the end, which say nothing (HL7 v2.5 section 2.5.2)."""
    inner = separators.component + separators.subcomponent
    parts = [part.rstrip(inner) for part in text.split(separators.repetition)]
    return separators.repetition.join(parts).rstrip(separators.repetition)


def day_of(text: str) -> str:
    """The day of a time stamp as YYYYMMDD; a precision that a receiver does not need may follow."""
    return text[:8]


def sent_value(text: str) -> str:
    """A field's value as content: nothing for a field that is to be deleted."""
    return "" if text == NULL else text
