"""Access to Radiology Information (ARI, RAD TF-1 section 7), and who makes the notes and documents in it.

Key image notes come from makers of KIN (section 8), evidence documents from makers of ED (section 14).
"""

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


def _of_makers(id: str, name: str, source: str, stored: str, query: str, retrieve: str) -> Profile:
    """A profile in which one kind of object is stored, committed, found and fetched."""
    makers = tuple(Actor(maker, (stored,), ("RAD-10",)) for maker in (names.MODALITY, names.EVIDENCE_CREATOR))
    keeper = Actor(names.IMAGE_MANAGER, (stored, query, retrieve), ("RAD-10",))
    display = Actor(names.IMAGE_DISPLAY, (query, retrieve))
    return Profile(id, name, source, (*makers, keeper, display), transactions=(stored, "RAD-10", query, retrieve))


KIN = _of_makers("KIN", "Key Image Note", "RAD TF-1:8", "RAD-29", "RAD-30", "RAD-31")
ED = _of_makers("ED", "Evidence Documents", "RAD TF-1:14", "RAD-43", "RAD-44", "RAD-45")
