"""What simulated actors take from received HL7 messages: patients, visits, orders, schedules, appointments.

An empty field leaves what is known, two double quotes delete it (HL7 v2.5 section 2.5.3).
"""

from __future__ import annotations

from dataclasses import replace

from harness.actors.orders.hl7 import Appointment
from harness.actors.orders.values import (
    Code,
    Identifier,
    Order,
    Patient,
    PersonName,
    Provider,
    RequestedProcedure,
    ScheduledStep,
    Visit,
)
from harness.protocols.hl7.charset import to_dicom
from harness.protocols.hl7.message import NULL, HL7Message, Segment

_NONE = Segment("")


def value(segment: Segment, path: str, before: str = "") -> str:
    """The new value of a field: what was sent, nothing if it was deleted, ``before`` if nothing was sent."""
    if not segment.field(int(path.split(".")[0].split("[")[0])):
        return before
    sent = segment[path]
    if sent in (NULL, "") and "." in path and segment[path.split(".")[0]] == NULL:
        return ""
    return "" if sent == NULL else sent or before


def cx(segment: Segment, field: int, before: Identifier | None = None, *, repetition: int = 1) -> Identifier:
    """An identifier with assigning authority in component 4."""
    text = segment[f"{field}[{repetition}].1"]
    if text == NULL or segment.field(field) == NULL:
        return Identifier()
    if not text:
        return before or Identifier()
    at = f"{field}[{repetition}].4"
    return Identifier(text, segment[f"{at}.1"], segment[f"{at}.2"], segment[f"{at}.3"])


def ei(segment: Segment, field: int) -> Identifier:
    """An entity identifier with its namespace in component 2."""
    return Identifier(*(value(segment, f"{field}.{component}") for component in (1, 2, 3, 4)))


def ce(segment: Segment, field: int, first: int = 1, repetition: int = 1) -> Code:
    """A coded element whose identifier stands in component ``first``."""
    at = f"{field}[{repetition}]"
    return Code(
        value(segment, f"{at}.{first}"), value(segment, f"{at}.{first + 2}"), value(segment, f"{at}.{first + 1}")
    )


def group(segment: Segment, field: int, repetition: int = 1, first: int = 1) -> str:
    """One name in DICOM's order of components: family, given, middle, prefix, suffix."""
    if not segment.field(field):
        return ""
    at = f"{field}[{repetition}]"
    family, given, middle, suffix, prefix = (
        value(segment, f"{at}.{first + n}.1" if n == 0 else f"{at}.{first + n}") for n in range(5)
    )
    return "^".join((family, given, middle, prefix, suffix)).rstrip("^")


def name(segment: Segment, field: int, before: PersonName | None = None) -> PersonName:
    """A person name; repetitions with a name representation code (XPN-8) are its component groups."""
    if segment.field(field) == NULL:
        return PersonName()
    groups: dict[str, str] = {}
    for repetition in range(1, len(segment.repetitions(field)) + 1):
        sign = segment[f"{field}[{repetition}].8"] or ("A" if repetition == 1 else "")
        if sign in ("A", "I", "P"):
            groups.setdefault(sign, group(segment, field, repetition))
    found = PersonName(groups.get("A", ""), groups.get("I", ""), groups.get("P", ""))
    return found or before or PersonName()


def xcn(segment: Segment, field: int, before: Provider | None = None) -> Provider:
    """A physician."""
    if segment.field(field) == NULL:
        return Provider()
    found = Provider(value(segment, f"{field}.1"), PersonName(group(segment, field, first=2)))
    return found or before or Provider()


def located(segment: Segment, field: int, before: str = "") -> str:
    """A location as ``ward^room^bed``."""
    if segment.field(field) == NULL:
        return ""
    return "^".join(segment.components(field)) or before


def patient_of(message: HL7Message, before: Patient | None = None) -> Patient:
    """The patient of PID, on top of what was known."""
    pid = message.segment("PID") or _NONE
    known = before or Patient(Identifier())
    return Patient(
        identifier=cx(pid, 3, known.identifier),
        name=name(pid, 5, known.name),
        birth_date=value(pid, "7.1", known.birth_date)[:8],
        sex=value(pid, "8", known.sex),
        race=value(pid, "10.1", known.race),
        address=located(pid, 11, known.address),
        account=cx(pid, 18, known.account),
        mother_maiden_name=value(pid, "6.1", known.mother_maiden_name),
        weight=known.weight,
        allergies=known.allergies,
        character_set=to_dicom(message.character_sets) or known.character_set,
    )


def retired_of(message: HL7Message) -> Patient:
    """The patient record that a merge retires."""
    mrg = message.segment("MRG") or _NONE
    return Patient(identifier=cx(mrg, 1), name=name(mrg, 7))


