"""RAD-8: what every object of an exam says about patient, study, series and request (TF-2 Appendix A)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from harness.modality.config import Configuration
from harness.modality.decisions.performed import MPPS, performed
from harness.modality.domain import Exam, Shot
from harness.modality.elements import code_items, item, put, reference_items


def request_attributes(exam: Exam) -> list[Dataset]:
    """Make the Request Attributes items: one per scheduled step, none if unscheduled."""
    return [
        item(
            AccessionNumber=step.accession_number,
            StudyInstanceUID=step.study_instance_uid,
            RequestedProcedureID=step.requested_procedure_id,
            RequestedProcedureDescription=step.requested_procedure_description,
            RequestedProcedureCodeSequence=code_items(step.requested_procedure_codes),
            ScheduledProcedureStepID=step.step_id,
            ScheduledProcedureStepDescription=step.step_description,
            ScheduledProtocolCodeSequence=code_items(step.protocol_codes),
        )
        for step in exam.steps
    ]


def patient_module(exam: Exam) -> Dataset:
    """Make the Patient module: as in the worklist."""
    made = item(
        PatientName=exam.patient.name,
        PatientID=exam.patient.id,
        PatientBirthDate=exam.patient.birth_date,
        PatientSex=exam.patient.sex,
    )
    for keyword, value in (
        ("IssuerOfPatientID", exam.patient.issuer),
        ("PatientWeight", exam.patient.weight),
        ("PatientSize", exam.patient.size),
        ("PatientComments", exam.patient.comments),
    ):
        if value:
            put(made, **{keyword: value})
    return made


def study_module(exam: Exam) -> Dataset:
    """Make the General Study module; date and time are those of the study, alike in all its images."""
    made = item(
        StudyInstanceUID=exam.study_instance_uid,
        StudyID=exam.study_id,
        StudyDate=exam.study_date,
        StudyTime=exam.study_time,
        AccessionNumber=exam.accession_number,
        ReferringPhysicianName=exam.referring_physician,
        StudyDescription=exam.study_description,
    )
    if exam.referenced_studies:
        put(made, ReferencedStudySequence=reference_items(exam.referenced_studies))
    step = performed(exam)
    if step.procedure_codes:
        put(made, ProcedureCodeSequence=code_items(step.procedure_codes))
    return made


def series_module(exam: Exam, shot: Shot) -> Dataset:
    """Make the General Series module with its ties to the performed step and to the request."""
    step = performed(exam)
    made = item(
        Modality=shot.modality,
        SeriesInstanceUID=shot.series_instance_uid,
        SeriesNumber=shot.series_number,
        SeriesDate=step.start_date,
        SeriesTime=step.start_time,
        SeriesDescription=shot.series_description,
        ProtocolName=shot.protocol_name,
        OperatorsName=exam.operator,
        PerformingPhysicianName=next((s.performing_physician for s in exam.steps if s.performing_physician), ""),
        ReferencedPerformedProcedureStepSequence=[
            item(ReferencedSOPClassUID=MPPS, ReferencedSOPInstanceUID=step.instance_uid)
        ],
        PerformedProcedureStepID=step.step_id,
        PerformedProcedureStepStartDate=step.start_date,
        PerformedProcedureStepStartTime=step.start_time,
        PerformedProcedureStepDescription=step.description,
    )
    if step.protocol_codes:
        put(made, PerformedProtocolCodeSequence=code_items(step.protocol_codes))
    requests = request_attributes(exam)
    if requests:
        put(made, RequestAttributesSequence=requests)
    return made


def equipment_module(settings: Configuration) -> Dataset:
    """Make the General Equipment module."""
    return item(
        Manufacturer=settings.equipment.manufacturer,
        InstitutionName=settings.institution.name,
        InstitutionalDepartmentName=settings.institution.department,
        StationName=settings.institution.station,
        ManufacturerModelName=settings.equipment.model,
        DeviceSerialNumber=settings.equipment.serial,
        SoftwareVersions=settings.equipment.software_version,
    )


def common(exam: Exam, shot: Shot, settings: Configuration) -> Dataset:
    """Make all that images, presentation states and key notes of an exam have in common."""
    made = Dataset()
    for module in (patient_module(exam), study_module(exam), series_module(exam, shot), equipment_module(settings)):
        made.update(module)
    step = performed(exam)
    if step.character_set:
        put(made, SpecificCharacterSet=step.character_set)
    return put(
        made,
        SOPClassUID=shot.sop_class_uid,
        SOPInstanceUID=shot.sop_instance_uid,
        InstanceNumber=shot.instance_number,
        ContentDate=shot.date,
        ContentTime=shot.time,
        InstanceCreationDate=shot.date,
        InstanceCreationTime=shot.time,
    )


def finish(dataset: Dataset) -> Dataset:
    """Let a complete object go as it is."""
    return dataset
