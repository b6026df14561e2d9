"""Hostile bytes: findings, never an exception, bounded output and time."""

from __future__ import annotations

import gc
import struct
import time

import pytest

from harness.validation.objects import MAXIMUM_FINDINGS, validate_dataset_bytes, validate_part10
from tests.unit.validation import fuzz, samples

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SEEDS = [
    *(samples.part10(build()) for build in samples.BASELINES.values()),
    samples.part10(samples.ct(), IMPLICIT),
    samples.compressed(samples.ct(), "1.2.840.10008.1.2.4.70", [samples.jpeg(12, sof=0xC3, last=1)], [0]),
    samples.compressed(samples.ct(), "1.2.840.10008.1.2.4.90", [samples.jpeg2000()]),
    samples.HL7_ADMIT,
    samples.HL7_ORDER,
]


def test_mutated_objects_give_findings_and_no_exception() -> None:
    for raw in fuzz.mutations(SEEDS, 1500, seed=1):
        assert len(fuzz.judge(raw)) <= 3 * MAXIMUM_FINDINGS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        bytes(132),
        bytes(128) + b"DICM",
        bytes(128) + b"DICM" + b"\xff" * 64,
        bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\xff\xff1.2",
        b"\xff" * 4096,
    ],
)
def test_degenerate_files_give_findings(raw: bytes) -> None:
    assert validate_part10(raw)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_nesting_without_end_is_cut_off(syntax: str) -> None:
    if syntax == EXPLICIT:
        level = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    else:
        level = b"\x08\x00\x40\x11\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    codes = {finding.code for finding in validate_dataset_bytes(level * 50_000, syntax, "")}
    assert "ENC-DEPTH" in codes


def test_time_grows_with_size_not_with_its_square() -> None:
    def seconds(elements: int) -> float:
        body = b"".join(
            samples.element(0x00090010 + (number << 16 << 1), "LO", b"creator ") for number in range(elements)
        )
        start = time.process_time()
        validate_dataset_bytes(body, EXPLICIT, "")
        return time.process_time() - start

    seconds(100)
    small = min(seconds(1000) for _ in range(3))
    large = min(seconds(8000) for _ in range(3))
    assert large < small * 8 * 4


def test_growth_is_linear_for_an_object_with_many_items() -> None:
    """Per item, sixteen times the items cost at most twice as much processor time: noise, not a square."""

    one = samples.item(samples.encoded(samples.key_object().ContentSequence[0]))

    def seconds(items: int) -> float:
        body = samples.element(0x0040A730, "SQ", one * items)
        start = time.process_time()
        validate_dataset_bytes(body, EXPLICIT, "1.2.840.10008.5.1.4.1.1.88.59")
        return time.process_time() - start

    seconds(100)
    assert min(seconds(4000) for _ in range(2)) < 2 * 16 * min(seconds(250) for _ in range(5))


def test_garbage_collection_runs_again_after_an_object_and_stays_off_where_it_was() -> None:
    assert gc.isenabled()
    validate_part10(SEEDS[0])
    assert gc.isenabled()
    gc.disable()
    try:
        validate_part10(SEEDS[0])
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_inflating_bomb_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    import harness.validation.objects as objects

    monkeypatch.setattr(objects, "MAXIMUM_INFLATED", 1 << 16)
    bomb = zlib.compress(bytes(1 << 22), wbits=-15)
    codes = {finding.code for finding in validate_dataset_bytes(bomb, "1.2.840.10008.1.2.1.99", "")}
    assert "ENC-DEFLATE" in codes


def test_a_group_length_in_a_data_set_with_many_groups_is_linear() -> None:
    body = b"".join(
        samples.element(group << 16, "UL", struct.pack("<I", 8)) + samples.element(group << 16 | 0x99, "LO", b"")
        for group in range(0x0010, 0x1000, 2)
    )
    start = time.process_time()
    validate_dataset_bytes(body, EXPLICIT, "")
    assert time.process_time() - start < 5
