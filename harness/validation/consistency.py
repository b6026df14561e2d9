"""What the objects of a set say about each other: entities, unique identifiers, references (PS3.3 A.1.2, C.7).

One pass with bounded memory: of each entity only the first value of each attribute and where it was seen is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.validation.dictionary import TAG, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet

Report = Callable[[str, ValidationFinding], None]

_PATIENT = tuple(TAG[k] for k in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"))
_STUDY = tuple(
    TAG[k]
    for k in ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyDescription")
)
_SERIES = tuple(
    TAG[k]
    for k in (
        "StudyInstanceUID",
        "Modality",
        "SeriesNumber",
        "SeriesDate",
        "SeriesTime",
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
_REFERENCE_SEQUENCES = (0x00081199, 0x00081140)
MAXIMUM_REFERENCES = 100_000


@dataclass(slots=True)
class _Entity:
    """The first values of an entity and the object that had them."""

    values: dict[int, str]
    where: str


@dataclass(slots=True)
class SetRules:
    """Feed every object with :meth:`add`, then ask :meth:`finish` for what only the whole set shows."""

    report: Report
    _studies: dict[str, _Entity] = field(default_factory=dict)
    _patients: dict[str, _Entity] = field(default_factory=dict)
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
    ) -> None:
        if not key:
            return
        entity = known.get(key)
        if entity is None:
            known[key] = _Entity({tag: _value(root, tag) for tag in tags if tag in root.elements}, path)
            return
        for tag in tags:
            if tag not in root.elements:
                continue
            value = _value(root, tag)
            first = entity.values.setdefault(tag, value)
            if first != value:
                expected = f"{shown(first)} as in {entity.where} of the same {what}"
                self._say(path, code, tag, expected, shown(value))

    def _say(
        self, path: str, code: str, tag: int, expected: str, actual: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.report(path, ValidationFinding(code, severity, name(tag), expected, actual, "PS3.3 A.1.2"))


def _value(root: DataSet, tag: int) -> str:
    raw = root.value(tag) or b""
    return raw[:256].decode("latin-1").strip(" \0")


def _references(root: DataSet, depth: int = 0) -> Iterator[DataSet]:
    """Items that refer to instances, in the whole tree of a report, key object or presentation state."""
    if depth > 8:
        return
    for tag, element in root.elements.items():
        for item in element.items or []:
            if tag in _REFERENCE_SEQUENCES and 0x00081155 in item.elements:
                yield item
            yield from _references(item, depth + 1)
