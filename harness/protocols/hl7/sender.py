"""An MLLP sender: one connection, opened when needed and again when it was lost."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from harness.core.errors import UsageError
from harness.core.message import Direction
from harness.core.transcript import Recorder, Transcript
from harness.protocols.connections import next_number
from harness.protocols.hl7.acknowledge import wants
from harness.protocols.hl7.errors import AcknowledgementTimeout, ConnectionLost, PeerUnreachable
from harness.protocols.hl7.exchange import Answer, Received, Timeouts
from harness.protocols.hl7.framing import MAX_MESSAGE, Deframer, Frame, Violation, frame
from harness.protocols.hl7.journal import Journal, Tap
from harness.protocols.hl7.message import HL7Message
from harness.protocols.listening import shut

_CHUNK = 65536


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
        self._journal = Journal(recorder, actor, tap)
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
            shut(connection)

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
            shut(self._socket)
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
