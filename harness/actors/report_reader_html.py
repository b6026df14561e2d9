"""A structured report as a page: title, patient, flags, observer, and every content item with its meaning.

Every item is shown with its concept name, items of unknown type included, because a reader must neither lose nor
change the meaning of anything (PS3.4 O.2.2).
"""

from __future__ import annotations

from html import escape
from typing import Any

from pydicom.dataset import Dataset

_DEPTH, _MOST_ITEMS = 24, 5000
_FLAGS = (
    ("CompletionFlag", "Completion"),
    ("VerificationFlag", "Verification"),
    ("PreliminaryFlag", "Preliminary"),
)
_HEADER = (
    ("PatientName", "Patient"),
    ("PatientID", "Patient ID"),
    ("PatientBirthDate", "Born"),
    ("PatientSex", "Sex"),
    ("AccessionNumber", "Accession number"),
    ("StudyDate", "Study date"),
    ("ReferringPhysicianName", "Referring physician"),
    ("ContentDate", "Report date"),
)


def report_as_html(ds: Dataset) -> str:
    """One self-contained page; every value is escaped."""
    title = _name(ds) or "Document without title"
    flags = "".join(f"<li><b>{label}</b> {_text(ds.get(keyword))}</li>" for keyword, label in _FLAGS if ds.get(keyword))
    header = "".join(
        f"<tr><th>{label}</th><td>{_text(ds.get(keyword))}</td></tr>" for keyword, label in _HEADER if keyword in ds
    )
    verifiers = "".join(
        f"<li><b>Verified by</b> {_text(item.get('VerifyingObserverName'))}, "
        f"{_text(item.get('VerifyingOrganization'))}, {_text(item.get('VerificationDateTime'))}</li>"
        for item in ds.get("VerifyingObserverSequence") or ()
    )
    budget = [_MOST_ITEMS]
    body = "".join(_item(item, 1, budget) for item in ds.get("ContentSequence") or ())
    cut = "" if budget[0] > 0 else '<p class="cut">The document is longer than this page shows.</p>'
    return (
        f'<!DOCTYPE html><html lang="{_language(ds)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
        "th{text-align:left;padding-right:1em}section,div{margin:.5em 0 .5em 1em}.type{color:#555}"
        ".cut{border:2px solid}</style></head>"
        f"<body><h1>{escape(title)}</h1><ul>{flags}{verifiers}</ul><table>{header}</table>{body}{cut}</body></html>"
    )


def _item(item: Dataset, depth: int, budget: list[int]) -> str:
    budget[0] -= 1
    if budget[0] <= 0:
        return ""
    kind, relation, name = _text(item.get("ValueType")), str(item.get("RelationshipType", "") or ""), _name(item)
    children = item.get("ContentSequence") or ()
    inner = ""
    if depth < _DEPTH:
        inner = "".join(_item(child, depth + 1, budget) for child in children)
    elif children:
        inner = '<p class="cut">There is more below, deeper than this page shows.</p>'
    label = f"<b>{escape(name)}</b>" if name else ""
    if relation and relation != "CONTAINS":
        label = f'<span class="type">{escape(relation.lower())}</span> {label}'
    if kind == "CONTAINER":
        level = min(depth + 1, 6)
        return f"<section><h{level}>{label}</h{level}>{inner}</section>"
    return f"<div>{label} {_value(item)}{inner}</div>"


def _value(item: Dataset) -> str:
    kind = str(item.get("ValueType", "") or "")
    if kind == "CODE":
        return escape(_code(item.get("ConceptCodeSequence")))
    if kind == "NUM":
        measured = item.get("MeasuredValueSequence")
        if not measured:
            return escape(_code(item.get("NumericValueQualifierCodeSequence")) or "not measured")
        unit = _code(measured[0].get("MeasurementUnitsCodeSequence"))
        return f"{_text(measured[0].get('NumericValue'))} {escape(unit)}"
    if kind in ("IMAGE", "WAVEFORM", "COMPOSITE"):
        found = item.get("ReferencedSOPSequence")
        uid = _text(found[0].get("ReferencedSOPInstanceUID")) if found else "nothing"
        return f'<span class="type">{kind.lower()}</span> <code>{uid}</code>'
    if kind in ("SCOORD", "SCOORD3D", "TCOORD"):
        return f'<span class="type">{_text(item.get("GraphicType") or item.get("TemporalRangeType"))}</span> ' + _text(
            item.get("GraphicData") or item.get("ReferencedDateTime")
        )
    keyword = {
        "TEXT": "TextValue",
        "PNAME": "PersonName",
        "DATE": "Date",
        "TIME": "Time",
        "DATETIME": "DateTime",
        "UIDREF": "UID",
    }.get(kind)
    if keyword is None:
        if item.get("ReferencedContentItemIdentifier"):
            return f"see item {_text(item.ReferencedContentItemIdentifier)}"
        return f'<span class="cut">item of unknown type {escape(kind)}</span>'
    return _text(item.get(keyword)).replace("\n", "<br>")


def _name(item: Dataset) -> str:
    return _code(item.get("ConceptNameCodeSequence"))


def _code(items: Any) -> str:
    if not items:
        return ""
    return str(items[0].get("CodeMeaning", "") or items[0].get("CodeValue", "") or "")


def _language(ds: Dataset) -> str:
    for item in ds.get("ContentSequence") or ():
        if _name(item).startswith("Language") and item.get("ConceptCodeSequence"):
            value = str(item.ConceptCodeSequence[0].get("CodeValue", "") or "")
            if value.replace("-", "").isalnum():
                return value
    return "en"


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value).replace("\r\n", "\n"))
