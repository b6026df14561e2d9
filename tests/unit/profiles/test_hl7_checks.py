"""The HL7 checks on hand-built transcripts: what they find, what they leave alone, and that nothing is never a pass."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.core.check import Declaration, Exchange
from harness.core.message import Blob, Direction, Message, Protocol
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.profiles.swf.hl7_checks import CHECKS
from harness.protocols.hl7.message import header_fields, kind_of

IN, OUT = Direction.FROM_SUT, Direction.TO_SUT
PLACER, FILLER, MANAGER = "Order Placer", "DSS/Order Filler", "Image Manager/Archive"

A04 = (
    "MSH|^~\\&|ADT|H|OP|H|20260102030405+0100||ADT^A04|{id}|P|2.3.1\rEVN|A04|20260102\r"
    "PID|||1^^^H||Miller^Anna||1970|F||W|Street|||||||ACC\rPV1||O||||||D^Ref\r"
)
ORM = (
    "MSH|^~\\&|OP|H|OF|H|20260102||ORM^O01|{id}|P|2.3.1\rPID|||1^^^H||Miller^Anna||1970|F||||||||||ACC\rPV1||O\r"
    "ORC|NW|P1^OP|||||^^^2026^^R||20260102|||D^Doc|||||NEURO\r"
    "OBR|1|P1^OP||C^Chest^99X||||||||||||D^Doc|||||||||||^^^2026^^R\r"
)
ACK = "MSH|^~\\&|OF|H|OP|H|20260102||ACK^{trigger}|A{id}|P|2.3.1\rMSA|{code}|{id}\r"


class Story:
    """A transcript in the making."""

    def __init__(self) -> None:
        self.transcript = Transcript()

    def add(self, direction: Direction, text: str | bytes, actor: str = FILLER, *, connection: int = 1) -> Message:
        raw = text if isinstance(text, bytes) else text.encode()
        fields = header_fields(raw)
        kind = kind_of(fields["type"], fields["trigger"])
        return self.transcript.record(
            direction, Protocol.HL7, kind, actor=actor, association=connection, fields=fields, payload=Blob.of(raw)
        )

    def exchange(self, text: str, code: str = "AA", *, given: bool = False, actor: str = FILLER) -> Message:
        """A message and its acknowledgement; ``given`` by us, else of the system under test."""
        first, second = (OUT, IN) if given else (IN, OUT)
        message = self.add(first, text, actor)
        trigger = message.fields["trigger"]
        self.add(second, ACK.format(id=message.fields["control_id"], code=code, trigger=trigger), actor)
        return message

    def judge(
        self, requirement: str, focus: Message | None = None, sut: Declaration | None = None
    ) -> list[bool | None]:
        exchange = Exchange(self.transcript, sut or Declaration(profiles=frozenset({"SWF"})), focus)
        return [seen.ok for check in CHECKS if check.requirement == requirement for seen in check(exchange)]

    def broken(self, sut: Declaration | None = None) -> set[str]:
        exchange = Exchange(self.transcript, sut or Declaration(profiles=frozenset({"SWF"})))
        return {check.requirement for check in CHECKS for seen in check(exchange) if seen.ok is False}


@pytest.fixture
def story() -> Story:
    return Story()


def test_no_check_says_anything_of_nothing(story: Story) -> None:
    exchange = Exchange(story.transcript)
    assert [check.id for check in CHECKS if any(True for _ in check(exchange))] == []


def test_every_check_has_an_id_that_begins_with_its_requirement() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.id.startswith(check.requirement + "/") for check in CHECKS)


def test_good_messages_break_nothing(story: Story) -> None:
    story.exchange(A04.format(id="1"))
    story.exchange(ORM.format(id="2"))
    assert story.broken() == set()


LEGAL = [
    A04.format(id="1").replace("20260102030405+0100", "20260102030405.1234-0500"),
    A04.format(id="1").replace("|P|2.3.1", "|P|2.3.1||||||ASCII"),
    A04.format(id="1").replace("|P|2.3.1", "|P|2.3.1|||NE|NE"),
    A04.format(id="1").replace("\rPV1", "\rPD1|1\rNK1|1|Miller^Otto\rPV1"),
    A04.format(id="1").replace("|ACC\r", "\r").replace("D^Ref", "D^Ref|||||||||||V77"),
    A04.format(id="1").replace("1^^^H", "1^^^&1.2.3&ISO~99^^^SSA"),
    A04.format(id="1").replace("ADT^A04", "ADT^A04^ADT_A01"),
    A04.format(id="1") + "ZPI|1|local\r",
    A04.format(id="1").replace("Miller^Anna", "O\\T\\Neil&Mc^Anna^^^^^L~Smith^Anna^^^^^M"),
    A04.format(id="1").replace("1970|F||", '19700203040506|U|""|'),
    A04.format(id="1").replace("|P|2.3.1", "|P|2.3.1^DEU||||||8859/1"),
    ORM.format(id="2").replace("P1^OP|||||^^^2026^^R|", 'P1^OP|""||||^^^2026^^R^|', 1),
    ORM.format(id="2").replace("D^Doc|||||NEURO", "D^Doc^^^^|||||NEURO"),
    ORM.format(id="2") + "NTE|1||a note\rZOR|x\r",
]


@pytest.mark.parametrize("text", LEGAL)
def test_legal_variants_break_nothing(story: Story, text: str) -> None:
    story.add(IN, text)
    assert story.broken() == set()


def test_other_separators_are_read_as_declared_and_only_told(story: Story) -> None:
    other = A04.format(id="1").translate(str.maketrans("^&~|", "$@*!"))
    story.add(IN, other)
    assert story.broken() == {"HL7-GEN-03"}
    requirement = registry.requirements()["HL7-GEN-03"]
    assert requirement.verdict_if_broken() is Verdict.WARNING


def test_a_framing_breach_is_told_and_good_framing_passes(story: Story) -> None:
    story.exchange(A04.format(id="1"))
    assert story.judge("HL7-GEN-01") == [True]
    story.transcript.record(
        IN,
        Protocol.HL7,
        "PROTOCOL-VIOLATION",
        fields={"rule": "missing-end-block", "text": "no end block"},
        payload=Blob.of(b"MSH"),
    )
    assert story.judge("HL7-GEN-01") == [False]


def test_a_broken_connection_is_no_framing_breach(story: Story) -> None:
    story.transcript.record(IN, Protocol.HL7, "PROTOCOL-VIOLATION", fields={"rule": "connection", "text": "reset"})
    assert story.judge("HL7-GEN-01") == []


def test_a_missing_a_wrong_and_a_foreign_acknowledgement(story: Story) -> None:
    unanswered = story.add(OUT, A04.format(id="1"))
    assert story.judge("HL7-GEN-02") == [False]
    story.add(IN, ACK.format(id="other", code="AA", trigger="A04"))
    assert story.judge("HL7-GEN-02", unanswered) == [True, False]
    story.exchange(A04.format(id="2"), "CA", given=True)
    assert story.judge("HL7-GEN-02")[-2:] == [False, True]


def test_enhanced_mode_has_two_answers(story: Story) -> None:
    story.add(OUT, A04.format(id="1").replace("|P|2.3.1", "|P|2.3.1|||AL|AL"))
    for code in ("CA", "AA"):
        story.add(IN, ACK.format(id="1", code=code, trigger="A04"))
    assert story.judge("HL7-GEN-02") == [True, True, True, True]


def test_a_message_without_acknowledgement_must_come_again(story: Story) -> None:
    first = story.add(IN, A04.format(id="1"))
    story.transcript.note("FAULT-INJECTED", {"fault": "acknowledgement-withheld", "message": first.seq})
    assert story.judge("HL7-GEN-15") == [False]
    story.add(IN, A04.format(id="1"))
    assert story.judge("HL7-GEN-15") == [True]


def test_a_later_message_instead_of_the_one_not_acknowledged(story: Story) -> None:
    first = story.add(IN, A04.format(id="1"))
    story.transcript.note("FAULT-INJECTED", {"fault": "acknowledgement-withheld", "message": first.seq})
    story.add(IN, A04.format(id="2"))
    assert story.judge("HL7-GEN-15") == [False]


def test_a_message_sent_again_does_not_reuse_its_control_id(story: Story) -> None:
    story.add(IN, A04.format(id="1"))
    story.add(IN, A04.format(id="1"))
    assert False not in story.judge("HL7-GEN-06")
    story.add(IN, A04.format(id="1").replace("20260102030405+0100", "20260102030411+0100"))
    assert False not in story.judge("HL7-GEN-06")
    story.add(IN, ORM.format(id="1"))
    assert False in story.judge("HL7-GEN-06")


@pytest.mark.parametrize(
    ("declared", "name", "ok"),
    [
        ("8859/1", "Jérôme".encode("latin-1"), True),
        ("UNICODE UTF-8", "Jérôme".encode(), True),
        ("UNICODE UTF-8", "Jérôme".encode("latin-1"), False),
        ("", "Jérôme".encode("latin-1"), False),
        ("LATIN1", "Jérôme".encode("latin-1"), False),
        ("~ISO IR87", "山田".encode("iso2022_jp"), True),
        ("KS X 1001", "홍길동".encode("euc_kr"), True),
        ("GB 18030-2000", "王小东".encode("gb18030"), True),
        ("UNICODE UTF-8", b"Anna", True),
        ("8859/1", b"Anna", True),
        ("LATIN1", b"Anna", False),
    ],
)
def test_character_sets(story: Story, declared: str, name: bytes, ok: bool) -> None:
    raw = A04.format(id="1").replace("|P|2.3.1", f"|P|2.3.1||||||{declared}").encode().replace(b"Anna", name)
    story.add(IN, raw)
    assert story.judge("HL7-GEN-10") == [ok]


@pytest.mark.parametrize(
    "stamp", ["2026-01-02", "02.01.2026", "20261302", "20260132", "2026010225", "now", "202601021"]
)
def test_what_is_no_time_stamp(story: Story, stamp: str) -> None:
    story.add(IN, A04.format(id="1").replace("EVN|A04|20260102", f"EVN|A04|{stamp}"))
    assert story.judge("HL7-GEN-14") == [False]


def test_versions_by_profile_and_option(story: Story) -> None:
    story.add(IN, A04.format(id="1").replace("2.3.1", "2.5.1"))
    assert story.judge("HL7-GEN-08") == [False]
    option = Declaration(profiles=frozenset({"SWF"}), options=frozenset({"HL7 v2.5.1"}))
    assert story.judge("HL7-GEN-08", sut=option) == [True]


def test_a_focus_narrows_the_judgement(story: Story) -> None:
    good = story.add(IN, A04.format(id="1"))
    bad = story.add(IN, A04.format(id="2").replace("|F|", "|female|"))
    assert story.judge("RAD-1-SRC-06", good) == [True]
    assert story.judge("RAD-1-SRC-06", bad) == [False]
    assert story.judge("RAD-1-SRC-06") == [True, False]


def test_what_we_send_is_not_judged_as_if_the_product_had_sent_it(story: Story) -> None:
    story.exchange(A04.format(id="1").replace("|F|", "|female|"), given=True)
    assert story.judge("RAD-1-SRC-06") == []


def test_refusing_what_was_meant_to_be_refused_is_right(story: Story) -> None:
    order = story.exchange(ORM.format(id="1"), "AE", given=True)
    assert story.judge("RAD-2-DST-04") == [False]
    story.transcript.note("NEGATIVE", {"message": order.seq, "rule": "missing-field"})
    assert story.judge("RAD-2-DST-04") == []


def schedule(identifier: str, control: str, status: str, *steps: str, uid: str = "1.2.3") -> str:
    pairs = "".join(
        f"ORC|{control}|P1^OP|F1^OF||{status}||^^^20260102^^R\r"
        f"OBR|{n}|P1^OP|F1^OF|C^Chest^99X^PR^Pro^99X||||||||||||||A1|R1|{step}||||CT|||^^^20260102^^R"
        f"|||||||||||||||||RP^Pro^99X\r"
        for n, step in enumerate(steps, 1)
    )
    head = f"MSH|^~\\&|OF|H|IM|H|20260102||ORM^O01|{identifier}|P|2.3.1\rPID|||1^^^H||Miller^Anna\rPV1||O\r"
    return head + pairs + f"ZDS|{uid}^^Application^DICOM\r"


def test_the_first_message_about_a_study_is_new_and_later_ones_are_not(story: Story) -> None:
    story.exchange(schedule("1", "NW", "SC", "S1", "S2"), actor=MANAGER)
    story.exchange(schedule("2", "XO", "SC", "S1", "S2"), actor=MANAGER)
    story.exchange(schedule("3", "CA", "CA", "S1", "S2"), actor=MANAGER)
    assert story.broken() == set()
    story.exchange(schedule("4", "NW", "SC", "S1", "S2"), actor=MANAGER)
    assert story.broken() == {"RAD-4-SRC-01"}


STATUS = (
    "MSH|^~\\&|OF|H|OP|H|20260102||ORM^O01|{id}|P|2.3.1\rPID|||1^^^H||Miller^Anna\rPV1||O\r"
    "ORC|SC|P1^OP|F1^OF||{status}\rOBR|1|P1^OP|F1^OF|C^Chest^99X\r"
)


def test_a_change_after_the_product_reported_completion_has_another_status(story: Story) -> None:
    story.exchange(schedule("1", "NW", "SC", "S1"), actor=MANAGER)
    story.exchange(STATUS.format(id="2", status="IP"), actor="Order Placer")
    story.exchange(schedule("3", "XO", "SC", "S1"), actor=MANAGER)
    assert story.judge("RAD-13-SRC-02") == [True]
    assert story.judge("RAD-13-SRC-03") == []
    story.exchange(STATUS.format(id="4", status="CM"), actor="Order Placer")
    story.exchange(schedule("5", "XO", "CM", "S1"), actor=MANAGER)
    story.exchange(schedule("6", "XO", "SC", "S1"), actor=MANAGER)
    assert story.judge("RAD-13-SRC-02") == [True]
    assert story.judge("RAD-13-SRC-03") == [True, False]


def test_completion_that_was_asked_for_by_an_action_counts_as_well(story: Story) -> None:
    story.exchange(schedule("1", "NW", "SC", "S1"), actor=MANAGER)
    asked = {"action": "report-status", "parameters": {"accession": "A1", "status": "CM"}}
    story.transcript.note("ACTION", asked)
    story.exchange(schedule("2", "XO", "CM", "S1"), actor=MANAGER)
    assert story.judge("RAD-13-SRC-03") == [True]
    assert story.judge("RAD-13-SRC-02") == []


def test_a_change_of_the_study_is_found_by_the_requested_procedure(story: Story) -> None:
    story.exchange(schedule("1", "NW", "SC", "S1"), actor=MANAGER)
    story.exchange(schedule("2", "XO", "SC", "S1", uid="1.2.4"), actor=MANAGER)
    assert "RAD-13-SRC-05" in story.broken()


def test_a_uid_with_a_leading_zero_is_no_uid(story: Story) -> None:
    story.exchange(schedule("1", "NW", "SC", "S1", uid="1.02.3"), actor=MANAGER)
    assert story.broken() == {"RAD-4-SRC-05"}


def test_the_answer_to_an_order_of_the_filler(story: Story) -> None:
    sn = ORM.format(id="1").replace("ORC|NW|P1^OP|", "ORC|SN||F1^OF").replace("OBR|1|P1^OP|", "OBR|1||F1^OF")
    story.add(OUT, sn, FILLER)
    answer = "MSH|^~\\&|OP|H|OF|H|2026||ORR^O02|9|P|2.3.1\rMSA|AA|1\rORC|{control}|{number}|{filler}\rOBR|1\r"
    story.add(IN, answer.format(control="NA", number="P9^OP", filler="F1^OF"), FILLER)
    assert story.judge("RAD-3-DST-01") == [True, True, True, True]


@pytest.mark.parametrize(
    ("control", "number", "filler"), [("OK", "P9^OP", "F1^OF"), ("NA", "", "F1^OF"), ("NA", "P9^OP", "F2^OF")]
)
def test_a_wrong_answer_to_an_order_of_the_filler(story: Story, control: str, number: str, filler: str) -> None:
    sn = ORM.format(id="1").replace("ORC|NW|P1^OP|", "ORC|SN||F1^OF").replace("OBR|1|P1^OP|", "OBR|1||F1^OF")
    story.add(OUT, sn, FILLER)
    answer = f"MSH|^~\\&|OP|H|OF|H|2026||ORR^O02|9|P|2.3.1\rMSA|AA|1\rORC|{control}|{number}|{filler}\rOBR|1\r"
    story.add(IN, answer, FILLER)
    assert story.judge("RAD-3-DST-01").count(False) == 1


def hostile() -> Iterable[bytes]:
    yield b""
    yield b"\xff" * 100
    yield b"MSH"
    yield b"MSH|"
    yield b"MSH|^~\\&" + b"|" * 5000
    yield b"MSH|^~\\&|a|b|c|d|e||ORM^O01|1|P|2.3.1\r" + b"OBR\r" * 500 + b"ZDS\rZDS\r"
    yield b"MSH|^~\\&|a|b|c|d|e||ADT^A40^ADT_A39|1|P|2.5.1\rMRG\rPID\rEVN\r"
    yield b"MSH||||||||SIU^S13|\rSCH|\r"
    yield b"MSH|^~\\&|a|b|c|d|e||OMI^O23|1|P|2.5.1\rIPC\rIPC|" + b"~" * 1000 + b"\r"


def test_no_message_makes_a_check_raise(story: Story) -> None:
    for raw in hostile():
        for direction in (IN, OUT):
            for actor in (PLACER, FILLER, MANAGER, ""):
                story.add(direction, raw, actor)
    exchange = Exchange(story.transcript, Declaration())
    assert sum(1 for check in CHECKS for _ in check(exchange)) > 100
