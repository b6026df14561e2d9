"""Patients, orders, schedules and appointments over HL7 (RAD-1, 2, 3, 4, 12, 13, 48), on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.actors.adt import REGISTRATIONS, PatientRegistration
from harness.actors.orders import Code, Identifier, Order, RequestedProcedure, StepState
from harness.actors.orders_actions import order_from, patient_from, tell, visit_from, write_for
from harness.actors.orders_catalogue import SCHEME
from harness.actors.orders_endpoint import Delivery, HL7Endpoint
from harness.actors.orders_hl7 import Fields, Scene
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.hospital import Hospital
from harness.bdd.orders import Scheduler, Step
from harness.bdd.people import person
from harness.bdd.registry import given, then, when
from harness.core.errors import EnvironmentFailure, NonConformance, UsageError
from harness.core.message import Direction, Message
from harness.profiles import facts, names
from harness.protocols.hl7.errors import HL7PeerError
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.mllp import MllpSender, Timeouts

_MEANINGS: Mapping[str, str] = {
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


def _scheduler(context: ScenarioContext) -> Scheduler:
    made: Scheduler = context.memory.setdefault(
        "scheduler", Scheduler(context.lab.source, context.lab.today, context.lab.station)
    )
    return made


def patient_values(context: ScenarioContext, key: str) -> dict[str, Any]:
    """The values of a patient by DICOM keyword; every scenario gives its patients identifiers of their own."""
    known: dict[str, dict[str, Any]] = context.memory.setdefault("patients", {})
    if key not in known:
        subject, scheduler = person(key), _scheduler(context)
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


def _new_order(context: ScenarioContext, service: str, subject: str, name: str) -> Ordered:
    values: dict[str, Any] = {
        "patient": patient_values(context, subject),
        "Service": _service(service),
        "RequestingPhysician": "KILDARE^JAMES",
        "OrderEnteredBy": "NURSE^NORA",
        "EnteringOrganization": {
            "CodeValue": "MED",
            "CodingSchemeDesignator": "99IHEHARNESS",
            "CodeMeaning": "Medicine",
        },
        "Start": f"{_scheduler(context).day('today')}150000",
        "DangerCode": "MRSA",
        "RelevantClinicalInformation": "headache",
        "PatientTransportArrangements": "WHEELCHAIR",
        "ReasonForTheRequestedProcedure": "exclude bleeding",
    }
    made = Ordered(values, subject, str(values["patient"]["PatientName"]))
    context.memory.setdefault("ordered", {})[name] = made
    return made


def _service(value: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": SCHEME, "CodeMeaning": _MEANINGS.get(value, value)}


def _hospital(context: ScenarioContext) -> Hospital:
    hospital = context.lab.hospital
    if hospital.product is None:
        raise EnvironmentFailure(f"{context.lab.settings.sut}: [hl7] needs a port: the product has to be called")
    return hospital


def _given(context: ScenarioContext, deliveries: Sequence[Delivery]) -> None:
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


def _teller(context: ScenarioContext, who: str) -> PatientRegistration:
    hospital = _hospital(context)
    known = {names.ADT: hospital.adt, names.ORDER_FILLER: hospital.forwarder}
    if who not in known:
        raise UsageError(f"{who!r} sends no ADT messages; known: {', '.join(known)}")
    return known[who]


# -- patients ----------------------------------------------------------------------------------------------------


@given('the "{who:Text}" has sent "{event:Text}" for "{patient:Text}"')
def we_told(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """As "sends", where the product has to take it: SWF.b has no patient registration, its orders bring the patient."""
    if "SWF" in scenario_context.declaration.profiles:
        we_tell(scenario_context, who, event, patient)


@when('the "{who:Text}" sends "{event:Text}" for "{patient:Text}"')
def we_tell(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """Our ADT (RAD-1, RAD-12) or our DSS/Order Filler (RAD-12) tells the product of a patient; waits for its answer."""
    scenario_context.begin()
    _given(scenario_context, tell(_teller(scenario_context, who), event, patient_values(scenario_context, patient)))


@when('the "{who:Text}" renames "{patient:Text}" to "{name:Text}"')
def we_rename(scenario_context: ScenarioContext, who: str, patient: str, name: str) -> None:
    """A08 with another name of the same patient."""
    patient_values(scenario_context, patient)["PatientName"] = name
    scenario_context.begin()
    _given(scenario_context, tell(_teller(scenario_context, who), "A08", patient_values(scenario_context, patient)))


@when('the "{who:Text}" merges "{retired:Text}" into "{survivor:Text}"')
def we_merge(scenario_context: ScenarioContext, who: str, retired: str, survivor: str) -> None:
    """A40: the first patient is retired, the second survives."""
    scenario_context.begin()
    _given(
        scenario_context,
        tell(_teller(scenario_context, who), "A40", _merged(scenario_context, retired, survivor)),
    )


def _merged(context: ScenarioContext, retired: str, survivor: str) -> dict[str, Any]:
    old, new = patient_values(context, retired), patient_values(context, survivor)
    return {**new, "RetiredPatientID": old["PatientID"], "RetiredName": old["PatientName"]}


@given('the system under test has sent "{event:Text}" for "{patient:Text}"')
@when('the system under test sends "{event:Text}" for "{patient:Text}"')
def product_tells(scenario_context: ScenarioContext, event: str, patient: str) -> None:
    """Have an ADT under test register a patient (A01, A04, A05, A11, A38) or tell of a change (RAD-12)."""
    action = "register-patient" if event in REGISTRATIONS else "update-patient"
    values = dict(patient_values(scenario_context, patient))
    if event == "A02":
        values["NewLocation"] = "ICU^2^1"
        patient_values(scenario_context, patient)["CurrentPatientLocation"] = "ICU^2^1"
        patient_values(scenario_context, patient)["PriorLocation"] = values["CurrentPatientLocation"]
    scenario_context.act(action, event=event, patient=values)


@when('the system under test renames "{patient:Text}" to "{name:Text}" and deletes "{path:Text}"')
def product_renames(scenario_context: ScenarioContext, patient: str, name: str, path: str) -> None:
    """Have an ADT under test send A08 with another name, and two double quotes in that field."""
    values = patient_values(scenario_context, patient)
    values["PatientName"] = name
    scenario_context.act("update-patient", event="A08", patient={**values, "delete": [path]})


@when('the system under test merges "{retired:Text}" into "{survivor:Text}"')
def product_merges(scenario_context: ScenarioContext, retired: str, survivor: str) -> None:
    """Have an ADT under test send A40."""
    values = _merged(scenario_context, retired, survivor)
    scenario_context.act("update-patient", event="A40", patient=values)


# -- orders ------------------------------------------------------------------------------------------------------


@given('the "{who:Text}" has ordered "{service:Text}" for "{patient:Text}" as "{order:Text}"')
@when('the "{who:Text}" orders "{service:Text}" for "{patient:Text}" as "{order:Text}"')
def we_order(scenario_context: ScenarioContext, who: str, service: str, patient: str, order: str) -> None:
    """Our Order Placer orders (RAD-2), or our DSS/Order Filler for itself (RAD-3 SN, then RAD-4)."""
    hospital = _hospital(scenario_context)
    made = _new_order(scenario_context, service, patient, order)
    subject, visit = patient_from(made.values["patient"]), visit_from(made.values["patient"])
    scenario_context.begin()
    if who == names.ORDER_PLACER:
        write_for(hospital.placer.endpoint, made.values["patient"])
        made.order, delivery = hospital.placer.place(subject, visit, order_from(made.values))
        made.placer_number = made.order.placer_number.value
        _given(scenario_context, [delivery])
        return
    if who != names.ORDER_FILLER:
        raise UsageError(f"{who!r} places no orders; known: {names.ORDER_PLACER}, {names.ORDER_FILLER}")
    write_for(hospital.filler.endpoint, made.values["patient"])
    new = order_from(made.values)
    if hospital.filler.peers.placer is None:
        # an Image Manager sees the schedule of an order that somebody else has placed before
        new = replace(new, placer_number=Identifier(_scheduler(scenario_context).code("P"), "IHE_OP"))
    known = hospital.filler.book.patient(subject.identifier) or subject
    with _Sent(scenario_context):
        made.order, _ = hospital.filler.place(known, visit, new)


class _Sent:
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
            _given(self._context, list(self._filler.deliveries)[self._before :])


def _placed(context: ScenarioContext, name: str) -> tuple[Ordered, Order]:
    """An order as our actor has it: one that it placed itself, or that the product placed with it."""
    known = ordered(context, name)
    if known.order is None:
        known.order = context.lab.hospital.filler.book.by_placer(Identifier(known.placer_number))
    if known.order is None:
        raise UsageError(f"the order {name!r} has not reached our actor yet: wait for it first")
    return known, known.order


@when('the "{who:Text}" cancels "{order:Text}"')
def we_cancel(scenario_context: ScenarioContext, who: str, order: str) -> None:
    """Our Order Placer cancels an order (RAD-2 CA), or our DSS/Order Filler does (RAD-3 OC, RAD-13 CA)."""
    hospital = _hospital(scenario_context)
    known, placed = _placed(scenario_context, order)
    scenario_context.begin()
    if who == names.ORDER_PLACER:
        known.order, delivery = hospital.placer.cancel(placed)
        _given(scenario_context, [delivery])
        return
    with _Sent(scenario_context):
        known.order = hospital.filler.cancel(placed)


@when('the "DSS/Order Filler" replaces "{order:Text}" by "{service:Text}"')
def we_replace(scenario_context: ScenarioContext, order: str, service: str) -> None:
    """Our DSS/Order Filler changes an order: OC for the old one, SN for a new one, and the schedules of both."""
    hospital = _hospital(scenario_context)
    known, placed = _placed(scenario_context, order)
    scenario_context.begin()
    new = replace(placed, service=Code(service, SCHEME, _MEANINGS.get(service, service)), procedures=())
    if hospital.filler.peers.placer is not None:
        new = replace(new, placer_number=Identifier())
    with _Sent(scenario_context):
        known.order, _ = hospital.filler.replace(placed, new)


@when('the "DSS/Order Filler" moves "{order:Text}" to "{hour:Text}"')
def we_move(scenario_context: ScenarioContext, order: str, hour: str) -> None:
    """Our DSS/Order Filler changes the time of a schedule: RAD-13 XO."""
    hospital = _hospital(scenario_context)
    known, placed = _placed(scenario_context, order)
    scenario_context.begin()

    def later(procedure: RequestedProcedure) -> RequestedProcedure:
        steps = tuple(replace(step, start_time=hour.replace(":", "") + "00") for step in procedure.steps)
        return replace(procedure, steps=steps)

    with _Sent(scenario_context):
        known.order = hospital.filler.change(placed, later)


@when('the "DSS/Order Filler" reports "{order:Text}" as "{status:Text}"')
def we_report(scenario_context: ScenarioContext, order: str, status: str) -> None:
    """Our DSS/Order Filler starts (IP), completes (CM) or discontinues (DC) all steps of an order."""
    hospital = _hospital(scenario_context)
    known, placed = _placed(scenario_context, order)
    placed = hospital.filler.book.current(placed)
    scenario_context.begin()
    with _Sent(scenario_context):
        if status == "DC":
            known.order = hospital.filler.discontinue(placed)
        else:
            state = {"IP": StepState.STARTED, "CM": StepState.COMPLETED}[status]
            for step in placed.steps:
                hospital.filler.book.set_step_state(step.id, state)
            hospital.filler.steps_changed([step.id for step in placed.steps])


@when('the "DSS/Order Filler" announces "{event:Text}" of "{order:Text}"')
def we_announce(scenario_context: ScenarioContext, event: str, order: str) -> None:
    """Our DSS/Order Filler books (S12), moves (S13) or cancels (S15) the appointment of an order."""
    hospital = _hospital(scenario_context)
    _, placed = _placed(scenario_context, order)
    scenario_context.begin()
    with _Sent(scenario_context):
        if event == "S12":
            hospital.filler.book_appointment(placed)
        elif event == "S13":
            hospital.filler.move_appointment(placed, f"{_scheduler(scenario_context).day('tomorrow')}100000")
        else:
            hospital.filler.cancel_appointment(placed)


@given('the system under test has ordered "{service:Text}" for "{patient:Text}" as "{order:Text}"')
@when('the system under test orders "{service:Text}" for "{patient:Text}" as "{order:Text}"')
def product_orders(scenario_context: ScenarioContext, service: str, patient: str, order: str) -> None:
    """Have an Order Placer under test order, or a DSS/Order Filler under test for itself."""
    made = _new_order(scenario_context, service, patient, order)
    placer = scenario_context.tags.actor == names.ORDER_PLACER
    outcome = scenario_context.act("place-order" if placer else "order-procedure", order=made.values)
    made.accession = str(outcome.answers.get("accession", ""))


@when('the system under test cancels "{order:Text}"')
def product_cancels(scenario_context: ScenarioContext, order: str) -> None:
    """Have an Order Placer under test cancel by placer number, or a DSS/Order Filler by accession number."""
    known = ordered(scenario_context, order)
    if scenario_context.tags.actor == names.ORDER_PLACER:
        scenario_context.act("withdraw-order", placer_number=known.placer_number)
    else:
        scenario_context.act("cancel-order", accession=known.accession)


@when('the system under test replaces "{order:Text}" by "{service:Text}"')
def product_replaces(scenario_context: ScenarioContext, order: str, service: str) -> None:
    """Have a DSS/Order Filler under test change what was ordered."""
    known = ordered(scenario_context, order)
    scenario_context.act("change-order", accession=known.accession, change={"Service": _service(service)})


@when('the system under test moves "{order:Text}" to "{hour:Text}"')
def product_moves(scenario_context: ScenarioContext, order: str, hour: str) -> None:
    """Have a DSS/Order Filler under test change the time of a schedule."""
    known = ordered(scenario_context, order)
    start = f"{_scheduler(scenario_context).day('today')}{hour.replace(':', '')}00"
    scenario_context.act("change-order", accession=known.accession, change={"Start": start})


@when('the system under test reports "{order:Text}" as "{status:Text}"')
def product_reports(scenario_context: ScenarioContext, order: str, status: str) -> None:
    """Have a DSS/Order Filler under test start (IP), complete (CM) or discontinue (DC) an order."""
    scenario_context.act("report-status", accession=ordered(scenario_context, order).accession, status=status)


@when('the system under test announces "{event:Text}" of "{order:Text}"')
def product_announces(scenario_context: ScenarioContext, event: str, order: str) -> None:
    """Have a DSS/Order Filler under test book (S12), move (S13) or cancel (S15) an appointment."""
    scenario_context.act("book-appointment", accession=ordered(scenario_context, order).accession, event=event)


# -- what must come ------------------------------------------------------------------------------------------------

#: ORC-1 of what is waited for, receiver -> the requirement that silence breaks
_DEMANDED: Mapping[tuple[str, str], str] = {
    ("CA", names.ORDER_FILLER): "RAD-2-SRC-02",
    ("OC", names.ORDER_PLACER): "RAD-3-SRC-09",
    ("IP", names.ORDER_PLACER): "RAD-3-SRC-07",
    ("CM", names.ORDER_PLACER): "RAD-3-SRC-08",
    ("DC", names.ORDER_PLACER): "RAD-3-SRC-06",
    ("CA", names.IMAGE_MANAGER): "RAD-13-SRC-01",
    ("XO", names.IMAGE_MANAGER): "RAD-13-SRC-02",
    ("DC", names.IMAGE_MANAGER): "RAD-13-SRC-04",
}


@given('the order "{order:Text}" has reached the "{actor:Text}" as "{what:Text}"')
@then('the order "{order:Text}" reaches the "{actor:Text}" as "{what:Text}"')
def order_reaches(scenario_context: ScenarioContext, order: str, actor: str, what: str) -> None:
    """Wait for the next order message to that actor, in the form of the run's HL7 version, and learn its numbers.

    ``what`` is what it should be (NW, CA, SN, OC, XO, DC, or a status IP, CM, DC); the checks say whether it is.
    """
    known = ordered(scenario_context, order)
    new = "OMI^O23" if actor == names.IMAGE_MANAGER else "OMG^O19"
    kind = "ORM^O01" if scenario_context.lab.hospital.version == "2.3.1" else new
    message = scenario_context.expect(kind, actor, demanded_by=_DEMANDED.get((what, actor), ""), condition=f"({what})")
    _answered(scenario_context, message)
    hl7 = HL7Message(message.payload.bytes())
    # a replaced order goes on under new numbers
    known.placer_number = hl7["ORC-2.1"] or known.placer_number
    known.filler_number = hl7["ORC-3.1"] or known.filler_number
    known.accession = hl7["IPC-1.1"] or hl7["OBR-18"] or known.accession
    step = (hl7.values("IPC-4.1") or hl7.values("OBR-20") or [""])[0]
    if step:
        entry = {
            "PatientID": hl7["PID-3.1"],
            "ScheduledProcedureStepSequence": [{"ScheduledProcedureStepID": step, "Modality": hl7["IPC-5.1"]}],
        }
        scenario_context.memory.setdefault("steps", {})[order] = Step(order, person(known.subject), entry)


def _answered(context: ScenarioContext, message: Message) -> None:
    """Wait until our actor has answered: what is judged next includes the answer."""

    def ours(answer: Message) -> bool:
        return bool(answer.fields.get("acknowledged_id") == message.fields.get("control_id"))

    for kind in ("ACK", "ORR^O02", "ORG^O20"):
        already = [m for m in context.transcript.select(kind, direction=Direction.TO_SUT) if ours(m)]
        if already:
            return
    context.lab.hospital.settle(context.lab.sut.timeouts.exchange)


# -- the worklist of an order filler -------------------------------------------------------------------------------


def _ask(context: ScenarioContext, keys: Mapping[str, Any]) -> int:
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    replies = context.converse(
        "RAD-5-SCP-01", "The worklist query", lambda: user.query(context.lab.product, dict(keys))
    )
    return len(replies.pending)


@then('the worklist has steps of "{patient:Text}" as "{requirement:Text}" demands')
def worklist_has(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Ask the product's worklist by Patient ID: at least one match must come."""
    wanted = patient_values(scenario_context, patient)["PatientID"]
    found = _ask(scenario_context, {"PatientID": wanted})
    if found:
        scenario_context.met(requirement, f"The worklist has {found} step(s) of the patient {wanted}")
    else:
        summary = f"The worklist has no step of the patient {wanted}"
        scenario_context.broken(requirement, summary, expected=("a match",), actual="no match")


