"""Performed procedure step messages as a modality or an evidence creator sends them (PS3.4 Table F.7.2-1).

Pure builders: from worklist answers (none: unscheduled, one: simple or append, several: group) to the data sets
of N-CREATE and N-SET. A second implementation of RAD TF-2 Appendix A, independent of the checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from harness.actors.objects import Sample, Subject
from harness.actors.orders.values import Code
from harness.actors.performed_steps import COMPLETED, DISCONTINUED, IN_PROGRESS

#: final reasons of CID 9300 that scenarios use most
DOCTOR_CANCELLED = Code("110500", "DCM", "Doctor canceled procedure")
INCORRECT_WORKLIST_ENTRY = Code("110514", "DCM", "Incorrect worklist entry selected")
UNSPECIFIED_REASON = Code("110513", "DCM", "Discontinued for unspecified reason")

_NON_IMAGES = ("1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.104.")


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a performed step has of its own. ``study_uid`` is used where no worklist entry gives one, and in groups
    over several procedures, whose images share a study that the modality makes."""

    pps_id: str
    study_uid: str
    station_ae_title: str
    modality: str = "CT"
    start_date: str = "20260105"
    start_time: str = "101500"
    end_date: str = "20260105"
    end_time: str = "103000"
    description: str = ""
    station_name: str = ""
    location: str = ""
    subject: Subject = field(default_factory=Subject)
    study_id: str = ""
    #: None: as scheduled
    performed_protocol: Sequence[Code] | None = None
    performed_procedure: Sequence[Code] | None = None


def study_uid_of(entries: Sequence[Dataset], plan: StepPlan) -> str:
    """The study that the images of the step go to."""
    scheduled = list(dict.fromkeys(str(entry.StudyInstanceUID) for entry in entries))
    return scheduled[0] if len(scheduled) == 1 else plan.study_uid


def creation(entries: Sequence[Dataset], plan: StepPlan) -> Dataset:
    """The N-CREATE data set: IN PROGRESS, everything that may be set later created with zero length."""
    dataset = Dataset()
    first = entries[0] if entries else _patient(plan.subject)
    if first.get("SpecificCharacterSet"):
        dataset.SpecificCharacterSet = first.SpecificCharacterSet
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(dataset, keyword, first.get(keyword, "") or "")
    if first.get("IssuerOfPatientID"):
        dataset.IssuerOfPatientID = first.IssuerOfPatientID
    dataset.ReferencedPatientSequence = []
    study_uid = study_uid_of(entries, plan)
    dataset.ScheduledStepAttributesSequence = [_scheduled(entry, study_uid) for entry in entries] or [
        _unscheduled(study_uid)
    ]
    dataset.PerformedProcedureStepID = plan.pps_id
    dataset.PerformedStationAETitle = plan.station_ae_title
    dataset.PerformedStationName = plan.station_name
    dataset.PerformedLocation = plan.location
    dataset.PerformedProcedureStepStartDate = plan.start_date
    dataset.PerformedProcedureStepStartTime = plan.start_time
    dataset.PerformedProcedureStepEndDate = ""
    dataset.PerformedProcedureStepEndTime = ""
    dataset.PerformedProcedureStepStatus = IN_PROGRESS
    dataset.PerformedProcedureStepDescription = plan.description
    dataset.PerformedProcedureTypeDescription = ""
    dataset.PerformedProcedureStepDiscontinuationReasonCodeSequence = []
    dataset.Modality = plan.modality
    dataset.StudyID = plan.study_id or (str(entries[0].get("RequestedProcedureID", "") or "") if entries else "")
    dataset.ProcedureCodeSequence = procedure_codes(entries, plan)
    dataset.PerformedProtocolCodeSequence = protocol_codes(entries, plan)
    dataset.PerformedSeriesSequence = []
    return dataset


def completion(samples: Sequence[Sample], plan: StepPlan, created: Dataset, *, status: str = COMPLETED) -> Dataset:
    """The final N-SET data set: what was made, by series, and the end; never what may not be changed."""
    dataset = Dataset()
    if created.get("SpecificCharacterSet"):
        dataset.SpecificCharacterSet = created.SpecificCharacterSet
    dataset.PerformedProcedureStepEndDate = plan.end_date
    dataset.PerformedProcedureStepEndTime = plan.end_time
    dataset.PerformedProcedureStepStatus = status
    dataset.PerformedSeriesSequence = _series(samples)
    return dataset


def discontinuation(
    samples: Sequence[Sample], plan: StepPlan, created: Dataset, reason: Code | None = UNSPECIFIED_REASON
) -> Dataset:
    """The N-SET data set of a step that was abandoned, with the reason of CID 9300 if there is one."""
    dataset = completion(samples, plan, created, status=DISCONTINUED)
    dataset.PerformedProcedureStepDiscontinuationReasonCodeSequence = [_code(reason)] if reason else []
    if not samples:
        # Table F.7.2-1 wants one item in a final state even when nothing was made
        dataset.PerformedSeriesSequence = [_series_item(f"{plan.study_uid}.0", "None", [])]
    return dataset


def progress(samples: Sequence[Sample], created: Dataset) -> Dataset:
    """An intermediate N-SET: the complete series list so far."""
    dataset = Dataset()
    if created.get("SpecificCharacterSet"):
        dataset.SpecificCharacterSet = created.SpecificCharacterSet
    dataset.PerformedSeriesSequence = _series(samples)
    return dataset


def procedure_codes(entries: Sequence[Dataset], plan: StepPlan) -> list[Dataset]:
    """Procedure Code Sequence: the requested ones, or what was done instead."""
    if plan.performed_procedure is not None:
        return [_code(code) for code in plan.performed_procedure]
    return _distinct([code for entry in entries for code in entry.get("RequestedProcedureCodeSequence", None) or ()])


