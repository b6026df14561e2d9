"""Attribute values as decoded text, and the encoding of answers from them.

A :class:`Record` is what worklists and archives keep: element values by tag, as text, in the order of their
multiplicity, sequences as tuples of records. It costs a fraction of a decoded data set, is compared without
conversion and is encoded straight to bytes (PS3.5 section 7), with the character set that its text needs.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydicom import config
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import PersonName

from harness.core.message import Blob
from harness.protocols.dicom import charset
from harness.protocols.dicom.errors import WireError
from harness.protocols.dicom.uids import encoding_of

Terms = tuple[str, ...]
Record = dict[int, "tuple[str, ...] | tuple[Record, ...]"]

CHARACTER_SET = 0x00080005
#: value representations whose text is subject to Specific Character Set (PS3.5 6.1.2.2)
CHARSET_VRS = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_SINGLE_VALUED = frozenset({"ST", "LT", "UT", "UR"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
BULK = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_LONG = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN", "SQ", "UC", "UR", "UT", "UV", "SV"})
DEPTH = 8
_SHORT_LENGTH = 65534
_MAX_INFLATED = 1 << 30
PIXELS = 0x7FE00008


@functools.lru_cache(maxsize=4096)
def vr_of(tag: int) -> str:
    """The value representation of a standard element; ``UN`` for what the dictionary does not know."""
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return "US" if vr == "US or SS" else vr[:2]


@functools.lru_cache(maxsize=4096)
def tag_of(keyword: str) -> int:
    """The tag of a DICOM keyword. Raises KeyError for a word that is none."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(f"{keyword!r} is not a DICOM keyword")
    return int(tag)


@functools.lru_cache(maxsize=4096)
def keyword_of(tag: int) -> str:
    """The DICOM keyword of a tag, or ``ggggeeee`` if it has none."""
    return keyword_for_tag(tag) or f"{tag:08X}"


# -- reading ---------------------------------------------------------------------------------------------------


def parse(body: bytes | Blob, transfer_syntax: str, *, header_only: bool = False) -> Dataset:
    """The elements of a data set, not decoded any further. Raises WireError if they cannot be told apart."""
    implicit, little, deflated = encoding_of(transfer_syntax)
    stop = (lambda tag, _vr, _length: int(tag) >= PIXELS) if header_only else None
    with io.BytesIO(body) if isinstance(body, bytes) else body.open() as stream:
        try:
            source = io.BytesIO(_inflate(stream.read())) if deflated else stream
            return read_dataset(source, implicit, little, stop_when=stop)
        except WireError:
            raise
        except Exception as error:
            raise WireError("PS3.5 7.1", f"the bytes cannot be read as a data set: {error}") from error


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, _MAX_INFLATED)
    if inflater.unconsumed_tail:
        raise WireError("PS3.5 A.5", f"the data set inflates to more than {_MAX_INFLATED} bytes")
    return inflated


def record_from_dataset(dataset: Dataset, wanted: frozenset[int] | None = None) -> Record:
    """Decode the (wanted) elements of a data set to text; bulk data, private and unreadable elements stay out."""
    return _read(dataset, wanted, ("",), DEPTH)


def _read(dataset: Dataset, wanted: frozenset[int] | None, charsets: tuple[str, ...], depth: int) -> Record:
    record: Record = {}
    own = _character_sets(dataset)
    if own is not None:
        charsets = own
        record[CHARACTER_SET] = own
    for tag in sorted(int(tag) for tag in dataset.keys()):  # noqa: SIM118 - iterating a Dataset decodes every element
        group = tag >> 16
        if tag == CHARACTER_SET or group % 2 or (wanted is not None and tag not in wanted):
            continue
        element = dataset.get_item(tag)
        vr = vr_of(tag)
        if vr == "SQ":
            if depth:
                items = _items(dataset, tag)
                record[tag] = tuple(_read(item, None, charsets, depth - 1) for item in items)
            continue
        if vr in BULK and vr_of(tag) != "UN":
            continue
        values = _text_values(element, vr, charsets)
        if values is not None:
            record[tag] = values
    return record


