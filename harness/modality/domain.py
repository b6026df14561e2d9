"""The nouns of the modality: what was scheduled, what is being done, what was taken. Plain frozen data."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Code:
    """A coded entry (PS3.3 8)."""

    value: str
    scheme: str
    meaning: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a SOP instance."""

    class_uid: str
    instance_uid: str


@dataclass(frozen=True, slots=True)
class Patient:
    """Who lies on the table; values are decoded text as the worklist or the technologist gave them."""

    name: str = ""
    id: str = ""
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    weight: str = ""
    size: str = ""
    comments: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """One worklist answer: one scheduled procedure step with its requested procedure and order."""

    patient: Patient = Patient()
    study_instance_uid: str = ""
    accession_number: str = ""
    requested_procedure_id: str = ""
    requested_procedure_description: str = ""
    requested_procedure_codes: tuple[Code, ...] = ()
    referenced_studies: tuple[Reference, ...] = ()
    referenced_patients: tuple[Reference, ...] = ()
    step_id: str = ""
    step_description: str = ""
    protocol_codes: tuple[Code, ...] = ()
    modality: str = ""
    station_ae_title: str = ""
    station_name: str = ""
    location: str = ""
    start_date: str = ""
    start_time: str = ""
    performing_physician: str = ""
    referring_physician: str = ""
    requesting_physician: str = ""
    admission_id: str = ""
    current_location: str = ""
    priority: str = ""
    character_set: tuple[str, ...] = ()


class ExamKind(StrEnum):
    """How the exam came to be."""

    SCHEDULED = "scheduled"
    GROUP = "group"
    UNSCHEDULED = "unscheduled"
    APPEND = "append"


class State(StrEnum):
    """Where an exam stands."""

    REGISTERED = "registered"
    IN_PROGRESS = "in-progress"
    READY = "ready"
    REVIEWING = "reviewing"
    ENDED = "ended"
    CANCELLED = "cancelled"
    DISMISSED = "dismissed"
    QUEUED = "queued"
    SENT = "sent"
    COMMITTED = "committed"
    FAILED = "failed"


class ShotState(StrEnum):
    """What became of one exposure."""

    TAKEN = "taken"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Technique:
    """Exposure factors: tube voltage in kV, tube current in mA, time in ms."""

    kvp: float = 70.0
    tube_current: float = 110.0
    exposure_time: float = 100.0

    @property
    def exposure(self) -> float:
        """The product in mAs."""
        return round(self.tube_current * self.exposure_time / 1000.0, 3)


@dataclass(frozen=True, slots=True)
class ProtocolEntry:
    """One protocol of the catalogue: what it is called, its code, and the view it makes."""

    name: str
    code: Code
    view_position: str = ""
    view_code: Code | None = None
    orientation: str = "L\\F"


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    """One procedure of the catalogue: its code, the body part, and its protocols."""

    name: str
    code: Code
    body_part: str
    body_part_code: Code
    protocols: tuple[ProtocolEntry, ...]
    phantom: str = "chest"
    laterality: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """One acquired object: an image, or a presentation state or key object note made from images."""

    number: int
    state: ShotState
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    series_number: int
    modality: str
    protocol_name: str
    series_description: str
    instance_number: int
    date: str
    time: str
    file: str
    technique: Technique = Technique()
    protocol: ProtocolEntry | None = None
    reason: Code | None = None

    @property
    def is_image(self) -> bool:
        """Say whether the object holds pixels."""
        return self.modality not in {"PR", "KO"}


@dataclass(frozen=True, slots=True)
class PerformedStep:
    """One modality performed procedure step; dates and times are DA and TM values."""

    instance_uid: str
    step_id: str
    start_date: str
    start_time: str
    status: str = "IN PROGRESS"
    end_date: str = ""
    end_time: str = ""
    description: str = ""
    procedure_codes: tuple[Code, ...] = ()
    protocol_codes: tuple[Code, ...] = ()
    reason: Code | None = None
    character_set: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exam:
    """One registration and all that came of it; one performed step at most."""

    key: int
    kind: ExamKind
    state: State
    steps: tuple[ScheduledStep, ...]
    patient: Patient
    modality: str
    study_instance_uid: str
    study_id: str
    accession_number: str
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    referring_physician: str = ""
    referenced_studies: tuple[Reference, ...] = ()
    character_set: tuple[str, ...] = ()
    procedure: ProcedureEntry | None = None
    operator: str = ""
    performed: PerformedStep | None = None
    shots: tuple[Shot, ...] = ()

    def with_state(self, *states: ShotState) -> tuple[Shot, ...]:
        """Return the objects in one of these states."""
        return tuple(shot for shot in self.shots if shot.state in states)

    @property
    def confirmed(self) -> tuple[Shot, ...]:
        """The objects that were kept."""
        return self.with_state(ShotState.CONFIRMED)


# -- plain JSON and back ----------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Turn dataclasses, enums and tuples into plain JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return value


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def restore(kind: Any, value: Any) -> Any:
    """Rebuild a value of type `kind` from plain JSON; unknown keys are left out, missing ones take their default."""
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union}:
        if value is None:
            return None
        return restore(next(each for each in typing.get_args(kind) if each is not type(None)), value)
    if origin is tuple:
        return tuple(restore(typing.get_args(kind)[0], each) for each in value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        known = {f.name for f in dataclasses.fields(kind)}
        return kind(**{key: restore(hints[key], each) for key, each in value.items() if key in known})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float:
        return float(value)
    return value
