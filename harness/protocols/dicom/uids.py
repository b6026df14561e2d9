"""Unique identifiers that the harness names, and what they are called.

The names come from the dictionaries of pydicom and pynetdicom; only what the code mentions has a constant.
"""

from __future__ import annotations

import functools
from typing import Final

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID
from pynetdicom import sop_class as _sop_class

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"

# -- transfer syntaxes (PS3.5 section 10 and annex A) ----------------------------------------------------------
IMPLICIT_VR_LE: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LE: Final = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BE: Final = "1.2.840.10008.1.2.2"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000: Final = "1.2.840.10008.1.2.4.91"
RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"

UNCOMPRESSED: Final = (EXPLICIT_VR_LE, IMPLICIT_VR_LE)
COMPRESSED: Final = (
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_2000,
    RLE_LOSSLESS,
)
ALL_TRANSFER_SYNTAXES: Final = (*UNCOMPRESSED, *COMPRESSED, DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE)

# -- SOP classes (PS3.4) and well-known instances --------------------------------------------------------------
VERIFICATION: Final = "1.2.840.10008.1.1"
STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
MPPS: Final = "1.2.840.10008.3.1.2.3.3"
MPPS_RETRIEVE: Final = "1.2.840.10008.3.1.2.3.4"
MPPS_NOTIFICATION: Final = "1.2.840.10008.3.1.2.3.5"
MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
INSTANCE_AVAILABILITY: Final = "1.2.840.10008.5.1.4.33"
GENERAL_PURPOSE_WORKLIST: Final = "1.2.840.10008.5.1.4.32.1"
UNIFIED_PROCEDURE_STEP_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"

PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

CR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.1"
DX_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.1.1"
MG_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.1.2"
CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2.1"
US_MULTI_FRAME_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.3.1"
MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4.1"
US_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.6.1"
SECONDARY_CAPTURE_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.7"
GRAYSCALE_PRESENTATION_STATE: Final = "1.2.840.10008.5.1.4.1.1.11.1"
XA_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.12.1"
NM_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.20"
BASIC_TEXT_SR: Final = "1.2.840.10008.5.1.4.1.1.88.11"
ENHANCED_SR: Final = "1.2.840.10008.5.1.4.1.1.88.22"
COMPREHENSIVE_SR: Final = "1.2.840.10008.5.1.4.1.1.88.33"
KEY_OBJECT_SELECTION: Final = "1.2.840.10008.5.1.4.1.1.88.59"
ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
PET_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.128"

BASIC_FILM_SESSION: Final = "1.2.840.10008.5.1.1.1"
BASIC_FILM_BOX: Final = "1.2.840.10008.5.1.1.2"
BASIC_GRAYSCALE_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4"
BASIC_COLOR_IMAGE_BOX: Final = "1.2.840.10008.5.1.1.4.1"
BASIC_GRAYSCALE_PRINT: Final = "1.2.840.10008.5.1.1.9"
BASIC_COLOR_PRINT: Final = "1.2.840.10008.5.1.1.18"
BASIC_ANNOTATION_BOX: Final = "1.2.840.10008.5.1.1.15"
PRINT_JOB: Final = "1.2.840.10008.5.1.1.14"
PRINTER: Final = "1.2.840.10008.5.1.1.16"
PRINTER_INSTANCE: Final = "1.2.840.10008.5.1.1.17"
PRESENTATION_LUT: Final = "1.2.840.10008.5.1.1.23"

STORAGE: Final[tuple[str, ...]] = tuple(sorted(str(uid) for uid in _sop_class._STORAGE_CLASSES.values()))
"""Every storage SOP class that pynetdicom knows."""


@functools.lru_cache(maxsize=4096)
def name_of(uid: str) -> str:
    """``CT Image Storage`` for its UID; the UID itself if nothing is known about it."""
    entry = UID_dictionary.get(uid)
    return entry[0] if entry else uid


@functools.lru_cache(maxsize=4096)
def encoding_of(transfer_syntax: str) -> tuple[bool, bool, bool]:
    """(implicit VR, little endian, deflated); an unknown or private syntax is taken as explicit little endian."""
    if transfer_syntax == IMPLICIT_VR_LE:
        return True, True, False
    uid = UID(transfer_syntax)
    if uid.is_private or not uid.is_transfer_syntax:
        return False, True, False
    return uid.is_implicit_VR, uid.is_little_endian, uid.is_deflated


def is_compressed(transfer_syntax: str) -> bool:
    """True if pixel data are encapsulated in this transfer syntax."""
    return transfer_syntax not in (*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE)
