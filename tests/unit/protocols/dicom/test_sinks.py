"""Where arriving data sets go."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.protocols.dicom.sinks import MemorySink, Spool, SpoolSink


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(lambda: tmp_path, 1)


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(0, 200), st.integers(1, 3))
@settings(deadline=None)
def test_what_went_in_comes_out(parts: list[bytes], threshold: int, every: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sink = SpoolSink(Spool(lambda: Path(folder), 1), b"HEAD", threshold=threshold)
        for number, part in enumerate(parts):
            sink.write(memoryview(part), 0)
            if number % every == 0:
                sink.flush()
        blob = sink.finish()
        assert blob.bytes() == b"".join(parts)
        assert blob.size == len(b"".join(parts))
        assert (blob.path is not None) == (blob.size > threshold)


def test_small_ones_stay_in_memory(spool: Spool, tmp_path: Path) -> None:
    sink = SpoolSink(spool, threshold=10)
    sink.write(memoryview(b"0123456789"), 0)
    assert sink.finish().data == b"0123456789"
    assert list(tmp_path.iterdir()) == []


def test_large_ones_are_files_with_their_head(spool: Spool) -> None:
    sink = SpoolSink(spool, b"HEAD", threshold=10)
    sink.write(memoryview(b"0123456789A"), 0)
    blob = sink.finish()
    assert blob.path is not None
    assert blob.path.read_bytes() == b"HEAD0123456789A"
    assert (blob.offset, blob.bytes()) == (4, b"0123456789A")


def test_extents_say_where_captured_bytes_are(spool: Spool) -> None:
    sink = SpoolSink(spool, b"HEAD", threshold=4, captured=True)
    chunk = b"..012345..6789"
    sink.write(memoryview(chunk)[2:8], 2)
    sink.write(memoryview(chunk)[10:], 10)
    sink.flush()
    first, second = spool.extents
    assert (first.begin, first.length, first.offset) == (2, 6, 4)
    assert (second.begin, second.length, second.offset) == (10, 4, 10)
    assert first.path.read_bytes()[first.offset :][: first.length] == b"012345"
    sink.finish()


def test_a_broken_one_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    sink = SpoolSink(spool, threshold=4)
    sink.write(memoryview(b"0123456789"), 0)
    sink.flush()
    assert len(list(tmp_path.iterdir())) == 1
    sink.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_broken_one_stays_if_the_capture_points_into_it(spool: Spool, tmp_path: Path) -> None:
    sink = SpoolSink(spool, threshold=4, captured=True)
    sink.write(memoryview(b"0123456789"), 0)
    sink.flush()
    sink.discard()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"0123456789"]


def test_the_next_file_is_ready_and_goes_if_it_was_not_needed(spool: Spool, tmp_path: Path) -> None:
    handle_before = spool.take()
    spool.prepare()
    assert len(list(tmp_path.iterdir())) == 2
    spool.close()
    assert [str(path) for path in tmp_path.iterdir()] == [handle_before[1]]
    os.close(handle_before[0])


def test_files_of_an_earlier_process_are_not_touched(tmp_path: Path) -> None:
    first = Spool(lambda: tmp_path, 1)
    second = Spool(lambda: tmp_path, 1)
    names = []
    for spool in (first, second):
        handle, name = spool.take()
        os.close(handle)
        names.append(name)
    assert len(set(names)) == 2


def test_memory_sink() -> None:
    sink = MemorySink()
    sink.write(memoryview(b"ab"), 0)
    sink.flush()
    assert sink.finish().bytes() == b"ab"
    assert MemorySink().finish().size == 0
