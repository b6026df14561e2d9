"""All seeded defects of the HL7 sides: each replaces one decision, and says which requirements that breaks."""

from __future__ import annotations

from harness.actors import orders_defects_patients, orders_defects_schedules
from harness.actors.orders_defect import OrdersDefect

DEFECTS: tuple[OrdersDefect, ...] = (*orders_defects_patients.DEFECTS, *orders_defects_schedules.DEFECTS)
