"""Carries patient updates and merges from HL7 into an archive, before they are acknowledged (RAD-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from harness.actors.orders import OrderBook, Patient
from harness.actors.orders_endpoint import HL7Endpoint
from harness.actors.orders_schedule import ScheduleReceiver


class PatientRecords(Protocol):
    """What of an archive is needed; its Image Manager is one."""

    def update_patient(self, patient_id: str, issuer: str, values: Mapping[str, Any]) -> bool:
        """Replace demographics by DICOM keyword; False if nobody has that ID."""

    def merge_patients(self, old: tuple[str, str], new: tuple[str, str], values: Mapping[str, Any]) -> bool:
        """Move every study of the old (ID, issuer) to the new one; False if nobody has the old ID."""


def demographics(patient: Patient) -> dict[str, Any]:
    """A patient by DICOM keyword; the issuer is left as it is where HL7 named none."""
    values: dict[str, Any] = {
        "PatientName": str(patient.name),
        "PatientID": patient.identifier.value,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.sex,
    }
    if patient.identifier.authority:
        values["IssuerOfPatientID"] = patient.identifier.authority
    return values


def schedule_receiver(
    endpoint: HL7Endpoint, archive: PatientRecords, book: OrderBook | None = None
) -> ScheduleReceiver:
    """The HL7 side of an Image Manager whose archive follows every update and merge."""

    def updated(patient: Patient) -> None:
        archive.update_patient(*patient.identifier.key, demographics(patient))

    def merged(survivor: Patient, retired: Patient) -> None:
        values = demographics(survivor)
        archive.merge_patients(retired.identifier.key, survivor.identifier.key, values)
        archive.update_patient(*survivor.identifier.key, values)

    return ScheduleReceiver(endpoint, book, updated=updated, merged=merged)
