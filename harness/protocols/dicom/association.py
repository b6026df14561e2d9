"""An association as both sides use it: the core, a channel, and whoever waits reads.

There is no reader thread of its own unless somebody must serve requests at any time: a thread that waits for
something reads the socket itself when nobody else does, so that a response needs no hand-over between threads.
"""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.core.message import EMPTY, Blob, Direction, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import command as dimse
from harness.protocols.dicom import datasets, negotiation
from harness.protocols.dicom.channel import TIMED_OUT, Buffer, Channel
from harness.protocols.dicom.core import (
    AssociationCore,
    CoreEvent,
    Ended,
    MessageArrived,
    PduArrived,
    PduSent,
    Violation,
)
from harness.protocols.dicom.errors import (
    AssociationAborted,
    AssociationRejected,
    NoPresentationContext,
    PeerError,
    PeerTimeout,
)
from harness.protocols.dicom.fragments import Payload, command_pdus, data_pdus
from harness.protocols.dicom.fsm import State
from harness.protocols.dicom.model import (
    CANCELLED,
    NO_SUCH_SOP_CLASS,
    PROCESSING_FAILURE,
    UNRECOGNIZED_OPERATION,
    Answer,
    Context,
    Handler,
    Request,
    Response,
    Timeouts,
)
from harness.protocols.dicom.pdu import AssociateAC, AssociateRQ, ae_text
from harness.protocols.dicom.requests import Services
from harness.protocols.dicom.sinks import Extent
from harness.protocols.dicom.workers import Workers

_NUMBERS = itertools.count(1)
_LONG_RUNNING = frozenset(("C-FIND-RQ", "C-GET-RQ", "C-MOVE-RQ"))


def next_number() -> int:
    """A number for a connection, unique in this process."""
    return next(_NUMBERS)


class Operation(Iterator[Answer]):
    """A request that was sent: iterate over its responses; :meth:`cancel` sends C-CANCEL."""

    def __init__(self, association: Association, message_id: int, context: Context, kind: str, timeout: float) -> None:
        self.message_id = message_id
        self.context = context
        self.expects = kind.replace("-RQ", "-RSP")
        self.answers: deque[Answer] = deque()
        self.final = False
        self._association = association
        self._timeout = timeout
        self._finished = False

    def __next__(self) -> Answer:
        """The next response. Raises PeerTimeout, AssociationAborted."""
        if self._finished:
            raise StopIteration
        answer = self._association.next_answer(self, self._timeout)
        self._finished = not answer.is_pending
        return answer

    def cancel(self) -> None:
        """Ask the peer to stop; its final response still has to be read."""
        self._association.cancel(self)


