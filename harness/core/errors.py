"""Every error that the harness raises on purpose.

::

    Exception
    ├── AssertionError
    │   └── NonConformance          the system under test broke a requirement (exit 1)
    └── HarnessError
        ├── UsageError              the caller asked for something that cannot be done (exit 2)
        │   └── ConfigurationError  a file says something wrong: file, table, key, expected values (exit 2)
        ├── EnvironmentFailure      the product is unreachable, a port is busy, a program is missing (exit 3)
        ├── EngineFailure           the harness itself is at fault (exit 4)
        └── Unjudgeable             the evidence does not allow a verdict: INCONCLUSIVE
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.finding import Finding


class HarnessError(Exception):
    """Base of everything that is not a non-conformance of the system under test."""


class UsageError(HarnessError):
    """The caller asked for something that cannot be done; the message says what would work."""


class ConfigurationError(UsageError):
    """A configuration file is wrong; names file, table, key and what is expected there."""

    def __init__(self, file: Path | str, where: str, problem: str) -> None:
        self.file, self.where, self.problem = Path(file), where, problem
        place = f"{file}: {where}" if where else str(file)
        super().__init__(f"{place}: {problem}")


class EnvironmentFailure(HarnessError):
    """Something outside the harness is missing or in the way: an unreachable product, a busy port."""


class EngineFailure(HarnessError):
    """The harness did something wrong; never blamed on the system under test."""


class Unjudgeable(HarnessError):
    """What was seen does not allow a verdict (an attestation declined, an action unsupported)."""


class NonConformance(AssertionError):
    """One or more requirements were broken; carries the findings that say which."""

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings
