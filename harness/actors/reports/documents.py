"""Reports and key object notes that a repository of ours holds: TID 2000 and TID 2010 (PS3.16), several languages.

The actor's own writing of the templates; what judges documents reads the tables again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from harness.actors.objects import Subject, UidSource
from harness.protocols.dicom.uids import EXPLICIT_VR_LE

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """The code as an item of a code sequence."""
        ds = Dataset()
        ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = self.value, self.scheme, self.meaning
        return ds


DIAGNOSTIC_IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic Imaging Report")
FINDINGS = Code("59776-5", "LN", "Findings")
IMPRESSIONS = Code("19005-8", "LN", "Impressions")
FINDING = Code("121071", "DCM", "Finding")
IMPRESSION = Code("121073", "DCM", "Impression")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
PERSON = Code("121006", "DCM", "Person")
OBSERVER_NAME = Code("121008", "DCM", "Person Observer Name")
LENGTH = Code("410668003", "SCT", "Length")
MILLIMETRE = Code("mm", "UCUM", "mm")
OF_INTEREST = Code("113000", "DCM", "Of Interest")
REJECTED = Code("113001", "DCM", "Rejected for Quality Reasons")
TITLE_MODIFIER = Code("113011", "DCM", "Document Title Modifier")
DESCRIPTION = Code("113012", "DCM", "Key Object Description")

LANGUAGES = {
    "en": Code("en", "RFC5646", "English"),
    "de": Code("de", "RFC5646", "German"),
    "fr": Code("fr", "RFC5646", "French"),
    "ja": Code("ja", "RFC5646", "Japanese"),
    "ko": Code("ko", "RFC5646", "Korean"),
}


@dataclass(frozen=True, slots=True)
class Referenced:
    """An instance that a document refers to."""

    study: str
    series: str
    sop_class: str
    sop_instance: str

    @classmethod
    def of(cls, ds: Dataset) -> Referenced:
        """The reference to a data set."""
        return cls(str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPClassUID), str(ds.SOPInstanceUID))


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """One report; ``measurements`` (name, value in mm) make an Enhanced SR of it."""

    subject: Subject
    study: str
    findings: tuple[str, ...] = ("The lungs are clear.",)
    impressions: tuple[str, ...] = ("No acute disease.",)
    language: str = "en"
    complete: bool = True
    verified: bool = True
    images: tuple[Referenced, ...] = ()
    measurements: tuple[tuple[str, float], ...] = ()
    accession_number: str = "ACC1"
    study_id: str = "S1"
    study_date: str = "20260105"
    study_time: str = "101500"
    referring_physician: str = "Refer^Rita"
    author: str = "Reader^Ruth"
    title: Code = DIAGNOSTIC_IMAGING_REPORT
    #: the document that this one amends
    predecessor: Referenced | None = None
    shared: Dataset | None = field(default=None, compare=False)


def report(plan: ReportPlan, uid: UidSource) -> Dataset:
    """A Basic Text SR, or an Enhanced SR if there is a measurement, by TID 2000."""
    ds = _document(ENHANCED_SR if plan.measurements else BASIC_TEXT_SR, "SR", plan, uid)
    ds.CompletionFlag = "COMPLETE" if plan.complete else "PARTIAL"
    ds.VerificationFlag = "VERIFIED" if plan.verified else "UNVERIFIED"
    if plan.verified:
        observer = Dataset()
        observer.VerifyingOrganization = "Harness Hospital"
        observer.VerificationDateTime = f"{plan.study_date}120000"
        observer.VerifyingObserverName = plan.author
        observer.VerifyingObserverIdentificationCodeSequence = Sequence([])
        ds.VerifyingObserverSequence = Sequence([observer])
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])
    ds.PerformedProcedureCodeSequence = Sequence([])
    if plan.images:
        ds.CurrentRequestedProcedureEvidenceSequence = evidence(plan.images)
    if plan.predecessor is not None:
        ds.PredecessorDocumentsSequence = evidence([plan.predecessor])
    _root(ds, plan.title, "2000")
    observation = [
        _item("HAS CONCEPT MOD", "CODE", LANGUAGE, code=LANGUAGES[plan.language]),
        _item("HAS OBS CONTEXT", "CODE", OBSERVER_TYPE, code=PERSON),
        _item("HAS OBS CONTEXT", "PNAME", OBSERVER_NAME, text=plan.author),
    ]
    texts = [_item("CONTAINS", "TEXT", FINDING, text=text) for text in plan.findings]
    if texts and plan.images:
        texts[0].ContentSequence = Sequence([_image("INFERRED FROM", one) for one in plan.images])
    numbers = [_number(name, value) for name, value in plan.measurements]
    sections = [_section(FINDINGS, [*texts, *numbers])]
    if plan.impressions:
        sections.append(
            _section(IMPRESSIONS, [_item("CONTAINS", "TEXT", IMPRESSION, text=text) for text in plan.impressions])
        )
    ds.ContentSequence = Sequence([*observation, *sections])
    return ds


def key_object_note(
    plan: ReportPlan,
    uid: UidSource,
    *,
    title: Code = OF_INTEREST,
    reason: Code | None = None,
    text: str = "",
) -> Dataset:
    """A key object selection document by TID 2010 of the images of the plan."""
    ds = _document(KEY_OBJECT_SELECTION, "KO", plan, uid)
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])
    ds.CurrentRequestedProcedureEvidenceSequence = evidence(plan.images)
    _root(ds, title, "2010")
    content = []
    if reason is not None:
        content.append(_item("HAS CONCEPT MOD", "CODE", TITLE_MODIFIER, code=reason))
    if text:
        content.append(_item("CONTAINS", "TEXT", DESCRIPTION, text=text))
    content += [_image("CONTAINS", one) for one in plan.images]
    ds.ContentSequence = Sequence(content)
    return ds


def _document(sop_class: str, modality: str, plan: ReportPlan, uid: UidSource) -> Dataset:
    ds = Dataset()
    if plan.subject.character_set:
        ds.SpecificCharacterSet = list(plan.subject.character_set)
    elif not all(text.isascii() for text in (*plan.findings, *plan.impressions, plan.author)):
        ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class), UID(uid())
    ds.PatientName, ds.PatientID = plan.subject.name, plan.subject.id
    ds.PatientBirthDate, ds.PatientSex = plan.subject.birth_date, plan.subject.sex
    ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime = plan.study, plan.study_date, plan.study_time
    ds.StudyID, ds.AccessionNumber = plan.study_id, plan.accession_number
    ds.ReferringPhysicianName = plan.referring_physician
    if plan.shared is not None:
        for keyword in ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
            if keyword in plan.shared:
                setattr(ds, keyword, plan.shared.get(keyword))
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = modality, UID(uid()), 901
    ds.Manufacturer, ds.ManufacturerModelName, ds.DeviceSerialNumber = "IHE harness", "Documents", "1"
    ds.SoftwareVersions = "1"
    ds.InstanceNumber, ds.ContentDate, ds.ContentTime = 1, plan.study_date, "113000"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT_VR_LE)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def _root(ds: Dataset, title: Code, template: str) -> None:
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([title.item()])
    mapped = Dataset()
    mapped.MappingResource, mapped.TemplateIdentifier = "DCMR", template
    ds.ContentTemplateSequence = Sequence([mapped])


def _item(relationship: str, value_type: str, name: Code, *, text: str = "", code: Code | None = None) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, value_type
    ds.ConceptNameCodeSequence = Sequence([name.item()])
    if code is not None:
        ds.ConceptCodeSequence = Sequence([code.item()])
    elif value_type == "PNAME":
        ds.PersonName = text
    else:
        ds.TextValue = text
    return ds


def _number(name: str, value: float) -> Dataset:
    ds = _item("CONTAINS", "NUM", Code(LENGTH.value, LENGTH.scheme, name))
    ds.pop("TextValue", None)
    measured = Dataset()
    measured.NumericValue = f"{value:g}"
    measured.MeasurementUnitsCodeSequence = Sequence([MILLIMETRE.item()])
    ds.MeasuredValueSequence = Sequence([measured])
    return ds


def _section(name: Code, content: Iterable[Dataset]) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType, ds.ContinuityOfContent = "CONTAINS", "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([name.item()])
    ds.ContentSequence = Sequence(list(content))
    return ds


def _image(relationship: str, one: Referenced) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, "IMAGE"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = UID(one.sop_class), UID(one.sop_instance)
    ds.ReferencedSOPSequence = Sequence([reference])
    return ds


def evidence(images: Iterable[Referenced]) -> Sequence:
    """Instances by study and series (PS3.3 Table C.17-3)."""
    studies: dict[str, dict[str, list[Referenced]]] = {}
    for one in images:
        studies.setdefault(one.study, {}).setdefault(one.series, []).append(one)
    made = []
    for study, by_series in studies.items():
        of_study = Dataset()
        series_items = []
        for series, found in by_series.items():
            of_series = Dataset()
            references = []
            for one in found:
                reference = Dataset()
                reference.ReferencedSOPClassUID = UID(one.sop_class)
                reference.ReferencedSOPInstanceUID = UID(one.sop_instance)
                references.append(reference)
            of_series.ReferencedSOPSequence, of_series.SeriesInstanceUID = Sequence(references), UID(series)
            series_items.append(of_series)
        of_study.ReferencedSeriesSequence, of_study.StudyInstanceUID = Sequence(series_items), UID(study)
        made.append(of_study)
    return Sequence(made)
