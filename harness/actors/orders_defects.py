"""All seeded defects of the HL7 sides: each replaces one decision, and says which requirements that breaks."""

from __future__ import annotations

from collections.abc import Sequence

from harness.actors import (
    orders_defects_beyond,
    orders_defects_filler,
    orders_defects_patients,
    orders_defects_schedules,
)
from harness.actors.orders_behaviour import OrdersBehaviour
from harness.actors.orders_defect import OrdersDefect
from harness.actors.orders_variants import VARIANTS
from harness.core.errors import UsageError

DEFECTS: tuple[OrdersDefect, ...] = (
    *orders_defects_patients.DEFECTS,
    *orders_defects_filler.DEFECTS,
    *orders_defects_schedules.DEFECTS,
    *orders_defects_beyond.DEFECTS,
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
