"""A product that numbers what it schedules: the harness learns its numbers from the driver or from the worklist."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from harness.actors.acquisition import Acquisition
from harness.actors.order_filler import OrderFiller
from harness.bdd.context import ScenarioContext
from harness.bdd.numbers import Numbers, numbered
from harness.bdd.orders import Scheduler, Step
from harness.bdd.tags import read
from harness.core.check import Declaration
from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.transcript import Transcript

ROWS = (
    {"step": "S1", "patient": "doe", "modality": "CT", "start": "today 09:00", "procedure": "P", "order": "O"},
    {"step": "S2", "patient": "doe", "modality": "CT", "start": "today 09:10", "procedure": "P", "order": "O"},
    {"step": "S3", "patient": "roe", "modality": "MR", "start": "today 09:00"},
)
OWN = {"AccessionNumber": "OWN-A", "RequestedProcedureID": "OWN-R", "StudyInstanceUID": "1.2.99"}


def steps() -> dict[str, Step]:
    made = Scheduler(random.Random(1), datetime.date(2026, 1, 5), "MODALITY").steps(ROWS)
    return {step.name: step for step in made}


def own_entry(step: Step, number: str) -> dict[str, Any]:
    """A step as a product schedules it under its own numbers, with a time without seconds."""
    item = {**step.sps, "ScheduledProcedureStepID": f"OWN-{number}"}
    item["ScheduledProcedureStepStartTime"] = item["ScheduledProcedureStepStartTime"][:4]
    return {**step.entry, **OWN, "ScheduledProcedureStepSequence": [item]}


@contextmanager
def scenario(driver: str) -> Iterator[tuple[ScenarioContext, OrderFiller]]:
    transcript = Transcript()
    with Acquisition("MODALITY", transcript) as modality, OrderFiller("SUT", Transcript()) as product:
        lab: Any = SimpleNamespace(
            modality=modality,
            product=product.address,
            recorder=modality.recorder,
            sut=SimpleNamespace(driver=SimpleNamespace(kind=driver)),
            declaration=Declaration(),
        )
        yield ScenarioContext(lab, transcript, read(()), "x", strict=False), product


def test_numbers_that_nobody_speaks_of_are_those_that_were_given() -> None:
    with scenario("command") as (context, _):
        assert Numbers(context, steps()).learn({}) == steps()
        assert not context.transcript.messages


def test_a_driver_that_knows_the_numbers_says_them() -> None:
    told = [{**OWN, "ScheduledProcedureStepSequence": [{"ScheduledProcedureStepID": f"N{n}"}]} for n in (1, 2, 3)]
    with scenario("http") as (context, _):
        found = Numbers(context, steps()).learn({"orders": told})
        with pytest.raises(UsageError, match="1 orders for 3 steps"):
            Numbers(context, steps()).learn({"orders": told[:1]})
    assert [step.step_id for step in found.values()] == ["N1", "N2", "N3"]
    assert found["S3"].entry["StudyInstanceUID"] == "1.2.99"
    assert found["S3"].entry["ReferencedStudySequence"][0]["ReferencedSOPInstanceUID"] == "1.2.99"
    assert found["S3"].entry["PatientID"] == steps()["S3"].entry["PatientID"]


def test_what_an_operator_scheduled_is_found_beside_what_was_there_before() -> None:
    with scenario("manual") as (context, product):
        product.schedule(own_entry(steps()["S1"], "OLD"))
        numbers = Numbers(context, steps())
        for number, step in enumerate(steps().values(), 1):
            product.schedule(own_entry(step, str(number)))
        found = numbers.learn({})
    assert {name: step.step_id for name, step in found.items()} == {"S1": "OWN-1", "S2": "OWN-2", "S3": "OWN-3"}
    assert {step.entry["AccessionNumber"] for step in found.values()} == {"OWN-A"}


def test_a_product_that_keeps_the_given_numbers_is_taken_at_its_word() -> None:
    with scenario("manual") as (context, product):
        numbers = Numbers(context, steps())
        for step in steps().values():
            product.schedule(step.entry)
        assert numbers.learn({}) == steps()


def test_two_entries_for_one_step_are_told_and_none_is_left_to_the_checks() -> None:
    with scenario("http") as (context, product):
        numbers = Numbers(context, steps())
        assert numbers.learn({"numbers": "worklist"}) == steps()
        product.schedule(own_entry(steps()["S1"], "1"))
        product.schedule(own_entry(steps()["S1"], "2"))
        with pytest.raises(EnvironmentFailure, match="2 entries for DOE"):
            numbers.learn({"numbers": "worklist"})


def test_numbers_left_empty_stay() -> None:
    step = steps()["S1"]
    assert numbered(step.entry, {}) == dict(step.entry)
