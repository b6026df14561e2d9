"""What the simulated actors decide about HL7 messages, as pure functions that a defect may replace one by one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from harness.actors.orders import hl7, layouts, reader
from harness.actors.orders import records as archives
from harness.actors.orders.book import OrderBook
from harness.actors.orders.hl7 import Fields, Scene, Segments
from harness.actors.orders.layouts import Layout
from harness.actors.orders.values import (
    Identifier,
    Order,
    OrderState,
    Patient,
    RequestedProcedure,
    ScheduledStep,
    Visit,
)
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.framing import frame
from harness.protocols.hl7.message import NULL, STANDARD, HL7Message, Separators, compose


class Change(enum.Enum):
    """What happened to a requested procedure that others have to know (RAD-4, RAD-13)."""

    SCHEDULED = enum.auto()
    CHANGED = enum.auto()
    CHANGED_AFTER_COMPLETION = enum.auto()
    CANCELLED = enum.auto()
    DISCONTINUED = enum.auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not accepted: MSA-1, the condition of table 0357, a sentence and the place."""

    code: Code
    condition: Condition
    text: str
    location: str = ""


#: paths a message needs, by type and trigger; alternatives are separated by ``|``
Accepted = Mapping[tuple[str, str], tuple[str, ...]]

VERSIONS = frozenset({"2.3.1", "2.4", "2.5", "2.5.1"})


def judge(message: HL7Message, accepted: Accepted) -> Refusal | None:
    """Whether a receiver takes a message: AR for what it does not know, AE for what is missing; None: it does."""
    if "MSH" not in message:
        return Refusal(Code.REJECT, Condition.SEGMENT_SEQUENCE, "the message does not begin with MSH", "MSH")
    if message.type not in {kind for kind, _ in accepted}:
        text = f"message type {message.type!r} is not supported"
        return Refusal(Code.REJECT, Condition.UNSUPPORTED_TYPE, text, "MSH-9.1")
    if (message.type, message.trigger) not in accepted:
        text = f"trigger event {message.trigger!r} is not supported"
        return Refusal(Code.REJECT, Condition.UNSUPPORTED_EVENT, text, "MSH-9.2")
    if message.version not in VERSIONS:
        text = f"version {message.version!r} is not supported"
        return Refusal(Code.REJECT, Condition.UNSUPPORTED_VERSION, text, "MSH-12")
    for path in ("MSH-10", *accepted[message.type, message.trigger]):
        alternatives = path.split("|")
        if any(message[one] not in ("", NULL) for one in alternatives):
            continue
        segment = alternatives[0].split("-")[0]
        condition = Condition.REQUIRED_FIELD if segment in message else Condition.SEGMENT_SEQUENCE
        return Refusal(Code.ERROR, condition, f"{' or '.join(alternatives)} is missing", alternatives[0])
    return None


def schedule_control(change: Change) -> tuple[str, str]:
    """ORC-1 and ORC-5 of RAD-4 and RAD-13."""
    return {
        Change.SCHEDULED: ("NW", "SC"),
        Change.CHANGED: ("XO", "SC"),
        Change.CHANGED_AFTER_COMPLETION: ("XO", "CM"),
        Change.CANCELLED: ("CA", "CA"),
        Change.DISCONTINUED: ("DC", "CA"),
    }[change]


def control_id(start: int, number: int) -> str:
    """MSH-10, at most 20 characters: seconds since the epoch when the actor began, and a counter."""
    return f"{start % 10**10:010d}{number:06d}"


def time_stamp(text: str) -> str:
    """How a point in time is written."""
    return text


def declare(wanted: tuple[str, ...], text: str) -> tuple[str, ...]:
    """MSH-18: empty while the message is 7-bit ASCII."""
    return () if text.isascii() else wanted


def steps_of_message(procedure: RequestedProcedure) -> tuple[tuple[ScheduledStep, ...], ...]:
    """Which steps are told together: all of a requested procedure, in one message."""
    return (procedure.steps,)


def study_uid(new: Callable[[], str], earlier: tuple[RequestedProcedure, ...]) -> str:
    """The Study Instance UID of a new requested procedure: a new one."""
    return new()


