"""``ihe-harness run``: scenarios against a product, live progress, evidence, reports and an honest exit code."""

from __future__ import annotations

import datetime
import difflib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from harness import resources
from harness.bdd import allure_bridge, claims, runner
from harness.bdd import lint as linting
from harness.bdd.record import AUTHORS_MISTAKE
from harness.bdd.selection import unmatched
from harness.bdd.settings import RunSettings
from harness.bdd.steps import all_steps
from harness.bdd.tags import ACTORS, PROFILES
from harness.cli import summary
from harness.cli.console import err, print_json
from harness.cli.live import LiveProgress
from harness.cli.unknown import unknown_only
from harness.core.errors import ConfigurationError, EnvironmentFailure, HarnessError, UsageError
from harness.core.result import RunResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.reporting.media_view import Browser, installed_browser
from harness.reporting.outputs import write_outputs
from harness.sut import waivers as waiving
from harness.sut.config import SutFile, load_sut


def run(
    sut: Annotated[Path | None, typer.Option(help="SUT file; without it the reference modality is tested.")] = None,
    profile: Annotated[
        list[str] | None, typer.Option(help="Only this profile (SWF, SWF.b, CPI, ARI, PDI, KIN, ED); repeatable.")
    ] = None,
    actor: Annotated[
        list[str] | None, typer.Option(help="Only scenarios in which the product plays this actor; repeatable.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Scenario, transaction, requirement, case or MESA number; repeatable.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The quick subset, about a minute.")] = False,
    features: Annotated[Path | None, typer.Option(help="Your own feature files instead of the built-in ones.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for this run; default reports/<run id>.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Parallel workers, if the driver allows them.")] = 1,
    waivers: Annotated[Path | None, typer.Option(help="File of agreed deviations.")] = None,
    allow_inconclusive: Annotated[
        bool, typer.Option("--allow-inconclusive", help="Not judged does not fail the run.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Unconfirmed SHALLs fail, too.")] = False,
    rerun_failed: Annotated[
        Path | None, typer.Option(help="Only what did not pass in this earlier run, or was not reached.")
    ] = None,
    defect: Annotated[
        list[str] | None, typer.Option(help="Seed this defect into the reference modality; repeatable.")
    ] = None,
    allure: Annotated[Path | None, typer.Option(help="Write Allure results into this folder, too.")] = None,
    screenshots: Annotated[
        bool, typer.Option(help="Show the first pages of media in the report, by Chromium if it is installed.")
    ] = True,
    json_output: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Run scenarios against a product and judge every message."""
    sut_path = (sut or resources.folder("fixtures") / "sut" / "reference.toml").resolve()
    product = load_sut(sut_path)
    claims.require_known(product, sut_path)
    feature_paths = [features.resolve()] if features else [resources.folder("features")]
    planned = lint_or_stop(feature_paths)
    require_matches(only or (), planned)
    accepted = waivers_of(product, sut_path, waivers)
    for waiver in lost_waivers(accepted, planned):
        text = f"Waiver {waiver.requirement} ({waiver.file.name}): no scenario has the id {waiver.scenario}"
        err().print(text, style="yellow", markup=False)
    settings = RunSettings(
        sut=str(sut_path),
        features=tuple(str(path) for path in feature_paths),
        out="",
        run_id="",
        profiles=tuple(require_known(profile or [], PROFILES, "profile")),
        actors=actors_of(actor),
        only=tuple(only or ()),
        quick=quick,
        strict=strict,
        workers=_workers(workers, product),
        rerun=failed_ids(rerun_failed),
        defects=_defects(defect or (), product),
        allure=str(allure.resolve()) if allure else "",
    )
    settings = _with_folder(settings, out)
    progress = LiveProgress(product.product.name, product.product.version, quiet=False)
    with progress:
        outcome = runner.carry_out(settings, progress)
    browser = installed_browser() if screenshots else None
    return finish(
        settings, outcome, accepted, allow_inconclusive=allow_inconclusive, json_output=json_output, browser=browser
    )


def finish(
    settings: RunSettings,
    outcome: runner.RunOutcome,
    accepted: tuple[waiving.Waiver, ...],
    *,
    allow_inconclusive: bool,
    json_output: bool,
    browser: Browser | None = None,
) -> int:
    """Write everything, print the summary, and say the exit code."""
    waived = waiving.apply(outcome.result, accepted, datetime.date.today())
    result = with_waivers(outcome.result, waived, allow_inconclusive=allow_inconclusive)
    report = write_outputs(result, Path(settings.out), browser)
    if settings.allure:
        began = datetime.datetime.fromisoformat(result.started).timestamp()
        allure_bridge.accept(Path(settings.allure), result, began)
    code = exit_code(result, waived, outcome.failure, allow_inconclusive=allow_inconclusive)
    summary.print_summary(err(), result, waived, outcome.failure, report, code, settings)
    if json_output:
        print_json(
            {
                "verdict": result.verdict.name,
                "accepted_verdict": result.accepted_verdict.name,
                "exit_code": code,
                "run": str(Path(settings.out) / "run.json"),
                "report": str(report),
                "scenarios": result.counts(),
                "waived": len(waived.waived),
                "stale_waivers": [w.requirement for w in waived.stale],
                "expired_waivers": [w.requirement for w in waived.expired],
                "interrupted": result.interrupted,
                "failure": str(outcome.failure) if outcome.failure else None,
            }
        )
    return code


def exit_code(
    result: RunResult, waived: waiving.WaivedRun, failure: HarnessError | None, *, allow_inconclusive: bool
) -> int:
    """The contract of ``harness.cli.main``, in the order of gravity."""
    if isinstance(failure, EnvironmentFailure):
        return 3
    if isinstance(failure, UsageError):
        return 2
    if failure is not None:
        return 4
    verdicts = [verdict for verdict in waived.verdicts.values() if verdict is not Verdict.NOT_APPLICABLE]
    if not verdicts:
        return 1 if result.interrupted else 2
    if Verdict.ERROR in verdicts:
        errors = [s for s in result.scenarios if waived.verdicts[s.id] is Verdict.ERROR]
        return 2 if all(s.reason.startswith(AUTHORS_MISTAKE) and not s.faults for s in errors) else 4
    if Verdict.FAIL in verdicts or result.interrupted:
        return 1
    if Verdict.INCONCLUSIVE in verdicts and not allow_inconclusive:
        return 1
    return 5 if waived.spoiled else 0


def with_waivers(result: RunResult, waived: waiving.WaivedRun, *, allow_inconclusive: bool) -> RunResult:
    """The run with what was accepted and allowed, so that every rendering can show it."""
    import dataclasses

    entries: list[dict[str, Any]] = [
        {
            "requirement": waiver.requirement,
            "scenario": scenario,
            "verdict": finding.verdict.name,
            "summary": finding.summary,
            "reason": waiver.reason,
            "clause": waiver.clause,
            "state": "valid",
        }
        for scenario, finding, waiver in waived.waived
    ]
    entries += [
        {"requirement": w.requirement, "scenario": w.scenario, "reason": w.reason, "clause": w.clause, "state": state}
        for state, group in (("stale", waived.stale), ("expired", waived.expired))
        for w in group
    ]
    return dataclasses.replace(
        result,
        waivers=tuple(entries),
        accepted={s.id: waived.verdicts[s.id] for s in result.scenarios if waived.verdicts[s.id] is not s.verdict},
        options={**result.options, "allow_inconclusive": allow_inconclusive},
    )


def lint_or_stop(paths: Sequence[Path]) -> list[linting.PlannedScenario]:
    """Raises UsageError that lists every mistake in the feature files: nothing is run on half-understood text."""
    problems, planned = linting.lint(paths, all_steps())
    if problems:
        shown = "\n".join(str(problem) for problem in problems[:20])
        more = f"\n… and {len(problems) - 20} more; see `ihe-harness lint`" if len(problems) > 20 else ""
        raise UsageError(f"the feature files have {len(problems)} problem(s):\n{shown}{more}")
    return planned


def require_matches(only: Sequence[str], planned: Sequence[linting.PlannedScenario]) -> None:
    """Raises UsageError for a word of ``--only`` that selects nothing: the rest alone would look like all of it."""
    lost = unmatched(only, planned)
    if lost:
        raise UsageError(f"--only {lost[0]}: nothing was selected{unknown_only(lost)}")


def run_folder(out: Path | None) -> Path:
    """``--out``, or a fresh folder below ``reports``."""
    if out is not None:
        return out.resolve()
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path.cwd() / "reports" / f"{stamp}-{secrets.token_hex(2)}"


def _with_folder(settings: RunSettings, out: Path | None) -> RunSettings:
    """Create the folder once, and name the run after it. Raises UsageError if anything lies in it already."""
    import dataclasses

    folder = run_folder(out)
    if (folder / "run.json").exists():
        raise UsageError(f"{folder} already holds a run; choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"--out {folder} is not empty; a run needs a folder of its own")
    except OSError as error:
        raise UsageError(f"--out {folder}: {error}") from None
    return dataclasses.replace(settings, out=str(folder), run_id=folder.name)


def waivers_of(product: SutFile, sut_path: Path, waivers: Path | None) -> tuple[waiving.Waiver, ...]:
    """The expectations that the SUT file names and the waivers of the command line."""
    accepted: tuple[waiving.Waiver, ...] = ()
    if product.expectations:
        accepted += waiving.load(sut_path.parent / product.expectations)
    if waivers is not None:
        accepted += waiving.load(waivers)
    for waiver in accepted:
        if waiver.requirement not in registry.requirements():
            raise ConfigurationError(waiver.file, "requirement", registry.unknown("requirement", waiver.requirement))
    return accepted


def lost_waivers(
    accepted: Sequence[waiving.Waiver], planned: Sequence[linting.PlannedScenario]
) -> list[waiving.Waiver]:
    """Those whose scenario is misspelt, or gone: they would never be stale, because nothing of theirs is ever run."""

    def lost(pattern: str) -> bool:
        return not any(
            waiving.means(pattern, scenario.id)
            or waiving.means(pattern, f"{scenario.id}[example]")
            or pattern.startswith(f"{scenario.id}[")
            for scenario in planned
        )

    return [waiver for waiver in accepted if not waiver.scenario.startswith("*") and lost(waiver.scenario)]


def _workers(workers: int, product: SutFile) -> int:
    """As many workers as asked. Raises UsageError for a product or ports that only one can have."""
    if workers == 1:
        return 1
    if not (product.driver.parallel_safe or product.driver.kind in ("reference", "silent")):
        raise UsageError(
            f"--workers {workers}: {product.product.name} is one shared product; set parallel_safe = true in [driver] "
            "if it can be driven by several scenarios at once"
        )
    fixed = [f"[harness.actors.{name}]" for name, end in product.harness.actors.items() if end.port or end.hl7_port]
    if product.process is not None:  # every worker starts one of its own
        fixed += [f"[{name}]" for name in ("dicom", "hl7") if getattr(getattr(product, name), "port", 0)]
    if fixed:
        raise UsageError(
            f"--workers {workers}: the port in {', '.join(fixed)} is fixed, and only one worker can listen there; "
            "use --workers 1, or port = 0 for a product that can be told our ports"
        )
    return workers


def actors_of(given: Sequence[str] | None) -> tuple[str, ...]:
    """Actors by name or slug, as names. Raises UsageError for one that does not exist."""
    return tuple(ACTORS.get(name, name) for name in require_known(given or [], [*ACTORS, *ACTORS.values()], "actor"))


def _defects(given: Sequence[str], product: SutFile) -> tuple[str, ...]:
    """The defects to seed. Raises UsageError for an unknown one, and for a product that cannot have any."""
    from harness.actors.defects.registry import VARIANTS as ACTOR_VARIANTS
    from harness.cli.catalogue import all_defects
    from harness.modality.defects import VARIANTS

    if not given:
        return ()
    commands = (product.process, *product.driver.actions.values())
    if product.driver.kind != "reference" and not any(one and one.defect_argv for one in commands):
        raise UsageError(f"--defect: {product.product.name} has no seeded defects; only our own products have")
    known = [each.id for each in all_defects()]
    known += [*(each.id for each in VARIANTS), *(each.id for each in ACTOR_VARIANTS)]
    for value in given:
        if value not in known:
            near = difflib.get_close_matches(value, known, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else "`ihe-harness list defects` shows all"
            raise UsageError(f"there is no defect {value!r}; {hint}")
    return tuple(given)


def require_known(given: Sequence[str], known: Sequence[str], what: str) -> list[str]:
    """These words. Raises UsageError for one that does not exist."""
    for value in given:
        if value not in known:
            raise UsageError(f"there is no {what} {value!r}; known: {', '.join(known)}")
    return list(given)


def failed_ids(path: Path | None) -> tuple[str, ...]:
    """Ids of the scenarios of an earlier run that did not pass or were not reached. Raises UsageError for none."""
    if path is None:
        return ()
    from harness.reporting.evidence import load_run

    earlier = load_run(path)
    failed = tuple(s.id for s in earlier.scenarios if s.verdict > Verdict.WARNING)
    if not failed and not earlier.not_run:
        if earlier.interrupted or earlier.failure:
            raise UsageError(f"{path} ended early and does not say what was left out: run the whole again")
        raise UsageError(f"nothing to run again: everything in {path} passed")
    return (*failed, *earlier.not_run)
