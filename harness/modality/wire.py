"""Data sets to bytes and back with our own text codec; Part 10 files."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from pydicom import config, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import correct_ambiguous_vr, write_data_element, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from harness.modality import text as charset
from harness.modality.errors import StoreProblem

IMPLICIT_VR_LE = str(ImplicitVRLittleEndian)
EXPLICIT_VR_LE = str(ExplicitVRLittleEndian)
IMPLEMENTATION_CLASS_UID = "2.25.211540290812331424213120498105190286"
IMPLEMENTATION_VERSION = "IHE_HARNESS_AM"
#: bytes that a deflated data set may become
MOST_INFLATED = 256 * 1024 * 1024
#: what pydicom raises for bytes that are no readable object
UNREADABLE = (
    InvalidDicomError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, NotImplementedError,
    RecursionError, ArithmeticError, struct.error,
)  # fmt: skip


def sets_of(dataset: Dataset, inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the values of Specific Character Set, or those of the enclosing data set."""
    value = dataset.get("SpecificCharacterSet")
    if value is None or value == "":
        return inherited
    return (str(value),) if isinstance(value, str) else tuple(str(each or "") for each in value)


def encode_dataset(dataset: Dataset, transfer_syntax: str = IMPLICIT_VR_LE) -> bytes:
    """Encode without group 0002; raise TextError if a text does not fit the declared character sets."""
    uid = UID(transfer_syntax)
    implicit = uid.is_implicit_VR
    raw = _encode(correct_ambiguous_vr(dataset, True), implicit, ())
    if uid == DeflatedExplicitVRLittleEndian:
        squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        raw = squeeze.compress(raw) + squeeze.flush()
        raw += b"\0" * (len(raw) % 2)
    return raw


def _encode(dataset: Dataset, implicit: bool, inherited: tuple[str, ...]) -> bytes:
    sets = sets_of(dataset, inherited)
    out = DicomBytesIO()
    out.is_little_endian = True
    out.is_implicit_VR = implicit
    for tag in sorted(dataset.keys()):
        if tag.group in {0, 2} or tag.element == 0:
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            body = b"".join(
                b"\xfe\xff\x00\xe0" + len(nested).to_bytes(4, "little") + nested
                for nested in (_encode(each, implicit, sets) for each in element.value or ())
            )
            _write_raw(out, element, body, implicit)
        elif element.VR in charset.TEXT_VRS:
            value = element.value
            text = "" if value is None else value if isinstance(value, str) else None
            if text is None:
                text = "\\".join(str(each) for each in value) if isinstance(value, (list, tuple)) else str(value)
                if not isinstance(value, (list, tuple)) and hasattr(value, "__iter__") and element.VM > 1:
                    text = "\\".join(str(each) for each in value)
            body = charset.encode(text, sets, element.VR)
            _write_raw(out, element, body + b" " * (len(body) % 2), implicit)
        else:
            write_data_element(out, element)
    return bytes(out.getvalue())


_LONG_FORM = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})


def _write_raw(out: DicomBytesIO, element: DataElement, body: bytes, implicit: bool) -> None:
    out.write(element.tag.group.to_bytes(2, "little") + element.tag.element.to_bytes(2, "little"))
    if implicit:
        out.write(len(body).to_bytes(4, "little"))
    elif element.VR in _LONG_FORM:
        out.write(element.VR.encode() + b"\0\0" + len(body).to_bytes(4, "little"))
    else:
        out.write(element.VR.encode() + len(body).to_bytes(2, "little"))
    out.write(body)


def decode_dataset(raw: bytes, transfer_syntax: str = IMPLICIT_VR_LE) -> Dataset:
    """Decode a data set as it came from a peer; texts by our own codec. Raises ValueError if it cannot be read."""
    uid = UID(transfer_syntax)
    if uid == DeflatedExplicitVRLittleEndian:
        engine = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            raw = engine.decompress(raw, MOST_INFLATED)
        except zlib.error as error:
            raise ValueError(f"the data set cannot be inflated: {error}") from error
        if engine.unconsumed_tail:
            raise ValueError(f"the data set inflates to more than {MOST_INFLATED} bytes")
        if not engine.eof:
            raise ValueError("the deflated data set is cut off")
    try:
        dataset = read_dataset(BytesIO(raw), uid.is_implicit_VR, uid.is_little_endian)
        return decode_texts(dataset)
    except (*UNREADABLE, OSError) as error:
        raise ValueError(f"the data set cannot be read: {error}") from error


