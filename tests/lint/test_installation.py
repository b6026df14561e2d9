"""What ``make run`` installs is all that the reference modality asks for: nothing it claims is left unjudged."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_make_run_installs_every_extra_that_the_reference_modality_asks_for() -> None:
    asked = {
        extra
        for folder in ("modality", "protocols", "bdd", "actors")
        for module in (ROOT / "harness" / folder).rglob("*.py")
        for extra in re.findall(r"ihe-harness\[(\w+)\]", module.read_text())
    }
    assert asked, "the modules name the extras that they miss"
    makefile = (ROOT / "Makefile").read_text().split("installed-dev:")[0]
    (installed,) = re.findall(r"-e '\.\[([\w,]+)\]'", makefile)
    assert asked <= set(installed.split(","))
