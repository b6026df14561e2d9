"""All seeded defects of the HL7 sides: each replaces one decision, and says which requirements that breaks."""

from __future__ import annotations

from collections.abc import Sequence

from harness.actors.defects import orders_beyond, orders_filler, orders_patients, orders_schedules
from harness.actors.defects.orders_defect import OrdersDefect
from harness.actors.defects.orders_variants import VARIANTS
from harness.actors.orders.behaviour import OrdersBehaviour
from harness.core.errors import UsageError

DEFECTS: tuple[OrdersDefect, ...] = (
    *orders_patients.DEFECTS,
    *orders_filler.DEFECTS,
    *orders_schedules.DEFECTS,
    *orders_beyond.DEFECTS,
)


def behaviour(actor: str, ids: Sequence[str] = ()) -> OrdersBehaviour:
    """The behaviour of an actor (by its name) with these defects or variants. Raises UsageError for an unknown id."""
    known = {each.id: each for each in (*DEFECTS, *VARIANTS) if each.actor == actor}
    made = OrdersBehaviour()
    for each in ids:
        if each not in known:
            raise UsageError(f"{actor} has no HL7 defect {each!r}; it has: {', '.join(sorted(known))}")
        made = known[each].apply(made)
    return made
