"""The commands on real products: observe, statement dicom and ihe, verify, compare, lint."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import call
from harness.protocols.dicom import uids
from harness.statement.codec import load_statement
from harness.statement.model import Role, State
from tests.peers import require_program

ROOT = Path(__file__).resolve().parents[3]
SUT = ROOT / "fixtures" / "sut"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: list[str], port: int) -> Iterator[None]:
    """A program that listens on that port, until the block ends."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                break
            except OSError:
                assert process.poll() is None, f"{argv[0]} ended"
                assert time.monotonic() < deadline, f"{argv[0]} does not listen"
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def dcmqrscp(folder: Path) -> Iterator[int]:
    program, port = require_program("dcmqrscp"), free_port()
    (folder / "store").mkdir()
    (folder / "qr.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\n"
        f"VendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQRSCP {folder}/store RW (9, 9mb) ANY\nAETable END\n"
    )
    with running([program, "-c", str(folder / "qr.cfg"), str(port)], port):
        yield port


@contextmanager
def orthanc(folder: Path) -> Iterator[int]:
    program, port = "/usr/sbin/Orthanc", free_port()
    if not Path(program).exists():
        require_program(program)
    configuration = {
        "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"), "Plugins": [],
        "HttpServerEnabled": False, "DicomServerEnabled": True, "DicomAet": "ORTHANC", "DicomPort": port,
        "DicomCheckCalledAet": True, "DicomAlwaysAllowStore": True, "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True, "DicomAlwaysAllowGet": True,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with running([program, str(folder / "orthanc.json")], port):
        yield port


def observed(port: int, title: str, out: Path) -> Any:
    assert call(["observe", f"127.0.0.1:{port}", "--ae", title, "--pause", "0", "--out", str(out)]) == 0
    return load_statement(out)


