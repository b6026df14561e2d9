"""Markdown and annotations: short, and never more than text."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.reporting import words
from harness.reporting.summary import github_annotations, markdown
from tests.unit.reporting import builders


def test_markdown_says_what_matters(tmp_path: Path) -> None:
    text = markdown(builders.build_run(tmp_path))
    assert text.startswith("### ✕ Not conforming: 2 requirements broken\n")
    assert "| 2 | 1 | 1 | 1 | 1 |" in text
    assert "| RAD-7-SCU-11 | The final step lists 3 images; 4 were stored. |" in text
    assert "- Commitment arrives later: The product has no way" in text


def test_markdown_stays_short(tmp_path: Path) -> None:
    finding = builders.broken_images(1)
    many = tuple(
        builders.scenario(f"s{n}", Verdict.FAIL, findings=(dataclasses.replace(finding, summary=f"{n}"),))
        for n in range(500)
    )
    text = markdown(dataclasses.replace(builders.build_run(tmp_path), scenarios=many))
    assert len(text.splitlines()) < 60
    assert "… and 480 more in the report." in text


def test_values_from_the_wire_are_no_markup(tmp_path: Path) -> None:
    evil = dataclasses.replace(builders.broken_images(1), summary="a | b\n\n# @team <img src=x> [x](http://y) `c`")
    run = dataclasses.replace(
        builders.build_run(tmp_path), scenarios=(builders.scenario("s", Verdict.FAIL, findings=(evil,)),)
    )
    line = next(line for line in markdown(run).splitlines() if "team" in line)
    assert line.count(" | ") == 3, "the table keeps its four columns"
    assert r"\@team \<img src=x\> \[x\](http://y) \`c\`" in line


def test_annotations_name_the_line_of_the_scenario(tmp_path: Path) -> None:
    lines = list(github_annotations(builders.build_run(tmp_path)))
    assert lines[0] == (
        "::error file=features/swf/rad-7.feature,line=12,title=RAD-7-SCU-11"
        "::The final step lists 3 images; 4 were stored."
    )
    assert sum(line.startswith("::warning") for line in lines) == 2, "the waived warning is not told"


def test_annotations_cannot_inject_commands(tmp_path: Path) -> None:
    evil = dataclasses.replace(builders.broken_images(1), summary="x\n::set-output name=a::b", requirement="a,b::c")
    run = dataclasses.replace(
        builders.build_run(tmp_path), scenarios=(builders.scenario("s", Verdict.FAIL, findings=(evil,)),)
    )
    lines = list(github_annotations(run))
    assert all("\n" not in line for line in lines)
    _, command, message = lines[0].split("::", 2)
    assert command.startswith("error file=")
    assert message.startswith("x%0A"), "one line, so the second command is text of the first"
    assert "title=a%2Cb%3A%3Ac" in lines[0]


def test_words() -> None:
    assert words.plural(1, "entry", "entries") == "1 entry"
    assert words.plural(2, "entry", "entries") == "2 entries"
    assert words.listing(["a", "b", "a", "c"]) == "a, b and c"
    assert [words.duration(s) for s in (0.04, 9.94, 42.4, 372.4, 7260)] == [
        "0.0 s",
        "9.9 s",
        "42 s",
        "6 min 12 s",
        "2 h 1 min",
    ]
    assert words.moment("2026-11-20T10:41:07+00:00") == "20 November 2026, 10:41 UTC"
    assert words.moment("yesterday") == "yesterday"
    assert words.sut_name({"name": "Orthanc", "vendor": "Orthanc Team", "version": "1.12"}) == (
        "Orthanc Team Orthanc, version 1.12"
    )
    assert words.sut_name({}) == "Unnamed product"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"interrupted": True, "selected": ("x/y",)}, "the run was interrupted; 1 scenario not run"),
        ({"failure": {"kind": "environment", "text": "no answer\n::notice::x"}}, "no answer%0A::notice::x"),
    ],
)
def test_a_run_that_ended_early_is_an_error_of_its_own(how: dict[str, Any], said: str) -> None:
    run = RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (), **how)
    assert list(github_annotations(run)) == [f"::error title=The run did not come to its end::{said}"]
