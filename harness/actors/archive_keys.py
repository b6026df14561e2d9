"""What a simulated archive keeps of each instance, and which query keys it knows at each level.

PS3.4 Tables C.6-1 to C.6-5, with the attributes that the Technical Framework adds for queries of images,
presentation states, key image notes and reports.
"""

from __future__ import annotations

import enum

from harness.actors.matching import KeyTable, key_table
from harness.actors.records import tag_of


class Level(enum.StrEnum):
    """Query/Retrieve Level (0008,0052), from the top down."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @property
    def unique_key(self) -> str:
        """The keyword of the level's unique key."""
        return _UNIQUE[self]

    @property
    def above(self) -> tuple[Level, ...]:
        """The levels above, from the top down."""
        levels = tuple(Level)
        return levels[: levels.index(self)]


_UNIQUE = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}

_PATIENT = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientBirthTime",
    "PatientSex",
    "OtherPatientIDs",
    "OtherPatientNames",
    "EthnicGroup",
    "PatientComments",
)
_STUDY = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "StudyInstanceUID",
    "ReferringPhysicianName",
    "StudyDescription",
    "NameOfPhysiciansReadingStudy",
    "AdmittingDiagnosesDescription",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "Occupation",
    "AdditionalPatientHistory",
)
_STUDY_SEQUENCES = ("ProcedureCodeSequence", "ReferencedStudySequence", "IssuerOfAccessionNumberSequence")
_SERIES = (
    "Modality",
    "SeriesNumber",
    "SeriesInstanceUID",
    "SeriesDate",
    "SeriesTime",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "Laterality",
    "StationName",
    "Manufacturer",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "OperatorsName",
    "PerformingPhysicianName",
    "PerformedProcedureStepID",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepDescription",
)
_SERIES_SEQUENCES = (
    "RequestAttributesSequence",
    "PerformedProtocolCodeSequence",
    "ReferencedPerformedProcedureStepSequence",
)
_IMAGE = (
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "ContentDate",
    "ContentTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionNumber",
    "ImageType",
    "ImageComments",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
    "ContentLabel",
    "ContentDescription",
    "PresentationCreationDate",
    "PresentationCreationTime",
    "ContentCreatorName",
    "CompletionFlag",
    "VerificationFlag",
    "ObservationDateTime",
)
_IMAGE_SEQUENCES = (
    "ReferencedSeriesSequence",
    "ConceptNameCodeSequence",
    "ReferencedRequestSequence",
    "VerifyingObserverSequence",
    "ContentTemplateSequence",
    "CurrentRequestedProcedureEvidenceSequence",
    "SourceImageSequence",
)


def _tags(*names: str) -> frozenset[int]:
    return frozenset(tag_of(name) for name in names)


#: what is kept of an instance, by level
KEPT: dict[Level, frozenset[int]] = {
    Level.PATIENT: _tags(*_PATIENT),
    Level.STUDY: _tags(*_STUDY, *_STUDY_SEQUENCES),
    Level.SERIES: _tags(*_SERIES, *_SERIES_SEQUENCES),
    Level.IMAGE: _tags(*_IMAGE, *_IMAGE_SEQUENCES),
}
ALL_KEPT = frozenset().union(*KEPT.values()) | _tags("SpecificCharacterSet")

_COMPUTED = {
    Level.PATIENT: (
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
    ),
    Level.STUDY: (
        "ModalitiesInStudy",
        "SOPClassesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ),
    Level.SERIES: ("NumberOfSeriesRelatedInstances",),
    Level.IMAGE: ("AvailableTransferSyntaxUID",),
}
_ALWAYS = ("RetrieveAETitle", "InstanceAvailability")


def _table(level: Level) -> dict[int, KeyTable | None]:
    table: dict[int, KeyTable | None] = key_table(*_ALWAYS)
    for each in (*level.above, level):
        table.update(dict.fromkeys(KEPT[each]))
        table.update(key_table(*_COMPUTED[each]))
    return table


#: which keys are known at a level; keys of the levels above are known too, as relational queries would ask them
KNOWN_KEYS: dict[Level, dict[int, KeyTable | None]] = {level: _table(level) for level in Level}
