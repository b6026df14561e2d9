"""An application entity: listens, connects, records everything, judges nothing."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.message import Direction, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import items, negotiation, part10
from harness.protocols.dicom.acceptance import Acceptance
from harness.protocols.dicom.association import Association, Operation
from harness.protocols.dicom.channel import Channel, Tap
from harness.protocols.dicom.command import Command
from harness.protocols.dicom.core import AssociationCore
from harness.protocols.dicom.fragments import Payload
from harness.protocols.dicom.link import next_number
from harness.protocols.dicom.model import (
    PENDING,
    SUCCESS,
    Address,
    Answer,
    Context,
    Handler,
    Proposal,
    Request,
    Response,
    Service,
    Timeouts,
)
from harness.protocols.dicom.pdu import AssociateAC, AssociateRQ
from harness.protocols.dicom.sinks import SPOOL_THRESHOLD, Sink, Spool, SpoolSink
from harness.protocols.dicom.sockets import dial, ends, listen
from harness.protocols.dicom.tls import TlsSettings, in_words
from harness.protocols.dicom.uids import UNCOMPRESSED, VERIFICATION
from harness.protocols.dicom.workers import Workers
from harness.protocols.listening import Connections, accept_all, secure

__all__ = [
    "PENDING",
    "SUCCESS",
    "Address",
    "Answer",
    "Association",
    "Context",
    "Handler",
    "Node",
    "Operation",
    "Payload",
    "Proposal",
    "Request",
    "Response",
    "Timeouts",
]

DEFAULT_MAX_PDU: Final = 128 << 10
TLS_RULE: Final = "PS3.15 B"
"""The rule of a PROTOCOL-VIOLATION that says that TLS was not agreed."""


class Node:
    """One application entity title of a simulated actor.

    ``serve`` what it offers, ``start`` it to listen, ``connect`` to ask others; a node may do both. Every message
    goes to the recorder before anybody acts on it. Large data sets go to files in ``spool`` as they arrive; without
    one they live in a temporary folder until the process ends. ``answer_items`` adds user information to the answers,
    such as extended negotiation.
    """

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        *,
        actor: str,
        host: str = "127.0.0.1",
        port: int = 0,
        max_pdu: int = DEFAULT_MAX_PDU,
        timeouts: Timeouts | None = None,
        tls: TlsSettings | None = None,
        capture: Tap | None = None,
        called_ae_check: bool = False,
        allowed_callers: frozenset[str] | None = None,
        max_associations: int | None = None,
        operations_window: tuple[int, int] | None = None,
        verification: bool = True,
        answer_items: Callable[[AssociateRQ], Iterable[items.UserItem]] | None = None,
        spool: Path | None = None,
        spool_threshold: int = SPOOL_THRESHOLD,
        backlog: int = 256,
    ) -> None:
        self.ae_title = ae_title
        self.actor = actor
        self.host = host
        self._asked_port = port
        self._recorder = recorder
        self._max_pdu = max_pdu
        self._timeouts = timeouts or Timeouts()
        self._tls = tls
        self._capture = capture
        self._window = items.AsynchronousOperations(*operations_window) if operations_window else None
        self._acceptance = Acceptance(
            ae_title, max_pdu, called_ae_check, allowed_callers, max_associations, self._window, answer_items
        )
        self._spool = spool
        self._spool_threshold = spool_threshold
        self._backlog = backlog
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._workers = Workers(f"{ae_title}-association")
        self._lock = threading.Lock()
        self._open: dict[int, Association] = {}
        self._connections = Connections()
        if verification:
            self.serve([VERIFICATION], lambda _request: Response())

    # -- offering ----------------------------------------------------------------------------------------------

    def serve(
        self,
        abstract_syntaxes: Iterable[str],
        handler: Handler,
        *,
        transfer_syntaxes: Sequence[str] = UNCOMPRESSED,
        scu_role: bool | None = None,
        scp_role: bool | None = None,
    ) -> None:
        """Accept proposals of these abstract syntaxes; the first of ``transfer_syntaxes`` that is proposed wins.

        The roles are those that a requestor may take when it asks: SCU unless ``scu_role`` is False, SCP only if
        ``scp_role`` is True.
        """
        for uid in abstract_syntaxes:
            self._acceptance.offer(Service(uid, handler, tuple(transfer_syntaxes), scu_role, scp_role))

    def tap(self, capture: Tap | None) -> None:
        """Let a capture see every byte of connections that open from now on."""
        self._capture = capture

    def protect(self, tls: TlsSettings | None) -> None:
        """Speak TLS, or plain TCP, on connections that open from now on."""
        self._tls = tls

    def patience(self, timeouts: Timeouts) -> None:
        """Wait so long on connections that open from now on, in both directions."""
        self._timeouts = timeouts

    @property
    def services(self) -> Mapping[str, Service]:
        """What is offered, by abstract syntax."""
        return dict(self._acceptance.services)

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before :meth:`start`."""
        return int(self._listener.getsockname()[1]) if self._listener is not None else 0

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(self.ae_title, self.host, self.port)

    @property
    def associations(self) -> tuple[Association, ...]:
        """Those that are open now, in both directions."""
        with self._lock:
            return tuple(self._open.values())

    def start(self) -> int:
        """Listen; the port. Raises EnvironmentFailure if the port is taken."""
        if self._listener is not None:
            raise UsageError(f"{self.ae_title} listens already, on port {self.port}")
        listener = listen(self.ae_title, self.host, self._asked_port, self._backlog)
        self._listener = listener
        name = f"{self.ae_title}-listener"
        self._acceptor = threading.Thread(target=accept_all, args=(listener, self._take), name=name, daemon=True)
        self._acceptor.start()
        return self.port

    def stop(self) -> None:
        """Stop listening, close every association, wait for the threads."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        if self._acceptor is not None:
            self._acceptor.join(self._timeouts.release)
            self._acceptor = None
        self._connections.shut()
        for association in self.associations:
            association.wake()
        busy = self._workers.stop(self._timeouts.release)
        if busy:
            problem = TimeoutError(f"still busy: {', '.join(busy)}")
            self._recorder.fault(f"{self.actor}: stopping {self.ae_title}", problem)
        for association in self.associations:
            association.close()
        self._workers = Workers(f"{self.ae_title}-association")

    def leave(self) -> None:
        """Stop as if the machine were gone; :meth:`start` comes back on the same port."""
        port = self.port
        self.stop()
        self._asked_port = port or self._asked_port

    def __enter__(self) -> Node:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- listening ---------------------------------------------------------------------------------------------

    def _take(self, sock: socket.socket) -> None:
        number = next_number()
        where = "{}:{}".format(*ends(sock)[1])
        if not self._connections.enter(number, sock):
            sock.close()  # a thread for each is bounded, whoever asks
            self._note(number, "CONNECTION-REFUSED", {"peer": where, "text": f"{len(self._connections)} are open"})
            return
        if not self._workers.submit(lambda: self._converse(sock, number, where)):
            self._connections.leave(number)
            sock.close()

    def _converse(self, sock: socket.socket, number: int, peer: str) -> None:
        try:
            self._serve_connection(sock, number, peer)
        except Exception as problem:  # noqa: BLE001 - a listener outlives any connection; our fault becomes evidence
            self._recorder.fault(f"{self.actor}: connection of {peer}", problem, traceback.format_exc())
            sock.close()
        finally:
            self._connections.leave(number)

    def _serve_connection(self, sock: socket.socket, number: int, peer: str) -> None:
        if self._tls is not None:
            try:
                secured = secure(sock, self._tls.server_context(), self._timeouts.associate)
                sock = secured
                self._connections.enter(number, secured)
                secured.do_handshake()
            except (OSError, ValueError) as problem:
                why = in_words(problem) if isinstance(problem, OSError) else str(problem)
                self._note(number, "PROTOCOL-VIOLATION", {"rule": TLS_RULE, "text": f"TLS with {peer}: {why}"})
                sock.close()
                return
        association = self._association(sock, number, peer, requestor=False, handlers=self._handler_of)
        association.serve_on_this_thread()
        try:
            if association.open_as_acceptor(self._decide):
                association.serve_until_closed()
            else:
                association.finish_refusal()
        except EnvironmentFailure:  # no room for what comes
            association.abort(2, 0)
            raise
        finally:
            association.close()

    def _handler_of(self, context: Context) -> Handler | None:
        service = self._acceptance.services.get(context.abstract_syntax)
        return service.handler if service else None

    def _decide(self, request: AssociateRQ, raw: bytes) -> AssociateAC | tuple[int, int, int]:
        return self._acceptance.decide(request, raw, len(self._open))

    # -- connecting --------------------------------------------------------------------------------------------

    def connect(
        self,
        peer: Address,
        proposals: Sequence[Proposal],
        *,
        handler: Handler | None = None,
        user_items: Sequence[items.UserItem] = (),
        calling_ae: str | None = None,
    ) -> Association:
        """Open an association. With a handler the requests of the peer are served at any time, on a thread.

        Raises PeerUnreachable, PeerTimeout, AssociationRejected, AssociationAborted.
        """
        extra = [*([self._window] if self._window else []), *user_items]
        request = negotiation.request_for(calling_ae or self.ae_title, peer.ae_title, proposals, self._max_pdu, extra)
        sock = dial(peer, self._timeouts.connect, self._tls)
        association = self._association(
            sock, next_number(), str(peer), requestor=True, handlers=lambda _: handler, threaded=handler is not None
        )
        try:
            association.open_as_requestor(request)
        except BaseException:
            association.close()
            raise
        if handler is not None:
            self._workers.submit(lambda: self._serve_own(association))
        return association

    def _serve_own(self, association: Association) -> None:
        association.serve_on_this_thread()
        try:
            association.serve_until_closed()
        except Exception as problem:  # noqa: BLE001 - as for a listener: our fault becomes evidence
            where = f"{self.actor}: association with {association.peer}"
            self._recorder.fault(where, problem, traceback.format_exc())
        finally:
            association.close()

    # -- both --------------------------------------------------------------------------------------------------

    def _association(
        self,
        sock: socket.socket,
        number: int,
        peer: str,
        *,
        requestor: bool,
        handlers: Callable[[Context], Handler | None],
        threaded: bool = True,
    ) -> Association:
        spool = Spool(self._spool_folder, number)
        core = AssociationCore(
            requestor=requestor,
            max_pdu=self._max_pdu,
            sinks=lambda context, command: self._sink(association, core.contexts or {}, context, command, spool),
        )
        association = Association(
            Channel(sock, number, self._capture),
            core,
            self._recorder,
            number=number,
            actor=self.actor,
            timeouts=self._timeouts,
            handlers=handlers,
            workers=self._workers if threaded else None,
            peer=peer,
            spool=spool,
            on_closed=self._forget,
        )
        with self._lock:
            self._open[number] = association
        local, remote = ends(sock)
        if self._capture is not None:
            self._capture.opened(
                number,
                "dicom",
                local,
                remote,
                incoming=not requestor,
                tls=self._tls is not None,
            )
        self._note(
            number,
            "CONNECTION-OPENED",
            {"peer": peer, "local": f"{local[0]}:{local[1]}", "incoming": not requestor, "tls": self._tls is not None},
        )
        return association

    def _forget(self, number: int) -> None:
        with self._lock:
            self._open.pop(number, None)

    def _note(self, number: int, kind: str, fields: Mapping[str, object]) -> None:
        self._recorder.record(Direction.NONE, Protocol.DICOM, kind, actor=self.actor, association=number, fields=fields)

    def _sink(
        self, association: Association, agreed: Mapping[int, str], context_id: int, command: Command, spool: Spool
    ) -> Sink:
        transfer_syntax, head = agreed.get(context_id, ""), b""
        if command.kind == "C-STORE-RQ":
            head = part10.file_meta(
                str(command.values.get("AffectedSOPClassUID", "")),
                str(command.values.get("AffectedSOPInstanceUID", "")),
                transfer_syntax,
                association.calling_ae,
            )
        return SpoolSink(spool, head, threshold=self._spool_threshold, captured=self._capture is not None)

    def _spool_folder(self) -> Path:
        with self._lock:
            if self._spool is None:
                folder = getattr(self._capture, "folder", None)
                if folder is not None:
                    self._spool = Path(folder) / "payloads"
                else:
                    self._spool = Path(tempfile.mkdtemp(prefix="ihe-spool-"))
                    # Evidence must outlive the node, but not the process.
                    weakref.finalize(type(self), shutil.rmtree, self._spool, ignore_errors=True)
            self._spool.mkdir(parents=True, exist_ok=True)
            return self._spool
