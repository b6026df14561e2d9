"""``ihe-harness validate`` as scripts and people use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from lxml import etree

from harness.cli.validate import validate
from harness.core.errors import ConfigurationError, UsageError
from harness.core.message import Blob, Direction, Protocol
from harness.core.transcript import Transcript
from harness.protocols.dicom import command
from harness.reporting.evidence import EvidenceStore
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.formats import Judged, to_html, to_junit
from tests.peers import require_program
from tests.unit.validation import captures, samples
from tests.unit.validation.broken import PLACER

APP = typer.Typer()
APP.command()(validate)


def call(*arguments: object) -> int:
    """Exit code of one invocation; errors of usage are raised."""
    return int(APP([str(argument) for argument in arguments], standalone_mode=False))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good CT, a CT without patient ID, an HL7 message, something else."""
    good, bad = samples.ct(), samples.ct()
    bad.SOPInstanceUID = samples.UID + ".33"
    del bad.PatientID
    objects = tmp_path / "objects"
    objects.mkdir()
    (objects / "good.dcm").write_bytes(samples.part10(good))
    (objects / "bad.dcm").write_bytes(samples.part10(bad))
    (objects / "admit.hl7").write_bytes(samples.HL7_ADMIT)
    return objects


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = call(*arguments, "--json")
    return status, json.loads(capsys.readouterr().out)


def test_a_folder_is_judged_by_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = run_json(capsys, folder)
    assert status == 1
    assert (document["errors"], document["warnings"]) == (1, 0)
    kinds = {Path(entry["path"]).name: entry["kind"] for entry in document["files"]}
    assert kinds == {"admit.hl7": "hl7", "bad.dcm": "dicom", "good.dcm": "dicom"}
    found = [f for entry in document["files"] for f in entry["findings"] if f["severity"] == "error"]
    assert found == [
        {
            "code": "IOD-2-MISSING",
            "severity": "error",
            "locator": "(0010,0020) PatientID",
            "expected": "an element of type 2",
            "actual": "absent",
            "clause": "PS3.3 patient module",
        }
    ]


def test_conformant_files_exit_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder / "good.dcm", folder / "admit.hl7") == 0
    assert "2 files, 0 errors, 0 warnings" in capsys.readouterr().out


