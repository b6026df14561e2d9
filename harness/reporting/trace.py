"""The trace table: one attribute per row, one message per column; first the value, then only what differs."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from harness.core.message import Direction, Message
from harness.core.transcript import Transcript
from harness.reporting.decode import UNREADABLE, Decoder, visible

MAX_COLUMNS = 14
#: More stored objects or query answers than this are not read for the table.
MAX_OF_A_KIND = 200
_LONG_UID = re.compile(r"[0-9.]{25,}")

#: Attribute, what a reader calls it, and where HL7 carries it (segment, field, component; component 0: a name).
ATTRIBUTES: tuple[tuple[str, str, tuple[tuple[str, int, int], ...]], ...] = (
    ("PatientName", "Patient’s Name", (("PID", 5, 0),)),
    ("PatientID", "Patient ID", (("PID", 3, 1),)),
    ("IssuerOfPatientID", "Issuer of Patient ID", (("PID", 3, 4),)),
    ("PatientBirthDate", "Patient’s Birth Date", (("PID", 7, 1),)),
    ("PatientSex", "Patient’s Sex", (("PID", 8, 1),)),
    ("AccessionNumber", "Accession Number", (("IPC", 1, 1), ("OBR", 18, 1))),
    ("PlacerOrderNumberImagingServiceRequest", "Placer Order Number", (("ORC", 2, 1),)),
    ("FillerOrderNumberImagingServiceRequest", "Filler Order Number", (("ORC", 3, 1),)),
    ("StudyInstanceUID", "Study Instance UID", (("ZDS", 1, 1), ("IPC", 3, 1))),
    ("RequestedProcedureID", "Requested Procedure ID", (("IPC", 2, 1), ("OBR", 19, 1))),
    ("RequestedProcedureDescription", "Requested Procedure Description", (("OBR", 44, 2),)),
    ("ScheduledProcedureStepID", "Scheduled Procedure Step ID", (("IPC", 4, 1), ("OBR", 20, 1))),
    ("ScheduledProcedureStepDescription", "Scheduled Step Description", (("OBR", 4, 5),)),
    ("ReferringPhysicianName", "Referring Physician’s Name", ()),
    ("AdmissionID", "Admission ID", (("PV1", 19, 1),)),
    ("StudyID", "Study ID", ()),
    ("StudyDescription", "Study Description", ()),
    ("Modality", "Modality", (("IPC", 5, 1), ("OBR", 24, 1))),
    ("PerformedProcedureStepID", "Performed Procedure Step ID", ()),
    ("PerformedProcedureStepStartDate", "Performed Step Start Date", ()),
    ("MPPS", "MPPS SOP Instance UID", ()),
    ("Images", "Images (number)", ()),
)
_TAGS = tuple((keyword, tag) for keyword, _, _ in ATTRIBUTES if (tag := tag_for_keyword(keyword)) is not None)
_CARRIERS = ("ScheduledStepAttributesSequence", "RequestAttributesSequence", "ScheduledProcedureStepSequence")
_KINDS = frozenset(
    {"C-FIND-RSP", "C-STORE-RQ", "N-CREATE-RQ", "N-SET-RQ", "N-ACTION-RQ", "N-EVENT-REPORT-RQ", "N-GET-RSP", "FILE"}
)
_TITLES = {
    "C-FIND-RSP": "Query answer",
    "C-STORE-RQ": "Objects",
    "N-CREATE-RQ": "MPPS created",
    "N-SET-RQ": "MPPS set",
    "N-ACTION-RQ": "Request",
    "N-EVENT-REPORT-RQ": "Report",
    "N-GET-RSP": "N-GET answer",
    "FILE": "Files",
}


class CellState(enum.StrEnum):
    """How a value relates to the first one in its row."""

    FIRST = "first"
    SAME = "same"
    DIFFERS = "differs"
    EMPTY = "empty"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one message, or how many messages of a batch have it."""

    state: CellState
    value: str = ""

    @property
    def short(self) -> str:
        """The value with the middle of a long UID left out, so that a row stays on one line."""
        return _LONG_UID.sub(lambda uid: f"{uid[0][:9]}…{uid[0][-8:]}", self.value)


