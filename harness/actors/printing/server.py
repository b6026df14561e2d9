"""The simulated Print Server (RAD-23): Basic Grayscale Print Management with or without Presentation LUT."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydicom.dataset import Dataset

from harness.actors.actor import SimulatedActor, sop_instance
from harness.actors.objects import uid_source
from harness.actors.printing.server_behaviour import HEALTHY, PrintServerBehaviour
from harness.actors.printing.server_film import Sheet
from harness.actors.printing.server_printer import Printer
from harness.actors.printing.server_session import PrintSession
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import uids
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.node import Address, Association, Request, Response

FILM = "FILM"
_MOST_SESSIONS = 64
#: Event Type IDs of the Print Job (PS3.4 Table H.4-21) and the Printer (Table H.4-18)
_JOB_EVENTS = {"PENDING": 1, "PRINTING": 2, "DONE": 3, "FAILURE": 4}
_PRINTER_EVENTS = {"NORMAL": 1, "WARNING": 2, "FAILURE": 3}


class PrintServer(SimulatedActor):
    """A film printer of ours: every film becomes a PNG and a table of P-Values in the transcript.

    Each film is recorded as a message of kind ``FILE`` (the PNG) and noted as a fact of kind ``FILM`` with the film
    box, display format, viewing conditions and, for every image box, stored values with P-Value and optical density.
    With ``storage`` both are files of that folder as well.
    """

    slug: ClassVar[str] = "print-server"
    name: ClassVar[str] = "Print Server"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        printer: Printer | None = None,
        behaviour: PrintServerBehaviour = HEALTHY,
        new_uid: Callable[[], str] | None = None,
        peers: dict[str, Address] | None = None,
        storage: Path | None = None,
    ) -> None:
        self.storage = storage
        self.printer = printer or Printer()
        self.behaviour = behaviour
        self._new_uid = new_uid or uid_source()
        self._sessions: dict[int, PrintSession] = {}
        self._lock = threading.Lock()
        self._status = ("NORMAL", "")
        self._events: queue.SimpleQueue[tuple[Association, str, str, str, str] | None] = queue.SimpleQueue()
        self._reporter: threading.Thread | None = None
        self._last: Mapping[str, Any] = {}
        self._films = 0
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        classes = [uids.BASIC_GRAYSCALE_PRINT, uids.PRINTER]
        if self.printer.supports_presentation_lut:
            classes.append(uids.PRESENTATION_LUT)
        if self.printer.supports_print_job:
            classes.append(uids.PRINT_JOB)
        self.node.serve([uid for uid in classes if uid not in self.behaviour.refused_classes], self._handle)

    def _started(self) -> None:
        self._reporter = threading.Thread(target=self._report, name=f"{self.ae_title}-events", daemon=True)
        self._reporter.start()

    def _stopping(self) -> None:
        if self._reporter is not None:
            self._events.put(None)
            for association in self.node.associations:
                association.wake()
            self._reporter.join(10.0)
            self._reporter = None

    def change_status(self, status: str, info: str = "") -> None:
        """Make the printer NORMAL, WARNING or FAILURE and tell every association that is open (N-EVENT-REPORT)."""
        event = _PRINTER_EVENTS[status]
        self._status = (status, info)
        if not self.behaviour.reports_changes:
            return
        for association in self.node.associations:
            for abstract_syntax in _contexts(association, uids.BASIC_GRAYSCALE_PRINT, uids.PRINTER):
                item = (association, abstract_syntax, uids.PRINTER, uids.PRINTER_INSTANCE, f"{event}:{info}")
                self._events.put(item)
                break

    def measured(self, position: int = 1) -> str:
        """What a densitometer reads on the steps of an image of the last film, from left to right, as a table (CSV)."""
        with self._lock:
            boxes = [box for box in self._last.get("boxes") or () if box["position"] == position]
        levels = sorted(boxes[0]["levels"], key=lambda one: int(one["column"])) if boxes else []
        lines = (f"{step},{one['density']}" for step, one in enumerate(levels))
        return "\n".join(["step,density", *lines, ""])

    def _handle(self, request: Request) -> Response:
        session = self._session(request.association)
        command = request.command
        sop_class = str(command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID") or "")
        reply = session.handle(
            request.kind,
            sop_class,
            sop_instance(request),
            request.dataset(),
            int(command.get("ActionTypeID") or 0),
            command.get("AttributeIdentifierList"),
        )
        for job, sheet in session.take_sheets():
            self._deliver(request.association, job, sheet)
        return Response(reply.status, reply.dataset, reply.fields)

    def _session(self, association: Association) -> PrintSession:
        with self._lock:
            if association.id not in self._sessions:
                while len(self._sessions) >= _MOST_SESSIONS:
                    del self._sessions[next(iter(self._sessions))]
                self._sessions[association.id] = PrintSession(
                    self.printer,
                    self._new_uid,
                    behaviour=self.behaviour,
                    printer_status=lambda: self._status,
                    print_job=bool(_contexts(association, uids.PRINT_JOB)),
                )
            return self._sessions[association.id]

    def _deliver(self, association: Association, job: str, sheet: Sheet) -> None:
        with self._lock:
            self._films += 1
            self._last = sheet.table
            number = self._films
        name = f"film-{number}.png"
        message = self.recorder.record(
            Direction.NONE,
            Protocol.FILE,
            "FILE",
            actor=self.name,
            association=association.id,
            fields={"name": name, "media_type": "image/png", "role": "film"},
            payload=Blob.of(sheet.picture),
        )
        self.note(FILM, {**sheet.table, "picture": name, "message": message.seq, "association": association.id})
        if self.storage is not None:
            self._keep(sheet, f"film-{number:04d}")
        for abstract_syntax in _contexts(association, uids.PRINT_JOB):
            for state in ("PRINTING", "DONE"):
                self._events.put((association, abstract_syntax, uids.PRINT_JOB, job, f"{_JOB_EVENTS[state]}:NORMAL"))

    def _keep(self, sheet: Sheet, stem: str) -> None:
        """The film as PNG, and its table of P-Values and densities as JSON, for a printer that stands alone."""
        assert self.storage is not None
        try:
            self.storage.mkdir(parents=True, exist_ok=True)
            (self.storage / f"{stem}.png").write_bytes(sheet.picture)
            table = json.dumps(dict(sheet.table), indent=1, ensure_ascii=False)
            (self.storage / f"{stem}.json").write_text(f"{table}\n", encoding="utf-8")
        except OSError as error:
            self.recorder.fault(f"keeping a film in {self.storage}", error)

    def _report(self) -> None:
        """Send N-EVENT-REPORTs: a printer reports whenever it has something to say, not only when asked."""
        while (item := self._events.get()) is not None:
            association, abstract_syntax, sop_class, instance, what = item
            number, _, info = what.partition(":")
            ds = Dataset()
            if sop_class == uids.PRINT_JOB:
                ds.ExecutionStatusInfo, ds.PrinterName = info, self.printer.name
            else:
                ds.PrinterStatusInfo, ds.PrinterName = info, self.printer.name
            about = self.behaviour.job_event(instance) if sop_class == uids.PRINT_JOB else instance
            try:
                association.n_event_report(
                    sop_class, about, int(number), ds, abstract_syntax=abstract_syntax, timeout=5.0
                )
            except PeerError:
                continue  # the transcript shows what became of it
            if int(number) == _JOB_EVENTS["DONE"] and sop_class == uids.PRINT_JOB:
                self._session(association).forget_job(instance)


def _contexts(association: Association, *abstract_syntaxes: str) -> list[str]:
    accepted: list[Any] = [context.abstract_syntax for context in association.accepted]
    return [uid for uid in abstract_syntaxes if uid in accepted]
