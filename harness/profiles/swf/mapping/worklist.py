"""Modality Worklist: keys, return types (PS3.4 Table K.6-1) and the additions of RAD TF-2 Tables 4.5-1 to 4.5-3."""

from __future__ import annotations

#: attributes that stand inside the item of the Scheduled Procedure Step Sequence
STEP_KEYS = frozenset(
    {
        "ScheduledStationAETitle",
        "ScheduledProcedureStepStartDate",
        "ScheduledProcedureStepStartTime",
        "Modality",
        "ScheduledPerformingPhysicianName",
        "ScheduledProcedureStepDescription",
        "ScheduledStationName",
        "ScheduledProcedureStepLocation",
        "ScheduledProtocolCodeSequence",
        "PreMedication",
        "ScheduledProcedureStepID",
        "RequestedContrastAgent",
        "ScheduledProcedureStepStatus",
    }
)

PATIENT_KEYS = ("PatientName", "PatientID", "AccessionNumber", "RequestedProcedureID")

PROCEDURE_RETURN_KEYS = (
    "StudyInstanceUID",
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
    "ReferencedStudySequence",
)
STEP_RETURN_KEYS = (
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
)
PATIENT_RETURN_KEYS = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")

TYPE_1 = (
    "ScheduledStationAETitle",
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "Modality",
    "ScheduledProcedureStepID",
    "RequestedProcedureID",
    "StudyInstanceUID",
    "PatientName",
    "PatientID",
)
TYPE_2 = (
    "ScheduledPerformingPhysicianName",
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
    "ReferencedStudySequence",
    "RequestedProcedurePriority",
    "PatientTransportArrangements",
    "AccessionNumber",
    "RequestingPhysician",
    "ReferringPhysicianName",
    "AdmissionID",
    "CurrentPatientLocation",
    "ReferencedPatientSequence",
    "PatientBirthDate",
    "PatientSex",
    "PatientWeight",
    "ConfidentialityConstraintOnPatientDataDescription",
    "PatientState",
    "PregnancyStatus",
    "MedicalAlerts",
    "Allergies",
    "SpecialNeeds",
)
#: return keys that IHE wants supplied, not only accepted
SUPPLIED = (
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
    "ReferencedStudySequence",
)
CODE_SEQUENCES = ("ScheduledProtocolCodeSequence", "RequestedProcedureCodeSequence")
