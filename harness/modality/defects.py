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
    append_to,
    deciding,
    defect,
    drop,
    edit,
    image,
    in_items,
    state,
    valued,
)
from harness.modality.defects_workflow import WORKFLOW_DEFECTS
from harness.modality.domain import ScheduledStep
from harness.modality.elements import item, items, put, text

MWL = "1.2.840.10008.5.1.4.31"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"


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
    defect("worklist-two-step-items", "the worklist identifier holds two step items", "RAD-5-SCU-03",
            edit("worklist_identifier", _two_step_items)),
    defect("worklist-no-study-uid-key", "the worklist query does not ask for the Study Instance UID", "RAD-5-SCU-13",
            edit("worklist_identifier", drop("StudyInstanceUID"))),
    defect("worklist-no-birth-date-key", "the worklist query does not ask for the birth date", "RAD-5-SCU-14",
            edit("worklist_identifier", drop("PatientBirthDate"))),
    defect("worklist-always-dated", "a patient-based query silently adds a start date",
            "RAD-5-SCU-04 RAD-5-SCU-05 RAD-5-SCU-06 RAD-5-SCU-07", edit("worklist_identifier", _always_dated)),
    defect("worklist-no-range", "a range of dates is cut to its first day", "RAD-5-SCU-12",
            edit("worklist_identifier", _first_of_range)),
    defect("worklist-stops-at-ff01", "a match with status FF01 ends the query", "RAD-5-SCU-16",
            deciding(worklist_match=lambda status: status == 0xFF00)),
    defect("worklist-failure-is-empty", "a failed query is shown as an empty worklist", "RAD-5-SCU-18",
            deciding(worklist_complete=lambda status: True)),
    defect("worklist-no-implicit", "Implicit VR is not proposed for the worklist", "RAD-5-SCU-02", _without_implicit),
    defect("name-groups-lost", "ideographic and phonetic name groups are dropped",
            "RAD-5-SCU-20 RAD-6-SCU-07 RAD-8-SCU-02 XC-08 XC-10 XC-26 XC-27", edit("scheduled_step", _one_group)),
    # RAD-6
    defect("mpps-late", "the N-CREATE is sent only when the exam ends", "RAD-6-SCU-01",
            deciding(creates_before_images=lambda: False)),
    defect("mpps-created-completed", "the N-CREATE says COMPLETED", "RAD-6-SCU-02 RAD-7-SCU-01 EX-06 RAD-7-SCU-10",
            edit("performed_created", valued(PerformedProcedureStepStatus="COMPLETED"))),
    defect("mpps-no-start-time", "the N-CREATE has an empty start time", "RAD-6-SCU-03",
            edit("performed_created", valued(PerformedProcedureStepStartTime=None))),
    defect("mpps-type2-dropped", "the N-CREATE leaves out an empty type 2 attribute", "RAD-6-SCU-04",
            edit("performed_created", drop("PerformedProcedureTypeDescription"))),
    defect("mpps-step-type2-dropped", "the scheduled step item leaves out the referenced study",
            "RAD-6-SCU-05 "
            "RAD-6-SCU-06 XC-09",
            edit("performed_created", in_items("ScheduledStepAttributesSequence", drop("ReferencedStudySequence")))),
    defect("mpps-accession-cut", "the accession number in the report loses its last character", "RAD-6-SCU-06 XC-09",
            edit("performed_created", in_items("ScheduledStepAttributesSequence",
                  lambda i: put(i, AccessionNumber=text(i, "AccessionNumber")[:-1])))),  # type: ignore[arg-type]
    defect("mpps-patient-id-altered", "the report carries another patient ID", "RAD-6-SCU-07 XC-08",
            edit("performed_created", append_to("PatientID", "-X"))),
    defect("pps-id-reused", "every performed step has the same ID", "RAD-6-SCU-08 RAD-6-SCU-13 XC-25 XC-31 EX-19",
            deciding(performed_step_id=lambda date, number: "PPS1")),
    defect("mpps-reason-not-created", "the N-CREATE does not prepare the discontinuation reason", "RAD-6-SCU-09",
            edit("performed_created", drop("PerformedProcedureStepDiscontinuationReasonCodeSequence"))),
    defect("unscheduled-accession", "an unscheduled exam invents an accession number", "RAD-6-SCU-10 EX-17",
            edit("performed_created", _invented_accession)),
    defect("group-one-item", "a group reports only its first scheduled step", "RAD-6-SCU-11 XC-30",
            edit("performed_created", _one_scheduled_item)),
    defect("group-first-study", "a group over procedures goes into the first study", "RAD-6-SCU-12 EX-21",
            deciding(study_instance_uid=lambda steps, fresh: steps[0].study_instance_uid if steps else fresh)),
    defect("append-same-mpps", "a continued exam reuses the finished performed step",
            "RAD-7-SCU-01 RAD-6-SCU-16 RAD-7-SCU-05 RAD-8-SCU-07 RAD-8-SCU-13 XC-13 XC-17 XC-18",
            deciding(performed_instance_uid=lambda earlier, fresh: earlier[0] if earlier else fresh)),
    defect("performed-as-planned", "another procedure is reported as the planned one",
            "RAD-6-SCU-14 "
            "EX-18", _planned_codes),
    defect("charset-mislabelled", "the N-CREATE has UTF-8 bytes labelled as ISO_IR 100",
            "RAD-5-SCU-20 RAD-6-SCU-07 RAD-6-SCU-18 XC-08 XC-26", edit("performed_created", _mislabelled)),
    # RAD-7
    defect("cancel-leaves-orphan", "a cancelled exam stays IN PROGRESS for ever", "RAD-7-SCU-10 RAD-7-SCU-01 EX-06",
            deciding(reports_end=lambda discontinued: not discontinued)),
    defect("cancel-says-completed", "a cancelled exam is reported as COMPLETED, and cannot be moved to the right entry",
            "RAD-6-SCU-01 RAD-7-SCU-10 RAD-7-SCU-12 EX-06",
            deciding(final_status=lambda discontinued: "COMPLETED")),
    defect("final-no-end-time", "the final N-SET has no end time", "RAD-7-SCU-02",
            edit("performed_ended", drop("PerformedProcedureStepEndTime"))),
    defect("final-no-series", "a cancelled exam without images is reported without a series", "RAD-7-SCU-03 EX-04",
            edit("series_items", _empty_series_dropped)),
    defect("final-no-protocol-name", "the series of the final N-SET has an empty protocol name",
            "RAD-7-SCU-03 RAD-8-SCU-13 XC-18",
            edit("series_items", lambda made: [put(s, ProtocolName=None) for s in made])),
    defect("series-type2-dropped", "the series item leaves out the retrieve AE title", "RAD-7-SCU-04",
            edit("performed_ended", in_items("PerformedSeriesSequence", drop("RetrieveAETitle")))),
    defect("image-not-reported", "the last image is sent but not reported", "RAD-7-SCU-05 XC-17 EX-05",
            edit("reported", _all_but_last)),
    defect("final-repeats-patient", "the final N-SET carries patient attributes", "RAD-7-SCU-07",
            edit("performed_ended", _patient_again)),
    defect("final-twice", "the final N-SET is sent twice", "RAD-7-SCU-08", deciding(final_reports=lambda: 2)),
    defect("reason-local-code", "the discontinuation reason is a private code", "RAD-7-SCU-11 RAD-7-SCU-12 EX-06",
            edit("performed_ended", _local_reason)),
    # RAD-8
    defect("image-patient-id-altered", "the images carry another patient ID", "RAD-8-SCU-02 XC-10",
            image(append_to("PatientID", "-X"))),
    defect("own-study-uid", "the modality makes its own study UID", "RAD-6-SCU-06 RAD-8-SCU-03 XC-09 XC-11",
            deciding(study_instance_uid=lambda steps, fresh: fresh)),
    defect("image-accession-cut", "the accession number in the images loses its last character", "RAD-8-SCU-04 XC-11",
            image(lambda ds: put(ds, AccessionNumber=text(ds, "AccessionNumber")[:-1]))),
    defect("request-attributes-lost", "the images have no Request Attributes", "RAD-8-SCU-05 XC-11 XC-30 RAD-8-SCU-15",
            image(drop("RequestAttributesSequence"))),
    defect("mpps-reference-lost", "the images do not refer to the performed step", "RAD-8-SCU-06 XC-12",
            image(drop("ReferencedPerformedProcedureStepSequence"))),
    defect("image-other-pps-id", "the images carry another performed step ID", "RAD-8-SCU-07 XC-13",
            image(valued(PerformedProcedureStepID="OTHER"))),
    defect("image-other-protocol-code", "the images name another performed protocol", "RAD-8-SCU-08 XC-15",
            image(_other_codes("PerformedProtocolCodeSequence"))),
    defect("image-other-procedure-code", "the images name another procedure", "RAD-8-SCU-09 XC-15",
            image(_other_codes("ProcedureCodeSequence"))),
    defect("referenced-study-lost", "the images do not copy the referenced study", "RAD-8-SCU-10 XC-11",
            image(drop("ReferencedStudySequence"))),
    defect("image-other-study-id", "the images carry another study ID", "RAD-8-SCU-11 XC-14",
            image(valued(StudyID="OTHER"))),
    defect("study-time-per-image", "each image has its own study time", "RAD-8-SCU-12", image(_study_time_of_image)),
    defect("series-uid-differs", "the images lie in a series that was not reported",
            "RAD-7-SCU-05 RAD-8-SCU-13 "
            "XC-18 RAD-8-SCU-18",
            image(append_to("SeriesInstanceUID", ".1"))),
    defect("group-first-accession", "grouped images take the first accession number", "RAD-8-SCU-16",
            deciding(accession_number=lambda steps: steps[0].accession_number if steps else "")),
    defect("type1-missing", "the images lack a mandatory attribute", "RAD-8-SCU-18", image(drop("ImageType"))),
    defect("store-failure-ignored", "a refused image counts as stored", "RAD-8-SCU-19 EX-26",
            deciding(store_outcome=lambda status: StoreOutcome.STORED)),
    defect("uid-leading-zero", "a UID has a component with a leading zero", "XC-35 RAD-8-SCU-18",
            image(valued(IrradiationEventUID="1.2.840.01.5"))),
    defect("value-too-long", "a value is longer than its VR allows", "XC-28 RAD-8-SCU-18",
            image(valued(StationName="A-STATION-NAME-OF-24-CHAR"))),
    # RAD-9
    defect("gsps-no-displayed-area", "the presentation state has no displayed area", "RAD-9-SCU-05",
            state(drop("DisplayedAreaSelectionSequence"))),
    defect("gsps-both-luts", "the presentation state has both kinds of Presentation LUT", "RAD-9-SCU-06",
            state(_both_luts)),
    defect("gsps-label-missing", "the presentation state has no content label", "RAD-9-SCU-04",
            state(drop("ContentLabel"))),
    defect("gsps-other-study", "the presentation state lies in another study", "RAD-9-SCU-02 RAD-9-SCU-09 XC-32",
            state(append_to("StudyInstanceUID", ".1"))),
    defect("gsps-not-reported", "presentation states are missing in the performed step", "RAD-9-SCU-09",
            edit("reported", lambda shots: tuple(shot for shot in shots if shot.is_image))),
    defect("gsps-other-modality", "the presentation state has the modality of its image", "RAD-9-SCU-01",
            state(valued(Modality="CR"))),
    defect("gsps-unknown-image", "the presentation state refers to an image that nobody stored", "RAD-9-SCU-03 XC-33",
            state(in_items("ReferencedSeriesSequence",
                  in_items("ReferencedImageSequence", append_to("ReferencedSOPInstanceUID", ".1"))))),
    defect("gsps-same-instance", "every presentation state is stored under the same SOP Instance UID",
            "CPI-ACT-01 RAD-9-SCU-08 RAD-9-SCU-09 RAD-9-SCU-10",
            state(valued(SOPInstanceUID="2.25.4711"))),
    defect("gsps-odd-rotation", "the presentation state asks for a rotation by 45 degrees", "RAD-9-SCU-07",
            state(valued(ImageRotation=45))),
    defect("gsps-not-committed", "commitment is asked for images only", "CPI-ACT-01 RAD-10-SCU-01",
            edit("to_commit", lambda references: tuple(
                one for one in references if one.class_uid != GSPS))),
    # RAD-10
    defect("transaction-uid-reused", "every commitment request has the same transaction UID", "RAD-10-SCU-02",
            deciding(transaction_uid=lambda earlier, fresh: earlier[0] if earlier else fresh)),
    defect("commit-duplicates", "the commitment request lists an instance twice", "RAD-10-SCU-03",
            edit("to_commit", lambda references: (*references, references[0]) if references else references)),
    defect("commit-incomplete", "commitment is not asked for the last instance", "RAD-10-SCU-04 XC-19",
            edit("to_commit", _all_but_last)),
    defect("commit-no-listener", "the archive may not report on its own association", "RAD-10-SCU-06",
            deciding(accepts_reverse_role=lambda: False)),
    defect("report-refused", "a commitment result is answered with a failure",
            "RAD-10-SCU-05 RAD-10-SCU-06 RAD-10-SCU-07 EX-22 EX-23",
            deciding(event_report_status=lambda known: 0x0110)),
    defect("delete-before-commit", "studies can be deleted before the archive has committed", "RAD-10-SCU-08",
            deciding(deletion_refusal=lambda pending: "")),
    # all of DICOM
    defect("leaves-by-abort", "associations end by an abort once everything was answered", "DICOM-GEN-05",
            deciding(leaves_politely=lambda: False)),
    *WORKFLOW_DEFECTS,
)

