"""The MLLP listener and sender against each other and against raw sockets on loopback."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import EnvironmentFailure
from harness.core.message import Direction, Message
from harness.core.transcript import Transcript
from harness.protocols.dicom import pcapng
from harness.protocols.dicom.capture import RECEIVED, SENT, Capture, CaptureReader
from harness.protocols.hl7.acknowledge import Code, Condition, acknowledge
from harness.protocols.hl7.errors import AcknowledgementTimeout, ConnectionLost, PeerUnreachable
from harness.protocols.hl7.framing import Deframer, Frame, frame
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.mllp import MllpListener, MllpSender, Received, Reply, Timeouts, Wire
from tests.peers import require_program

QUICK = Timeouts(connect=2, acknowledge=2, pause=0.1, idle=5)


def order(control_id: str = "1", *, accept: str = "", application: str = "") -> bytes:
    return (
        f"MSH|^~\\&|OP|HOSP|OF|RAD|20260102030405||ORM^O01|{control_id}|P|2.3.1|||{accept}|{application}\r"
        f"PID|||{control_id}^^^ADT\r"
    ).encode()


class Answering:
    """A handler that answers AA, or what it was told to."""

    def __init__(self, *replies: list[Reply]) -> None:
        self._ids = itertools.count(1)
        self._replies = iter(replies)
        self.received: list[HL7Message] = []

    def __call__(self, received: Received) -> Iterable[Reply]:
        self.received.append(received.message)
        scripted = next(self._replies, None)
        return [self.answer(received.message)] if scripted is None else scripted

    def answer(self, message: HL7Message, code: Code = Code.ACCEPT) -> bytes:
        return acknowledge(message, code, control_id=f"A{next(self._ids)}", time="20260102030406")


@contextlib.contextmanager
def listening(handler: Answering, **options: Any) -> Iterator[tuple[int, Transcript]]:
    transcript = Transcript()
    with MllpListener(transcript, handler, actor="filler", timeouts=QUICK, **options) as listener:
        yield listener.port, transcript


@contextlib.contextmanager
def sending(port: int) -> Iterator[tuple[MllpSender, Transcript]]:
    transcript = Transcript()
    with MllpSender(transcript, "127.0.0.1", port, actor="placer", timeouts=QUICK) as sender:
        yield sender, transcript


def read_frames(connection: socket.socket, count: int) -> list[bytes]:
    connection.settimeout(5)
    deframer, found = Deframer(), list[bytes]()
    while len(found) < count:
        data = connection.recv(4096)
        assert data, "closed early"
        found += [event.payload for event in deframer.feed(data) if isinstance(event, Frame)]
    return found


def test_several_messages_over_one_connection_are_recorded_on_both_sides() -> None:
    with listening(Answering()) as (port, there), sending(port) as (sender, here):
        for number in ("1", "2", "3"):
            answer = sender.send(order(number))
            assert answer.code == "AA"
            assert answer.message["MSA-2"] == number
        first = here.select("ORM^O01", direction=Direction.TO_SUT)[0]
        assert first.payload.bytes() == order("1")
        assert first.fields["control_id"] == "1"
        received = there.select("ORM^O01", direction=Direction.FROM_SUT)
        assert [message.payload.bytes() for message in received] == [order("1"), order("2"), order("3")]
        assert len({message.association for message in received}) == 1
        acks = here.select("ACK", direction=Direction.FROM_SUT)
        assert [ack.fields["acknowledged_id"] for ack in acks] == ["1", "2", "3"]
        assert acks[0].payload == there.select("ACK", direction=Direction.TO_SUT)[0].payload
    assert not there.faults


def test_a_message_split_into_single_bytes_and_two_joined_ones_are_answered() -> None:
    with listening(Answering()) as (port, transcript), socket.create_connection(("127.0.0.1", port)) as raw:
        for number in range(len(data := frame(order("1")))):
            raw.sendall(data[number : number + 1])
        raw.sendall(frame(order("2")) + frame(order("3")))
        assert [HL7Message(ack)["MSA-2"] for ack in read_frames(raw, 3)] == ["1", "2", "3"]
    assert not transcript.select("PROTOCOL-VIOLATION")


def violation(transcript: Transcript) -> Message:
    seen = transcript.wait_for("PROTOCOL-VIOLATION", timeout=5)
    assert seen is not None
    return seen


def test_framing_breaches_are_recorded_with_their_bytes_and_the_next_message_is_answered() -> None:
    with listening(Answering()) as (port, transcript), socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(order("1"))  # no framing at all: noticed after the pause
        seen = violation(transcript)
        assert seen.fields["rule"] == "bytes-outside-block"
        assert seen.payload.bytes() == order("1")
        raw.sendall(b"\x0b" + order("2"))  # no end block
        assert violation(transcript).fields["rule"] == "missing-end-block"
        raw.sendall(b"\x0b" + order("3") + b"\x1c")  # no carriage return: answered after the pause
        assert violation(transcript).fields["rule"] == "missing-carriage-return"
        raw.sendall(frame(order("4")))
        assert [HL7Message(ack)["MSA-2"] for ack in read_frames(raw, 2)] == ["3", "4"]


def test_a_message_over_the_limit_closes_the_connection() -> None:
    handler = Answering()
    with listening(handler, max_message=100) as (port, transcript):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(frame(b"M" * 200))
            assert violation(transcript).fields["rule"] == "message-too-long"
            raw.settimeout(5)
            assert raw.recv(1) == b""
        assert handler.received == []


def test_an_acknowledgement_in_two_pieces_is_one_answer() -> None:
    handler = Answering()
    ack = frame(handler.answer(HL7Message(order("1"))))
    handler = Answering([Wire(ack[:20]), Wire(ack[20:], delay=0.05)])
    with listening(handler) as (port, _), sending(port) as (sender, _):
        assert sender.send(order("1")).code == "AA"


def test_an_unframed_acknowledgement_is_told_and_times_out() -> None:
    handler = Answering([Wire(Answering().answer(HL7Message(order("1"))))])
    with listening(handler) as (port, _), sending(port) as (sender, here):
        with pytest.raises(AcknowledgementTimeout, match="framed"):
            sender.send(order("1"), timeout=0.3)
        assert violation(here).fields["rule"] == "bytes-outside-block"


def test_no_acknowledgement_is_resent_with_the_same_bytes() -> None:
    handler = Answering([])
    with listening(handler) as (port, there), sending(port) as (sender, _):
        assert sender.send(order("7"), attempts=2, timeout=0.2).message["MSA-2"] == "7"
        first, second = there.select("ORM^O01")
        assert first.payload == second.payload


def test_a_late_acknowledgement_is_not_taken_for_the_next_one() -> None:
    late = Answering().answer(HL7Message(order("1")))
    handler = Answering([], [late, Answering().answer(HL7Message(order("2")))])
    with listening(handler) as (port, _), sending(port) as (sender, _):
        with pytest.raises(AcknowledgementTimeout):
            sender.send(order("1"), timeout=0.1)
        assert sender.send(order("2")).message["MSA-2"] == "2"


def test_the_sender_connects_again_after_the_peer_closed() -> None:
    handler = Answering([Wire(frame(Answering().answer(HL7Message(order("1")))), close=True)])
    with listening(handler) as (port, there), sending(port) as (sender, _):
        assert sender.send(order("1")).code == "AA"
        assert there.wait_for("CONNECTION-CLOSED", timeout=5) is not None
        assert sender.send(order("2")).code == "AA"
        first, second = there.select("ORM^O01")
        assert first.association != second.association


def test_a_connection_closed_without_answer_is_an_error_that_names_the_peer() -> None:
    with (
        listening(Answering([Wire(close=True)])) as (port, _),
        sending(port) as (sender, _),
        pytest.raises(ConnectionLost, match=str(port)),
    ):
        sender.send(order("1"))


def test_nobody_listening_is_an_error_that_says_what_to_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with sending(port) as (sender, _), pytest.raises(PeerUnreachable, match="check address"):
        sender.send(order("1"))


def test_a_busy_port_is_an_environment_failure() -> None:
    with listening(Answering()) as (port, _), pytest.raises(EnvironmentFailure, match=str(port)):
        MllpListener(Transcript(), Answering(), actor="x", port=port).start()


def test_enhanced_mode_brings_the_commit_and_the_application_acknowledgement() -> None:
    message = HL7Message(order("1", accept="AL", application="AL"))
    source = Answering()
    handler = Answering([source.answer(message, Code.COMMIT_ACCEPT), source.answer(message, Code.ACCEPT)])
    with listening(handler) as (port, _), sending(port) as (sender, _):
        answer = sender.send(message.raw)
        assert [received.message["MSA-1"] for received in answer.received] == ["CA", "AA"]


def test_a_commit_reject_ends_enhanced_mode() -> None:
    message = HL7Message(order("1", accept="AL", application="AL"))
    handler = Answering([Answering().answer(message, Code.COMMIT_REJECT)])
    with listening(handler) as (port, _), sending(port) as (sender, _):
        assert sender.send(message.raw).code == "CR"


def test_an_exception_in_the_handler_is_our_fault_and_never_an_answer() -> None:
    def broken(received: Received) -> Iterable[Reply]:
        raise RuntimeError(received.message.control_id)

    transcript = Transcript()
    with (
        MllpListener(transcript, broken, actor="filler", timeouts=QUICK) as listener,
        sending(listener.port) as (sender, _),
        pytest.raises(ConnectionLost),
    ):
        sender.send(order("9"))
    assert [fault.error for fault in transcript.faults] == ["RuntimeError: 9"]


def test_many_senders_at_once_lose_nothing() -> None:
    handler = Answering()
    with listening(handler) as (port, transcript):

        def work(name: int) -> None:
            with sending(port) as (sender, _):
                for number in range(20):
                    assert sender.send(order(f"{name}.{number}")).message["MSA-2"] == f"{name}.{number}"

        threads = [threading.Thread(target=work, args=(name,)) for name in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(transcript.select("ORM^O01")) == 200
        assert len(transcript.select("ACK")) == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


def test_tls_on_both_sides(certificate: tuple[Path, Path]) -> None:
    key, cert = certificate
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=str(cert))
    with listening(Answering(), tls=server) as (port, there):
        with MllpSender(Transcript(), "127.0.0.1", port, actor="p", timeouts=QUICK, tls=client) as sender:
            assert sender.send(order("1")).code == "AA"
            assert sender.send(order("2")).code == "AA"
        with sending(port) as (plain, _), pytest.raises(ConnectionLost):
            plain.send(order("3"))
        assert violation(there).fields["rule"] == "tls"
        stranger = ssl.create_default_context()
        with (
            MllpSender(Transcript(), "127.0.0.1", port, actor="p", timeouts=QUICK, tls=stranger) as sender,
            pytest.raises(PeerUnreachable, match="TLS"),
        ):
            sender.send(order("4"))


def test_a_capture_holds_every_byte_both_ways(tmp_path: Path) -> None:
    with (
        Capture(tmp_path / "capture") as capture,
        listening(Answering(), tap=capture) as (port, there),
        sending(port) as (sender, _),
    ):
        sender.send(order("1"))
        sender.send(order("2"))
    reader = CaptureReader(tmp_path / "capture")
    ((number, connection),) = reader.connections.items()
    assert connection.protocol == "hl7"
    assert connection.incoming
    assert connection.local[1] == port
    acks = there.select("ACK")
    assert {ack.association for ack in acks} == {number}
    assert reader.stream(number, RECEIVED) == frame(order("1")) + frame(order("2"))
    assert reader.stream(number, SENT) == b"".join(frame(ack.payload.bytes()) for ack in acks)


@pytest.mark.peer("tshark")
def test_tshark_reads_the_capture_as_hl7(tmp_path: Path) -> None:
    tshark = require_program("tshark")
    with (
        Capture(tmp_path / "capture") as capture,
        listening(Answering(), tap=capture) as (port, _),
        sending(port) as (sender, _),
    ):
        sender.send(order("1"))
    file = tmp_path / "traffic.pcapng"
    pcapng.write(tmp_path / "capture", file)
    options = pcapng.decode_options(tmp_path / "capture")
    arguments = [tshark, "-r", str(file), *options, "-Y", "hl7", "-T", "fields", "-e", "hl7.message.type"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert [line.split("^")[0] for line in done.stdout.split()] == ["ORM", "ACK"]


def test_errors_name_the_field_in_both_versions() -> None:
    old = HL7Message(order("1"))
    said = HL7Message(
        acknowledge(old, Code.ERROR, control_id="2", time="2026", text="PID-5 is missing", location="PID-5",
                    condition=Condition.REQUIRED_FIELD)
    )  # fmt: skip
    assert said["ERR-1"] == "PID^1^5^101"
    assert said["MSH-3"] == "OF"
    assert said["MSH-5"] == "OP"
    new = HL7Message(order("1").replace(b"2.3.1", b"2.5.1"))
    said = HL7Message(
        acknowledge(new, Code.ERROR, control_id="2", time="2026", text="PID-5.1 is missing", location="PID-5.1",
                    condition=Condition.REQUIRED_FIELD)
    )  # fmt: skip
    assert said["ERR-2"] == "PID^1^5^1^1"
    assert said["ERR-3.1"] == "101"
    assert said["MSH-9"] == "ACK^O01^ACK"
