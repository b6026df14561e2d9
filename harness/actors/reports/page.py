"""A structured report as a page: title, patient, flags, observer, and every content item with its meaning.

Every item is shown with its concept name, items of unknown type included, because a reader must neither lose nor
change the meaning of anything (PS3.4 O.2.2). What is not final says so at the top. No document makes the page endless:
items and characters are bounded, and a page that leaves something out says so.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.image_display import Received
from harness.actors.reports.values import code_of, code_text, items_of, name_of, name_text, plain, value, value_of
from harness.protocols.dicom.errors import WireError

_MOST_ITEMS, _MOST_CHARACTERS = 5000, 1_500_000
_LANGUAGE, _COUNTRY = ("121049", "DCM"), ("121046", "DCM")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_FLAGS = (
    ("CompletionFlag", "Completion"),
    ("VerificationFlag", "Verification"),
    ("PreliminaryFlag", "Preliminary"),
)
#: values of flags that a user must not overlook (PS3.3 Table C.17-2)
_NOT_FINAL = frozenset({"PARTIAL", "UNVERIFIED", "PRELIMINARY"})
_HEADER = (
    ("PatientName", "Patient"),
    ("PatientID", "Patient ID"),
    ("PatientBirthDate", "Born"),
    ("PatientSex", "Sex"),
    ("AccessionNumber", "Accession number"),
    ("StudyDate", "Study date"),
    ("StudyDescription", "Study"),
    ("ReferringPhysicianName", "Referring physician"),
    ("ContentDate", "Report date"),
    ("ContentTime", "Report time"),
    ("CompletionFlagDescription", "Remark on completion"),
)
_OTHERS = (
    ("PredecessorDocumentsSequence", "Amends or replaces"),
    ("IdenticalDocumentsSequence", "Also kept as"),
)
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em;overflow-wrap:anywhere}"
    "th{text-align:left;vertical-align:top;padding-right:1em}section,.item{margin:.5em 0 .5em 1em}"
    ".deep section,.deep .item{margin-left:0}.type{color:#555}.value{white-space:pre-wrap}"
    ".cut{border:2px solid;padding:0 .3em}"
    ".banner{background:#ffdf6b;color:#000;border:3px solid #8a5a00;padding:.5em;font-weight:bold}"
    ":target{outline:3px solid #06c}"
)
#: deeper items are not indented any further
_INDENTED = 12


def document_page(received: Received) -> str:
    """What a user sees of a document that came; of one that cannot be decoded, why."""
    try:
        return report_as_html(received.dataset())
    except WireError as problem:
        return _unreadable(received.sop_instance, str(problem))


def report_as_html(ds: Dataset) -> str:
    """One self-contained page; every value is escaped."""
    title = name_text(ds) or "Document without title"
    body = _Body(ds)
    content = body.text()
    cut = '<p class="cut">The document is longer than this page shows.</p>' if body.cut else ""
    return (
        f'<!DOCTYPE html><html lang="{_language(ds) or "en"}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head>"
        f'<body>{_banner(ds)}<h1 dir="auto">{escape(title)}</h1>{_flags(ds)}<table>{_header(ds)}</table>'
        f"{cut}{content}{cut}{_evidence(ds)}</body></html>"
    )


def _unreadable(sop_instance: str, problem: str) -> str:
    """A page in the place of a document that cannot be decoded."""
    title = f"Document {sop_instance} cannot be read"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'<p class="cut">{escape(problem)}</p></body></html>'
    )


def _banner(ds: Dataset) -> str:
    found = [value for keyword, _ in _FLAGS if (value := plain(ds, keyword)) in _NOT_FINAL]
    if not found:
        return ""
    return f'<p class="banner" role="alert">{escape(", ".join(found))}: this is no final report</p>'


def _flags(ds: Dataset) -> str:
    flags = "".join(
        f"<li><b>{label}</b> {escape(said)}</li>" for keyword, label in _FLAGS if (said := plain(ds, keyword))
    )
    verifiers = "".join(
        f"<li><b>Verified by</b> {escape(plain(item, 'VerifyingObserverName'))}, "
        f"{escape(plain(item, 'VerifyingOrganization'))}, {escape(plain(item, 'VerificationDateTime'))}</li>"
        for item in items_of(ds, "VerifyingObserverSequence")
    )
    authors = "".join(
        f"<li><b>Author</b> {escape(plain(item, 'PersonName') or plain(item, 'DeviceUID'))}</li>"
        for item in items_of(ds, "AuthorObserverSequence")
    )
    return f"<ul>{flags}{verifiers}{authors}</ul>"


def _header(ds: Dataset) -> str:
    rows = [(label, plain(ds, keyword)) for keyword, label in _HEADER if keyword in ds]
    for keyword, label in _OTHERS:
        rows += [(label, plain(one, "ReferencedSOPInstanceUID")) for one, _, _ in _instances(ds, keyword)]
    return "".join(f'<tr><th>{label}</th><td dir="auto">{escape(value)}</td></tr>' for label, value in rows)


def _instances(ds: Dataset, keyword: str) -> Iterator[tuple[Dataset, str, str]]:
    """Every instance of a hierarchical reference with the UIDs of its study and series (PS3.3 Table C.17-3)."""
    for study in items_of(ds, keyword):
        for series in items_of(study, "ReferencedSeriesSequence"):
            for one in items_of(series, "ReferencedSOPSequence"):
                yield one, plain(study, "StudyInstanceUID"), plain(series, "SeriesInstanceUID")


def _evidence(ds: Dataset) -> str:
    """What the items link to: each instance with its study and series."""
    kinds = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
    found = itertools.chain.from_iterable(_instances(ds, keyword) for keyword in kinds)
    rows: list[str] = []
    for one, study, series in itertools.islice(found, _MOST_ITEMS):
        uid = escape(plain(one, "ReferencedSOPInstanceUID"))
        rows.append(
            f'<tr id="instance-{uid}"><td><code>{uid}</code></td>'
            f"<td>{escape(code_text(one, 'PurposeOfReferenceCodeSequence'))}</td>"
            f"<td><code>{escape(series)}</code></td><td><code>{escape(study)}</code></td></tr>"
        )
    if not rows:
        return ""
    heads = "<tr><th>Instance</th><th></th><th>Series</th><th>Study</th></tr>"
    cut = '<p class="cut">There is more evidence than this page shows.</p>' if next(found, None) else ""
    return f"<h2>Evidence</h2><table>{heads}{''.join(rows)}</table>{cut}"


@dataclass(slots=True)
class _Body:
    """The content items in their order; a list stands for the recursion, so that no depth is too deep."""

    root: Dataset
    cut: bool = False
    _items: int = 0
    _characters: int = 0
    _parts: list[str] = field(default_factory=list)

    def text(self) -> str:
        pending: list[str | tuple[Dataset, str, int]] = []
        self._put_off(pending, self.root, "1", 0)
        while pending:
            one = pending.pop()
            if isinstance(one, str):
                self._parts.append(one)
            elif not self.cut:
                item, place, depth = one
                pending.append("</section>" if plain(item, "ValueType") == "CONTAINER" else "</div>")
                self._open(item, place, depth)
                self._put_off(pending, item, place, depth)
        return "".join(self._parts)

    @staticmethod
    def _put_off(pending: list[str | tuple[Dataset, str, int]], parent: Dataset, place: str, depth: int) -> None:
        children = items_of(parent, "ContentSequence")[: _MOST_ITEMS + 1]
        if not children and value(parent, "ContentSequence"):
            pending.append('<p class="cut">What is in this item cannot be read.</p>')
        pending += [(child, f"{place}.{number}", depth + 1) for number, child in enumerate(children, 1)][::-1]

    def _open(self, item: Dataset, place: str, depth: int) -> None:
        kind, relation, name = plain(item, "ValueType"), plain(item, "RelationshipType"), name_text(item)
        label = f"<b>{escape(name)}</b>" if name else ""
        if relation and relation != "CONTAINS":
            label = f'<span class="type">{escape(relation.lower())}</span> {label}'
        observed = plain(item, "ObservationDateTime")
        when = f' <span class="type">observed {escape(observed)}</span>' if observed else ""
        language = _language(item)
        attributes = f' id="item-{place}"' + (f' lang="{language}"' if language else "")
        if kind == "CONTAINER":
            level = min(depth + 1, 6)
            deep = ' class="deep"' if depth >= _INDENTED else ""
            self._add(f'<section{attributes}{deep}><h{level} dir="auto">{label}{when}</h{level}>')
        else:
            deep = " deep" if depth >= _INDENTED else ""
            self._add(f'<div class="item{deep}"{attributes}>{label} {self._value(item)}{when}')

    def _value(self, item: Dataset) -> str:
        target = value(item, "ReferencedContentItemIdentifier")
        if target:
            return _reference(self.root, target)
        room = max(0, _MOST_CHARACTERS - self._characters)
        return value_of(item, room)

    def _add(self, text: str) -> None:
        self._items += 1
        self._characters += len(text)
        self._parts.append(text)
        self.cut = self._items >= _MOST_ITEMS or self._characters >= _MOST_CHARACTERS


def _reference(root: Dataset, identifier: Any) -> str:
    """A link to the item that is meant; it is never followed, so that loops do no harm (PS3.3 C.17.3.2.5)."""
    numbers = [str(part) for part in (identifier if isinstance(identifier, Iterable) else (identifier,))]
    place = ".".join(numbers)
    target: Dataset | None = root
    for number in numbers[1:]:
        children = items_of(target, "ContentSequence") if target is not None else []
        target = children[int(number) - 1] if number.isdecimal() and 0 < int(number) <= len(children) else None
    if target is None:
        return f'<span class="cut">see item {escape(place)}, which does not exist</span>'
    return f'see <a href="#item-{escape(place)}">{escape(name_text(target) or "item")} ({escape(place)})</a>'


def _language(item: Dataset) -> str:
    """The language tag of an item with the country that modifies it (PS3.16 TID 1204), "" if it names none."""
    for child in items_of(item, "ContentSequence"):
        if name_of(child) != _LANGUAGE:
            continue
        tag = code_of(child, "ConceptCodeSequence")[0]
        for modifier in items_of(child, "ContentSequence"):
            country = code_of(modifier, "ConceptCodeSequence")[0] if name_of(modifier) == _COUNTRY else ""
            if country and "-" not in tag:
                tag = f"{tag}-{country}"
        if _LANGUAGE_TAG.fullmatch(tag):
            return tag
    return ""
