"""What tests change in a story: attributes, statuses, fields, and whole messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.core.check import Declaration
from tests.unit.profiles.builders import (
    Story,
)

Base = Callable[[], Story]
Change = Callable[[Story], object]


UIDS = ("1.2.6.1.1", "1.2.6.1.2")


def declare(*actors: str, options: tuple[str, ...] = (), **statement: Any) -> Declaration:
    return Declaration(frozenset(actors), frozenset({"SWF"}), frozenset(options), frozenset({"PRODUCT"}), statement)


def put(event: str, keyword: str, value: Any) -> Change:
    return lambda story: story.data(event).update({keyword: value})


def without(event: str, keyword: str) -> Change:
    return lambda story: story.data(event).pop(keyword)


def drop(*events: str) -> Change:
    return lambda story: story.drop(*events)


def status(event: str, value: int) -> Change:
    return lambda story: story[event].fields.update({"Status": value})


def fields(event: str, **values: Any) -> Change:
    return lambda story: story[event].fields.update(values)
