"""``ihe-harness validate PATH...``: DICOM files, HL7 messages, folders of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from harness.cli.console import err, out, print_json
from harness.core.errors import UsageError
from harness.validation.finding import Severity, ValidationFinding, count
from harness.validation.kinds import kind_of

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "bright_black"}
#: a second opinion that takes longer than this says nothing
OPINION_SECONDS = 30.0


def validate(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, HL7 messages, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    second_opinion: Annotated[
        bool, typer.Option("--second-opinion", help="Also run dciodvfy on DICOM files, if it is installed.")
    ] = False,
    show_info: Annotated[bool, typer.Option("--info", help="Show remarks too, not only errors and warnings.")] = False,
) -> int:
    """Judge objects and messages by their standards. Exit 0 without errors, 1 with errors, 2 for wrong usage."""
    files = list(_files(paths))
    if not files:
        raise UsageError(f"no file to validate in {', '.join(str(path) for path in paths)}")
    entries: list[dict[str, Any]] = []
    errors = warnings = 0
    with Progress(
        TextColumn("validating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err(), transient=True, disable=as_json or len(files) < 20 or not err().is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("files", total=len(files))
        for path in files:
            kind, findings = _judge(path)
            errors += count(findings, Severity.ERROR)
            warnings += count(findings, Severity.WARNING)
            entry: dict[str, Any] = {"path": str(path), "kind": kind}
            entry["findings"] = [finding.to_json() for finding in findings]
            if second_opinion and kind == "dicom":
                entry["second_opinion"] = _dciodvfy(path)
            entries.append(entry)
            if not as_json:
                _print(path, kind, findings, entry.get("second_opinion"), show_info=show_info)
            progress.advance(task)
    if as_json:
        print_json({"files": entries, "errors": errors, "warnings": warnings})
    else:
        plural = "" if len(files) == 1 else "s"
        out().print(f"{len(files)} file{plural}, {errors} errors, {warnings} warnings", markup=False)
    return 1 if errors else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist")
        if not path.is_dir() or kind_of(path) is not None:
            yield path
        else:
            # links are not followed: a link may lead out of the folder that was asked for
            yield from sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink())


def _judge(path: Path) -> tuple[str, list[ValidationFinding]]:
    try:
        kind = kind_of(path)
        if kind is None:
            return "unknown", []
        return kind.name, kind.validate(path)
    except OSError as error:
        finding = ValidationFinding(
            "FILE-UNREADABLE",
            Severity.ERROR,
            "file",
            "a readable file",
            str(error.strerror or error),
            "the file system",
        )
        return "unknown", [finding]


def _print(
    path: Path, kind: str, findings: list[ValidationFinding], opinion: dict[str, Any] | None, *, show_info: bool
) -> None:
    console = out()
    shown = [finding for finding in findings if show_info or finding.severity is not Severity.INFO]
    bad = count(findings, Severity.ERROR)
    mark = "✕" if bad else "!" if count(findings, Severity.WARNING) else "✓"
    console.print(Text(f"{mark} {path}", style="bold"), Text(f"({kind})", style="bright_black"))
    for finding in shown:
        console.print(Text("  ").append(f"{finding.severity.value:7} {finding.code}", style=_STYLES[finding.severity]))
        console.print(Text(f"          {finding.locator}"))
        console.print(Text(f"          expected {finding.expected}; found {finding.actual}"))
        console.print(Text(f"          {finding.clause}", style="bright_black"))
    if opinion is not None:
        console.print(Text(f"  dciodvfy: {opinion['verdict']}", style="bright_black"))
        for line in opinion["lines"]:
            console.print(Text(f"          {line}", style="bright_black"))


def _dciodvfy(path: Path) -> dict[str, Any]:
    """What dciodvfy says. It aborts (134) on some legal files: that is no verdict, neither good nor bad."""
    program = shutil.which("dciodvfy")
    if program is None:
        return {"verdict": "not installed (Debian package dicom3tools)", "lines": []}
    try:
        done = subprocess.run(
            [program, str(path.resolve())], capture_output=True, timeout=OPINION_SECONDS, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"verdict": "no verdict (time limit)", "lines": []}
    text = (done.stderr + b"\n" + done.stdout).decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.startswith(("Error", "Warning"))]
    if done.returncode < 0 or done.returncode >= 128:
        return {"verdict": "no verdict (it aborted)", "lines": lines}
    wrong = any(line.startswith("Error") for line in lines)
    return {"verdict": "errors" if wrong else "no errors", "lines": lines}