def protocol_codes(entries: Sequence[Dataset], plan: StepPlan) -> list[Dataset]:
    """Performed Protocol Code Sequence: the scheduled ones, or what was done instead."""
    if plan.performed_protocol is not None:
        return [_code(code) for code in plan.performed_protocol]
    return _distinct(
        [code for entry in entries for code in scheduled_step(entry).get("ScheduledProtocolCodeSequence", None) or ()]
    )


def scheduled_step(entry: Dataset) -> Dataset:
    """The item of the Scheduled Procedure Step Sequence of a worklist answer."""
    items = entry.get("ScheduledProcedureStepSequence", None) or ()
    return items[0] if items else Dataset()


def request_attributes(entries: Sequence[Dataset]) -> list[Dataset]:
    """Request Attributes Sequence of the images: one item per scheduled step."""
    found = []
    for entry in entries:
        step = scheduled_step(entry)
        item = Dataset()
        item.RequestedProcedureID = entry.get("RequestedProcedureID", "")
        item.ScheduledProcedureStepID = step.get("ScheduledProcedureStepID", "")
        if step.get("ScheduledProcedureStepDescription"):
            item.ScheduledProcedureStepDescription = step.ScheduledProcedureStepDescription
        if step.get("ScheduledProtocolCodeSequence"):
            item.ScheduledProtocolCodeSequence = _copies(step.ScheduledProtocolCodeSequence)
        if entry.get("RequestedProcedureDescription"):
            item.RequestedProcedureDescription = entry.RequestedProcedureDescription
        found.append(item)
    return found


def referenced_studies(entries: Sequence[Dataset]) -> list[Dataset]:
    """Referenced Study Sequence: the worklist's items; in a group without them, a reference per procedure."""
    several = len({str(entry.StudyInstanceUID) for entry in entries}) > 1
    found: list[Dataset] = []
    for entry in entries:
        given = entry.get("ReferencedStudySequence", None) or ()
        found += given or ([_original_study(entry)] if several else [])
    return _distinct(found)


def _original_study(entry: Dataset) -> Dataset:
    """A reference to the study that was planned for an entry, which images of a group do not belong to."""
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    item.ReferencedSOPInstanceUID = entry.StudyInstanceUID
    return item


def _scheduled(entry: Dataset, study_uid: str) -> Dataset:
    step = scheduled_step(entry)
    item = Dataset()
    item.AccessionNumber = entry.get("AccessionNumber", "") or ""
    item.ReferencedStudySequence = _copies(entry.get("ReferencedStudySequence", None) or ())
    if str(entry.StudyInstanceUID) != study_uid and not item.ReferencedStudySequence:
        item.ReferencedStudySequence = [_original_study(entry)]
    item.StudyInstanceUID = study_uid
    item.RequestedProcedureDescription = entry.get("RequestedProcedureDescription", "") or ""
    item.RequestedProcedureID = entry.get("RequestedProcedureID", "") or ""
    item.ScheduledProcedureStepDescription = step.get("ScheduledProcedureStepDescription", "") or ""
    item.ScheduledProtocolCodeSequence = _copies(step.get("ScheduledProtocolCodeSequence", None) or ())
    item.ScheduledProcedureStepID = step.get("ScheduledProcedureStepID", "") or ""
    for keyword in ("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest"):
        if entry.get(keyword):
            setattr(item, keyword, entry[keyword].value)
    return item


def _unscheduled(study_uid: str) -> Dataset:
    entry = Dataset()
    entry.StudyInstanceUID = study_uid
    return _scheduled(entry, study_uid)


def _patient(subject: Subject) -> Dataset:
    dataset = Dataset()
    if subject.character_set:
        dataset.SpecificCharacterSet = list(subject.character_set)
    dataset.PatientName, dataset.PatientID = subject.name, subject.id
    dataset.PatientBirthDate, dataset.PatientSex = subject.birth_date, subject.sex
    return dataset


def _series(samples: Sequence[Sample]) -> list[Dataset]:
    by_uid: dict[str, list[Sample]] = {}
    for sample in samples:
        by_uid.setdefault(str(sample.dataset.SeriesInstanceUID), []).append(sample)
    return [
        _series_item(uid, str(members[0].dataset.get("ProtocolName", "") or "Protocol"), members)
        for uid, members in by_uid.items()
    ]


def _series_item(uid: str, protocol: str, members: Sequence[Sample]) -> Dataset:
    item = Dataset()
    item.RetrieveAETitle = ""
    item.SeriesDescription = str(members[0].dataset.get("SeriesDescription", "")) if members else ""
    item.PerformingPhysicianName = ""
    item.OperatorsName = ""
    item.ProtocolName = protocol
    item.SeriesInstanceUID = uid
    item.ReferencedImageSequence = [_reference(one) for one in members if not _is_other(one)]
    item.ReferencedNonImageCompositeSOPInstanceSequence = [_reference(one) for one in members if _is_other(one)]
    return item


def _is_other(sample: Sample) -> bool:
    return sample.sop_class.startswith(_NON_IMAGES)


def _reference(sample: Sample) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sample.sop_class, sample.sop_instance
    return item


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme, code.meaning
    return item


def _distinct(items: Sequence[Dataset]) -> list[Dataset]:
    found: list[Dataset] = []
    for item in items:
        if item not in found:
            found.append(item)
    return _copies(found)


def _copies(items: Sequence[Dataset]) -> list[Dataset]:
    copies = []
    for item in items:
        copy = Dataset()
        copy.update(item)
        copies.append(copy)
    return copies
