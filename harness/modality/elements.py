"""Small tools for data sets: put a value, read a text, walk all text of a data set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from harness.modality.domain import Code, Reference
from harness.modality.text import TEXT_VRS

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def is_uid(value: str) -> bool:
    """Say whether a text has the form of a UID (PS3.5 9.1); components with leading zeros are let pass."""
    return len(value) <= 64 and bool(_UID.fullmatch(value))


def put(dataset: Dataset, **values: Any) -> Dataset:
    """Set elements by keyword without judging the values, and return the data set; None and () are zero length."""
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        vr = dictionary_VR(tag)
        if vr == "SQ":
            value = Sequence(list(value or ()))
        elif " or " in vr:
            vr = "US"
        if isinstance(value, tuple):
            value = list(value)
        dataset[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)
    return dataset


def item(**values: Any) -> Dataset:
    """Make a sequence item."""
    return put(Dataset(), **values)


def text(dataset: Dataset, keyword: str) -> str:
    """Return the value of an element as text; empty if absent."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, (MultiValue, list)):
        return "\\".join(str(each) for each in value)
    return str(value)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; empty if absent."""
    return list(dataset.get(keyword) or ())


def code_item(code: Code) -> Dataset:
    """Make an item of a code sequence (PS3.3 8)."""
    made = item(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)
    return put(made, CodingSchemeVersion=code.version) if code.version else made


def code_items(codes: Iterable[Code]) -> list[Dataset]:
    """Make the items of a code sequence."""
    return [code_item(code) for code in codes]


def codes_of(dataset: Dataset, keyword: str) -> tuple[Code, ...]:
    """Read a code sequence."""
    return tuple(
        Code(
            text(i, "CodeValue"),
            text(i, "CodingSchemeDesignator"),
            text(i, "CodeMeaning"),
            text(i, "CodingSchemeVersion"),
        )
        for i in items(dataset, keyword)
        if "CodeValue" in i
    )


def reference_items(references: Iterable[Reference]) -> list[Dataset]:
    """Make the items of a sequence of SOP references."""
    return [item(ReferencedSOPClassUID=r.class_uid, ReferencedSOPInstanceUID=r.instance_uid) for r in references]


def references_of(dataset: Dataset, keyword: str) -> tuple[Reference, ...]:
    """Read a sequence of SOP references; items without an instance UID are not references."""
    return tuple(
        Reference(text(i, "ReferencedSOPClassUID"), text(i, "ReferencedSOPInstanceUID"))
        for i in items(dataset, keyword)
        if text(i, "ReferencedSOPInstanceUID")
    )


def texts(dataset: Dataset) -> Iterator[str]:
    """Yield each text value of a data set, sequences included."""
    for element in dataset:
        if element.VR == "SQ":
            for nested in element.value or ():
                yield from texts(nested)
        elif element.VR in TEXT_VRS and element.value is not None:
            value = element.value
            if isinstance(value, (MultiValue, list)):
                yield from (str(each) for each in value)
            else:
                yield str(value)
