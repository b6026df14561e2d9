"""RAD-5: what is asked of the worklist and what is taken from its answers (PS3.4 K.6.1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.modality import wire
from harness.modality.domain import Patient, ScheduledStep, plain
from harness.modality.elements import codes_of, is_uid, item, items, put, references_of, text

PENDING = frozenset({0xFF00, 0xFF01})
WORKLIST = "1.2.840.10008.5.1.4.31"


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What the technologist filled in; empty means any. `date` may be a range with a hyphen."""

    date: str = ""
    time: str = ""
    modality: str = ""
    station_ae_title: str = ""
    patient_name: str = ""
    patient_id: str = ""
    accession_number: str = ""
    requested_procedure_id: str = ""
    performing_physician: str = ""
    character_set: tuple[str, ...] = ()


def identifier(query: WorklistQuery) -> Dataset:
    """Make the C-FIND identifier: all return keys, the filled-in ones as matching keys, one step item."""
    code = {"CodeValue": None, "CodingSchemeDesignator": None, "CodingSchemeVersion": None, "CodeMeaning": None}
    reference = {"ReferencedSOPClassUID": None, "ReferencedSOPInstanceUID": None}
    step = item(
        Modality=query.modality,
        ScheduledStationAETitle=query.station_ae_title,
        ScheduledProcedureStepStartDate=query.date,
        ScheduledProcedureStepStartTime=query.time,
        ScheduledPerformingPhysicianName=query.performing_physician,
        ScheduledProcedureStepDescription=None,
        ScheduledProtocolCodeSequence=[item(**code)],
        ScheduledProcedureStepID=None,
        ScheduledStationName=None,
        ScheduledProcedureStepLocation=None,
        PreMedication=None,
        RequestedContrastAgent=None,
        ScheduledProcedureStepStatus=None,
    )
    made = Dataset()
    if query.character_set:
        put(made, SpecificCharacterSet=query.character_set)
    return put(
        made,
        ScheduledProcedureStepSequence=[step],
        PatientName=query.patient_name,
        PatientID=query.patient_id,
        IssuerOfPatientID=None,
        PatientBirthDate=None,
        PatientSex=None,
        PatientWeight=None,
        PatientSize=None,
        PatientComments=None,
        PatientState=None,
        PregnancyStatus=None,
        MedicalAlerts=None,
        Allergies=None,
        SpecialNeeds=None,
        ConfidentialityConstraintOnPatientDataDescription=None,
        AccessionNumber=query.accession_number,
        ReferringPhysicianName=None,
        RequestingPhysician=None,
        RequestedProcedureID=query.requested_procedure_id,
        RequestedProcedureDescription=None,
        RequestedProcedureCodeSequence=[item(**code)],
        RequestedProcedurePriority=None,
        PatientTransportArrangements=None,
        StudyInstanceUID=None,
        ReferencedStudySequence=[item(**reference)],
        ReferencedPatientSequence=[item(**reference)],
        AdmissionID=None,
        CurrentPatientLocation=None,
        PlacerOrderNumberImagingServiceRequest=None,
        FillerOrderNumberImagingServiceRequest=None,
    )


def sop_class() -> str:
    """Name the service that is asked."""
    return WORKLIST


def nothing_found() -> str:
    """Say why an answer without entries is a problem; empty: it is none, there is just nothing to do."""
    return ""


def newest(kept: ScheduledStep | None, answered: ScheduledStep) -> ScheduledStep:
    """Choose between what an earlier query said of a step and what the last one says: always the last."""
    return answered


def unscheduled_refusal(connected: bool) -> str:
    """Say why a patient may not be examined without a worklist entry; empty: an emergency waits for nobody."""
    return ""


def is_match(status: int) -> bool:
    """Say whether a C-FIND response carries a match: both pending codes do (PS3.4 K.4.1.1.4)."""
    return status in PENDING


