"""Content trees: names, numbers, references between items, flags, and what a key object selection is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset

from harness.validation.finding import Severity
from harness.validation.objects import validate_part10
from tests.unit.validation import samples as s

Change = Callable[[Dataset], object]
COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"


def found(ds: Dataset) -> dict[str, Severity]:
    return {f.code: f.severity for f in validate_part10(s.part10(ds)) if f.code.startswith(("IOD-SR", "IOD-KO"))}


def text_of(ds: Dataset) -> Dataset:
    item: Dataset = ds.ContentSequence[0].ContentSequence[0]
    return item


def comprehensive() -> Dataset:
    """A section with a text (1.1.1) and a number (1.1.2) that is inferred from the text, by reference."""
    ds = s.basic_text()
    ds.SOPClassUID = COMPREHENSIVE
    number = Dataset()
    number.RelationshipType, number.ValueType = "CONTAINS", "NUM"
    number.ConceptNameCodeSequence = [s.code("410668003", "SCT", "Length")]
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = "12.5", [s.code("mm", "UCUM", "mm")]
    number.MeasuredValueSequence = [measured]
    meant = Dataset()
    meant.RelationshipType, meant.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1, 1]
    number.ContentSequence = [meant]
    ds.ContentSequence[0].ContentSequence.append(number)
    return ds


def number_of(ds: Dataset) -> Dataset:
    item: Dataset = ds.ContentSequence[0].ContentSequence[1]
    return item


def meaning(*identifier: int) -> Change:
    def change(ds: Dataset) -> None:
        number_of(ds).ContentSequence[0].ReferencedContentItemIdentifier = list(identifier)

    return change


def coordinates(*below: Dataset) -> Change:
    def change(ds: Dataset) -> None:
        point = Dataset()
        point.RelationshipType, point.ValueType = "INFERRED FROM", "SCOORD"
        point.GraphicType, point.GraphicData, point.ContentSequence = "POINT", [1.0, 2.0], list(below)
        number_of(ds).ContentSequence.append(point)

    return change


def selected() -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ReferencedContentItemIdentifier = "SELECTED FROM", [1, 1, 1]
    return ds


def _partial(ds: Dataset) -> None:
    ds.CompletionFlag, ds.VerificationFlag = "PARTIAL", "VERIFIED"


def _texts(count: int) -> Change:
    def change(ds: Dataset) -> None:
        for _ in range(count):
            text = Dataset()
            text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", "Look here"
            text.ConceptNameCodeSequence = [s.code("113012", "DCM", "Key Object Description")]
            ds.ContentSequence.append(text)

    return change


BROKEN: list[tuple[str, Callable[[], Dataset], Change]] = [
    ("IOD-SR-CONCEPT-NAME", s.basic_text, lambda ds: text_of(ds).pop("ConceptNameCodeSequence")),
    ("IOD-SR-NUMBER", comprehensive, lambda ds: setattr(_measured(ds), "NumericValue", ["1", "2"])),
    ("IOD-SR-VERIFIED", s.basic_text, _partial),
    ("IOD-SR-REFERENCE", comprehensive, meaning(1, 1, 9)),
    ("IOD-SR-REFERENCE", comprehensive, meaning(2)),
    ("IOD-SR-REFERENCE", comprehensive, meaning(1)),
    ("IOD-SR-REFERENCE", comprehensive, meaning(1, 1)),
    ("IOD-SR-REFERENCE", comprehensive, meaning(1, 1, 2)),
    ("IOD-KO-CONTENT", s.key_object, _texts(2)),
    ("IOD-KO-CONTENT", s.key_object, lambda ds: ds.ContentSequence.pop()),
]
WARNED: list[tuple[str, Callable[[], Dataset], Change]] = [
    ("IOD-SR-COORDINATES", comprehensive, coordinates()),
    ("IOD-KO-TEMPLATE", s.key_object, lambda ds: ds.pop("ContentTemplateSequence")),
    ("IOD-KO-TEMPLATE", s.key_object, lambda ds: setattr(ds.ContentTemplateSequence[0], "MappingResource", "99X")),
]
LEGAL: list[tuple[Callable[[], Dataset], Change]] = [
    (s.basic_text, lambda ds: None),
    (s.basic_text, lambda ds: setattr(ds, "CompletionFlag", "PARTIAL")),
    (comprehensive, lambda ds: None),
    (comprehensive, lambda ds: setattr(number_of(ds), "MeasuredValueSequence", [])),
    (comprehensive, coordinates(selected())),
    (comprehensive, lambda ds: number_of(ds).ContentSequence[0].pop("ReferencedContentItemIdentifier")),
    (s.key_object, _texts(1)),
]


def _measured(ds: Dataset) -> Dataset:
    item: Dataset = number_of(ds).MeasuredValueSequence[0]
    return item


@pytest.mark.parametrize(("code", "sample", "change"), BROKEN)
def test_what_the_standard_forbids_is_an_error(code: str, sample: Callable[[], Dataset], change: Change) -> None:
    ds = sample()
    change(ds)
    assert found(ds).get(code) is Severity.ERROR


@pytest.mark.parametrize(("code", "sample", "change"), WARNED)
def test_what_readers_may_stumble_over_is_a_warning(code: str, sample: Callable[[], Dataset], change: Change) -> None:
    ds = sample()
    change(ds)
    assert found(ds).get(code) is Severity.WARNING


@pytest.mark.parametrize(("sample", "change"), LEGAL)
def test_legal_trees_are_left_alone(sample: Callable[[], Dataset], change: Change) -> None:
    ds = sample()
    change(ds)
    assert found(ds) == {}
