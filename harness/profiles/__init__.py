"""The specification and the judgement: what IHE demands, and pure functions that see whether it was done."""

from harness.profiles.registry import (
    ALIASES,
    CHECKS,
    PROFILES,
    TRANSACTIONS,
    checks_for,
    profile,
    requirements,
    requirements_for,
)

__all__ = [
    "ALIASES",
    "CHECKS",
    "PROFILES",
    "TRANSACTIONS",
    "checks_for",
    "profile",
    "requirements",
    "requirements_for",
]
