"""A simulated Department System Scheduler/Order Filler, DICOM side: worklist, performed steps, availability.

RAD-5 (PS3.4 Annex K), RAD-6 and RAD-7 as receiver (PS3.4 F.7), RAD-49 as receiver (PS3.4 Annex R), RAD-11 as user.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.actors import records
from harness.actors.actor import SimulatedActor, sop_instance
from harness.actors.archive_keys import Level
from harness.actors.image_display import identifier
from harness.actors.matching import MatchingRules, Query
from harness.actors.orders.book import OrderBook
from harness.actors.orders.values import StepState
from harness.actors.performed_steps import COMPLETED, DISCONTINUED, PerformedStep, PerformedSteps, StepBehaviour
from harness.actors.records import Record
from harness.actors.worklist import WORKLIST_KEYS, WORKLIST_RULES, Worklist, WorklistItem
from harness.actors.worklist_user import Replies, collect
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.node import Address, Proposal, Request, Response
from harness.protocols.dicom.uids import (
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    INSTANCE_AVAILABILITY,
    MODALITY_WORKLIST,
    MPPS,
    STUDY_ROOT_FIND,
    encoding_of,
)

PENDING = 0xFF00
PENDING_UNSUPPORTED_KEYS = 0xFF01
CANCELLED = 0xFE00
OUT_OF_RESOURCES = 0xA700
UNABLE_TO_PROCESS = 0xC000
#: CID 9300: the operator took the wrong entry, so the order was not performed
INCORRECT_WORKLIST_ENTRY = "110514"


def offered(item: WorklistItem) -> bool:
    """Whether a step is on the worklist: scheduled or under way, not finished and not cancelled."""
    return item.state in (StepState.SCHEDULED, StepState.STARTED)


def pending_status(query: Query) -> int:
    """FF01 if a key was asked that is not supported, else FF00 (PS3.4 Table K.4-1)."""
    return PENDING_UNSUPPORTED_KEYS if query.unsupported else PENDING


def state_after(step: PerformedStep, before: StepState) -> StepState:
    """What a scheduled step becomes when a performed step refers to it (RAD-6, RAD-7)."""
    if step.status == COMPLETED:
        return StepState.COMPLETED
    if step.status == DISCONTINUED:
        wrong_entry = step.discontinuation_reason == INCORRECT_WORKLIST_ENTRY
        return StepState.SCHEDULED if wrong_entry else StepState.DISCONTINUED
    return StepState.STARTED if before is StepState.SCHEDULED else before


@dataclass(frozen=True, slots=True)
class OrderFillerBehaviour:
    """The decisions of an order filler that the Technical Framework and DICOM regulate."""

    rules: MatchingRules = WORKLIST_RULES
    offered: Callable[[WorklistItem], bool] = offered
    matches: Callable[[Query, list[WorklistItem]], list[WorklistItem]] = lambda query, found: found
    #: None: the keys asked, from the entry
    respond: Callable[[Query, Record], Record] | None = None
    worklist_syntaxes: tuple[str, ...] = (IMPLICIT_VR_LE, EXPLICIT_VR_LE)
    write: Callable[..., bytes] = records.encode
    pending_status: Callable[[Query], int] = pending_status
    final_status: Callable[[Query, int], int] = lambda query, matches: 0x0000
    #: the matches that come with the final response once more: none
    repeated: Callable[[list[WorklistItem]], list[WorklistItem]] = lambda matches: []
    final_answers: int = 1
    honours_cancel: bool = True
    steps: StepBehaviour = field(default_factory=StepBehaviour)
    state_after: Callable[[PerformedStep, StepState], StepState] = state_after
    availability_status: Callable[[Request], int] = lambda request: 0x0000


@dataclass(frozen=True, slots=True)
class FindReply:
    """A scripted answer to one worklist query: another final status, another mix of pending statuses, a limit.

    ``pause`` is the time in seconds before each response after the first, so that a client can cancel, or leave,
    meanwhile.
    """

    final: int = 0x0000
    #: used in turn for the pending responses
    pending: tuple[int, ...] = (PENDING,)
    limit: int | None = None
    pause: float = 0.0


EMPTY_WORKLIST = FindReply(limit=0)
REFUSAL = FindReply(final=OUT_OF_RESOURCES, limit=0)
#: with a pause, so that a client that takes FF01 for the end has the time to leave
MIXED_PENDING = FindReply(pending=(PENDING, PENDING_UNSUPPORTED_KEYS), pause=0.2)


class OrderFiller(SimulatedActor):
    """Answers worklist queries and follows performed steps and availability of what it scheduled."""

    slug = "order-filler"
    name = "DSS/Order Filler"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: OrderFillerBehaviour | None = None,
        book: OrderBook | None = None,
        peers: Mapping[str, Address] | None = None,
    ) -> None:
        self.behaviour = behaviour or OrderFillerBehaviour()
        self.worklist = Worklist(book)
        self.performed = PerformedSteps(self.behaviour.steps)
        #: called with each performed step after it was created or changed
        self.on_step: list[Callable[[PerformedStep], None]] = []
        self._script: deque[FindReply] = deque()
        self._lock = threading.Lock()
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        self.node.serve([MODALITY_WORKLIST], self._find, transfer_syntaxes=self.behaviour.worklist_syntaxes)
        self.node.serve([MPPS], self._step)
        self.node.serve([INSTANCE_AVAILABILITY], self._availability)

    # -- what scenarios ask of it --------------------------------------------------------------------------

    def schedule(self, values: Mapping[str, Any] | WorklistItem) -> WorklistItem:
        """Put a step on the worklist and note it as an ORDER fact. Raises KeyError for a bad keyword."""
        item = self.worklist.add(values)
        self.note("ORDER", {"keywords": item.facts()})
        return item

    def cancel(self, step_id: str) -> bool:
        """Take a step off the worklist and note it; False if it is unknown."""
        item = self.worklist.item(step_id)
        if item is None:
            return False
        self.note("ORDER", {"keywords": item.facts(), "cancelled": True})
        return self.worklist.set_state(step_id, StepState.CANCELLED)

    def reply_with(self, *replies: FindReply) -> None:
        """Script the next worklist queries, one reply each."""
        with self._lock:
            self._script.extend(replies)

    def query_availability(self, archive: Address, study_uid: str, series_uid: str) -> Replies:
        """Ask an archive what it has of a series that a performed step named (RAD-11). Raises PeerError."""
        keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
        asked = identifier(Level.IMAGE, keys, ("SOPClassUID", "SOPInstanceUID"))
        with self.node.connect(archive, [Proposal(STUDY_ROOT_FIND)]) as association:
            return collect(association, self.recorder, STUDY_ROOT_FIND, asked)

    def reset(self) -> None:
        """An empty worklist, no scripted replies."""
        with self._lock:
            self._script.clear()
        self.worklist.clear()

    # -- RAD-5 ---------------------------------------------------------------------------------------------

    def _find(self, request: Request) -> Response | Iterator[Response]:
        with self._lock:
            script = self._script.popleft() if self._script else None
        behaviour = self.behaviour
        try:
            identifier = records.parse(request.payload, request.transfer_syntax)
        except WireError:
            return Response(UNABLE_TO_PROCESS)
        query = Query.of(identifier, WORKLIST_KEYS, behaviour.rules)
        matches = behaviour.matches(query, self.worklist.search(query, behaviour.offered))
        if script is None:
            script = FindReply(behaviour.final_status(query, len(matches)), (behaviour.pending_status(query),))
        return self._answers(request, query, matches[: script.limit], script)

    def _answers(
        self, request: Request, query: Query, matches: list[WorklistItem], reply: FindReply
    ) -> Iterator[Response]:
        behaviour = self.behaviour
        implicit = encoding_of(request.transfer_syntax)[0]
        for number, item in enumerate(matches):
            if reply.pause and number:
                request.cancelled.wait(reply.pause)
            if behaviour.honours_cancel and request.cancelled.is_set():
                break
            answer = item.answer(query, implicit=implicit, respond=behaviour.respond, write=behaviour.write)
            yield Response(reply.pending[number % len(reply.pending)], answer)
        if reply.pause and matches:
            request.cancelled.wait(reply.pause)
        cancelled = behaviour.honours_cancel and request.cancelled.is_set()
        more = next(iter(behaviour.repeated(matches)), None)
        data = None
        if more is not None:
            data = more.answer(query, implicit=implicit, respond=behaviour.respond, write=behaviour.write)
        final = Response(CANCELLED if cancelled else reply.final, data)
        for _ in range(behaviour.final_answers - 1):
            request.association.respond(request, final)
        yield final

    # -- RAD-6, RAD-7 --------------------------------------------------------------------------------------

    def _step(self, request: Request) -> Response:
        uid = sop_instance(request)
        reply = self.performed.apply(request, uid)
        step = self.performed.get(uid)
        if reply.status == 0 and step is not None:
            for step_id in step.scheduled_step_ids:
                item = self.worklist.item(step_id)
                if item is not None:
                    self.worklist.set_state(step_id, self.behaviour.state_after(step, item.state))
            for listener in self.on_step:
                listener(step)
        return Response(reply.status, None, {"AffectedSOPInstanceUID": uid, **reply.fields})

    # -- RAD-49 --------------------------------------------------------------------------------------------

    def _availability(self, request: Request) -> Response:
        if request.kind != "N-CREATE-RQ":
            return Response(0x0211)
        status = self.behaviour.availability_status(request)
        return Response(status, None, {"AffectedSOPInstanceUID": sop_instance(request)})
