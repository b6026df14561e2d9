"""Writing to the terminal: one place that knows widths, colours and where progress goes."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

from harness.core.verdict import Verdict

#: colour is never the only sign: marks and words say the same
STYLES = {
    Verdict.PASS: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_APPLICABLE: "bright_black",
    Verdict.ERROR: "bold red reverse",
}


def out() -> Console:
    """Standard output."""
    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """Standard error: progress and complaints, so that ``--json`` stays clean."""
    return Console(stderr=True, highlight=False)


def complain(text: str) -> None:
    """An error message, as plain text."""
    err().print(text, style="red", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Machine-readable output, and nothing else on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()
