"""The messages of an exchange as DIMSE operations and associations, for checks to walk through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.core.check import Exchange
from harness.core.message import Direction, Message
from harness.profiles import facts, names
from harness.profiles.values import Attributes, attributes_of

MWL_FIND = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
COMMITMENT = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
IAN = "1.2.840.10008.5.1.4.33"
GENERAL_PURPOSE_PPS = "1.2.840.10008.5.1.4.32.3"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"

QUERY_FINDS = frozenset({PATIENT_ROOT_FIND, STUDY_ROOT_FIND})
RETRIEVE_MOVES = frozenset({PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE})
RETRIEVE_GETS = frozenset({"1.2.840.10008.5.1.4.1.2.1.3", "1.2.840.10008.5.1.4.1.2.2.3"})

PENDING = frozenset({0xFF00, 0xFF01})

FROM_SUT = Direction.FROM_SUT
TO_SUT = Direction.TO_SUT


@dataclass(frozen=True, slots=True)
class Operation:
    """One DIMSE request with the responses to it."""

    request: Message
    responses: tuple[Message, ...] = ()

    @property
    def attributes(self) -> Attributes:
        """The data set of the request."""
        return attributes_of(self.request)

    @property
    def final(self) -> Message | None:
        """The last response if it is not pending."""
        if self.responses and status_of(self.responses[-1]) not in PENDING:
            return self.responses[-1]
        return None

    @property
    def status(self) -> int | None:
        """The final status, None while none came."""
        return status_of(self.final) if self.final is not None else None

    @property
    def pending(self) -> tuple[Message, ...]:
        """The pending responses."""
        return tuple(message for message in self.responses if status_of(message) in PENDING)

    @property
    def instance(self) -> str:
        """The SOP Instance UID that the request is about, "" if it names none."""
        for key in ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID"):
            if value := str(self.request.fields.get(key) or ""):
                return value
        if self.final is not None:  # an N-CREATE may leave the UID to the provider
            return str(self.final.fields.get("AffectedSOPInstanceUID") or "")
        return ""

    @property
    def sop_class(self) -> str:
        """The SOP Class UID that the request is about."""
        fields = self.request.fields
        for key in ("AffectedSOPClassUID", "RequestedSOPClassUID", "AbstractSyntax"):
            if value := str(fields.get(key) or ""):
                return value
        return ""

    @property
    def evidence(self) -> tuple[int, ...]:
        """Sequence numbers of the request and the final response."""
        return (self.request.seq,) if self.final is None else (self.request.seq, self.final.seq)


@dataclass(frozen=True, slots=True)
class Association:
    """What was said about one association."""

    id: int
    messages: tuple[Message, ...]

    def first(self, kind: str) -> Message | None:
        """Its first message of that kind."""
        return next((message for message in self.messages if message.kind == kind), None)

    @property
    def request(self) -> Message | None:
        """The A-ASSOCIATE-RQ."""
        return self.first("A-ASSOCIATE-RQ")

    @property
    def from_sut(self) -> bool:
        """Whether the system under test asked for it."""
        return self.request is not None and self.request.direction is FROM_SUT

    @property
    def proposed(self) -> list[Mapping[str, Any]]:
        """Proposed presentation contexts."""
        return contexts_of(self.request)

    @property
    def accepted(self) -> list[Mapping[str, Any]]:
        """Answered presentation contexts with result 0."""
        return [context for context in contexts_of(self.first("A-ASSOCIATE-AC")) if context.get("result", 0) == 0]

    def accepted_scp(self, sop_class: str) -> bool:
        """Whether the answer lets the requestor be SCP of that SOP class (PS3.7 D.3.3.4)."""
        answer = self.first("A-ASSOCIATE-AC")
        items = answer.fields.get("user_items") or () if answer is not None else ()
        return any(
            item.get("item") == "RoleSelection" and item.get("sop_class") == sop_class and bool(item.get("scp"))
            for item in items
            if isinstance(item, Mapping)
        )


def _titles(message: Message) -> tuple[str, str]:
    """Calling and called AE title of an association request."""
    return str(message.fields.get("calling_ae") or "").strip(), str(message.fields.get("called_ae") or "").strip()


def contexts_of(message: Message | None) -> list[Mapping[str, Any]]:
    """Presentation contexts of an association message."""
    if message is None:
        return []
    return [context for context in message.fields.get("contexts") or () if isinstance(context, Mapping)]


def status_of(message: Message | None) -> int | None:
    """The DIMSE status of a response, None if it carries none."""
    status = message.fields.get("Status") if message is not None else None
    return status if isinstance(status, int) else None


class Journal:
    """Everything that one exchange holds, joined. Lazy: a check pays for what it looks at."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.sut = exchange.sut
        self.transcript = exchange.transcript

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """All messages in order, without what our simulated actors said to each other.

        Such an association is in the transcript twice, as it was asked for and as it was received, between the same
        two titles; the system under test has no part in it.
        """
        asked = {_titles(m) for m in self.transcript.select("A-ASSOCIATE-RQ", direction=TO_SUT)}
        received = {_titles(m) for m in self.transcript.select("A-ASSOCIATE-RQ", direction=FROM_SUT)}
        between_us = (asked & received) - {("", "")}
        internal = {
            m.association
            for m in self.transcript.select("A-ASSOCIATE-RQ")
            if _titles(m) in between_us and m.association
        }
        return tuple(m for m in self.transcript.messages if m.association not in internal)

    @cached_property
    def by_seq(self) -> dict[int, Message]:
        """Messages by sequence number."""
        return {message.seq: message for message in self.messages}

    @cached_property
    def associations(self) -> dict[int, Association]:
        """Associations by their number, with their own messages (not the DIMSE ones)."""
        collected: dict[int, list[Message]] = {}
        for message in self.messages:
            if message.association and message.kind.startswith(("A-", "CONNECTION-", "PROTOCOL-")):
                collected.setdefault(message.association, []).append(message)
        return {number: Association(number, tuple(found)) for number, found in collected.items()}

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every DIMSE request with its responses, by association and message id, in the order of requests."""
        requests: list[Message] = []
        responses: dict[int, list[Message]] = {}
        newest: dict[tuple[int, Any, Direction], int] = {}
        for message in self.messages:
            if message.kind.endswith("-RQ") and message.kind[:2] in ("C-", "N-") and message.kind != "C-CANCEL-RQ":
                requests.append(message)
                newest[message.association, message.fields.get("MessageID"), message.direction] = message.seq
            elif message.kind.endswith("-RSP"):
                asked = TO_SUT if message.direction is FROM_SUT else FROM_SUT
                answered = message.fields.get("MessageIDBeingRespondedTo")
                request = newest.get((message.association, answered, asked))
                if request is not None:
                    responses.setdefault(request, []).append(message)
        return tuple(Operation(request, tuple(responses.get(request.seq, ()))) for request in requests)

    def operation(self, seq: int) -> Operation | None:
        """The operation whose request has that sequence number."""
        return next((operation for operation in self.operations if operation.request.seq == seq), None)

    def select(self, kind: str, direction: Direction, sop_class: str | frozenset[str] = "") -> Iterator[Operation]:
        """Operations of that kind and direction; ``sop_class`` narrows to one SOP class or several."""
        wanted = frozenset({sop_class}) if isinstance(sop_class, str) and sop_class else sop_class
        for operation in self.operations:
            if operation.request.kind != kind or operation.request.direction is not direction:
                continue
            if not wanted or operation.sop_class in wanted:
                yield operation

    def cancelled_at(self, operation: Operation) -> int:
        """The sequence number of the C-CANCEL for an operation, 0 if there is none."""
        asked = operation.request
        return next(
            (
                message.seq
                for message in self.messages
                if message.kind == "C-CANCEL-RQ"
                and message.association == asked.association
                and message.fields.get("MessageIDBeingRespondedTo") == asked.fields.get("MessageID")
                and message.seq > asked.seq
            ),
            0,
        )

    def facts(self, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Sequence number and data of each fact of that kind."""
        return [(fact.seq, fact.data) for fact in self.transcript.facts_of(kind)]

    def outages(self, *actors: str) -> list[tuple[int, int]]:
        """When simulated actors were away on purpose: from and until which ``seq``; 0 if they never came back."""
        noted = self.facts(facts.FAULT_INJECTED)
        found = []
        for seq, data in noted:
            if data.get("fault") != "unreachable" or data.get("actor") not in actors:
                continue
            back = (
                at
                for at, later in noted
                if at > seq and later.get("fault") == "reachable-again" and later.get("actor") == data.get("actor")
            )
            found.append((seq, int(data.get("until") or next(back, 0))))
        return found

    # -- who acts ----------------------------------------------------------------------------------------------

    @cached_property
    def actions(self) -> list[tuple[int, Mapping[str, Any]]]:
        """What was asked of the system under test, oldest first, each with its ``outcome`` if one was noted."""
        asked = self.facts(facts.ACTION)
        outcomes = self.facts(facts.OUTCOME)
        found: list[tuple[int, Mapping[str, Any]]] = []
        for number, (seq, data) in enumerate(asked):
            until = asked[number + 1][0] if number + 1 < len(asked) else None
            said = [o for at, o in outcomes if at > seq and (until is None or at < until)]
            found.append((seq, {"outcome": said[0], **data} if said else data))
        return found

    def action_before(self, seq: int, *wanted: str) -> Mapping[str, Any] | None:
        """The latest action noted before ``seq``, of one of the names if any are given."""
        found = [data for at, data in self.actions if at < seq and (not wanted or data.get("action") in wanted)]
        return found[-1] if found else None

    def maker(self, seq: int) -> str:
        """Which actor the system under test plays when it sends objects or steps at ``seq``."""
        actors = self.sut.actors
        if names.EVIDENCE_CREATOR in actors:
            if names.MODALITY not in actors:
                return names.EVIDENCE_CREATOR
            action = self.action_before(seq)
            if action is not None and action.get("action") in ("create-evidence", "create-document"):
                return names.EVIDENCE_CREATOR
        return names.MODALITY

    # -- storage -----------------------------------------------------------------------------------------------

    def _is_delivery(self, operation: Operation) -> bool:
        """Whether a C-STORE of the system under test delivers something that was asked for by C-MOVE or C-GET."""
        fields = operation.request.fields
        if fields.get("MoveOriginatorMessageID") or fields.get("MoveOriginatorApplicationEntityTitle"):
            return True
        association = self.associations.get(operation.request.association)
        if association is not None and association.request is not None and not association.from_sut:
            return True
        return any(
            move.request.seq < operation.request.seq and (move.final is None or move.final.seq > operation.request.seq)
            for move in self.select("C-MOVE-RQ", TO_SUT)
        )

    @cached_property
    def stores(self) -> tuple[Operation, ...]:
        """C-STORE requests by which the system under test sends what it made."""
        return tuple(o for o in self.select("C-STORE-RQ", FROM_SUT) if not self._is_delivery(o))

    @cached_property
    def deliveries(self) -> tuple[Operation, ...]:
        """C-STORE requests by which the system under test delivers what was retrieved."""
        return tuple(o for o in self.select("C-STORE-RQ", FROM_SUT) if self._is_delivery(o))

    @cached_property
    def ours(self) -> tuple[Operation, ...]:
        """C-STORE requests that we sent to the system under test."""
        return tuple(self.select("C-STORE-RQ", TO_SUT))

    def stores_of(self, actor: str) -> tuple[Operation, ...]:
        """What the system under test stored in the role of that actor."""
        return tuple(o for o in self.stores if self.maker(o.request.seq) == actor)


def instance_of(operation: Operation) -> str:
    """SOP Instance UID of a C-STORE, from the command or else from the data set."""
    return operation.instance or str(operation.attributes.get("SOPInstanceUID", ""))
