"""The HL7 side of the simulated Image Manager: keeps schedules (RAD-4, RAD-13) and patient updates (RAD-12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.actors.orders.behaviour import Refusal
from harness.actors.orders.book import OrderBook
from harness.actors.orders.endpoint import Accepted, HL7Endpoint, Refused, Rule
from harness.actors.orders.patients import PatientReceiver
from harness.actors.orders.reader import schedule_of
from harness.actors.orders.values import Order, OrderState, Patient, RequestedProcedure, StepState
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.message import HL7Message

IMAGE_MANAGER = "Image Manager/Archive"

PatientUpdated = Callable[[Patient], None]
PatientsMerged = Callable[[Patient, Patient], None]
Scheduled = Callable[[Patient, RequestedProcedure], None]


class ScheduleReceiver:
    """Schedules by Study Instance UID. The callbacks let an archive follow, before the acknowledgement."""

    def __init__(
        self,
        endpoint: HL7Endpoint,
        book: OrderBook | None = None,
        *,
        updated: PatientUpdated = lambda patient: None,
        merged: PatientsMerged = lambda survivor, retired: None,
        scheduled: Scheduled = lambda patient, procedure: None,
    ) -> None:
        self.endpoint = endpoint
        self.book = book if book is not None else OrderBook()
        self._scheduled = scheduled
        self._patients = PatientReceiver(
            self.book,
            endpoint.behaviour,
            updated=lambda message, patient, visit: updated(patient),
            merged=lambda message, survivor, retired: merged(survivor, retired),
            before_answer=True,
        )

    def start(self) -> int:
        """Listen for RAD-4, 12 and 13; returns the port."""
        needs = ("PID-3.1", "PID-5", "ORC-1", "ORC-3.1|OBR-3.1")
        rules = self._patients.update_rules()
        rules |= {
            ("ORM", "O01"): Rule(self._take, (*needs, "ZDS-1.1")),
            ("OMI", "O23"): Rule(self._take, (*needs, "IPC-3.1")),
        }
        return self.endpoint.start(rules)

    def stop(self) -> None:
        """Close all connections."""
        self.endpoint.stop()

    def __enter__(self) -> ScheduleReceiver:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def procedure(self, study_uid: str) -> RequestedProcedure | None:
        """The requested procedure that was announced with that Study Instance UID, or None."""
        order = self.book.by_study(study_uid)
        if order is None:
            return None
        return next(procedure for procedure in order.procedures if procedure.study_uid == study_uid)

    def _take(self, message: HL7Message) -> Accepted:
        control = message["ORC-1"]
        if control not in ("NW", "XO", "CA", "DC"):
            text = f"order control {control!r} is not one of NW, XO, CA, DC"
            raise Refused(Refusal(Code.ERROR, Condition.TABLE_VALUE, text, "ORC-1"))
        patient, visit = self._patients.take(message)
        told = schedule_of(message, patient.identifier.key, visit)
        procedure = told.procedures[0]
        known = self.book.by_study(procedure.study_uid)
        if control in ("CA", "DC"):
            if known is None:
                text = f"no procedure with Study Instance UID {procedure.study_uid}"
                place = "IPC-3" if message.type == "OMI" else "ZDS-1"
                raise Refused(Refusal(Code.ERROR, Condition.UNKNOWN_KEY, text, place))
            self._end(known, procedure.study_uid, control)
        elif known is not None:
            self.book.update(known, _with(known, procedure))
        elif (same := self.book.by_filler(told.filler_number)) is not None:
            self.book.update(same, replace(same, procedures=(*same.procedures, procedure)))
        else:
            self.book.add(told)
        self._scheduled(patient, procedure)
        return Accepted()

    def _end(self, order: Order, study_uid: str, control: str) -> None:
        state = StepState.CANCELLED if control == "CA" else StepState.DISCONTINUED
        procedures = tuple(
            replace(p, steps=tuple(replace(s, state=state) for s in p.steps)) if p.study_uid == study_uid else p
            for p in order.procedures
        )
        ended = all(s.state in (StepState.CANCELLED, StepState.DISCONTINUED) for p in procedures for s in p.steps)
        now = (OrderState.CANCELLED if control == "CA" else OrderState.DISCONTINUED) if ended else order.state
        self.book.update(order, replace(order, procedures=procedures, state=now))


def _with(order: Order, procedure: RequestedProcedure) -> Order:
    """The order with one procedure replaced; steps it does not name again are kept."""
    (before,) = (p for p in order.procedures if p.study_uid == procedure.study_uid)
    named = {step.id for step in procedure.steps}
    procedure = replace(procedure, steps=(*(s for s in before.steps if s.id not in named), *procedure.steps))
    return replace(order, procedures=tuple(procedure if p is before else p for p in order.procedures))
