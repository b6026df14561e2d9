"""What a conforming stack cannot send, as data: named scripts for a peer that accepts and for one that asks.

``requests`` misbehave towards a listener after a good association was asked for, ``answers`` towards a requestor.
Each says which rule it breaks and what a robust implementation may do about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.protocols.dicom import command, items, pdu
from harness.protocols.dicom.script import (
    Accept,
    Ask,
    Close,
    Expect,
    Pause,
    Reply,
    Reset,
    Script,
    Send,
    SendPdu,
    Step,
    with_titles,
)
from harness.protocols.dicom.uids import IMPLICIT_VR_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, VERIFICATION


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A script with its name, the clause it breaks, and the reactions that are fine (kinds of PDU, ``close``)."""

    name: str
    breaks: str
    script: Script
    reactions: tuple[str, ...] = ("A-ABORT", "close")


_ECHO: Final = {"AffectedSOPClassUID": VERIFICATION}
_ECHO_BYTES: Final = command.encode({**_ECHO, "CommandField": 0x30, "MessageID": 1, "CommandDataSetType": 0x0101})

REFUSALS: Final = ((1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 7), (1, 2, 1), (1, 2, 2), (2, 1, 1), (2, 3, 1), (2, 3, 2))
"""Every result, source and reason of PS3.8 table 9-21 that an acceptor may give, permanent and transient."""


def raw_pdata(
    context_id: int, header: int, data: bytes, *, pdv_length: int | None = None, pdu_length: int | None = None
) -> bytes:
    """A P-DATA-TF with one PDV whose lengths may lie."""
    length = len(data) + 2 if pdv_length is None else pdv_length
    body = length.to_bytes(4, "big") + bytes((context_id, header)) + data
    return b"\x04\0" + (len(body) if pdu_length is None else pdu_length).to_bytes(4, "big") + body


def _echo_pdu(context_id: int = 1) -> bytes:
    return raw_pdata(context_id, 3, _ECHO_BYTES)


