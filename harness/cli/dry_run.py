"""``ihe-harness dry-run``: what would be run, without any network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness import resources
from harness.bdd import claims
from harness.bdd.selection import wanted
from harness.bdd.settings import RunSettings
from harness.bdd.tags import PROFILES, read
from harness.cli.console import out, print_json
from harness.cli.run import actors_of, lint_or_stop, require_known, require_matches
from harness.core.errors import UsageError
from harness.sut.config import load_sut


def dry_run(
    sut: Annotated[Path | None, typer.Option(help="SUT file; says which scenarios apply.")] = None,
    features: Annotated[Path | None, typer.Option(help="Your own feature files.")] = None,
    profile: Annotated[list[str] | None, typer.Option(help="Only this profile; repeatable.")] = None,
    actor: Annotated[list[str] | None, typer.Option(help="Only this actor; repeatable.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="As for run; repeatable.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The quick subset.")] = False,
    steps: Annotated[bool, typer.Option("--steps", help="Show the steps, too.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> int:
    """Show which scenarios would run against a product, and why others would not."""
    paths = [features.resolve()] if features else [resources.folder("features")]
    planned = lint_or_stop(paths)
    require_matches(only or (), planned)
    product = load_sut(sut) if sut else None
    if product is not None and sut is not None:
        claims.require_known(product, sut)
    settings = RunSettings(
        "",
        (),
        "",
        "",
        profiles=tuple(require_known(profile or [], PROFILES, "profile")),
        actors=actors_of(actor),
        only=tuple(only or ()),
        quick=quick,
    )
    plan = []
    for scenario in planned:
        tags = read(scenario.tags)
        if not wanted(scenario.id, scenario.name, tags, settings):
            continue
        reason = product.supports(tags.profiles, tags.actor, tags.transactions, tags.options) if product else ""
        plan.append((scenario, tags, reason))
    if not plan:
        raise UsageError("nothing was selected; `ihe-harness list scenarios` shows all")
    if json_output:
        print_json(
            [
                {
                    "scenario": scenario.name,
                    "feature": scenario.feature,
                    "path": str(scenario.path),
                    "line": scenario.line,
                    "actor": tags.actor,
                    "transactions": sorted(tags.transactions),
                    "runs": scenario.examples,
                    "applies": not reason,
                    "reason": reason,
                    "steps": list(scenario.steps),
                }
                for scenario, tags, reason in plan
            ]
        )
        return 0
    console, feature = out(), ""
    for scenario, tags, reason in plan:
        if scenario.feature != feature:
            feature = scenario.feature
            console.print(Text(f"{feature} · product as {tags.actor}", style="bold"))
        mark = "–" if reason else "·"
        times = f" ({scenario.examples} examples)" if scenario.examples > 1 else ""
        console.print(Text(f" {mark} {scenario.name}{times}{'  — ' + reason if reason else ''}"))
        if steps:
            for text in scenario.steps:
                console.print(Text(f"     {text}", style="bright_black"))
    runs = sum(scenario.examples for scenario, _, reason in plan if not reason)
    console.print(f"{runs} scenario(s) would run")
    return 0
