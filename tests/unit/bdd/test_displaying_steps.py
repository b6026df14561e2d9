"""What the steps of displays count, and which requirement a wrong count breaks; answers that fail on purpose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.refusals import DeliveryFaults
from harness.bdd.steps import displaying, disturbing, exchanging
from harness.bdd.tags import read
from harness.core.check import Declaration
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles import facts
from harness.profiles.names import IMAGE_MANAGER

TAGS = ("profile:SWF", "actor:image-display", "transaction:RAD-14")


@pytest.fixture
def context() -> ScenarioContext:
    timeouts = SimpleNamespace(exchange=0.05)
    lab: Any = SimpleNamespace(
        sut=SimpleNamespace(timeouts=timeouts), declaration=Declaration(), delivery_faults=DeliveryFaults()
    )
    return ScenarioContext(lab, Transcript(), read(TAGS), "x", strict=False)


def answered(context: ScenarioContext, matches: int) -> None:
    """A query of the product that our archive answered with so many matches."""
    record = context.transcript.record
    context.that = record(Direction.FROM_SUT, Protocol.DICOM, "C-FIND-RQ", actor="Image Manager/Archive")
    for status in (*[0xFF00] * matches, 0x0000):
        record(Direction.TO_SUT, Protocol.DICOM, "C-FIND-RSP", actor="Image Manager/Archive", fields={"Status": status})


def test_the_right_number_of_matches_breaks_nothing(context: ScenarioContext) -> None:
    answered(context, 2)
    exchanging.answered_with(context, 2)
    assert context.findings == []


@pytest.mark.parametrize(
    ("asked", "row"), [({"PatientID": "1"}, "RAD-14-SCU-03"), ({"StudyInstanceUID": "1"}, "RAD-14-SCU-01")]
)
def test_another_number_breaks_the_requirement_of_the_key(
    context: ScenarioContext, asked: dict[str, str], row: str
) -> None:
    answered(context, 3)
    context.memory["asked"] = asked
    with pytest.raises(NonConformance, match="matched 3 entries; 1 were to be found"):
        exchanging.answered_with(context, 1)
    assert [finding.requirement for finding in context.findings] == [row]


def test_counting_needs_a_query(context: ScenarioContext) -> None:
    with pytest.raises(UsageError, match="this step follows"):
        exchanging.answered_with(context, 1)


def test_an_image_that_was_not_delivered_is_missed(context: ScenarioContext) -> None:
    context.memory["studies"] = {"kim": SimpleNamespace(instance_uids=["1.1", "1.2"])}
    context.transcript.record(
        Direction.TO_SUT,
        Protocol.DICOM,
        "C-STORE-RQ",
        actor="Image Manager/Archive",
        fields={"AffectedSOPInstanceUID": "1.1"},
    )
    with pytest.raises(NonConformance, match="1 of 2 images"):
        displaying.images_delivered(context, "kim")
    assert [finding.requirement for finding in context.findings] == ["RAD-16-SCU-01"]


def test_so_many_deliveries_fail_and_then_none(context: ScenarioContext) -> None:
    disturbing.we_answer(context, Guests(context.lab), IMAGE_MANAGER, "the next retrieve", "B000 for 2 images")
    faults: Any = context.lab.delivery_faults
    assert [faults.delivers(None) for _ in range(3)] == [False, False, True]
    assert context.transcript.facts_of(facts.FAULT_INJECTED)[0].data["fault"] == "delivery-failed"
    faults.lose_next(5)
    faults.clear()
    assert faults.delivers(None)
