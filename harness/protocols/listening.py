"""Accepting TCP connections: bounded in number, and deaf to nothing that a peer or a short moment of need does."""

from __future__ import annotations

import errno
import resource
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Final

MAX_CONNECTIONS: Final = 256
"""Of one listener: each takes a thread."""
_FOR_NOW: Final = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EINTR, errno.EPROTO)
)
_RECOVERY: Final = 0.05  # seconds until it is tried again


def affordable(wanted: int = MAX_CONNECTIONS) -> int:
    """As many connections as leave half of the file descriptors of the process to others, at most ``wanted``."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft // 2))


def accept_all(
    listener: socket.socket, take: Callable[[socket.socket], None], stopping: Callable[[], bool] = lambda: False
) -> None:
    """Give every connection to ``take`` until the listening socket is closed.

    When descriptors or memory run out it waits a moment and goes on: a listener that ends there would never be heard
    of again, though the need passes as soon as the crowd has gone.
    """
    wait = threading.Event()
    while not stopping():
        try:
            sock, _ = listener.accept()
        except OSError as problem:
            if problem.errno not in _FOR_NOW:
                return
            wait.wait(_RECOVERY)
            continue
        take(sock)


class Connections:
    """The connections that are open or opening, so that they can be counted and all be ended."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = affordable() if limit is None else limit
        self._lock = threading.Lock()
        self._open: dict[int, socket.socket] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, key: int, sock: socket.socket) -> bool:
        """Count it in, or show another socket for the same key (TLS); False if there are too many."""
        with self._lock:
            if key not in self._open and len(self._open) >= self._limit:
                return False
            self._open[key] = sock
            return True

    def leave(self, key: int) -> None:
        """Count it out."""
        with self._lock:
            self._open.pop(key, None)

    def shut(self) -> None:
        """Shut all of them down: whoever waits for one wakes up."""
        with self._lock:
            sockets = list(self._open.values())
        for sock in sockets:
            shut(sock)


def secure(sock: socket.socket, context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    """The TLS side of an accepted socket, not yet agreed: call ``do_handshake``, which takes ``seconds`` at most."""
    sock.settimeout(seconds)
    return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)


def shut(sock: socket.socket) -> None:
    """End both directions; a socket that has none is left alone."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError):
        return  # it was closed or never connected