def study_uid_of_change(new: Callable[[], str], procedure: RequestedProcedure) -> str:
    """The Study Instance UID told with a change: the one that was scheduled."""
    return procedure.study_uid


def accession(number: str) -> str:
    """The Accession Number."""
    return number


def forwards(has_orders: bool) -> bool:
    """Whether a filler passes a patient update on."""
    return has_orders


def forwarded(patient: Patient) -> Patient:
    """The patient as a filler passes it on."""
    return patient


def learned(order: Order, placer_number: Identifier) -> Order:
    """An order of the filler after the placer has given it a number."""
    return replace(order, placer_number=placer_number)


def announced(order: Order) -> Order:
    """An order of the filler as it is announced to the placer."""
    return order


def cancelled(order: Order) -> Order:
    """An order as a placer cancels it."""
    return order


def status_for(order: Order) -> str:
    """ORC-5 of a status update."""
    return order.state.value


def tells_status(before: str, after: str) -> bool:
    """Whether a filler tells the placer of a new state of an order: begun, completed or discontinued."""
    return before != after and after in ("IP", "CM", "DC")


def followed(step_ids: tuple[str, ...]) -> tuple[str, ...]:
    """The scheduled steps that a performed step is for: all that it names."""
    return step_ids


def study_uid_of_exam(new: Callable[[], str], study_uid: str) -> str:
    """The Study Instance UID of an order for an exam that was done before: that of the exam."""
    return study_uid


def receivers(trigger: str, destinations: tuple[Destined, ...]) -> tuple[Destined, ...]:
    """Who gets an ADT message: all that are configured."""
    return destinations


def deletions(fields: frozenset[str]) -> frozenset[str]:
    """Which fields are sent as two double quotes: those that are to be deleted."""
    return fields


def visit_allows_order(visit: Visit | None) -> bool:
    """Whether an order is taken for a visit: unless it was cancelled."""
    return visit is None or visit.active


def cancellable(order: Order) -> bool:
    """Whether a filler takes a cancel of the placer: only before the exam has begun."""
    return order.state is OrderState.SCHEDULED


def withdraw(book: OrderBook, order: Order) -> Order:
    """Take a cancelled order off the worklist."""
    return book.cancel(order)


def merge(book: OrderBook, survivor: Patient, retired: Identifier) -> None:
    """Carry out a merge."""
    book.merge(survivor, retired)


def update(book: OrderBook, patient: Patient) -> None:
    """Carry out a change of demographics."""
    book.register(patient)


def swap(survivor: Patient, retired: Patient) -> tuple[Patient, Patient]:
    """Surviving and retired patient as they are put into PID and MRG."""
    return survivor, retired


def acknowledged(message: HL7Message) -> str:
    """MSA-2."""
    return message.control_id


def placer_answer(fields: Fields) -> Fields:
    """ORC of the answer that gives a filler's order its placer number."""
    return fields


def moved(appointment: hl7.Appointment) -> hl7.Appointment:
    """An appointment as it is told when it was moved or cancelled."""
    return appointment


Destined = Any
"""A destination; what it is made of does not matter here."""

Writer = Callable[[Scene], Fields]

WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "MSH": hl7.msh,
        "EVN": hl7.evn,
        "PID": hl7.pid,
        "PV1": hl7.pv1,
        "MRG": hl7.mrg,
        "ORC": hl7.orc,
        "TQ1": hl7.tq1,
        "OBR": hl7.obr,
        "IPC": hl7.ipc,
        "ZDS": hl7.zds,
        "MSA": hl7.msa,
        "SCH": hl7.sch,
        "RGS": hl7.rgs,
        "AIS": hl7.ais,
    }
)


