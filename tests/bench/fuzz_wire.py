"""Mutated real traffic against the listeners: ``python -m tests.bench.fuzz_wire [--inputs N] [--kind dicom|hl7]``.
``--captures`` mutates what real runs of the harness kept (their ``wire/main`` folders).

Each input is a connection of its own. Every 500 inputs a good exchange must work; at the end the listener must
have no fault of its own and not have grown. Ends after ``--seconds`` at the latest.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.core.transcript import Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.capture import RECEIVED, SENT, Capture, CaptureReader
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Node, Proposal, Response
from tests.bench import corpus, peers
from tests.bench.clients import ORDER
from tests.bench.mutations import mutated

_PATIENCE = 5.0
_LONGEST, _MOST = 64 << 10, 400  # bytes of a captured stream, and streams


def dicom_corpus(folder: Path) -> list[bytes]:
    """What DCMTK's programs (if they are there) and our own node really sent, stream by stream."""
    files = [str(path) for path in corpus.images(folder / "images", 2, side=64)]
    capture = Capture(folder / "capture")
    node = Node(peers.TITLE, Transcript(), actor="corpus", capture=capture)
    node.serve(uids.STORAGE, lambda _request: Response(), scp_role=True)
    node.serve([uids.MODALITY_WORKLIST, uids.STUDY_ROOT_FIND], lambda _request: [Response(0xFF00, b""), Response()])
    node.serve([uids.MPPS, uids.STORAGE_COMMITMENT], lambda _request: Response())
    with node:
        where = ["-aec", peers.TITLE, "127.0.0.1", str(node.port)]
        for arguments in (
            ["echoscu", *where],
            ["storescu", *where, *files],
            ["findscu", "-W", "-k", "PatientName=*", "-k", "ScheduledProcedureStepSequence[0].Modality", *where],
            ["findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", *where],
        ):
            try:
                subprocess.run(arguments, check=True, capture_output=True, timeout=30)
            except FileNotFoundError:
                print(f"{arguments[0]} is not installed; its traffic is not in the corpus")
        ds = Dataset()
        ds.PerformedProcedureStepID = "1"
        asker = Node("FUZZ", Transcript(), actor="corpus")
        proposals = [Proposal(uids.MPPS), Proposal(uids.STORAGE_COMMITMENT), Proposal(uids.CT_IMAGE, scp_role=True)]
        with asker.connect(node.address, proposals) as link:
            link.n_create(uids.MPPS, "1.2.3", ds)
            link.n_set(uids.MPPS, "1.2.3", ds)
            link.n_action(uids.STORAGE_COMMITMENT, uids.STORAGE_COMMITMENT_INSTANCE, 1, ds)
            link.store(corpus.image(1, side=16))
        asker.connect(node.address, proposals).abort()
        asker.stop()
    capture.close()
    reader = CaptureReader(folder / "capture")
    return [stream for number in reader.connections if (stream := reader.stream(number, RECEIVED))]


def hl7_corpus(_folder: Path) -> list[bytes]:
    """Orders, one and several in a connection."""
    order = b"\x0b" + ORDER.format(id="M1").encode() + b"\x1c\r"
    enhanced = order.replace(b"|P|2.3.1", b"|P|2.5.1|||AL|AL|||UNICODE UTF-8")
    return [order, order * 3, enhanced, order.replace(b"\r", b"\n")]


def captured(folders: Sequence[Path], kind: str) -> list[bytes]:
    """What those who connected sent in captures of earlier runs (folders with traffic.json), the short ones first."""
    streams: set[bytes] = set()
    for folder in folders:
        reader = CaptureReader(folder)
        wanted = {
            (number, RECEIVED if connection.incoming else SENT)
            for number, connection in reader.connections.items()
            if connection.protocol == kind
        }
        gathered: dict[int, bytearray] = {}
        for chunk in reader.chunks():
            if (chunk.association, chunk.direction) not in wanted:
                continue
            stream = gathered.setdefault(chunk.association, bytearray())
            if len(stream) < _LONGEST:
                try:
                    stream += reader.bytes_of(chunk)[:_LONGEST]
                except FileNotFoundError:
                    continue  # its payload was not kept
        streams.update(bytes(stream) for stream in gathered.values() if stream)
    return sorted(streams, key=lambda stream: (len(stream), stream))[:_MOST]


