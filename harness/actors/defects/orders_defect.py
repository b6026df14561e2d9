"""What a seeded defect of the HL7 sides is made of: replacements of single decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.actors.orders import behaviour as correct
from harness.actors.orders import reader
from harness.actors.orders.behaviour import Accepted, Change, OrdersBehaviour, Refusal
from harness.actors.orders.book import OrderBook
from harness.actors.orders.hl7 import HL7_231, HL7_251, Appointment, Fields, Scene
from harness.actors.orders.layouts import Layout, appointment_layout, schedule_layout
from harness.actors.orders.values import (
    Identifier,
    Order,
    Patient,
    PersonName,
    RequestedProcedure,
    ScheduledStep,
    Visit,
)
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.message import HL7Message

ADT, PLACER, FILLER, MANAGER = "ADT", "Order Placer", "DSS/Order Filler", "Image Manager/Archive"
BOTH = (HL7_231, HL7_251)


@dataclass(frozen=True, slots=True)
class OrdersDefect:
    """``apply`` makes a defective behaviour of a correct one; ``breaks`` are the requirements it violates.

    ``actor`` has the defect, in the HL7 ``versions`` in which it shows. ``in_flows`` are requirements that only whole
    scenarios find broken besides: the message that they wait for does not come, or the flow does not go on.
    """

    id: str
    title: str
    actor: str
    breaks: tuple[str, ...]
    apply: Callable[[OrdersBehaviour], OrdersBehaviour]
    versions: tuple[str, ...] = BOTH
    in_flows: tuple[str, ...] = ()


def fixed(segment: str, **values: str) -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """Write fixed values; ``_3_4`` stands for component 4 of field 3, an empty one takes the whole field away."""
    changes = {path[1:].replace("_", "."): value for path, value in values.items()}

    def change(scene: Scene, fields: Fields) -> Fields:
        kept = {
            path: value
            for path, value in fields.items()
            if not any(path == gone or path.startswith((f"{gone}.", f"{gone}[")) for gone in changes)
        }
        return {**kept, **{path: value for path, value in changes.items() if value}}

    return lambda behaviour: behaviour.rewrite(segment, change)


def when(
    segment: str, holds: Callable[[Scene], bool], change: Callable[[Scene, Fields], Fields]
) -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """Change a segment in some messages only."""
    return lambda behaviour: behaviour.rewrite(
        segment, lambda scene, fields: change(scene, fields) if holds(scene) else fields
    )


def other_number(order: Order) -> Order:
    """An order under a number that was never placed."""
    return replace(order, placer_number=replace(order.placer_number, value="X999"))


def dashed(text: str) -> str:
    """A date with dashes."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def accept_all(message: HL7Message, accepted: Accepted) -> Refusal | None:
    """A receiver that rejects nothing."""
    refusal = correct.judge(message, accepted)
    return None if refusal is not None and refusal.code is Code.REJECT else refusal


def error_for_reject(message: HL7Message, accepted: Accepted) -> Refusal | None:
    """A receiver that answers AE where AR is due."""
    refusal = correct.judge(message, accepted)
    return replace(refusal, code=Code.ERROR) if refusal is not None else None


def refuse_z(message: HL7Message, accepted: Accepted) -> Refusal | None:
    """A receiver that refuses segments it does not know."""
    for segment in message:
        if segment.name.startswith("Z") and segment.name != "ZDS":
            return Refusal(Code.ERROR, Condition.SEGMENT_SEQUENCE, f"segment {segment.name} is not known", segment.name)
    return correct.judge(message, accepted)


def merge_needs_visit(message: HL7Message, accepted: Accepted) -> Refusal | None:
    """A receiver that wants PV1 in A40."""
    if message.trigger == "A40" and "PV1" not in message:
        return Refusal(Code.ERROR, Condition.SEGMENT_SEQUENCE, "PV1 is missing", "PV1")
    return correct.judge(message, accepted)


def refuse_unregistered(behaviour: OrdersBehaviour) -> OrdersBehaviour:
    """A receiver that takes no order for a patient whom no ADT message has named."""
    registered: set[str] = set()

    def judge(message: HL7Message, accepted: Accepted) -> Refusal | None:
        patient = message["PID-3.1"]
        if message.type == "ADT":
            registered.add(patient)
        elif message["ORC-1"] == "NW" and patient not in registered:
            return Refusal(Code.ERROR, Condition.UNKNOWN_KEY, "the patient was not registered", "PID-3")
        return correct.judge(message, accepted)

    return replace(behaviour, judge=judge)


