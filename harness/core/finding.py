"""What a check saw: a verdict with the requirement, the values, the place and the evidence."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.verdict import Verdict


class Basis(enum.StrEnum):
    """Whether the harness saw it or a person said so."""

    OBSERVED = "observed"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged observation, passes included.

    ``summary`` says in one sentence what was seen ("The final step lists 3 images; 4 were stored").
    ``expected`` lists every acceptable value (any of them). ``locator`` is a tag path, an HL7 field or a file
    path. ``evidence`` holds the ``seq`` of the messages it rests on.
    """

    check: str
    requirement: str
    verdict: Verdict
    summary: str
    expected: tuple[str, ...] = ()
    actual: str = ""
    locator: str = ""
    evidence: tuple[int, ...] = ()
    basis: Basis = Basis.OBSERVED
    why: str = ""
    unconfirmed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "check": self.check,
            "requirement": self.requirement,
            "verdict": self.verdict.name,
            "summary": self.summary,
            "expected": list(self.expected),
            "actual": self.actual,
            "locator": self.locator,
            "evidence": list(self.evidence),
            "basis": self.basis.value,
            "why": self.why,
            "unconfirmed": self.unconfirmed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Read back what :meth:`to_json` wrote."""
        return cls(
            check=data["check"],
            requirement=data["requirement"],
            verdict=Verdict[data["verdict"]],
            summary=data["summary"],
            expected=tuple(data["expected"]),
            actual=data["actual"],
            locator=data["locator"],
            evidence=tuple(data["evidence"]),
            basis=Basis(data["basis"]),
            why=data["why"],
            unconfirmed=data["unconfirmed"],
        )
