"""What is said of words that select nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from harness.bdd.selection import known_words
from harness.profiles.aliases import ALIASES


def unknown_only(words: Sequence[str]) -> str:
    """A sentence that helps when ``--only`` selected nothing."""
    number = words[0].upper() if words else ""
    if number in ALIASES:
        rows = ", ".join(ALIASES[number].requirements)
        return (
            f": either the product claims no actor of {number} ({ALIASES[number].title}), or it has no scenario of its "
            f"own; try its requirements ({rows}), or `ihe-harness explain {number}`"
        )
    near = difflib.get_close_matches(words[0], known_words(), n=3) if words else []
    return f"; did you mean {', '.join(near)}?" if near else "; `ihe-harness list scenarios` shows all"
