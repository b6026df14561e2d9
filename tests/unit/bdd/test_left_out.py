"""Why a product saw an empty worklist: the finding about its silence names the key that left the step out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.actors import records
from harness.bdd import left_out
from harness.bdd.context import ScenarioContext
from harness.bdd.tags import read
from harness.core.check import Declaration
from harness.core.errors import NonConformance
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.profiles import facts
from harness.protocols.dicom.uids import DEFLATED_EXPLICIT_VR_LE, IMPLICIT_VR_LE, MODALITY_WORKLIST

STEP = {
    "PatientID": "P1",
    "PatientName": "KIM^MINSU",
    "ScheduledProcedureStepSequence": [
        {
            "Modality": "DX",
            "ScheduledStationAETitle": "DX1",
            "ScheduledProcedureStepStartDate": "20260101",
            "ScheduledProcedureStepStartTime": "090000",
            "ScheduledProcedureStepID": "S1",
        }
    ],
}


def ask(transcript: Transcript, keys: dict[str, Any], step: dict[str, Any] | None = None) -> None:
    record = records.record_from_mapping({**keys, "ScheduledProcedureStepSequence": [step or {"Modality": ""}]})
    transcript.record(
        Direction.FROM_SUT,
        Protocol.DICOM,
        "C-FIND-RQ",
        actor="DSS/Order Filler",
        transfer_syntax=IMPLICIT_VR_LE,
        fields={"AbstractSyntax": MODALITY_WORKLIST},
        payload=Blob.of(records.encode(record, implicit=True)),
    )


@pytest.fixture
def transcript() -> Transcript:
    made = Transcript()
    made.note(facts.ORDER, {"keywords": STEP})
    made.note(facts.ACTION, {"action": "perform-step", "parameters": {"step_ids": ["S1"]}})
    return made


@pytest.mark.parametrize(
    ("keys", "step", "said"),
    [
        ({"PregnancyStatus": "0"}, {}, "PregnancyStatus = '0' (the step has no value)"),
        ({"PatientID": "P2"}, {}, "PatientID = 'P2' (the step has 'P1')"),
        ({"PatientName": "KIM*"}, {"Modality": "CT"}, "Modality = 'CT' (the step has 'DX')"),
        (
            {},
            {"ScheduledProcedureStepStartDate": "20260102-20260103", "Modality": "DX"},
            "ScheduledProcedureStepStartDate = '20260102-20260103' (the step has '20260101')",
        ),
    ],
)
def test_the_key_that_leaves_a_step_out_is_named(
    transcript: Transcript, keys: dict[str, Any], step: dict[str, Any], said: str
) -> None:
    ask(transcript, keys, step)
    assert (
        left_out.reason(transcript) == f"the product's worklist query (C-FIND-RQ #3) leaves the step S1 out by {said}"
    )


def test_nothing_is_said_of_a_step_that_some_answer_held(transcript: Transcript) -> None:
    assert left_out.reason(transcript) == "", "no query at all is told otherwise"
    ask(transcript, {"PatientID": "P2"})
    ask(transcript, {}, {"ScheduledProcedureStepStartDate": "20260101", "ScheduledProcedureStepStartTime": "0800-1000"})
    assert left_out.reason(transcript) == ""


def test_bytes_that_are_no_query_explain_nothing(transcript: Transcript) -> None:
    transcript.record(
        Direction.FROM_SUT,
        Protocol.DICOM,
        "C-FIND-RQ",
        actor="DSS/Order Filler",
        transfer_syntax=DEFLATED_EXPLICIT_VR_LE,
        fields={"AbstractSyntax": MODALITY_WORKLIST},
        payload=Blob.of(b"\x10\x00\x20\x00\xff\xff\x00\x00garbage"),
    )
    assert left_out.reason(transcript) == ""


def test_the_finding_about_a_missing_message_says_it(transcript: Transcript) -> None:
    ask(transcript, {"PregnancyStatus": "0"})
    lab: Any = SimpleNamespace(
        sut=SimpleNamespace(timeouts=SimpleNamespace(exchange=0.05)), declaration=Declaration(), driver=None
    )
    tags = ("profile:SWF", "actor:acquisition-modality", "transaction:RAD-6")
    context = ScenarioContext(lab, transcript, read(tags), "x", strict=False)
    with pytest.raises(NonConformance, match=r"No N-CREATE-RQ came .* leaves the step S1 out by PregnancyStatus = '0'"):
        context.expect("N-CREATE-RQ", "PPS Manager")
    assert "PregnancyStatus" in context.findings[0].summary
