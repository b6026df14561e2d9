"""Payloads as a reader sees them: bounded rows of a DICOM data set or an HL7 message, decoded when they are shown."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.datadict import dictionary_description, dictionary_has_tag, repeater_has_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from harness.core.message import Message, Protocol
from harness.reporting.evidence import read_blob

#: More of a payload than this is not read to show it; pixel data comes last and is left out anyway.
MAX_PAYLOAD = 4 * 1024 * 1024
MAX_VALUE = 400
MAX_DEPTH = 8
#: What pydicom raises on bytes that are not what they claim to be.
UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_PIXELS = 0x7FE00000
_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW"}
_TAG_STEP = re.compile(r"\(?([0-9A-Fa-f]{4}),\s?([0-9A-Fa-f]{4})\)?(?:\[(\d+)\])?")
_KEYWORD_STEP = re.compile(r"\b([A-Z][A-Za-z0-9]{3,})\b(?:\[(\d+)\])?")
_HL7_STEP = re.compile(r"\b([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(\d+)")

#: One step of a path: an element (or an HL7 field) and the item that was entered, 0 for none or any.
Step = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One element or field. ``path`` leads to it; ``depth`` is the number of sequences it lies in."""

    path: tuple[Step, ...]
    depth: int
    tag: str
    name: str
    vr: str
    value: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """What can be shown of one message; ``note`` says what cannot, and why."""

    rows: tuple[Row, ...] = ()
    note: str = ""


@dataclass(slots=True)
class Decoder:
    """Decodes each payload once. A payload is named by its hash and its transfer syntax."""

    datasets: dict[tuple[str, str], Dataset | None] = field(default_factory=dict)
    texts: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = field(default_factory=dict)

    def dataset(self, message: Message) -> Dataset | None:
        """The data set of a DICOM message or file, without pixel data; None if there is none that can be read."""
        if message.payload.size == 0 or message.protocol not in (Protocol.DICOM, Protocol.FILE):
            return None
        if message.protocol is Protocol.FILE and _file_kind(message) in ("text", "image"):
            return None
        key = (message.payload.sha256, message.transfer_syntax)
        if key not in self.datasets:
            data = read_blob(message.payload, MAX_PAYLOAD)
            self.datasets[key] = None if data is None else parse_dataset(data, message.transfer_syntax)
        return self.datasets[key]

    def segments(self, message: Message) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The segments of an HL7 message with their fields; field 0 is the segment's name. Empty if it is not ER7."""
        if message.protocol is not Protocol.HL7 or message.payload.size == 0:
            return ()
        key = message.payload.sha256
        if key not in self.texts:
            data = read_blob(message.payload, MAX_PAYLOAD)
            self.texts[key] = () if data is None else parse_er7(data)
        return self.texts[key]

    def decode(self, message: Message, max_rows: int) -> Decoded:
        """At most ``max_rows`` rows of a message."""
        if message.payload.size == 0:
            return Decoded()
        kind = _file_kind(message)
        if kind == "text":
            rows = _limited(text_rows(read_blob(message.payload, MAX_PAYLOAD) or b""), max_rows)
        elif kind == "image":
            return Decoded(note=f"A picture: {message.fields.get('media_type')}, {message.payload.size:,} bytes.")
        elif message.protocol is Protocol.HL7:
            rows = _limited(hl7_rows(self.segments(message)), max_rows)
        else:
            dataset = self.dataset(message)
            if dataset is None:
                return Decoded(note="The bytes cannot be shown as a data set; they are kept as they came.")
            rows = _limited(dataset_rows(dataset), max_rows)
        if not rows:
            return Decoded(note="Nothing in the bytes can be shown; they are kept as they came.")
        if len(rows) > max_rows:
            return Decoded(tuple(rows[:max_rows]), f"Only the first {max_rows} rows are shown here.")
        return Decoded(tuple(rows))


def _file_kind(message: Message) -> str:
    """``text``, ``image`` and so on of a file that says what it is; "" for everything else."""
    kind = str(message.fields.get("media_type") or "")
    return kind.partition("/")[0] if message.protocol is Protocol.FILE else ""


def text_rows(data: bytes) -> Iterator[Row]:
    """The lines of a table or another text."""
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), start=1):
        yield Row((), 0, f"line {number}", "", "", line[:MAX_VALUE])


