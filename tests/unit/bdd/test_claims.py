"""A misspelt claim is an error: it would quietly leave scenarios out of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import resources
from harness.bdd.claims import require_known
from harness.core.errors import ConfigurationError
from harness.sut.config import load_sut

FIXTURES = sorted(
    p for p in (resources.folder("fixtures") / "sut").glob("*.toml") if not p.name.endswith(".expectations.toml")
)
CLAIM = """
[product]
name = "P"
[[claims]]
profile = "SWF"
actor = "{actor}"
transactions = ["{transaction}"]
options = ["{option}"]
"""
GOOD = {"actor": "Acquisition Modality", "transaction": "RAD-5", "option": "Broad Worklist Query"}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.stem)
def test_what_our_files_claim_exists(path: Path) -> None:
    require_known(load_sut(path), path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("actor", "Aquisition Modality", "there is no actor 'Aquisition Modality'; did you mean Acquisition Modality"),
        ("transaction", "RAD-555", "there is no transaction 'RAD-555'"),
        ("option", "Broad Worklist Querry", "did you mean Broad Worklist Query"),
        ("actor", "Toaster", "the actors of SWF are ADT"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, key: str, value: str, said: str) -> None:
    path = tmp_path / "sut.toml"
    path.write_text(CLAIM.format(**{**GOOD, key: value}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="claims#1") as caught:
        require_known(load_sut(path), path)
    assert said in str(caught.value)
