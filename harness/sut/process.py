"""Start, watch and stop a product that runs on this machine, as its ``[process]`` table says."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from harness.core.errors import ConfigurationError, EnvironmentFailure
from harness.sut.config import ProcessTable

_POLL = 0.02


class ManagedProcess:
    """A product started for one run. Use as a context manager; leaving it leaves no process behind."""

    def __init__(self, table: ProcessTable, values: Mapping[str, str], work: Path) -> None:
        self._table, self._values, self._work = table, dict(values), work
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._started_before = False
        self.log_path = work / "process.log"

    def __enter__(self) -> ManagedProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Write its files, run its preparation, start it and wait until its ready probe answers.

        Raises EnvironmentFailure when a program is missing, preparation fails, another program sits on its port, or
        it does not become ready; nothing is left running then, nor after Ctrl-C.
        """
        self._require_programs()
        if not self._started_before:
            self._require_ports()
        self._started_before = True
        for folder in self._table.folders:
            self._inside(folder).mkdir(parents=True, exist_ok=True)
        for file in self._table.files:
            target = self._inside(file.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(fill(file.text, self._values), encoding="utf-8")
        for step in self._table.prepare:
            self._prepare(self._argv(step))
        try:
            self._launch(self._argv(self._table.argv))
        except BaseException:
            self.stop()
            raise

    def _launch(self, argv: list[str]) -> None:
        self._log = self.log_path.open("ab")
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                cwd=self._work,
                env={**os.environ, **{k: fill(v, self._values) for k, v in self._table.environment.items()}},
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"{argv[0]} cannot be started: {error.strerror or error}; see argv in [process] of the SUT file"
            ) from None
        (self._work / "process.pid").write_text(str(self._process.pid), encoding="utf-8")
        self._wait_until_ready(argv[0])

    def restart(self) -> None:
        """Stop it and start it again with the same files, so that what it stored is still there."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End the process and everything it started; escalates to SIGKILL after ``stop_timeout`` seconds."""
        process, self._process = self._process, None
        if process is not None:
            _signal_group(process, getattr(signal, self._table.stop))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._table.stop_timeout)
            _signal_group(process, signal.SIGKILL)
            process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    # -- details -------------------------------------------------------------------------------------------

    def _argv(self, argv: list[str]) -> list[str]:
        return [fill(part, self._values) for part in argv]

    def _inside(self, path: str) -> Path:
        target = Path(fill(path, self._values)).resolve()
        if not target.is_relative_to(self._work.resolve()):
            raise ConfigurationError(
                "[process]", path, f"files of the product belong below its work folder {self._work}"
            )
        return target

    def _require_programs(self) -> None:
        for program in self._table.requires:
            if shutil.which(program) is None and not Path(program).is_file():
                raise EnvironmentFailure(f"the program {program!r} is not installed; the SUT file needs it")

    def _require_ports(self) -> None:
        """Whoever listens there already would be tested in the product's place."""
        for host, port in self._probes():
            if _listens(host, port):
                raise EnvironmentFailure(
                    f"another program listens on {host}:{port} already, where {self._table.argv[0]} is to be started; "
                    "stop it or give the product another port"
                )

    def _probes(self) -> list[tuple[str, int]]:
        return [_endpoint(fill(probe, self._values)) for probe in self._table.ready.tcp]

    def _prepare(self, argv: list[str]) -> None:
        try:
            done = subprocess.run(
                argv, cwd=self._work, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"the program {argv[0]!r} cannot be started ({error.strerror or error}); preparing the product needs it"
            ) from None
        except subprocess.TimeoutExpired:
            raise EnvironmentFailure(f"preparing the product took more than 60 s: {' '.join(argv)}") from None
        if done.returncode != 0:
            text = (done.stderr or done.stdout).decode(errors="replace").strip()[-500:]
            raise EnvironmentFailure(f"preparing the product failed ({done.returncode}): {' '.join(argv)}: {text}")

    def _wait_until_ready(self, program: str) -> None:
        deadline = time.monotonic() + self._table.ready.timeout
        for host, port in self._probes():
            while True:
                if not self.running:
                    raise EnvironmentFailure(f"{program} ended before it was ready: {self._tail()}")
                if _listens(host, port):
                    break
                if time.monotonic() > deadline:
                    seconds = f"{self._table.ready.timeout:g} s"
                    raise EnvironmentFailure(
                        f"{program} did not listen on {host}:{port} within {seconds}: {self._tail()}"
                    )
                time.sleep(_POLL)  # a foreign process offers no event to wait for

    def _tail(self) -> str:
        try:
            text = self.log_path.read_bytes()[-600:].decode(errors="replace").strip()
        except OSError:
            text = ""
        return text or "it printed nothing"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace ``{name}`` by its value; braces that name nothing known stay as they are (JSON, Lua)."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago, for products that cannot choose one themselves."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def python() -> str:
    """This interpreter, for products that are Python programs."""
    return sys.executable


def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise ConfigurationError("[process.ready]", "tcp", f'a probe is "host:port" (found {text!r})')
    return host or "127.0.0.1", int(port)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
