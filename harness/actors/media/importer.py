"""A simulated Portable Media Importer (RAD-47): reads a medium by its DICOMDIR and keeps the objects under local names.

What cannot be imported is said: broken files, foreign classes, faults of the medium. Nothing outside the target is
written, and nothing on the medium is run.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from harness.core.errors import UsageError
from harness.protocols.media.directory import Directory, Record, Tree, parse
from harness.protocols.media.medium import Medium
from harness.protocols.media.secure import Keys, SecureMedium, is_enveloped
from harness.protocols.media.sources import open_medium

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_LARGEST: Final = 2 << 30
_DIRECTORY: Final = 256 << 20
_MOST_ERRORS: Final = 1000
_UTF_8: Final = "ISO_IR 192"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a patient is: the name in DICOM text form, Patient ID with its issuer, birth date and sex."""

    name: str
    patient_id: str
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""

    @classmethod
    def of(cls, dataset: Dataset) -> Identity:
        """The patient of an object."""
        keywords = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
        return cls(*(str(dataset.get(keyword, "") or "") for keyword in keywords))


@dataclass(frozen=True, slots=True)
class Reconciled:
    """``local`` is the patient that objects are filed under, None if a person has to decide; ``why`` in words."""

    local: Identity | None
    why: str


def reconcile(foreign: Identity, known: tuple[Identity, ...]) -> Reconciled:
    """Find the local patient of a foreign one: never by Patient ID alone, which another institution gave."""
    same = [one for one in known if _key(one) == _key(foreign) and foreign.birth_date]
    if len(same) == 1:
        return Reconciled(same[0], "name, birth date and sex agree")
    if len(same) > 1:
        return Reconciled(None, f"{len(same)} local patients have this name, birth date and sex")
    if any(one.patient_id == foreign.patient_id for one in known):
        return Reconciled(None, f"Patient ID {foreign.patient_id!r} belongs to another local patient")
    return Reconciled(foreign, "a new patient")


def _key(one: Identity) -> tuple[str, str, str]:
    name = one.name.split("=")[0].upper().rstrip("^").replace("^", " ").strip()
    return name, one.birth_date, one.sex


@dataclass(slots=True)
class Report:
    """What came of an import. ``preview`` is the tree as DICOMDIR shows it, one line per patient, study and series."""

    imported: list[str] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    preview: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        """Note an error, within reason."""
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(what)


@dataclass(frozen=True, slots=True)
class MediaImporterBehaviour:
    """How an importer decides.

    ``supports`` which classes it keeps, ``reconcile`` who a patient is, ``choose`` which records of a medium it takes,
    ``keep`` what it stores of a file, ``tell`` what it says in the end, ``keys`` what it opens protected media with.
    """

    supports: Callable[[str], bool] = lambda sop_class: sop_class.startswith(_STORAGE)
    reconcile: Callable[[Identity, tuple[Identity, ...]], Reconciled] = reconcile
    choose: Callable[[Medium, list[Record]], list[Record]] = lambda medium, records: records
    keep: Callable[[bytes], bytes] = lambda content: content
    tell: Callable[[Report], Report] = lambda report: report
    keys: Callable[[Keys], Keys] = lambda keys: keys


