"""Seeded defects of declarations: SUT files of ours that promise what the product is not, or keep silent."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import EngineFailure


@dataclass(frozen=True, slots=True)
class Misdeclaration:
    """One wrong declaration of a product (by the name of its SUT file); each edit is (what stands there, instead)."""

    id: str
    title: str
    product: str
    breaks: frozenset[str]
    edits: tuple[tuple[str, str], ...]

    def applied(self, text: str) -> str:
        """The SUT file with the wrong declaration. Raises EngineFailure if what it replaces does not stand there."""
        for before, after in self.edits:
            if before not in text:
                raise EngineFailure(f"{self.id}: {before.strip()!r} does not stand in the SUT file of {self.product}")
            text = text.replace(before, after)
        return text


def _row(name: str, title: str, product: str, breaks: str, *edits: tuple[str, str]) -> Misdeclaration:
    return Misdeclaration(name, title, product, frozenset(breaks.split()), edits)


MISDECLARATIONS: tuple[Misdeclaration, ...] = (
    _row(
        "declares-no-worklist-option",
        "Declares neither kind of worklist query",
        "modality",
        "SWF-OPT-01",
        ('  "Patient-Based Worklist Query",\n', ""),
        ('  "Broad Worklist Query",\n', ""),
    ),
    _row(
        "declares-foreign-option",
        "Declares an option that its actor does not have",
        "modality",
        "SWF-OPT-10",
        ('  "Modality Group Case",\n', '  "Modality Group Case",\n  "Departmental Appointment Notification",\n'),
    ),
    _row(
        "states-no-recovery",
        "Does not state what happens when instances cannot be committed",
        "modality",
        "RAD-10-SCU-09",
        ("commitment_failure = ", "# commitment_failure = "),
    ),
    _row(
        "declares-manager-alone",
        "Declares a PPS Manager that is grouped with nobody",
        "pps-manager",
        "SWF-ACT-07",
        ('actor = "DSS/Order Filler"\n', 'actor = "PPS Manager"\n'),
    ),
)
