"""The evidence of a run as one zip file with a manifest of hashes, and the check of such a file."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.errors import UsageError
from harness.reporting import evidence

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
MAX_FILES = 200_000
MAX_TOTAL_BYTES = 16 * 1024**3
_KEPT_FOLDERS = (evidence.TRANSCRIPTS, evidence.BLOBS, evidence.WIRE)
_KEPT_FILES = (evidence.RUN_JSON, evidence.INDEX_JSON, "report.html", "junit.xml", "summary.md")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a bundle: POSIX path, size in bytes and hash."""

    path: str
    size: int
    sha256: str


def write_bundle(folder: Path, target: Path, redaction: dict[str, Any] | None = None) -> int:
    """Zip the evidence of a run folder; returns the number of files. Other files in the folder stay out of it.

    ``redaction`` says how it was redacted, None that it was not. The same folder gives the same bytes.
    """
    entries = []
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path in _files(folder):
                name = path.relative_to(folder).as_posix()
                entries.append(_add(bundle, path, name))
            manifest = {
                "manifest_version": MANIFEST_VERSION,
                "redacted": redaction is not None,
                "redaction": redaction,
                "files": [{"path": e.path, "size": e.size, "sha256": e.sha256} for e in entries],
            }
            bundle.writestr(_info(MANIFEST), evidence.to_json_bytes(manifest))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return len(entries)


def _files(folder: Path) -> Iterator[Path]:
    for name in _KEPT_FILES:
        if (folder / name).is_file():
            yield folder / name
    for name in _KEPT_FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _add(bundle: zipfile.ZipFile, path: Path, name: str) -> Entry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, bundle.open(_info(name), "w", force_zip64=True) as sink:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            sink.write(chunk)
    return Entry(name, size, digest.hexdigest())


# -- reading -------------------------------------------------------------------------------------------------


def unpack(bundle: Path, target: Path) -> tuple[dict[str, Any], list[str]]:
    """Unpack what the manifest lists into the empty folder ``target``; returns the manifest and what is wrong.

    Nothing outside of ``target`` is written, nothing beyond the sizes that the manifest gives is read, and a file
    whose bytes are not those of the manifest is reported and not kept. Raises UsageError if it is not a bundle.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            return _unpack(archive, bundle, target)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise UsageError(f"{bundle}: not a readable evidence bundle: {error}") from error


def _unpack(archive: zipfile.ZipFile, bundle: Path, target: Path) -> tuple[dict[str, Any], list[str]]:
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise UsageError(f"{bundle}: more than {MAX_FILES} files")
    names = [info.filename for info in infos]
    manifest, entries = _manifest(archive, bundle)
    problems = [f"{name}: in the bundle twice" for name in sorted({n for n in names if names.count(n) > 1})[:20]]
    listed = {entry.path for entry in entries}
    problems += [f"{name}: not in the manifest" for name in names if name not in listed and name != MANIFEST]
    present = set(names)
    for entry in entries:
        if entry.path not in present:
            problems.append(f"{entry.path}: missing from the bundle")
            continue
        problem = _extract(archive, entry, target)
        if problem:
            problems.append(f"{entry.path}: {problem}")
    return manifest, problems


def _manifest(archive: zipfile.ZipFile, bundle: Path) -> tuple[dict[str, Any], list[Entry]]:
    try:
        with archive.open(MANIFEST) as stream:
            data = stream.read(evidence.MAX_JSON_BYTES + 1)
        if len(data) > evidence.MAX_JSON_BYTES:
            raise UsageError(f"{bundle}: {MANIFEST} is too large")
        manifest = json.loads(data)
        if manifest["manifest_version"] != MANIFEST_VERSION:
            raise UsageError(f"{bundle}: manifest version {manifest['manifest_version']} is not known")
        entries = [Entry(str(e["path"]), int(e["size"]), str(e["sha256"])) for e in manifest["files"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{bundle}: not an evidence bundle: {MANIFEST}: {error}") from error
    for entry in entries:
        pure = PurePosixPath(entry.path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in entry.path or "\0" in entry.path or not pure.parts:
            raise UsageError(f"{bundle}: the manifest names {entry.path!r}, which leads out of the bundle")
        if pure.parts[0] not in _KEPT_FOLDERS and entry.path not in _KEPT_FILES:
            raise UsageError(f"{bundle}: the manifest names {entry.path!r}, which is no evidence file")
        if entry.size < 0 or not _SHA256.fullmatch(entry.sha256):
            raise UsageError(f"{bundle}: the manifest's entry for {entry.path!r} is wrong")
    if sum(entry.size for entry in entries) > MAX_TOTAL_BYTES:
        raise UsageError(f"{bundle}: more than {MAX_TOTAL_BYTES} bytes of evidence")
    return manifest, entries


def _extract(archive: zipfile.ZipFile, entry: Entry, target: Path) -> str:
    path = evidence.inside(target, entry.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.size
    with archive.open(entry.path) as source, path.open("wb") as sink:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            sink.write(chunk)
    if left == 0 and digest.hexdigest() == entry.sha256:
        return ""
    path.unlink()
    return "not the bytes that the manifest names" if left <= 0 else "shorter than the manifest says"
