"""The content tree of a document against its IOD and template, problems in words (PS3.3 A.35, PS3.16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.profiles.ari.mapping import documents as table
from harness.profiles.journal import Operation
from harness.profiles.values import Attributes, code, items, references, text, valued
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes

_DEPTH = 32
_EVIDENCE = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")


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
    """Template Identifier of the root if it is one of the standard (DCMR), else "": others number theirs freely."""
    found = items(document, "ContentTemplateSequence")
    return text(found[0], "TemplateIdentifier") if found and text(found[0], "MappingResource") == "DCMR" else ""


def member(concept: tuple[str, str], group: int) -> bool | None:
    """Whether a concept is in a context group.

    None for one that may have been added: of another scheme, or a code of the standard that our edition does not know.
    """
    if concept in table.context_group(group):
        return True
    return None if concept[1] != "DCM" or concept[0] not in table.standard_codes() else False


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
        if sop_class in table.BY_VALUE_ONLY:
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

    It is not extensible, but title and headings come from baseline groups (any other concept is allowed), sections are
    optional, and observation context defaults to the author. What remains: exactly one language (rows 5 and TID 1204),
    sections only at the root (row 8), and in them what TID 2002 has.
    """
    root = items(document, "ContentSequence")
    languages = [item for item in root if name_of(item) == table.LANGUAGE]
    if len(languages) != 1:
        yield "1", f"{len(languages)} languages of the document, not one"
    elif text(languages[0], "ValueType") != "CODE" or not value_code(languages[0])[0]:
        yield "1", "a language without a code"
    for place, item in walk(document):
        section = place.count(".") == 1 and text(item, "RelationshipType") == "CONTAINS"
        if section and text(item, "ValueType") != "CONTAINER":
            yield place, f"a {text(item, 'ValueType')} item where TID 2000 has sections only"
        told = place.count(".") == 2 and text(item, "RelationshipType") == "CONTAINS" and text(item, "ValueType")
        if told and told not in table.SECTION_CONTENT:
            yield place, f"a {told} item in a section, where TID 2002 has texts, codes, numbers and images"


def problems_of(store: Operation) -> list[str]:
    """Everything that IOD and template do not allow in a structured report; where, and what.

    What is not listed as evidence is left to :func:`unlisted`.
    """
    message, ds = store.request, store.attributes
    found = [
        f"{finding.locator}: {finding.code}"
        for finding in validate_dataset_bytes(message.payload.bytes(), message.transfer_syntax, None)
        if finding.severity is Severity.ERROR and finding.code != "IOD-SR-EVIDENCE"
    ]
    if not store.sop_class.startswith(table.SR_CLASSES):
        found.append(f"class {store.sop_class} is no structured report")
    found += [f"item {place}: {problem}" for place, problem in tree_problems(ds, store.sop_class)]
    if template_of(ds) == "2000":
        found += [f"item {place}: {problem}" for place, problem in report_template_problems(ds)]
    return found


def listed_evidence(document: Attributes, keywords: Sequence[str] = _EVIDENCE) -> set[str]:
    """SOP Instance UIDs in Current Requested Procedure Evidence and Pertinent Other Evidence."""
    return {
        uid
        for keyword in keywords
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


def unlisted(document: Attributes, keywords: Sequence[str] = _EVIDENCE) -> list[str]:
    """Instances that the content refers to but none of these evidence sequences lists."""
    return sorted(referenced_in_content(document) - listed_evidence(document, keywords))
