"""A department of simulated actors on loopback, in either HL7 version, all recording into one transcript each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harness.actors.orders.adt import ADT, PatientRegistration
from harness.actors.orders.behaviour import OrdersBehaviour
from harness.actors.orders.endpoint import Destination, HL7Endpoint, Retry
from harness.actors.orders.filler import ORDER_FILLER, FillerPeers, OrderFillerMessages
from harness.actors.orders.hl7 import Application
from harness.actors.orders.placer import ORDER_PLACER, OrderPlacer
from harness.actors.orders.schedule import IMAGE_MANAGER, ScheduleReceiver
from harness.actors.orders.values import Code, Identifier, Numbering, Order, Patient, PersonName, Provider, Visit
from harness.core.transcript import Transcript
from harness.protocols.hl7.mllp import Timeouts

QUICK = Timeouts(connect=2, acknowledge=5, pause=0.2, idle=10)

PATIENT = Patient(
    Identifier("4711", "HOSP", "1.2.3.4", "ISO"),
    PersonName("Miller^Anna^Maria^Dr"),
    birth_date="19700203",
    sex="F",
    race="2106-3",
    address="Main Street 1^^Springfield^^12345",
    account=Identifier("ACC1", "HOSP"),
)
VISIT = Visit(
    number=Identifier("V1", "HOSP"),
    patient_class="O",
    location="WARD^101^1",
    attending=Provider("D1", PersonName("Attending^Arnold")),
    referring=Provider("D2", PersonName("Referring^Rita")),
    admitting=Provider("D3", PersonName("Admitting^Adam")),
    service="MED",
)
ORDER = Order(
    patient=("", ""),
    service=Code("MR-BRAIN", "99HARNESS", "MR of the brain"),
    ordering=Provider("D4", PersonName("Ordering^Olga^^Dr")),
    entered_by=Provider("N1", PersonName("Nurse^Nora")),
    entering_organization=Code("NEURO", "99HOSP", "Neurology"),
    start="20260102090000",
    danger="MRSA",
    clinical_information="headache",
    transport="WHEELCHAIR",
    reason="exclude tumour",
)

NAMES = {ADT: "ADT1", ORDER_PLACER: "OP1", ORDER_FILLER: "OF1", IMAGE_MANAGER: "IM1"}


@dataclass(frozen=True)
class Department:
    """The four actors; ``transcripts`` by actor name."""

    adt: PatientRegistration
    placer: OrderPlacer
    filler: OrderFillerMessages
    manager: ScheduleReceiver
    transcripts: dict[str, Transcript]

    def settle(self) -> None:
        """Wait until the filler has done all that it was asked for and its messages were answered."""
        assert self.filler.endpoint.wait_idle(10)
        for delivery in tuple(self.filler.deliveries):
            assert delivery.wait(10) is not None, delivery.error


@contextmanager
def department(
    version: str = "2.3.1",
    *,
    defects: dict[str, OrdersBehaviour] | None = None,
    character_sets: tuple[str, ...] = ("UNICODE UTF-8",),
    watched: str = "",
    books_appointments: bool = False,
    retry: Retry | None = None,
) -> Iterator[Department]:
    """Start all; ``watched`` is the system under test: all others record into one transcript, key ``""``."""
    shared = Transcript()
    transcripts = {name: Transcript() if name == watched or not watched else shared for name in NAMES}
    transcripts[""] = shared
    ticks = itertools.count()
    uids = itertools.count(1)

    def endpoint(name: str) -> HL7Endpoint:
        return HL7Endpoint(
            transcripts[name],
            actor=name,
            application=Application(NAMES[name], "HOSP"),
            version=version,
            behaviour=(defects or {}).get(name),
            character_sets=character_sets,
            clock=lambda: datetime.fromtimestamp(1767340800 + next(ticks), UTC),
            timeouts=QUICK,
            retry=retry or Retry(attempts=1, delay=0.1),
        )

    def to(name: str, port: int) -> Destination:
        return Destination(name, "127.0.0.1", port, Application(NAMES[name], "HOSP"))

    def numbering() -> Numbering:
        return Numbering(lambda: f"1.2.826.0.1.3680043.8.498.{next(uids)}")

    def talk(one: str, other: str) -> bool:
        """Simulated actors talk with the system under test alone, as in a real run."""
        return not watched or watched in (one, other)

    with ExitStack() as stack:
        manager = stack.enter_context(ScheduleReceiver(endpoint(IMAGE_MANAGER)))
        # the placer and the filler know each other: the placer listens first, the filler's address follows
        placer = OrderPlacer(endpoint(ORDER_PLACER), None, numbering())
        stack.enter_context(placer)
        filler = stack.enter_context(
            OrderFillerMessages(
                endpoint(ORDER_FILLER),
                FillerPeers(
                    to(ORDER_PLACER, placer.endpoint.port) if talk(ORDER_FILLER, ORDER_PLACER) else None,
                    (to(IMAGE_MANAGER, manager.endpoint.port),) if talk(ORDER_FILLER, IMAGE_MANAGER) else (),
                ),
                numbering(),
                books_appointments=books_appointments,
            )
        )
        if talk(ORDER_PLACER, ORDER_FILLER):
            placer.filler = to(ORDER_FILLER, filler.endpoint.port)
        adt = stack.enter_context(
            PatientRegistration(
                endpoint(ADT),
                [
                    to(name, port)
                    for name, port in (
                        (ORDER_PLACER, placer.endpoint.port),
                        (ORDER_FILLER, filler.endpoint.port),
                    )
                    if talk(ADT, name)
                ],
            )
        )
        yield Department(adt, placer, filler, manager, transcripts)


def other_patient(number: str, name: str) -> Patient:
    """A second patient of the same hospital."""
    return replace(PATIENT, identifier=Identifier(number, "HOSP", "1.2.3.4", "ISO"), name=PersonName.parse(name))
