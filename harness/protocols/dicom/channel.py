"""A connected socket, never blocking by itself, with one receive buffer and an optional capture."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from harness.protocols.dicom.sinks import Extent

Buffer = bytes | memoryview
_SMALL, _LARGE = 16 << 10, 256 << 10
_VECTORS: Final = 512  # Linux takes 1,024
TIMED_OUT: Final = -1


class Tap(Protocol):
    """Who sees every byte."""

    def opened(
        self,
        association: int,
        protocol: str,
        local: tuple[str, int],
        peer: tuple[str, int],
        *,
        incoming: bool,
        tls: bool = False,
    ) -> None:
        """A connection stands."""

    def received(self, association: int, data: memoryview, extents: Sequence[Extent] = ()) -> None:
        """Bytes that came from the peer; those in ``extents`` are kept in other files already."""

    def sent(self, association: int, data: Sequence[Buffer]) -> None:
        """Bytes that the operating system has taken."""


class Channel:
    """One TCP (or TLS) connection of one association.

    ``receive`` may be called by one thread at a time, and so may ``send``; both at once are fine without TLS, and
    with it they are serialised by OpenSSL's own non-blocking interface through the lock of the caller.
    """

    def __init__(self, sock: socket.socket, association: int, tap: Tap | None = None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self.association = association
        self.tap = tap
        self._buffer = bytearray(_SMALL)
        self._view = memoryview(self._buffer)
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sock, select.POLLOUT)
        self.closed = False

    def receive(self, timeout: float) -> int:
        """Number of bytes now in :meth:`view`; 0 if the peer closed; TIMED_OUT after ``timeout`` seconds."""
        waited = False
        while True:
            try:
                count = self._socket.recv_into(self._view)
            except (BlockingIOError, ssl.SSLWantReadError):
                if waited or not self._readable.poll(max(0, int(timeout * 1000) + 1)):
                    return TIMED_OUT
                waited = not self._tls
                continue
            except ssl.SSLWantWriteError:
                self._writable.poll(max(0, int(timeout * 1000)))
                continue
            except (OSError, ValueError):
                return 0
            return count

    def view(self, count: int) -> memoryview:
        """The first ``count`` bytes of the receive buffer, valid until the next ``receive``."""
        data = self._view[:count]
        if count == len(self._buffer) and count < _LARGE:
            self._buffer = bytearray(count * 4)
            self._view = memoryview(self._buffer)
        return data

    def send(self, buffers: Sequence[Buffer], timeout: float, on_blocked: Callable[[], bool]) -> None:
        """Send everything. Raises TimeoutError without progress for ``timeout`` seconds, ConnectionError when broken.

        While the peer takes nothing, ``on_blocked`` is asked to read what the peer sends; it answers whether it did.
        """
        pending: list[Buffer] = [buffer for buffer in buffers if len(buffer)]
        if self.tap is not None and pending:
            self.tap.sent(self.association, pending)
        if self._tls:
            pending = _joined(pending)
        deadline = time.monotonic() + timeout
        first = 0
        while first < len(pending):
            try:
                if self._tls:
                    sent = self._socket.send(pending[first])
                else:
                    sent = self._socket.sendmsg(pending[first : first + _VECTORS])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                if (on_blocked() or not self._writable.poll(50)) and time.monotonic() > deadline:
                    raise TimeoutError from None
                continue
            except (OSError, ValueError) as problem:
                raise ConnectionError(str(problem)) from problem
            deadline = time.monotonic() + timeout
            while sent:
                size = len(pending[first])
                if sent >= size:
                    sent -= size
                    first += 1
                else:
                    pending[first] = memoryview(pending[first])[sent:]
                    sent = 0

    def half_close(self) -> None:
        """No more bytes from us; the peer may still be heard."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            self.closed = self.closed or self._socket.fileno() < 0

    def wake(self) -> None:
        """Make a blocked ``receive`` of another thread return 0."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            self.closed = self.closed or self._socket.fileno() < 0

    def close(self) -> None:
        """Close the socket."""
        if not self.closed:
            self.closed = True
            self._socket.close()


def _joined(buffers: Sequence[Buffer], limit: int = 256 << 10) -> list[Buffer]:
    result: list[Buffer] = []
    chunk = bytearray()
    for buffer in buffers:
        chunk += buffer
        if len(chunk) >= limit:
            result.append(bytes(chunk))
            chunk.clear()
    if chunk:
        result.append(bytes(chunk))
    return result
