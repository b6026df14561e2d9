"""Serving the requests of the peer: one after the other, or at once where that was agreed or takes long."""

from __future__ import annotations

import functools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from harness.core.message import Blob, Direction
from harness.protocols.dicom import command as dimse
from harness.protocols.dicom.errors import PeerError
from harness.protocols.dicom.events import MessageArrived
from harness.protocols.dicom.link import Link
from harness.protocols.dicom.model import (
    CANCELLED,
    NO_SUCH_SOP_CLASS,
    PROCESSING_FAILURE,
    UNRECOGNIZED_OPERATION,
    Context,
    Handler,
    Request,
    Response,
)
from harness.protocols.dicom.workers import Workers

if TYPE_CHECKING:
    from harness.protocols.dicom.association import Association

_LONG_RUNNING = frozenset(("C-FIND-RQ", "C-GET-RQ", "C-MOVE-RQ"))
MAX_PERFORMED: Final = 64
"""Operations of one peer that are performed at once when no limit was agreed."""
MAX_WAITING: Final = 256
"""Requests that may wait for their turn; then nothing more is read, and at twice as many the peer is cut off."""


class Serving(Link):
    """Gives requests to handlers and sends what they answer.

    What may take long, and everything where several operations at once were agreed, runs on a worker, so that
    C-CANCEL and responses are heard meanwhile; the rest runs on the thread that reads.
    """

    def __init__(
        self, *details: Any, handlers: Callable[[Context], Handler | None], workers: Workers | None, **more: Any
    ) -> None:
        super().__init__(*details, attended=workers is not None, **more)
        self.handlers = handlers
        self.contexts: dict[int, Context] = {}
        self._workers = workers
        self._inbox: deque[Request] = deque()
        self._running: dict[int, Request] = {}  # requests of the peer that are not answered yet, by message id
        self._serving = 0  # ident of the thread that runs a handler in line
        self._performing = 0  # handlers on workers
        self._may_perform = 1

    def _response(self, kind: str, values: Mapping[str, Any], payload: Blob, context: Context, seq: int) -> None:
        """A response came (called with the lock held)."""
        raise NotImplementedError

    def _work(self) -> None:
        if self._servable() and not self._serving:
            self._serve_inbox()

    def _servable(self) -> bool:
        """Whether a request waits whose turn has come: one after the other, or as many at once as was agreed."""
        return bool(self._inbox) and (not self._performing or self._performing < self._limit())

    def _limit(self) -> int:
        return min(self._may_perform or MAX_PERFORMED, MAX_PERFORMED)

    def _saturated(self) -> bool:
        return len(self._inbox) >= MAX_WAITING

    def _busy(self) -> bool:
        """Whether silence of the peer is no idleness: it waits for us, or we for it."""
        return bool(self._running)

    def _on_end(self) -> None:
        for request in self._running.values():
            request.cancelled.set()

    def serve_until_closed(self) -> None:
        """Read and serve requests until the connection is closed; what a listening thread runs."""
        while self._ended is None:
            if self._wait_until(self._servable, self.timeouts.idle, patient=True):
                self._serve_inbox()
            elif self._ended is None and not self._busy() and self._silence() >= self.timeouts.idle:
                self._record(Direction.NONE, "IDLE-TIMEOUT", {"seconds": self.timeouts.idle})
                self.abort()
        self._drain(self.timeouts.release)
        self.close()

    def finish_refusal(self) -> None:
        """After a rejection, or a request that never came: let the peer close."""
        self._drain(self.timeouts.release)
        self.close()

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
        if self._ended is not None:
            return
        if message_id in self._running:
            self._note_violation("PS3.7 9.1.1.1.1", f"message id {message_id} is still in use")
        elif self._may_perform and len(self._running) >= self._may_perform:
            outstanding = len(self._running) + 1
            self._note_violation("PS3.7 D.3.3.3", f"{outstanding} operations at once; {self._may_perform} were agreed")
        if len(self._inbox) >= 2 * MAX_WAITING:
            self._note_violation("PS3.7 D.3.3.3", f"{len(self._inbox)} requests wait for their turn; aborted")
            self._core.abort(2, 0)
            self._collect(self._core.take_events())
            return
        request = Request(kind, values, event.payload, context, cast("Association", self), seq)
        self._running[message_id] = request
        self._inbox.append(request)

    def _serve_inbox(self) -> None:
        while self._ended is None:
            with self._changed:
                if not self._servable():
                    return
                request = self._inbox.popleft()
                apart = self._workers is not None and (self._may_perform != 1 or request.kind in _LONG_RUNNING)
                self._performing += apart
            if apart:
                assert self._workers is not None
                if not self._workers.submit(functools.partial(self._serve_apart, request)):
                    return
                continue
            self._serving = threading.get_ident()
            try:
                self._serve(request)
            finally:
                self._serving = 0
            self._spool.prepare()

    def _serve_apart(self, first: Request) -> None:
        """On a worker: a request, and then those whose turn came while the reader was reading."""
        request: Request | None = first
        while request is not None:
            self._serve(request)
            with self._changed:
                self._performing -= 1
                request = self._inbox.popleft() if self._ended is None and self._servable() else None
                self._performing += request is not None

    def _serve(self, request: Request) -> None:
        try:
            self._answer(request)
        except PeerError:
            pass  # the peer went away; the transcript says so
        except Exception as problem:  # noqa: BLE001 - what cannot be answered at all is our fault too
            self._recorder.fault(f"{self._actor}: answer to {request.kind}", problem, traceback.format_exc())
        finally:
            self._done(request.command.get("MessageID", -1))

    def _done(self, message_id: int) -> None:
        """The operation is answered: only from now on can the peer be idle."""
        with self._changed:
            if self._running.pop(message_id, None) is not None:
                self._progressed = time.monotonic()

    def _silence(self) -> float:
        """Seconds since something arrived, or since we answered."""
        with self._changed:
            return time.monotonic() - self._progressed

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
            # after our own release request nothing may be answered any more, and that is no fault
            if self._ended is not None or not self._core.may_send_data():
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
            self._done(command.get("MessageID", -1))
        self.send_message(self.contexts[request.context_id], kind, values, response.dataset)
        return final
