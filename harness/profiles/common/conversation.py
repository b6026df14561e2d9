"""What binds every DICOM transaction: how associations, PDUs, command sets and answers are built (PS3.7, PS3.8).

The engine takes what it can understand, so that a scenario goes on; what was wrong with it is judged here. Each check
says one thing of all that was heard, and one more for each kind of fault: a scenario judges several transactions over
the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message, Protocol
from harness.profiles.journal import FROM_SUT, Association, Journal
from harness.profiles.observe import check, judged, passed
from harness.validation.conversation.rules import Associations
from harness.validation.dimse import validate_command_set
from harness.validation.finding import Severity

ALL = "RAD-5 RAD-6 RAD-7 RAD-8 RAD-9 RAD-10 RAD-11 RAD-14 RAD-15 RAD-16 RAD-17 RAD-18 RAD-19 RAD-20 RAD-21 RAD-23 "
ALL += "RAD-26 RAD-27 RAD-29 RAD-30 RAD-31 RAD-42 RAD-43 RAD-44 RAD-45 RAD-49"
#: faults of one kind that are told one by one
_TOLD = 5
#: printable characters of the default repertoire
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")


def _dicom(j: Journal) -> list[Message]:
    return [message for message in j.messages if message.protocol is Protocol.DICOM]


def _said(j: Journal) -> list[Message]:
    """DIMSE messages of the system under test."""
    return [m for m in _dicom(j) if m.direction is FROM_SUT and m.kind[:2] in ("C-", "N-")]


def _violations(j: Journal, *rules: str) -> list[Message]:
    """What the engine noted against these parts of the standard, until we aborted: after that nothing is owed."""
    found: list[Message] = []
    aborted: set[int] = set()
    for message in _dicom(j):
        if message.kind == "A-ABORT" and message.direction is not FROM_SUT:
            aborted.add(message.association)
        elif message.kind == "PROTOCOL-VIOLATION" and message.association not in aborted:
            found.append(message)
    return [m for m in found if m.direction is FROM_SUT and str(m.fields.get("rule", "")).startswith(rules)]


def _noted(violations: list[Message], why: str) -> Iterator[Observation]:
    told: dict[tuple[str, str], list[Message]] = {}
    for message in violations:
        told.setdefault((str(message.fields.get("rule")), str(message.fields.get("text"))), []).append(message)
    for (rule, text), messages in list(told.items())[:_TOLD]:
        seqs = [message.seq for message in messages]
        yield judged(False, f"{text} ({rule})", seqs, expected=f"what {rule} says", actual=text, locator=rule, why=why)


def framing(j: Journal) -> Iterator[Observation]:
    """PDUs and presentation data values."""
    broken = _violations(j, "PS3.8", "PS3.5 7.1")
    yield from _noted(broken, "A strict receiver aborts here, and the transfer is lost.")
    heard = [m for m in _dicom(j) if m.direction is FROM_SUT and m.kind.startswith(("A-", "C-", "N-"))]
    if heard and not broken:
        yield passed(f"Nothing is wrong with the PDUs of {len(heard)} messages", [m.seq for m in heard[:_TOLD]])


def command_sets(j: Journal) -> Iterator[Observation]:
    """Elements of the command sets, and data sets where they are announced."""
    broken = _violations(j, "PS3.7 6.3.1", "PS3.7 9.3", "PS3.7 E.1")
    yield from _noted(broken, "The receiver cannot tell what is asked or answered.")
    faults = 0
    messages = [m for m in _said(j) if m.header.size]
    told: set[tuple[str, str, str]] = set()
    for message in messages:
        for finding in validate_command_set(message):
            if finding.severity is not Severity.ERROR:
                continue
            faults += 1
            key = (finding.code, message.kind, finding.locator)
            if key in told or len(told) >= _TOLD:
                continue
            told.add(key)
            yield judged(
                False,
                f"{finding.locator} in the command set of {message.label}: {finding.actual}",
                (message.seq,),
                expected=finding.expected,
                actual=finding.actual,
                locator=finding.locator,
                why=f"{finding.clause}; a receiver may refuse the message or take it for another.",
            )
    if messages and not faults and not broken:
        yield passed(f"The command sets of {len(messages)} messages are complete", [m.seq for m in messages[:_TOLD]])


def answers(j: Journal) -> Iterator[Observation]:
    """Messages in the contexts and roles that were negotiated, answers to what was asked."""
    broken = _violations(j, "PS3.7 7.5", "PS3.7 9.1", "PS3.7 D.")
    yield from _noted(broken, "The peer cannot assign the message.")
    mine = _said(j)
    follower = Associations()
    told: set[tuple[str, str]] = set()
    for message in _dicom(j):
        for said in follower.see(message):
            finding = said.finding
            if said.by is not FROM_SUT or finding.severity is not Severity.ERROR:
                continue
            key = (finding.code, said.message.kind)
            if key in told or len(told) >= _TOLD:
                continue
            told.add(key)
            yield judged(
                False,
                f"{said.message.label} does not fit what was negotiated or asked: {finding.actual}",
                (said.message.seq,),
                expected=finding.expected,
                actual=finding.actual,
                locator=finding.code,
                why=f"{finding.clause}; the peer cannot assign the message.",
            )
        if message.kind[:2] in ("C-", "N-"):
            follower.done(message)
    if mine and not told and not broken:
        yield passed(f"{len(mine)} messages fit what was negotiated and asked", [m.seq for m in mine[:_TOLD]])


def titles(j: Journal) -> Iterator[Observation]:
    """AE titles of the associations that the system under test asks for."""
    named: dict[tuple[str, str], list[int]] = {}
    for association in _asked_for(j):
        request = association.request
        assert request is not None
        for which in ("calling", "called"):
            named.setdefault((which, str(request.fields.get(f"{which}_ae") or "")), []).append(request.seq)
    wrong = [(which, title) for which, title in named if not _TITLE.fullmatch(title.strip(" "))]
    for which, title in wrong[:_TOLD]:
        yield judged(
            False,
            f"The {which} AE title {title!r} is none",
            named[which, title][:_TOLD],
            expected="1 to 16 characters of the default repertoire, not blanks alone",
            actual=repr(title),
            locator=f"{which} AE title",
            why="Acceptors know their peers by these titles.",
        )
    if named and not wrong:
        shown = ", ".join(dict.fromkeys(title.strip(" ") for _, title in named))
        yield passed(f"All AE titles are titles: {shown}", [seq for seqs in named.values() for seq in seqs][:_TOLD])


def release(j: Journal) -> Iterator[Observation]:
    """How the system under test ends the associations that it asked for and got, and on which nothing is open."""
    waiting = {o.request.association for o in j.operations if o.request.direction is FROM_SUT and o.final is None}
    released: list[int] = []
    otherwise: dict[str, list[tuple[Message, Message]]] = {}
    for association in _asked_for(j):
        request, end = association.request, _end(association)
        if request is None or end is None:
            continue
        if end.kind == "A-RELEASE-RQ":
            released.append(end.seq)
        elif association.id not in waiting:  # who waits for an answer in vain may give up
            otherwise.setdefault(end.kind, []).append((request, end))
    for kind, found in otherwise.items():
        request, end = found[0]
        how = "an abort" if kind == "A-ABORT" else "closing the connection"
        yield judged(
            False,
            f"The association {request.label} ends by {how}",
            [seq for one, last in found[:_TOLD] for seq in (one.seq, last.seq)],
            expected="A-RELEASE-RQ",
            actual=kind,
            locator="A-RELEASE-RQ",
            why="A receiver may take what came over a broken association for incomplete, and undo it.",
        )
    if released and not otherwise:
        yield passed(f"{len(released)} associations end with a release", released[:_TOLD])


def _end(association: Association) -> Message | None:
    """What ended it, None if it is open, was never agreed, or came to its end by our doing."""
    ours = any(m.kind in ("A-ABORT", "A-RELEASE-RQ") and m.direction is not FROM_SUT for m in association.messages)
    if ours or association.first("A-ASSOCIATE-AC") is None or association.first("PROTOCOL-VIOLATION"):
        return None
    return next(filter(None, map(association.first, ("A-RELEASE-RQ", "A-ABORT", "CONNECTION-CLOSED"))), None)


def _asked_for(j: Journal) -> list[Association]:
    return [association for association in j.associations.values() if association.from_sut]


CHECKS: tuple[Check, ...] = (
    check("dicom/framing", "DICOM-GEN-01", ALL, framing, "PDUs and presentation data values are well formed"),
    check("dicom/command-sets", "DICOM-GEN-02", ALL, command_sets, "Command sets are complete"),
    check("dicom/answers", "DICOM-GEN-03", ALL, answers, "Messages fit what was negotiated and asked"),
    check("dicom/ae-titles", "DICOM-GEN-04", ALL, titles, "AE titles are titles"),
    check("dicom/release", "DICOM-GEN-05", ALL, release, "Associations end with a release"),
)
