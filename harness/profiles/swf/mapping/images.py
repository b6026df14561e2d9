"""Images: what they copy from the worklist and share with the performed step (RAD TF-2 Appendix A, PS3.17 J)."""

from __future__ import annotations

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
#: attributes of a Request Attributes item that come from the worklist
REQUEST_ATTRIBUTES = (
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
)
#: attributes of the series that equal those of the performed step
PERFORMED = (
    "PerformedProcedureStepID",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepDescription",
)
#: attributes of each series that equal those of its Performed Series item
SERIES = ("ProtocolName", "PerformingPhysicianName", "OperatorsName", "SeriesDescription")
#: what a derived object takes over from its source
STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "StudyDescription",
)
#: modalities of series that accompany an acquisition and differ from its modality
COMPANION_MODALITIES = frozenset({"PR", "KO", "SR", "DOC", "SEG", "REG", "AU", "ECG"})
#: and of these only as a secondary capture: a screen or a scanned form is of no modality
CAPTURED_MODALITIES = frozenset({"OT"})
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
