"""Studies that scenarios store into an archive under test, and what a query must find among them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.objects import Sample, SeriesPlan, StudyPlan, Subject, UidSource, make
from harness.actors.presentation import objects as presentation_objects
from harness.actors.reports.documents import Referenced, ReportPlan, key_object_note, report
from harness.bdd.people import Person, person
from harness.core.errors import UsageError

#: what is remembered of a stored instance, to compare query answers with
_KEPT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "AccessionNumber", "StudyID", "ReferringPhysicianName", "SeriesInstanceUID", "Modality", "SeriesNumber",
    "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """One study of one patient as it was made."""

    name: str
    patient: Person
    samples: tuple[Sample, ...]

    @property
    def first(self) -> Dataset:
        """Any data set of it: study level values are the same in all."""
        return self.samples[0].dataset

    @property
    def instance_uids(self) -> list[str]:
        """SOP Instance UIDs, sorted."""
        return sorted(sample.sop_instance for sample in self.samples)

    def facts(self) -> list[dict[str, Any]]:
        """Every instance by keyword, for the KNOWN-OBJECTS fact."""
        return [
            {keyword: str(sample.dataset[keyword].value) for keyword in _KEPT if keyword in sample.dataset}
            for sample in self.samples
        ]


#: so many instances are not delivered before a cancel arrives
_MANY = 100

_PLANS: dict[str, tuple[str, tuple[SeriesPlan, ...], str, str, str]] = {
    # name: (patient, series, date, time, referring physician)
    "doe": ("doe", (SeriesPlan("CT", 3),), "20260105", "101500", "WELBY^MARCUS"),
    "roe": ("roe", (SeriesPlan("MR", 2),), "20260206", "143000", "KILDARE^JAMES"),
    "kim": ("kim", (SeriesPlan("MR", 2), SeriesPlan("SC", 1)), "20260307", "081000", "HOUSE^GREGORY"),
    "ct of doe": ("doe", (SeriesPlan("CT", 2),), "20260408", "120000", "WELBY^MARCUS"),
    "later study of doe": ("doe", (SeriesPlan("CT", 2),), "20260509", "120000", "WELBY^MARCUS"),
    # names in the character sets of those who bear them
    "mueller": ("mueller", (SeriesPlan("MR", 1),), "20260610", "080000", "WELBY^MARCUS"),
    "hong": ("hong", (SeriesPlan("MR", 1),), "20260611", "081500", "WELBY^MARCUS"),
    "yamada": ("yamada", (SeriesPlan("MR", 1),), "20260612", "083000", "WELBY^MARCUS"),
    "wang": ("wang", (SeriesPlan("MR", 1),), "20260613", "084500", "WELBY^MARCUS"),
    # enough to be broken off
    "long": ("dole", (SeriesPlan("SC", _MANY),), "20260714", "110000", "WELBY^MARCUS"),
    "one of each class": (
        "sanchez",
        tuple(SeriesPlan(modality, 1) for modality in ("CT", "MR", "CR", "DX", "US", "SC")),
        "20260509",
        "093000",
        "WELBY^MARCUS",
    ),
}

#: studies whose patient is the very one of another study, with the same ID
_SAME_PATIENT = {"later study of doe": "doe"}


def _with_state(subject: Subject, uid: UidSource) -> list[Dataset]:
    made = presentation_objects.make("VOI window", subject, uid)
    return [ds for ds in (made.state, made.image) if ds is not None]


def _with_note(subject: Subject, uid: UidSource) -> list[Dataset]:
    image = presentation_objects.make("VOI window", subject, uid).image
    plan = ReportPlan(subject, str(image.StudyInstanceUID), images=(Referenced.of(image),), shared=image)
    return [key_object_note(plan, uid, text="Look here"), image]


def _report(subject: Subject, uid: UidSource) -> list[Dataset]:
    return [report(ReportPlan(subject, uid(), accession_number=f"R{subject.id[-5:]}"), uid)]


def _measured_report(subject: Subject, uid: UidSource) -> list[Dataset]:
    other = Subject("ROE^RICHARD", f"R{subject.id}", "19700101", "M")
    plan = ReportPlan(other, uid(), measurements=(("Length", 12.5),), study_date="20260206", accession_number="RM1")
    return [report(plan, uid)]


def _japanese_report(subject: Subject, uid: UidSource) -> list[Dataset]:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    other = Subject(name, f"J{subject.id}", "19800203", "M", ("ISO_IR 192",))
    return [report(ReportPlan(other, uid(), findings=("所見なし",), impressions=("正常",), language="ja"), uid)]


def _many_reports(subject: Subject, uid: UidSource) -> list[Dataset]:
    """Reports on one study, enough to break off their retrieve."""
    plan = ReportPlan(subject, uid(), accession_number="RMANY")
    return [report(plan, uid) for _ in range(_MANY // 2)]


def _ordered(subject: Subject, uid: UidSource) -> list[Dataset]:
    """Images that say which order they were made for."""
    plan = StudyPlan(subject, (SeriesPlan("CT", 2),), accession_number="A0000042", study_id="RP42")
    datasets = [sample.dataset for sample in make([plan], uid)]
    for ds in datasets:
        request = Dataset()
        request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP42", "SPS42"
        ds.RequestAttributesSequence = [request]
        ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = ds.StudyDate, ds.StudyTime
    return datasets


#: studies of one image and one object about it, and of a report alone
COMPANIONS: dict[str, Callable[[Subject, UidSource], list[Dataset]]] = {
    "presentation state": _with_state,
    "key image note": _with_note,
    "report": _report,
    "measured report": _measured_report,
    "Japanese report": _japanese_report,
    "many reports": _many_reports,
    "ordered": _ordered,
}


class StudyLibrary:
    """Makes the named studies with fresh identifiers for each run: a product's older content does not disturb."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._made: dict[str, StoredStudy] = {}

    def study(self, name: str) -> StoredStudy:
        """The study of that name, made once. Raises UsageError naming the known ones."""
        if name not in self._made:
            if name not in _PLANS and name not in COMPANIONS:
                raise UsageError(f"there is no study {name!r}; known: {', '.join((*_PLANS, *COMPANIONS))}")
            self._made[name] = self._make(name) if name in _PLANS else self._with_companion(name)
        return self._made[name]

    def _with_companion(self, name: str) -> StoredStudy:
        """An image, and the object about it first, so that ``series of`` means its series."""
        subject = person("doe")
        known = Subject(
            subject.name, f"{subject.patient_id}{self._source.randrange(10**5):05d}", subject.birth_date, subject.sex
        )
        datasets = COMPANIONS[name](known, lambda: f"2.25.{self._source.getrandbits(121)}")
        return StoredStudy(name, subject, tuple(Sample(dataset) for dataset in datasets))

    def _make(self, name: str) -> StoredStudy:
        key, series, date, time, referring = _PLANS[name]
        subject = person(key)
        patient_id = f"{subject.patient_id}{self._source.randrange(10**5):05d}"
        if name in _SAME_PATIENT:
            patient_id = str(self.study(_SAME_PATIENT[name]).first.PatientID)
        plan = StudyPlan(
            Subject(subject.name, patient_id, subject.birth_date, subject.sex, subject.character_set),
            series,
            accession_number=f"A{self._source.randrange(10**7):07d}",
            study_id=f"ST{self._source.randrange(10**5):05d}",
            date=date,
            time=time,
            referring_physician=referring,
            description=f"Study {name}",
        )
        samples = make([plan], lambda: f"2.25.{self._source.getrandbits(121)}")
        return StoredStudy(name, subject, tuple(samples))


