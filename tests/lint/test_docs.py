"""The reference pages tell what the program is today."""

from __future__ import annotations

from tools import docs


def test_the_reference_pages_are_up_to_date() -> None:
    stale = [name for name, page in docs.PAGES.items() if (docs.FOLDER / name).read_text("utf-8") != docs.text(page)]
    assert stale == [], "run: make docs"
