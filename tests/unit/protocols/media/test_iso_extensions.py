"""ISO images with other trees beside the primary one: Joliet and Rock Ridge names say nothing of Level 1."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pycdlib
import pytest

from harness.actors.media.creator import MediaCreator
from harness.actors.media.importer import MediaImporter
from harness.actors.objects import uid_source
from harness.bdd.media_studies import media_study
from harness.protocols.media.iso9660 import IsoMedium
from harness.validation.finding import Severity
from harness.validation.media import validate_medium


def optional_program(name: str) -> str:
    """A burning program, which is not among the required peers: pycdlib shows the same in any case."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the peer program {name} is not installed (Debian package {name})")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    uid = uid_source(9)
    MediaCreator(None, None, uid).write(media_study("two patients", uid), tmp_path / "folder")
    return tmp_path / "folder"


def image_of(folder: Path, target: Path, *, joliet: bool, rock_ridge: bool, dot: str = ".;1") -> Path:
    """What burning programs write: Level 1 names, and long names in lower case in the extensions."""
    image = pycdlib.PyCdlib()
    options: dict[str, object] = {"interchange_level": 1, "vol_ident": "IHE_PDI"}
    if joliet:
        options["joliet"] = 3
    if rock_ridge:
        options["rock_ridge"] = "1.09"
    image.new(**options)
    for path in sorted(folder.rglob("*")):
        name = "/" + path.relative_to(folder).as_posix()
        other = {"joliet_path": name.lower()} if joliet else {}
        if rock_ridge:
            other["rr_name"] = path.name.lower()
        if path.is_dir():
            image.add_directory(name, **other)
        else:
            data = path.read_bytes()
            image.add_fp(io.BytesIO(data), len(data), name + (";1" if "." in path.name else dot), **other)
    image.write(str(target))
    image.close()
    return target


def errors(target: Path) -> set[str]:
    return {f.code for f in validate_medium(target, claimed="CD") if f.severity is not Severity.INFO}


@pytest.mark.parametrize(("joliet", "rock_ridge"), [(True, False), (False, True), (True, True)])
def test_lower_case_names_of_extensions_break_no_rule(
    joliet: bool, rock_ridge: bool, folder: Path, tmp_path: Path
) -> None:
    target = image_of(folder, tmp_path / "m.iso", joliet=joliet, rock_ridge=rock_ridge)
    medium = IsoMedium(target)
    with medium:
        assert medium.joliet is joliet
        assert {path for path in medium.entries if "/" not in path} == {
            "DICOM", "DICOMDIR", "IHE_PDI", "INDEX.HTM", "README.TXT",
        }  # fmt: skip
    assert errors(target) == set()
    assert len(MediaImporter(tmp_path / "store").load(target).imported) == 4


def test_lower_case_names_in_the_primary_tree_break_rules(folder: Path, tmp_path: Path) -> None:
    target = image_of(folder, tmp_path / "m.iso", joliet=True, rock_ridge=False)
    raw = target.read_bytes()
    # the first occurrence is that of the primary tree; Joliet has two bytes for each character
    target.write_bytes(raw.replace(b"README.TXT;1", b"readme.txt;1", 1))
    assert {"MEDIA-README", "MEDIA-NAME"} <= errors(target)


@pytest.mark.parametrize("place", range(17, 20))
def test_a_broken_joliet_descriptor_hides_nothing(place: int, folder: Path, tmp_path: Path) -> None:
    target = image_of(folder, tmp_path / "m.iso", joliet=True, rock_ridge=True)
    raw = bytearray(target.read_bytes())
    raw[place * 2048 + 8 : place * 2048 + 2048] = b"\xff" * 2040
    target.write_bytes(raw)
    assert errors(target) <= {"MEDIA-ISO"}
    assert len(MediaImporter(tmp_path / "store").load(target).imported) == 4


@pytest.mark.peer("genisoimage")
@pytest.mark.parametrize("extensions", [[], ["-J"], ["-r"], ["-J", "-r"]])
def test_images_of_genisoimage_break_no_rule(extensions: list[str], folder: Path, tmp_path: Path) -> None:
    program = optional_program("genisoimage")
    argv = [program, "-quiet", "-iso-level", "1", *extensions, "-V", "IHE_PDI", "-o", "m.iso", "folder"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert errors(tmp_path / "m.iso") == set()


@pytest.mark.peer("xorriso")
@pytest.mark.parametrize("extensions", [[], ["-J"]])
def test_images_of_xorriso_break_no_rule(extensions: list[str], folder: Path, tmp_path: Path) -> None:
    program = optional_program("xorriso")
    argv = [program, "-as", "mkisofs", "-quiet", "-iso-level", "1", *extensions]
    argv += ["-V", "IHE_PDI", "-o", "m.iso", "folder"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert errors(tmp_path / "m.iso") == set()
