"""Reading attributes for judgement: from the bytes received, by a path, as the text that was sent.

A path names one element: ``"PatientID"``, ``"0010,0020"``, ``"(0040,0270)[1]/(0020,000D)"`` or
``"ScheduledStepAttributesSequence[1]/StudyInstanceUID"``. Items count from 1; an item left out is the first.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_description, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName

from harness.core.errors import UsageError
from harness.core.message import Blob, Message
from harness.protocols.dicom import datasets
from harness.protocols.dicom.uids import IMPLICIT_VR_LE

SPECIFIC_CHARACTER_SET: Final = 0x00080005
_CHARSET_VRS: Final = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
_SINGLE_VRS: Final = frozenset(("LT", "ST", "UT", "UR"))
_NUMBERS: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_STEP = re.compile(
    r"\(?(?P<group>[0-9A-Fa-f]{4}),\s*(?P<element>[0-9A-Fa-f]{4})\)?(?:\[(?P<item>\d+)\])?"
    r"|(?P<keyword>[A-Za-z][A-Za-z0-9]*)(?:\[(?P<keyword_item>\d+)\])?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way; ``item`` counts from 1 and is 0 if the path did not name one."""

    tag: int
    item: int = 0


Path = tuple[Step, ...]


@functools.lru_cache(maxsize=4096)
def parse_path(path: str) -> Path:
    """The steps of a path. Raises UsageError if it cannot be read or names no known keyword."""
    steps = []
    for part in path.split("/"):
        match = _STEP.fullmatch(part.strip().split(" ", 1)[0])
        if match is None:
            raise UsageError(f"attribute path {path!r}: {part!r} is neither (gggg,eeee)[item] nor Keyword[item]")
        if match["keyword"]:
            tag = tag_for_keyword(match["keyword"])
            if tag is None:
                raise UsageError(f"attribute path {path!r}: {match['keyword']!r} is no DICOM keyword")
            steps.append(Step(int(tag), int(match["keyword_item"] or 0)))
        else:
            steps.append(Step(int(match["group"] + match["element"], 16), int(match["item"] or 0)))
    return tuple(steps)


@functools.lru_cache(maxsize=4096)
def locator(path: str) -> str:
    """How reports name it: ``(0040,0270)[1]/(0020,000D) Study Instance UID``."""
    steps = parse_path(path)
    text = "/".join(f"{tag_text(step.tag)}{f'[{step.item}]' if step.item else ''}" for step in steps)
    return f"{text} {name_of(steps[-1].tag)}".rstrip()


def tag_text(tag: int) -> str:
    """``(0020,000D)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def name_of(tag: int) -> str:
    """``Study Instance UID``; empty for a private or unknown tag."""
    try:
        return dictionary_description(tag)
    except KeyError:
        return ""


def keyword_of(tag: int) -> str:
    """``StudyInstanceUID``; ``(gggg,eeee)`` for a private or unknown tag."""
    return keyword_for_tag(tag) or tag_text(tag)


# -- from messages ---------------------------------------------------------------------------------------------


def dataset_of(message: Message) -> Dataset:
    """The data set of a message, decoded from the bytes received; the same object each time: do not change it.

    Values that break their VR are kept. Raises WireError if the structure cannot be read. Large data sets end
    before their pixel data.
    """
    return decode(message.payload, message.transfer_syntax or IMPLICIT_VR_LE)


def decode(payload: Blob, transfer_syntax: str) -> Dataset:
    """As :func:`dataset_of`, for a payload."""
    return _decoded(payload, transfer_syntax) if payload.size else Dataset()


@functools.lru_cache(maxsize=512)
def _decoded(payload: Blob, transfer_syntax: str) -> Dataset:
    return datasets.decode(payload, transfer_syntax)


# -- one attribute ---------------------------------------------------------------------------------------------


def element_at(ds: Dataset, path: str) -> DataElement | None:
    """The element at a path, None if any step is absent. Raises UsageError for a bad path."""
    steps = parse_path(path)
    for step in steps[:-1]:
        if step.tag not in ds or ds[step.tag].VR != "SQ":
            return None
        items = ds[step.tag].value
        index = max(step.item, 1) - 1
        if index >= len(items):
            return None
        ds = items[index]
    last = steps[-1].tag
    if last not in ds:
        return None
    return ds[last]


def is_present(ds: Dataset, path: str) -> bool:
    """True if the element is there, empty or not."""
    return element_at(ds, path) is not None


def value_at(ds: Dataset, path: str) -> Any:
    """The decoded value at a path as pydicom has it; None if the element is absent, ``""`` if it is empty."""
    element = element_at(ds, path)
    if element is None:
        return None
    return "" if element.value is None else element.value


def text_at(ds: Dataset, path: str) -> str | None:
    """The value at a path as one text, values joined by a backslash; None if the element is absent."""
    element = element_at(ds, path)
    return None if element is None else text_of(element)


def text_of(element: DataElement) -> str:
    """A decoded element as one text without padding; sequences as their number of items."""
    value = element.value
    if value is None:
        return ""
    if element.VR == "SQ":
        return f"{len(value)} item(s)"
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(_one(entry) for entry in value)
    return _one(value)


def _one(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 64 else f"{len(value)} bytes"
    if isinstance(value, PersonName):
        return str(value).rstrip()
    original = getattr(value, "original_string", None)
    return (original if isinstance(original, str) else str(value)).strip(" \0")


def values_at(ds: Dataset, path: str) -> tuple[str, ...]:
    """The values at a path as texts; empty if the element is absent or has no value."""
    element = element_at(ds, path)
    if element is None or element.value is None or element.VR == "SQ":
        return ()
    value = element.value
    if isinstance(value, MultiValue | list | tuple):
        return tuple(_one(entry) for entry in value)
    text = _one(value)
    return (text,) if text else ()


def items_at(ds: Dataset, path: str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty if it is absent or no sequence."""
    element = element_at(ds, path)
    return tuple(element.value) if element is not None and element.VR == "SQ" else ()


