"""Allure shows what waivers leave, as the exit code and JUnit do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.bdd.allure_bridge import accept
from harness.core.result import RunResult
from harness.core.verdict import Verdict

WAIVED = {"scenario": "swf/x/a", "requirement": "RAD-5-SCU-16", "reason": "agreed with us", "state": "valid"}
RUN = RunResult(
    "r", "2026-11-20T00:00:00+00:00", 1.0, "0", {}, (), waivers=(WAIVED,),
    accepted={"swf/x/a": Verdict.PASS, "swf/x/b": Verdict.INCONCLUSIVE},
)  # fmt: skip


def stored(folder: Path, name: str, scenario: str, time: float = 100.0) -> Path:
    path = folder / f"{name}-result.json"
    labels = [{"name": "suite", "value": "x"}, {"name": "scenario", "value": scenario}]
    path.write_text(json.dumps({"name": name, "status": "failed", "labels": labels}), encoding="utf-8")
    os.utime(path, (time, time))
    return path


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_what_was_accepted_passes_and_says_why(tmp_path: Path) -> None:
    waived, still, other = (stored(tmp_path, name, f"swf/x/{name}") for name in "abc")
    earlier = stored(tmp_path, "old", "swf/x/a", time=1.0)
    assert accept(tmp_path, RUN, since=50.0) == 1
    assert read(waived)["status"] == "passed"
    assert read(waived)["statusDetails"]["message"] == "RAD-5-SCU-16 accepted as known: agreed with us"
    assert {read(path)["status"] for path in (still, other, earlier)} == {"failed"}
