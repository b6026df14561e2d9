"""The command line of the modality: one verb for each operation, and `serve`."""

from __future__ import annotations

import inspect
import json
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core.errors import EnvironmentFailure, HarnessError, UsageError
from harness.modality import config, defects
from harness.modality.answers import TOKEN_HEADER, error_body
from harness.modality.clock import clock_from
from harness.modality.operations import OPERATIONS, Operation
from harness.modality.service import Modality
from harness.modality.store.database import Database

app = typer.Typer(help="The reference acquisition modality.", no_args_is_help=True)
HOME = Path.home() / ".ihe-modality"
GROUPS = ("config", "db", "queue")


@dataclass(frozen=True, slots=True)
class Common:
    """The options that every verb takes."""

    home: Path
    config: Path | None
    set: list[str]
    defect: list[str]
    seed: int | None
    clock: str | None
    url: str
    token: str
    json: bool


_COMMON: dict[str, tuple[Any, Any]] = {
    "home": (Annotated[Path, typer.Option(help="Directory that keeps database, objects and settings.")], HOME),
    "config": (Annotated[Path | None, typer.Option(help="Settings for this call, TOML or JSON.")], None),
    "set": (Annotated[list[str], typer.Option(help="One setting for this call: table.key=value.")], []),
    "defect": (Annotated[list[str], typer.Option(help="Be defective on purpose: id of a seeded defect.")], []),
    "seed": (Annotated[int | None, typer.Option(help="Make UIDs and pixels repeatable.")], None),
    "clock": (Annotated[str | None, typer.Option(help="Stand still at this ISO 8601 moment.")], None),
    "url": (Annotated[str, typer.Option(help="Ask a modality that `serve` runs, instead of opening the home.")], ""),
    "token": (Annotated[str, typer.Option(help="Token of that modality.")], ""),
    "json": (Annotated[bool, typer.Option("--json", help="Print JSON.")], False),
}


def _open(common: Common) -> Modality:
    try:
        clock = clock_from(common.clock)
    except ValueError as error:
        raise UsageError(f"--clock: {error}") from None
    settings = None
    if common.config is not None or common.set:
        settings = _settings(common)
    return Modality(
        common.home, settings=settings, behaviour=defects.behaviour(common.defect), clock=clock, seed=common.seed,
        seeded=defects.named(common.defect),
    )  # fmt: skip


def _settings(common: Common) -> config.Configuration:
    base = config.Configuration()
    kept = common.home / "modality.sqlite"
    if kept.exists():
        with Database(kept) as database:
            found = database.scalar("SELECT value FROM Setting WHERE name = 'configuration'")
        base = config.from_mapping(json.loads(found)) if found else base
    if common.config is not None:
        base = config.from_file(common.config, base)
    return config.assign(base, *common.set)


def _remote(common: Common, operation: Operation, arguments: dict[str, Any]) -> Any:
    url = f"{common.url.rstrip('/')}/api/{operation.name}"
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url: {common.url!r} is not an HTTP address")
    if operation.writes:
        headers = {"Content-Type": "application/json", TOKEN_HEADER: common.token}
        request = urllib.request.Request(url, json.dumps(arguments).encode(), headers)
    else:
        request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(arguments, doseq=True)}")
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = json.loads(error.read() or b"{}")
        said = body.get("error", {}).get("message") or body.get("detail") or str(error)
        raise (EnvironmentFailure if error.code >= 500 else UsageError)(f"{said}") from None
    except OSError as error:
        raise EnvironmentFailure(f"{common.url}: {error}") from None


def guarded(as_json: bool, action: Callable[[], Any]) -> None:
    """Run an action; print its result, or its error with the matching exit code."""
    try:
        result = action()
    except HarnessError as error:
        code = 2 if isinstance(error, UsageError) else 3 if isinstance(error, EnvironmentFailure) else 4
        if as_json:
            typer.echo(json.dumps({"error": error_body(error)}, ensure_ascii=False))
        else:
            typer.echo(f"error: {error}", err=True)
        raise typer.Exit(code) from None
    if result is not None:
        show(result, as_json)


