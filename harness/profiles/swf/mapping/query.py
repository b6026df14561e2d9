"""Query keys by level (PS3.4 Tables C.6-1 to C.6-5) with the additions of RAD TF-2 Table 4.14-1."""

from __future__ import annotations

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
UNIQUE_KEYS = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
STUDY_KEYS = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "PatientName",
    "PatientID",
    "StudyID",
    "StudyInstanceUID",
)
STUDY_RETURN_KEYS = (
    *STUDY_KEYS,
    "ModalitiesInStudy",
    "PatientBirthDate",
    "PatientSex",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
SERIES_KEYS = ("Modality", "SeriesNumber", "SeriesInstanceUID")
SERIES_RETURN_KEYS = (*SERIES_KEYS, "NumberOfSeriesRelatedInstances")
IMAGE_KEYS = ("InstanceNumber", "SOPInstanceUID")
IMAGE_RETURN_KEYS = ("SOPClassUID", "Rows", "Columns", "BitsAllocated", "NumberOfFrames")
