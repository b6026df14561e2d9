"""Every defective medium is found by exactly the checks that it must break, and a good one by none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.actors.defects.registry import DEFECTS, behaviour
from harness.actors.media.creator import MediaCreator
from harness.actors.objects import SUBJECTS, Sample, SeriesPlan, StudyPlan, make, uid_source
from harness.bdd.media import record_medium
from harness.core.check import Declaration, Exchange
from harness.core.transcript import Transcript
from harness.profiles import names
from harness.profiles.pdi.checks import CHECKS
from harness.profiles.pdi.facts import EXPECTED
from harness.profiles.registry import requirements
from harness.protocols.media.secure import Protection
from harness.protocols.media.writing import MediumPlan

SUT = Declaration(frozenset({names.MEDIA_CREATOR}), frozenset({"PDI"}), frozenset({names.WEB_CONTENT}))
MEDIA_DEFECTS = [defect for defect in DEFECTS if defect.actor == "media-creator"]
#: judged on objects that a defect cannot make of images
NOT_BY_DEFECT = {"RAD-47-PMC-27", "RAD-47-PMC-28"}
#: rows that bind one kind of medium only
KINDS = {"CD": "RAD-47-PMC-24", "DVD": "RAD-47-PMC-25", "USB": "RAD-47-PMC-26"}
#: rows that only the image of a CD can show
IMAGE_ONLY = {"RAD-47-PMC-01", "RAD-47-PMC-36"}
PASSWORD = "pass phrase"


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    plans = (
        StudyPlan(SUBJECTS[0], (SeriesPlan("CT", 2), SeriesPlan("SC", 1)), study_id="A", accession_number="1"),
        StudyPlan(SUBJECTS[0], (SeriesPlan("MR", 1),), study_id="B", accession_number="2"),
        StudyPlan(SUBJECTS[2], (SeriesPlan("CR", 2),), study_id="C", accession_number="3"),
    )
    return make(plans, uid_source(7))


def exchange(
    target: Path, samples: list[Sample], defect: str = "", *, claimed: str = "CD", protected: bool = False
) -> Exchange:
    made = behaviour("media-creator", [defect] if defect else [])
    plan = MediumPlan(protect=Protection(PASSWORD, iterations=100) if protected else None)
    MediaCreator(plan, made, uid_source(8)).write([sample.dataset for sample in samples], target)
    transcript = Transcript()
    record_medium(transcript, target, "1", actor="tests", claimed=claimed, password=PASSWORD if protected else "")
    transcript.note(EXPECTED, {"medium": "1", "instances": [sample.sop_instance for sample in samples]})
    return Exchange(transcript, SUT)


def broken(exchange: Exchange) -> set[str]:
    return {check.requirement for check in CHECKS for seen in check(exchange) if seen.ok is False}


@pytest.mark.parametrize("name", ["medium", "medium.zip", "medium.iso"])
def test_a_good_medium_breaks_nothing_and_is_judged(name: str, tmp_path: Path, samples: list[Sample]) -> None:
    judged = exchange(tmp_path / name, samples)
    assert broken(judged) == set()
    met = {check.requirement for check in CHECKS for seen in check(judged) if seen.ok}
    automated = {check.requirement for check in CHECKS if "PMC" in check.requirement or "WEB" in check.requirement}
    image_only = set() if name.endswith("iso") else IMAGE_ONLY
    assert automated - met == {"RAD-47-PMC-25", "RAD-47-PMC-26", "RAD-47-PMC-27"} | image_only


def test_a_protected_medium_breaks_nothing_and_is_judged_inside(tmp_path: Path, samples: list[Sample]) -> None:
    judged = exchange(tmp_path / "medium.zip", samples, protected=True)
    assert broken(judged) == set()
    met = {check.requirement for check in CHECKS for seen in check(judged) if seen.ok}
    assert {"RAD-47-SEC-01", "RAD-47-PMC-16", "RAD-47-PMC-22", "RAD-47-PMC-24", "XC-34"} <= met


@pytest.mark.parametrize("defect", MEDIA_DEFECTS, ids=[defect.id for defect in MEDIA_DEFECTS])
def test_a_defect_breaks_exactly_what_it_says(defect: object, tmp_path: Path, samples: list[Sample]) -> None:
    chosen = next(each for each in MEDIA_DEFECTS if each is defect)
    protected = "RAD-47-SEC-01" in chosen.breaks
    target = tmp_path / ("medium.iso" if IMAGE_ONLY & chosen.breaks else "medium")
    found = broken(exchange(target, samples, chosen.id, protected=protected))
    assert found == set(chosen.breaks) - {"RAD-47-PMC-25", "RAD-47-PMC-26"}


def test_every_requirement_on_creators_is_killed() -> None:
    judged = {check.requirement for check in CHECKS if "PMI" not in check.requirement}
    judged = {row for row in judged if {names.MEDIA_CREATOR} & set(requirements()[row].actors)}
    killed = {name for defect in MEDIA_DEFECTS for name in defect.breaks}
    assert judged - killed == NOT_BY_DEFECT
    assert judged <= set(requirements())


@pytest.mark.parametrize("claimed", KINDS)
def test_profiles_of_each_kind_of_medium(claimed: str, tmp_path: Path, samples: list[Sample]) -> None:
    assert broken(exchange(tmp_path / "good", samples, claimed=claimed)) == set()
    assert broken(exchange(tmp_path / "bad", samples, "media-compressed", claimed=claimed)) == {KINDS[claimed]}
