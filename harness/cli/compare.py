"""``ihe-harness compare``: two runs of a product, requirement by requirement."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import STYLES, out, print_json
from harness.core.result import RunResult
from harness.profiles import registry
from harness.reporting import words
from harness.reporting.changes import Change, Changed, changes
from harness.reporting.decode import visible
from harness.reporting.evidence import load_run

_WORSE = (Change.BROKE, Change.UNJUDGED)
_MOST = 40


def compare(
    before: Annotated[Path, typer.Argument(help="The earlier run: its folder or run.json.")],
    after: Annotated[Path, typer.Argument(help="The later run.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Show what broke, was mended or is no longer judged between two runs; exit 1 if something became worse."""
    runs = load_run(before), load_run(after)
    found = changes(*runs, registry.requirements())
    worse = [each for each in found if each.change in _WORSE]
    remarks = list(_remarks(*runs))
    if json_output:
        print_json({"worse": bool(worse), "remarks": remarks, "changes": [_plain(each) for each in found]})
        return 1 if worse else 0
    console = out()
    for remark in remarks:
        console.print(Text(f"! {remark}", style="yellow"))
    for each in found[:_MOST]:
        verdict = each.after if each.after is not None else each.before
        style = STYLES[verdict] if verdict is not None else ""
        head = Text.assemble((f" {each.change.value:<16} {each.requirement} ", style), visible(each.summary, 200))
        console.print(head)
    if len(found) > _MOST:
        console.print(f" … and {len(found) - _MOST} more; --json shows all")
    counts = Counter(each.change for each in found)
    said = ", ".join(f"{counts[change]} {change.value}" for change in Change if counts[change])
    console.print(said or "No requirement fares otherwise than before.")
    return 1 if worse else 0


def _remarks(before: RunResult, after: RunResult) -> list[str]:
    """What makes two runs hard to compare."""
    said = []
    names = [words.sut_name(run.sut) for run in (before, after)]
    if names[0] != names[1]:
        said.append(f"not one product: {names[0]}; {names[1]}")
    for key in ("profiles", "actors", "only", "quick", "strict", "rerun", "own_features"):
        if before.options.get(key) != after.options.get(key):
            said.append(
                f"run with another {key.replace('_', ' ')}: {before.options.get(key)}; {after.options.get(key)}"
            )
    if before.environment.get("rules") != after.environment.get("rules"):
        said.append("judged by other rules: what differs may come from that alone")
    said += [f"{run.run_id} did not come to its end" for run in (before, after) if run.interrupted or run.failure]
    return said


def _plain(each: Changed) -> dict[str, object]:
    return {
        "requirement": each.requirement,
        "change": each.change.value,
        "before": each.before.name if each.before is not None else None,
        "after": each.after.name if each.after is not None else None,
        "summary": each.summary,
        "scenarios": list(each.scenarios),
    }
