"""``ihe-harness rejudge``: reach the same findings from stored evidence, or show where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import out, print_json
from harness.profiles import judgement, registry
from harness.reporting.rejudge import Rejudgement, Rules
from harness.reporting.rejudge import rejudge as judge_again

MAX_ROWS = 50


def rules() -> Rules:
    """The checks of this program."""
    return Rules(judgement.carry_out, frozenset(check.id for check in registry.CHECKS), registry.fingerprint())


def rejudge(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Judge stored evidence again, offline; exit 0 if every finding is the same, 1 if not."""
    outcome = judge_again(run, rules())
    if json_output:
        print_json(
            {
                "same": outcome.same,
                "same_rules": not outcome.other_rules,
                "scenarios": outcome.scenarios,
                "judged": outcome.judged,
                "taken_over": outcome.taken_over,
                "differences": [
                    {
                        "scenario": d.scenario,
                        "check": d.check,
                        "requirement": d.requirement,
                        "stored": d.stored,
                        "again": d.again,
                    }
                    for d in outcome.differences
                ],
                "problems": list(outcome.problems),
            }
        )
    else:
        print_outcome(outcome)
    return 0 if outcome.same else 1


def print_outcome(outcome: Rejudgement) -> None:
    """What came of judging again, for people."""
    console = out()
    for problem in outcome.problems[:MAX_ROWS]:
        console.print(Text(f"✕ {problem}"), soft_wrap=True)
    if outcome.differences:
        table = Table("Scenario", "Requirement", "Stored", "Now", title="Findings that differ")
        for d in outcome.differences[:MAX_ROWS]:
            table.add_row(*(Text(cell or "–") for cell in (d.scenario, d.requirement, d.stored, d.again)))
        console.print(table)
        if len(outcome.differences) > MAX_ROWS:
            console.print(f"… and {len(outcome.differences) - MAX_ROWS} more; --json shows all")
    if outcome.other_rules and not outcome.same:
        text = f"The run was judged by other rules ({outcome.other_rules}; these are {registry.fingerprint()})."
        console.print(Text(f"! {text} What differs may come from that alone."), soft_wrap=True)
    verdict = "✓ the same findings" if outcome.same else "✕ not the same findings"
    console.print(
        Text(
            f"{verdict}: {outcome.judged} judged again in {outcome.scenarios} scenarios, {outcome.taken_over} taken"
            " over as stored (attested, or made by a step and not by a check)"
        ),
        soft_wrap=True,
    )
