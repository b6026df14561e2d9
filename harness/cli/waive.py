"""``ihe-harness waive``: a waiver file for what a run found broken, to be read, mended and agreed."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import err, write_file
from harness.core.errors import UsageError
from harness.profiles import registry
from harness.reporting.evidence import load_run
from harness.reporting.words import plural
from harness.sut import waivers


def waive(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    reason: Annotated[str, typer.Option(help="Why it is agreed; at least 8 characters.")],
    expires: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it holds.")],
    only: Annotated[list[str] | None, typer.Option(help="Only this requirement; repeatable.")] = None,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    out: Annotated[Path, typer.Option(help="File to write, or - for standard output.")] = Path("-"),
) -> int:
    """Write one waiver for each requirement that a scenario of a run broke, for `run --waivers`."""
    if len(reason.strip()) < 8:
        raise UsageError(f"--reason {reason!r}: say in at least 8 characters why it is agreed")
    try:
        last_day = datetime.date.fromisoformat(expires)
    except ValueError:
        raise UsageError(f"--expires {expires!r}: write a date as YYYY-MM-DD") from None
    if last_day < datetime.date.today():
        raise UsageError(f"--expires {expires}: this day is over")
    for name in only or ():
        registry.requirement(name)
    if str(out) != "-" and out.exists():
        raise UsageError(f"--out {out}: exists already; what was agreed in it would be lost")
    text = waivers.draft(load_run(run), reason.strip(), last_day, owner, tuple(only or ()))
    number = text.count("[[waivers]]")
    if not number:
        raise UsageError(f"{run}: nothing to waive; nothing {'of this ' if only else ''}is broken that nobody accepted")
    write_file(out, text.encode())
    err().print(f"{plural(number, 'waiver')}: read each before anybody agrees to it", markup=False)
    return 0
