"""The picture of a medium: what is on it and what each reader sees; hostile content is shown as text only."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.actors.defects.registry import behaviour
from harness.actors.media.creator import MediaCreator
from harness.actors.objects import uid_source
from harness.bdd.media_studies import media_study
from harness.protocols.media.medium import HeldMedium
from harness.protocols.media.sources import open_medium
from harness.reporting.media_view import browser_of, medium_html
from tests.peers import require_program


def made(target: Path, study: str, *defects: str) -> Path:
    uid = uid_source(9)
    MediaCreator(None, behaviour("media-creator", defects), uid).write(media_study(study, uid), target)
    return target


def test_patients_readers_and_pages_are_shown(tmp_path: Path) -> None:
    asked: list[str] = []

    def browser(folder: Path, page: str) -> bytes:
        assert (folder / page).is_file()
        assert not (folder / "DICOM").exists()
        asked.append(page)
        return b"PNG"

    with open_medium(made(tmp_path / "m.iso", "every kind of object")) as medium:
        page = medium_html(medium, browser)
    assert "Label: <b>IHE_PDI</b>" in page
    assert "DICOM PLUS WEB" in page
    assert "1 image, 1 presentation state" in page
    assert "2 structured reports or notes" in page
    assert page.count("data:image/jpeg") == 1
    assert asked[0] == "INDEX.HTM"
    assert page.count("data:image/png") == len(asked) == 3


def test_what_is_lost_and_what_is_missing_is_named(tmp_path: Path) -> None:
    with open_medium(made(tmp_path / "a", "one patient", "media-unreferenced")) as medium:
        assert "Nobody through DICOMDIR<td>DICOM/PA000001/ST000001/SE000001/IM000001" in medium_html(medium)
    with open_medium(made(tmp_path / "b", "one patient", "media-file-missing")) as medium:
        assert "not on the medium<td>1 object" in medium_html(medium)


def test_hostile_content_stays_text() -> None:
    medium = HeldMedium("<script>x</script>", {"INDEX.HTM": b"<html><script>alert(1)</script>", "DICOMDIR": b"x" * 999})
    medium.label = "<b onload=x>"
    page = medium_html(medium)
    assert "<script" not in page
    assert "<b onload" not in page


@pytest.mark.peer("chromium")
def test_a_browser_shows_pages_without_their_scripts(tmp_path: Path) -> None:
    program = require_program("chromium")
    (tmp_path / "INDEX.HTM").write_text("<html><body><script>document.write('x'.repeat(9e6))</script>A</body></html>")
    shot = browser_of(program)(tmp_path, "INDEX.HTM")
    assert shot[:4] == b"\x89PNG"
    (tmp_path / "PLAIN.HTM").write_text("<html><body>A</body></html>")
    assert browser_of(program)(tmp_path, "PLAIN.HTM") == shot
