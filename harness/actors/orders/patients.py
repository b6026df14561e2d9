"""What every receiver of RAD-1 and RAD-12 does with its order book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.actors.orders.behaviour import OrdersBehaviour, Refusal
from harness.actors.orders.book import OrderBook
from harness.actors.orders.endpoint import Accepted, Refused, Rule
from harness.actors.orders.reader import retired_of, visit_of
from harness.actors.orders.values import Patient, Visit
from harness.protocols.hl7.acknowledge import Code, Condition
from harness.protocols.hl7.message import HL7Message

_PATIENT = ("PID-3.1", "PID-5")
_VISIT = (*_PATIENT, "PV1-2")


class PatientReceiver:
    """Keeps patients and visits up to date. ``updated`` and ``merged`` tell others.

    They are called after the acknowledgement, for those who pass it on, or ``before_answer``, so that what was
    acknowledged is true everywhere.
    """

    def __init__(
        self,
        book: OrderBook,
        behaviour: OrdersBehaviour,
        *,
        updated: Callable[[HL7Message, Patient, Visit], None] = lambda message, patient, visit: None,
        merged: Callable[[HL7Message, Patient, Patient], None] = lambda message, survivor, retired: None,
        before_answer: bool = False,
    ) -> None:
        self._before_answer = before_answer
        self.book, self._behaviour = book, behaviour
        self._updated, self._merged = updated, merged

    def registration_rules(self) -> dict[tuple[str, str], Rule]:
        """RAD-1."""
        rules = {("ADT", trigger): Rule(self._register, _VISIT) for trigger in ("A01", "A04", "A05")}
        return rules | {("ADT", trigger): Rule(self._cancel, _PATIENT) for trigger in ("A11", "A38")}

    def update_rules(self) -> dict[tuple[str, str], Rule]:
        """RAD-12."""
        triggers = ("A02", "A03", "A06", "A07", "A08", "A12", "A13")
        rules = {("ADT", trigger): Rule(self._change, _VISIT) for trigger in triggers}
        return rules | {("ADT", "A40"): Rule(self._merge, ("PID-3.1", "MRG-1.1"))}

    def take(self, message: HL7Message) -> tuple[Patient, Visit]:
        """The patient and visit of any message, on top of what is known; kept in the book."""
        patient, visit = self._read(message)
        return self.book.register(patient, visit), visit

    def _read(self, message: HL7Message) -> tuple[Patient, Visit]:
        patient = self._behaviour.patient_of(message, None)
        known = self.book.patient(patient.identifier)
        if known is not None:
            patient = self._behaviour.patient_of(message, known)
        return patient, visit_of(message, self.book.visit(patient.identifier))

    def _register(self, message: HL7Message) -> Accepted:
        patient, visit = self.take(message)
        self.book.set_visit(patient.identifier, replace(visit, active=True))
        return Accepted()

    def _cancel(self, message: HL7Message) -> Accepted:
        identifier = self._behaviour.patient_of(message, None).identifier
        visit = self.book.visit(identifier)
        if visit is not None:
            self.book.set_visit(identifier, replace(visit, active=False))
        return Accepted()

    def _change(self, message: HL7Message) -> Accepted:
        patient, visit = self._read(message)
        self._behaviour.update(self.book, patient)
        self.book.set_visit(patient.identifier, visit)
        return self._tell(lambda: self._updated(message, patient, visit))

    def _merge(self, message: HL7Message) -> Accepted:
        retired = retired_of(message)
        new = self._behaviour.patient_of(message, None)
        if retired.identifier.key == new.identifier.key:
            text = "the surviving and the retired identifier are the same"
            raise Refused(Refusal(Code.ERROR, Condition.DUPLICATE_KEY, text, "MRG-1"))
        survivor = self._behaviour.patient_of(message, self.book.patient(new.identifier))
        self._behaviour.merge(self.book, survivor, retired.identifier)
        return self._tell(lambda: self._merged(message, survivor, retired))

    def _tell(self, tell: Callable[[], None]) -> Accepted:
        if not self._before_answer:
            return Accepted(then=tell)
        tell()
        return Accepted()
