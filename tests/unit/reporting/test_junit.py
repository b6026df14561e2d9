"""JUnit XML: what Jenkins accepts, and what a pipeline needs to know."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lxml import etree

from harness.core.finding import Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.reporting.junit import junit_xml
from tests.unit.reporting import builders

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parents[2] / "data" / "jenkins-junit.xsd")))


@pytest.fixture
def run(tmp_path: Path) -> RunResult:
    return builders.build_run(tmp_path)


def parsed(run: RunResult) -> etree._Element:
    root = etree.fromstring(junit_xml(run))
    SCHEMA.assertValid(root)
    return root


def cases(run: RunResult) -> dict[str, etree._Element]:
    return {case.get("name", ""): case for case in parsed(run).iter("testcase")}


def with_scenarios(run: RunResult, *scenarios: ScenarioResult) -> RunResult:
    return dataclasses.replace(run, scenarios=scenarios)


def test_run_is_valid_and_counted(run: RunResult) -> None:
    root = parsed(run)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("6", "2", "1")
    assert root.findall("testsuite")[0].get("skipped") == "1"


def test_schema_refuses_what_jenkins_refuses(run: RunResult) -> None:
    root = parsed(run)
    case = next(root.iter("testcase"))
    etree.SubElement(case, "properties")
    assert not SCHEMA.validate(root), "properties belong to suites"


def test_each_broken_requirement_is_a_failure_of_its_check(run: RunResult) -> None:
    failures = cases(run)["Rejected image stays out of the step"].findall("failure")
    assert [f.get("type") for f in failures] == ["swf.mpps_lists_stored_images", "swf.commitment_association_accepted"]
    text = failures[0].text or ""
    assert "expected: 4 references" in text
    assert "came: 3 references" in text
    assert "where: (0040,0340)[1]/(0008,1140)" in text


def test_one_suite_for_each_feature(run: RunResult) -> None:
    other = builders.scenario("stored", Verdict.PASS, path="features/swf/rad-8.feature", feature="Images")
    root = parsed(with_scenarios(run, *run.scenarios, other))
    assert [(s.get("name"), s.get("tests")) for s in root.findall("testsuite")] == [
        ("Modality procedure step", "6"),
        ("Images", "1"),
    ]


def test_outcomes_other_than_broken(run: RunResult) -> None:
    found = cases(run)
    assert found["Archive aborts"].find("error") is not None
    assert found["Append to a closed step"].find("skipped") is not None
    later = found["Commitment arrives later"].find("failure")
    assert later is not None
    assert later.get("type") == "inconclusive"
    assert not len(found["Simple case"].xpath("failure|error|skipped"))


def test_allowed_inconclusive_is_skipped(run: RunResult) -> None:
    allowed = dataclasses.replace(run, options={**run.options, "allow_inconclusive": True})
    case = cases(allowed)["Commitment arrives later"]
    assert case.find("skipped") is not None
    assert case.find("failure") is None


def test_a_waived_failure_is_told_but_does_not_fail(run: RunResult) -> None:
    waiver = {"requirement": "RAD-7-SCU-11", "scenario": "*", "reason": "fixed in 4.3", "state": "valid"}
    waived = cases(dataclasses.replace(run, waivers=(waiver,)))["Rejected image stays out of the step"]
    assert [f.get("type") for f in waived.findall("failure")] == ["swf.commitment_association_accepted"]
    assert "waived: RAD-7-SCU-11" in (waived.findtext("system-out") or "")


@pytest.mark.parametrize("state", ["stale", "expired"])
def test_a_spoiled_waiver_covers_nothing(run: RunResult, state: str) -> None:
    waiver = {"requirement": "RAD-7-SCU-11", "scenario": "*", "reason": "fixed in 4.3", "state": state}
    case = cases(dataclasses.replace(run, waivers=(waiver,)))["Rejected image stays out of the step"]
    assert len(case.findall("failure")) == 2


def test_evidence_and_command_are_told(run: RunResult) -> None:
    out = cases(run)["Rejected image stays out of the step"].findtext("system-out") or ""
    assert "evidence: transcripts/rejected-image-stays-out-of-the-step.json" in out
    assert "ihe-harness run --sut ct9.toml --only rejected-image-stays-out-of-the-step" in out


def test_hostile_text_is_still_xml(run: RunResult) -> None:
    finding = dataclasses.replace(
        builders.broken_images(1), actual="\x00\x0b<&]]>\ud800\uffff", summary="a\x1bb" * 9999
    )
    bad = builders.scenario("hostile", Verdict.FAIL, findings=(finding,), feature="\x01", name="\x02&<")
    root = parsed(with_scenarios(run, bad))
    text = next(root.iter("failure")).text or ""
    assert "<&]]>" in text or len(text) >= 20_000


def test_nothing_run_is_valid(run: RunResult) -> None:
    assert parsed(with_scenarios(run)).get("tests") == "0"


def test_a_run_that_ended_early_does_not_look_well(run: RunResult) -> None:
    for early, kind in (
        (dataclasses.replace(run, scenarios=(), failure={"kind": "environment", "text": "no answer"}), "environment"),
        (dataclasses.replace(run, interrupted=True), "interrupted"),
    ):
        document = parsed(early)
        error = document.find(".//testsuite[@name='the run']/testcase/error")
        assert error is not None
        assert error.get("type") == kind
        assert int(document.get("errors", "0")) >= 1


def test_what_waivers_leave_decides_whether_an_unjudged_scenario_fails(run: RunResult) -> None:
    unjudged = next(s for s in run.scenarios if s.verdict is Verdict.INCONCLUSIVE)
    accepted = dataclasses.replace(run, scenarios=(unjudged,), accepted={unjudged.id: Verdict.PASS})
    assert parsed(accepted).find(".//failure") is None
    assert parsed(dataclasses.replace(accepted, accepted={})).find(".//failure") is not None


def test_what_is_left_after_a_waiver_still_fails_the_case() -> None:
    """The finding was accepted, but the scenario raised for another reason: exit code 1, and JUnit says so."""
    found = Finding("c", "RAD-7-SCU-11", Verdict.FAIL, "three of four")
    case = ScenarioResult("x/y", "y", "f", "p", 1, Verdict.FAIL, 0.1, findings=(found,), reason="the printer burnt")
    waived = {"requirement": "RAD-7-SCU-11", "scenario": "x/y", "state": "valid"}
    run = RunResult("r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (case,), waivers=(waived,))
    assert b"the printer burnt" in junit_xml(run)
    relieved = dataclasses.replace(run, accepted={"x/y": Verdict.PASS})
    assert b"<failure" not in junit_xml(relieved)
