"""A peer that does what its script says, whether the standard allows it or not.

A script is a tuple of steps, plain data. Played by a listener it is a misbehaving acceptor, played towards an
address a misbehaving requestor. :mod:`harness.protocols.dicom.misbehaviour` has ready-made ones.
"""

from __future__ import annotations

import functools
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from harness.core.errors import EnvironmentFailure
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom import command, items, pdu
from harness.protocols.dicom.command import NO_DATA_SET
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.fragments import Payload, command_pdus, data_pdus
from harness.protocols.dicom.link import next_number
from harness.protocols.dicom.model import Address
from harness.protocols.dicom.negotiation import kind_of
from harness.protocols.dicom.script import (
    Accept,
    Ask,
    Close,
    Expect,
    Pause,
    Played,
    Reply,
    Reset,
    Script,
    Send,
    SendPdu,
    Step,
)
from harness.protocols.dicom.sockets import dial
from harness.protocols.dicom.tls import TlsSettings, in_words

_MAX_PDU: Final = 64 << 20


class _Broken(Exception):
    """The script cannot go on."""


class _Player:
    """Plays one script over one socket."""

    def __init__(self, sock: socket.socket, recorder: Transcript | Recorder, actor: str) -> None:
        self._socket = sock
        self._recorder = recorder
        self._actor = actor
        self._number = next_number()
        self._request: pdu.AssociateRQ | None = None
        self._command: Mapping[str, Any] = {}
        self._context = 1
        self._fragments = bytearray()
        self._stop = threading.Event()
        self.played = Played()

    def play(self, script: Script) -> Played:
        sock = self._socket
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for step in script:
                try:
                    self._do(step)
                except (_Broken, OSError, WireError) as problem:
                    self.played.failed, self.played.reason = step, str(problem) or type(problem).__name__
                    break
        return self.played

    def secure(self, tls: TlsSettings) -> None:
        """Agree on TLS with who called. Raises OSError."""
        self._socket.settimeout(10)
        self._socket = tls.server_context().wrap_socket(self._socket, server_side=True)

    def stop(self) -> None:
        self._stop.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _do(self, step: Step) -> None:
        match step:
            case Send():
                self._send(step.data, step.piece, step.pause)
            case SendPdu():
                self._send(step.value.encode())
            case Accept():
                self._send(self._answer(step).encode())
            case Ask():
                values = {"CommandField": command.FIELDS[step.kind], "MessageID": 1, **step.values}
                self._send(_message(step.context_id, values, step.data, step.max_pdu))
            case Reply():
                self._send(self._response(step))
            case Expect():
                self._expect(step)
            case Pause():
                self._stop.wait(step.seconds)
            case Reset():
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._socket.close()
            case Close():
                self._socket.close()

    def _send(self, data: bytes, piece: int = 0, pause: float = 0.0) -> None:
        self._socket.settimeout(10)
        self._note(Direction.TO_SUT, f"SCRIPTED-{len(data)}-BYTES", data)
        if not piece:
            self._socket.sendall(data)
            return
        for position in range(0, len(data), piece):
            self._socket.sendall(data[position : position + piece])
            if self._stop.wait(pause):
                raise _Broken("stopped")

    def _answer(self, step: Accept) -> pdu.AssociateAC:
        if self._request is None:
            raise _Broken("no A-ASSOCIATE-RQ came that could be accepted")
        return pdu.AssociateAC(
            self._request.called,
            self._request.calling,
            tuple(
                items.ContextResult(
                    context.id,
                    0,
                    step.prefer
                    if step.prefer in context.transfer_syntaxes
                    else (context.transfer_syntaxes or ("",))[0],
                )
                for context in self._request.contexts
            ),
            (items.MaximumLength(step.max_pdu), items.ImplementationClass("2.25.1"), *step.extra),
        )

    def _response(self, step: Reply) -> bytes:
        asked = self._command
        values: dict[str, Any] = {
            "CommandField": asked.get("CommandField", 0x30) | 0x8000,
            "MessageIDBeingRespondedTo": asked.get("MessageID", 1),
            "AffectedSOPClassUID": asked.get("AffectedSOPClassUID") or asked.get("RequestedSOPClassUID"),
            "AffectedSOPInstanceUID": asked.get("AffectedSOPInstanceUID") or asked.get("RequestedSOPInstanceUID"),
            "Status": step.status,
            **step.values,
        }
        context = self._context if step.context_id is None else step.context_id
        return _message(context, values, step.data, step.max_pdu)

    def _expect(self, step: Expect) -> None:
        deadline = time.monotonic() + step.timeout
        while True:
            kind = self._read(deadline)
            if kind == "close" and step.kind != "close":
                raise _Broken(f"the peer closed the connection instead of {step.kind or 'any PDU'}")
            if kind and step.kind in ("", kind):
                return

    def _read(self, deadline: float) -> str:
        try:
            head = self._exactly(6, deadline)
            length = int.from_bytes(head[2:6], "big")
            if length > _MAX_PDU:
                raise _Broken(f"a PDU of {length} bytes")
            body = self._exactly(length, deadline)
        except (EOFError, ConnectionError):
            self.played.kinds.append("close")
            return "close"
        self.played.received.append(head + body)
        kind = self._understand(head[0], body)
        self.played.kinds.append(kind)
        self._note(Direction.FROM_SUT, kind or "P-DATA-TF", head + body)
        return kind

    def _understand(self, kind: int, body: bytes) -> str:
        if kind != pdu.PData.TYPE:
            value = pdu.decode_control(kind, body)
            if isinstance(value, pdu.AssociateRQ):
                self._request = value
            return kind_of(value)
        found = ""
        for pdv in pdu.decode_pdata(body).values:
            if not pdv.is_command:
                found = self._last if pdv.is_last else found
                continue
            self._fragments += pdv.data
            if pdv.is_last:
                decoded = command.decode(bytes(self._fragments))
                self._fragments.clear()
                self._context = pdv.context_id
                self._command = decoded.values
                self._last = decoded.kind
                found = "" if decoded.has_data_set else decoded.kind
        return found

    _last = ""

    def _exactly(self, count: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < count:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _Broken("nothing came in time")
            self._socket.settimeout(remaining)
            try:
                portion = self._socket.recv(min(count - len(data), 1 << 20))
            except TimeoutError:
                raise _Broken("nothing came in time") from None
            if not portion:
                raise EOFError
            data += portion
        return bytes(data)

    def _note(self, direction: Direction, kind: str, data: bytes) -> None:
        self._recorder.record(
            direction, Protocol.DICOM, kind, actor=self._actor, association=self._number, header=Blob.of(data)
        )


def _syntax(proposed: Sequence[str], preferred: str) -> str:
    return preferred if preferred in proposed else next(iter(proposed), "")


def _message(context_id: int, values: Mapping[str, Any], data: bytes | None, maximum: int) -> bytes:
    values = {"CommandDataSetType": NO_DATA_SET if data is None else 1, **values}
    parts = list(command_pdus(context_id, command.encode(values), maximum))
    if data is not None:
        for portion in data_pdus(context_id, Payload.of(data), maximum):
            parts += portion
    return b"".join(parts)


def play(
    peer: Address,
    script: Script,
    recorder: Transcript | Recorder,
    *,
    actor: str = "scripted",
    tls: TlsSettings | None = None,
) -> Played:
    """Connect and play, within TLS if there are settings. Raises PeerUnreachable, TlsNotAgreed."""
    return _Player(dial(peer, 5, tls), recorder, actor).play(script)


class ScriptedListener:
    """Listens, and plays the scripts one after the other: one for each connection, the last one ever after.

    ``on_played`` gets the number of the connection, from 0, and what happened, when its script is over.
    """

    def __init__(
        self,
        scripts: Sequence[Script],
        recorder: Transcript | Recorder,
        *,
        actor: str = "scripted",
        ae_title: str = "SCRIPTED",
        host: str = "127.0.0.1",
        port: int = 0,
        on_played: Callable[[int, Played], None] = lambda number, played: None,
        tls: TlsSettings | None = None,
    ) -> None:
        self._on_played, self._tls = on_played, tls
        self._scripts = list(scripts)
        self._recorder = recorder
        self._actor = actor
        self._title = ae_title
        self._host, self._asked_port = host, port
        self._players: list[_Player] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    @property
    def address(self) -> Address:
        """Where it listens."""
        port = self._listener.getsockname()[1] if self._listener is not None else self._asked_port
        return Address(self._title, self._host, port)

    @property
    def played(self) -> tuple[Played, ...]:
        """What happened on each connection so far."""
        with self._lock:
            return tuple(player.played for player in self._players)

    def __enter__(self) -> ScriptedListener:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._asked_port))
        except OSError as problem:
            listener.close()
            raise EnvironmentFailure(f"cannot listen on {self._host}:{self._asked_port}: {problem}") from problem
        listener.listen(16)
        self._listener = listener
        self._spawn(lambda: self._accept(listener))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._listener is not None
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            self._listener.close()
        with self._lock:
            players = list(self._players)
        for player in players:
            player.stop()
        for thread in list(self._threads):
            thread.join(5)

    def _spawn(self, job: Callable[[], object]) -> None:
        thread = threading.Thread(target=job, name=f"{self._title}-script", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                script = self._scripts[min(len(self._players), len(self._scripts) - 1)]
                number, player = len(self._players), _Player(sock, self._recorder, self._actor)
                self._players.append(player)
            self._spawn(functools.partial(self._play, number, player, script))

    def _play(self, number: int, player: _Player, script: Script) -> None:
        try:
            if self._tls is not None:
                player.secure(self._tls)
        except OSError as problem:
            player.played.failed = script[0] if script else None
            player.played.reason = f"TLS was not agreed: {in_words(problem)}"
            self._on_played(number, player.played)
            return
        self._on_played(number, player.play(script))