class MediaImporter:
    """Imports into ``store``; ``known`` are the local patients, ``keys`` open protected media."""

    slug = "media-importer"
    name = "Portable Media Importer"

    def __init__(
        self,
        store: Path,
        known: tuple[Identity, ...] = (),
        behaviour: MediaImporterBehaviour | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._store, self._known, self._keys = store, known, keys or Keys()
        self.behaviour = behaviour or MediaImporterBehaviour()

    def load(self, path: Path, progress: Callable[[int, int], None] | None = None) -> Report:
        """Import a folder, ZIP file or ISO image. A medium that cannot be opened is an error of the report."""
        report = Report()
        try:
            medium = open_medium(path)
        except UsageError as error:
            report.fail(str(error))
            return self.behaviour.tell(report)
        keys = self.behaviour.keys(self._keys)
        if keys:
            sealed = SecureMedium(medium, keys)
            medium = sealed
            for place, wanted, found in sealed.problems:
                report.fail(f"{place}: {found} instead of {wanted}")
        with medium:
            directory = self._directory(medium, report)
            tree = Tree(directory)
            for problem in (*directory.problems, *tree.problems):
                report.fail(f"DICOMDIR, {problem.where}: {problem.actual} instead of {problem.expected}")
            leaves = self.behaviour.choose(medium, [record for record in tree.walk() if record.file])
            report.preview = [_line(tree, r) for r in tree.walk() if r.type in ("PATIENT", "STUDY", "SERIES")]
            if not leaves:
                report.fail("DICOMDIR leads to no object")
            for number, record in enumerate(leaves, 1):
                self._object(medium, record, report)
                if progress is not None:
                    progress(number, len(leaves))
            for refusal in medium.refusals:
                report.fail(f"{refusal.path}: {refusal.reason}")
        return self.behaviour.tell(report)

    def _directory(self, medium: Medium, report: Report) -> Directory:
        entry = medium.entries.get("DICOMDIR")
        if entry is None or entry.folder:
            report.fail("there is no DICOMDIR in the root")
            return Directory()
        raw = medium.whole(entry.path, _DIRECTORY)
        if is_enveloped(raw[:32]):
            report.fail("DICOMDIR is protected; it needs a password or the key of a recipient")
            return Directory()
        return parse(raw)

    def _object(self, medium: Medium, record: Record, report: Report) -> None:
        entry = medium.entries.get(record.file)
        if entry is None or entry.folder:
            report.fail(f"{record.file}: not on the medium")
            return
        instance = record.ascii(0x00041511)
        if not self.behaviour.supports(record.ascii(0x00041510)):
            report.unsupported.append(instance)
            return
        if entry.size > _LARGEST:
            report.fail(f"{record.file}: {entry.size} bytes are too many")
            return
        raw = medium.whole(record.file, _LARGEST)
        try:
            dataset = pydicom.dcmread(io.BytesIO(raw))
            if len(raw) != entry.size or _cut_short(dataset):
                report.fail(f"{record.file}: the file ends too early")
                return
            if str(dataset.SOPInstanceUID) != instance:
                report.fail(f"{record.file}: holds {dataset.SOPInstanceUID}, DICOMDIR says {instance}")
                return
            found = self.behaviour.reconcile(Identity.of(dataset), self._known)
        except (InvalidDicomError, AttributeError, ValueError, EOFError, KeyError, TypeError, NotImplementedError,
                OSError, LookupError) as error:  # fmt: skip
            report.fail(f"{record.file}: no readable DICOM object ({type(error).__name__})")
            return
        if found.local is None:
            report.undecided.append(f"{instance}: {found.why}")
            return
        self._keep(dataset, raw, found.local, instance, report)

    def _keep(self, dataset: Dataset, raw: bytes, local: Identity, instance: str, report: Report) -> None:
        if not set(instance) <= set("0123456789.") or not 0 < len(instance) <= 64:
            report.fail(f"{instance[:64]!r} is no UID")
            return
        self._store.mkdir(parents=True, exist_ok=True)
        target = self._store / f"{instance}.dcm"
        if target.exists():
            report.imported.append(instance)
            return
        if local == Identity.of(dataset):
            target.write_bytes(self.behaviour.keep(raw))
        else:
            original = Dataset()
            original.PatientID, original.TypeOfPatientID = dataset.PatientID, "TEXT"
            if dataset.get("IssuerOfPatientID"):
                original.IssuerOfPatientID = dataset.IssuerOfPatientID
            dataset.OtherPatientIDsSequence = [*dataset.get("OtherPatientIDsSequence", []), original]
            dataset.PatientID, dataset.IssuerOfPatientID = local.patient_id, local.issuer
            if not (local.name + local.patient_id + local.issuer).isascii():
                # the local name may not fit into the character set of the foreign object
                dataset.decode()
                dataset.SpecificCharacterSet = _UTF_8
            dataset.PatientName = local.name
            dataset.save_as(target, enforce_file_format=True)
        report.imported.append(instance)


def _cut_short(dataset: Dataset) -> bool:
    """Whether native pixel data are shorter than rows, columns, samples and frames ask for."""
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_compressed:
        return False
    bits = int(dataset.Rows) * int(dataset.Columns) * int(dataset.SamplesPerPixel) * int(dataset.BitsAllocated)
    return len(dataset.PixelData) < bits * int(dataset.get("NumberOfFrames", 1) or 1) // 8


def _line(tree: Tree, record: Record) -> str:
    texts = {
        "PATIENT": (record.text(0x00100010, "PN"), record.text(0x00100020, "LO")),
        "STUDY": (record.ascii(0x00080020), record.text(0x00081030, "LO"), record.ascii(0x0020000D)),
        "SERIES": (record.ascii(0x00080060), record.ascii(0x00200011), f"{len(tree.children(record))} object(s)"),
    }[record.type]
    return "  " * tree.depth[record.offset] + " · ".join(part for part in texts if part)
