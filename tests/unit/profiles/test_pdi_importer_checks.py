"""A healthy importer meets every requirement, a defective one breaks exactly what its defect says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.actors.defects.registry import DEFECTS, Defect, behaviour
from harness.actors.media.creator import MediaCreator
from harness.actors.media.importer import MediaImporter
from harness.actors.objects import uid_source
from harness.bdd.media import record_export, record_medium
from harness.bdd.media_studies import media_study, unclaimed
from harness.core.check import Declaration, Exchange
from harness.core.transcript import Transcript
from harness.profiles import facts as shared
from harness.profiles import names
from harness.profiles.pdi import facts
from harness.profiles.pdi.checks.importer import CHECKS
from harness.protocols.media.secure import Keys, Protection
from harness.protocols.media.writing import MediumPlan

SUT = Declaration(frozenset({names.MEDIA_IMPORTER}), frozenset({"PDI"}), frozenset({names.PRIVACY_PROTECTION}))
IMPORTER_DEFECTS = [each for each in DEFECTS if each.actor == "media-importer"]
PASSWORD = "open sesame"
#: what is imported: content, fault of the medium, protected
SITUATIONS = (
    ("two patients", "", False),
    ("a foreign class", "", False),
    ("two patients", "", True),
    ("one patient", "media-file-missing", False),
)


class Crashed(Exception):
    """The importer did not survive."""


def judged(folder: Path, study: str, fault: str, protected: bool, *defects: str) -> tuple[set[str], set[str]]:
    """Requirements met and broken by one import."""
    deal = uid_source(5)
    datasets = media_study(study, deal)
    plan = MediumPlan(protect=Protection(PASSWORD, iterations=100) if protected else None)
    MediaCreator(plan, behaviour("media-creator", [fault] if fault else []), deal).write(datasets, folder / "medium")
    transcript = Transcript()
    record_medium(transcript, folder / "medium", "1", actor="tests", by_us=True, password=PASSWORD * protected)
    fact: facts.ImportFact = {
        "medium": "1",
        "offered": [str(dataset.SOPInstanceUID) for dataset in datasets],
        "unsupported": [str(dataset.SOPInstanceUID) for dataset in datasets if unclaimed(dataset)],
        "broken": [fault] if fault else [],
        "rich": not protected,
        "protected": protected,
    }
    transcript.note(facts.IMPORT, {**fact})
    transcript.note(shared.ACTION, {"action": "import-media", "parameters": {}})
    importer = MediaImporter(folder / "store", (), behaviour("media-importer", defects), Keys(PASSWORD))
    try:
        report = importer.load(folder / "medium")
    except Exception as error:
        raise Crashed from error
    answers = {"imported": report.imported, "unsupported": report.unsupported, "errors": report.errors}
    transcript.note(shared.OUTCOME, {"action": "import-media", "state": "done", "detail": "", "answers": answers})
    if (folder / "store").is_dir():
        record_export(transcript, folder / "store", actor="tests")
    seen = [(check.requirement, one.ok) for check in CHECKS for one in check(Exchange(transcript, SUT))]
    return {row for row, ok in seen if ok}, {row for row, ok in seen if ok is False}


def test_a_healthy_importer_meets_everything(tmp_path: Path) -> None:
    met: set[str] = set()
    for number, situation in enumerate(SITUATIONS):
        good, bad = judged(tmp_path / str(number), *situation)
        assert bad == set(), situation
        met |= good
    assert met == {check.requirement for check in CHECKS}


@pytest.mark.parametrize("defect", IMPORTER_DEFECTS, ids=lambda each: each.id)
def test_a_defect_breaks_exactly_what_it_says(defect: Defect, tmp_path: Path) -> None:
    broken: set[str] = set()
    for number, situation in enumerate(SITUATIONS):
        try:
            broken |= judged(tmp_path / str(number), *situation, defect.id)[1]
        except Crashed:
            broken.add("RAD-47-PMI-06")  # the step "the import came to an end"
    assert broken == set(defect.breaks)


def test_every_requirement_on_importers_is_killed() -> None:
    killed = {row for defect in IMPORTER_DEFECTS for row in defect.breaks}
    assert {check.requirement for check in CHECKS} == killed
