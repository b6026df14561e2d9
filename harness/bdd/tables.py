"""Data tables of steps, read strictly."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import UsageError


def rows(
    table: Sequence[Sequence[str]], *, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Rows of a table with a header line, by column name.

    Raises UsageError for an unknown or missing column, or a table without rows.
    """
    if not table:
        raise UsageError("the step needs a data table")
    header = [cell.strip() for cell in table[0]]
    known = [*required, *optional]
    if unknown := [name for name in header if known and name not in known]:
        raise UsageError(f"unknown column {', '.join(unknown)}; known: {', '.join(known)}")
    if missing := [name for name in required if name not in header]:
        raise UsageError(f"the table lacks the column {', '.join(missing)}")
    if len(table) < 2:
        raise UsageError("the table has a header and no rows")
    return [dict(zip(header, (cell.strip() for cell in row), strict=True)) for row in table[1:]]


def pairs(table: Sequence[Sequence[str]]) -> dict[str, str]:
    """A two-column table without header as a mapping. Raises UsageError for another shape."""
    if not table or any(len(row) != 2 for row in table):
        raise UsageError("the step needs a table of two columns: name and value")
    return {row[0].strip(): row[1].strip() for row in table}
