"""A queue with one thread that delivers in order, waits while the destination is down, and tries again."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.protocols.dicom.errors import PeerError

Job = TypeVar("Job")


@dataclass(slots=True, eq=False)
class _Entry(Generic[Job]):
    job: Job
    due: float
    attempts: int = 0


class Courier(Generic[Job]):
    """Delivers jobs one after the other; a PeerError keeps the job at the head of the queue.

    ``retry`` is the pause in seconds before the next attempt. After ``attempts`` failures in a row the job is given
    up (0: never). Anything else that ``deliver`` raises is passed to ``fault`` and drops the job. With ``ordered``
    False a job that is due may overtake one that is not.
    """

    def __init__(
        self,
        name: str,
        deliver: Callable[[Job], None],
        fault: Callable[[str, BaseException, str], object],
        *,
        retry: float = 1.0,
        attempts: int = 0,
        ordered: bool = True,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._fault = fault
        self._retry = retry
        self._attempts = attempts
        self._ordered = ordered
        self._changed = threading.Condition()
        self._queue: deque[_Entry[Job]] = deque()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = threading.Thread(target=self._run, name=f"courier-{self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop after the delivery that is running; what is queued stays undelivered."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def post(self, job: Job, *, delay: float = 0.0) -> None:
        """Queue a job, to be delivered no sooner than ``delay`` seconds from now and after those before it."""
        with self._changed:
            self._queue.append(_Entry(job, time.monotonic() + delay))
            self._changed.notify_all()

    def wake(self) -> None:
        """Try again now instead of after the pause."""
        with self._changed:
            for entry in self._queue:
                if entry.attempts:
                    entry.due = 0.0
            self._changed.notify_all()

    @property
    def pending(self) -> tuple[Job, ...]:
        """What is not delivered yet, in order."""
        with self._changed:
            return tuple(entry.job for entry in self._queue)

    @property
    def failing(self) -> bool:
        """True while something waits that could not be delivered at the last attempt."""
        with self._changed:
            return any(entry.attempts for entry in self._queue)

    def wait_idle(self, timeout: float) -> bool:
        """True once everything is delivered; False if that takes longer than ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and ((first := self._first()) is None or first.due > time.monotonic()):
                    self._changed.wait(first.due - time.monotonic() if first is not None else None)
                if self._stopped or first is None:
                    return
                entry = first
            done = self._attempt(entry)
            with self._changed:
                if done:
                    self._queue.remove(entry)
                else:
                    entry.due = time.monotonic() + self._retry
                self._changed.notify_all()

    def _first(self) -> _Entry[Job] | None:
        if not self._queue:
            return None
        return self._queue[0] if self._ordered else min(self._queue, key=lambda entry: entry.due)

    def _attempt(self, entry: _Entry[Job]) -> bool:
        try:
            self._deliver(entry.job)
        except PeerError:
            entry.attempts += 1
            return bool(self._attempts) and entry.attempts >= self._attempts
        except Exception as error:  # noqa: BLE001 - the handler wrapper of this thread
            self._fault(f"courier {self.name}", error, traceback.format_exc())
        return True
