"""The ``--tls-...`` options that commands share, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.core.errors import UsageError
from harness.protocols.dicom.tls import TlsMaterialError, TlsProfile, TlsSettings

_PROFILE = {profile.name.lower().replace("_", "-"): profile for profile in TlsProfile}
PROFILES = tuple(_PROFILE)

Certificate = Annotated[
    Path | None, typer.Option("--tls-certificate", help="Speak TLS only and show this certificate (PEM).")
]
Shown = Annotated[Path | None, typer.Option("--tls-certificate", help="Speak TLS and show this certificate (PEM).")]
Speaks = Annotated[bool, typer.Option("--tls", help="Speak TLS; without --tls-ca any certificate will do.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="Its key, unless it is in the same file.")]
Authorities = Annotated[
    Path | None, typer.Option("--tls-ca", help="What certificates of others are checked against (PEM).")
]
Profile = Annotated[str, typer.Option("--tls-profile", metavar="NAME", help=f"One of: {', '.join(PROFILES)}.")]
Anonymous = Annotated[
    bool, typer.Option("--tls-anonymous-clients", help="Do not require a certificate of those who call.")
]


def caller_settings(
    speaks: bool, certificate: Path | None, key: Path | None, authorities: Path | None, profile: str
) -> TlsSettings | None:
    """For a command that only calls: ``speaks`` asks for TLS without showing or checking anything.

    None for plain TCP. Raises UsageError naming the option that cannot be used.
    """
    _known(profile)
    if key is not None and certificate is None:
        raise UsageError("--tls-key needs --tls-certificate")
    if not (speaks or certificate or authorities):
        return None
    return _verified(
        TlsSettings(certificate, key, authorities, server_checked=authorities is not None, profile=_PROFILE[profile])
    )


def settings(
    certificate: Path | None, key: Path | None, authorities: Path | None, profile: str, anonymous: bool
) -> TlsSettings | None:
    """None without a certificate. Raises UsageError naming the option that cannot be used."""
    _known(profile)
    if certificate is None:
        if key is not None or authorities is not None or anonymous:
            raise UsageError("--tls-key, --tls-ca and --tls-anonymous-clients need --tls-certificate")
        return None
    if authorities is None and not anonymous:
        raise UsageError("TLS needs --tls-ca to check client certificates, or --tls-anonymous-clients")
    return _verified(
        TlsSettings(
            certificate,
            key,
            authorities,
            client_certificate_required=not anonymous,
            server_checked=authorities is not None,
            profile=_PROFILE[profile],
        )
    )


def _known(profile: str) -> None:
    if profile not in PROFILES:
        raise UsageError(f"--tls-profile {profile!r}; known: {', '.join(PROFILES)}")


def _verified(made: TlsSettings) -> TlsSettings:
    try:
        made.verify()
    except TlsMaterialError as error:
        raise UsageError(f"--tls-{error.what}: {error.problem}") from None
    return made
