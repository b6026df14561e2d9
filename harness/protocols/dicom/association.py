"""An association as both sides use it: negotiate, ask, serve, end. See :mod:`harness.protocols.dicom.link`."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from harness.core.message import Blob, Direction
from harness.protocols.dicom import command as dimse
from harness.protocols.dicom import negotiation
from harness.protocols.dicom.errors import NoPresentationContext, PeerError, PeerTimeout
from harness.protocols.dicom.events import Ended, PduArrived
from harness.protocols.dicom.fragments import Payload
from harness.protocols.dicom.fsm import State
from harness.protocols.dicom.model import PROCESSING_FAILURE, Answer, Context
from harness.protocols.dicom.pdu import AssociateAC, AssociateRQ, ae_text
from harness.protocols.dicom.requests import Services
from harness.protocols.dicom.serving import Serving


class Operation(Iterator[Answer]):
    """A request that was sent: iterate over its responses; :meth:`cancel` sends C-CANCEL."""

    def __init__(self, association: Association, message_id: int, context: Context, kind: str, timeout: float) -> None:
        self.message_id = message_id
        self.context = context
        self.expects = kind.replace("-RQ", "-RSP")
        self.answers: deque[Answer] = deque()
        self.final = False
        self.abandoned = False
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


class Association(Serving, Services):
    """One association in either direction; every message both ways is in the transcript.

    ``handlers`` finds who serves a request on a context, None if nobody does. Without ``workers`` it is read only
    by who waits for something.
    """

    def __init__(self, *details: Any, **more: Any) -> None:
        super().__init__(*details, **more)
        self.request_pdu: AssociateRQ | None = None
        self.answer_pdu: AssociateAC | None = None
        self._pending: dict[int, Operation] = {}
        self._message_ids = itertools.cycle(range(1, 65536))
        self._may_invoke = 1

    def __enter__(self) -> Association:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

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
        if self._ended is None and not self._attended:
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
        message_id = values.setdefault("MessageID", next(self._message_ids))
        operation = Operation(self, message_id, context, kind, timeout or self.timeouts.dimse)
        self._begin(operation)
        try:
            self.send_message(context, kind, values, dataset)
        except PeerError:
            self._pending.pop(message_id, None)
            raise
        return operation

    def _begin(self, operation: Operation) -> None:
        """Take a place in the operations window, once one is free (PS3.7 section D.3.3.3: one if none was agreed)."""

        def take() -> bool:
            window = self._may_invoke
            if window and sum(not other.abandoned for other in self._pending.values()) >= window:
                return False
            self._pending[operation.message_id] = operation
            return True

        if not self._wait_until(take, self.timeouts.dimse, patient=True):
            self._raise_if_ended()
            raise PeerTimeout(
                f"{self.peer} did not finish any of {len(self._pending)} operations within {self.timeouts.dimse:g} s; "
                "no more may be outstanding"
            )

    def cancel(self, operation: Operation) -> None:
        """Send C-CANCEL for an operation that is not finished."""
        if operation.final or self._ended is not None:
            return
        values = {"CommandField": dimse.FIELDS["C-CANCEL-RQ"], "MessageIDBeingRespondedTo": operation.message_id}
        self.send_message(operation.context, "C-CANCEL-RQ", values, None)

    def next_answer(self, operation: Operation, timeout: float) -> Answer:
        """Wait for the next response to an operation. Raises PeerTimeout, AssociationAborted."""
        answers = operation.answers
        if not answers and not self._wait_until(lambda: bool(answers), timeout, patient=True):
            with self._changed:
                operation.abandoned = True  # a late response is late, not a response to nothing
                self._changed.notify_all()
            self._raise_if_ended()
            raise PeerTimeout(
                f"{self.peer} sent no {operation.expects} for message {operation.message_id} within {timeout:g} s"
            )
        return answers.popleft()

    def _busy(self) -> bool:
        return super()._busy() or any(not operation.abandoned for operation in self._pending.values())

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
        if not operation.abandoned:
            operation.answers.append(answer)
        if self._waiters:
            self._changed.notify_all()

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
        if window is not None:
            # both numbers are those of the requestor (PS3.7 section D.3.3.3)
            ours, theirs = window.invoked, window.performed
            self._may_invoke, self._may_perform = (ours, theirs) if self._core.requestor else (theirs, ours)

    def _pdu(self, event: PduArrived) -> None:
        pdu = event.pdu
        self._last_pdu = pdu
        fields = negotiation.shown(event.raw, self.request_raw if isinstance(pdu, AssociateAC) else b"")
        self._record(Direction.FROM_SUT, negotiation.kind_of(pdu), fields, header=Blob.of(event.raw))
        if isinstance(pdu, AssociateRQ) and self._core.state is State.AWAITING_LOCAL_ASSOCIATE:
            self.request_pdu, self.request_raw = pdu, event.raw
        elif isinstance(pdu, AssociateAC) and self._core.requestor and self.answer_pdu is None:
            self._agree(pdu, event.raw)  # whatever else came in the same bytes
