"""``ihe-harness validate PATH...``: DICOM files, HL7 messages, captures, runs, folders of them."""

from __future__ import annotations

import enum
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.cli.console import err, out, print_json
from harness.cli.validate_media import MediaOptions, judge_medium, picture_of
from harness.core.errors import ConfigurationError, UsageError
from harness.core.message import Direction
from harness.validation.codes import codes, explain
from harness.validation.consistency import SetRules
from harness.validation.finding import Severity, ValidationFinding, count
from harness.validation.formats import Judged, to_html, to_junit, to_sarif
from harness.validation.hl7 import usages
from harness.validation.hl7_files import validate_hl7_file
from harness.validation.kinds import kind_of
from harness.validation.objects import judge_part10
from harness.validation.site import SitePolicy, read_policy

#: of a run folder, see harness/reporting/evidence.py
RUN_JSON, TRANSCRIPTS = "run.json", "transcripts"
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "bright_black"}
#: a second opinion that takes longer than this says nothing
OPINION_SECONDS = 30.0
_IMAGE = 0x7FE00010
#: stale entries of a baseline that are listed; --json lists all
_STALE_SHOWN = 10
#: from so many files on, the end says what is wrong most often
_MANY_FILES, _CODES_SHOWN = 5, 10
#: what makes a finding the same one again: path, code, locator, actual
_Key = tuple[str, str, str, str]


