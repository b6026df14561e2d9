"""Attribute tables of services: what a conformant partner sends passes, one omission is one finding."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from harness.core.message import Blob, Direction, Message, Protocol
from harness.validation.dimse import command_rules, validate_command
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.services import service_tables, table_for
from tests.unit.validation import samples
from tests.unit.validation.broken import EXPLICIT, create

MPPS, COMMITMENT, WORKLIST = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.1.20.1", "1.2.840.10008.5.1.4.31"
AVAILABILITY, FILM_BOX, GRAYSCALE_BOX = "1.2.840.10008.5.1.4.33", "1.2.840.10008.5.1.1.2", "1.2.840.10008.5.1.1.4"
COLOR_BOX, LUT, PATIENT_FIND = "1.2.840.10008.5.1.1.4.1", "1.2.840.10008.5.1.1.23", "1.2.840.10008.5.1.4.1.2.1.1"


def message(kind: str, sop_class: str, ds: Dataset, **fields: object) -> Message:
    """A message without its command set, as stored evidence may have it."""
    return Message(
        1, 0.0, Direction.FROM_SUT, Protocol.DICOM, kind, transfer_syntax=EXPLICIT,
        fields={"AffectedSOPClassUID": sop_class, **fields}, payload=Blob.of(samples.encoded(ds)),
    )  # fmt: skip


def found(*arguments: object, **fields: object) -> list[tuple[str, str]]:
    kind, sop_class, ds = arguments
    assert isinstance(kind, str)
    assert isinstance(sop_class, str)
    assert isinstance(ds, Dataset)
    return errors(validate_command(message(kind, sop_class, ds, **fields)))


def errors(findings: list[ValidationFinding]) -> list[tuple[str, str]]:
    return [(f.code, f.locator.rpartition(" ")[2]) for f in findings if f.severity is not Severity.INFO]


def worklist_entry() -> Dataset:
    step = Dataset()
    step.ScheduledStationAETitle, step.Modality, step.ScheduledProcedureStepID = "MOD", "CT", "S1"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20260102", "1000"
    step.ScheduledPerformingPhysicianName, step.ScheduledProcedureStepDescription = "", "Chest"
    ds = Dataset()
    ds.ScheduledProcedureStepSequence = [step]
    ds.RequestedProcedureID, ds.RequestedProcedureDescription, ds.StudyInstanceUID = "RP1", "Chest", "1.2.3"
    ds.PatientName, ds.PatientID, ds.AccessionNumber = "Doe^Jane", "4711", ""
    return ds


def availability() -> Dataset:
    instance = samples.reference()
    instance.InstanceAvailability, instance.RetrieveAETitle = "ONLINE", "ARCHIVE"
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = "1.2.4", [instance]
    ds = Dataset()
    ds.StudyInstanceUID, ds.ReferencedSeriesSequence, ds.ReferencedPerformedProcedureStepSequence = (
        "1.2.3",
        [series],
        [],
    )
    return ds


def image_box(color: bool = False) -> Dataset:
    image = Dataset()
    image.SamplesPerPixel, image.PhotometricInterpretation = (3, "RGB") if color else (1, "MONOCHROME2")
    image.Rows, image.Columns, image.BitsAllocated, image.BitsStored, image.HighBit = 2, 2, 8, 8, 7
    image.PixelRepresentation, image.PixelData = 0, bytes(12 if color else 4)
    image["PixelData"].VR = "OW"
    if color:
        image.PlanarConfiguration = 1
    ds = Dataset()
    ds.ImageBoxPosition = 1
    setattr(ds, "BasicColorImageSequence" if color else "BasicGrayscaleImageSequence", [image])
    return ds


def film_box() -> Dataset:
    ds = Dataset()
    ds.ImageDisplayFormat, ds.ReferencedFilmSessionSequence = (
        "STANDARD\\1,1",
        [samples.reference("1.2.840.10008.5.1.1.1")],
    )
    return ds


def test_conformant_messages_raise_nothing() -> None:
    assert found("C-FIND-RSP", WORKLIST, worklist_entry()) == []
    assert found("N-CREATE-RQ", AVAILABILITY, availability()) == []
    assert found("N-SET-RQ", GRAYSCALE_BOX, image_box()) == []
    assert found("N-SET-RQ", COLOR_BOX, image_box(color=True)) == []
    assert found("N-CREATE-RQ", FILM_BOX, film_box()) == []
    assert errors(create(samples.performed_step())) == []


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        ("RequestedProcedureID", "SERVICE-1-EMPTY"),
        ("PatientName", "SERVICE-1-EMPTY"),
        ("StudyInstanceUID", "SERVICE-1-EMPTY"),
    ],
)
def test_a_worklist_entry_needs_values_of_type_1_keys(keyword: str, code: str) -> None:
    entry = worklist_entry()
    setattr(entry, keyword, "")
    assert found("C-FIND-RSP", WORKLIST, entry) == [("SERVICE-1-EMPTY", keyword)]


def test_a_worklist_entry_needs_its_step_attributes_in_the_sequence() -> None:
    entry = worklist_entry()
    entry.ScheduledProcedureStepSequence[0].Modality = ""
    assert found("C-FIND-RSP", WORKLIST, entry) == [("SERVICE-1-EMPTY", "Modality")]


def test_a_worklist_entry_misses_only_what_was_asked_for() -> None:
    entry, query = worklist_entry(), worklist_entry()
    del entry.AccessionNumber
    assert found("C-FIND-RSP", WORKLIST, entry) == []
    request = message("C-FIND-RQ", WORKLIST, query)
    answer = message("C-FIND-RSP", WORKLIST, entry)
    assert errors(validate_command(answer, request)) == [("SERVICE-2-MISSING", "AccessionNumber")]


def test_wildcards_and_ranges_are_legal_in_a_query_and_not_in_an_answer() -> None:
    query = worklist_entry()
    query.PatientName, query.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = "D*", ""
    query.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = "20260101-20260131"
    assert found("C-FIND-RQ", WORKLIST, query) == []
    assert ("VR-DA-LENGTH", "ScheduledProcedureStepStartDate") in found("C-FIND-RSP", WORKLIST, query)


def commitment(failed: bool, listed: bool = True) -> Dataset:
    ds = Dataset()
    ds.TransactionUID = "1.2.3"
    if listed:
        ds.ReferencedSOPSequence = [samples.reference()]
    if failed:
        item = samples.reference()
        item.FailureReason = 0x0112
        ds.FailedSOPSequence = [item]
    return ds


def test_a_commitment_result_fits_its_event_type() -> None:
    def event(number: int, ds: Dataset) -> list[tuple[str, str]]:
        return found("N-EVENT-REPORT-RQ", COMMITMENT, ds, EventTypeID=number)

    assert event(1, commitment(failed=False)) == []
    assert event(2, commitment(failed=True)) == []
    assert event(2, commitment(failed=True, listed=False)) == []
    assert event(1, commitment(failed=True)) == [("SERVICE-NOT-ALLOWED", "FailedSOPSequence")]
    assert event(2, commitment(failed=False)) == [("SERVICE-1-MISSING", "FailedSOPSequence")]
    without_reason = commitment(failed=True)
    del without_reason.FailedSOPSequence[0].FailureReason
    assert event(2, without_reason) == [("SERVICE-1-MISSING", "FailureReason")]


def test_availability_is_told_by_a_defined_value() -> None:
    ds = availability()
    ds.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].InstanceAvailability = "SOON"
    assert found("N-CREATE-RQ", AVAILABILITY, ds) == [("SERVICE-VALUE", "InstanceAvailability")]


def test_print_attributes() -> None:
    box = film_box()
    del box.ReferencedFilmSessionSequence
    assert found("N-CREATE-RQ", FILM_BOX, box) == [("SERVICE-1-MISSING", "ReferencedFilmSessionSequence")]
    image = image_box()
    image.BasicGrayscaleImageSequence[0].BitsStored = 10
    assert ("SERVICE-VALUE", "BitsStored") in found("N-SET-RQ", GRAYSCALE_BOX, image)
    lut = Dataset()
    lut.PresentationLUTShape = "IDENTITY"
    assert found("N-CREATE-RQ", LUT, lut) == []
    lut.PresentationLUTSequence = [Dataset()]
    assert ("SERVICE-NOT-ALLOWED", "PresentationLUTShape") in found("N-CREATE-RQ", LUT, lut)


def test_a_query_by_the_patient_root_needs_the_patient_above_study_level() -> None:
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", ""
    assert found("C-FIND-RQ", PATIENT_FIND, query) == [("SERVICE-1C-MISSING", "PatientID")]
    query.PatientID = "4711"
    assert found("C-FIND-RQ", PATIENT_FIND, query) == []
    query.PatientID = "47*"
    assert found("C-FIND-RQ", PATIENT_FIND, query) == [("QR-UNIQUE-KEY", "PatientID")]


def test_an_mpps_item_lacks_each_attribute_once() -> None:
    for element in list(samples.performed_step()):
        ds = samples.performed_step()
        del ds[element.tag]
        assert [place for _, place in errors(create(ds))] == [element.keyword]


def test_tables_are_found_by_kind_and_class() -> None:
    assert table_for("N-CREATE-RQ", MPPS) is not None
    assert table_for("N-CREATE-RQ", "1.2.3") is None
    assert len({table.name for table in service_tables()}) >= 18
    assert len(command_rules()) == 23
