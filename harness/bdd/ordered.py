"""What scenarios of the HL7 transactions share: patients and orders with numbers of their own, and our answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.actors.orders.actions import order_from, patient_from, visit_from, write_for
from harness.actors.orders.adt import PatientRegistration
from harness.actors.orders.catalogue import SCHEME
from harness.actors.orders.endpoint import Delivery
from harness.actors.orders.values import Identifier, Order
from harness.bdd.context import ScenarioContext
from harness.bdd.hospital import Hospital
from harness.bdd.orders import Scheduler
from harness.bdd.people import person
from harness.core.errors import EnvironmentFailure, NonConformance, UsageError
from harness.profiles import names

MEANINGS: Mapping[str, str] = {
    "XR-CHEST": "Chest radiography",
    "CT-HEAD": "CT of the head",
    "CT-TRUNK": "CT of the trunk",
    "MR-BRAIN": "MR of the brain",
    "US-ABDOMEN": "Ultrasound of the abdomen",
}
#: seconds beyond the acknowledgement's own limit, after which a queue has certainly given up
_GRACE = 5.0


@dataclass(slots=True)
class Ordered:
    """One order of a scenario: what was ordered, what it is in our book, and the numbers it got."""

    values: dict[str, Any]
    subject: str
    #: the name of the patient when the order was placed: images keep it
    patient_name: str
    order: Order | None = None
    placer_number: str = ""
    filler_number: str = ""
    accession: str = ""


def scheduler_of(context: ScenarioContext) -> Scheduler:
    made: Scheduler = context.memory.setdefault(
        "scheduler", Scheduler(context.lab.source, context.lab.today, context.lab.station)
    )
    return made


def patient_values(context: ScenarioContext, key: str) -> dict[str, Any]:
    """The values of a patient by DICOM keyword; every scenario gives its patients identifiers of their own."""
    known: dict[str, dict[str, Any]] = context.memory.setdefault("patients", {})
    if key not in known:
        subject, scheduler = person(key), scheduler_of(context)
        known[key] = {
            **({"SpecificCharacterSet": list(subject.character_set)} if subject.character_set else {}),
            "PatientName": subject.name,
            "PatientID": scheduler.code("H"),
            "IssuerOfPatientID": "IHE",
            "PatientBirthDate": subject.birth_date,
            "PatientSex": subject.sex,
            "EthnicGroup": "2106-3",
            "PatientAddress": "Main Street 1^^Springfield^^12345",
            "AccountNumber": scheduler.code("B"),
            "AdmissionID": scheduler.code("V"),
            "PatientClass": "O",
            "CurrentPatientLocation": "WARD^101^1",
            "AttendingPhysicianName": "ATTENDING^ARNOLD",
            "ReferringPhysicianName": "WELBY^MARCUS",
            "AdmittingPhysicianName": "ADMITTING^ADA",
            "HospitalService": "MED",
        }
    return known[key]


def ordered(context: ScenarioContext, name: str) -> Ordered:
    """An order of the scenario by its name. Raises UsageError if there is none."""
    known: dict[str, Ordered] = context.memory.setdefault("ordered", {})
    if name not in known:
        raise UsageError(f"no order {name!r} was placed; known: {', '.join(known) or 'none'}")
    return known[name]


def new_order(context: ScenarioContext, service: str, subject: str, name: str) -> Ordered:
    """What is ordered; for a patient who was examined without an order, it is the order of that exam."""
    values: dict[str, Any] = {
        "patient": patient_values(context, subject),
        "Service": service_code(service),
        "RequestingPhysician": "KILDARE^JAMES",
        "OrderEnteredBy": "NURSE^NORA",
        "EnteringOrganization": {
            "CodeValue": "MED",
            "CodingSchemeDesignator": "99IHEHARNESS",
            "CodeMeaning": "Medicine",
        },
        "Start": f"{scheduler_of(context).day('today')}150000",
        "DangerCode": "MRSA",
        "RelevantClinicalInformation": "headache",
        "PatientTransportArrangements": "WHEELCHAIR",
        "ReasonForTheRequestedProcedure": "exclude bleeding",
    }
    if exam := context.memory.get("exams", {}).get(subject):
        values["StudyInstanceUID"] = exam
    made = Ordered(values, subject, str(values["patient"]["PatientName"]))
    context.memory.setdefault("ordered", {})[name] = made
    return made


def service_code(value: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": SCHEME, "CodeMeaning": MEANINGS.get(value, value)}


def hospital_of(context: ScenarioContext) -> Hospital:
    hospital = context.lab.hospital
    if hospital.product is None:
        raise EnvironmentFailure(f"{context.lab.settings.sut}: [hl7] needs a port: the product has to be called")
    return hospital


def await_answers(context: ScenarioContext, deliveries: Sequence[Delivery]) -> None:
    """Wait until the product has answered what we sent; silence breaks the duty to acknowledge."""
    if not deliveries:
        raise UsageError("nothing was sent: the system under test plays no role that gets this message")
    seconds = context.lab.sut.timeouts.exchange + context.lab.sut.timeouts.connect + _GRACE
    for delivery in deliveries:
        answer = delivery.wait(seconds)
        if answer is None:
            summary = f"A message was not acknowledged: {delivery.error or 'no answer came'}"
            context.broken("HL7-GEN-02", summary, expected=("MSH and MSA",), actual="nothing")
            raise NonConformance(summary, tuple(context.findings))
        context.memory["answer"] = answer


def teller(context: ScenarioContext, who: str) -> PatientRegistration:
    hospital = hospital_of(context)
    known = {names.ADT: hospital.adt, names.ORDER_FILLER: hospital.forwarder}
    if who not in known:
        raise UsageError(f"{who!r} sends no ADT messages; known: {', '.join(known)}")
    return known[who]


class Sent:
    """Waits at its end for the answers to all that our Order Filler has sent meanwhile."""

    def __init__(self, context: ScenarioContext) -> None:
        self._context = context
        self._filler = context.lab.hospital.filler

    def __enter__(self) -> None:
        self._before = len(self._filler.deliveries)
        if self._before == self._filler.deliveries.maxlen:
            self._filler.deliveries.clear()
            self._before = 0

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await_answers(self._context, list(self._filler.deliveries)[self._before :])


def placed_order(context: ScenarioContext, name: str) -> tuple[Ordered, Order]:
    """An order as our actor has it: one that it placed itself, or that the product placed with it."""
    known = ordered(context, name)
    if known.order is None:
        known.order = context.lab.hospital.filler.book.by_placer(Identifier(known.placer_number))
    if known.order is None:
        raise UsageError(f"the order {name!r} has not reached our actor yet: wait for it first")
    return known, known.order


def merged(context: ScenarioContext, retired: str, survivor: str) -> dict[str, Any]:
    old, new = patient_values(context, retired), patient_values(context, survivor)
    return {**new, "RetiredPatientID": old["PatientID"], "RetiredName": old["PatientName"]}


def order_ourselves(context: ScenarioContext, who: str, service: str, patient: str, order: str) -> None:
    """As :func:`new_order`, and send it: our Order Placer to the product, or our DSS/Order Filler to whom it tells."""
    hospital = hospital_of(context)
    made = new_order(context, service, patient, order)
    subject, visit = patient_from(made.values["patient"]), visit_from(made.values["patient"])
    context.begin()
    if who == names.ORDER_PLACER:
        write_for(hospital.placer.endpoint, made.values["patient"])
        made.order, delivery = hospital.placer.place(subject, visit, order_from(made.values))
        made.placer_number = made.order.placer_number.value
        await_answers(context, [delivery])
        return
    if who != names.ORDER_FILLER:
        raise UsageError(f"{who!r} places no orders; known: {names.ORDER_PLACER}, {names.ORDER_FILLER}")
    write_for(hospital.filler.endpoint, made.values["patient"])
    new = order_from(made.values)
    if hospital.filler.peers.placer is None:
        # an Image Manager sees the schedule of an order that somebody else has placed before
        new = replace(new, placer_number=Identifier(scheduler_of(context).code("P"), "IHE_OP"))
    known = hospital.filler.book.patient(subject.identifier) or subject
    with Sent(context):
        exam = str(made.values.get("StudyInstanceUID", ""))
        made.order, _ = hospital.filler.place(known, visit, new, study_uid=exam)
