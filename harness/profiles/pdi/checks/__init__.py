"""Checks of PDI: pure functions over an exchange."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.pdi.checks import creator, importer

CHECKS: tuple[Check, ...] = (*creator.CHECKS, *importer.CHECKS)
