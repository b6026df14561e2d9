"""``ihe-harness matrix``: how much of each profile is judged, with what result, and whether the checks can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from harness import resources
from harness.cli.console import out, print_json
from harness.core.errors import UsageError
from harness.profiles import registry
from harness.reporting.evidence import load_run
from harness.reporting.traceability import MatrixRow, load_kills
from harness.reporting.traceability import matrix as build_matrix

KILLS = "kills.json"


def matrix(
    profile: Annotated[
        list[str] | None, typer.Option(help="Only this profile (SWF, SWF.b, CPI, ARI, PDI, KIN, ED); repeatable.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Fill in the results of this run.")] = None,
    kills: Annotated[
        Path | None, typer.Option(help="Kill file of the seeded defects; default: the one that comes with the program.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> int:
    """Show requirements by profile: automated, attested, unverifiable, passed, failed, not judged, killed."""
    known = [p.id for p in registry.PROFILES]
    for name in profile or []:
        if name not in known:
            raise UsageError(f"--profile {name}: there is no such profile; known: {', '.join(known)}")
    chosen = [name for name in known if not profile or name in profile]
    result = load_run(run) if run is not None else None
    rows = build_matrix(registry.requirements().values(), chosen, result, _kills(kills))
    if json_output:
        print_json([row.to_json() for row in rows])
        return 0
    console = out()
    console.print(table_of(rows))
    console.print("✓ passed · ! warning · ✕ broken · ? not judged · None: cannot be verified, or no check yet")
    console.print(
        f"Results of run {result.run_id}." if result else "No run given: --run RUN fills in the results.", markup=False
    )
    return 0


def table_of(rows: tuple[MatrixRow, ...]) -> Table:
    """The rows in at most 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Profile", no_wrap=True)
    for head in ("Rules", "Auto", "Attest", "None", "✓", "!", "✕", "?", "Not run", "Killed"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        counts = (
            row.requirements,
            row.automated,
            row.attested,
            row.unverifiable,
            row.passed,
            row.warnings,
            row.failed,
            row.inconclusive,
            row.not_run,
            row.killed,
        )
        table.add_row(row.profile, *(str(count) for count in counts))
    return table


def _kills(path: Path | None) -> frozenset[str]:
    """Kills from the file given, else from the one beside the fixtures, else none."""
    if path is not None:
        return load_kills(path)
    default = resources.folder("fixtures") / KILLS
    return load_kills(default) if default.is_file() else frozenset()
