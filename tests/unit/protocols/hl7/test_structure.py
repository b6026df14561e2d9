"""Segment structures: what is missing or in the wrong place, and where hl7apy's own parser does not see it."""

from __future__ import annotations

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.structure import Group, analyse, element, structure_name

HEAD = "MSH|^~\\&|A|B|C|D|20260102||{kind}|1|P|{version}\r"


def message(kind: str, version: str, *segments: str) -> HL7Message:
    text = HEAD.format(kind=kind, version=version) + "".join(f"{segment}\r" for segment in segments)
    return HL7Message(text.encode())


GOOD = [
    ("ADT^A04", "2.3.1", "EVN PID NK1 PV1", "ADT_A01"),
    ("ADT^A38", "2.3.1", "EVN PID PV1", "ADT_A38"),
    ("ADT^A05^ADT_A05", "2.5.1", "EVN PID PV1", "ADT_A05"),
    ("ADT^A40^ADT_A39", "2.5.1", "EVN PID PD1 MRG PV1", "ADT_A39"),
    ("ADT^A40", "2.3.1", "EVN PID MRG", "ADT_A39"),
    ("ORM^O01", "2.3.1", "PID PV1 ORC OBR ORC OBR ZDS", "ORM_O01"),
    ("ORR^O02", "2.3.1", "MSA PID ORC OBR", "ORR_O02"),
    ("OMG^O19^OMG_O19", "2.5.1", "PID PV1 ORC TQ1 OBR", "OMG_O19"),
    ("ORG^O20^ORG_O20", "2.5.1", "MSA PID ORC OBR", "ORG_O20"),
    ("OMI^O23^OMI_O23", "2.5.1", "PID PV1 ORC TQ1 OBR IPC IPC", "OMI_O23"),
    ("SIU^S13", "2.4", "SCH PID PV1 RGS AIS", "SIU_S12"),
    ("SIU^S15^SIU_S12", "2.5.1", "SCH RGS AIS RGS AIS AIL AIP", "SIU_S12"),
    ("ACK^A04^ACK", "2.5.1", "MSA ERR", "ACK"),
]


@pytest.mark.parametrize(("kind", "version", "segments", "name"), GOOD)
def test_good_messages_have_no_issues(kind: str, version: str, segments: str, name: str) -> None:
    found = analyse(message(kind, version, *(f"{segment}|1" for segment in segments.split())))
    assert found.name == name
    assert found.issues == ()


BAD = [
    ("ADT^A04", "2.3.1", "PID PV1", ["EVN is missing before segment 2"]),
    ("ADT^A04", "2.3.1", "EVN PID", ["PV1 is missing at the end"]),
    ("ADT^A04", "2.3.1", "EVN PV1 PID", ["PID is missing before segment 3", "PID must not follow PV1 in ADT_A01"]),
    ("ADT^A40", "2.3.1", "EVN PID PV1", ["MRG is missing before segment 4"]),
    ("ORM^O01", "2.3.1", "PID PV1 OBR ORC", ["OBR must not follow PV1 in ORM_O01"]),
    ("OMI^O23^OMI_O23", "2.5.1", "PID PV1 ORC TQ1 OBR", ["IPC is missing at the end"]),
    ("SIU^S12", "2.4", "SCH RGS AIS PID", ["PID must not follow AIS in SIU_S12"]),
]


@pytest.mark.parametrize(("kind", "version", "segments", "issues"), BAD)
def test_what_is_missing_or_misplaced_is_told(kind: str, version: str, segments: str, issues: list[str]) -> None:
    found = analyse(message(kind, version, *(f"{segment}|1" for segment in segments.split())))
    assert [issue.text for issue in found.issues] == issues


def test_groups_hold_their_segments() -> None:
    found = analyse(message("ORM^O01", "2.3.1", "PID|1", "PV1|1", "ORC|NW", "OBR|1", "ORC|NW", "OBR|2"))
    orders = found.root.all("ORDER")
    assert len(orders) == 2
    details = [group.segment("OBR") for order in orders for group in (order, *_below(order))]
    assert [segment["1"] for segment in details if segment is not None] == ["1", "2"]


def _below(group: Group) -> list[Group]:
    return [inner for child in group.groups for inner in (child, *_below(child))]


def test_what_is_not_in_the_tables_has_no_structure() -> None:
    assert structure_name("ADT", "Z99", "2.3.1") == ""
    assert analyse(message("XXX^Y01", "2.3.1", "PID|1")).name == ""
    assert element("ADT_A01", "9.9") is None
    assert element("ADT_A99", "2.5.1") is None


def test_hostile_messages_end_soon() -> None:
    segments = [name for _ in range(2000) for name in ("PV1|1", "EVN|1", "PID|1")]
    assert len(analyse(message("ADT^A04", "2.3.1", *segments)).issues) <= 25


def test_the_parser_of_the_library_does_not_see_a_wrong_order_and_ours_does() -> None:
    wrong = message("ORM^O01", "2.3.1", "OBR|1|||C", "ORC|NW", "PID|||1||A^B")
    parsed = parse_message(wrong.text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
    assert [child.name for child in parsed.children] == ["MSH", "ORM_O01_ORDER", "ORM_O01_PATIENT"]
    assert analyse(wrong).issues


def test_the_parser_of_the_library_finds_no_structure_without_the_third_component_and_ours_does() -> None:
    merge = message("ADT^A40", "2.3.1", "EVN|A40|20260102", "PID|||1^^^H||A^B", "MRG|2^^^H")
    assert parse_message(merge.text, validation_level=VALIDATION_LEVEL.TOLERANT).name is None
    assert analyse(merge).name == "ADT_A39"


def test_the_table_of_the_library_demands_a_segment_that_the_standard_does_not() -> None:
    from hl7apy import load_library

    tabled = {name: cardinality for name, _, cardinality, _ in load_library("2.3.1").get("ADT_A38", "Message")[1]}
    assert tabled["DRG"] == (1, 1)
    assert analyse(message("ADT^A38", "2.3.1", "EVN|1", "PID|1", "PV1|1")).issues == ()
