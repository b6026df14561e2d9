"""Objects collected for a medium, and the files that they become: paths, bytes, DICOMDIR, README.TXT, pages.

A layout is what will be written, before anything is: a caller may still change it. Bytes that are made on the way
(other transfer syntaxes, pictures) go into a temporary folder: ten thousand objects need no more memory than ten.
"""

from __future__ import annotations

import datetime
import io
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from harness.core.errors import UsageError
from harness.protocols.media.writing.records import EXPLICIT, MEDIA_DIRECTORY, DirectoryBuilder, snapshot
from harness.protocols.media.writing.site import DISCLAIMER, Site, jpeg

_JPEG = frozenset((EXPLICIT, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70"))
_J2K = frozenset((EXPLICIT, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"))
#: application profiles with the transfer syntaxes that files keep; others are decompressed (PS3.11 D, H, J)
PROFILES: Final[Mapping[str, frozenset[str]]] = {
    "STD-GEN-CD": frozenset((EXPLICIT,)),
    "STD-GEN-DVD-JPEG": _JPEG,
    "STD-GEN-DVD-J2K": _J2K,
    "STD-GEN-USB-JPEG": _JPEG,
    "STD-GEN-USB-J2K": _J2K,
}
#: made bytes up to this size stay in memory
_SMALL: Final = 4096
_ERRORS: Final = (
    InvalidDicomError, AttributeError, OSError, ValueError, EOFError, KeyError, NotImplementedError, TypeError,
)  # fmt: skip


@dataclass(slots=True)
class Layout:
    """Files of the medium by path, as bytes or as a file to copy, and the directory that is still to be encoded.

    ``spool`` is where :meth:`keep` puts what is too big for memory; None keeps everything in memory.
    """

    files: dict[str, bytes | Path] = field(default_factory=dict)
    directory: DirectoryBuilder = field(default_factory=DirectoryBuilder)
    label: str = "IHE_PDI"
    folders: list[str] = field(default_factory=list)
    spool: Path | None = None

    def instances(self) -> list[str]:
        """Paths of the DICOM files."""
        return [path for path in self.files if path.startswith("DICOM/")]

    def content(self, path: str) -> bytes:
        """The bytes of a file."""
        held = self.files[path]
        return held.read_bytes() if isinstance(held, Path) else held

    def part(self, path: str, offset: int, length: int) -> bytes:
        """Bytes ``offset`` to ``offset + length`` of a file."""
        held = self.files[path]
        if not isinstance(held, Path):
            return held[offset : offset + length]
        with held.open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    def keep(self, path: str, content: bytes) -> None:
        """Add a file that was made."""
        if self.spool is None or len(content) <= _SMALL:
            self.files[path] = content
            return
        place = self.spool / f"{len(self.files):08d}"
        place.write_bytes(content)
        self.files[path] = place

    def transform(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Replace the bytes of a file by what ``change`` makes of them."""
        content = change(self.content(path))
        held = self.files[path]
        if self.spool is not None and isinstance(held, Path) and held.parent == self.spool:
            held.write_bytes(content)
        else:
            self.files.pop(path)
            self.keep(path, content)


@dataclass(frozen=True, slots=True)
class MediumPlan:
    """What kind of medium is wanted, and who makes it. ``today`` is printed on it.

    ``protect`` makes each DICOM file, DICOMDIR included, a Secure DICOM File (PS3.15 D.1); there is no web content
    then, which would show in the open what is protected.
    """

    profile: str = "STD-GEN-CD"
    web: bool = True
    label: str = "IHE_PDI"
    institution: str = "Harness Hospital"
    today: datetime.date = field(default_factory=datetime.date.today)
    contact: str = "information desk of the institution, phone 000-0000"
    product: str = "IHE harness, Simulated Portable Media Creator, version 0.1"
    vendor_contact: str = "the maintainers of the IHE harness"
    protect: Callable[[bytes], bytes] | None = None

    @property
    def with_pages(self) -> bool:
        """Whether there is web content."""
        return self.web and self.protect is None


def readme(plan: MediumPlan) -> str:
    """The text of README.TXT: institution, product, layout, applications, disclaimer (RAD TF-3 4.47.4.1.2)."""
    pages = (
        "INDEX.HTM opens the pages in the folder IHE_PDI." if plan.with_pages else "There are no pages for a browser."
    )
    lines = [
        "Portable Data for Imaging (IHE RAD PDI)",
        "",
        f"Created by the institution {plan.institution} on {plan.today.isoformat()}.",
        f"Contact: {plan.contact}.",
        f"Created with the product {plan.product}.",
        f"Vendor contact: {plan.vendor_contact}.",
        "",
        "Layout: DICOMDIR lists the DICOM objects, which are in the folder DICOM.",
        pages,
        "There are no additional applications on this medium; nothing on it starts by itself.",
    ]
    if plan.protect is not None:
        lines.append(
            "DICOMDIR and all DICOM objects are encrypted (DICOM PS3.15 D.1); ask the contact for the password."
        )
    return "\r\n".join([*lines, "", DISCLAIMER]) + "\r\n"


class FileSet:
    """Collects objects one after the other; :meth:`layout` is the whole medium. A context manager that cleans up.

    ``uid`` is the UID of the file-set. Raises UsageError for an application profile that is not in ``PROFILES``.
    """

    def __init__(self, plan: MediumPlan, uid: str) -> None:
        if plan.profile not in PROFILES:
            raise UsageError(f"there is no application profile {plan.profile!r}; known: {', '.join(PROFILES)}")
        if not re.fullmatch(r"[A-Z0-9_]{0,16}", plan.label):
            raise UsageError(
                f"the label {plan.label!r} is no File-set ID, which it has to be (DICOM PS3.12 F.1.1): "
                "at most 16 characters A-Z, 0-9 and _"
            )
        self.plan = plan
        self._spool = tempfile.TemporaryDirectory(prefix="medium-")
        spool = Path(self._spool.name)
        self._layout = Layout(directory=DirectoryBuilder(plan.label, uid), label=plan.label, spool=spool)
        self._site = Site(plan.institution, plan.today.isoformat()) if plan.with_pages else None
        self._places = _Places()
        #: SOP Instance UIDs in the order in which they were added
        self.instances: dict[str, None] = {}

    def __enter__(self) -> FileSet:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.cleanup()

    def add(self, source: Path | Dataset) -> str:
        """Put an object (a Part 10 file, or a data set with file meta information) on the medium; "" or why not."""
        allowed = PROFILES[self.plan.profile]
        try:
            dataset = _read(source, header_only=self._site is None) if isinstance(source, Path) else source
            elements = snapshot(dataset)
            syntax = str(dataset.file_meta.TransferSyntaxUID)
            instance, sop_class = str(dataset.SOPInstanceUID), str(dataset.SOPClassUID)
            if sop_class == MEDIA_DIRECTORY:
                return "a DICOMDIR"
            if instance in self.instances:
                return "the same SOP Instance UID as another file"
            if not str(dataset.get("PatientID", "")).strip():
                return "no Patient ID, which media need"
            parts = self._places.of(dataset)
        except _ERRORS as error:
            return f"no DICOM object ({type(error).__name__})"
        path = "/".join(parts)
        picture = jpeg(dataset) if self._site is not None else None
        if syntax in allowed and isinstance(source, Path):
            self._layout.files[path] = source
        else:
            try:
                whole = _read(source) if isinstance(source, Path) else source
                self._layout.keep(path, _plain(whole, syntax, allowed))
            except (*_ERRORS, RuntimeError) as error:
                return f"cannot be brought into {self.plan.profile} ({type(error).__name__}: {error})"[:200]
            syntax = str(whole.file_meta.TransferSyntaxUID)
            if not isinstance(source, Path):
                held = io.BytesIO(self._layout.part(path, 0, 1 << 26))
                elements = snapshot(pydicom.dcmread(held, stop_before_pixels=True))
        self.instances[instance] = None
        self._layout.directory.add(dataset, elements, parts, syntax)
        if self._site is not None:
            place = self._site.add(dataset, has_picture=picture is not None)
            if picture is not None:
                self._layout.keep(place, picture)
        return ""

    def layout(
        self,
        arrange: Callable[[Layout], None] | None = None,
        finish: Callable[[Layout], None] | None = None,
    ) -> Layout:
        """The medium, good until this file-set is left. Raises UsageError if no object was added.

        ``arrange`` may change it before DICOMDIR is encoded, ``finish`` afterwards.
        """
        if not self.instances:
            raise UsageError("there is no DICOM object to put on a medium")
        layout = self._layout
        layout.files["README.TXT"] = readme(self.plan).encode("ascii", "replace")
        if self._site is not None:
            layout.files.update(self._site.files())
        if arrange is not None:
            arrange(layout)
        layout.files = {"DICOMDIR": layout.directory.encode(), **layout.files}
        if self.plan.protect is not None:
            for path in ("DICOMDIR", *layout.instances()):
                layout.transform(path, self.plan.protect)
        if finish is not None:
            finish(layout)
        return layout


def _read(source: Path, *, header_only: bool = False) -> Any:
    return pydicom.dcmread(source, stop_before_pixels=header_only)


def _plain(dataset: Dataset, syntax: str, allowed: frozenset[str]) -> bytes:
    """The object as a Part 10 file in Explicit VR Little Endian, or as it is where the profile allows."""
    if syntax not in allowed:
        if UID(syntax).is_compressed and "PixelData" in dataset:
            dataset.decompress(generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    stream = io.BytesIO()
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


class _Places:
    """Where objects go: DICOM/PAnnnnnn/STnnnnnn/SEnnnnnn/IMnnnnnn."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._used: dict[tuple[str, ...], int] = {}

    def of(self, dataset: Dataset) -> list[str]:
        """The components of the path of one object."""
        keys = (str(dataset.PatientID), str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID))
        parts = ["DICOM"]
        for level, prefix in enumerate(("PA", "ST", "SE")):
            parts.append(f"{prefix}{self._number(keys[: level + 1]):06d}")
        parts.append(f"IM{self._next(keys):06d}")
        return parts

    def _number(self, key: tuple[str, ...]) -> int:
        if key not in self._numbers:
            self._numbers[key] = self._next((*key[:-1], "below"))
        return self._numbers[key]

    def _next(self, key: tuple[str, ...]) -> int:
        self._used[key] = self._used.get(key, 0) + 1
        return self._used[key]
