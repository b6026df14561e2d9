"""``simulate misbehave`` against products that survive, one that dies, and with products that call us."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import call
from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Node, Proposal, Timeouts
from harness.protocols.hl7.exchange import Received, Wire
from harness.protocols.hl7.framing import frame
from harness.protocols.hl7.mllp import MllpListener, MllpSender
from harness.protocols.hl7.mllp import Timeouts as Hl7Timeouts
from tests.bench.peers import Server, free_port
from tests.peers import require_program

COMMAND = [sys.executable, "-m", "harness.cli.main", "simulate", "misbehave"]
ORDER = b"MSH|^~\\&|P|H|SCRIPTED|IHE|20260101||ORM^O01|%b|P|2.3.1\rPID|||1\r"


Misbehave = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def misbehave(capsys: pytest.CaptureFixture[str]) -> Misbehave:
    """The command with ``--json``: exit code, answer, complaint."""

    def run(*arguments: str) -> tuple[int, Any, str]:
        code = call(["simulate", "misbehave", "--json", *arguments])
        said, complaint = capsys.readouterr()
        return code, json.loads(said) if said.strip() else None, " ".join(complaint.split())

    return run


def test_the_list_names_every_side_and_what_each_script_breaks(misbehave: Misbehave) -> None:
    code, rows, _ = misbehave("list")
    assert code == 0
    assert {row["side"] for row in rows} == {"--peer", "--port", "--hl7-peer", "--hl7-port"}
    names = {(row["side"], row["script"]) for row in rows}
    assert len(names) == len(rows) > 80
    wanted = [("--peer", "pdv-longer-than-pdu"), ("--port", "refusal-1-1-3"), ("--port", "report-twice"),
              ("--hl7-peer", "no-end-block"), ("--hl7-port", "wrong-control-id")]  # fmt: skip
    assert set(wanted) <= names
    assert all(row["breaks"] for row in rows)


@pytest.mark.peer("dcmtk")
def test_storescp_survives_and_what_it_did_is_told(misbehave: Misbehave, tmp_path: Path) -> None:
    program, port = require_program("storescp"), free_port()
    argv = [program, "-od", str(tmp_path), str(port)]
    scripts = ("pdv-longer-than-pdu", "unknown-pdu-type", "reset-in-the-middle", "title-with-trailing-blanks")
    with Server(argv, port):
        named = [part for name in scripts for part in ("--script", name)]
        code, answer, error = misbehave("--peer", f"STORESCP=127.0.0.1:{port}", *named)
    assert code == 0, error
    rows = {row["script"]: row for row in answer["scripts"]}
    assert tuple(rows) == scripts
    assert all(row["alive"] for row in rows.values())
    assert "A-ABORT" in rows["pdv-longer-than-pdu"]["did"]
    assert rows["unknown-pdu-type"]["expected"] is True
    assert "C-ECHO-RSP" in rows["title-with-trailing-blanks"]["did"]


class Mortal(threading.Thread):
    """Takes associations until bytes come that it cannot follow; then it is gone."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])

    def run(self) -> None:
        while True:
            sock, _ = self.listener.accept()
            with sock:
                request = sock.recv(65536)
                called_calling = request[10:42]
                syntax = b"\x40\0\0\x11" + b"1.2.840.10008.1.2"
                context = b"\x21\0" + (len(syntax) + 4).to_bytes(2, "big") + b"\x01\0\3\0" + syntax
                name = b"\x10\0\0\x15" + b"1.2.840.10008.3.1.1.1"
                user = b"\x50\0\0\x08\x51\0\0\x04\0\0\x40\0"
                body = b"\0\1\0\0" + called_calling + bytes(32) + name + context + user
                sock.sendall(b"\x02\0" + len(body).to_bytes(4, "big") + body)
                said = sock.recv(65536)[:1]
                if said == b"\x2a":
                    self.listener.close()
                    return
                sock.sendall((b"\x06" if said == b"\x05" else b"\x07") + b"\0\0\0\0\4\0\0\0\0")


