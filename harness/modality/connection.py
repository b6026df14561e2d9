"""Below a request: sockets that close, messages that are not swallowed, and why a connection did not come about."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

from pynetdicom import AE

from harness.modality.config import NodeSettings, Timeouts
from harness.modality.errors import Cause, PeerProblem
from harness.modality.secure import Attentive
from harness.protocols.dicom.tls import in_words


def settle_socket(event: Any) -> None:
    """Prepare a new connection: no Nagle delay (tens of ms per message), and a close that always closes."""
    connection = event.assoc.dul.socket
    if connection.socket is not None:
        with contextlib.suppress(OSError):
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    close_for_sure(connection)


def close_for_sure(connection: Any) -> None:
    # pynetdicom 3.0.4 leaves the descriptor open if the peer was faster to close, or never accepted.
    def close() -> None:
        raw: socket.socket | None = connection.socket
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
            raw.close()

    connection._shutdown_socket = close


class Caller(AE):  # type: ignore[misc]
    """An application entity whose failed connections leave no descriptor behind."""

    def _create_socket(self, assoc: Any, address: Any, tls_args: Any) -> Any:
        made = Attentive(assoc, address=address)
        made.tls_args = tls_args
        close_for_sure(made)
        return made


class Inbox:
    """Guards the message queue: while a request of ours is outstanding, only its caller takes messages.

    pynetdicom 3.0.4 lets its reactor thread look into the same queue in between, which now and then swallows a
    response.
    """

    def __init__(self, assoc: Any) -> None:
        self._queue: queue.Queue[tuple[int | None, Any]] = assoc.dimse.msg_queue
        self._lock = threading.Lock()
        self._busy = False
        assoc.dimse.get_msg = self.look

    def look(self, block: bool = False) -> tuple[int | None, Any]:
        """Take a message on behalf of pynetdicom's reactor, unless a request is outstanding."""
        with self._lock:
            if self._busy:
                return None, None
            try:
                return self._queue.get(block=False)
            except queue.Empty:
                return None, None

    @contextlib.contextmanager
    def outstanding(self) -> Iterator[None]:
        """Keep the reactor out as long as the block runs."""
        with self._lock:
            self._busy = True
        try:
            yield
        finally:
            with self._lock:
                self._busy = False

    def take(self, timeout: float) -> tuple[int | None, Any]:
        """Wait for the next message; (None, None) means that the association is gone; raise queue.Empty in time."""
        return self._queue.get(timeout=timeout)


def resolve(peer: str, node: NodeSettings) -> None:
    """Look the host of a node up; raises PeerProblem."""
    try:
        socket.getaddrinfo(node.host, node.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise PeerProblem(Cause.DNS, peer, f"the name {node.host!r} is unknown: {error}") from None


def why_not(
    assoc: Any,
    peer: str,
    node: NodeSettings,
    timeouts: Timeouts,
    connected: bool,
    seconds: float,
    tls: ssl.SSLContext | None = None,
) -> PeerProblem:
    """Tell why an association did not come about after so many seconds."""
    if assoc.is_rejected:
        answer = assoc.acceptor.primitive
        reason = f"rejected: {answer.reason_str} ({answer.result_str}, {answer.source_str})"
        return PeerProblem(Cause.REJECTED, peer, reason)
    if not connected:
        return _no_connection(peer, node, timeouts, tls)
    used: Attentive = assoc.dul.socket
    if used.trouble is not None and tls is not None:
        return PeerProblem(Cause.TLS, peer, in_words(used.trouble))
    if used.wants_tls:
        return PeerProblem(Cause.TLS, peer, "it speaks TLS on this port and we speak plain: enter tls.certificate")
    if assoc.acceptor.primitive is not None and assoc.rejected_contexts:
        return PeerProblem(Cause.NO_CONTEXT, peer, "it accepted the association but none of our services")
    if seconds >= timeouts.associate:
        return PeerProblem(Cause.TIMEOUT, peer, f"no answer to the association request in {seconds:.0f} s")
    if tls is None and not used.began:
        closed = "it closed the connection without an answer; perhaps it speaks TLS on this port and we do not"
        return PeerProblem(Cause.ABORTED, peer, closed)
    return PeerProblem(Cause.ABORTED, peer, "it aborted the association request")


def _no_connection(peer: str, node: NodeSettings, timeouts: Timeouts, tls: ssl.SSLContext | None) -> PeerProblem:
    # pynetdicom only logs why TCP or TLS failed, so look once more.
    try:
        with socket.create_connection((node.host, node.port), timeouts.connect) as plain:
            try:
                if tls is not None:
                    tls.wrap_socket(plain, server_hostname=node.host).close()
            except OSError as error:
                return PeerProblem(Cause.TLS, peer, in_words(error))
            return PeerProblem(Cause.UNREACHABLE, peer, "the connection failed, but a second one worked: try again")
    except ConnectionRefusedError:
        return PeerProblem(Cause.REFUSED, peer, "nothing listens on this port")
    except TimeoutError:
        return PeerProblem(Cause.TIMEOUT, peer, f"no connection in {timeouts.connect:.0f} s")
    except OSError as error:
        return PeerProblem(Cause.UNREACHABLE, peer, str(error))
