"""The worklist of the simulated order filler."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from harness.actors.matching import Query
from harness.actors.orders import book as orders_book
from harness.actors.orders import values as orders
from harness.actors.worklist import WORKLIST_KEYS, WORKLIST_RULES, Worklist, WorklistItem, item_from_mapping


def entry(number: int, **values: Any) -> dict[str, Any]:
    return {
        "PatientName": f"Patient^{number}",
        "PatientID": f"P{number}",
        "AccessionNumber": f"A{number}",
        "StudyInstanceUID": f"1.2.{number}",
        "RequestedProcedureID": f"R{number}",
        "RequestedProcedureDescription": "Chest",
        "Modality": "CT" if number % 2 else "MR",
        "ScheduledStationAETitle": "CT1",
        "ScheduledProcedureStepStartDate": f"202601{number % 28 + 1:02}",
        "ScheduledProcedureStepStartTime": "1000",
        "ScheduledProcedureStepID": f"S{number}",
        "ScheduledProcedureStepDescription": "Chest PA",
        **values,
    }


def ask(step: dict[str, str] | None = None, **keys: str) -> Query:
    identifier = Dataset()
    for keyword, value in {"PatientName": "", "PatientID": "", "StudyInstanceUID": "", **keys}.items():
        setattr(identifier, keyword, value)
    inner = Dataset()
    for keyword, value in {"ScheduledProcedureStepID": "", "Modality": "", **(step or {})}.items():
        setattr(inner, keyword, value)
    identifier.ScheduledProcedureStepSequence = [inner]
    return Query.of(identifier, WORKLIST_KEYS, WORKLIST_RULES)


def found(worklist: Worklist, query: Query) -> list[str]:
    return [item.step_id for item in worklist.search(query)]


def decoded(item: WorklistItem, query: Query, *, implicit: bool = True) -> Dataset:
    return read_dataset(io.BytesIO(item.answer(query, implicit=implicit)), implicit, True)


def test_steps_are_found_by_keys_of_both_levels() -> None:
    worklist = Worklist()
    for number in range(6):
        worklist.add(entry(number))
    assert found(worklist, ask()) == ["S0", "S1", "S2", "S3", "S4", "S5"]
    assert found(worklist, ask({"Modality": "MR"})) == ["S0", "S2", "S4"]
    assert found(worklist, ask({"Modality": "MR"}, PatientID="P1")) == []
    assert found(worklist, ask(PatientName="patient^3")) == ["S3"]
    assert found(worklist, ask({"ScheduledProcedureStepStartDate": "20260103-20260105"})) == ["S2", "S3", "S4"]
    assert found(worklist, ask({"ScheduledProcedureStepStartDate": "20260103"})) == ["S2"]


def test_steps_that_are_completed_or_cancelled_are_not_offered() -> None:
    worklist = Worklist()
    for number, state in enumerate(orders.StepState):
        worklist.add(entry(number))
        assert worklist.set_state(f"S{number}", state)
    assert found(worklist, ask()) == ["S0", "S1"]
    assert worklist.set_state("unknown", orders.StepState.COMPLETED) is False


def test_the_answer_holds_what_was_asked_in_both_syntaxes() -> None:
    item = item_from_mapping(entry(1))
    query = ask(ReferencedStudySequence="")
    for implicit in (True, False):
        answer = decoded(item, query, implicit=implicit)
        assert {element.keyword for element in answer} == {
            "PatientName",
            "PatientID",
            "StudyInstanceUID",
            "ReferencedStudySequence",
            "ScheduledProcedureStepSequence",
        }
        assert answer.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == "S1"
        assert len(answer.ReferencedStudySequence) == 0


@pytest.mark.parametrize(
    ("character_set", "name", "declared"),
    [
        ("", "Plain^Name", None),
        ("ISO_IR 100", "Buc^Jérôme", "ISO_IR 100"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
        ("GB18030", "Wang^XiaoDong=王^小东", "GB18030"),
        ("ISO_IR 100", "Hong^Gildong=洪^吉洞=홍^길동", "ISO_IR 192"),
        ("", "Buc^Jérôme", "ISO_IR 192"),
    ],
)
def test_text_goes_out_in_a_declared_character_set_that_can_write_it(
    character_set: Any, name: str, declared: Any
) -> None:
    item = item_from_mapping(entry(1, PatientName=name, SpecificCharacterSet=character_set))
    answer = decoded(item, ask())
    assert answer.get("SpecificCharacterSet") == declared
    assert str(answer.PatientName) == name


def test_entries_of_the_order_book_appear_and_change_with_it() -> None:
    book = orders_book.OrderBook()
    worklist = Worklist(book)
    patient = book.register(
        orders.Patient(orders.Identifier("P1", "HOSP"), orders.PersonName("Doe^John"), "19700101", "M")
    )
    step = orders.ScheduledStep("S1", "CT", "CT1", start_date="20260101", start_time="1000", description="Head")
    code = orders.Code("P1", "LOCAL", "Head CT")
    order = orders.Order(
        patient.identifier.key,
        filler_number=orders.Identifier("F1"),
        procedures=(orders.RequestedProcedure("R1", "A1", "1.2.3", code, steps=(step,)),),
    )
    book.add(order)
    (item,) = worklist.search(ask(PatientID="P1"))
    assert item.value("PatientName") == "Doe^John"
    assert item.value("RequestedProcedureDescription") == "Head CT"
    assert item.facts()["ScheduledProcedureStepSequence"][0]["ScheduledProcedureStepStartDate"] == "20260101"
    assert worklist.search(ask())[0] is item
    book.register(orders.Patient(patient.identifier, orders.PersonName("Doe^Jane"), "19700101", "F"))
    assert worklist.search(ask())[0].value("PatientName") == "Doe^Jane"
    worklist.set_state("S1", orders.StepState.COMPLETED)
    assert worklist.search(ask()) == []


def test_a_thousand_answers_are_ready_in_a_moment() -> None:
    worklist = Worklist()
    for number in range(1000):
        worklist.add(entry(number))
    started = time.perf_counter()
    assert len([item.answer(query, implicit=True) for query in [ask()] for item in worklist.search(query)]) == 1000
    first = time.perf_counter() - started
    started = time.perf_counter()
    assert len([item.answer(query, implicit=True) for query in [ask()] for item in worklist.search(query)]) == 1000
    again = time.perf_counter() - started
    assert first < 1.0
    assert again < 0.2
