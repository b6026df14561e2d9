"""The trace table: the first value in full, then only what differs."""

from __future__ import annotations

from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.reporting.decode import Decoder
from harness.reporting.trace import Trace, trace
from tests.unit.reporting import builders


def traced(transcript: Transcript) -> Trace:
    return trace(transcript, Decoder())


def cells(table: Trace, attribute: str) -> dict[str, str]:
    row = next(row for row in table.rows if row.attribute == attribute)
    return {
        column.title: cell.value if cell.state.value in ("first", "differs") else cell.state.value
        for column, cell in zip(table.columns, row.cells, strict=True)
    }


def exam() -> Trace:
    return traced(builders.exam_transcript()[0])


def test_one_column_for_each_message_and_one_for_a_batch() -> None:
    assert [(c.title, c.batch) for c in exam().columns] == [
        ("Order as scheduled", 1),
        ("OMI^O23 NW to Image Manager/Archive", 1),
        ("Query answer", 1),
        ("MPPS created", 1),
        ("Objects", 4),
        ("MPPS set", 1),
        ("Request", 1),
    ]


def test_a_value_is_told_once_whatever_the_protocol() -> None:
    assert cells(exam(), "Patient’s Name") == {
        "Order as scheduled": builders.PATIENT_NAME,
        "OMI^O23 NW to Image Manager/Archive": "same",
        "Query answer": "same",
        "MPPS created": "same",
        "Objects": "same",
        "MPPS set": "absent",
        "Request": "absent",
    }
    assert cells(exam(), "Accession Number")["OMI^O23 NW to Image Manager/Archive"] == "same"
    assert cells(exam(), "MPPS SOP Instance UID")["Objects"] == "same"


def test_the_order_that_was_examined_is_the_one_shown() -> None:
    assert cells(exam(), "Patient ID")["Order as scheduled"] == builders.PATIENT_ID
    assert cells(exam(), "Scheduled Procedure Step ID")["Order as scheduled"] == "SPS-77"


def test_what_was_lost_or_miscounted_is_loud() -> None:
    table = exam()
    assert cells(table, "Patient’s Birth Date")["MPPS created"] == "empty"
    assert cells(table, "Images (number)") == {
        "Order as scheduled": "absent",
        "OMI^O23 NW to Image Manager/Archive": "absent",
        "Query answer": "absent",
        "MPPS created": "absent",
        "Objects": "4",
        "MPPS set": "3",
        "Request": "same",
    }
    assert table.differences == 2


def test_a_batch_with_two_values_differs() -> None:
    t = Transcript(builders.Ticking())
    for number, patient in ((1, "P-1"), (2, "P-2")):
        image = builders.image(number)
        image.PatientID = patient
        builders.talk(t, "C-STORE-RQ", "Image Manager", data=image)
    builders.talk(t, "N-CREATE-RQ", "PPS Manager", data=builders.mpps_created(), AffectedSOPInstanceUID="2.25.1")
    assert cells(traced(t), "Patient ID") == {"Objects": "P-1, P-2", "MPPS created": builders.PATIENT_ID}


def test_of_many_answers_the_one_that_was_used_is_followed() -> None:
    t = Transcript(builders.Ticking())
    for entry in (
        builders.worklist_entry(PatientID="OTHER", AccessionNumber="B-1", StudyInstanceUID="2.25.9"),
        builders.worklist_entry(),
    ):
        builders.talk(t, "C-FIND-RSP", "Order Filler", sent=False, data=entry, Status=0xFF00)
    builders.talk(t, "N-CREATE-RQ", "PPS Manager", data=builders.mpps_created(), AffectedSOPInstanceUID="2.25.1")
    table = traced(t)
    assert cells(table, "Patient ID") == {"Query answer (1 of 2)": builders.PATIENT_ID, "MPPS created": "same"}


def test_padding_and_empty_components_do_not_count() -> None:
    t = Transcript(builders.Ticking())
    t.record(Direction.FROM_SUT, Protocol.HL7, "ADT^A01", payload=Blob.of(b"MSH|^~\\&|\rPID|||12^^^X||DOE^JANE^^^DR"))
    entry = builders.worklist_entry(PatientName="DOE^JANE^^DR^", PatientID="12 ")
    builders.talk(t, "C-FIND-RSP", "Order Filler", sent=False, data=entry, Status=0xFF00)
    table = traced(t)
    assert cells(table, "Patient’s Name")["Query answer"] == "same"
    assert cells(table, "Patient ID")["Query answer"] == "same"


def test_one_message_alone_is_no_trace() -> None:
    t = Transcript(builders.Ticking())
    builders.talk(t, "N-CREATE-RQ", "PPS Manager", data=builders.mpps_created())
    assert traced(t) == Trace()
    assert traced(Transcript()) == Trace()


def test_many_objects_are_counted_but_not_all_read() -> None:
    t = Transcript(builders.Ticking())
    for number in range(205):
        builders.talk(t, "C-STORE-RQ", "Image Manager", data=builders.image(number))
        builders.talk(t, "C-STORE-RSP", "Image Manager", sent=False, Status=0)
    request = builders.dataset(TransactionUID="2.25.1", ReferencedSOPSequence=builders.images_of(range(205)))
    builders.talk(t, "N-ACTION-RQ", "Image Manager", data=request)
    table = traced(t)
    assert table.columns[0].title == "Objects (first 200 of 205)"
    assert cells(table, "Images (number)")["Request"] == "same"


def test_long_uids_are_shortened_in_the_middle() -> None:
    row = next(row for row in exam().rows if row.attribute == "Study Instance UID")
    first = next(cell for cell in row.cells if cell.state.value == "first")
    assert first.value == builders.STUDY_UID
    assert first.short == "2.25.3091…99900091"
