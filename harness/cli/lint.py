"""``ihe-harness lint``: mistakes in feature files, without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness import resources
from harness.bdd import lint as linting
from harness.bdd.steps import all_steps
from harness.cli.console import out, print_json


def lint(
    path: Annotated[
        list[Path] | None, typer.Argument(help="Feature files or folders; default: the built-in ones.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> int:
    """Check feature files: undefined or ambiguous steps, names, tags, scenarios that judge nothing."""
    problems, planned = linting.lint(path or [resources.folder("features")], all_steps())
    if json_output:
        print_json(
            {
                "scenarios": len(planned),
                "problems": [{"path": str(p.path), "line": p.line, "text": p.text} for p in problems],
            }
        )
    else:
        for problem in problems:
            out().print(str(problem), markup=False, soft_wrap=True)
        out().print(f"{len(planned)} scenarios, {len(problems)} problem(s)")
    return 2 if problems else 0
