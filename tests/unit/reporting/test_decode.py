"""Payloads as rows: complete, bounded, and whatever the bytes are."""

from __future__ import annotations

import random

import pytest
from pydicom.dataset import Dataset

from harness.core.message import Blob, Direction, Message, Protocol
from harness.reporting.decode import Decoder, Row, dataset_rows, er7_codec, matches, parse_er7, steps_of, visible
from tests.unit.reporting import builders


def message(payload: bytes, protocol: Protocol = Protocol.DICOM, syntax: str = "1.2.840.10008.1.2.1") -> Message:
    return Message(1, 0.0, Direction.FROM_SUT, protocol, "X", transfer_syntax=syntax, payload=Blob.of(payload))


def rows_of(dataset: Dataset) -> dict[str, Row]:
    return {row.name: row for row in dataset_rows(dataset)}


def test_elements_keep_their_path_and_value() -> None:
    rows = list(dataset_rows(builders.mpps_completed()))
    images = next(row for row in rows if row.name == "Referenced Image Sequence")
    assert images.path == (("(0040,0340)", 1), ("(0008,1140)", 0))
    assert (images.depth, images.vr, images.value) == (1, "SQ", "3 items")
    uid = next(row for row in rows if row.value == "2.25.400015")
    assert uid.path == (("(0040,0340)", 1), ("(0008,1140)", 3), ("(0008,1155)", 0))


def test_names_and_uids_are_readable() -> None:
    rows = rows_of(builders.image(11))
    assert rows["Patient's Name"].value == builders.PATIENT_NAME
    assert rows["SOP Class UID"].value == "1.2.840.10008.5.1.4.1.1.2 (CT Image Storage)"


def test_pixel_data_is_not_shown() -> None:
    decoded = Decoder().decode(message(builders.encode(builders.image(11)).bytes()), 100)
    assert decoded.rows
    assert not [row for row in decoded.rows if row.tag.startswith("(7FE0")]


def test_rows_are_bounded_and_say_so() -> None:
    decoded = Decoder().decode(message(builders.encode(builders.worklist_entry()).bytes()), 3)
    assert len(decoded.rows) == 3
    assert decoded.note == "Only the first 3 rows are shown here."


def test_overlays_have_names() -> None:
    dataset = Dataset()
    dataset.add_new((0x6002, 0x0010), "US", 24)
    assert list(rows_of(dataset)) == ["Overlay Rows"]


def test_tables_are_shown_line_by_line_and_pictures_are_no_data_sets() -> None:
    fields = {"media_type": "text/csv"}
    table = Message(1, 0.0, Direction.FROM_SUT, Protocol.FILE, "FILE", fields=fields, payload=Blob.of(b"0;0.8\n1;2\n"))
    assert [row.value for row in Decoder().decode(table, 10).rows] == ["0;0.8", "1;2"]
    picture = Message(
        1,
        0.0,
        Direction.NONE,
        Protocol.FILE,
        "FILE",
        fields={"media_type": "image/png"},
        payload=Blob.of(b"\x89PNG...."),
    )
    assert Decoder().decode(picture, 10).note == "A picture: image/png, 8 bytes."
    assert Decoder().dataset(picture) is None


def test_bytes_that_are_no_data_set_are_said_to_be_none() -> None:
    decoded = Decoder().decode(message(b"\xff"), 10)
    assert decoded.note
    assert Decoder().decode(message(b"no ER7", Protocol.HL7), 10).note


def test_hostile_bytes_never_raise() -> None:
    noise = random.Random(3)
    base = builders.encode(builders.mpps_created()).bytes()
    for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "junk"):
        for _ in range(100):
            broken = bytearray(base)
            for _ in range(noise.randrange(1, 10)):
                broken[noise.randrange(len(broken))] = noise.randrange(256)
            Decoder().decode(message(bytes(broken[: noise.randrange(len(broken))]), syntax=syntax), 50)


def test_deep_nesting_ends() -> None:
    inner = builders.item(Modality="CT")
    for _ in range(40):
        inner = builders.item(ReferencedSeriesSequence=[inner])
    assert max(row.depth for row in dataset_rows(inner)) <= 9


def test_er7_fields_keep_their_numbers() -> None:
    segments = dict(parse_er7(builders.ORDER_MESSAGE.encode()))
    assert segments["MSH"][1] == "|"
    assert segments["MSH"][2] == "^~\\&"
    assert segments["MSH"][9] == "OMI^O23^OMI_O23"
    assert segments["PID"][7] == "19730429"
    decoded = Decoder().decode(message(builders.ORDER_MESSAGE.encode(), Protocol.HL7), 100)
    assert ("IPC-1", builders.ACCESSION) in [(row.tag, row.value) for row in decoded.rows]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("UNICODE UTF-8", "utf-8"), ("KS X 1001", "euc_kr"), ("~ISO IR87", "iso2022_jp_2"), ("8859/2", "iso8859-2")],
)
def test_msh_18_decides_how_text_is_read(declared: str, codec: str) -> None:
    assert er7_codec(b"MSH|^~\\&" + b"|" * 16 + declared.encode() + b"\rPID") == codec


def test_without_msh_18_no_byte_is_lost() -> None:
    assert er7_codec(b"MSH|^~\\&|\xe9") == "latin-1"
    assert er7_codec("MSH|^~\\&|é".encode()) == "utf-8"


@pytest.mark.parametrize(
    ("locator", "path"),
    [
        ("(0040,0340)[1]/(0008,1140)", (("(0040,0340)", 1), ("(0008,1140)", 0))),
        ("(0040,0270)[2].(0020,000d)", (("(0040,0270)", 2), ("(0020,000D)", 0))),
        ("PerformedSeriesSequence[1].ReferencedImageSequence", (("(0040,0340)", 1), ("(0008,1140)", 0))),
        ("PatientID", (("(0010,0020)", 0),)),
        ("PID-5.1", (("PID", 0), ("PID-5", 0))),
        ("OBX[2]-5", (("OBX", 2), ("OBX-5", 0))),
        ("A-ASSOCIATE-RJ", ()),
        ("", ()),
    ],
)
def test_locators_are_understood(locator: str, path: tuple[tuple[str, int], ...]) -> None:
    assert steps_of(locator) == path


def test_a_locator_finds_its_row_and_no_other() -> None:
    rows = list(dataset_rows(builders.mpps_completed()))
    found = [row for row in rows if matches(row, steps_of("(0040,0340)[1]/(0008,1140)[2]/(0008,1155)"))]
    assert [row.value for row in found] == ["2.25.400012"]
    anywhere = [row for row in rows if matches(row, steps_of("(0040,0340)/(0008,1140)/(0008,1155)"))]
    assert len(anywhere) == 3


def test_control_and_direction_characters_are_visible() -> None:
    assert visible("a\r\x00\x1b\u202eb\x85") == "a␍␀␛⟨U+202E⟩b⟨U+0085⟩"
    assert visible("x" * 500) == "x" * 400 + "… (100 more characters)"
