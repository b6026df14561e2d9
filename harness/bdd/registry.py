"""Step decorators that remember what they declare, so that steps can be listed, explained and linted."""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import parse
import pytest_bdd
from pytest_bdd import parsers

from harness.profiles import names

F = TypeVar("F", bound=Callable[..., Any])


def _typed(pattern: str) -> Callable[[Callable[[str], Any]], Callable[[str], Any]]:
    decorate: Callable[[Callable[[str], Any]], Callable[[str], Any]] = parse.with_pattern(pattern)
    return decorate


@_typed(r'[^"]*')
def text(value: str) -> str:
    """Anything between double quotes."""
    return value


@_typed(r"\d+")
def count(value: str) -> int:
    """A whole number."""
    return int(value)


@_typed(r"\d+(?:\.\d+)?")
def number(value: str) -> float:
    """A number."""
    return float(value)


@_typed(r"[0-9A-Fa-f]{4}")
def status(value: str) -> str:
    """A status of a DIMSE response: four hexadecimal digits."""
    return value.upper()


@_typed(r"queries(?: and cancels)?")
def queries(value: str) -> bool:
    """``queries``, or ``queries and cancels``: whether it cancels."""
    return value.endswith(" and cancels")


@_typed(r"(?:retrieves|gets)(?: and cancels)?")
def fetches(value: str) -> tuple[str, bool]:
    """How instances are fetched: ``retrieves`` (C-MOVE) or ``gets`` (C-GET); and whether that is cancelled."""
    return value.removesuffix(" and cancels"), value.endswith(" and cancels")


@_typed(r'the (?:system under test|"[^"]*"|(?-i:[A-Z][A-Za-z]*(?:[ /-][A-Z][A-Za-z]*)*))')
def party(value: str) -> str:
    """Who acts: ``the system under test``, or an actor of ours with quotes or without, by its full name."""
    name = value.removeprefix("the ").strip('"')
    return _SHORT_NAMES.get(name, name)


#: what ``the system under test`` is for a step
PRODUCT: Final = "system under test"
_SHORT_NAMES: Final[Mapping[str, str]] = {
    "Order Filler": names.ORDER_FILLER,
    "Image Manager": names.IMAGE_MANAGER,
}

#: placeholders of step patterns: ``"{kind:Text}"``, ``{images:Count}``, ``{seconds:Number}``, ``{code:Status}``; and
#: ``{who:Party}`` for a sentence that is the same on both sides, ``{queries:Queries}``, ``{fetches:Fetches}``
TYPES: Final[Mapping[str, Callable[[str], Any]]] = {
    "Text": text,
    "Count": count,
    "Number": number,
    "Status": status,
    "Party": party,
    "Queries": queries,
    "Fetches": fetches,
}
#: what a sentence may leave out: ``image(s)``, ``match(es)``, ``a(n)``, ``( again)``
_LEFT_OUT: Final = ("s", "es", "n", " again", " more")
_ENDING: Final = re.compile(rf"\(({'|'.join(_LEFT_OUT)})\)")


def _optional(ending: str) -> Callable[[str], Any]:
    def left(value: str) -> str:
        return value

    return _typed(f"(?:{ending})?")(left)


_ENDINGS: Final[Mapping[str, Callable[[str], Any]]] = {
    f"Maybe_{ending.strip()}": _optional(ending) for ending in _LEFT_OUT
}


def _spelled(pattern: str) -> str:
    """A pattern as the parser takes it: what stands in brackets may be left out."""
    return _ENDING.sub(lambda found: f"{{:Maybe_{found[1].strip()}}}", pattern)


@functools.cache
def _compiled(pattern: str) -> Any:
    """A step pattern, compiled once: every step of every scenario is held against all of them."""
    return parse.compile(_spelled(pattern), {**TYPES, **_ENDINGS})


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step as authors see it."""

    kind: str
    pattern: str
    doc: str
    module: str
    function: Callable[..., Any]
    #: what a placeholder may say, where that is a short list
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def matches(self, name: str) -> bool:
        """Whether a step text is this step."""
        return _compiled(self.pattern).parse(name) is not None

    def arguments(self, name: str) -> Mapping[str, Any]:
        """What a step text that matches says for each placeholder."""
        found = _compiled(self.pattern).parse(name)
        return found.named if found is not None else {}

    @property
    def example(self) -> str:
        """The pattern with readable placeholders."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", self.pattern)

    @property
    def is_async(self) -> bool:
        """A coroutine is never awaited by the runner: its scenario would pass without having run."""
        return inspect.iscoroutinefunction(self.function) or inspect.isasyncgenfunction(self.function)


def _step(kind: str, pattern: str, choices: Mapping[str, tuple[str, ...]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        info = StepInfo(kind, pattern, inspect.getdoc(function) or "", function.__module__, function, choices)
        function.__dict__.setdefault("__steps__", []).append(info)
        bind = getattr(pytest_bdd, kind)
        bind(parsers.parse(_spelled(pattern), extra_types={**TYPES, **_ENDINGS}), stacklevel=2)(function)
        return function

    return decorate


def given(pattern: str, **choices: tuple[str, ...]) -> Callable[[F], F]:
    """Declare a Given step; ``choices``: what a placeholder may say, all of it."""
    return _step("given", pattern, choices)


def when(pattern: str, **choices: tuple[str, ...]) -> Callable[[F], F]:
    """Declare a When step; ``choices`` as in :func:`given`."""
    return _step("when", pattern, choices)


def then(pattern: str, **choices: tuple[str, ...]) -> Callable[[F], F]:
    """Declare a Then step; ``choices`` as in :func:`given`."""
    return _step("then", pattern, choices)


def steps_of(modules: Iterable[types.ModuleType]) -> Iterator[StepInfo]:
    """All steps that these modules declare, in order."""
    for module in modules:
        for value in vars(module).values():
            yield from getattr(value, "__steps__", ()) if inspect.isfunction(value) else ()
