"""The HL7 messages that the simulated actors send: one function per segment, one layout per message.

Everything is pure: a :class:`Scene` goes in, values by field path come out. Tables 4.1-1 to 4.13-x of RAD TF-2 and
4.48 of TF-3 say which fields; HL7 v2.3.1 and v2.5.1 say where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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

Fields = dict[str, str]
Segments = list[tuple[str, Mapping[str, str]]]

NO_IDENTIFIER = Identifier()
NO_CODE = Code()
NO_PROVIDER = Provider()
NO_VISIT = Visit()
NO_ORDER = Order(patient=("", ""))

HL7_231 = "2.3.1"
HL7_251 = "2.5.1"


@dataclass(frozen=True, slots=True)
class Application:
    """Who sends or receives: MSH-3/4 or MSH-5/6."""

    name: str
    facility: str


@dataclass(frozen=True, slots=True)
class Appointment:
    """One appointment for the steps of an order; times in HL7 form."""

    filler_id: Identifier
    placer_id: Identifier = NO_IDENTIFIER
    reason: Code = NO_CODE
    start: str = ""
    end: str = ""
    contact: Provider = NO_PROVIDER
    service: Code = NO_CODE
    status: str = "Booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a message may be made of. ``control`` and ``status`` are ORC-1 and ORC-5.

    ``deleted`` names fields to send as the two double quotes that delete a stored value (``PID-10``).
    """

    type: str
    trigger: str
    structure: str
    version: str
    time: str
    control_id: str
    sender: Application
    receiver: Application
    patient: Patient
    visit: Visit = NO_VISIT
    character_sets: tuple[str, ...] = ()
    retired: Patient | None = None
    order: Order = NO_ORDER
    procedure: RequestedProcedure | None = None
    step: ScheduledStep | None = None
    number: int = 1
    control: str = ""
    status: str = ""
    appointment: Appointment | None = None
    deleted: frozenset[str] = frozenset()
    answered: str = ""

    @property
    def is_old(self) -> bool:
        """Whether the message is v2.3.1, with the timing in ORC-7 and OBR-27 and the Study Instance UID in ZDS."""
        return self.version == HL7_231


# -- data types ------------------------------------------------------------------------------------------------


def identifier(path: str, value: Identifier, authority: int) -> Fields:
    """A CX (authority in component 4) or, with ``authority`` 2, an EI."""
    fields = {f"{path}.1": value.value}
    if authority == 2:
        fields |= {f"{path}.2": value.authority, f"{path}.3": value.universal_id, f"{path}.4": value.universal_id_type}
    else:
        fields |= {
            f"{path}.4.1": value.authority,
            f"{path}.4.2": value.universal_id,
            f"{path}.4.3": value.universal_id_type,
        }
    return fields


def code(path: str, value: Code, first: int = 1) -> Fields:
    """A CE: identifier, text, coding scheme from component ``first`` on."""
    return {f"{path}.{first}": value.value, f"{path}.{first + 1}": value.meaning, f"{path}.{first + 2}": value.scheme}


def name_parts(group: str, path: str, first: int = 1) -> Fields:
    """One component group of DICOM's order as family, given, middle, suffix, prefix."""
    family, given, middle, prefix, suffix = (group.split("^") + [""] * 5)[:5]
    values = (family, given, middle, suffix, prefix)
    return {f"{path}.{first + number}": value for number, value in enumerate(values)}


def person(path: str, name: PersonName) -> Fields:
    """An XPN; the ideographic and phonetic groups are repetitions told apart by XPN-8 (table 4000)."""
    groups = [
        (group, sign)
        for group, sign in ((name.alphabetic, "A"), (name.ideographic, "I"), (name.phonetic, "P"))
        if group
    ]
    fields: Fields = {}
    for number, (group, sign) in enumerate(groups, 1):
        fields |= name_parts(group, f"{path}[{number}]")
        if len(groups) > 1:
            fields |= {f"{path}[{number}].7": "L", f"{path}[{number}].8": sign}
    return fields


def provider(path: str, value: Provider) -> Fields:
    """An XCN."""
    return {f"{path}.1": value.id, **name_parts(value.name.alphabetic, path, 2)}


def location(path: str, value: str) -> Fields:
    """A PL given as ``ward^room^bed``."""
    return {f"{path}.{number}": part for number, part in enumerate(value.split("^"), 1)}


def timing(path: str, start: str, priority: str) -> Fields:
    """A TQ: start in component 4, priority in 6."""
    return {f"{path}.4": start, f"{path}.6": priority}


def start_of(step: ScheduledStep) -> str:
    """The scheduled start as a time stamp."""
    return step.start_date + step.start_time


PRIORITY_OF = {"STAT": "S", "HIGH": "A", "ROUTINE": "R", "MEDIUM": "T", "LOW": "R"}


# -- segments ----------------------------------------------------------------------------------------------------


def msh(scene: Scene) -> Fields:
    """Message header (Table 2.4-1)."""
    fields = {
        "3": scene.sender.name,
        "4": scene.sender.facility,
        "5": scene.receiver.name,
        "6": scene.receiver.facility,
        "7": scene.time,
        "9.1": scene.type,
        "9.2": scene.trigger,
        "9.3": "" if scene.is_old else scene.structure,
        "10": scene.control_id,
        "11": "P",
        "12": scene.version,
    }
    for number, value in enumerate(scene.character_sets, 1):
        fields[f"18[{number}]"] = value
    return fields


