"""Ways of a provider of performed procedure steps, and of a PPS Manager, to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.defects.having import having
from harness.actors.performed_steps import (
    ACCEPTED,
    DISCONTINUED,
    INVALID_ATTRIBUTE_VALUE,
    PerformedStep,
    Reply,
    admit_change,
    admit_creation,
)
from harness.actors.pps_manager import Parcel, PpsManagerBehaviour
from harness.core.message import Blob
from harness.protocols.dicom.datasets import decode, encode
from harness.protocols.dicom.errors import WireError

Row = tuple[str, str, str, Callable[[Any], Any]]


def _steps(**changes: object) -> Callable[[Any], Any]:
    return lambda behaviour: replace(behaviour, steps=replace(behaviour.steps, **changes))


def _any_status(dataset: Dataset, known: PerformedStep | None) -> Reply:
    return admit_creation(dataset, known) if known is not None else ACCEPTED


def _again(dataset: Dataset, known: PerformedStep | None) -> Reply:
    return admit_creation(dataset, None)


def _even_final(dataset: Dataset, known: PerformedStep | None) -> Reply:
    return admit_change(dataset, known) if known is None else ACCEPTED


def _even_unknown(dataset: Dataset, known: PerformedStep | None) -> Reply:
    return ACCEPTED if known is None else admit_change(dataset, known)


def _without_error_id(dataset: Dataset, known: PerformedStep | None) -> Reply:
    reply = admit_change(dataset, known)
    return Reply(reply.status) if known is not None and known.is_final else reply


def _refuses_unscheduled(dataset: Dataset, known: PerformedStep | None) -> Reply:
    reply = admit_creation(dataset, known)
    scheduled = any(
        item.get("ScheduledProcedureStepID") for item in dataset.get("ScheduledStepAttributesSequence", None) or ()
    )
    return reply if scheduled else Reply(0x0106)


def _coded_reasons_only(dataset: Dataset, known: PerformedStep | None) -> Reply:
    reply = admit_change(dataset, known)
    reasons = dataset.get("PerformedProcedureStepDiscontinuationReasonCodeSequence", None) or ()
    coded = bool(reasons) and all(item.get("CodingSchemeDesignator") == "DCM" for item in reasons)
    discontinued = str(dataset.get("PerformedProcedureStepStatus", "")) == DISCONTINUED
    return Reply(INVALID_ATTRIBUTE_VALUE) if reply.status == 0 and discontinued and not coded else reply


accepts_any_creation = _steps(admit_creation=_any_status)
accepts_duplicates = _steps(admit_creation=_again)
accepts_final_change = _steps(admit_change=_even_final)
accepts_unknown = _steps(admit_change=_even_unknown)
demands_coded_reason = _steps(admit_change=_coded_reasons_only)
omits_error_id = _steps(admit_change=_without_error_id)
refuses_unscheduled = _steps(admit_creation=_refuses_unscheduled)


_with = partial(having, PpsManagerBehaviour)


def _first_only(parcel: Parcel, destination: int) -> Parcel | None:
    return parcel if destination == 0 else None


def _creations_only(parcel: Parcel, destination: int) -> Parcel | None:
    return parcel if parcel.kind == "N-CREATE-RQ" else None


def _under_new_uid(parcel: Parcel, destination: int) -> Parcel:
    return replace(parcel, uid=f"{parcel.uid[:60]}.{destination + 1}")


def _changed(keyword: str, value: object) -> Callable[[Parcel, int], Parcel]:
    def forward(parcel: Parcel, destination: int) -> Parcel:
        try:
            dataset = decode(parcel.payload, parcel.transfer_syntax)
        except WireError:
            return parcel
        if keyword in dataset:
            setattr(dataset, keyword, value)
        return replace(parcel, payload=Blob.of(encode(dataset, parcel.transfer_syntax)))

    return forward


PPS_MANAGER_DEFECTS: tuple[Row, ...] = (
    ("ppsm-creates-completed", "Accepts N-CREATE with any status", "RAD-6-SCP-02", accepts_any_creation),
    ("ppsm-creates-twice", "Accepts N-CREATE of an existing instance", "RAD-6-SCP-03", accepts_duplicates),
    ("ppsm-changes-final", "Accepts N-SET after the step is final", "RAD-7-SCP-01", accepts_final_change),
    ("ppsm-no-error-id", "Refuses N-SET after the end without Error ID A710", "RAD-7-SCP-01", omits_error_id),
    ("ppsm-sets-unknown", "Accepts N-SET of a step that was never created", "RAD-7-SCP-02", accepts_unknown),
    (
        "ppsm-refuses-in-progress",
        "Refuses a correct N-CREATE",
        "RAD-6-SCP-01 RAD-6-SCP-02 RAD-6-SCP-06 RAD-20-SCP-01",
        _steps(admit_creation=lambda dataset, known: Reply(0x0110)),
    ),
    (
        "ppsm-refuses-unscheduled",
        "Refuses steps without a scheduled step, those of evidence creators included",
        "RAD-6-SCP-01 RAD-6-SCP-06 RAD-20-SCP-01",
        refuses_unscheduled,
    ),
    (
        "ppsm-one-destination",
        "Forwards to the first destination only",
        "RAD-6-SCP-04 RAD-6-SCP-05 RAD-7-SCP-03 RAD-20-SCP-01 XC-23 EX-24",
        _with(forward=_first_only),
    ),
    (
        "ppsm-drops-ends",
        "Forwards N-CREATE, never N-SET",
        "RAD-6-SCP-05 RAD-7-SCP-03 XC-23 EX-24",
        _with(forward=_creations_only),
    ),
    (
        "ppsm-new-uid",
        "Forwards under another SOP Instance UID",
        "RAD-6-SCP-04 RAD-6-SCP-05 RAD-7-SCP-03 RAD-20-SCP-01 XC-23 EX-24",
        _with(forward=_under_new_uid),
    ),
    (
        "ppsm-changes-id",
        "Forwards N-CREATE with another Performed Procedure Step ID",
        "RAD-6-SCP-04 RAD-20-SCP-01 XC-23",
        _with(forward=_changed("PerformedProcedureStepID", "0")),
    ),
    (
        "ppsm-drops-series",
        "Forwards the final N-SET without the series",
        "RAD-7-SCP-03 XC-23",
        _with(forward=_changed("PerformedSeriesSequence", [])),
    ),
    (
        "ppsm-loses-messages",
        "Loses what it could not forward at once",
        "RAD-6-SCP-04 RAD-6-SCP-05 RAD-7-SCP-03 XC-23 EX-24",
        _with(keeps=False),
    ),
    (
        "ppsm-depends-on-destinations",
        "Refuses messages while a destination is down",
        "RAD-6-SCP-01 RAD-6-SCP-06",
        _with(depends_on_destinations=True),
    ),
)
