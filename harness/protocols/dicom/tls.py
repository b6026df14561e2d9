"""TLS for both sides, by the BCP 195 profiles of PS3.15 annex B.9 to B.11."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificate and key that we show, and the authorities whose peers we believe; paths of PEM files.

    ``require_peer_certificate`` makes a listener ask for a client certificate and a client check the server's.
    ``check_host_name`` is off by default: DICOM products are configured by address and certificate, not by name.
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    require_peer_certificate: bool = True
    check_host_name: bool = False

    def server_context(self) -> ssl.SSLContext:
        """For a listener."""
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def client_context(self) -> ssl.SSLContext:
        """For a connection that we open."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    def _context(self, protocol: ssl._SSLMethod) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # BCP 195 with the extended profile's preference: forward secrecy and authenticated encryption only.
        context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM")
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        if self.authorities is not None:
            context.load_verify_locations(self.authorities)
        if protocol == ssl.PROTOCOL_TLS_CLIENT:
            context.check_hostname = self.check_host_name and self.require_peer_certificate
        context.verify_mode = ssl.CERT_REQUIRED if self.require_peer_certificate else ssl.CERT_NONE
        return context
