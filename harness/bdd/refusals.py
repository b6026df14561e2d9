"""How our archive and our display treat what the product stores next, when a scenario wants it refused."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from harness.actors.archive_index import StoredInstance
from harness.protocols.dicom.node import Request


class Refusals:
    """How our archive treats the next C-STORE requests, instead of keeping what they bring at once."""

    def __init__(self) -> None:
        self._next: deque[Callable[[Request], int]] = deque()
        self._going_on = threading.Event()

    def refuse_next(self, status: int) -> None:
        """Queue one refusal."""
        self._next.append(lambda request: status)

    def abort_next(self) -> None:
        """Queue an abort: the association of that request ends without an answer."""

        def abort(request: Request) -> int:
            request.association.abort()
            return 0xC000

        self._next.append(abort)

    def stall_next(self, seconds: float) -> None:
        """Queue an answer that comes so much later."""

        def stall(request: Request) -> int:
            del request
            self._going_on.wait(seconds)
            return 0x0000

        self._going_on.clear()
        self._next.append(stall)

    def clear(self) -> None:
        """Forget what was queued, hold nothing back any more."""
        self._next.clear()
        self._going_on.set()

    def status(self, request: Request) -> int:
        """The status of a C-STORE-RSP; success when nothing is queued."""
        try:
            treat = self._next.popleft()
        except IndexError:
            return 0x0000
        return treat(request)


class ClassRefusals:
    """SOP classes that our display refuses to store (A700: out of resources)."""

    def __init__(self) -> None:
        self._classes: set[str] = set()

    def refuse_class(self, sop_class: str) -> None:
        """Refuse every instance of that class from now on."""
        self._classes.add(sop_class)

    def clear(self) -> None:
        """Refuse nothing."""
        self._classes.clear()

    def status(self, request: Request) -> int:
        """The status of a C-STORE-RSP."""
        return 0xA700 if request.abstract_syntax in self._classes else 0x0000


class DeliveryFaults:
    """Which retrieves of our archive fail in part: so many instances, the next ones, cannot be sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0

    def lose_next(self, count: int) -> None:
        """Fail the next so many sub-operations."""
        with self._lock:
            self._left = count

    def clear(self) -> None:
        """Deliver everything."""
        self.lose_next(0)

    def delivers(self, instance: StoredInstance) -> bool:
        """Whether this instance is sent."""
        with self._lock:
            if not self._left:
                return True
            self._left -= 1
            return False