class Association(Services):
    """One association in either direction; every message both ways is in the transcript.

    ``handlers`` finds who serves a request on a context, None if nobody does.
    """

    def __init__(
        self,
        channel: Channel,
        core: AssociationCore,
        recorder: Transcript | Recorder,
        *,
        number: int,
        actor: str,
        timeouts: Timeouts,
        handlers: Callable[[Context], Handler | None],
        workers: Workers | None,
        peer: str,
        extents: list[Extent],
    ) -> None:
        self.id = number
        self.peer = peer
        self.timeouts = timeouts
        self.contexts: dict[int, Context] = {}
        self.request_pdu: AssociateRQ | None = None
        self.request_raw = b""
        self.answer_pdu: AssociateAC | None = None
        self.handlers = handlers
        self._channel = channel
        self._core = core
        self._recorder = recorder
        self._actor = actor
        self._workers = workers
        self._extents = extents
        self._changed = threading.Condition()
        self._sending = threading.RLock()
        self._send_depth = 0
        self._output: list[bytes] = []
        self._reader = 0  # ident of the thread that reads the socket now
        self._waiters = 0
        self._inbox: deque[Request] = deque()
        self._running: dict[int, Request] = {}  # requests of the peer that are not answered yet, by message id
        self._serving = 0  # ident of the thread that runs a handler in line
        self._pending: dict[int, Operation] = {}
        self._message_ids = itertools.cycle(range(1, 65536))
        self._ended: Ended | None = None
        self._artim_deadline = 0.0
        self._concurrent = False
        self._closed_recorded = False
        self._busy = 0  # handlers that run on other threads

    # -- what everybody may ask --------------------------------------------------------------------------------

    @property
    def accepted(self) -> tuple[Context, ...]:
        """The accepted presentation contexts."""
        return tuple(self.contexts.values())

    @property
    def calling_ae(self) -> str:
        """AE title of the requestor, without insignificant blanks."""
        return ae_text(self.request_pdu.calling) if self.request_pdu else ""

    @property
    def called_ae(self) -> str:
        """AE title of the acceptor as the requestor called it."""
        return ae_text(self.request_pdu.called) if self.request_pdu else ""

    @property
    def is_open(self) -> bool:
        """True while messages can be exchanged; looks at the socket if nobody else reads it."""
        if self._ended is None and self._workers is None:
            self._wait_until(lambda: self._ended is not None, 0.0)
        return self._ended is None and self._core.state is State.ESTABLISHED

    def context_for(self, abstract_syntax: str, transfer_syntax: str | None = None) -> Context:
        """The first accepted context for it. Raises NoPresentationContext with what was accepted instead."""
        for context in self.contexts.values():
            if context.abstract_syntax == abstract_syntax and transfer_syntax in (None, context.transfer_syntax):
                return context
        raise NoPresentationContext(self._no_context(abstract_syntax, transfer_syntax))

    # -- requests ----------------------------------------------------------------------------------------------

    def request(
        self,
        kind: str,
        command: Mapping[str, Any],
        dataset: Dataset | bytes | Path | Payload | None = None,
        *,
        abstract_syntax: str,
        transfer_syntax: str | None = None,
        timeout: float | None = None,
    ) -> Operation:
        """Send any DIMSE request now; iterate over the result for its responses.

        ``kind`` is ``C-FIND-RQ`` and so on. MessageID, Priority and the SOP class are filled in when they are not
        in ``command``. Bytes and files go out as they are; a Part 10 file without its meta information. Raises
        NoPresentationContext, AssociationAborted, PeerTimeout.
        """
        kind = kind if kind.endswith("-RQ") else f"{kind}-RQ"
        context = self.context_for(abstract_syntax, transfer_syntax)
        values = {"CommandField": dimse.FIELDS[kind], **command}
        if kind.startswith("C-") and kind not in ("C-ECHO-RQ", "C-CANCEL-RQ"):
            values.setdefault("Priority", 0)
        key = "AffectedSOPClassUID" if kind.startswith(("C-", "N-CREATE", "N-EVENT")) else "RequestedSOPClassUID"
        values.setdefault(key, abstract_syntax)
        with self._changed:
            message_id = values.setdefault("MessageID", next(self._message_ids))
            operation = Operation(self, message_id, context, kind, timeout or self.timeouts.dimse)
            self._pending[message_id] = operation
        try:
            self.send_message(context, kind, values, dataset)
        except PeerError:
            self._pending.pop(message_id, None)
            raise
        return operation

    def cancel(self, operation: Operation) -> None:
        """Send C-CANCEL for an operation that is not finished."""
        if operation.final or self._ended is not None:
            return
        values = {"CommandField": dimse.FIELDS["C-CANCEL-RQ"], "MessageIDBeingRespondedTo": operation.message_id}
        self.send_message(operation.context, "C-CANCEL-RQ", values, None)

    def next_answer(self, operation: Operation, timeout: float) -> Answer:
        """Wait for the next response to an operation. Raises PeerTimeout, AssociationAborted."""
        answers = operation.answers
        if not answers and not self._wait_until(lambda: bool(answers), timeout):
            self._pending.pop(operation.message_id, None)
            self._raise_if_ended()
            raise PeerTimeout(
                f"{self.peer} sent no {operation.expects} for message {operation.message_id} within {timeout:g} s"
            )
        return answers.popleft()

    def send_message(
        self,
        context: Context,
        kind: str,
        values: Mapping[str, Any],
        dataset: Dataset | bytes | Path | Payload | None,
    ) -> int:
        """Send one DIMSE message, whatever it is, and record it; its number in the transcript."""
        payload = self._payload(dataset, context.transfer_syntax)
        values = {**values, "CommandDataSetType": dimse.NO_DATA_SET if payload is None else 0x0001}
        encoded = dimse.encode(values)
        maximum = self._core.peer_max_pdu
        blob = EMPTY if payload is None else payload.blob
        with self._sending:
            self._raise_if_ended()
            self._send_depth += 1
            try:
                seq = self._record(
                    Direction.TO_SUT,
                    kind,
                    self._fields(values, context),
                    context,
                    payload=blob,
                    header=Blob.of(encoded),
                )
                head = command_pdus(context.id, encoded, maximum)
                if payload is None:
                    self._transmit(head)
                else:
                    for buffers in data_pdus(context.id, payload, maximum):
                        self._transmit([*head, *buffers] if head else buffers)
                        head = []
            finally:
                self._send_depth -= 1
                self._flush()
        return seq

    def _payload(self, dataset: Dataset | bytes | Path | Payload | None, transfer_syntax: str) -> Payload | None:
        if dataset is None or isinstance(dataset, Payload):
            return dataset
        if isinstance(dataset, Dataset):
            return Payload.of(datasets.encode(dataset, transfer_syntax))
        return Payload.of(dataset) if isinstance(dataset, bytes) else Payload.part10(dataset)

    # -- the end -----------------------------------------------------------------------------------------------

    def release(self) -> bool:
        """Release and close; False if it was over already or the peer did not answer in time."""
        with self._changed:
            asked = self._ended is None and self._core.release()
            self._collect(self._core.take_events())
        if asked:
            self._flush()
            self._wait_until(lambda: False, self.timeouts.release)
        released = self._ended is not None and self._ended.how == "released"
        if self._ended is None:
            self._note_violation("PS3.8 7.2", "no A-RELEASE-RP came in time")
            self.abort()
        if self._workers is None or self._core.closing:
            self.close()
        return asked and released

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """Send A-ABORT and close."""
        with self._changed:
            self._core.abort(source, reason)
            self._collect(self._core.take_events())
        self._flush()
        self._channel.half_close()
        if self._reader in (0, threading.get_ident()):
            self._drain(min(self.timeouts.release, 1.0))
            self.close()
        else:
            self._channel.wake()

    def close(self) -> None:
        """Close the connection without a word; records it once."""
        with self._changed:
            if self._closed_recorded:
                return
            self._closed_recorded = True
            if self._ended is None:
                self._ended = Ended("lost")
            for request in self._running.values():
                request.cancelled.set()
            self._changed.notify_all()
        self._channel.close()
        self._record(Direction.NONE, "CONNECTION-CLOSED", {"how": self._ended.how, "peer": self.peer})

    def wake(self) -> None:
        """End every wait on this association from another thread: the connection is shut down."""
        self._channel.wake()

    def __enter__(self) -> Association:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _raise_if_ended(self) -> None:
        ended = self._ended
        if ended is None:
            return
        if ended.how == "rejected":
            result = getattr(self._last_pdu, "result", 0)
            raise AssociationRejected(self.peer, result, ended.source, ended.reason)
        if ended.how == "aborted":
            raise AssociationAborted(self.peer, ended.source, ended.reason)
        if ended.how == "lost":
            raise AssociationAborted(self.peer)
        raise AssociationAborted(f"the association with {self.peer} is over ({ended.how}); {self.peer}", ended.source)

    _last_pdu: object = None

    # -- negotiation -------------------------------------------------------------------------------------------

    def open_as_requestor(self, pdu: AssociateRQ) -> None:
        """Send the request and wait for the answer. Raises AssociationRejected, AssociationAborted, PeerTimeout."""
        self.request_pdu, self.request_raw = pdu, pdu.encode()
        with self._changed:
            self._core.request(pdu)
            self._collect(self._core.transport_opened())
        self._flush()
        if not self._wait_until(lambda: self.answer_pdu is not None, self.timeouts.associate):
            if self._ended is None:
                self.abort()
                raise PeerTimeout(f"{self.peer} did not answer A-ASSOCIATE-RQ within {self.timeouts.associate:g} s")
            self.close()
            self._raise_if_ended()

    def open_as_acceptor(self, decide: Callable[[AssociateRQ, bytes], AssociateAC | tuple[int, int, int]]) -> bool:
        """Wait for the request and answer it as ``decide`` says; True if the association is established."""
        with self._changed:
            self._collect(self._core.transport_opened())
        if not self._wait_until(lambda: self.request_pdu is not None, self.timeouts.associate):
            return False
        assert self.request_pdu is not None
        answer = decide(self.request_pdu, self.request_raw)
        with self._changed:
            if self._core.state is not State.AWAITING_LOCAL_ASSOCIATE:
                return False
            if isinstance(answer, AssociateAC):
                self._agree(answer, answer.encode())
                self._core.accept(answer)
            else:
                self._core.reject(*answer)
                self._ended = Ended("rejected", answer[1], answer[2])
            self._collect(self._core.take_events())
        self._flush()
        return isinstance(answer, AssociateAC)

    def _agree(self, answer: AssociateAC, raw: bytes) -> None:
        assert self.request_pdu is not None
        self.answer_pdu = answer
        self.contexts = negotiation.contexts_of(self.request_raw, raw)
        other = answer if self._core.requestor else self.request_pdu
        self._core.peer_max_pdu = negotiation.maximum_length(other.user_items)
        window = negotiation.operations_window(answer.user_items)
        self._concurrent = window is not None and (window.invoked, window.performed) != (1, 1)

    # -- reading -----------------------------------------------------------------------------------------------

    def serve_until_closed(self) -> None:
        """Read and serve requests until the connection is closed; what a listening thread runs."""
        while self._ended is None:
            if self._wait_until(lambda: bool(self._inbox), self.timeouts.idle):
                self._serve_inbox()
            elif self._ended is None:
                self._note_violation("PS3.8 7", f"nothing came for {self.timeouts.idle:g} s")
                self.abort()
        self._drain(self.timeouts.release)
        self.close()

    def finish_refusal(self) -> None:
        """After a rejection, or a request that never came: let the peer close."""
        self._drain(self.timeouts.release)
        self.close()

    def _drain(self, seconds: float) -> None:
        """After the end: wait for the peer to close."""
        deadline = time.monotonic() + seconds
        self._flush()
        while not self._core.closing and (remaining := deadline - time.monotonic()) > 0:
            if not self._pump(remaining):
                break

    def _wait_until(self, ready: Callable[[], bool], timeout: float) -> bool:
        """Read (or wait for whoever reads) until ``ready`` or the end; the value of ``ready`` then."""
        me = threading.get_ident()
        deadline = time.monotonic() + timeout
        changed = self._changed
        while True:
            with changed:
                while True:
                    if ready():
                        return True
                    if self._ended is not None:
                        return False
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 and timeout > 0:
                        return False
                    outer = self._reader
                    if outer in (0, me):
                        self._reader = me
                        break
                    self._waiters += 1
                    changed.wait(remaining)
                    self._waiters -= 1
            try:
                self._pump(max(0.0, remaining))
            finally:
                with changed:
                    self._reader = outer
                    if self._waiters:
                        changed.notify_all()
            if self._inbox and not self._serving and not self._send_depth and self._own_reader in (0, me):
                self._serve_inbox()
            if timeout <= 0:
                with changed:
                    return ready()

    _own_reader = 0  # ident of the thread that serves this association, if one was given to it

    def serve_on_this_thread(self) -> None:
        """The calling thread is the one that serves requests from now on."""
        self._own_reader = threading.get_ident()

    def _pump(self, timeout: float) -> bool:
        """Read once and let the core digest it; False if nothing came or the connection is closed."""
        core = self._core
        if core.artim:
            if not self._artim_deadline:
                limit = self.timeouts.associate if core.state is State.TRANSPORT_OPEN else self.timeouts.release
                self._artim_deadline = time.monotonic() + limit
            timeout = min(timeout, max(0.0, self._artim_deadline - time.monotonic()))
        count = self._channel.receive(timeout)
        with self._changed:
            if count > 0:
                view = self._channel.view(count)
                events = core.receive(view)
                if self._channel.tap is not None:
                    self._channel.tap.received(self.id, view, self._extents)
                    self._extents.clear()
                self._collect(events)
            elif count == TIMED_OUT:
                if core.artim and time.monotonic() >= self._artim_deadline:
                    self._collect(core.artim_expired())
                    if core.closing:
                        self._finish(Ended("lost"))
            else:
                self._collect(core.transport_closed())
                self._finish(Ended("lost"))
            if not core.artim:
                self._artim_deadline = 0.0
        if self._output and not self._send_depth:
            self._flush()
        return count > 0

    def _flush(self) -> None:
        """Send the control PDUs that the core has put out."""
        if not self._output:
            return
        with self._sending:
            if self._send_depth:
                return
            output, self._output = self._output, []
            if output:
                self._send_depth += 1
                try:
                    self._channel.send(output, self.timeouts.release, lambda: False)
                except (TimeoutError, ConnectionError):
                    with self._changed:
                        self._finish(Ended("lost"))
                finally:
                    self._send_depth -= 1

    def _transmit(self, buffers: Sequence[Buffer]) -> None:
        if not self._core.may_send_data():
            self._raise_if_ended()
            raise AssociationAborted(f"{self.peer} is releasing the association; {self.peer}")
        try:
            self._channel.send(buffers, self.timeouts.dimse, self._read_while_blocked)
        except TimeoutError:
            self._channel.wake()
            raise PeerTimeout(f"{self.peer} took no bytes for {self.timeouts.dimse:g} s; connection closed") from None
        except ConnectionError:
            with self._changed:
                self._finish(Ended("lost"))
            self._raise_if_ended()

    def _read_while_blocked(self) -> bool:
        """The peer takes nothing, perhaps because it wants to be read first."""
        me = threading.get_ident()
        with self._changed:
            outer = self._reader
            if outer not in (0, me) or self._ended is not None:
                return False
            self._reader = me
        try:
            return self._pump(0.0)
        finally:
            with self._changed:
                self._reader = outer
                if self._waiters:
                    self._changed.notify_all()

    # -- what the core says (called with the lock held) --------------------------------------------------------

    def _collect(self, events: list[CoreEvent]) -> None:
        for event in events:
            if isinstance(event, MessageArrived):
                self._message(event)
            elif isinstance(event, PduArrived):
                self._pdu(event)
            elif isinstance(event, PduSent):
                fields = negotiation.shown(event.raw, self.request_raw if isinstance(event.pdu, AssociateAC) else b"")
                self._record(Direction.TO_SUT, negotiation.kind_of(event.pdu), fields, header=Blob.of(event.raw))
            elif isinstance(event, Violation):
                self._note_violation(event.rule, event.text)
            else:
                self._finish(event)
        core = self._core
        while core.state in (
            State.AWAITING_LOCAL_RELEASE,
            State.COLLISION_REQUESTOR_LOCAL,
            State.COLLISION_ACCEPTOR_LOCAL,
        ):
            core.answer_release()
            self._collect(core.take_events())
        self._output += core.take_output()

    def _finish(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
        for request in self._running.values():
            request.cancelled.set()
        self._changed.notify_all()

    def _pdu(self, event: PduArrived) -> None:
        pdu = event.pdu
        self._last_pdu = pdu
        fields = negotiation.shown(event.raw, self.request_raw if isinstance(pdu, AssociateAC) else b"")
        self._record(Direction.FROM_SUT, negotiation.kind_of(pdu), fields, header=Blob.of(event.raw))
        if isinstance(pdu, AssociateRQ) and self._core.state is State.AWAITING_LOCAL_ASSOCIATE:
            self.request_pdu, self.request_raw = pdu, event.raw
        elif isinstance(pdu, AssociateAC) and self._core.state is State.ESTABLISHED:
            self._agree(pdu, event.raw)

    def _message(self, event: MessageArrived) -> None:
        command, values = event.command, event.command.values
        kind = command.kind
        context = self.contexts[event.context_id]
        seq = self._record(
            Direction.FROM_SUT,
            kind,
            self._fields(values, context),
            context,
            payload=event.payload,
            header=Blob.of(event.raw_command),
        )
        if command.is_response:
            self._response(kind, values, event.payload, context, seq)
            return
        if kind == "C-CANCEL-RQ":
            target = self._running.get(values.get("MessageIDBeingRespondedTo", -1))
            if target is not None:
                target.cancelled.set()
            return
        message_id = values.get("MessageID", -1)
        if message_id in self._running:
            self._note_violation("PS3.7 9.1.1.1.1", f"message id {message_id} is still in use")
        request = Request(kind, values, event.payload, context, self, seq)
        self._running[message_id] = request
        self._inbox.append(request)

    def _response(self, kind: str, values: Mapping[str, Any], payload: Blob, context: Context, seq: int) -> None:
        message_id = values.get("MessageIDBeingRespondedTo", -1)
        operation = self._pending.get(message_id)
        if operation is None or operation.expects != kind:
            self._note_violation("PS3.7 7.5", f"{kind} for message {message_id}, which does not wait for it")
            return
        if operation.context.id != context.id:
            self._note_violation("PS3.7 6.3.1", f"{kind} on context {context.id} instead of {operation.context.id}")
        status = values.get("Status")
        if not isinstance(status, int):
            self._note_violation("PS3.7 9.3", f"{kind} without a Status")
            status = PROCESSING_FAILURE
        answer = Answer(status, values, payload, context.transfer_syntax, seq)
        if not answer.is_pending:
            operation.final = True
            del self._pending[message_id]
        operation.answers.append(answer)
        if self._waiters:
            self._changed.notify_all()

    # -- serving -----------------------------------------------------------------------------------------------

    def _serve_inbox(self) -> None:
        while self._inbox and self._ended is None:
            request = self._inbox.popleft()
            if self._workers is not None and (self._concurrent or request.kind in _LONG_RUNNING):
                if not self._workers.submit(lambda request=request: self._serve(request)):  # type: ignore[misc]
                    return
                continue
            self._serving = threading.get_ident()
            try:
                self._serve(request)
            finally:
                self._serving = 0

    def _serve(self, request: Request) -> None:
        try:
            self._answer(request)
        except PeerError:
            pass  # the peer went away; the transcript says so
        finally:
            with self._changed:
                self._running.pop(request.command.get("MessageID", -1), None)

    def _answer(self, request: Request) -> None:
        if request.kind not in dimse.FIELDS:
            self._note_violation("PS3.7 E.1", f"command field of {request.kind} is not defined")
            self.respond(request, Response(UNRECOGNIZED_OPERATION))
            return
        handler = self.handlers(self.contexts[request.context_id])
        if handler is None:
            self.respond(request, Response(NO_SUCH_SOP_CLASS))
            return
        final = False
        try:
            result = handler(request)
            for response in (result,) if isinstance(result, Response) else result:
                final = self.respond(request, response)
                if final:
                    break
        except PeerError as problem:
            if self._ended is not None:
                raise
            self._failed(request, problem)
            return
        except Exception as problem:  # noqa: BLE001 - the one wrapper around every handler: our fault becomes evidence
            self._failed(request, problem)
            return
        if not final:
            self.respond(request, Response(CANCELLED if request.cancelled.is_set() else 0))

    def _failed(self, request: Request, problem: Exception) -> None:
        where = f"{self._actor}: handler of {request.kind} (message {request.seq})"
        self._recorder.fault(where, problem, traceback.format_exc())
        self.respond(request, Response(PROCESSING_FAILURE, fields={"ErrorComment": "internal error of the harness"}))

    def respond(self, request: Request, response: Response) -> bool:
        """Send one response to a request; True if it was the final one."""
        kind = request.kind.replace("-RQ", "-RSP")
        if kind not in dimse.FIELDS:
            self.abort(2, 6)  # there is no response to an operation that does not exist
            return True
        command = request.command
        values: dict[str, Any] = {
            "CommandField": dimse.FIELDS[kind],
            "MessageIDBeingRespondedTo": command.get("MessageID", 0),
            "AffectedSOPClassUID": command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID"),
            "Status": response.status,
        }
        instance = command.get("AffectedSOPInstanceUID") or command.get("RequestedSOPInstanceUID")
        if instance:
            values["AffectedSOPInstanceUID"] = instance
        for name in ("EventTypeID", "ActionTypeID"):
            if name in command:
                values[name] = command[name]
        values.update(response.fields)
        final = response.status not in (0xFF00, 0xFF01)
        if final:
            with self._changed:
                self._running.pop(command.get("MessageID", -1), None)
        self.send_message(self.contexts[request.context_id], kind, values, response.dataset)
        return final

    # -- recording ---------------------------------------------------------------------------------------------

    @staticmethod
    def _fields(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
        return {**values, "AbstractSyntax": context.abstract_syntax}

    def _note_violation(self, rule: str, text: str) -> None:
        self._record(Direction.FROM_SUT, "PROTOCOL-VIOLATION", {"rule": rule, "text": text})

    def _record(
        self,
        direction: Direction,
        kind: str,
        fields: Mapping[str, Any],
        context: Context | None = None,
        *,
        payload: Blob = EMPTY,
        header: Blob = EMPTY,
    ) -> int:
        return self._recorder.record(
            direction,
            Protocol.DICOM,
            kind,
            actor=self._actor,
            association=self.id,
            context=context.id if context else 0,
            transfer_syntax=context.transfer_syntax if context and payload.size else "",
            fields=fields,
            payload=payload,
            header=header,
        ).seq