def _items(dataset: Dataset, tag: int) -> Sequence[Dataset]:
    try:
        value = dataset[tag].value
    except Exception:  # noqa: BLE001 - whatever pydicom raises on hostile bytes, the element is simply unreadable
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def _character_sets(dataset: Dataset) -> tuple[str, ...] | None:
    if CHARACTER_SET not in dataset:
        return None
    values = _text_values(dataset.get_item(CHARACTER_SET), "CS", ())
    return tuple(value.strip() for value in values) if values else ("",)


def _text_values(element: RawDataElement | DataElement | None, vr: str, terms: Terms) -> tuple[str, ...] | None:
    if element is None:
        return None
    value: Any = element.value
    if isinstance(element, RawDataElement):
        return from_bytes(value or b"", vr, terms, "<" if element.is_little_endian else ">")
    if value is None or (isinstance(value, str | bytes) and not value):
        return ()
    if isinstance(value, bytes):
        return from_bytes(value, vr, terms)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_clean(str(part), vr) for part in value)
    text = str(value)
    if vr == "AT":
        return (f"{int(value):08X}",)
    return _split(text, vr)


def from_bytes(value: bytes, vr: str, terms: Terms, order: str = "<") -> tuple[str, ...]:
    """The values of one element as text, under the Specific Character Set ``terms``."""
    if vr in _NUMBERS:
        size = struct.calcsize("<" + _NUMBERS[vr])
        whole = len(value) // size
        return tuple(
            f"{number:g}" if vr in ("FL", "FD") else str(number)
            for number in struct.unpack(f"{order}{whole}{_NUMBERS[vr]}", value[: whole * size])
        )
    if vr == "AT":
        pairs = struct.unpack(f"{order}{len(value) // 4 * 2}H", value[: len(value) // 4 * 4])
        return tuple(f"{group:04X}{element:04X}" for group, element in zip(pairs[::2], pairs[1::2], strict=True))
    if vr in CHARSET_VRS:
        return _split(decode_text(value, terms, vr), vr)
    return _split(value.decode("latin-1"), vr)


def _split(text: str, vr: str) -> tuple[str, ...]:
    parts = [text] if vr in _SINGLE_VALUED else text.split("\\")
    values = tuple(_clean(part, vr) for part in parts)
    return () if values == ("",) else values


def _clean(text: str, vr: str) -> str:
    if vr in ("ST", "LT", "UT"):
        return text.rstrip(" \0")
    return text.strip(" \0") if vr != "UC" else text.rstrip(" \0")


def decode_text(value: bytes, terms: Terms, vr: str) -> str:
    """Decode bytes under Specific Character Set; what does not decode is shown by replacement characters."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    return charset.decode_strict(value, terms, vr)[0]


def record_from_mapping(values: Mapping[str, Any]) -> Record:
    """A record of plain values by DICOM keyword: text, number, list of these, or a list of mappings for a sequence.

    Raises KeyError for a word that is no DICOM keyword.
    """
    record: Record = {}
    for keyword, value in values.items():
        tag = tag_of(keyword)
        if vr_of(tag) == "SQ":
            items = [value] if isinstance(value, Mapping) else list(value or ())
            record[tag] = tuple(record_from_mapping(item) for item in items)
        elif value is None or value == "":
            record[tag] = ()
        elif isinstance(value, str | int | float):
            record[tag] = _split(str(value), vr_of(tag))
        else:
            record[tag] = tuple(str(part) for part in value)
    return record


def mapping_from_record(record: Record) -> dict[str, Any]:
    """The record as plain JSON: text by keyword (values joined by a backslash), lists of mappings for sequences."""
    plain: dict[str, Any] = {}
    for tag in sorted(record):
        value = record[tag]
        if vr_of(tag) == "SQ":
            plain[keyword_of(tag)] = [mapping_from_record(item) for item in value if isinstance(item, dict)]
        else:
            plain[keyword_of(tag)] = "\\".join(part for part in value if isinstance(part, str))
    return plain


def text(record: Record, tag: int) -> str:
    """The value as one text, values joined by a backslash; empty if absent or a sequence."""
    return "\\".join(part for part in record.get(tag, ()) if isinstance(part, str))


def items(record: Record, tag: int) -> tuple[Record, ...]:
    """The items of a sequence; none if it is absent."""
    return tuple(part for part in record.get(tag, ()) if isinstance(part, dict))


def assign(dataset: Dataset, keyword: str, value: Any = None, terms: Terms = ()) -> None:
    """Set an element by keyword without judging the value; None is zero length. Raises KeyError for no keyword.

    A name beyond ASCII is written in ``terms`` with no escape sequence but where a character needs one: a peer that
    compares the bytes of a key with those that it keeps has to find them.
    """
    tag = tag_of(keyword)
    vr = vr_of(tag)
    if vr == "PN" and isinstance(value, str) and not value.isascii() and writable({tag: (value,)}, terms):
        value = PersonName(charset.encode(value, terms, vr), convert_encodings(list(terms)))
    if vr == "SQ":
        setattr(dataset, keyword, list(value or ()))
        return
    content = list(value) if isinstance(value, tuple) else value
    dataset[tag] = DataElement(tag, vr, content if content != "" else None, validation_mode=config.IGNORE)


# -- writing ---------------------------------------------------------------------------------------------------


def encode(record: Record, *, implicit: bool) -> bytes:
    """Encode a record in little endian, with the Specific Character Set that its text needs and can be written in.

    Text of the default repertoire needs none. Text that the record's own character set cannot write is sent as
    UTF-8 (ISO_IR 192), which every record can be written in.
    """
    declared = tuple(part for part in record.get(CHARACTER_SET, ()) if isinstance(part, str))
    body = {tag: value for tag, value in record.items() if tag != CHARACTER_SET}
    if _is_ascii(body):
        return _encode(body, implicit, ())
    charsets = declared if writable(body, declared) else ("ISO_IR 192",)
    body[CHARACTER_SET] = charsets
    return _encode(body, implicit, charsets)


def writable(record: Record, terms: Terms) -> bool:
    """Whether every text of the record can be written in that Specific Character Set."""
    if not any(terms):
        return _is_ascii(record)
    for tag, value in record.items():
        for part in value:
            if isinstance(part, dict):
                if not writable(part, terms):
                    return False
            elif not part.isascii():
                try:
                    charset.encode(part, terms, vr_of(tag))
                except charset.Unencodable:
                    return False
    return True


def _is_ascii(record: Record) -> bool:
    for value in record.values():
        for part in value:
            if not (part.isascii() if isinstance(part, str) else _is_ascii(part)):
                return False
    return True


def _encode(record: Record, implicit: bool, terms: Terms) -> bytes:
    parts: list[bytes] = []
    for tag in sorted(record):
        vr = vr_of(tag)
        value = record[tag]
        if vr == "SQ":
            data = b"".join(
                b"\xfe\xff\x00\xe0" + struct.pack("<I", len(body)) + body
                for body in (_encode(item, implicit, terms) for item in value if isinstance(item, dict))
            )
        else:
            data = encode_value([part for part in value if isinstance(part, str)], vr, terms)
        if implicit:
            parts.append(struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)))
        elif vr in _LONG:
            parts.append(struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(data)))
        else:
            parts.append(struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(data)))
        parts.append(data)
    return b"".join(parts)


def encode_value(values: Sequence[str], vr: str, terms: Terms) -> bytes:
    """The padded value field of one element. Raises Unencodable for text that the character set lacks."""
    if vr in _NUMBERS:
        number = float if vr in ("FL", "FD") else int
        return struct.pack(f"<{len(values)}{_NUMBERS[vr]}", *(number(value) for value in values))
    if vr == "AT":
        return b"".join(struct.pack("<HH", int(value, 16) >> 16, int(value, 16) & 0xFFFF) for value in values)
    joined = "\\".join(values)
    if vr in CHARSET_VRS and not joined.isascii():
        data = charset.encode(joined, terms, vr)
    else:
        data = joined.encode("ascii", "replace")
    if vr not in _LONG and len(data) > _SHORT_LENGTH:
        data = data[:_SHORT_LENGTH]
    if len(data) % 2:
        data += b"\0" if vr == "UI" else b" "
    return data
