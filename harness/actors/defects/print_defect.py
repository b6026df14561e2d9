"""One way of a print composer or print server to be wrong, or unusual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.actors.printing.composing import PrintComposerBehaviour
from harness.actors.printing.server_behaviour import PrintServerBehaviour

_Behaviour = TypeVar("_Behaviour", PrintComposerBehaviour, PrintServerBehaviour)


@dataclass(frozen=True, slots=True)
class PrintDefect(Generic[_Behaviour]):
    """One way to be wrong: ``breaks`` names the requirements that must be found broken, none for a legal variant."""

    id: str
    title: str
    breaks: frozenset[str]
    apply: Callable[[_Behaviour], _Behaviour]
