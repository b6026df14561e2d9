"""The specification as data: profiles, actors, options, transactions and numbered requirements."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from harness.core.verdict import Verdict


class Keyword(enum.StrEnum):
    """How strongly a requirement binds (RFC 2119 words as the Technical Framework uses them)."""

    SHALL = "SHALL"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Confidence(enum.StrEnum):
    """How sure we are that the clause says what the row says."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Verification(enum.StrEnum):
    """How a requirement is judged: by a check, by an operator's word, or not at all (with the reason)."""

    AUTOMATED = "automated"
    ATTESTED = "attested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable obligation of one or more actors in one or more transactions."""

    id: str
    profiles: tuple[str, ...]
    transactions: tuple[str, ...]
    actors: tuple[str, ...]
    keyword: Keyword
    statement: str
    source: str
    confidence: Confidence
    verification: Verification
    how: str = ""
    reason: str = ""
    option: str = ""
    condition: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether the clause was read, in a standard's text or in two implementations that enforce it."""
        return self.confidence is Confidence.HIGH

    def verdict_if_broken(self, *, strict: bool = False) -> Verdict:
        """Severity = keyword x confidence: only a confirmed SHALL fails a product unless ``strict``."""
        if self.keyword is Keyword.SHALL and (self.confirmed or strict):
            return Verdict.FAIL
        return Verdict.WARNING


@dataclass(frozen=True, slots=True)
class Transaction:
    """One IHE transaction, e.g. RAD-5 Query Modality Worklist."""

    id: str
    name: str
    initiators: tuple[str, ...]
    responders: tuple[str, ...]
    service: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A named option that an actor may declare in a profile."""

    name: str
    actors: tuple[str, ...]
    transactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor of a profile with the transactions that it must and may support."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """An integration profile: its actors, options and where the Technical Framework defines it."""

    id: str
    name: str
    source: str
    actors: tuple[Actor, ...]
    options: tuple[Option, ...] = ()
    transactions: tuple[str, ...] = field(default=())

    def actor(self, name: str) -> Actor | None:
        """The actor of that name, or None if the profile has none."""
        return next((actor for actor in self.actors if actor.name == name), None)
