"""What a product still sends for an earlier scenario is evidence of neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.message import Blob, Direction, Message, Protocol
from harness.core.transcript import Recorder, Transcript

SCHEDULED, OTHER = "2.25.1111111111", "2.25.2222222222"
STEP, IMAGE, ASKED = "1.3.9999.1", "1.3.9999.2", "1.3.9999.3"


def data_set(tag: bytes, uid: str, *, explicit: bool) -> Blob:
    value = uid.encode() + b"\0" * (len(uid) % 2)
    size = len(value).to_bytes(2, "little")
    return Blob.of(b"\x08\x00\x05\x00" + tag + (b"UI" + size if explicit else size + b"\0\0") + value)


def study(uid: str, *, explicit: bool = True) -> Blob:
    return data_set(b"\x20\x00\x0d\x00", uid, explicit=explicit)


def order(transcript: Transcript, uid: str) -> None:
    transcript.note("ORDER", {"keywords": {"StudyInstanceUID": uid}})


class Product:
    """Sends requests and gets answers, like a node records them."""

    def __init__(self) -> None:
        self.first, self.second = Transcript(), Transcript()
        self.recorder = Recorder(self.first)

    def says(self, kind: str, association: int, payload: Blob | None = None, **fields: Any) -> Message:
        details = {"association": association, "fields": fields, **({"payload": payload} if payload else {})}
        return self.recorder.record(Direction.FROM_SUT, Protocol.DICOM, kind, **details)

    def calls(self, association: int) -> None:
        self.says("CONNECTION-OPENED", association)
        self.says("A-ASSOCIATE-RQ", association)

    def next_scenario(self) -> None:
        self.recorder.turn_to(self.second)
        order(self.second, OTHER)


@pytest.fixture
def product() -> Product:
    made = Product()
    order(made.first, SCHEDULED)
    made.says("N-CREATE-RQ", 1, study(SCHEDULED), AffectedSOPInstanceUID=STEP, MessageID=1)
    return made


@pytest.mark.parametrize("explicit", [True, False])
def test_a_retry_for_an_earlier_step_is_put_aside_with_its_association(product: Product, explicit: bool) -> None:
    product.next_scenario()
    product.calls(7)
    product.says("C-STORE-RQ", 7, study(SCHEDULED, explicit=explicit), AffectedSOPInstanceUID=IMAGE, MessageID=4)
    product.recorder.record(
        Direction.TO_SUT, Protocol.DICOM, "C-STORE-RSP", association=7, fields={"MessageIDBeingRespondedTo": 4}
    )
    product.says("A-RELEASE-RQ", 7)
    assert product.second.messages == ()
    assert [m.kind for m in product.second.late] == [
        "CONNECTION-OPENED",
        "A-ASSOCIATE-RQ",
        "C-STORE-RQ",
        "C-STORE-RSP",
        "A-RELEASE-RQ",
    ]
    assert product.second.wait_for("C-STORE-RQ", timeout=0) is None
    assert product.first.late == ()


def test_an_association_that_serves_both_scenarios_keeps_what_is_of_this_one(product: Product) -> None:
    product.next_scenario()
    product.says("N-SET-RQ", 1, RequestedSOPInstanceUID=STEP, MessageID=2)
    product.says("N-CREATE-RQ", 1, study(OTHER), AffectedSOPInstanceUID="1.3.9999.8", MessageID=3)
    product.says("N-SET-RQ", 1, RequestedSOPInstanceUID="1.3.9999.8", MessageID=4)
    product.says("A-RELEASE-RQ", 1)
    assert [m.kind for m in product.second.messages] == ["N-CREATE-RQ", "N-SET-RQ", "A-RELEASE-RQ"]
    assert [m.kind for m in product.second.late] == ["N-SET-RQ"]


def test_a_late_commitment_report_and_a_late_request_are_known_by_their_transaction(product: Product) -> None:
    service = {"AffectedSOPInstanceUID": "1.2.840.10008.1.20.1.1"}
    transaction = data_set(b"\x08\x00\x95\x11", ASKED, explicit=True)
    product.recorder.record(
        Direction.TO_SUT, Protocol.DICOM, "N-ACTION-RQ", association=2, fields=service, payload=transaction
    )
    product.next_scenario()
    product.says("N-EVENT-REPORT-RQ", 3, transaction, **service)
    product.says("N-EVENT-REPORT-RQ", 4, data_set(b"\x08\x00\x95\x11", "1.3.9", explicit=True), **service)
    assert [m.association for m in product.second.late] == [3]
    assert [m.association for m in product.second.messages] == [4]


def test_what_this_scenario_has_to_do_with_is_its_own_although_it_was_seen_before(product: Product) -> None:
    product.says("C-STORE-RQ", 2, study("2.25.77"), AffectedSOPInstanceUID=IMAGE, MessageID=1)
    product.next_scenario()
    asked = {"AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.2.2.2"}
    product.recorder.record(
        Direction.TO_SUT, Protocol.DICOM, "C-MOVE-RQ", association=3, fields=asked, payload=study("2.25.77")
    )
    product.says("C-STORE-RQ", 4, study("2.25.77"), AffectedSOPInstanceUID=IMAGE, MessageID=1)
    assert product.second.late == ()
    # a product that always writes one study UID of its own breaks a requirement in each scenario anew
    product.says("N-CREATE-RQ", 5, study("2.25.77"), AffectedSOPInstanceUID="1.3.9999.9", MessageID=1)
    assert product.second.late == ()


def test_an_hl7_message_that_comes_again_byte_by_byte_is_late(product: Product) -> None:
    er7 = Blob.of(b"MSH|^~\\&|A|B|C|D|20260101||ADT^A04|17|P|2.3.1\r")

    def arrives(payload: Blob, association: int) -> None:
        fields = {"control_id": "17"}
        product.recorder.record(
            Direction.FROM_SUT, Protocol.HL7, "ADT^A04", association=association, fields=fields, payload=payload
        )
        product.recorder.record(
            Direction.TO_SUT, Protocol.HL7, "ACK", association=association, fields={"acknowledged_id": "17"}
        )

    arrives(er7, 1)
    product.next_scenario()
    arrives(er7, 2)
    arrives(Blob.of(er7.bytes() + b"PID|1\r"), 3)  # a counter that begins anew is no retry
    assert [m.kind for m in product.second.late] == ["ADT^A04", "ACK"]
    assert [m.kind for m in product.second.messages] == ["ADT^A04", "ACK"]


def test_what_was_put_aside_is_stored(product: Product, tmp_path: Path) -> None:
    product.next_scenario()
    product.says("N-SET-RQ", 9, RequestedSOPInstanceUID=STEP, MessageID=2)
    again = Transcript.from_json(json.loads(json.dumps(product.second.to_json())), tmp_path)
    assert again.late == product.second.late
    older = {key: value for key, value in product.second.to_json().items() if key != "late"}
    assert Transcript.from_json(older, tmp_path).late == ()


def test_the_one_printer_that_every_composer_asks_is_of_no_scenario(product: Product) -> None:
    printer = "1.2.840.10008.5.1.1.17"
    product.calls(2)
    product.says("N-GET-RQ", 2, RequestedSOPInstanceUID=printer, MessageID=1)
    product.next_scenario()
    product.calls(3)
    product.says("N-GET-RQ", 3, RequestedSOPInstanceUID=printer, MessageID=1)
    assert [message.kind for message in product.second.messages][-2:] == ["A-ASSOCIATE-RQ", "N-GET-RQ"]
    assert product.second.late == ()
