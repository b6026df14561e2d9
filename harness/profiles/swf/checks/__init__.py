"""Checks of SWF and SWF.b: pure functions over an exchange, one module per transaction and side."""

from __future__ import annotations

from harness.core.check import Check

CHECKS: tuple[Check, ...] = ()
