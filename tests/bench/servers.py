"""The listeners that are measured, each as a process of its own: ``python -m tests.bench.servers KIND FOLDER``.

Prints the port as soon as it listens and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hl7.mllp import start_hl7_server
from pynetdicom import AE, evt

from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.core.message import Blob, Direction, Message, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import datasets, uids
from harness.protocols.dicom.capture import Capture
from harness.protocols.dicom.elements import scan
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.node import Node, Request, Response
from harness.protocols.dicom.part10 import write_part10
from harness.protocols.hl7.acknowledge import Code, acknowledge
from harness.protocols.hl7.mllp import MllpListener, Received
from tests.bench.corpus import archived, scheduled

TITLE = "BENCH"
CONTEXTS = uids.STORAGE[:20]


def receiver(folder: Path, recorder: Recorder, *, capture: bool = True) -> ImageManager:
    """The simulated Image Manager/Archive with its archive and index on disk; captures all traffic."""
    manager = ImageManager(TITLE, recorder, storage=folder / "archive")
    if capture:
        manager.node.tap(Capture(folder / "capture"))
    return manager


def receiver_plain(folder: Path, recorder: Recorder) -> ImageManager:
    """As receiver, without capture."""
    return receiver(folder, recorder, capture=False)


def engine(folder: Path, recorder: Recorder) -> Node:
    """The engine with the least handler: each image is a file, its keys are kept; captures all traffic.

    Images arrive as Part 10 files in the spool folder, so the archive is that folder and an index.
    """
    index: dict[str, tuple[Path, dict[int, bytes]]] = {}
    wanted = frozenset((0x00080018, 0x00080060, 0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00200013))

    def store(request: Request) -> Response:
        instance = request.command["AffectedSOPInstanceUID"]
        path = request.payload.path
        if path is None:  # a small one
            path = folder / f"{instance}.dcm"
            sop_class = request.command["AffectedSOPClassUID"]
            write_part10(path, request.payload, sop_class, instance, request.transfer_syntax)
        index[instance] = (path, scan(request.payload, request.transfer_syntax, wanted))
        return Response()

    tap = Capture(folder / "capture")
    node = Node(TITLE, recorder, actor="image_manager", capture=tap, spool=folder, backlog=512)
    node.serve(uids.STORAGE, store, transfer_syntaxes=uids.ALL_TRANSFER_SYNTAXES)
    return node


def worklist(folder: Path, recorder: Recorder) -> OrderFiller:
    """The simulated Order Filler with 1,000 scheduled steps, captured."""
    filler = OrderFiller(TITLE, recorder)
    filler.node.tap(Capture(folder / "capture"))
    for number in range(1, 1001):
        filler.schedule(scheduled(number))
    return filler


def echo(folder: Path, recorder: Recorder) -> Node:
    """Accepts 20 contexts."""
    node = Node(TITLE, recorder, actor="image_manager")
    node.serve(CONTEXTS, lambda _request: Response())
    return node


def archive(folder: Path, recorder: Recorder) -> ImageManager:
    """The simulated Image Manager/Archive with 1,000 studies of 20 instances, captured."""
    manager = receiver(folder, recorder)
    for dataset in archived(1000, 20):
        manager.archive.store(
            Blob.of(datasets.encode(dataset, uids.EXPLICIT_VR_LE)),
            transfer_syntax=uids.EXPLICIT_VR_LE,
            sop_class=str(dataset.SOPClassUID),
            sop_instance=str(dataset.SOPInstanceUID),
        )
    return manager


def hl7(folder: Path, recorder: Recorder) -> MllpListener:
    """Acknowledges every order."""

    def handle(received: Received) -> list[bytes]:
        return [acknowledge(received.message, Code.ACCEPT, control_id="1", time="20260101101500")]

    return MllpListener(recorder, handle, actor="order_filler")


def python_hl7(folder: Path, recorder: Recorder) -> _Asyncio:
    """The server of python-hl7, acknowledging with its own message class."""
    return _Asyncio()


class _Asyncio:
    """python-hl7's asyncio server on a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def _run(self) -> None:
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        server = await start_hl7_server(self._converse, host="127.0.0.1", port=0)
        self.port = server.sockets[0].getsockname()[1]

    @staticmethod
    async def _converse(reader: Any, writer: Any) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while not writer.is_closing():
                message = await reader.readmessage()
                writer.writemessage(message.create_ack())
                await writer.drain()

    def __enter__(self) -> _Asyncio:
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


def pynetdicom_echo(folder: Path, recorder: Recorder) -> _Pynetdicom:
    """pynetdicom with the same 20 contexts."""
    return _Pynetdicom()


class _Pynetdicom:
    """A pynetdicom application entity, with TCP_NODELAY, which it does not set itself."""

    port = 0

    def __enter__(self) -> _Pynetdicom:
        ae = AE(TITLE)
        for uid in (uids.VERIFICATION, *CONTEXTS[:19]):
            ae.add_supported_context(uid)

        def nodelay(event: Any) -> None:
            event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        self._server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_CONN_OPEN, nodelay)])
        self.port = self._server.server_address[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


class Forgetful(Recorder):
    """Keeps nothing but faults: for runs that are too long to be remembered."""

    def record(self, direction: Direction, protocol: Protocol, kind: str, **details: Any) -> Message:
        """As Recorder, without a place to keep it."""
        return Message(0, 0.0, direction, protocol, kind, **details)


def fuzz_dicom(folder: Path, recorder: Recorder) -> Node:
    """Everything that can be asked, without a memory."""
    node = Node(TITLE, Forgetful(recorder.target), actor="image_manager", spool=folder)

    def find(request: Request) -> Iterator[Response]:
        request.dataset()
        yield Response(0xFF00, b"")
        yield Response()

    def store(request: Request) -> Response:
        try:
            scan(request.payload, request.transfer_syntax, frozenset((0x00080018, 0x0020000D)))
            request.dataset()
        except WireError:
            return Response(0xC000)
        finally:
            if request.payload.path is not None:
                request.payload.path.unlink()
        return Response()

    node.serve(uids.STORAGE, store, transfer_syntaxes=uids.ALL_TRANSFER_SYNTAXES, scp_role=True)
    node.serve([uids.MODALITY_WORKLIST, uids.STUDY_ROOT_FIND], lambda request: guarded(find, request))
    node.serve([uids.MPPS, uids.STORAGE_COMMITMENT], lambda _request: Response())
    return node


def guarded(handler: Callable[[Request], Iterator[Response]], request: Request) -> list[Response]:
    """What an actor does with a data set that cannot be read."""
    try:
        return list(handler(request))
    except WireError:
        return [Response(0xC000)]


def fuzz_hl7(folder: Path, recorder: Recorder) -> MllpListener:
    """Acknowledges every message, without a memory."""
    return hl7(folder, Forgetful(recorder.target))


KINDS: dict[str, Callable[[Path, Recorder], Any]] = {
    "receiver": receiver,
    "receiver-plain": receiver_plain,
    "engine": engine,
    "worklist": worklist,
    "echo": echo,
    "archive": archive,
    "hl7": hl7,
    "fuzz-dicom": fuzz_dicom,
    "fuzz-hl7": fuzz_hl7,
    "python-hl7": python_hl7,
    "pynetdicom": pynetdicom_echo,
}


def main() -> None:
    """Serve one kind."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    transcript = Transcript()
    node = KINDS[kind](folder, Recorder(transcript))
    with node:
        print(node.port, flush=True)
        sys.stdin.read()
    if transcript.faults:
        sys.exit(f"{kind}: {transcript.faults[0]}")


if __name__ == "__main__":
    main()
