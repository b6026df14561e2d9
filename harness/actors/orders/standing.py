"""HL7 actors by slug, for whoever starts simulated actors from a configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.actors.orders.adt import ADT, PatientRegistration
from harness.actors.orders.archive import schedule_receiver
from harness.actors.orders.book import OrderBook
from harness.actors.orders.catalogue import DEFAULT_CATALOGUE, Catalogue
from harness.actors.orders.endpoint import Destination, HL7Endpoint
from harness.actors.orders.filler import ORDER_FILLER, FillerPeers, OrderFillerMessages
from harness.actors.orders.placer import ORDER_PLACER, OrderPlacer
from harness.actors.orders.records import PatientRecords
from harness.actors.orders.schedule import IMAGE_MANAGER, ScheduleReceiver
from harness.actors.orders.values import Numbering, ScheduledStep
from harness.core.errors import UsageError

#: slug to the actor's name in the Technical Framework
ACTORS = {"adt": ADT, "order-placer": ORDER_PLACER, "order-filler": ORDER_FILLER, "image-manager": IMAGE_MANAGER}


class StandingActor(Protocol):
    """What all of them have."""

    @property
    def endpoint(self) -> HL7Endpoint:
        """Its listener and queues."""

    def start(self) -> int:
        """Listen; returns the port."""

    def stop(self) -> None:
        """Close all connections."""


def stationed(step: ScheduledStep) -> ScheduledStep:
    """A step on the first station of its modality, where the catalogue names none."""
    if step.station_ae_title:
        return step
    title = f"{step.modality}_1"
    return replace(
        step, station_ae_title=title, station_name=step.station_name or title, location=step.location or "RADIOLOGY"
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whom an actor talks with, and what it works on. ``uid`` makes Study Instance UIDs.

    ``book`` and ``archive`` are those of the actor's DICOM side, so that both know the same.
    """

    uid: Callable[[], str]
    placer: Destination | None = None
    filler: Destination | None = None
    managers: Sequence[Destination] = ()
    book: OrderBook | None = None
    archive: PatientRecords | None = None
    catalogue: Catalogue = field(default_factory=lambda: DEFAULT_CATALOGUE)
    books_appointments: bool = False
    prefix: str = ""


def standing(slug: str, endpoint: HL7Endpoint, around: Surroundings) -> StandingActor:
    """The HL7 side of an actor, not started. Raises UsageError for a slug without one."""
    if slug == "adt":
        return PatientRegistration(endpoint, [peer for peer in (around.placer, around.filler) if peer is not None])
    if slug == "order-placer":
        return OrderPlacer(endpoint, around.filler, Numbering(around.uid, around.prefix), around.book)
    if slug == "order-filler":
        return OrderFillerMessages(
            endpoint,
            FillerPeers(around.placer, tuple(around.managers)),
            Numbering(around.uid, around.prefix),
            around.book,
            catalogue=around.catalogue,
            books_appointments=around.books_appointments,
            station=stationed,
        )
    if slug == "image-manager":
        if around.archive is not None:
            return schedule_receiver(endpoint, around.archive, around.book)
        return ScheduleReceiver(endpoint, around.book)
    raise UsageError(f"{slug!r} has no HL7 side; these have one: {', '.join(ACTORS)}")
