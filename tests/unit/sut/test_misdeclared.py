"""Wrong declarations are declarations: each applies to the SUT file of its product and still loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import resources
from harness.core.errors import EngineFailure
from harness.profiles import registry
from harness.sut.config import load_sut
from harness.sut.misdeclared import MISDECLARATIONS, Misdeclaration


def sut_file(product: str) -> Path:
    name = "reference" if product == "modality" else f"simulated-{product}"
    return resources.folder("fixtures") / "sut" / f"{name}.toml"


@pytest.mark.parametrize("wrong", MISDECLARATIONS, ids=lambda one: one.id)
def test_a_wrong_declaration_says_something_else_and_loads(wrong: Misdeclaration, tmp_path: Path) -> None:
    source = sut_file(wrong.product).read_text(encoding="utf-8")
    path = tmp_path / "sut.toml"
    path.write_text(wrong.applied(source), encoding="utf-8")
    assert load_sut(path) != load_sut(sut_file(wrong.product))
    assert wrong.breaks <= set(registry.requirements())


def test_a_file_that_changed_is_noticed() -> None:
    with pytest.raises(EngineFailure, match="does not stand in the SUT file"):
        MISDECLARATIONS[0].applied("[product]")
