"""What a display and an evidence creator of ours tell the user who asked them for something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from harness.actors import objects
from harness.actors.acquisition import Acquisition
from harness.actors.defects import registry as defects
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager import ImageManager
from harness.actors.image_manager_behaviour import ImageManagerBehaviour
from harness.actors.imaging_actions import can, perform
from harness.actors.objects import SeriesPlan, StudyPlan
from harness.core.errors import UsageError
from harness.core.transcript import Transcript
from harness.protocols.dicom.uids import EXPLICIT_VR_LE

PLAN = StudyPlan(objects.SUBJECTS[0], (SeriesPlan("CT", 2), SeriesPlan("SC", 1)), accession_number="A1")


@contextmanager
def department(
    *ids: str, archive: ImageManagerBehaviour | None = None
) -> Iterator[tuple[Transcript, ImageDisplay, EvidenceCreator, dict[str, Any]]]:
    """A display, a creator and an archive with one study of three objects; the parameters name archive and study."""
    transcript = Transcript()
    samples = objects.make([PLAN], objects.uid_source(4))
    display = ImageDisplay("DISPLAY", transcript, behaviour=_healthy("image-display", ids))
    creator = EvidenceCreator("CREATOR", transcript, evidence=_healthy("evidence-creator", ids))
    manager = ImageManager("ARCHIVE", transcript, behaviour=archive)
    with ExitStack() as stack:
        for actor in (display, creator, manager):
            stack.enter_context(actor)
        for actor in (display, creator):
            actor.know(manager.address)
            manager.know(actor.address)
        manager.load([sample.dataset for sample in samples], EXPLICIT_VR_LE)
        study = str(samples[0].dataset.StudyInstanceUID)
        yield transcript, display, creator, {"peer": "ARCHIVE at 127.0.0.1:1", "manager": "ARCHIVE", "study": study}


def _healthy(actor: str, ids: tuple[str, ...]) -> Any:
    return defects.behaviour(actor, [name for name in ids if defects.actor_of(name) == actor])


def test_each_actor_takes_its_own_actions() -> None:
    display, creator = ImageDisplay("D", Transcript()), EvidenceCreator("E", Transcript())
    assert can(display, "query-images")
    assert can(creator, "create-evidence")
    assert not can(display, "create-evidence")
    assert not can(Acquisition("M", Transcript()), "query-images")
    with pytest.raises(ValueError, match="cannot"):
        perform(display, "create-evidence", {})


def test_a_query_tells_how_many_were_found() -> None:
    with department() as (_, display, _, where):
        asked = {**where, "level": "STUDY", "keys": {"StudyInstanceUID": where["study"]}}
        assert perform(display, "query-images", asked) == {"entries": 1, "error": ""}
        asked["keys"] = {"PatientID": "NOBODY"}
        assert perform(display, "query-images", asked) == {"entries": 0, "error": ""}


def test_studies_come_whole_or_series_by_series() -> None:
    for level in ("STUDY", "SERIES"):
        with department() as (transcript, display, _, where):
            assert perform(display, "retrieve-images", {**where, "level": level}) == {"entries": 3, "error": ""}
            assert len(transcript.select("C-MOVE-RQ")) == (2 if level == "SERIES" else 1) * 2  # sent and received


def test_a_retrieve_that_fails_in_part_is_told() -> None:
    lost: list[str] = []

    def delivers(instance: Any) -> bool:
        lost.append(instance.sop_instance)
        return len(lost) != 1

    with department(archive=ImageManagerBehaviour(delivers=delivers)) as (_, display, _, where):
        told = perform(display, "retrieve-images", where)
    assert told["entries"] == 2
    assert "B000" in told["error"]
    assert "1 failed" in told["error"]


def test_a_display_that_hides_it_tells_nothing() -> None:
    refusing = ImageManagerBehaviour(delivers=lambda instance: False)
    with department("display-hides-failures", archive=refusing) as (_, display, _, where):
        assert perform(display, "retrieve-images", where) == {"entries": 0, "error": ""}


def test_a_display_that_asks_nobody_sends_nothing() -> None:
    with department("display-asks-nobody") as (transcript, display, _, where):
        perform(display, "query-images", {**where, "level": "STUDY", "keys": {}})
        assert transcript.select("C-FIND-RQ") == ()


def test_a_creator_reports_stores_and_asks_for_commitment() -> None:
    with department() as (transcript, _, creator, where):
        assert perform(creator, "create-evidence", where)["entries"] == 3
        kinds = [m.kind for m in transcript.messages if m.actor == "Evidence Creator" and m.kind.endswith("-RQ")]
        assert [k for k in dict.fromkeys(kinds) if k.startswith(("N-", "C-STORE"))][:4] == [
            "C-STORE-RQ",  # what it works on comes by C-GET
            "N-CREATE-RQ",
            "N-SET-RQ",
            "N-ACTION-RQ",
        ]


def test_a_creator_without_sources_says_so() -> None:
    with department() as (_, _, creator, where):
        told = perform(creator, "create-evidence", {**where, "study": "1.2.3"})
    assert told == {"entries": 0, "error": "the archive has no images of that study"}


def test_a_creator_that_leaves_out_steps_leaves_them_out() -> None:
    with department("creator-never-ends", "creator-asks-no-commitment") as (transcript, _, creator, where):
        perform(creator, "create-evidence", where)
        assert transcript.select("N-SET-RQ") == ()
        assert transcript.select("N-ACTION-RQ") == ()


def test_an_unknown_archive_is_an_authors_mistake() -> None:
    with pytest.raises(UsageError, match="knows no peer"):
        perform(ImageDisplay("D", Transcript()), "query-images", {"peer": "NOWHERE", "level": "STUDY", "keys": {}})


@pytest.mark.parametrize("kind", ["key image note", "rejection note", "evidence document"])
def test_documents_are_stored_beside_the_images_that_they_are_about(kind: str) -> None:
    with department() as (transcript, _, creator, where):
        assert perform(creator, "create-document", {**where, "kind": kind}) == {"entries": 1, "error": ""}
        stored = next(m for m in transcript.select("C-STORE-RQ") if ".88." in str(m.fields["AffectedSOPClassUID"]))
        assert where["study"].encode() in stored.payload.bytes()


def test_a_document_of_nothing_is_not_made_and_of_no_kind_is_a_mistake() -> None:
    with department() as (_, _, creator, where):
        told = perform(creator, "create-document", {**where, "kind": "key image note", "study": "1.2.3"})
        assert told == {"entries": 0, "error": "the archive has no images of that study"}
        with pytest.raises(UsageError, match="there is no document 'poem'"):
            perform(creator, "create-document", {**where, "kind": "poem"})


def test_a_display_hands_over_pages_of_documents_only() -> None:
    with department() as (_, display, creator, where):
        assert "pages" not in perform(display, "retrieve-images", where)
        perform(creator, "create-document", {**where, "kind": "evidence document"})
        (page,) = perform(display, "retrieve-images", where)["pages"].values()
    assert "12.5 mm" in page
    assert "UNVERIFIED: this is no final report" in page
