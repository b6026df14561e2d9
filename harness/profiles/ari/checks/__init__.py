"""Checks of ARI: pure functions over an exchange, one module per subject."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.ari.checks import notes, reports

CHECKS: tuple[Check, ...] = (*reports.CHECKS, *notes.CHECKS)
