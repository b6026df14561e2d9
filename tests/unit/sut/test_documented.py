"""Keys of ``[statement]`` that decide a verdict: misspelt or of another kind, they are refused by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import ConfigurationError
from harness.profiles import requirements
from harness.sut import config, documented

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"coerced_attributes": "PatientName"}, "coerced_attributes is a list of text, 'PatientName' was found"),
        ({"pps_destinations": ["Image Manager/Archive", 4]}, "a list of text"),
        ({"person_name_case_sensitive": "no"}, "person_name_case_sensitive is true or false, 'no' was found"),
        ({"person_names_case_sensitive": False}, "did you mean person_name_case_sensitive?"),
        ({"coerced_attribute": ["PatientName"]}, "did you mean coerced_attributes?"),
    ],
)
def test_what_checks_would_not_find_is_refused(table: dict[str, Any], said: str) -> None:
    (problem,) = documented.problems(table)
    assert said in problem


def test_free_text_and_right_keys_are_taken() -> None:
    assert documented.problems({"backup": "nightly", "coerced_attributes": [], "commitment_failure": "shown"}) == []


def test_a_file_with_a_misspelt_key_names_its_place(tmp_path: Path) -> None:
    text = (ROOT / "fixtures/sut/reference.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("commitment_failure", "commitment_failures"))
    with pytest.raises(ConfigurationError, match=r"statement.*did you mean commitment_failure"):
        config.load_sut(path)


def test_the_table_names_every_key_that_checks_read_and_rows_that_exist() -> None:
    read = set()
    for module in (ROOT / "harness" / "profiles").rglob("*.py"):
        read |= set(re.findall(r"sut\.statement\.get\(\"(\w+)\"", module.read_text()))
    assert read == {key.name for key in documented.DOCUMENTED}
    rows = requirements()
    assert [row for key in documented.DOCUMENTED for row in key.requirements if row not in rows] == []
