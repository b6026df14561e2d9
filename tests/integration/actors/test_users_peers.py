"""Our users against servers that nobody here wrote: wlmscpfs, dcmqrscp and Orthanc."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.actors import objects
from harness.actors.acquisition import Acquisition
from harness.actors.archive_keys import Level
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager_behaviour import Reference
from harness.core.transcript import Transcript
from harness.protocols.dicom.node import Address
from tests.integration.actors.tools import free_port, run, serving

SAMPLES = objects.make(objects.archive_plan()[:4], objects.uid_source(21))
FIRST = str(SAMPLES[0].dataset.StudyInstanceUID)
OF_FIRST = {sample.sop_instance for sample in SAMPLES if sample.dataset.StudyInstanceUID == FIRST}


@pytest.fixture
def transcript() -> Iterator[Transcript]:
    transcript = Transcript()
    yield transcript
    assert transcript.faults == ()


@pytest.fixture
def modality(transcript: Transcript) -> Iterator[Acquisition]:
    with Acquisition("MODALITY", transcript) as actor:
        yield actor


@pytest.fixture
def display(transcript: Transcript) -> Iterator[ImageDisplay]:
    with ImageDisplay("DISPLAY", transcript) as actor:
        yield actor


def exercise(archive: Address, modality: Acquisition, display: ImageDisplay) -> None:
    stored = modality.store(archive, SAMPLES)
    assert {answer.status for answer in stored} == {0}
    studies = display.query(archive, Level.STUDY, {"PatientID": "P-1002"})
    assert studies.status == 0
    assert {str(answer.PatientName) for answer in studies.datasets()} == {"Yamada^Tarou=山田^太郎=やまだ^たろう"}
    series = display.query(archive, Level.SERIES, {"StudyInstanceUID": FIRST, "Modality": "CT"})
    assert len(series.pending) == 1
    images = display.query(
        archive,
        Level.IMAGE,
        {"StudyInstanceUID": FIRST, "SeriesInstanceUID": str(series.datasets()[0].SeriesInstanceUID)},
    )
    assert len(images.pending) == 3
    moved = display.move(archive, Level.STUDY, {"StudyInstanceUID": FIRST})
    assert moved.status == 0
    assert {one.sop_instance for one in display.received} == OF_FIRST
    original = {sample.sop_instance: sample.dataset.PixelData for sample in SAMPLES}
    assert all(one.dataset().PixelData == original[one.sop_instance] for one in display.received)
    display.reset()
    classes = sorted({sample.sop_class for sample in SAMPLES})
    assert display.get(archive, Level.STUDY, {"StudyInstanceUID": FIRST}, storage_classes=classes).status == 0
    assert {one.sop_instance for one in display.received} == OF_FIRST


@pytest.mark.peer("dcmtk")
def test_dcmqrscp_stores_finds_moves_and_gets(tmp_path: Path, modality: Acquisition, display: ImageDisplay) -> None:
    port = free_port()
    (tmp_path / "db").mkdir()
    configuration = tmp_path / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\ndisplay = (DISPLAY, 127.0.0.1, {display.port})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nARCHIVE {tmp_path / 'db'} RW (200, 100mb) ANY\nAETable END\n"
    )
    with serving("dcmqrscp", "-c", configuration, port=port, cwd=tmp_path):
        exercise(Address("ARCHIVE", "127.0.0.1", port), modality, display)


@pytest.mark.peer("orthanc")
def test_orthanc_stores_finds_moves_gets_and_commits(
    tmp_path: Path, modality: Acquisition, display: ImageDisplay
) -> None:
    port = free_port()
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "archive",
                "StorageDirectory": str(tmp_path / "db"),
                "IndexDirectory": str(tmp_path / "db"),
                "DicomAet": "ARCHIVE",
                "DicomPort": port,
                "HttpServerEnabled": False,
                "DefaultEncoding": "Utf8",
                "DicomAlwaysAllowGet": True,
                "DicomAlwaysAllowFind": True,
                "DicomAlwaysAllowMove": True,
                "DicomModalities": {
                    "display": ["DISPLAY", "127.0.0.1", display.port],
                    "modality": ["MODALITY", "127.0.0.1", modality.port],
                },
                "Plugins": [],
            }
        )
    )
    with serving("Orthanc", configuration, port=port, cwd=tmp_path):
        archive = Address("ARCHIVE", "127.0.0.1", port)
        exercise(archive, modality, display)
        request = modality.request_commitment(archive, SAMPLES)
        assert request.answer.status == 0
        result = modality.wait_result(request.transaction_uid, 10)
        assert result is not None
        assert {one.sop_instance for one in result.committed} == {sample.sop_instance for sample in SAMPLES}
        unknown = modality.request_commitment(archive, [Reference(SAMPLES[0].sop_class, "1.2.3.4.5")])
        failed = modality.wait_result(unknown.transaction_uid, 10)
        assert failed is not None
        assert [reason for _, reason in failed.failed] == [0x0112]


@pytest.mark.peer("dcmtk")
def test_wlmscpfs_answers_our_worklist_queries(tmp_path: Path, modality: Acquisition) -> None:
    port = free_port()
    folder = tmp_path / "wl" / "FILLER"
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for number, (modality_of_step, name) in enumerate((("CT", "DOE^JOHN"), ("MR", "ROE^JANE"), ("CT", "DOE^JIM"))):
        dump = tmp_path / f"{number}.dump"
        dump.write_text(
            f"(0010,0010) PN [{name}]\n(0010,0020) LO [P{number}]\n(0020,000d) UI [1.2.{number}]\n"
            f"(0008,0050) SH [A{number}]\n(0032,1060) LO [Head]\n(0040,1001) SH [R{number}]\n"
            "(0040,0100) SQ\n(fffe,e000) -\n"
            f"(0008,0060) CS [{modality_of_step}]\n(0040,0001) AE [MODALITY]\n(0040,0002) DA [2026010{number + 1}]\n"
            f"(0040,0003) TM [100000]\n(0040,0009) SH [S{number}]\n(0040,0007) LO [Head native]\n"
            "(fffe,e00d) -\n(fffe,e0dd) -\n"
        )
        run("dump2dcm", "+te", dump, folder / f"{number}.wl")
    with serving("wlmscpfs", "-s", "-dfp", tmp_path / "wl", str(port), port=port, cwd=tmp_path):
        filler = Address("FILLER", "127.0.0.1", port)
        assert len(modality.worklist.query(filler).pending) == 3
        by_modality = modality.worklist.query(filler, {"Modality": "CT"}).datasets()
        assert sorted(str(answer.StudyInstanceUID) for answer in by_modality) == ["1.2.0", "1.2.2"]
        ranged = modality.worklist.query(filler, {"ScheduledProcedureStepStartDate": "20260102-20260103"})
        assert len(ranged.pending) == 2
        assert len(modality.worklist.query(filler, {"PatientName": "DOE*", "PatientID": "P2"}).pending) == 1
        nothing = modality.worklist.query(filler, {"PatientID": "NOBODY"})
        assert (nothing.status, nothing.pending) == (0, ())