VARIANTS: tuple[Defect, ...] = (
    defect("variant-progress-report", "an N-SET with the series so far goes before the final one", "",
            deciding(progress_reports=lambda: 1)),
    defect("variant-implicit-only", "only Implicit VR Little Endian is proposed", "",
            deciding(transfer_syntaxes=lambda abstract_syntax, preferred: ("1.2.840.10008.1.2",))),
    defect("variant-private-elements", "the images hold private elements", "", image(_private_element)),
    defect("variant-sends-backwards", "the images are sent in reverse order", "",
            edit("to_send", lambda references: tuple(reversed(references)))),
    defect("variant-commits-backwards", "the commitment request lists the instances in reverse order", "",
            edit("to_commit", lambda references: tuple(reversed(references)))),
    defect("variant-fewer-return-keys", "optional return keys are left out of the worklist query", "",
            edit("worklist_identifier", drop(
                "PatientState", "PregnancyStatus", "MedicalAlerts", "Allergies", "SpecialNeeds", "PatientComments",
                "PatientSize", "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest"))),
    defect("variant-short-request-items", "Request Attributes hold only what has to be there", "",
            image(in_items("RequestAttributesSequence", drop("AccessionNumber", "StudyInstanceUID",
                                                                "RequestedProcedureDescription",
                                                                "RequestedProcedureCodeSequence")))),
    defect("variant-no-description", "the performed step has an empty description", "",
            deciding(description=lambda steps, chosen: "")),
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
