"""Sockets of an application entity: one that listens, one that calls, and who is at their ends."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from harness.core.errors import EnvironmentFailure
from harness.protocols.dicom.errors import PeerUnreachable, TlsNotAgreed
from harness.protocols.dicom.model import Address
from harness.protocols.dicom.tls import TlsSettings, in_words

End = tuple[str, int]
_REFUSAL: Final = 0.5  # seconds in which a refusal of our certificate is on its way


def listen(ae_title: str, host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens. Raises EnvironmentFailure if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as problem:
        listener.close()
        raise EnvironmentFailure(
            f"{ae_title} cannot listen on {host}:{port}: {problem.strerror}; free the port or configure another one"
        ) from problem
    return listener


def dial(peer: Address, timeout: float, tls: TlsSettings | None) -> socket.socket:
    """A connection to the peer, over TLS if there are settings. Raises PeerUnreachable."""
    try:
        sock = socket.create_connection((peer.host, peer.port), timeout)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise PeerUnreachable(f"{peer} cannot be reached: {reason}; check host, port and that it runs") from problem
    return sock if tls is None else secure(sock, peer.host, tls, str(peer))


def secure(sock: socket.socket, host: str, tls: TlsSettings, peer: str) -> socket.socket:
    """The connection to ``host`` within TLS; closed if that fails. Raises TlsNotAgreed, naming ``peer``."""
    try:
        return tls.client_context().wrap_socket(sock, server_hostname=host)
    except OSError as problem:
        sock.close()
        raise TlsNotAgreed(f"TLS with {peer} was not agreed: {in_words(problem)}") from problem


def greet(host: str, port: int, timeout: float, tls: TlsSettings | None) -> None:
    """See that somebody listens there and, over TLS, that both sides accept each other.

    A server that speaks TLS 1.3 refuses a client certificate after the handshake, so its silence is waited for.
    Raises OSError if nobody listens, TlsNotAgreed if TLS fails.
    """
    sock = socket.create_connection((host, port), timeout)
    if tls is None:
        sock.close()
        return
    try:
        with sock, tls.client_context().wrap_socket(sock, server_hostname=host) as secured:
            secured.settimeout(_REFUSAL)
            with contextlib.suppress(TimeoutError):
                if not secured.recv(1):
                    raise ConnectionError("it closed the connection right after the handshake")
    except OSError as problem:
        sock.close()
        raise TlsNotAgreed(f"TLS with {host}:{port} was not agreed: {in_words(problem)}") from problem


def ends(sock: socket.socket) -> tuple[End, End]:
    """Our end and the peer's; a peer that is gone already has none."""
    local = sock.getsockname()
    try:
        remote = sock.getpeername()
    except OSError:
        remote = ("0.0.0.0", 0)
    return (local[0], local[1]), (remote[0], remote[1])
