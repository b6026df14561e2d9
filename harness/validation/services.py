"""Attribute tables of DIMSE services (PS3.4): worklist, procedure step, commitment, print, query and retrieve."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from harness.validation.conditions import Condition, compile_condition
from harness.validation.dictionary import TAG, name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet

Report = Callable[[ValidationFinding], None]
MAXIMUM_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute: type 1, 1C, 2, 2C, 3 or ``-`` (not allowed), enumerated values, and what its items hold."""

    tag: int
    type: str
    condition: Condition | None
    values: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """The table for one kind of message and SOP class; ``type`` is the action or event type, 0 for any.

    ``as_requested``: only what the request asked for has to be there.
    """

    name: str
    kind: str
    sop_class: str
    type: int
    rows: tuple[Row, ...]
    as_requested: bool
    clause: str


@lru_cache(maxsize=1)
def service_tables() -> tuple[ServiceTable, ...]:
    """All tables, in the order of the data file."""
    data = tomllib.loads(files("harness.validation").joinpath("data/services.toml").read_text("utf-8"))
    parsed = {key: _rows(text.strip().splitlines(), 0)[0] for key, text in data["tables"].items()}
    final = ServiceTable(
        "mpps-final", "", "1.2.840.10008.3.1.2.3.3", 0, parsed["mpps-final"], False, "PS3.4 F.7.2.1.1, Table F.7.2-1"
    )
    return (
        *(
            ServiceTable(
                use["table"],
                use["kind"],
                use["sop_class"],
                use.get("type", 0),
                parsed[use["table"]],
                use.get("as_requested", False),
                use["clause"],
            )
            for use in data["use"]
        ),
        final,
    )


def table_for(kind: str, sop_class: str, type_id: int = 0) -> ServiceTable | None:
    """The table that judges such a message, None if there is none."""
    for table in service_tables():
        if table.kind == kind and table.sop_class == sop_class and table.type in (0, type_id):
            return table
    return None


def check_rows(
    report: Report,
    ds: DataSet,
    rows: Sequence[Row],
    clause: str,
    *,
    as_requested: bool = False,
    request: DataSet | None = None,
) -> None:
    """Judge one level and its items; with ``as_requested`` only what ``request`` has may be missing wrongly."""
    for row in rows:
        if not as_requested or row.tag in ds.elements or (request is not None and row.tag in request.elements):
            _check_row(report, ds, row, clause)
        if row.rows:
            asked = (request.items(row.tag) if request is not None else [])[:1]
            for item in ds.items(row.tag)[:MAXIMUM_ITEMS]:
                inner = asked[0] if asked else None
                check_rows(report, item, row.rows, clause, as_requested=as_requested, request=inner)


def check_final_state(report: Report, states: Sequence[DataSet]) -> None:
    """Judge what N-CREATE and the N-SETs (in order) made of a procedure step; the last value of each counts."""
    table = next(table for table in service_tables() if table.name == "mpps-final")
    for row in table.rows:
        holders = [ds for ds in states if row.tag in ds.elements]
        ds = holders[-1] if holders else (states[-1] if states else None)
        if ds is not None:
            check_rows(report, ds, (row,), table.clause)


def _check_row(report: Report, ds: DataSet, row: Row, clause: str) -> None:
    element = ds.elements.get(row.tag)
    locator = ds.path + name(row.tag)

    def add(code: str, expected: str, actual: str) -> None:
        report(ValidationFinding(code, Severity.ERROR, locator, expected, actual, clause))

    if row.type == "-":
        if element is not None:
            add("SERVICE-NOT-ALLOWED", "no such attribute in this message", "present")
        return
    needed = row.type in ("1", "2") or (row.condition is not None and row.condition.holds(ds))
    if element is None:
        if needed:
            because = f" because {row.condition.words}" if row.condition is not None else ""
            add(f"SERVICE-{row.type}-MISSING", f"an attribute of type {row.type}{because}", "absent")
        return
    empty = not element.items if element.items is not None else element.end == element.start
    value = "" if element.items is not None or element.end - element.start > 4096 else ds.text(row.tag)
    if not empty and element.items is None and element.fragments is None and element.end - element.start <= 64:
        empty = element.vr not in ("OB", "OW", "US", "UL", "AT") and not value
    if row.type[0] == "1" and needed and empty:
        add(f"SERVICE-{row.type}-EMPTY", "a value", "no value")
    if row.condition is not None and row.condition.exclusive and not needed:
        add("SERVICE-NOT-ALLOWED", f"not present unless {row.condition.words}", "present")
    if row.values and not empty:
        number = ds.number(row.tag) if element.vr in ("US", "UL", "US or SS") else None
        found = str(number) if number is not None else value
        if found not in row.values:
            add("SERVICE-VALUE", " or ".join(row.values), shown(found))


def _rows(lines: Sequence[str], depth: int) -> tuple[tuple[Row, ...], int]:
    """Rows at ``depth`` from the beginning of ``lines``, and how many lines they took."""
    rows: list[Row] = []
    position = 0
    while position < len(lines):
        marks, _, rest = lines[position].rpartition("> ")
        level = marks.count(">") + (1 if "> " in lines[position] else 0)
        if level < depth:
            break
        keyword, kind, *others = rest.split(" ", 2)
        condition: Condition | None = None
        values: tuple[str, ...] = ()
        if others and others[0].startswith("if "):
            condition = compile_condition(others[0][3:])
        elif others and others[0].startswith("in "):
            values = tuple(shlex.split(others[0][3:]))
        inner, taken = _rows(lines[position + 1 :], depth + 1)
        rows.append(Row(TAG[keyword], kind, condition, values, inner))
        position += 1 + taken
    return tuple(rows), position


def tables_by_name() -> Mapping[str, ServiceTable]:
    """Tables by their name, for documentation and tests."""
    return {table.name: table for table in service_tables()}
