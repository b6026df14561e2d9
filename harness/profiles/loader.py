"""Reads the ``requirements.toml`` files that lie beside each profile.

A row names its check's absence, never its presence: a requirement is automated when a check judges it, and a row
that says ``attested`` or ``none`` gives the reason. A row with neither is listed as ``none``, "no check written yet".
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from typing import Any

from harness.core.errors import ConfigurationError
from harness.core.spec import Confidence, Keyword, Profile, Requirement, Verification

FOLDERS: tuple[str, ...] = ("swf", "cpi", "ari", "pdi", "common")
NO_CHECK = "no check written yet"

_REQUIRED = ("id", "profiles", "transactions", "actors", "keyword", "statement", "source", "confidence")
_KEYS = frozenset({*_REQUIRED, "how", "option", "condition", "verification", "reason"})


def load(folder: str, profiles: tuple[Profile, ...], automated: Collection[str]) -> Iterator[Requirement]:
    """The requirements of one folder of this package; ``automated`` holds the ids that a check judges.

    Raises ConfigurationError for an unknown key, a missing one, a word outside its vocabulary, or a row that says
    ``attested`` or ``none`` although a check judges it.
    """
    text = resources.files("harness.profiles").joinpath(folder, "requirements.toml").read_text("utf-8")
    file = f"harness/profiles/{folder}/requirements.toml"
    for number, row in enumerate(tomllib.loads(text)["requirement"], start=1):
        yield _requirement(row, file, f"[[requirement]] {number} ({row.get('id', 'no id')})", profiles, automated)


def _requirement(
    row: Mapping[str, Any], file: str, where: str, profiles: tuple[Profile, ...], automated: Collection[str]
) -> Requirement:
    if unknown := sorted(set(row) - _KEYS):
        raise ConfigurationError(file, where, f"unknown key {unknown[0]!r}; known keys: {', '.join(sorted(_KEYS))}")
    if missing := [key for key in _REQUIRED if key not in row]:
        raise ConfigurationError(file, where, f"missing key {missing[0]!r}")
    try:
        keyword, confidence = Keyword(row["keyword"]), Confidence(row["confidence"])
    except ValueError as error:
        raise ConfigurationError(file, where, str(error)) from None
    verification, reason = _verification(row, file, where, automated)
    named = profiles if row["profiles"] == ["all"] else tuple(p for p in profiles if p.id in row["profiles"])
    actors = tuple(row["actors"])
    if actors == ("all",):
        actors = tuple(dict.fromkeys(actor.name for profile in named for actor in profile.actors))
    transactions = tuple(row["transactions"])
    if transactions == ("all",):
        transactions = tuple(dict.fromkeys(t for profile in named for t in profile.transactions))
    return Requirement(
        id=row["id"],
        profiles=tuple(profile.id for profile in named),
        transactions=transactions,
        actors=actors,
        keyword=keyword,
        statement=row["statement"],
        source=row["source"],
        confidence=confidence,
        verification=verification,
        how=row.get("how", ""),
        reason=reason,
        option=row.get("option", ""),
        condition=row.get("condition", ""),
    )


def _verification(
    row: Mapping[str, Any], file: str, where: str, automated: Collection[str]
) -> tuple[Verification, str]:
    stated = row.get("verification")
    if row["id"] in automated:
        if stated is not None:
            raise ConfigurationError(file, where, f"says verification = {stated!r}, but a check judges it")
        return Verification.AUTOMATED, ""
    if stated is None:
        return Verification.NONE, NO_CHECK
    if stated not in ("attested", "none") or not row.get("reason"):
        raise ConfigurationError(file, where, "verification is 'attested' or 'none' and comes with a reason")
    return Verification(stated), row["reason"]
