"""Fields of HL7 segments by hl7apy's tables: presence, repetition, components, data types, tables, escapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from hl7apy import load_library

from harness.protocols.hl7.message import Segment, Separators
from harness.validation.finding import Severity, shown

Add = Callable[[str, str, str, str, str, Severity], None]
MAXIMUM_REPETITIONS = 200
_ZONE = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,4})?)?)?"
_DATE = r"\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])?)?)?"
_FULL = r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_TYPES = {
    "NM": (re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)"), "a number"),
    "SI": (re.compile(r"\d{1,4}"), "a sequence number"),
    "DT": (re.compile(_DATE), "YYYY[MM[DD]]"),
    "TM": (re.compile(_TIME + _ZONE), "HH[MM[SS[.SSSS]]][+/-ZZZZ]"),
    "DTM": (re.compile(f"(?:{_DATE}|{_FULL}{_TIME}){_ZONE}"), "YYYY[MM[DD[HH[MM[SS[.SSSS]]]]]][+/-ZZZZ]"),
}
_TYPES["TS"] = _TYPES["DTM"]
_ESCAPE = re.compile(
    r"F|S|T|R|E|H|N|X(?:[0-9A-Fa-f]{2})+|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}|Z.*|\.(?:br|sp\d*|fi|nf|in.*|ti.*|sk.*|ce)"
)
_CHAPTER = "HL7 {} 2.A"


@lru_cache(maxsize=8)
def _library(version: str) -> tuple[Any, Any]:
    library = load_library(version)
    return library.SEGMENTS, library.TABLES


def check_segment(add: Add, segment: Segment, number: int, version: str, separators: Separators) -> None:
    """Every field of one segment; a Z segment or one that the version does not have is judged by its escapes only."""
    segments, tables = _library(version)
    place = f"{segment.name}[{number}]"
    for text in segment.fields[:1000]:
        _check_escapes(add, place, text, separators, segment.name)
    definition = segments.get(segment.name)
    if definition is None:
        return
    clause = f"HL7 {version} {segment.name}"
    offset = 1
    for position, (_, reference, (least, most), _) in enumerate(definition[1], offset):
        if segment.name == "MSH" and position in (1, 2, 18):
            continue  # separators and character set have rules of their own
        value = segment.field(position)
        where = f"{place}-{position}"
        if not value:
            if least:
                name = str(reference[3]).replace("_", " ").lower()
                add("HL7-FIELD-MISSING", where, f"{name} is required", "empty", clause, Severity.ERROR)
            continue
        repetitions = value.split(separators.repetition)[:MAXIMUM_REPETITIONS]
        if most != -1 and len(repetitions) > most:
            add("HL7-REPETITION", where, f"at most {most}", str(len(repetitions)), clause, Severity.ERROR)
        for repetition in repetitions:
            for problem in _check_value(repetition, reference, tables, separators.component, separators, where):
                add(
                    *problem,
                    clause if problem[0] != "HL7-TABLE" else _table_clause(reference, version),
                    _severity(problem),
                )
    last = len(definition[1])
    extra = [
        position for position in range(last + 1, min(len(segment.fields) + 2, last + 50)) if segment.field(position)
    ]
    if extra:
        add("HL7-FIELD-EXTRA", f"{place}-{extra[0]}", f"{last} fields", str(extra[-1]), clause, Severity.WARNING)


def _check_value(
    text: str, reference: Any, tables: Any, separator: str, separators: Separators, where: str
) -> Iterator[tuple[str, str, str, str]]:
    if text in ("", '""'):
        return
    if reference[0] == "sequence":
        parts = text.split(separator)
        inner = separators.subcomponent
        if reference[2] == "TS" and parts[0] and not _TYPES["TS"][0].fullmatch(parts[0]):
            yield "HL7-TYPE", where, f"{_TYPES['TS'][1]} (TS)", shown(parts[0])
            return
        if len(parts) > len(reference[1]) and any(parts[len(reference[1]) :]):
            yield "HL7-COMPONENTS", where, f"{len(reference[1])} components of {reference[2]}", str(len(parts))
        for place, (part, entry) in enumerate(zip(parts, reference[1], strict=False), 1):
            yield from _check_value(part, entry[1], tables, inner, separators, f"{where}.{place}")
        return
    kind = reference[2]
    if separators.component in text or separators.subcomponent in text:
        if kind not in ("TX", "FT", "varies", None):
            yield "HL7-COMPONENTS", where, f"one value of type {kind}", shown(text)
        return
    rule = _TYPES.get(kind)
    if rule is not None and not rule[0].fullmatch(text):
        yield "HL7-TYPE", where, f"{rule[1]} ({kind})", shown(text)
    table = tables.get(reference[4]) if kind == "ID" and reference[4] else None
    if table is not None and text not in table[1] and not _local_scheme(reference[4], text):
        yield "HL7-TABLE", where, f"a value of table {str(reference[4])[-4:]}", shown(text)


def _check_escapes(add: Add, place: str, text: str, separators: Separators, name: str) -> None:
    if separators.escape not in text or (name == "MSH" and text == separators.encoding_characters[1:]):
        return
    if name == "MSH" and text.startswith(separators.component):
        return
    pieces = text.split(separators.escape)
    if len(pieces) % 2 == 0:
        add("HL7-ESCAPE", place, "escape characters in pairs", shown(text), "HL7 2.5.1 2.7", Severity.ERROR)
        return
    for code in pieces[1::2]:
        if not _ESCAPE.fullmatch(code):
            add("HL7-ESCAPE", place, "an escape sequence of HL7", shown(code), "HL7 2.5.1 2.7", Severity.ERROR)


def _severity(problem: tuple[str, str, str, str]) -> Severity:
    # tables of the libraries lack late additions, and more components are allowed to later versions
    return Severity.WARNING if problem[0] in ("HL7-TABLE", "HL7-COMPONENTS") else Severity.ERROR


def _table_clause(reference: Any, version: str) -> str:
    return f"HL7 {version} table {str(reference[4])[-4:]}" if reference[4] else f"HL7 {version} tables"


def _local_scheme(table: str, text: str) -> bool:
    """Coding schemes of a site (table 0396): L, or 99 and what the site likes."""
    return table == "HL70396" and (text == "L" or text.startswith("99"))
