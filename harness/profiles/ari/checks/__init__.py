"""Checks of ARI: pure functions over an exchange, one module per subject."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.ari.checks import evidence, notes, reading, reports

CHECKS: tuple[Check, ...] = (*reports.CHECKS, *reading.CHECKS, *notes.CHECKS, *evidence.CHECKS)
