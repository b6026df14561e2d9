"""Checks of SWF and SWF.b: pure functions over an exchange, one module per transaction and side."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.swf.checks import (
    availability,
    cases,
    consistency,
    creator,
    declared,
    general,
    objects,
    rad05_scp,
    rad05_scp_matching,
    rad05_scu,
    rad05_scu_answers,
    rad06_scp,
    rad06_scu,
    rad07_scu,
    rad08_scp,
    rad08_scu,
    rad10_scp,
    rad10_scu,
    rad14_scp,
    rad14_scu,
    rad16_scp,
)

CHECKS: tuple[Check, ...] = (
    *declared.CHECKS,
    *rad05_scu.CHECKS,
    *rad05_scu_answers.CHECKS,
    *rad05_scp_matching.CHECKS,
    *rad05_scp.CHECKS,
    *rad06_scu.CHECKS,
    *rad06_scp.CHECKS,
    *rad07_scu.CHECKS,
    *rad08_scu.CHECKS,
    *rad08_scp.CHECKS,
    *objects.CHECKS,
    *rad10_scu.CHECKS,
    *rad10_scp.CHECKS,
    *rad14_scu.CHECKS,
    *rad14_scp.CHECKS,
    *rad16_scp.CHECKS,
    *creator.CHECKS,
    *availability.CHECKS,
    *cases.CHECKS,
    *consistency.CHECKS,
    *general.CHECKS,
)
