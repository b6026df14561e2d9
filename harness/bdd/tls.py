"""TLS as the SUT file has it, for the nodes of the lab; and whether TLS was what kept the product away."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import ConfigurationError
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import TLS_RULE
from harness.protocols.dicom.tls import TlsMaterialError, TlsProfile, TlsSettings
from harness.protocols.hl7.listener import TLS_RULE as HL7_TLS_RULE
from harness.sut.config import TlsTable


def profile_of(name: str) -> TlsProfile:
    """``non-downgrading`` -> its profile."""
    return TlsProfile[name.upper().replace("-", "_")]


def tls_settings(table: TlsTable, sut_file: Path) -> TlsSettings:
    """The settings of a ``[tls]`` table. Raises ConfigurationError naming the key whose file cannot be used."""
    here = sut_file.resolve().parent
    settings = TlsSettings(
        here / table.certificate,
        here / table.key if table.key else None,
        here / table.ca if table.ca else None,
        client_certificate_required=table.client_certificate_required,
        server_checked=bool(table.ca),
        check_host_name=table.check_host_name,
        profile=profile_of(table.profile),
    )
    try:
        settings.verify()
    except TlsMaterialError as error:
        raise ConfigurationError(sut_file, f"[tls], key {error.what}", error.problem) from None
    return settings


def refused(transcript: Transcript, after: int = 0) -> str:
    """What was wrong with TLS when the product called us, empty if nothing was."""
    for message in transcript.select("PROTOCOL-VIOLATION", after=after):
        if message.fields.get("rule") in (TLS_RULE, HL7_TLS_RULE):
            return str(message.fields.get("text", ""))
    return ""
