"""What DICOM asks of directory records and application profiles, as data (PS3.3 F.5, PS3.11 D, H, J)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harness.protocols.dicom import uids

PATIENT, STUDY, SERIES = "PATIENT", "STUDY", "SERIES"
#: a record of a document that is no DICOM file: it stands below a patient and names no SOP instance (PS3.3 F.5.32)
DOCUMENT: Final = "HL7 STRUC DOC"

NAME, PATIENT_ID = 0x00100010, 0x00100020
STUDY_UID, SERIES_UID = 0x0020000D, 0x0020000E
IMAGE_TYPE, REFERENCED_IMAGES = 0x00080008, 0x00081140

_DATE, _TIME, _NUMBER, _CONCEPT = 0x00080023, 0x00080033, 0x00200013, 0x0040A043
_LABELLED = ((0x00700080, 1), (0x00700081, 2), (0x00700084, 2))

#: keys of each record type with their type in the standard (1: a value; 2: present)
KEYS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = MappingProxyType(
    {
        PATIENT: ((NAME, 2), (PATIENT_ID, 1)),
        STUDY: (
            (0x00080020, 1),
            (0x00080030, 1),
            (0x00080050, 2),
            (0x00081030, 2),
            (STUDY_UID, 1),
            (0x00200010, 1),
        ),
        SERIES: ((0x00080060, 1), (SERIES_UID, 1), (0x00200011, 1)),
        "IMAGE": ((_NUMBER, 1),),
        "SR DOCUMENT": ((_NUMBER, 1), (0x0040A491, 1), (0x0040A493, 1), (_DATE, 1), (_TIME, 1), (_CONCEPT, 1)),
        "KEY OBJECT DOC": ((_NUMBER, 1), (_DATE, 1), (_TIME, 1), (_CONCEPT, 1)),
        "PRESENTATION": ((_NUMBER, 1), (0x00700082, 1), (0x00700083, 1), *_LABELLED),
        "WAVEFORM": ((_NUMBER, 1), (_DATE, 1), (_TIME, 1)),
        "ENCAP DOC": ((_NUMBER, 1), (_DATE, 2), (_TIME, 2), (0x00420010, 2), (_CONCEPT, 2), (0x00420012, 1)),
        "SPECTROSCOPY": ((IMAGE_TYPE, 1), (_DATE, 1), (_TIME, 1), (_NUMBER, 1)),
        "RAW DATA": ((_DATE, 1), (_TIME, 1), (_NUMBER, 2)),
        "REGISTRATION": ((_DATE, 1), (_TIME, 1), (_NUMBER, 1), *_LABELLED),
        "FIDUCIAL": ((_DATE, 1), (_TIME, 1), (_NUMBER, 1), *_LABELLED),
        "RT DOSE": ((_NUMBER, 1), (0x3004000A, 1)),
        "RT STRUCTURE SET": ((_NUMBER, 1), (0x30060002, 1), (0x30060008, 2), (0x30060009, 2)),
        "RT PLAN": ((_NUMBER, 1), (0x300A0002, 1), (0x300A0006, 2), (0x300A0007, 2)),
        "RT TREAT RECORD": ((_NUMBER, 1), (0x30080250, 2), (0x30080251, 2)),
        DOCUMENT: ((0x0040E001, 1),),
    }
)
FILE_KEYS: Final = (0x00041500, 0x00041510, 0x00041511, 0x00041512)

#: record types that IHE media do not use, retired ones among them
FORBIDDEN_TYPES: Final = frozenset(
    (
        "PRIVATE", "VISIT", "RESULTS", "INTERPRETATION", "STUDY COMPONENT", "STORED PRINT", "TOPIC", "MRDR", "OVERLAY",
        "MODALITY LUT", "VOI LUT", "CURVE", "FILM SESSION", "FILM BOX", "IMAGE BOX", "PRINT QUEUE",
    )
)  # fmt: skip
#: types that stand in the root entity
ROOT_TYPES: Final = frozenset(
    (PATIENT, "HANGING PROTOCOL", "PALETTE", "IMPLANT", "IMPLANT ASSY", "IMPLANT GROUP", "INVENTORY")
)
LEAF_TYPES: Final = frozenset(
    (
        *(name for name in KEYS if name not in (PATIENT, STUDY, SERIES)),
        "SURFACE", "MEASUREMENT", "STEREOMETRIC", "VALUE MAP", "PLAN", "SURFACE SCAN", "TRACT", "ASSESSMENT",
        "RADIOTHERAPY", "ANNOTATION",
    )
)  # fmt: skip

_STORAGE = "1.2.840.10008.5.1.4.1.1."
#: beginnings of SOP Class UIDs with a record type of their own; the longest one that fits decides
_TYPES_BY_CLASS: Final = (
    (_STORAGE + "88.59", "KEY OBJECT DOC"),
    (_STORAGE + "88.", "SR DOCUMENT"),
    (_STORAGE + "11.", "PRESENTATION"),
    (_STORAGE + "9.", "WAVEFORM"),
    (_STORAGE + "104.", "ENCAP DOC"),
    (_STORAGE + "4.2", "SPECTROSCOPY"),
    (_STORAGE + "66.1", "REGISTRATION"),
    (_STORAGE + "66.3", "REGISTRATION"),
    (_STORAGE + "66.2", "FIDUCIAL"),
    (_STORAGE + "66", "RAW DATA"),
    (_STORAGE + "481.2", "RT DOSE"),
    (_STORAGE + "481.3", "RT STRUCTURE SET"),
    (_STORAGE + "481.5", "RT PLAN"),
)


def record_type(sop_class: str) -> str:
    """The leaf record type that fits a SOP class, "" if it is not known."""
    best = ""
    found = ""
    for beginning, kind in _TYPES_BY_CLASS:
        exact = not beginning.endswith(".")
        if (sop_class == beginning if exact else sop_class.startswith(beginning)) and len(beginning) > len(best):
            best, found = beginning, kind
    if found or not sop_class.startswith(_STORAGE):
        return found
    # measurements, maps and assessments have types of their own: only what is called an image is one
    return "IMAGE" if "Image Storage" in uids.name_of(sop_class) else ""


_PLAIN = frozenset((uids.EXPLICIT_VR_LE,))
_JPEG = _PLAIN | {uids.JPEG_BASELINE, uids.JPEG_EXTENDED, uids.JPEG_LOSSLESS_SV1}
_J2K = _PLAIN | {uids.JPEG_2000_LOSSLESS, uids.JPEG_2000}

#: application profiles by the kind of medium, with the transfer syntaxes that each allows
PROFILES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {
        "CD": {"STD-GEN-CD": _PLAIN},
        "DVD": {"STD-GEN-DVD-JPEG": _JPEG, "STD-GEN-DVD-J2K": _J2K},
        "USB": {"STD-GEN-USB-JPEG": _JPEG, "STD-GEN-USB-J2K": _J2K},
    }
)