@pytest.mark.peer("dcmtk")
def test_observe_sees_what_the_configuration_of_dcmqrscp_says_twice_the_same(tmp_path: Path) -> None:
    with dcmqrscp(tmp_path) as port:
        statement = observed(port, "QRSCP", tmp_path / "first.json")
        observed(port, "QRSCP", tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    policy = statement.entities[0].policy
    assert (policy.max_pdu, policy.checks_called_title, policy.checks_calling_title) == (16384, True, False)
    assert policy.implementation_version.startswith("OFFIS_DCMTK")
    by_key = {(c.uid, c.role): c for c in statement.sop_classes}
    assert by_key[(uids.VERIFICATION, Role.SCP)].standing.state is State.VERIFIED
    assert by_key[(uids.CT_IMAGE, Role.SCP)].standing.state is State.NEGOTIATED
    assert (uids.STUDY_ROOT_MOVE, Role.SCP) in by_key
    # it has neither worklist nor commitment, and takes no compressed syntax unless it is told to
    assert (uids.MODALITY_WORKLIST, Role.SCP) not in by_key
    assert (uids.STORAGE_COMMITMENT, Role.SCP) not in by_key
    assert uids.JPEG_2000 not in by_key[(uids.CT_IMAGE, Role.SCP)].transfer_syntaxes


@pytest.mark.peer("orthanc")
def test_observe_sees_storage_commitment_and_compression_of_orthanc(tmp_path: Path) -> None:
    with orthanc(tmp_path) as port:
        statement = observed(port, "ORTHANC", tmp_path / "orthanc.json.out")
    by_key = {(c.uid, c.role): c for c in statement.sop_classes}
    assert (uids.STORAGE_COMMITMENT, Role.SCP) in by_key
    assert uids.JPEG_2000_LOSSLESS in by_key[(uids.CT_IMAGE, Role.SCP)].transfer_syntaxes
    assert statement.entities[0].policy.checks_called_title is True


def test_observe_of_nobody_is_an_environment_failure(tmp_path: Path) -> None:
    out = tmp_path / "none.json"
    assert call(["observe", f"127.0.0.1:{free_port()}", "--ae", "NOBODY", "--out", str(out)]) == 3
    assert not out.exists()


@pytest.mark.peer("orthanc")
def test_a_run_fills_a_statement_and_judges_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/usr/sbin/Orthanc").exists():
        require_program("/usr/sbin/Orthanc")
    sut, run = SUT / "orthanc.toml", tmp_path / "run"
    assert call(["run", "--sut", str(sut), "--only", "RAD-16", "--out", str(run)]) in (0, 1, 5)
    stated = tmp_path / "stated.json"
    for kind in ("json", "xml"):
        target = tmp_path / f"stated.{kind}"
        arguments = ["--sut", str(sut), "--run", str(run), "--format", kind, "--out", str(target)]
        assert call(["statement", "dicom", *arguments]) == 0
    assert load_statement(stated) == load_statement(tmp_path / "stated.xml")
    assert call(["statement", "ihe", "--from", str(stated), "--format", "md", "--out", str(tmp_path / "ihe.md")]) == 0
    assert (
        "no integration claim" in (tmp_path / "ihe.md").read_text()
        or "contradicted" in (tmp_path / "ihe.md").read_text()
    )
    capsys.readouterr()
    # Orthanc answers an unknown move destination with C000: the claim of RAD-16 and the run differ
    assert call(["statement", "verify", str(stated), "--run", str(run), "--json"]) == 1
    subjects = [d["subject"] for d in json.loads(capsys.readouterr().out)["differences"]]
    assert any("RAD-16" in subject for subject in subjects)
    # a run that somebody improved by hand verifies nothing: its messages show other verdicts
    text = (run / "run.json").read_text()
    assert '"FAIL"' in text
    (run / "run.json").write_text(text.replace('"FAIL"', '"PASS"'))
    assert call(["statement", "dicom", "--sut", str(sut), "--run", str(run), "--out", str(stated)]) == 2
    assert call(["statement", "verify", str(tmp_path / "stated.json"), "--run", str(run)]) == 2


@pytest.mark.peer("dcmtk")
def test_a_sut_file_gives_an_observation_its_claims(tmp_path: Path) -> None:
    """The sweep says what is negotiated, the file what is claimed; no claim is verified by agreeing to it."""
    out = tmp_path / "whole.json"
    with dcmqrscp(tmp_path) as port:
        arguments = ["--sut", str(SUT / "dcmqrscp.toml"), "--pause", "0", "--out", str(out)]
        assert call(["observe", f"127.0.0.1:{port}", *arguments]) == 0
        assert call(["observe", f"127.0.0.1:{port}", "--out", str(out)]) == 2
        assert call(["observe", f"127.0.0.1:{port}", "--ae", "QRSCP", "--run", str(tmp_path), "--out", str(out)]) == 2
    statement = load_statement(out)
    assert statement.product.name == "dcmqrscp (DCMTK)"
    assert statement.claims
    assert {claim.standing.state for claim in statement.claims} == {State.DECLARED}
    assert (uids.GRAYSCALE_PRESENTATION_STATE, Role.SCP) in {(c.uid, c.role) for c in statement.sop_classes}


def test_simulated_actors_state_what_they_serve(tmp_path: Path) -> None:
    for slug, uid in (("image-manager", uids.STORAGE_COMMITMENT), ("order-filler", uids.MODALITY_WORKLIST)):
        out = tmp_path / f"{slug}.json"
        assert call(["statement", "dicom", "--actor", slug, "--format", "json", "--out", str(out)]) == 0
        assert uid in {c.uid for c in load_statement(out).sop_classes if c.role is Role.SCP}
    page = tmp_path / "page.html"
    assert call(["statement", "dicom", "--actor", "print-server", "--layout", "annex-n", "--out", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("order-placer", "Scheduled Workflow (SWF) | Order Placer"),
        ("adt", "Scheduled Workflow (SWF) | ADT"),
        ("media-creator", "Portable Media Creator"),
        ("media-importer", "Portable Media Importer"),
        ("softcopy-display", "Image Display"),
    ],
)
def test_actors_without_a_network_or_without_dicom_state_what_they_claim(slug: str, words: str, tmp_path: Path) -> None:
    out = tmp_path / "statement.md"
    assert call(["statement", "ihe", "--actor", slug, "--format", "md", "--out", str(out)]) == 0
    assert words in out.read_text()


def test_a_media_actor_states_its_profiles_and_an_hl7_actor_has_no_dicom_statement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "media.json"
    for slug, role in (("media-creator", "FSC"), ("media-importer", "FSR")):
        assert call(["statement", "dicom", "--actor", slug, "--format", "json", "--out", str(out)]) == 0
        assert ("STD-GEN-CD", (role,)) in {(m.name, m.roles) for m in load_statement(out).media}
    assert call(["statement", "dicom", "--actor", "adt", "--out", str(out)]) == 2
    assert "statement ihe --actor adt" in capsys.readouterr().err


def test_verify_finds_the_claim_that_a_seeded_defect_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sut, stated = str(SUT / "reference.toml"), str(tmp_path / "stated.json")
    scenario = ["--only", "swf/exam_simple_case/a_rejected_image_stays_out_of_the_step"]
    good, bad = str(tmp_path / "good"), str(tmp_path / "bad")
    assert call(["run", "--sut", sut, *scenario, "--out", good]) == 0
    assert call(["run", "--sut", sut, *scenario, "--defect", "final-no-end-time", "--out", bad]) == 1
    assert call(["statement", "dicom", "--sut", sut, "--run", good, "--format", "json", "--out", stated]) == 0
    capsys.readouterr()
    assert call(["statement", "verify", stated, "--run", good, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agrees"] is True
    assert call(["statement", "verify", stated, "--run", bad, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["differences"]
    assert any("RAD-7" in each["subject"] and "RAD-7-SCU-02" in each["seen"] for each in found)


def test_compare_and_lint_print_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manager = tmp_path / "manager.json"
    call(["statement", "dicom", "--actor", "image-manager", "--format", "json", "--out", str(manager)])
    capsys.readouterr()
    assert call(["statement", "compare", str(SUT / "reference.toml"), str(manager), "--json"]) == 0
    links = json.loads(capsys.readouterr().out)["links"]
    assert uids.STORAGE_COMMITMENT in {link["uid"] for link in links if not link["problem"]}
    gateway = ROOT / "fixtures" / "statements" / "gateway.csv"
    assert call(["statement", "lint", str(gateway), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["statement", "dicom"],
        ["statement", "dicom", "--actor", "toaster"],
        ["statement", "dicom", "--actor", "image-manager", "--run", "."],
        ["statement", "lint", "nowhere.json"],
        ["observe", "here", "--ae", "X"],
        ["observe", "127.0.0.1:1", "--ae", "A TITLE THAT IS TOO LONG"],
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(arguments) == 2
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names only
