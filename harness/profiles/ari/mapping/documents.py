"""Structured reports and key object notes: classes, content rules, query keys, context groups (PS3.3 A.35, PS3.16)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pydicom.sr.codedict import Collection

BASIC_TEXT_SR: Final = "1.2.840.10008.5.1.4.1.1.88.11"
ENHANCED_SR: Final = "1.2.840.10008.5.1.4.1.1.88.22"
COMPREHENSIVE_SR: Final = "1.2.840.10008.5.1.4.1.1.88.33"
KEY_OBJECT_SELECTION: Final = "1.2.840.10008.5.1.4.1.1.88.59"
#: what the UIDs of all structured report classes begin with
SR_CLASSES: Final = "1.2.840.10008.5.1.4.1.1.88."
#: classes whose content items relate by value only (PS3.3 A.35.1.3.1.2, A.35.2.3.1.2, A.35.4.3.1.2)
BY_VALUE_ONLY: Final = frozenset({BASIC_TEXT_SR, ENHANCED_SR, KEY_OBJECT_SELECTION})
STRUCTURED_REPORTS: Final = frozenset({BASIC_TEXT_SR, ENHANCED_SR, COMPREHENSIVE_SR})

_TEXTUAL: Final = frozenset(
    {"TEXT", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME", "CONTAINER", "COMPOSITE", "IMAGE", "WAVEFORM"}
)
#: value types of each class (PS3.3 A.35.1.3.1, A.35.2.3.1, A.35.3.3.1, A.35.4.3.1)
VALUE_TYPES: Final = {
    BASIC_TEXT_SR: _TEXTUAL,
    ENHANCED_SR: _TEXTUAL | {"NUM", "SCOORD", "TCOORD"},
    COMPREHENSIVE_SR: _TEXTUAL | {"NUM", "SCOORD", "TCOORD"},
    KEY_OBJECT_SELECTION: frozenset({"CONTAINER", "TEXT", "CODE", "UIDREF", "PNAME", "IMAGE", "WAVEFORM", "COMPOSITE"}),
}
#: what holds the value of each value type (PS3.3 C.17.3)
VALUE_ATTRIBUTE: Final = {
    "TEXT": "TextValue",
    "CODE": "ConceptCodeSequence",
    "NUM": "MeasuredValueSequence",
    "DATETIME": "DateTime",
    "DATE": "Date",
    "TIME": "Time",
    "UIDREF": "UID",
    "PNAME": "PersonName",
    "IMAGE": "ReferencedSOPSequence",
    "COMPOSITE": "ReferencedSOPSequence",
    "WAVEFORM": "ReferencedSOPSequence",
    "SCOORD": "GraphicData",
    "TCOORD": "TemporalRangeType",
    "CONTAINER": "ContinuityOfContent",
}
RELATIONSHIPS: Final = frozenset(
    {
        "CONTAINS",
        "HAS OBS CONTEXT",
        "HAS ACQ CONTEXT",
        "HAS CONCEPT MOD",
        "HAS PROPERTIES",
        "INFERRED FROM",
        "SELECTED FROM",
    }
)
REFERENCES: Final = frozenset({"IMAGE", "WAVEFORM", "COMPOSITE"})
#: value types that need a concept name (PS3.3 Table C.17.3-1)
NAMED: Final = frozenset({"TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME"})

TITLE_MODIFIER: Final = ("113011", "DCM")
DESCRIPTION: Final = ("113012", "DCM")
LANGUAGE: Final = ("121049", "DCM")
#: titles that a modifier goes with, and the group that it comes from (PS3.16 TID 2010)
MODIFIED: Final = {("113001", "DCM"): 7011, ("113010", "DCM"): 7011, ("113013", "DCM"): 7012}
#: the one of them that must have it: the best in what kind of set
BEST_IN_SET: Final = ("113013", "DCM")
#: what a section of a report by TID 2000 contains (PS3.16 TID 2002, TID 2001); its linear, area, volume and other
#: measurements (TID 1400 to 1404) are numbers
SECTION_CONTENT: Final = frozenset({"CODE", "TEXT", "IMAGE", "NUM"})

QUERY_KEYS: Final = ("PatientName", "PatientID", "AccessionNumber", "StudyDate", "ModalitiesInStudy")
READER_KEYS: Final = (
    "CompletionFlag",
    "VerificationFlag",
    "ContentDate",
    "ContentTime",
    "ConceptNameCodeSequence",
)
FLAGS: Final = ("CompletionFlag", "VerificationFlag")
NOTE_RETURN: Final = ("ContentDate", "ContentTime", "ObservationDateTime", "ConceptNameCodeSequence")
DOCUMENT_RETURN: Final = (
    *FLAGS,
    "ContentDate",
    "ContentTime",
    "ConceptNameCodeSequence",
)


@lru_cache(maxsize=1)
def standard_codes() -> frozenset[str]:
    """Code values of the DICOM Controlled Terminology that our edition knows (PS3.16 Annex D)."""
    return frozenset(code.value for code in Collection("DCM").concepts.values())


@lru_cache(maxsize=16)
def context_group(number: int) -> frozenset[tuple[str, str]]:
    """Code value and scheme of every concept of a context group."""
    return frozenset((code.value, code.scheme_designator) for code in Collection(f"cid{number}").concepts.values())
