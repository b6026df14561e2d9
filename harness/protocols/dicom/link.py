"""The living end of an association: the core, a channel, and whoever waits reads.

There is no reader thread of its own unless somebody must serve requests at any time: a thread that waits for
something reads the socket itself when nobody else does, so that a response needs no hand-over between threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset

from harness.core.message import EMPTY, Blob, Direction
from harness.core.transcript import Recorder, Transcript
from harness.protocols.connections import next_number as next_number
from harness.protocols.dicom import command as dimse
from harness.protocols.dicom import datasets, negotiation
from harness.protocols.dicom.channel import TIMED_OUT, Buffer, Channel
from harness.protocols.dicom.core import AssociationCore
from harness.protocols.dicom.errors import AssociationAborted, AssociationRejected, PeerTimeout
from harness.protocols.dicom.events import CoreEvent, Ended, MessageArrived, PduArrived, PduSent, Violation
from harness.protocols.dicom.fragments import Payload, command_pdus, data_pdus
from harness.protocols.dicom.fsm import State
from harness.protocols.dicom.model import Context, Timeouts
from harness.protocols.dicom.pdu import AssociateAC
from harness.protocols.dicom.recording import Recording
from harness.protocols.dicom.sinks import Spool

WORTHWHILE: Final = 4096
"""Bytes within the time of a patient wait that count as going on; whole messages always do."""
MAX_DRAINED: Final = 1 << 20
"""Bytes that a peer may still send after the end, before its connection is closed."""


class Link(Recording):
    """Reads, sends, records and ends; what messages mean is the business of its subclasses.

    ``attended`` is true if a thread of its own reads it all the time.
    """

    _progressed = 0.0  # when the peer last said something worth waiting for
    _scraps = 0  # bytes since then
    _own_reader = 0  # ident of the thread that serves this association, if one was given to it
    _last_pdu: object = None

    def __init__(
        self,
        channel: Channel,
        core: AssociationCore,
        recorder: Transcript | Recorder,
        *,
        number: int,
        actor: str,
        timeouts: Timeouts,
        attended: bool,
        peer: str,
        spool: Spool,
        on_closed: Callable[[int], None],
    ) -> None:
        super().__init__(recorder, actor, number)
        self.peer = peer
        self.timeouts = timeouts
        self.request_raw = b""
        self._channel = channel
        self._core = core
        self._attended = attended
        self._spool = spool
        self._on_closed = on_closed
        self._changed = threading.Condition()
        self._sending = threading.RLock()
        self._send_depth = 0
        self._output: list[bytes] = []
        self._reader = 0  # ident of the thread that reads the socket now
        self._waiters = 0
        self._ended: Ended | None = None
        self._artim_deadline = 0.0
        self._closed_recorded = False

    # -- for subclasses ----------------------------------------------------------------------------------------

    def _message(self, event: MessageArrived) -> None:
        """A DIMSE message came (called with the lock held)."""
        raise NotImplementedError

    def _pdu(self, event: PduArrived) -> None:
        """A control PDU came (called with the lock held)."""
        raise NotImplementedError

    def _work(self) -> None:
        """Something was read, and the thread that read it may do what has to be done."""

    def _saturated(self) -> bool:
        """Whether more must not be read while the peer does not take what we send."""
        return False

    def _on_end(self) -> None:
        """It is over (called with the lock held)."""

    # -- sending messages --------------------------------------------------------------------------------------

    def send_message(
        self,
        context: Context,
        kind: str,
        values: Mapping[str, Any],
        dataset: Dataset | bytes | Path | Payload | None,
    ) -> int:
        """Send one DIMSE message, whatever it is, and record it; its number in the transcript."""
        payload = self._payload(dataset, context.transfer_syntax)
        values = {**values, "CommandDataSetType": dimse.NO_DATA_SET if payload is None else 0x0001}
        encoded = dimse.encode(values)
        maximum = self._core.peer_max_pdu
        blob = EMPTY if payload is None else payload.blob
        with self._sending:
            self._raise_if_ended()
            self._send_depth += 1
            try:
                seq = self._record(
                    Direction.TO_SUT,
                    kind,
                    self._fields(values, context),
                    context,
                    payload=blob,
                    header=Blob.of(encoded),
                )
                head = command_pdus(context.id, encoded, maximum)
                if payload is None:
                    self._transmit(head)
                else:
                    for buffers in data_pdus(context.id, payload, maximum):
                        self._transmit([*head, *buffers] if head else buffers)
                        head = []
            finally:
                self._send_depth -= 1
                self._flush()
        return seq

    def _payload(self, dataset: Dataset | bytes | Path | Payload | None, transfer_syntax: str) -> Payload | None:
        if dataset is None or isinstance(dataset, Payload):
            return dataset
        if isinstance(dataset, Dataset):
            return Payload.of(datasets.encode(dataset, transfer_syntax))
        return Payload.of(dataset) if isinstance(dataset, bytes) else Payload.part10(dataset)

    # -- the end -----------------------------------------------------------------------------------------------

    def release(self) -> bool:
        """Release and close; False if it was over already or the peer did not answer in time."""
        with self._changed:
            asked = self._ended is None and self._core.release()
            self._collect(self._core.take_events())
        if asked:
            self._flush()
            self._wait_until(lambda: False, self.timeouts.release)
        released = self._ended is not None and self._ended.how == "released"
        if self._ended is None:
            self._note_violation("PS3.8 7.2", "no A-RELEASE-RP came in time")
            self.abort()
        if not self._attended or self._core.closing:
            self.close()
        return asked and released

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """Send A-ABORT and close."""
        with self._changed:
            self._core.abort(source, reason)
            self._collect(self._core.take_events())
        self._flush()
        self._channel.half_close()
        if self._reader in (0, threading.get_ident()):
            self._drain(min(self.timeouts.release, 1.0))
            self.close()
        else:
            self._channel.wake()

    def close(self) -> None:
        """Close the connection without a word; records it once."""
        with self._changed:
            if self._closed_recorded:
                return
            self._closed_recorded = True
            if self._ended is None:
                self._ended = Ended("lost")
            self._core.discard()
            self._on_end()
            self._changed.notify_all()
        self._channel.close()
        self._spool.close()
        self._record(Direction.NONE, "CONNECTION-CLOSED", {"how": self._ended.how, "peer": self.peer})
        self._on_closed(self.id)

    def wake(self) -> None:
        """End every wait on this association from another thread: the connection is shut down."""
        self._channel.wake()

    def _raise_if_ended(self) -> None:
        ended = self._ended
        if ended is None:
            return
        if ended.how == "rejected":
            result = getattr(self._last_pdu, "result", 0)
            raise AssociationRejected(self.peer, result, ended.source, ended.reason)
        if ended.how == "aborted":
            raise AssociationAborted(self.peer, ended.source, ended.reason)
        if ended.how == "lost":
            raise AssociationAborted(self.peer)
        raise AssociationAborted(f"the association with {self.peer} is over ({ended.how}); {self.peer}", ended.source)

    # -- reading and sending -----------------------------------------------------------------------------------

    def serve_on_this_thread(self) -> None:
        """The calling thread is the one that serves requests from now on."""
        self._own_reader = threading.get_ident()

    def _wait_until(self, ready: Callable[[], bool], timeout: float, *, patient: bool = False) -> bool:
        """Read (or wait for whoever reads) until ``ready`` or the end; the value of ``ready`` then.

        ``timeout`` is in seconds; a ``patient`` wait begins anew while the peer keeps sending, so that a large data
        set over a slow line is not taken for silence.
        """
        me = threading.get_ident()
        deadline = time.monotonic() + timeout
        changed = self._changed
        while True:
            with changed:
                while True:
                    if ready():
                        return True
                    if self._ended is not None:
                        return False
                    end = max(deadline, self._progressed + timeout) if patient else deadline
                    remaining = end - time.monotonic()
                    if remaining <= 0 and timeout > 0:
                        return False
                    outer = self._reader
                    if outer in (0, me):
                        self._reader = me
                        break
                    self._waiters += 1
                    changed.wait(remaining)
                    self._waiters -= 1
            try:
                self._pump(max(0.0, remaining))
            finally:
                with changed:
                    self._reader = outer
                    if self._waiters:
                        changed.notify_all()
            if not self._send_depth and self._own_reader in (0, me):
                self._work()
            if timeout <= 0:
                with changed:
                    return ready()

    def _pump(self, timeout: float) -> int:
        """Read once and let the core digest it; the number of bytes, 0 if none came or the connection is closed."""
        core = self._core
        if core.artim:
            if not self._artim_deadline:
                limit = self.timeouts.associate if core.state is State.TRANSPORT_OPEN else self.timeouts.release
                self._artim_deadline = time.monotonic() + limit
            timeout = min(timeout, max(0.0, self._artim_deadline - time.monotonic()))
        count = self._channel.receive(timeout)
        with self._changed:
            if count > 0:
                self._scraps += count
                if self._scraps >= WORTHWHILE:
                    self._scraps, self._progressed = 0, time.monotonic()
                view = self._channel.view(count)
                events = core.receive(view)
                if self._channel.tap is not None:
                    self._channel.tap.received(self.id, view, self._spool.extents)
                    self._spool.extents.clear()
                self._collect(events)
            elif count == TIMED_OUT:
                if core.artim and time.monotonic() >= self._artim_deadline:
                    self._collect(core.artim_expired())
                    if core.closing:
                        self._finish(Ended("lost"))
            else:
                self._collect(core.transport_closed())
                self._finish(Ended("lost"))
            if not core.artim:
                self._artim_deadline = 0.0
        if self._output and not self._send_depth:
            self._flush()
        return max(count, 0)

    def _drain(self, seconds: float) -> None:
        """After the end: wait for the peer to close, but not for all that it may want to say."""
        deadline, heard = time.monotonic() + seconds, 0
        self._flush()
        while heard < MAX_DRAINED and not self._core.closing and (remaining := deadline - time.monotonic()) > 0:
            count = self._pump(remaining)
            if not count:
                break
            heard += count

    def _flush(self) -> None:
        """Send the control PDUs that the core has put out."""
        if not self._output:
            return
        with self._sending:
            if self._send_depth:
                return
            output, self._output = self._output, []
            if output:
                self._send_depth += 1
                try:
                    self._channel.send(output, self.timeouts.release, lambda: False)
                except (TimeoutError, ConnectionError):
                    with self._changed:
                        self._finish(Ended("lost"))
                finally:
                    self._send_depth -= 1

    def _transmit(self, buffers: Sequence[Buffer]) -> None:
        if not self._core.may_send_data():
            self._raise_if_ended()
            raise AssociationAborted(f"{self.peer} is releasing the association; {self.peer}")
        try:
            self._channel.send(buffers, self.timeouts.dimse, self._read_while_blocked)
        except TimeoutError:
            self._channel.wake()
            raise PeerTimeout(f"{self.peer} took no bytes for {self.timeouts.dimse:g} s; connection closed") from None
        except ConnectionError:
            with self._changed:
                self._finish(Ended("lost"))
            self._raise_if_ended()

    def _read_while_blocked(self) -> bool:
        """The peer takes nothing, perhaps because it wants to be read first."""
        me = threading.get_ident()
        with self._changed:
            outer = self._reader
            if outer not in (0, me) or self._ended is not None or self._saturated():
                return False
            self._reader = me
        try:
            return self._pump(0.0) > 0
        finally:
            with self._changed:
                self._reader = outer
                if self._waiters:
                    self._changed.notify_all()

    # -- what the core says (called with the lock held) --------------------------------------------------------

    def _collect(self, events: list[CoreEvent]) -> None:
        for event in events:
            if isinstance(event, MessageArrived):
                self._scraps, self._progressed = 0, time.monotonic()
                self._message(event)
            elif isinstance(event, PduArrived):
                self._pdu(event)
            elif isinstance(event, PduSent):
                fields = negotiation.shown(event.raw, self.request_raw if isinstance(event.pdu, AssociateAC) else b"")
                self._record(Direction.TO_SUT, negotiation.kind_of(event.pdu), fields, header=Blob.of(event.raw))
            elif isinstance(event, Violation):
                self._note_violation(event.rule, event.text)
            else:
                self._finish(event)
        core = self._core
        while core.state in (
            State.AWAITING_LOCAL_RELEASE,
            State.COLLISION_REQUESTOR_LOCAL,
            State.COLLISION_ACCEPTOR_LOCAL,
        ):
            core.answer_release()
            self._collect(core.take_events())
        self._output += core.take_output()

    def _finish(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
        self._on_end()
        self._changed.notify_all()