def show(result: Any, as_json: bool) -> None:
    """Print a result: JSON, or a table for a list of rows, or lines of key and value."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    rows = result if isinstance(result, list) else result.get("items") if isinstance(result, dict) else None
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        from rich.console import Console
        from rich.table import Table

        columns = [key for key, value in rows[0].items() if not isinstance(value, (dict, list))]
        table = Table(*columns)
        for row in rows:
            table.add_row(*("" if row.get(c) is None else str(row.get(c)) for c in columns))
        Console().print(table)
    elif isinstance(result, dict) and set(result) >= {"text"}:
        typer.echo(result["text"])
    elif isinstance(result, dict):
        for key, value in result.items():
            plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            typer.echo(f"{key}: {plain}")
    else:
        typer.echo("nothing" if result == [] else json.dumps(result, ensure_ascii=False))


def _perform(common: Common, operation: Operation, arguments: dict[str, Any]) -> Any:
    if common.url:
        return _remote(common, operation, arguments)
    with _open(common) as modality:
        if operation.needs_port:
            modality.listen()
        return operation.call(modality, arguments)


def _loaded(path: Path) -> dict[str, Any]:
    from harness.modality.domain import plain

    found: dict[str, Any] = plain(config.from_file(path))
    return found


def _command(operation: Operation) -> Callable[..., None]:
    own = operation.parameters()

    def run(**given: Any) -> None:
        common = Common(**{name: given.pop(f"common_{name}") for name in _COMMON})

        def action() -> Any:
            arguments = {p.name: given[p.name] for p in own}
            for parameter in own:
                if parameter.kind is dict:
                    arguments[parameter.name] = _loaded(arguments[parameter.name])
            return _perform(common, operation, {k: v for k, v in arguments.items() if v is not None})

        guarded(common.json, action)

    parameters = []
    for p in own:
        kind: Any = Path if p.kind is dict else p.kind
        if p.optional:
            kind = kind | None
        option = (
            typer.Argument()
            if p.required
            else typer.Option(f"--{p.name.replace('_', '-')}" if kind is not bool else None)
        )
        if p.required:
            parameters.append(
                inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option])
            )
        else:
            kind_option = Annotated[kind, typer.Option()]
            parameters.append(
                inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=kind_option)
            )
    for name, (annotation, default) in _COMMON.items():
        made = _renamed(name, annotation)
        parameters.append(
            inspect.Parameter(f"common_{name}", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=made)
        )
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__ = operation.summary
    run.__name__ = operation.name.replace("-", "_")
    return run


def _renamed(name: str, annotation: Any) -> Any:
    kind, option = annotation.__origin__, annotation.__metadata__[0]
    return Annotated[kind, typer.Option(f"--{name}", help=option.help)]


def _register() -> None:
    groups = {name: typer.Typer(help=f"Verbs of {name}.", no_args_is_help=True) for name in GROUPS}
    for operation in OPERATIONS:
        group, _, verb = operation.name.partition("-")
        if group in groups:
            groups[group].command(verb or "list")(_command(operation))
        else:
            app.command(operation.name)(_command(operation))
    for name, group_app in groups.items():
        app.add_typer(group_app, name=name)


_register()


@app.command()
def serve(
    home: Annotated[Path, typer.Option(help="Directory that keeps database, objects and settings.")] = HOME,
    host: Annotated[
        str, typer.Option(help="Address of the web interface; loopback unless you know why.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the web interface; 0 takes a free one.")] = 8080,
    token: Annotated[str, typer.Option(help="Token for writes; a random one if left out.")] = "",
    config: Annotated[Path | None, typer.Option(help="Settings, TOML or JSON.")] = None,
    set: Annotated[list[str], typer.Option(help="One setting: table.key=value.")] = [],  # noqa: B006
    defect: Annotated[list[str], typer.Option(help="Be defective on purpose: id of a seeded defect.")] = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(help="Make UIDs and pixels repeatable.")] = None,
    clock: Annotated[str | None, typer.Option(help="Stand still at this ISO 8601 moment.")] = None,
    statement: Annotated[
        list[Path], typer.Option(help="A conformance statement in HTML to show in the console; may be repeated.")
    ] = [],  # noqa: B006
) -> None:
    """Run the modality with its web interface, its DICOM port and its background work until it is told to stop."""
    from harness.modality.server import Server

    common = Common(home, config, set, defect, seed, clock, "", "", True)

    def announce(ready: dict[str, Any]) -> None:
        typer.echo(json.dumps(ready))
        sys.stdout.flush()

    def action() -> None:
        with _open(common) as modality:
            server = Server(modality, host, port, token, statement)
            signal.signal(signal.SIGTERM, lambda *_: server.stop())
            server.run(announce)

    guarded(False, action)


@app.command("defects")
def list_defects(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the seeded defects and the legal variants."""
    show([defects.describe(each) for each in (*defects.DEFECTS, *defects.VARIANTS)], as_json)


@app.command()
def run(
    day: Annotated[Path, typer.Argument(help="A list of steps, YAML or TOML or JSON.")],
    home: Annotated[Path, typer.Option(help="Directory that keeps database, objects and settings.")] = HOME,
    config: Annotated[Path | None, typer.Option(help="Settings, TOML or JSON.")] = None,
    set: Annotated[list[str], typer.Option(help="One setting: table.key=value.")] = [],  # noqa: B006
    defect: Annotated[list[str], typer.Option(help="Be defective on purpose: id of a seeded defect.")] = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(help="Make UIDs and pixels repeatable.")] = None,
    clock: Annotated[str | None, typer.Option(help="Stand still at this ISO 8601 moment.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Work through a scripted day."""
    from harness.modality import script

    common = Common(home, config, set, defect, seed, clock, "", "", as_json)

    def action() -> Any:
        steps = script.load(day)
        with _open(common) as modality:
            modality.listen()
            return script.perform(modality, steps)

    guarded(as_json, action)