class Format(enum.StrEnum):
    """What is printed, or written to ``--out``."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    HTML = "html"


@dataclass(slots=True)
class _Run:
    """What all files of one invocation share."""

    policy: SitePolicy | None
    together: bool
    transaction: str = ""
    media: MediaOptions = field(default_factory=MediaOptions)
    extra: dict[str, list[ValidationFinding]] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    rules: SetRules = field(init=False)

    def __post_init__(self) -> None:
        self.rules = SetRules(self._note)

    def _note(self, path: str, finding: ValidationFinding) -> None:
        self.extra.setdefault(path, []).append(finding)

    def judge(self, path: Path) -> tuple[str, list[ValidationFinding]]:
        """Kind and findings of one file, without what only the whole set shows."""
        if _is_transcript(path):
            from harness.reporting.evidence import load_transcript  # they load libraries that most runs never need
            from harness.validation.conversation.judge import judge_messages

            # what our side said may be wrong on purpose: it is context, the product is judged
            messages = load_transcript(path.parents[1], f"{TRANSCRIPTS}/{path.name}").messages
            return "conversation", judge_messages(messages, Direction.FROM_SUT)
        try:
            kind = kind_of(path)
            if kind is None:
                return "unknown", []
            if kind.name == "hl7" and self.transaction:
                return kind.name, validate_hl7_file(path.read_bytes(), self.transaction)
            if kind.name == "media":
                return kind.name, judge_medium(path, self.media)
            if kind.name != "dicom":
                return kind.name, kind.validate(path)
            findings, root = judge_part10(path.read_bytes())
        except OSError as error:
            reason = str(error.strerror or error)
            problem = ValidationFinding(
                "FILE-UNREADABLE", Severity.ERROR, "file", "a readable file", reason, "the file system"
            )
            return "unknown", [problem]
        if root is not None and root.elements:
            if self.together:
                self.rules.add(str(path), root)
            if self.policy is not None:
                findings += self.policy.check(root)
                if _IMAGE in root.elements:
                    study = root.text(0x0020000D)
                    self.images[study] = self.images.get(study, 0) + 1
                    self.first.setdefault(study, str(path))
        return kind.name, findings

    def finish(self) -> dict[str, list[ValidationFinding]]:
        """Findings of the whole set by path."""
        if self.together:
            self.rules.finish()
        if self.policy is not None:
            for study, finding in self.policy.check_study(self.images):
                self._note(self.first[study], finding)
        return self.extra


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="DICOM files, HL7 messages, captures (pcap, pcapng), runs, media, or folders of them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    form: Annotated[Format, typer.Option("--format", help="text, json, sarif, junit or html.")] = Format.TEXT,
    target: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of the terminal.")] = None,
    together: Annotated[
        bool,
        typer.Option("--set", help="Also compare objects with each other: patient, study, series, references."),
    ] = False,
    policy: Annotated[Path | None, typer.Option("--policy", help="A site's own rules, a TOML file.")] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="An earlier --json output: what it has counts no more.")
    ] = None,
    second_opinion: Annotated[
        bool, typer.Option("--second-opinion", help="Also run dciodvfy on DICOM files, if it is installed.")
    ] = False,
    transaction: Annotated[
        str,
        typer.Option(
            metavar="RAD-N",
            help="HL7 messages are of this transaction: its field usage binds. Without it, what type and trigger "
            "suggest is a warning.",
        ),
    ] = "",
    password: Annotated[
        str, typer.Option(envvar="MEDIA_PASSWORD", help="Opens protected media, whose protection is then judged.")
    ] = "",
    key: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A private key (PEM) that opens such media.")
    ] = None,
    medium: Annotated[str, typer.Option("--medium", help="What media are: CD, DVD or USB; default: any.")] = "",
    objects: Annotated[bool, typer.Option("--objects/--no-objects", help="Also judge each object on a medium.")] = True,
    screenshots: Annotated[
        bool, typer.Option("--screenshots", help="With --format html: show pages of media by Chromium, scripts off.")
    ] = False,
    show_info: Annotated[bool, typer.Option("--info", help="Show remarks too, not only errors and warnings.")] = False,
    explained: Annotated[str, typer.Option("--explain", metavar="CODE", help="Say what a finding code means.")] = "",
) -> int:
    """Judge objects and messages by their standards. Exit 0 without errors, 1 with errors, 2 for wrong usage."""
    if explained:
        _explain(explained)
        return 0
    if as_json:
        form = Format.JSON
    files = list(_files(paths or []))
    if not files:
        raise UsageError(f"no file to validate in {', '.join(str(path) for path in paths or []) or 'an empty list'}")
    known = _baseline(baseline) if baseline is not None else frozenset()
    if transaction and (known_to := sorted({usage.transaction for usage in usages()})) and transaction not in known_to:
        raise UsageError(f"--transaction {transaction}: field usage is known of {', '.join(known_to)}")
    media = MediaOptions(password, tuple(key or ()), medium, objects, screenshots)
    run = _Run(read_policy(policy) if policy is not None else None, together, transaction, media)
    judged, opinions = _judge_all(files, run, second_opinion, frozenset(paths or ()))
    errors = warnings = accepted = 0
    met: set[_Key] = set()
    for place, file in enumerate(judged):
        findings = (*file.findings, *run.extra.get(file.path, ()))
        met.update(_key(file.path, finding) for finding in findings)
        new = tuple(finding for finding in findings if _key(file.path, finding) not in known)
        accepted += len(findings) - len(new)
        errors += count(new, Severity.ERROR)
        warnings += count(new, Severity.WARNING)
        judged[place] = Judged(file.path, file.kind, new)
    totals = {"errors": errors, "warnings": warnings, "accepted": accepted}
    # what this run did not look at says nothing of the baseline, unless it is gone
    seen = {file.path for file in judged}
    stale = sorted(key for key in known - met if key[0] in seen or not Path(key[0]).exists())
    _render(form, target, judged, opinions, totals, show_info, stale, run.media)
    return 1 if errors else 0


def _judge_all(
    files: list[Path], run: _Run, second_opinion: bool, asked: frozenset[Path]
) -> tuple[list[Judged], dict[str, dict[str, Any]]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    judged: list[Judged] = []
    opinions: dict[str, dict[str, Any]] = {}
    with Progress(
        TextColumn("validating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err(), transient=True, disable=len(files) < 20 or not err().is_terminal,
    ) as progress:  # fmt: skip
        for path in progress.track(files):
            kind, findings = run.judge(path)
            if path not in asked:
                findings = [_passed_over(finding) for finding in findings]
            judged.append(Judged(str(path), kind, tuple(findings)))
            if second_opinion and kind == "dicom":
                opinions[str(path)] = _dciodvfy(path)
    run.finish()
    return judged, opinions


def _passed_over(finding: ValidationFinding) -> ValidationFinding:
    """A file of a folder that is no DICOM file may be a text beside them: told, but no error of an object."""
    return replace(finding, severity=Severity.WARNING) if finding.code == "FILE-NOT-DICOM" else finding


def _render(
    form: Format,
    target: Path | None,
    judged: list[Judged],
    opinions: dict[str, dict[str, Any]],
    totals: dict[str, int],
    show_info: bool,
    stale: list[_Key],
    media: MediaOptions,
) -> None:
    if form is Format.TEXT and target is None:
        _print_all(judged, opinions, totals, show_info)
    if form is not Format.JSON or target is not None:
        _print_stale(stale, out() if form is Format.TEXT else err())
    if form is Format.TEXT and target is None:
        return
    entries = [
        {
            "path": file.path,
            "kind": file.kind,
            "findings": [finding.to_json() for finding in file.findings],
            **({"second_opinion": opinions[file.path]} if file.path in opinions else {}),
        }
        for file in judged
    ]
    gone = [dict(zip(("path", "code", "locator", "actual"), key, strict=True)) for key in stale]
    document: dict[str, Any] = {"files": entries, **totals, "stale": gone}
    if form is Format.JSON and target is None:
        print_json(document)
        return
    if form is Format.TEXT:
        raise UsageError("--out needs --format json, sarif, junit or html")
    text = {
        Format.JSON: lambda: json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        Format.SARIF: lambda: json.dumps(to_sarif(judged), ensure_ascii=False, indent=2) + "\n",
        Format.JUNIT: lambda: to_junit(judged),
        Format.HTML: lambda: to_html(judged, _pictures(judged, media)),
    }[form]()
    if target is None:
        out().file.write(text)
        return
    try:
        target.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error


def _pictures(judged: Sequence[Judged], media: MediaOptions) -> dict[str, str]:
    return {file.path: picture_of(Path(file.path), media) for file in judged if file.kind == "media"}


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist")
        if (path / RUN_JSON).is_file():
            yield from sorted((path / TRANSCRIPTS).glob("*.json"))
        elif not path.is_dir() or kind_of(path) is not None:
            yield path
        else:
            # links are not followed: a link may lead out of the folder that was asked for
            yield from sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink())


def _is_transcript(path: Path) -> bool:
    """Whether a file is a recorded conversation of a run."""
    return path.suffix == ".json" and path.parent.name == TRANSCRIPTS and (path.parents[1] / RUN_JSON).is_file()


def _key(path: str, finding: ValidationFinding) -> _Key:
    return (path, finding.code, finding.locator, finding.actual)


def _print_stale(stale: list[_Key], console: Console) -> None:
    """Entries of the baseline that nothing raises any more: they would hide the same mistake when it comes back."""
    if not stale:
        return
    number = f"{len(stale)} entr{'y' if len(stale) == 1 else 'ies'}"
    console.print(f"{number} of the baseline raised by nothing any more; write it anew with --format json --out")
    for path, code, locator, _ in stale[:_STALE_SHOWN]:
        console.print(Text(f"  {path}: {code} {locator}", style="bright_black"))
    if len(stale) > _STALE_SHOWN:
        console.print(f"  … and {len(stale) - _STALE_SHOWN} more", style="bright_black")


def _baseline(path: Path) -> frozenset[_Key]:
    try:
        data = json.loads(path.read_text("utf-8"))
        return frozenset(
            (entry["path"], finding["code"], finding["locator"], finding["actual"])
            for entry in data["files"]
            for finding in entry["findings"]
        )
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(path, "", f"is no output of validate --json: {error}") from error


def _explain(code: str) -> None:
    if code in ("all", "list"):
        for name, text in codes().items():
            out().print(Text(name, style="bold").append(f"  {text}", style="not bold"))
        return
    out().print(Text(code, style="bold").append(f"  {explain(code)}", style="not bold"))


def _print_all(
    judged: list[Judged], opinions: dict[str, dict[str, Any]], totals: dict[str, int], show_info: bool
) -> None:
    for file in judged:
        _print(file, opinions.get(file.path), show_info=show_info)
    files = f"{len(judged)} file{'' if len(judged) == 1 else 's'}"
    accepted = f", {totals['accepted']} accepted by the baseline" if totals["accepted"] else ""
    if len(judged) >= _MANY_FILES:
        _print_most_frequent(judged)
    out().print(f"{files}, {totals['errors']} errors, {totals['warnings']} warnings{accepted}", markup=False)


def _print_most_frequent(judged: list[Judged]) -> None:
    """Many files with many findings: what is wrong most often, and in how many of them."""
    grave = [(f.code, file.path) for file in judged for f in file.findings if f.severity is not Severity.INFO]
    number = Counter(code for code, _ in grave)
    files = Counter(code for code, _ in set(grave))
    for code, count_ in number.most_common(_CODES_SHOWN):
        out().print(Text(f"{count_:6} × {code}").append(f" in {files[code]} of {len(judged)} files", "bright_black"))
    if len(number) > _CODES_SHOWN:
        out().print(Text(f"       … and {len(number) - _CODES_SHOWN} codes more", style="bright_black"))


def _print(file: Judged, opinion: dict[str, Any] | None, *, show_info: bool) -> None:
    console = out()
    shown = [finding for finding in file.findings if show_info or finding.severity is not Severity.INFO]
    bad = count(file.findings, Severity.ERROR)
    mark = "✕" if bad else "!" if count(file.findings, Severity.WARNING) else "✓"
    console.print(Text(f"{mark} {file.path}", style="bold"), Text(f"({file.kind})", style="bright_black"))
    for finding in shown:
        console.print(Text("  ").append(f"{finding.severity.value:7} {finding.code}", style=_STYLES[finding.severity]))
        lines = Text(f"{finding.locator}\nexpected {finding.expected}; found {finding.actual}\n")
        console.print(Padding(lines.append(finding.clause, style="bright_black"), (0, 0, 0, 10), expand=False))
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
