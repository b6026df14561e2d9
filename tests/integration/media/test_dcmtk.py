"""What DCMTK writes is found right, and what we write DCMTK and GDCM can read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.actors.media_creator import MediaCreator
from harness.actors.objects import archive_plan, make, uid_source
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
