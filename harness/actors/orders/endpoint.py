"""The HL7 end of a simulated actor: a listener that judges and answers, and one ordered queue per destination."""

from __future__ import annotations

import itertools
import queue
import ssl
import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from harness.actors.orders.behaviour import OrdersBehaviour, Refusal
from harness.actors.orders.hl7 import HL7_231, Application, Segments
from harness.core.transcript import Recorder, Transcript
from harness.protocols.hl7.acknowledge import Code, Condition, acknowledge, is_enhanced, wants
from harness.protocols.hl7.errors import HL7PeerError
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.mllp import Answer, MllpListener, MllpSender, Received, Reply, Tap, Timeouts

REMEMBERED = 128
"""How many answers are kept, so that a message sent again is answered again and not carried out twice."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where messages go: a host, a port, and the application named in MSH-5 and MSH-6."""

    name: str
    host: str
    port: int
    application: Application


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message was carried out: the kind and further segments of the answer, and what to do once it was sent."""

    kind: str = "ACK"
    segments: Segments = field(default_factory=list)
    then: Callable[[], None] | None = None


class Refused(Exception):
    """Raised by a rule: the message cannot be carried out."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Rule:
    """What an actor does with one type and trigger, and the paths it cannot do without."""

    action: Callable[[HL7Message], Accepted]
    needs: tuple[str, ...] = ()


