"""Verdicts and severity."""

from __future__ import annotations

import dataclasses

import pytest

from harness.core.spec import Confidence, Keyword, Requirement, Verification
from harness.core.verdict import Verdict, roll_up

ROW = Requirement(
    id="RAD-0-SCU-01",
    profiles=("SWF",),
    transactions=("RAD-0",),
    actors=("Acquisition Modality",),
    keyword=Keyword.SHALL,
    statement="does something",
    source="nowhere",
    confidence=Confidence.HIGH,
    verification=Verification.AUTOMATED,
)


def test_roll_up_is_the_gravest() -> None:
    assert roll_up([Verdict.PASS, Verdict.FAIL, Verdict.WARNING]) is Verdict.FAIL
    assert roll_up([Verdict.FAIL, Verdict.ERROR]) is Verdict.ERROR
    assert roll_up([Verdict.NOT_APPLICABLE, Verdict.PASS]) is Verdict.PASS
    assert roll_up([Verdict.NOT_APPLICABLE]) is Verdict.NOT_APPLICABLE


def test_roll_up_of_nothing_is_never_a_pass() -> None:
    assert roll_up([]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("keyword", "confidence", "strict", "verdict"),
    [
        (Keyword.SHALL, Confidence.HIGH, False, Verdict.FAIL),
        (Keyword.SHALL, Confidence.MEDIUM, False, Verdict.WARNING),
        (Keyword.SHALL, Confidence.LOW, False, Verdict.WARNING),
        (Keyword.SHALL, Confidence.LOW, True, Verdict.FAIL),
        (Keyword.SHOULD, Confidence.HIGH, False, Verdict.WARNING),
        (Keyword.SHOULD, Confidence.HIGH, True, Verdict.WARNING),
    ],
)
def test_severity_is_keyword_times_confidence(
    keyword: Keyword, confidence: Confidence, strict: bool, verdict: Verdict
) -> None:
    row = dataclasses.replace(ROW, keyword=keyword, confidence=confidence)
    assert row.verdict_if_broken(strict=strict) is verdict


def test_every_verdict_has_a_word_and_a_mark_of_its_own() -> None:
    assert len({verdict.word for verdict in Verdict}) == len(Verdict)
    assert len({verdict.mark for verdict in Verdict}) == len(Verdict)
