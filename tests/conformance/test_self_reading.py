"""Displays, archives, print and report actors of ours as products: healthy ones pass, films are in the report."""

from __future__ import annotations

import pytest

from harness import resources
from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner

#: what is asked of every archive, whatever it claims
ARCHIVE_ROWS = {"RAD-14-SCP-02", "RAD-14-SCP-09", "RAD-14-SCP-16", "RAD-16-SCP-08", "RAD-16-SCP-09", "ARI-ACT-06"}

SUTS = resources.folder("fixtures") / "sut"


@pytest.mark.parametrize(
    ("actor", "at_least", "judged"),
    [
        ("softcopy-display", 30, {"CPI-DISP-01", "CPI-DISP-05", "CPI-DISP-15", "RAD-15-SCU-01", "RAD-30-SCU-01"}),
        (
            "presentation-archive",
            60,
            {"RAD-9-SCP-01", "RAD-15-SCP-01", "RAD-17-SCP-01", "RAD-44-SCP-01", *ARCHIVE_ROWS},
        ),
        ("print-composer", 6, {"RAD-23-SCU-09", "RAD-23-SCU-10", "CPI-ACT-05"}),
        ("print-server", 19, {"RAD-23-SCP-07", "RAD-23-SCP-08", "RAD-23-SCP-11", "RAD-23-SCP-12"}),
        ("report-reader", 9, {"RAD-26-SCU-01", "RAD-26-SCU-03", "RAD-27-SCU-01", "RAD-27-SCU-05", "ARI-ACT-03"}),
        ("report-repository", 20, {"RAD-26-SCP-03", "RAD-26-SCP-04", "RAD-27-SCP-02", "RAD-27-SCP-05", "ARI-ACT-04"}),
        ("external-report-repository-access", 7, {"RAD-26-SCP-03", "RAD-27-SCP-03", "RAD-27-SCP-04", "RAD-27-SCP-05"}),
    ],
)
def test_a_healthy_actor_passes_from_the_other_side(
    harness_run: Runner, actor: str, at_least: int, judged: set[str]
) -> None:
    ran = harness_run("--sut", str(SUTS / f"simulated-{actor}.toml"), "--profile", "CPI", "--profile", "ARI")
    assert ran.code == 0, ran.error
    assert ran.answer["scenarios"]["passed"] >= at_least
    assert ran.answer["scenarios"]["inconclusive"] == 0
    verdicts = ran.result.requirement_verdicts()
    assert {name: verdicts.get(name) for name in judged} == dict.fromkeys(judged, Verdict.PASS)
    report = (ran.folder / "report.html").read_text(encoding="utf-8")
    if actor == "print-composer":
        assert "Film as printed" in report
        assert "Optical density" in report
        assert "data:image/svg+xml;base64," in report