def select(studies: Iterable[StoredStudy], wanted: Callable[[Dataset], bool]) -> list[Dataset]:
    """Data sets of these studies for which ``wanted`` holds."""
    return [sample.dataset for study in studies for sample in study.samples if wanted(sample.dataset)]


def value_of(text: str, studies: Sequence[StoredStudy]) -> str:
    """``ID of doe``, ``date of doe``, ``studies of doe and kim`` ... as DICOM text; other text stands for itself."""
    what, of, name = text.partition(" of ")
    keywords = {
        "ID": "PatientID",
        "accession": "AccessionNumber",
        "date": "StudyDate",
        "time": "StudyTime",
        "study ID": "StudyID",
        "study": "StudyInstanceUID",
        "series": "SeriesInstanceUID",
        "name": "PatientName",
    }
    if not of:
        return text
    if what == "range" and name == "all":
        dates = sorted(str(study.first.StudyDate) for study in studies)
        return f"{dates[0]}-{dates[-1]}"
    by_name = {study.name: study for study in studies}
    if what == "studies" and set(name.split(" and ")) <= set(by_name):  # a list of UIDs (PS3.4 C.2.2.2.2)
        return "\\".join(str(by_name[each].first.StudyInstanceUID) for each in name.split(" and "))
    if what not in keywords or name not in by_name:
        raise UsageError(f"{text!r}: known are {', '.join(keywords)} of {', '.join(by_name)}")
    return str(by_name[name].first[keywords[what]].value)
