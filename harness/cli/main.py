"""``ihe-harness``: the commands and their exit codes.

0 all passed or validly waived · 1 non-conformance (not judged counts, unless allowed) · 2 usage, configuration,
undefined step, nothing selected · 3 environment (product unreachable, port busy) · 4 harness fault · 5 stale or
expired waiver.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence

import typer

from harness.cli.console import complain, take_any_text
from harness.core.errors import EnvironmentFailure, HarnessError, UsageError

#: command -> (module, function); a module is imported when its command is called, because libraries are slow to load
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("harness.cli.run", "run"),
    "doctor": ("harness.cli.doctor", "doctor"),
    "list": ("harness.cli.listing", "listing"),
    "explain": ("harness.cli.explain", "explain"),
    "validate": ("harness.cli.validate", "validate"),
    "lint": ("harness.cli.lint", "lint"),
    "dry-run": ("harness.cli.dry_run", "dry_run"),
    "matrix": ("harness.cli.matrix", "matrix"),
    "mutants": ("harness.cli.mutants", "mutants"),
    "rejudge": ("harness.cli.rejudge", "rejudge"),
    "report": ("harness.cli.report", "report"),
    "compare": ("harness.cli.compare", "compare"),
    "waive": ("harness.cli.waive", "waive"),
    "simulate": ("harness.cli.simulate", "simulate"),
    "misbehave": ("harness.cli.misbehave", "misbehave"),
    "observe": ("harness.cli.observe", "observe"),
}
#: groups of commands: name -> (module, typer application)
GROUPS: dict[str, tuple[str, str]] = {
    "media": ("harness.cli.media", "app"),
    "evidence": ("harness.cli.evidence", "app"),
    "modality": ("harness.modality.cli", "app"),
    "statement": ("harness.cli.statement", "app"),
}
#: simulated actors with commands of their own
ONE_SHOT: dict[tuple[str, ...], tuple[str, ...]] = {
    ("simulate", "media-creator"): ("media", "create"),
    ("simulate", "media-importer"): ("media", "import"),
    ("simulate", "misbehave"): ("misbehave",),
}


#: commands of other tools -> ours
_ELSEWHERE = {
    "test": "run",
    "check": "lint",
    "plan": "dry-run",
    "init": "doctor --sut FILE",
    "verify": "evidence verify",
}


def application(only: str = "") -> typer.Typer:
    """The command line with all commands, or with one of them."""
    app = typer.Typer(
        name="ihe-harness",
        help="Conformance harness for the IHE Radiology profiles SWF, SWF.b, CPI, ARI and PDI.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_version)
    for name, (module, function) in COMMANDS.items():
        if only in ("", name):
            app.command(name)(getattr(importlib.import_module(module), function))
    for name, (module, attribute) in GROUPS.items():
        if only in ("", name):
            app.add_typer(getattr(importlib.import_module(module), attribute), name=name)
    return app


def _version() -> None:
    """Conformance harness for the IHE Radiology profiles SWF, SWF.b, CPI, ARI and PDI."""


def main() -> None:
    """Entry point: maps every error to its exit code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; never raises."""
    take_any_text()
    if list(arguments) == ["--version"]:
        from harness import __version__

        sys.stdout.write(f"ihe-harness {__version__}\n")
        return 0
    arguments = [*ONE_SHOT.get(tuple(arguments[:2]), arguments[:2]), *arguments[2:]]
    first = arguments[0] if arguments else ""
    try:
        only = first if first in COMMANDS or first in GROUPS else ""
        code = application(only)(list(arguments), standalone_mode=False)
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
            complain(usage + _meant(arguments))
            return 2
        complain(f"the harness failed: {type(error).__name__}: {error}")
        complain("".join(traceback.format_exception(error)[-4:]).rstrip())
        return 4
    return int(code) if isinstance(code, int) else 0


def _meant(arguments: Sequence[str]) -> str:
    """What people type who know it from other tools, and how it is called here."""
    if arguments[:1] == ["run"] and "--dry-run" in arguments:
        return "\nTo see the plan without running it: ihe-harness dry-run"
    if arguments and arguments[0] in _ELSEWHERE:
        return f"\nHere it is: ihe-harness {_ELSEWHERE[arguments[0]]}"
    return ""


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
