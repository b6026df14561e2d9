"""Checks of CPI: pure functions over an exchange, one module per subject."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.cpi.checks import (
    actors,
    archive,
    pictures,
    rad23_limits,
    rad23_printer,
    rad23_scp,
    rad23_scu,
    states,
    states_content,
)

CHECKS: tuple[Check, ...] = (
    *actors.CHECKS,
    *states.CHECKS,
    *states_content.CHECKS,
    *archive.CHECKS,
    *pictures.CHECKS,
    *rad23_scu.CHECKS,
    *rad23_scp.CHECKS,
    *rad23_limits.CHECKS,
    *rad23_printer.CHECKS,
)
