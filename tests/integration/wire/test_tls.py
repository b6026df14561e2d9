"""TLS on either side: the right certificates, a missing one, the wrong one, and none at all."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Node, Proposal, Response
from harness.protocols.dicom.tls import TlsSettings
from tests.bench.peers import Server, free_port
from tests.integration.wire.conftest import TIMEOUTS, image
from tests.peers import require_program


def certificate(folder: Path, name: str) -> TlsSettings:
    """A self-signed certificate and the settings that show it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / f"{name}.pem", folder / f"{name}.key"
    shown.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return TlsSettings(shown, secret)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TlsSettings]:
    folder = tmp_path_factory.mktemp("certificates")
    server, client, stranger = (certificate(folder, name) for name in ("server", "client", "stranger"))
    assert server.certificate is not None
    assert client.certificate is not None
    return {
        "server": TlsSettings(server.certificate, server.key, client.certificate),
        "client": TlsSettings(client.certificate, client.key, server.certificate),
        "stranger": TlsSettings(stranger.certificate, stranger.key, server.certificate),
        "anonymous": TlsSettings(None, None, server.certificate),
        "distrustful": TlsSettings(client.certificate, client.key, stranger.certificate),
    }


def test_both_sides_show_a_certificate(shop: dict[str, TlsSettings], transcript: Transcript) -> None:
    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=shop["server"])
    server.serve([uids.CT_IMAGE], lambda request: Response(0 if request.payload.size > 1 << 20 else 0xC000))
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, tls=shop["client"])
    with server, client.connect(server.address, [Proposal(uids.VERIFICATION), Proposal(uids.CT_IMAGE)]) as link:
        assert link.echo() == 0
        assert link.store(image(1, 3 << 20)).status == 0
    assert transcript.faults == ()


@pytest.mark.parametrize("who", ["stranger", "anonymous", "distrustful"])
def test_the_wrong_certificate_gets_no_association(
    who: str, shop: dict[str, TlsSettings], transcript: Transcript
) -> None:
    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=shop["server"])
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, tls=shop[who])
    with server:
        with pytest.raises(PeerError):
            client.connect(server.address, [Proposal(uids.VERIFICATION)])
        assert transcript.wait_for("PROTOCOL-VIOLATION", timeout=5) is not None
        good = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, tls=shop["client"])
        with good.connect(server.address, [Proposal(uids.VERIFICATION)]) as link:
            assert link.echo() == 0
    assert transcript.faults == ()


def test_a_plain_peer_gets_no_association(shop: dict[str, TlsSettings], transcript: Transcript) -> None:
    server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=shop["server"])
    client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS)
    with server, pytest.raises(PeerError):
        client.connect(server.address, [Proposal(uids.VERIFICATION)])


@pytest.mark.peer("dcmtk")
def test_dcmtk_over_tls_both_ways(shop: dict[str, TlsSettings], transcript: Transcript, tmp_path: Path) -> None:
    echoscu, storescp = require_program("echoscu"), require_program("storescp")
    ours, theirs = shop["server"], shop["client"]
    arguments = ["+tls", str(theirs.key), str(theirs.certificate), "+cf", str(theirs.authorities)]
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=ours) as server:
        subprocess.run(
            [echoscu, *arguments, "-aec", "ACTOR", "127.0.0.1", str(server.port)], check=True, timeout=20,
            capture_output=True,
        )  # fmt: skip
    port = free_port()
    with Server([storescp, *arguments, "-od", str(tmp_path), str(port)], port):
        client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, tls=ours)
        with client.connect(Address("STORESCP", "127.0.0.1", port), [Proposal(uids.CT_IMAGE)]) as link:
            assert link.store(image(1, 1 << 18)).status == 0
    assert transcript.faults == ()
