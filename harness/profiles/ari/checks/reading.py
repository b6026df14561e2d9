"""RAD-27 and Multiple Sources: what a reader shows of a report, when it hands over the page (PS3.4 O.2.2).

A page is text or HTML. What no product may translate (sentences, numbers, names, identifiers) has to be there; coded
concepts and flags may be said in other words or another language, which nobody can tell from here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Final

from harness.core.check import Check, Observation
from harness.profiles import facts
from harness.profiles.ari.checks import content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.journal import FROM_SUT, QUERY_FINDS, Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks.rad14_scu import level_of
from harness.profiles.values import Attributes, attributes_of, code, items, listed, text

_HIDDEN = re.compile(r"<(style|script|title)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]{0,20000}>")
#: what a page may say of a flag, without blanks
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "UNVERIFIED": ("unverified", "notverified", "preliminary", "draft", "unsigned"),
    "PARTIAL": ("partial", "incomplete", "notcomplete", "preliminary", "draft"),
}


def squeezed(page: str) -> str:
    """What a person reads of a page, without blanks, line ends and case."""
    if "<" in page and ">" in page:
        page = unescape(_TAG.sub("", _HIDDEN.sub("", page)))
    return _bare(page)


def _bare(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).casefold().split())


def _sentences(report: Attributes) -> Iterator[tuple[str, list[list[str]]]]:
    """What stands in the report and has no translation; the parts that must be there, in one way or another."""
    yield _as_it_is(text(report, "PatientID"))
    yield _name(text(report, "PatientName"))
    for _, item in content.walk(report):
        match text(item, "ValueType"):
            case "TEXT":
                yield _as_it_is(text(item, "TextValue"))
            case "PNAME":
                yield _name(text(item, "PersonName"))
            case "NUM":
                for measured in items(item, "MeasuredValueSequence"):
                    yield _number(text(measured, "NumericValue"))


def _as_it_is(value: str) -> tuple[str, list[list[str]]]:
    return value, [[value]]


def _name(name: str) -> tuple[str, list[list[str]]]:
    """One of its groups is enough: Latin letters, ideographs or phonetic ones, in any order of their components."""
    return name, [group.split("^") for group in name.split("=") if group.strip("^ ")]


def _number(value: str) -> tuple[str, list[list[str]]]:
    """With a point or a comma, and without zeros that say nothing."""
    short = value.rstrip("0").rstrip(".") if "." in value else value
    return value, [[way] for one in (value, short) for way in (one, one.replace(".", ","))]


def _concepts(report: Attributes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the report says by codes and flags, each with the words that would do."""
    for one in (report, *(item for _, item in content.walk(report))):
        if text(one, "ValueType") in ("CONTAINER", "NUM"):
            yield from ((meaning, (meaning,)) for meaning in [content.title(one)[2]] if meaning)
        for measured in items(one, "MeasuredValueSequence"):
            for unit in items(measured, "MeasurementUnitsCodeSequence"):
                yield code(unit)[2], (code(unit)[2], code(unit)[0])
    for keyword in table.FLAGS:
        if words := _WORDS.get(text(report, keyword)):
            yield text(report, keyword), words


def report_shown_whole(j: Journal) -> Iterator[Observation]:
    for seq, action in j.actions:
        answers = (action.get("outcome") or {}).get("answers") or {}
        uid = str((action.get("parameters") or {}).get("report") or "")
        if action.get("action") == "retrieve-report":
            yield from _shown(j, seq, uid, answers.get("page"))


def evidence_shown_whole(j: Journal) -> Iterator[Observation]:
    """``pages`` of a display: text or HTML by SOP Instance UID of the document."""
    for seq, action in j.actions:
        pages = ((action.get("outcome") or {}).get("answers") or {}).get("pages")
        for uid, page in pages.items() if isinstance(pages, dict) else ():
            yield from _shown(j, seq, str(uid), page)


def _shown(j: Journal, seq: int, uid: str, page: Any) -> Iterator[Observation]:
    sent = [store for store in j.ours if store.request.seq > seq and instance_of(store) == uid]
    if sent and isinstance(page, str) and page.strip() and sent[-1].sop_class != table.KEY_OBJECT_SELECTION:
        yield _compared(squeezed(page), sent[-1])


def _there(page: str, parts: list[str]) -> bool:
    return all(_bare(part) in page for part in parts)


def _compared(page: str, store: Operation) -> Observation:
    report = store.attributes
    lost = [one for one, ways in _sentences(report) if one and not any(_there(page, parts) for parts in ways)]
    unclear = [said for said, words in _concepts(report) if not any(_bare(word) in page for word in words if word)]
    if lost:
        summary = f"The page of document {instance_of(store)} lacks {listed([one[:60] for one in lost], 4)}"
    elif unclear:
        summary = f"The page of document {instance_of(store)} does not say in these words: {listed(unclear, 4)}"
    else:
        summary = f"The page of document {instance_of(store)} says everything that the document says"
    return judged(
        False if lost else None if unclear else True,
        summary,
        store.evidence,
        expected="patient, title, flags, names, and every sentence and number with its unit",
        actual=f"missing: {listed([one[:60] for one in lost or unclear], 4)}" if lost or unclear else "all of it",
        locator="page",
        why="A physician acts on what the page says.",
    )


def failed_source_told(j: Journal) -> Iterator[Observation]:
    """With one source away, the entries of the other are there and the user is told."""
    away = [seq for seq, data in j.facts(facts.FAULT_INJECTED) if data.get("fault") == "source-away"]
    for seq, action in j.actions:
        answers = (action.get("outcome") or {}).get("answers") or {}
        if action.get("action") != "query-reports" or not any(at < seq for at in away):
            continue
        if not {"entries", "error"} <= set(answers):
            continue
        found, evidence = _found(j, seq)
        shown, told = _count(answers["entries"]), bool(str(answers["error"] or "").strip())
        yield judged(
            bool(found) and shown >= len(found) and told,
            f"{shown} entries are shown of {len(found)} found, the failure of the other source is "
            f"{'told' if told else 'not told'}",
            evidence,
            expected=f"at least {len(found)} entries, and word of the source that did not answer",
            actual=f"{shown} entries, {answers['error'] or 'no word'}",
            locator="entries" if shown < len(found) or not found else "error",
            why="A user who is not told takes a part for the whole.",
        )


def _found(j: Journal, seq: int) -> tuple[set[str], tuple[int, ...]]:
    """The studies that our sources returned after ``seq``."""
    studies: set[str] = set()
    evidence: list[int] = []
    for query in j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS):
        if query.request.seq < seq or level_of(query) != "STUDY":
            continue
        evidence.append(query.request.seq)
        studies |= {text(attributes_of(m), "StudyInstanceUID") for m in query.pending}
    return studies - {""}, tuple(evidence)


def _count(entries: Any) -> int:
    if isinstance(entries, list):
        return len(entries)
    return int(entries) if isinstance(entries, int | float) or str(entries).isdecimal() else 0


_ROWS = (
    ("reader-page", "RAD-27-SCU-03", "RAD-27", report_shown_whole, "the page of a report says what the report says"),
    ("display-page", "RAD-45-SCU-01", "RAD-45", evidence_shown_whole, "the page of a document says what it says"),
    ("reader-lost-source", "ARI-SRC-01", "RAD-26", failed_source_told, "a source that is away hides nothing"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, rads, function, title) for id, row, rads, function, title in _ROWS)
