"""Which scenarios a run means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from harness.bdd.lint import PlannedScenario
from harness.bdd.settings import RunSettings
from harness.bdd.tags import ACTORS, ScenarioTags, read, slug
from harness.profiles import aliases, registry


def unmatched(words: Iterable[str], planned: Sequence[PlannedScenario]) -> list[str]:
    """The words of ``--only`` that mean none of these scenarios."""
    known = [(scenario.id, scenario.name, read(scenario.tags)) for scenario in planned]
    return [
        word
        for word in words
        if not any(
            meant(word, identifier, tags) or word.startswith(f"{identifier}[") or _an_example(word, template)
            for identifier, template, tags in known
        )
    ]


def wanted(identifier: str, name: str, tags: ScenarioTags, settings: RunSettings) -> bool:
    """Whether a scenario is among those that the settings ask for; ``name`` is as a person reads it."""
    if settings.rerun and identifier not in settings.rerun:
        return False
    if settings.quick and not tags.quick:
        return False
    if settings.profiles and not tags.profiles.intersection(settings.profiles):
        return False
    if settings.actors and tags.actor not in settings.actors:
        return False
    return not settings.only or any(meant(word, identifier, tags) or slug(word) == slug(name) for word in settings.only)


def _an_example(word: str, template: str) -> bool:
    """Whether this can be the name of an example of an outline, "A Korean name" of "A <language> name"."""
    if "<" not in template:
        return False
    parts = [re.escape(part) for part in re.split(r"<[^<>]+>", template)]
    return re.fullmatch(".+".join(parts), word) is not None or slug(word) == slug(template)


def meant(word: str, identifier: str, tags: ScenarioTags) -> bool:
    """``--only`` takes a scenario id or its end, a feature file, a transaction, a MESA number, case or requirement."""
    if word == identifier or slug(word) == slug(identifier.rsplit("/", 1)[-1]):
        return True
    if word.removesuffix(".feature") == identifier.split("[")[0].split("/")[-2]:
        return True
    if "/" in word and identifier.startswith(word):
        return True
    if word in tags.transactions or word in tags.requirements or word in tags.aliases or word in tags.cases:
        return True
    if re.fullmatch(r"MESA-\d+", word, re.IGNORECASE):
        return word.upper() in tags.aliases
    row = registry.requirements().get(word)
    if row is None:
        return False
    return bool(tags.transactions.intersection(row.transactions)) and (tags.actor in row.actors or "all" in row.actors)


def known_words() -> Collection[str]:
    """Words besides scenario ids that ``--only`` understands, to name the nearest when one is misspelt."""
    return [*registry.requirements(), *registry.TRANSACTIONS, *aliases.ALIASES, *ACTORS]
