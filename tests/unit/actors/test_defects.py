"""The registry of seeded defects: unique, addressed to known requirements, and each changes its behaviour."""

from __future__ import annotations

import pytest

from harness.actors.defects import registry as defects
from harness.core.errors import UsageError
from harness.profiles import registry

ALL = (*defects.DEFECTS, *defects.VARIANTS)


def test_identifiers_are_unique_and_say_whose_they_are() -> None:
    assert len({each.id for each in ALL}) == len(ALL)
    prefixes: dict[str, str | tuple[str, ...]] = {
        "adt": ("adt-", "hl7-"),
        "image-manager-hl7": ("manager-", "hl7-"),
        "order-filler-hl7": ("filler-", "hl7-"),
        "order-placer": ("placer-", "hl7-"),
        "evidence-creator": "creator-",
        "image-display": "display-",
        "image-manager": "archive-",
        "media-creator": "media-",
        "media-importer": "importer-",
        "order-filler": "filler-",
        "pps-manager": "ppsm-",
        "print-composer": "composer-",
        "presentation-archive": "archive-",
        "print-server": "server-",
        "report-reader": "reader-",
        "report-repository": "repository-",
        "external-report-repository-access": "external-",
        "softcopy-display": "display-",
    }
    assert all(each.id.startswith(prefixes[each.actor.removesuffix("-v251")]) for each in ALL)


@pytest.mark.parametrize("each", defects.DEFECTS, ids=lambda each: each.id)
def test_each_breaks_requirements_that_exist(each: defects.Defect) -> None:
    known = set(registry.requirements())
    assert each.breaks
    assert each.breaks <= known


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.id)
def test_each_changes_the_behaviour_and_nothing_else_does(each: defects.Defect) -> None:
    healthy = defects.behaviour(each.actor)
    assert healthy == defects.behaviour(each.actor)
    assert defects.behaviour(each.actor, [each.id]) != healthy


def test_variants_break_nothing() -> None:
    assert all(not each.breaks for each in defects.VARIANTS)


def test_unknown_and_foreign_defects_are_named() -> None:
    with pytest.raises(UsageError, match="has no defect 'ppsm-drops-ends'"):
        defects.behaviour("image-manager", ["ppsm-drops-ends"])
    with pytest.raises(UsageError, match="acquisition-modality has no defects"):
        defects.behaviour("acquisition-modality", ["archive-stores-nothing"])
    with pytest.raises(UsageError, match="there is no defect"):
        defects.actor_of("nonsense")
    assert defects.actor_of("ppsm-drops-ends") == "pps-manager"
