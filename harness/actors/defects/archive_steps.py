"""Ways of an archive to be wrong about steps, what they made, and what it can do at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pydicom.dataset import Dataset

from harness.actors.archive_keys import Level
from harness.actors.defects.having import having
from harness.actors.defects.steps import demands_coded_reason
from harness.actors.image_manager_behaviour import ImageManagerBehaviour
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.model import Request
from harness.protocols.dicom.uids import PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE

Row = tuple[str, str, str, Callable[[ImageManagerBehaviour], ImageManagerBehaviour]]


_with = partial(having, ImageManagerBehaviour)


def _each(change: Callable[[Dataset], None]) -> Callable[[list[Dataset]], list[Dataset]]:
    def edited(notices: list[Dataset]) -> list[Dataset]:
        for notice in notices:
            change(notice)
        return notices

    return edited


def _without_place(notice: Dataset) -> None:
    for series in notice.ReferencedSeriesSequence:
        for item in series.ReferencedSOPSequence:
            item.RetrieveAETitle = ""


def _all_but_one(notice: Dataset) -> None:
    for series in notice.ReferencedSeriesSequence:
        series.ReferencedSOPSequence = series.ReferencedSOPSequence[:-1] or series.ReferencedSOPSequence


def _without_workitem(notice: Dataset) -> None:
    for item in notice.ReferencedPerformedProcedureStepSequence:
        del item.PerformedWorkitemCodeSequence


def _of_another_step(notice: Dataset) -> None:
    for item in notice.ReferencedPerformedProcedureStepSequence:
        item.ReferencedSOPInstanceUID = f"{item.ReferencedSOPInstanceUID[:60]}.9"


def _read(request: Request) -> Dataset:
    try:
        return request.dataset()
    except WireError:
        return Dataset()


def _keeps_originals(request: Request) -> bool:
    return "DERIVED" not in str(_read(request).get("ImageType", ""))


def _with_step_only(request: Request) -> int:
    return 0x0000 if "ReferencedPerformedProcedureStepSequence" in _read(request) else 0xA900


def _with_request_only(request: Request) -> int:
    return 0x0000 if _read(request).get("RequestAttributesSequence") else 0xA900


ARCHIVE_STEP_DEFECTS: tuple[Row, ...] = (
    (
        "archive-demands-coded-reason",
        "Refuses the end of a step without a reason of CID 9300",
        "EX-09",
        demands_coded_reason,
    ),
    (
        "archive-notice-without-place",
        "Notices of availability do not say from where",
        "RAD-49-SCU-02",
        _with(notices=_each(_without_place)),
    ),
    (
        "archive-notice-all-but-one",
        "Notices of availability leave out an instance",
        "RAD-49-SCU-05 XC-22",
        _with(notices=_each(_all_but_one)),
    ),
    (
        "archive-notice-without-workitem",
        "The step in a notice lacks the workitem code",
        "RAD-49-SCU-06",
        _with(notices=_each(_without_workitem)),
    ),
    (
        "archive-notice-of-another-step",
        "Notices refer to a step that nobody announced",
        "RAD-6-SCP-10 RAD-49-SCU-01",
        _with(notices=_each(_of_another_step)),
    ),
    (
        "archive-drops-derived",
        "Answers derived images with success and does not keep them",
        "RAD-18-SCP-01",
        _with(keeps=_keeps_originals),
    ),
    (
        "archive-loses-an-attribute",
        "Objects come back without their Series Description",
        "RAD-8-SCP-02 RAD-8-SCP-03 RAD-16-SCP-06",
        _with(loses=("SeriesDescription",)),
    ),
    (
        "archive-wants-a-step",
        "Refuses images that name no performed step",
        "RAD-4-DST-02 RAD-8-SCP-01 RAD-8-SCP-04",
        _with(store_status=_with_step_only),
    ),
    (
        "archive-wants-an-order",
        "Refuses images that nobody has ordered",
        "RAD-4-DST-02 RAD-8-SCP-01",
        _with(store_status=_with_request_only),
    ),
    (
        "archive-delivers-nothing",
        "Does not accept retrieve requests",
        "RAD-16-SCP-01 SWF-ACT-05",
        _with(refused_classes=frozenset({PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE})),
    ),
    (
        "archive-no-image-level",
        "Cannot be asked for images",
        "SWF-ACT-06",
        _with(refused_levels=frozenset({Level.IMAGE})),
    ),
)
