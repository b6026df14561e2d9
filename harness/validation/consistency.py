"""What the objects of a set say about each other: entities, unique identifiers, references (PS3.3 A.1.2, C.7).

One pass with bounded memory: of each entity only the first value of each attribute and where it was seen is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.protocols.dicom.charset import decode_strict
from harness.validation.dictionary import TAG, VR, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet

Report = Callable[[str, ValidationFinding], None]

_PATIENT = tuple(TAG[k] for k in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"))
_STUDY = tuple(
    TAG[k]
    for k in (
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
        "StudyDescription",
        "PatientAge",
        "PatientSize",
        "PatientWeight",
    )
)
_SERIES = tuple(
    TAG[k]
    for k in (
        "StudyInstanceUID",
        "Modality",
        "SeriesNumber",
        "SeriesDate",
        "SeriesTime",
        "SeriesDescription",
        "Laterality",
        "BodyPartExamined",
        "ProtocolName",
        "PatientPosition",
        "Manufacturer",
        "DeviceSerialNumber",
        "FrameOfReferenceUID",
    )
)
_STUDY_UID, _SERIES_UID, _FRAME_UID = 0x0020000D, 0x0020000E, 0x00200052
_CHARACTER_SET = 0x00080005
_REFERENCE_SEQUENCES = (0x00081199, 0x00081140)
MAXIMUM_REFERENCES = 100_000


@dataclass(frozen=True, slots=True)
class _Value:
    """A value as it is written, and what it means: the same name in two character sets is the same name."""

    written: str
    meaning: str


@dataclass(slots=True)
class _Entity:
    """The first values of an entity and the object that had them; ``study`` is the one of that object."""

    values: dict[int, _Value]
    where: str
    study: str = ""


@dataclass(slots=True)
class SetRules:
    """Feed every object with :meth:`add`, then ask :meth:`finish` for what only the whole set shows."""

    report: Report
    _studies: dict[str, _Entity] = field(default_factory=dict)
    _patients: dict[str, _Entity] = field(default_factory=dict)
    _persons: dict[str, _Entity] = field(default_factory=dict)
    _series: dict[str, _Entity] = field(default_factory=dict)
    _frames: dict[str, _Entity] = field(default_factory=dict)
    _instances: dict[str, tuple[str, str]] = field(default_factory=dict)
    _references: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, path: str, root: DataSet) -> None:
        """One object; ``path`` names it in findings. An object without instance UID (a directory) is left out."""
        uid, sop_class = root.text(0x00080018), root.text(0x00080016)
        if not uid:
            return
        if uid in self._instances:
            self._say(
                path, "SET-UID-DUPLICATE", 0x00080018, "a UID of its own", f"{uid}, also in {self._instances[uid][1]}"
            )
        self._instances.setdefault(uid, (sop_class, path))
        study = root.text(_STUDY_UID)
        self._compare(path, root, self._patients, study, _PATIENT, "SET-PATIENT", "study")
        if identifier := root.text(_PATIENT[0]):
            # the same person in another study: demographics may have been corrected between the two
            person = f"{root.text(_PATIENT[1])}\\{identifier}"
            self._compare(path, root, self._persons, person, _PATIENT[2:], "SET-PATIENT", "patient", other_study=True)
        self._compare(path, root, self._studies, study, _STUDY, "SET-STUDY", "study")
        self._compare(path, root, self._series, root.text(_SERIES_UID), _SERIES, "SET-SERIES", "series")
        self._compare(path, root, self._frames, root.text(_FRAME_UID), _PATIENT[:1], "SET-FRAME-OF-REFERENCE", "frame")
        for reference in _references(root):
            if len(self._references) < MAXIMUM_REFERENCES:
                self._references.setdefault(reference.text(0x00081155), (reference.text(0x00081150), path))

    def finish(self) -> None:
        """References that lead nowhere in the set, or to an object of another class."""
        for uid, (sop_class, path) in self._references.items():
            target = self._instances.get(uid)
            if target is None:
                self._say(path, "SET-REFERENCE", 0x00081155, "an object of the set", uid, Severity.WARNING)
            elif sop_class and target[0] and sop_class != target[0]:
                self._say(path, "SET-REFERENCE-CLASS", 0x00081150, target[0], sop_class)

    def _compare(
        self,
        path: str,
        root: DataSet,
        known: dict[str, _Entity],
        key: str,
        tags: tuple[int, ...],
        code: str,
        what: str,
        *,
        other_study: bool = False,
    ) -> None:
        if not key:
            return
        study = root.text(_STUDY_UID)
        entity = known.get(key)
        if entity is None:
            known[key] = _Entity({tag: _value(root, tag) for tag in tags if tag in root.elements}, path, study)
            return
        if other_study and entity.study == study:
            return  # told of the study already
        for tag in tags:
            if tag not in root.elements:
                continue
            value = _value(root, tag)
            first = entity.values.setdefault(tag, value)
            if first.written == value.written:
                continue
            expected = f"{shown(first.written)} as in {entity.where} of the same {what}"
            actual = shown(value.written)
            # a value of type 2 may be unknown to one of the two, and the same value may be written in several ways
            same = first.meaning == value.meaning
            grave = bool(first.meaning and value.meaning) and not same and not other_study
            note = f"{actual}, the same written in another way" if same else actual
            self._say(path, code, tag, expected, note, Severity.ERROR if grave else Severity.WARNING)

    def _say(
        self, path: str, code: str, tag: int, expected: str, actual: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.report(path, ValidationFinding(code, severity, name(tag), expected, actual, "PS3.3 A.1.2"))


def _value(root: DataSet, tag: int) -> _Value:
    raw = (root.value(tag) or b"")[:256]
    vr = VR.get(tag, "LO")
    if raw.isascii() and b"\x1b" not in raw:
        written = raw.decode("ascii").strip(" \0")
    else:
        terms = [term.strip(" ") for term in root.text(_CHARACTER_SET).split("\\")]
        text, problems = decode_strict(raw.rstrip(b" \0"), terms if any(terms) else (), vr)
        written = raw.decode("latin-1").strip(" \0") if problems else text.strip(" ")
    return _Value(written, _meaning(written, vr))


def _meaning(written: str, vr: str) -> str:
    """Without what two writers may do differently: empty components of a name, signs and zeros, zero fractions."""
    if vr == "PN":
        return "=".join(group.rstrip("^ ") for group in written.split("=")).rstrip("=")
    if vr in ("IS", "DS"):
        try:
            return repr(float(written))
        except ValueError:
            return written
    if vr == "TM" and "." in written:
        return written.rstrip("0").rstrip(".")
    return written


def _references(root: DataSet, depth: int = 0) -> Iterator[DataSet]:
    """Items that refer to instances, in the whole tree of a report, key object or presentation state."""
    if depth > 8:
        return
    for tag, element in root.elements.items():
        for item in element.items or []:
            if tag in _REFERENCE_SEQUENCES and 0x00081155 in item.elements:
                yield item
            yield from _references(item, depth + 1)
