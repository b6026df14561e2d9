"""Every byte is there, and Wireshark's dissectors read the file that is made of them."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import pytest

from harness.core.transcript import Transcript
from harness.protocols.dicom import pcapng, uids
from harness.protocols.dicom.capture import RECEIVED, SENT, Capture, CaptureReader
from harness.protocols.dicom.node import Node, Proposal, Response
from harness.protocols.dicom.pdu import decode_pdata
from tests.integration.wire.conftest import TIMEOUTS, image
from tests.peers import require_program


def dissected(file: Path, *arguments: str) -> list[list[str]]:
    tshark = require_program("tshark")
    done = subprocess.run([tshark, "-r", str(file), *arguments], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture
def captured(tmp_path: Path, transcript: Transcript) -> Path:
    folder = tmp_path / "capture"
    with Capture(folder) as capture:
        server = Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, capture=capture)
        server.serve([uids.CT_IMAGE], lambda _request: Response())
        client = Node("ASKER", transcript, actor="b", timeouts=TIMEOUTS, capture=capture)
        with server, client.connect(server.address, [Proposal(uids.VERIFICATION), Proposal(uids.CT_IMAGE)]) as link:
            link.echo()
            assert link.store(image(1, 1 << 20)).status == 0
    return folder


def test_both_ends_captured_the_same_bytes(captured: Path) -> None:
    reader = CaptureReader(captured)
    first, second = sorted(reader.connections)
    for one, other in ((SENT, RECEIVED), (RECEIVED, SENT)):
        assert reader.stream(first, one) == reader.stream(second, other)
        assert reader.stream(first, one)


def test_a_large_data_set_is_not_written_twice(captured: Path) -> None:
    reader = CaptureReader(captured)
    (incoming,) = (connection.association for connection in reader.connections.values() if connection.incoming)
    stream = reader.stream(incoming, RECEIVED)
    assert len(stream) > 1 << 20
    assert any(chunk.extents for chunk in reader.chunks())
    inline = (captured / "traffic.bin").stat().st_size
    assert inline < len(stream) + (1 << 20) // 4  # the client's copy, and little of the server's


def test_the_stream_parses_as_pdus(captured: Path) -> None:
    reader = CaptureReader(captured)
    (incoming,) = (connection.association for connection in reader.connections.values() if connection.incoming)
    stream = reader.stream(incoming, RECEIVED)
    kinds, data, position = [], 0, 0
    while position < len(stream):
        length = int.from_bytes(stream[position + 2 : position + 6], "big")
        kinds.append(stream[position])
        if stream[position] == 4:
            pdata = decode_pdata(stream[position + 6 : position + 6 + length])
            data += sum(len(pdv.data) for pdv in pdata.values if not pdv.is_command)
        position += 6 + length
    assert kinds[0] == 1
    assert kinds[-1] == 5
    assert data > 1 << 20


@pytest.mark.peer("tshark")
def test_tshark_reads_it_as_dicom(captured: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.pcapng"
    assert pcapng.write(captured, file) > 10
    fields = ["-T", "fields", "-e", "dicom.pdu.type", "-e", "_ws.col.Info"]
    rows = dissected(file, *pcapng.decode_options(captured), "-Y", "dicom", *fields)
    text = "\n".join(row[-1] for row in rows)
    for wanted in (
        "A-ASSOCIATE request ASKER --> ACTOR",
        "C-ECHO-RQ",
        "C-STORE-RSP",
        "CT Image Storage",
        "A-RELEASE response",
    ):
        assert wanted in text
    assert dissected(file, "-Y", "_ws.malformed || tcp.analysis.lost_segment || tcp.analysis.retransmission") == []


@pytest.mark.peer("tshark")
def test_tshark_reads_hl7_too(tmp_path: Path) -> None:
    message = b"\x0bMSH|^~\\&|A|B|C|D|20260101||ORM^O01|1|P|2.3.1\rPID|||1\r\x1c\r"
    answer = b"\x0bMSH|^~\\&|C|D|A|B|20260101||ACK|2|P|2.3.1\rMSA|AA|1\r\x1c\r"
    with Capture(tmp_path / "capture") as capture:
        capture.opened(1, "hl7", ("127.0.0.1", 40000), ("127.0.0.1", 50000), incoming=True)
        capture.received(1, message)
        capture.sent(1, [answer])
    file = tmp_path / "out.pcapng"
    pcapng.write(tmp_path / "capture", file)
    options = pcapng.decode_options(tmp_path / "capture")
    assert options == ["-d", "tcp.port==40000,hl7"]
    rows = dissected(file, *options, "-Y", "hl7", "-T", "fields", "-e", "hl7.message.type", "-e", "_ws.col.Protocol")
    assert [row[-1] for row in rows] == ["HL7", "HL7"]


def test_the_limit_is_kept_and_said(tmp_path: Path) -> None:
    with Capture(tmp_path, limit=100) as capture:
        capture.opened(1, "dicom", ("127.0.0.1", 1), ("127.0.0.1", 2), incoming=False)
        capture.sent(1, [bytes(80)])
        capture.sent(1, [bytes(80)])
    reader = CaptureReader(tmp_path)
    assert reader.truncated
    assert len(reader.stream(1, SENT)) == 80


def test_threads_do_not_mix_their_bytes(tmp_path: Path) -> None:
    with Capture(tmp_path) as capture:

        def write(number: int) -> None:
            for _ in range(50):
                capture.received(number, bytes((number,)) * (number * 9001))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 6)]
        for number in range(1, 6):
            capture.opened(number, "dicom", ("127.0.0.1", 1), ("127.0.0.1", number), incoming=True)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reader = CaptureReader(tmp_path)
    for number in range(1, 6):
        assert reader.stream(number, RECEIVED) == bytes((number,)) * (number * 9001 * 50)


def test_a_peer_that_is_gone_at_once_does_no_harm(transcript: Transcript, tmp_path: Path) -> None:
    with Capture(tmp_path) as capture, Node("ACTOR", transcript, actor="a", timeouts=TIMEOUTS, capture=capture) as node:
        for _ in range(20):
            socket.create_connection(("127.0.0.1", node.port)).close()
        for _ in range(20):
            assert transcript.wait_for("CONNECTION-CLOSED", timeout=5) is not None
    assert transcript.faults == ()
