"""Where a simulated archive keeps instances: Part 10 files with the data set as received, and their index.

The bytes of the data set are written as they came (Level 2 full, PS3.4 B.4.1); only what a query needs is decoded.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from harness.actors import records
from harness.actors.archive_index import ArchiveIndex, StoredInstance
from harness.actors.archive_keys import ALL_KEPT
from harness.actors.record_reader import read_record
from harness.actors.records import CHARACTER_SET, Record, keyword_of, tag_of, text, vr_of
from harness.core.message import Blob
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.fragments import Payload
from harness.protocols.dicom.part10 import write_part10
from harness.protocols.dicom.uids import encoding_of

_SAFE_UID = re.compile(r"[0-9.]{1,64}")
_CLASS, _STUDY, _SERIES, _INSTANCE = (
    tag_of(keyword) for keyword in ("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
)
_FOLDERS_KNOWN = 4096


class Unacceptable(ValueError):
    """The data set cannot be archived; ``status`` is the C-STORE status that says so (PS3.4 Table B.2-1)."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one C-STORE: the header as text, and whether the instance is new."""

    record: Record
    is_new: bool


class Archive:
    """Instances on disk and their index. ``directory`` None keeps them in a temporary directory until closed."""

    def __init__(self, directory: Path | None = None) -> None:
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="archive-")
        self.directory = directory or Path(self._temporary.name if self._temporary else ".")
        self._objects = self.directory / "objects"
        self._objects.mkdir(parents=True, exist_ok=True)
        self._folders: dict[tuple[str, str], Path] = {}
        self.index = ArchiveIndex(self.directory / "index.sqlite" if directory else None)

    def close(self) -> None:
        """Close the index; what was only temporary is deleted."""
        self.index.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def store(
        self, payload: Blob, *, transfer_syntax: str, sop_class: str, sop_instance: str, source: str = ""
    ) -> Stored:
        """Keep one instance. Raises Unacceptable if the data set is not what the command says, or unreadable."""
        record = read_header(payload, transfer_syntax)
        if text(record, _CLASS) != sop_class or text(record, _INSTANCE) != sop_instance:
            raise Unacceptable(0xA900, "SOP Class or Instance UID of the data set differ from those of the command")
        for tag in (_STUDY, _SERIES, _INSTANCE):
            if not text(record, tag):
                raise Unacceptable(0xC000, f"{keyword_of(tag)} is missing or empty")
        if self.index.holds(sop_instance):
            return Stored(record, False)
        path = self._folder(record) / f"{_file_name(sop_instance)}.dcm"
        try:
            # what came into a file of its own gets a second name instead of a copy
            write_part10(path, payload, sop_class, sop_instance, transfer_syntax, source.strip())
        except OSError as error:
            raise Unacceptable(0xA700, f"cannot write {path}: {error}") from error
        is_new = self.index.add(record, sop_class=sop_class, transfer_syntax=transfer_syntax, path=path)
        return Stored(record, is_new)

    def _folder(self, record: Record) -> Path:
        """The folder of a series, made when its first instance comes. Raises Unacceptable if it cannot be made."""
        key = text(record, _STUDY), text(record, _SERIES)
        known = self._folders.get(key)
        if known is None:
            known = self._objects / _file_name(key[0]) / _file_name(key[1])
            try:
                known.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unacceptable(0xA700, f"cannot make {known}: {error}") from error
            if len(self._folders) >= _FOLDERS_KNOWN:
                self._folders.clear()
            self._folders[key] = known
        return known

    def data_set(self, instance: StoredInstance) -> bytes:
        """The data set of an instance in its transfer syntax; demographics as they were updated since."""
        body = Payload.part10(instance.path).blob.bytes()
        if not instance.revised:
            return body
        return revise(body, instance.transfer_syntax, instance.revised)


def read_header(payload: Blob, transfer_syntax: str) -> Record:
    """The elements of a data set that an archive keeps, decoded. Raises Unacceptable if they cannot be read."""
    record = read_record(payload, transfer_syntax, ALL_KEPT)
    if record is not None:
        return record
    try:
        dataset = records.parse(payload, transfer_syntax, header_only=True)
    except WireError as error:
        raise Unacceptable(0xC000, str(error)) from error
    return records.record_from_dataset(dataset, ALL_KEPT)


def revise(body: bytes, transfer_syntax: str, values: Record) -> bytes:
    """The data set with patient attributes replaced (RAD-12), everything else byte for byte.

    A text that the data set's own character set cannot write turns all its text to UTF-8.
    """
    implicit, little, deflated = encoding_of(transfer_syntax)
    dataset = records.parse(body, transfer_syntax)
    declared = dataset.get("SpecificCharacterSet", None) or ""
    charsets = (declared,) if isinstance(declared, str) else tuple(declared)
    patient = {tag: value for tag, value in values.items() if tag != CHARACTER_SET and vr_of(tag) != "SQ"}
    if not records.writable(patient, charsets):
        dataset.decode()
        dataset.SpecificCharacterSet = "ISO_IR 192"
    for tag, value in patient.items():
        dataset.add_new(tag, vr_of(tag), "\\".join(part for part in value if isinstance(part, str)))
    target = DicomBytesIO()
    target.is_implicit_VR, target.is_little_endian = implicit, little
    write_dataset(target, dataset)
    written = target.getvalue()
    if not deflated:
        return written
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = squeezer.compress(written) + squeezer.flush()
    return packed + b"\0" * (len(packed) % 2)


def _file_name(uid: str) -> str:
    safe = _SAFE_UID.fullmatch(uid) and uid.strip(".")
    return uid if safe else hashlib.sha256(uid.encode()).hexdigest()
