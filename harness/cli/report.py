"""``ihe-harness report``: render a stored run again, in any format."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import write_file
from harness.core.result import RunResult
from harness.profiles import registry
from harness.reporting.evidence import load_run, run_folder
from harness.reporting.html import render_html
from harness.reporting.junit import junit_xml
from harness.reporting.media_view import Browser, installed_browser
from harness.reporting.summary import github_annotations, markdown


class Format(enum.StrEnum):
    """What a run can be rendered as."""

    HTML = "html"
    JUNIT = "junit"
    MD = "md"
    GITHUB = "github"


_NAMES = {Format.HTML: "report.html", Format.JUNIT: "junit.xml", Format.MD: "summary.md"}


def report(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    format: Annotated[
        Format, typer.Option(help="html; junit (XML); md (for a pull request); github (annotations).")
    ] = Format.HTML,
    out: Annotated[
        Path | None, typer.Option(help="File to write, or - for standard output; default: in the run folder.")
    ] = None,
    screenshots: Annotated[
        bool, typer.Option(help="html: show the first pages of media, by Chromium if it is installed.")
    ] = True,
) -> int:
    """Render a stored run: the page, JUnit XML, Markdown or annotations."""
    folder = run_folder(run)
    result = load_run(run)
    if out is None and format is Format.GITHUB:
        out = Path("-")
    target = folder / _NAMES.get(format, "annotations.txt") if out is None else out
    browser = installed_browser() if screenshots else None
    write_file(target, _render(result, folder, format, target, browser))
    return 0


def _render(result: RunResult, folder: Path, format: Format, target: Path, browser: Browser | None) -> bytes:
    if format is Format.JUNIT:
        return junit_xml(result)
    if format is Format.MD:
        return markdown(result).encode("utf-8", "replace")
    if format is Format.GITHUB:
        return "".join(line + "\n" for line in github_annotations(result)).encode("utf-8", "replace")
    prefix = _prefix(folder, target)
    page = render_html(result, folder, registry.requirements(), registry.TRANSACTIONS, prefix, browser)
    return page.encode("utf-8", "replace")


def _prefix(folder: Path, target: Path) -> str:
    """How links in the page lead to the run folder."""
    base = Path.cwd() if str(target) == "-" else target.resolve().parent
    relative = os.path.relpath(folder.resolve(), base)
    return "" if relative == "." else Path(relative).as_posix() + "/"
