"""The service user side of DICOM over pynetdicom: one association, its requests, and why it failed if it did."""

from __future__ import annotations

import itertools
import queue
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import build_context, build_role, evt
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.dimse_primitives import (
    C_CANCEL,
    C_ECHO,
    C_FIND,
    C_GET,
    C_MOVE,
    C_STORE,
    N_ACTION,
    N_CREATE,
    N_DELETE,
    N_EVENT_REPORT,
    N_GET,
    N_SET,
)

from harness.modality import wire
from harness.modality.config import NodeSettings, Timeouts
from harness.modality.connection import Caller, Inbox, resolve, settle_socket, why_not
from harness.modality.errors import Cause, PeerProblem
from harness.modality.provider import ReportHandler, StoreHandler, serve_report, serve_store

VERIFICATION = "1.2.840.10008.1.1"

# The payload of each request and of its response, by the field of pynetdicom's primitive.
_SENT = {
    C_FIND: "Identifier",
    C_MOVE: "Identifier",
    C_GET: "Identifier",
    C_STORE: "DataSet",
    N_CREATE: "AttributeList",
    N_SET: "ModificationList",
    N_ACTION: "ActionInformation",
    N_EVENT_REPORT: "EventReply",
}
_RECEIVED = {
    **_SENT,
    N_CREATE: "AttributeList",
    N_SET: "AttributeList",
    N_GET: "AttributeList",
    N_ACTION: "ActionReply",
}


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context to propose; `scp_role` asks for the SCP role as well (C-GET)."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    scp_role: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: its status, its data set if one came, and the whole primitive."""

    status: int
    dataset: Dataset | None
    primitive: Any

    @property
    def comment(self) -> str:
        """The peer's words on an error, if it said any."""
        return str(getattr(self.primitive, "ErrorComment", "") or "")


