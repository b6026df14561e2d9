"""The closed list of what we ask a system under test to do, with the words an operator reads.

An action never says how; a driver knows that. Its outcome says what the driver believes happened and is never
a verdict: what the product really did is judged from the messages.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Protocol

from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One kind of action: who performs it, what the operator is told, which parameters it takes.

    ``answers`` are the keys that a driver may answer with when it can see the outcome, each with its meaning.
    """

    name: str
    actor: str
    wording: str
    parameters: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)


def _read_kinds() -> dict[str, ActionKind]:
    text = resources.files("harness.sut").joinpath("actions.toml").read_text(encoding="utf-8")
    return {
        name: ActionKind(
            name, entry["actor"], entry["wording"], tuple(entry["parameters"]), dict(entry.get("answers", {}))
        )
        for name, entry in tomllib.loads(text).items()
    }


ACTION_KINDS: dict[str, ActionKind] = _read_kinds()


@dataclass(frozen=True, slots=True)
class Action:
    """One request to the system under test."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> ActionKind:
        """Its entry in the closed list. Raises UsageError for an unknown name or parameter."""
        kind = ACTION_KINDS.get(self.name)
        if kind is None:
            raise UsageError(f"there is no action {self.name!r}; known: {', '.join(sorted(ACTION_KINDS))}")
        if unknown := set(self.parameters) - set(kind.parameters):
            raise UsageError(f"the action {self.name!r} takes no parameter {', '.join(sorted(unknown))}")
        return kind

    def wording(self) -> str:
        """What an operator is told, in one or two plain sentences."""
        values: dict[str, Any] = dict.fromkeys(self.kind.parameters, "")
        values.update({"images": 1, "reject": 0, "end": "completed", "reason_text": "", "stay_text": ""})
        values.update(self.parameters)
        if values.get("reason"):
            values["reason_text"] = f" for the reason {values['reason']}"
        if values.get("stay"):
            values["stay_text"] = "; keep that association open until the report has come"
        return self.kind.wording.format_map({key: _words(value) for key, value in values.items()})


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {_words(inner)}" for key, inner in value.items()) or "no key at all"
    if isinstance(value, list | tuple):
        return ", ".join(_words(inner) for inner in value)
    return str(value)


class OutcomeState(enum.StrEnum):
    """What a driver says of an action."""

    DONE = "done"
    DECLINED = "declined"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a driver says happened; ``answers`` carries what the product or the operator answered."""

    state: OutcomeState
    detail: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)


DONE = Outcome(OutcomeState.DONE)


class SutDriver(Protocol):
    """What every driver offers."""

    #: whether several scenarios may drive it at once
    parallel_safe: bool

    def perform(self, action: Action, *, timeout: float) -> Outcome:
        """Ask the product to act; returns when the driver knows that it has, or after ``timeout`` seconds."""
        ...

    def attest(self, question: str, *, timeout: float) -> Outcome:
        """Ask a person to say what they saw. DONE: yes; DECLINED: no; UNSUPPORTED: nobody there to ask."""
        ...

    def close(self) -> None:
        """Release everything the driver holds."""
        ...
