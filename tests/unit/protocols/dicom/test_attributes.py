"""Attributes as a judge reads them: from the bytes received, whatever they are."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.core.message import Blob, Direction, Message, Protocol
from harness.protocols.dicom import attributes, datasets, uids
from harness.protocols.dicom.errors import WireError


def message(data: bytes, transfer_syntax: str) -> Message:
    return Message(
        1,
        0.0,
        Direction.FROM_SUT,
        Protocol.DICOM,
        "N-CREATE-RQ",
        transfer_syntax=transfer_syntax,
        payload=Blob.of(data),
    )


def example() -> Dataset:
    first, second = Dataset(), Dataset()
    first.StudyInstanceUID, first.AccessionNumber = "1.2.3", None
    second.StudyInstanceUID = "1.2.4"
    ds = Dataset()
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    ds.PatientWeight = "70.50"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.Rows = 5
    ds.ScheduledStepAttributesSequence = [first, second]
    return ds


@pytest.mark.parametrize(
    "transfer_syntax",
    [uids.IMPLICIT_VR_LE, uids.EXPLICIT_VR_LE, uids.DEFLATED_EXPLICIT_VR_LE, uids.EXPLICIT_VR_BE],
)
def test_values_by_path(transfer_syntax: str) -> None:
    ds = attributes.dataset_of(message(datasets.encode(example(), transfer_syntax), transfer_syntax))
    assert attributes.value_at(ds, "0040,0270[2]/0020,000D") == "1.2.4"
    assert attributes.value_at(ds, "ScheduledStepAttributesSequence/StudyInstanceUID") == "1.2.3"
    assert attributes.value_at(ds, "(0040,0270)[3]/(0020,000D)") is None
    assert attributes.text_at(ds, "ScheduledStepAttributesSequence[1]/AccessionNumber") == ""
    assert attributes.value_at(ds, "StudyInstanceUID") is None
    assert attributes.value_at(ds, "PatientName/StudyInstanceUID") is None
    assert attributes.text_at(ds, "PatientName") == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert attributes.text_at(ds, "PatientWeight") == "70.50"
    assert attributes.values_at(ds, "ImageType") == ("ORIGINAL", "PRIMARY")
    assert attributes.text_at(ds, "Rows") == "5"
    assert len(attributes.items_at(ds, "0040,0270")) == 2


def test_the_same_bytes_are_decoded_once() -> None:
    data = datasets.encode(example(), uids.IMPLICIT_VR_LE)
    first = attributes.dataset_of(message(data, uids.IMPLICIT_VR_LE))
    assert attributes.dataset_of(message(bytes(bytearray(data)), uids.IMPLICIT_VR_LE)) is first


def test_values_that_break_their_vr_are_kept() -> None:
    data = b"\x10\0\x20\0LO\x50\0" + b"x" * 80 + b"\x10\0\x30\0DA\4\0junk" + b"\x10\0\x30\x10DS\4\0abcd"
    ds = attributes.dataset_of(message(data, uids.EXPLICIT_VR_LE))
    assert attributes.text_at(ds, "PatientID") == "x" * 80
    assert attributes.text_at(ds, "PatientBirthDate") == "junk"
    assert attributes.text_at(ds, "PatientWeight") == "abcd"


def test_what_has_no_structure_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        attributes.dataset_of(message(b"\x10\0\x20\0LO\xff\xff" + b"x", uids.DEFLATED_EXPLICIT_VR_LE))


def test_locators() -> None:
    assert attributes.locator("0040,0270[1]/0020,000D") == "(0040,0270)[1]/(0020,000D) Study Instance UID"
    assert attributes.locator("PatientID") == "(0010,0020) Patient ID"
    assert attributes.locator("0009,1001") == "(0009,1001)"


@pytest.mark.parametrize("path", ["", "NoSuchKeyword", "0010;0020", "PatientID[", "0040,0270[x]"])
def test_a_bad_path_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError):
        attributes.parse_path(path)


def test_walk_goes_depth_first() -> None:
    paths = [path for path, _ in attributes.walk(example())]
    assert "(0040,0270)[2]/(0020,000D)" in paths
    assert paths.index("(0040,0270)") < paths.index("(0040,0270)[1]/(0020,000D)")


@pytest.mark.parametrize(
    ("vr", "value", "sets", "expected"),
    [
        ("US", b"\x05\0\x06\0", (), ("5", "6")),
        ("SS", b"\xff\xff", (), ("-1",)),
        ("AT", b"\x10\0\x20\0", (), ("(0010,0020)",)),
        ("LO", b" A \\B ", (), ("A", "B")),
        ("LT", b"A\\B ", (), ("A\\B",)),
        ("UI", b"1.2\0", (), ("1.2",)),
        ("PN", "Äneas^Rüdiger".encode("latin-1"), ("ISO_IR 100",), ("Äneas^Rüdiger",)),
        ("PN", "Äneas".encode(), ("ISO_IR 192",), ("Äneas",)),
        ("PN", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", ("", "ISO 2022 IR 87"), ("Yamada^Tarou=山田^太郎",)),
    ],
)
def test_raw_values_as_text(vr: str, value: bytes, sets: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert attributes.raw_texts(vr, value, sets) == expected
