"""The quick reader of headers says what the tolerant one says, or nothing."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from harness.actors import record_reader, records
from harness.actors.archive_keys import ALL_KEPT
from harness.actors.record_reader import read_record
from harness.core.message import Blob
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE

SYNTAXES = (IMPLICIT_VR_LE, EXPLICIT_VR_LE)


def instance(*, undefined: bool = False, pixels: int = 0, private: int = 0, charset: str = "ISO_IR 100") -> Dataset:
    """A data set with what readers stumble over: sequences in sequences, private and bulk elements, numbers."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = charset
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.StudyDate, dataset.AccessionNumber, dataset.Modality = "20260101", "", "CT"
    dataset.PatientName, dataset.PatientID = "Äneas^Jürgen " if charset else "Aeneas", "P1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", "1.2.5"
    dataset.Rows, dataset.InstanceNumber = 512, "1"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-1", "99X", "Größe" if charset else "size"
    protocol = Dataset()
    protocol.ProtocolContextSequence = [code, code]
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP1", "SPS1"
    request.ScheduledProtocolCodeSequence = [code, protocol]
    dataset.RequestAttributesSequence = [request, Dataset()]
    dataset.PerformedProtocolCodeSequence = []
    dataset.add_new(0x00091010, "LO", "private")
    dataset.add_new(0x00091011, "OB", b"\0\1")
    if private:
        dataset.add_new(0x00091012, "OB", bytes(private))
    if pixels:
        dataset.add_new(0x7FE00010, "OW", bytes(pixels))
    if undefined:
        for each in (dataset, *dataset.RequestAttributesSequence):
            for element in each:
                if element.VR == "SQ":
                    element.is_undefined_length = True
                    for item in element.value:
                        item.is_undefined_length_sequence_item = True
    return dataset


def encoded(dataset: Dataset, syntax: str) -> bytes:
    """The bytes of a data set as the library writes them."""
    target = DicomBytesIO()
    target.is_implicit_VR, target.is_little_endian = syntax == IMPLICIT_VR_LE, syntax != EXPLICIT_VR_BE
    write_dataset(target, dataset)
    return target.getvalue()


def tolerant(data: bytes, syntax: str) -> records.Record:
    """What the other reader says."""
    return records.record_from_dataset(records.parse(data, syntax, header_only=True), ALL_KEPT)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("charset", ["", "ISO_IR 100", "ISO_IR 192"])
def test_both_readers_say_the_same(syntax: str, undefined: bool, charset: str) -> None:
    data = encoded(instance(undefined=undefined, pixels=64, charset=charset), syntax)
    quick = read_record(Blob.of(data), syntax, ALL_KEPT)
    assert quick is not None
    assert quick == tolerant(data, syntax)
    assert quick[records.tag_of("RequestAttributesSequence")]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("private", [0, 30_000, 2_000_000])
def test_headers_longer_than_one_look(syntax: str, private: int, tmp_path: Path) -> None:
    """A long header is read with a second look, or left to the tolerant reader; never cut short."""
    dataset = instance(private=private, pixels=100_000)
    dataset.CompletionFlag = "COMPLETE"  # behind what is private
    data = encoded(dataset, syntax)
    path = tmp_path / "image"
    path.write_bytes(b"head" + data)
    quick = read_record(Blob("", len(data), path=path, offset=4), syntax, ALL_KEPT)
    assert quick == tolerant(data, syntax) if private < 1_000_000 else quick is None


def test_what_it_leaves_to_the_tolerant_reader() -> None:
    data = encoded(instance(), EXPLICIT_VR_LE)
    assert read_record(Blob.of(encoded(instance(), EXPLICIT_VR_BE)), EXPLICIT_VR_BE, ALL_KEPT) is None
    assert read_record(Blob.of(encoded(instance(), IMPLICIT_VR_LE)), EXPLICIT_VR_LE, ALL_KEPT) is None
    assert read_record(Blob.of(data), IMPLICIT_VR_LE, ALL_KEPT) is None
    assert read_record(Blob.of(data[:-1]), EXPLICIT_VR_LE, ALL_KEPT) is None
    assert read_record(Blob.of(data + data), EXPLICIT_VR_LE, ALL_KEPT) is None
    assert read_record(Blob.of(b""), EXPLICIT_VR_LE, ALL_KEPT) == {}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SYNTAXES),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
    st.integers(0, 60),
)
def test_damaged_headers_are_read_alike(syntax: str, undefined: bool, changes: list[tuple[int, int]], cut: int) -> None:
    """Whatever it does read, the tolerant reader reads the same."""
    data = bytearray(encoded(instance(undefined=undefined), syntax))
    for position, value in changes:
        data[position % len(data)] = value
    if cut > 40:
        del data[-(cut - 40) :]
    quick = read_record(Blob.of(bytes(data)), syntax, ALL_KEPT)
    if quick is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = tolerant(bytes(data), syntax)
        except WireError:
            pytest.fail("the tolerant reader refused what the quick one read")
    assert quick == expected


def test_nesting_is_bounded() -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    deep = io.BytesIO()
    for _ in range(5000):
        deep.write(b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff" + item)
    assert read_record(Blob.of(deep.getvalue()), EXPLICIT_VR_LE, ALL_KEPT) is None
    assert record_reader._DEEPEST < 100
