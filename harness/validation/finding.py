"""One thing that a standard forbids or asks for, found in an object or message."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: longer values are cut in findings: a finding is read by people
SHOWN = 64


class Severity(enum.StrEnum):
    """``error`` breaks a rule, ``warning`` probably does or is unwise, ``info`` could not be judged or is a remark."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class ValidationFinding:
    """What is wrong, where, and which clause says so.

    ``code`` is literal and permanent (``IOD-1-MISSING``). ``locator`` is a tag path such as
    ``(0040,0275)[1].(0040,0009) ScheduledProcedureStepID``, an HL7 position such as ``PID[1]-3.4``, or a byte offset.
    """

    code: str
    severity: Severity
    locator: str
    expected: str
    actual: str
    clause: str

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the keys that ``ihe-harness validate --json`` promises."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "locator": self.locator,
            "expected": self.expected,
            "actual": self.actual,
            "clause": self.clause,
        }


def count(findings: Iterable[ValidationFinding], severity: Severity) -> int:
    """How many findings have that severity."""
    return sum(finding.severity is severity for finding in findings)


def shown(value: bytes | str) -> str:
    """A value as findings print it: printable, quoted and not longer than a line."""
    text = value if isinstance(value, str) else value[: 4 * SHOWN].decode("ascii", errors="backslashreplace")
    cut = text[:SHOWN] + ("…" if len(text) > SHOWN else "")
    return repr(cut)
