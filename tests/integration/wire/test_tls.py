"""TLS on either side: the right certificates, a missing one, the wrong one, and none at all."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Node, Proposal, Response
from harness.protocols.dicom.tls import TlsProfile, TlsSettings
from tests.bench.peers import Server, free_port
from tests.certificates import certificate
from tests.integration.wire.conftest import TIMEOUTS, image
from tests.peers import require_program


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TlsSettings]:
    folder = tmp_path_factory.mktemp("certificates")
    server, client, stranger = (certificate(folder, name) for name in ("server", "client", "stranger"))
    expired = certificate(folder, "expired", age=60)
    known = folder / "known.pem"
    known.write_bytes(b"".join(each.certificate.read_bytes() for each in (client, expired) if each.certificate))
    return {
        "server": TlsSettings(server.certificate, server.key, known),
        "expired": TlsSettings(expired.certificate, expired.key, server.certificate),
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


@pytest.mark.parametrize("who", ["stranger", "anonymous", "distrustful", "expired"])
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


@pytest.fixture(scope="module")
def rsa_pair(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    """One RSA certificate for both sides: the suites of every profile need such a key."""
    shown = certificate(tmp_path_factory.mktemp("rsa"), "both", rsa_key=True)
    return dataclasses.replace(shown, authorities=shown.certificate)


MEET = [
    (TlsProfile.NON_DOWNGRADING, TlsProfile.NON_DOWNGRADING, "TLSv1.3"),
    (TlsProfile.NON_DOWNGRADING, TlsProfile.EXTENDED, "TLSv1.2"),
    (TlsProfile.NON_DOWNGRADING, TlsProfile.DOWNGRADING, "TLSv1.3"),
    (TlsProfile.DOWNGRADING, TlsProfile.OUTDATED, "TLSv1.1"),
    (TlsProfile.DOWNGRADING, TlsProfile.STATIC_RSA, "TLSv1.2"),
    (TlsProfile.NON_DOWNGRADING, TlsProfile.OUTDATED, ""),
    (TlsProfile.NON_DOWNGRADING, TlsProfile.STATIC_RSA, ""),
    (TlsProfile.EXTENDED, TlsProfile.OUTDATED, ""),
    (TlsProfile.EXTENDED, TlsProfile.STATIC_RSA, ""),
]


@pytest.mark.parametrize(("listens", "asks", "agreed"), MEET, ids=[f"{a.name}-{b.name}" for a, b, _ in MEET])
def test_profiles_meet_or_do_not(
    listens: TlsProfile, asks: TlsProfile, agreed: str, rsa_pair: TlsSettings, transcript: Transcript
) -> None:
    """Nobody is led below the profile; who tries is told in the transcript."""
    settings = dataclasses.replace(rsa_pair, profile=listens)
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=settings) as server:
        context = dataclasses.replace(rsa_pair, profile=asks).client_context()
        try:
            with (
                socket.create_connection(("127.0.0.1", server.port), 5) as plain,
                context.wrap_socket(plain) as secured,
            ):
                met = secured.version()
        except (OSError, ssl.SSLError):
            met = ""
        assert met == agreed
        if not agreed:
            told = transcript.wait_for("PROTOCOL-VIOLATION", timeout=5)
            assert told is not None
            assert told.fields["rule"] == "PS3.15 B"
    assert transcript.faults == ()


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    ("option", "profile", "meets"),
    [
        ("+py", TlsProfile.NON_DOWNGRADING, True),
        ("+px", TlsProfile.NON_DOWNGRADING, True),
        ("+pz", TlsProfile.NON_DOWNGRADING, True),
        ("+pz", TlsProfile.EXTENDED, True),
        ("+pa", TlsProfile.NON_DOWNGRADING, False),
        ("+pa", TlsProfile.STATIC_RSA, True),
        ("+py", TlsProfile.STATIC_RSA, False),
        ("+py", TlsProfile.OUTDATED, False),
    ],
)
def test_profiles_of_dcmtk(
    option: str, profile: TlsProfile, meets: bool, rsa_pair: TlsSettings, transcript: Transcript
) -> None:
    echoscu = require_program("echoscu")
    shown = [str(rsa_pair.key), str(rsa_pair.certificate), "+cf", str(rsa_pair.authorities)]
    settings = dataclasses.replace(rsa_pair, profile=profile)
    with Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, tls=settings) as server:
        done = subprocess.run(
            [echoscu, "+tls", *shown, option, "-aec", "ACTOR", "127.0.0.1", str(server.port)], check=False, timeout=20,
            capture_output=True,
        )  # fmt: skip
    assert (done.returncode == 0) is meets
    assert any(message.kind == "C-ECHO-RQ" for message in transcript.messages) is meets