def test_text_output_fits_80_columns(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    call(folder, "--info")
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert any("IOD-2-MISSING" in line for line in lines)


def test_what_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        call(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no file to validate"):
        call(tmp_path)


def test_an_unreadable_file_is_a_finding(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    status, document = run_json(capsys, folder / "good.dcm")
    assert status == 1
    assert document["files"][0]["findings"][0]["code"] == "FILE-UNREADABLE"


def test_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path, capsys: Any) -> None:
    (folder / "link.dcm").symlink_to(tmp_path / "elsewhere.dcm")
    (tmp_path / "elsewhere.dcm").write_bytes(b"secret")
    _, document = run_json(capsys, folder)
    assert "link.dcm" not in {Path(entry["path"]).name for entry in document["files"]}


def test_a_baseline_accepts_what_it_knows_and_nothing_else(folder: Path, tmp_path: Path, capsys: Any) -> None:
    baseline = tmp_path / "baseline.json"
    assert call(folder, "--format", "json", "--out", baseline) == 1
    status, document = run_json(capsys, folder, "--baseline", baseline)
    assert (status, document["errors"]) == (0, 0)
    assert document["accepted"] > 0
    worse = samples.ct()
    del worse.PatientID
    worse.SOPInstanceUID, worse.KVP = samples.UID + ".33", None
    del worse.KVP
    (folder / "bad.dcm").write_bytes(samples.part10(worse))
    status, document = run_json(capsys, folder, "--baseline", baseline)
    assert (status, document["errors"]) == (1, 1)
    baseline.write_text("[]")
    with pytest.raises(ConfigurationError, match="no output of validate"):
        call(folder, "--baseline", baseline)


def test_entries_of_a_baseline_that_nothing_raises_are_told(folder: Path, tmp_path: Path, capsys: Any) -> None:
    baseline = tmp_path / "baseline.json"
    call(folder, "--format", "json", "--out", baseline)
    capsys.readouterr()
    call(folder, "--baseline", baseline)
    assert "of the baseline" not in capsys.readouterr().out.replace("accepted by the baseline", "")
    (folder / "bad.dcm").write_bytes((folder / "good.dcm").read_bytes())
    status, document = run_json(capsys, folder, "--baseline", baseline)
    assert status == 0
    gone = [entry for entry in document["stale"] if entry["code"] == "IOD-2-MISSING"]
    assert [(Path(entry["path"]).name, entry["locator"]) for entry in gone] == [("bad.dcm", "(0010,0020) PatientID")]
    call(folder, "--baseline", baseline)
    printed = capsys.readouterr().out
    assert "raised by nothing any more" in printed
    assert "IOD-2-MISSING (0010,0020) PatientID" in " ".join(printed.split())
    _, document = run_json(capsys, folder / "good.dcm", "--baseline", baseline)
    assert document["stale"] == []  # what was not looked at is not stale
    (folder / "bad.dcm").unlink()
    _, document = run_json(capsys, folder / "good.dcm", "--baseline", baseline)
    assert "IOD-2-MISSING" in {entry["code"] for entry in document["stale"]}  # what is gone is


def test_a_text_in_a_folder_is_no_error_but_one_that_was_asked_for_is(folder: Path, capsys: Any) -> None:
    (folder / "bad.dcm").unlink()
    (folder / "README.txt").write_text("Read me.")
    status, document = run_json(capsys, folder)
    assert (status, document["warnings"]) == (0, 1)
    status, document = run_json(capsys, folder / "README.txt")
    assert status == 1
    assert [finding["code"] for finding in document["files"][0]["findings"]] == ["FILE-NOT-DICOM"]


def test_a_capture_is_a_conversation(tmp_path: Path, capsys: Any) -> None:
    good, bad = tmp_path / "good.pcap", tmp_path / "bad.pcap"
    good.write_bytes(captures.pcap(map(captures.ethernet, captures.packets([captures.WHOLE]))))
    late = captures.OPEN.client(captures.store()).then(captures.CLOSE)
    bad.write_bytes(captures.pcap(map(captures.ethernet, captures.packets([late.server(captures.store(Priority=7))]))))
    status, document = run_json(capsys, good, bad)
    assert status == 1
    assert [entry["kind"] for entry in document["files"]] == ["conversation", "conversation"]
    found = [{f["code"] for f in entry["findings"] if f["severity"] != "info"} for entry in document["files"]]
    assert found[0] == set()
    assert {"CONV-NO-RESPONSE", "CONV-SEQUENCE", "CMD-PRIORITY"} <= found[1]


def test_a_run_is_judged_by_what_the_product_said(tmp_path: Path, capsys: Any) -> None:
    """A wrong message of ours is context; the same message of the product is an error."""
    header = Blob.of(command.encode({"CommandField": 0x0030, "MessageID": 1, "CommandDataSetType": 1}))
    store = EvidenceStore(tmp_path / "run")
    names = []
    for direction in (Direction.TO_SUT, Direction.FROM_SUT):
        transcript = Transcript(clock=lambda: 1.0)
        transcript.record(direction, Protocol.DICOM, "C-ECHO-RQ", header=header, fields={"MessageID": 1})
        names.append(store.store_transcript(f"case {direction}", transcript))
    (tmp_path / "run" / "run.json").write_text("{}")
    status, document = run_json(capsys, tmp_path / "run")
    by_name = {Path(entry["path"]).name: entry["findings"] for entry in document["files"]}
    ours, theirs = (by_name[Path(name).name] for name in names)
    assert status == 1
    assert [f for f in ours if f["severity"] == "error"] == []
    assert {"CMD-MISSING", "CMD-DATA-SET-TYPE"} <= {f["code"] for f in theirs}


def test_a_named_transaction_makes_its_field_usage_binding(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "order.hl7"
    path.write_bytes(PLACER)
    assert call(path, "--transaction", "RAD-2") == 0
    assert call(path, "--transaction", "RAD-4") == 1
    with pytest.raises(UsageError, match="RAD-99"):
        call(path, "--transaction", "RAD-99")


def test_it_starts_without_the_libraries_that_it_does_not_need() -> None:
    program = (
        "import sys, harness.cli.validate; print(*(m for m in ('pydicom', 'pynetdicom', 'numpy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_sarif_names_rules_and_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(folder, "--format", "sarif")
    run = json.loads(capsys.readouterr().out)["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    errors = [result for result in run["results"] if result["level"] == "error"]
    assert [rules[result["ruleIndex"]] for result in errors] == ["IOD-2-MISSING"]
    assert errors[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("bad.dcm")


def test_junit_fails_the_file_with_errors(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.xml"
    assert call(folder, "--format", "junit", "--out", target) == 1
    root = etree.parse(str(target)).getroot()
    failed = [case.get("name", "") for case in root.iter("testcase") if case.find("failure") is not None]
    assert [Path(name).name for name in failed] == ["bad.dcm"]


def test_hostile_values_cannot_break_a_report() -> None:
    finding = ValidationFinding("IOD-2-MISSING", Severity.ERROR, "<script>\x00", "]]>&\x1b", "\ufffe\"'<b>", "c")
    file = Judged("<img src=x>\x0b.dcm", "dicom", (finding,))
    page = to_html([file])
    assert "<script>" not in page
    assert "<img" not in page
    etree.fromstring(to_junit([file]).encode())


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--explain", "VR-SH-LENGTH") == 0
    assert "longer than its VR allows" in capsys.readouterr().out
    with pytest.raises(UsageError, match="no finding has the code"):
        call("--explain", "VR-NOTHING")


def test_objects_of_a_set_are_compared(folder: Path, capsys: Any) -> None:
    other = samples.ct()
    other.SOPInstanceUID, other.PatientName, other.SeriesNumber = samples.UID + ".34", "Roe^Jane", "2"
    (folder / "other.dcm").write_bytes(samples.part10(other))
    (folder / "twin.dcm").write_bytes(samples.part10(samples.ct()))
    note = samples.key_object()
    note.SOPInstanceUID, note.SeriesInstanceUID = samples.UID + ".35", samples.UID + ".36"
    (folder / "note.dcm").write_bytes(samples.part10(note))
    _, alone = run_json(capsys, folder)
    assert not {f["code"] for e in alone["files"] for f in e["findings"] if f["code"].startswith("SET-")}
    _, document = run_json(capsys, folder, "--set")
    found = {
        (Path(entry["path"]).name, finding["code"], finding["locator"])
        for entry in document["files"]
        for finding in entry["findings"]
        if finding["code"].startswith("SET-")
    }
    assert found == {
        ("other.dcm", "SET-PATIENT", "(0010,0010) PatientName"),
        ("other.dcm", "SET-SERIES", "(0020,0011) SeriesNumber"),
        ("twin.dcm", "SET-UID-DUPLICATE", "(0008,0018) SOPInstanceUID"),
        ("note.dcm", "SET-REFERENCE", "(0008,1155) ReferencedSOPInstanceUID"),
    }


POLICY = """
[attributes.AccessionNumber]
required = true
pattern = "[0-9]{8}"
check_digit = "luhn"
[attributes.PatientID]
required = true
[attributes.Modality]
values = ["MR"]
[codes.ConceptNameCodeSequence]
schemes = ["LOCAL"]
[study]
maximum_images = 1
"""


def test_a_site_s_policy_is_judged(folder: Path, tmp_path: Path, capsys: Any) -> None:
    policy = tmp_path / "site.toml"
    policy.write_text(POLICY)
    mistyped = samples.ct()
    mistyped.AccessionNumber, mistyped.SOPInstanceUID = "12345675", samples.UID + ".40"
    (folder / "mistyped.dcm").write_bytes(samples.part10(mistyped))
    right = samples.ct()
    right.AccessionNumber, right.SOPInstanceUID = "12345674", samples.UID + ".41"
    (folder / "right.dcm").write_bytes(samples.part10(right))
    (folder / "note.dcm").write_bytes(samples.part10(samples.key_object()))
    _, document = run_json(capsys, folder, "--policy", policy)
    found = {
        (Path(entry["path"]).name, finding["code"])
        for entry in document["files"]
        for finding in entry["findings"]
        if finding["code"].startswith("SITE-")
    }
    assert found == {
        *((name, "SITE-VALUE") for name in ("bad.dcm", "good.dcm", "mistyped.dcm", "right.dcm", "note.dcm")),
        *((name, "SITE-PATTERN") for name in ("bad.dcm", "good.dcm", "note.dcm")),
        ("bad.dcm", "SITE-REQUIRED"),
        ("mistyped.dcm", "SITE-CHECK-DIGIT"),
        ("note.dcm", "SITE-CODING-SCHEME"),
        ("bad.dcm", "SITE-STUDY-SIZE"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[other]", "unknown table"),
        ("[attributes.Nothing]", "no attribute of the data dictionary"),
        ('[attributes.PatientID]\ncheck_digit = "crc"', "one of luhn"),
        ('[attributes.PatientID]\npattern = "("', "no regular expression"),
        ("[attributes.PatientID]\nwrong = 1", "unknown key"),
        ("=", "cannot be read"),
    ],
)
def test_a_wrong_policy_is_refused(folder: Path, tmp_path: Path, text: str, message: str) -> None:
    policy = tmp_path / "site.toml"
    policy.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        call(folder, "--policy", policy)


@pytest.mark.peer("dciodvfy")
def test_a_second_opinion_stands_beside_ours(folder: Path, capsys: Any) -> None:
    require_program("dciodvfy")
    _, document = run_json(capsys, folder / "bad.dcm", "--second-opinion")
    opinion = document["files"][0]["second_opinion"]
    assert opinion["verdict"] == "errors"
    assert any("PatientID" in line for line in opinion["lines"])


def test_an_abort_of_the_second_opinion_is_no_verdict(
    folder: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dciodvfy").write_text("#!/bin/sh\necho 'Error - something' >&2\nkill -ABRT $$\n")
    (programs / "dciodvfy").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    status, document = run_json(capsys, folder / "good.dcm", "--second-opinion")
    assert status == 0
    assert document["files"][0]["second_opinion"]["verdict"] == "no verdict (it aborted)"
    monkeypatch.setenv("PATH", str(tmp_path))
    _, document = run_json(capsys, folder / "good.dcm", "--second-opinion")
    assert "not installed" in document["files"][0]["second_opinion"]["verdict"]
