"""The six verdicts and how they combine."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Verdict(enum.IntEnum):
    """Ordered by gravity, so that a roll-up is the maximum."""

    NOT_APPLICABLE = 0
    PASS = 1
    WARNING = 2
    INCONCLUSIVE = 3
    FAIL = 4
    ERROR = 5

    @property
    def word(self) -> str:
        """The verdict as a reader meets it."""
        return _WORDS[self]

    @property
    def mark(self) -> str:
        """One character that says the same without colour."""
        return _MARKS[self]


_WORDS = {
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.PASS: "passed",
    Verdict.WARNING: "warning",
    Verdict.INCONCLUSIVE: "not judged",
    Verdict.FAIL: "broken",
    Verdict.ERROR: "harness error",
}
_MARKS = {
    Verdict.NOT_APPLICABLE: "–",
    Verdict.PASS: "✓",
    Verdict.WARNING: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.FAIL: "✕",
    Verdict.ERROR: "‼",
}


def roll_up(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest verdict; a roll-up of nothing is INCONCLUSIVE, because nothing was shown."""
    return max(verdicts, default=Verdict.INCONCLUSIVE)
