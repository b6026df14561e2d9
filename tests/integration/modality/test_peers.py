"""The modality with programs that nobody here wrote."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from harness.modality.config import from_mapping
from harness.modality.errors import Cause, PeerProblem
from harness.modality.service import Modality
from tests.integration.modality import programs
from tests.integration.print.dcmtk import print_scp
from tests.peers import require_program

NODES = ("mwl", "mpps", "qr", "storage", "commitment", "printer")


@pytest.fixture
def modality(tmp_path: Path) -> Iterator[Modality]:
    settings = from_mapping(
        {
            "local": {"port": 0},
            "nodes": {name: {"enabled": False} for name in NODES},
            "end_exam": {"send": False},
        }
    )
    with Modality(tmp_path / "home", settings=settings, seed=7) as opened:
        opened.listen()
        yield opened


def point(modality: Modality, title: str, port: int, *names: str) -> None:
    values = [
        f"nodes.{n}.{k}={v}" for n in names for k, v in (("enabled", "true"), ("ae_title", title), ("port", port))
    ]
    modality.administration.config_set(values)


def exam(modality: Modality, count: int = 2, kind: str = "DX") -> dict[str, Any]:
    key = modality.registration.register(patient_id="P1", patient_name="Doe^John", sex="M", modality=kind)["exam"]
    modality.examination.start(key)
    modality.examination.expose(key, count=count)
    return modality.examination.end(key)


@pytest.mark.peer("dcmtk")
def test_worklist_of_dcmtk(modality: Modality, tmp_path: Path) -> None:
    with programs.worklist(tmp_path) as port:
        point(modality, "WLM", port, "mwl")
        broad = modality.registration.worklist(date="20261121", modality="DX", station="me")
        assert [row["step_id"] for row in broad["items"]] == ["SPS7", "SPS8"]
        assert len(modality.registration.worklist(patient_id="PID7")["items"]) == 3
        assert modality.registration.worklist(date="20200101-20200102")["items"] == []
        modality.registration.worklist()
        made = modality.registration.register(step_ids=["SPS7"])
        assert (made["accession_number"], made["study_instance_uid"]) == ("ACC7", "1.2.3.7")
        point(modality, "NOBODY", port, "mwl")
        with pytest.raises(PeerProblem) as caught:
            modality.registration.worklist()
        assert caught.value.cause is Cause.REJECTED


@pytest.mark.peer("dcmtk")
def test_storage_on_dcmtk_arrives_bit_by_bit(modality: Modality, tmp_path: Path) -> None:
    with programs.storage(tmp_path) as port:
        point(modality, "STORE", port, "storage")
        done = exam(modality)
        sent = modality.delivery.send(done["exam"])
    assert sent["exams"][0]["state"] == "sent"
    received = {str(dcmread(path).SOPInstanceUID): dcmread(path) for path in (tmp_path / "received").iterdir()}
    for each in done["objects"]:
        own = dcmread(modality.studies.file_of(each["sop_instance_uid"]))
        assert received[each["sop_instance_uid"]] == own


@pytest.mark.peer("dcmtk")
def test_storage_falls_back_to_what_the_peer_accepts(modality: Modality, tmp_path: Path) -> None:
    modality.administration.config_set(["end_exam.transfer_syntax=jpeg-lossless"])
    done = exam(modality, 1)
    own = modality.studies.file_of(done["objects"][0]["sop_instance_uid"])
    assert dcmread(own).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    with programs.storage(tmp_path, "+xi") as port:
        point(modality, "STORE", port, "storage")
        assert modality.delivery.send(done["exam"])["exams"][0]["state"] == "sent"
    (arrived,) = (dcmread(path) for path in (tmp_path / "received").iterdir())
    assert arrived.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert len(arrived.PixelData) == 256 * 256 * 2


@pytest.mark.peer("dcmtk")
def test_query_and_retrieve_with_dcmtk(modality: Modality, tmp_path: Path) -> None:
    with programs.query_retrieve(tmp_path, modality.listener.port) as port:
        point(modality, "QRSCP", port, "storage", "qr")
        done = exam(modality)
        modality.delivery.send(done["exam"])
        study = done["study_instance_uid"]
        found = modality.retrieval.find(patient_id="P1")["items"]
        assert [row["StudyInstanceUID"] for row in found] == [study]
        series = modality.retrieval.find(level="SERIES", study_instance_uid=study)["items"]
        assert len(series) == 1
        images = modality.retrieval.find(
            level="IMAGE", study_instance_uid=study, series_instance_uid=series[0]["SeriesInstanceUID"]
        )
        assert {row["SOPInstanceUID"] for row in images["items"]} == {o["sop_instance_uid"] for o in done["objects"]}
        moved = modality.retrieval.move(study)
        assert moved["completed"] == 2
        assert modality.retrieval.get(study)["completed"] == 2
        assert modality.administration.db_check()["ok"]
        with pytest.raises(PeerProblem, match="does not know the destination"):
            modality.retrieval.move(study, destination="NOBODY")
        assert modality.administration.verify("qr")[0]["ok"]


@pytest.mark.peer("orthanc")
def test_storage_and_commitment_with_orthanc(modality: Modality, tmp_path: Path) -> None:
    with programs.orthanc(tmp_path, modality.listener.port) as port:
        point(modality, "ORTHANC", port, "storage", "commitment", "qr")
        done = exam(modality)
        modality.delivery.send(done["exam"])
        answer = modality.delivery.commit(done["exam"])
        assert answer["commitments"][0]["state"] == "committed"
        assert modality.studies.delete(done["study_instance_uid"])["objects"] == 2
        assert modality.retrieval.move(done["study_instance_uid"])["completed"] == 2
        assert len(modality.studies.instances(done["study_instance_uid"])) == 2


@pytest.mark.peer("dcmtk")
def test_print_with_dcmtk(modality: Modality, tmp_path: Path) -> None:
    with print_scp(tmp_path, "IHEFULL") as port:
        point(modality, "IHEFULL", port, "printer")
        done = exam(modality)
        uids = [o["sop_instance_uid"] for o in done["objects"]]
        assert modality.printing.printer_status()["PrinterStatus"] == "NORMAL"
        job = modality.printing.print_film(uids, layout="1x2")
        assert (job["state"], job["message"]) == ("done", "printed")
    assert len(list((tmp_path / "db").glob("SP_*.dcm"))) == 1


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("kind", ["DX", "CR", "CT", "MR", "US", "SC"])
def test_every_kind_of_image_is_valid(modality: Modality, kind: str) -> None:
    done = exam(modality, 1, kind)
    assert errors(modality.studies.file_of(done["objects"][0]["sop_instance_uid"])) == []


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize(("rotate", "flip_h", "flip_v"), [(0, False, False), (90, True, False), (270, False, True)])
def test_presentation_states_and_key_notes_are_valid(
    modality: Modality, rotate: int, flip_h: bool, flip_v: bool
) -> None:
    done = exam(modality)
    uids = [o["sop_instance_uid"] for o in done["objects"]]
    state = modality.review.save_gsps(
        uids, window_center=2000, window_width=3000, zoom=2, rotate=rotate, flip_h=flip_h, flip_v=flip_v,
        length=[10, 10, 110, 10], angle=[10, 0, 0, 0, 0, 10],
    )  # fmt: skip
    note = modality.review.key_note(uids, title="113001", reason="111209", description="turned")
    for made in (state, note):
        assert errors(modality.studies.file_of(made["sop_instance_uid"])) == []
        assert made["kind"] == "append"


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("syntax", ["deflated", "rle", "jpeg-baseline", "jpeg-extended", "jpeg-lossless", "jpeg-ls"])
def test_compressed_objects_are_read_by_dcmtk(modality: Modality, tmp_path: Path, syntax: str) -> None:
    tools = {"rle": "dcmdrle", "jpeg-ls": "dcmdjpls", "deflated": "dcmconv"}
    program = require_program(tools.get(syntax, "dcmdjpeg"))
    modality.administration.config_set([f"end_exam.transfer_syntax={syntax}"])
    done = exam(modality, 1)
    kept = [o for o in done["objects"] if o["state"] == "confirmed"]
    plain = tmp_path / "plain.dcm"
    file = modality.studies.file_of(kept[0]["sop_instance_uid"])
    subprocess.run([program, *(["+te"] if program.endswith("dcmconv") else []), file, plain], check=True)
    modality.administration.config_set(["end_exam.transfer_syntax=explicit"])
    original = dcmread(modality.studies.file_of(exam(modality, 1)["objects"][0]["sop_instance_uid"])).pixel_array
    decoded = dcmread(plain)
    lossy = syntax in {"jpeg-baseline", "jpeg-extended"}
    assert decoded.LossyImageCompression == ("01" if lossy else "00")
    values = decoded.pixel_array.astype(int)
    if syntax == "jpeg-baseline":
        assert decoded.BitsStored == 8
        values = values * 16
    # The phantom is noisy on purpose, so single pixels of a lossy copy may be off; the picture as a whole may not.
    deviation = abs(values - original.astype(int))
    assert deviation.max() <= (320 if lossy else 0)
    assert deviation.mean() <= 32


def errors(path: Path) -> list[str]:
    """Return what dciodvfy calls an error."""
    result = subprocess.run([require_program("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1}, result.stderr
    return [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("Error")]
