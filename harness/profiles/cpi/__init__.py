"""Consistent Presentation of Images (CPI, RAD TF-1 section 5)."""

from __future__ import annotations

from harness.core.spec import Actor, Profile
from harness.profiles import names

CPI = Profile(
    id="CPI",
    name="Consistent Presentation of Images",
    source="RAD TF-1:5",
    actors=(
        Actor(names.MODALITY, ("RAD-8", "RAD-9", "RAD-10")),
        Actor(names.EVIDENCE_CREATOR, ("RAD-18", "RAD-19", "RAD-10")),
        Actor(
            names.IMAGE_MANAGER,
            ("RAD-8", "RAD-9", "RAD-10", "RAD-14", "RAD-15", "RAD-16", "RAD-17", "RAD-18", "RAD-19"),
        ),
        Actor(names.IMAGE_DISPLAY, ("RAD-14", "RAD-15", "RAD-16", "RAD-17")),
        Actor(names.PRINT_COMPOSER, ("RAD-23",)),
        Actor(names.PRINT_SERVER, ("RAD-23",)),
    ),
    transactions=tuple(f"RAD-{n}" for n in (8, 9, 10, 14, 15, 16, 17, 18, 19, 23)),
)
