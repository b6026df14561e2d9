"""A small share of the fuzzing job; the whole of it is ``python -m tests.bench.fuzz_wire``."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from tests.bench.fuzz_wire import captured, dicom_corpus, fuzz
from tests.bench.mutations import mutated
from tests.unit.protocols.dicom.test_core import acceptor


@pytest.mark.parametrize("kind", ["dicom", "hl7"])
def test_mutated_traffic_does_no_harm(kind: str) -> None:
    result = fuzz(kind, 1500, 60, seed=7)
    assert result["inputs"] == 1500
    assert result["resident_at_end"] - result["resident_after_warm_up"] < 30 << 20


def test_captures_of_real_runs_can_be_mutated(tmp_path: Path) -> None:
    """Both directions of who asked: streams of the capture come back as they were sent, and are mutated."""
    sent = dicom_corpus(tmp_path)
    found = captured([tmp_path / "capture"], "dicom")
    assert set(found) == {stream for stream in sent if len(stream) <= 64 << 10}
    assert captured([tmp_path / "capture"], "hl7") == []
    result = fuzz("dicom", 200, 60, seed=5, captures=[tmp_path / "capture"])
    assert (result["inputs"], result["streams"]) == (200, len(found))
    with pytest.raises(UsageError):
        fuzz("hl7", 1, 60, seed=5, captures=[tmp_path / "capture"])


def test_mutated_messages_do_no_harm_to_the_core(tmp_path: Path) -> None:
    streams = [stream[6 + int.from_bytes(stream[2:6], "big") :] for stream in dicom_corpus(tmp_path)]
    for data in islice(mutated([stream for stream in streams if stream], 11), 3000):
        core = acceptor()
        core.receive(data)
        core.transport_closed()
        assert core.closing


def test_the_same_seed_gives_the_same_inputs() -> None:
    corpus = [b"abcdef" * 20, b"0123456789" * 9]
    assert list(islice(mutated(corpus, 3), 50)) == list(islice(mutated(corpus, 3), 50))
