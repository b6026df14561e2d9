"""The folder of one run: what lies where, written atomically, read back as something that may be hostile.

::

    RUN/
      run.json                 RunResult; the truth
      index.json               what else is here: scenarios, captures, number and size of blobs
      transcripts/NAME.json    one Transcript per scenario
      blobs/SHA256             payloads and headers exactly as received, each once
      wire/                    captures (pcapng) of what went over the network
      report.html junit.xml    renderings, made from the above at any time
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.errors import EngineFailure, UsageError
from harness.core.message import Blob
from harness.core.result import RunResult
from harness.core.transcript import Transcript

RUN_JSON = "run.json"
INDEX_JSON = "index.json"
TRANSCRIPTS = "transcripts"
BLOBS = "blobs"
WIRE = "wire"

#: A JSON document of a run larger than this was not written by this program.
MAX_JSON_BYTES = 256 * 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_MESSAGE_TYPES: dict[str, type | tuple[type, ...]] = {
    "seq": int,
    "time": (int, float),
    "kind": str,
    "actor": str,
    "association": int,
    "transfer_syntax": str,
    "fields": dict,
}
_COPY_CHUNK = 1024 * 1024


def file_name(scenario_id: str) -> str:
    """A file name for a scenario id: readable, at most 96 characters, never the same for two ids."""
    plain = _UNSAFE.sub("-", scenario_id).strip("-.")[:80]
    if plain and plain == scenario_id:
        return plain
    return f"{plain or 'scenario'}-{hashlib.sha256(scenario_id.encode()).hexdigest()[:8]}"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file in one step, so that a reader or a crash never meets half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def to_json_bytes(data: Any) -> bytes:
    """JSON as this program stores it: UTF-8, readable, one trailing newline."""
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")


class EvidenceStore:
    """Writes one run folder. Safe for several processes at once: names are content hashes or scenario ids."""

    def __init__(self, out_dir: Path) -> None:
        self.folder = out_dir
        for name in (TRANSCRIPTS, BLOBS, WIRE):
            (out_dir / name).mkdir(parents=True, exist_ok=True)

    @property
    def run_json(self) -> Path:
        """Where :meth:`write_run` puts the result."""
        return self.folder / RUN_JSON

    @property
    def wire(self) -> Path:
        """The folder for captures; a file whose name starts with ``file_name(scenario id)`` belongs to it."""
        return self.folder / WIRE

    def store_blob(self, blob: Blob) -> None:
        """Keep the bytes under their hash; a second time does nothing.

        Raises EngineFailure if a file has changed since it was recorded.
        """
        if blob.size == 0:
            return
        target = self.folder / BLOBS / blob.sha256
        if target.exists():
            return
        if blob.data is not None:
            write_atomically(target, blob.data)
            return
        self._copy(blob, target)

    def store_transcript(self, scenario_id: str, transcript: Transcript) -> str:
        """Write messages, facts, faults and all bytes; returns the path relative to the run folder."""
        # a product may go on sending: what comes from now on belongs to the next scenario
        frozen = transcript.to_json()
        kept = {message["seq"] for message in (*frozen["messages"], *frozen["late"])}
        for message in (*transcript.messages, *transcript.late):
            if message.seq in kept:
                self.store_blob(message.payload)
                self.store_blob(message.header)
        relative = f"{TRANSCRIPTS}/{file_name(scenario_id)}.json"
        write_atomically(self.folder / relative, to_json_bytes(frozen))
        return relative

    def write_run(self, run: RunResult) -> Path:
        """Write ``run.json`` and the index; returns the path of ``run.json``."""
        write_atomically(self.run_json, to_json_bytes(run.to_json()))
        write_atomically(self.folder / INDEX_JSON, to_json_bytes(build_index(self.folder, run)))
        return self.run_json

    def _copy(self, blob: Blob, target: Path) -> None:
        digest = hashlib.sha256()
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as out, blob.open() as stream:
                while chunk := stream.read(_COPY_CHUNK):
                    digest.update(chunk)
                    out.write(chunk)
            if digest.hexdigest() != blob.sha256:
                raise EngineFailure(f"{blob.path}: the file has changed since it was recorded, so the evidence is lost")
            Path(temporary).chmod(0o644)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def build_index(folder: Path, run: RunResult) -> dict[str, Any]:
    """What a run folder holds, for people and scripts that do not want to read ``run.json``."""
    blobs = [entry.stat().st_size for entry in (folder / BLOBS).iterdir() if _SHA256.fullmatch(entry.name)]
    return {
        "run_id": run.run_id,
        "verdict": run.verdict.name,
        "scenarios": [
            {"id": s.id, "name": s.name, "verdict": s.verdict.name, "transcript": s.transcript} for s in run.scenarios
        ],
        "wire": list(captures(folder)),
        "blobs": {"count": len(blobs), "bytes": sum(blobs)},
    }


def captures(folder: Path) -> Iterator[str]:
    """Captures of the run, as POSIX paths relative to its folder."""
    root = folder / WIRE
    if root.is_dir():
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path.relative_to(folder).as_posix()


# -- reading -----------------------------------------------------------------------------------------------


def run_folder(path: Path) -> Path:
    """The folder of a run, given it or its ``run.json``. Raises UsageError when there is none."""
    folder = path if path.is_dir() else path.parent
    if not (folder / RUN_JSON).is_file() or (path.is_file() and path.name != RUN_JSON):
        raise UsageError(f"{path}: not a run; expected a folder with {RUN_JSON} in it, or that file")
    return folder


def load_run(path: Path) -> RunResult:
    """The result stored at ``path`` (a run folder or its ``run.json``). Raises UsageError."""
    file = run_folder(path) / RUN_JSON
    try:
        return RunResult.from_json(read_json(file))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file}: not a run of this program: {_reason(error)}") from error


def load_transcript(folder: Path, relative: str) -> Transcript:
    """A stored transcript; its blobs stay in their files until read. Raises UsageError.

    Names inside the file are checked before any path is made of them.
    """
    file = inside(folder, relative)
    if not file.is_file():
        raise UsageError(f"{file}: the transcript is missing; the run folder is incomplete")
    data = read_json(file)
    try:
        for message in data["messages"]:
            for name, kinds in _MESSAGE_TYPES.items():
                if not isinstance(message[name], kinds):
                    raise ValueError(f"message {message['seq']!r}: {name} has the wrong type")
            for part in ("payload", "header"):
                entry = message[part]
                if not isinstance(entry["size"], int) or entry["size"] < 0 or not _SHA256.fullmatch(entry["sha256"]):
                    raise ValueError(f"message {message['seq']}: {part} is not a blob")
        return Transcript.from_json(data, folder / BLOBS)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file}: not a transcript of this program: {_reason(error)}") from error


def inside(folder: Path, relative: str) -> Path:
    """``folder / relative`` if that stays inside the folder, links followed. Raises UsageError otherwise."""
    pure = PurePosixPath(relative)
    if not relative or pure.is_absolute() or ".." in pure.parts or "\\" in relative or "\0" in relative:
        raise UsageError(f"{folder}: {relative!r} is not a path inside the run folder")
    path = folder / pure
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{folder}: {relative!r} leads out of the run folder")
    return path


def read_json(file: Path) -> Any:
    """A bounded JSON document. Raises UsageError."""
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise UsageError(f"{file}: larger than {MAX_JSON_BYTES} bytes; this program did not write it")
        return json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: not JSON: {_reason(error)}") from error


def read_blob(blob: Blob, limit: int) -> bytes | None:
    """At most ``limit`` bytes of a blob, or None when its file is gone, a link, or longer than it claims."""
    if blob.data is not None:
        return blob.data[:limit]
    assert blob.path is not None
    try:
        if blob.path.is_symlink() or blob.path.stat().st_size - blob.offset != blob.size:
            return None
        with blob.open() as stream:
            return stream.read(limit)
    except OSError:
        return None


def blob_is_intact(blob: Blob) -> bool:
    """Whether the bytes are there and still have their hash."""
    if blob.size == 0:
        return True
    data = read_blob(blob, blob.size)
    return data is not None and hashlib.sha256(data).hexdigest() == blob.sha256


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)
