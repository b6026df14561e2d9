"""Time and identity: injected everywhere, so that a day can be replayed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The local time of the modality."""

    def now(self) -> datetime:
        """Return naive local time, as DICOM DA and TM have it without an offset."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the machine's local time."""
        return datetime.now()


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time that was set last."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self._now += timedelta(seconds=seconds)


def clock_from(text: str | None) -> Clock:
    """Return the machine's clock, or one that stands still at an ISO 8601 moment; raise ValueError on bad text."""
    return SystemClock() if not text else ManualClock(datetime.fromisoformat(text).replace(tzinfo=None))


class Uids:
    """Makes UIDs under the 2.25 root (PS3.5 B.2): random, or from a seed and a counter that is never reused."""

    def __init__(self, seed: int | None, counter: Callable[[], int]) -> None:
        self._seed, self._counter = seed, counter

    def new(self) -> str:
        """Return a UID of at most 44 characters."""
        if self._seed is None:
            return f"2.25.{uuid.uuid4().int}"
        digest = hashlib.sha256(f"{self._seed}:{self._counter()}".encode()).digest()
        return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def elapsed_seconds(earlier: datetime, later: datetime) -> float:
    """Return the seconds that really passed between two local times, also when daylight saving time began between."""
    return later.timestamp() - earlier.timestamp()


def date_of(moment: datetime) -> str:
    """Format a DA value."""
    return moment.strftime("%Y%m%d")


def time_of(moment: datetime) -> str:
    """Format a TM value with microseconds only where they say something."""
    return moment.strftime("%H%M%S.%f") if moment.microsecond else moment.strftime("%H%M%S")
