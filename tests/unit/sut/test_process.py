"""Products that run on this machine: started, probed, stopped, and never left behind."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from harness.core.errors import ConfigurationError, EnvironmentFailure
from harness.sut.config import ProcessFile, ProcessTable, ReadyProbe
from harness.sut.process import ManagedProcess, fill, free_port

SERVER = "import socket,sys; s=socket.create_server(('127.0.0.1',int(sys.argv[1])))\nwhile True: s.accept()[0].close()"


def table(*argv: str, tcp: str = "", timeout: float = 10.0, **more: object) -> ProcessTable:
    return ProcessTable.model_validate(
        {"argv": list(argv), "ready": {"tcp": [tcp] if tcp else [], "timeout": timeout}, **more}
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int, within: float) -> bool:
    """Whether a process that was killed has ended (or waits for whoever adopted it) in so many seconds."""
    status = Path(f"/proc/{pid}/status")
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if "State:\tZ" in status.read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)  # the end of a process that is not ours offers no event to wait for
    return False


def test_a_product_is_ready_when_it_listens_and_gone_when_stopped(tmp_path: Path) -> None:
    port = free_port()
    product = ManagedProcess(
        table(sys.executable, "-c", SERVER, "{port}", tcp="127.0.0.1:{port}"), {"port": str(port)}, tmp_path
    )
    with product:
        assert product.running
        process = product._process
        assert process is not None
    assert not product.running
    assert not alive(process.pid)


def test_children_of_a_product_end_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import subprocess,sys,pathlib; p=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']);"
        "pathlib.Path(sys.argv[1]).write_text(str(p.pid)); " + SERVER.replace("sys.argv[1]", "sys.argv[2]")
    )
    port = free_port()
    with ManagedProcess(table(sys.executable, "-c", code, str(note), str(port), tcp=f"127.0.0.1:{port}"), {}, tmp_path):
        child = int(note.read_text())
        assert alive(child)
    assert gone(child, within=10)


def test_a_product_that_ends_at_once_is_named_with_what_it_printed(tmp_path: Path) -> None:
    product = ManagedProcess(table(sys.executable, "-c", "print('no licence')", tcp="127.0.0.1:1"), {}, tmp_path)
    with pytest.raises(EnvironmentFailure, match="no licence"):
        product.start()
    product.stop()


def test_a_product_that_never_listens_is_named(tmp_path: Path) -> None:
    slow = table(sys.executable, "-c", "import time; time.sleep(60)", tcp=f"127.0.0.1:{free_port()}", timeout=0.3)
    product = ManagedProcess(slow, {}, tmp_path)
    with pytest.raises(EnvironmentFailure, match="did not listen"):
        product.start()
    assert not product.running


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="no-such-archive"):
        ManagedProcess(table("no-such-archive", requires=["no-such-archive"]), {}, tmp_path).start()


def test_files_stay_inside_the_work_folder(tmp_path: Path) -> None:
    outside = ProcessTable(
        argv=["true"], files=[ProcessFile(path="{work}/../escaped", text="x")], ready=ReadyProbe(tcp=[], timeout=1.0)
    )
    with pytest.raises(ConfigurationError, match="below its work folder"):
        ManagedProcess(outside, {"work": str(tmp_path)}, tmp_path).start()


def test_unknown_braces_stay() -> None:
    assert fill('{"a": {port}, {other}}', {"port": "1"}) == '{"a": 1, {other}}'


def test_another_program_on_the_port_is_not_taken_for_the_product(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        probe = f"127.0.0.1:{taken.getsockname()[1]}"
        product = ManagedProcess(table(sys.executable, "-c", "import time; time.sleep(60)", tcp=probe), {}, tmp_path)
        with pytest.raises(EnvironmentFailure, match=f"another program listens on {probe} already"):
            product.start()
    assert not product.running


@pytest.mark.parametrize("program", ["/no/such/program", "/tmp"])
def test_a_program_that_cannot_be_started_is_an_environment_failure(tmp_path: Path, program: str) -> None:
    with pytest.raises(EnvironmentFailure, match=f"{program} cannot be started"):
        ManagedProcess(table(program), {}, tmp_path).start()


def test_an_interrupt_while_a_product_starts_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    product = ManagedProcess(
        table(sys.executable, "-c", "import time; time.sleep(60)", tcp=f"127.0.0.1:{free_port()}"), {}, tmp_path
    )
    monkeypatch.setattr("harness.sut.process.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        product.start()
    assert gone(int((tmp_path / "process.pid").read_text()), within=10)


def test_a_product_can_be_started_again_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    argv = (sys.executable, "-c", SERVER, str(port))
    with ManagedProcess(table(*argv, tcp=f"127.0.0.1:{port}"), {}, tmp_path) as product:
        product.restart()
        assert product.running
