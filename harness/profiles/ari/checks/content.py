"""The content tree of a document against its IOD and template, problems in words (PS3.3 A.35, PS3.16)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.profiles.ari.mapping import documents as table
from harness.profiles.values import Attributes, code, items, references, text, valued

_DEPTH = 32


def title(document: Attributes) -> tuple[str, str, str]:
    """The coded title, empty if there is none."""
    found = items(document, "ConceptNameCodeSequence")
    return code(found[0]) if found else ("", "", "")


def name_of(item: Attributes) -> tuple[str, str]:
    """Value and scheme of an item's concept name."""
    return title(item)[:2]


def value_code(item: Attributes) -> tuple[str, str]:
    """Value and scheme of a CODE item."""
    found = items(item, "ConceptCodeSequence")
    return code(found[0])[:2] if found else ("", "")


def walk(document: Attributes, depth: int = 0, path: str = "1") -> Iterator[tuple[str, Attributes]]:
    """Every content item below the root with its position (1.2.1)."""
    if depth >= _DEPTH:
        return
    for number, item in enumerate(items(document, "ContentSequence"), start=1):
        place = f"{path}.{number}"
        yield place, item
        yield from walk(item, depth + 1, place)


def template_of(document: Attributes) -> str:
    """Template Identifier of the root, "" if it names none."""
    found = items(document, "ContentTemplateSequence")
    return text(found[0], "TemplateIdentifier") if found else ""


def member(concept: tuple[str, str], group: int) -> bool | None:
    """Whether a concept is in a context group; None for one of another scheme, which may extend an extensible group."""
    if concept in table.context_group(group):
        return True
    return None if concept[1] != "DCM" or not concept[0] else False


def tree_problems(document: Attributes, sop_class: str) -> Iterator[tuple[str, str]]:
    """Position and problem of everything in the tree that the IOD does not allow."""
    allowed = table.VALUE_TYPES.get(sop_class)
    if text(document, "ValueType") != "CONTAINER":
        yield "1", "the root is no CONTAINER"
    if not title(document)[0]:
        yield "1", "the root has no coded title"
    for place, item in walk(document):
        yield from ((place, problem) for problem in _item_problems(item, allowed, sop_class))


def _item_problems(item: Attributes, allowed: frozenset[str] | None, sop_class: str) -> Iterator[str]:
    kind, relation = text(item, "ValueType"), text(item, "RelationshipType")
    if relation not in table.RELATIONSHIPS:
        yield f"the relationship {relation or '(none)'} does not exist"
    if not kind and valued(item, "ReferencedContentItemIdentifier"):
        if sop_class != table.COMPREHENSIVE_SR:
            yield "a relationship by reference"
        return
    if allowed is not None and kind not in allowed:
        yield f"the value type {kind or '(none)'} is not allowed"
        return
    attribute = table.VALUE_ATTRIBUTE.get(kind, "")
    if attribute and attribute not in item:
        yield f"a {kind} item without {attribute}"
    elif attribute and kind != "NUM" and not valued(item, attribute):
        yield f"a {kind} item with an empty {attribute}"
    if kind == "NUM":
        for measured in items(item, "MeasuredValueSequence"):
            if not valued(measured, "NumericValue") or not items(measured, "MeasurementUnitsCodeSequence"):
                yield "a NUM item without value or unit"
    if kind in table.NAMED and not title(item)[2] and not name_of(item)[0]:
        yield f"a {kind} item without concept name"
    if relation == "HAS CONCEPT MOD" and kind not in ("TEXT", "CODE"):
        yield f"a concept modifier of value type {kind}"


def report_template_problems(document: Attributes) -> Iterator[tuple[str, str]]:
    """What TID 2000 does not allow, for documents that claim it.

    It is not extensible, but title and headings come from baseline groups (any other concept is allowed), and sections
    are optional: what remains is that its root contains sections only.
    """
    for place, item in walk(document):
        section = place.count(".") == 1 and text(item, "RelationshipType") == "CONTAINS"
        if section and text(item, "ValueType") != "CONTAINER":
            yield place, f"a {text(item, 'ValueType')} item where TID 2000 has sections only"


def listed_evidence(document: Attributes) -> set[str]:
    """SOP Instance UIDs in Current Requested Procedure Evidence and Pertinent Other Evidence."""
    return {
        uid
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in items(document, keyword)
        for series in items(study, "ReferencedSeriesSequence")
        for _, uid in references(series, "ReferencedSOPSequence")
    }


def referenced_in_content(document: Attributes) -> set[str]:
    """SOP Instance UIDs that content items refer to."""
    return {
        uid
        for _, item in walk(document)
        if text(item, "ValueType") in table.REFERENCES
        for _, uid in references(item, "ReferencedSOPSequence")
    }


def unlisted(document: Attributes) -> list[str]:
    """Instances that the content refers to but no evidence sequence lists."""
    return sorted(referenced_in_content(document) - listed_evidence(document))
