"""What a step says, held against what exists: the mistakes that would otherwise show when the scenario runs."""

from __future__ import annotations

import datetime
import inspect
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from harness.bdd import answers
from harness.bdd.cast import SIMULATED
from harness.bdd.guests import GUESTS
from harness.bdd.orders import COLUMNS, OPTIONAL_COLUMNS, Scheduler
from harness.bdd.people import person
from harness.bdd.registry import StepInfo
from harness.bdd.tables import rows
from harness.core.errors import UsageError
from harness.profiles import demands, registry


def _transaction(value: str) -> None:
    if value not in registry.TRANSACTIONS:
        raise UsageError(registry.unknown("transaction", value))


#: placeholder of a step pattern -> what raises UsageError for a value that does not exist
_VALUES: Final[Mapping[str, Callable[[str], object]]] = {
    "requirement": registry.requirement,
    "transaction": _transaction,
    "patient": person,
    "retired": person,
    "survivor": person,
    "way": answers.commitment,
}


def mistakes(
    info: StepInfo, text: str, table: Sequence[Sequence[str]] | None, docstring: str | None, role: str
) -> list[str]:
    """Sentences about one step of a scenario in which the system under test plays ``role``."""
    return [
        *_misplaced(info, table, docstring),
        *_chosen(info, info.arguments(text)),
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


def _chosen(info: StepInfo, said: Mapping[str, Any]) -> Iterator[str]:
    for name, known in info.choices.items():
        if said.get(name) not in known:
            yield f"<{name}> of the step {info.example} cannot be {said.get(name)!r}; known: {', '.join(known)}"


def _words(said: Mapping[str, Any], role: str) -> None:
    for name, value in said.items():
        if name in _VALUES:
            _VALUES[name](value)
    if "answer" in said:
        answers.require_answer(said["who"], said["what"], said["answer"])
    if "kind" in said and "actor" in said:
        demands.demanded_by(said["kind"], said["actor"], role)
    elif "what" in said and "actor" in said:
        demands.require_receiver(said["actor"])
    elif "actor" in said and said["actor"] not in (*SIMULATED, *GUESTS):
        known = ", ".join((*SIMULATED, *GUESTS))
        raise UsageError(f"there is no simulated actor {said['actor']!r}; known: {known}")


def _schedule(table: Sequence[Sequence[str]] | None) -> None:
    scheduler = Scheduler(random.Random(0), datetime.date(2026, 1, 1), "SUT")
    scheduler.steps(rows(table or (), required=COLUMNS, optional=OPTIONAL_COLUMNS))


def _sentences(check: Callable[[], None]) -> list[str]:
    try:
        check()
    except UsageError as error:
        return [str(error)]
    return []