class Link:
    """One association that we opened. Use as a context manager; leaving it releases, an error aborts."""

    def __init__(
        self,
        peer_name: str,
        node: NodeSettings,
        contexts: Sequence[Context],
        *,
        calling: str,
        timeouts: Timeouts,
        on_report: ReportHandler | None = None,
        on_store: StoreHandler | None = None,
        politely: bool = True,
        watch: Sequence[tuple[Any, ...]] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.peer = f"{peer_name} {node.ae_title}@{node.host}:{node.port}"
        self._node, self._timeouts, self._politely = node, timeouts, politely
        self._on_report, self._on_store, self._watch, self._tls = on_report, on_store, watch, tls
        self._messages = itertools.count(1)
        self._serving = threading.RLock()
        self._unanswered_reports = 0
        self._report_answered = threading.Condition()
        if not node.enabled:
            raise PeerProblem(Cause.DISABLED, self.peer, "this node is switched off")
        self._assoc = self._associate(contexts, calling)

    # -- opening and closing -----------------------------------------------------------------------------------

    def _associate(self, contexts: Sequence[Context], calling: str) -> Any:
        resolve(self.peer, self._node)
        ae = Caller(ae_title=calling)
        ae.connection_timeout = self._timeouts.connect
        ae.acse_timeout = self._timeouts.associate
        ae.dimse_timeout = self._timeouts.response
        ae.network_timeout = None
        ae.implementation_class_uid = UID(wire.IMPLEMENTATION_CLASS_UID)
        ae.implementation_version_name = wire.IMPLEMENTATION_VERSION
        requested = [build_context(c.abstract_syntax, list(c.transfer_syntaxes)) for c in contexts]
        roles = [
            build_role(uid, scp_role=True) for uid in dict.fromkeys(c.abstract_syntax for c in contexts if c.scp_role)
        ]
        opened: list[bool] = []

        def on_open(event: Any) -> None:
            opened.append(True)
            settle_socket(event)

        handlers: list[tuple[Any, ...]] = [(evt.EVT_CONN_OPEN, on_open), *self._watch]
        if self._on_report is not None:
            handlers.append((evt.EVT_N_EVENT_REPORT, self._report))
            handlers.append((evt.EVT_DIMSE_SENT, self._sent))
        if self._on_store is not None:
            handlers.append((evt.EVT_C_STORE, self._stored))
        began = time.monotonic()
        try:
            assoc = ae.associate(
                self._node.host,
                self._node.port,
                contexts=requested,
                ae_title=self._node.ae_title,
                ext_neg=roles,
                evt_handlers=handlers,
                tls_args=None if self._tls is None else (self._tls, self._node.host),
            )
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise PeerProblem(Cause.UNREACHABLE, self.peer, str(error)) from None
        if assoc.is_established:
            self._inbox = Inbox(assoc)
            self._serve_one_at_a_time(assoc)
            return assoc
        seconds = time.monotonic() - began
        raise why_not(assoc, self.peer, self._node, self._timeouts, bool(opened), seconds, self._tls)

    def _serve_one_at_a_time(self, assoc: Any) -> None:
        # A request of the peer has to be answered in full before we release: hold this lock for both.
        original = assoc._serve_request

        def serve(message: Any, context_id: int) -> None:
            with self._serving:
                original(message, context_id)

        assoc._serve_request = serve

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._await_report_answers()
        # a refusal ends what was wanted of the peer, not the conversation with it
        answered = kind is None or (isinstance(error, PeerProblem) and error.cause is Cause.STATUS)
        with self._serving:
            if self._assoc.is_established and answered and self._politely:
                self._assoc.release()
            elif self._assoc.is_established:
                self._assoc.abort()
        self._assoc.join(self._timeouts.response)

    # -- requests ----------------------------------------------------------------------------------------------

    def accepted(self, abstract_syntax: str, transfer_syntax: str = "") -> tuple[int, str] | None:
        """Return the context ID and transfer syntax accepted for a service, preferring `transfer_syntax`."""
        found = None
        for context in self._assoc.accepted_contexts:
            if context.abstract_syntax == abstract_syntax:
                syntax = str(context.transfer_syntax[0])
                if syntax == transfer_syntax:
                    return context.context_id, syntax
                found = found or (context.context_id, syntax)
        return found

    def _context(self, abstract_syntax: str, transfer_syntax: str) -> tuple[int, str]:
        found = self.accepted(abstract_syntax, transfer_syntax)
        if found is None or (transfer_syntax and found[1] != transfer_syntax):
            wanted = f" in {UID(transfer_syntax).name}" if transfer_syntax else ""
            raise PeerProblem(Cause.NO_CONTEXT, self.peer, f"it does not accept {UID(abstract_syntax).name}{wanted}")
        return found

    def exchange(
        self,
        primitive: Any,
        abstract_syntax: str,
        payload: Dataset | bytes | None = None,
        *,
        transfer_syntax: str = "",
        on_pending: Callable[[Reply], bool] | None = None,
        is_pending: Callable[[int], bool] = lambda status: status in {0xFF00, 0xFF01},
    ) -> Reply:
        """Send one request and return its final response; `on_pending` gets the others, False from it cancels."""
        context_id, syntax = self._context(abstract_syntax, transfer_syntax)
        primitive.MessageID = next(self._messages) % 65535 or 1
        if payload is not None:
            raw = wire.encode_dataset(payload, syntax) if isinstance(payload, Dataset) else payload
            setattr(primitive, _SENT[type(primitive)], BytesIO(raw))
        with self._inbox.outstanding():
            self._assoc.dimse.send_msg(primitive, context_id)
            cancelled = False
            while True:
                answer = self._next(context_id)
                if isinstance(answer, (N_EVENT_REPORT, C_STORE)) and answer.MessageIDBeingRespondedTo is None:
                    self._assoc._serve_request(answer, answer._context_id or context_id)
                    continue
                if answer.MessageIDBeingRespondedTo != primitive.MessageID:
                    raise PeerProblem(Cause.PROTOCOL, self.peer, "it answered a message that was not sent")
                reply = self._reply(answer, type(primitive), syntax)
                if not is_pending(reply.status):
                    return reply
                if on_pending is not None and not on_pending(reply) and not cancelled:
                    cancelled = True
                    cancel = C_CANCEL()
                    cancel.MessageIDBeingRespondedTo = primitive.MessageID
                    self._assoc.dimse.send_msg(cancel, context_id)

    def _next(self, context_id: int) -> Any:
        try:
            got_id, answer = self._inbox.take(self._timeouts.response)
        except queue.Empty:
            raise PeerProblem(Cause.TIMEOUT, self.peer, f"no response in {self._timeouts.response:.0f} s") from None
        if answer is None:
            raise PeerProblem(Cause.ABORTED, self.peer, "the association ended before the response")
        answer._context_id = got_id or context_id
        return answer

    def _reply(self, answer: Any, kind: type, syntax: str) -> Reply:
        status = answer.Status
        if status is None or not isinstance(answer, kind):
            raise PeerProblem(Cause.PROTOCOL, self.peer, "it sent a response without a status, or of another kind")
        stream = getattr(answer, _RECEIVED.get(kind, ""), None) if kind in _RECEIVED else None
        raw = stream.getvalue() if stream is not None else b""
        dataset = None
        if raw:
            try:
                dataset = wire.decode_dataset(raw, syntax)
            except ValueError as error:
                raise PeerProblem(Cause.PROTOCOL, self.peer, str(error)) from None
        return Reply(int(status), dataset, answer)

    def echo(self) -> int:
        """Send a C-ECHO; return its status."""
        primitive = C_ECHO()
        primitive.AffectedSOPClassUID = UID(VERIFICATION)
        return self.exchange(primitive, VERIFICATION).status

    def find(self, model: str, identifier: Dataset, on_pending: Callable[[Reply], bool], **options: Any) -> Reply:
        """Send a C-FIND; `on_pending` gets each match."""
        primitive = C_FIND()
        primitive.AffectedSOPClassUID = UID(model)
        primitive.Priority = 0
        return self.exchange(primitive, model, identifier, on_pending=on_pending, **options)

    def store(self, raw: bytes, sop_class: str, sop_instance: str, transfer_syntax: str) -> Reply:
        """Send a C-STORE with an already encoded data set."""
        primitive = C_STORE()
        primitive.AffectedSOPClassUID = UID(sop_class)
        primitive.AffectedSOPInstanceUID = UID(sop_instance)
        primitive.Priority = 0
        return self.exchange(primitive, sop_class, raw, transfer_syntax=transfer_syntax)

    def move(self, model: str, identifier: Dataset, destination: str, on_pending: Callable[[Reply], bool]) -> Reply:
        """Send a C-MOVE to `destination`."""
        primitive = C_MOVE()
        primitive.AffectedSOPClassUID = UID(model)
        primitive.Priority = 0
        primitive.MoveDestination = destination
        return self.exchange(primitive, model, identifier, on_pending=on_pending)

    def get(self, model: str, identifier: Dataset, on_pending: Callable[[Reply], bool]) -> Reply:
        """Send a C-GET; stored objects go to the handler that was given when the association was made."""
        primitive = C_GET()
        primitive.AffectedSOPClassUID = UID(model)
        primitive.Priority = 0
        return self.exchange(primitive, model, identifier, on_pending=on_pending)

    def n_create(self, sop_class: str, sop_instance: str, attributes: Dataset | None, context: str = "") -> Reply:
        """Send an N-CREATE; an empty `sop_instance` lets the peer choose the UID."""
        primitive = N_CREATE()
        primitive.AffectedSOPClassUID = UID(sop_class)
        if sop_instance:
            primitive.AffectedSOPInstanceUID = UID(sop_instance)
        return self.exchange(primitive, context or sop_class, attributes)

    def n_set(self, sop_class: str, sop_instance: str, changes: Dataset, context: str = "") -> Reply:
        """Send an N-SET."""
        primitive = N_SET()
        primitive.RequestedSOPClassUID = UID(sop_class)
        primitive.RequestedSOPInstanceUID = UID(sop_instance)
        return self.exchange(primitive, context or sop_class, changes)

    def n_get(self, sop_class: str, sop_instance: str, context: str = "") -> Reply:
        """Send an N-GET for all attributes."""
        primitive = N_GET()
        primitive.RequestedSOPClassUID = UID(sop_class)
        primitive.RequestedSOPInstanceUID = UID(sop_instance)
        return self.exchange(primitive, context or sop_class)

    def n_action(
        self, sop_class: str, sop_instance: str, action: int, information: Dataset | None, context: str = ""
    ) -> Reply:
        """Send an N-ACTION."""
        primitive = N_ACTION()
        primitive.RequestedSOPClassUID = UID(sop_class)
        primitive.RequestedSOPInstanceUID = UID(sop_instance)
        primitive.ActionTypeID = action
        return self.exchange(primitive, context or sop_class, information)

    def n_delete(self, sop_class: str, sop_instance: str, context: str = "") -> Reply:
        """Send an N-DELETE."""
        primitive = N_DELETE()
        primitive.RequestedSOPClassUID = UID(sop_class)
        primitive.RequestedSOPInstanceUID = UID(sop_instance)
        return self.exchange(primitive, context or sop_class)

    # -- requests of the peer on our association -------------------------------------------------------------------

    def _report(self, event: Any) -> tuple[int, Dataset | None]:
        with self._report_answered:
            self._unanswered_reports += 1
        return serve_report(event, self._on_report)

    def _sent(self, event: Any) -> None:
        if isinstance(event.message, N_EVENT_REPORT_RSP):
            with self._report_answered:
                self._unanswered_reports -= 1
                self._report_answered.notify_all()

    def _await_report_answers(self) -> None:
        # A report on this association is served by another thread: a release must not overtake its response.
        with self._report_answered:
            self._report_answered.wait_for(lambda: self._unanswered_reports <= 0, self._timeouts.response)

    def _stored(self, event: Any) -> int:
        return serve_store(event, self._on_store)
