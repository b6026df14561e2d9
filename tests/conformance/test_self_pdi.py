"""Our own media creator and importer are products under test: healthy ones pass, defective ones are found out."""

from __future__ import annotations

import pytest

from harness import resources
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner

SUTS = resources.folder("fixtures") / "sut"


@pytest.mark.parametrize(
    ("actor", "only", "judged"),
    [
        (
            "media-creator",
            ("RAD-47-PMC-13", "RAD-47-SEC-01"),
            {"RAD-47-PMC-01", "RAD-47-PMC-16", "RAD-47-PMC-22", "RAD-47-PMC-24", "RAD-47-SEC-01", "RAD-47-WEB-04"},
        ),
        (
            "media-importer",
            ("RAD-47-PMI-05", "RAD-47-PMI-03", "RAD-47-SEC-01"),
            {"RAD-47-PMI-01", "RAD-47-PMI-02", "RAD-47-PMI-03", "RAD-47-PMI-05", "RAD-47-SEC-01"},
        ),
    ],
)
def test_a_healthy_actor_passes(harness_run: Runner, actor: str, only: tuple[str, ...], judged: set[str]) -> None:
    chosen = [word for name in only for word in ("--only", name)]
    ran = harness_run("--sut", str(SUTS / f"simulated-{actor}.toml"), *chosen, "--no-screenshots", timeout=600)
    assert ran.code == 0, ran.error
    assert ran.answer["scenarios"]["passed"] >= 3
    assert ran.answer["scenarios"]["inconclusive"] == 0
    verdicts = ran.result.requirement_verdicts()
    assert {name: verdicts.get(name) for name in judged} == dict.fromkeys(judged, Verdict.PASS)


@pytest.mark.parametrize(
    ("actor", "defect", "broken"),
    [
        ("media-creator", "media-plain-dicomdir", "RAD-47-SEC-01"),
        ("media-creator", "media-iso-size", "RAD-47-PMC-01"),
        ("media-importer", "importer-pixels", "RAD-47-PMI-05"),
    ],
)
def test_a_defective_actor_is_found_out(harness_run: Runner, actor: str, defect: str, broken: str) -> None:
    product = str(SUTS / f"simulated-{actor}.toml")
    ran = harness_run("--sut", product, "--only", broken, "--defect", defect, "--strict", "--no-screenshots")
    assert ran.code == 1, ran.error
    assert ran.result.requirement_verdicts()[broken] is Verdict.FAIL
