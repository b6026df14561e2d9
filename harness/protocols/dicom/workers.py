"""Threads that are reused: starting one for each short association would cost more than the association."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Workers:
    """Runs each job at once, on an idle thread or on a new one; ``stop`` waits for all of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def submit(self, job: Callable[[], None]) -> bool:
        """Run ``job`` on some thread; False after :meth:`stop`. A job must not raise."""
        with self._lock:
            if self._stopped:
                return False
            self._jobs.put(job)
            if self._idle > 0:
                self._idle -= 1
                return True
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
        thread.start()
        return True

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._idle += 1

    def stop(self, timeout: float) -> list[str]:
        """End all threads; the names of those that were still busy after ``timeout`` seconds each."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        current = threading.current_thread()
        for thread in threads:
            if thread is not current:
                thread.join(timeout)
        return [thread.name for thread in threads if thread.is_alive() and thread is not current]
