"""Seeded defects: ways in which a modality can be wrong, each replacing one decision, each with what it breaks.

The legal variants are as unusual as real products are, and break nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.modality.behaviour import HEALTHY, Behaviour
from harness.modality.decisions.delivery import StoreOutcome
from harness.modality.defect_tools import (
    Defect,
)
from harness.modality.defect_tools import (
    append_to as _append_to,
)
from harness.modality.defect_tools import (
    deciding as _set,
)
from harness.modality.defect_tools import (
    defect as _defect,
)
from harness.modality.defect_tools import (
    drop as _drop,
)
from harness.modality.defect_tools import (
    edit as _edit,
)
from harness.modality.defect_tools import (
    image as _image,
)
from harness.modality.defect_tools import (
    in_items as _in_items,
)
from harness.modality.defect_tools import (
    state as _state,
)
from harness.modality.defect_tools import (
    valued as _put,
)
from harness.modality.defects_workflow import WORKFLOW_DEFECTS
from harness.modality.domain import ScheduledStep
from harness.modality.elements import item, items, put, text

MWL = "1.2.840.10008.5.1.4.31"


# -- the changes that need more than a line ----------------------------------------------------------------------------


def _two_step_items(identifier: Dataset) -> None:
    steps = items(identifier, "ScheduledProcedureStepSequence")
    put(identifier, ScheduledProcedureStepSequence=[*steps, item(Modality=None)])


def _always_dated(identifier: Dataset) -> None:
    step = items(identifier, "ScheduledProcedureStepSequence")[0]
    if not text(step, "ScheduledProcedureStepStartDate"):
        put(step, ScheduledProcedureStepStartDate="20000101-")


def _first_of_range(identifier: Dataset) -> None:
    step = items(identifier, "ScheduledProcedureStepSequence")[0]
    put(step, ScheduledProcedureStepStartDate=text(step, "ScheduledProcedureStepStartDate").partition("-")[0])


def _mislabelled(dataset: Dataset) -> None:
    # The bytes are UTF-8, the label says Latin-1.
    name = text(dataset, "PatientName")
    if not name.isascii():
        for keyword in ("PatientName", "PerformedProcedureStepDescription"):
            put(dataset, **{keyword: text(dataset, keyword).encode().decode("latin-1")})
        put(dataset, SpecificCharacterSet="ISO_IR 100")


def _one_group(step: ScheduledStep) -> ScheduledStep:
    return replace(step, patient=replace(step.patient, name=step.patient.name.partition("=")[0]))


def _invented_accession(dataset: Dataset) -> None:
    for each in items(dataset, "ScheduledStepAttributesSequence"):
        if not text(each, "ScheduledProcedureStepID"):
            put(each, AccessionNumber="UNKNOWN")


def _one_scheduled_item(dataset: Dataset) -> None:
    put(dataset, ScheduledStepAttributesSequence=items(dataset, "ScheduledStepAttributesSequence")[:1])


def _local_reason(dataset: Dataset) -> None:
    if items(dataset, "PerformedProcedureStepDiscontinuationReasonCodeSequence"):
        reason = item(CodeValue="1", CodingSchemeDesignator="99REFMOD", CodeMeaning="Stopped")
        put(dataset, PerformedProcedureStepDiscontinuationReasonCodeSequence=[reason])


def _other_codes(keyword: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        if items(dataset, keyword):
            put(dataset, **{keyword: [item(CodeValue="X", CodingSchemeDesignator="99REFMOD", CodeMeaning="Other")]})

    return change


def _study_time_of_image(dataset: Dataset) -> None:
    put(dataset, StudyTime=f"{int(dataset.get('InstanceNumber') or 0) % 24:02d}0000")


def _both_luts(dataset: Dataset) -> None:
    lut = item(LUTDescriptor=(256, 0, 12), LUTData=[16 * entry for entry in range(256)])
    put(dataset, PresentationLUTShape="IDENTITY", PresentationLUTSequence=[lut])


def _private_element(dataset: Dataset) -> None:
    dataset.add_new(0x00190010, "LO", "REFMOD PRIVATE")
    dataset.add_new(0x00191001, "DS", "1.5")


def _patient_again(dataset: Dataset) -> None:
    put(dataset, PatientName="Doe^Jane", PatientID="PID", Modality="DX")


def _empty_series_dropped(made: list[Dataset]) -> list[Dataset]:
    return [
        s
        for s in made
        if items(s, "ReferencedImageSequence") or items(s, "ReferencedNonImageCompositeSOPInstanceSequence")
    ]


def _without_implicit(behaviour: Behaviour) -> Behaviour:
    healthy = behaviour.transfer_syntaxes

    def chosen(abstract_syntax: str, preferred: str) -> tuple[str, ...]:
        proposed = healthy(abstract_syntax, preferred)
        return tuple(uid for uid in proposed if abstract_syntax != MWL or uid != "1.2.840.10008.1.2")

    return replace(behaviour, transfer_syntaxes=chosen)


def _planned_codes(behaviour: Behaviour) -> Behaviour:
    procedures, protocols = behaviour.procedure_codes, behaviour.protocol_codes
    return replace(
        behaviour,
        procedure_codes=lambda steps, chosen: procedures(steps, None if steps else chosen),
        protocol_codes=lambda steps, used: protocols(steps, () if steps else used),
    )


def _all_but_last(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(values)[:-1] or tuple(values)


# fmt: off
DEFECTS: tuple[Defect, ...] = (
    # RAD-5
    _defect("worklist-two-step-items", "the worklist identifier holds two step items", "RAD-5-SCU-03",
            _edit("worklist_identifier", _two_step_items)),
    _defect("worklist-no-study-uid-key", "the worklist query does not ask for the Study Instance UID", "RAD-5-SCU-13",
            _edit("worklist_identifier", _drop("StudyInstanceUID"))),
    _defect("worklist-no-birth-date-key", "the worklist query does not ask for the birth date", "RAD-5-SCU-14",
            _edit("worklist_identifier", _drop("PatientBirthDate"))),
    _defect("worklist-always-dated", "a patient-based query silently adds a start date",
            "RAD-5-SCU-04 RAD-5-SCU-05 RAD-5-SCU-06 RAD-5-SCU-07", _edit("worklist_identifier", _always_dated)),
    _defect("worklist-no-range", "a range of dates is cut to its first day", "RAD-5-SCU-12",
            _edit("worklist_identifier", _first_of_range)),
    _defect("worklist-stops-at-ff01", "a match with status FF01 ends the query", "RAD-5-SCU-16",
            _set(worklist_match=lambda status: status == 0xFF00)),
    _defect("worklist-failure-is-empty", "a failed query is shown as an empty worklist", "RAD-5-SCU-18",
            _set(worklist_complete=lambda status: True)),
    _defect("worklist-no-implicit", "Implicit VR is not proposed for the worklist", "RAD-5-SCU-02", _without_implicit),
    _defect("name-groups-lost", "ideographic and phonetic name groups are dropped",
            "RAD-5-SCU-20 RAD-6-SCU-07 RAD-8-SCU-02 XC-08 XC-10 XC-26 XC-27", _edit("scheduled_step", _one_group)),
    # RAD-6
    _defect("mpps-late", "the N-CREATE is sent only when the exam ends", "RAD-6-SCU-01",
            _set(creates_before_images=lambda: False)),
    _defect("mpps-created-completed", "the N-CREATE says COMPLETED", "RAD-6-SCU-02 RAD-7-SCU-01 EX-06 RAD-7-SCU-10",
            _edit("performed_created", _put(PerformedProcedureStepStatus="COMPLETED"))),
    _defect("mpps-no-start-time", "the N-CREATE has an empty start time", "RAD-6-SCU-03",
            _edit("performed_created", _put(PerformedProcedureStepStartTime=None))),
    _defect("mpps-type2-dropped", "the N-CREATE leaves out an empty type 2 attribute", "RAD-6-SCU-04",
            _edit("performed_created", _drop("PerformedProcedureTypeDescription"))),
    _defect("mpps-step-type2-dropped", "the scheduled step item leaves out the referenced study",
            "RAD-6-SCU-05 "
            "RAD-6-SCU-06 XC-09",
            _edit("performed_created", _in_items("ScheduledStepAttributesSequence", _drop("ReferencedStudySequence")))),
    _defect("mpps-accession-cut", "the accession number in the report loses its last character", "RAD-6-SCU-06 XC-09",
            _edit("performed_created", _in_items("ScheduledStepAttributesSequence",
                  lambda i: put(i, AccessionNumber=text(i, "AccessionNumber")[:-1])))),  # type: ignore[arg-type]
    _defect("mpps-patient-id-altered", "the report carries another patient ID", "RAD-6-SCU-07 XC-08",
            _edit("performed_created", _append_to("PatientID", "-X"))),
    _defect("pps-id-reused", "every performed step has the same ID", "RAD-6-SCU-08 RAD-6-SCU-13 XC-25 XC-31 EX-19",
            _set(performed_step_id=lambda date, number: "PPS1")),
    _defect("mpps-reason-not-created", "the N-CREATE does not prepare the discontinuation reason", "RAD-6-SCU-09",
            _edit("performed_created", _drop("PerformedProcedureStepDiscontinuationReasonCodeSequence"))),
    _defect("unscheduled-accession", "an unscheduled exam invents an accession number", "RAD-6-SCU-10 EX-17",
            _edit("performed_created", _invented_accession)),
    _defect("group-one-item", "a group reports only its first scheduled step", "RAD-6-SCU-11 XC-30",
            _edit("performed_created", _one_scheduled_item)),
    _defect("group-first-study", "a group over procedures goes into the first study", "RAD-6-SCU-12 EX-21",
            _set(study_instance_uid=lambda steps, fresh: steps[0].study_instance_uid if steps else fresh)),
    _defect("append-same-mpps", "a continued exam reuses the finished performed step",
            "RAD-7-SCU-01 RAD-6-SCU-16 RAD-7-SCU-05 RAD-8-SCU-07 RAD-8-SCU-13 XC-13 XC-17 XC-18",
            _set(performed_instance_uid=lambda earlier, fresh: earlier[0] if earlier else fresh)),
    _defect("performed-as-planned", "another procedure is reported as the planned one",
            "RAD-6-SCU-14 "
            "EX-18", _planned_codes),
    _defect("charset-mislabelled", "the N-CREATE has UTF-8 bytes labelled as ISO_IR 100",
            "RAD-5-SCU-20 RAD-6-SCU-07 RAD-6-SCU-18 XC-08 XC-26", _edit("performed_created", _mislabelled)),
    # RAD-7
    _defect("cancel-leaves-orphan", "a cancelled exam stays IN PROGRESS for ever", "RAD-7-SCU-10 RAD-7-SCU-01 EX-06",
            _set(reports_end=lambda discontinued: not discontinued)),
    _defect("cancel-says-completed", "a cancelled exam is reported as COMPLETED", "RAD-7-SCU-10 RAD-7-SCU-12 EX-06",
            _set(final_status=lambda discontinued: "COMPLETED")),
    _defect("final-no-end-time", "the final N-SET has no end time", "RAD-7-SCU-02",
            _edit("performed_ended", _drop("PerformedProcedureStepEndTime"))),
    _defect("final-no-series", "a cancelled exam without images is reported without a series", "RAD-7-SCU-03 EX-04",
            _edit("series_items", _empty_series_dropped)),
    _defect("final-no-protocol-name", "the series of the final N-SET has an empty protocol name",
            "RAD-7-SCU-03 RAD-8-SCU-13 XC-18",
            _edit("series_items", lambda made: [put(s, ProtocolName=None) for s in made])),
    _defect("series-type2-dropped", "the series item leaves out the retrieve AE title", "RAD-7-SCU-04",
            _edit("performed_ended", _in_items("PerformedSeriesSequence", _drop("RetrieveAETitle")))),
    _defect("image-not-reported", "the last image is sent but not reported", "RAD-7-SCU-05 XC-17 EX-05",
            _edit("reported", _all_but_last)),
    _defect("final-repeats-patient", "the final N-SET carries patient attributes", "RAD-7-SCU-07",
            _edit("performed_ended", _patient_again)),
    _defect("final-twice", "the final N-SET is sent twice", "RAD-7-SCU-08", _set(final_reports=lambda: 2)),
    _defect("reason-local-code", "the discontinuation reason is a private code", "RAD-7-SCU-11 RAD-7-SCU-12 EX-06",
            _edit("performed_ended", _local_reason)),
    # RAD-8
    _defect("image-patient-id-altered", "the images carry another patient ID", "RAD-8-SCU-02 XC-10",
            _image(_append_to("PatientID", "-X"))),
    _defect("own-study-uid", "the modality makes its own study UID", "RAD-6-SCU-06 RAD-8-SCU-03 XC-09 XC-11",
            _set(study_instance_uid=lambda steps, fresh: fresh)),
    _defect("image-accession-cut", "the accession number in the images loses its last character", "RAD-8-SCU-04 XC-11",
            _image(lambda ds: put(ds, AccessionNumber=text(ds, "AccessionNumber")[:-1]))),
    _defect("request-attributes-lost", "the images have no Request Attributes", "RAD-8-SCU-05 XC-11 XC-30 RAD-8-SCU-15",
            _image(_drop("RequestAttributesSequence"))),
    _defect("mpps-reference-lost", "the images do not refer to the performed step", "RAD-8-SCU-06 XC-12",
            _image(_drop("ReferencedPerformedProcedureStepSequence"))),
    _defect("image-other-pps-id", "the images carry another performed step ID", "RAD-8-SCU-07 XC-13",
            _image(_put(PerformedProcedureStepID="OTHER"))),
    _defect("image-other-protocol-code", "the images name another performed protocol", "RAD-8-SCU-08 XC-15",
            _image(_other_codes("PerformedProtocolCodeSequence"))),
    _defect("image-other-procedure-code", "the images name another procedure", "RAD-8-SCU-09 XC-15",
            _image(_other_codes("ProcedureCodeSequence"))),
    _defect("referenced-study-lost", "the images do not copy the referenced study", "RAD-8-SCU-10 XC-11",
            _image(_drop("ReferencedStudySequence"))),
    _defect("image-other-study-id", "the images carry another study ID", "RAD-8-SCU-11 XC-14",
            _image(_put(StudyID="OTHER"))),
    _defect("study-time-per-image", "each image has its own study time", "RAD-8-SCU-12", _image(_study_time_of_image)),
    _defect("series-uid-differs", "the images lie in a series that was not reported",
            "RAD-7-SCU-05 RAD-8-SCU-13 "
            "XC-18 RAD-8-SCU-18",
            _image(_append_to("SeriesInstanceUID", ".1"))),
    _defect("group-first-accession", "grouped images take the first accession number", "RAD-8-SCU-16",
            _set(accession_number=lambda steps: steps[0].accession_number if steps else "")),
    _defect("type1-missing", "the images lack a mandatory attribute", "RAD-8-SCU-18", _image(_drop("ImageType"))),
    _defect("store-failure-ignored", "a refused image counts as stored", "RAD-8-SCU-19 EX-26",
            _set(store_outcome=lambda status: StoreOutcome.STORED)),
    _defect("uid-leading-zero", "a UID has a component with a leading zero", "XC-35 RAD-8-SCU-18",
            _image(_put(IrradiationEventUID="1.2.840.01.5"))),
    _defect("value-too-long", "a value is longer than its VR allows", "XC-28 RAD-8-SCU-18",
            _image(_put(StationName="A-STATION-NAME-OF-24-CHAR"))),
    # RAD-9
    _defect("gsps-no-displayed-area", "the presentation state has no displayed area", "RAD-9-SCU-05",
            _state(_drop("DisplayedAreaSelectionSequence"))),
    _defect("gsps-both-luts", "the presentation state has both kinds of Presentation LUT", "RAD-9-SCU-06",
            _state(_both_luts)),
    _defect("gsps-label-missing", "the presentation state has no content label", "RAD-9-SCU-04",
            _state(_drop("ContentLabel"))),
    _defect("gsps-other-study", "the presentation state lies in another study", "RAD-9-SCU-02 RAD-9-SCU-09 XC-32",
            _state(_append_to("StudyInstanceUID", ".1"))),
    _defect("gsps-not-reported", "presentation states are missing in the performed step", "RAD-7-SCU-05 RAD-9-SCU-09",
            _edit("reported", lambda shots: tuple(shot for shot in shots if shot.is_image))),
    # RAD-10
    _defect("transaction-uid-reused", "every commitment request has the same transaction UID", "RAD-10-SCU-02",
            _set(transaction_uid=lambda earlier, fresh: earlier[0] if earlier else fresh)),
    _defect("commit-duplicates", "the commitment request lists an instance twice", "RAD-10-SCU-03",
            _edit("to_commit", lambda references: (*references, references[0]) if references else references)),
    _defect("commit-incomplete", "commitment is not asked for the last instance", "RAD-10-SCU-04 XC-19",
            _edit("to_commit", _all_but_last)),
    _defect("commit-no-listener", "the archive may not report on its own association", "RAD-10-SCU-06",
            _set(accepts_reverse_role=lambda: False)),
    _defect("report-refused", "a commitment result is answered with a failure",
            "RAD-10-SCU-05 RAD-10-SCU-06 RAD-10-SCU-07 EX-22 EX-23",
            _set(event_report_status=lambda known: 0x0110)),
    _defect("delete-before-commit", "studies can be deleted before the archive has committed", "RAD-10-SCU-08",
            _set(deletion_refusal=lambda pending: "")),
    *WORKFLOW_DEFECTS,
)

VARIANTS: tuple[Defect, ...] = (
    _defect("variant-progress-report", "an N-SET with the series so far goes before the final one", "",
            _set(progress_reports=lambda: 1)),
    _defect("variant-implicit-only", "only Implicit VR Little Endian is proposed", "",
            _set(transfer_syntaxes=lambda abstract_syntax, preferred: ("1.2.840.10008.1.2",))),
    _defect("variant-private-elements", "the images hold private elements", "", _image(_private_element)),
    _defect("variant-sends-backwards", "the images are sent in reverse order", "",
            _edit("to_send", lambda references: tuple(reversed(references)))),
    _defect("variant-commits-backwards", "the commitment request lists the instances in reverse order", "",
            _edit("to_commit", lambda references: tuple(reversed(references)))),
    _defect("variant-fewer-return-keys", "optional return keys are left out of the worklist query", "",
            _edit("worklist_identifier", _drop(
                "PatientState", "PregnancyStatus", "MedicalAlerts", "Allergies", "SpecialNeeds", "PatientComments",
                "PatientSize", "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest"))),
    _defect("variant-short-request-items", "Request Attributes hold only what has to be there", "",
            _image(_in_items("RequestAttributesSequence", _drop("AccessionNumber", "StudyInstanceUID",
                                                                "RequestedProcedureDescription",
                                                                "RequestedProcedureCodeSequence")))),
    _defect("variant-no-description", "the performed step has an empty description", "",
            _set(description=lambda steps, chosen: "")),
)
# fmt: on


def behaviour(ids: Sequence[str]) -> Behaviour:
    """Return the behaviour with these defects; raise UsageError for an unknown id."""
    known = {each.id: each for each in (*DEFECTS, *VARIANTS)}
    made = HEALTHY
    for each in ids:
        if each not in known:
            raise UsageError(f"no defect {each!r}; `modality defects` lists them: {', '.join(known)}")
        made = known[each].apply(made)
    return made


def describe(defect: Defect) -> dict[str, Any]:
    """Tell of a defect in plain data."""
    return {"id": defect.id, "title": defect.title, "breaks": " ".join(sorted(defect.breaks))}


def named(ids: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Return id and title of each of these defects that makes the modality wrong; legal variants are left out."""
    return tuple({"id": each.id, "title": each.title} for each in DEFECTS if each.id in ids)
