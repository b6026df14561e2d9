"""One folder for each scenario: what a person needs to follow a test without this program."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pydicom
import pytest

from harness.cli.main import call
from harness.core.verdict import Verdict
from harness.reporting.dossier import write_dossier
from tests.unit.reporting import builders


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    builders.build_run(folder)
    return folder


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_each_scenario_that_applied_has_a_folder(run: Path, tmp_path: Path) -> None:
    result = builders.build_run(tmp_path / "again")
    meant = [s for s in result.scenarios if s.verdict is not Verdict.NOT_APPLICABLE]
    assert write_dossier(run, tmp_path / "x.zip") == len(meant)
    files = unzipped(tmp_path / "x.zip")
    assert len({name.split("/")[0] for name in files}) == len(meant)
    texts = [data.decode() for name, data in files.items() if name.endswith("result.txt")]
    assert [text.split(": ", 1)[1].splitlines()[0] for text in texts] == [scenario.name for scenario in meant]
    assert any(
        "The final step lists 3 images; 4 were stored." in text and "came 3 references" in text for text in texts
    )


def test_messages_are_files_that_others_open_and_words(run: Path, tmp_path: Path) -> None:
    write_dossier(run, tmp_path / "x.zip")
    files = unzipped(tmp_path / "x.zip")
    stored = next(data for name, data in files.items() if name.endswith("C-STORE-RQ.dcm"))
    opened = pydicom.dcmread(io.BytesIO(stored))
    assert opened.PatientName == builders.PATIENT_NAME
    assert opened.file_meta.MediaStorageSOPInstanceUID == opened.SOPInstanceUID
    order = next(name for name in files if name.endswith(".hl7"))
    assert files[order] == builders.ORDER_MESSAGE.encode()
    assert builders.PATIENT_ID in files[order.replace(".hl7", ".txt")].decode()
    listed = next(data for name, data in files.items() if name.endswith("messages.txt")).decode()
    assert "--> Image Manager/Archive" in listed


def test_persons_are_taken_out_unless_told_not_to(run: Path, tmp_path: Path) -> None:
    for more in ((), ("--no-redact",)):
        assert call(["evidence", "folders", str(run), "--out", str(tmp_path / "x.zip"), *more]) == 0
        found = any(builders.PATIENT_ID.encode() in data for data in unzipped(tmp_path / "x.zip").values())
        assert found is bool(more)
    assert call(["evidence", "folders", str(run), "--out", str(tmp_path / "none" / "x.zip")]) == 2
