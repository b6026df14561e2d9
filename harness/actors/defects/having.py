"""How a seeded defect changes a behaviour, or part of one: it makes some decisions otherwise, the others stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    B = TypeVar("B", bound=DataclassInstance)
else:
    B = TypeVar("B")


def having(kind: type[B], **decisions: Any) -> Callable[[B], B]:
    """A change to a behaviour of that kind. Raises TypeError at once for a decision that it does not make."""
    if unknown := decisions.keys() - {field.name for field in fields(kind)}:
        raise TypeError(f"{kind.__name__} decides nothing like {', '.join(sorted(unknown))}")
    return lambda behaviour: replace(behaviour, **decisions)
