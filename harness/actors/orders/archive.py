"""Carries patient updates and merges from HL7 into an archive, before they are acknowledged (RAD-12)."""

from __future__ import annotations

from harness.actors.orders.book import OrderBook
from harness.actors.orders.endpoint import HL7Endpoint
from harness.actors.orders.records import PatientRecords
from harness.actors.orders.schedule import ScheduleReceiver


def schedule_receiver(
    endpoint: HL7Endpoint, archive: PatientRecords, book: OrderBook | None = None
) -> ScheduleReceiver:
    """The HL7 side of an Image Manager whose archive follows every update and merge."""
    return ScheduleReceiver(
        endpoint,
        book,
        updated=lambda patient: endpoint.behaviour.update_archive(archive, patient),
        merged=lambda survivor, retired: endpoint.behaviour.merge_archive(archive, survivor, retired),
    )