@dataclass(frozen=True, slots=True)
class OrdersBehaviour:
    """Every decision of the HL7 sides; the defaults are what the Technical Framework wants."""

    writers: Mapping[str, Writer] = field(default_factory=lambda: WRITERS)
    adt_layout: Callable[[str], Layout] = layouts.adt_layout
    order_layout: Callable[[str], Layout] = layouts.order_layout
    answer_layout: Callable[[str], Layout] = layouts.answer_layout
    schedule_layout: Callable[[str], Layout] = layouts.schedule_layout
    appointment_layout: Callable[[str], Layout] = layouts.appointment_layout
    judge: Callable[[HL7Message, Accepted], Refusal | None] = judge
    schedule_control: Callable[[Change], tuple[str, str]] = schedule_control
    control_id: Callable[[int, int], str] = control_id
    time_stamp: Callable[[str], str] = time_stamp
    declare: Callable[[tuple[str, ...], str], tuple[str, ...]] = declare
    steps_of_message: Callable[[RequestedProcedure], tuple[tuple[ScheduledStep, ...], ...]] = steps_of_message
    study_uid: Callable[[Callable[[], str], tuple[RequestedProcedure, ...]], str] = study_uid
    study_uid_of_change: Callable[[Callable[[], str], RequestedProcedure], str] = study_uid_of_change
    accession: Callable[[str], str] = accession
    forwards: Callable[[bool], bool] = forwards
    forwarded: Callable[[Patient], Patient] = forwarded
    learned: Callable[[Order, Identifier], Order] = learned
    announced: Callable[[Order], Order] = announced
    cancelled: Callable[[Order], Order] = cancelled
    status_for: Callable[[Order], str] = status_for
    tells_status: Callable[[str, str], bool] = tells_status
    followed: Callable[[tuple[str, ...]], tuple[str, ...]] = followed
    merge: Callable[[OrderBook, Patient, Identifier], None] = merge
    update: Callable[[OrderBook, Patient], None] = update
    swap: Callable[[Patient, Patient], tuple[Patient, Patient]] = swap
    acknowledged: Callable[[HL7Message], str] = acknowledged
    placer_answer: Callable[[Fields], Fields] = placer_answer
    moved: Callable[[hl7.Appointment], hl7.Appointment] = moved
    patient_of: Callable[[HL7Message, Patient | None], Patient] = reader.patient_of
    order_of: Callable[[HL7Message, tuple[str, str], Visit], Order] = reader.order_of
    study_uid_of_exam: Callable[[Callable[[], str], str], str] = study_uid_of_exam
    receivers: Callable[[str, tuple[Destined, ...]], tuple[Destined, ...]] = receivers
    deletions: Callable[[frozenset[str]], frozenset[str]] = deletions
    visit_allows_order: Callable[[Visit | None], bool] = visit_allows_order
    cancellable: Callable[[Order], bool] = cancellable
    withdraw: Callable[[OrderBook, Order], Order] = withdraw
    update_archive: Callable[[archives.PatientRecords, Patient], None] = archives.update_archive
    merge_archive: Callable[[archives.PatientRecords, Patient, Patient], None] = archives.merge_archive
    sends_again: bool = True
    separators: Separators = STANDARD
    frame: Callable[[bytes], bytes] = frame

    def rewrite(self, segment: str, change: Callable[[Scene, Fields], Fields]) -> OrdersBehaviour:
        """The same behaviour, with what one segment's writer says changed by a function."""
        writer = self.writers[segment]

        def changed(scene: Scene) -> Fields:
            return change(scene, writer(scene))

        return replace(self, writers=MappingProxyType({**self.writers, segment: changed}))


def build(behaviour: OrdersBehaviour, scene: Scene, layout: Layout, steps: tuple[ScheduledStep, ...] = ()) -> bytes:
    """The ER7 bytes of one message. Raises UsageError where a text does not fit the character sets."""
    parts: Segments = [(name, behaviour.writers[name](scene)) for name in layout.segments]
    for number, step in enumerate(steps, 1):
        at_step = replace(scene, step=step, number=number)
        parts += [(name, behaviour.writers[name](at_step)) for name in layout.repeated]
    parts += [(name, behaviour.writers[name](scene)) for name in layout.last]
    deleted = behaviour.deletions(scene.deleted)
    parts = [(name, {**fields, **_deletions(name, deleted)}) for name, fields in parts]
    text = "".join(value for _, fields in parts for value in fields.values())
    header = behaviour.writers["MSH"](replace(scene, character_sets=behaviour.declare(scene.character_sets, text)))
    everything: Segments = [("MSH", header), *parts]
    return compose(everything, character_sets=scene.character_sets, separators=behaviour.separators)


def _deletions(name: str, deleted: frozenset[str]) -> Fields:
    return {path.split("-")[1]: NULL for path in deleted if path.startswith(f"{name}-")}
