"""What an archive does with patient updates and merges that came by HL7, as decisions that a defect may replace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from harness.actors.orders.values import Patient


class PatientRecords(Protocol):
    """What of an archive is needed; its Image Manager is one."""

    def update_patient(self, patient_id: str, issuer: str, values: Mapping[str, Any]) -> bool:
        """Replace demographics by DICOM keyword; False if nobody has that ID yet."""

    def merge_patients(self, old: tuple[str, str], new: tuple[str, str], values: Mapping[str, Any]) -> bool:
        """Move every study of the old (ID, issuer) to the new one; False if nobody has the old ID yet."""


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


def update_archive(archive: PatientRecords, patient: Patient) -> None:
    """The archive follows an update."""
    archive.update_patient(*patient.identifier.key, demographics(patient))


def merge_archive(archive: PatientRecords, survivor: Patient, retired: Patient) -> None:
    """The archive follows a merge."""
    values = demographics(survivor)
    archive.merge_patients(retired.identifier.key, survivor.identifier.key, values)
    archive.update_patient(*survivor.identifier.key, values)
