"""Grayscale softcopy presentation states: SOP class, identification, and which modules replace which of the image."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GRAYSCALE_STATE: Final = "1.2.840.10008.5.1.4.1.1.11.1"
#: how the SOP class of every presentation state begins: grayscale, colour, pseudo-colour, blending and others
EVERY_STATE: Final = "1.2.840.10008.5.1.4.1.1.11."

#: attributes of Table C.11.10-1: type 1, then type 2
IDENTIFICATION: Final = ("ContentLabel", "PresentationCreationDate", "PresentationCreationTime")
IDENTIFICATION_MAY_BE_EMPTY: Final = ("ContentDescription", "ContentCreatorName")

#: patient and study attributes that every instance of a study shares (PS3.3 A.1.2)
SHARED: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
)

#: what an archive answers a query for presentation states with (RAD TF-2 4.15)
QUERY_RETURN: Final = (
    "ContentLabel",
    "ContentDescription",
    "PresentationCreationDate",
    "PresentationCreationTime",
    "ContentCreatorName",
)

#: how many points a graphic has at least and at most (PS3.3 C.10.5.1.2); None: no limit
POINTS: Final[Mapping[str, tuple[int, int | None]]] = MappingProxyType(
    {"POINT": (1, 1), "POLYLINE": (2, None), "INTERPOLATED": (2, None), "CIRCLE": (2, 2), "ELLIPSE": (4, 4)}
)

SIZE_MODES: Final = frozenset({"SCALE TO FIT", "TRUE SIZE", "MAGNIFY"})
