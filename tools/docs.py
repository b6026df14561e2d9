"""Write the reference pages of ``docs/reference/`` from the code: ``python -m tools.docs [--check]``.

Steps, scenarios, requirements, defects, the SUT file, actions and commands are what the program itself says of them,
so that the pages cannot tell another story. ``--check`` writes nothing and exits 1 if a page is out of date.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from harness.cli.listing import Subject, rows_of
from harness.cli.main import application
from harness.profiles import registry
from harness.sut import config, documented
from harness.sut.actions import ACTION_KINDS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


#: tested: it loads
_SMALLEST = """```toml
[product]
name = "Our archive"
version = "1.0"

[[claims]]
profile = "SWF"
actor = "Image Manager/Archive"
transactions = ["RAD-8", "RAD-14", "RAD-16"]    # without this line: all of that actor

[dicom]
ae_title = "ARCHIVE"
host = "127.0.0.1"
port = 11112

[harness.actors.image-display]    # the archive sends what we retrieve here: configure it there
ae_title = "IHE_ID"
port = 11113
```
"""
_DRIVERS = (
    ("`manual`", "a person at the terminal is prompted for every action; without a terminal nothing is judged"),
    (
        "`command`",
        "`[driver.actions.NAME] argv`, started in a fresh folder: exit 0 done, 3 cannot do this, else failed; a JSON "
        "object on standard output is the answer. An action without `argv` is the operator's. Also the kind of a "
        "server that is never asked to act",
    ),
    (
        "`http`",
        "parameters POSTed as JSON to `[driver.actions.NAME] url`, `token` as bearer token: 2xx done, 501 cannot do "
        "this, else failed. An action without `url` is the operator's",
    ),
    ("`silent`", "a product that says yes and does nothing, to see that nothing passes on it"),
    ("`replay`", "the run in `replay` takes the place of the product"),
    ("`reference`", "our own reference modality"),
)


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a Markdown table; what would break a cell is escaped."""
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell(value) for value in row) + " |"


def cell(value: Any) -> str:
    """One value as the text of a table cell."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def steps() -> Iterator[str]:
    """All steps an author of feature files can use."""
    yield "# Steps\n"
    rows = rows_of(Subject.steps)
    yield f"The {len(rows)} sentences of `.feature` files, by what an author wants to say. `<who>` is `the system"
    yield "under test`, or an actor of ours such as `the Acquisition Modality`, with quotes or without. What stands in"
    yield "brackets may be left out: `<images> image(s)` is `1 image` or `4 images`. For a sentence that is not here,"
    yield "or a word that means nothing, `ihe-harness lint` names the nearest.\n"
    for intention, group in itertools.groupby(rows, key=lambda row: str(row["intention"])):
        yield f"## {intention}\n"
        yield from table(("step", "meaning", "words"), ((f"`{r['step']}`", r["meaning"], _words(r)) for r in group))
        yield ""


def _words(row: Mapping[str, Any]) -> str:
    """What the placeholders of a step may say, where that is a short list."""
    return "; ".join(f"{name}: {', '.join(known)}" for name, known in row["choices"].items())


def scenarios() -> Iterator[str]:
    """All built-in scenarios by the actor that the product plays."""
    yield "# Scenarios\n"
    rows = sorted(rows_of(Subject.scenarios), key=lambda r: (r["actor"], r["feature"]))
    yield f"{len(rows)} scenarios, by the actor that the product plays. `--only` takes any name or number here.\n"
    for actor, of_actor in itertools.groupby(rows, key=lambda r: str(r["actor"])):
        yield f"## {actor}\n"
        yield from table(
            ("feature", "scenario", "profiles", "transactions", "MESA"),
            ((r["feature"], r["scenario"], r["profiles"], r["transactions"], r["aliases"]) for r in of_actor),
        )
        yield ""


def requirements() -> Iterator[str]:
    """All numbered requirements with source, confidence and how each is verified."""
    yield "# Requirements\n"
    yield "FAIL needs a SHALL of high confidence (`--strict`: any); the others warn. See `ihe-harness explain ID`.\n"
    defects: dict[str, list[str]] = {}
    for row in rows_of(Subject.defects):
        for broken in row["breaks"]:
            defects.setdefault(broken, []).append(row["id"])
    rows = sorted(registry.requirements().values(), key=lambda r: (r.profiles, r.id))
    for profiles, of_profile in itertools.groupby(rows, key=lambda r: r.profiles):
        yield f"## {' and '.join(profiles)}\n"
        yield from table(
            ("id", "keyword", "requirement", "source", "confidence", "verification", "seeded defects"),
            (
                (
                    r.id,
                    r.keyword.value,
                    r.statement,
                    r.source,
                    r.confidence.value,
                    r.verification.value,
                    len(defects.get(r.id, ())),
                )
                for r in of_profile
            ),
        )
        yield ""


def seeded() -> Iterator[str]:
    """All seeded defects and what each breaks."""
    yield "# Seeded defects\n"
    yield "Ways to be wrong, each with what must notice it: `ihe-harness mutants` shows that it does.\n"
    rows = sorted(rows_of(Subject.defects), key=lambda r: str(r["in"]))
    for product, of_product in itertools.groupby(rows, key=lambda r: str(r["in"])):
        yield f"## {product}\n"
        yield from table(
            ("defect", "what is wrong", "breaks"), ((f"`{r['id']}`", r["title"], r["breaks"]) for r in of_product)
        )
        yield ""


def sut_file() -> Iterator[str]:
    """Every table and key of the SUT file."""
    yield "# The SUT file\n"
    yield "TOML. Unknown keys are refused by name. Healthy examples lie in `fixtures/sut/`.\n"
    yield "The smallest one, of an archive that runs already:\n"
    yield _SMALLEST
    yield "## Profiles, actors and options\n"
    yield "What `[[claims]]` may name.\n"
    yield from table(
        ("profile", "actors", "options"),
        ((p.id, "; ".join(a.name for a in p.actors), "; ".join(o.name for o in p.options)) for p in registry.PROFILES),
    )
    yield ""
    yield "## Drivers\n"
    yield from table(("`[driver] kind`", "how the product is asked to act"), _DRIVERS)
    yield ""
    seen: set[type[BaseModel]] = set()
    yield from _model("the top level", config.SutFile, seen)
    yield "## What the statement documents\n"
    yield "Keys of `[statement]` that checks compare the product with; others are shown in its conformance statement.\n"
    yield from table(
        ("key", "value", "says", "judged by it"),
        ((f"`{key.name}`", key.wanted, key.says, ", ".join(key.requirements)) for key in documented.DOCUMENTED),
    )
    yield ""
    yield "## Placeholders\n"
    yield (
        "In `[process]`, `[driver]` and the probe: `{work}` a fresh folder, `{here}` the folder of the SUT file, "
        "`{python}` this interpreter, `{advertise}` our address; `{dicom.ae_title}`, `{dicom.host}`, `{dicom.port}`, "
        "`{hl7.host}`, `{hl7.port}`, `{hl7.application}`, `{hl7.facility}` and `{hl7.version}` of the product; "
        "`{<actor>.ae_title}`, `{<actor>.port}`, `{<actor>.hl7_port}`, `{<actor>.application}`, `{<actor>.facility}` "
        "of a simulated actor such as `order-filler`; `{control.port}` and `{control.token}` for a product that is "
        "asked over HTTP; `{parameters}` a JSON file with the parameters of an action, and each plain one by name.\n"
    )


def _model(name: str, model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    seen.add(model)
    yield f"## {name}\n"
    yield (model.__doc__ or "").strip().replace("\n    ", " ") + "\n"
    nested: list[type[BaseModel]] = []
    rows = []
    for key, field in model.model_fields.items():
        inner = [kind for kind in _types(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        nested += [kind for kind in inner if kind not in seen and kind not in nested]
        default = (
            "required"
            if field.is_required()
            else ""
            if inner or field.default is PydanticUndefined
            else repr(field.default)
        )
        rows.append((f"`{key}`", _kind(field.annotation), default))
    yield from table(("key", "type", "default"), rows)
    yield ""
    for kind in nested:
        if kind not in seen:
            yield from _model(kind.__name__, kind, seen)


def _types(annotation: Any) -> Iterator[Any]:
    arguments = getattr(annotation, "__args__", ())
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types(argument)


def _kind(annotation: Any) -> str:
    """``list[str] | None`` -> ``list of text, or nothing``."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return " or ".join(repr(value) for value in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"table of {_kind(inner[1])}"
    if inner:
        return ", or ".join("nothing" if kind is type(None) else _kind(kind) for kind in inner)
    named = {str: "text", int: "number", float: "number", bool: "true or false", Any: "anything"}
    return str(named.get(annotation) or getattr(annotation, "__name__", annotation))