def decode_texts(dataset: Dataset, inherited: tuple[str, ...] = ()) -> Dataset:
    """Return a copy in which each text was decoded by our own codec; other elements as pydicom reads them."""
    made = Dataset()
    sets = sets_of(dataset, inherited)
    for tag in sorted(dataset.keys()):
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            vr = element.VR
            if vr is None or vr == "UN":
                try:
                    vr = dictionary_VR(tag)
                except KeyError:
                    vr = "UN"
            if vr in charset.TEXT_VRS:
                raw = (element.value or b"").rstrip(b"\0")
                value: object = charset.decode(raw, sets, vr).rstrip(" ")
                if vr in {"SH", "LO", "UC", "PN"} and "\\" in str(value):
                    value = [part.strip(" ") for part in str(value).split("\\")]
                elif vr in {"SH", "LO", "UC", "PN"}:
                    value = str(value).lstrip(" ")
                made[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)
                continue
            converted = convert_raw_data_element(element, ds=dataset)
        else:
            converted = element
        if converted.VR == "SQ":
            nested = Sequence([decode_texts(each, sets) for each in converted.value or ()])
            made[tag] = DataElement(tag, "SQ", nested)
        else:
            made[tag] = converted
    return made


def file_meta(dataset: Dataset, transfer_syntax: str) -> FileMetaDataset:
    """Make the File Meta Information of a data set (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    return meta


def write_file(path: Path, dataset: Dataset, transfer_syntax: str = EXPLICIT_VR_LE) -> int:
    """Write a Part 10 file so that a crash leaves either the old file or the new one; return its size in bytes."""
    return write_bytes(path, file_meta(dataset, transfer_syntax), encode_dataset(dataset, transfer_syntax))


def write_bytes(
    path: Path, meta: FileMetaDataset, body: bytes, before: Callable[[int], object] = lambda size: None
) -> int:
    """Write preamble, File Meta Information and an encoded data set; return the size in bytes.

    `before` gets the size once all bytes are on the disk, before the file takes its place. What fails leaves the old
    file as it was and nothing else behind.
    """
    head = DicomBytesIO()
    head.is_little_endian = True
    head.is_implicit_VR = False
    write_file_meta_info(head, meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as stream:
            stream.write(b"\0" * 128 + b"DICM" + head.getvalue() + body)
            stream.flush()
            os.fsync(stream.fileno())
        size = temporary.stat().st_size
        before(size)
        temporary.replace(path)
    except BaseException:
        # a full disk gets back what the half file took; an interruption leaves no half file, either
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return size


def read_file(path: Path) -> tuple[Dataset, str]:
    """Read a Part 10 file; return the data set with decoded texts and its transfer syntax UID. Raises StoreProblem."""
    try:
        dataset = dcmread(path)
        return decode_texts(dataset), str(dataset.file_meta.TransferSyntaxUID)
    except (*UNREADABLE, OSError) as error:
        raise _damaged(path, error) from error


def read_body(path: Path) -> tuple[bytes, str, str, str]:
    """Return the encoded data set of a Part 10 file with its SOP class, instance and transfer syntax, undecoded.

    Raises StoreProblem.
    """
    try:
        with path.open("rb") as stream:
            head = dcmread(stream, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            meta = head.file_meta
            stream.seek(132)
            group = stream.read(12)
            length = int.from_bytes(group[8:12], "little")
            stream.seek(144 + length)
            return (
                stream.read(),
                str(meta.MediaStorageSOPClassUID),
                str(meta.MediaStorageSOPInstanceUID),
                str(meta.TransferSyntaxUID),
            )
    except (*UNREADABLE, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreProblem:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return StoreProblem(f"{path}: the file cannot be read: {said}; fetch the object from the archive again")
