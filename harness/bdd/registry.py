"""Step decorators that remember what they declare, so that steps can be listed, explained and linted."""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import parse
import pytest_bdd
from pytest_bdd import parsers

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


#: placeholders of step patterns: ``"{kind:Text}"``, ``{images:Count}``, ``{seconds:Number}``, ``{code:Status}``
TYPES: dict[str, Callable[[str], Any]] = {"Text": text, "Count": count, "Number": number, "Status": status}


@functools.cache
def _compiled(pattern: str) -> Any:
    """A step pattern, compiled once: every step of every scenario is held against all of them."""
    return parse.compile(pattern, TYPES)


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step as authors see it."""

    kind: str
    pattern: str
    doc: str
    module: str
    function: Callable[..., Any]

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


def _step(kind: str, pattern: str) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        info = StepInfo(kind, pattern, inspect.getdoc(function) or "", function.__module__, function)
        function.__dict__.setdefault("__steps__", []).append(info)
        bind = getattr(pytest_bdd, kind)
        bind(parsers.parse(pattern, extra_types=TYPES), stacklevel=2)(function)
        return function

    return decorate


def given(pattern: str) -> Callable[[F], F]:
    """Declare a Given step."""
    return _step("given", pattern)


def when(pattern: str) -> Callable[[F], F]:
    """Declare a When step."""
    return _step("when", pattern)


def then(pattern: str) -> Callable[[F], F]:
    """Declare a Then step."""
    return _step("then", pattern)


def steps_of(modules: Iterable[types.ModuleType]) -> Iterator[StepInfo]:
    """All steps that these modules declare, in order."""
    for module in modules:
        for value in vars(module).values():
            yield from getattr(value, "__steps__", ()) if inspect.isfunction(value) else ()
