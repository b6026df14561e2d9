"""HL7 over TCP: a listener and a sender on threads, every message and framing breach into the transcript.

Neither knows what a message means: a handler gets what was received and says what goes back.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.message import Blob, Direction, Message
from harness.core.message import Protocol as Carrier
from harness.core.transcript import Recorder, Transcript
from harness.protocols.connections import next_number
from harness.protocols.hl7.acknowledge import wants
from harness.protocols.hl7.errors import AcknowledgementTimeout, ConnectionLost, PeerUnreachable
from harness.protocols.hl7.framing import MAX_MESSAGE, Deframer, Frame, Rule, Violation, frame
from harness.protocols.hl7.message import HL7Message, header_fields, kind_of

MAX_CONNECTIONS = 256
_CHUNK = 65536


class Tap(Protocol):
    """Who sees every byte, on the thread of the connection; the capture of the wire engine is one."""

    def opened(
        self,
        association: int,
        protocol: str,
        local: tuple[str, int],
        peer: tuple[str, int],
        *,
        incoming: bool,
        tls: bool = False,
    ) -> None:
        """A connection stands."""

    def received(self, association: int, data: bytes) -> None:
        """Bytes that came from the peer, those inside TLS."""

    def sent(self, association: int, data: Sequence[bytes]) -> None:
        """Bytes that go to the peer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``pause`` is how long a peer may fall silent inside a block; ``idle`` between blocks."""

    connect: float = 5.0
    acknowledge: float = 30.0
    pause: float = 2.0
    idle: float = 300.0


@dataclass(frozen=True, slots=True)
class Received:
    """One message that came in: the parsed form (lazy) and its record in the transcript."""

    message: HL7Message
    record: Message

    @property
    def association(self) -> int:
        """The number of the connection it came over."""
        return self.record.association


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes to send as they are, without framing: for a peer that is to misbehave.

    ``delay`` is waited before (seconds, ends early when the listener stops); ``close`` drops the connection after.
    """

    data: bytes = b""
    delay: float = 0.0
    close: bool = False


