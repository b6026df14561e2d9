"""The specification as data: every row is there, names fit, and automated means that a check exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from harness.core.errors import ConfigurationError
from harness.core.spec import Verification
from harness.profiles import (
    ALIASES,
    CHECKS,
    PROFILES,
    TRANSACTIONS,
    checks_for,
    loader,
    profile,
    requirements,
    requirements_for,
)

#: actors that rows name although they belong to other profiles
FOREIGN_ACTORS = {"Report Manager", "Post-Processing Manager"}


def test_every_row_of_the_catalogue_is_there_once() -> None:
    assert len(requirements()) >= 607
    counted = Counter(folder_row for folder in loader.FOLDERS for folder_row in _ids(folder))
    assert [row for row, times in counted.items() if times > 1] == []


def _ids(folder: str) -> list[str]:
    automated = {check.requirement for check in CHECKS}
    return [row.id for row in loader.load(folder, PROFILES, automated)]


def test_a_requirement_is_automated_exactly_when_a_check_judges_it() -> None:
    judged = {check.requirement for check in CHECKS}
    automated = {row.id for row in requirements().values() if row.verification is Verification.AUTOMATED}
    assert judged == automated


def test_what_is_not_automated_says_why() -> None:
    silent = [
        row.id for row in requirements().values() if row.verification is not Verification.AUTOMATED and not row.reason
    ]
    assert silent == []


def test_check_ids_are_unique_and_their_transactions_known() -> None:
    assert [check for check, times in Counter(c.id for c in CHECKS).items() if times > 1] == []
    for check in CHECKS:
        assert re.fullmatch(r"[A-Za-z0-9]+([-/][A-Za-z0-9]+)*", check.id), check.id
        assert check.title
        assert not check.title.endswith(".")
        assert set(check.transactions) <= set(TRANSACTIONS), check.id


def test_rows_name_known_transactions_actors_options_and_profiles() -> None:
    actors = {actor.name for p in PROFILES for actor in p.actors} | FOREIGN_ACTORS
    options = {option.name for p in PROFILES for option in p.options}
    for row in requirements().values():
        assert set(row.transactions) <= set(TRANSACTIONS), row.id
        assert row.actors, row.id
        assert set(row.actors) <= actors, row.id
        assert row.profiles, row.id
        assert not row.option or row.option in options, row.id


def test_profiles_name_known_transactions() -> None:
    for p in PROFILES:
        assert set(p.transactions) <= set(TRANSACTIONS)
        for actor in p.actors:
            assert set(actor.required) | set(actor.optional) <= set(p.transactions), (p.id, actor.name)
        for option in p.options:
            assert set(option.actors) <= {actor.name for actor in p.actors}, (p.id, option.name)


def test_aliases_lead_to_requirements() -> None:
    assert "MESA-211" in ALIASES
    for alias in ALIASES.values():
        assert alias.requirements
        assert set(alias.requirements) <= set(requirements())


def test_lookups_narrow_down() -> None:
    rows = requirements_for(profile="SWF", transaction="RAD-6", actor="Acquisition Modality", option="")
    assert "RAD-6-SCU-04" in {row.id for row in rows}
    assert "RAD-6-SCU-11" not in {row.id for row in rows}, "it belongs to the Modality Group Case option"
    assert requirements_for(profile="PDI", transaction="RAD-6") == ()
    assert profile("SWF.b") is not None
    assert profile("XYZ") is None
    assert checks_for("RAD-9999") == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"keyword": "MUST"}, "MUST"),
        ({"verification": "attested"}, "comes with a reason"),
        ({"verification": "automated", "reason": "x"}, "'attested' or 'none'"),
    ],
)
def test_a_wrong_row_is_named(change: dict[str, str], complaint: str) -> None:
    row = {
        "id": "X-1",
        "profiles": ["SWF"],
        "transactions": ["RAD-5"],
        "actors": ["ADT"],
        "keyword": "SHALL",
        "statement": "It does.",
        "source": "TF-1:3",
        "confidence": "high",
        **change,
    }
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        loader._requirement(row, "file.toml", "row 1", PROFILES, frozenset())


def test_a_row_that_denies_its_check_is_named() -> None:
    row = {
        "id": "X-1",
        "profiles": ["SWF"],
        "transactions": [],
        "actors": ["ADT"],
        "keyword": "SHALL",
        "statement": "It does.",
        "source": "TF-1:3",
        "confidence": "high",
        "verification": "none",
        "reason": "cannot be seen",
    }
    with pytest.raises(ConfigurationError, match="a check judges it"):
        loader._requirement(row, "file.toml", "row 1", PROFILES, frozenset({"X-1"}))