def requests(request: pdu.AssociateRQ, *, seconds: float = 0.2) -> Mapping[str, Misbehaviour]:
    """Misbehaving requestors; context 1 of ``request`` should be Verification. ``seconds`` is how long they dawdle."""
    opened: tuple[Step, ...] = (SendPdu(request), Expect("A-ASSOCIATE-AC"))
    half = _echo_pdu()[:20]
    echo = {**_ECHO, "CommandField": 0x30, "MessageID": 1, "CommandDataSetType": 0x0101}
    over = raw_pdata(1, 3, command.encode({**echo, "ErrorComment": "x" * 200_000}))
    alive: tuple[Step, ...] = (
        Ask("C-ECHO-RQ", _ECHO),
        Expect("C-ECHO-RSP"),
        SendPdu(pdu.ReleaseRQ()),
        Expect("A-RELEASE-RP"),
    )
    catalogue = (
        Misbehaviour(
            "pdv-length-odd",
            "PS3.5 7.1",
            (*opened, Send(raw_pdata(1, 3, _ECHO_BYTES + b"\0")), Expect()),
            ("C-ECHO-RSP", "A-ABORT", "close"),
        ),
        Misbehaviour(
            "pdv-longer-than-pdu",
            "PS3.8 9.3.5.1",
            (*opened, Send(raw_pdata(1, 3, _ECHO_BYTES, pdv_length=len(_ECHO_BYTES) + 200)), Expect()),
        ),
        Misbehaviour(
            "pdv-length-too-small", "PS3.8 9.3.5.1", (*opened, Send(raw_pdata(1, 3, b"", pdv_length=1)), Expect())
        ),
        Misbehaviour(
            "pdv-length-zero", "PS3.8 9.3.5.1", (*opened, Send(raw_pdata(1, 3, _ECHO_BYTES, pdv_length=0)), Expect())
        ),
        Misbehaviour(
            "pdu-over-maximum", "PS3.8 D.1", (*opened, Send(over), Expect()), ("C-ECHO-RSP", "A-ABORT", "close")
        ),
        Misbehaviour("pdu-length-huge", "PS3.8 9.3", (*opened, Send(b"\x05\0\xff\xff\xff\xff"), Expect())),
        Misbehaviour("unknown-pdu-type", "PS3.8 9.3.1", (*opened, Send(b"\x2a\0\0\0\0\4abcd"), Expect())),
        Misbehaviour("unknown-context", "PS3.8 9.3.5.1", (*opened, Send(_echo_pdu(253)), Expect())),
        Misbehaviour("data-without-command", "PS3.7 6.3.1", (*opened, Send(raw_pdata(1, 2, bytes(64))), Expect())),
        Misbehaviour("data-before-association", "PS3.8 9.2", (Send(_echo_pdu()), Expect())),
        Misbehaviour("association-twice", "PS3.8 9.2", (*opened, SendPdu(request), Expect())),
        Misbehaviour("half-a-pdu", "PS3.8 9.3", (*opened, Send(half), Pause(seconds), Close()), ()),
        Misbehaviour(
            "half-a-pdu-then-the-rest",
            "none",
            (*opened, Send(half), Pause(seconds), Send(_echo_pdu()[20:]), Expect("C-ECHO-RSP")),
            ("C-ECHO-RSP",),
        ),
        Misbehaviour(
            "slow-bytes", "none", (*opened, Send(_echo_pdu(), 1, seconds / 50), Expect("C-ECHO-RSP")), ("C-ECHO-RSP",)
        ),
        Misbehaviour(
            "response-to-nothing",
            "PS3.7 7.5",
            (*opened, Reply(values={"CommandField": 0x8030}), *alive),
            ("C-ECHO-RSP", "A-ABORT", "close"),
        ),
        Misbehaviour(
            "cancel-of-nothing",
            "PS3.7 9.3.2.3",
            (*opened, Ask("C-CANCEL-RQ", {"MessageID": None, "MessageIDBeingRespondedTo": 77}), *alive),
            ("C-ECHO-RSP",),
        ),
        Misbehaviour("reset-in-the-middle", "none", (*opened, Send(half), Reset()), ()),
        Misbehaviour(
            "reset-instead-of-release",
            "PS3.8 7.2",
            (*opened, Ask("C-ECHO-RQ", _ECHO), Expect("C-ECHO-RSP"), Reset()),
            (),
        ),
        Misbehaviour(
            "unknown-command-field",
            "PS3.7 E.1",
            (*opened, Ask("C-ECHO-RQ", {**_ECHO, "CommandField": 0x0777}), Expect()),
        ),
        Misbehaviour(
            "command-without-group-length",
            "PS3.7 6.3.1",
            (*opened, Send(raw_pdata(1, 3, _ECHO_BYTES[12:])), Expect()),
            ("C-ECHO-RSP", "A-ABORT", "close"),
        ),
        Misbehaviour(
            "title-with-trailing-blanks",
            "none",
            (SendPdu(with_titles(request, calling=b"BLANKS   ")), Expect("A-ASSOCIATE-AC"), *alive),
            ("C-ECHO-RSP",),
        ),
        Misbehaviour(
            "title-with-control-characters",
            "PS3.5 6.2",
            (SendPdu(with_titles(request, calling=b"CTRL\x07\x1b\n")), Expect(), Close()),
            ("A-ASSOCIATE-AC", "A-ASSOCIATE-RJ", "A-ABORT", "close"),
        ),
        Misbehaviour(
            "unknown-items",
            "none",
            (
                SendPdu(
                    pdu.AssociateRQ(
                        request.called,
                        request.calling,
                        request.contexts,
                        (*request.user_items, items.UnknownItem(0x7E, b"??")),
                        unknown=(items.UnknownItem(0x6F, b"!!"),),
                    )
                ),
                Expect("A-ASSOCIATE-AC"),
                *alive,
            ),
            ("C-ECHO-RSP",),
        ),
    )
    return {entry.name: entry for entry in catalogue}


