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
_COMPLETION, _VERIFICATION = 0x0040A491, 0x0040A493
_CONCEPT_NAME, _MEASURED, _NUMERIC = 0x0040A043, 0x0040A300, 0x0040A30A
_TEMPLATES, _RESOURCE, _TEMPLATE = 0x0040A504, 0x00080105, 0x0040DB00
_KEY_OBJECTS = "key-object-selection-document"
#: value types whose items need a concept name (PS3.3 Table C.17-5)
_NAMED = frozenset({"TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME"})
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
    _flags(report, root)
    rules = content_rules().get(iod)
    for parent, item in _pairs(root):
        _values(report, item)
        if rules is not None:
            _relation(report, rules, parent, item)
    if rules is not None and rules.by_reference:
        _references(report, root)
    if iod == _KEY_OBJECTS:
        _key_objects(report, root)


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


def _add(
    report: Report, code: str, locator: str, expected: str, actual: str, clause: str, *, warns: bool = False
) -> None:
    severity = Severity.WARNING if warns else Severity.ERROR
    report(ValidationFinding(code, severity, locator, expected, actual, clause))


def _flags(report: Report, root: DataSet) -> None:
    """What is not complete is not verified (PS3.3 Table C.17-2)."""
    completion = root.text(_COMPLETION)
    if root.text(_VERIFICATION) == "VERIFIED" and completion and completion != "COMPLETE":
        expected = "UNVERIFIED while the document is not COMPLETE"
        _add(report, "IOD-SR-VERIFIED", name(_VERIFICATION), expected, f"VERIFIED, {completion}", "PS3.3 Table C.17-2")


def _values(report: Report, item: DataSet) -> None:
    """Names of items, numbers with one value, coordinates with their image (PS3.3 C.17.3, C.18)."""
    kind = item.text(_VALUE_TYPE)
    if kind in _NAMED and not item.items(_CONCEPT_NAME) and _BY_REFERENCE not in item.elements:
        expected = f"the concept name of a {kind} item"
        _add(report, "IOD-SR-CONCEPT-NAME", item.path + name(_CONCEPT_NAME), expected, "absent", "PS3.3 Table C.17-5")
    for measured in item.items(_MEASURED):
        if len(numbers := measured.values(_NUMERIC)) > 1:
            locator, actual = measured.path + name(_NUMERIC), f"{len(numbers)} values"
            _add(report, "IOD-SR-NUMBER", locator, "one value", actual, "PS3.3 Table C.18.1-1")
    if kind == "SCOORD" and not any(child.text(_RELATIONSHIP) == "SELECTED FROM" for child in item.items(_CONTENT)):
        locator, expected = item.path + name(_CONTENT), "the image that they are SELECTED FROM"
        _add(report, "IOD-SR-COORDINATES", locator, expected, "absent", "PS3.3 Table C.17.3-7", warns=True)


def _references(report: Report, root: DataSet) -> None:
    """What an item refers to exists and is none of those that it lies in (PS3.3 Table C.17-6, A.35.3.3.1.2)."""
    places: dict[tuple[int, ...], DataSet] = {(1,): root}
    pending: list[tuple[tuple[int, ...], DataSet]] = [((1,), root)]
    while pending and len(places) < MAXIMUM_ITEMS:
        place, parent = pending.pop()
        for number, item in enumerate(parent.items(_CONTENT), start=1):
            places[*place, number] = item
            pending.append(((*place, number), item))
    if len(places) >= MAXIMUM_ITEMS:
        return
    for place, item in places.items():
        meant = item.unsigned(_BY_REFERENCE)
        if not meant:
            continue
        actual = ".".join(map(str, meant))
        if meant not in places:
            expected = "an item of the content tree"
        elif place[: len(meant)] == meant:
            expected = "no item that this one lies in"
        else:
            continue
        locator, clause = item.path + name(_BY_REFERENCE), "PS3.3 Table C.17-6, A.35.3.3.1.2"
        _add(report, "IOD-SR-REFERENCE", locator, expected, actual, clause)


def _key_objects(report: Report, root: DataSet) -> None:
    """A key object selection is built from TID 2010, refers to something and has one text at most (PS3.3 A.35.4)."""
    template = next((t.text(_TEMPLATE) for t in root.items(_TEMPLATES) if t.text(_RESOURCE) == "DCMR"), "")
    kinds = [item.text(_VALUE_TYPE) for item in root.items(_CONTENT)]
    clause = "PS3.3 A.35.4.3.1.3, PS3.16 TID 2010"
    if template != "2010":
        _add(report, "IOD-KO-TEMPLATE", name(_TEMPLATES), "DCMR 2010", shown(template), clause, warns=True)
    if not {"IMAGE", "WAVEFORM", "COMPOSITE"} & set(kinds):
        _add(report, "IOD-KO-CONTENT", name(_CONTENT), "at least one reference", "none", clause)
    if kinds.count("TEXT") > 1:
        _add(report, "IOD-KO-CONTENT", name(_CONTENT), "one text at most", f"{kinds.count('TEXT')} texts", clause)


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