def parse_dataset(data: bytes, transfer_syntax: str) -> Dataset | None:
    """A data set from the network, or a Part 10 file; pixel data is left out. None if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data[128:132] == b"DICM":
                return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            syntax = UID(transfer_syntax or ImplicitVRLittleEndian)
            if syntax == DeflatedExplicitVRLittleEndian:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MAX_PAYLOAD)
            return read_dataset(
                io.BytesIO(data),
                is_implicit_VR=syntax == ImplicitVRLittleEndian,
                is_little_endian=syntax != ExplicitVRBigEndian,
                stop_when=lambda tag, _vr, _length: tag >= _PIXELS,
            )
    except UNREADABLE:
        return None


def dataset_rows(dataset: Dataset, prefix: tuple[Step, ...] = ()) -> Iterator[Row]:
    """Rows of a data set in the order of its tags, items after their sequence."""
    depth = len(prefix)
    for tag in sorted(dataset.keys()):
        known = dictionary_has_tag(tag) or repeater_has_tag(tag)  # overlays and curves have many groups
        name = dictionary_description(tag) if known else ("Private" if tag.is_private else "Unknown")
        label = f"({tag.group:04X},{tag.element:04X})"
        path = (*prefix, (label, 0))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                element = dataset[tag]
                vr = element.VR
                items: Sequence[Any] = element.value if vr == "SQ" else ()
                value = words_for_items(len(items)) if vr == "SQ" else value_text(vr, element.value)
        except UNREADABLE:  # one broken element must not hide the others
            yield Row(path, depth, label, name, "", "cannot be decoded")
            continue
        yield Row(path, depth, label, name, vr, value)
        if depth >= MAX_DEPTH:
            continue
        for number, item in enumerate(items, start=1):
            inner = (*prefix, (label, number))
            yield Row(inner, depth + 1, "", f"Item {number}", "", "")
            yield from dataset_rows(item, inner)


def words_for_items(count: int) -> str:
    """``1 item``, ``no items``."""
    return {0: "no items", 1: "1 item"}.get(count, f"{count} items")


def value_text(vr: str, value: Any) -> str:
    """A value for people: multiple values by backslash, binary ones by their size."""
    if value is None or value == "":
        return ""
    if vr in _BINARY:
        size = len(value) if hasattr(value, "__len__") else 0
        return visible(value.decode("ascii")) if vr == "UN" and _printable(value) else f"{size:,} bytes"
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__") or hasattr(value, "components"):
        text = str(value)
    else:
        text = "\\".join(str(part) for part in value)
    if vr == "UI" and text.startswith("1.2.840.10008.") and UID(text).name != text:
        text = f"{text} ({UID(text).name})"
    return visible(text)


def parse_er7(data: bytes) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Segments and fields by the separator of MSH-1, decoded by MSH-18; MSH-1 and MSH-2 keep their numbers."""
    data = data.strip(b"\x0b\x1c\r\n")
    if not data.startswith(b"MSH") or len(data) < 5:
        return ()
    text = data.decode(er7_codec(data), "replace")
    separator = text[3]
    segments = []
    for line in re.split(r"[\r\n]+", text)[:500]:
        fields = line.split(separator)[:400]
        if fields[0] in ("MSH", "FHS", "BHS"):
            fields.insert(1, separator)
        if fields[0]:
            segments.append((fields[0], tuple(fields)))
    return tuple(segments)


def er7_codec(data: bytes) -> str:
    """The Python codec for MSH-18 (HL7 table 0211); Latin-1 for what is not known, as no byte is lost in it."""
    fields = re.split(rb"[\r\n]", data, maxsplit=1)[0].split(data[3:4])
    declared = fields[17].decode("ascii", "replace") if len(fields) > 17 else ""
    names = [_ER7_CODECS.get(part.strip().upper(), "") for part in declared.split("~")]
    if names and names[-1]:
        return names[-1]
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


_ER7_CODECS = {
    "": "",
    "ASCII": "latin-1",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "ISO IR6": "latin-1",
    "ISO IR14": "iso2022_jp_2",
    "ISO IR87": "iso2022_jp_2",
    "ISO IR159": "iso2022_jp_2",
    "KS X 1001": "euc_kr",
    "GB 18030-2000": "gb18030",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
}


def hl7_rows(segments: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Row]:
    """One row per segment and per field that is not empty."""
    counts: dict[str, int] = {}
    for name, fields in segments:
        counts[name] = counts.get(name, 0) + 1
        yield Row(((name, counts[name]),), 0, name, "segment", "", "")
        for number, value in enumerate(fields[1:], start=1):
            if value:
                label = f"{name}-{number}"
                yield Row(((name, counts[name]), (label, 0)), 1, label, "", "", visible(value))


def steps_of(locator: str) -> tuple[Step, ...]:
    """The path that a finding's locator names, by tags, keywords or HL7 fields; empty if it names none."""
    tags = [(f"({g},{e})".upper(), int(n or 0)) for g, e, n in _TAG_STEP.findall(locator)]
    if tags:
        return tuple(tags)
    fields = _HL7_STEP.findall(locator)
    if fields:
        name, repetition, number = fields[0]
        return ((name, int(repetition or 0)), (f"{name}-{number}", 0))
    steps: list[Step] = []
    for keyword, item in _KEYWORD_STEP.findall(locator):
        tag = tag_for_keyword(keyword)
        if tag is not None:
            number = BaseTag(tag)
            steps.append((f"({number.group:04X},{number.element:04X})", int(item or 0)))
    return tuple(steps)


def matches(row: Row, steps: tuple[Step, ...]) -> bool:
    """Whether a row is what the locator names; item 0 stands for any item."""
    return (
        len(row.path) == len(steps)
        and bool(row.tag)
        and all(
            label == wanted and (not item or not wanted_item or item == wanted_item)
            for (label, item), (wanted, wanted_item) in zip(row.path, steps, strict=True)
        )
    )


#: characters that change the reading direction of what stands around them
_TURNING = frozenset({0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})


def visible(text: str, limit: int = MAX_VALUE) -> str:
    """Text from the wire with control and direction-changing characters made visible, at most ``limit`` long."""
    rest = len(text) - limit
    if rest > 0:
        text = f"{text[:limit]}… ({rest:,} more characters)"
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if 0x7F <= code <= 0x9F or code in _TURNING or 0xD800 <= code <= 0xDFFF:
        return f"⟨U+{code:04X}⟩"
    return character


def _printable(value: Any) -> bool:
    return isinstance(value, bytes) and 0 < len(value) <= MAX_VALUE and all(0x20 <= byte < 0x7F for byte in value)


def _limited(rows: Iterator[Row], limit: int) -> list[Row]:
    """One more than ``limit``, so that the caller knows that there was more."""
    found: list[Row] = []
    for row in rows:
        found.append(row)
        if len(found) > limit:
            break
    return found
