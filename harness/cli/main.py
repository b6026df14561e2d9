"""``ihe-harness``: the commands and their exit codes.

0 all passed or validly waived · 1 non-conformance (not judged counts, unless allowed) · 2 usage, configuration,
undefined step, nothing selected · 3 environment (product unreachable, port busy) · 4 harness fault · 5 stale or
expired waiver.
"""

from __future__ import annotations

import sys
import traceback

import typer

from harness.cli import (
    doctor,
    dry_run,
    evidence,
    explain,
    lint,
    listing,
    matrix,
    mutants,
    rejudge,
    report,
    run,
    simulate,
    validate,
)
from harness.cli.console import complain
from harness.core.errors import EnvironmentFailure, HarnessError, UsageError
from harness.modality.cli import app as modality_app

app = typer.Typer(
    name="ihe-harness",
    help="Conformance harness for the IHE Radiology profiles SWF, SWF.b, CPI, ARI and PDI.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command("run")(run.run)
app.command("doctor")(doctor.doctor)
app.command("list")(listing.listing)
app.command("explain")(explain.explain)
app.command("validate")(validate.validate)
app.command("lint")(lint.lint)
app.command("dry-run")(dry_run.dry_run)
app.command("matrix")(matrix.matrix)
app.command("mutants")(mutants.mutants)
app.command("rejudge")(rejudge.rejudge)
app.command("report")(report.report)
app.command("simulate")(simulate.simulate)
app.add_typer(evidence.app, name="evidence")
app.add_typer(modality_app, name="modality")


def main() -> None:
    """Entry point: maps every error to its exit code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run one command and return its exit code; never raises."""
    try:
        code = app(arguments, standalone_mode=False)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except UsageError as error:
        complain(str(error))
        return 2
    except EnvironmentFailure as error:
        complain(str(error))
        return 3
    except HarnessError as error:
        complain(f"the harness failed: {error}")
        return 4
    except KeyboardInterrupt:
        complain("interrupted")
        return 1
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours has an exit code of its own
        if (usage := _usage(error)) is not None:
            complain(usage)
            return 2
        complain(f"the harness failed: {type(error).__name__}: {error}")
        complain("".join(traceback.format_exception(error)[-4:]).rstrip())
        return 4
    return int(code) if isinstance(code, int) else 0


def _usage(error: Exception) -> str | None:
    """The sentence of a usage error of the command line library, None for any other exception."""
    text = getattr(error, "format_message", None)
    if text is None or not hasattr(error, "exit_code"):
        return None
    context = getattr(error, "ctx", None)
    hint = f"\nSee: {context.command_path} --help" if context is not None else ""
    return str(text()) + hint


if __name__ == "__main__":
    main()
