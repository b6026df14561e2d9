"""What DCMTK writes is found right, and what we write DCMTK and GDCM can read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.actors.media.creator import MediaCreator
from harness.actors.objects import archive_plan, make, uid_source
from harness.bdd.media_studies import media_study
from harness.protocols.media.writing import MediumPlan
from harness.validation.media import validate_medium
from tests.peers import require_program


@pytest.mark.peer("dcmtk")
def test_dcmmkdir_and_we_agree(tmp_path: Path) -> None:
    program = require_program("dcmmkdir")
    (tmp_path / "DICOM").mkdir()
    for number, sample in enumerate(make(archive_plan(), uid_source(4)), 1):
        sample.dataset.save_as(tmp_path / "DICOM" / f"IM{number:06d}", enforce_file_format=True)
    done = subprocess.run([program, "-Pgp", "+r", "+id", ".", "DICOM"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {finding.code for finding in validate_medium(tmp_path)} == {"MEDIA-README"}


@pytest.mark.peer("dicom3tools")
def test_dcdirdmp_reads_what_we_write(tmp_path: Path) -> None:
    program = require_program("dcdirdmp")
    samples = make(archive_plan(), uid_source(5))
    MediaCreator().write([sample.dataset for sample in samples], tmp_path / "m")
    done = subprocess.run([program, str(tmp_path / "m" / "DICOMDIR")], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("latin-1")
    assert text.count(" -> ") == len(samples)
    assert "Error" not in text


@pytest.mark.peer("gdcm")
def test_gdcmgendir_is_judged_for_what_it_really_gets_wrong(tmp_path: Path) -> None:
    """GDCM repeats names without their character set, and takes the last record of all for that of the root."""
    program = require_program("gdcmgendir")
    (tmp_path / "DICOM").mkdir()
    for number, sample in enumerate(make(archive_plan(), uid_source(4)), 1):
        sample.dataset.save_as(tmp_path / "DICOM" / f"IM{number:06d}", enforce_file_format=True)
    done = subprocess.run([program, "-r", "-i", ".", "-o", "DICOMDIR"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = validate_medium(tmp_path)
    assert {one.code for one in found} == {"MEDIA-README", "MEDIA-OFFSETS", "MEDIA-CHARACTER-SET", "MEDIA-KEY-VALUE"}
    assert [one.locator for one in found if one.code == "MEDIA-OFFSETS"] == ["(0004,1202)"]
    assert all("PatientName" in one.locator for one in found if one.code == "MEDIA-KEY-VALUE")


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    ("profile", "option", "kind"),
    [
        ("STD-GEN-CD", "-Pgp", "CD"),
        ("STD-GEN-DVD-JPEG", "-Pdv", "DVD"),
        ("STD-GEN-DVD-J2K", "-Pd2", "DVD"),
        ("STD-GEN-USB-JPEG", "-Pfl", "USB"),
        ("STD-GEN-USB-J2K", "-Pf2", "USB"),
    ],
)
def test_dcmmkdir_takes_what_we_wrote_for_its_profile(profile: str, option: str, kind: str, tmp_path: Path) -> None:
    """The profile checks of DCMTK over the files of our medium, and ours over the DICOMDIR of DCMTK."""
    program = require_program("dcmmkdir")
    uid = uid_source(6)
    plan = MediumPlan(profile, web=False)
    MediaCreator(plan, None, uid).write(media_study("compressed images", uid), tmp_path / "m")
    (tmp_path / "m" / "DICOMDIR").unlink()
    argv = [program, option, "-W", "+r", "+id", ".", "DICOM"]
    done = subprocess.run(argv, cwd=tmp_path / "m", capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert validate_medium(tmp_path / "m", claimed=kind) == []
