"""TLS for both sides, by the BCP 195 profiles of PS3.15 annex B, and by what these forbid."""

from __future__ import annotations

import enum
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path

_FORWARD_SECRET = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class TlsProfile(enum.Enum):
    """What may be negotiated: the oldest and newest version, and the cipher suites up to TLS 1.2."""

    #: B.10 and its successor B.12: TLS 1.2 or 1.3, forward secrecy, authenticated encryption
    NON_DOWNGRADING = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, _FORWARD_SECRET)
    #: B.11: the same suites without TLS 1.3
    EXTENDED = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM:DHE+AESGCM")
    #: B.9 (retired): prefers the same, and goes down to TLS 1.0 and static RSA for products that know no better
    DOWNGRADING = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3, f"{_FORWARD_SECRET}:AES128-SHA:@SECLEVEL=0")
    #: what every profile in force forbids: TLS 1.1 and older only
    OUTDATED = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")
    #: TLS 1.2 with static RSA and CBC only, as the retired AES profile B.3 had it
    STATIC_RSA = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES256-SHA")


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
    profile: TlsProfile = TlsProfile.NON_DOWNGRADING

    def server_context(self) -> ssl.SSLContext:
        """For a listener."""
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def client_context(self) -> ssl.SSLContext:
        """For a connection that we open."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    def _context(self, protocol: ssl._SSLMethod) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        oldest, newest, ciphers = self.profile.value
        context.set_ciphers(ciphers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what some profiles are about
            context.minimum_version, context.maximum_version = oldest, newest
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        if self.authorities is not None:
            context.load_verify_locations(self.authorities)
        if protocol == ssl.PROTOCOL_TLS_CLIENT:
            context.check_hostname = self.check_host_name and self.require_peer_certificate
        context.verify_mode = ssl.CERT_REQUIRED if self.require_peer_certificate else ssl.CERT_NONE
        return context
