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


def required_keys(level: str, *, patient_root: bool) -> tuple[str, ...]:
    """Required and unique keys of a level, and the unique keys above it (PS3.4 Tables C.6-1 to C.6-5)."""
    above = tuple(UNIQUE_KEYS[each] for each in LEVELS[0 if patient_root else 1 : LEVELS.index(level)])
    if level == "PATIENT":
        return ("PatientName", "PatientID")
    if level == "STUDY" and patient_root:
        return (*above, *(keyword for keyword in STUDY_KEYS if not keyword.startswith("Patient")))
    return (*above, *{"STUDY": STUDY_KEYS, "SERIES": SERIES_KEYS, "IMAGE": IMAGE_KEYS}[level])
