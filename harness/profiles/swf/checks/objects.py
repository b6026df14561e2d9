"""Whether the objects that a modality sends are well formed by their information object definition (PS3.3 A)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal
from harness.profiles.observe import check, judged
from harness.profiles.values import listed
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes

#: larger objects are not copied into memory to look at their attributes
_SIZE_LIMIT = 256 << 20


def object_meets_its_definition(j: Journal) -> Iterator[Observation]:
    for store in j.stores_of(names.MODALITY):
        message = store.request
        if message.payload.size == 0 or message.payload.size > _SIZE_LIMIT:
            yield judged(None, f"{message.label} holds {message.payload.size} bytes, not looked at", (message.seq,))
            continue
        found = validate_dataset_bytes(message.payload.bytes(), message.transfer_syntax, store.sop_class or None)
        errors = [finding for finding in found if finding.severity is Severity.ERROR]
        if not errors:
            yield judged(
                True,
                f"{message.label} meets the definition of SOP class {store.sop_class}",
                (message.seq,),
                actual="no error",
            )
        for finding in errors[:20]:
            yield judged(
                False,
                f"{message.label} breaks {finding.clause}: {finding.code} at {finding.locator}",
                (message.seq,),
                expected=finding.expected,
                actual=finding.actual,
                locator=finding.locator,
                why="What the definition demands is what receivers rely on.",
            )
        if len(errors) > 20:
            more = listed(sorted({finding.code for finding in errors[20:]}))
            yield judged(False, f"{message.label} has {len(errors) - 20} more errors: {more}", (message.seq,))


CHECKS: tuple[Check, ...] = (
    check("store-object", "RAD-8-SCU-18", "RAD-8", object_meets_its_definition, "Images meet their definition"),
)
