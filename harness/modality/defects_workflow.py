"""Further ways of a modality to be wrong in scheduled workflow: what it asks, what it forgets, what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from harness.modality.behaviour import Behaviour
from harness.modality.defect_tools import Defect, deciding, defect, drop, edit, image, in_items, state
from harness.modality.domain import Exam
from harness.modality.elements import item, items, put, text

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"


# -- the worklist --------------------------------------------------------------------------------------------------


def _step_key_lost(*keywords: str) -> Callable[[Dataset], None]:
    """The keys stay in the query without their values."""

    def change(identifier: Dataset) -> None:
        for step in items(identifier, "ScheduledProcedureStepSequence"):
            put(step, **dict.fromkeys(keywords))

    return change


def _one_patient_key(identifier: Dataset) -> None:
    given = [key for key in ("PatientName", "PatientID", "AccessionNumber", "RequestedProcedureID")
             if text(identifier, key)]  # fmt: skip
    put(identifier, **dict.fromkeys(given[1:]))


# -- the performed step --------------------------------------------------------------------------------------------


def _without_first_image(changes: Dataset) -> Dataset:
    for series in items(changes, "PerformedSeriesSequence")[:1]:
        put(series, ReferencedImageSequence=items(series, "ReferencedImageSequence")[1:])
    return changes


def _only_what_changed(behaviour: Behaviour) -> Behaviour:
    return replace(behaviour, progress_reports=lambda: 1, final_changes=_without_first_image)


def _no_billing(exam: Exam) -> Dataset:
    return Dataset()


def _film_without_size(billed: Dataset) -> None:
    put(billed, FilmConsumptionSequence=[item(NumberOfFilms="1", MediumType="BLUE FILM", FilmSizeID=None)])


def _supply_without_quantity(billed: Dataset) -> None:
    code = item(CodeValue="A-12", CodingSchemeDesignator="99REFMOD", CodeMeaning="Contrast agent")
    put(billed, BillingSuppliesAndDevicesSequence=[item(BillingItemSequence=[code], QuantitySequence=[])])


def _no_codes(*given: Any) -> tuple[Any, ...]:
    return ()


# -- the images ----------------------------------------------------------------------------------------------------


def _requested_by_nobody(dataset: Dataset) -> None:
    if not items(dataset, "RequestAttributesSequence"):
        put(dataset, RequestAttributesSequence=[item(RequestedProcedureID="NONE", ScheduledProcedureStepID="NONE")])


def _first_or(earlier: Sequence[str], fresh: str) -> str:
    return earlier[0] if earlier else fresh


def _short_of_images(dataset: Dataset) -> None:
    for series in items(dataset, "ReferencedSeriesSequence"):
        for reference in items(series, "ReferencedImageSequence"):
            put(reference, ReferencedSOPInstanceUID=f"{text(reference, 'ReferencedSOPInstanceUID')}.9")


# fmt: off
WORKFLOW_DEFECTS: tuple[Defect, ...] = (
    # RAD-5
    defect("worklist-asks-for-studies", "the worklist is asked of the study service", "RAD-5-SCU-01",
           deciding(worklist_class=lambda: STUDY_ROOT)),
    defect("worklist-one-key-of-several", "of several patient keys only the first is used", "RAD-5-SCU-08",
           edit("worklist_identifier", _one_patient_key)),
    defect("worklist-drops-date", "the start date never reaches the worklist",
           "RAD-5-SCU-09 RAD-5-SCU-10 RAD-5-SCU-11 RAD-5-SCU-12",
           edit("worklist_identifier", _step_key_lost("ScheduledProcedureStepStartDate"))),
    defect("worklist-drops-modality", "the modality never reaches the worklist", "RAD-5-SCU-10",
           edit("worklist_identifier", _step_key_lost("Modality"))),
    defect("worklist-drops-station", "the station never reaches the worklist", "RAD-5-SCU-11",
           edit("worklist_identifier", _step_key_lost("ScheduledStationAETitle"))),
    defect("worklist-nothing-is-an-error", "an empty worklist is shown as a failure", "RAD-5-SCU-17",
           deciding(worklist_nothing=lambda: "the provider has no data")),
    defect("worklist-first-answer-kept", "what the first query said of a step is never renewed", "RAD-5-SCU-19",
           deciding(worklist_newest=lambda kept, answered: kept or answered)),
    defect("worklist-no-protocol-key", "the worklist query does not ask for the protocol", "RAD-5-SCU-13 RAD-5-SCU-21",
           edit("worklist_identifier", in_items("ScheduledProcedureStepSequence",
                drop("ScheduledProtocolCodeSequence")))),
    defect("unscheduled-needs-worklist", "nobody is examined while the worklist provider is away",
           "EX-25 RAD-6-SCU-01",
           deciding(unscheduled_refusal=lambda connected: "" if connected else "the worklist is not connected")),
    # RAD-6, RAD-7
    defect("protocol-code-not-performed", "the performed protocol code stays empty", "RAD-6-SCU-15",
           deciding(protocol_codes=_no_codes)),
    defect("final-only-changes", "after a report of progress the end holds only what is new",
           "EX-05 RAD-7-SCU-05 RAD-7-SCU-06 XC-17",
           _only_what_changed),
    defect("end-waits-for-archive", "the end of the step waits until the archive has everything", "RAD-7-SCU-09",
           deciding(ends_before_transfer=lambda: False)),
    defect("moved-under-old-uids", "images of a wrong entry keep their UIDs when they are moved",
           "RAD-7-SCU-13 RAD-8-SCU-17 XC-36",
           deciding(moved_instance_uid=lambda before, fresh: before)),
    defect("billing-left-out", "nothing is reported that could be billed", "RAD-7-SCU-14",
           deciding(billing=_no_billing)),
    defect("billing-code-cut", "billing codes have no meaning", "RAD-7-SCU-15",
           edit("billing", in_items("BillingProcedureStepSequence", drop("CodeMeaning")))),
    defect("billing-film-cut", "a film is reported without its size", "RAD-7-SCU-15",
           edit("billing", _film_without_size)),
    defect("billing-supply-cut", "a supply is reported without its quantity", "RAD-7-SCU-15",
           edit("billing", _supply_without_quantity)),
    defect("group-own-study", "a group of one procedure goes into a study of its own",
           "EX-20 RAD-6-SCU-11 XC-09",
           deciding(study_instance_uid=lambda steps, fresh: steps[0].study_instance_uid if len(steps) == 1 else fresh)),
    # RAD-8
    defect("stores-nothing", "nothing is ever sent", "RAD-8-SCU-01 XC-17", deciding(to_send=_no_codes)),
    defect("series-goes-on", "an appended image goes into the series of the step before",
           "EX-19 RAD-8-SCU-14 XC-25 XC-31",
           deciding(series_instance_uid=_first_or)),
    defect("instance-uid-no-root", "SOP Instance UIDs begin with a number that is no root",
           "RAD-10-SCU-03 RAD-10-SCU-04 RAD-7-SCU-05 RAD-8-SCU-17 RAD-8-SCU-18 XC-17",
           image(lambda ds: put(ds, SOPInstanceUID=f"9{ds.SOPInstanceUID}"[:64]))),
    defect("image-other-modality", "the images are of another modality than the step", "RAD-8-SCU-18 XC-16",
           image(lambda ds: put(ds, Modality="OT"))),
    defect("unscheduled-requested", "images of an unscheduled exam name an order", "EX-17 XC-29",
           image(_requested_by_nobody)),
    defect("gsps-of-nothing", "the presentation state refers to images that do not exist", "XC-33",
           state(_short_of_images)),
    # RAD-10
    defect("commitment-never-asked", "commitment is never asked for", "RAD-10-SCU-01 SWF-ACT-04",
           deciding(to_commit=_no_codes)),
)
# fmt: on
