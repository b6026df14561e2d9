"""Patients and orders from plain values by DICOM keyword, and what an HL7 actor can be asked to do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from harness.actors.orders.adt import PatientRegistration
from harness.actors.orders.endpoint import Delivery, HL7Endpoint
from harness.actors.orders.filler import OrderFillerMessages
from harness.actors.orders.placer import OrderPlacer
from harness.actors.orders.values import (
    Code,
    Identifier,
    Order,
    Patient,
    PersonName,
    Provider,
    RequestedProcedure,
    StepState,
    Visit,
)
from harness.core.errors import UsageError

Values = Mapping[str, Any]

#: MSH-18 for the last term of (0008,0005): HL7 table 0211, PS3.3 Table C.12-4
CHARACTER_SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ISO_IR 100": ("8859/1",),
        "ISO_IR 144": ("8859/5",),
        "ISO 2022 IR 87": ("ASCII", "ISO IR87"),
        "ISO 2022 IR 149": ("KS X 1001",),
        "GB18030": ("GB 18030-2000",),
        "ISO_IR 192": ("UNICODE UTF-8",),
    }
)
_DEFAULT_SETS: Final = ("UNICODE UTF-8",)
#: seconds until a message that was asked for has been acknowledged, or not
_SECONDS: Final = 20.0


def patient_from(values: Values) -> Patient:
    """A patient by DICOM keyword. Raises UsageError without a Patient ID."""
    if not values.get("PatientID"):
        raise UsageError("a patient needs a PatientID")
    return Patient(
        Identifier(_text(values, "PatientID"), _text(values, "IssuerOfPatientID")),
        PersonName.parse(_text(values, "PatientName")),
        birth_date=_text(values, "PatientBirthDate"),
        sex=_text(values, "PatientSex"),
        race=_text(values, "EthnicGroup"),
        address=_text(values, "PatientAddress"),
        account=Identifier(_text(values, "AccountNumber"), _text(values, "IssuerOfPatientID")),
    )


def visit_from(values: Values) -> Visit:
    """The visit of a patient by DICOM keyword."""
    return Visit(
        number=Identifier(_text(values, "AdmissionID"), _text(values, "IssuerOfPatientID")),
        patient_class=_text(values, "PatientClass") or "O",
        location=_text(values, "CurrentPatientLocation"),
        prior_location=_text(values, "PriorLocation"),
        attending=_provider(values, "AttendingPhysicianName"),
        referring=_provider(values, "ReferringPhysicianName"),
        admitting=_provider(values, "AdmittingPhysicianName"),
        service=_text(values, "HospitalService"),
    )


def order_from(values: Values) -> Order:
    """An order by DICOM keyword; ``patient`` inside it is not read."""
    service = values.get("Service", {})
    organization = values.get("EnteringOrganization", {})
    return Order(
        patient=("", ""),
        placer_number=Identifier(_text(values, "PlacerOrderNumber"), _text(values, "PlacerApplication")),
        service=_code(service),
        ordering=_provider(values, "RequestingPhysician"),
        entered_by=_provider(values, "OrderEnteredBy"),
        entering_organization=_code(organization),
        start=_text(values, "Start"),
        danger=_text(values, "DangerCode"),
        clinical_information=_text(values, "RelevantClinicalInformation"),
        transport=_text(values, "PatientTransportArrangements"),
        reason=_text(values, "ReasonForTheRequestedProcedure"),
    )


def write_for(endpoint: HL7Endpoint, values: Values) -> None:
    """Have an actor write what follows in the character set of a patient."""
    terms = [term for term in values.get("SpecificCharacterSet", ()) if term]
    endpoint.character_sets = CHARACTER_SETS.get(terms[-1], _DEFAULT_SETS) if terms else _DEFAULT_SETS


def tell(adt: PatientRegistration, event: str, values: Values) -> tuple[Delivery, ...]:
    """Send one registration or update. Raises UsageError for an event that is none of RAD-1 and RAD-12."""
    patient, visit = patient_from(values), visit_from(values)
    write_for(adt.endpoint, values)
    plain: Mapping[str, Callable[[Patient, Visit], tuple[Delivery, ...]]] = {
        "A01": adt.admit,
        "A03": adt.discharge,
        "A04": adt.register,
        "A05": adt.preadmit,
        "A06": adt.to_inpatient,
        "A07": adt.to_outpatient,
        "A11": adt.cancel_admission,
        "A12": adt.cancel_transfer,
        "A13": adt.cancel_discharge,
        "A38": adt.cancel_preadmission,
    }
    if event == "A02":
        return adt.transfer(patient, visit, _text(values, "NewLocation") or "ICU^2^1")
    if event == "A08":
        return adt.update(patient, visit, [str(path) for path in values.get("delete", ())])
    if event == "A40":
        retired = {**values, "PatientID": values.get("RetiredPatientID"), "PatientName": values.get("RetiredName", "")}
        return adt.merge(patient, patient_from(retired))
    if event not in plain:
        raise UsageError(f"there is no event {event!r}; known: {', '.join(sorted({*plain, 'A02', 'A08', 'A40'}))}")
    return plain[event](patient, visit)


class Unsupported(Exception):
    """The actor does not know how to do what it was asked for."""


def perform(actor: object, action: str, parameters: Values) -> dict[str, Any]:
    """Do what an action of the closed list says, and wait until it was acknowledged; returns what it made.

    Raises Unsupported for an action of another actor, UsageError for parameters that make no sense.
    """
    if isinstance(actor, PatientRegistration) and action in ("register-patient", "update-patient"):
        return _settled(tell(actor, str(parameters.get("event", "")), parameters.get("patient", {})))
    if isinstance(actor, OrderPlacer) and action == "place-order":
        values = parameters.get("order", {})
        write_for(actor.endpoint, values.get("patient", {}))
        known = actor.book.patient(patient_from(values.get("patient", {})).identifier)
        patient = known or patient_from(values.get("patient", {}))
        order, delivery = actor.place(patient, visit_from(values.get("patient", {})), order_from(values))
        return {**_settled([delivery]), "placer_number": order.placer_number.value}
    if isinstance(actor, OrderPlacer) and action == "withdraw-order":
        number = str(parameters.get("placer_number", ""))
        found = next((o for o in actor.book.orders if o.placer_number.value == number), None)
        if found is None:
            raise UsageError(f"there is no order {number!r}")
        return _settled([actor.cancel(found)[1]])
    if isinstance(actor, OrderFillerMessages) and action in _OF_FILLER:
        return _OF_FILLER[action](actor, parameters)
    raise Unsupported(f"this actor cannot {action}")


def _order_procedure(actor: OrderFillerMessages, parameters: Values) -> dict[str, Any]:
    values = parameters.get("order", {})
    patient, visit = patient_from(values.get("patient", {})), visit_from(values.get("patient", {}))
    write_for(actor.endpoint, values.get("patient", {}))
    known, exam = actor.book.patient(patient.identifier) or patient, _text(values, "StudyInstanceUID")
    order, _ = actor.place(known, visit, order_from(values), study_uid=exam)
    return {"accession": _accession(order)}


def _cancel_order(actor: OrderFillerMessages, parameters: Values) -> dict[str, Any]:
    actor.cancel(_by_accession(actor, parameters))
    return {}


def _change_order(actor: OrderFillerMessages, parameters: Values) -> dict[str, Any]:
    order = _by_accession(actor, parameters)
    change = parameters.get("change", {})
    if change.get("Service"):
        new = replace(order, service=_code(change["Service"]), placer_number=Identifier(), procedures=())
        made, _ = actor.replace(order, new)
        return {"accession": _accession(made)}
    start = _text(change, "Start")

    def later(procedure: RequestedProcedure) -> RequestedProcedure:
        steps = tuple(replace(s, start_date=start[:8], start_time=start[8:14]) for s in procedure.steps)
        return replace(procedure, steps=steps)

    actor.change(order, later)
    return {}


def _report_status(actor: OrderFillerMessages, parameters: Values) -> dict[str, Any]:
    order, status = _by_accession(actor, parameters), parameters.get("status")
    states = {"IP": StepState.STARTED, "CM": StepState.COMPLETED}
    if status == "DC":
        actor.discontinue(order)
    elif status in states:
        # the first step starts an order, and the last one ends it
        for step in order.steps if status == "CM" else order.steps[:1]:
            actor.step_changed(step.id, states[str(status)])
    else:
        raise UsageError(f"there is no status {status!r}; known: IP, CM, DC")
    return {}


def _book_appointment(actor: OrderFillerMessages, parameters: Values) -> dict[str, Any]:
    order, event = _by_accession(actor, parameters), parameters.get("event")
    if event == "S12":
        actor.book_appointment(order)
    elif event == "S13":
        actor.move_appointment(order, f"{actor.endpoint.today():%Y%m%d}170000")
    elif event == "S15":
        actor.cancel_appointment(order)
    else:
        raise UsageError(f"there is no event {event!r}; known: S12, S13, S15")
    return {}


_OF_FILLER: Final[Mapping[str, Callable[[OrderFillerMessages, Values], dict[str, Any]]]] = MappingProxyType(
    {
        "order-procedure": _order_procedure,
        "cancel-order": _cancel_order,
        "change-order": _change_order,
        "report-status": _report_status,
        "book-appointment": _book_appointment,
    }
)


def _by_accession(actor: OrderFillerMessages, parameters: Values) -> Order:
    wanted = str(parameters.get("accession", ""))
    for order in reversed(actor.book.orders):
        if wanted and any(procedure.accession_number == wanted for procedure in order.procedures):
            return order
    raise UsageError(f"there is no order with accession number {wanted!r}")


def _accession(order: Order) -> str:
    return order.procedures[0].accession_number if order.procedures else ""


def _settled(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    for delivery in deliveries:
        delivery.wait(_SECONDS)
    return {"acknowledged": [delivery.code for delivery in deliveries]}


def _text(values: Values, key: str) -> str:
    value = values.get(key, "")
    return value if isinstance(value, str) else ""


def _code(values: Values) -> Code:
    return Code(_text(values, "CodeValue"), _text(values, "CodingSchemeDesignator"), _text(values, "CodeMeaning"))


def _provider(values: Values, key: str) -> Provider:
    name = _text(values, key)
    return Provider(f"D{sum(name.encode()) % 1000:03d}", PersonName.parse(name)) if name else Provider()
