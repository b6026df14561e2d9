"""Patients, visits, orders, requested procedures and scheduled steps as the simulated actors know them.

Everything a worklist entry or an HL7 message is made of is a frozen value; the order book keeps the newest
version of each. Texts are Unicode. Dates and times are in DICOM form (``YYYYMMDD``, ``HHMMSS``), person names in the
order of DICOM's components (family^given^middle^prefix^suffix).
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


class StepState(enum.StrEnum):
    """Where a scheduled procedure step stands; only the first two are offered on a worklist."""

    SCHEDULED = "SCHEDULED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELLED = "CANCELLED"


class OrderState(enum.StrEnum):
    """Where an order stands; the values are those of HL7 table 0038 (ORC-5)."""

    SCHEDULED = "SC"
    IN_PROGRESS = "IP"
    COMPLETED = "CM"
    DISCONTINUED = "DC"
    CANCELLED = "CA"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value with the authority that assigned it: a patient ID, an order number, an account or visit number."""

    value: str = ""
    authority: str = ""
    universal_id: str = ""
    universal_id_type: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one identifier: the value and the authority, the universal one if there is no local name."""
        return self.value, self.authority or self.universal_id


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, coding scheme designator and meaning."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class PersonName:
    """The three component groups of a person name (PS3.5 6.2.1), each ``family^given^middle^prefix^suffix``."""

    alphabetic: str = ""
    ideographic: str = ""
    phonetic: str = ""

    def __bool__(self) -> bool:
        return bool(self.alphabetic or self.ideographic or self.phonetic)

    def __str__(self) -> str:
        return "=".join((self.alphabetic, self.ideographic, self.phonetic)).rstrip("=")

    @classmethod
    def parse(cls, text: str) -> PersonName:
        """Read DICOM's text form, groups separated by ``=``."""
        return cls(*[*text.split("=", 2), "", ""][:3])


@dataclass(frozen=True, slots=True)
class Provider:
    """A physician: an identifier and a name."""

    id: str = ""
    name: PersonName = PersonName()

    def __bool__(self) -> bool:
        return bool(self.id or self.name)


@dataclass(frozen=True, slots=True)
class Patient:
    """The demographics of one patient; ``character_set`` is the Specific Character Set they came with."""

    identifier: Identifier
    name: PersonName = PersonName()
    birth_date: str = ""
    sex: str = ""
    race: str = ""
    address: str = ""
    account: Identifier = Identifier()
    mother_maiden_name: str = ""
    weight: str = ""
    allergies: str = ""
    character_set: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One encounter; ``patient_class`` is of HL7 table 0004 (I, O, E, P), ``pregnant`` is PV1-15 = B6."""

    number: Identifier = Identifier()
    patient_class: str = "O"
    location: str = ""
    prior_location: str = ""
    attending: Provider = Provider()
    referring: Provider = Provider()
    admitting: Provider = Provider()
    service: str = ""
    pregnant: bool = False
    active: bool = True
    discharged: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """One scheduled procedure step: who does what, when and where."""

    id: str
    modality: str
    station_ae_title: str = ""
    station_name: str = ""
    location: str = ""
    start_date: str = ""
    start_time: str = ""
    description: str = ""
    protocol: tuple[Code, ...] = ()
    performing_physician: PersonName = PersonName()
    state: StepState = StepState.SCHEDULED


@dataclass(frozen=True, slots=True)
class RequestedProcedure:
    """One requested procedure with its Study Instance UID and steps; ``priority`` is DICOM's (STAT, HIGH, ROUTINE)."""

    id: str
    accession_number: str
    study_uid: str
    code: Code
    description: str = ""
    priority: str = "ROUTINE"
    steps: tuple[ScheduledStep, ...] = ()
    issuer_of_accession: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One imaging service request. ``priority`` is of HL7 table 0485 / TQ-6 (S, A, R, P, C, T)."""

    patient: tuple[str, str]
    placer_number: Identifier = Identifier()
    filler_number: Identifier = Identifier()
    service: Code = Code()
    visit: Visit = Visit()
    ordering: Provider = Provider()
    entered_by: Provider = Provider()
    entering_organization: Code = Code()
    entered: str = ""
    start: str = ""
    priority: str = "R"
    danger: str = ""
    clinical_information: str = ""
    transport: str = ""
    reason: str = ""
    state: OrderState = OrderState.SCHEDULED
    procedures: tuple[RequestedProcedure, ...] = ()

    @property
    def steps(self) -> tuple[ScheduledStep, ...]:
        """All steps of all procedures."""
        return tuple(step for procedure in self.procedures for step in procedure.steps)


@dataclass(frozen=True, slots=True)
class WorklistEntry:
    """What one worklist response is derived from."""

    patient: Patient
    order: Order
    procedure: RequestedProcedure
    step: ScheduledStep


@dataclass(slots=True)
class Numbering:
    """Deals out numbers that are unique within one actor; ``uid`` makes Study Instance UIDs."""

    uid: Callable[[], str]
    prefix: str = ""
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1001), repr=False)

    def next(self, letter: str) -> str:
        """The next number of a series, e.g. ``A1001``; at most 16 characters for usual prefixes (SH)."""
        return f"{self.prefix}{letter}{next(self._count)}"
