"""Numbers of connections: one series for all protocols, so that a transcript or a capture never mixes two up."""

from __future__ import annotations

import itertools

_NUMBERS = itertools.count(1)


def next_number() -> int:
    """A number for a connection, unique in this process."""
    return next(_NUMBERS)
