"""The scenarios of a Print Composer against a product that prints, and against one that inverts twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from tests.conformance.conftest import Runner
from tests.integration.print import product

_SUT = """\
[product]
name = "Composer"
version = "1"
vendor = "Test"
[[claims]]
profile = "CPI"
actor = "Print Composer"
[dicom]
ae_title = "PRODUCT"
[driver]
kind = "command"
[driver.actions.print-images]
argv = ["{python}", {program}, "{{parameters}}", "{{work}}/store"{defects}]
[process]
argv = [
  "{python}", "-m", "harness.cli.main", "simulate", "image-manager",
  "--ae", "PRODUCT", "--port", "{{dicom.port}}", "--storage", "{{work}}/store",
]
[process.ready]
tcp = ["127.0.0.1:{{dicom.port}}"]
"""


def _sut(folder: Path, *defects: str) -> Path:
    path = folder / "composer.toml"
    ids = "".join(f', "{name}"' for name in defects)
    text = _SUT.format(python=sys.executable, program=f'"{Path(product.__file__)}"', defects=ids)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_healthy_composer_passes_and_a_double_inversion_is_found(harness_run: Runner, tmp_path: Path) -> None:
    healthy = harness_run("--sut", str(_sut(tmp_path)), "--quick").result
    tried = [scenario for scenario in healthy.scenarios if scenario.verdict is not Verdict.NOT_APPLICABLE]
    assert [scenario.verdict for scenario in tried] == [Verdict.PASS] * 5
    broken = harness_run("--sut", str(_sut(tmp_path, "composer-double-inversion")), "--quick").result
    found = {f.requirement for s in broken.scenarios for f in s.findings if f.verdict >= Verdict.WARNING}
    assert found == {"RAD-23-SCU-09"}