def answers(kind: str = "C-ECHO-RQ", *, seconds: float = 0.2) -> Mapping[str, Misbehaviour]:
    """Misbehaving acceptors for a requestor that sends one request of ``kind``, any if it is empty."""
    opened: tuple[Step, ...] = (Expect("A-ASSOCIATE-RQ"), Accept())
    asked: tuple[Step, ...] = (*opened, Expect(kind))
    end: tuple[Step, ...] = (Expect("A-RELEASE-RQ"), SendPdu(pdu.ReleaseRP()))
    catalogue = [
        Misbehaviour("no-association-answer", "PS3.8 9.2", (Expect("A-ASSOCIATE-RQ"), Pause(60)), ()),
        Misbehaviour("two-responses", "PS3.7 7.5", (*asked, Reply(), Reply(), *end), ("A-RELEASE-RQ",)),
        Misbehaviour(
            "response-to-nothing",
            "PS3.7 7.5",
            (*asked, Reply(values={"MessageIDBeingRespondedTo": 4711}), Reply(), *end),
            ("A-RELEASE-RQ",),
        ),
        Misbehaviour("response-on-other-context", "PS3.8 9.3.5.1", (*asked, Reply(context_id=201), Expect())),
        Misbehaviour("no-response", "PS3.7 7.5", (*asked, Pause(60)), ()),
        Misbehaviour("half-a-response", "PS3.8 9.3", (*asked, Send(_echo_pdu()[:25]), Pause(seconds), Close()), ()),
        Misbehaviour("slow-response", "none", (*asked, Pause(seconds), Reply(), *end), ("A-RELEASE-RQ",)),
        Misbehaviour("reset-in-the-middle", "none", (*asked, Reset()), ()),
        Misbehaviour("unknown-pdu-type", "PS3.8 9.3.1", (*asked, Send(b"\x2a\0\0\0\0\4abcd"), Expect())),
        Misbehaviour(
            "pdv-longer-than-pdu",
            "PS3.8 9.3.5.1",
            (*asked, Send(raw_pdata(1, 3, _ECHO_BYTES, pdv_length=500)), Expect()),
        ),
        Misbehaviour("abort-instead-of-response", "none", (*asked, SendPdu(pdu.Abort(0, 0))), ()),
        Misbehaviour("release-not-answered", "PS3.8 7.2", (*asked, Reply(), Expect("A-RELEASE-RQ"), Pause(60)), ()),
    ]
    catalogue += [
        Misbehaviour(
            f"refusal-{result}-{source}-{reason}",
            "none",
            (Expect("A-ASSOCIATE-RQ"), SendPdu(pdu.AssociateRJ(result, source, reason)), Expect("close", 5)),
            ("close",),
        )
        for result, source, reason in REFUSALS
    ]
    return {entry.name: entry for entry in catalogue}


def event_reports(
    right: bytes, wrong: Sequence[bytes] = (), *, late: float = 0.2, context_id: int = 1
) -> Mapping[str, Misbehaviour]:
    """Storage commitment providers whose N-EVENT-REPORT comes late, twice, too early, or says something wrong.

    ``right`` is the event information that belongs to the request, ``wrong`` others (a transaction that nobody
    asked for, instances that were not in the request), both encoded in Implicit VR Little Endian.
    """
    opened: tuple[Step, ...] = (Expect("A-ASSOCIATE-RQ"), Accept(prefer=IMPLICIT_VR_LE), Expect("N-ACTION-RQ"))
    end: tuple[Step, ...] = (Expect("A-RELEASE-RQ", 30), SendPdu(pdu.ReleaseRP()))

    def report(data: bytes, event_type: int = 1, message_id: int = 1) -> tuple[Step, ...]:
        values = {
            "AffectedSOPClassUID": STORAGE_COMMITMENT,
            "AffectedSOPInstanceUID": STORAGE_COMMITMENT_INSTANCE,
            "EventTypeID": event_type,
            "MessageID": message_id,
        }
        return (Ask("N-EVENT-REPORT-RQ", values, data, context_id), Expect("N-EVENT-REPORT-RSP", 30))

    catalogue = [
        Misbehaviour("report-late", "none", (*opened, Reply(), Pause(late), *report(right), *end), ("A-RELEASE-RQ",)),
        Misbehaviour(
            "report-before-response",
            "none",
            (
                *opened,
                Ask(
                    "N-EVENT-REPORT-RQ",
                    {
                        "AffectedSOPClassUID": STORAGE_COMMITMENT,
                        "AffectedSOPInstanceUID": STORAGE_COMMITMENT_INSTANCE,
                        "EventTypeID": 1,
                        "MessageID": 1,
                    },
                    right,
                    context_id,
                ),
                Reply(),
                *end,
            ),
            ("A-RELEASE-RQ",),
        ),
        Misbehaviour(
            "report-twice",
            "PS3.4 J.3.3",
            (*opened, Reply(), *report(right), *report(right, 1, 2), *end),
            ("A-RELEASE-RQ",),
        ),
        Misbehaviour(
            "report-of-unknown-event", "PS3.4 J.3.3", (*opened, Reply(), *report(right, 9), *end), ("A-RELEASE-RQ",)
        ),
    ]
    catalogue += [
        Misbehaviour(
            f"report-wrong-{number}", "PS3.4 J.3.3", (*opened, Reply(), *report(data), *end), ("A-RELEASE-RQ",)
        )
        for number, data in enumerate(wrong, start=1)
    ]
    return {entry.name: entry for entry in catalogue}
