"""All checks of the HL7 transactions of SWF and SWF.b: RAD-1, 2, 3, 4, 12, 13, 48 and what holds for every message."""

from __future__ import annotations

from harness.core.check import Check
from harness.profiles.swf import (
    hl7_appointments,
    hl7_general,
    hl7_orders,
    hl7_patients,
    hl7_schedules,
    hl7_updates,
    hl7_worklist,
)
from harness.profiles.swf.hl7_mapping import FIELD_RULES
from harness.profiles.swf.hl7_rules import checks_of

CHECKS: tuple[Check, ...] = (
    *checks_of(FIELD_RULES),
    *hl7_general.CHECKS,
    *hl7_patients.CHECKS,
    *hl7_updates.CHECKS,
    *hl7_orders.CHECKS,
    *hl7_schedules.CHECKS,
    *hl7_worklist.CHECKS,
    *hl7_appointments.CHECKS,
)
