"""DICOMDIR from hostile bytes, and paths that must not be followed."""

from __future__ import annotations

import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from harness.actors.objects import archive_plan, make, uid_source
from harness.protocols.media import pages
from harness.protocols.media.directory import Tree, parse
from harness.protocols.media.medium import unsafe
from harness.protocols.media.sources import open_medium
from harness.protocols.media.writing.records import DirectoryBuilder


def directory() -> bytes:
    builder = DirectoryBuilder("TEST", "1.2.3")
    for number, sample in enumerate(make(archive_plan(), uid_source(3)), 1):
        builder.add(sample.dataset, None, ["DICOM", f"IM{number:06d}"], "1.2.840.10008.1.2.1")
    return builder.encode()


def test_records_are_found_at_their_offsets() -> None:
    raw = directory()
    found = parse(raw)
    assert found.problems == []
    assert all(raw[record.offset : record.offset + 4] == b"\xfe\xff\x00\xe0" for record in found.records)
    tree = Tree(found)
    assert tree.problems == []
    assert tree.lost == []
    assert [root.text(0x00100010, "PN") for root in tree.roots][2] == "Hong^Gildong=洪^吉洞=홍^길동"


@pytest.mark.parametrize("seed", range(200))
def test_damaged_bytes_are_survived(seed: int) -> None:
    source = random.Random(seed)
    raw = bytearray(directory())
    for _ in range(source.randint(1, 12)):
        place = source.randrange(132, len(raw) - 4)
        struct.pack_into("<I", raw, place, source.choice((0, 0xFFFFFFFF, source.getrandbits(32), place)))
    damaged = bytes(raw[: source.randrange(132, len(raw))] if seed % 3 == 0 else raw)
    tree = Tree(parse(damaged))
    assert len(list(tree.walk())) <= len(tree.directory.records)


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "C:/x", "a\\b", "\\\\host\\x", "a//b", "a/.", "NUL", "A/COM1.TXT", "a\0b"],
)
def test_paths_that_leave_are_refused(path: str, tmp_path: Path) -> None:
    assert unsafe(path)
    target = tmp_path / "medium.zip"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(path.replace("\0", "\x01"), b"x")
    with open_medium(target) as medium:
        assert list(medium.files()) == []
        assert len(medium.refusals) == 1


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "LINK").symlink_to("/etc/passwd")
    with open_medium(tmp_path) as medium:
        assert [refusal.reason for refusal in medium.refusals] == ["a link"]
    info = zipfile.ZipInfo("LINK")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with open_medium(tmp_path / "m.zip") as medium:
        assert [refusal.reason for refusal in medium.refusals] == ["a link"]


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BOMB", bytes(64 << 20))
    with open_medium(tmp_path / "m.zip") as medium:
        assert medium.read("BOMB") == b""
        assert medium.refusals[0].reason.startswith("grows from")


def test_entities_are_not_expanded() -> None:
    page = pages.parse("A.HTM", b'<!DOCTYPE html [<!ENTITY a SYSTEM "file:///etc/passwd">]><html>&a;</html>')
    assert "entity" in page.problem
    assert page.text == ""
