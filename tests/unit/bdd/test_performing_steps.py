"""What the steps of performed steps send, note and break, against a PPS Manager that is healthy or not."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from harness.actors import objects
from harness.actors.acquisition import Acquisition
from harness.actors.defects import registry as defects
from harness.actors.pps_manager import PpsManager
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Scheduler
from harness.bdd.performances import performance
from harness.bdd.steps import performed, performing
from harness.bdd.tags import read
from harness.core.check import Declaration
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.profiles import facts
from harness.profiles.names import MODALITY
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address

TAGS = ("profile:SWF", "actor:pps-manager", "transaction:RAD-6")
ROWS = ({"step": "S1", "patient": "doe", "modality": "CT", "start": "today 09:00"},)


@contextmanager
def scenario(*ids: str) -> Iterator[ScenarioContext]:
    """A scenario with one scheduled step; the product is a PPS Manager with these defects."""
    transcript, own = Transcript(), Transcript()
    behaviour = defects.behaviour("pps-manager", ids)
    with (
        Acquisition("MODALITY", transcript, uid=objects.uid_source(3)) as modality,
        PpsManager("SUT", own, behaviour=behaviour) as product,
    ):
        lab: Any = SimpleNamespace(modality=modality, product=product.address, away=set(), declaration=Declaration())
        context = ScenarioContext(lab, transcript, read(TAGS), "x", strict=False)
        steps = Scheduler(random.Random(1), datetime.date(2026, 1, 5), "MODALITY").steps(ROWS)
        context.memory["steps"] = {step.name: step for step in steps}
        yield context


def sent(context: ScenarioContext) -> list[str]:
    """The step messages that went to the product."""
    return [m.kind for m in context.transcript.select(direction=Direction.TO_SUT) if m.kind.startswith("N-")]


def negative(context: ScenarioContext) -> list[tuple[str, list[int]]]:
    """What was done on purpose that must be refused, with the statuses that refuse it."""
    return [(f.data["rule"], f.data["statuses"]) for f in context.transcript.facts_of(facts.NEGATIVE)]


def test_a_step_is_reported_from_its_beginning_to_its_end() -> None:
    with scenario() as context:
        performing.performs(context, MODALITY, "S1", 2)
        assert sent(context) == ["N-CREATE-RQ", "N-SET-RQ"]
        assert len(performance(context, "S1").samples) == 2
        assert context.findings == []


def test_what_must_be_refused_is_noted_with_the_status_that_refuses_it() -> None:
    with scenario() as context:
        performing.performs(context, MODALITY, "S1", 1)
        for wrong in ("begun twice", "changed after its end", "ended and never begun", "begun as COMPLETED"):
            performing.wrongly_reports(context, "S1", wrong)
        assert negative(context) == [
            ("create-duplicate", [0x0111]),
            ("set-final", [0x0110]),
            ("set-unknown", [0x0112]),
            ("create-status", [0x0106]),
        ]
        assert context.findings == []


def test_a_receiver_that_refuses_a_regular_beginning_breaks_its_requirement_and_ends_the_scenario() -> None:
    with scenario("ppsm-refuses-in-progress") as context:
        with pytest.raises(NonConformance, match="was answered 0110"):
            performing.starts(context, "S1")
        assert [finding.requirement for finding in context.findings] == ["RAD-6-SCP-01"]


def test_a_receiver_that_is_away_breaks_the_requirement_too() -> None:
    with scenario() as context:
        lab: Any = context.lab
        lab.product = Address("SUT", "127.0.0.1", 1)
        with pytest.raises(NonConformance):
            performing.starts(context, "S1")
        assert [finding.requirement for finding in context.findings] == ["RAD-6-SCP-01"]


def test_a_reason_is_coded_or_local_or_absent() -> None:
    keyword = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
    for reason, expected in (("110514", [("110514", "DCM")]), ("7", [("7", "99IHEHARNESS")]), ("", [])):
        with scenario() as context:
            performing.abandons(context, MODALITY, "S1", 0, reason)
            message = context.transcript.select("N-SET-RQ", direction=Direction.TO_SUT)[-1]
            ended = decode(message.payload, str(message.fields.get("TransferSyntax") or "1.2.840.10008.1.2"))
            assert [(i.CodeValue, i.CodingSchemeDesignator) for i in ended.get(keyword) or ()] == expected


def test_names_that_mean_nothing_are_an_authors_mistake() -> None:
    with scenario() as context:
        with pytest.raises(UsageError, match=r"no step S9 was scheduled; known: S1"):
            performing.starts(context, "S9")
        with pytest.raises(UsageError, match=r"'S1' was not started; known: none"):
            performing.wrongly_reports(context, "S1", "begun twice")
        with pytest.raises(UsageError, match="is not an event of a step"):
            performed.worklist_offers(context, "S1", "full moon")
        with pytest.raises(UsageError, match="is no wrong report; known: begun as COMPLETED"):
            performing.wrongly_reports(context, "S1", "begun late")
        with pytest.raises(UsageError, match="a step is not performed 'slowly'; known: rejecting <number>"):
            performing.performs_in_a_manner(context, "S1", 1, "slowly")
