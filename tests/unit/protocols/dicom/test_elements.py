"""Elements at line speed say the same as pydicom; files around received bytes are files that others read."""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.core.message import Blob
from harness.protocols.dicom import attributes, datasets, part10, uids
from harness.protocols.dicom.elements import encode_elements, scan
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.fragments import Payload
from tests.bench.mutations import mutated

SYNTAXES = (uids.IMPLICIT_VR_LE, uids.EXPLICIT_VR_LE, uids.EXPLICIT_VR_BE, uids.DEFLATED_EXPLICIT_VR_LE)


def example(*, undefined: bool) -> Dataset:
    inner = Dataset()
    inner.CodeValue, inner.CodingSchemeDesignator = "T-1", "SRT"
    item = Dataset()
    item.StudyInstanceUID = "9.9.9"
    item.RequestedProcedureCodeSequence = [inner]
    ds = Dataset()
    ds.SOPInstanceUID = "1.2.3"
    ds.RequestAttributesSequence = [item, item]
    ds.RequestedProcedureCodeSequence = [inner]
    ds.StudyInstanceUID = "1.2.3.4"
    ds.PatientName = "A^B"
    ds.PixelData = b"\0\1" * 8
    ds["PixelData"].VR = "OW"
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for entry in element.value:
                entry.is_undefined_length_sequence_item = undefined
    return ds


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("transfer_syntax", SYNTAXES)
def test_scan_finds_top_level_values(transfer_syntax: str, undefined: bool) -> None:
    data = datasets.encode(example(undefined=undefined), transfer_syntax)
    found = scan(data, transfer_syntax, {0x00080018, 0x0020000D, 0x00100010, 0x00100020})
    assert {tag: value.rstrip(b"\0 ") for tag, value in found.items()} == {
        0x00080018: b"1.2.3",
        0x0020000D: b"1.2.3.4",
        0x00100010: b"A^B",
    }


@given(st.binary(max_size=200), st.sampled_from(SYNTAXES))
@settings(deadline=None)
def test_scan_of_garbage_is_a_result_or_a_wire_error(data: bytes, transfer_syntax: str) -> None:
    try:
        scan(data, transfer_syntax, {0x00080018, 0x7FE00010})
    except WireError:
        return


@given(st.binary(max_size=200), st.sampled_from(SYNTAXES))
@settings(deadline=None)
def test_decoding_garbage_is_a_result_or_a_wire_error(data: bytes, transfer_syntax: str) -> None:
    try:
        datasets.decode(data, transfer_syntax)
    except WireError:
        return


def test_deeply_nested_sequences_are_refused() -> None:
    data = b"\x08\0\x40\x11\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff\x08\0\x40\x11\xff\xff\xff\xff" * 100
    with pytest.raises(WireError, match="nested"):
        scan(data, uids.IMPLICIT_VR_LE, {0x0020000D})


@pytest.mark.parametrize("transfer_syntax", [uids.IMPLICIT_VR_LE, uids.EXPLICIT_VR_LE])
def test_what_is_encoded_is_what_pydicom_reads(transfer_syntax: str) -> None:
    data = encode_elements(
        [
            (0x00080005, "CS", b"ISO_IR 100"),
            (0x00100010, "PN", b"ODD"),
            (0x0020000D, "UI", b"1.2.3"),
            (0x00400100, "SQ", [[(0x00080060, "CS", b"CT")], []]),
        ],
        transfer_syntax,
    )
    ds = datasets.decode(data, transfer_syntax)
    assert (ds.PatientName, ds.StudyInstanceUID) == ("ODD", "1.2.3")
    assert [item.get("Modality") for item in ds.ScheduledProcedureStepSequence] == ["CT", None]


def test_a_part10_file_holds_the_bytes_received(tmp_path: Path) -> None:
    data = datasets.encode(example(undefined=False), uids.EXPLICIT_VR_LE)
    path = tmp_path / "x.dcm"
    size = part10.write_part10(path, Blob.of(data), uids.CT_IMAGE, "1.2.3", uids.EXPLICIT_VR_LE, "SOURCE")
    assert path.stat().st_size == size
    assert path.read_bytes().endswith(data)
    ds = dcmread(BytesIO(path.read_bytes()))
    assert ds.file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert ds.file_meta.SourceApplicationEntityTitle == "SOURCE"
    payload = Payload.part10(path)
    assert (payload.sop_class, payload.sop_instance) == (uids.CT_IMAGE, "1.2.3")
    assert payload.transfer_syntax == uids.EXPLICIT_VR_LE
    assert payload.blob.bytes() == data


def test_a_received_file_is_linked_and_a_foreign_one_copied(tmp_path: Path) -> None:
    data = datasets.encode(example(undefined=False), uids.EXPLICIT_VR_LE)
    head = part10.file_meta(uids.CT_IMAGE, "1.2.3", uids.EXPLICIT_VR_LE)
    received = tmp_path / "received"
    received.write_bytes(head + data)
    blob = Blob("", len(data), path=received, offset=len(head))
    target = tmp_path / "target.dcm"
    part10.write_part10(target, blob, uids.CT_IMAGE, "1.2.3", uids.EXPLICIT_VR_LE)
    assert target.stat().st_ino == received.stat().st_ino
    part10.write_part10(target, blob, uids.CT_IMAGE, "1.2.3.77", uids.EXPLICIT_VR_LE)
    assert target.stat().st_ino != received.stat().st_ino
    assert Payload.part10(target).sop_instance == "1.2.3.77"
    assert Payload.part10(target).blob.bytes() == data


@pytest.mark.parametrize(
    "data", [b"", b"x" * 200, bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\2\0\0\0UL\4\0\xff\0\0\0"]
)
def test_what_is_no_part10_file_is_a_usage_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        Payload.part10(path)


@pytest.mark.parametrize("transfer_syntax", SYNTAXES)
def test_decoding_mutated_data_sets_is_a_result_or_a_wire_error(transfer_syntax: str) -> None:
    data = datasets.encode(example(undefined=True), transfer_syntax)
    for mutation in islice(mutated([data], 5), 300):
        try:
            ds = datasets.decode(mutation, transfer_syntax)
        except WireError:
            continue
        for _, element in attributes.walk(ds):
            attributes.text_of(element)
