"""What a message may be where it stands: contexts, roles, requests and their answers (PS3.7 annex D, HL7 2.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.message import Direction, Message, Protocol
from harness.validation.finding import Severity, ValidationFinding, shown

#: abstract syntaxes that carry messages of other SOP classes: print management, unified procedure step
_CARRIERS: Final = (
    "1.2.840.10008.5.1.1.9",
    "1.2.840.10008.5.1.1.18",
    "1.2.840.10008.5.1.4.34.6.",
    "1.2.840.10008.5.1.4.34.4.",
)
_MANY_ANSWERS: Final = frozenset({"C-FIND-RSP", "C-GET-RSP", "C-MOVE-RSP"})
_PENDING: Final = (0xFF00, 0xFF01)
_OTHER: Final = {Direction.FROM_SUT: Direction.TO_SUT, Direction.TO_SUT: Direction.FROM_SUT}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding about a message; ``by`` is the side at fault."""

    message: Message
    finding: ValidationFinding
    by: Direction


@dataclass(frozen=True, slots=True)
class _Agreed:
    abstract_syntax: str
    scu: bool
    scp: bool


@dataclass(slots=True)
class _Association:
    requestor: Direction = Direction.NONE
    titles: dict[Direction, str] = field(default_factory=dict)
    asked: dict[str, bool] = field(default_factory=dict)
    contexts: dict[int, _Agreed] | None = None
    window: dict[Direction, int] = field(default_factory=dict)
    #: requests without their final answer by (sender, message id); HL7 messages by (sender, control id)
    open: dict[tuple[Direction, str], Message] = field(default_factory=dict)
    #: requests that had no answer when a release was asked for: theirs may have been on its way
    late: dict[tuple[Direction, str], Message] = field(default_factory=dict)
    #: who has asked for the release; the other side may have sent what comes now before it heard of that
    releasing: Direction | None = None


class Associations:
    """Follows every association and MLLP connection of a conversation."""

    def __init__(self) -> None:
        self._all: dict[int, _Association] = {}

    def title_of(self, message: Message) -> str:
        """AE title of the sender, empty if its association was not seen to begin."""
        return self._all.setdefault(message.association, _Association()).titles.get(message.direction, "")

    def request_of(self, message: Message) -> Message | None:
        """What a response answers, None if that was not seen."""
        if not message.kind.endswith("-RSP"):
            return None
        number = str(message.fields.get("MessageIDBeingRespondedTo"))
        entry = self._all.setdefault(message.association, _Association())
        key = (_OTHER.get(message.direction, Direction.NONE), number)
        return entry.open.get(key) or entry.late.get(key)

    def done(self, message: Message) -> None:
        """A final answer closes its request."""
        if message.kind.endswith("-RSP") and message.fields.get("Status") not in _PENDING:
            number = str(message.fields.get("MessageIDBeingRespondedTo"))
            entry = self._all.setdefault(message.association, _Association())
            for requests in (entry.open, entry.late):
                requests.pop((_OTHER.get(message.direction, Direction.NONE), number), None)

    def see(self, message: Message) -> Iterator[Said]:
        """The findings that this message gives rise to, its content aside."""
        entry = self._all.setdefault(message.association, _Association())
        kind = message.kind
        if message.protocol is Protocol.HL7:
            yield from self._hl7(entry, message)
        elif kind == "A-ASSOCIATE-RQ":
            self._all[message.association] = _requested(message)
        elif kind == "A-ASSOCIATE-AC":
            _accepted(entry, message)
        elif kind in ("A-ABORT", "A-ASSOCIATE-RJ"):
            entry.open.clear()  # nothing is owed any more
        elif kind == "A-RELEASE-RQ":
            entry.releasing = message.direction
            entry.late.update(entry.open)
            yield from _unanswered(entry, "the association was released")
        elif kind == "CONNECTION-CLOSED":
            yield from _unanswered(entry, "the connection was closed")
        elif kind.endswith("-RSP"):
            yield from self._response(entry, message)
        elif kind == "C-CANCEL-RQ":
            yield from _place(entry, message)
        elif kind.endswith("-RQ") and kind[:2] in ("C-", "N-"):
            yield from self._request(entry, message)

    def finish(self) -> Iterator[Said]:
        """What is owed when the recording ends: no fault, since the answer may have come later."""
        for entry in self._all.values():
            for said in _unanswered(entry, "the recording ended"):
                yield Said(
                    said.message,
                    ValidationFinding(
                        said.finding.code, Severity.INFO, said.finding.locator, said.finding.expected,
                        said.finding.actual, said.finding.clause,
                    ),
                    said.by,
                )  # fmt: skip

    def _request(self, entry: _Association, message: Message) -> Iterator[Said]:
        yield from _place(entry, message)
        if entry.releasing is message.direction:
            yield _said(message, "CONV-SEQUENCE", "no request after A-RELEASE-RQ", message.kind, "PS3.8 7.2.1")
        key = (message.direction, str(message.fields.get("MessageID")))
        if key in entry.open:
            expected = "an ID that no open request has"
            yield _said(message, "CONV-MESSAGE-ID", expected, key[1], "PS3.7 9.1, 10.1")
        limit = entry.window.get(message.direction, 1)
        mine = [request for request in entry.open.values() if request.direction is message.direction]
        if entry.contexts is not None and limit and len(mine) >= limit:
            expected = f"at most {limit} operations without an answer, as negotiated"
            yield _said(message, "CONV-ASYNCHRONOUS", expected, str(len(mine) + 1), "PS3.7 D.3.3.3")
        entry.open[key] = message

    def _response(self, entry: _Association, message: Message) -> Iterator[Said]:
        yield from _place(entry, message)
        request = self.request_of(message)
        if request is None:
            if entry.contexts is not None:
                number = str(message.fields.get("MessageIDBeingRespondedTo"))
                expected = "the message ID of an open request"
                yield _said(message, "CONV-NO-REQUEST", expected, number, "PS3.7 9.1, 10.1")
            return
        wanted = request.kind.removesuffix("RQ") + "RSP"
        if message.kind != wanted:
            yield _said(message, "CONV-RESPONSE-KIND", wanted, message.kind, "PS3.7 E.1")
        if message.context != request.context:
            expected, actual = f"presentation context {request.context} of its request", str(message.context)
            yield _said(message, "CONV-CONTEXT", expected, actual, "PS3.8 E.1, PS3.7 6.3.1")
        if message.fields.get("Status") in _PENDING and message.kind not in _MANY_ANSWERS:
            actual = f"{message.fields.get('Status'):04X}"
            yield _said(message, "CONV-PENDING", "a final status", actual, "PS3.7 annex C")

    def _hl7(self, entry: _Association, message: Message) -> Iterator[Said]:
        if message.kind == "CONNECTION-CLOSED":
            yield from _unanswered(entry, "the connection was closed")
        if not message.payload.size:
            return
        fields = message.fields
        answered = str(fields.get("acknowledged_id") or "")
        if answered or fields.get("type") == "ACK":
            key = (_OTHER.get(message.direction, Direction.NONE), answered)
            if entry.open.pop(key, None) is None:
                expected = "MSA-2 of a message of this connection"
                yield _said(message, "CONV-ACK-UNKNOWN", expected, shown(answered), "HL7 2.5.1 2.9.2, 2.15.8.2")
        elif "NE" not in (fields.get("accept_acknowledgement"), fields.get("application_acknowledgement")):
            key = (message.direction, str(fields.get("control_id") or ""))
            if key in entry.open:
                expected = "a control ID that no message before has"
                yield _said(message, "CONV-CONTROL-ID", expected, shown(key[1]), "HL7 2.5.1 2.15.9.10")
            entry.open[key] = message


