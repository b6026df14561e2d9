"""The compiled tables and the language of their conditions."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from pydicom import Dataset
from pydicom._uid_dict import UID_dictionary

from harness.core.errors import EngineFailure
from harness.validation.conditions import compile_condition
from harness.validation.iod_tables import tables
from harness.validation.objects import parse_dataset
from harness.validation.walker import DataSet
from tests.unit.validation import samples

#: security screening and non-destructive testing have SOP classes of other standards (NEMA IIC 1, ASTM E2339)
OTHER_STANDARDS = ("1.2.840.10008.5.1.4.1.1.501.", "1.2.840.10008.5.1.4.1.1.601.")


def test_the_tables_are_small_and_cover_every_current_storage_class() -> None:
    data = files("harness.validation").joinpath("data/iod.json")
    assert len(data.read_bytes()) < 2 << 20
    missing = [
        name
        for uid, (name, kind, _, retired, _) in UID_dictionary.items()
        if kind == "SOP Class"
        and uid.startswith("1.2.840.10008.5.1.4.1.1.")
        and "Storage" in name
        and not retired
        and not uid.startswith(OTHER_STANDARDS)
        and uid not in tables().sop_classes
    ]
    assert missing == []


def test_every_object_of_the_tables_can_be_asked_for() -> None:
    for iod in set(tables().sop_classes.values()):
        definition = tables().object(iod)
        assert definition.modules
        assert any(module.usage == "M" for module in definition.modules)


def test_what_was_written_by_hand_is_compiled_in() -> None:
    folder = files("harness.validation").joinpath("data")
    by_hand = tomllib.loads(folder.joinpath("conditions.toml").read_text("utf-8"))
    compiled = {
        row.condition.words + ("!" if row.condition.exclusive else "")
        for iod in set(tables().sop_classes.values())
        for module in tables().object(iod).modules
        for row in module.table.conditional
        if row.condition is not None
    }
    assert set(by_hand["attributes"].values()) - compiled == set()


def dataset(**attributes: object) -> DataSet:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return parse_dataset(samples.encoded(ds), "1.2.840.10008.1.2.1")[0]


@pytest.mark.parametrize(
    ("expression", "attributes", "holds"),
    [
        ("present(PatientID)", {"PatientID": ""}, True),
        ("present(PatientID)", {}, False),
        ("absent(PatientID)", {}, True),
        ("filled(PatientID)", {"PatientID": ""}, False),
        ("filled(PatientID)", {"PatientID": "1"}, True),
        ("filled(ProcedureCodeSequence)", {"ProcedureCodeSequence": []}, False),
        ("empty(PatientID)", {"PatientID": ""}, True),
        ("empty(PatientID)", {}, False),
        ("Modality in ('CT', 'MR')", {"Modality": "MR"}, True),
        ("Modality in ('CT', 'MR')", {}, False),
        ("Modality not in ('CT',)", {"Modality": "MR"}, True),
        ("Modality not in ('CT',)", {}, False),
        ("Modality == 'CT'", {"Modality": "CT"}, True),
        ("ImageType[1] in ('ORIGINAL',)", {"ImageType": ["ORIGINAL", "PRIMARY"]}, True),
        ("ImageType[2] in ('ORIGINAL',)", {"ImageType": ["ORIGINAL", "PRIMARY"]}, False),
        ("ImageType[3] in ('AXIAL',)", {"ImageType": ["ORIGINAL", "PRIMARY"]}, False),
        ("ScanningSequence in ('IR',)", {"ScanningSequence": ["SE", "IR"]}, True),
        ("SamplesPerPixel > 1", {"SamplesPerPixel": 3}, True),
        ("SamplesPerPixel > 1", {"SamplesPerPixel": 1}, False),
        ("SamplesPerPixel < 2", {"SamplesPerPixel": 1}, True),
        ("NumberOfFrames > 1", {"NumberOfFrames": "2"}, True),
        ("NumberOfFrames > 1", {}, False),
        ("not present(PatientID) and always", {}, True),
        ("present(PatientID) or Modality == 'CT'", {"Modality": "CT"}, True),
    ],
)
def test_a_condition_holds(expression: str, attributes: dict[str, object], holds: bool) -> None:
    assert compile_condition(expression).holds(dataset(**attributes)) is holds


def test_a_condition_looks_at_the_enclosing_item_and_the_root() -> None:
    inner = Dataset()
    inner.CodeValue = "x"
    outer = Dataset()
    outer.ContextIdentifier, outer.EquivalentCodeSequence = "7010", [inner]
    ds = dataset(Modality="CT", ProcedureCodeSequence=[outer])
    item = ds.items(0x00081032)[0].items(0x00080121)[0]
    assert compile_condition("present(up.ContextIdentifier)").holds(item)
    assert not compile_condition("present(ContextIdentifier)").holds(item)
    assert compile_condition("root.Modality in ('CT',)").holds(item)
    assert compile_condition("present(up.up.Modality)").holds(item)
    assert not compile_condition("present(up.up.up.Modality)").holds(item)


def test_a_trailing_mark_makes_a_condition_exclusive() -> None:
    condition = compile_condition("present(PatientID)!")
    assert condition.exclusive
    assert condition.words == "present(PatientID)"


@pytest.mark.parametrize(
    "expression",
    [
        "present(NoSuchAttribute)",
        "__import__('os')",
        "Modality.upper()",
        "lambda: 1",
        "present(",
        "1 in (1,)",
        "Modality",
    ],
)
def test_what_is_no_condition_is_refused(expression: str) -> None:
    with pytest.raises(EngineFailure, match="cannot be compiled"):
        compile_condition(expression)
