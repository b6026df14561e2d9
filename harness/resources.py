"""Where the built-in features and SUT files are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import EngineFailure


def folder(name: str) -> Path:
    """The folder ``features`` or ``fixtures``. Raises EngineFailure for an installation without it."""
    here = Path(__file__).resolve().parent
    for candidate in (here / "_data" / name, here.parent / name):
        if candidate.is_dir():
            return candidate
    raise EngineFailure(f"this installation lacks its {name} folder; install the package again")
