"""The listeners that are measured, each as a process of its own: ``python -m tests.bench.servers KIND FOLDER``.

Prints the port as soon as it listens and serves until its standard input is closed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.capture import Capture
from harness.protocols.dicom.elements import encode_elements, scan
from harness.protocols.dicom.node import Node, Request, Response
from harness.protocols.dicom.part10 import write_part10
from tests.bench.corpus import worklist_entries

TITLE = "BENCH"
CONTEXTS = uids.STORAGE[:20]


def receiver(folder: Path, recorder: Recorder) -> Node:
    """Stores every image as a Part 10 file and keeps the keys that queries need; captures all traffic."""
    index: dict[str, dict[int, bytes]] = {}
    wanted = frozenset((0x00080018, 0x00080060, 0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00200013))

    def store(request: Request) -> Response:
        instance = request.command["AffectedSOPInstanceUID"]
        keys = scan(request.payload, request.transfer_syntax, wanted)
        path = folder / f"{instance}.dcm"
        write_part10(path, request.payload, request.command["AffectedSOPClassUID"], instance, request.transfer_syntax)
        index[instance] = keys
        return Response()

    node = Node(TITLE, recorder, actor="image_manager", capture=Capture(folder / "capture"))
    node.serve(uids.STORAGE, store, transfer_syntaxes=uids.ALL_TRANSFER_SYNTAXES)
    return node


def worklist(folder: Path, recorder: Recorder) -> Node:
    """Answers every worklist query with all entries."""
    entries = [encode_elements(entry, uids.IMPLICIT_VR_LE) for entry in worklist_entries(1000)]

    def find(request: Request) -> list[Response]:
        return [*(Response(0xFF00, entry) for entry in entries), Response()]

    node = Node(TITLE, recorder, actor="order_filler")
    node.serve([uids.MODALITY_WORKLIST], find, transfer_syntaxes=[uids.IMPLICIT_VR_LE])
    return node


def echo(folder: Path, recorder: Recorder) -> Node:
    """Accepts 20 contexts."""
    node = Node(TITLE, recorder, actor="image_manager")
    node.serve(CONTEXTS, lambda _request: Response())
    return node


KINDS = {"receiver": receiver, "worklist": worklist, "echo": echo}


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
