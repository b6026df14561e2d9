"""The programs that are measured against each other, started and stopped; DCMTK and Orthanc with TCP_NODELAY=1."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

TITLE = "BENCH"
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A listening process; a context manager that gives its port."""

    arguments: Sequence[str]
    port: int = 0
    announces_port: bool = False
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> int:
        self._process = subprocess.Popen(
            list(self.arguments),
            stdin=subprocess.PIPE if self.announces_port else subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.announces_port else subprocess.DEVNULL,
            stderr=None if self.announces_port else subprocess.DEVNULL,
            text=True,
            env=ENVIRONMENT,
        )
        if self.announces_port:
            assert self._process.stdout is not None
            self.port = int(self._process.stdout.readline())
            return self.port
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self.port
        raise TimeoutError(f"{self.arguments[0]} does not listen on port {self.port}")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        if process.stdin is not None:
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        if self.announces_port and code and kind is None:
            raise RuntimeError(f"{' '.join(self.arguments)} ended with {code}")

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def processor(self) -> float:
        """Processor time of all its threads so far, in seconds (Linux: the clock of another process)."""
        return time.clock_gettime(~self.pid << 3 | 2)

    @property
    def resident(self) -> int:
        """Resident memory of the process in bytes."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def ours(kind: str, folder: Path, *more: str) -> Server:
    """One of :mod:`tests.bench.servers`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Server([sys.executable, "-m", "tests.bench.servers", kind, str(folder), *more], announces_port=True)


def storescp(folder: Path) -> Server:
    """DCMTK's storage SCP."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return Server(["storescp", "-aet", TITLE, "-od", str(folder), str(port)], port)


def wlmscpfs(folder: Path) -> Server:
    """DCMTK's worklist SCP in a single process; ``folder`` holds the files of :func:`worklist_files`."""
    port = free_port()
    return Server(["wlmscpfs", "-s", "-dfp", str(folder), str(port)], port)


def orthanc(folder: Path) -> Server:
    """Orthanc with an empty archive, without HTTP."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = free_port()
    configuration = {
        "Name": "bench",
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpServerEnabled": False,
        "DicomServerEnabled": True,
        "DicomAet": TITLE,
        "DicomPort": port,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomThreadsCount": 64,
        "LimitFindResults": 0,
        "LimitFindInstances": 0,
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration))
    return Server([shutil.which("Orthanc") or "/usr/sbin/Orthanc", str(path)], port)


def client(*arguments: str) -> float:
    """Run a program to its end; seconds. Raises CalledProcessError."""
    begin = time.perf_counter()
    subprocess.run(list(arguments), check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin
