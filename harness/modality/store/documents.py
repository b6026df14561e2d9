"""Values that the database keeps as JSON: read back as what they were, or told as damage that names its row."""

from __future__ import annotations

import json
from typing import Any

from harness.modality.domain import restore
from harness.modality.errors import StoreProblem


def value(raw: Any, where: str) -> Any:
    """Return a JSON value of the row `where`; raises StoreProblem."""
    try:
        return json.loads(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise damage(where, error) from error


def read(kind: Any, raw: Any, where: str) -> Any:
    """Rebuild what the row `where` holds; raises StoreProblem."""
    plain = value(raw, where)
    try:
        return restore(kind, plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damage(where, error) from error


def damage(where: str, error: Exception) -> StoreProblem:
    """Say what is wrong and what to do."""
    return StoreProblem(
        f"{where}: the database is damaged ({error}); restore it from a backup, "
        "or move it away: the image files stay where they are"
    )
