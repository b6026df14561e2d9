"""``ihe-harness statement``: DICOM and IHE statements, and what holds them against runs and against each other."""

from __future__ import annotations

import dataclasses
import enum
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from harness.actors.acquisition import Acquisition
from harness.actors.actor import SimulatedActor
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.pps_manager import PpsManager
from harness.actors.print_composer import PrintComposer
from harness.actors.print_server import PrintServer
from harness.actors.report_reader import ReportReader
from harness.actors.report_repository import ReportRepository
from harness.cli.console import err, out, print_json
from harness.cli.rejudge import rules
from harness.core.errors import UsageError
from harness.core.result import RunResult
from harness.core.transcript import Recorder, Transcript
from harness.profiles import registry
from harness.protocols.dicom.node import Address
from harness.reporting.evidence import load_run, load_transcript, run_folder, write_atomically
from harness.reporting.rejudge import rejudge as judge_again
from harness.statement import codec, render, vocabulary
from harness.statement.build import Declared, build, declared_from
from harness.statement.claims import Claimed
from harness.statement.compare import compare as compare_statements
from harness.statement.integration import ihe_document
from harness.statement.layouts import Layout, dicom_document
from harness.statement.lint import Severity, lint_file
from harness.statement.model import Statement
from harness.statement.observation import observe
from harness.statement.verify import differences
from harness.sut.config import SutFile, load_sut

app = typer.Typer(
    help="Write conformance statements, and hold them against runs and against each other.", no_args_is_help=True
)

#: simulated actors by slug: what they serve is read from them
_ACTORS: Final[Mapping[str, Callable[[str, Recorder], SimulatedActor]]] = {
    "acquisition-modality": Acquisition,
    "evidence-creator": EvidenceCreator,
    "image-display": ImageDisplay,
    "image-manager": ImageManager,
    "order-filler": OrderFiller,
    "pps-manager": PpsManager,
    "print-composer": PrintComposer,
    "print-server": PrintServer,
    "report-reader": ReportReader,
    "report-repository": ReportRepository,
}


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
    str | None, typer.Option(metavar="SLUG", help=f"A simulated actor instead: {', '.join(_ACTORS)}.")
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
    write_statement(_statement(sut, run, actor, source), format, layout, out_file, _report(run, out_file))
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
    write_statement(_statement(sut, run, actor, source), format, None, out_file, _report(run, out_file))
    return 0


@app.command("verify")
def verify(
    statement: Annotated[Path, typer.Argument(help="A statement in our JSON or XML.")],
    run: Annotated[Path, typer.Option(help="Run folder or its run.json.")],
    json_output: JsonOption = False,
) -> int:
    """Tell where a statement and a run differ; exit code 1 if they do."""
    stated = codec.load_statement(statement)
    result, transcripts = _recorded(run)
    observed = observe(transcripts, _titles(result))
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
    result = compare_statements(_either(first), _either(second))
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
        sys.stdout.buffer.write(codec.xsd_bytes())
        sys.stdout.flush()
    else:
        raise UsageError(f"there is no schema of {format.value}; ask for json or xml")
    return 0


# -- where statements come from --------------------------------------------------------------------------------