def _said(
    message: Message, code: str, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR
) -> Said:
    return Said(message, ValidationFinding(code, severity, "message", expected, actual, clause), message.direction)


def _requested(message: Message) -> _Association:
    fields = message.fields
    other = _OTHER.get(message.direction, Direction.NONE)
    entry = _Association(requestor=message.direction)
    entry.titles = {message.direction: str(fields.get("calling_ae", "")), other: str(fields.get("called_ae", ""))}
    for context in fields.get("contexts") or ():
        if context.get("scu_role") is not None or context.get("scp_role") is not None:
            entry.asked[str(context.get("abstract_syntax", ""))] = True
    return entry


def _accepted(entry: _Association, message: Message) -> None:
    entry.contexts = {}
    for context in message.fields.get("contexts") or ():
        if context.get("result") == 0:
            abstract = str(context.get("abstract_syntax", ""))
            negotiated = entry.asked.get(abstract) and context.get("scu_role") is not None
            scu, scp = (bool(context["scu_role"]), bool(context["scp_role"])) if negotiated else (True, False)
            entry.contexts[int(context["id"])] = _Agreed(abstract, scu, scp)
    for item in message.fields.get("user_items") or ():
        if "invoked" in item and "performed" in item:
            entry.window[entry.requestor] = int(item["invoked"])
            entry.window[_OTHER.get(entry.requestor, Direction.NONE)] = int(item["performed"])


def _place(entry: _Association, message: Message) -> Iterator[Said]:
    """Context, SOP class and role fit what was negotiated."""
    if entry.contexts is None:
        return
    agreed = entry.contexts.get(message.context)
    if agreed is None:
        accepted = ", ".join(map(str, entry.contexts)) or "none"
        expected = f"an accepted presentation context ({accepted})"
        yield _said(message, "CONV-CONTEXT", expected, str(message.context), "PS3.8 9.3.5.1, 7.1.1")
        return
    if not message.kind.endswith("-RQ") or message.kind == "C-CANCEL-RQ":
        return
    named = _sop_class(message.fields)
    if named and named != agreed.abstract_syntax and not agreed.abstract_syntax.startswith(_CARRIERS):
        expected = f"{agreed.abstract_syntax}, the abstract syntax of presentation context {message.context}"
        yield _said(message, "CONV-SOP-CLASS", expected, shown(named), "PS3.7 D.3.3, PS3.8 7.1.1.13")
    as_provider = message.kind == "N-EVENT-REPORT-RQ"
    requestor = message.direction is entry.requestor
    # what the requestor is not, the acceptor is: the roles of the two complement each other
    allowed = (agreed.scp if as_provider else agreed.scu) if requestor else (agreed.scu if as_provider else agreed.scp)
    if not allowed:
        role = "SCP" if as_provider else "SCU"
        who = "requestor" if requestor else "acceptor"
        expected = f"the {role} role of {agreed.abstract_syntax}, negotiated for the {who}"
        yield _said(message, "CONV-ROLE", expected, "it was not", "PS3.7 D.3.3.4")


def _sop_class(fields: Any) -> str:
    return str(fields.get("AffectedSOPClassUID") or fields.get("RequestedSOPClassUID") or "")


def _unanswered(entry: _Association, when: str) -> Iterator[Said]:
    for (sender, number), message in entry.open.items():
        finding = ValidationFinding(
            "CONV-NO-RESPONSE", Severity.WARNING, "message", f"an answer to {message.kind} {number}", f"none; {when}",
            "PS3.7 9.1, 10.1" if message.protocol is Protocol.DICOM else "HL7 2.5.1 2.9",
        )  # fmt: skip
        yield Said(message, finding, _OTHER.get(sender, Direction.NONE))
    entry.open.clear()
