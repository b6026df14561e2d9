"""The keys of ``[statement]`` that checks compare a product with; what else stands there is shown, not judged."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentedKey:
    """One key: what it says, and which requirement is judged by it."""

    name: str
    kind: type[bool] | type[str] | type[list[str]]
    says: str
    requirements: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """The kind of its value as an author reads it."""
        return {bool: "true or false", str: "text"}.get(self.kind, "a list of text")

    def takes(self, value: object) -> bool:
        """Whether the value is of that kind."""
        if not isinstance(value, self.kind):
            return False
        return not isinstance(value, list) or all(isinstance(entry, str) for entry in value)


DOCUMENTED: tuple[DocumentedKey, ...] = (
    DocumentedKey("person_name_case_sensitive", bool, "names are matched with their case", ("RAD-14-SCP-14",)),
    DocumentedKey("storage_sop_classes", list, "UIDs of the SOP classes that it stores", ("RAD-8-SCP-01",)),
    DocumentedKey("display_sop_classes", list, "UIDs of the SOP classes that it shows", ("RAD-16-SCU-02",)),
    DocumentedKey(
        "coerced_attributes",
        list,
        "keywords of attributes that it changes in what it keeps",
        ("RAD-8-SCP-02", "RAD-8-SCP-03", "RAD-14-SCP-02", "RAD-14-SCP-07", "RAD-14-SCP-10"),
    ),
    DocumentedKey("commitment_failure", str, "what becomes of instances that were not committed", ("RAD-10-SCU-09",)),
    DocumentedKey(
        "pps_destinations",
        list,
        "actors that its PPS Manager passes steps on to",
        ("RAD-6-SCP-04", "RAD-6-SCP-05", "RAD-7-SCP-03", "RAD-20-SCP-01"),
    ),
)
_BY_NAME = {key.name: key for key in DOCUMENTED}


def problems(table: Mapping[str, Any]) -> list[str]:
    """What is wrong with a ``[statement]``: values of another kind, and names that nearly are one of the keys.

    A key that no check knows is free text of the statement; one that was meant for a check and is not found by it
    would let a product be judged by what it never said.
    """
    found = []
    for name, value in table.items():
        key = _BY_NAME.get(name)
        if key is not None and not key.takes(value):
            found.append(f"{name} is {key.wanted}, {value!r} was found")
        if key is None and (near := difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.85)):
            found.append(f"{name} is judged by nothing; did you mean {near[0]}?")
    return found
