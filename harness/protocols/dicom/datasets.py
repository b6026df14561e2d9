"""Data sets to bytes and back, through pydicom; decoding forgives, because what is judged is the bytes."""

from __future__ import annotations

import contextlib
import copy
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from harness.core.message import Blob
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import encoding_of

MAX_INFLATED: Final = 512 << 20
WHOLE: Final = 64 << 20
"""Larger data sets are decoded up to their pixel data only, unless these are asked for."""

_QUIET = threading.Lock()
_UNREADABLE = (
    ValueError, TypeError, KeyError, LookupError, AttributeError, OverflowError, EOFError, OSError,
    NotImplementedError, struct.error, AssertionError, RecursionError,
    BytesLengthException, InvalidDicomError,
)  # fmt: skip


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """pydicom warns about values that a judge wants to see; under a lock, because warning filters are global."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decode(payload: Blob | bytes, transfer_syntax: str, *, pixels: bool | None = None) -> Dataset:
    """A data set from its bytes. Raises WireError if not even its structure can be read.

    Values that break their VR stay as raw bytes in an element of VR OB or as pydicom could convert them. With
    ``pixels`` False it stops before (7FE0,0010); None does so for large payloads only.
    """
    implicit, little, deflated = encoding_of(transfer_syntax)
    size = len(payload) if isinstance(payload, bytes) else payload.size
    stop = (
        (lambda tag, _vr, _length: tag >= 0x7FE00008) if pixels is False or (pixels is None and size > WHOLE) else None
    )
    stream: Any
    if deflated:
        stream = io.BytesIO(inflate(payload if isinstance(payload, bytes) else payload.bytes()))
    else:
        stream = io.BytesIO(payload) if isinstance(payload, bytes) else payload.open()
    with stream, quiet():
        try:
            ds = read_dataset(stream, implicit, little, stop_when=stop)
        except _UNREADABLE as problem:
            raise WireError("PS3.5 7", f"the data set of {size} bytes cannot be read: {problem}") from None
        _settle(ds)
    return ds


def _settle(ds: Dataset) -> None:
    """Convert every raw element now: pydicom would warn or raise at some later access instead."""
    for tag in list(ds.keys()):
        raw: Any = None
        try:
            raw = ds.get_item(tag)
            element = ds[tag]
            if element.VR == "SQ":
                for item in element.value:
                    _settle(item)
        except _UNREADABLE:
            value = raw.value if isinstance(raw, RawDataElement) else b""
            # OB and not UN: pydicom turns UN back into the VR of its dictionary, which is what failed.
            ds[tag] = DataElement(tag, "OB", value if isinstance(value, bytes) else b"", already_converted=True)


def inflate(data: bytes) -> bytes:
    """A deflated data set as bytes, bounded. Raises WireError."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        result = inflater.decompress(data, MAX_INFLATED)
    except zlib.error as problem:
        raise WireError("PS3.5 A.5", f"the deflated data set cannot be inflated: {problem}") from None
    if inflater.unconsumed_tail:
        raise WireError("PS3.5 A.5", f"the deflated data set is larger than {MAX_INFLATED} bytes")
    return result


def encode(ds: Dataset, transfer_syntax: str) -> bytes:
    """The bytes of a data set in a transfer syntax, without file meta information and group lengths."""
    implicit, little, deflated = encoding_of(transfer_syntax)
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    with quiet():
        write_dataset(stream, _without_meta(ds))
    data = bytes(stream.getvalue())
    if deflated:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = deflater.compress(data) + deflater.flush()
        data += b"\0" * (len(data) & 1)
    return data


def _without_meta(ds: Dataset) -> Dataset:
    if not any(int(tag) < 0x00080000 or (int(tag) & 0xFFFF) == 0 for tag in ds.keys()):  # noqa: SIM118 - tags only
        return ds
    plain = copy.copy(ds)
    for tag in [tag for tag in ds.keys() if int(tag) < 0x00080000 or (int(tag) & 0xFFFF) == 0]:  # noqa: SIM118
        del plain[tag]
    return plain
