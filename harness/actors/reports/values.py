"""Values of content items as a reader shows them: text, codes, numbers with units, references (PS3.3 C.17.3, C.18)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from harness.protocols.dicom.uids import name_of as name_of_class

_REFERENCES = frozenset({"IMAGE", "WAVEFORM", "COMPOSITE"})
_COORDINATES = frozenset({"SCOORD", "SCOORD3D", "TCOORD"})
_ATTRIBUTE: Final[Mapping[str, str]] = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "UIDREF": "UID",
}
#: what narrows a reference to a part of the instance
_PARTS = (
    ("ReferencedFrameNumber", "frame"),
    ("ReferencedSegmentNumber", "segment"),
    ("ReferencedWaveformChannels", "channel"),
)
_INSTANTS = ("ReferencedDateTime", "ReferencedTimeOffsets", "ReferencedSamplePositions")


def value(ds: Dataset, keyword: str) -> Any:
    """The value of an element, None if it is absent; bytes, as which ``decode`` leaves what it cannot read, say so."""
    found = ds.get(keyword)
    return f"unreadable value {found[:80]!r}" if isinstance(found, bytes) else found


def plain(ds: Dataset, keyword: str) -> str:
    """The value of an element as text: several ones with commas, line ends as one character."""
    found = value(ds, keyword)
    if found is None:
        return ""
    if isinstance(found, MultiValue | list | tuple):
        return ", ".join(str(part) for part in found)
    return str(found).replace("\r\n", "\n").replace("\r", "\n")


def items_of(ds: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none of an element that is no sequence, whatever it calls itself."""
    found = value(ds, keyword)
    return list(found) if isinstance(found, Sequence) else []


def code_of(ds: Dataset, keyword: str) -> tuple[str, str]:
    """Value and scheme of the first code of a sequence."""
    for first in items_of(ds, keyword)[:1]:
        found = (plain(first, name) for name in ("CodeValue", "LongCodeValue", "URNCodeValue"))
        return next(filter(None, found), ""), plain(first, "CodingSchemeDesignator")
    return "", ""


def code_text(ds: Dataset, keyword: str) -> str:
    """The meaning of the first code of a sequence, its value if it has none."""
    return next((plain(first, "CodeMeaning") for first in items_of(ds, keyword)[:1]), "") or code_of(ds, keyword)[0]


def name_of(item: Dataset) -> tuple[str, str]:
    """Value and scheme of an item's concept name."""
    return code_of(item, "ConceptNameCodeSequence")


def name_text(item: Dataset) -> str:
    """What the concept name of an item means."""
    return code_text(item, "ConceptNameCodeSequence")


def value_of(item: Dataset, room: int) -> str:
    """The value of an item as HTML with at most about ``room`` characters of text; what is left out is said."""
    kind = plain(item, "ValueType")
    if kind in _ATTRIBUTE:
        return _text(plain(item, _ATTRIBUTE[kind]), room)
    if kind == "CODE":
        return _text(code_text(item, "ConceptCodeSequence"), room)
    if kind == "NUM":
        return _text(_number(item), room)
    if kind in _REFERENCES:
        return _reference(item, kind)
    if kind in _COORDINATES:
        return _text(_coordinates(item, kind), room)
    return f'<span class="cut">item of unknown type {escape(kind)}</span>'


def _text(text: str, room: int) -> str:
    if len(text) > room:
        return f'<span class="value" dir="auto">{escape(text[:room])}</span> <span class="cut">and more</span>'
    return f'<span class="value" dir="auto">{escape(text)}</span>'


def _number(item: Dataset) -> str:
    qualifier = code_text(item, "NumericValueQualifierCodeSequence")
    measured = items_of(item, "MeasuredValueSequence")
    if not measured:
        return qualifier or "not measured"
    said = f"{plain(measured[0], 'NumericValue')} {code_text(measured[0], 'MeasurementUnitsCodeSequence')}".strip()
    return f"{said} ({qualifier})" if qualifier else said


def _reference(item: Dataset, kind: str) -> str:
    found = items_of(item, "ReferencedSOPSequence")
    if not found:
        return f'<span class="cut">{escape(kind.lower())} without a reference</span>'
    one = found[0]
    uid = escape(plain(one, "ReferencedSOPInstanceUID"))
    said = [name_of_class(plain(one, "ReferencedSOPClassUID")) or kind.lower()]
    said += [f"{label} {part}" for keyword, label in _PARTS if (part := plain(one, keyword))]
    states = items_of(one, "ReferencedSOPSequence")
    shown = f", shown by <code>{escape(plain(states[0], 'ReferencedSOPInstanceUID'))}</code>" if states else ""
    link = f'<a href="#instance-{uid}"><code>{uid}</code></a>'
    return f'{link} <span class="type">{escape(", ".join(said))}</span>{shown}'


def _coordinates(item: Dataset, kind: str) -> str:
    said = [plain(item, "GraphicType") or plain(item, "TemporalRangeType") or kind]
    return " ".join([*said, *filter(None, (plain(item, keyword) for keyword in ("GraphicData", *_INSTANTS)))])
