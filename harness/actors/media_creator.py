"""A simulated Portable Media Creator (RAD-47): DICOM files, DICOMDIR, README.TXT and web content.

Everything is first laid out as files by path on the medium; a defect changes that layout, or the bytes, before
anything is written.
"""

from __future__ import annotations

import datetime
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from harness.actors.media_creator_directory import EXPLICIT, DirectoryBuilder
from harness.actors.media_creator_web import DISCLAIMER, Site, jpeg
from harness.actors.objects import UidSource, uid_source
from harness.core.errors import EnvironmentFailure, UsageError

_JPEG = frozenset((EXPLICIT, "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70"))
_J2K = frozenset((EXPLICIT, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"))
#: application profiles with the transfer syntaxes that files keep; others are decompressed
PROFILES: Final[Mapping[str, frozenset[str]]] = {
    "STD-GEN-CD": frozenset((EXPLICIT,)),
    "STD-GEN-DVD-JPEG": _JPEG,
    "STD-GEN-DVD-J2K": _J2K,
    "STD-GEN-USB-JPEG": _JPEG,
    "STD-GEN-USB-J2K": _J2K,
}
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Layout:
    """Files of the medium by path, as bytes or as a file to copy, and the directory that is still to be encoded."""

    files: dict[str, bytes | Path] = field(default_factory=dict)
    directory: DirectoryBuilder = field(default_factory=DirectoryBuilder)
    label: str = "IHE_PDI"
    folders: list[str] = field(default_factory=list)

    def instances(self) -> list[str]:
        """Paths of the DICOM files."""
        return [path for path in self.files if path.startswith("DICOM/")]

    def content(self, path: str) -> bytes:
        """The bytes of a file."""
        held = self.files[path]
        return held.read_bytes() if isinstance(held, Path) else held


@dataclass(frozen=True, slots=True)
class MediaCreatorBehaviour:
    """How a medium is made. ``arrange`` changes the layout before DICOMDIR is encoded, ``finish`` afterwards."""

    arrange: Callable[[Layout], None] | None = None
    finish: Callable[[Layout], None] | None = None


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """What kind of medium is wanted. ``today`` is printed on it."""

    profile: str = "STD-GEN-CD"
    web: bool = True
    label: str = "IHE_PDI"
    institution: str = "Harness Hospital"
    today: datetime.date = field(default_factory=datetime.date.today)


@dataclass(frozen=True, slots=True)
class Written:
    """What was put on a medium; ``skipped`` lists files that are no DICOM objects, with the reason."""

    target: Path
    instances: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    files: int


class MediaCreator:
    """Makes media of files or data sets. ``uid`` deals out the UID of the file-set."""

    slug = "media-creator"
    name = "Portable Media Creator"

    def __init__(
        self,
        plan: MediaPlan | None = None,
        behaviour: MediaCreatorBehaviour | None = None,
        uid: UidSource | None = None,
    ) -> None:
        self.plan = plan or MediaPlan()
        self.behaviour = behaviour or MediaCreatorBehaviour()
        self._uid = uid or uid_source()
        if self.plan.profile not in PROFILES:
            raise UsageError(f"there is no application profile {self.plan.profile!r}; known: {', '.join(PROFILES)}")

    def create(self, studies: Path, target: Path, progress: Progress | None = None) -> Written:
        """Write the DICOM files below ``studies`` to ``target``: a folder, ``*.zip`` or ``*.iso``."""
        sources = [studies] if studies.is_file() else sorted(p for p in studies.rglob("*") if p.is_file())
        if not sources:
            raise UsageError(f"{studies} holds no files")
        return self.write((path for path in sources), target, progress, len(sources))

    def write(
        self, sources: Iterable[Path | Dataset], target: Path, progress: Progress | None = None, total: int = 0
    ) -> Written:
        """Write objects to a medium. Raises UsageError if there is none, or if the target is not empty."""
        _check_target(target)
        layout = Layout(directory=DirectoryBuilder("IHE_PDI", self._uid()), label=self.plan.label)
        site = Site(self.plan.institution, self.plan.today.isoformat()) if self.plan.web else None
        skipped: list[tuple[str, str]] = []
        taken: dict[str, None] = {}
        places = _Places()
        for number, source in enumerate(sources, 1):
            problem = self._take(source, layout, site, taken, places)
            if problem:
                skipped.append((str(source) if isinstance(source, Path) else "data set", problem))
            if progress is not None:
                progress(number, total)
        if not taken:
            raise UsageError("none of the files is a DICOM object: " + "; ".join(reason for _, reason in skipped[:3]))
        layout.files["README.TXT"] = self._readme().encode("ascii", "replace")
        if site is not None:
            layout.files.update(site.files())
        if self.behaviour.arrange is not None:
            self.behaviour.arrange(layout)
        layout.files = {"DICOMDIR": layout.directory.encode(), **layout.files}
        if self.behaviour.finish is not None:
            self.behaviour.finish(layout)
        _WRITERS.get(target.suffix.lower(), _write_folder)(layout, target)
        return Written(target, tuple(taken), tuple(skipped), len(layout.files))

    def _take(
        self, source: Path | Dataset, layout: Layout, site: Site | None, taken: dict[str, None], places: _Places
    ) -> str:
        """Put one object on the medium; why not, if it cannot be."""
        try:
            dataset = pydicom.dcmread(source) if isinstance(source, Path) else source
            instance = str(dataset.SOPInstanceUID)
            syntax = str(dataset.file_meta.TransferSyntaxUID)
            if str(dataset.SOPClassUID) == "1.2.840.10008.1.3.10":
                return "a DICOMDIR"
            if instance in taken:
                return "the same SOP Instance UID as another file"
            if not str(dataset.get("PatientID", "")).strip():
                return "no Patient ID, which media need"
        except (
            InvalidDicomError,
            AttributeError,
            OSError,
            ValueError,
            EOFError,
            KeyError,
            NotImplementedError,
        ) as error:
            return f"no DICOM object ({type(error).__name__})"
        parts = places.of(dataset)
        path = "/".join(parts)
        if syntax in PROFILES[self.plan.profile] and isinstance(source, Path):
            layout.files[path] = source
        else:
            try:
                layout.files[path] = _plain(dataset, syntax, PROFILES[self.plan.profile])
            except (ValueError, RuntimeError, AttributeError, NotImplementedError, KeyError) as error:
                return f"cannot be brought into {self.plan.profile} ({type(error).__name__}: {error})"[:200]
            syntax = str(dataset.file_meta.TransferSyntaxUID)
        taken[instance] = None
        fresh = pydicom.dcmread(source, stop_before_pixels=True) if isinstance(source, Path) else _reread(layout, path)
        layout.directory.add(fresh, parts, syntax)
        if site is not None:
            site.add(dataset, jpeg(dataset))
        return ""

    def _readme(self) -> str:
        lines = (
            "Portable Data for Imaging (IHE RAD PDI)",
            "",
            f"Created by the institution {self.plan.institution} on {self.plan.today.isoformat()}.",
            "Contact: information desk of the institution, phone 000-0000.",
            "Created with the product IHE harness, Simulated Portable Media Creator, version 0.1.",
            "Vendor contact: the maintainers of the IHE harness.",
            "",
            "Layout: DICOMDIR lists the DICOM objects, which are in the folder DICOM.",
            "INDEX.HTM opens the pages in the folder IHE_PDI."
            if self.plan.web
            else "There are no pages for a browser.",
            "There are no additional applications on this medium; nothing on it starts by itself.",
            "",
            DISCLAIMER,
        )
        return "\r\n".join(lines) + "\r\n"


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


def _plain(dataset: Dataset, syntax: str, allowed: frozenset[str]) -> bytes:
    """The object as a Part 10 file in Explicit VR Little Endian, or as it is where the profile allows."""
    if syntax not in allowed:
        if UID(syntax).is_compressed and "PixelData" in dataset:
            dataset.decompress()
        dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    stream = io.BytesIO()
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def _reread(layout: Layout, path: str) -> Dataset:
    return pydicom.dcmread(io.BytesIO(layout.content(path)), stop_before_pixels=True)


def _check_target(target: Path) -> None:
    if target.suffix.lower() in _WRITERS:
        if target.exists():
            raise UsageError(f"{target} exists; choose another name or remove it")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not an empty folder")


def _write_folder(layout: Layout, target: Path) -> None:
    for folder in layout.folders:
        (target / folder).mkdir(parents=True, exist_ok=True)
    for path, held in layout.files.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(held, Path):
            shutil.copyfile(held, place)
        else:
            place.write_bytes(held)


def _write_zip(layout: Layout, target: Path) -> None:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for path in layout.files:
            archive.writestr(path, layout.content(path))


def _write_iso(layout: Layout, target: Path) -> None:
    try:
        import pycdlib
    except ImportError:
        raise EnvironmentFailure("ISO images need pycdlib; install ihe-harness[media]") from None
    image = pycdlib.PyCdlib()
    image.new(interchange_level=1, vol_ident=layout.label)
    try:
        made = {""}
        for path in sorted(layout.files):
            parts = path.split("/")
            for depth in range(1, len(parts)):
                folder = "/".join(parts[:depth])
                if folder not in made:
                    made.add(folder)
                    image.add_directory("/" + folder)
            name = "/" + path + (";1" if "." in parts[-1] else ".;1")
            held = layout.files[path]
            if isinstance(held, Path):
                image.add_file(str(held), name)
            else:
                image.add_fp(io.BytesIO(held), len(held), name)
        image.write(str(target))
    finally:
        image.close()


_WRITERS: Final[Mapping[str, Callable[[Layout, Path], None]]] = {".zip": _write_zip, ".iso": _write_iso}
