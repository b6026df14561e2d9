"""One association without any input or output: bytes in, events out; commands in, bytes out.

It follows table 9-10 of PS3.8 (:mod:`harness.protocols.dicom.fsm`) and puts DIMSE messages together. It owns no
socket, no clock and no thread: whoever drives it feeds what arrived, sends what ``take_output`` gives, starts the
ARTIM timer while ``artim`` is true and closes the connection when ``closing`` is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.core.message import EMPTY, Blob
from harness.protocols.dicom import command as dimse
from harness.protocols.dicom.command import Command
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.events import CoreEvent, Ended, MessageArrived, PduArrived, PduSent, Violation
from harness.protocols.dicom.fsm import ACTIONS, TRANSITIONS, Effect, Event, State
from harness.protocols.dicom.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ControlPDU,
    ReleaseRP,
    ReleaseRQ,
    decode_control,
)
from harness.protocols.dicom.sinks import MemorySink, Sink
from harness.protocols.dicom.stream import PduReader

MAX_COMMAND_SET: Final = 256 << 10
MAX_DATA_SET: Final = 64 << 30
_PDV_HEAD: Final = 6


_PDU_EVENTS: Final = {
    AssociateRQ: Event.ASSOCIATE_RQ_PDU,
    AssociateAC: Event.ASSOCIATE_AC_PDU,
    AssociateRJ: Event.ASSOCIATE_RJ_PDU,
    ReleaseRQ: Event.RELEASE_RQ_PDU,
    ReleaseRP: Event.RELEASE_RP_PDU,
    Abort: Event.ABORT_PDU,
}
_RECEIVING: Final = frozenset((State.ESTABLISHED, State.AWAITING_RELEASE_ANSWER))


class AssociationCore:
    """The state of one association.

    ``max_pdu`` is the maximum length that we announce (0: no limit). ``sinks`` makes the place where the data set
    of an arriving message goes, from its context id and command.
    """

    def __init__(
        self, *, requestor: bool, max_pdu: int = 16384, sinks: Callable[[int, Command], Sink] | None = None
    ) -> None:
        self.requestor = requestor
        self.max_pdu = max_pdu
        self.peer_max_pdu = 0
        self.state = State.IDLE
        self.artim = False
        self.closing = False
        self.contexts: Mapping[int, str] | None = None  # transfer syntax by accepted context; None until negotiated
        self._sinks = sinks or (lambda _context, _command: MemorySink())
        self._reader = PduReader(self)
        self._output: list[bytes] = []
        self._events: list[CoreEvent] = []
        self._over_maximum = False
        self._command_bytes = bytearray()
        self._command_cost = 0
        self._command: Command | None = None
        self._message_context = 0
        self._sink: Sink | None = None
        self._odd_header = False

    # -- what comes from the network ---------------------------------------------------------------------------

    def transport_opened(self) -> list[CoreEvent]:
        """The TCP connection stands: as the acceptor it was indicated, as the requestor confirmed."""
        self._fire(Event.TRANSPORT_CONFIRMED if self.requestor else Event.TRANSPORT_INDICATED)
        return self.take_events()

    def receive(self, data: memoryview | bytes) -> list[CoreEvent]:
        """Bytes of the peer, in any portions."""
        if self.state is State.AWAITING_CLOSE or self._reader.stopped:
            return self._while_closing(memoryview(data))
        try:
            self._reader.feed(memoryview(data))
        except WireError as problem:
            self._broken(problem)
        if self._sink is not None:
            self._sink.flush()
        return self.take_events()

    def transport_closed(self) -> list[CoreEvent]:
        """The peer closed the connection, or it broke."""
        if not self._reader.is_between_pdus and not self._reader.stopped:
            self._events.append(Violation("PS3.8 9.3", "the connection was closed in the middle of a PDU"))
        if (Event.TRANSPORT_CLOSED, self.state) in TRANSITIONS:
            self._fire(Event.TRANSPORT_CLOSED)
        self.closing = True
        self._drop_message()
        return self.take_events()

    def artim_expired(self) -> list[CoreEvent]:
        """The ARTIM timer ran out."""
        if (Event.ARTIM_EXPIRED, self.state) in TRANSITIONS:
            self._fire(Event.ARTIM_EXPIRED)
        return self.take_events()

    # -- what the local user wants -----------------------------------------------------------------------------

    def request(self, pdu: AssociateRQ) -> None:
        """Ask for the association; the PDU goes out when the transport is open."""
        self._request = pdu
        self._fire(Event.ASSOCIATE_REQUEST)

    def accept(self, pdu: AssociateAC) -> None:
        """Answer the request with A-ASSOCIATE-AC."""
        self.contexts = {context.id: context.transfer_syntax for context in pdu.contexts if context.result == 0}
        self._fire(Event.ACCEPT, pdu)

    def reject(self, result: int, source: int, reason: int) -> None:
        """Answer the request with A-ASSOCIATE-RJ."""
        self._fire(Event.REJECT, AssociateRJ(result, source, reason))

    def release(self) -> bool:
        """Ask for the release; False if the state does not allow it."""
        return self._if_possible(Event.RELEASE_REQUEST)

    def answer_release(self) -> bool:
        """Answer the release of the peer; False if the state does not allow it."""
        return self._if_possible(Event.RELEASE_RESPONSE)

    def abort(self, source: int = 0, reason: int = 0) -> bool:
        """Abort; False if there is nothing to abort."""
        self._abort = Abort(source, reason)
        return self._if_possible(Event.ABORT_REQUEST)

    def may_send_data(self) -> bool:
        """True if table 9-10 lets a P-DATA-TF go out now."""
        return (Event.P_DATA_REQUEST, self.state) in TRANSITIONS

    def discard(self) -> None:
        """Nobody feeds it any more: let go of a message that is not complete."""
        self._drop_message()

    def take_output(self) -> list[bytes]:
        """What must be sent, oldest first; empties it."""
        output, self._output = self._output, []
        return output

    def take_events(self) -> list[CoreEvent]:
        """What happened since; empties it."""
        events, self._events = self._events, []
        return events

    # -- the state machine -------------------------------------------------------------------------------------

    _request: AssociateRQ | None = None
    _abort = Abort(0, 0)
    _provider_reason = 0

    def _if_possible(self, event: Event) -> bool:
        if (event, self.state) not in TRANSITIONS:
            return False
        self._fire(event)
        return True

    def _fire(self, event: Event, pdu: ControlPDU | None = None) -> None:
        action, following = TRANSITIONS[event, self.state]
        self.state = following
        for effect in ACTIONS[action]:
            self._do(effect, pdu)

    def _do(self, effect: Effect, pdu: ControlPDU | None) -> None:
        match effect:
            case Effect.SEND_RQ:
                assert self._request is not None
                self._send(self._request)
            case Effect.SEND_AC | Effect.SEND_RJ:
                assert pdu is not None
                self._send(pdu)
            case Effect.SEND_RELEASE_RQ:
                self._send(ReleaseRQ())
            case Effect.SEND_RELEASE_RP:
                self._send(ReleaseRP())
                if self.state is State.AWAITING_CLOSE:
                    self._end("released")
            case Effect.SEND_ABORT_USER:
                self._send(self._abort)
                self._end("failed", self._abort.source, self._abort.reason)
            case Effect.SEND_ABORT_PROVIDER:
                self._send(Abort(2, self._provider_reason))
                self._end("failed", 2, self._provider_reason)
            case Effect.CONFIRM_ACCEPTED:
                assert isinstance(pdu, AssociateAC)
                self._accepted(pdu)
            case Effect.CONFIRM_REJECTED:
                assert isinstance(pdu, AssociateRJ)
                self._end("rejected", pdu.source, pdu.reason)
            case Effect.INDICATE_COLLISION:
                if not self.requestor:
                    self.state = State.COLLISION_ACCEPTOR_PEER
            case Effect.CONFIRM_RELEASE:
                if self.state is State.IDLE:
                    self._end("released")
            case Effect.INDICATE_ABORT:
                assert isinstance(pdu, Abort)
                self._end("aborted", pdu.source, pdu.reason)
            case Effect.INDICATE_PROVIDER_ABORT:
                self._end("lost")
            case Effect.START_ARTIM:
                self.artim = True
            case Effect.STOP_ARTIM:
                self.artim = False
            case Effect.CLOSE:
                self.closing = True
                self.artim = False
                self._reader.stopped = True  # what follows in the same portion of bytes is not heard any more
            case _:  # connecting, data and indications: the driver does them, or did
                pass

    def _accepted(self, pdu: AssociateAC) -> None:
        accepted = {context.id: context.transfer_syntax for context in pdu.contexts if context.result == 0}
        proposed = {context.id for context in self._request.contexts} if self._request else set()
        self.contexts = {number: accepted[number] for number in accepted if number in proposed}
        for number in sorted(accepted.keys() - proposed):
            self._events.append(Violation("PS3.8 9.3.3.2", f"context {number} was accepted, but never proposed"))

    _ended = False

    def _end(self, how: str, source: int = -1, reason: int = 0) -> None:
        self._drop_message()
        if not self._ended:
            self._ended = True
            self._events.append(Ended(how, source, reason))

    def _send(self, pdu: ControlPDU) -> None:
        raw = pdu.encode()
        self._output.append(raw)
        self._events.append(PduSent(pdu, raw))

    def _broken(self, problem: WireError, reason: int = 0) -> None:
        """The stream cannot be trusted any more: say why, and let the table decide (Evt19)."""
        self._reader.stopped = True
        self._events.append(Violation(problem.rule, problem.text))
        self._provider_reason = reason or (1 if problem.rule == "PS3.8 9.3.1" else 6)
        self._drop_message()
        if (Event.INVALID_PDU, self.state) in TRANSITIONS:
            self._fire(Event.INVALID_PDU)

    def _while_closing(self, data: memoryview) -> list[CoreEvent]:
        """In Sta13 the peer has nothing more to say; only A-ABORT matters, and it closes."""
        if not self._reader.stopped:
            try:
                self._reader.feed(data)
            except WireError:
                self._reader.stopped = True
        return self.take_events()

    # -- the reader's user -------------------------------------------------------------------------------------

    def on_control(self, kind: int, body: bytes) -> None:
        """A whole control PDU."""
        pdu = decode_control(kind, body)
        event = _PDU_EVENTS[type(pdu)]
        self._events.append(PduArrived(pdu, bytes((kind, 0)) + len(body).to_bytes(4, "big") + body))
        action, _ = TRANSITIONS.get((event, self.state), ("", None))
        if action in ("AA-1", "AA-8"):
            self._provider_reason = 2
            self._events.append(
                Violation("PS3.8 9.2 table 9-10", f"{type(pdu).__name__} is not expected in Sta{self.state.value}")
            )
            self._reader.stopped = True
        if action:
            self._fire(event, pdu)

    def on_data_pdu(self, length: int) -> None:
        """A P-DATA-TF begins."""
        if self.state not in _RECEIVING:
            if self.state is not State.AWAITING_CLOSE:
                self._provider_reason = 2
                self._events.append(
                    Violation("PS3.8 9.2 table 9-10", f"P-DATA-TF is not expected in Sta{self.state.value}")
                )
                self._reader.stopped = True
                self._fire(Event.P_DATA_PDU)
            return
        if self.max_pdu and length > self.max_pdu and not self._over_maximum:
            self._over_maximum = True  # said once; streaming makes it harmless
            self._events.append(
                Violation("PS3.8 D.1", f"a P-DATA-TF of {length} bytes exceeds the announced maximum of {self.max_pdu}")
            )

    def on_fragment(self, context_id: int, header: int, data: memoryview, complete: bool) -> None:
        """A part of a PDV."""
        if self.state not in _RECEIVING:
            return
        if header & 1:
            self._command_fragment(context_id, data, complete)
            if complete and header & 2:
                self._command_complete()
            return
        sink = self._sink
        if sink is None or context_id != self._message_context:
            what = "no command announced" if sink is None else f"belongs to context {self._message_context}"
            raise WireError("PS3.7 6.3.1", f"a data set fragment on context {context_id} that {what}")
        if header > 3:
            self._reserved_bits(header)
        if sink.size + len(data) > MAX_DATA_SET:
            raise WireError("PS3.7 6.3.1", f"a data set of more than {MAX_DATA_SET} bytes")
        sink.write(data, self._reader.position)
        if complete and header & 2:
            self._sink = None
            self._arrived(sink.finish())

    # -- putting messages together -----------------------------------------------------------------------------

    def _command_fragment(self, context_id: int, data: memoryview, complete: bool) -> None:
        if self._sink is not None:
            raise WireError(
                "PS3.7 6.3.1", "a command fragment where the data set of the message before is not complete"
            )
        if self.contexts is not None and context_id not in self.contexts:
            raise WireError("PS3.8 9.3.5.1", f"context {context_id} was not accepted")
        if not self._command_bytes:
            self._message_context = context_id
        elif context_id != self._message_context:
            raise WireError(
                "PS3.7 6.3.1", f"a command set continues on context {context_id} instead of the one it began on"
            )
        # empty fragments count too, or a command set could go on for ever
        self._command_cost += len(data) + complete * _PDV_HEAD
        if self._command_cost > MAX_COMMAND_SET:
            raise WireError("PS3.7 6.3.1", f"a command set of more than {MAX_COMMAND_SET} bytes, PDV headers included")
        self._command_bytes += data

    def _command_complete(self) -> None:
        command = dimse.decode(bytes(self._command_bytes))
        self._events.extend(Violation("PS3.7 6.3.1", problem) for problem in command.problems)
        self._command = command
        if command.has_data_set:
            self._sink = self._sinks(self._message_context, command)
        else:
            self._arrived(EMPTY)

    def _arrived(self, payload: Blob) -> None:
        assert self._command is not None
        raw = bytes(self._command_bytes)
        self._command_bytes.clear()
        self._command_cost = 0
        self._events.append(MessageArrived(self._message_context, self._command, raw, payload))
        if payload.size & 1:
            self._events.append(Violation("PS3.5 7.1", f"a data set of {payload.size} bytes, which is odd"))
        self._command = None

    def _drop_message(self) -> None:
        if self._sink is not None:
            self._sink.discard()
            self._sink = None
        self._command_bytes.clear()
        self._command_cost = 0

    def _reserved_bits(self, header: int) -> None:
        if not self._odd_header:
            self._odd_header = True
            self._events.append(Violation("PS3.8 E.2", f"message control header {header:02X}H has reserved bits set"))
