"""Independent programs as peers of the modality: each is started on a free port and ended with its test."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.integration.print.dcmtk import _await_port, free_port
from tests.peers import require_program

# Without it these programs stall 40 ms for each message.
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}
DUMP = """\
(0008,0050) SH  ACC7
(0008,0090) PN  Ref^Doc
(0010,0010) PN  Doe^Jane
(0010,0020) LO  PID7
(0010,0030) DA  19700102
(0010,0040) CS  F
(0020,000d) UI  1.2.3.7
(0032,1060) LO  Chest
(0040,1001) SH  RP7
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS  {modality}
(0040,0001) AE  REFMOD
(0040,0002) DA  20261121
(0040,0003) TM  080000
(0040,0006) PN  Perf^Doc
(0040,0007) LO  Chest PA
(0040,0009) SH  {step}
(fffe,e00d) -
(fffe,e0dd) -
"""


@contextmanager
def running(arguments: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a program until the block ends; it is ready when its port is."""
    with (folder / f"{Path(arguments[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder, env=ENVIRONMENT)
        try:
            _await_port(port, process)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait(5)


@contextmanager
def worklist(folder: Path) -> Iterator[int]:
    """DCMTK's wlmscpfs with two DX steps and one MR step, AE title WLM."""
    program, convert = require_program("wlmscpfs"), require_program("dump2dcm")
    files = folder / "wl" / "WLM"
    files.mkdir(parents=True)
    (files / "lockfile").touch()
    for step, modality in (("SPS7", "DX"), ("SPS8", "DX"), ("SPS9", "MR")):
        source = folder / f"{step}.dump"
        source.write_text(DUMP.format(step=step, modality=modality), encoding="ascii")
        subprocess.run([convert, "+te", str(source), str(files / f"{step}.wl")], check=True, capture_output=True)
    port = free_port()
    with running([program, "-s", "-dfp", str(folder / "wl"), str(port)], port, folder):
        yield port


@contextmanager
def storage(folder: Path, *options: str) -> Iterator[int]:
    """DCMTK's storescp, which keeps what it gets in `folder`/received."""
    program = require_program("storescp")
    (folder / "received").mkdir()
    port = free_port()
    with running([program, "-aet", "STORE", *options, "-od", str(folder / "received"), str(port)], port, folder):
        yield port


@contextmanager
def query_retrieve(folder: Path, modality_port: int) -> Iterator[int]:
    """DCMTK's dcmqrscp, AE title QRSCP, which knows the modality as a move destination."""
    program = require_program("dcmqrscp")
    (folder / "qr").mkdir()
    port = free_port()
    settings = folder / "dcmqrscp.cfg"
    settings.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n"
        f"modality = (REFMOD, 127.0.0.1, {modality_port})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nQRSCP {folder / 'qr'} RW (500, 1024mb) ANY\nAETable END\n",
        encoding="ascii",
    )
    with running([program, "-c", str(settings)], port, folder):
        yield port


@contextmanager
def orthanc(folder: Path, modality_port: int) -> Iterator[int]:
    """Orthanc, AE title ORTHANC, which knows the modality and so commits to what it sends."""
    program = require_program("Orthanc")
    port = free_port()
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "DicomAet": "ORTHANC",
        "DicomPort": port,
        "HttpServerEnabled": False,
        "DicomModalities": {"modality": ["REFMOD", "127.0.0.1", modality_port]},
        "DicomCheckCalledAet": True,
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings), encoding="ascii")
    with running([program, str(path)], port, folder):
        yield port