def visit_of(message: HL7Message, before: Visit | None = None) -> Visit:
    """The visit of PV1, on top of what was known."""
    pv1 = message.segment("PV1") or _NONE
    known = before or Visit()
    return replace(
        known,
        number=cx(pv1, 19, known.number),
        patient_class=value(pv1, "2", known.patient_class),
        location=located(pv1, 3, known.location),
        prior_location=located(pv1, 6, known.prior_location),
        attending=xcn(pv1, 7, known.attending),
        referring=xcn(pv1, 8, known.referring),
        admitting=xcn(pv1, 17, known.admitting),
        service=value(pv1, "10", known.service),
        pregnant="B6" in pv1.repetitions(15) or (known.pregnant and not pv1.field(15)),
        discharged=value(pv1, "45.1", known.discharged),
    )


def numbers_of(message: HL7Message) -> tuple[Identifier, Identifier]:
    """Placer and filler number of the first order."""
    orc = message.segment("ORC") or _NONE
    obr = message.segment("OBR") or _NONE
    return ei(orc, 2) or ei(obr, 2), ei(orc, 3) or ei(obr, 3)


def order_of(message: HL7Message, patient: tuple[str, str], visit: Visit) -> Order:
    """The order of the first ORC and OBR, without procedures."""
    orc = message.segment("ORC") or _NONE
    obr = message.segment("OBR") or _NONE
    tq1 = message.segment("TQ1") or _NONE
    placer_number, filler_number = numbers_of(message)
    return Order(
        patient=patient,
        placer_number=placer_number,
        filler_number=filler_number,
        service=ce(obr, 4),
        visit=visit,
        ordering=xcn(orc, 12) or xcn(obr, 16),
        entered_by=xcn(orc, 10),
        entering_organization=ce(orc, 17),
        entered=value(orc, "9.1"),
        start=value(orc, "7.4") or value(tq1, "7.1"),
        priority=value(orc, "7.6") or value(tq1, "9.1") or "R",
        danger=value(obr, "12.2") or value(obr, "12.1"),
        clinical_information=value(obr, "13"),
        transport=value(obr, "30"),
        reason=value(obr, "31.2") or value(obr, "31.1"),
    )


def schedule_of(message: HL7Message, patient: tuple[str, str], visit: Visit) -> Order:
    """The order with the one requested procedure and the steps of a scheduling message, in either version."""
    order = order_of(message, patient, visit)
    steps = _steps_of_ipc(message) if "IPC" in message else _steps_of_obr(message)
    first = message.segment("OBR") or _NONE
    ipc = message.segment("IPC")
    procedure = RequestedProcedure(
        id=value(ipc, "2.1") if ipc else value(first, "19"),
        accession_number=value(ipc, "1.1") if ipc else value(first, "18"),
        study_uid=value(ipc, "3.1") if ipc else message["ZDS-1.1"],
        code=ce(first, 44) or ce(first, 4),
        description=ce(first, 44).meaning or ce(first, 4).meaning,
        priority=PRIORITY.get(order.priority, "ROUTINE"),
        steps=steps,
    )
    return replace(order, procedures=(procedure,))


PRIORITY = {"S": "STAT", "A": "HIGH", "P": "HIGH", "C": "HIGH", "R": "ROUTINE", "T": "MEDIUM"}


def _steps_of_obr(message: HL7Message) -> tuple[ScheduledStep, ...]:
    steps = []
    for orc, obr in zip(message.all("ORC"), message.all("OBR"), strict=False):
        start = value(orc, "7.4") or value(obr, "27.4")
        protocol = ce(obr, 4, 4)
        steps.append(
            ScheduledStep(
                id=value(obr, "20"),
                modality=value(obr, "24"),
                start_date=start[:8],
                start_time=start[8:14],
                description=protocol.meaning,
                protocol=(protocol,) if protocol else (),
                performing_physician=PersonName(group(obr, 34, first=2)),
            )
        )
    return tuple(steps)


def _steps_of_ipc(message: HL7Message) -> tuple[ScheduledStep, ...]:
    start = message["TQ1-7.1"]
    steps = []
    for ipc in message.all("IPC"):
        protocol = tuple(ce(ipc, 6, repetition=n) for n in range(1, len(ipc.repetitions(6)) + 1))
        steps.append(
            ScheduledStep(
                id=value(ipc, "4.1"),
                modality=value(ipc, "5.1"),
                station_name=value(ipc, "7.1"),
                location=value(ipc, "8.1"),
                station_ae_title=value(ipc, "9"),
                start_date=start[:8],
                start_time=start[8:14],
                description=protocol[0].meaning if protocol else "",
                protocol=protocol,
            )
        )
    return tuple(steps)


def appointment_of(message: HL7Message) -> Appointment:
    """The appointment of SCH and AIS."""
    sch = message.segment("SCH") or _NONE
    ais = message.segment("AIS") or _NONE
    return Appointment(
        filler_id=ei(sch, 2),
        placer_id=ei(sch, 1),
        reason=ce(sch, 6),
        start=value(sch, "11.4") or value(ais, "4.1"),
        end=value(sch, "11.5"),
        contact=xcn(sch, 16),
        service=ce(ais, 3),
        status=value(sch, "25.1"),
    )