def refuse(type_: str, control: str = "") -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """A receiver that refuses a type, or one order control of it."""

    def judge(message: HL7Message, accepted: Accepted) -> Refusal | None:
        if message.type == type_ and control in ("", message["ORC-1"]):
            return Refusal(Code.ERROR, Condition.INTERNAL_ERROR, "not now")
        return correct.judge(message, accepted)

    return lambda behaviour: replace(behaviour, judge=judge)


def one_message_per_step(procedure: RequestedProcedure) -> tuple[tuple[ScheduledStep, ...], ...]:
    """Each step told in a message of its own."""
    return tuple((step,) for step in procedure.steps)


def shared_study(new: Callable[[], str], earlier: tuple[RequestedProcedure, ...]) -> str:
    """One Study Instance UID for all procedures of an order."""
    return earlier[0].study_uid if earlier else new()


def controls(**pairs: tuple[str, str]) -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """Other pairs of ORC-1 and ORC-5 for some changes."""
    changed = {Change[name]: pair for name, pair in pairs.items()}

    def control(change: Change) -> tuple[str, str]:
        return changed.get(change) or correct.schedule_control(change)

    return lambda behaviour: replace(behaviour, schedule_control=control)


def no_merge(book: OrderBook, survivor: Patient, retired: Identifier) -> None:
    """A merge that changes nothing."""
    book.register(survivor)


def without_segment(name: str) -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """ADT messages without a segment."""

    def adt(behaviour: OrdersBehaviour) -> OrdersBehaviour:
        layout = behaviour.adt_layout

        def without(trigger: str) -> Layout:
            found = layout(trigger)
            return replace(found, segments=tuple(segment for segment in found.segments if segment != name))

        return replace(behaviour, adt_layout=without)

    return adt


def zds_first(version: str) -> Layout:
    """ZDS before the orders."""
    layout = schedule_layout(version)
    return replace(layout, segments=(*layout.segments, *layout.last), last=())


def moved(appointment: Appointment) -> Appointment:
    """An appointment under another number."""
    return replace(appointment, filler_id=replace(appointment.filler_id, value=appointment.filler_id.value + "N"))


def without(path: str) -> Callable[[Scene, Fields], Fields]:
    """Take a field or component away."""
    return lambda scene, fields: {k: v for k, v in fields.items() if k != path and not k.startswith(f"{path}.")}


def lengthened(field: str) -> Callable[[OrdersBehaviour], OrdersBehaviour]:
    """A field of OBR in scheduling messages with more characters than its DICOM attribute takes."""
    return when("OBR", lambda s: s.procedure is not None, lambda s, f: {**f, field: f"{f.get(field, ''):0<20}"})


def garbled(message: HL7Message, before: Patient | None) -> Patient:
    """A patient whose ideographic and phonetic names were read in another character set than they were written in."""
    patient = reader.patient_of(message, before)
    name = patient.name
    other = (group.encode().decode("latin-1") for group in (name.ideographic, name.phonetic))
    return replace(patient, name=PersonName(name.alphabetic, *other))


def other_issuer(message: HL7Message, before: Patient | None) -> Patient:
    """A patient whose ID was assigned by somebody else than the message says."""
    patient = reader.patient_of(message, before)
    return replace(patient, identifier=Identifier(patient.identifier.value, "ELSEWHERE"))


def reject_unknown_patient(behaviour: OrdersBehaviour) -> OrdersBehaviour:
    """A receiver that rejects updates of patients whom no message has named before."""
    known: set[str] = set()

    def judge(message: HL7Message, accepted: Accepted) -> Refusal | None:
        patient = message["PID-3.1"]
        if message.trigger == "A08" and patient not in known:
            return Refusal(Code.REJECT, Condition.UNKNOWN_KEY, "no such patient", "PID-3")
        known.add(patient)
        return correct.judge(message, accepted)

    return replace(behaviour, judge=judge)


def renumbered(behaviour: OrdersBehaviour) -> OrdersBehaviour:
    """Scheduling messages with a placer number that no placer dealt out."""
    for segment in ("ORC", "OBR"):
        behaviour = behaviour.rewrite(
            segment, lambda scene, fields: {**fields, "2.1": "OWN"} if scene.procedure is not None else fields
        )
    return behaviour


def late_patient(trigger: str) -> Layout:
    """Appointments whose patient comes after the resources."""
    return replace(appointment_layout(trigger), segments=("SCH", "RGS", "AIS", "PID", "PV1"))


def another_start(path: str) -> Callable[[Scene, Fields], Fields]:
    """A start that is not the scheduled one."""
    return lambda scene, fields: {**fields, path: "20010101010000"}


def without_details(message: HL7Message, patient: tuple[str, str], visit: Visit) -> Order:
    """An order of which transport, reason and clinical information are not kept."""
    return replace(reader.order_of(message, patient, visit), transport="", reason="", clinical_information="")
