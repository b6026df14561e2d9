"""The simulated Order Placer: places and cancels orders (RAD-2), numbers the filler's own (RAD-3), takes RAD-48."""

from __future__ import annotations

from dataclasses import replace

from harness.actors.orders.behaviour import Refusal, build
from harness.actors.orders.book import OrderBook
from harness.actors.orders.endpoint import Accepted, Delivery, Destination, HL7Endpoint, Refused, Rule
from harness.actors.orders.hl7 import Appointment, Scene
from harness.actors.orders.patients import PatientReceiver
from harness.actors.orders.reader import appointment_of, order_of
from harness.actors.orders.values import Identifier, Numbering, Order, OrderState, Patient, Visit
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.message import HL7Message

ORDER_PLACER = "Order Placer"


class OrderPlacer:
    """Orders go to ``filler``; ``book`` holds patients and orders, ``appointments`` what RAD-48 told."""

    def __init__(
        self,
        endpoint: HL7Endpoint,
        filler: Destination | None,
        numbering: Numbering,
        book: OrderBook | None = None,
    ) -> None:
        self.endpoint, self.filler, self.numbering = endpoint, filler, numbering
        self.book = book if book is not None else OrderBook()
        self.appointments: dict[tuple[str, str], Appointment] = {}
        self._patients = PatientReceiver(self.book, endpoint.behaviour)

    def start(self) -> int:
        """Listen for RAD-1, 3, 12 and 48; returns the port."""
        old, new = ("ORM", "O01"), ("OMG", "O19")
        rules = {**self._patients.registration_rules(), **self._patients.update_rules()}
        rules |= {key: Rule(self._take_order, ("PID-3.1", "ORC-1", "ORC-3.1")) for key in (old, new)}
        rules |= {("SIU", trigger): Rule(self._take_appointment, ("SCH-2.1",)) for trigger in ("S12", "S13", "S15")}
        return self.endpoint.start(rules)

    def stop(self) -> None:
        """Close all connections."""
        self.endpoint.stop()

    def __enter__(self) -> OrderPlacer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- RAD-2 -----------------------------------------------------------------------------------------------

    def place(self, patient: Patient, visit: Visit, order: Order) -> tuple[Order, Delivery]:
        """Give an order a number, keep it and send it (NW). A patient that is unknown is kept as well."""
        if self.book.patient(patient.identifier) is None:
            self.book.register(patient, visit)
        number = Identifier(self.numbering.next("P"), self.endpoint.application.name)
        order = self.book.add(
            replace(
                order,
                patient=patient.identifier.key,
                visit=visit,
                placer_number=number,
                entered=order.entered or self.endpoint.now(),
            )
        )
        return order, self._send("NW", order)

    def cancel(self, order: Order) -> tuple[Order, Delivery]:
        """Cancel an order (CA)."""
        order = self.book.update(order, replace(self.book.current(order), state=OrderState.CANCELLED))
        return order, self._send("CA", self.endpoint.behaviour.cancelled(order))

    def change(self, order: Order, new: Order) -> tuple[Order, Delivery]:
        """A change of an order is a cancel and a new order with a number of its own."""
        self.cancel(order)
        patient = self.book.patient(order.patient)
        assert patient is not None
        return self.place(patient, order.visit, new)

    def _send(self, control: str, order: Order) -> Delivery:
        assert self.filler is not None, "no DSS/Order Filler is configured: give the placer a destination"
        layout = self.endpoint.behaviour.order_layout(self.endpoint.version)
        patient = self.book.patient(order.patient)
        assert patient is not None
        scene = Scene(
            type=layout.type,
            trigger=layout.trigger,
            structure=layout.structure,
            version=self.endpoint.version,
            time=self.endpoint.now(),
            control_id=self.endpoint.next_control_id(),
            sender=self.endpoint.application,
            receiver=self.filler.application,
            character_sets=self.endpoint.character_sets,
            patient=patient,
            visit=order.visit,
            order=order,
            control=control,
        )
        return self.endpoint.post(self.filler, build(self.endpoint.behaviour, scene, layout))

    # -- RAD-3, RAD-48 ---------------------------------------------------------------------------------------

    def _take_order(self, message: HL7Message) -> Accepted:
        control = message["ORC-1"]
        if control == "SN":
            return self._number(message)
        if control not in ("SC", "OC"):
            text = f"order control {control!r} is not one of SN, SC, OC"
            raise Refused(Refusal(Code.ERROR, Condition.TABLE_VALUE, text, "ORC-1"))
        told = order_of(message, ("", ""), Visit())
        order = self.book.by_placer(told.placer_number) or self.book.by_filler(told.filler_number)
        if order is None:
            text = f"no order {told.placer_number.value or told.filler_number.value}"
            raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, "ORC-2"))
        states = {"IP": "IP", "CM": "CM", "DC": "DC", "CD": "DC", "CA": "CA", "SC": "SC"}
        state = OrderState.CANCELLED if control == "OC" else OrderState(states.get(message["ORC-5"], order.state.value))
        self.book.update(order, replace(order, filler_number=told.filler_number or order.filler_number, state=state))
        return Accepted()

    def _number(self, message: HL7Message) -> Accepted:
        patient, visit = self._patients.take(message)
        number = Identifier(self.numbering.next("P"), self.endpoint.application.name)
        told = order_of(message, patient.identifier.key, visit)
        known = self.book.by_filler(told.filler_number)
        if known is None:
            self.book.add(replace(told, placer_number=number))
        else:
            number = known.placer_number
        orc = {
            "1": "NA",
            "2.1": number.value,
            "2.2": number.authority,
            "3.1": told.filler_number.value,
            "3.2": told.filler_number.authority,
        }
        orc = self.endpoint.behaviour.placer_answer(orc)
        obr = {
            "1": "1",
            "2.1": orc.get("2.1", ""),
            "2.2": orc.get("2.2", ""),
            "3.1": orc.get("3.1", ""),
            "3.2": orc.get("3.2", ""),
            "4.1": told.service.value,
            "4.2": told.service.meaning,
            "4.3": told.service.scheme,
        }
        kind = "ORR^O02" if message.type == "ORM" else "ORG^O20"
        return Accepted(kind=kind, segments=[("ORC", orc), ("OBR", obr)])

    def _take_appointment(self, message: HL7Message) -> Accepted:
        made = appointment_of(message)
        key = made.filler_id.key
        if message.trigger == "S15" and key not in self.appointments:
            text = f"no appointment {made.filler_id.value}"
            raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, "SCH-2"))
        if message.trigger == "S15":
            self.appointments[key] = replace(made, status="Cancelled")
        else:
            self.appointments[key] = made
        return Accepted()
