"""DICOM in general: a right conversation passes every check, one change fails exactly its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.core.check import Exchange
from harness.core.message import EMPTY, Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles.common.conversation import CHECKS
from harness.protocols.dicom import command

CLASS = "1.2.840.10008.5.1.4.1.1.7"
OURS, THEIRS = Direction.TO_SUT, Direction.FROM_SUT
Line = dict[str, Any]


def line(direction: Direction, kind: str, **fields: Any) -> Line:
    return {"direction": direction, "kind": kind, "fields": fields, "payload": EMPTY}


def good() -> dict[str, Line]:
    """A product that stores one object with us, and answers one that we store with it."""
    context = {"id": 1, "abstract_syntax": CLASS, "result": 0}
    store = {"AffectedSOPClassUID": CLASS, "MessageID": 7, "Priority": 0, "AffectedSOPInstanceUID": "1.2.3"}
    answer = {"MessageIDBeingRespondedTo": 7, "Status": 0}
    lines = {
        "request": line(THEIRS, "A-ASSOCIATE-RQ", calling_ae="CT9 ", called_ae="IHE_IM", contexts=[context]),
        "accept": line(OURS, "A-ASSOCIATE-AC", contexts=[context]),
        "store": line(THEIRS, "C-STORE-RQ", **store, CommandDataSetType=1),
        "stored": line(OURS, "C-STORE-RSP", **answer, CommandDataSetType=0x0101),
        "release": line(THEIRS, "A-RELEASE-RQ"),
        "closed": line(Direction.NONE, "CONNECTION-CLOSED"),
    }
    lines["store"]["payload"] = Blob.of(b"\x08\x00\x18\x00\x06\x00\x00\x001.2.3\x00")
    return lines


def tell(lines: dict[str, Line]) -> Exchange:
    transcript = Transcript(clock=lambda: 0.0)
    for each in lines.values():
        fields = dict(each["fields"])
        header = EMPTY
        if each["kind"] in command.FIELDS:
            fields.setdefault("CommandField", command.FIELDS[each["kind"]])
            header = Blob.of(command.encode(fields))
        transcript.record(
            each["direction"], Protocol.DICOM, each["kind"], association=each.get("association", 3), context=1,
            fields=fields, payload=each["payload"], header=header,
        )  # fmt: skip
    return Exchange(transcript)


def seen(exchange: Exchange) -> dict[str, list[bool | None]]:
    return {check.requirement: [found.ok for found in check(exchange)] for check in CHECKS}


def test_a_right_conversation_passes_once_for_each() -> None:
    assert seen(tell(good())) == {check.requirement: [True] for check in CHECKS}


def test_nothing_is_said_of_nothing() -> None:
    assert seen(tell({})) == {check.requirement: [] for check in CHECKS}


def test_our_own_faults_are_not_the_products() -> None:
    lines = good()
    lines["stored"]["fields"]["MessageIDBeingRespondedTo"] = 99
    del lines["stored"]["fields"]["Status"]
    assert all(False not in oks for oks in seen(tell(lines)).values())


def violation(rule: str) -> Line:
    return line(THEIRS, "PROTOCOL-VIOLATION", rule=rule, text="wrong")


def without(key: str, field: str) -> Callable[[dict[str, Line]], object]:
    return lambda lines: lines[key]["fields"].pop(field)


def with_(key: str, **fields: Any) -> Callable[[dict[str, Line]], object]:
    return lambda lines: lines[key]["fields"].update(fields)


def instead(kind: str) -> Callable[[dict[str, Line]], object]:
    return lambda lines: lines["release"].update(kind=kind)


def added(what: Line) -> Callable[[dict[str, Line]], object]:
    def change(lines: dict[str, Line]) -> None:
        closed, release = lines.pop("closed"), lines.pop("release")
        lines.update(more=what, release=release, closed=closed)

    return change


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (added(violation("PS3.8 9.3.5.1")), "DICOM-GEN-01"),
        (added(violation("PS3.8 D.1")), "DICOM-GEN-01"),
        (added(violation("PS3.5 7.1")), "DICOM-GEN-01"),
        (added(violation("PS3.7 6.3.1")), "DICOM-GEN-02"),
        (added(violation("PS3.7 7.5")), "DICOM-GEN-03"),
        (without("store", "Priority"), "DICOM-GEN-02"),
        (with_("store", Priority=9), "DICOM-GEN-02"),
        (with_("store", CommandDataSetType=0x0101), "DICOM-GEN-02"),
        (with_("store", AffectedSOPClassUID=f"{CLASS}.1"), "DICOM-GEN-03"),
        (added(line(THEIRS, "C-STORE-RSP", MessageIDBeingRespondedTo=8, Status=0, CommandDataSetType=0x0101)),
         "DICOM-GEN-03"),
        (with_("request", calling_ae=" " * 16), "DICOM-GEN-04"),
        (with_("request", called_ae="IHE\\IM"), "DICOM-GEN-04"),
        (with_("request", calling_ae="CT9\x00\x00"), "DICOM-GEN-04"),
        (instead("A-ABORT"), "DICOM-GEN-05"),
        (lambda lines: lines.pop("release"), "DICOM-GEN-05"),
    ],
)  # fmt: skip
def test_one_change_breaks_its_own_requirement(change: Callable[[dict[str, Line]], object], broken: str) -> None:
    lines = good()
    change(lines)
    assert [name for name, oks in seen(tell(lines)).items() if False in oks] == [broken]


@pytest.mark.parametrize("kind", ["A-ABORT", "A-RELEASE-RQ"])
def test_what_we_ended_is_not_held_against_the_product(kind: str) -> None:
    lines = good()
    lines["release"].update(kind=kind, direction=OURS)
    assert seen(tell(lines))["DICOM-GEN-05"] == []


def test_a_product_that_hangs_up_in_a_pdu_after_our_abort_is_right() -> None:
    lines = good()
    lines["release"].update(kind="A-ABORT", direction=OURS)
    closed = lines.pop("closed")
    lines.update(cut=violation("PS3.8 9.3"), closed=closed)
    assert seen(tell(lines))["DICOM-GEN-01"] == [True]
    lines["release"]["direction"] = THEIRS
    assert seen(tell(lines))["DICOM-GEN-01"] == [False], "its own abort excuses nothing"


def test_a_product_may_abort_when_we_do_not_answer() -> None:
    lines = good()
    del lines["stored"]
    lines["release"]["kind"] = "A-ABORT"
    assert seen(tell(lines))["DICOM-GEN-05"] == []


def test_what_was_on_its_way_when_we_asked_for_the_release_is_no_fault() -> None:
    """An answer and a report that the product sent before it heard of our release."""
    lines = good()
    lines["request"]["direction"], lines["accept"]["direction"] = OURS, THEIRS
    lines["store"]["direction"], lines["stored"]["direction"] = OURS, THEIRS
    lines["release"]["direction"] = OURS
    stored, closed = lines.pop("stored"), lines.pop("closed")
    again = {"AffectedSOPClassUID": CLASS, "MessageID": 9, "EventTypeID": 1, "CommandDataSetType": 0x0101}
    context = lines["accept"]["fields"]["contexts"][0]
    asked = {**context, "scu_role": True, "scp_role": True}
    lines["request"]["fields"]["contexts"] = lines["accept"]["fields"]["contexts"] = [asked]
    instance = {"AffectedSOPInstanceUID": "1.2.3"}
    lines.update(stored=stored, report=line(THEIRS, "N-EVENT-REPORT-RQ", **again, **instance), closed=closed)
    assert seen(tell(lines))["DICOM-GEN-03"] == [True]
    lines["release"]["direction"] = THEIRS
    assert seen(tell(lines))["DICOM-GEN-03"] == [False], "who asked for the release asks for nothing more"
