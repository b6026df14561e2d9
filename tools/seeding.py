#!/usr/bin/env python3
"""Bring ``fixtures/unseeded.toml`` and ``fixtures/kills.json`` into line with the catalogue of defects.

    python tools/seeding.py [KILLS ...]     KILLS: further records of ``ihe-harness mutants --record``

Rows that a defect breaks by now leave the list of the unseeded, rows that lost theirs join it; reasons written by hand
stay. Kills by defects that no longer exist, or no longer claim to break the row, are dropped.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from harness.cli import catalogue
from harness.core.spec import Keyword, Verification
from harness.profiles import registry

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
DEFAULT = "no defect is seeded for it yet; tests/unit/profiles shows by one changed transcript that its check fails"


def unseeded() -> int:
    """Rewrite the list of automated SHALL rows without a defect; their number."""
    path = FIXTURES / "unseeded.toml"
    reasons = tomllib.loads(path.read_text(encoding="utf-8"))["unseeded"] if path.exists() else {}
    seeded = {row for defect in catalogue.all_defects() for row in defect.breaks}
    rows = sorted(
        row.id
        for row in registry.requirements().values()
        if row.verification is Verification.AUTOMATED and row.keyword is Keyword.SHALL and row.id not in seeded
    )
    lines = [f"{row} = {json.dumps(reasons.get(row, DEFAULT), ensure_ascii=False)}" for row in rows]
    head = "# Automated SHALL rows that no seeded defect breaks yet, each with the reason. A test keeps the list exact."
    path.write_text("\n".join([head, "", "[unseeded]", *lines, ""]), encoding="utf-8")
    return len(rows)


def kills(further: list[Path]) -> int:
    """Merge and prune the record of defects that were seen killed; the number of rows."""
    breaks = {defect.id: set(defect.breaks) for defect in catalogue.all_defects()}
    rows = registry.requirements()
    path = FIXTURES / "kills.json"
    merged: dict[str, set[str]] = {}
    for source in (path, *further):
        for row, names in json.loads(source.read_text(encoding="utf-8"))["killed"].items():
            kept = {name for name in names if row in breaks.get(name, ())}
            if row in rows and kept:
                merged.setdefault(row, set()).update(kept)
    record = {"killed": {row: sorted(names) for row, names in merged.items()}}
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return len(merged)


if __name__ == "__main__":
    sys.stdout.write(f"{kills([Path(name) for name in sys.argv[1:]])} rows seen killed, {unseeded()} rows unseeded\n")
