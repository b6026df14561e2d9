"""The tables of composite objects (PS3.3), compiled by ``tools/build_iod_tables.py``: IODs, modules, attributes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from harness.validation.conditions import Condition, compile_condition

_TYPES = ("1", "1C", "2", "2C", "3")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of a module table. ``table`` is what its items hold; ``terms`` are (kind, value number, words)."""

    tag: int
    type: str
    table: int
    condition: Condition | None
    terms: tuple[tuple[str, int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one level, sorted by what has to be asked of them, so that most questions are set operations.

    ``must`` are always needed (types 1 and 2), ``conditional`` have a condition, ``unjudged`` have one that is not
    machine-readable, ``valued`` may not be empty (1, 1C), ``looked_into`` have items or terms.
    """

    rows: Mapping[int, Attribute]
    tags: frozenset[int]
    must: frozenset[int]
    conditional: tuple[Attribute, ...]
    unjudged: frozenset[int]
    valued: frozenset[int]
    looked_into: frozenset[int]

    @classmethod
    def of(cls, rows: list[Attribute], without: frozenset[int] = frozenset()) -> Table:
        """A table of these rows; the types of ``without`` do not count."""
        typed = [row for row in rows if row.tag not in without]
        return cls(
            {row.tag: row for row in rows},
            frozenset(row.tag for row in rows),
            frozenset(row.tag for row in typed if row.type in ("1", "2")),
            tuple(row for row in typed if row.condition is not None),
            frozenset(row.tag for row in typed if row.type in ("1C", "2C") and row.condition is None),
            frozenset(row.tag for row in typed if row.type[0] == "1"),
            frozenset(row.tag for row in rows if row.table >= 0 or row.terms),
        )


@dataclass(frozen=True, slots=True)
class Module:
    """One module of an IOD: usage M, C or U; ``signature`` are the tags that no mandatory module has."""

    name: str
    usage: str
    condition: Condition | None
    table: Table
    signature: frozenset[int]


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """An IOD: its modules, the functional groups that it demands, and ``shared``, tags that several modules have."""

    name: str
    modules: tuple[Module, ...]
    groups: tuple[int, ...]
    tags: frozenset[int]
    shared: frozenset[int]


@dataclass(frozen=True, slots=True)
class ContextGroup:
    """Codes (scheme, value) for the sequence at ``path``; ``defined``, or a baseline that may be left (PS3.3 8.3)."""

    path: tuple[int, ...]
    defined: bool
    number: int
    codes: frozenset[tuple[str, str]]


class Tables:
    """The compiled tables; rows become objects when an IOD first needs them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._tables: dict[int, Table] = {}
        self._objects: dict[str, ObjectDefinition] = {}
        self._contexts: dict[str, list[ContextGroup]] = {}

    @property
    def sop_classes(self) -> Mapping[str, str]:
        """SOP Class UID -> name of the IOD."""
        classes: Mapping[str, str] = self._data["sop_classes"]
        return classes

    def table(self, index: int) -> Table:
        """One table by its index."""
        found = self._tables.get(index)
        if found is None:
            found = self._tables[index] = Table.of([self._attribute(row) for row in self._data["tables"][index]])
        return found

    def _attribute(self, row: list[int]) -> Attribute:
        tag, kind, table, condition, terms = (*row, *(-1,) * (5 - len(row)))
        return Attribute(
            tag,
            _TYPES[kind],
            table,
            None if condition < 0 else compile_condition(self._data["conditions"][condition]),
            () if terms < 0 else tuple((entry[0], entry[1], tuple(entry[2:])) for entry in self._data["terms"][terms]),
        )

    def contexts(self, iod: str) -> list[ContextGroup]:
        """The context groups of an IOD."""
        found = self._contexts.get(iod)
        if found is None:
            listed = (*self._data["contexts"].get("*", ()), *self._data["contexts"].get(iod, ()))
            found = self._contexts[iod] = [
                ContextGroup(tuple(path), defined, group, frozenset((scheme, code) for scheme, code in codes))
                for path, defined, group, codes in listed
            ]
        return found

    def modifiers(self, title: str) -> ContextGroup | None:
        """The context group of the modifier of a key object with that title (a code of DCM), None if any will do."""
        row = self._data["modifiers"].get(title)
        return row and ContextGroup((), True, row[0], frozenset((scheme, code) for scheme, code in row[1]))

    def object(self, iod: str) -> ObjectDefinition:
        """One IOD by its name."""
        found = self._objects.get(iod)
        if found is None:
            rows = self._data["iods"][iod]
            tables = [self.table(self._data["modules"][row[0]]) for row in rows]
            mandatory: frozenset[int] = frozenset().union(
                *(table.tags for row, table in zip(rows, tables, strict=True) if row[1] == "M")
            )
            names = {row[0] for row in rows}
            for place, row in enumerate(rows):
                if overridden := {tag for tag, by in self._data["overrides"].get(row[0], ()) if by in names}:
                    # another module of the IOD defines these anew (PS3.3 A.1.3)
                    tables[place] = Table.of(list(tables[place].rows.values()), frozenset(overridden))
            modules = tuple(
                Module(
                    row[0],
                    row[1],
                    compile_condition(self._data["conditions"][row[2]]) if len(row) > 2 else None,
                    table,
                    table.tags - mandatory,
                )
                for row, table in zip(rows, tables, strict=True)
            )
            found = self._objects[iod] = ObjectDefinition(
                iod,
                modules,
                tuple(self._data["groups"].get(iod, ())),
                frozenset().union(*(table.tags for table in tables)),
                frozenset(tag for tag, times in Counter(tag for t in tables for tag in t.tags).items() if times > 1),
            )
        return found


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The tables that are packaged with the harness (0.3 MB, loaded once)."""
    return Tables(json.loads(files("harness.validation").joinpath("data/iod.json").read_text("ascii")))
