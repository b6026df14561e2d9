"""``ihe-harness statement``: DICOM and IHE statements, and what holds them against runs and against each other."""

from __future__ import annotations

import dataclasses
import enum
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from harness.cli import statement_sources as sources
from harness.cli.console import out, print_json, write_file
from harness.cli.statement_actors import ACTORS, require_dicom
from harness.core.errors import UsageError
from harness.reporting.evidence import run_folder
from harness.statement import codec, render, vocabulary
from harness.statement.build import Declared, build
from harness.statement.claims import Claimed
from harness.statement.compare import compare as compare_statements
from harness.statement.integration import ihe_document
from harness.statement.layouts import Layout, dicom_document
from harness.statement.lint import Severity, lint_file
from harness.statement.model import Statement
from harness.statement.observation import observe
from harness.statement.verify import differences

app = typer.Typer(
    help="Write conformance statements, and hold them against runs and against each other.", no_args_is_help=True
)


class Format(enum.StrEnum):
    """What a statement can be written as."""

    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    MD = "md"
    XML = "xml"
    JSON = "json"


SutOption = Annotated[Path | None, typer.Option(help="SUT file of the product.")]
RunOption = Annotated[Path | None, typer.Option(help="A run of this product: marks what it verified.")]
ActorOption = Annotated[
    str | None, typer.Option(metavar="SLUG", help=f"A simulated actor instead: {', '.join(ACTORS)}.")
]
FromOption = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="A statement in our JSON or XML instead.")
]
FormatOption = Annotated[Format, typer.Option(help="pdf and docx need the extra [statement].")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("dicom")
def dicom(
    sut: SutOption = None,
    run: RunOption = None,
    actor: ActorOption = None,
    source: FromOption = None,
    format: FormatOption = Format.HTML,
    layout: Annotated[
        Layout, typer.Option(help="Sections as in PS3.2 annex A (classic) or annex N (annex-n).")
    ] = Layout.CLASSIC,
    out_file: Annotated[Path, typer.Option("--out", help="File to write, or - for standard output.")] = Path("-"),
) -> int:
    """Write the DICOM Conformance Statement of a product or of a simulated actor."""
    if actor is not None:
        require_dicom(actor)
    write_statement(sources.statement_of(sut, run, actor, source), format, layout, out_file, _report(run, out_file))
    return 0


@app.command("ihe")
def ihe(
    sut: SutOption = None,
    run: RunOption = None,
    actor: ActorOption = None,
    source: FromOption = None,
    format: FormatOption = Format.HTML,
    out_file: Annotated[Path, typer.Option("--out", help="File to write, or - for standard output.")] = Path("-"),
) -> int:
    """Write the IHE Integration Statement of a product or of a simulated actor."""
    write_statement(sources.statement_of(sut, run, actor, source), format, None, out_file, _report(run, out_file))
    return 0


@app.command("verify")
def verify(
    statement: Annotated[Path, typer.Argument(help="A statement in our JSON or XML.")],
    run: Annotated[Path, typer.Option(help="Run folder or its run.json.")],
    json_output: JsonOption = False,
) -> int:
    """Tell where a statement and a run differ; exit code 1 if they do."""
    stated = codec.load_statement(statement)
    result, transcripts = sources.recorded(run)
    observed = observe(transcripts, sources.titles_of(result))
    if result.sut.get("name") != stated.product.name:
        raise UsageError(
            f"{run} is a run of {result.sut.get('name')}, the statement is about {stated.product.name}; "
            "give a run of that product"
        )
    claims = tuple(
        Claimed(c.profile, c.actor, tuple(o.name for o in c.options), tuple(t.id for t in c.transactions))
        for c in stated.claims
    )
    declared = Declared(stated.product, tuple(result.sut.get("ae_titles") or ()), claims=claims)
    found = differences(stated, build(declared, observed, result), observed)
    if json_output:
        print_json({"differences": [dataclasses.asdict(d) for d in found], "agrees": not found})
        return int(bool(found))
    for difference in found:
        out().print(
            Text.assemble((" ✕ ", "bold red"), difference.subject, f": {difference.stated}, but {difference.seen}")
        )
        for where in difference.where[:3]:
            out().print(Text(f"     {where}", style="bright_black"))
    out().print("The statement and the run agree." if not found else f"{len(found)} differences.", markup=False)
    return int(bool(found))


@app.command("compare")
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A statement in our JSON or XML, or a SUT file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    json_output: JsonOption = False,
) -> int:
    """Show what two products share, and what would fail between them."""
    result = compare_statements(sources.either_of(first), sources.either_of(second))
    if json_output:
        print_json({**dataclasses.asdict(result), "problems": list(result.problems)})
        return 0
    console = out()
    table = Table(box=None, pad_edge=False, header_style="bold", title="SOP classes", title_justify="left")
    for heading in ("", "SOP class", "User", "Provider", "In common"):
        table.add_column(heading)
    for link in result.links:
        shared = ", ".join(vocabulary.name_of(uid) for uid in link.transfer_syntaxes)
        mark, style = ("✕", "bold red") if link.problem else ("✓", "green")
        words = link.problem or shared or "transfer syntaxes not stated"
        table.add_row(Text(mark, style), Text(link.name), Text(link.user), Text(link.provider), Text(words))
    console.print(table if result.links else "No SOP class is used by one and provided by the other.")
    for transaction in result.transactions:
        mark, style = ("✕", "bold red") if transaction.problem else ("✓", "green")
        way = f"{transaction.initiator} → {transaction.responder}"
        why = f": {transaction.problem}" if transaction.problem else ""
        console.print(Text.assemble((f"{mark} ", style), f"{transaction.id} {transaction.name}, {way}{why}"))
    console.print(Text(f"Character sets of both: {', '.join(result.shared_character_sets) or 'none'}"))
    for words, terms in (("first", result.only_first), ("second", result.only_second)):
        if terms:
            console.print(Text(f"Character sets of the {words} only: {', '.join(terms)}"))
    for remark in result.remarks:
        console.print(Text(f"! {remark}", style="yellow"))
    if result.problems:
        console.print(Text("What would fail", style="bold"))
        for problem in result.problems:
            console.print(Text(f" ✕ {problem}"))
    return 0


