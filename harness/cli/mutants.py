"""``ihe-harness mutants``: does every seeded defect fail exactly what it breaks?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from harness.bdd import mutation
from harness.cli.console import STYLES, err, out, print_json
from harness.core.errors import UsageError
from harness.core.verdict import Verdict


def mutants(
    defect: Annotated[list[str] | None, typer.Argument(help="Only these defects.")] = None,
    product: Annotated[str, typer.Option(help="modality, or the slug of a simulated actor; default: all.")] = "",
    variants: Annotated[
        bool, typer.Option("--variants", help="Also run legal variants, which must break nothing.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Run every scenario against every defect.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Runs at the same time.")] = 2,
    record: Annotated[Path | None, typer.Option(help="Write the kill matrix to this file.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Seed each defect, run the scenarios, and compare what failed with what the defect breaks."""
    chosen = mutation.select(defect or [], product, variants=variants)
    if not chosen:
        raise UsageError("no such defect; `ihe-harness list defects` shows all")
    results = []
    for result in mutation.run_all(chosen, workers, full=full):
        results.append(result)
        verdict = Verdict.PASS if result.ok else Verdict.FAIL
        err().print(Text.assemble((f" {verdict.mark} ", STYLES[verdict]), f"{result.defect}  {result.summary}"))
    matrix = {"defects": [result.to_json() for result in results]}
    if record is not None:
        _record(record, results)
    if json_output:
        print_json(matrix)
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("Defect", "Breaks", "Killed by", "Also failed"):
            table.add_column(heading, overflow="fold")
        for result in results:
            table.add_row(
                result.defect, " ".join(result.breaks), " ".join(result.killed), " ".join(result.unexpected) or "–"
            )
        out().print(table)
        survivors = sum(not result.ok for result in results)
        out().print(f"{len(results)} defects, {survivors} survived or failed something else")
    return 0 if all(result.ok for result in results) else 1


def _record(path: Path, results: list[mutation.MutantResult]) -> None:
    """The kill file that ``matrix`` reads: requirement -> defects that it was seen to kill."""
    killed: dict[str, list[str]] = {}
    if path.exists():
        killed = json.loads(path.read_text(encoding="utf-8"))["killed"]
    for result in results:
        for requirement in result.killed:
            killed[requirement] = sorted({*killed.get(requirement, []), result.defect})
    path.write_text(json.dumps({"killed": killed}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
