"""The modality over TLS: both directions, and what it says when certificates or expectations do not suit."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import ConfigurationError
from harness.core.transcript import Transcript
from harness.modality import config
from harness.modality.errors import Refused
from harness.modality.service import Modality
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Node, Proposal, Timeouts
from harness.protocols.dicom.tls import TlsSettings
from tests.certificates import certificate

SHORT = Timeouts(connect=3, associate=3, dimse=3, release=2)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("modality", "archive", "stranger"):
        certificate(folder, name)
    return folder


@pytest.fixture
def archive(certificates: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    tls = None if getattr(request, "param", "") == "plain" else shows(certificates, "archive", "modality")
    with Node("ARCHIVE", Transcript(), actor="Image Manager", timeouts=SHORT, tls=tls) as node:
        yield node


def shows(folder: Path, shown: str, believed: str) -> TlsSettings:
    return TlsSettings(folder / f"{shown}.pem", folder / f"{shown}.key", folder / f"{believed}.pem")


def table(folder: Path, shown: str = "modality", believed: str = "archive") -> dict[str, Any]:
    names = {"certificate": f"{shown}.pem", "key": f"{shown}.key", "ca": f"{believed}.pem"}
    return {"tls": {key: str(folder / name) for key, name in names.items()}}


def opened(home: Path, port: int, tls: dict[str, Any]) -> Modality:
    settings = {"local": {"port": 0}, "timeouts": {"associate": 3}, "nodes": {"storage": {"port": port}}, **tls}
    return Modality(home, settings=config.from_mapping(settings))


def verified(modality: Modality) -> dict[str, Any]:
    (answer,) = modality.administration.verify("storage")
    return answer


def calls(port: int, tls: TlsSettings | None) -> bool:
    """Whether a peer that calls the modality gets an answer to its C-ECHO."""
    node = Node("ARCHIVE", Transcript(), actor="Image Manager", timeouts=SHORT, tls=tls)
    try:
        with node.connect(Address("REFMOD", "127.0.0.1", port), [Proposal(uids.VERIFICATION)]) as link:
            return link.echo() == 0
    except PeerError:
        return False
    finally:
        node.stop()


def test_both_directions(tmp_path: Path, archive: Node, certificates: Path) -> None:
    with opened(tmp_path, archive.port, table(certificates)) as modality:
        modality.open_to_others()
        port = modality.listen()
        assert verified(modality)["ok"], verified(modality)
        assert calls(port, shows(certificates, "archive", "modality"))
        assert modality.administration.capture_save("seen.pcapng")["packets"] > 4


def test_a_caller_without_our_trust_or_without_tls_is_refused_and_told_of(
    tmp_path: Path, archive: Node, certificates: Path
) -> None:
    with opened(tmp_path, archive.port, table(certificates)) as modality:
        port = modality.listen()
        # this one says nothing at all: it must not keep the others out
        with socket.create_connection(("127.0.0.1", port)):
            assert not calls(port, shows(certificates, "stranger", "modality"))
            assert not calls(port, None)
            assert calls(port, shows(certificates, "archive", "modality"))
        said = [event["message"] for event in modality.administration.events() if event["kind"] == "tls"]
        assert any("we do not trust its certificate" in each for each in said), said
        assert any("is not the TLS that we speak" in each for each in said), said
        assert "not-agreed" in [each["state"] for each in modality.administration.associations()]


@pytest.mark.parametrize(
    ("shown", "believed", "said"),
    [
        ("stranger", "archive", "it does not accept our certificate"),
        ("modality", "stranger", "we do not trust its certificate"),
    ],
)
def test_a_wrong_certificate_is_explained(
    tmp_path: Path, archive: Node, certificates: Path, shown: str, believed: str, said: str
) -> None:
    with opened(tmp_path, archive.port, table(certificates, shown, believed)) as modality:
        answer = verified(modality)
    assert (answer["ok"], answer["cause"]) == (False, "tls-not-agreed")
    assert said in answer["message"]


@pytest.mark.parametrize("archive", ["plain"], indirect=True)
def test_a_plain_archive_is_told_from_a_closed_port(tmp_path: Path, archive: Node, certificates: Path) -> None:
    with opened(tmp_path, archive.port, table(certificates)) as modality:
        answer = verified(modality)
        assert answer["cause"] == "tls-not-agreed"
        assert "not the TLS that we speak" in answer["message"]
        archive.stop()
        assert verified(modality)["cause"] == "connection-refused"


def test_plain_towards_tls_is_suspected(tmp_path: Path, archive: Node) -> None:
    with opened(tmp_path, archive.port, {}) as modality:
        assert "perhaps it speaks TLS" in verified(modality)["message"]


def test_an_alert_instead_of_an_answer_is_known_for_tls(tmp_path: Path) -> None:
    """As Java answers an A-ASSOCIATE-RQ on a port for TLS; OpenSSL closes without a word."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        opened(tmp_path, listener.getsockname()[1], {}) as modality,
    ):
        listener.settimeout(5)

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1 << 16)
                peer.sendall(b"\x15\x03\x03\x00\x02\x02\x0a")

        thread = threading.Thread(target=answer)
        thread.start()
        found = verified(modality)
        thread.join(5)
    assert found["cause"] == "tls-not-agreed"
    assert "it speaks TLS on this port" in found["message"]


def test_a_session_ticket_is_no_message(tmp_path: Path, archive: Node, certificates: Path) -> None:
    """TLS 1.3 writes tickets after the handshake: the socket is readable, and there is nothing to read."""
    with (
        opened(tmp_path, archive.port, table(certificates)) as modality,
        modality.kernel.link(config.NodeName.STORAGE, [modality.kernel.context(uids.VERIFICATION)]) as link,
    ):
        assert isinstance(link._assoc.dul.socket.socket, ssl.SSLSocket)
        assert link._assoc.dul.socket.socket.version() == "TLSv1.3"
        assert [link.echo() for _ in range(3)] == [0, 0, 0]


def test_settings_that_cannot_work_change_nothing(tmp_path: Path, certificates: Path) -> None:
    with opened(tmp_path, 1, {}) as modality:
        before = modality.kernel.settings
        for assignments, said in (
            (["tls.ca=x.pem"], "need a certificate"),
            (["tls.certificate=missing.pem", "tls.client_certificate_required=false"], "there is no file"),
            ([f"tls.certificate={certificates / 'modality.pem'}"], "needs tls.ca"),
            (["tls.profile=ssl3"], "there is no profile"),
            ([f"tls.{key}={value}" for key, value in table(certificates)["tls"].items() if key != "key"], "no pair"),
        ):
            with pytest.raises(ConfigurationError, match=said):
                modality.administration.config_set(assignments)
        assert modality.kernel.settings == before


def test_over_the_network_only_files_of_the_home_are_named(tmp_path: Path, archive: Node, certificates: Path) -> None:
    with opened(tmp_path, archive.port, {}) as modality:
        modality.open_to_others()
        modality.listen()
        given = table(certificates)["tls"]
        with pytest.raises(Refused):
            modality.administration.config_set([f"tls.{key}={value}" for key, value in given.items()])
        (tmp_path / "tls").mkdir()
        for value in given.values():
            (tmp_path / "tls" / Path(value).name).write_bytes(Path(value).read_bytes())
        answer = modality.administration.config_set([f"tls.{key}={Path(value).name}" for key, value in given.items()])
        assert verified(modality)["ok"]
        # the listener speaks TLS from now on, too
        assert not calls(answer["dicom_port"], None)
        assert calls(answer["dicom_port"], shows(certificates, "archive", "modality"))