class Delivery:
    """A message on its way. ``answer`` is None until it was acknowledged, and for good if ``error`` says why not."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.answer: Answer | None = None
        self.error = ""
        self._done = threading.Event()

    def wait(self, timeout: float | None = None) -> Answer | None:
        """The acknowledgement, once it is there or ``timeout`` seconds are over."""
        self._done.wait(timeout)
        return self.answer

    @property
    def code(self) -> str:
        """MSA-1 of the acknowledgement, empty while there is none."""
        return "" if self.answer is None else self.answer.code

    def settle(self, answer: Answer | None, error: str = "") -> None:
        """Called by the queue."""
        self.answer, self.error = answer, error
        self._done.set()


@dataclass(frozen=True, slots=True)
class Retry:
    """How a queue treats a destination that does not answer: it keeps the order and tries again. Seconds."""

    attempts: int = 3
    delay: float = 1.0


class HL7Endpoint:
    """The listener, the queues and the message counter of one actor. Rules are given before :meth:`start`."""

    def __init__(
        self,
        recorder: Transcript | Recorder,
        *,
        actor: str,
        application: Application,
        version: str = HL7_231,
        behaviour: OrdersBehaviour | None = None,
        character_sets: tuple[str, ...] = ("UNICODE UTF-8",),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
        host: str = "127.0.0.1",
        port: int = 0,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.recorder, self.actor, self.application, self.version = recorder, actor, application, version
        self.behaviour = behaviour or OrdersBehaviour()
        self.character_sets = character_sets
        self._clock, self._timeouts, self._retry = clock, timeouts or Timeouts(), retry or Retry()
        self._client_tls, self._tap = client_tls, tap
        self._started = int(clock().timestamp())
        self._numbers = itertools.count(1)
        self._rules: Mapping[tuple[str, str], Rule] = {}
        self._answered: OrderedDict[tuple[str, str, bytes], tuple[bytes, ...]] = OrderedDict()
        self._scripted: deque[Callable[[Received], Reply]] = deque()
        self._lock = threading.Lock()
        self._work = threading.Condition()
        self._unfinished = 0
        self._queues: dict[Destination, _Queue] = {}
        self._listener = MllpListener(
            recorder,
            self._handle,
            actor=actor,
            host=host,
            port=port,
            timeouts=self._timeouts,
            tls=tls,
            tap=tap,
            framing=self.behaviour.frame,
        )

    # -- life ------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    def start(self, rules: Mapping[tuple[str, str], Rule]) -> int:
        """Listen and answer by ``rules``; returns the port."""
        self._rules = dict(rules)
        return self._listener.start()

    def stop(self) -> None:
        """Stop listening and sending; what is still queued is given up."""
        self._listener.stop()
        with self._lock:
            queues = list(self._queues.values())
            self._queues.clear()
        for waiting in queues:
            waiting.stop()

    # -- sending ---------------------------------------------------------------------------------------------

    def now(self) -> str:
        """The present as a time stamp of this actor."""
        return self.behaviour.time_stamp(self._clock().strftime("%Y%m%d%H%M%S"))

    def today(self) -> datetime:
        """The present."""
        return self._clock()

    def next_control_id(self) -> str:
        """A new MSH-10."""
        return self.behaviour.control_id(self._started, next(self._numbers))

    def post(self, destination: Destination, message: bytes) -> Delivery:
        """Queue a message; those to one destination arrive in order, each when the one before was answered."""
        with self._lock:
            waiting = self._queues.get(destination)
            if waiting is None:
                sender = MllpSender(
                    self.recorder,
                    destination.host,
                    destination.port,
                    actor=self.actor,
                    timeouts=self._timeouts,
                    tls=self._client_tls,
                    tap=self._tap,
                    framing=self.behaviour.frame,
                )
                retry = self._retry if self.behaviour.sends_again else replace(self._retry, attempts=1)
                waiting = _Queue(sender, retry, self._finished)
                self._queues[destination] = waiting
        delivery = Delivery(message)
        self._begun()
        waiting.put(delivery)
        return delivery

    def wait_idle(self, timeout: float) -> bool:
        """Wait until every received message was carried out and every queued one settled; False if it took longer."""
        with self._work:
            return self._work.wait_for(lambda: self._unfinished == 0, timeout)

    def _begun(self) -> None:
        with self._work:
            self._unfinished += 1

    def _finished(self) -> None:
        with self._work:
            self._unfinished -= 1
            self._work.notify_all()

    # -- receiving -------------------------------------------------------------------------------------------

    def reply_once(self, reply: Callable[[Received], Reply]) -> None:
        """Give the next message that answer and do not carry it out; several are used one after the other."""
        self._scripted.append(reply)

    def forget_script(self) -> None:
        """Answer everything as usual again."""
        self._scripted.clear()

    def refusal(self, message: HL7Message, code: Code, text: str) -> bytes:
        """The answer that refuses a message."""
        condition = Condition.INTERNAL_ERROR if code is Code.ERROR else Condition.UNSUPPORTED_EVENT
        return self._answer(message, code, refusal=Refusal(code, condition, text))

    def _handle(self, received: Received) -> Iterator[Reply]:
        self._begun()
        try:
            if self._scripted:
                yield self._scripted.popleft()(received)
                return
            yield from self._answer_once(received.message)
        finally:
            self._finished()

    def _answer_once(self, message: HL7Message) -> Iterator[bytes]:
        key = (message["MSH-3"], message.control_id, message.raw)
        with self._lock:
            again = self._answered.get(key) if message.control_id else None
        if again is not None:
            yield from again
            return
        result = self._carry_out(message)
        answers = tuple(self._answers(message, result))
        with self._lock:
            self._answered[key] = answers
            while len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        yield from answers
        if isinstance(result, Accepted) and result.then is not None:
            result.then()

    def _carry_out(self, message: HL7Message) -> Accepted | Refusal:
        if message.type == "ACK" or "MSA" in message:
            return Refusal(Code.REJECT, Condition.UNSUPPORTED_TYPE, "an answer to nothing that was sent", "MSA")
        refusal = self.behaviour.judge(message, {key: rule.needs for key, rule in self._rules.items()})
        if refusal is not None:
            return refusal
        rule = self._rules.get((message.type, message.trigger))
        if rule is None:
            return Accepted()
        try:
            return rule.action(message)
        except Refused as refused:
            return refused.refusal
        except Exception as error:  # noqa: BLE001 - the one handler wrapper: a fault of ours, told as such
            self.recorder.fault(f"{self.actor}: {message.kind}", error, traceback.format_exc())
            return Refusal(Code.REJECT, Condition.INTERNAL_ERROR, "application internal error")

    def _answers(self, message: HL7Message, result: Accepted | Refusal) -> Iterator[bytes]:
        good = isinstance(result, Accepted)
        if is_enhanced(message):
            rejected = isinstance(result, Refusal) and result.code is Code.REJECT
            if wants(message["MSH-15"], good=not rejected):
                yield self._answer(message, Code.COMMIT_REJECT if rejected else Code.COMMIT_ACCEPT)
            if rejected or not wants(message["MSH-16"], good=good):
                return
        if isinstance(result, Accepted):
            yield self._answer(message, Code.ACCEPT, kind=result.kind, segments=result.segments)
        else:
            yield self._answer(message, result.code, refusal=result)

    def _answer(
        self,
        message: HL7Message,
        code: Code,
        *,
        kind: str = "ACK",
        segments: Segments | None = None,
        refusal: Refusal | None = None,
    ) -> bytes:
        return acknowledge(
            message,
            code,
            control_id=self.next_control_id(),
            time=self.now(),
            text=refusal.text if refusal else "",
            location=refusal.location if refusal else "",
            condition=refusal.condition if refusal else None,
            kind=kind,
            segments=segments or (),
            acknowledged_id=self.behaviour.acknowledged(message),
        )


class _Queue:
    """The messages to one destination, sent one after the other by one thread."""

    def __init__(self, sender: MllpSender, retry: Retry, finished: Callable[[], None]) -> None:
        self._sender, self._retry, self._finished = sender, retry, finished
        self._waiting: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"hl7-to-{sender.port}", daemon=True)
        self._thread.start()

    def put(self, delivery: Delivery) -> None:
        self._waiting.put(delivery)

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        self._sender.abort()
        self._thread.join(10)
        self._sender.close()

    def _run(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            if self._stopping.is_set():
                delivery.settle(None, "the actor was stopped")
            else:
                self._deliver(delivery)
            self._finished()

    def _deliver(self, delivery: Delivery) -> None:
        error = ""
        for attempt in range(self._retry.attempts):
            if attempt and self._stopping.wait(self._retry.delay):
                break
            try:
                delivery.settle(self._sender.send(delivery.message))
            except HL7PeerError as problem:
                error = str(problem)
            else:
                return
        delivery.settle(None, error or "the actor was stopped")