def actions() -> Iterator[str]:
    """What a product may be asked to do."""
    yield "# Actions\n"
    yield "All that the harness asks of a product; `[driver.actions.<name>]` says how, if not by hand.\n"
    yield "A driver that can see the outcome may answer with a JSON object of the keys in the last column: a command on"
    yield "standard output, an HTTP interface in its response. What it leaves out is not judged, or the operator is"
    yield "asked.\n"
    yield from table(
        ("action", "actor", "an operator reads", "parameters", "may answer"),
        (
            (f"`{a.name}`", a.actor, a.wording, list(a.parameters), [f"`{k}`: {v}" for k, v in a.answers.items()])
            for a in ACTION_KINDS.values()
        ),
    )


def commands() -> Iterator[str]:
    """The command line, every option."""
    yield "# Commands\n"
    root = typer.main.get_command(application())
    yield from _command("ihe-harness", root)


def _command(path: str, command: Any) -> Iterator[str]:
    children: Mapping[str, Any] = getattr(command, "commands", {})
    yield f"## `{path}`\n"
    yield (command.help or "").strip().split("\n\n")[0].replace("\n", " ") + "\n"
    options = [p for p in command.params if p.name != "help"]
    if options:
        yield from table(
            ("parameter", "what it does", "default"),
            (
                (
                    " ".join(f"`{o}`" for o in p.opts)
                    if p.param_type_name == "option"
                    else f"`{(p.metavar or p.name).upper()}`",
                    getattr(p, "help", None) or "",
                    _default(p.default),
                )
                for p in options
            ),
        )
        yield ""
    for name in children:
        yield from _command(f"{path} {name}", children[name])


def _default(value: object) -> object:
    """A default as every reader would find it: a path below the home folder is written with ``~``."""
    if value is None or value == () or callable(value):
        return ""
    if isinstance(value, Path) and value.is_relative_to(Path.home()):
        return Path("~") / value.relative_to(Path.home())
    return value


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "steps.md": steps,
    "scenarios.md": scenarios,
    "requirements.md": requirements,
    "defects.md": seeded,
    "sut-file.md": sut_file,
    "actions.md": actions,
    "commands.md": commands,
}


def text(page: Callable[[], Iterator[str]]) -> str:
    """A whole page."""
    return "\n".join(page()).rstrip() + "\n"


def main() -> int:
    """Write or check all pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    stale = []
    for name, page in PAGES.items():
        written = text(page)
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != written:
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(written, encoding="utf-8")
    if check and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run: make docs\n")
        return 1
    sys.stdout.write(f"{len(PAGES)} pages in {FOLDER}, {len(stale)} new\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
