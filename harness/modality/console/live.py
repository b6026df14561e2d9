"""Live status: server-sent events that say only that something changed; the page then asks for its parts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence

from harness.modality.signal import Signal

#: streams at a time; a browser that gets none polls instead
MOST = 16
#: seconds without news after which a sign of life is sent, and the login looked at again
SIGN_OF_LIFE = 15.0
#: seconds between two events of a stream at least
PAUSE = 0.3
CHANGED = "event: changed\ndata: 1\n\n"
ALIVE = ": still here\n\n"


class Live:
    """Hands the calls of some signals on to a bounded number of streams."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._signals = signals
        self._lock = threading.Lock()
        self._streams = 0
        self._wakers: set[Callable[[], None]] = set()
        self._closed = False

    @property
    def streams(self) -> int:
        """Say how many streams there are."""
        return self._streams

    @property
    def full(self) -> bool:
        """Say whether no further stream is served."""
        return self._closed or self._streams >= MOST

    async def stream(self, allowed: Callable[[], bool]) -> AsyncIterator[str]:
        """Yield an event for each change, and a sign of life now and then, until `allowed` says no more."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody reads any more
                loop.call_soon_threadsafe(woken.set)

        with self._lock:
            if self.full:
                return
            self._streams += 1
            self._wakers.add(wake)
        leave = [signal.watch(wake) for signal in self._signals]
        try:
            yield "retry: 5000\n" + ALIVE
            while not self._closed and allowed():
                try:
                    await asyncio.wait_for(woken.wait(), SIGN_OF_LIFE)
                except TimeoutError:
                    yield ALIVE
                    continue
                woken.clear()
                if self._closed or not allowed():
                    return
                yield CHANGED
                await asyncio.sleep(PAUSE)  # many changes at once are one for who looks at them
        finally:
            for each in leave:
                each()
            with self._lock:
                self._wakers.discard(wake)
                self._streams -= 1

    def close(self) -> None:
        """End all streams, so that a server can stop at once."""
        self._closed = True
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            wake()
