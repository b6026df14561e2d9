"""Every simulated actor as system under test: without defects nothing is broken, each defect breaks what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import Dataset, config
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset

from harness.actors.defects.orders import DEFECTS
from harness.actors.defects.orders_defect import ADT, FILLER, MANAGER, PLACER, OrdersDefect
from harness.actors.defects.orders_variants import VARIANTS
from harness.actors.orders.behaviour import OrdersBehaviour
from harness.actors.orders.values import PersonName, RequestedProcedure, StepState
from harness.core.check import Declaration, Exchange
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles.swf.hl7_checks import CHECKS
from harness.protocols.hl7.mllp import MllpSender
from tests.integration.hl7.department import ORDER, PATIENT, QUICK, VISIT, Department, department, other_patient

ACCENTED = replace(PATIENT, name=PersonName("Buc^Jérôme"))
OTHER = other_patient("4712", "Other^Olaf")
TEMPORARY = other_patient("TEMP1", "Doe^Jane")
GONE = other_patient("4713", "Gone^Gerda")
STRANGER = other_patient("UNKNOWN7", "Stranger^Sam")
NAMED = {"PatientBirthDate": "19700203", "EthnicGroup": "2106-3", "PatientAddress": "Main Street 1"}


def inject(d: Department, port: int, version: str) -> None:
    """Messages that no simulated actor sends: unknown event, unknown segment, merge without visit, unknown patient."""
    head = "MSH|^~\\&|X|H|SUT|HOSP|20260102||{kind}|{id}|P|{version}\rEVN||20260102\rPID|||{patient}^^^H||A^B\r"
    messages = (
        ("ADT^Z99", 9001, "PV1||O\r"),
        ("ADT^A40^ADT_A39", 9001, "MRG|9002^^^H\r"),
        ("ADT^A08^ADT_A01", 9003, "PV1||O\r"),
        ("ADT^A08^ADT_A01", 4711, "PV1||O\rZZZ|what|is|this\r"),
    )
    with MllpSender(d.transcripts[""], "127.0.0.1", port, actor=ADT, timeouts=QUICK) as sender:
        for number, (kind, patient, segments) in enumerate(messages):
            sender.send((head.format(kind=kind, id=f"I{number}", version=version, patient=patient) + segments).encode())


def day_of_adt(d: Department, version: str) -> None:
    adt = d.adt
    inpatient = replace(VISIT, patient_class="I")
    moved = replace(inpatient, prior_location="WARD^101^1")
    merge = {"PatientID": PATIENT.identifier.value, "RetiredPatientID": TEMPORARY.identifier.value}
    events: tuple[tuple[str, Callable[..., object], tuple[object, ...], object], ...] = (
        ("A05", adt.preadmit, (PATIENT, VISIT), NAMED),
        ("A38", adt.cancel_preadmission, (PATIENT, VISIT), NAMED),
        ("A01", adt.admit, (OTHER, VISIT), NAMED),
        ("A11", adt.cancel_admission, (OTHER, VISIT), NAMED),
        ("A04", adt.register, (ACCENTED, VISIT), NAMED),
        ("A06", adt.to_inpatient, (PATIENT, VISIT), {}),
        ("A02", adt.transfer, (PATIENT, inpatient, "ICU^1^2"), {}),
        ("A12", adt.cancel_transfer, (PATIENT, moved), {}),
        ("A03", adt.discharge, (PATIENT, inpatient), {}),
        ("A13", adt.cancel_discharge, (PATIENT, inpatient), {}),
        ("A07", adt.to_outpatient, (PATIENT, inpatient), {}),
        ("A08", adt.update, (replace(PATIENT, race=""), VISIT, ["PID-10"]), {"delete": ["PID-10"]}),
        ("A04", adt.register, (TEMPORARY, VISIT), {}),
        ("A40", adt.merge, (PATIENT, TEMPORARY), merge),
    )
    for event, send, arguments, patient in events:
        action = "register-patient" if event in ("A01", "A04", "A05", "A11", "A38") else "update-patient"
        asked = {"action": action, "parameters": {"event": event, "patient": patient}}
        d.transcripts[""].note("ACTION", asked)
        settled(send)(*arguments)


def settled(send: Callable[..., object]) -> Callable[..., object]:
    """A method that waits for the acknowledgements of what it sent."""

    def waiting(*arguments: object) -> object:
        result = send(*arguments)
        for delivery in result if isinstance(result, tuple) else (result,):
            if hasattr(delivery, "wait"):
                delivery.wait(5)
        return result

    return waiting


def day_of_placer(d: Department, version: str) -> None:
    settled(d.adt.register)(PATIENT, VISIT)
    known = (
        "DangerCode",
        "RelevantClinicalInformation",
        "PatientTransportArrangements",
        "ReasonForTheRequestedProcedure",
    )
    d.transcripts[""].note("ACTION", {"action": "place-order", "parameters": {"order": dict.fromkeys(known, "x")}})
    order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
    delivery.wait(5)
    _, delivery = d.placer.place(PATIENT, VISIT, replace(ORDER, service=replace(ORDER.service, value="CT-TRUNK")))
    delivery.wait(5)
    settled(d.adt.update)(replace(PATIENT, name=PersonName("Smith^Anna"), birth_date="19700204"), VISIT)
    settled(d.placer.cancel)(order)
    own, delivery = d.filler.place(OTHER, VISIT, ORDER)
    d.filler.step_changed(own.steps[0].id, StepState.STARTED)
    moved = d.filler.book.by_filler(own.filler_number)
    assert moved is not None
    d.filler.book_appointment(moved)
    d.filler.move_appointment(moved, "20260104100000")
    d.filler.cancel_appointment(moved)
    d.filler.cancel(moved)
    assert d.filler.endpoint.wait_idle(10)
    inject(d, d.placer.endpoint.port, version)


def day_of_filler(d: Department, version: str) -> None:
    filler = d.filler
    settled(d.adt.register)(PATIENT, VISIT)
    settled(d.adt.register)(TEMPORARY, VISIT)
    first, delivery = d.placer.place(PATIENT, VISIT, ORDER)
    delivery.wait(5)
    group, delivery = d.placer.place(TEMPORARY, VISIT, replace(ORDER, service=replace(ORDER.service, value="CT-TRUNK")))
    delivery.wait(5)
    _, delivery = d.placer.place(STRANGER, VISIT, ORDER)
    delivery.wait(5)
    settled(d.adt.register)(GONE, VISIT)
    settled(d.adt.cancel_admission)(GONE, VISIT)
    mark = d.transcripts[""].mark()
    _, delivery = d.placer.place(GONE, VISIT, ORDER)
    delivery.wait(5)
    kind = "ORM^O01" if version == "2.3.1" else "OMG^O19"
    refused = d.transcripts[""].select(kind, direction=Direction.TO_SUT, after=mark)[0]
    d.transcripts[""].note("NEGATIVE", {"message": refused.seq, "rule": "cancelled-visit"})
    ask_worklist(d, PATIENT.identifier.value)
    settled(d.adt.update)(replace(PATIENT, name=PersonName("Smith^Anna")), VISIT)
    ask_worklist(d, PATIENT.identifier.value)
    settled(d.adt.merge)(PATIENT, TEMPORARY)
    ask_worklist(d, PATIENT.identifier.value)
    ask_worklist(d, TEMPORARY.identifier.value)
    settled(d.placer.cancel)(first)
    ask_worklist(d, PATIENT.identifier.value)

    kept = filler.book.by_placer(group.placer_number)
    assert kept is not None
    kept = filler.change(kept, lambda p: replace(p, steps=tuple(replace(s, modality="PT") for s in p.steps)))
    perform(d, kept.procedures[0], StepState.STARTED)
    kept = filler.book.by_placer(group.placer_number)
    assert kept is not None
    filler.move_appointment(kept, "20260104100000")
    filler.discontinue(kept)

    done, _ = filler.place(OTHER, VISIT, ORDER)
    perform(d, done.procedures[0], StepState.COMPLETED)
    done = filler.book.by_filler(done.filler_number) or done
    filler.change(done, lambda p: replace(p, description="changed afterwards"))
    replaced, _ = filler.place(OTHER, VISIT, ORDER)
    filler.replace(replaced, ORDER)

    unscheduled = Dataset()
    unscheduled.PatientID = OTHER.identifier.value
    item = Dataset()
    item.StudyInstanceUID = "1.2.3.4.5"
    unscheduled.ScheduledStepAttributesSequence = [item]
    fields = {"MessageID": 1, "AffectedSOPClassUID": MPPS, "AffectedSOPInstanceUID": "1.2.3.99"}
    assert filler.endpoint.wait_idle(10)
    record(d.transcripts[""], Direction.TO_SUT, "N-CREATE-RQ", fields, unscheduled)
    filler.place(OTHER, VISIT, ORDER, study_uid="1.2.3.4.5")
    assert filler.endpoint.wait_idle(10)
    inject(d, filler.endpoint.port, version)
    assert filler.endpoint.wait_idle(10)


def perform(d: Department, procedure: RequestedProcedure, end: StepState) -> None:
    """A performed step for all steps of a procedure, up to ``end``, as a modality reports it."""
    assert d.filler.endpoint.wait_idle(10)
    created, changed = Dataset(), Dataset()
    items = []
    for step in procedure.steps:
        item = Dataset()
        item.StudyInstanceUID, item.RequestedProcedureID = procedure.study_uid, procedure.id
        item.ScheduledProcedureStepID = step.id
        items.append(item)
    created.ScheduledStepAttributesSequence = items
    changed.PerformedProcedureStepStatus = "COMPLETED"
    fields = {"MessageID": 7, "AffectedSOPClassUID": MPPS, "AffectedSOPInstanceUID": f"{procedure.study_uid}.9"}
    record(d.transcripts[""], Direction.TO_SUT, "N-CREATE-RQ", fields, created)
    for step in procedure.steps:
        d.filler.step_changed(step.id, StepState.STARTED)
    assert d.filler.endpoint.wait_idle(10)
    if end is StepState.COMPLETED:
        fields = {"MessageID": 8, "RequestedSOPClassUID": MPPS, "RequestedSOPInstanceUID": f"{procedure.study_uid}.9"}
        record(d.transcripts[""], Direction.TO_SUT, "N-SET-RQ", fields, changed)
        for step in procedure.steps:
            d.filler.step_changed(step.id, StepState.COMPLETED)
    assert d.filler.endpoint.wait_idle(10)


def day_of_manager(d: Department, version: str) -> None:
    order, _ = d.filler.place(PATIENT, VISIT, ORDER)
    assert d.filler.endpoint.wait_idle(10)
    order = d.filler.change(order, lambda p: replace(p, description="other"))
    d.filler.cancel(order)
    assert d.filler.endpoint.wait_idle(10)
    inject(d, d.manager.endpoint.port, version)


def ask_worklist(d: Department, patient_id: str) -> None:
    """A worklist query of a modality, put into the transcript as the wire engine would."""
    assert d.filler.endpoint.wait_idle(10)
    transcript: Transcript = d.transcripts[""]
    query = Dataset()
    query.PatientID = patient_id
    number = transcript.mark()
    fields = {"MessageID": number, "AffectedSOPClassUID": "1.2.840.10008.5.1.4.31"}
    record(transcript, Direction.TO_SUT, "C-FIND-RQ", fields, query)
    for entry in d.filler.book.entries():
        if entry.patient.identifier.value != patient_id or entry.step.state not in (
            StepState.SCHEDULED, StepState.STARTED):  # fmt: skip
            continue
        item, step = Dataset(), Dataset()
        item.SpecificCharacterSet = "ISO_IR 192"
        item.PatientName, item.PatientID = str(entry.patient.name), entry.patient.identifier.value
        item.IssuerOfPatientID = entry.patient.identifier.authority
        item.PatientBirthDate, item.PatientSex = entry.patient.birth_date, entry.patient.sex
        with config.disable_value_validation():  # one of the defects is a value that is too long
            item.AccessionNumber, item.RequestedProcedureID = entry.procedure.accession_number, entry.procedure.id
        item.StudyInstanceUID = entry.procedure.study_uid
        item.PlacerOrderNumberImagingServiceRequest = entry.order.placer_number.value
        item.FillerOrderNumberImagingServiceRequest = entry.order.filler_number.value
        step.ScheduledProcedureStepID = entry.step.id
        item.ScheduledProcedureStepSequence = [step]
        answered = {"MessageIDBeingRespondedTo": number, "Status": 0xFF00}
        record(transcript, Direction.FROM_SUT, "C-FIND-RSP", answered, item)
    answered = {"MessageIDBeingRespondedTo": number, "Status": 0}
    record(transcript, Direction.FROM_SUT, "C-FIND-RSP", answered, None)


def record(
    transcript: Transcript, direction: Direction, kind: str, fields: Mapping[str, object], dataset: Dataset | None
) -> None:
    buffer = BytesIO()
    stream = DicomFileLike(buffer)
    stream.is_little_endian, stream.is_implicit_VR = True, True
    if dataset is not None:
        write_dataset(stream, dataset)
    transcript.record(
        direction,
        Protocol.DICOM,
        kind,
        actor="Acquisition Modality",
        association=900,
        transfer_syntax="1.2.840.10008.1.2",
        fields=fields,
        payload=Blob.of(buffer.getvalue()),
    )


#: rows that no defect of an HL7 side can break alone, with the reason
NOT_KILLED = {
    "HL7-GEN-15",  # needs an acknowledgement that we withhold; see test_hl7_checks
}

MPPS = "1.2.840.10008.3.1.2.3.3"

DAYS = {ADT: day_of_adt, PLACER: day_of_placer, FILLER: day_of_filler, MANAGER: day_of_manager}


def judged(actor: str, version: str, behaviour: OrdersBehaviour | None) -> tuple[set[str], set[str], str]:
    """Requirements that were looked at, those found broken, and why."""
    with department(
        version,
        defects={actor: behaviour} if behaviour else {},
        watched=actor,
        books_appointments=actor == FILLER,
    ) as d:
        DAYS[actor](d, version)
        faults = [fault for transcript in d.transcripts.values() for fault in transcript.faults]
        assert not faults
        transcript = d.transcripts[""]
    profiles = frozenset({"SWF"}) if version == "2.3.1" else frozenset({"SWF", "SWF.b"})
    options = frozenset({"HL7 v2.5.1"}) if version == "2.5.1" else frozenset[str]()
    exchange = Exchange(transcript, Declaration(frozenset({actor}), profiles, options))
    seen, broken, why = set(), set(), []
    for check in CHECKS:
        for found in check(exchange):
            seen.add(check.requirement)
            if found.ok is False:
                broken.add(check.requirement)
                why.append(f"{check.requirement}: {found.summary} (expected {found.expected}, was {found.actual!r})")
    return seen, broken, "\n".join(why)


@pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])
@pytest.mark.parametrize("actor", list(DAYS))
def test_an_actor_without_defects_breaks_nothing(actor: str, version: str) -> None:
    seen, broken, why = judged(actor, version, None)
    assert broken == set(), why
    assert len(seen) > 5


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_a_defect_breaks_what_it_says_and_nothing_else(defect: OrdersDefect) -> None:
    for version in defect.versions[:1]:
        _, broken, why = judged(defect.actor, version, defect.apply(OrdersBehaviour()))
        assert broken == set(defect.breaks), why


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_legal_variant_breaks_nothing(variant: OrdersDefect) -> None:
    _, broken, why = judged(variant.actor, variant.versions[-1], variant.apply(OrdersBehaviour()))
    assert broken == set(), why


def test_every_row_that_is_judged_is_killed_by_a_defect_or_named_here() -> None:
    killed = {requirement for defect in DEFECTS for requirement in defect.breaks}
    judged_rows = {check.requirement for check in CHECKS}
    assert killed <= judged_rows
    assert len({defect.id for defect in DEFECTS}) == len(DEFECTS)
    assert judged_rows - killed == NOT_KILLED