@app.command("lint")
def lint(
    file: Annotated[Path, typer.Argument(help="A statement in our JSON or XML, or a list name,UID[,role] (CSV).")],
    json_output: JsonOption = False,
) -> int:
    """Find wrong UIDs, names that do not match, retired classes, duplicates, missing sections, wrong claims."""
    problems = lint_file(file)
    errors = sum(p.severity is Severity.ERROR for p in problems)
    if json_output:
        found = [dataclasses.asdict(p) for p in problems]
        print_json({"problems": found, "errors": errors, "warnings": len(problems) - errors})
        return int(errors > 0)
    for problem in problems:
        mark, style = ("✕", "bold red") if problem.severity is Severity.ERROR else ("!", "yellow")
        out().print(Text.assemble((f" {mark} ", style), f"{problem.where}: {problem.text} [{problem.code}]"))
    out().print(f"{errors} errors, {len(problems) - errors} warnings", markup=False)
    return int(errors > 0)


@app.command("schema")
def schema(
    format: Annotated[Format, typer.Argument(help="xml: XML Schema; json: JSON Schema.")] = Format.JSON,
) -> int:
    """Print the schema of statements in JSON or XML."""
    if format is Format.JSON:
        print_json(codec.json_schema())
    elif format is Format.XML:
        write_file(Path("-"), codec.xsd_bytes())
    else:
        raise UsageError(f"there is no schema of {format.value}; ask for json or xml")
    return 0


# -- writing ---------------------------------------------------------------------------------------------------


def _report(run: Path | None, target: Path) -> str:
    """How a link leads from the statement to the page of the run, empty if there is none."""
    page = run_folder(run) / "report.html" if run is not None else None
    if page is None or not page.is_file():
        return ""
    base = Path.cwd() if str(target) == "-" else target.resolve().parent
    return quote(Path(os.path.relpath(page.resolve(), base)).as_posix())


def write_statement(
    statement: Statement, format: Format, layout: Layout | None, target: Path, report: str = ""
) -> None:
    """Write it to a file or to standard output; without a layout it is an IHE Integration Statement."""
    write_file(target, _rendered(statement, format, layout, report))


def _rendered(statement: Statement, format: Format, layout: Layout | None, report: str) -> bytes:
    if format is Format.JSON:
        return codec.json_bytes(statement)
    if format is Format.XML:
        return codec.xml_bytes(statement)
    document = dicom_document(statement, layout) if layout is not None else ihe_document(statement)
    if format is Format.PDF:
        return render.pdf_bytes(document)
    if format is Format.DOCX:
        return render.docx_bytes(document)
    text = render.html_text(document, report) if format is Format.HTML else render.markdown_text(document)
    return text.encode("utf-8", "replace")
