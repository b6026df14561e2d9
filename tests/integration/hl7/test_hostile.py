"""Floods, endless blocks and silent crowds at an HL7 listener: it bounds what they take and serves the next one."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest

from harness.core.transcript import Transcript
from harness.protocols.hl7 import listener as listening
from harness.protocols.hl7.errors import AcknowledgementTimeout
from harness.protocols.hl7.framing import frame
from harness.protocols.hl7.mllp import MllpListener, MllpSender, Received, Timeouts
from tests.integration.hl7.test_mllp import Answering, order, read_frames

QUICK = Timeouts(connect=2, acknowledge=2, pause=0.1, idle=1)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def dial(listener: MllpListener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", listener.port), 5)


def alive(listener: MllpListener) -> bool:
    with MllpSender(Transcript(), "127.0.0.1", listener.port, actor="p", timeouts=QUICK) as sender:
        return sender.send(order("alive")).code == "AA"


@pytest.mark.parametrize("piece", [b"\x0b", b"\x0b\x1c\r", b"junk\x0b"], ids=["starts", "empty blocks", "junk"])
def test_a_flood_of_framing_breaches_is_cut_off(piece: bytes) -> None:
    transcript = Transcript()
    with MllpListener(transcript, Answering(), actor="filler", timeouts=QUICK) as listener:
        with dial(listener) as raw, contextlib.suppress(ConnectionError):
            raw.sendall(piece * 500_000)
            while raw.recv(4096):
                pass
        assert until(lambda: bool(transcript.select("CONNECTION-CLOSED")))
        told = transcript.select("PROTOCOL-VIOLATION")
        assert listening.MAX_BREACHES <= len(told) <= 2 * listening.MAX_BREACHES + 10
        assert "breaches without a message" in str(told[-1].fields["text"])
        assert alive(listener)
    assert transcript.faults == ()


def test_a_breach_with_every_message_is_no_reason_to_close() -> None:
    """A product that forgets the carriage return in each of its messages is heard to the end."""
    transcript = Transcript()
    count = 3 * listening.MAX_BREACHES
    with MllpListener(transcript, Answering(), actor="filler", timeouts=QUICK) as listener, dial(listener) as raw:
        raw.sendall(b"".join(frame(order(str(number)))[:-1] for number in range(count)))
        assert len(read_frames(raw, count)) == count
    assert len(transcript.select("PROTOCOL-VIOLATION")) >= count - 1


def test_a_message_that_never_ends_is_cut_off_although_bytes_keep_coming() -> None:
    transcript = Transcript()
    with MllpListener(transcript, Answering(), actor="filler", timeouts=QUICK) as listener:
        with dial(listener) as raw, contextlib.suppress(ConnectionError):
            raw.sendall(b"\x0bMSH|")
            for _ in range(100):
                time.sleep(0.04)  # the slowness of this peer
                raw.sendall(b"x")
            pytest.fail("it listened for ever")
        seen = transcript.select("PROTOCOL-VIOLATION")
        assert seen[-1].fields["rule"] == "too-slow"
        assert alive(listener)


def test_a_crowd_over_the_limit_is_refused_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "affordable", lambda wanted: 8)
    transcript = Transcript()
    with MllpListener(transcript, Answering(), actor="filler", timeouts=QUICK) as listener:
        before = threading.active_count()
        crowd = [dial(listener) for _ in range(20)]
        assert until(lambda: len(transcript.select("CONNECTION-REFUSED")) == 12)
        assert threading.active_count() <= before + 8
        for raw in crowd:
            raw.close()
        assert until(lambda: threading.active_count() == before)
        assert alive(listener)


def test_a_crowd_that_says_nothing_does_not_hold_up_the_end() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for tls in (None, context):
        with contextlib.ExitStack() as stack:
            listener = MllpListener(
                Transcript(), Answering(), actor="f", timeouts=Timeouts(connect=30, idle=30), tls=tls
            )
            listener.start()
            for _ in range(20):
                stack.enter_context(dial(listener))
            assert until(lambda: len(listener._connections) == 20)  # noqa: B023
            begin = time.monotonic()
            listener.stop()
            assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "message",
    [
        b"MSH\rMSA|AA|1\r",
        b"MSH",
        b"MSH|\r",
        b"\rMSA|\r",
        b"MSH\r\rMSA\r",
        b"\xff\xfeM\0S\0H\0",
        b"MSH|^~\\&" + b"|" * 9999,
    ],
    ids=["no separator", "name only", "short", "no header", "empty lines", "half UTF-16", "many fields"],
)
def test_headers_of_every_shape_are_answered_or_told_without_a_fault_of_ours(message: bytes) -> None:
    got: list[Received] = []

    def handle(received: Received) -> list[bytes]:
        got.append(received)
        return [b"MSH|^~\\&|||||||ACK\r"]

    transcript = Transcript()
    with MllpListener(transcript, handle, actor="filler", timeouts=QUICK) as listener, dial(listener) as raw:
        raw.sendall(frame(message))
        assert len(read_frames(raw, 1)) == 1
    assert got[0].record.payload.bytes() == message
    assert transcript.faults == ()


def test_a_sender_is_not_kept_by_an_answer_that_never_ends() -> None:
    """Bytes keep coming, but no acknowledgement: the time allowed ends it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            sock, _ = server.accept()
            with sock, contextlib.suppress(OSError):
                sock.recv(4096)
                while True:
                    sock.sendall(b"\x0b")
                    time.sleep(0.01)  # the slowness of this peer

        thread = threading.Thread(target=trickle)
        thread.start()
        transcript = Transcript()
        port = server.getsockname()[1]
        begin = time.monotonic()
        with (
            MllpSender(transcript, "127.0.0.1", port, actor="p", timeouts=QUICK) as sender,
            pytest.raises(AcknowledgementTimeout),
        ):
            sender.send(order("1"), timeout=0.5)
        assert time.monotonic() - begin < 3
        thread.join(5)
