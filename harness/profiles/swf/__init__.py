"""Scheduled Workflow (SWF, RAD TF-1 section 3) and its successor SWF.b (RAD TF-1 section 34)."""

from __future__ import annotations

from harness.core.spec import Actor, Option, Profile
from harness.profiles import names

_FILLER_DICOM = ("RAD-5", "RAD-6", "RAD-7", "RAD-20", "RAD-21")
_MODALITY = Actor(names.MODALITY, ("RAD-5", "RAD-6", "RAD-7", "RAD-8", "RAD-10"))
_PPS_MANAGER = Actor(names.PPS_MANAGER, ("RAD-6", "RAD-7", "RAD-20", "RAD-21"))
_IMAGE_DISPLAY = Actor(names.IMAGE_DISPLAY, ("RAD-14", "RAD-16"))
_EVIDENCE_CREATOR = Actor(names.EVIDENCE_CREATOR, ("RAD-18", "RAD-10"), ("RAD-20", "RAD-21"))
_ARCHIVE_DICOM = ("RAD-6", "RAD-7", "RAD-8", "RAD-10", "RAD-14", "RAD-16", "RAD-18", "RAD-20", "RAD-21")

_DICOM_OPTIONS = (
    Option(names.PATIENT_BASED_QUERY, (names.MODALITY,), ("RAD-5",)),
    Option(names.BROAD_QUERY, (names.MODALITY,), ("RAD-5",)),
    Option(names.ASSISTED_PROTOCOL, (names.MODALITY,), ("RAD-5", "RAD-6")),
    Option(
        names.PPS_EXCEPTION,
        (names.MODALITY, names.IMAGE_MANAGER, names.ORDER_FILLER),
        ("RAD-6", "RAD-7"),
    ),
    Option(names.GROUP_CASE, (names.MODALITY,), ("RAD-6", "RAD-7", "RAD-8")),
    Option(names.BILLING, (names.MODALITY,), ("RAD-7",)),
    Option(names.AVAILABILITY, (names.IMAGE_MANAGER, names.ORDER_FILLER), ("RAD-49",)),
    Option(names.WORK_STATUS, (names.IMAGE_MANAGER, names.ORDER_FILLER), ("RAD-42",)),
    Option(names.APPOINTMENT, (names.ORDER_FILLER, names.ORDER_PLACER), ("RAD-48",)),
    Option(names.CREATOR_PPS, (names.EVIDENCE_CREATOR,), ("RAD-20", "RAD-21")),
)

SWF = Profile(
    id="SWF",
    name="Scheduled Workflow",
    source="RAD TF-1:3",
    actors=(
        Actor(names.ADT, ("RAD-1", "RAD-12")),
        Actor(names.ORDER_PLACER, ("RAD-1", "RAD-2", "RAD-3", "RAD-12"), ("RAD-48",)),
        Actor(
            names.ORDER_FILLER,
            ("RAD-1", "RAD-2", "RAD-3", "RAD-4", *_FILLER_DICOM, "RAD-12", "RAD-13"),
            ("RAD-11", "RAD-42", "RAD-48", "RAD-49"),
        ),
        _MODALITY,
        Actor(names.IMAGE_MANAGER, ("RAD-4", *_ARCHIVE_DICOM, "RAD-11", "RAD-12", "RAD-13"), ("RAD-42", "RAD-49")),
        _PPS_MANAGER,
        _IMAGE_DISPLAY,
        _EVIDENCE_CREATOR,
    ),
    options=(
        *_DICOM_OPTIONS,
        Option(
            names.HL7_V251,
            (names.ADT, names.ORDER_PLACER, names.ORDER_FILLER, names.IMAGE_MANAGER),
            ("RAD-1", "RAD-2", "RAD-3", "RAD-4", "RAD-12", "RAD-13"),
        ),
    ),
    transactions=tuple(f"RAD-{n}" for n in (*range(1, 9), 10, 11, 12, 13, 14, 16, 18, 20, 21, 42, 48, 49)),
)

SWF_B = Profile(
    id="SWF.b",
    name="Scheduled Workflow.b",
    source="RAD TF-1:34",
    actors=(
        Actor(names.ORDER_PLACER, ("RAD-2", "RAD-3"), ("RAD-48",)),
        Actor(
            names.ORDER_FILLER,
            ("RAD-2", "RAD-3", "RAD-4", *_FILLER_DICOM, "RAD-13"),
            ("RAD-42", "RAD-48", "RAD-49"),
        ),
        _MODALITY,
        Actor(names.IMAGE_MANAGER, ("RAD-4", *_ARCHIVE_DICOM, "RAD-13"), ("RAD-42", "RAD-49")),
        _PPS_MANAGER,
        _IMAGE_DISPLAY,
        _EVIDENCE_CREATOR,
    ),
    options=_DICOM_OPTIONS,
    transactions=tuple(f"RAD-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 16, 18, 20, 21, 42, 48, 49)),
)
