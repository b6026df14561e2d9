"""TLS for both sides, by the BCP 195 profiles of PS3.15 annex B, and by what these forbid."""

from __future__ import annotations

import enum
import ssl
import warnings
from collections.abc import Callable
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

    ``client_certificate_required`` is about our listeners, ``server_checked`` about whom we call.
    ``check_host_name`` is off by default: DICOM products are configured by address and certificate, not by name.
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    client_certificate_required: bool = True
    server_checked: bool = True
    check_host_name: bool = False
    profile: TlsProfile = TlsProfile.NON_DOWNGRADING

    def server_context(self) -> ssl.SSLContext:
        """For a listener."""
        return self._context(ssl.PROTOCOL_TLS_SERVER, self.client_certificate_required)

    def client_context(self) -> ssl.SSLContext:
        """For a connection that we open."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT, self.server_checked)

    def verify(self) -> None:
        """See that every file can be used. Raises TlsMaterialError naming the one that cannot."""
        for what, path in (("certificate", self.certificate), ("key", self.key), ("ca", self.authorities)):
            if path is not None and not path.is_file():
                raise TlsMaterialError(what, f"there is no file {path}")
        self._load("certificate", f"{self.certificate} and its key are no pair of PEM files without a pass phrase",
                   lambda context: self._show(context))  # fmt: skip
        self._load("ca", f"{self.authorities} holds no certificates in PEM", self._believe)

    @staticmethod
    def _load(what: str, problem: str, use: Callable[[ssl.SSLContext], None]) -> None:
        try:
            use(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise TlsMaterialError(what, f"{problem} ({error})") from None

    def _show(self, context: ssl.SSLContext) -> None:
        if self.certificate is not None:
            # a pass phrase would otherwise be asked for on the terminal
            context.load_cert_chain(self.certificate, self.key, password="")

    def _believe(self, context: ssl.SSLContext) -> None:
        if self.authorities is not None:
            context.load_verify_locations(self.authorities)

    def _context(self, protocol: ssl._SSLMethod, checked: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        oldest, newest, ciphers = self.profile.value
        context.set_ciphers(ciphers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what some profiles are about
            context.minimum_version, context.maximum_version = oldest, newest
        self._show(context)
        self._believe(context)
        if protocol == ssl.PROTOCOL_TLS_CLIENT:
            context.check_hostname = self.check_host_name and checked
        context.verify_mode = ssl.CERT_REQUIRED if checked else ssl.CERT_NONE
        return context


class TlsMaterialError(Exception):
    """A certificate or key cannot be used; ``what`` is ``certificate``, ``key`` or ``ca``."""

    def __init__(self, what: str, problem: str) -> None:
        self.what, self.problem = what, problem
        super().__init__(problem)


def in_words(problem: OSError) -> str:
    """Why TLS was not agreed, with what to look at."""
    reason = str(getattr(problem, "reason", "") or "")
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"we do not trust its certificate ({problem.verify_message}): is its issuer in our ca file?"
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return f"it does not accept our certificate ({reason}): does it trust the issuer of ours?"
    if "PROTOCOL_VERSION" in reason or "HANDSHAKE_FAILURE" in reason or "NO_SHARED_CIPHER" in reason:
        return f"no TLS version or cipher suite in common ({reason}): compare the profiles of both sides"
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return "it showed no client certificate, and our side requires one"
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL"):
        return f"what it says is not the TLS that we speak ({reason})"
    if isinstance(problem, TimeoutError):
        return "it did not answer the handshake in time: does it speak TLS on this port?"
    return f"{problem}: does it speak TLS on this port?"
