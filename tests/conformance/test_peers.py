"""Products that nobody here wrote: every deviation is expected, with its reason, and nothing else deviates."""

from __future__ import annotations

import pytest

from harness import resources
from harness.core.verdict import Verdict
from harness.sut import waivers
from harness.sut.config import load_sut
from tests.conformance.conftest import Runner
from tests.peers import require_program

SUTS = resources.folder("fixtures") / "sut"


@pytest.mark.parametrize(
    ("name", "program", "at_least"),
    [
        ("orthanc", "Orthanc", 25),
        ("dcmqrscp", "dcmqrscp", 20),
        ("wlmscpfs", "wlmscpfs", 15),
        ("orthanc-worklist", "Orthanc", 15),
        ("dcmprscp", "dcmprscp", 20),
        ("dcmprscp-restricted", "dcmprscp", 20),
    ],
)
@pytest.mark.peer("dcmtk, orthanc")
def test_a_peer_deviates_exactly_as_expected(harness_run: Runner, name: str, program: str, at_least: int) -> None:
    require_program(program)
    path = SUTS / f"{name}.toml"
    sut = load_sut(path)
    ran = harness_run("--sut", str(path))
    assert ran.code == 0, ran.error
    assert ran.answer["stale_waivers"] == []
    result = ran.result
    tried = [s for s in result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert len(tried) >= at_least
    expected = waivers.load(path.parent / sut.expectations) if sut.expectations else ()
    found = {
        finding.requirement
        for scenario in tried
        for finding in scenario.findings
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING, Verdict.INCONCLUSIVE)
    }
    assert found == {waiver.requirement for waiver in expected}


@pytest.mark.peer("dcmtk")
def test_what_is_not_declared_is_not_applicable(harness_run: Runner) -> None:
    require_program("dcmqrscp")
    ran = harness_run("--sut", str(SUTS / "dcmqrscp.toml"), "--only", "RAD-10")
    assert ran.code == 2
    assert {s.verdict for s in ran.result.scenarios} == {Verdict.NOT_APPLICABLE}
