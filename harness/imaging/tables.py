"""Tables of measurements (CSV) as meters, spreadsheets and people write them: levels and what was measured at each."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_MOST_LINES = 70000
_MOST_HEADINGS = 20
#: how far repeated measurements of one level may be apart, as a share
_REPEATED = 0.05
_FOOT_LAMBERT = 3.4262591
_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-zµ%][A-Za-z0-9/^².%·*-]*)?"
)
_MEASURED = re.compile(r"lum|cd|nit|lv\b|density|\bod\b|measured|footlambert|\bfl\b", re.IGNORECASE)
_UNITS = frozenset({"cd/m2", "cd/m^2", "cd/m²", "cd·m-2", "nit", "nits", "od", "d", "%"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured point: P-Value 0.0 to 1.0 and what was measured there, cd/m2 or optical density."""

    p_value: float
    measured: float


def read_table(text: str, *, steps: int | None = None) -> tuple[Sample, ...]:
    """Samples of a table: a level (step, driving level, P-Value) and a measured value in each line, in any order.

    The lowest and the highest level are P-Value 0.0 and 1.0, but a table whose levels begin above 1 is taken to begin
    at 0. With ``steps`` the levels are numbers of so many steps, from 0 or from 1, and all ends have to be there.
    Headings and comments are left out; separators are semicolon, tabulator, comma or blanks; decimal commas need one
    of the others; units may follow numbers; a level that was measured several times counts with its mean. Raises
    ValueError that names the line.
    """
    pairs = _pairs(text)
    if len(pairs) < 3:
        raise ValueError(f"the table has {len(pairs)} measured levels; at least 3 are needed")
    levels = sorted(pairs)
    low, high = levels[0], levels[-1]
    if steps is not None:
        if (low, high) not in ((0.0, steps - 1.0), (1.0, float(steps))):
            raise ValueError(
                f"the levels go from {low:g} to {high:g}; {steps} steps are 0 to {steps - 1}, or 1 to {steps}"
            )
    elif not (low == 1.0 and all(level == int(level) for level in levels)):
        low = 0.0
    return tuple(Sample((level - low) / (high - low), pairs[level]) for level in levels)


def _pairs(text: str) -> dict[float, float]:
    """Measured value by level."""
    found: dict[float, list[float]] = {}
    measured, headings, columns = 1, 0, 0
    for number, cells in _lines(text):
        values = [_number(cell) for cell in cells]
        usable = len(cells) > measured and values[0] is not None and values[measured] is not None
        if not usable and not found and headings < _MOST_HEADINGS and all(v is None for v in values[:1]):
            headings, columns = headings + 1, len(cells)
            named = [at for at, cell in enumerate(cells) if at and _MEASURED.search(cell)]
            measured = named[0] if named else 1
            continue
        level, value = (values[0], values[measured]) if usable else (None, None)
        if level is None or value is None:
            raise ValueError(f"line {number}: expected a level and a measured value, found {cells!r}")
        if len(cells) > max(columns, 2):
            raise ValueError(
                f"line {number}: {len(cells)} values, expected a level and a measured value; decimal commas need "
                "semicolons between the values, further columns a heading"
            )
        if level < 0 or not math.isfinite(level) or not math.isfinite(value):
            raise ValueError(f"line {number}: {cells!r} are no measured numbers")
        found.setdefault(level, []).append(value)
    for level, values_there in found.items():
        least, most = min(values_there), max(values_there)
        if most - least > _REPEATED * abs(most):
            raise ValueError(
                f"level {level:g} was measured several times, with {least:g} and {most:g}; "
                "levels have to be different, or their values alike"
            )
    return {level: sum(values_there) / len(values_there) for level, values_there in found.items()}


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that says something."""
    kept = [
        (number, line)
        for number, line in enumerate(io.StringIO(text), start=1)
        if line.strip().strip(';,\t"') and not line.lstrip().startswith(("#", "//"))
    ]
    if len(kept) > _MOST_LINES:
        raise ValueError(f"the table has more than {_MOST_LINES} lines")
    separator = _separator([line for _, line in kept])
    if separator == " ":
        return [(number, line.split()) for number, line in kept]
    rows = []
    for number, line in kept:
        cells = [cell.strip() for cell in next(csv.reader([line.strip()], delimiter=separator), [])]
        while len(cells) > 2 and not cells[-1]:
            cells.pop()
        rows.append((number, cells))
    return rows


def _separator(lines: Sequence[str]) -> str:
    """What stands between values in most lines that begin with a number."""
    data = [line for line in lines if line.lstrip(' \t"')[:1].isdigit()] or list(lines)
    for sign in (";", "\t"):
        if sum(sign in line for line in data) * 2 > len(data):
            return sign
    blank = [re.fullmatch(r"\S*[^\s,]\s+[^\s,]\S*", line.strip()) is not None for line in data]
    units = [_number(line.strip()) is not None for line in data]
    if data and sum(blank) * 2 > len(data) and not any(units):
        return " "
    return ","


def _number(cell: str) -> float | None:
    """A number with or without unit, decimal comma or point; foot-lamberts become cd/m2. None if it is none."""
    match = _NUMBER.fullmatch(cell.strip().strip('"').strip())
    if match is None:
        return None
    unit = (match["unit"] or "").lower()
    value = float(match["number"].replace(",", "."))
    if unit in ("fl", "ftl"):
        return value * _FOOT_LAMBERT
    return value if not unit or unit in _UNITS else None
