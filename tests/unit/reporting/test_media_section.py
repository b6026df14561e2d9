"""Media in the report of a run: rebuilt from the evidence, bounded, and safe whatever the evidence holds."""

from __future__ import annotations

from pathlib import Path

from harness.actors.media.creator import MediaCreator
from harness.actors.objects import uid_source
from harness.bdd.media import record_medium
from harness.bdd.media_studies import media_study
from harness.core.transcript import Transcript
from harness.profiles.pdi import facts
from harness.protocols.media.secure import Protection
from harness.protocols.media.writing import MediumPlan
from harness.reporting.media_section import at_most, media_sections


def recorded(target: Path, *, by_us: bool = False, password: str = "") -> Transcript:
    uid = uid_source(9)
    plan = MediumPlan(protect=Protection(password, iterations=10) if password else None)
    MediaCreator(plan, None, uid).write(media_study("two patients", uid), target)
    transcript = Transcript()
    record_medium(transcript, target, "1", actor="tests", by_us=by_us, password=password)
    return transcript


def test_a_recorded_medium_is_shown_with_tree_label_thumbnails_and_pages(tmp_path: Path) -> None:
    (section,) = media_sections(recorded(tmp_path / "m.iso"), lambda folder, page: b"PNG")
    assert (section.name, section.from_sut) == ("m.iso", True)
    assert "Label: <b>IHE_PDI</b>" in section.html
    assert "山田^太郎" in section.html
    assert section.html.count("data:image/jpeg") == 4
    assert "data:image/png" in section.html
    # the page around it has a strict policy: it brings the style
    assert "<style" not in section.html


def test_what_the_harness_made_and_what_is_protected_is_shown_too(tmp_path: Path) -> None:
    (section,) = media_sections(recorded(tmp_path / "m", by_us=True, password="secret"))
    assert not section.from_sut
    assert "DICOM ONLY" in section.html
    assert "Adams^John" in section.html


def test_few_pages_are_shown_as_pictures_in_one_report() -> None:
    browser = at_most(lambda folder, page: b"PNG", 2)
    assert [browser(Path(), "A") for _ in range(4)] == [b"PNG", b"PNG", b"", b""]


def test_evidence_that_makes_no_medium_says_so() -> None:
    transcript = Transcript()
    transcript.note(facts.MEDIUM, {"id": "1", "name": "<script>x</script>", "folders": 5, "refused": [["a"]]})
    (section,) = media_sections(transcript)
    assert "cannot be shown" in section.html
    assert "<script" not in section.html


def test_a_scenario_without_media_has_no_section() -> None:
    assert media_sections(Transcript()) == ()
