"""An MLLP listener: a thread for each connection, every message to a handler in its order."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterable

from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.message import Direction
from harness.core.transcript import Recorder, Transcript
from harness.protocols.connections import next_number
from harness.protocols.hl7.exchange import Handler, Received, Reply, Timeouts, Wire
from harness.protocols.hl7.framing import MAX_MESSAGE, Deframer, Frame, Rule, Violation, frame
from harness.protocols.hl7.journal import Journal, Tap
from harness.protocols.hl7.message import HL7Message
from harness.protocols.listening import Connections, accept_all, affordable, secure, shut

MAX_CONNECTIONS = 256
TLS_RULE = "tls"
"""The rule of a PROTOCOL-VIOLATION that says that TLS was not agreed."""
MAX_BREACHES = 64
"""So many framing breaches in a row, without a message between them, and the connection is closed."""
_CHUNK = 65536
_PATIENCE = 10.0  # seconds that stop() waits for all threads


class MllpListener:
    """Accepts connections and hands every message to ``handler``; several messages per connection, each in order.

    ``port`` 0 takes a free one; :meth:`start` returns it. With ``tls`` (a server-side context) only TLS is spoken.
    ``framing`` puts a message into a block; another one than the right one is for a peer that is to misbehave.
    An exception of the handler is recorded as an engine fault and the connection is closed.
    """

    def __init__(
        self,
        recorder: Transcript | Recorder,
        handler: Handler,
        *,
        actor: str,
        host: str = "127.0.0.1",
        port: int = 0,
        timeouts: Timeouts | None = None,
        max_message: int = MAX_MESSAGE,
        tls: ssl.SSLContext | None = None,
        tap: Tap | None = None,
        framing: Callable[[bytes], bytes] = frame,
    ) -> None:
        self._journal = Journal(recorder, actor, tap)
        self._frame = framing
        self._handler, self._host, self._wanted_port = handler, host, port
        self._timeouts, self._max, self._tls = timeouts or Timeouts(), max_message, tls
        self._socket: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._connections = Connections(affordable(MAX_CONNECTIONS))
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The port it listens on. Raises UsageError before :meth:`start`."""
        if self._socket is None:
            raise UsageError("the HL7 listener was not started: call start() first")
        return int(self._socket.getsockname()[1])

    def start(self) -> int:
        """Listen; returns the port. Raises EnvironmentFailure if the port is taken."""
        try:
            self._socket = socket.create_server((self._host, self._wanted_port), backlog=128)
        except OSError as error:
            raise EnvironmentFailure(
                f"{self._host}:{self._wanted_port}: cannot listen for HL7 ({error.strerror}); "
                "free the port or configure another"
            ) from error
        self._stopping.clear()
        name, arguments = f"hl7-{self._journal.actor}", (self._socket, self._take, self._stopping.is_set)
        self._acceptor = threading.Thread(target=accept_all, args=arguments, name=name, daemon=True)
        self._acceptor.start()
        return self.port

    def stop(self) -> None:
        """Close the listening socket and every connection, and wait for their threads."""
        self._stopping.set()
        if self._socket is not None:
            shut(self._socket)
        if self._acceptor is not None:
            self._acceptor.join()
        self._connections.shut()
        deadline = time.monotonic() + _PATIENCE
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        if self._socket is not None:
            self._socket.close()
        self._socket = self._acceptor = None

    def __enter__(self) -> MllpListener:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take(self, connection: socket.socket) -> None:
        number = next_number()
        if self._stopping.is_set() or not self._connections.enter(number, connection):
            connection.close()
            self._journal.event("CONNECTION-REFUSED", number, text=f"{len(self._connections)} are open")
            return
        thread = threading.Thread(target=self._serve, args=(connection, number), name=f"hl7-{number}", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads
            self._threads.discard(thread)
            self._connections.leave(number)
            connection.close()

    def _serve(self, connection: socket.socket, number: int) -> None:
        journal = self._journal
        try:
            journal.opened(number, connection, incoming=True, tls=self._tls is not None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                secured = secure(connection, self._tls, self._timeouts.connect)
                connection = secured
                self._connections.enter(number, secured)
                secured.do_handshake()
            self._converse(connection, number)
        except ssl.SSLError as error:
            journal.broken(number, TLS_RULE, f"TLS: {error.reason or error}")
        except OSError as error:
            if not self._stopping.is_set():
                journal.broken(number, "connection", f"the connection broke: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - a fault of a simulated actor, recorded as ours
            journal.recorder.fault(f"HL7 handler of {journal.actor}", error, traceback.format_exc())
        finally:
            shut(connection)
            connection.close()
            journal.event("CONNECTION-CLOSED", number)
            self._connections.leave(number)
            self._threads.discard(threading.current_thread())

    def _converse(self, connection: socket.socket, number: int) -> None:
        deframer = Deframer(self._max)
        began = 0.0  # when the block that is not complete began
        while not self._stopping.is_set():
            if not deframer.pending:
                began = 0.0
            elif not began:
                began = time.monotonic()
            elif time.monotonic() > began + self._timeouts.idle:
                self._events(connection, number, deframer.flush())
                text = f"a message was not complete after {self._timeouts.idle:g} s; connection closed"
                self._journal.broken(number, "too-slow", text)
                return
            connection.settimeout(self._timeouts.pause if deframer.pending else self._timeouts.idle)
            try:
                data = connection.recv(_CHUNK)
            except TimeoutError:
                if not deframer.pending:
                    return
                if not self._events(connection, number, deframer.flush()):
                    return
                continue
            if not data:
                self._events(connection, number, deframer.flush(closed=True))
                return
            self._journal.raw(Direction.FROM_SUT, number, data)
            if not self._events(connection, number, deframer.events(data)):
                return

    def _events(self, connection: socket.socket, number: int, events: Iterable[Frame | Violation]) -> bool:
        breaches = 0
        for event in events:
            if isinstance(event, Violation):
                self._journal.violation(number, event)
                breaches += 1
                if event.rule is Rule.TOO_LONG:
                    return False
                if breaches > MAX_BREACHES:
                    text = f"more than {MAX_BREACHES} framing breaches without a message; connection closed"
                    self._journal.broken(number, "framing", text)
                    return False
                continue
            breaches = 0
            record = self._journal.message(Direction.FROM_SUT, number, event.payload)
            for reply in self._handler(Received(HL7Message(event.payload), record)):
                if not self._reply(connection, number, reply):
                    return False
        return True

    def _reply(self, connection: socket.socket, number: int, reply: Reply) -> bool:
        connection.settimeout(self._timeouts.acknowledge)
        if isinstance(reply, Wire):
            if reply.delay:
                self._stopping.wait(reply.delay)
            if reply.data:
                for event in Deframer(self._max).feed(reply.data):
                    if isinstance(event, Frame):
                        self._journal.message(Direction.TO_SUT, number, event.payload)
                self._journal.raw(Direction.TO_SUT, number, reply.data)
                connection.sendall(reply.data)
            return not reply.close
        self._journal.message(Direction.TO_SUT, number, reply)
        framed = self._frame(reply)
        self._journal.raw(Direction.TO_SUT, number, framed)
        connection.sendall(framed)
        return True
