"""The HL7 side of the simulated DSS/Order Filler: takes RAD-1, 2 and 12, originates RAD-3, 4, 12, 13 and 48.

The worklist and the performed procedure steps are another module's; both work on the same :class:`OrderBook`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from harness.actors.orders.behaviour import Change, Refusal, build
from harness.actors.orders.book import OrderBook
from harness.actors.orders.catalogue import DEFAULT_CATALOGUE, Catalogue, schedule
from harness.actors.orders.endpoint import Accepted, Delivery, Destination, HL7Endpoint, Refused, Rule
from harness.actors.orders.hl7 import HL7_231, Appointment, Scene
from harness.actors.orders.layouts import Layout
from harness.actors.orders.patients import PatientReceiver
from harness.actors.orders.reader import numbers_of
from harness.actors.orders.values import (
    Identifier,
    Numbering,
    Order,
    OrderState,
    Patient,
    RequestedProcedure,
    ScheduledStep,
    StepState,
    Visit,
)
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.message import HL7Message

ORDER_FILLER = "DSS/Order Filler"


@dataclass(frozen=True, slots=True)
class FillerPeers:
    """Where a filler sends: the placer (RAD-3, 48) and those that keep schedules (RAD-4, 12, 13)."""

    placer: Destination | None = None
    managers: tuple[Destination, ...] = ()


@dataclass(slots=True)
class _Booked:
    appointments: dict[tuple[str, str], Appointment] = field(default_factory=dict)


class OrderFillerMessages:
    """Orders become requested procedures by ``catalogue``; with ``books_appointments`` each order gets a RAD-48.

    ``station`` fills in where and on which equipment a new step takes place.
    """

    def __init__(
        self,
        endpoint: HL7Endpoint,
        peers: FillerPeers,
        numbering: Numbering,
        book: OrderBook | None = None,
        *,
        catalogue: Catalogue = DEFAULT_CATALOGUE,
        books_appointments: bool = False,
        station: Callable[[ScheduledStep], ScheduledStep] = lambda step: step,
    ) -> None:
        self.endpoint, self.peers, self.numbering = endpoint, peers, numbering
        self.book = book if book is not None else OrderBook()
        self.catalogue, self.books_appointments = catalogue, books_appointments
        self._station = station
        self._booked = _Booked()
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], OrderState] = {}
        #: the newest messages that were sent
        self.deliveries: deque[Delivery] = deque(maxlen=256)
        self._patients = PatientReceiver(
            self.book, endpoint.behaviour, updated=self._forward_update, merged=self._forward_merge
        )

    def start(self) -> int:
        """Listen for RAD-1, 2 and 12; returns the port."""
        needs = ("PID-3.1", "PID-5", "PV1-2", "ORC-1", "ORC-2.1", "OBR-4")
        rules = {**self._patients.registration_rules(), **self._patients.update_rules()}
        rules |= {key: Rule(self._take_order, needs) for key in (("ORM", "O01"), ("OMG", "O19"))}
        return self.endpoint.start(rules)

    def stop(self) -> None:
        """Close all connections."""
        self.endpoint.stop()

    def __enter__(self) -> OrderFillerMessages:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- what others send ----------------------------------------------------------------------------------

    def _take_order(self, message: HL7Message) -> Accepted:
        control = message["ORC-1"]
        if control == "NW":
            return self._new(message)
        if control == "CA":
            return self._cancel(message)
        text = f"order control {control!r} is not one of NW, CA"
        raise Refused(Refusal(Code.ERROR, Condition.TABLE_VALUE, text, "ORC-1"))

    def _new(self, message: HL7Message) -> Accepted:
        number, _ = numbers_of(message)
        if self.book.by_placer(number) is not None:
            text = f"there is an order {number.value} already"
            raise Refused(Refusal(Code.ERROR, Condition.DUPLICATE_KEY, text, "ORC-2"))
        patient, visit = self._patients.take(message)
        if not self.endpoint.behaviour.visit_allows_order(visit):
            text = "the visit of this patient was cancelled"
            raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, "PID-3"))
        order = self.endpoint.behaviour.order_of(message, patient.identifier.key, visit)
        order = self._schedule(replace(order, filler_number=self._filler_number()))

        def then() -> None:
            self._tell_schedule(order, Change.SCHEDULED)
            if self.books_appointments:
                self.book_appointment(order)

        return Accepted(then=then)

    def _cancel(self, message: HL7Message) -> Accepted:
        number, _ = numbers_of(message)
        order = self.book.by_placer(number)
        if order is None:
            text = f"no order {number.value}"
            raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, "ORC-2"))
        if not self.endpoint.behaviour.cancellable(order):
            text = f"order {number.value} cannot be cancelled: its state is {order.state.value}"
            raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, "ORC-2"))
        cancelled = self.endpoint.behaviour.withdraw(self.book, order)

        def then() -> None:
            self._tell_schedule(cancelled, Change.CANCELLED)
            self.cancel_appointment(cancelled)

        return Accepted(then=then)

    def _forward_update(self, message: HL7Message, patient: Patient, visit: Visit) -> None:
        if self.endpoint.behaviour.forwards(bool(self.book.orders_of(patient.identifier))):
            patient = self.endpoint.behaviour.forwarded(patient)
            self._tell_patient(message.trigger, patient, visit, None, deleted=_deleted(message))

    def _forward_merge(self, message: HL7Message, survivor: Patient, retired: Patient) -> None:
        if self.endpoint.behaviour.forwards(bool(self.book.orders_of(survivor.identifier))):
            survivor = self.endpoint.behaviour.forwarded(survivor)
            self._tell_patient("A40", survivor, Visit(), retired)

    # -- what the department does --------------------------------------------------------------------------

    def place(self, patient: Patient, visit: Visit, order: Order, *, study_uid: str = "") -> tuple[Order, Delivery]:
        """An order of the filler's own: RAD-3 SN, then RAD-4 with the number that the placer gave it.

        ``study_uid`` is that of an exam done before it was ordered. Waits for the placer's answer.
        """
        if self.book.patient(patient.identifier) is None:
            self.book.register(patient, visit)
        order = replace(
            order,
            patient=patient.identifier.key,
            visit=visit,
            filler_number=self._filler_number(),
            entered=order.entered or self.endpoint.now(),
        )
        order = self._schedule(order, study_uid)
        announced = replace(self.endpoint.behaviour.announced(order), procedures=())
        delivery = self._tell_placer("SN", "", announced)
        answer = delivery.wait()
        number = _placer_number(answer.message) if answer is not None and answer.code == "AA" else Identifier()
        if number:
            order = self.book.update(order, self.endpoint.behaviour.learned(order, number))
        self._tell_schedule(order, Change.SCHEDULED)
        return order, delivery

    def cancel(self, order: Order) -> Order:
        """The department cancels an order: RAD-3 OC and RAD-13."""
        order = self.endpoint.behaviour.withdraw(self.book, order)
        self._tell_placer("OC", "CA", order)
        self._tell_schedule(order, Change.CANCELLED)
        self.cancel_appointment(order)
        return order

    def replace(self, order: Order, new: Order) -> tuple[Order, Delivery]:
        """A change of an order is OC for the old one and SN for the new one."""
        self.cancel(order)
        patient = self.book.patient(order.patient)
        assert patient is not None
        return self.place(patient, order.visit, new)

    def change(self, order: Order, change: Callable[[RequestedProcedure], RequestedProcedure]) -> Order:
        """Other codes, times or steps of the requested procedures: RAD-13 with the same Study Instance UID."""
        order = self.book.current(order)
        procedures = tuple(change(procedure) for procedure in order.procedures)
        done = order.state in (OrderState.COMPLETED, OrderState.DISCONTINUED)
        order = self.book.update(order, replace(order, procedures=procedures))
        self._tell_schedule(order, Change.CHANGED_AFTER_COMPLETION if done else Change.CHANGED)
        return order

    def discontinue(self, order: Order) -> Order:
        """A procedure in progress will not be finished: RAD-13 DC and RAD-3 SC."""
        order = self.book.cancel(order, StepState.DISCONTINUED)
        self._tell_placer("SC", self.endpoint.behaviour.status_for(order), order)
        self._tell_schedule(order, Change.DISCONTINUED)
        return order

    def step_changed(self, step_id: str, state: StepState) -> Order | None:
        """Note what became of a step and tell the placer of a new state of its order; None if no order has it."""
        self.book.set_step_state(step_id, state)
        orders = self.steps_changed((step_id,))
        return orders[0] if orders else None

    def steps_changed(self, step_ids: Iterable[str]) -> tuple[Order, ...]:
        """Tell the placer of every order whose state is new (RAD-3 SC), once the book knows about its steps."""
        behaviour = self.endpoint.behaviour
        found = (self.book.by_step(step_id) for step_id in behaviour.followed(tuple(step_ids)))
        orders = {order.filler_number.key: order for order in found if order is not None}
        for key, order in orders.items():
            with self._lock:
                before = self._told.get(key, OrderState.SCHEDULED)
                self._told[key] = order.state
            if behaviour.tells_status(before.value, order.state.value) and self.peers.placer is not None:
                self._tell_placer("SC", behaviour.status_for(order), order)
        return tuple(orders.values())

    # -- appointments (RAD-48) -----------------------------------------------------------------------------

    def book_appointment(self, order: Order) -> Delivery | None:
        """S12: a new appointment for the steps of an order."""
        start = order.start or self.endpoint.now()
        made = Appointment(
            filler_id=Identifier(self.numbering.next("T"), self.endpoint.application.name),
            reason=order.service,
            start=start,
            end=_later(start),
            contact=order.ordering,
            service=order.service,
        )
        self._booked.appointments[order.filler_number.key] = made
        return self._tell_appointment("S12", order, made)

    def move_appointment(self, order: Order, start: str) -> Delivery | None:
        """S13: another time for the same appointment; ``start`` is a time stamp."""
        made = self._booked.appointments.get(order.filler_number.key)
        if made is None:
            return None
        made = replace(made, start=start, end=_later(start))
        self._booked.appointments[order.filler_number.key] = made
        return self._tell_appointment("S13", order, self.endpoint.behaviour.moved(made))

    def cancel_appointment(self, order: Order) -> Delivery | None:
        """S15: the appointment is off."""
        made = self._booked.appointments.pop(order.filler_number.key, None)
        if made is None:
            return None
        return self._tell_appointment("S15", order, self.endpoint.behaviour.moved(replace(made, status="Cancelled")))

    # -- messages ------------------------------------------------------------------------------------------

    def _filler_number(self) -> Identifier:
        return Identifier(self.numbering.next("F"), self.endpoint.application.name)

    def _schedule(self, order: Order, study_uid: str = "") -> Order:
        procedures = schedule(
            order, self.catalogue, self.numbering, self.endpoint.behaviour, self.endpoint.now, study_uid
        )
        procedures = tuple(replace(p, steps=tuple(self._station(s) for s in p.steps)) for p in procedures)
        return self.book.add(replace(order, procedures=procedures))

    def _scene(self, layout: Layout, order: Order, destination: Destination, *, version: str = "") -> Scene:
        patient = self.book.patient(order.patient)
        assert patient is not None
        return Scene(
            type=layout.type,
            trigger=layout.trigger,
            structure=layout.structure,
            version=version or self.endpoint.version,
            time=self.endpoint.now(),
            control_id=self.endpoint.next_control_id(),
            sender=self.endpoint.application,
            receiver=destination.application,
            character_sets=self.endpoint.character_sets,
            patient=patient,
            visit=order.visit,
            order=order,
        )

    def _post(self, destination: Destination, message: bytes) -> Delivery:
        delivery = self.endpoint.post(destination, message)
        self.deliveries.append(delivery)
        return delivery

    def _tell_placer(self, control: str, status: str, order: Order) -> Delivery:
        placer = self.peers.placer
        if placer is None:
            return _undelivered("no Order Placer is configured")
        layout = self.endpoint.behaviour.order_layout(self.endpoint.version)
        scene = replace(self._scene(layout, order, placer), control=control, status=status)
        return self._post(placer, build(self.endpoint.behaviour, scene, layout))

    def _tell_schedule(self, order: Order, change: Change) -> None:
        behaviour = self.endpoint.behaviour
        control, status = behaviour.schedule_control(change)
        layout = behaviour.schedule_layout(self.endpoint.version)
        for procedure in order.procedures:
            told = procedure
            if change is not Change.SCHEDULED:
                told = replace(procedure, study_uid=behaviour.study_uid_of_change(self.numbering.uid, procedure))
            for steps in behaviour.steps_of_message(told):
                for manager in self.peers.managers:
                    scene = replace(
                        self._scene(layout, order, manager),
                        procedure=told,
                        step=None,
                        control=control,
                        status=status,
                    )
                    self._post(manager, build(behaviour, scene, layout, steps))

    def _tell_patient(
        self,
        trigger: str,
        patient: Patient,
        visit: Visit,
        retired: Patient | None,
        deleted: frozenset[str] = frozenset(),
    ) -> None:
        layout = self.endpoint.behaviour.adt_layout(trigger)
        for manager in self.peers.managers:
            scene = Scene(
                type=layout.type,
                trigger=trigger,
                structure=layout.structure,
                version=self.endpoint.version,
                time=self.endpoint.now(),
                control_id=self.endpoint.next_control_id(),
                sender=self.endpoint.application,
                receiver=manager.application,
                character_sets=self.endpoint.character_sets,
                patient=patient,
                visit=visit,
                retired=retired,
                deleted=deleted,
            )
            self._post(manager, build(self.endpoint.behaviour, scene, layout))

    def _tell_appointment(self, trigger: str, order: Order, made: Appointment) -> Delivery | None:
        placer = self.peers.placer
        if placer is None:
            return None
        layout = self.endpoint.behaviour.appointment_layout(trigger)
        # SCH-26 and SCH-27 came with v2.4
        version = "2.4" if self.endpoint.version == HL7_231 else self.endpoint.version
        scene = replace(self._scene(layout, order, placer, version=version), appointment=made)
        return self._post(placer, build(self.endpoint.behaviour, scene, layout))


def _placer_number(answer: HL7Message) -> Identifier:
    return numbers_of(answer)[0]


def _deleted(message: HL7Message) -> frozenset[str]:
    pid = message.segment("PID")
    if pid is None:
        return frozenset()
    return frozenset(f"PID-{number}" for number in range(1, len(pid.fields)) if pid.field(number) == '""')


def _later(start: str) -> str:
    digits = start[:14].ljust(14, "0")
    try:
        return (datetime.strptime(digits, "%Y%m%d%H%M%S") + timedelta(minutes=30)).strftime("%Y%m%d%H%M%S")
    except ValueError:
        return start


def _undelivered(why: str) -> Delivery:
    delivery = Delivery(b"")
    delivery.settle(None, why)
    return delivery
