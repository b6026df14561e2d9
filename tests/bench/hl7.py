"""HL7 orders with acknowledgement per second, ours and python-hl7's: ``python -m tests.bench.hl7 [--seconds S]``.

Each listener runs in a process of its own, one raw-socket client drives it. Rows: a listener that acknowledges; the
whole DSS/Order Filler, which judges, schedules and keeps every order; a sender against one and the same listener.
The measurements take turns and medians count.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hl7.client import MLLPClient

from harness.actors.orders.endpoint import HL7Endpoint
from harness.actors.orders.filler import ORDER_FILLER, FillerPeers, OrderFillerMessages
from harness.actors.orders.hl7 import Application
from harness.actors.orders.values import Numbering
from harness.core.transcript import Transcript
from harness.protocols.hl7.mllp import MllpSender
from tests.bench import peers

ORDER = (
    "MSH|^~\\&|OP|HOSP|OF|RAD|20260102101500||ORM^O01|{id}|P|2.3.1\r"
    "PID|||{id}^^^HOSP||Miller^Anna^Maria||19700203|F\rPV1||O|WARD^1^1|||||D^Referring\r"
    "ORC|NW|P{id}^OP|||||^^^20260102^^R||20260102|||D^Ordering|||||NEURO\r"
    "OBR|1|P{id}^OP||MR-BRAIN^MR of the brain^99HARNESS||||||||||||D^Ordering|||||||||||^^^20260102^^R\r"
)


class _Counting(Transcript):
    """A transcript that keeps nothing: a bench is no evidence."""

    def record(self, *arguments: object, **details: object):  # type: ignore[no-untyped-def]
        message = super().record(*arguments, **details)  # type: ignore[arg-type]
        self._messages.clear()
        return message


def serve() -> None:
    """The whole order filler, until its input closes; prints its port."""
    endpoint = HL7Endpoint(_Counting(), actor=ORDER_FILLER, application=Application("OF", "RAD"))
    uids = iter(range(1, 10**9))
    numbering = Numbering(lambda: f"1.2.3.{next(uids)}")
    with OrderFillerMessages(endpoint, FillerPeers(), numbering) as filler:
        print(filler.endpoint.port, flush=True)
        sys.stdin.read()


@contextmanager
def filler() -> Iterator[int]:
    """The order filler in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.hl7", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


class Load:
    """Numbers its messages through, so that every order is a new one."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._number = seconds, 0

    def raw(self, port: int) -> float:
        """Orders per second through a socket that waits for each acknowledgement."""
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def send(message: bytes) -> bytes:
                sock.sendall(b"\x0b" + message + b"\x1c\r")
                answer = b""
                while not answer.endswith(b"\x1c\r"):
                    answer += sock.recv(65536) or b"\x1c\r"
                return answer

            return self._run(send)

    def ours(self, port: int) -> float:
        """Orders per second by our sender."""
        with MllpSender(_Counting(), "127.0.0.1", port, actor="bench") as sender:
            return self._run(lambda message: sender.send(message).message.raw)

    def theirs(self, port: int) -> float:
        """Orders per second by python-hl7's client."""
        with MLLPClient("127.0.0.1", port) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._run(client.send_message)

    def _run(self, send: Callable[[bytes], bytes]) -> float:
        done, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < self._seconds:
            self._number += 1
            answer = send(ORDER.format(id=self._number).encode())
            if f"MSA|AA|{self._number}".encode() not in answer:
                raise ConnectionError(f"order {self._number} was not acknowledged: {answer!r}")
            done += 1
        return done / (time.perf_counter() - begin)


def measure(seconds: float, rounds: int) -> list[dict[str, float | str]]:
    """Medians and ratios of all rows."""
    load = Load(seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ihe-bench-")))
        for name in ("ours", "theirs"):
            (folder / name).mkdir()
        listener = stack.enter_context(peers.ours("hl7", folder / "ours"))
        python_hl7 = stack.enter_context(peers.ours("python-hl7", folder / "theirs"))
        actor = stack.enter_context(filler())
        takers: dict[str, Callable[[], float]] = {
            "listener": lambda: load.raw(listener),
            "order filler": lambda: load.raw(actor),
            "python-hl7 listener": lambda: load.raw(python_hl7),
            "sender": lambda: load.ours(listener),
            "python-hl7 sender": lambda: load.theirs(listener),
        }
        values: dict[str, list[float]] = {name: [] for name in takers}
        for _ in range(rounds):
            for name, take in takers.items():
                values[name].append(take())
    medians = {name: statistics.median(found) for name, found in values.items()}
    pairs = (
        ("listener", "python-hl7 listener"),
        ("order filler", "python-hl7 listener"),
        ("sender", "python-hl7 sender"),
    )
    return [
        {"work": ours, "ours": medians[ours], "peer": theirs, "theirs": medians[theirs],
         "ratio": medians[ours] / medians[theirs]}
        for ours, theirs in pairs
    ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    rows = measure(options.seconds, options.rounds)
    for row in rows:
        print(
            f"{row['work']:<14}{row['ours']:>9.0f}/s   {row['peer']:<22}{row['theirs']:>9.0f}/s   x {row['ratio']:.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