def send(port: int, data: bytes) -> None:
    """One input: connect, send, close our half, read until the listener closes. Raises TimeoutError if it hangs."""
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock:
        sock.settimeout(_PATIENCE)
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass  # the listener had enough of it
        # Not into TIME_WAIT: ports would run out after some ten thousand inputs.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def good(kind: str, port: int) -> bool:
    """The next good exchange works."""
    if kind == "hl7":
        with socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock:
            sock.settimeout(_PATIENCE)
            sock.sendall(b"\x0b" + ORDER.format(id="GOOD").encode() + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                data = sock.recv(65536)
                if not data:
                    return False
                answer += data
            return b"MSA|AA|GOOD" in answer
    node = Node("GOOD", Transcript(), actor="check")
    try:
        with node.connect(Address(peers.TITLE, "127.0.0.1", port), [Proposal(uids.VERIFICATION)]) as link:
            return link.echo() == 0
    except PeerError:
        return False
    finally:
        node.stop()


def fuzz(kind: str, inputs: int, seconds: float, seed: int, captures: Sequence[Path] = ()) -> dict[str, Any]:
    """Run one listener through its inputs. Raises on a crash, a hang or a failed good exchange.

    The inputs are mutations of what DCMTK and we send, or of what ``captures`` of earlier runs hold.
    """
    with tempfile.TemporaryDirectory(prefix="ihe-fuzz-") as name:
        folder = Path(name)
        real = captured(captures, kind) if captures else {"dicom": dicom_corpus, "hl7": hl7_corpus}[kind](folder)
        if not real:
            raise UsageError(f"no {kind} connection in {', '.join(map(str, captures))}; name captures that have one")
        streams = mutated(real, seed)
        server = peers.ours(f"fuzz-{kind}", folder / "server")
        with server as port:
            begin = time.monotonic()
            done, warm = 0, 0
            for done in range(1, inputs + 1):
                data = next(streams)
                try:
                    send(port, data)
                except TimeoutError:
                    raise RuntimeError(f"input {done} (seed {seed}) hangs: {data[:200].hex()}") from None
                if done % 500 == 0 and not good(kind, port):
                    raise RuntimeError(f"no good exchange after input {done} (seed {seed})")
                spent = time.monotonic() - begin
                if not warm and (done == min(5000, max(1, inputs // 10)) or spent > seconds / 10):
                    warm = server.resident
                if spent > seconds:
                    break
            if not good(kind, port):
                raise RuntimeError("no good exchange after the last input")
            # The listener's process ends with an error if it had a fault; leaving the context raises then.
            return {
                "kind": kind,
                "streams": len(real),
                "inputs": done,
                "seconds": round(time.monotonic() - begin, 1),
                "resident_after_warm_up": warm,
                "resident_at_end": server.resident,
            }


def main() -> None:
    """Run the job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=("dicom", "hl7"), nargs="*", default=["dicom", "hl7"])
    parser.add_argument("--captures", type=Path, nargs="*", default=[], help="wire folders of earlier runs to mutate")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results = []
    for kind in options.kind:
        result = fuzz(kind, options.inputs, options.seconds, options.seed, options.captures)
        growth = result["resident_at_end"] - result["resident_after_warm_up"]
        print(
            f"{kind}: {result['inputs']:,} inputs from {result['streams']} streams in {result['seconds']} s,"
            f" memory grew by {growth / 1e6:.1f} MB"
        )
        if growth > 50 << 20:
            sys.exit(f"{kind}: the listener grew by {growth / 1e6:.1f} MB")
        results.append(result)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
