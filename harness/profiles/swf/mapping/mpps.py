"""Modality Performed Procedure Step: attribute types and what may be set (PS3.4 Table F.7.2-1)."""

from __future__ import annotations

CREATE_TYPE_1 = (
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepStatus",
    "Modality",
    "ScheduledStepAttributesSequence",
)
CREATE_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferencedPatientSequence",
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureStepDescription",
    "PerformedProcedureTypeDescription",
    "ProcedureCodeSequence",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "StudyID",
    "PerformedProtocolCodeSequence",
    "PerformedSeriesSequence",
)
SCHEDULED_TYPE_2 = (
    "ReferencedStudySequence",
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
)
#: what a Scheduled Step Attributes item copies from its worklist entry (RAD TF-2 Appendix A)
COPIED = ("StudyInstanceUID", *SCHEDULED_TYPE_2)
PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
#: zero length when there is no scheduled step
UNSCHEDULED_EMPTY = (
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
)
NOT_IN_SET = (
    "ScheduledStepAttributesSequence",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferencedPatientSequence",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "Modality",
    "StudyID",
)
SERIES_TYPE_1 = ("ProtocolName", "SeriesInstanceUID")
SERIES_TYPE_2 = (
    "PerformingPhysicianName",
    "OperatorsName",
    "SeriesDescription",
    "RetrieveAETitle",
    "ReferencedImageSequence",
    "ReferencedNonImageCompositeSOPInstanceSequence",
)
REASON = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
WRONG_ENTRY = ("110514", "DCM")
#: CID 9300 with its extensions 9301 and 9302
REASONS = frozenset(str(number) for number in range(110500, 110522))
BILLING = ("BillingProcedureStepSequence", "FilmConsumptionSequence", "BillingSuppliesAndDevicesSequence")
FILM_ITEM = ("NumberOfFilms", "MediumType", "FilmSizeID")
