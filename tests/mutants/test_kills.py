"""Every check can fail, shown from outside: seeded defects are killed end to end, and none is forgotten."""

from __future__ import annotations

import json
import tomllib

import pytest

from harness import resources
from harness.bdd import mutation
from harness.cli import catalogue
from harness.core.spec import Keyword, Verification
from harness.profiles import registry

FIXTURES = resources.folder("fixtures")
#: a few defects for every build, one of each kind of mistake; `ihe-harness mutants` runs them all
SAMPLE = ("own-study-uid", "image-not-reported", "commit-duplicates", "worklist-stops-at-ff01", "final-twice")


@pytest.fixture(scope="module")
def coverage() -> mutation.Coverage:
    return mutation.Coverage.of(mutation.healthy(mutation.MODALITY))


def sample() -> list[mutation.Mutant]:
    known = {m.id: m for m in mutation.all_mutants() if m.product == mutation.MODALITY and not m.variant}
    return [known[name] for name in SAMPLE if name in known]


def test_the_sample_is_large_enough() -> None:
    assert len(sample()) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("mutant", sample(), ids=lambda mutant: mutant.id)
def test_a_seeded_defect_is_killed_end_to_end(mutant: mutation.Mutant, coverage: mutation.Coverage) -> None:
    result = mutation.run_one(mutant, coverage)
    assert result.killed, result.summary
    assert not result.survived, result.summary
    assert not result.unexpected, result.summary


def test_every_automated_shall_has_a_defect_or_a_reason() -> None:
    seeded = {requirement for defect in catalogue.all_defects() for requirement in defect.breaks}
    listed = tomllib.loads((FIXTURES / "unseeded.toml").read_text(encoding="utf-8"))["unseeded"]
    automated = {
        row.id
        for row in registry.requirements().values()
        if row.verification is Verification.AUTOMATED and row.keyword is Keyword.SHALL
    }
    assert sorted(automated - seeded - set(listed)) == [], (
        "seed a defect, or say in fixtures/unseeded.toml why there is none"
    )
    assert sorted(set(listed) & seeded) == [], "a defect breaks it now: take it off the list"
    assert sorted(set(listed) - automated) == [], "not an automated SHALL: take it off the list"
    assert all(len(reason) > 20 for reason in listed.values())


def test_the_kill_file_names_what_exists() -> None:
    killed = json.loads((FIXTURES / "kills.json").read_text(encoding="utf-8"))["killed"]
    by_id = {defect.id: defect for defect in catalogue.all_defects()}
    for requirement, names in killed.items():
        assert requirement in registry.requirements()
        for name in names:
            assert requirement in by_id[name].breaks


def test_defects_break_known_requirements_and_have_unique_names() -> None:
    defects = catalogue.all_defects()
    assert len({defect.id for defect in defects}) == len(defects)
    for defect in defects:
        assert defect.breaks, defect.id
        for requirement in defect.breaks:
            assert requirement in registry.requirements(), defect.id
