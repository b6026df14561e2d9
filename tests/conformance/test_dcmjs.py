"""A modality on a DICOM stack of others, in another language: its faults are found, and nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from harness.sut import waivers
from tests.conformance.conftest import Runner

HERE = Path(__file__).parent / "dcmjs"
NAME = "A {} name goes unharmed through all messages"
SCENARIOS = {
    "A scheduled step is performed, stored and committed": Verdict.PASS,
    "Two steps of one procedure are performed one after the other": Verdict.PASS,
    NAME.format("Chinese"): Verdict.PASS,
    NAME.format("Unicode"): Verdict.PASS,
    "The commitment report comes on a new association": Verdict.PASS,
    NAME.format("Korean"): Verdict.FAIL,
    NAME.format("Japanese"): Verdict.FAIL,
    "Matches with and without support of optional keys are both matches": Verdict.FAIL,
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SUT file beside the program and the stack; skipped by name where npm cannot install it."""
    folder = tmp_path_factory.mktemp("dcmjs")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    problem = ""
    if shutil.which("node") is None or shutil.which("npm") is None:
        problem = "node and npm are not installed"
    else:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=180, check=False)
        if done.returncode:
            problem = f"npm cannot install dcmjs-dimse: {done.stderr.decode(errors='replace')[-200:]}"
    if problem:
        if os.environ.get("IHE_PEERS") == "required":
            pytest.fail(problem)
        pytest.skip(problem)
    return folder / "modality.toml"


@pytest.mark.peer("node, npm")
def test_a_modality_on_dcmjs_deviates_exactly_as_expected(harness_run: Runner, product: Path) -> None:
    chosen = [word for name in SCENARIOS for word in ("--only", name)]
    ran = harness_run("--sut", str(product), "--profile", "SWF", *chosen)
    assert ran.code == 0, ran.error
    assert ran.answer["stale_waivers"] == []
    tried = [s for s in ran.result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    found = {scenario.name: max((f.verdict for f in scenario.findings), default=scenario.verdict) for scenario in tried}
    assert found == SCENARIOS
    broken = {f.requirement for s in tried for f in s.findings if f.verdict >= Verdict.WARNING}
    expected = waivers.load(product.parent / "modality.expectations.toml")
    assert broken == {waiver.requirement for waiver in expected}
