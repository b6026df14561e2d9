"""Our own simulated actors are products under test: healthy ones pass, defective ones are found out."""

from __future__ import annotations

import pytest

from harness import resources
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner

SUTS = resources.folder("fixtures") / "sut"


@pytest.mark.parametrize(
    ("actor", "at_least", "judged"),
    [
        ("pps-manager", 15, {"RAD-6-SCP-04", "RAD-6-SCP-05", "RAD-6-SCP-06", "RAD-7-SCP-03", "RAD-20-SCP-01", "EX-24"}),
        ("image-manager", 40, {"RAD-6-SCP-10", "RAD-7-SCP-06", "RAD-11-SCP-01", "RAD-18-SCP-01", "RAD-49-SCU-04"}),
        ("order-filler", 30, {"RAD-5-SCP-24", "RAD-5-SCP-25", "RAD-5-SCP-26", "RAD-6-SCP-08", "RAD-49-SCP-01"}),
        ("image-display", 12, {"RAD-14-SCU-02", "RAD-14-SCU-08", "RAD-16-SCU-01", "RAD-16-SCU-02", "EX-27"}),
        ("evidence-creator", 7, {"RAD-10-SCU-09", "RAD-18-SCU-02", "RAD-20-SCU-01", "RAD-29-OBJ-06", "RAD-43-OBJ-01"}),
    ],
)
def test_a_healthy_actor_passes_from_the_other_side(
    harness_run: Runner, actor: str, at_least: int, judged: set[str]
) -> None:
    profiles = ("--profile", "SWF", "--profile", "KIN", "--profile", "ED")
    ran = harness_run("--sut", str(SUTS / f"simulated-{actor}.toml"), *profiles)
    assert ran.code == 0, ran.error
    assert ran.answer["scenarios"]["passed"] >= at_least
    assert ran.answer["scenarios"]["inconclusive"] == 0
    verdicts = ran.result.requirement_verdicts()
    assert {name: verdicts.get(name) for name in judged} == dict.fromkeys(judged, Verdict.PASS)


@pytest.mark.parametrize(
    ("actor", "defect", "only", "broken"),
    [
        ("pps-manager", "ppsm-drops-ends", "MESA-231", "RAD-7-SCP-03"),
        ("image-manager", "archive-shows-wrong-entries", "MESA-109", "RAD-7-SCP-06"),
        ("order-filler", "filler-offers-cancelled", "RAD-5-SCP-24", "RAD-5-SCP-24"),
    ],
)
def test_a_defective_actor_is_found_out(harness_run: Runner, actor: str, defect: str, only: str, broken: str) -> None:
    ran = harness_run(
        "--sut", str(SUTS / f"simulated-{actor}.toml"), "--profile", "SWF", "--only", only, "--defect", defect
    )
    assert ran.code == 1, ran.error
    assert ran.result.requirement_verdicts()[broken] is Verdict.FAIL
