"""What the tests against independent programs share."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.peers import require_program

#: DCMTK and Orthanc delay every small segment by 40 ms without this
PEER_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}


def run(*argv: str | Path, expect: int | None = 0) -> str:
    """Run a program to its end and return what it said; ``expect`` is its exit code, None for any."""
    said = subprocess.run(
        [require_program(str(argv[0])), *map(str, argv[1:])],
        capture_output=True,
        timeout=60,
        check=False,
        env=PEER_ENVIRONMENT,
    )
    output = (said.stdout + said.stderr).decode("utf-8", "replace")
    if expect is not None:
        assert said.returncode == expect, output
    return output


def free_port() -> int:
    """A port of loopback that is free now; for programs that cannot be asked to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(*argv: str | Path, port: int, cwd: Path) -> Iterator[None]:
    """Run a server until the block ends; enters once its port answers."""
    log = (cwd / "server.log").open("wb")
    process = subprocess.Popen(
        [require_program(str(argv[0])), *map(str, argv[1:])],
        stdout=log,
        stderr=log,
        cwd=cwd,
        env=PEER_ENVIRONMENT,
    )
    with log, process:
        try:
            _await_port(port, process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended before it listened"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing answers on port {port}")
