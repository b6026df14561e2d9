"""The other side for tests of the modality: worklist, PPS manager, archive, written with pynetdicom alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID
from pynetdicom import AE, build_context, build_role, evt

from harness.modality.config import Configuration, from_mapping
from harness.modality.connection import settle_socket

MWL = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
COMMITMENT = "1.2.840.10008.1.20.1"
STORAGE = (
    "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.88.59",
)  # fmt: skip
PLAIN = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]
COMPRESSED = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"]


def decoded(stream: BytesIO, event: Any) -> Dataset:
    """Decode a payload by pydicom alone."""
    syntax = UID(event.context.transfer_syntax)
    return read_dataset(BytesIO(stream.getvalue()), syntax.is_implicit_VR, syntax.is_little_endian)


@dataclass
class Hospital:
    """What the peers hold, got and do; tests change the fields to make a peer misbehave."""

    worklist: list[Dataset] = field(default_factory=list)
    pending: int = 0xFF00
    find_status: int = 0x0000
    queries: list[Dataset] = field(default_factory=list)
    cancelled: int = 0
    messages: list[tuple[str, str, Dataset]] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    stored: dict[str, Dataset] = field(default_factory=dict)
    syntaxes: list[str] = field(default_factory=list)
    store_calls: int = 0
    store_status: dict[int, int] = field(default_factory=dict)
    requests: list[Dataset] = field(default_factory=list)
    commit_where: str = "other"
    commit_fail: set[str] = field(default_factory=set)
    report_status: list[int] = field(default_factory=list)
    modality: tuple[str, str, int] = ("REFMOD", "127.0.0.1", 0)
    port: int = 0
    title: str = "HOSPITAL"
    proposed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    seen: threading.Condition = field(default_factory=threading.Condition)
    threads: list[threading.Thread] = field(default_factory=list)

    def note(self) -> None:
        """Wake up tests that wait."""
        with self.seen:
            self.seen.notify_all()

    # -- handlers ----------------------------------------------------------------------------------------------

    def requested(self, event: Any) -> None:
        """Remember what was proposed."""
        for context in event.assoc.requestor.requested_contexts:
            self.proposed.append((str(context.abstract_syntax), tuple(map(str, context.transfer_syntax))))

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer every entry, whatever was asked."""
        self.queries.append(decoded(event.request.Identifier, event))
        for entry in self.worklist:
            if event.is_cancelled:
                self.cancelled += 1
                yield 0xFE00, None
                return
            yield self.pending, entry
        if self.find_status:
            yield self.find_status, None

    def create(self, event: Any) -> tuple[int, Dataset | None]:
        """Keep a performed step; a duplicate is refused."""
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid in self.steps:
            return 0x0111, None
        dataset = decoded(event.request.AttributeList, event)
        self.steps[uid] = str(dataset.PerformedProcedureStepStatus)
        self.messages.append(("N-CREATE", uid, dataset))
        self.note()
        return 0x0000, dataset

    def change(self, event: Any) -> tuple[int, Dataset | None]:
        """Change a performed step unless it is final or unknown."""
        uid = str(event.request.RequestedSOPInstanceUID)
        if uid not in self.steps:
            return 0x0112, None
        if self.steps[uid] != "IN PROGRESS":
            return 0x0110, None
        dataset = decoded(event.request.ModificationList, event)
        self.steps[uid] = str(dataset.get("PerformedProcedureStepStatus", "IN PROGRESS"))
        self.messages.append(("N-SET", uid, dataset))
        self.note()
        return 0x0000, dataset

    def store(self, event: Any) -> int:
        """Keep an object, or answer the status that the test wants for the n-th call."""
        self.store_calls += 1
        status = self.store_status.get(self.store_calls, 0x0000)
        if status & 0xF000 not in {0xA000, 0xC000}:
            dataset = decoded(event.request.DataSet, event)
            self.stored[str(event.request.AffectedSOPInstanceUID)] = dataset
            self.syntaxes.append(str(event.context.transfer_syntax))
            self.messages.append(("C-STORE", str(event.request.AffectedSOPInstanceUID), dataset))
        self.note()
        return status

    def action(self, event: Any) -> tuple[int, Dataset | None]:
        """Take a commitment request and report on the same or on another association, or never."""
        request = decoded(event.request.ActionInformation, event)
        self.requests.append(request)
        self.messages.append(("N-ACTION", str(request.TransactionUID), request))
        if self.commit_where != "never":
            send = self._report_here if self.commit_where == "same" else self._report_elsewhere
            thread = threading.Thread(target=send, args=(event.assoc, request))
            self.threads.append(thread)
            thread.start()
        return 0x0000, None

    def result(self, request: Dataset) -> tuple[int, Dataset]:
        """Make the result of a request."""
        good, bad = [], []
        for item in request.ReferencedSOPSequence:
            uid = str(item.ReferencedSOPInstanceUID)
            if uid in self.stored and uid not in self.commit_fail:
                good.append(item)
            else:
                item.FailureReason = 0x0112
                bad.append(item)
        made = Dataset()
        made.TransactionUID = request.TransactionUID
        if good:
            made.ReferencedSOPSequence = good
        if bad:
            made.FailedSOPSequence = bad
        return (2 if bad else 1), made

    def _report_here(self, assoc: Any, request: Dataset) -> None:
        kind, information = self.result(request)
        status, _ = assoc.send_n_event_report(information, kind, COMMITMENT, "1.2.840.10008.1.20.1.1")
        self.report_status.append(status.get("Status", -1))
        self.note()

    def _report_elsewhere(self, assoc: Any, request: Dataset) -> None:
        kind, information = self.result(request)
        self.report(kind, information)

    def report(self, kind: int, information: Dataset) -> None:
        """Open an association to the modality in the SCP role and report."""
        title, host, port = self.modality
        ae = AE(ae_title=self.title)
        assoc = ae.associate(
            host, port, ae_title=title, contexts=[build_context(COMMITMENT, PLAIN)],
            ext_neg=[build_role(COMMITMENT, scu_role=False, scp_role=True)],
            evt_handlers=[(evt.EVT_CONN_OPEN, settle_socket)],
        )  # fmt: skip
        if not assoc.is_established:
            self.report_status.append(-2)
            self.note()
            return
        status, _ = assoc.send_n_event_report(information, kind, COMMITMENT, "1.2.840.10008.1.20.1.1")
        self.report_status.append(status.get("Status", -1))
        assoc.release()
        self.note()

    # -- running -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def open(self, *, syntaxes: list[str] | None = None, storage: tuple[str, ...] = STORAGE) -> Iterator[Hospital]:
        """Listen on a free port of the loopback."""
        ae = AE(ae_title=self.title)
        ae.network_timeout = 30
        for uid in ("1.2.840.10008.1.1", MWL, MPPS):
            ae.add_supported_context(uid, PLAIN)
        ae.add_supported_context(COMMITMENT, PLAIN)
        for uid in storage:
            ae.add_supported_context(uid, syntaxes or [*PLAIN, *COMPRESSED])
        handlers = [
            (evt.EVT_REQUESTED, self.requested),
            (evt.EVT_CONN_OPEN, settle_socket), (evt.EVT_C_FIND, self.find), (evt.EVT_N_CREATE, self.create),
            (evt.EVT_N_SET, self.change),
            (evt.EVT_C_STORE, self.store), (evt.EVT_N_ACTION, self.action),
        ]  # fmt: skip
        server = ae.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        self.port = server.server_address[1]
        try:
            yield self
        finally:
            for thread in self.threads:
                thread.join(20)
            ae.shutdown()

    def settings(self, **more: Any) -> Configuration:
        """Make settings of a modality that knows this hospital and listens on a free port."""
        node = {"ae_title": self.title, "host": "127.0.0.1", "port": self.port, "enabled": True}
        names = ("mwl", "mpps", "qr", "storage", "commitment")
        data: dict[str, Any] = {
            "nodes": dict.fromkeys(names, node),
            "local": {"port": 0},
            "timeouts": {"connect": 2.0, "associate": 5.0, "response": 10.0, "commitment": 10.0},
        }
        for key, value in more.items():
            data.setdefault(key, {}).update(value)
        return from_mapping(data)

    def kinds(self) -> list[str]:
        """Return the kinds of messages in the order in which they came."""
        return [kind for kind, _, _ in self.messages]

    def last(self, kind: str) -> Dataset:
        """Return the latest message of a kind."""
        return next(dataset for each, _, dataset in reversed(self.messages) if each == kind)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Make a coded entry."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def entry(
    step_id: str = "SPS1", *, accession: str = "ACC1", procedure: str = "RP1", study: str = "1.2.3.4.1",
    name: str = "Doe^Jane", patient_id: str = "PID1", sets: str | list[str] | None = None, modality: str = "DX",
) -> Dataset:  # fmt: skip
    """Make one worklist entry."""
    made = Dataset()
    if sets:
        made.SpecificCharacterSet = sets
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = name, patient_id, "19700102", "F"
    made.IssuerOfPatientID = "HOSP"
    made.AccessionNumber, made.RequestedProcedureID, made.StudyInstanceUID = accession, procedure, study
    made.ReferringPhysicianName = "Ref^Doc"
    made.RequestedProcedureDescription = "Chest 2 views"
    made.RequestedProcedureCodeSequence = [code("RPC1", "99TEST", "Chest two views")]
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", f"{study}.9"
    made.ReferencedStudySequence = [reference]
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = modality, "REFMOD"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20261121", "0800"
    step.ScheduledProcedureStepDescription, step.ScheduledProcedureStepID = "Chest PA", step_id
    step.ScheduledPerformingPhysicianName = "Perf^Doc"
    step.ScheduledProtocolCodeSequence = [code("PC1", "99TEST", "Chest PA upright")]
    made.ScheduledProcedureStepSequence = [step]
    return made
