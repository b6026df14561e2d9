"""Every message, event and breach of an HL7 connection into the transcript, every byte to a capture."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Protocol

from harness.core.message import Blob, Direction, Message
from harness.core.message import Protocol as Carrier
from harness.core.transcript import Recorder, Transcript
from harness.protocols.hl7.framing import Violation
from harness.protocols.hl7.header import header_fields, kind_of


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


class Journal:
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
