"""Evidence bundles: whole, repeatable, and harmless to open."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.reporting.bundle import MANIFEST, unpack, write_bundle
from harness.reporting.evidence import load_run
from tests.unit.reporting import builders


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    builders.build_run(tmp_path / "run")
    (tmp_path / "run" / "pytest.ini").write_text("no evidence")
    write_bundle(tmp_path / "run", tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


def changed(bundle: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of the bundle with other members."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    other = bundle.with_name("other.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return other


def in_manifest(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        change(manifest["files"])
        members[MANIFEST] = json.dumps(manifest).encode()

    return apply


def test_a_bundle_comes_back_whole(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    manifest, problems = unpack(bundle, target)
    assert problems == []
    assert manifest["redacted"] is False
    assert load_run(target) == load_run(tmp_path / "run")
    assert not (target / "pytest.ini").exists(), "only evidence is bundled"


def test_the_same_run_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "run", tmp_path / "again.zip")
    assert bundle.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_changed_missing_and_added_files_are_told(bundle: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        blobs = sorted(name for name in members if name.startswith("blobs/"))
        members[blobs[0]] = bytes(len(members[blobs[0]]))
        del members[blobs[1]]
        members["blobs/" + "0" * 64] = b"more"

    target = tmp_path / "out"
    target.mkdir()
    _, problems = unpack(changed(bundle, change), target)
    assert sorted(problem.split(": ", 1)[1] for problem in problems) == [
        "missing from the bundle",
        "not in the manifest",
        "not the bytes that the manifest names",
    ]
    assert not (target / "blobs" / ("0" * 64)).exists()


def test_a_file_longer_than_it_claims_is_not_read_to_its_end(bundle: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["report.html"] = bytes(50_000_000)
        in_manifest(lambda files: files.append({"path": "report.html", "size": 10, "sha256": "0" * 64}))(members)

    target = tmp_path / "out"
    target.mkdir()
    _, problems = unpack(changed(bundle, change), target)
    assert problems == ["report.html: not the bytes that the manifest names"]
    assert not (target / "report.html").exists()


@pytest.mark.parametrize(
    "path",
    ["../evil", "/tmp/evil", "blobs/../../evil", "blobs\\..\\evil", "evil.sh", "", ".", "transcripts/../run.json\0"],
)
def test_no_path_leads_out(bundle: Path, tmp_path: Path, path: str) -> None:
    def add(files: list[dict[str, Any]]) -> None:
        files.append({"path": path, "size": 4, "sha256": "0" * 64})

    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(UsageError, match="the manifest"):
        unpack(changed(bundle, in_manifest(add)), target)
    assert not list(target.iterdir())


@pytest.mark.parametrize("size", [-1, 10**15])
def test_sizes_are_bounded(bundle: Path, tmp_path: Path, size: int) -> None:
    change = in_manifest(lambda files: files[0].update(size=size))
    with pytest.raises(UsageError, match=r"entry for|more than"):
        unpack(changed(bundle, change), tmp_path)


def test_what_is_no_bundle_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(b"PK no")
    with pytest.raises(UsageError, match="not a readable evidence bundle"):
        unpack(file, tmp_path)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(UsageError, match="not an evidence bundle"):
        unpack(file, tmp_path)


def test_a_name_twice_is_told(bundle: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(bundle, "a") as archive:
            archive.writestr("run.json", "{}")
    target = tmp_path / "out"
    target.mkdir()
    _, problems = unpack(bundle, target)
    assert "run.json: in the bundle twice" in problems
