"""A wake-up call without lost calls: take a mark, look at the state, then wait for any call after the mark."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable


class Signal:
    """Counts calls; nothing but the counter is touched under its lock, so it cannot deadlock with other locks."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Have a function called, outside of the lock, at every call; return what ends that."""
        with self._condition:
            self._watchers.append(watcher)

        def leave() -> None:
            with self._condition, contextlib.suppress(ValueError):
                self._watchers.remove(watcher)

        return leave

    def set(self) -> None:
        """Wake up all who wait."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def mark(self) -> int:
        """Return the number of calls so far."""
        with self._condition:
            return self._count

    def wait(self, after: int, seconds: float) -> bool:
        """Wait until there was a call after the mark; return whether there was one in time."""
        with self._condition:
            return self._condition.wait_for(lambda: self._count > after, seconds)
