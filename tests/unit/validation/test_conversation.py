"""Captures: what real programs send raises nothing, one change in a conversation raises its code."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

import harness.validation.conversation
from harness.core.message import Blob, Direction, Message, Protocol
from harness.protocols.dicom import pdu
from harness.protocols.dicom.items import RoleSelection
from harness.validation.codes import codes
from harness.validation.conversation import judge
from harness.validation.conversation.judge import judge_messages, validate_capture
from harness.validation.finding import Severity, ValidationFinding
from tests.unit.validation import captures as c
from tests.unit.validation import samples as s

ROLE = (RoleSelection(c.COMMITMENT, False, True),)
SET_AGAIN = c.set_(c.described(), 6)


def serious(findings: list[ValidationFinding]) -> list[tuple[str, str]]:
    return [(f.code, f.locator) for f in findings if f.severity is not Severity.INFO]


def find(number: int = 8) -> bytes:
    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID, ds.PatientID = "STUDY", "", "4711"
    return c.message(7, "C-FIND-RQ", ds, AffectedSOPClassUID=c.STUDY_FIND, MessageID=number, Priority=0)


def found(status: int, number: int = 8) -> bytes:
    values: dict[str, Any] = {
        "AffectedSOPClassUID": c.STUDY_FIND,
        "MessageIDBeingRespondedTo": number,
        "Status": status,
    }
    return c.message(7, "C-FIND-RSP", **values)


def reported(*, roles: tuple[RoleSelection, ...]) -> c.Script:
    """The archive opens an association of its own to tell the result."""
    return (
        c.Script()
        .client(c.request(roles=roles))
        .server(c.accept(roles=roles))
        .then(c.told(c.references("1.2.5"), by_client=True))
        .then(c.CLOSE)
    )


COMMITTED = c.OPEN.then(c.asked(c.references("1.2.5"))).then(c.CLOSE)
HL7 = c.hl7((True, s.HL7_ADMIT), (False, c.acknowledgement("1")))
GOOD: dict[str, tuple[c.Script, ...]] = {
    "everything": (c.WHOLE,),
    "two at once, as negotiated": (
        c.Script()
        .client(c.request(window=(2, 1)))
        .server(c.accept(window=(2, 1)))
        .client(c.store(1))
        .client(c.store(2))
        .server(c.stored(2))
        .server(c.stored(1))
        .then(c.CLOSE),
    ),
    "a result on an association of the archive": (COMMITTED, reported(roles=ROLE)),
    "no limit of a PDU": (c.Script().client(c.request(maximum=0)).server(c.accept(maximum=0)).then(c.CLOSE),),
    "a refusal": (c.Script().client(c.request()).server(pdu.AssociateRJ(1, 1, 7).encode()),),
    "an abort with open requests": (c.OPEN.client(c.store()).client(pdu.Abort(0, 0).encode()),),
    "a step that was not created is created again": (c.OPEN.then(c.created(0x0111)).then(c.created()).then(c.CLOSE),),
    "a step set twice before its end": (
        c.OPEN.then(c.created()).then(SET_AGAIN).then(c.set_(c.ended())).then(c.CLOSE),
    ),
    "HL7": (HL7,),
    "the same control ID in another connection": (HL7, HL7),
}
BROKEN: list[tuple[str, tuple[c.Script, ...]]] = [
    ("CONV-CONTEXT", (c.Script().client(c.request()).server(c.accept(refused=1)).client(c.store()).then(c.CLOSE),)),
    ("CONV-CONTEXT", (c.OPEN.client(c.store()).server(c.stored(context=3)).then(c.CLOSE),)),
    ("CONV-SOP-CLASS", (c.OPEN.client(c.store(AffectedSOPClassUID=c.MPPS)).server(c.stored()).then(c.CLOSE),)),
    ("CONV-ROLE", (COMMITTED, reported(roles=()))),
    ("CONV-ROLE", (c.OPEN.server(c.store()).client(c.stored()).then(c.CLOSE),)),
    ("CONV-MESSAGE-ID", (c.OPEN.client(c.store()).client(c.store()).server(c.stored()).then(c.CLOSE),)),
    ("CONV-ASYNCHRONOUS", (c.OPEN.client(c.store(1)).client(c.store(2)).server(c.stored(1)).server(c.stored(2)),)),
    ("CONV-NO-REQUEST", (c.OPEN.client(c.store()).server(c.stored(7)).then(c.CLOSE),)),
    ("CONV-NO-REQUEST", (c.OPEN.client(c.store()).server(c.stored()).server(c.stored()).then(c.CLOSE),)),
    ("CONV-NO-RESPONSE", (c.OPEN.client(c.store()).then(c.CLOSE),)),
    ("CONV-NO-RESPONSE", (c.OPEN.client(find()).server(found(0xFF00)).then(c.CLOSE),)),
    ("CONV-NO-RESPONSE", (c.hl7((True, s.HL7_ADMIT)),)),
    ("CONV-RESPONSE-KIND", (c.OPEN.client(c.store()).server(c.stored(kind="C-ECHO-RSP")).then(c.CLOSE),)),
    ("CONV-PENDING", (c.OPEN.client(c.store()).server(c.stored(Status=0xFF00)).server(c.stored()).then(c.CLOSE),)),
    ("CONV-SEQUENCE", (c.OPEN.then(c.CLOSE).client(c.store()),)),
    ("CONV-SEQUENCE", (c.OPEN.client(pdu.ReleaseRQ().encode()).client(c.store()),)),
    ("CONV-SEQUENCE", (c.Script().client(c.request()).client(c.store()),)),
    ("CONV-PDU", (c.OPEN.client(b"\x09\0\0\0\0\4abcd").then(c.CLOSE),)),
    ("CONV-PDU", (c.OPEN.client(b"\x04\0\0\0\0\7\0\0\0\x09\1\3x").then(c.CLOSE),)),
    ("CONV-PDU", (c.OPEN.client(c.store()[:-40]),)),
    (
        "CONV-PDU-LENGTH",
        (c.Script().client(c.request()).server(c.accept(maximum=200)).client(c.store()).server(c.stored()),),
    ),
    ("CONV-FRAGMENT", (c.OPEN.client(pdu.PData((pdu.PDV(1, False, True, b"ab"),)).encode()).then(c.CLOSE),)),
    ("CONV-FRAGMENT", (c.OPEN.client(c.message(1, "C-STORE-RQ", CommandDataSetType=1)).client(find()),)),
    ("CONV-MPPS-FINAL", (c.OPEN.then(c.created()).then(c.set_(c.ended())).then(SET_AGAIN).then(c.CLOSE),)),
    (
        "CONV-COMMITMENT",
        (c.OPEN.then(c.asked(c.references("1.2.5"))).then(c.told(c.references("1.2.6"))).then(c.CLOSE),),
    ),
    ("CONV-COMMITMENT", (c.OPEN.then(c.asked(c.references("1.2.5", "1.2.5"))).then(c.CLOSE),)),
    (
        "CONV-COMMITMENT",
        (c.OPEN.then(c.asked(c.references("1.2.5"))).then(c.asked(c.references("1.2.7"))).then(c.CLOSE),),
    ),
    ("CONV-COMMITMENT", (COMMITTED, c.OPEN.then(c.told(c.references("1.2.5", transaction="1.2.9"))).then(c.CLOSE))),
    ("CONV-ACK-UNKNOWN", (c.hl7((True, s.HL7_ADMIT), (False, c.acknowledgement("77"))),)),
    ("CONV-CONTROL-ID", (c.hl7((True, s.HL7_ADMIT), (True, s.HL7_ADMIT), (False, c.acknowledgement("1"))),)),
    ("CONV-MLLP", (HL7.client(b"no block"),)),
]
#: codes of captures that are not one change in a script, tested below by name
ELSEWHERE = {"CONV-CAPTURE", "CONV-EMPTY", "CONV-GAP", "CONV-UNKNOWN", "CONV-REPEATED", "CONV-LIMIT"}


@pytest.mark.parametrize("name", GOOD)
def test_a_right_conversation_raises_nothing(name: str, tmp_path: Path) -> None:
    assert serious(c.judged(tmp_path, *GOOD[name])) == []


@pytest.mark.parametrize(("code", "scripts"), BROKEN, ids=[f"{code}-{n}" for n, (code, _) in enumerate(BROKEN)])
def test_one_change_raises_its_code(code: str, scripts: tuple[c.Script, ...], tmp_path: Path) -> None:
    assert code in [raised for raised, _ in serious(c.judged(tmp_path, *scripts))]


def test_messages_are_judged_by_their_own_rules_and_named(tmp_path: Path) -> None:
    ds = s.ct()
    del ds.PatientID
    values: dict[str, Any] = {
        "AffectedSOPClassUID": s.CT,
        "AffectedSOPInstanceUID": f"{s.UID}.3",
        "Priority": 0,
        "MessageID": 1,
    }
    script = c.OPEN.client(c.message(1, "C-STORE-RQ", ds, **values)).server(c.stored()).then(c.CLOSE)
    assert serious(c.judged(tmp_path, script)) == [("IOD-2-MISSING", "C-STORE-RQ #3 of MOD: (0010,0020) PatientID")]
    admission = c.hl7((True, s.HL7_ADMIT.replace(b"19700101", b"1970-01-01")), (False, c.acknowledgement("1")))
    assert serious(c.judged(tmp_path, admission)) == [("HL7-TYPE", "ADT^A04 #1: PID[1]-7")]


def test_a_final_state_lacks_what_neither_message_brought(tmp_path: Path) -> None:
    ds = c.ended()
    del ds.PerformedSeriesSequence
    found = serious(c.judged(tmp_path, c.OPEN.then(c.created()).then(c.set_(ds)).then(c.CLOSE)))
    assert found == [("SERVICE-1-EMPTY", "N-SET-RQ #5 of MOD: (0040,0340) PerformedSeriesSequence")]


def test_the_one_who_does_not_answer_is_at_fault(tmp_path: Path) -> None:
    def message(seq: int, direction: Direction, kind: str, **fields: object) -> Message:
        return Message(seq, 0.0, direction, Protocol.DICOM, kind, association=1, context=1, fields=fields)

    contexts = [{"id": 1, "abstract_syntax": s.CT, "transfer_syntax": c.EXPLICIT, "result": 0,
                 "scu_role": None, "scp_role": None}]  # fmt: skip
    messages = [
        message(1, Direction.TO_SUT, "A-ASSOCIATE-RQ", contexts=contexts, calling_ae="US", called_ae="SUT"),
        message(2, Direction.FROM_SUT, "A-ASSOCIATE-AC", contexts=contexts),
        message(3, Direction.TO_SUT, "C-STORE-RQ", MessageID=1, AffectedSOPClassUID=s.CT),
        message(4, Direction.TO_SUT, "A-RELEASE-RQ"),
    ]
    assert serious(judge_messages(messages, Direction.FROM_SUT)) == [("CONV-NO-RESPONSE", "C-STORE-RQ #3: message")]
    assert serious(judge_messages(messages, Direction.TO_SUT)) == []


def test_only_one_side_is_judged(tmp_path: Path) -> None:
    header = Blob.of(b"\0\0\0\1\2\0\0\0\1\0")
    bad = Message(1, 0.0, Direction.TO_SUT, Protocol.DICOM, "C-ECHO-RQ", association=1, header=header)
    assert serious(judge_messages([bad]))
    assert serious(judge_messages([bad], Direction.FROM_SUT)) == []


def test_every_code_of_conversations_is_raised_here() -> None:
    known = {code for code in codes() if code.startswith("CONV-")}
    assert {code for code, _ in BROKEN} | ELSEWHERE == known
    folder = Path(harness.validation.conversation.__file__).parent
    used = {
        code for path in folder.glob("*.py") for code in re.findall(r'"(CONV-[A-Z0-9-]+)"', path.read_text("utf-8"))
    }
    assert used == known


# -- the way of the bytes ---------------------------------------------------------------------------------------


def shapes(packets: list[bytes]) -> dict[str, bytes]:
    framed = [c.ethernet(packet) for packet in packets]
    return {
        "big endian": c.pcap(framed, order=">"),
        "nanoseconds": c.pcap(framed, magic=0xA1B23C4D),
        "VLAN": c.pcap(c.ethernet(packet, vlan=True) for packet in packets),
        "raw IP": c.pcap(packets, link=101),
        "loopback": c.pcap((b"\2\0\0\0" + packet for packet in packets), link=0),
        "Linux cooked": c.pcap((bytes(14) + b"\x08\0" + packet for packet in packets), link=113),
        "other packets between": c.pcap(f for p in framed for f in (p, bytes(12) + b"\x08\x06" + bytes(28), b"")),
        "sent twice": c.pcap(f for p in framed for f in (p, p)),
        "in another order": c.pcap(_swapped(framed)),
    }  # fmt: skip


def _swapped(frames: list[bytes]) -> list[bytes]:
    """Neighbours that one side sends with content change places, beyond its first segment."""
    result = list(frames)
    at = 6
    while at + 1 < len(result):
        one, other = result[at], result[at + 1]
        if one[26:30] == other[26:30] and min(len(one), len(other)) > 60:
            result[at], result[at + 1] = other, one
            at += 1
        at += 1
    return result


BROKEN_STEP = c.OPEN.then(c.created()).then(c.set_(c.ended())).then(SET_AGAIN).then(c.CLOSE)


@pytest.mark.parametrize("shape", shapes(c.packets([])))
def test_all_shapes_of_captures_show_the_same(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "traffic"
    # small segments come one after the other from one side, so that order matters within one message
    script = c.OPEN.client(c.store()).server(c.stored()).then(c.Script(BROKEN_STEP.sent[2:]))
    path.write_bytes(shapes(c.packets([script], size=150))[shape])
    assert [code for code, _ in serious(validate_capture(path))] == ["CONV-MPPS-FINAL"]


def test_ipv6_and_odd_segment_sizes(tmp_path: Path) -> None:
    path = tmp_path / "traffic"
    for size in (1, 7, 5000):
        packets = c.packets([BROKEN_STEP], size=size, addresses=("fe80::1", "fe80::2"))
        path.write_bytes(c.pcap(map(c.ethernet, packets)))
        assert [code for code, _ in serious(validate_capture(path))] == ["CONV-MPPS-FINAL"]


def test_a_lost_packet_is_a_gap_and_no_fault_of_the_peers(tmp_path: Path) -> None:
    packets = c.packets([c.OPEN.client(c.store()).server(c.stored()).then(c.CLOSE)], size=200)
    path = tmp_path / "traffic"
    path.write_bytes(c.pcap(map(c.ethernet, [*packets[:8], *packets[9:]])))
    found = [f for f in validate_capture(path) if f.severity is not Severity.INFO]
    assert [f.code for f in found if f.severity is Severity.ERROR] in ([], ["CONV-NO-REQUEST"])
    assert "CONV-GAP" in {f.code for f in found}


def test_cut_packets_are_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "traffic"
    path.write_bytes(c.pcap(map(c.ethernet, c.packets([c.WHOLE])), snap=96))
    assert "CONV-GAP" in {f.code for f in validate_capture(path)}


@pytest.mark.parametrize(
    ("head", "words"),
    [(b"\x16\x03\x01\x02\x00\x01", "TLS"), (b"\x04\0\0\0\0\4abcd", "began too late"), (b"GET / HTTP/1.1\r\n", "GET")],
)
def test_what_is_not_read_is_told(head: bytes, words: str, tmp_path: Path) -> None:
    found = c.judged(tmp_path, c.Script().client(head))
    assert [f.code for f in found] == ["CONV-UNKNOWN", "CONV-EMPTY"]
    assert words in found[0].actual


@pytest.mark.parametrize(
    "raw",
    [
        c.pcap([])[:10],
        c.pcap([b"abc"])[:-2],
        c.pcap([b"abc"], link=147),
        b"\x0a\x0d\x0d\x0a\x0c\0\0\0",
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0" + b"\6\0\0\0\2\0\0\0",
    ],
)
def test_a_damaged_capture_is_a_finding(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcap"
    path.write_bytes(raw)
    assert "CONV-CAPTURE" in {f.code for f in validate_capture(path)}


def test_mutated_captures_give_findings_and_no_exception(tmp_path: Path) -> None:
    chance = random.Random(4)
    raw = c.pcap(map(c.ethernet, c.packets([c.WHOLE, HL7], size=400)))
    path = tmp_path / "traffic.pcap"
    for _ in range(150):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 12)):
            changed[chance.randrange(24, len(raw))] = chance.randrange(256)
        path.write_bytes(changed[: chance.randint(len(raw) // 2, len(raw))])
        assert len(validate_capture(path)) <= 2 * judge.MAXIMUM_FINDINGS


def test_the_same_finding_again_is_counted(tmp_path: Path) -> None:
    ds = s.ct()
    del ds.PatientID
    script = c.OPEN
    for number in range(1, 11):
        values: dict[str, Any] = {"AffectedSOPClassUID": s.CT, "AffectedSOPInstanceUID": f"{s.UID}.3", "Priority": 0}
        script = script.client(c.message(1, "C-STORE-RQ", ds, MessageID=number, **values)).server(c.stored(number))
    found = c.judged(tmp_path, script.then(c.CLOSE))
    assert [f.code for f in found].count("IOD-2-MISSING") == 3
    repeated = next(f for f in found if f.code == "CONV-REPEATED" and f.expected == "no IOD-2-MISSING")
    assert (repeated.actual, repeated.locator) == ("7 more", "C-STORE-RQ of MOD: (0010,0020) PatientID")


def test_findings_of_one_conversation_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "MAXIMUM_FINDINGS", 2)
    script = c.OPEN.client(c.store(Priority=9)).server(c.stored(8)).then(c.CLOSE)
    found = c.judged(tmp_path, script)
    assert found[-1].code == "CONV-LIMIT"
    assert len(found) == 3