def is_complete(status: int) -> bool:
    """Say whether a final C-FIND status means that the provider could answer; a cancelled query was cut by us."""
    return status in {0x0000, 0xFE00}


def scheduled_step(answer: Dataset) -> ScheduledStep:
    """Read one worklist answer; text exactly as it was sent, without alteration."""
    steps = items(answer, "ScheduledProcedureStepSequence")
    step = steps[0] if steps else Dataset()
    return ScheduledStep(
        patient=Patient(
            name=text(answer, "PatientName"),
            id=text(answer, "PatientID"),
            issuer=text(answer, "IssuerOfPatientID"),
            birth_date=text(answer, "PatientBirthDate"),
            sex=text(answer, "PatientSex"),
            weight=text(answer, "PatientWeight"),
            size=text(answer, "PatientSize"),
            comments=text(answer, "PatientComments"),
        ),
        study_instance_uid=text(answer, "StudyInstanceUID"),
        accession_number=text(answer, "AccessionNumber"),
        requested_procedure_id=text(answer, "RequestedProcedureID"),
        requested_procedure_description=text(answer, "RequestedProcedureDescription"),
        requested_procedure_codes=codes_of(answer, "RequestedProcedureCodeSequence"),
        referenced_studies=references_of(answer, "ReferencedStudySequence"),
        referenced_patients=references_of(answer, "ReferencedPatientSequence"),
        step_id=text(step, "ScheduledProcedureStepID"),
        step_description=text(step, "ScheduledProcedureStepDescription"),
        protocol_codes=codes_of(step, "ScheduledProtocolCodeSequence"),
        modality=text(step, "Modality"),
        station_ae_title=text(step, "ScheduledStationAETitle"),
        station_name=text(step, "ScheduledStationName"),
        location=text(step, "ScheduledProcedureStepLocation"),
        start_date=text(step, "ScheduledProcedureStepStartDate"),
        start_time=text(step, "ScheduledProcedureStepStartTime"),
        performing_physician=text(step, "ScheduledPerformingPhysicianName"),
        referring_physician=text(answer, "ReferringPhysicianName"),
        requesting_physician=text(answer, "RequestingPhysician"),
        admission_id=text(answer, "AdmissionID"),
        current_location=text(answer, "CurrentPatientLocation"),
        priority=text(answer, "RequestedProcedurePriority"),
        character_set=wire.sets_of(answer),
    )


#: what the longest text of a worklist (LT) may have
_MOST_TEXT = 10240
_LIMITS = {"accession_number": 16, "requested_procedure_id": 16, "step_id": 16, "study_instance_uid": 64}


def problems(step: ScheduledStep) -> tuple[str, ...]:
    """Name what makes a worklist row unusable: keys that an exam needs, and values longer than their VR allows."""
    found = []
    # Type 1 in the answer (PS3.4 K.6.1.2.2), and images without an ID could belong to anybody.
    if not step.patient.id:
        found.append("no patient ID")
    if not step.study_instance_uid:
        found.append("no Study Instance UID")
    elif not is_uid(step.study_instance_uid):
        # It names a folder here, too: nothing but a UID may come that far.
        found.append("study instance uid is no UID")
    if not step.step_id:
        found.append("no Scheduled Procedure Step ID")
    if not step.requested_procedure_id:
        found.append("no Requested Procedure ID")
    for name, limit in _LIMITS.items():
        value = getattr(step, name)
        if len(value) > limit:
            found.append(f"{name.replace('_', ' ')} has {len(value)} characters, {limit} are allowed")
    if len(step.patient.id) > 64:
        found.append(f"patient id has {len(step.patient.id)} characters, 64 are allowed")
    longest = max((len(group) for group in step.patient.name.split("=")), default=0)
    if longest > 64:
        found.append(f"patient name has {longest} characters in a group, 64 are allowed")
    if any(len(value) > _MOST_TEXT for value in _texts(plain(step))):
        found.append(f"a text of it has more than {_MOST_TEXT} characters")
    return tuple(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