def evn(scene: Scene) -> Fields:
    """Event type."""
    return {"1": scene.trigger if scene.is_old else "", "2": scene.time}


def pid(scene: Scene) -> Fields:
    """Patient identification (Table 4.1-2)."""
    patient = scene.patient
    return {
        **identifier("3", patient.identifier, 4),
        **person("5", patient.name),
        "6.1": patient.mother_maiden_name,
        "7": patient.birth_date,
        "8": patient.sex,
        "10.1": patient.race,
        **location("11", patient.address),
        **identifier("18", patient.account, 4),
    }


def pv1(scene: Scene) -> Fields:
    """Patient visit (Table 4.1-3)."""
    visit = scene.visit
    return {
        "2": visit.patient_class,
        **location("3", visit.location),
        **location("6", visit.prior_location),
        **provider("7", visit.attending),
        **provider("8", visit.referring),
        "10": visit.service,
        "15": "B6" if visit.pregnant else "",
        **provider("17", visit.admitting),
        **identifier("19", visit.number, 4),
        "45": visit.discharged,
    }


def mrg(scene: Scene) -> Fields:
    """Merge information (Table 4.12-6)."""
    if scene.retired is None:
        return {}
    retired = scene.retired
    return {**identifier("1", retired.identifier, 4), **person("7", retired.name)}


def orc(scene: Scene) -> Fields:
    """Common order (Tables 4.2-3, 4.3-3, 4.4-3)."""
    order = scene.order
    start = start_of(scene.step) if scene.step is not None else order.start
    priority = PRIORITY_OF.get(scene.procedure.priority, "R") if scene.procedure is not None else order.priority
    return {
        "1": scene.control,
        **identifier("2", order.placer_number, 2),
        **identifier("3", order.filler_number, 2),
        "5": scene.status,
        **(timing("7", start, priority) if scene.is_old else {}),
        "9": order.entered or scene.time,
        **provider("10", order.entered_by),
        **provider("12", order.ordering),
        **code("17", order.entering_organization),
    }


def tq1(scene: Scene) -> Fields:
    """Timing of v2.5.1."""
    steps = scene.procedure.steps if scene.procedure is not None else ()
    start = min((start_of(step) for step in steps if step.start_date), default=scene.order.start)
    priority = PRIORITY_OF.get(scene.procedure.priority, "R") if scene.procedure is not None else scene.order.priority
    return {"1": "1", "7": start, "9.1": priority}


def obr(scene: Scene) -> Fields:
    """Order detail (Tables 4.2-4, 4.3-4, 4.4-6)."""
    order = scene.order
    fields = {
        "1": str(scene.number),
        **identifier("2", order.placer_number, 2),
        **identifier("3", order.filler_number, 2),
        **code("4", order.service),
        "12.2": order.danger,
        "13": order.clinical_information,
        **provider("16", order.ordering),
        "30": order.transport,
        "31.2": order.reason,
    }
    if scene.is_old:
        own = orc(scene)
        fields |= {"27.4": own["7.4"], "27.6": own["7.6"]}
    if scene.procedure is not None:
        fields |= code("44", scene.procedure.code)
        if scene.is_old and scene.step is not None:
            fields |= _step_fields(scene.procedure, scene.step)
    return fields


def _step_fields(procedure: RequestedProcedure, step: ScheduledStep) -> Fields:
    fields = {
        "18": procedure.accession_number,
        "19": procedure.id,
        "20": step.id,
        "24": step.modality,
        **name_parts(step.performing_physician.alphabetic, "34", 2),
    }
    if step.protocol:
        fields |= code("4", step.protocol[0], 4)
    return fields


def ipc(scene: Scene) -> Fields:
    """Imaging procedure control of v2.5.1; one for each scheduled procedure step."""
    procedure, step = scene.procedure, scene.step
    if procedure is None or step is None:
        return {}
    fields = {
        "1.1": procedure.accession_number,
        "2.1": procedure.id,
        "3.1": procedure.study_uid,
        "4.1": step.id,
        "5.1": step.modality,
        "7.1": step.station_name,
        "8.1": step.location,
        "9": step.station_ae_title,
    }
    for number, protocol in enumerate(step.protocol, 1):
        fields |= code(f"6[{number}]", protocol)
    return fields


def zds(scene: Scene) -> Fields:
    """Study Instance UID of v2.3.1, as a reference pointer."""
    uid = scene.procedure.study_uid if scene.procedure is not None else ""
    return {"1.1": uid, "1.3": "Application", "1.4": "DICOM"}


def msa(scene: Scene) -> Fields:
    """Acknowledgement of an application answer."""
    return {"1": "AA", "2": scene.answered}


def sch(scene: Scene) -> Fields:
    """Schedule activity information (TF-3 4.48)."""
    made = scene.appointment
    if made is None:
        return {}
    return {
        **identifier("1", made.placer_id, 2),
        **identifier("2", made.filler_id, 2),
        **code("6", made.reason),
        "11.4": made.start,
        "11.5": made.end,
        **provider("16", made.contact),
        "25.1": made.status,
        **identifier("26", scene.order.placer_number, 2),
        **identifier("27", scene.order.filler_number, 2),
    }


def rgs(scene: Scene) -> Fields:
    """Resource group."""
    return {"1": "1"}


def ais(scene: Scene) -> Fields:
    """Appointment information, service."""
    made = scene.appointment
    if made is None:
        return {}
    return {"1": "1", **code("3", made.service), "4": made.start, "10.1": made.status}
