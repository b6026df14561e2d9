"""The ER7 reader and writer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.protocols.hl7.message import HL7Message, Separators, compose, header_fields

ORDER = (
    b"MSH|^~\\&|OP|HOSP|OF|RAD|20260102030405||ORM^O01|77|P|2.3.1\r"
    b"PID|||4711^^^ADT1&1.2.3&ISO~99^^^SSA||Miller^Anna\\T\\Maria^^^Dr||19700203|F\r"
    b"ORC|NW|P1^OP||||||\r"
    b"OBR|1|P1^OP||X1^Chest\\S\\PA^ERL|||||||||A\\.br\\B\\X41\\\\H\\bold\\N\\\\Zfoo\\\r"
    b"ZDS|1.2.3^^Application^DICOM\r"
    b"OBR|2|P2^OP\r"
)


def test_paths_reach_fields_components_subcomponents_and_repetitions() -> None:
    message = HL7Message(ORDER)
    assert message["PID-3"] == "4711^^^ADT1&1.2.3&ISO~99^^^SSA"
    assert message["PID-3.1"] == "4711"
    assert message["PID-3.4"] == "ADT1&1.2.3&ISO"
    assert message["PID-3.4.2"] == "1.2.3"
    assert message["PID-3[2].4"] == "SSA"
    assert message["OBR[2]-2.1"] == "P2"
    assert message["MSH-1"] == "|"
    assert message["MSH-2"] == "^~\\&"
    assert message["MSH-9.2"] == "O01"
    assert message.kind == "ORM^O01"
    assert message.values("OBR-2.1") == ["P1", "P2"]
    assert message.values("PID-3.1") == ["4711", "99"]
    assert [segment.name for segment in message.all("OBR")] == ["OBR", "OBR"]
    assert message["PV1-2"] == ""
    assert message["PID-30.2.2"] == ""
    assert "ZDS" in message
    assert message.problems == ()


def test_escapes_are_read() -> None:
    message = HL7Message(ORDER)
    assert message["PID-5.2"] == "Anna&Maria"
    assert message["OBR-4.2"] == "Chest^PA"
    assert message["OBR-13"] == "A\nBAbold\\Zfoo\\"
    segment = message.segment("PID")
    assert segment is not None
    assert segment.components(5) == ["Miller", "Anna&Maria", "", "", "Dr"]


def test_other_separators_are_taken_from_the_message() -> None:
    message = HL7Message(b"MSH#:*!+#A##C##2026##ADT:A04#1#P#2.5.1\rPID###1:::X+9+ISO*2:::Y\r")
    assert message["PID-3[2].1"] == "2"
    assert message["PID-3.4.2"] == "9"
    assert message.kind == "ADT^A04"
    assert message.separators == Separators("#", ":", "*", "!", "+")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "does not begin with MSH"),
        (b"PID|1\r", "does not begin with MSH"),
        (b"MSH|^~\\&|A\nPID|1\n", "line feeds"),
        (b"MSH|^~\\&|A", "no carriage return"),
        (b"MSH|^~\\&|A\rpid|1\r", "is no segment name"),
        (b"MSH|^~\\&|A\xff\r", "do not fit MSH-18"),
        (b"MSH|^~\\&||||||||||||||||KLINGON\r", "not in HL7 table 0211"),
    ],
)
def test_breaches_are_told_and_never_raised(raw: bytes, problem: str) -> None:
    assert any(problem in text for text in HL7Message(raw).problems)


def test_line_feeds_are_read_as_segment_ends() -> None:
    assert HL7Message(b"MSH|^~\\&|A|B\r\nPID|||7\r\n")["PID-3.1"] == "7"


def test_a_wrong_path_is_a_usage_error() -> None:
    message = HL7Message(ORDER)
    for path in ("PID.3", "pid-3", "PID-", "PID-3.4.2.1"):
        with pytest.raises(UsageError):
            message[path]


def test_header_fields_show_msh_and_msa() -> None:
    answer = b"MSH|^~\\&|OF|RAD|OP|HOSP|2026||ACK^O01^ACK|9|P|2.5.1|||NE|AL||UNICODE UTF-8\rMSA|AE|77|no PID\r"
    fields = header_fields(answer)
    assert fields["type"] == "ACK"
    assert fields["trigger"] == "O01"
    assert fields["structure"] == "ACK"
    assert fields["version"] == "2.5.1"
    assert fields["character_set"] == "UNICODE UTF-8"
    assert fields["sending_application"] == "OF"
    assert fields["acknowledgement"] == "AE"
    assert fields["acknowledged_id"] == "77"
    assert fields["accept_acknowledgement"] == "NE"
    assert header_fields(b"rubbish")["type"] == ""


def test_the_writer_places_values_and_escapes_them() -> None:
    raw = compose(
        [
            ("MSH", {"3": "A", "9.1": "ADT", "9.2": "A08", "10": "5", "12": "2.5.1"}),
            ("PID", {"3.1": "1", "3.4.1": "N", "3.4.2": "1.2", "3[2].1": "2", "5.1": "O'N|e^il&l~\\", "8": '""'}),
        ]
    )
    assert raw == (b'MSH|^~\\&|A||||||ADT^A08|5||2.5.1\rPID|||1^^^N&1.2~2||O\'N\\F\\e\\S\\il\\T\\l\\R\\\\E\\|||""\r')
    message = HL7Message(raw)
    assert message["PID-5.1"] == "O'N|e^il&l~\\"
    assert message["PID-8"] == '""'


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 4)), TEXT, max_size=8))
def test_what_was_written_is_read_again(values: dict[tuple[int, int, int], str]) -> None:
    fields = {f"{f}[{r}].{c}": value for (f, r, c), value in values.items()}
    raw = compose([("MSH", {"18": "UNICODE UTF-8"}), ("ZZZ", fields)], character_sets=("UNICODE UTF-8",))
    message = HL7Message(raw)
    for path, value in fields.items():
        assert message[f"ZZZ-{path}"] == value


@settings(max_examples=120, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda b: b"MSH|^~\\&|" + b)))
def test_no_bytes_make_the_reader_raise(raw: bytes) -> None:
    message = HL7Message(raw)
    header_fields(raw)
    for path in ("MSH-9.1", "MSH-10", "PID-3[2].4.2", "PID-5"):
        message[path]
    for segment in message:
        segment.components(3)
