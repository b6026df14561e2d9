"""TLS on the command line: actors that stand alone, and what doctor says of certificates."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from harness.cli.main import call
from harness.cli.tls_options import PROFILES
from harness.core.transcript import Transcript
from harness.protocols.dicom import pdu, uids
from harness.protocols.dicom.errors import PeerError, TlsNotAgreed
from harness.protocols.dicom.node import Address, Node, Proposal
from harness.protocols.dicom.script import Expect, Played, SendPdu
from harness.protocols.dicom.scripted import ScriptedListener
from harness.protocols.dicom.tls import TlsSettings
from harness.protocols.hl7.mllp import MllpSender
from harness.sut.config import TlsTable
from tests.bench.peers import Server, free_port
from tests.certificates import certificate
from tests.integration.wire.conftest import TIMEOUTS
from tests.peers import require_program

MAIN = [sys.executable, "-m", "harness.cli.main"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "product", "stranger"):
        certificate(folder, name, rsa_key=True)
    return folder


def settings(folder: Path, shown: str, believed: str) -> TlsSettings:
    return TlsSettings(folder / f"{shown}.pem", folder / f"{shown}.key", folder / f"{believed}.pem")


def test_actors_that_stand_alone_speak_tls_only(certificates: Path) -> None:
    options = ["--tls-certificate", "ours.pem", "--tls-key", "ours.key", "--tls-ca", "product.pem"]
    argv = [*MAIN, "simulate", "order-filler", "--json", *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=certificates, env=dict(os.environ)) as process:
        try:
            assert process.stdout is not None
            endpoints = {one["protocol"]: one for one in json.loads(process.stdout.readline())["endpoints"]}
            assert endpoints["dicom"]["tls"] is True
            address = Address("ORDERFILLER", "127.0.0.1", endpoints["dicom"]["port"])
            for tls, works in (
                (settings(certificates, "product", "ours"), True),
                (settings(certificates, "stranger", "ours"), False),
                (None, False),
            ):
                node = Node("PRODUCT", Transcript(), actor="p", timeouts=TIMEOUTS, tls=tls)
                try:
                    with node.connect(address, [Proposal(uids.VERIFICATION)]) as link:
                        assert link.echo() == 0
                    worked = True
                except PeerError:
                    worked = False
                assert worked is works
                node.stop()
            client = settings(certificates, "product", "ours").client_context()
            with MllpSender(Transcript(), "127.0.0.1", endpoints["hl7"]["port"], actor="p", tls=client) as sender:
                order = b"MSH|^~\\&|P|H|ORDERFILLER|SIMULATED|20260101||ORM^Z99|1|P|2.3.1\r"
                assert sender.send(order).code in ("AR", "AE")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-key", "k.pem"], "--tls-certificate"),
        (["--tls-certificate", "ours.pem"], "--tls-ca"),
        (["--tls-certificate", "gone.pem", "--tls-anonymous-clients"], "there is no file"),
        (["--tls-certificate", "ours.pem", "--tls-key", "stranger.key", "--tls-anonymous-clients"], "no pair"),
        (["--tls-profile", "ssl3"], "non-downgrading"),
    ],
)
def test_options_that_make_no_sense_are_named(
    options: list[str],
    said: str,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(certificates)
    assert call(["simulate", "order-filler", *options]) == 2
    assert said in capsys.readouterr().err


def test_the_profiles_of_the_sut_file_are_those_of_the_engine() -> None:
    assert set(get_args(TlsTable.model_fields["profile"].annotation)) == set(PROFILES)


def doctor(folder: Path, port: int, shown: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    path = folder / "doctor.toml"
    path.write_text(
        '[product]\nname = "P"\n[[claims]]\nprofile = "SWF"\nactor = "Image Manager/Archive"\n'
        f'[dicom]\nae_title = "P"\nport = {port}\n[driver]\nkind = "silent"\n'
        f'[tls]\ncertificate = "{shown}.pem"\nkey = "{shown}.key"\nca = "product.pem"\n',
        encoding="utf-8",
    )
    code = call(["doctor", "--sut", str(path), "--wait", "0.1", "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.peer("dcmtk")
def test_doctor_tells_certificates_apart(
    certificates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, port = require_program("storescp"), free_port()
    shown = ["+tls", str(certificates / "product.key"), str(certificates / "product.pem")]
    with Server([program, *shown, "+cf", str(certificates / "ours.pem"), "-od", str(tmp_path), str(port)], port):
        _, good = doctor(certificates, port, "ours", capsys)
        code, bad = doctor(certificates, port, "stranger", capsys)
    states = {finding["what"]: finding for finding in good["findings"]}
    assert states["TCP connection to the product"]["detail"].endswith("over TLS")
    assert states["C-ECHO to the product"]["state"] == "ok"
    assert code == 3
    assert "does not accept our certificate" in bad["findings"][0]["detail"]


def test_not_agreed_is_an_error_of_its_own(certificates: Path) -> None:
    server = Node("ACTOR", Transcript(), actor="a", tls=settings(certificates, "product", "ours"))
    client = Node("ASKER", Transcript(), actor="b", tls=settings(certificates, "ours", "stranger"))
    with server, pytest.raises(TlsNotAgreed, match="do not trust its certificate"):
        client.connect(server.address, [Proposal(uids.VERIFICATION)])


def options(folder: Path, shown: str, believed: str) -> list[str]:
    named = {"certificate": f"{shown}.pem", "key": f"{shown}.key", "ca": f"{believed}.pem"}
    return [part for key, name in named.items() for part in (f"--tls-{key}", str(folder / name))]


def test_a_product_is_observed_over_tls(certificates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Node("PRODUCT", Transcript(), actor="p", tls=settings(certificates, "product", "ours")) as product:
        place = ["observe", f"127.0.0.1:{product.port}", "--ae", "PRODUCT", "--associations", "4", "--pause", "0"]
        out = tmp_path / "seen.json"
        assert call([*place, *options(certificates, "ours", "product"), "--out", str(out)]) == 0
        assert "over TLS" in out.read_text(encoding="utf-8")
        capsys.readouterr()
        for wrong, said in (
            (options(certificates, "stranger", "product"), "closed the connection"),
            (options(certificates, "ours", "stranger"), "do not trust its certificate"),
            (["--tls"], "closed the connection"),
            ([], "closed the connection"),
        ):
            assert call([*place, *wrong, "--out", str(tmp_path / "no.json")]) == 3, wrong
            assert said in " ".join(capsys.readouterr().err.split())
    assert call([*place, "--tls-key", "k.pem"]) == 2


def test_a_product_is_misbehaved_towards_over_tls(certificates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = ["--script", "unknown-pdu-type", "--json"]
    with Node("PRODUCT", Transcript(), actor="p", tls=settings(certificates, "product", "ours")) as product:
        peer = ["simulate", "misbehave", "--peer", f"PRODUCT=127.0.0.1:{product.port}", *script]
        assert call([*peer, *options(certificates, "ours", "product")]) == 0
        (row,) = json.loads(capsys.readouterr().out)["scripts"]
        assert (row["expected"], row["alive"]) == (True, True)
        assert call([*peer, *options(certificates, "ours", "stranger")]) == 3
        assert "do not trust its certificate" in " ".join(capsys.readouterr().err.split())
    assert call([*peer, "--tls-anonymous-clients"]) == 2
    assert call(["simulate", "misbehave", "--port", "0", "--tls"]) == 2
    assert "--tls-certificate" in capsys.readouterr().err


def test_a_scripted_peer_listens_within_tls(certificates: Path) -> None:
    over: queue.Queue[Played] = queue.Queue()
    with ScriptedListener(
        [(Expect("A-ASSOCIATE-RQ"), SendPdu(pdu.Abort(0, 0)))],
        Transcript(),
        on_played=lambda _number, played: over.put(played),
        tls=settings(certificates, "ours", "product"),
    ) as listener:
        for tls, kinds, reason in (
            (settings(certificates, "product", "ours"), ["A-ASSOCIATE-RQ"], ""),
            (None, [], "TLS was not agreed: what it says is not the TLS"),
        ):
            node = Node("P", Transcript(), actor="p", tls=tls, timeouts=TIMEOUTS)
            with pytest.raises(PeerError):
                node.connect(listener.address, [Proposal(uids.VERIFICATION)])
            played = over.get(timeout=10)
            assert played.kinds == kinds
            assert played.reason.startswith(reason)
            assert bool(played.reason) is bool(reason)