@then('the worklist has no step of "{patient:Text}" as "{requirement:Text}" demands')
def worklist_has_none(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Ask the product's worklist by Patient ID: nothing may match."""
    wanted = patient_values(scenario_context, patient)["PatientID"]
    found = _ask(scenario_context, {"PatientID": wanted})
    if found:
        summary = f"The worklist still has {found} step(s) of the patient {wanted}"
        scenario_context.broken(requirement, summary, expected=("no match",), actual=f"{found} matches")
    else:
        scenario_context.met(requirement, f"The worklist has nothing of the patient {wanted}")


# -- what is wrong on purpose --------------------------------------------------------------------------------------


def _without(name: str) -> tuple[str, Any]:
    def change(scene: Scene, fields: Fields) -> Fields:
        return {path: value for path, value in fields.items() if path.split(".")[0].split("[")[0] != name}

    return "PID", change


def _header(**values: str) -> tuple[str, Any]:
    named = {path[1:].replace("_", "."): value for path, value in values.items()}

    def change(scene: Scene, fields: Fields) -> Fields:
        return {**fields, **named}

    return "MSH", change


_FLAWS: Mapping[str, tuple[str, Any]] = {
    "an unknown trigger": _header(_9_2="Z99", _9_3=""),
    "an unknown type": _header(_9_1="ZZZ", _9_2="Z01", _9_3=""),
    "an unknown version": _header(_12="9.9"),
    "no patient ID": _without("3"),
}
_RULES: Mapping[str, str] = {"an unknown trigger": "unknown-trigger", "an unknown type": "unknown-trigger"}


def _flawed(context: ScenarioContext, who: str, flaw: str) -> None:
    adt = _teller(context, who)
    endpoint: HL7Endpoint = adt.endpoint
    if flaw not in _FLAWS:
        raise UsageError(f"there is no flaw {flaw!r}; known: {', '.join(_FLAWS)}")
    event = "A08" if who == names.ORDER_FILLER else "A04"
    good, (segment, change) = endpoint.behaviour, _FLAWS[flaw]
    context.begin()
    endpoint.behaviour = good.rewrite(segment, change)
    try:
        deliveries = tell(adt, event, patient_values(context, "doe"))
    finally:
        endpoint.behaviour = good
    _given(context, deliveries)
    sent = context.memory["answer"].sent
    context.transcript.note(facts.NEGATIVE, {"message": sent.seq, "rule": _RULES.get(flaw, "hl7"), "statuses": []})


@when('the "{who:Text}" sends a message with "{flaw:Text}"')
def we_send_flawed(scenario_context: ScenarioContext, who: str, flaw: str) -> None:
    """Send an ADT message that has to be refused: an unknown trigger, type or version, or no patient ID."""
    _flawed(scenario_context, who, flaw)


@when('the "{who:Text}" sends "{event:Text}" with an unknown segment for "{patient:Text}"')
def we_send_unknown_segment(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """Send an ADT message with a Z segment that nobody can know; it has to be accepted."""
    adt = _teller(scenario_context, who)
    good = adt.endpoint.behaviour
    layout = good.adt_layout(event)
    more = replace(layout, segments=(*layout.segments, "ZIH"))
    scenario_context.begin()
    adt.endpoint.behaviour = replace(
        good, adt_layout=lambda trigger: more, writers={**good.writers, "ZIH": lambda scene: {"1": "local"}}
    )
    try:
        deliveries = tell(adt, event, patient_values(scenario_context, patient))
    finally:
        adt.endpoint.behaviour = good
    _given(scenario_context, deliveries)


@when('the "{who:Text}" sends bytes without a frame')
def we_send_unframed(scenario_context: ScenarioContext, who: str) -> None:
    """Send bytes that are no MLLP block over a connection of their own, and close it; no answer is waited for."""
    hospital = _hospital(scenario_context)
    assert hospital.product is not None
    seconds = scenario_context.lab.sut.timeouts
    scenario_context.begin()
    with MllpSender(
        scenario_context.lab.recorder,
        hospital.product.host,
        hospital.product.port,
        actor=who,
        timeouts=Timeouts(connect=seconds.connect, acknowledge=seconds.exchange),
    ) as sender:
        try:
            sender.send_raw(b"MSH|^~\\&|IHE_ADT|IHE|SUT|HOSPITAL|20260101||ADT^A04|1|P|2.3.1\rPID|||X^^^IHE||A^B\r")
        except HL7PeerError as error:
            summary = f"The product cannot be reached: {error}"
            scenario_context.broken("HL7-GEN-02", summary, expected=("a connection",), actual=str(error))
            raise NonConformance(summary, tuple(scenario_context.findings)) from None


@then('it is answered with "{codes:Text}" as "{requirement:Text}" demands')
def answered_with(scenario_context: ScenarioContext, codes: str, requirement: str) -> None:
    """MSA-1 of the last answer to a message of ours is one of these codes."""
    wanted = tuple(code.strip() for code in codes.split(","))
    code = scenario_context.memory["answer"].code
    if code in wanted:
        scenario_context.met(requirement, f"The message was answered with {code}")
    else:
        summary = f"The message was answered with {code or 'no code'}"
        scenario_context.broken(requirement, summary, expected=wanted, actual=code, locator="MSA-1")
