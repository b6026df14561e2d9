"""A small language for "required if": expressions over the attributes of a data set, compiled once.

::

    present(ContextIdentifier)                    in the same item; ``up.`` the enclosing one, ``root.`` the data set
    absent(X)   empty(X)   filled(X)              not there; without value; with a value
    ImageType[1] in ('ORIGINAL',)                 value 1; without a number any value may match
    SamplesPerPixel > 1 and not present(X)        numbers compare the first value
    always                                        unconditionally
    never                                         not a matter of the bytes; then only presence can be judged

A trailing ``!`` says that the attribute shall not be present when the condition does not hold.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from harness.core.errors import EngineFailure
from harness.validation.dictionary import TAG, implicit_vr
from harness.validation.walker import DataSet

Predicate = Callable[[DataSet], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """``holds`` decides; ``exclusive``: not allowed when it does not hold; ``words`` is the expression."""

    holds: Predicate
    exclusive: bool
    words: str


@dataclass(frozen=True, slots=True)
class _Place:
    tag: int
    up: int
    root: bool
    number: int = 0

    def find(self, ds: DataSet) -> DataSet | None:
        at: DataSet | None = ds
        for _ in range(self.up):
            at = at.parent if at is not None else None
        while self.root and at is not None and at.parent is not None:
            at = at.parent
        return at

    def present(self, ds: DataSet) -> bool:
        at = self.find(ds)
        return at is not None and self.tag in at.elements

    def filled(self, ds: DataSet) -> bool:
        at = self.find(ds)
        if at is None or (element := at.elements.get(self.tag)) is None:
            return False
        return bool(element.items) if element.items is not None else element.end > element.start

    def values(self, ds: DataSet) -> list[str]:
        at = self.find(ds)
        if at is None or (element := at.elements.get(self.tag)) is None:
            return []
        vr = implicit_vr(self.tag) if element.vr == "UN" else element.vr
        if vr in ("US", "SS", "UL", "US or SS"):
            number = at.number(self.tag)
            return [] if number is None else [str(number)]
        if element.end - element.start > 1024:
            return []
        found = at.values(self.tag)
        return found[self.number - 1 : self.number] if self.number else found

    def first(self, ds: DataSet) -> float | None:
        for value in self.values(ds)[:1]:
            try:
                return float(value)
            except ValueError:
                return None
        return None


@lru_cache(maxsize=4096)
def compile_condition(text: str) -> Condition:
    """The condition of an expression; EngineFailure if it is not one, because our own data is then wrong."""
    body = text.removesuffix("!")
    try:
        tree = ast.parse(body, mode="eval")
        return Condition(_predicate(tree.body), text.endswith("!"), body)
    except (SyntaxError, KeyError, ValueError, TypeError) as error:
        raise EngineFailure(
            f"condition {text!r} cannot be compiled: {error}; see harness/validation/conditions.py"
        ) from error


def _predicate(node: ast.expr) -> Predicate:
    if isinstance(node, ast.BoolOp):
        parts = [_predicate(value) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda ds: all(part(ds) for part in parts)
        return lambda ds: any(part(ds) for part in parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _predicate(node.operand)
        return lambda ds: not inner(ds)
    if isinstance(node, ast.Name) and node.id in ("always", "never"):
        answer = node.id == "always"
        return lambda ds: answer
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return _call(node.func.id, node.args[0])
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _comparison(_place(node.left), node.ops[0], ast.literal_eval(node.comparators[0]))
    raise ValueError(ast.dump(node)[:80])


def _call(name: str, argument: ast.expr) -> Predicate:
    place = _place(argument)
    tag = place.tag
    if place.up == 0 and not place.root and name in ("present", "absent"):  # by far the most, so without detours
        if name == "present":
            return lambda ds: tag in ds.elements
        return lambda ds: tag not in ds.elements
    if name == "present":
        return place.present
    if name == "absent":
        return lambda ds: not place.present(ds)
    if name == "filled":
        return place.filled
    if name == "empty":
        return lambda ds: place.present(ds) and not place.filled(ds)
    raise ValueError(f"unknown function {name}")


def _comparison(place: _Place, operator: ast.cmpop, constant: object) -> Predicate:
    if isinstance(operator, ast.In | ast.NotIn | ast.Eq | ast.NotEq):
        listed: Iterable[object] = constant if isinstance(constant, tuple) else (constant,)
        wanted = frozenset(str(value) for value in listed)
        if isinstance(operator, ast.In | ast.Eq):
            return lambda ds: not wanted.isdisjoint(place.values(ds))
        # an absent attribute has no value that could differ
        return lambda ds: bool(found := place.values(ds)) and wanted.isdisjoint(found)
    limit = float(str(constant))
    if isinstance(operator, ast.Gt):
        return lambda ds: (number := place.first(ds)) is not None and number > limit
    if isinstance(operator, ast.Lt):
        return lambda ds: (number := place.first(ds)) is not None and number < limit
    raise ValueError(type(operator).__name__)


def _place(node: ast.expr) -> _Place:
    number = 0
    if isinstance(node, ast.Subscript):
        number = int(ast.literal_eval(node.slice))
        node = node.value
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ValueError(ast.dump(node)[:80])
    parts.append(node.id)
    keyword, prefixes = parts[0], parts[1:]
    if any(prefix not in ("up", "root") for prefix in prefixes):
        raise ValueError(".".join(reversed(parts)))
    return _Place(TAG[keyword], prefixes.count("up"), "root" in prefixes, number)
