"""Buttons that stand for a range of dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from harness.modality.errors import Refused

#: key -> first and last day, counted from today; None is any
_RANGES: Mapping[str, tuple[int, int] | None] = MappingProxyType(
    {"today": (0, 0), "tomorrow": (1, 1), "next-7": (0, 6), "yesterday": (-1, -1), "last-7": (-6, 0), "any": None}
)
PLANNED: Mapping[str, str] = MappingProxyType(
    {"today": "Today", "tomorrow": "Tomorrow", "next-7": "Next 7 days", "any": "Any day"}
)
PAST: Mapping[str, str] = MappingProxyType(
    {"today": "Today", "yesterday": "Yesterday", "last-7": "Last 7 days", "any": "Any day"}
)


def range_of(preset: str, today: date) -> str:
    """Return the matching key of a preset: a DA value, a range of them, or nothing for any. Raises Refused."""
    if preset not in _RANGES:
        raise Refused(f"there is no range of dates {preset!r}")
    days = _RANGES[preset]
    if days is None:
        return ""
    first, last = (f"{today + timedelta(days=each):%Y%m%d}" for each in days)
    return first if first == last else f"{first}-{last}"
