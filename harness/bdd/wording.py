"""What a step says, held against what exists: the mistakes that would otherwise show when the scenario runs."""

from __future__ import annotations

import datetime
import inspect
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from harness.bdd.cast import SIMULATED
from harness.bdd.orders import COLUMNS, OPTIONAL_COLUMNS, Scheduler
from harness.bdd.people import person
from harness.bdd.registry import StepInfo
from harness.bdd.tables import rows
from harness.core.errors import UsageError
from harness.profiles import demands, names, registry

_TELLERS: Final = (names.ADT, names.ORDER_PLACER, names.ORDER_FILLER)


def _transaction(value: str) -> None:
    if value not in registry.TRANSACTIONS:
        raise UsageError(registry.unknown("transaction", value))


def _teller(value: str) -> None:
    if value not in _TELLERS:
        raise UsageError(f"{value!r} sends no HL7 messages here; known: {', '.join(_TELLERS)}")


#: placeholder of a step pattern -> what raises UsageError for a value that does not exist
_VALUES: Final[Mapping[str, Callable[[str], object]]] = {
    "requirement": registry.requirement,
    "transaction": _transaction,
    "patient": person,
    "retired": person,
    "survivor": person,
    "key": person,
    "who": _teller,
}


def mistakes(
    info: StepInfo, text: str, table: Sequence[Sequence[str]] | None, docstring: str | None, role: str
) -> list[str]:
    """Sentences about one step of a scenario in which the system under test plays ``role``."""
    return [
        *_misplaced(info, table, docstring),
        *_sentences(lambda: _words(info.arguments(text), role)),
        *(_sentences(lambda: _schedule(table)) if table and info.pattern.endswith("scheduled these steps") else ()),
    ]


def _misplaced(info: StepInfo, table: object, docstring: str | None) -> Iterator[str]:
    """A table that a step does not read would be ignored without a word."""
    takes = inspect.signature(info.function).parameters
    for name, what, given in (("datatable", "data table", table), ("docstring", "doc string", docstring)):
        if name in takes and given is None:
            yield f"the step needs a {what} below it: {info.example}"
        elif name not in takes and given is not None:
            yield f"the step takes no {what}, it would be ignored: {info.example}"


def _words(said: Mapping[str, Any], role: str) -> None:
    for name, value in said.items():
        if name in _VALUES:
            _VALUES[name](value)
    if "kind" in said and "actor" in said:
        demands.demanded_by(said["kind"], said["actor"], role)
    elif "what" in said and "actor" in said:
        demands.require_receiver(said["actor"])
    elif "actor" in said and said["actor"] not in SIMULATED:
        raise UsageError(f"there is no simulated actor {said['actor']!r}; known: {', '.join(SIMULATED)}")


def _schedule(table: Sequence[Sequence[str]] | None) -> None:
    scheduler = Scheduler(random.Random(0), datetime.date(2026, 1, 1), "SUT")
    scheduler.steps(rows(table or (), required=COLUMNS, optional=OPTIONAL_COLUMNS))


def _sentences(check: Callable[[], None]) -> list[str]:
    try:
        check()
    except UsageError as error:
        return [str(error)]
    return []
