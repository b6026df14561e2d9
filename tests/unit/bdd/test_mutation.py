"""Which scenarios a seeded defect is put to, and what counts as found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.actors.defects.registry import VARIANTS
from harness.bdd import mutation
from harness.bdd.mutation import Coverage, Mutant
from harness.sut.misdeclared import MISDECLARATIONS

COVERAGE = Coverage({"A-1": ("quick", "slow"), "A-2": ("quick",), "B-1": ("other",)})


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of every run; no run finds anything."""
    seen: list[list[str]] = []

    def run(sut_file: Path, arguments: Sequence[str], declared: Any = None) -> tuple[int, None]:
        seen.append([*arguments, *(["declared"] if declared else [])])
        return 1, None

    monkeypatch.setattr(mutation, "_run", run)
    return seen


def test_a_defect_meets_a_few_scenarios_and_all_of_them_when_it_survives(runs: list[list[str]]) -> None:
    result = mutation.run_one(Mutant("bug", "", "modality", ("A-1", "A-2")), COVERAGE)
    assert runs == [
        ["--defect", "bug", "--only", "quick"],
        ["--defect", "bug", "--only", "quick", "--only", "slow"],
    ]
    assert result.survived == ("A-1", "A-2")
    assert not result.ok


def test_what_no_healthy_product_is_judged_on_meets_every_scenario(runs: list[list[str]]) -> None:
    mutation.run_one(Mutant("bug", "", "modality", ("A-1", "C-9")), COVERAGE)
    assert runs == [["--defect", "bug"]]


def test_a_variant_meets_every_scenario(runs: list[list[str]]) -> None:
    mutation.run_one(Mutant("odd", "", "modality", (), variant=True), COVERAGE)
    assert runs == [["--defect", "odd"]]


def test_a_wrong_declaration_seeds_nothing_into_the_product(runs: list[list[str]]) -> None:
    wrong = MISDECLARATIONS[0]
    mutation.run_one(Mutant(wrong.id, "", wrong.product, ("B-1",), declared=wrong), COVERAGE)
    assert runs == [["--only", "other", "declared"]]


def test_legal_variants_of_actors_run_when_they_are_asked_for() -> None:
    wanted = {variant.id for variant in VARIANTS if mutation.Mutant("", "", variant.actor, ()).sut_file.is_file()}
    assert {"composer-lin-od", "server-one-format"} <= wanted
    assert wanted <= {mutant.id for mutant in mutation.select((), variants=True)}
    assert not wanted & {mutant.id for mutant in mutation.select(())}


def test_every_declaration_is_among_the_mutants() -> None:
    known = {mutant.id: mutant for mutant in mutation.all_mutants()}
    for wrong in MISDECLARATIONS:
        assert known[wrong.id].declared is wrong
        assert known[wrong.id].sut_file.is_file()
