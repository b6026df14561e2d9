"""``ihe-harness list``: profiles, actors, transactions, requirements, scenarios, steps, actions, defects."""

from __future__ import annotations

import enum
import itertools
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness import resources
from harness.bdd import lint as linting
from harness.bdd.steps import all_steps, intention_of
from harness.bdd.tags import read
from harness.cli import catalogue
from harness.cli.console import out, print_json
from harness.profiles import registry
from harness.sut.actions import ACTION_KINDS

#: a row of more cells is a paragraph: in 80 columns a table of it would be one word wide
_MOST_COLUMNS = 4


class Subject(enum.StrEnum):
    """What can be listed."""

    profiles = "profiles"
    actors = "actors"
    transactions = "transactions"
    requirements = "requirements"
    scenarios = "scenarios"
    steps = "steps"
    actions = "actions"
    defects = "defects"


def listing(
    subject: Annotated[Subject, typer.Argument(help="What to list.")],
    profile: Annotated[str, typer.Option(help="Only of this profile.")] = "",
    actor: Annotated[str, typer.Option(help="Only of this actor.")] = "",
    transaction: Annotated[str, typer.Option(help="Only of this transaction.")] = "",
    search: Annotated[str, typer.Option(help="Only what contains this text.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """List what the harness knows."""
    rows = rows_of(subject)
    wanted = {"profile": profile, "actor": actor, "transaction": transaction}
    rows = [row for row in rows if all(not value or _has(row, key, value) for key, value in wanted.items())]
    if search:
        rows = [row for row in rows if search.lower() in " ".join(str(v) for v in row.values()).lower()]
    if json_output:
        print_json(rows)
        return 0
    if not rows:
        out().print("nothing matches")
        return 0
    if subject is Subject.steps:
        _print_steps(rows)
    elif len(rows[0]) > _MOST_COLUMNS:
        _print_paragraphs(rows)
    else:
        _print_table(rows)
    out().print(f"{len(rows)} {subject.value}")
    return 0


def rows_of(subject: Subject) -> list[dict[str, Any]]:
    """What is known of a subject, one row each, as ``--json`` prints it."""
    return _ROWS[subject]()


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out().print(table)


def _print_paragraphs(rows: list[dict[str, Any]]) -> None:
    """The name in bold, what else is known indented below it: readable at any width."""
    console = out()
    for row in rows:
        (_, head), *more = row.items()
        console.print(Text(_cell(head), style="bold"))
        said = [f"{key}: {_cell(value)}" for key, value in more if value not in ("", [], False)]
        console.print(Padding(Text(" · ".join(said)), (0, 0, 0, 2)))


def _print_steps(rows: list[dict[str, Any]]) -> None:
    """By intention: each sentence in bold, what it means and what its placeholders may say indented below it."""
    console = out()
    for intention, group in itertools.groupby(rows, key=lambda row: str(row["intention"])):
        console.print(Text(f"\n{intention}", style="bold underline"))
        for row in group:
            console.print(Text(row["step"], style="bold"))
            said = [row["meaning"], *(f"<{name}>: {', '.join(known)}." for name, known in row["choices"].items())]
            for text in said:
                console.print(Padding(Text(text), (0, 0, 0, 4)))


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _has(row: dict[str, Any], key: str, value: str) -> bool:
    for name in (key, key + "s"):
        if name in row:
            cell = row[name]
            return value in cell if isinstance(cell, list) else value == cell
    return True


def _profiles() -> list[dict[str, Any]]:
    return [
        {
            "profile": p.id,
            "name": p.name,
            "actors": [a.name for a in p.actors],
            "options": [o.name for o in p.options],
            "source": p.source,
        }
        for p in registry.PROFILES
    ]


def _actors() -> list[dict[str, Any]]:
    return [
        {"actor": a.name, "profile": p.id, "required": list(a.required), "optional": list(a.optional)}
        for p in registry.PROFILES
        for a in p.actors
    ]


def _transactions() -> list[dict[str, Any]]:
    return [
        {
            "transaction": t.id,
            "name": t.name,
            "from": list(t.initiators),
            "to": list(t.responders),
            "service": t.service,
        }
        for t in registry.TRANSACTIONS.values()
    ]


def _requirements() -> list[dict[str, Any]]:
    return [
        {
            "id": r.id,
            "keyword": r.keyword.value,
            "confidence": r.confidence.value,
            "verification": r.verification.value,
            "profiles": list(r.profiles),
            "transactions": list(r.transactions),
            "actors": list(r.actors),
            "statement": r.statement,
        }
        for r in registry.requirements().values()
    ]


def _scenarios() -> list[dict[str, Any]]:
    _, planned = linting.lint([resources.folder("features")], all_steps())
    rows = []
    for scenario in planned:
        tags = read(scenario.tags)
        rows.append(
            {
                "scenario": scenario.name,
                "feature": scenario.feature,
                "actor": tags.actor,
                "transactions": sorted(tags.transactions),
                "profiles": sorted(tags.profiles),
                "aliases": list(tags.aliases),
                "quick": tags.quick,
            }
        )
    return rows


def _steps() -> list[dict[str, Any]]:
    """By intention; a sentence that is also there in another tense follows the one that it repeats."""
    return [
        {
            "step": f"{s.kind.title()} {s.example}",
            "meaning": " ".join(s.doc.split()),
            "choices": {name: list(known) for name, known in s.choices.items()},
            "intention": intention_of(s),
        }
        for s in all_steps()
    ]


def _actions() -> list[dict[str, Any]]:
    return [
        {"action": kind.name, "actor": kind.actor, "parameters": list(kind.parameters), "meaning": kind.wording}
        for kind in ACTION_KINDS.values()
    ]


def _defects() -> list[dict[str, Any]]:
    return [{"id": d.id, "in": d.product, "title": d.title, "breaks": list(d.breaks)} for d in catalogue.all_defects()]


_ROWS = {
    Subject.profiles: _profiles,
    Subject.actors: _actors,
    Subject.transactions: _transactions,
    Subject.requirements: _requirements,
    Subject.scenarios: _scenarios,
    Subject.steps: _steps,
    Subject.actions: _actions,
    Subject.defects: _defects,
}
