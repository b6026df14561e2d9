"""What a SUT file claims, held against the profiles: a misspelt claim must not quietly leave scenarios out."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

from harness.bdd.tags import ACTORS, OPTIONS
from harness.core.errors import ConfigurationError
from harness.profiles import registry
from harness.sut.config import SutFile


def require_known(sut: SutFile, path: Path) -> None:
    """Raises ConfigurationError for an actor, transaction or option that does not exist, naming the nearest."""
    options = {*OPTIONS.values(), *(option.name for p in registry.PROFILES for option in p.options)}
    for number, claim in enumerate(sut.claims, 1):
        profile = registry.profile(claim.profile)
        ours = [actor.name for actor in profile.actors] if profile else []
        everywhere = {*ACTORS.values(), *(actor.name for p in registry.PROFILES for actor in p.actors)}
        _require(path, number, "actor", claim.actor, everywhere, f"the actors of {claim.profile} are {', '.join(ours)}")
        for name in claim.transactions or ():
            _require(path, number, "transactions", name, registry.TRANSACTIONS, "see `ihe-harness list transactions`")
        for name in claim.options:
            _require(path, number, "options", name, options, "see `ihe-harness list profiles`")


def _require(path: Path, number: int, key: str, value: str, known: Collection[str], hint: str) -> None:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=3, cutoff=0.5)
    what = key.removesuffix("s")
    said = f"did you mean {' or '.join(near)}?" if near else hint
    raise ConfigurationError(path, f"[claims#{number}], key {key}", f"there is no {what} {value!r}; {said}")
