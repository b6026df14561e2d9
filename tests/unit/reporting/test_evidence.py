"""The run folder: what is written comes back, once, and nothing in it leads anywhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import EngineFailure, UsageError
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.reporting import evidence
from harness.reporting.evidence import EvidenceStore, file_name, load_run, load_transcript
from tests.unit.reporting import builders


def transcript_of(*payloads: Blob) -> Transcript:
    transcript = Transcript(builders.Ticking())
    for payload in payloads:
        transcript.record(Direction.FROM_SUT, Protocol.DICOM, "C-STORE-RQ", payload=payload, header=Blob.of(b"command"))
    return transcript


def test_transcript_comes_back_with_its_bytes(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    relative = store.store_transcript("swf/rad-8 #1", transcript_of(Blob.of(b"one"), Blob.of(b"two")))
    back = load_transcript(tmp_path, relative)
    assert [m.payload.bytes() for m in back.messages] == [b"one", b"two"]
    assert [m.header.bytes() for m in back.messages] == [b"command", b"command"]


def test_what_comes_while_evidence_is_written_does_not_leave_a_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product that retries sends on while the scenario is put away: every message kept has its bytes."""
    transcript = transcript_of(Blob.of(b"one"))
    store = EvidenceStore(tmp_path)
    keep = store.store_blob

    def and_then_one_more(blob: Blob) -> None:
        keep(blob)
        if len(transcript.messages) < 3:
            transcript.record(Direction.FROM_SUT, Protocol.DICOM, "C-STORE-RQ", payload=Blob.of(b"late"))

    monkeypatch.setattr(store, "store_blob", and_then_one_more)
    back = load_transcript(tmp_path, store.store_transcript("a", transcript))
    assert [m.payload.bytes() for m in back.messages] == [b"one"]


def test_equal_bytes_are_kept_once(tmp_path: Path) -> None:
    EvidenceStore(tmp_path).store_transcript("a", transcript_of(Blob.of(b"same"), Blob.of(b"same")))
    assert len(list((tmp_path / "blobs").iterdir())) == 2, "the payload and the header"


def test_a_file_is_kept_from_its_offset(tmp_path: Path) -> None:
    source = tmp_path / "part10.dcm"
    source.write_bytes(b"preamble" + b"data set")
    blob = Blob("", 8, path=source, offset=8)
    relative = EvidenceStore(tmp_path / "run").store_transcript("a", transcript_of(blob))
    assert load_transcript(tmp_path / "run", relative).messages[0].payload.bytes() == b"data set"


def test_a_file_that_changed_is_our_fault(tmp_path: Path) -> None:
    source = tmp_path / "object"
    source.write_bytes(b"before")
    blob = Blob.at(source)
    source.write_bytes(b"after!")
    with pytest.raises(EngineFailure, match="changed since"):
        EvidenceStore(tmp_path / "run").store_transcript("a", transcript_of(blob))
    assert not [p for p in (tmp_path / "run" / "blobs").iterdir() if p.name.startswith(".")], "no half file stays"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".", "..", "x" * 300, "한글 시나리오", "a\0b"])
def test_file_names_stay_in_their_folder(name: str) -> None:
    made = file_name(name)
    assert made == Path(made).name
    assert not made.startswith(".")
    assert len(made) <= 96


def test_different_ids_never_share_a_file() -> None:
    assert len({file_name(name) for name in ("a b", "a/b", "a-b", "a:b", "A-b")}) == 5


def test_run_comes_back_whole(tmp_path: Path) -> None:
    run = builders.build_run(tmp_path)
    assert load_run(tmp_path) == run
    assert load_run(tmp_path / "run.json") == run


def test_index_names_what_is_there(tmp_path: Path) -> None:
    run = builders.build_run(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    assert [s["id"] for s in index["scenarios"]] == [s.id for s in run.scenarios]
    assert index["wire"] == ["wire/rejected-image-stays-out-of-the-step.pcapng"]
    assert index["blobs"]["count"] == len(list((tmp_path / "blobs").iterdir()))


def test_writing_twice_replaces(tmp_path: Path) -> None:
    builders.build_run(tmp_path)
    run = builders.build_run(tmp_path)
    assert load_run(tmp_path) == run


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a run"),
        (b'{"schema_version": 99}', "schema version 99"),
        (b'{"schema_version": 1}', "'run_id' is missing"),
    ],
)
def test_a_wrong_run_json_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        load_run(tmp_path)


def test_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run"):
        load_run(tmp_path)
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UsageError, match="not a run"):
        load_run(tmp_path / "other.json")


@pytest.mark.parametrize("relative", ["../run.json", "/etc/passwd", "transcripts/../../x", "a\\b", "", "a\0b"])
def test_paths_lead_nowhere_else(tmp_path: Path, relative: str) -> None:
    with pytest.raises(UsageError, match="run folder"):
        load_transcript(tmp_path, relative)


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    folder = tmp_path / "run"
    EvidenceStore(folder)
    (folder / "transcripts" / "a.json").symlink_to(outside)
    with pytest.raises(UsageError, match="leads out"):
        load_transcript(folder, "transcripts/a.json")


def stored(tmp_path: Path) -> tuple[str, dict[str, Any]]:
    relative = EvidenceStore(tmp_path).store_transcript("a", transcript_of(Blob.of(b"payload")))
    return relative, json.loads((tmp_path / relative).read_text())


@pytest.mark.parametrize("sha256", ["../../../etc/passwd", "A" * 64, "0" * 63, ""])
def test_blob_names_are_hashes(tmp_path: Path, sha256: str) -> None:
    relative, data = stored(tmp_path)
    data["messages"][0]["payload"]["sha256"] = sha256
    (tmp_path / relative).write_text(json.dumps(data))
    with pytest.raises(UsageError, match="payload is not a blob"):
        load_transcript(tmp_path, relative)


@pytest.mark.parametrize(("key", "value"), [("seq", "1"), ("fields", []), ("kind", 3), ("time", None), ("actor", {})])
def test_wrong_types_are_named(tmp_path: Path, key: str, value: object) -> None:
    relative, data = stored(tmp_path)
    data["messages"][0][key] = value
    (tmp_path / relative).write_text(json.dumps(data))
    with pytest.raises(UsageError, match=f"{key} has the wrong type"):
        load_transcript(tmp_path, relative)


def test_missing_changed_and_linked_blobs_are_seen(tmp_path: Path) -> None:
    relative, _ = stored(tmp_path)
    blob = load_transcript(tmp_path, relative).messages[0].payload
    assert evidence.blob_is_intact(blob)
    assert blob.path is not None
    blob.path.write_bytes(b"PAYLOAD")
    assert not evidence.blob_is_intact(blob)
    blob.path.unlink()
    assert evidence.read_blob(blob, 10) is None
    (tmp_path / "secret").write_bytes(b"payload")
    blob.path.symlink_to(tmp_path / "secret")
    assert evidence.read_blob(blob, 10) is None
