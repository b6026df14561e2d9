"""TLS of the modality: its settings, sockets that live with it, and a listener that nobody can hold up."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynetdicom.transport import AssociationSocket, ThreadedAssociationServer

from harness.core.errors import ConfigurationError
from harness.protocols.dicom.tls import TlsMaterialError, TlsProfile, TlsSettings, in_words

PROFILES = {profile.name.lower().replace("_", "-"): profile for profile in TlsProfile}
#: seconds that a peer may take for each step of the handshake
HANDSHAKE = 10.0
_ALERT = b"\x15\x03"


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS with every peer, both ways; PEM files, absolute or in the folder `tls` of the home. No certificate: plain.

    `ca` holds what the certificates of peers are checked against; `key` may be left out if it is in the certificate
    file. `profile` is one of the BCP 195 profiles of PS3.15 annex B.
    """

    certificate: str = ""
    key: str = ""
    ca: str = ""
    profile: str = "non-downgrading"
    client_certificate_required: bool = True
    check_host_name: bool = False


def check(tls: Tls, source: str = "settings") -> Tls:
    """Return the settings if they go together, else raise ConfigurationError."""
    if tls.profile not in PROFILES:
        raise ConfigurationError(
            source, "tls.profile", f"there is no profile {tls.profile!r}; there are {', '.join(PROFILES)}"
        )
    if not tls.certificate and (tls.key or tls.ca):
        raise ConfigurationError(source, "tls.certificate", "key and ca need a certificate; without one we speak plain")
    if tls.certificate and not tls.ca:
        for name in ("client_certificate_required", "check_host_name"):
            if getattr(tls, name):
                raise ConfigurationError(source, f"tls.{name}", "needs tls.ca to check certificates of peers")
    return tls


def usable(tls: Tls, home: Path) -> TlsSettings | None:
    """Return what is used on the wire, None for plain TCP; raise ConfigurationError naming the file that is wrong."""
    if not tls.certificate:
        return None
    folder = home / "tls"
    made = TlsSettings(
        folder / tls.certificate,
        folder / tls.key if tls.key else None,
        folder / tls.ca if tls.ca else None,
        client_certificate_required=tls.client_certificate_required,
        server_checked=bool(tls.ca),
        check_host_name=tls.check_host_name,
        profile=PROFILES[tls.profile],
    )
    try:
        made.verify()
    except TlsMaterialError as error:
        raise ConfigurationError("settings", f"tls.{error.what}", error.problem) from None
    return made


class Attentive(AssociationSocket):  # type: ignore[misc]
    """A connection of ours that remembers how the peer began, and does not wait for data where TLS has none.

    pynetdicom 3.0.4 reads as soon as the socket is readable; a session ticket of TLS 1.3 makes it readable as well,
    and the thread that should send would wait in vain.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._ahead = b""
        self.began = b""
        self.trouble: OSError | None = None

    @property
    def ready(self) -> bool:
        """Say whether there are bytes for us, or the end of them."""
        if self._ahead:
            return True
        if not super().ready:
            return False
        secured = self.socket
        if not isinstance(secured, ssl.SSLSocket):
            return True
        try:
            secured.settimeout(0.0)
            self._ahead = secured.recv(1)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self.trouble = error  # that our certificate is refused comes this way
            self.event_queue.put("Evt17")
            return False
        finally:
            with contextlib.suppress(OSError):
                secured.settimeout(None)
        return True

    def recv(self, nr_bytes: int) -> bytearray:
        """Read as many bytes, fewer at the end of the connection."""
        ahead, self._ahead = self._ahead, b""
        data = bytearray(ahead)
        data += super().recv(nr_bytes - len(ahead))
        self.began = self.began or bytes(data[:6])
        return data

    @property
    def wants_tls(self) -> bool:
        """Say whether what came is what TLS answers to somebody who speaks plain."""
        return not isinstance(self.socket, ssl.SSLSocket) and self.began.startswith(_ALERT)


def listening(context: ssl.SSLContext, refused: Callable[[tuple[str, int], str], None]) -> type:
    """Return the class of a server that agrees on TLS in the thread of each connection; `refused` gets who and why."""

    class SecuredServer(ThreadedAssociationServer):  # type: ignore[misc]
        # pynetdicom 3.0.4 shakes hands where it accepts: a peer that says nothing would keep all others out.
        daemon_threads = True

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                request.settimeout(HANDSHAKE)
                secured = context.wrap_socket(request, server_side=True)
                secured.settimeout(None)
            except OSError as error:
                refused(tuple(client_address[:2]), in_words(error))
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)
                request.close()
                return
            super().process_request_thread(secured, client_address)

    return SecuredServer