def test_a_product_that_dies_is_exit_1_and_nothing_more_is_tried(misbehave: Misbehave) -> None:
    mortal = Mortal()
    mortal.start()
    scripts = ("pdv-length-zero", "unknown-pdu-type", "half-a-pdu")
    named = [part for name in scripts for part in ("--script", name)]
    code, answer, error = misbehave("--peer", f"MORTAL=127.0.0.1:{mortal.port}", *named)
    mortal.join(5)
    assert code == 1, error
    assert [(row["script"], row["alive"]) for row in answer["scripts"]] == [
        ("pdv-length-zero", True),
        ("unknown-pdu-type", False),
    ]
    assert answer["alive"] is False


def test_who_is_not_there_is_the_environment_and_an_unknown_script_a_mistake(misbehave: Misbehave) -> None:
    code, _, error = misbehave("--peer", f"AWAY=127.0.0.1:{free_port()}")
    assert code == 3
    assert "cannot be reached" in error
    code, _, error = misbehave("--peer", "AWAY=127.0.0.1:1", "--script", "be-nice")
    assert code == 2
    assert "pdv-length-zero" in error
    assert misbehave()[0] == 2


@contextmanager
def listening(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    argv = [*COMMAND, *(part.format(port=port) for part in arguments), "--once"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "160"}) as process:
        try:
            assert process.stdout is not None
            assert f":{port}" in process.stdout.readline()
            yield port, process
        finally:
            process.kill()


def test_a_product_that_calls_us_gets_one_script_for_each_association() -> None:
    node = Node("PRODUCT", Transcript(), actor="p", timeouts=Timeouts(dimse=2, associate=2, release=1))
    ended = []
    arguments = ("--port", "{port}", "--script", "abort-instead-of-response", "--script", "refusal-1-1-7")
    with listening(*arguments) as (port, process):
        for _ in range(2):
            try:
                node.connect(Address("SCRIPTED", "127.0.0.1", port), [Proposal(uids.VERIFICATION)]).echo()
            except PeerError as error:
                ended.append(str(error))
        said, _ = process.communicate(timeout=20)
        assert process.returncode == 0
    node.stop()
    assert "aborted" in ended[0]
    assert "called AE title not recognized" in ended[1]
    assert "abort-instead-of-response: the product did A-ASSOCIATE-RQ, C-ECHO-RQ" in said


def test_hl7_both_ways(misbehave: Misbehave) -> None:
    def acknowledge(received: Received) -> Iterator[Wire]:
        reply = f"MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.3.1\rMSA|AE|{received.message.control_id}\r"
        yield Wire(frame(reply.encode()))

    with MllpListener(Transcript(), acknowledge, actor="product") as listener:
        names = ("half-a-message", "two-in-one-segment", "unknown-trigger")
        named = [part for name in names for part in ("--script", name)]
        code, answer, error = misbehave("--hl7-peer", f"127.0.0.1:{listener.port}", *named)
    assert code == 0, error
    did = {row["script"]: row["did"] for row in answer["scripts"]}
    assert did["two-in-one-segment"] == ["ACK AE", "ACK AE"]
    assert did["unknown-trigger"] == ["ACK AE"]
    assert all(row["alive"] for row in answer["scripts"])

    quick = Hl7Timeouts(connect=2, acknowledge=2)
    with (
        listening("--hl7-port", "{port}", "--script", "reject", "--script", "wrong-control-id") as (port, process),
        MllpSender(Transcript(), "127.0.0.1", port, actor="product", timeouts=quick) as sender,
    ):
        assert sender.send(ORDER % b"1").code == "AR"
        assert sender.send(ORDER % b"2").message["MSA-2"] == "NOT-YOURS"
        process.communicate(timeout=20)
        assert process.returncode == 0