def walk(ds: Dataset, prefix: str = "") -> Iterator[tuple[str, DataElement]]:
    """Every element with its path, depth first, sequences before their items."""
    for tag in sorted(ds.keys()):
        element = ds[tag]
        here = f"{prefix}{tag_text(int(tag))}"
        yield here, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value, start=1):
                yield from walk(item, f"{here}[{number}]/")


# -- raw values ------------------------------------------------------------------------------------------------


def raw_texts(vr: str, value: bytes, character_sets: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of an undecoded element as texts, by its VR and Specific Character Set (PS3.5 chapter 6).

    Nothing is repaired: only padding goes. Bytes that the character set does not have become U+FFFD.
    """
    if vr in _NUMBERS:
        code = _NUMBERS[vr]
        size = struct.calcsize(code)
        return tuple(f"{number:g}" if code in "fd" else str(number) for number in _unpacked(code, size, value))
    if vr == "AT":
        numbers = _unpacked("H", 2, value)
        return tuple(f"({a:04X},{b:04X})" for a, b in zip(numbers[::2], numbers[1::2], strict=False))
    if vr in ("OB", "OW", "OF", "OD", "OL", "OV", "UN", "SQ"):
        return (value.hex() if len(value) <= 64 else f"{len(value)} bytes",)
    if vr in _CHARSET_VRS:
        text = decode_text(value, character_sets, vr)
    else:
        text = value.decode("ascii", "replace")
    text = text.rstrip("\0")
    parts = [text] if vr in _SINGLE_VRS else text.split("\\")
    return tuple(part.rstrip(" ") if vr in _SINGLE_VRS else part.strip(" ") for part in parts)


def _unpacked(code: str, size: int, value: bytes) -> tuple[Any, ...]:
    count = len(value) // size
    return struct.unpack_from(f"<{count}{code}", value)


def decode_text(value: bytes, character_sets: tuple[str, ...], vr: str = "LO") -> str:
    """Bytes to text by Specific Character Set (0008,0005), with ISO 2022 code extensions; never raises."""
    delimiters = set(b"\\^=" if vr == "PN" else b"\\\n\r\t\f")
    known = list(character_sets or ("",))
    try:
        with datasets.quiet():
            return decode_bytes(value, convert_encodings(known), delimiters)
    except (LookupError, UnicodeError, ValueError):
        return value.decode("ascii", "replace")


def raw_value(ds: Dataset, tag: int) -> bytes | None:
    """The bytes of an element that was not converted yet; None if it is absent or already converted."""
    if tag not in ds:
        return None
    raw = ds.get_item(tag)
    return raw.value if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) else None


def vr_of(tag: int) -> str:
    """The VR of the data dictionary; UN for a private or unknown tag. The first where several are possible."""
    try:
        return dictionary_VR(tag).split(" ")[0]
    except KeyError:
        return "UN"