def _statement(sut: Path | None, run: Path | None, actor: str | None, source: Path | None) -> Statement:
    given = [option for option, value in (("--sut", sut), ("--actor", actor), ("--from", source)) if value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise UsageError(f"exactly one of --sut, --actor and --from is needed, {found} was given")
    if run is not None and sut is None:
        raise UsageError("--run belongs to --sut: give the SUT file of the product that was run")
    if source is not None:
        return codec.load_statement(source)
    if actor is not None:
        return _of_actor(actor)
    assert sut is not None
    return _of_product(sut, run)


def _of_product(path: Path, run: Path | None) -> Statement:
    sut = load_sut(path)
    declared = declared_of(sut, path)
    if run is None:
        return build(declared, sources=[f"SUT file {path.name}"])
    result, transcripts = run_of_product(run, sut, path)
    observed = observe(transcripts, _titles(result))
    return build(declared, observed, result, sources=[f"SUT file {path.name}", when(result)])


def run_of_product(run: Path, sut: SutFile, path: Path) -> tuple[RunResult, Iterable[tuple[str, Transcript]]]:
    """A run whose evidence bears it, and its transcripts. Raises UsageError if it is of another product."""
    result, transcripts = _recorded(run)
    if result.sut.get("name") != sut.product.name or result.sut.get("version") != sut.product.version:
        raise UsageError(
            f"{run} is a run of {result.sut.get('name')} {result.sut.get('version')}, {path} describes "
            f"{sut.product.name} {sut.product.version}; give a run of that product"
        )
    return result, transcripts


def when(result: RunResult) -> str:
    """How a statement names the run that it was made from."""
    return f"run {result.run_id}, started {result.started}, ihe-harness {result.harness_version}"


def declared_of(
    sut: SutFile, path: Path, more: Mapping[str, Any] | None = None, address: Address | None = None
) -> Declared:
    """What a SUT file says of its product; ``more`` are further texts, ``address`` is where it was found."""
    titles = [] if sut.dicom is None else [sut.dicom.ae_title, *sut.dicom.calling_ae_titles]
    port = sut.dicom.port if sut.dicom is not None else None
    if address is not None:
        titles, port = [address.ae_title, *titles], address.port
    return declared_from(
        sut.product.model_dump(),
        [claim.model_dump() for claim in sut.claims],
        {**sut.statement, **(more or {})},
        ae_titles=list(dict.fromkeys(titles)),
        port=port,
        file=str(path),
    )


def _recorded(run: Path) -> tuple[RunResult, Iterable[tuple[str, Transcript]]]:
    """The run, and what was recorded in its scenarios."""
    folder = run_folder(run)
    result = load_run(run)
    _require_evidence(run)
    return result, (
        (scenario.id, load_transcript(folder, scenario.transcript))
        for scenario in result.scenarios
        if scenario.transcript
    )


def _titles(result: RunResult) -> frozenset[str]:
    return frozenset(str(title) for title in result.sut.get("ae_titles") or ())


def _require_evidence(run: Path) -> None:
    """Stop if the stored messages do not lead to the stored verdicts: words of findings may change, verdicts not."""
    again = judge_again(run, rules())
    worse = [
        f"{d.scenario}, {d.requirement}: stored {d.stored or 'nothing'}, its evidence shows {d.again or 'nothing'}"
        for d in again.differences
        if d.stored.partition(":")[0] != d.again.partition(":")[0]
    ]
    if found := [*worse, *again.problems]:
        raise UsageError(
            f"{run}: its evidence does not bear its findings ({found[0]}); nothing can be verified by it. "
            "ihe-harness rejudge shows every difference; run again if the checks have changed since"
        )


def _of_actor(slug: str) -> Statement:
    """What a simulated actor serves, read from the actor itself, and what its claims make it use."""
    if slug not in _ACTORS:
        raise UsageError(f"there is no simulated actor {slug!r} with DICOM; known: {', '.join(_ACTORS)}")
    from harness import __version__

    actor = _ACTORS[slug](slug.upper().replace("-", "")[:16], Recorder(Transcript()))
    try:
        return _configured(actor, slug, __version__)
    finally:
        actor.stop()


def _configured(actor: SimulatedActor, slug: str, version: str) -> Statement:
    claims = [
        {"profile": profile.id, "actor": actor.name}
        for profile in registry.PROFILES
        if profile.actor(actor.name) is not None
    ]
    served = [
        {"uid": uid, "role": "SCP", "transfer_syntaxes": list(service.transfer_syntaxes)}
        for uid, service in sorted(actor.node.services.items())
    ]
    text: dict[str, Any] = {
        "description": f"The simulated {actor.name} of ihe-harness: a test tool, not a product for clinical use.",
        "sop_classes": served,
        "security": [{"name": "None", "value": "no security profile; loopback or a closed test network"}],
    }
    product = {"name": f"ihe-harness simulated {actor.name}", "version": version, "vendor": "ihe-harness"}
    declared = declared_from(product, claims, text, ae_titles=[actor.ae_title])
    return build(declared, sources=[f"configuration of the simulated actor {slug}"])


def _either(path: Path) -> Statement:
    return _of_product(path, None) if path.suffix.lower() == ".toml" else codec.load_statement(path)


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
    data = _rendered(statement, format, layout, report)
    if str(target) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    if not target.parent.is_dir():
        raise UsageError(f"--out {target}: the folder {target.parent} does not exist")
    try:
        write_atomically(target, data)
    except OSError as error:
        raise UsageError(f"--out {target}: {error.strerror}") from error
    err().print(f"Written: {target}", markup=False, soft_wrap=True)


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
