"""The pages about the modality say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from harness.modality import workflow
from harness.modality.domain import State

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "modality"


def page() -> str:
    """Return the page about the workflow as the transition table makes it."""
    return (
        "# Workflow of an exam\n\n"
        "Made from the transition table by `ihe-harness modality workflow`; do not edit.\n\n"
        f"```mermaid\n{workflow.mermaid()}```\n\n{workflow.markdown()}"
    )


def test_workflow_page_is_the_transition_table() -> None:
    assert (PAGES / "workflow.md").read_text(encoding="utf-8") == page()
    assert all(state.value in page() for state in State)


def test_every_row_of_the_coverage_page_has_its_test() -> None:
    text = (PAGES / "coverage.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name}(" not in (ROOT / "tests" / path).read_text(encoding="utf-8")
    ]
    assert missing == []
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| What")]
    assert [line for line in rows if "::" not in line] == []
