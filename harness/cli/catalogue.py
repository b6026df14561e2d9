"""All seeded defects, of the reference modality, the simulated actors and their declarations, in one list."""

from __future__ import annotations

from dataclasses import dataclass

from harness.actors.defects import registry as actor_defects
from harness.modality import defects as modality_defects
from harness.sut.misdeclared import MISDECLARATIONS


@dataclass(frozen=True, slots=True)
class Seeded:
    """One defect as lists show it: where it sits, what it is, which requirements it breaks."""

    id: str
    product: str
    title: str
    breaks: tuple[str, ...]


def all_defects() -> tuple[Seeded, ...]:
    """Every defect; legal variants are not defects and are not listed."""
    modality = (Seeded(d.id, "reference modality", d.title, tuple(sorted(d.breaks))) for d in modality_defects.DEFECTS)
    actors = (Seeded(d.id, f"simulated {d.actor}", d.title, tuple(sorted(d.breaks))) for d in actor_defects.DEFECTS)
    declared = (
        Seeded(d.id, f"declaration of the {d.product}", d.title, tuple(sorted(d.breaks))) for d in MISDECLARATIONS
    )
    return (*modality, *actors, *declared)
