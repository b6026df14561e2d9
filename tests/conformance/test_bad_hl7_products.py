"""HL7 products that are silent, hang up, garble their framing or flood never earn a pass, and never stop a run."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner
from tests.conformance.test_bad_products import product

SUT = """
[product]
name = "Bad Placer"
[[claims]]
profile = "SWF"
actor = "{actor}"
transactions = [{transactions}]
[hl7]
application = "BAD"
facility = "BAD"
port = {port}
[timeouts]
connect = 0.5
exchange = 0.4
[driver]
kind = "silent"
"""
ACTORS = {
    "Order Placer": '"RAD-1", "RAD-2", "RAD-3", "RAD-12"',
    "Image Manager/Archive": '"RAD-4", "RAD-12", "RAD-13"',
}
#: seconds: no bad product may make a run of the quick scenarios longer than this, whatever else the machine does
BOUND = 240


def read_all(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.recv(10)


def negative(connection: socket.socket) -> None:
    while connection.recv(65536):
        connection.sendall(b"\x15")


def answered(template: bytes) -> Callable[[socket.socket], None]:
    """Answer each message with these bytes; ``%s`` becomes its control ID."""

    def behave(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            header = data.split(b"\r")[0].split(b"|")
            identifier = header[9] if len(header) > 9 else b""
            connection.sendall(template.replace(b"%s", identifier))

    return behave


def flood(connection: socket.socket) -> None:
    connection.recv(65536)
    block = b"\x0b" + b"A" * (1 << 20)
    for _ in range(64):
        connection.sendall(block)


def trickle(connection: socket.socket) -> None:
    connection.recv(65536)
    for byte in b"\x0b" + ACK:
        connection.sendall(bytes([byte]))
        time.sleep(0.2)  # slower than anybody should have to wait


ACK = b"MSH|^~\\&|BAD|BAD|IHE|IHE|20260101||ACK|1|P|2.3.1\rMSA|AA|%s\r"
WAYS: tuple[Callable[[socket.socket], None], ...] = (
    read_all,
    hang_up,
    negative,
    answered(ACK),
    answered(b"\x0b" + ACK),
    answered(b"\x0b" + ACK[:30]),
    answered(b"\x0bHTTP/1.0 400 Bad Request\r\n\x1c\r"),
    answered(b"\x0b" + ACK.replace(b"%s", b"0") + b"\x1c\r"),
    flood,
    trickle,
)


def one_after_the_other() -> Callable[[socket.socket], None]:
    """Each connection is treated in the next bad way."""
    ways = itertools.cycle(WAYS)
    return lambda connection: next(ways)(connection)


@pytest.mark.parametrize(
    ("actor", "behave"),
    [
        pytest.param("Order Placer", one_after_the_other(), id="placer, all ways"),
        pytest.param("Order Placer", read_all, id="placer, silent"),
        pytest.param("Image Manager/Archive", one_after_the_other(), id="archive, all ways"),
    ],
)
def test_a_misbehaving_hl7_product_is_found_and_survived(
    harness_run: Runner, tmp_path: Path, actor: str, behave: Callable[[socket.socket], None]
) -> None:
    with product(behave) as port:
        sut = tmp_path / "bad.toml"
        sut.write_text(SUT.format(actor=actor, transactions=ACTORS[actor], port=port), encoding="utf-8")
        ran = harness_run("--sut", str(sut), "--quick", timeout=BOUND)
    assert ran.code == 1, ran.error
    tried = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert len(tried) >= 3
    assert {s.verdict for s in tried} <= {Verdict.FAIL, Verdict.INCONCLUSIVE}
    assert any(s.verdict is Verdict.FAIL for s in tried)
    assert not any(scenario.faults for scenario in tried)
    passed = {f.requirement for s in tried for f in s.findings if f.verdict is Verdict.PASS}
    # what is framed well is framed well, whatever it says
    assert passed <= {"HL7-GEN-01", "HL7-GEN-03"}
