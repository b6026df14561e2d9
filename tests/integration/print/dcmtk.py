"""Print programs of DCMTK: their configuration, and how they are started and ended."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.peers import require_program

_FULL = """\
BorderDensity = 150\\20\\BLACK\\WHITE
DisplayFormat=1,1\\1,2\\2,2\\2,3\\3,3
EmptyImageDensity = 20\\BLACK\\WHITE
FilmDestination = MAGAZINE\\PROCESSOR\\BIN_1\\BIN_2
FilmSizeID = 8INX10IN\\14INX17IN
MagnificationType = REPLICATE\\BILINEAR\\CUBIC\\NONE
MaxDensity = 320
MediumType = PAPER\\CLEAR FILM\\BLUE FILM
MinDensity = 20
PresentationLUTMatchRequired = false
Supports12Bit = true
SupportsDecimateCrop = true
SupportsImageSize = true
SupportsPresentationLUT = true
SupportsTrim = true
"""
_RESTRICTED = """\
DisableNewVRs = true
DisplayFormat=1,1
FilmDestination = STOREDPRINT
FilmSizeID = 8INX10IN\\11INX14IN\\14INX17IN
ImplicitOnly = true
MagnificationType = REPLICATE\\BILINEAR\\CUBIC\\NONE
MaxDensity = 320
MediumType = STOREDPRINT
OmitSOPClassUIDFromCreateResponse = true
PresentationLUTMatchRequired = true
Supports12Bit = true
SupportsPresentationLUT = true
"""
_PRINTERS = {"IHEFULL": _FULL, "IHERESTRICTED": _RESTRICTED}


def configuration(folder: Path, printer: str, port: int, *, ae_title: str | None = None) -> Path:
    """A configuration file with one printer, as the configurations of that name that DCMTK ships."""
    (folder / "db").mkdir(exist_ok=True)
    text = (
        f"[[GENERAL]]\n[NETWORK]\naetitle = DCMPSTAT\n[DATABASE]\nDirectory = {folder / 'db'}\n"
        f"[[PRINT]]\n[DIRECTORY]\nDirectory = {folder / 'db'}\n[RESOLUTION]\nMaxColumns = 4096\nMaxRows = 4096\n"
        "MinColumns = 1\nMinRows = 1\nMaxPreviewColumns = 256\nMaxPreviewRows = 256\n"
        f"[[COMMUNICATION]]\n[{printer}]\nAetitle = {ae_title or printer}\nDescription = test\n"
        f"Hostname = 127.0.0.1\nPort = {port}\nType = LOCALPRINTER\n{_PRINTERS[printer]}"
    )
    path = folder / f"{printer}.cfg"
    path.write_text(text, encoding="ascii")
    return path


def free_port() -> int:
    """A port that was free a moment ago, for a program that cannot pick one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def print_scp(folder: Path, printer: str) -> Iterator[int]:
    """A running dcmprscp; yields its port."""
    program = require_program("dcmprscp")
    port = free_port()
    with (folder / "dcmprscp.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-v", "-c", str(configuration(folder, printer, port)), "-p", printer, "+d"],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            _await_port(port, process)
            yield port
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait(5)


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)  # the program gives no other sign that it listens
    raise RuntimeError(f"dcmprscp did not listen on port {port}")