@dataclass(frozen=True, slots=True)
class Column:
    """One message, or a batch of the same kind; ``seqs`` are its messages, none for the order that was scheduled."""

    title: str
    seqs: tuple[int, ...]
    batch: int = 1


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One attribute through all columns."""

    attribute: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether any value is not the first one."""
        return any(cell.state in (CellState.DIFFERS, CellState.EMPTY) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Trace:
    """The table of one scenario; empty when fewer than two messages share an attribute."""

    columns: tuple[Column, ...] = ()
    rows: tuple[TraceRow, ...] = ()
    left_out: int = 0

    @property
    def differences(self) -> int:
        """How many attributes are not the same everywhere."""
        return sum(row.differs for row in self.rows)


#: Values of one column: per attribute all distinct values met in its messages, empty ones included.
_Values = Mapping[str, Sequence[str]]


def trace(transcript: Transcript, decoder: Decoder) -> Trace:
    """Follow the attributes of :data:`ATTRIBUTES` through a scenario."""
    columns = _of_messages(transcript.messages, decoder)
    orders = [_of_order(fact.data) for fact in transcript.facts_of("ORDER")[:MAX_OF_A_KIND]]
    if orders:
        known = {(k, _normal(k, value)) for _, values in columns for k, found in values.items() for value in found}
        columns.insert(
            0, max(orders, key=lambda order: sum((k, _normal(k, v[0])) in known for k, v in order[1].items()))
        )
    columns = [(column, values) for column, values in columns if any(any(v) for v in values.values())]
    kept = columns[:MAX_COLUMNS]
    rows = []
    for keyword, title, _ in ATTRIBUTES:
        row = _row(keyword, title, [values for _, values in kept])
        if row is not None:
            rows.append(row)
    if len(kept) < 2 or not rows:
        return Trace()
    return Trace(tuple(column for column, _ in kept), tuple(rows), len(columns) - len(kept))


def _row(keyword: str, title: str, columns: Sequence[_Values]) -> TraceRow | None:
    cells: list[Cell] = []
    first: str | None = None
    present = 0
    for values in columns:
        found = values.get(keyword)
        if found is None:
            cells.append(Cell(CellState.ABSENT))
            continue
        present += 1
        distinct = list(dict.fromkeys(_normal(keyword, value) for value in found))
        full = visible(", ".join(dict.fromkeys(value or "(empty)" for value in found)), 160)
        if distinct == [""]:
            # an empty value before anything was known is no difference: nothing has been lost yet
            cells.append(Cell(CellState.EMPTY if first is not None else CellState.ABSENT, "empty"))
        elif first is None:
            first = distinct[0]
            cells.append(Cell(CellState.FIRST if len(distinct) == 1 else CellState.DIFFERS, full))
        elif distinct == [first]:
            cells.append(Cell(CellState.SAME))
        else:
            cells.append(Cell(CellState.DIFFERS, full))
    return TraceRow(title, tuple(cells)) if present > 1 and first is not None else None


def _of_order(data: Mapping[str, Any]) -> tuple[Column, _Values]:
    """The values that the harness scheduled, wherever they stand in the fact; the outermost one counts."""
    flat: dict[str, str] = {}
    level: list[Mapping[str, Any]] = [data]
    for _ in range(3):
        inner: list[Mapping[str, Any]] = []
        for source in level:
            for key, value in source.items():
                if isinstance(value, str):
                    flat.setdefault(key, value)
                elif isinstance(value, Mapping):
                    inner.append(value)
                elif isinstance(value, list):
                    inner += [entry for entry in value[:1] if isinstance(entry, Mapping)]
        level = inner
    return Column("Order as scheduled", ()), {k: (flat[k],) for k, _, _ in ATTRIBUTES if flat.get(k)}


def _of_messages(messages: Sequence[Message], decoder: Decoder) -> list[tuple[Column, _Values]]:
    totals = Counter(message.kind for message in messages)
    met: Counter[str] = Counter()
    carrying: list[tuple[Message, Mapping[str, str]]] = []
    for message in messages:
        met[message.kind] += 1
        if met[message.kind] <= MAX_OF_A_KIND and (values := _values(message, decoder)):
            carrying.append((message, values))
    known = Counter(
        (keyword, _normal(keyword, value))
        for message, values in carrying
        if message.kind != "C-FIND-RSP"
        for keyword, value in values.items()
    )
    columns: list[tuple[Column, _Values]] = []
    for (kind, _), group in groupby(carrying, key=lambda entry: (entry[0].kind, _batch(entry[0]))):
        batch = list(group)
        if kind == "C-FIND-RSP" and len(batch) > 1:
            best = max(batch, key=lambda entry: sum(known[(k, _normal(k, v))] > 0 for k, v in entry[1].items()))
            columns.append((Column(f"{_TITLES[kind]} (1 of {len(batch)})", (best[0].seq,)), _merged([best[1]])))
            continue
        title = _TITLES.get(kind) or _hl7_title(batch[0][0], decoder)
        merged = _merged([v for _, v in batch])
        if kind == "C-STORE-RQ":
            all_in_one = len(batch) == min(totals[kind], MAX_OF_A_KIND)
            number = totals[kind] if all_in_one else len(batch)
            merged["Images"] = [str(number)]
            if number > len(batch):
                title = f"{title} (first {len(batch)} of {number})"
        columns.append((Column(title, tuple(m.seq for m, _ in batch), len(batch)), merged))
    return columns


def _hl7_title(message: Message, decoder: Decoder) -> str:
    """Type, order control, and with whom: a run has many ORM^O01, between different actors."""
    control = next((fields[1] for name, fields in decoder.segments(message) if name == "ORC" and fields[1:]), "")
    side = {Direction.FROM_SUT: f"to {message.actor}", Direction.TO_SUT: f"from {message.actor}"}
    words = (message.kind, control, side.get(message.direction, "") if message.actor else "")
    return " ".join(word for word in words if word)


def _batch(message: Message) -> int:
    """Messages that may share a column: query answers, stored objects and files; any other stands alone."""
    return 0 if message.kind in ("C-FIND-RSP", "C-STORE-RQ", "FILE") else message.seq


def _merged(batch: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for values in batch:
        for keyword, value in values.items():
            entries = merged.setdefault(keyword, [])
            if value not in entries:
                entries.append(value)
    return merged


def _values(message: Message, decoder: Decoder) -> dict[str, str]:
    segments = decoder.segments(message)
    if segments:
        return _of_hl7(segments)
    if message.kind not in _KINDS:
        return {}
    dataset = decoder.dataset(message)
    if dataset is None:
        return {}
    values = {}
    sources = _sources(dataset)
    for keyword, tag in _TAGS:
        value = _find(sources, tag)
        if value is not None:
            values[keyword] = value
    values.update(_references(message, dataset))
    return values


def _sources(dataset: Dataset) -> list[Dataset]:
    """Where values are looked for: the top level, then the sequences that carry what was scheduled."""
    sources = [dataset]
    for carrier in _CARRIERS:
        try:
            item = _first_item(dataset, carrier) if carrier in dataset else None
        except UNREADABLE:
            continue
        if item is not None:
            sources.append(item)
    return sources


def _find(sources: Sequence[Dataset], tag: int) -> str | None:
    """The first value that is not empty; empty if there are only such elements, None if there is none."""
    empty: str | None = None
    try:
        for source in sources:
            if tag in source:
                value = source[tag].value
                text = "" if value is None else str(value).strip(" \0")
                if text:
                    return text
                empty = ""
    except UNREADABLE:
        return None
    return empty


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    items = dataset.get(keyword)
    return items[0] if items else None


def _references(message: Message, dataset: Dataset) -> dict[str, str]:
    """The MPPS instance and the number of objects that a message is about."""
    found: dict[str, str] = {}
    try:
        if message.kind in ("N-CREATE-RQ", "N-SET-RQ") and "PerformedProcedureStepStatus" in dataset:
            uid = message.fields.get("AffectedSOPInstanceUID") or message.fields.get("RequestedSOPInstanceUID")
            if uid:
                found["MPPS"] = str(uid)
            series = dataset.get("PerformedSeriesSequence") or ()
            number = sum(
                len(s.get(name) or ())
                for s in series
                for name in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
            )
            if number:
                found["Images"] = str(number)
        elif message.kind == "C-STORE-RQ":
            step = _first_item(dataset, "ReferencedPerformedProcedureStepSequence")
            if step is not None and step.get("ReferencedSOPInstanceUID"):
                found["MPPS"] = str(step.ReferencedSOPInstanceUID)
        elif message.kind in ("N-ACTION-RQ", "N-EVENT-REPORT-RQ") and "TransactionUID" in dataset:
            number = sum(len(dataset.get(name) or ()) for name in ("ReferencedSOPSequence", "FailedSOPSequence"))
            found["Images"] = str(number)
    except UNREADABLE:
        return {}
    return found


def _of_hl7(segments: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    first: dict[str, tuple[str, ...]] = {}
    for name, fields in segments:
        first.setdefault(name, fields)
    values = {}
    for keyword, _, places in ATTRIBUTES:
        for segment, number, component in places:
            fields = first.get(segment, ())
            if len(fields) > number and fields[number] and fields[number] != '""':
                value = _name(fields[number]) if component == 0 else _component(fields[number], component)
                if value:
                    values[keyword] = value[:8] if keyword == "PatientBirthDate" else value
                    break
    return values


def _component(field: str, number: int) -> str:
    parts = field.split("~")[0].split("^")
    return parts[number - 1].split("&")[0].strip() if len(parts) >= number else ""


def _name(field: str) -> str:
    """An XPN as a DICOM person name: repetitions are the component groups, and suffix and prefix change places."""
    groups = []
    for repetition in field.split("~")[:3]:
        family, given, middle, suffix, prefix = [*repetition.split("^")[:5], *[""] * 5][:5]
        groups.append("^".join((family.split("&")[0], given, middle, prefix, suffix)).rstrip("^"))
    return "=".join(groups).rstrip("=")


def _normal(keyword: str, value: str) -> str:
    """A value without what does not count: padding, and empty trailing components of a name."""
    value = value.strip()
    if keyword.endswith("Name"):
        return "=".join(group.rstrip("^ ") for group in value.split("=")).rstrip("=")
    return value
