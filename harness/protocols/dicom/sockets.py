"""Sockets of an application entity: one that listens, one that calls, and who is at their ends."""

from __future__ import annotations

import socket
import ssl

from harness.core.errors import EnvironmentFailure
from harness.protocols.dicom.errors import PeerUnreachable
from harness.protocols.dicom.model import Address
from harness.protocols.dicom.tls import TlsSettings

End = tuple[str, int]


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
    if tls is None:
        return sock
    try:
        return tls.client_context().wrap_socket(sock, server_hostname=peer.host)
    except (OSError, ssl.SSLError) as problem:
        sock.close()
        raise PeerUnreachable(f"TLS with {peer} was not agreed: {problem}; check the certificates") from problem


def ends(sock: socket.socket) -> tuple[End, End]:
    """Our end and the peer's; a peer that is gone already has none."""
    local = sock.getsockname()
    try:
        remote = sock.getpeername()
    except OSError:
        remote = ("0.0.0.0", 0)
    return (local[0], local[1]), (remote[0], remote[1])
