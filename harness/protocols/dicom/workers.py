"""Threads that are reused: starting one for each short association would cost more than the association."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

LINGER: Final = 10.0
"""Seconds that a thread waits for another job before it ends."""


class Workers:
    """Runs each job at once, on an idle thread or on a new one; ``stop`` waits for all of them."""

    def __init__(self, name: str, *, linger: float = LINGER) -> None:
        self._name = name
        self._linger = linger
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._idle = 0
        self._started = 0
        self._threads: set[threading.Thread] = set()
        self._stopped = False

    def submit(self, job: Callable[[], None]) -> bool:
        """Run ``job`` on some thread; False after :meth:`stop` or without a thread to be had. A job must not raise."""
        with self._changed:
            if self._stopped:
                return False
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._changed.notify()
                return True
            self._started += 1
            thread = threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads
                self._jobs.pop()
                return False
            self._threads.add(thread)
            return True

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            deadline = time.monotonic() + self._linger
            while not self._jobs and not self._stopped and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads.discard(threading.current_thread())
            return None

    def stop(self, timeout: float) -> list[str]:
        """End all threads; the names of those that were still busy after ``timeout`` seconds."""
        with self._changed:
            self._stopped = True
            threads = list(self._threads)
            self._changed.notify_all()
        current = threading.current_thread()
        deadline = time.monotonic() + timeout
        for thread in threads:
            if thread is not current:
                thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive() and thread is not current]
