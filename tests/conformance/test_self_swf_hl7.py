"""Every simulated HL7 actor is a product under test in both HL7 versions: nothing is broken, nothing is left open."""

from __future__ import annotations

import pytest

from harness import resources
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner

SUTS = resources.folder("fixtures") / "sut"
#: how many scenarios each has to pass (all of them; the quick ones in the other version), and what must be judged
ACTORS: dict[str, tuple[int, int, set[str]]] = {
    "adt": (22, 5, {"RAD-1-SRC-01", "RAD-1-SRC-14", "RAD-12-SRC-03", "HL7-GEN-13", "HL7-GEN-15"}),
    "order-placer": (34, 8, {"RAD-2-SRC-02", "RAD-3-DST-03", "RAD-12-DST-01", "HL7-GEN-12", "HL7-GEN-15"}),
    "order-filler-hl7": (75, 11, {"RAD-3-SRC-09", "RAD-4-SRC-21", "RAD-13-SRC-06", "EX-13", "EX-14", "EX-15"}),
    "image-manager-hl7": (65, 9, {"RAD-4-DST-01", "RAD-12-DST-06", "RAD-12-DST-07", "EX-12", "EX-16", "XC-24"}),
}


@pytest.mark.parametrize("version", ["", "-v251"])
@pytest.mark.parametrize("actor", ACTORS)
def test_a_healthy_hl7_actor_passes_in_both_versions(harness_run: Runner, actor: str, version: str) -> None:
    everything, quick, judged = ACTORS[actor]
    # one version runs all scenarios, the other the quick ones: which one has more to show differs
    complete = bool(version) == (actor in ("order-filler-hl7", "image-manager-hl7"))
    more = () if complete else ("--quick",)
    ran = harness_run("--sut", str(SUTS / f"simulated-{actor}{version}.toml"), *more)
    assert ran.code == 0, ran.error
    counts = ran.answer["scenarios"]
    assert counts["passed"] >= (everything if complete else quick)
    assert (counts["failed"], counts["inconclusive"], counts["error"]) == (0, 0, 0)
    assert {s.verdict for s in ran.result.scenarios} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    if complete:
        verdicts = ran.result.requirement_verdicts()
        assert {name: verdicts.get(name) for name in judged} == dict.fromkeys(judged, Verdict.PASS)


def test_a_defective_hl7_actor_is_found_out(harness_run: Runner) -> None:
    sut = str(SUTS / "simulated-image-manager-hl7.toml")
    ran = harness_run("--sut", sut, "--only", "RAD-12-DST-07", "--defect", "manager-ignores-merges")
    assert ran.code == 1, ran.error
    assert ran.result.requirement_verdicts()["RAD-12-DST-07"] is Verdict.FAIL
