"""The HL7 sides of the simulated actors against each other, in both versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.actors.orders.endpoint import Delivery, Retry
from harness.actors.orders.filler import ORDER_FILLER
from harness.actors.orders.placer import ORDER_PLACER
from harness.actors.orders.schedule import IMAGE_MANAGER
from harness.actors.orders.values import Identifier, OrderState, PersonName, StepState
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.protocols.hl7.message import HL7Message
from harness.protocols.hl7.mllp import MllpSender
from tests.integration.hl7.department import ORDER, PATIENT, QUICK, VISIT, department, other_patient

BOTH = pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])


def good(*deliveries: Delivery) -> None:
    for delivery in deliveries:
        delivery.wait(10)
        assert delivery.code == "AA", delivery.error or (delivery.answer and delivery.answer.message.text)


@BOTH
def test_an_order_becomes_procedures_that_the_image_manager_knows(version: str) -> None:
    with department(version) as d:
        good(*d.adt.register(PATIENT, VISIT))
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        kept = d.filler.book.by_placer(order.placer_number)
        assert kept is not None
        (procedure,) = kept.procedures
        assert len(procedure.steps) == 2
        d.settle()
        told = d.manager.procedure(procedure.study_uid)
        assert told is not None
        assert told.accession_number == procedure.accession_number
        assert told.id == procedure.id
        assert [step.id for step in told.steps] == [step.id for step in procedure.steps]
        assert told.code == procedure.code
        assert [step.protocol for step in told.steps] == [step.protocol for step in procedure.steps]
        assert (told.steps[0].start_date, told.steps[0].start_time) == ("20260102", "090000")
        entry = d.filler.book.entries()[0]
        assert entry.patient.name == PATIENT.name
        assert entry.patient.identifier == PATIENT.identifier
        assert entry.order.ordering.name == ORDER.ordering.name
        assert entry.order.visit.referring == VISIT.referring
        assert (entry.order.danger, entry.order.transport, entry.order.reason, entry.order.clinical_information) == (
            "MRSA", "WHEELCHAIR", "exclude tumour", "headache")  # fmt: skip
        kind = "ORM^O01" if version == "2.3.1" else "OMI^O23"
        received = d.transcripts[IMAGE_MANAGER].select(kind, direction=Direction.FROM_SUT)
        assert len(received) == 1
        assert not any(transcript.faults for transcript in d.transcripts.values())


@BOTH
def test_a_cancelled_order_leaves_the_worklist_and_the_manager_learns_of_it(version: str) -> None:
    with department(version) as d:
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        _, delivery = d.placer.cancel(order)
        good(delivery)
        d.settle()
        kept = d.filler.book.by_placer(order.placer_number)
        assert kept is not None
        assert kept.state is OrderState.CANCELLED
        assert {entry.step.state for entry in d.filler.book.entries()} == {StepState.CANCELLED}
        told = d.manager.procedure(kept.procedures[0].study_uid)
        assert told is not None
        assert {step.state for step in told.steps} == {StepState.CANCELLED}


def test_a_started_order_cannot_be_cancelled_by_the_placer() -> None:
    with department() as d:
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        d.filler.step_changed(d.filler.book.entries()[0].step.id, StepState.STARTED)
        _, delivery = d.placer.cancel(order)
        assert delivery.wait(10) is not None
        assert delivery.code == "AE"


@BOTH
def test_an_order_of_the_filler_gets_its_placer_number_and_uses_it(version: str) -> None:
    with department(version) as d:
        good(*d.adt.register(PATIENT, VISIT))
        order, delivery = d.filler.place(PATIENT, VISIT, ORDER)
        good(delivery)
        assert order.placer_number.authority == "OP1"
        answer = delivery.answer
        assert answer is not None
        assert answer.message.kind == ("ORR^O02" if version == "2.3.1" else "ORG^O20")
        assert answer.message["ORC-1"] == "NA"
        assert answer.message["ORC-3.1"] == order.filler_number.value
        kept = d.placer.book.by_filler(order.filler_number)
        assert kept is not None
        assert kept.placer_number == order.placer_number
        d.settle()
        scheduled = d.transcripts[IMAGE_MANAGER].select("ORM^O01" if version == "2.3.1" else "OMI^O23")[0]
        assert HL7Message(scheduled.payload.bytes())["ORC-2.1"] == order.placer_number.value


@BOTH
def test_status_follows_the_steps(version: str) -> None:
    with department(version) as d:
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        first, second = (entry.step.id for entry in d.filler.book.entries())
        for step, state in ((first, StepState.STARTED), (first, StepState.COMPLETED), (second, StepState.COMPLETED)):
            d.filler.step_changed(step, state)
        d.settle()
        kind = "ORM^O01" if version == "2.3.1" else "OMG^O19"
        told = [HL7Message(m.payload.bytes()) for m in d.transcripts[ORDER_PLACER].select(
            kind, direction=Direction.FROM_SUT)]  # fmt: skip
        assert [(m["ORC-1"], m["ORC-5"]) for m in told] == [("SC", "IP"), ("SC", "CM")]
        kept = d.placer.book.by_placer(order.placer_number)
        assert kept is not None
        assert kept.state is OrderState.COMPLETED


@BOTH
def test_replace_discontinue_and_change(version: str) -> None:
    with department(version) as d:
        order, delivery = d.filler.place(PATIENT, VISIT, ORDER)
        good(delivery)
        new, delivery = d.filler.replace(order, replace(ORDER, service=replace(ORDER.service, value="CT-TRUNK")))
        good(delivery)
        assert len({procedure.study_uid for procedure in new.procedures}) == 2
        changed = d.filler.change(new, lambda p: replace(p, steps=tuple(replace(s, modality="PT") for s in p.steps)))
        d.settle()
        told = d.manager.procedure(new.procedures[1].study_uid)
        assert told is not None
        assert told.steps[0].modality == "PT"
        d.filler.step_changed(changed.steps[0].id, StepState.STARTED)
        started = d.filler.book.by_filler(changed.filler_number)
        assert started is not None
        d.filler.discontinue(started)
        d.settle()
        controls = [
            (HL7Message(m.payload.bytes())["ORC-1"], HL7Message(m.payload.bytes())["ORC-5"])
            for m in d.transcripts[IMAGE_MANAGER].messages
            if m.direction is Direction.FROM_SUT and m.kind in ("ORM^O01", "OMI^O23")
        ]
        assert controls == [("NW", "SC"), ("CA", "CA"), ("NW", "SC"), ("NW", "SC"), ("XO", "SC"), ("XO", "SC"),
                            ("DC", "CA"), ("DC", "CA")]  # fmt: skip


@BOTH
def test_every_trigger_of_registration_and_update_is_taken_by_all_receivers(version: str) -> None:
    with department(version) as d:
        adt = d.adt
        good(*adt.preadmit(PATIENT, VISIT), *adt.cancel_preadmission(PATIENT, VISIT))
        good(*adt.admit(PATIENT, VISIT), *adt.cancel_admission(PATIENT, VISIT), *adt.register(PATIENT, VISIT))
        _, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        good(*adt.to_inpatient(PATIENT, VISIT))
        moved = replace(VISIT, patient_class="I")
        good(*adt.transfer(PATIENT, moved, "ICU^2^1"))
        assert d.filler.book.entries()[0].order.visit.location == "ICU^2^1"
        assert d.filler.book.entries()[0].order.visit.patient_class == "I"
        good(*adt.cancel_transfer(PATIENT, replace(moved, location="ICU^2^1", prior_location="WARD^101^1")))
        assert d.filler.book.entries()[0].order.visit.location == "WARD^101^1"
        good(*adt.discharge(PATIENT, moved), *adt.cancel_discharge(PATIENT, moved))
        good(*adt.to_outpatient(PATIENT, moved))
        d.settle()
        forwarded = [m.fields["trigger"] for m in d.transcripts[IMAGE_MANAGER].messages
                     if m.fields.get("type") == "ADT"]  # fmt: skip
        assert forwarded == ["A06", "A02", "A12", "A03", "A13", "A07"]
        assert not any(transcript.faults for transcript in d.transcripts.values())


@BOTH
def test_an_update_and_a_merge_reach_the_worklist_and_the_image_manager(version: str) -> None:
    with department(version) as d:
        temporary = other_patient("TEMP1", "Doe^Jane")
        good(*d.adt.register(temporary, VISIT))
        order, delivery = d.placer.place(temporary, VISIT, ORDER)
        good(delivery)
        renamed = replace(temporary, name=PersonName("Smith^Jane"), race="")
        good(*d.adt.update(renamed, VISIT, deleted=["PID-10"]))
        entry = d.filler.book.entries()[0]
        assert entry.patient.name == PersonName("Smith^Jane")
        assert entry.patient.race == ""
        good(*d.adt.register(PATIENT, VISIT))
        good(*d.adt.merge(PATIENT, renamed))
        d.settle()
        entry = d.filler.book.entries()[0]
        assert entry.patient.identifier == PATIENT.identifier
        assert d.filler.book.entries_of(temporary.identifier) == d.filler.book.entries_of(PATIENT.identifier)
        kept = d.manager.book.by_study(order.procedures[0].study_uid if order.procedures else entry.procedure.study_uid)
        assert kept is not None
        assert kept.patient == PATIENT.identifier.key
        assert d.manager.book.patient(temporary.identifier) == d.manager.book.patient(PATIENT.identifier)
        assert d.placer.book.orders_of(PATIENT.identifier)[0].placer_number == order.placer_number


@pytest.mark.parametrize(
    ("name", "sets"),
    [
        ("Buc^Jérôme", ("8859/1",)),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("ASCII", "ISO IR87")),
        ("Hong^Gildong=洪^吉洞=홍^길동", ("KS X 1001",)),
        ("Wang^XiaoDong=王^小东", ("GB 18030-2000",)),
        ("Wang^XiaoDong=王^小東", ("UNICODE UTF-8",)),
        ("Люкceмбypг", ("8859/5",)),
    ],
)
@BOTH
def test_names_of_every_script_reach_the_worklist_as_the_same_text(
    version: str, name: str, sets: tuple[str, ...]
) -> None:
    with department(version, character_sets=sets) as d:
        patient = replace(PATIENT, name=PersonName.parse(name))
        good(*d.adt.register(patient, VISIT))
        _, delivery = d.placer.place(patient, VISIT, ORDER)
        good(delivery)
        d.settle()
        assert str(d.filler.book.entries()[0].patient.name) == name
        assert str(d.manager.book.patients[0].name) == name
        header = d.transcripts[ORDER_FILLER].select("ADT^A04")[0].fields["character_set"]
        assert header == "~".join(sets)


@BOTH
def test_appointments_are_made_moved_and_cancelled(version: str) -> None:
    with department(version, books_appointments=True) as d:
        order, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        good(delivery)
        d.settle()
        kept = d.filler.book.by_placer(order.placer_number)
        assert kept is not None
        assert d.filler.move_appointment(kept, "20260103100000") is not None
        d.settle()
        (appointment,) = d.placer.appointments.values()
        assert (appointment.start, appointment.status) == ("20260103100000", "Booked")
        assert d.filler.cancel_appointment(kept) is not None
        d.settle()
        (appointment,) = d.placer.appointments.values()
        assert appointment.status == "Cancelled"


MESSAGE = "MSH|^~\\&|X|H|OF1|HOSP|20260102||{kind}|{id}|P|{version}\rEVN|{trigger}|20260102\r{rest}"


@pytest.mark.parametrize(
    ("kind", "version", "rest", "code", "location"),
    [
        ("ADT^A04", "2.3.1", "PID|||1^^^H||A^B||19700101|F\rPV1||O\r", "AA", ""),
        ("ADT^A04", "2.3.1", "PID|||1^^^H||A^B||19700101|F\rPV1||O|||||||||||||||||||||||||||||||||||||||||||||||x|y\r"
         "ZZZ|unknown|segment\r", "AA", ""),
        ("ADT^Z99", "2.3.1", "PID|||1^^^H||A^B\rPV1||O\r", "AR", "MSH"),
        ("ORU^R01", "2.3.1", "PID|||1^^^H||A^B\rPV1||O\r", "AR", "MSH"),
        ("ADT^A04", "9.9", "PID|||1^^^H||A^B\rPV1||O\r", "AR", "MSH"),
        ("ADT^A04", "2.3.1", "PID|||1^^^H||\rPV1||O\r", "AE", "PID"),
        ("ADT^A04", "2.3.1", "PID|||||A^B\rPV1||O\r", "AE", "PID"),
        ("ADT^A04", "2.3.1", "PID|||1^^^H||A^B\r", "AE", "PV1"),
        ("ADT^A40", "2.3.1", "PID|||1^^^H||A^B\rMRG|2^^^H\r", "AA", ""),
        ("ADT^A40", "2.3.1", "PID|||1^^^H||A^B\rMRG|1^^^H\r", "AE", "MRG"),
        ("ADT^A08", "2.3.1", "PID|||unknown^^^H||A^B\rPV1||O\r", "AA", ""),
        ("ORM^O01", "2.3.1", "PID|||1^^^H||A^B\rPV1||O\rORC|XX|1\rOBR|1|1||C\r", "AE", "ORC"),
        ("ORM^O01", "2.3.1", "PID|||1^^^H||A^B\rPV1||O\rORC|CA|none\rOBR|1|none||C\r", "AE", "ORC"),
    ],
)  # fmt: skip
def test_acknowledgement_codes(kind: str, version: str, rest: str, code: str, location: str) -> None:
    text = MESSAGE.format(kind=kind, id="77", version=version, trigger=kind[4:], rest=rest)
    with (
        department() as d,
        MllpSender(Transcript(), "127.0.0.1", d.filler.endpoint.port, actor="x", timeouts=QUICK) as sender,
    ):
        answer = sender.send(text.encode())
        assert answer.code == code, answer.message.text
        assert answer.message["MSA-2"] == "77"
        assert answer.message["ERR-1.1"] == location or answer.message["ERR-2.1"] == location
        assert not d.transcripts[ORDER_FILLER].faults


def test_a_message_sent_again_is_answered_again_and_carried_out_once() -> None:
    text = MESSAGE.format(kind="ORM^O01", id="5", version="2.3.1", trigger="", rest=(
        "PID|||1^^^H||A^B\rPV1||O\rORC|NW|P1^OP\rOBR|1|P1^OP||MR-BRAIN\r"))  # fmt: skip
    with (
        department() as d,
        MllpSender(Transcript(), "127.0.0.1", d.filler.endpoint.port, actor="x", timeouts=QUICK) as sender,
    ):
        first, second = sender.send(text.encode()), sender.send(text.encode())
        assert first.code == second.code == "AA"
        assert first.message.raw == second.message.raw
        assert len(d.filler.book.orders) == 1
        assert sender.send(text.replace("|5|P|", "|6|P|").encode()).code == "AE"


def test_enhanced_mode_is_answered_with_a_commit_and_an_application_acknowledgement() -> None:
    text = MESSAGE.format(kind="ADT^A04", id="5", version="2.3.1|||AL|AL", trigger="A04",
                          rest="PID|||1^^^H||A^B\rPV1||O\r")  # fmt: skip
    with (
        department() as d,
        MllpSender(Transcript(), "127.0.0.1", d.filler.endpoint.port, actor="x", timeouts=QUICK) as sender,
    ):
        codes = [received.message["MSA-1"] for received in sender.send(text.encode()).received]
        assert codes == ["CA", "AA"]
        codes = [r.message["MSA-1"] for r in sender.send(text.replace("A04", "A99").encode()).received]
        assert codes == ["CR"]


def test_messages_to_a_destination_that_is_down_are_kept_in_order() -> None:
    with department(retry=Retry(attempts=60, delay=0.1)) as d:
        port = d.manager.endpoint.port
        d.manager.stop()
        for number in range(3):
            _, delivery = d.placer.place(other_patient(str(number), f"P^{number}"), VISIT, ORDER)
            good(delivery)
        d.manager.endpoint._listener._wanted_port = port
        d.manager.start()
        d.settle()
        received = d.transcripts[IMAGE_MANAGER].select("ORM^O01", direction=Direction.FROM_SUT)
        names = [HL7Message(message.payload.bytes())["PID-3.1"] for message in received]
        assert names == ["0", "1", "2"]


def test_an_order_against_a_cancelled_visit_is_refused() -> None:
    with department() as d:
        good(*d.adt.register(PATIENT, VISIT), *d.adt.cancel_admission(PATIENT, VISIT))
        _, delivery = d.placer.place(PATIENT, VISIT, ORDER)
        delivery.wait(10)
        assert delivery.code == "AE"


def test_an_exam_done_before_it_was_ordered_keeps_its_study_uid() -> None:
    with department() as d:
        order, delivery = d.filler.place(PATIENT, VISIT, ORDER, study_uid="1.2.3.4.5")
        good(delivery)
        d.settle()
        assert [procedure.study_uid for procedure in order.procedures] == ["1.2.3.4.5"]
        assert d.manager.procedure("1.2.3.4.5") is not None


def test_an_identifier_of_another_authority_is_another_patient() -> None:
    with department() as d:
        twin = replace(PATIENT, identifier=Identifier("4711", "OTHER"), name=PersonName("Other^Olaf"))
        good(*d.adt.register(PATIENT, VISIT), *d.adt.register(twin, VISIT))
        assert {str(patient.name) for patient in d.filler.book.patients} == {"Miller^Anna^Maria^Dr", "Other^Olaf"}
