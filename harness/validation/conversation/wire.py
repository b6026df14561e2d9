"""What the bytes of one connection say: PDUs and DIMSE messages of DICOM, blocks of MLLP, in the order they passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.core.message import EMPTY, Blob, Direction, Message, Protocol
from harness.protocols.dicom import negotiation, pdu
from harness.protocols.dicom.command import Command, decode
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.model import Context
from harness.protocols.hl7.framing import Deframer, Frame
from harness.protocols.hl7.header import header_fields, kind_of
from harness.validation.conversation.streams import Chunk
from harness.validation.finding import Severity, ValidationFinding, shown

Event = Message | ValidationFinding
#: a longer PDU, or message, is not kept
MAXIMUM_PDU: Final = 256 << 20
_TLS: Final = 0x16
_ASSOCIATE_RQ, _P_DATA = 0x01, 0x04


def side(from_client: bool) -> Direction:
    """The one who opened the connection stands where a system under test would."""
    return Direction.FROM_SUT if from_client else Direction.TO_SUT


@dataclass(slots=True)
class _Half:
    """What one side has sent and is not complete."""

    buffer: bytearray = field(default_factory=bytearray)
    command: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)
    decoded: Command | None = None
    context: int = 0
    #: largest P-DATA-TF that this side wants to get, 0 is no limit
    maximum: int = 0
    broken: bool = False


class Dialogue:
    """One connection; :meth:`feed` gives what each chunk completes. ``number`` continues over all connections."""

    def __init__(self, first: Chunk, counter: Iterator[int]) -> None:
        self.first, self._counter = first, counter
        self.kind = ""
        self._head = b""
        self._halves = (_Half(), _Half())
        self._frames = (Deframer(), Deframer())
        self._request: pdu.AssociateRQ | None = None
        self._contexts: dict[int, Context] = {}
        self._established = self._over = False

    @property
    def name(self) -> str:
        """Who talks with whom."""
        (client, a), (server, b) = self.first.client, self.first.server
        return f"{client}:{a} → {server}:{b}"

    def feed(self, chunk: Chunk) -> Iterator[Event]:
        """What became complete by this chunk, in order."""
        half = self._halves[0 if chunk.from_client else 1]
        if chunk.lost and not half.broken:
            half.broken = True
            expected, actual = "every byte of the connection", "bytes are missing; what follows is not judged"
            yield self._finding("CONV-GAP", expected, actual, "the capture", Severity.WARNING)
        data = chunk.data
        if not self.kind:
            self._head += data
            if len(self._head) < 2 and self._head != b"\x0b":
                return  # a connection without content, or one byte of it
            data = bytes(self._head)
            yield from self._recognise(data, chunk.from_client)
        if self.kind == "hl7":
            yield from self._mllp(data, chunk)
        elif self.kind == "dicom" and not half.broken:
            half.buffer += data
            yield from self._pdus(half, chunk)
        if chunk.end:
            yield self._event("CONNECTION-CLOSED", chunk, Protocol.HL7 if self.kind == "hl7" else Protocol.DICOM)

    def _recognise(self, data: bytes, from_client: bool) -> Iterator[Event]:
        head = data[:2]
        if head[:1] == b"\x0b":
            self.kind = "hl7"
            return
        if from_client and head == b"\x01\x00":
            self.kind = "dicom"
            return
        self.kind = "other"
        if head[0] == _TLS and head[1:] == b"\x03":
            actual = "TLS: capture behind the encryption, or export the keys and decrypt with Wireshark first"
        elif head in (b"\x04\x00", b"\x02\x00", b"\x05\x00", b"\x06\x00"):
            actual = "DICOM without its A-ASSOCIATE-RQ: the capture began too late"
        else:
            actual = shown(data[:16])
        yield self._finding("CONV-UNKNOWN", "DICOM or HL7 over MLLP", actual, "PS3.8 9.1, HL7 MLLP", Severity.INFO)

    # -- DICOM -------------------------------------------------------------------------------------------------

    def _pdus(self, half: _Half, chunk: Chunk) -> Iterator[Event]:
        position, buffer = 0, half.buffer
        while len(buffer) - position >= 6:
            kind, length = buffer[position], int.from_bytes(buffer[position + 2 : position + 6], "big")
            if not 1 <= kind <= 7 or length > MAXIMUM_PDU:
                half.broken = True
                found = f"type {kind:02X}H, length {length}"
                yield self._finding("CONV-PDU", "a PDU of PS3.8", found, "PS3.8 9.3.1")
                return
            if len(buffer) - position - 6 < length:
                break
            raw = bytes(buffer[position : position + 6 + length])
            position += 6 + length
            try:
                yield from self._pdu(half, kind, raw, chunk)
            except WireError as error:
                half.broken = True
                yield self._finding("CONV-PDU", "a PDU of PS3.8", error.text, error.rule)
                return
        del buffer[:position]
        if chunk.end and buffer:
            yield self._finding("CONV-PDU", "a whole PDU", f"{len(buffer)} bytes of one", "PS3.8 9.3.1")

    def _pdu(self, half: _Half, kind: int, raw: bytes, chunk: Chunk) -> Iterator[Event]:
        if self._over and kind != 0x07:
            yield self._finding(
                "CONV-SEQUENCE", "nothing after the association has ended", f"a PDU of type {kind:02X}H", "PS3.8 9.2"
            )
        if kind == _P_DATA:
            if not self._established:
                expected, actual = "an accepted association first", "P-DATA-TF"
                yield self._finding("CONV-SEQUENCE", expected, actual, "PS3.8 9.2")
            limit = self._halves[1 if chunk.from_client else 0].maximum
            if limit and len(raw) - 6 > limit:
                expected, actual = f"at most {limit} bytes, as its receiver announced", str(len(raw) - 6)
                yield self._finding("CONV-PDU-LENGTH", expected, actual, "PS3.8 D.1")
            for value in pdu.decode_pdata(raw[6:]).values:
                yield from self._value(half, value, chunk)
            return
        control = pdu.decode_control(kind, raw[6:])
        if isinstance(control, pdu.AssociateRQ | pdu.AssociateAC):
            half.maximum = negotiation.maximum_length(control.user_items)
        fields = negotiation.fields_of(control, self._request)
        if isinstance(control, pdu.AssociateRQ):
            self._request = control
        elif isinstance(control, pdu.AssociateAC) and self._request is not None:
            self._contexts, self._established = negotiation.agreed(self._request, control), True
        elif isinstance(control, pdu.AssociateRJ | pdu.ReleaseRP | pdu.Abort):
            self._over = True
        yield self._message(negotiation.kind_of(control), chunk, fields=fields, header=raw)

    def _value(self, half: _Half, value: pdu.PDV, chunk: Chunk) -> Iterator[Event]:
        if value.is_command:
            if half.decoded is not None:
                half.decoded = None
                yield self._finding(
                    "CONV-FRAGMENT", "the data set that the command announced", "another command", "PS3.8 E.1"
                )  # fmt: skip
                half.data.clear()
            half.command += value.data
            half.context = value.context_id
            if not value.is_last:
                return
            half.decoded = decode(bytes(half.command))
            if half.decoded.has_data_set:
                return
        else:
            if half.decoded is None:
                expected, actual = "a whole command before its data set", "a data fragment"
                yield self._finding("CONV-FRAGMENT", expected, actual, "PS3.8 E.1")
                return
            if value.context_id != half.context:
                expected, actual = f"presentation context {half.context} of the command", str(value.context_id)
                yield self._finding("CONV-FRAGMENT", expected, actual, "PS3.8 E.1")
            half.data += value.data
            if len(half.data) > MAXIMUM_PDU:
                half.broken = True
                yield self._finding("CONV-LIMIT", f"at most {MAXIMUM_PDU} bytes", "more", "a limit of this tool")
                return
            if not value.is_last:
                return
        decoded, header, data = half.decoded, bytes(half.command), bytes(half.data)
        half.decoded = None
        half.command.clear()
        half.data.clear()
        context = self._contexts.get(half.context)
        fields = {**decoded.values, "AbstractSyntax": context.abstract_syntax if context else ""}
        syntax = context.transfer_syntax if context else ""
        yield self._message(
            decoded.kind, chunk, fields=fields, header=header, data=data, context=half.context, syntax=syntax
        )

    # -- HL7 ---------------------------------------------------------------------------------------------------

    def _mllp(self, data: bytes, chunk: Chunk) -> Iterator[Event]:
        deframer = self._frames[0 if chunk.from_client else 1]
        found = deframer.feed(data)
        if chunk.end or chunk.lost:
            found += deframer.flush(closed=True)
        for event in found:
            if isinstance(event, Frame):
                fields = header_fields(event.payload)
                kind = kind_of(str(fields["type"]), str(fields["trigger"]))
                yield self._message(kind, chunk, Protocol.HL7, fields=fields, data=event.payload)
            else:
                yield self._finding("CONV-MLLP", "blocks of MLLP", event.text, "HL7 MLLP release 1")

    # -- shapes ------------------------------------------------------------------------------------------------

    def _event(self, kind: str, chunk: Chunk, protocol: Protocol) -> Message:
        return Message(0, chunk.time, Direction.NONE, protocol, kind, association=self.first.connection)

    def _message(
        self,
        kind: str,
        chunk: Chunk,
        protocol: Protocol = Protocol.DICOM,
        *,
        fields: dict[str, object],
        header: bytes = b"",
        data: bytes = b"",
        context: int = 0,
        syntax: str = "",
    ) -> Message:
        return Message(
            next(self._counter), chunk.time, side(chunk.from_client), protocol, kind,
            association=self.first.connection, context=context, transfer_syntax=syntax, fields=fields,
            header=Blob.of(header) if header else EMPTY, payload=Blob.of(data) if data else EMPTY,
        )  # fmt: skip

    def _finding(
        self, code: str, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR
    ) -> ValidationFinding:
        return ValidationFinding(code, severity, self.name, expected, actual, clause)
