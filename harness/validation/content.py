"""Content trees of structured reports and key objects: value types, relationships and evidence (PS3.3 A.35, C.17)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from harness.validation.dictionary import name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet

Report = Callable[[ValidationFinding], None]
_CONTENT, _REFERENCES, _VALUE_TYPE = 0x0040A730, 0x00081199, 0x0040A040
_RELATIONSHIP, _BY_REFERENCE = 0x0040A010, 0x0040DB73
_EVIDENCE = (0x0040A375, 0x0040A385)
MAXIMUM_ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class ContentRules:
    """What one IOD allows: value types, (source, relationship) -> targets, items by reference; ``*`` is any source."""

    clause: str
    types: frozenset[str]
    relations: Mapping[tuple[str, str], frozenset[str]]
    by_reference: bool


@lru_cache(maxsize=1)
def content_rules() -> Mapping[str, ContentRules]:
    """The rules by the name of the IOD."""
    data = tomllib.loads(files("harness.validation").joinpath("data/content.toml").read_text("utf-8"))
    return {iod: _rules(row) for iod, row in data.items()}


def check_content(report: Report, root: DataSet, iod: str) -> None:
    """Judge the content tree of an object that has one; ``iod`` is its name, and unknown ones are not constrained."""
    if _VALUE_TYPE not in root.elements or _CONTENT not in root.elements:
        return
    _evidence(report, root)
    rules = content_rules().get(iod)
    if rules is None:
        return
    for parent, item in _pairs(root):
        _relation(report, rules, parent, item)


def _rules(row: Mapping[str, str]) -> ContentRules:
    types = frozenset(row["types"].split())
    relations: dict[tuple[str, str], frozenset[str]] = {}
    for line in row["relations"].strip().splitlines():
        sources, relationship, targets = (part.strip() for part in line.split(":"))
        named = types if sources == "*" else types - {"CONTAINER"} if sources == "*-CONTAINER" else sources.split()
        for source in named:
            relations[source, relationship] = relations.get((source, relationship), frozenset()) | {*targets.split()}
    return ContentRules(row["clause"], types, relations, bool(row.get("by_reference", True)))


def _relation(report: Report, rules: ContentRules, parent: DataSet, item: DataSet) -> None:
    def add(code: str, tag: int, expected: str, actual: str) -> None:
        locator = item.path + name(tag)
        report(ValidationFinding(code, Severity.ERROR, locator, expected, actual, rules.clause))

    if _BY_REFERENCE in item.elements:
        if not rules.by_reference:
            add("IOD-SR-BY-REFERENCE", _BY_REFERENCE, "content items by value only", "a reference")
        return
    source, target = parent.text(_VALUE_TYPE), item.text(_VALUE_TYPE)
    relationship = item.text(_RELATIONSHIP)
    if target and target not in rules.types:
        add("IOD-SR-VALUE-TYPE", _VALUE_TYPE, f"one of {', '.join(sorted(rules.types))}", shown(target))
        return
    if not source or not target or not relationship or source not in rules.types:
        return  # what is missing or wrong is told elsewhere
    allowed = rules.relations.get((source, relationship))
    if allowed is None:
        known = sorted(kind for at, kind in rules.relations if at == source)
        wanted = f"{source} {' or '.join(known)}" if known else f"no item below {source}"
        add("IOD-SR-RELATIONSHIP", _RELATIONSHIP, wanted, f"{source} {relationship} {target}")
    elif target not in allowed:
        wanted = f"{source} {relationship} {', '.join(sorted(allowed))}"
        add("IOD-SR-RELATIONSHIP", _RELATIONSHIP, wanted, f"{source} {relationship} {target}")


def _evidence(report: Report, root: DataSet) -> None:
    """Every instance that the content refers to is listed as evidence (PS3.3 C.17.2.3)."""
    listed = {
        item.text(0x00081155)
        for tag in _EVIDENCE
        for study in root.items(tag)
        for series in study.items(0x00081115)
        for item in series.items(_REFERENCES)
    }
    for _, content in _pairs(root):
        for item in content.items(_REFERENCES):
            uid = item.text(0x00081155)
            if uid and uid not in listed:
                report(
                    ValidationFinding(
                        "IOD-SR-EVIDENCE",
                        Severity.ERROR,
                        item.path + name(0x00081155),
                        "an instance of the evidence sequences",
                        shown(uid),
                        "PS3.3 C.17.2.3",
                    )
                )


def _pairs(root: DataSet) -> Iterator[tuple[DataSet, DataSet]]:
    """Every content item with the one that it is in."""
    pending, count = [root], 0
    while pending and count < MAXIMUM_ITEMS:
        parent = pending.pop()
        count += 1
        items = parent.items(_CONTENT)
        for item in items:
            yield parent, item
        pending.extend(reversed(items))
