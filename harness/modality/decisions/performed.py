"""RAD-6 and RAD-7: the performed procedure step as it is created and as it ends (PS3.4 F.7.2)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from harness.modality.config import Configuration
from harness.modality.domain import Code, Exam, PerformedStep, ScheduledStep, Shot
from harness.modality.elements import code_items, item, put, reference_items

MPPS = "1.2.840.10008.3.1.2.3.3"

# CID 9300, Procedure Discontinuation Reasons.
REASONS: dict[str, Code] = {
    value: Code(value, "DCM", meaning)
    for value, meaning in (
        ("110500", "Doctor canceled procedure"),
        ("110501", "Equipment failure"),
        ("110502", "Incorrect procedure ordered"),
        ("110503", "Patient allergic to media/contrast"),
        ("110504", "Patient died"),
        ("110505", "Patient refused to continue procedure"),
        ("110506", "Patient taken for treatment or surgery"),
        ("110507", "Patient did not arrive"),
        ("110508", "Patient pregnant"),
        ("110509", "Change of procedure for correct charging"),
        ("110510", "Duplicate order"),
        ("110511", "Nursing unit cancel"),
        ("110512", "Incorrect side ordered"),
        ("110513", "Discontinued for unspecified reason"),
        ("110514", "Incorrect worklist entry selected"),
        ("110515", "Patient condition prevented continuing"),
        ("110516", "Equipment change"),
    )
}
WRONG_WORKLIST_ENTRY = "110514"


def performed(exam: Exam) -> PerformedStep:
    """Return the performed step of an exam that has been started."""
    if exam.performed is None:
        raise ValueError(f"exam {exam.key} has not been started")
    return exam.performed


def scheduled_step_items(exam: Exam) -> list[Dataset]:
    """Make the Scheduled Step Attributes items: one per scheduled step, one with empty values if there is none.

    In a group over several requested procedures every item names the one study that the images go to, and the
    study that was scheduled is kept as a reference.
    """
    made = []
    for step in exam.steps or (ScheduledStep(),):
        references = step.referenced_studies
        if not references and step.study_instance_uid and step.study_instance_uid != exam.study_instance_uid:
            references = tuple(r for r in exam.referenced_studies if r.instance_uid == step.study_instance_uid)
        made.append(
            item(
                StudyInstanceUID=exam.study_instance_uid,
                ReferencedStudySequence=reference_items(references),
                AccessionNumber=step.accession_number,
                RequestedProcedureID=step.requested_procedure_id,
                RequestedProcedureDescription=step.requested_procedure_description,
                RequestedProcedureCodeSequence=code_items(step.requested_procedure_codes),
                ScheduledProcedureStepID=step.step_id,
                ScheduledProcedureStepDescription=step.step_description,
                ScheduledProtocolCodeSequence=code_items(step.protocol_codes),
            )
        )
    return made


def created(exam: Exam, settings: Configuration) -> Dataset:
    """Make the N-CREATE attributes: all of type 1 and 2, and zero length whatever may be set at the end."""
    step = performed(exam)
    made = Dataset()
    if step.character_set:
        put(made, SpecificCharacterSet=step.character_set)
    patients = dict.fromkeys(r for each in exam.steps for r in each.referenced_patients)
    put(
        made,
        Modality=exam.modality,
        PatientName=exam.patient.name,
        PatientID=exam.patient.id,
        PatientBirthDate=exam.patient.birth_date,
        PatientSex=exam.patient.sex,
        ReferencedPatientSequence=reference_items(patients),
        StudyID=exam.study_id,
        PerformedProcedureStepID=step.step_id,
        PerformedStationAETitle=settings.local.ae_title,
        PerformedStationName=settings.institution.station,
        PerformedLocation=settings.institution.location,
        PerformedProcedureStepStartDate=step.start_date,
        PerformedProcedureStepStartTime=step.start_time,
        PerformedProcedureStepEndDate=None,
        PerformedProcedureStepEndTime=None,
        PerformedProcedureStepStatus="IN PROGRESS",
        PerformedProcedureStepDescription=step.description,
        PerformedProcedureTypeDescription=None,
        ProcedureCodeSequence=code_items(step.procedure_codes),
        PerformedProtocolCodeSequence=code_items(step.protocol_codes),
        PerformedProcedureStepDiscontinuationReasonCodeSequence=None,
        PerformedSeriesSequence=None,
        BillingProcedureStepSequence=None,
        ScheduledStepAttributesSequence=scheduled_step_items(exam),
    )
    if exam.patient.issuer:
        put(made, IssuerOfPatientID=exam.patient.issuer)
    return made


def reported(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """Choose the objects that the end of the step reports: all that were kept, none that was rejected."""
    return tuple(shots)


def series_items(exam: Exam, shots: Sequence[Shot], empty_series_uid: str) -> list[Dataset]:
    """Make the complete Performed Series Sequence; an exam without objects still has one series (PS3.4 F.7.2.2.2)."""
    made: list[Dataset] = []
    series = dict.fromkeys(shot.series_instance_uid for shot in shots)
    physician = next((step.performing_physician for step in exam.steps if step.performing_physician), "")
    for uid in series or {empty_series_uid: None}:
        inside = [shot for shot in shots if shot.series_instance_uid == uid]
        first = inside[0] if inside else None
        fallback = exam.performed.description if exam.performed else ""
        made.append(
            item(
                PerformingPhysicianName=physician,
                ProtocolName=first.protocol_name if first else fallback or "NONE",
                OperatorsName=exam.operator,
                SeriesInstanceUID=uid,
                SeriesDescription=first.series_description if first else "",
                RetrieveAETitle=None,
                ReferencedImageSequence=[_reference(shot) for shot in inside if shot.is_image],
                ReferencedNonImageCompositeSOPInstanceSequence=[_reference(s) for s in inside if not s.is_image],
            )
        )
    return made


def _reference(shot: Shot) -> Dataset:
    return item(ReferencedSOPClassUID=shot.sop_class_uid, ReferencedSOPInstanceUID=shot.sop_instance_uid)


def ended(exam: Exam, series: Sequence[Dataset]) -> Dataset:
    """Make the final N-SET: only what may be set, sequences whole, end date and time valued (PS3.4 F.7.2.2.2)."""
    step = performed(exam)
    made = Dataset()
    if step.character_set:
        put(made, SpecificCharacterSet=step.character_set)
    put(
        made,
        PerformedProcedureStepStatus=step.status,
        PerformedProcedureStepEndDate=step.end_date,
        PerformedProcedureStepEndTime=step.end_time,
        PerformedProcedureStepDescription=step.description,
        ProcedureCodeSequence=code_items(step.procedure_codes),
        PerformedProtocolCodeSequence=code_items(step.protocol_codes),
        PerformedSeriesSequence=series,
    )
    if step.status == "DISCONTINUED" and step.reason is not None:
        put(made, PerformedProcedureStepDiscontinuationReasonCodeSequence=code_items([step.reason]))
    return made


def billing(exam: Exam) -> Dataset:
    """Make what a finished exam is billed by: the procedures that were performed (PS3.3 C.4.17); nothing if none."""
    made = Dataset()
    step = performed(exam)
    if step.status == "COMPLETED" and step.procedure_codes:
        put(made, BillingProcedureStepSequence=code_items(step.procedure_codes))
    return made


def final_changes(changes: Dataset) -> Dataset:
    """Choose what the final report says after reports of progress: everything once more, sequences whole."""
    return changes


def final_status(discontinued: bool) -> str:
    """Name the final state (PS3.4 F.7.2.2)."""
    return "DISCONTINUED" if discontinued else "COMPLETED"


def reports_end(discontinued: bool) -> bool:
    """Say whether the end of a step is reported: always, also when it was cancelled."""
    return True


def create_accepted(status: int, repeated: bool) -> bool:
    """Say whether an N-CREATE took effect; a duplicate after an unanswered attempt is our own (PS3.4 F.7.2)."""
    return status in {0x0000, 0x0107, 0x0116} or (repeated and status == 0x0111)


def set_accepted(status: int, repeated: bool) -> bool:
    """Say whether an N-SET took effect; a refusal after an unanswered attempt says that the first had."""
    return status in {0x0000, 0x0001, 0x0107, 0x0116} or (repeated and status == 0x0110)
