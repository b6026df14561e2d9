"""Access to Radiology Information (ARI, RAD TF-1 section 7)."""

from __future__ import annotations

from harness.core.spec import Actor, Option, Profile
from harness.profiles import names

_PAIRS = ("RAD-15", "RAD-17", "RAD-30", "RAD-31", "RAD-44", "RAD-45")

ARI = Profile(
    id="ARI",
    name="Access to Radiology Information",
    source="RAD TF-1:7",
    actors=(
        Actor(names.IMAGE_DISPLAY, ("RAD-14", "RAD-16"), _PAIRS),
        Actor(names.IMAGE_MANAGER, ("RAD-14", "RAD-16"), _PAIRS),
        Actor(names.REPORT_READER, ("RAD-26", "RAD-27")),
        Actor(names.REPORT_REPOSITORY, ("RAD-26", "RAD-27")),
        Actor(names.EXTERNAL_REPORT_REPOSITORY, ("RAD-26", "RAD-27")),
    ),
    options=(Option(names.MULTIPLE_SOURCES, (names.IMAGE_DISPLAY, names.REPORT_READER), ("RAD-14", "RAD-26")),),
    transactions=("RAD-14", "RAD-16", *_PAIRS, "RAD-26", "RAD-27"),
)
