"""The commands on a stored run: what they write, what they print and how they end."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import typer
from lxml import etree
from typer.testing import CliRunner

from harness.cli import evidence, matrix, rejudge, report
from harness.core.errors import UsageError
from harness.profiles import registry
from harness.protocols.dicom.capture import Capture
from tests.unit.reporting import builders

app = typer.Typer()
app.command("report")(report.report)
app.command("rejudge")(rejudge.rejudge)
app.command("matrix")(matrix.matrix)
app.add_typer(evidence.app, name="evidence")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "run"
    builders.build_run(folder)
    return folder


def call(*arguments: object) -> tuple[int, str]:
    """Exit code and standard output. Errors that the entry point maps to exit codes are raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value or 0), result.stdout


@pytest.mark.parametrize(("kind", "file"), [("html", "report.html"), ("junit", "junit.xml"), ("md", "summary.md")])
def test_report_writes_into_the_run(run: Path, kind: str, file: str) -> None:
    assert call("report", run, "--format", kind)[0] == 0
    assert (run / file).stat().st_size > 500


def test_report_elsewhere_still_leads_to_the_evidence(run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert call("report", run / "run.json", "--out", tmp_path / "out" / "page.html")[0] == 0
    page = (tmp_path / "out" / "page.html").read_text()
    assert 'href="../run/transcripts/simple-case.json"' in page


def test_report_to_standard_output(run: Path) -> None:
    code, text = call("report", run, "--format", "junit", "--out", "-")
    assert code == 0
    assert etree.fromstring(text.encode()).tag == "testsuites"
    assert call("report", run, "--format", "github")[1].startswith("::error file=")


def test_report_of_nothing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run"):
        call("report", tmp_path)


def test_report_into_a_missing_folder_is_a_usage_error(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        call("report", run, "--out", tmp_path / "no" / "page.html")


def test_rejudge_says_what_it_could_not_repeat(run: Path) -> None:
    code, text = call("rejudge", run, "--json")
    found = json.loads(text)
    assert code == 1
    assert found["same"] is False
    assert any("this program has no check" in problem for problem in found["problems"])
    assert call("rejudge", run)[0] == 1


def test_matrix_keeps_its_contract(run: Path) -> None:
    code, text = call("matrix", "--json", "--run", run)
    rows: list[dict[str, Any]] = json.loads(text)
    assert code == 0
    assert [row["profile"] for row in rows] == [profile.id for profile in registry.PROFILES]
    for row in rows:
        expected = [r for r in registry.requirements().values() if row["profile"] in r.profiles]
        assert row["requirements"] == len(expected) == row["automated"] + row["attested"] + row["unverifiable"]


def test_matrix_fits_eighty_columns(run: Path) -> None:
    code, text = call("matrix", "--run", run)
    assert code == 0
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert [line.split()[0] for line in text.splitlines() if line.strip().startswith(("SWF", "CPI", "ARI", "PDI"))] == [
        "SWF",
        "SWF.b",
        "CPI",
        "ARI",
        "PDI",
    ]


def test_matrix_of_one_profile(run: Path) -> None:
    assert [row["profile"] for row in json.loads(call("matrix", "--json", "--profile", "PDI")[1])] == ["PDI"]
    with pytest.raises(UsageError, match="no such profile"):
        call("matrix", "--profile", "XDS")


def test_export_takes_persons_out_unless_told_not_to(run: Path, tmp_path: Path) -> None:
    assert call("evidence", "export", run)[0] == 0
    assert call("evidence", "export", run, "--no-redact", "--out", tmp_path / "raw.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        assert json.loads(bundle.read("manifest.json"))["redacted"] is True
        assert not any(builders.PATIENT_ID.encode() in bundle.read(name) for name in bundle.namelist())
        assert not [name for name in bundle.namelist() if name.startswith("wire/")]
    with zipfile.ZipFile(tmp_path / "raw.zip") as bundle:
        assert any(builders.PATIENT_ID.encode() in bundle.read(name) for name in bundle.namelist())
        assert [name for name in bundle.namelist() if name.startswith("wire/")]


def test_export_makes_a_capture_that_wireshark_opens(run: Path, tmp_path: Path) -> None:
    with Capture(run / "wire" / "simple-case") as capture:
        capture.opened(1, "dicom", ("127.0.0.1", 104), ("127.0.0.1", 50000), incoming=True)
        capture.received(1, b"\x01\x00\x00\x00\x00\x04abcd")
    assert call("evidence", "export", run, "--no-redact", "--out", tmp_path / "raw.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "raw.zip") as bundle:
        assert b"abcd" in bundle.read("wire/simple-case.pcapng")
    call("report", run)
    assert 'href="wire/simple-case.pcapng"' in (run / "report.html").read_text()


def test_verify_finds_a_changed_byte(run: Path, tmp_path: Path) -> None:
    call("evidence", "export", run)
    bundle = tmp_path / "run.zip"
    before = json.loads(call("evidence", "verify", bundle, "--json")[1])
    assert before["redacted"] is True
    assert not [p for p in before["problems"] if "manifest" in p]
    with zipfile.ZipFile(bundle) as source:
        members = {name: source.read(name) for name in source.namelist()}
    name = next(name for name in members if name.startswith("blobs/"))
    members[name] = members[name][:-1] + b"?"
    with zipfile.ZipFile(bundle, "w") as target:
        for member, data in members.items():
            target.writestr(member, data)
    code, text = call("evidence", "verify", bundle, "--json")
    assert code == 1
    assert f"{name}: not the bytes that the manifest names" in json.loads(text)["problems"]


def test_redact_writes_a_run_that_renders(run: Path, tmp_path: Path) -> None:
    assert call("evidence", "redact", run, "--out", tmp_path / "clean")[0] == 0
    assert builders.PATIENT_ID not in (tmp_path / "clean" / "report.html").read_text()
    with pytest.raises(UsageError, match="is not empty"):
        call("evidence", "redact", run, "--out", run)
