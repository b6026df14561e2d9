"""Data sets as plain values: what checks compare.

A data set becomes a mapping of DICOM keyword to decoded text, or to a list of such mappings for a sequence. Values
of several parts keep their backslashes; binary values become ``sha256:`` and their hash, so that they can be compared
and never have to be kept. Elements without a keyword go by ``ggggeeee``. Nothing here raises for hostile bytes: what
cannot be decoded is left out and named under :data:`UNREADABLE`.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pydicom import config
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from harness.core.errors import HarnessError
from harness.core.message import EMPTY, Blob, Direction, Message, Protocol
from harness.protocols.dicom.attributes import dataset_of

Attributes = Mapping[str, Any]

UNREADABLE: Final = "#unreadable"
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_DECODING_ERRORS = (
    HarnessError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    EOFError,
    OSError,
    struct.error,
    RecursionError,
)
_DEPTH_LIMIT = 16


def attributes_of(message: Message) -> Attributes:
    """The data set of a message as plain values; ``{}`` for a message without one."""
    if message.payload.size == 0:
        return {}
    return _attributes(message.payload, message.transfer_syntax)


@lru_cache(maxsize=2048)
def _attributes(payload: Blob, transfer_syntax: str) -> Attributes:
    stand_in = Message(
        0, 0.0, Direction.NONE, Protocol.DICOM, "", transfer_syntax=transfer_syntax, payload=payload, header=EMPTY
    )
    problems: list[str] = []
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        try:
            plain = plain_values(dataset_of(stand_in), problems)
        except _DECODING_ERRORS as error:
            plain, problems = {}, [f"the data set cannot be decoded ({type(error).__name__}: {error})"]
    if problems:
        plain[UNREADABLE] = "; ".join(problems[:5])
    return plain


def plain_values(dataset: Dataset, problems: list[str] | None = None, depth: int = 0) -> dict[str, Any]:
    """A pydicom data set as plain values; ``problems`` collects the elements that could not be decoded."""
    plain: dict[str, Any] = {}
    for tag in list(dataset.keys()):
        name = _name(tag)
        try:
            plain[name] = _plain(dataset[tag], problems, depth)
        except _DECODING_ERRORS as error:
            if problems is not None:
                problems.append(f"{name}: {type(error).__name__}: {error}")
    return plain


def _name(tag: BaseTag) -> str:
    return keyword_for_tag(tag) or f"{int(tag):08X}"


def _plain(element: DataElement, problems: list[str] | None, depth: int) -> Any:
    value = element.value
    if element.VR == "SQ":
        if depth >= _DEPTH_LIMIT:
            raise ValueError("sequences are nested too deeply")
        return [plain_values(item, problems, depth + 1) for item in value or ()]
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray) or element.VR in _BINARY:
        data = bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode()
        return f"sha256:{hashlib.sha256(data).hexdigest()}" if data else ""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value).strip(" \0")
    return "\\".join(str(part).strip(" \0") for part in value)


# -- reading ---------------------------------------------------------------------------------------------------


def text(attributes: Attributes, keyword: str) -> str:
    """The decoded value, "" if it is absent, empty or a sequence."""
    value = attributes.get(keyword, "")
    return value if isinstance(value, str) else ""


def items(attributes: Attributes, keyword: str) -> list[Attributes]:
    """The items of a sequence, none if it is absent or no sequence."""
    value = attributes.get(keyword)
    return list(value) if isinstance(value, list) else []


def valued(attributes: Attributes, keyword: str) -> bool:
    """Whether it is there with at least one character, or one item."""
    return bool(attributes.get(keyword))


def code(item: Attributes) -> tuple[str, str, str]:
    """Value, scheme and meaning of one code item (PS3.3 8), whichever of the three value attributes it uses."""
    value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
    return value, text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning")


def codes(attributes: Attributes, keyword: str) -> tuple[tuple[str, str, str], ...]:
    """The codes of a sequence in their order."""
    return tuple(code(item) for item in items(attributes, keyword))


def references(attributes: Attributes, keyword: str) -> tuple[tuple[str, str], ...]:
    """SOP class and instance of each item of a reference sequence."""
    return tuple(
        (text(item, "ReferencedSOPClassUID"), text(item, "ReferencedSOPInstanceUID"))
        for item in items(attributes, keyword)
    )


# -- comparing -------------------------------------------------------------------------------------------------

_TIMES = ("Time",)
_DATES = ("Date",)


def normal(keyword: str, value: Any) -> Any:
    """What two equal values have in common: no padding, no empty name components, times to the same precision."""
    if isinstance(value, list | tuple):
        return tuple(_normal_item(item) for item in value)
    plain = str(value).strip()
    if keyword.endswith("Name") and ("^" in plain or "=" in plain):
        return normal_name(plain)
    if keyword.endswith(_TIMES):
        return normal_time(plain)
    if keyword.endswith(_DATES):
        return plain.replace(".", "")
    return plain


def _normal_item(item: Any) -> Any:
    if isinstance(item, Mapping):
        return tuple(sorted((key, normal(key, value)) for key, value in item.items() if value not in ("", [], ())))
    return item


def normal_name(name: str) -> str:
    """A person name without empty trailing components and groups (PS3.5 6.2.1)."""
    return "=".join(group.strip().rstrip("^ ") for group in name.split("=")).rstrip("=")


def normal_time(time: str) -> str:
    """A DICOM time with six digits before the fraction and no trailing zeros in it."""
    whole, _, fraction = time.replace(":", "").partition(".")
    if not whole.isdigit():
        return time
    fraction = fraction.rstrip("0")
    return whole.ljust(6, "0") + (f".{fraction}" if fraction else "")


def equal(keyword: str, one: Any, other: Any) -> bool:
    """Whether two values of an attribute say the same."""
    if not one and not other:
        return True
    return bool(normal(keyword, one) == normal(keyword, other))


def shown(value: Any) -> str:
    """A value as a report shows it: text as it is, codes and items in short, "(empty)" and "(absent)" in words."""
    if value is None:
        return "(absent)"
    if isinstance(value, list | tuple):
        return "; ".join(_shown_item(item) for item in value) or "(empty)"
    return str(value) or "(empty)"


def _shown_item(item: Any) -> str:
    if isinstance(item, Mapping):
        if valued(item, "CodeValue") or valued(item, "LongCodeValue") or valued(item, "URNCodeValue"):
            return _shown_code(code(item))
        return "{" + ", ".join(f"{key}={shown(value)}" for key, value in item.items()) + "}"
    if isinstance(item, tuple) and len(item) == 3:
        return _shown_code(item)
    return str(item)


def _shown_code(triple: tuple[Any, ...]) -> str:
    return f'({triple[0]}, {triple[1]}, "{triple[2]}")'


def listed(values: Iterable[str], limit: int = 6) -> str:
    """Values in a sentence, at most ``limit`` of them."""
    found = list(values)
    rest = f" and {len(found) - limit} more" if len(found) > limit else ""
    return ", ".join(found[:limit]) + rest
