"""Where pynetdicom's codecs agree with ours, and where they repair what a judge must see: the reason for ours.

pynetdicom is exact for what conforms, so both must give the same bytes there. For what does not conform it drops,
reorders, joins or refuses; ours keeps what came and says what was wrong.
"""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pynetdicom.dsutils import decode, encode

from harness.core.message import Blob
from harness.protocols.dicom import command, datasets, uids
from harness.protocols.dicom.errors import WireError
from tests.unit.protocols.dicom.strategies import commands

FIELD, NO_DATA = 0x0100, 0x0800


def element(number: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0, number, len(value) if length is None else length) + value


def theirs(data: bytes) -> dict[str, Any]:
    """What pynetdicom hands to its user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = decode(BytesIO(data), True, True)
        return {entry.keyword or str(entry.tag): entry.value for entry in found}


def rewritten(data: bytes) -> bytes:
    """What is left of the bytes once somebody has read the values and writes them again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = decode(BytesIO(data), True, True)
        assert all(entry.VR for entry in found)  # reading an element replaces its bytes by a value
        return encode(found, True, True) or b""


@given(commands)
def test_a_conforming_command_set_has_the_same_bytes(values: dict[str, Any]) -> None:
    ours = command.encode(values)
    assert theirs(ours).keys() == command.decode(ours).values.keys()
    assert rewritten(ours) == ours


@pytest.mark.parametrize(
    ("data", "lost", "told"),
    [
        (
            element(NO_DATA, b"\1\1") + element(FIELD, b"\x30\0"),
            "the order of the elements",
            "(0000,0100) is not in ascending order",
        ),
        (
            element(FIELD, b"\x30\0") + element(FIELD, b"\1\0") + element(NO_DATA, b"\1\1"),
            "an element that came twice",
            "(0000,0100) is not in ascending order",
        ),
        (
            element(0x0002, b"1.2.840.10008.1.1") + element(FIELD, b"\x30\0") + element(NO_DATA, b"\1\1"),
            "a UID that was not padded",
            "AffectedSOPClassUID (0000,0002) has 17 bytes, which UI does not allow",
        ),
    ],
    ids=["order", "twice", "odd length"],
)
def test_pynetdicom_cannot_give_back_what_came_and_ours_tells(data: bytes, lost: str, told: str) -> None:
    assert rewritten(data) != data, lost
    assert told in command.decode(data).problems


def test_a_length_beyond_the_end_passes_pynetdicom_unseen() -> None:
    data = element(FIELD, b"\x30\0") + element(NO_DATA, b"\1\1", length=50)
    assert theirs(data)["CommandDataSetType"] == 0x0101
    with pytest.raises(WireError, match="says 50 bytes, the command set has 2"):
        command.decode(data)


def test_a_wrong_group_length_passes_pynetdicom_unseen() -> None:
    data = element(0, b"\x99\0\0\0") + element(FIELD, b"\x30\0") + element(NO_DATA, b"\1\1")
    assert theirs(data)["CommandGroupLength"] == 0x99
    assert command.decode(data).problems == ("Command Group Length is 153, but 20 bytes follow it",)


def test_a_short_number_stops_pynetdicom_and_a_long_one_becomes_a_list() -> None:
    short = element(FIELD, b"\x30") + element(NO_DATA, b"\1\1")
    with pytest.raises(BytesLengthException):
        theirs(short)
    long = element(FIELD, b"\x30\0\0\0") + element(NO_DATA, b"\1\1")
    assert theirs(long)["CommandField"] == [0x30, 0]
    for data in (short, long):
        assert any("which US does not allow" in problem for problem in command.decode(data).problems)


@pytest.mark.parametrize("transfer_syntax", [uids.IMPLICIT_VR_LE, uids.EXPLICIT_VR_LE])
def test_a_data_set_that_conforms_has_the_same_bytes(transfer_syntax: str) -> None:
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.StudyInstanceUID = "A^B", "1", "1.2.3"
    ds.ScheduledProcedureStepSequence = [Dataset()]
    ds.ScheduledProcedureStepSequence[0].Modality = "CT"
    implicit = transfer_syntax == uids.IMPLICIT_VR_LE
    assert datasets.encode(ds, transfer_syntax) == encode(ds, implicit, True)
    assert datasets.decode(Blob.of(datasets.encode(ds, transfer_syntax)), transfer_syntax) == ds


def test_the_bytes_of_a_data_set_are_evidence_and_survive_only_as_bytes() -> None:
    """A UID padded with a blank: once decoded, nobody can tell. So a request keeps its payload, decoded on demand."""
    data = struct.pack("<HHI", 0x0020, 0x000D, 6) + b"1.2.3 "
    assert rewritten(data) == data[:-1] + b"\0"
    assert Blob.of(data).bytes() == data
