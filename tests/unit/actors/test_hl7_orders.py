"""The order book, the message builders and the reader of the simulated actors' HL7 sides."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from harness.actors.defects.orders import behaviour
from harness.actors.orders.behaviour import OrdersBehaviour, build, judge
from harness.actors.orders.book import OrderBook
from harness.actors.orders.catalogue import DEFAULT_CATALOGUE, schedule
from harness.actors.orders.hl7 import Application, Scene
from harness.actors.orders.layouts import Layout, adt_layout, order_layout, schedule_layout
from harness.actors.orders.reader import order_of, patient_of, retired_of, schedule_of, visit_of
from harness.actors.orders.values import (
    Code,
    Identifier,
    Numbering,
    Order,
    OrderState,
    Patient,
    PersonName,
    Provider,
    RequestedProcedure,
    ScheduledStep,
    StepState,
    Visit,
)
from harness.core.errors import UsageError
from harness.protocols.hl7.acknowledge import Code as AckCode
from harness.protocols.hl7.message import NULL, HL7Message

PATIENT = Patient(
    Identifier("4711", "HOSP", "1.2.3", "ISO"),
    PersonName("Miller^Anna^Maria^Dr^Jr", "ミラー^アンナ", "みらー^あんな"),
    "19700203",
    "F",
    race="W",
    address="Street 1^^Town",
    account=Identifier("ACC", "HOSP"),
    mother_maiden_name="Smith",
)
VISIT = Visit(
    Identifier("V1", "HOSP"), "I", "WARD^1^2", "", Provider("1", PersonName("A^B")), Provider("2", PersonName("C^D")),
    Provider("3", PersonName("E^F")), "MED", pregnant=True,
)  # fmt: skip
ORDER = Order(
    PATIENT.identifier.key, Identifier("P1", "OP"), Identifier("F1", "OF"), Code("MR-BRAIN", "99H", "MR | brain"),
    VISIT, Provider("4", PersonName("G^H")), Provider("5", PersonName("I^J")), Code("N", "99O", "Neuro"), "20260102",
    "20260103080000", "S", "MRSA", "ache & fever", "BED", "why^not",
)  # fmt: skip


def scene(layout: Layout, version: str, **more: Any) -> Scene:
    base = Scene(
        type=layout.type, trigger=layout.trigger, structure=layout.structure, version=version, time="20260102030405",
        control_id="1", sender=Application("A", "B"), receiver=Application("C", "D"), patient=PATIENT, visit=VISIT,
        order=ORDER, character_sets=("UNICODE UTF-8",),
    )  # fmt: skip
    return replace(base, **more)


def message(layout: Layout, version: str, steps: tuple[ScheduledStep, ...] = (), **more: Any) -> HL7Message:
    return HL7Message(build(OrdersBehaviour(), scene(layout, version, **more), layout, steps))


# -- book --------------------------------------------------------------------------------------------------------------


def filled(orders: int = 1) -> OrderBook:
    book = OrderBook()
    book.register(PATIENT, VISIT)
    for number in range(orders):
        steps = (ScheduledStep(f"S{number}a", "CT"), ScheduledStep(f"S{number}b", "CT"))
        procedure = RequestedProcedure(f"R{number}", f"A{number}", f"1.2.{number}", Code("C"), steps=steps)
        placer, filler = Identifier(f"P{number}", "OP"), Identifier(f"F{number}", "OF")
        book.add(replace(ORDER, procedures=(procedure,), placer_number=placer, filler_number=filler))
    return book


def test_an_order_needs_its_patient() -> None:
    with pytest.raises(KeyError, match="register it"):
        OrderBook().add(ORDER)


def test_an_order_is_found_by_each_of_its_numbers() -> None:
    book = filled(3)
    order = book.orders[1]
    for found in (
        book.by_placer(Identifier("P1", "OP")),
        book.by_filler(Identifier("F1", "OF")),
        book.by_placer(Identifier("P1")),
        book.by_study("1.2.1"),
        book.by_step("S1b"),
    ):
        assert found is order
    assert book.by_placer(Identifier("P1", "ELSEWHERE")) is None
    assert book.by_placer(Identifier()) is None
    assert book.by_study("1.9") is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((StepState.SCHEDULED, StepState.SCHEDULED), OrderState.SCHEDULED),
        ((StepState.STARTED, StepState.SCHEDULED), OrderState.IN_PROGRESS),
        ((StepState.COMPLETED, StepState.SCHEDULED), OrderState.IN_PROGRESS),
        ((StepState.COMPLETED, StepState.COMPLETED), OrderState.COMPLETED),
        ((StepState.COMPLETED, StepState.DISCONTINUED), OrderState.COMPLETED),
        ((StepState.DISCONTINUED, StepState.DISCONTINUED), OrderState.DISCONTINUED),
        ((StepState.CANCELLED, StepState.SCHEDULED), OrderState.SCHEDULED),
        ((StepState.CANCELLED, StepState.CANCELLED), OrderState.CANCELLED),
    ],
)
def test_the_state_of_an_order_follows_its_steps(states: tuple[StepState, StepState], expected: OrderState) -> None:
    book = filled()
    for step, state in zip(("S0a", "S0b"), states, strict=True):
        book.set_step_state(step, state)
    assert book.orders[0].state is expected
    assert tuple(entry.step.state for entry in book.entries()) == states
    assert book.set_step_state("none", StepState.STARTED) is None


def test_demographics_and_visits_reach_the_entries() -> None:
    book = filled()
    book.register(replace(PATIENT, name=PersonName("Smith")))
    book.set_visit(PATIENT.identifier, replace(VISIT, location="ICU"))
    assert {str(entry.patient.name) for entry in book.entries()} == {"Smith"}
    assert {entry.order.visit.location for entry in book.entries()} == {"ICU"}


def test_merges_move_orders_chain_and_never_circle() -> None:
    book = filled(2)
    second = replace(PATIENT, identifier=Identifier("2", "HOSP"), name=PersonName("Second"))
    third = replace(PATIENT, identifier=Identifier("3", "HOSP"), name=PersonName("Third"))
    book.register(second)
    assert len(book.merge(second, PATIENT.identifier)) == 2
    assert {str(entry.patient.name) for entry in book.entries()} == {"Second"}
    book.merge(third, second.identifier)
    assert book.resolve(PATIENT.identifier) == third.identifier.key
    assert book.patient(PATIENT.identifier) == third
    book.merge(third, third.identifier)
    book.merge(PATIENT, third.identifier)  # back to one that was retired: it stays with the survivor
    assert len(book.orders_of(third.identifier)) == 2
    assert [str(patient.name) for patient in book.patients] == ["Third"]
    assert len(book.entries_of(PATIENT.identifier)) == 4


def test_an_update_under_a_retired_identifier_goes_to_the_survivor() -> None:
    book = filled()
    second = replace(PATIENT, identifier=Identifier("2", "HOSP"))
    book.merge(second, PATIENT.identifier)
    book.register(replace(PATIENT, name=PersonName("Late")))
    assert [patient.identifier.value for patient in book.patients] == ["2"]
    assert str(book.entries()[0].patient.name) == "Late"


def test_the_time_per_order_does_not_grow_with_the_book() -> None:
    def seconds(book: OrderBook, start: int) -> float:
        begin = time.perf_counter()
        for number in range(start, start + 500):
            order = replace(
                ORDER, placer_number=Identifier(f"N{number}", "OP"), filler_number=Identifier(f"M{number}", "OF")
            )
            assert book.by_placer(order.placer_number) is None
            book.add(order)
        return time.perf_counter() - begin

    book = OrderBook()
    book.register(PATIENT)
    small = min(seconds(book, start) for start in (0, 500, 1000))
    seconds(book, 2000)
    for start in range(3000, 20_000, 500):
        last = seconds(book, start)
    large = min(last, *(seconds(book, start) for start in (30_000, 31_000, 32_000)))
    assert large < 5 * small  # it would be some 20 times with a walk over all orders


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])
def test_what_an_adt_message_says_is_read_again(version: str) -> None:
    read = message(adt_layout("A01"), version)
    patient = patient_of(read)
    assert replace(patient, character_set=()) == PATIENT
    assert patient.character_set == ("ISO_IR 192",)
    assert visit_of(read) == VISIT


@pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])
def test_what_an_order_says_is_read_again(version: str) -> None:
    read = message(order_layout(version), version, control="NW")
    assert order_of(read, PATIENT.identifier.key, VISIT) == ORDER


@pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])
def test_what_a_schedule_says_is_read_again(version: str) -> None:
    numbers = iter(range(1, 100))
    procedures = schedule(
        ORDER, DEFAULT_CATALOGUE, Numbering(lambda: f"1.2.{next(numbers)}"), OrdersBehaviour(), lambda: "20260102"
    )
    (procedure,) = procedures
    layout = schedule_layout(version)
    read = message(layout, version, procedure.steps, procedure=procedure, control="NW", status="SC")
    told = schedule_of(read, PATIENT.identifier.key, VISIT)
    assert told.procedures == procedures
    assert (told.placer_number, told.filler_number) == (ORDER.placer_number, ORDER.filler_number)


def test_an_empty_field_leaves_and_two_quotes_delete() -> None:
    text = 'MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.3.1\rPID|||4711^^^HOSP||""||""||||""|||||||""\rPV1||I|""|||||||""\r'
    read = HL7Message(text.encode())
    patient = patient_of(read, PATIENT)
    assert patient.name == PersonName()
    assert (patient.birth_date, patient.sex, patient.race) == ("", "F", "W")
    assert patient.address == ""
    assert patient.account == Identifier()
    visit = visit_of(read, VISIT)
    assert (visit.location, visit.service, visit.attending) == ("", "", VISIT.attending)


def test_deleted_fields_are_written_as_two_quotes() -> None:
    read = message(
        adt_layout("A08"), "2.3.1", deleted=frozenset({"PID-10", "PV1-45"}), patient=replace(PATIENT, race="")
    )
    assert read["PID-10"] == NULL
    assert read["PV1-45"] == NULL


def test_a_merge_names_both_patients() -> None:
    old = Patient(Identifier("9", "HOSP"), PersonName("Old^Name"))
    read = message(adt_layout("A40"), "2.3.1", retired=old)
    assert retired_of(read) == old
    assert "PV1" not in read


def test_msh_18_is_empty_while_all_is_ascii() -> None:
    plain = replace(PATIENT, name=PersonName("Miller^Anna"))
    assert message(adt_layout("A04"), "2.3.1", patient=plain)["MSH-18"] == ""
    assert message(adt_layout("A04"), "2.3.1")["MSH-18"] == "UNICODE UTF-8"


def test_a_name_outside_the_character_set_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="8859/1"):
        message(adt_layout("A04"), "2.3.1", character_sets=("8859/1",))


def test_a_receiver_says_what_is_missing_and_where() -> None:
    needs = {("ADT", "A04"): ("PID-3.1", "PID-18.1|PV1-19.1")}
    head = "MSH|^~\\&|A|B|C|D|2026||{kind}|{id}|P|{version}\r"

    def verdict(kind: str, version: str, rest: str, number: str = "1") -> tuple[AckCode, str] | None:
        raw = (head.format(kind=kind, version=version, id=number) + rest).encode()
        refusal = judge(HL7Message(raw), needs)
        return None if refusal is None else (refusal.code, refusal.location)

    assert verdict("ADT^A04", "2.3.1", "PID|||1|||||||||||||||A\r") is None
    assert verdict("ADT^A04", "2.3.1", "PID|||1\rPV1|||||||||||||||||||V\r") is None
    assert verdict("ADT^A04", "2.3.1", "PID|||1\r") == (AckCode.ERROR, "PID-18.1")
    assert verdict("ADT^A04", "2.3.1", 'PID|||""\r') == (AckCode.ERROR, "PID-3.1")
    assert verdict("ADT^A04", "2.3.1", "PID|||1\r", "") == (AckCode.ERROR, "MSH-10")
    assert verdict("ADT^A99", "2.3.1", "") == (AckCode.REJECT, "MSH-9.2")
    assert verdict("ORU^R01", "2.3.1", "") == (AckCode.REJECT, "MSH-9.1")
    assert verdict("ADT^A04", "1.0", "") == (AckCode.REJECT, "MSH-12")
    refusal = judge(HL7Message(b"rubbish"), needs)
    assert refusal is not None
    assert refusal.code is AckCode.REJECT


def test_defects_are_taken_by_actor_and_id() -> None:
    made = behaviour("ADT", ["hl7-test-processing", "adt-no-name"])
    layout = adt_layout("A04")
    read = HL7Message(build(made, scene(layout, "2.3.1"), layout))
    assert read["MSH-11"] == "T"
    assert read["PID-5"] == ""
    with pytest.raises(UsageError, match="adt-no-name"):
        behaviour("ADT", ["placer-no-class"])
