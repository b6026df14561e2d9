"""A wake-up call without lost calls: take a mark, look at the state, then wait for any call after the mark."""

from __future__ import annotations

import threading


class Signal:
    """Counts calls; nothing but the counter is touched under its lock, so it cannot deadlock with other locks."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def set(self) -> None:
        """Wake up all who wait."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def mark(self) -> int:
        """Return the number of calls so far."""
        with self._condition:
            return self._count

    def wait(self, after: int, seconds: float) -> bool:
        """Wait until there was a call after the mark; return whether there was one in time."""
        with self._condition:
            return self._condition.wait_for(lambda: self._count > after, seconds)
