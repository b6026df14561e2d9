"""Products that are silent, refuse, answer garbage, hang or flood never earn a pass, and never stop a run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import resources
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner

FILLER = """
[product]
name = "Bad Filler"
[[claims]]
profile = "SWF"
actor = "DSS/Order Filler"
transactions = ["RAD-5"]
[dicom]
ae_title = "BAD"
port = {port}
[timeouts]
associate = 1.0
dimse = 1.0
exchange = 1.0
[driver]
kind = "silent"
"""
ARCHIVE = FILLER.replace("DSS/Order Filler", "Image Manager/Archive").replace('"RAD-5"', '"RAD-8", "RAD-14"')


def read_all(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.recv(10)


def garbage(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 10)


def reject(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(bytes.fromhex("03000000000400010101"))


def flood(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"\x04\x00\x7f\xff\xff\xff" + b"\x00" * (8 << 20))


@contextmanager
def product(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener that treats every connection the same bad way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        stop = threading.Event()

        def serve(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(20)
                try:
                    behave(connection)
                except OSError:
                    return

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("text", [FILLER, ARCHIVE], ids=["order filler", "archive"])
@pytest.mark.parametrize("behave", [read_all, hang_up, garbage, reject, flood])
def test_a_misbehaving_product_is_found_and_survived(
    harness_run: Runner, tmp_path: Path, text: str, behave: Callable[[socket.socket], None]
) -> None:
    with product(behave) as port:
        sut = tmp_path / "bad.toml"
        sut.write_text(text.format(port=port), encoding="utf-8")
        ran = harness_run("--sut", str(sut), "--quick")
    assert ran.code == 1, ran.error
    tried = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert tried
    assert {s.verdict for s in tried} == {Verdict.FAIL}
    assert not any(f.verdict is Verdict.PASS for s in tried for f in s.findings)


def test_a_silent_modality_never_passes_anything(harness_run: Runner, tmp_path: Path) -> None:
    reference = (resources.folder("fixtures") / "sut" / "reference.toml").read_text(encoding="utf-8")
    sut = tmp_path / "silent.toml"
    sut.write_text(
        reference.replace('kind = "reference"', 'kind = "silent"').replace("exchange = 6.0", "exchange = 0.2"),
        encoding="utf-8",
    )
    ran = harness_run("--sut", str(sut), "--profile", "SWF", "--workers", "2")
    assert ran.code == 1, ran.error
    tried = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert len(tried) > 25
    assert all(s.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE) for s in tried)
    assert not any(f.verdict is Verdict.PASS for s in tried for f in s.findings)


def test_a_product_that_is_not_there_is_an_environment_failure(harness_run: Runner, tmp_path: Path) -> None:
    sut = tmp_path / "away.toml"
    sut.write_text(FILLER.format(port=1), encoding="utf-8")
    ran = harness_run("--sut", str(sut), "--quick")
    assert ran.code == 3
    assert "Bad Filler does not answer on 127.0.0.1:1" in ran.error


def test_a_port_in_use_is_named(harness_run: Runner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sut = tmp_path / "busy.toml"
        reference = (resources.folder("fixtures") / "sut" / "reference.toml").read_text(encoding="utf-8")
        sut.write_text(reference + f"\n[harness.actors.order-filler]\nport = {port}\n", encoding="utf-8")
        ran = harness_run("--sut", str(sut), "--quick")
    assert ran.code == 3
    assert str(port) in ran.error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_reports_what_was_judged_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "run"
    argv = [sys.executable, "-m", "harness.cli.main", "run", "--json", "--out", str(folder), "--profile", "SWF"]
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        start_new_session=True,
        # under nohup a SIGHUP would be ignored, which a run respects
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while len(list((folder / "transcripts").glob("*.json"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)  # another process offers no event to wait for
    os.kill(process.pid, number)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 1, error
    assert json.loads(output)["interrupted"] is True
    assert json.loads(output)["verdict"] in ("INCONCLUSIVE", "FAIL", "ERROR")
    result = RunResult.from_json(json.loads((folder / "run.json").read_text(encoding="utf-8")))
    assert result.interrupted
    assert any(s.verdict is Verdict.PASS for s in result.scenarios)
    assert (folder / "report.html").is_file()
    left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
