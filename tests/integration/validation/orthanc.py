"""Objects as Orthanc writes them: stored and given back, transcoded, modified, anonymized, made, and its DICOMDIR."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 30.0
TRANSFER_SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "big-endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "jpeg-lossless": "1.2.840.10008.1.2.4.70",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
}
_PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"


class Orthanc:
    """The REST interface of a running server."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"

    def call(self, path: str, body: bytes | None = None) -> bytes:
        """The answer to a GET, or to a POST if there is a body."""
        with urllib.request.urlopen(urllib.request.Request(self._root + path, data=body), timeout=SECONDS) as answer:
            return bytes(answer.read())

    def post(self, path: str, body: object) -> bytes:
        """The answer to a POST of JSON."""
        return self.call(path, json.dumps(body).encode())


@contextmanager
def running(program: str, folder: Path) -> Iterator[Orthanc]:
    """A server that stores in that folder and listens on loopback; its end is awaited."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = folder / "orthanc.json"
    settings.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "database"),
                "IndexDirectory": str(folder / "database"),
                "HttpPort": port,
                "DicomServerEnabled": False,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "Plugins": [],
            }
        )
    )
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(settings)], stdout=log, stderr=log)
    try:
        server = Orthanc(port)
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                server.call("/system")
                break
            except urllib.error.URLError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((folder / "orthanc.log").read_text(errors="replace")[-2000:]) from None
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(SECONDS)


def objects(program: str, folder: Path, stored: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """What Orthanc makes of the objects."""
    with running(program, folder) as server:
        names = {name: json.loads(server.call("/instances", raw))["ID"] for name, raw in stored}
        for name, instance in names.items():
            yield name, server.call(f"/instances/{instance}/file")
        image = f"/instances/{names['CT']}"
        for name, syntax in TRANSFER_SYNTAXES.items():
            yield name, server.post(f"{image}/modify", {"Transcode": syntax, "Keep": ["SOPInstanceUID"], "Force": True})
        yield "anonymized", server.post(f"{image}/anonymize", {})
        yield "modified", server.post(f"{image}/modify", {"Replace": {"PatientName": "Roe^Jane"}})
        tags = {"PatientName": "Doe^Jane", "PatientID": "1", "Modality": "OT"}
        made = json.loads(server.post("/tools/create-dicom", {"Tags": tags, "Content": _PDF}))
        yield "made-pdf", server.call(f"/instances/{made['ID']}/file")
        study = json.loads(server.call(f"{image}/study"))["ID"]
        with zipfile.ZipFile(io.BytesIO(server.call(f"/studies/{study}/media"))) as media:
            yield "DICOMDIR", media.read("DICOMDIR")
