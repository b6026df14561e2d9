"""``media create``, ``media import`` and ``validate MEDIA`` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from harness.actors.objects import uid_source
from harness.bdd.media_studies import media_study
from harness.cli.media import app as media
from harness.cli.validate import validate
from harness.core.errors import UsageError


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    folder = tmp_path / "studies"
    folder.mkdir()
    for number, dataset in enumerate(media_study("two patients", uid_source(4))):
        dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


APP = typer.Typer()
APP.add_typer(media, name="media")
APP.command("validate")(validate)


def run(*arguments: object) -> int:
    try:
        return int(APP([str(argument) for argument in arguments], standalone_mode=False) or 0)
    except UsageError:
        return 2


def test_a_protected_medium_from_end_to_end(tmp_path: Path, studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    medium, words = tmp_path / "m.zip", "correct horse"
    assert run("media", "create", "--studies", studies, "--out", medium, "--password", words) == 0
    assert run("validate", medium, "--json") == 1  # without the password it is a medium that nobody can read
    assert "MEDIA-SECURE" in capsys.readouterr().out
    assert run("validate", medium, "--password", words, "--medium", "CD") == 0
    assert run("validate", medium, "--password", "wrong horse", "--json") == 1
    assert "password is wrong" in capsys.readouterr().out
    assert run("media", "import", "--medium", medium, "--store", tmp_path / "no", "--json") == 1
    capsys.readouterr()
    assert run("media", "import", "--medium", medium, "--store", tmp_path / "s", "--password", words, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["imported"]) == len(list(studies.iterdir()))


def test_objects_on_a_medium_are_judged_unless_switched_off(
    tmp_path: Path, studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pydicom

    for path in studies.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.Rows = int(dataset.Rows) - 1  # the pixel data are longer than rows and columns say
        dataset.save_as(path)
    medium = tmp_path / "m"
    assert run("media", "create", "--studies", studies, "--out", medium) == 0
    assert run("validate", medium, "--no-objects") == 0
    capsys.readouterr()
    assert run("validate", medium, "--json") == 1
    findings = json.loads(capsys.readouterr().out)["files"][0]["findings"]
    assert {finding["code"] for finding in findings if finding["severity"] == "error"} == {"PX-LENGTH"}
    assert all(finding["locator"].startswith("DICOM/") for finding in findings if finding["code"] == "PX-LENGTH")


def test_the_page_shows_the_medium(tmp_path: Path, studies: Path) -> None:
    medium, page = tmp_path / "m.iso", tmp_path / "page.html"
    assert run("media", "create", "--studies", studies, "--out", medium, "--label", "STUDIES") == 0
    assert run("validate", medium, "--format", "html", "--out", page) == 0
    text = page.read_text("utf-8")
    assert "Label: <b>STUDIES</b>" in text
    assert "Portable Media Importer" in text


@pytest.mark.parametrize("arguments", [
    ("media", "create", "--studies", "{studies}", "--out", "{studies}"),
    ("media", "create", "--studies", "{studies}", "--out", "{new}", "--kind", "FLOPPY"),
    ("media", "create", "--studies", "{studies}", "--out", "{new}", "--password", "Schlüssel"),
    ("media", "create", "--studies", "{studies}", "--out", "{new}/a/b/m.iso"),
    ("validate", "{studies}", "--medium", "TAPE"),
])  # fmt: skip
def test_wrong_usage_is_said(arguments: tuple[str, ...], tmp_path: Path, studies: Path) -> None:
    places = {"studies": str(studies), "new": str(tmp_path / "new")}
    assert run(*(word.format(**places) for word in arguments)) == 2


def test_many_broken_files_end_with_what_is_wrong_most_often(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for number in range(20):
        (tmp_path / f"IM{number:06d}").write_bytes(b"x" * number if number % 2 else bytes(128) + b"DICM")
    assert run("validate", tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "    60 × FILE-META-MISSING in 10 of 20 files" in lines
    assert "    10 × FILE-NOT-DICOM in 10 of 20 files" in lines
    assert lines[-1].startswith("20 files, ")
    assert max(map(len, lines[-10:])) <= 80


def test_a_copy_in_small_letters_says_what_happened_to_it(
    tmp_path: Path, studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("media", "create", "--studies", studies, "--out", tmp_path / "disc") == 0
    for path in (tmp_path / "disc").rglob("*"):
        if path.is_file():
            copy = tmp_path / "copy" / str(path.relative_to(tmp_path / "disc")).lower()
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    capsys.readouterr()
    assert run("validate", tmp_path / "copy", "--json") == 1
    first = json.loads(capsys.readouterr().out)["files"][0]["findings"][0]
    assert (first["code"], first["severity"]) == ("MEDIA-COPIED", "info")
    assert run("validate", tmp_path / "disc", "--json") == 0
    assert "MEDIA-COPIED" not in capsys.readouterr().out
