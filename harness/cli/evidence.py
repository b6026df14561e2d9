"""``ihe-harness evidence export|folders|verify|redact``: hand evidence to others, and check what others hand over."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from harness.cli.console import err, out, print_json
from harness.cli.rejudge import print_outcome, rules
from harness.core.errors import HarnessError, UsageError
from harness.protocols.dicom import pcapng
from harness.reporting.bundle import unpack, write_bundle
from harness.reporting.dossier import write_dossier
from harness.reporting.evidence import WIRE, load_run, run_folder
from harness.reporting.outputs import write_outputs
from harness.reporting.redacted_run import METHOD, Redaction, redact_run
from harness.reporting.rejudge import rejudge as judge_again

app = typer.Typer(help="Evidence of a run: export, folders, verify, redact.", no_args_is_help=True)


@app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    out: Annotated[Path | None, typer.Option(help="Zip file to write; default: beside the run folder.")] = None,
    redact: Annotated[bool, typer.Option(help="Take persons out (the default), or keep everything as it came.")] = True,
) -> int:
    """Write a bundle with a manifest of hashes; persons are taken out unless --no-redact."""
    folder = run_folder(run)
    target = _target(folder, out, ".zip")
    with tempfile.TemporaryDirectory(prefix="ihe-evidence-") as temporary:
        notes: dict[str, Any] | None = None
        if redact:
            copy = Path(temporary) / "run"
            notes = _notes(_redacted_copy(run, copy))
            folder = copy
        else:
            make_pcapng(folder)
        try:
            count = write_bundle(folder, target, notes)
        except OSError as error:
            raise UsageError(f"--out {target}: {error.strerror}") from error
    console = err()
    if notes is not None:
        _tell_left_out(notes["left_out"])
    else:
        console.print("Not redacted: the bundle holds every name as it came.")
    console.print(Text(f"Written: {target} ({count} files)"), soft_wrap=True)
    return 0


@app.command("folders")
def folders(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    out: Annotated[Path | None, typer.Option(help="Zip file to write; default: beside the run folder.")] = None,
    redact: Annotated[bool, typer.Option(help="Take persons out (the default), or keep everything as it came.")] = True,
) -> int:
    """Write one folder for each scenario: result, messages, each data set and HL7 message as a file and in words.

    This is for people who upload or review test by test; `export` makes the bundle that can be judged again.
    """
    folder = run_folder(run)
    target = _target(folder, out, "-folders.zip")
    left_out: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory(prefix="ihe-evidence-") as temporary:
        if redact:
            copy = Path(temporary) / "run"
            left_out = tuple(entry for entry in redact_run(run, copy).left_out if not entry.startswith(f"{WIRE}/"))
            folder = copy
        try:
            count = write_dossier(folder, target)
        except OSError as error:
            raise UsageError(f"--out {target}: {error.strerror}") from error
    _tell_left_out(left_out)
    if not redact:
        err().print("Not redacted: the files hold every name as it came.")
    err().print(Text(f"Written: {target} ({count} folders)"), soft_wrap=True)
    return 0


def _target(folder: Path, out: Path | None, suffix: str) -> Path:
    """``--out``, or a file beside the run folder. Raises UsageError for a folder that does not exist."""
    beside = folder.resolve()
    target = (out if out is not None else beside.with_name(beside.name + suffix)).absolute()
    if not target.parent.is_dir():
        raise UsageError(f"--out {target}: the folder {target.parent} does not exist")
    return target


def _tell_left_out(entries: Sequence[str]) -> None:
    """What a redacted copy lacks: many for one reason are told in one line."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        what, _, why = entry.rpartition(": ")
        reasons.setdefault(why, []).append(what)
    for why, (first, *others) in reasons.items():
        more = f" and {len(others)} more" if others else ""
        err().print(Text(f"Left out: {first}{more}: {why}"), soft_wrap=True)


@app.command("verify")
def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle (zip), or a run folder.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Check every hash and judge the evidence again; exit 0 if all is as it says, 1 if not."""
    if bundle.is_dir():
        problems: list[str] = []
        outcome = judge_again(bundle, rules())
        redacted = None
    elif bundle.is_file():
        with tempfile.TemporaryDirectory(prefix="ihe-evidence-") as temporary:
            manifest, problems = unpack(bundle, Path(temporary))
            redacted = bool(manifest.get("redacted"))
            outcome = judge_again(Path(temporary), rules())
    else:
        raise UsageError(f"{bundle}: there is no such bundle")
    good = outcome.same and not problems
    if json_output:
        print_json(
            {
                "verified": good,
                "redacted": redacted,
                "problems": [*problems, *outcome.problems],
                "differences": len(outcome.differences),
                "judged": outcome.judged,
                "taken_over": outcome.taken_over,
            }
        )
        return 0 if good else 1
    console = out()
    for problem in problems[:50]:
        console.print(Text(f"✕ {problem}"), soft_wrap=True)
    console.print("✕ hashes do not agree" if problems else "✓ every hash agrees")
    print_outcome(outcome)
    return 0 if good else 1


@app.command("redact")
def redact(
    run: Annotated[Path, typer.Argument(help="Run folder or its run.json.")],
    out: Annotated[Path, typer.Option(help="New folder for the redacted copy.")],
) -> int:
    """Write a copy of a run without persons."""
    done = _redacted_copy(run, out)
    console = err()
    _tell_left_out(done.left_out)
    console.print(Text(f"Written: {out} ({done.changed} payloads changed)"), soft_wrap=True)
    return 0


def make_pcapng(folder: Path) -> None:
    """Beside every capture of a run a pcapng file of it, for Wireshark."""
    wire = folder / WIRE
    for index in sorted(wire.rglob("traffic.json")):
        name = "capture" if index.parent == wire else index.parent.name
        target = wire / f"{name}.pcapng"
        if not target.exists():
            try:
                pcapng.write(index.parent, target)
            except (HarnessError, OSError, ValueError, KeyError) as error:
                target.unlink(missing_ok=True)
                err().print(Text(f"Left out: {target.name}: {error}"), soft_wrap=True)


def _redacted_copy(run: Path, target: Path) -> Redaction:
    done = redact_run(run, target)
    write_outputs(load_run(target), target)
    return done


def _notes(done: Redaction) -> dict[str, Any]:
    return {"method": METHOD, "payloads_changed": done.changed, "left_out": list(done.left_out)}
