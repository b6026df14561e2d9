"""Judging again: the same bytes give the same findings, and whatever was changed is told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.core.check import Declaration, Exchange, judge
from harness.core.finding import Basis, Finding
from harness.core.result import RunResult
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict
from harness.reporting.evidence import EvidenceStore
from harness.reporting.redacted_run import redact_run
from harness.reporting.rejudge import Rules, declaration_of, rejudge
from tests.unit.reporting import builders


def carry_out(
    judgement: Mapping[str, Any], transcript: Transcript, sut: Declaration, *, strict: bool = False
) -> list[Finding]:
    """As the profiles do it, with one check."""
    if judgement["id"] not in (builders.LISTED_IMAGES.requirement, *builders.LISTED_IMAGES.transactions):
        return []
    exchange = Exchange(transcript.until(judgement["at"]), sut)
    return judge(builders.LISTED_IMAGES, builders.REQUIREMENTS["RAD-7-SCU-11"], exchange, strict=strict)


RULES = Rules(carry_out, frozenset({builders.LISTED_IMAGES.id}))


def store(folder: Path, findings: tuple[Finding, ...] | None = None, **changes: Any) -> RunResult:
    """A run with one judged scenario; its own finding unless others are given."""
    transcript, at = builders.exam_transcript()
    evidence = EvidenceStore(folder)
    scenario = builders.scenario(
        "exam",
        Verdict.FAIL,
        findings=(builders.broken_images(at["set"]),) if findings is None else findings,
        transcript=evidence.store_transcript("exam", transcript),
    )
    run = dataclasses.replace(builders.build_run(folder), scenarios=(scenario,), **changes)
    evidence.write_run(run)
    return run


def test_the_same_evidence_gives_the_same_findings(tmp_path: Path) -> None:
    store(tmp_path)
    outcome = rejudge(tmp_path, RULES)
    assert outcome.same
    assert (outcome.scenarios, outcome.judged, outcome.taken_over) == (1, 1, 0)


def test_redacted_evidence_gives_the_same_findings(tmp_path: Path) -> None:
    store(tmp_path / "run")
    redact_run(tmp_path / "run", tmp_path / "copy")
    outcome = rejudge(tmp_path / "copy", RULES)
    assert outcome.same
    assert outcome.judged == 1


def test_a_whitewashed_finding_is_told(tmp_path: Path) -> None:
    white = dataclasses.replace(builders.broken_images(19), verdict=Verdict.PASS)
    store(tmp_path, (white,))
    (difference,) = rejudge(tmp_path, RULES).differences
    assert difference.requirement == "RAD-7-SCU-11"
    assert difference.stored.startswith("✓ passed")
    assert difference.again.startswith("✕ broken")


def test_a_removed_and_an_invented_finding_are_told(tmp_path: Path) -> None:
    invented = dataclasses.replace(builders.broken_images(19), locator="elsewhere")
    store(tmp_path, (invented,))
    differences = rejudge(tmp_path, RULES).differences
    assert [(bool(d.stored), bool(d.again)) for d in differences] == [(True, False), (False, True)]


def test_judging_one_thing_twice_is_no_difference(tmp_path: Path) -> None:
    store(tmp_path, (builders.broken_images(19),) * 3)
    assert rejudge(tmp_path, RULES).same


def test_attested_and_step_findings_are_taken_over(tmp_path: Path) -> None:
    said = builders.passed("RAD-5-SCU-09", "Shown as it came.", basis=Basis.ATTESTED)
    step = dataclasses.replace(builders.passed("RAD-6-SCU-04", "No N-CREATE came."), check="exchange")
    store(tmp_path, (builders.broken_images(19), said, step))
    outcome = rejudge(tmp_path, RULES)
    assert outcome.same
    assert outcome.taken_over == 2


def test_a_check_that_is_gone_is_a_problem_not_a_pass(tmp_path: Path) -> None:
    gone = dataclasses.replace(builders.broken_images(19), check="swf.removed_check")
    store(tmp_path, (builders.broken_images(19), gone))
    assert rejudge(tmp_path, RULES).problems == ("exam: this program has no check 'swf.removed_check'",)


def test_changed_bytes_are_a_problem(tmp_path: Path) -> None:
    store(tmp_path)
    blob = max((tmp_path / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    outcome = rejudge(tmp_path, RULES)
    assert not outcome.same
    assert "the stored bytes are missing or changed" in outcome.problems[0]


def test_a_missing_transcript_is_a_problem(tmp_path: Path) -> None:
    run = store(tmp_path)
    (tmp_path / run.scenarios[0].transcript).unlink()
    assert "the transcript is missing" in rejudge(tmp_path, RULES).problems[0]


def test_what_came_later_than_the_judgement_does_not_count(tmp_path: Path) -> None:
    run = store(tmp_path)
    path = tmp_path / run.scenarios[0].transcript
    data = json.loads(path.read_text())
    fact = next(fact for fact in data["facts"] if fact["kind"] == "JUDGEMENT")
    later = next(m for m in data["messages"] if m["kind"] == "C-STORE-RQ")
    data["messages"].append({**later, "seq": fact["data"]["at"] + 100})
    path.write_text(json.dumps(data))
    assert rejudge(tmp_path, RULES).same


@pytest.mark.parametrize("data", [{}, {"id": "RAD-7", "at": "x"}, {"id": "RAD-7"}])
def test_a_broken_judgement_is_a_problem(tmp_path: Path, data: dict[str, Any]) -> None:
    run = store(tmp_path)
    path = tmp_path / run.scenarios[0].transcript
    stored = json.loads(path.read_text())
    for fact in stored["facts"]:
        fact["data"] = data if fact["kind"] == "JUDGEMENT" else fact["data"]
    path.write_text(json.dumps(stored))
    assert "cannot be carried out" in rejudge(tmp_path, RULES).problems[0]


def test_the_claims_of_the_run_are_judged_by(tmp_path: Path) -> None:
    run = store(tmp_path, sut={
        "claims": [{"actor": "Acquisition Modality", "profile": "SWF.b", "options": ["Append"]}, "junk"],
        "ae_titles": ["CT9"],
        "statement": {"x": 1},
    })  # fmt: skip
    declaration = declaration_of(run)
    assert declaration.actors == {"Acquisition Modality"}
    assert declaration.profiles == {"SWF.b"}
    assert declaration.options == {"Append"}
    assert declaration.ae_titles == {"CT9"}
    assert declaration.statement == {"x": 1}


def test_other_rules_than_those_of_the_run_are_told(tmp_path: Path) -> None:
    """What differs need not be a forgery: the checks may have been mended since."""
    run = store(tmp_path)
    environment = {**run.environment, "rules": {"requirements": 1, "fingerprint": "aaaa"}}
    EvidenceStore(tmp_path).write_run(dataclasses.replace(run, environment=environment))
    same, newer = (rejudge(tmp_path, dataclasses.replace(RULES, fingerprint=now)) for now in ("aaaa", "bbbb"))
    assert (same.other_rules, newer.other_rules) == ("", "aaaa")
    assert newer.same, "the findings are what counts"
