"""``ihe-harness media``: write media, import media. ``simulate media-creator`` and ``media-importer`` are the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from harness.actors.defects.registry import DEFECTS, behaviour
from harness.actors.media.creator import MediaCreator
from harness.actors.media.importer import Identity, MediaImporter
from harness.actors.objects import uid_source
from harness.cli.console import err, out, print_json
from harness.core.errors import ConfigurationError, EnvironmentFailure, UsageError
from harness.protocols.media.secure import Keys, Protection
from harness.protocols.media.writing import PROFILES, MediumPlan

_PROFILES = {"CD": "STD-GEN-CD", "DVD": "STD-GEN-DVD-JPEG", "USB": "STD-GEN-USB-JPEG"}
app = typer.Typer(help="Write and import portable media (PDI, RAD-47).", no_args_is_help=True)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err(), transient=True,
        disable=not err().is_terminal,
    )  # fmt: skip


@app.command("create")
def create(
    studies: Annotated[Path, typer.Option("--studies", exists=True, help="A DICOM file, or a folder of them.")],
    target: Annotated[Path, typer.Option("--out", help="An empty folder, FILE.zip or FILE.iso.")],
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "STD-GEN-CD",
    web: Annotated[bool, typer.Option("--web/--no-web", help="With pages for a browser.")] = True,
    kind: Annotated[str, typer.Option(help="CD, DVD or USB: the application profile of that kind of medium.")] = "",
    label: Annotated[str, typer.Option(help="The volume label of an ISO image.")] = "IHE_PDI",
    institution: Annotated[str, typer.Option(help="Who makes the medium.")] = "Harness Hospital",
    defect: Annotated[list[str] | None, typer.Option("--defect", metavar="ID", help="Be wrong in this way.")] = None,
    password: Annotated[
        str, typer.Option(envvar="MEDIA_PASSWORD", help="Protect DICOMDIR and all objects (PS3.15 D.1); no pages then.")
    ] = "",
    certificate: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Protect for this recipient, an X.509 certificate; repeatable."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Deal out the same UIDs each time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Write a medium: DICOM files, DICOMDIR, README.TXT and web content."""
    if kind:
        chosen = kind.removeprefix("protected ").upper()
        if chosen not in _PROFILES:
            raise UsageError(f"there is no kind of medium {kind!r}; known: {', '.join(_PROFILES)}")
        profile = _PROFILES[chosen]
    plan = MediumPlan(profile, web, label, institution, protect=_protection(password, certificate or ()))
    creator = MediaCreator(plan, behaviour("media-creator", defect or []), uid_source(seed))
    try:
        with _bar() as bar:
            task = bar.add_task("reading", total=None)
            done = creator.create(studies, target, lambda at, total: bar.update(task, completed=at, total=total))
    except OSError as error:
        raise EnvironmentFailure(f"{target} cannot be written: {error.strerror or error}") from error
    skipped = [{"path": path, "reason": reason} for path, reason in done.skipped]
    if as_json:
        print_json({"medium": str(target), "instances": list(done.instances), "files": done.files, "skipped": skipped})
        return 0
    out().print(f"{target}: {len(done.instances)} DICOM objects, {done.files} files", markup=False)
    for one in skipped:
        out().print(f"  left out {one['path']}: {one['reason']}", markup=False)
    return 0


@app.command("import")
def load(
    medium: Annotated[Path, typer.Option("--medium", exists=True, help="A folder, ZIP file or ISO image.")],
    store: Annotated[Path, typer.Option("--store", file_okay=False, help="Where imported objects go.")],
    patients: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Local patients: a JSON list of identities.")
    ] = None,
    password: Annotated[str, typer.Option(envvar="MEDIA_PASSWORD", help="Opens protected media.")] = "",
    key: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A private key (PEM) that opens protected media; repeatable."),
    ] = None,
    defect: Annotated[list[str] | None, typer.Option("--defect", metavar="ID", help="Be wrong in this way.")] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Exit 0 although something could not be imported.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Import a medium and say what could not be imported. Exit 1 if anything could not."""
    keys = Keys(password, tuple(path.read_bytes() for path in key or ()))
    importer = MediaImporter(store, _patients(patients), behaviour("media-importer", defect or []), keys)
    try:
        with _bar() as bar:
            task = bar.add_task("importing", total=None)
            report = importer.load(medium, lambda at, total: bar.update(task, completed=at, total=total))
    except OSError as error:
        raise EnvironmentFailure(f"{store} cannot be written: {error.strerror or error}") from error
    if as_json:
        print_json(
            {
                "imported": report.imported,
                "unsupported": report.unsupported,
                "errors": report.errors,
                "undecided": report.undecided,
            }
        )
    else:
        for line in (*report.preview, "", f"{len(report.imported)} objects imported"):
            out().print(line, markup=False)
        for uid in report.unsupported:
            out().print(f"  not supported: {uid}", markup=False)
        for problem in (*report.undecided, *report.errors):
            out().print(f"  {problem}", markup=False)
    if report_only:
        return 0
    return 1 if report.errors or report.unsupported or report.undecided else 0


@app.command("defects")
def defects() -> int:
    """The defective media that ``create --defect ID`` makes, and what ``import --defect ID`` does wrong."""
    for each in DEFECTS:
        if each.actor in ("media-creator", "media-importer"):
            out().print(f"{each.id:26} {each.title} ({', '.join(sorted(each.breaks))})", markup=False, highlight=False)
    return 0


def _protection(password: str, certificates: Sequence[Path]) -> Protection | None:
    if not password and not certificates:
        return None
    return Protection(password, [path.read_bytes() for path in certificates])


def _patients(path: Path | None) -> tuple[Identity, ...]:
    if path is None:
        return ()
    try:
        return tuple(
            Identity(**{str(k): str(v) for k, v in one.items()}) for one in json.loads(path.read_text("utf-8"))
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            path, "", f"is no list of name, patient_id, issuer, birth_date, sex: {error}"
        ) from None
