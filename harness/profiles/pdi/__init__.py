"""Portable Data for Imaging (PDI, RAD TF-1 section 15)."""

from __future__ import annotations

from harness.core.spec import Actor, Option, Profile
from harness.profiles import names

_ALL = (
    names.MEDIA_CREATOR,
    names.MEDIA_IMPORTER,
    names.IMAGE_DISPLAY,
    names.REPORT_READER,
    names.PRINT_COMPOSER,
    names.DISPLAY,
)
_DICOM_ACTORS = _ALL[:-1]

PDI = Profile(
    id="PDI",
    name="Portable Data for Imaging",
    source="RAD TF-1:15",
    actors=tuple(Actor(name, ("RAD-47",)) for name in _ALL),
    options=(
        Option(names.WEB_CONTENT, (names.MEDIA_CREATOR, names.DISPLAY), ("RAD-47",)),
        Option(names.DVD_MEDIA, _ALL, ("RAD-47",)),
        Option(names.USB_MEDIA, _ALL, ("RAD-47",)),
        Option(names.BASIC_IMAGE_REVIEW, (names.MEDIA_CREATOR,), ("RAD-47",)),
        Option(names.PRIVACY_PROTECTION, _DICOM_ACTORS, ("RAD-47",)),
    ),
    transactions=("RAD-47",),
)
