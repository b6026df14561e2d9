"""``ihe-harness explain ID``: a requirement, check, transaction, MESA number, defect, action, tag or finding."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from rich.text import Text

from harness import resources
from harness.bdd import lint as linting
from harness.bdd.steps import all_steps
from harness.bdd.tags import read
from harness.cli import catalogue
from harness.cli.console import out, print_json
from harness.core.errors import UsageError
from harness.profiles import registry
from harness.sut.actions import ACTION_KINDS
from harness.validation import codes


def explain(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="RAD-7-SCU-05, RAD-7, MESA-241, perform-step, 0040,0270 …")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Explain a requirement, check, transaction, MESA number, defect, action, attribute or finding of validate."""
    found = (
        _requirement(identifier)
        or _transaction(identifier)
        or _alias(identifier)
        or _defect(identifier)
        or _action(identifier)
        or _tag(identifier)
        or _code(identifier)
    )
    if found is None:
        import difflib

        known = [*registry.requirements(), *registry.TRANSACTIONS, *registry.ALIASES, *ACTION_KINDS]
        known += [check.id for check in registry.CHECKS] + [defect.id for defect in catalogue.all_defects()]
        near = difflib.get_close_matches(identifier, known, n=3)
        raise UsageError(f"nothing is called {identifier!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
    if json_output:
        print_json(found)
        return 0
    console = out()
    for key, value in found.items():
        text = "\n".join(f"  {v}" for v in value) if isinstance(value, list) else f"  {value}"
        if value not in ("", []):
            console.print(Text(key, style="bold"))
            console.print(Text(text))
    return 0


def _requirement(identifier: str) -> dict[str, Any] | None:
    checks = [check for check in registry.CHECKS if check.id == identifier]
    row = registry.requirements().get(checks[0].requirement if checks else identifier)
    if row is None:
        return None
    _, planned = linting.lint([resources.folder("features")], all_steps())
    scenarios = []
    for scenario in planned:
        tags = read(scenario.tags)
        direct = row.id in tags.requirements
        covered = bool(tags.transactions.intersection(row.transactions)) and tags.actor in row.actors
        if direct or covered:
            scenarios.append(f"{scenario.name} ({scenario.path.name}:{scenario.line})")
    return {
        "requirement": row.id,
        "statement": f"{row.keyword.value}: {row.statement}",
        "binds": f"{', '.join(row.actors)} in {', '.join(row.transactions)} of {', '.join(row.profiles)}",
        "option": row.option,
        "condition": row.condition,
        "source": row.source,
        "confidence": row.confidence.value
        + ("" if row.confirmed else " (a breach is a warning until the clause was found)"),
        "verification": row.verification.value + (f": {row.reason}" if row.reason else ""),
        "how": row.how,
        "checks": [f"{check.id}: {check.title}" for check in registry.checks_for(row.id)],
        "scenarios": scenarios,
        "defects": [f"{d.id} ({d.product}): {d.title}" for d in catalogue.all_defects() if row.id in d.breaks],
    }


def _transaction(identifier: str) -> dict[str, Any] | None:
    row = registry.TRANSACTIONS.get(identifier)
    if row is None:
        return None
    requirements = registry.requirements_for(transaction=identifier)
    return {
        "transaction": f"{row.id} {row.name}",
        "from": ", ".join(row.initiators),
        "to": ", ".join(row.responders),
        "service": row.service,
        "requirements": [f"{r.id} {r.keyword.value} [{r.verification.value}] {r.statement}" for r in requirements],
    }


def _alias(identifier: str) -> dict[str, Any] | None:
    alias = registry.ALIASES.get(identifier.upper())
    if alias is None:
        return None
    _, planned = linting.lint([resources.folder("features")], all_steps())
    scenarios = [f"{s.name} ({s.path.name}:{s.line})" for s in planned if identifier.upper() in read(s.tags).aliases]
    return {
        "alias": identifier.upper(),
        "topic": alias.title,
        "requirements": list(alias.requirements),
        "scenarios": scenarios,
    }


def _defect(identifier: str) -> dict[str, Any] | None:
    for defect in catalogue.all_defects():
        if defect.id == identifier:
            return {"defect": defect.id, "in": defect.product, "title": defect.title, "breaks": list(defect.breaks)}
    return None


def _action(identifier: str) -> dict[str, Any] | None:
    """What a product is asked to do, as ``[driver.actions.<name>]`` of a SUT file names it."""
    kind = ACTION_KINDS.get(identifier)
    if kind is None:
        return None
    return {
        "action": kind.name,
        "asked of": kind.actor,
        "an operator reads": kind.wording,
        "parameters": list(kind.parameters),
        "may answer": [f"{key}: {meaning}" for key, meaning in kind.answers.items()],
        "in a SUT file": [
            f"[driver.actions.{kind.name}]",
            'argv = ["{here}/drive.sh", "{parameters}"]    # kind = "command": {parameters} is a JSON file',
            'url = "http://127.0.0.1:8080/perform"         # kind = "http": the parameters are POSTed as JSON',
        ],
    }


def _code(identifier: str) -> dict[str, Any] | None:
    """A code of a finding of ``validate``."""
    try:
        return {"finding": identifier.upper(), "meaning": codes.explain(identifier.upper())}
    except UsageError:
        return None


def _tag(identifier: str) -> dict[str, Any] | None:
    match = re.fullmatch(r"\(?([0-9a-fA-F]{4}),?([0-9a-fA-F]{4})\)?", identifier)
    tag = int(match[1] + match[2], 16) if match else tag_for_keyword(identifier)
    if tag is None:
        return None
    try:
        return {
            "attribute": f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {dictionary_description(tag)}",
            "keyword": keyword_for_tag(tag),
            "value representation": dictionary_VR(tag),
            "value multiplicity": dictionary_VM(tag),
        }
    except KeyError:
        return {"attribute": f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is not in the data dictionary"}
