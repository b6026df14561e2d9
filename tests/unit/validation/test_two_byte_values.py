"""A byte of a two-byte character that looks like a backslash does not part two values (PS3.5 6.1.2.5)."""

from __future__ import annotations

from harness.validation.objects import validate_dataset_bytes
from tests.unit.validation import samples as s


def test_a_kana_with_a_backslash_byte_is_one_value() -> None:
    dataset = s.ct()
    dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    dataset.ReferringPhysicianName = ""
    dataset.PatientName = "Yamabe^Tarou=山辺^太郎=やまぼ^たろう"
    data = s.encoded(dataset)
    assert b"$\\" in data, "the test must meet the byte it is about"
    codes = {finding.code for finding in validate_dataset_bytes(data, "1.2.840.10008.1.2.1", s.CT)}
    assert "VM-COUNT" not in codes