Reply = bytes | Wire
Handler = Callable[[Received], Iterable[Reply]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a sent message: every acknowledgement in order, the last one first to ask for."""

    sent: Message
    received: tuple[Received, ...]

    @property
    def message(self) -> HL7Message:
        """The last acknowledgement; in enhanced mode the application's, if one came."""
        return self.received[-1].message

    @property
    def code(self) -> str:
        """MSA-1 of the last acknowledgement."""
        return self.message["MSA-1"]


class _Journal:
    """Writes what one end of a connection sees into the transcript."""

    def __init__(self, recorder: Transcript | Recorder, actor: str, tap: Tap | None) -> None:
        self.recorder, self.actor, self.tap = recorder, actor, tap

    def message(self, direction: Direction, number: int, payload: bytes) -> Message:
        fields = header_fields(payload)
        kind = kind_of(fields["type"], fields["trigger"])
        return self._record(direction, kind, number, fields, payload)

    def violation(self, number: int, violation: Violation) -> Message:
        fields = {"rule": violation.rule.value, "text": violation.text, "size": violation.size}
        return self._record(Direction.FROM_SUT, "PROTOCOL-VIOLATION", number, fields, violation.data)

    def event(self, kind: str, number: int, **fields: Any) -> Message:
        return self._record(Direction.NONE, kind, number, fields, b"")

    def broken(self, number: int, rule: str, text: str) -> Message:
        return self._record(Direction.FROM_SUT, "PROTOCOL-VIOLATION", number, {"rule": rule, "text": text}, b"")

    def opened(self, number: int, connection: socket.socket, *, incoming: bool, tls: bool) -> None:
        local, peer = connection.getsockname()[:2], connection.getpeername()[:2]
        self.event("CONNECTION-OPENED", number, peer=f"{peer[0]}:{peer[1]}", tls=tls)
        if self.tap is not None:
            self.tap.opened(number, "hl7", local, peer, incoming=incoming, tls=tls)

    def raw(self, direction: Direction, number: int, data: bytes) -> None:
        if self.tap is None:
            return
        if direction is Direction.FROM_SUT:
            self.tap.received(number, data)
        else:
            self.tap.sent(number, (data,))

    def _record(self, direction: Direction, kind: str, number: int, fields: dict[str, Any], data: bytes) -> Message:
        return self.recorder.record(
            direction,
            Carrier.HL7,
            kind,
            actor=self.actor,
            association=number,
            fields=fields,
            payload=Blob.of(data),
        )


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
        self._journal = _Journal(recorder, actor, tap)
        self._frame = framing
        self._handler, self._host, self._wanted_port = handler, host, port
        self._timeouts, self._max, self._tls = timeouts or Timeouts(), max_message, tls
        self._socket: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._open: dict[int, tuple[socket.socket, threading.Thread]] = {}
        self._lock = threading.Lock()
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
        self._acceptor = threading.Thread(target=self._accept, name=f"hl7-{self._journal.actor}", daemon=True)
        self._acceptor.start()
        return self.port

    def stop(self) -> None:
        """Close the listening socket and every connection, and wait for their threads."""
        self._stopping.set()
        if self._socket is not None:
            _shut(self._socket)
        if self._acceptor is not None:
            self._acceptor.join()
        with self._lock:
            connections = list(self._open.values())
        for connection, _ in connections:
            _shut(connection)
        for _, thread in connections:
            if thread is not threading.current_thread():
                thread.join(10)
        if self._socket is not None:
            self._socket.close()
        self._socket = self._acceptor = None

    def __enter__(self) -> MllpListener:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        assert self._socket is not None
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                if len(self._open) >= MAX_CONNECTIONS or self._stopping.is_set():
                    connection.close()
                    continue
                number = next_number()
                thread = threading.Thread(
                    target=self._serve, args=(connection, number), name=f"hl7-{number}", daemon=True
                )
                self._open[number] = (connection, thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        journal = self._journal
        try:
            journal.opened(number, connection, incoming=True, tls=self._tls is not None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection.settimeout(self._timeouts.connect)
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open[number] = (connection, threading.current_thread())
            self._converse(connection, number)
        except ssl.SSLError as error:
            journal.broken(number, "tls", f"TLS: {error.reason or error}")
        except OSError as error:
            if not self._stopping.is_set():
                journal.broken(number, "connection", f"the connection broke: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - a fault of a simulated actor, recorded as ours
            journal.recorder.fault(f"HL7 handler of {journal.actor}", error, traceback.format_exc())
        finally:
            _shut(connection)
            connection.close()
            journal.event("CONNECTION-CLOSED", number)
            with self._lock:
                self._open.pop(number, None)

    def _converse(self, connection: socket.socket, number: int) -> None:
        deframer = Deframer(self._max)
        while not self._stopping.is_set():
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
            if not self._events(connection, number, deframer.feed(data)):
                return

    def _events(self, connection: socket.socket, number: int, events: Iterable[Frame | Violation]) -> bool:
        for event in events:
            if isinstance(event, Violation):
                self._journal.violation(number, event)
                if event.rule is Rule.TOO_LONG:
                    return False
                continue
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


class MllpSender:
    """Sends messages to one address over one connection that is opened when needed and again when it was lost."""

    def __init__(
        self,
        recorder: Transcript | Recorder,
        host: str,
        port: int,
        *,
        actor: str,
        timeouts: Timeouts | None = None,
        max_message: int = MAX_MESSAGE,
        tls: ssl.SSLContext | None = None,
        tls_name: str = "",
        tap: Tap | None = None,
        framing: Callable[[bytes], bytes] = frame,
    ) -> None:
        self._journal = _Journal(recorder, actor, tap)
        self._frame = framing
        self.host, self.port = host, port
        self._timeouts, self._max, self._tls, self._tls_name = timeouts or Timeouts(), max_message, tls, tls_name
        self._socket: socket.socket | None = None
        self._number = 0
        self._deframer = Deframer(max_message)
        self._frames: deque[bytes] = deque()
        self._earlier: deque[str] = deque(maxlen=256)
        self._lock = threading.Lock()

    def send(self, message: bytes, *, attempts: int = 1, timeout: float | None = None) -> Answer:
        """Send one message and wait for its acknowledgement, resending the same bytes up to ``attempts`` times.

        In enhanced mode (MSH-15 or 16 valued) waits for what was asked for. An answer is taken whatever its MSA-2
        says (that is for a check to judge), but for late answers to earlier messages. Raises PeerUnreachable,
        ConnectionLost or AcknowledgementTimeout (EnvironmentFailure all) when the last attempt failed.
        """
        with self._lock:
            for attempt in range(1, attempts + 1):
                try:
                    return self._send_once(message, self._timeouts.acknowledge if timeout is None else timeout)
                except (PeerUnreachable, ConnectionLost, AcknowledgementTimeout):
                    if attempt == attempts:
                        raise
            raise UsageError("attempts: at least 1 is needed")

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, without framing, and wait for nothing. Frames among them are recorded."""
        with self._lock:
            connection = self._connected()
            for event in Deframer(self._max).feed(data):
                if isinstance(event, Frame):
                    self._journal.message(Direction.TO_SUT, self._number, event.payload)
            self._write(connection, data)

    def receive(self, timeout: float | None = None) -> Received | None:
        """The next message that comes over the connection, or None if none comes in time or the peer closed it."""
        with self._lock:
            if self._socket is None:
                return None
            try:
                return self._next(time.monotonic() + (self._timeouts.acknowledge if timeout is None else timeout))
            except (ConnectionLost, AcknowledgementTimeout):
                return None

    def abort(self) -> None:
        """Break off what another thread waits for; it gets ConnectionLost."""
        connection = self._socket
        if connection is not None:
            _shut(connection)

    def close(self) -> None:
        """Close the connection, if one is open."""
        with self._lock:
            self._drop()

    def __enter__(self) -> MllpSender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send_once(self, message: bytes, timeout: float) -> Answer:
        connection = self._connected()
        sent = self._journal.message(Direction.TO_SUT, self._number, message)
        fields = sent.fields
        accept = str(fields.get("accept_acknowledgement", ""))
        application = str(fields.get("application_acknowledgement", ""))
        enhanced = bool(accept or application)
        self._write(connection, self._frame(message))
        deadline = time.monotonic() + timeout
        received: list[Received] = []
        try:
            expected = (accept == "AL") + (application == "AL") if enhanced else 1
            while len(received) < expected:
                answer = self._next(deadline)
                named = answer.record.fields.get("acknowledged_id")
                if named != fields["control_id"] and named in self._earlier:
                    continue  # late, for a message that was given up
                received.append(answer)
                code = str(answer.record.fields.get("acknowledgement", ""))
                if code in ("CE", "CR") or (enhanced and code.startswith("A")):
                    break
        except AcknowledgementTimeout:
            self._earlier.append(str(fields["control_id"]))
            if not received:
                raise
        except ConnectionLost:
            if not received:
                raise
        else:
            self._earlier.append(str(fields["control_id"]))
        if enhanced and not received and not wants(accept, good=True) and not wants(application, good=True):
            return Answer(sent, ())
        return Answer(sent, tuple(received))

    def _next(self, deadline: float) -> Received:
        assert self._socket is not None
        while not self._frames:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._tell(self._deframer.flush())
                if self._frames:
                    break
                raise AcknowledgementTimeout(f"{self.host}:{self.port}: no acknowledgement in time; is it framed?")
            # an end block without its carriage return is noticed after a pause only
            self._socket.settimeout(min(remaining, self._timeouts.pause) if self._deframer.pending else remaining)
            try:
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                if self._deframer.pending:
                    self._tell(self._deframer.flush())
                continue
            except OSError as error:
                self._drop()
                raise ConnectionLost(f"{self.host}:{self.port}: {error.strerror or error}") from error
            if not data:
                self._tell(self._deframer.flush(closed=True))
                if self._frames:
                    break
                self._drop()
                raise ConnectionLost(f"{self.host}:{self.port}: closed the connection without an acknowledgement")
            self._journal.raw(Direction.FROM_SUT, self._number, data)
            self._tell(self._deframer.feed(data))
        payload = self._frames.popleft()
        record = self._journal.message(Direction.FROM_SUT, self._number, payload)
        return Received(HL7Message(payload), record)

    def _tell(self, events: Iterable[Frame | Violation]) -> None:
        for event in events:
            if isinstance(event, Frame):
                self._frames.append(event.payload)
            else:
                self._journal.violation(self._number, event)

    def _write(self, connection: socket.socket, data: bytes) -> None:
        connection.settimeout(self._timeouts.acknowledge)
        self._journal.raw(Direction.TO_SUT, self._number, data)
        try:
            connection.sendall(data)
        except OSError as error:
            self._drop()
            raise ConnectionLost(f"{self.host}:{self.port}: could not send ({error.strerror or error})") from error

    def _connected(self) -> socket.socket:
        if self._socket is not None and _closed_by_peer(self._socket):
            self._drop()
        if self._socket is None:
            try:
                plain = socket.create_connection((self.host, self.port), self._timeouts.connect)
            except OSError as error:
                raise PeerUnreachable(
                    f"{self.host}:{self.port}: no HL7 connection ({error.strerror or error}); "
                    "check address, port and firewall"
                ) from error
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._secured(plain)
            self._number = next_number()
            self._deframer = Deframer(self._max)
            self._frames.clear()
            self._journal.opened(self._number, self._socket, incoming=False, tls=self._tls is not None)
        return self._socket

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._tls is None:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=self._tls_name or self.host)
        except OSError as error:
            plain.close()
            raise PeerUnreachable(f"{self.host}:{self.port}: TLS failed ({error})") from error

    def _drop(self) -> None:
        if self._socket is not None:
            _shut(self._socket)
            self._socket.close()
            self._socket = None
            self._journal.event("CONNECTION-CLOSED", self._number)


def _closed_by_peer(connection: socket.socket) -> bool:
    if isinstance(connection, ssl.SSLSocket):
        return False  # peeking is not possible under TLS; the next write tells
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed or never connected
