"""Checks of CPI: pure functions over an exchange."""

from __future__ import annotations

from harness.core.check import Check

CHECKS: tuple[Check, ...] = ()
