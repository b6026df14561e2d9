"""Report reader and report repository against each other, judged from both sides; highdicom as a second opinion."""

from __future__ import annotations

from typing import Any

import highdicom
import pytest
from highdicom.sr import CodeContentItem, ContainerContentItem, RelationshipTypeValues, TextContentItem
from pydicom.sr.codedict import codes

from harness.actors.image_display import ImageDisplayBehaviour
from harness.actors.objects import SUBJECTS, StudyPlan, make, uid_source
from harness.actors.reports.documents import Referenced, ReportPlan, key_object_note, report
from harness.actors.reports.reader import ReportReader
from harness.actors.reports.repository import ExternalReportRepositoryAccess, ReportRepository
from harness.core.check import Declaration, Exchange
from harness.core.transcript import Transcript
from harness.profiles import facts, names
from harness.profiles.ari.checks import CHECKS, content
from harness.profiles.ari.mapping import documents as table
from harness.profiles.values import plain_values
from harness.protocols.dicom.node import Address

IMAGES = [sample.dataset for sample in make([StudyPlan()], uid_source(1))]


def documents() -> list[Any]:
    uid = uid_source(4)
    references = tuple(Referenced.of(image) for image in IMAGES)
    plan = ReportPlan(SUBJECTS[0], str(IMAGES[0].StudyInstanceUID), images=references)
    japanese = ReportPlan(SUBJECTS[1], "1.2.3.4", findings=("所見なし",), language="ja", verified=False)
    return [report(plan, uid), report(japanese, uid)]


def verdicts(transcript: Transcript, actor: str) -> dict[str, set[bool | None]]:
    exchange = Exchange(transcript, Declaration(frozenset({actor}), frozenset({"ARI"})))
    seen = {check.requirement: {one.ok for one in check(exchange)} for check in CHECKS}
    return {row: found for row, found in seen.items() if found}


def session(kind: type[ReportRepository]) -> tuple[Transcript, Transcript, list[str]]:
    """The reader finds and reads all reports; what the reader saw, what the repository saw, and the pages."""
    ours, theirs = Transcript(), Transcript()
    pages = []
    with kind("REPO", theirs) as repository, ReportReader("READER", ours) as reader:
        kept = repository.preload(documents())
        ours.note(facts.KNOWN_OBJECTS, {"instances": [plain_values(ds) for ds in documents()]})
        assert len(kept) == 2
        repository.know(reader.address)
        (found,) = reader.search([repository.address], {"PatientName": "*"})
        for study in found.studies:
            for document in reader.documents(repository.address, study["StudyInstanceUID"]):
                pages.append(reader.read(repository.address, document))
    assert not ours.faults
    assert not theirs.faults
    return ours, theirs, pages


@pytest.mark.parametrize("kind", [ReportRepository, ExternalReportRepositoryAccess])
def test_reader_and_repository_agree_and_both_pass(kind: type[ReportRepository]) -> None:
    ours, theirs, pages = session(kind)
    assert len(pages) == 2
    assert any("所見なし" in page for page in pages)
    of_repository = verdicts(ours, kind.name)
    assert of_repository
    assert {"RAD-26-SCP-01", "RAD-26-SCP-02", "RAD-27-SCP-02"} <= set(of_repository)
    assert all(found == {True} for found in of_repository.values()), of_repository
    of_reader = verdicts(theirs, names.REPORT_READER)
    assert {"RAD-26-SCU-01", "RAD-26-SCU-02", "RAD-27-SCU-01", "ARI-ACT-03"} <= set(of_reader)
    assert all(found == {True} for found in of_reader.values()), of_reader


def test_a_source_that_is_down_hides_nothing_of_the_others() -> None:
    transcript = Transcript()
    with ReportRepository("REPO", transcript) as repository, ReportReader("READER", transcript) as reader:
        repository.preload(documents())
        down = Address("NOBODY", "127.0.0.1", 9)
        first, second = reader.search([down, repository.address], {"PatientID": SUBJECTS[0].id})
    assert first.problem
    assert first.studies == ()
    assert [study["PatientID"] for study in second.studies] == [SUBJECTS[0].id]


def test_a_reader_that_refuses_reports_is_found() -> None:
    theirs = Transcript()
    behaviour = ImageDisplayBehaviour(store_status=lambda request: 0xA900)
    with (
        ReportRepository("REPO", theirs) as repository,
        ReportReader("READER", Transcript(), behaviour=behaviour) as reader,
    ):
        repository.preload(documents()[:1])
        repository.know(reader.address)
        (found,) = reader.search([repository.address], {"PatientName": "*"})
        (document,) = reader.documents(repository.address, found.studies[0]["StudyInstanceUID"])
        assert reader.read(repository.address, document, timeout=0.2) == ""
    assert False in verdicts(theirs, names.REPORT_READER)["RAD-27-SCU-01"]


def test_highdicom_reads_our_note_and_we_accept_its_own() -> None:
    references = tuple(Referenced.of(image) for image in IMAGES)
    plan = ReportPlan(SUBJECTS[0], str(IMAGES[0].StudyInstanceUID), images=references)
    ours = key_object_note(plan, uid_source(5), text="Look here")
    theirs_of_ours = highdicom.ko.KeyObjectSelectionDocument.from_dataset(ours)
    assert len(theirs_of_ours.content.get_references()) == len(IMAGES)
    selection = highdicom.ko.KeyObjectSelection(
        document_title=codes.cid7010.OfInterest, referenced_objects=IMAGES, description="Look here"
    )
    theirs = highdicom.ko.KeyObjectSelectionDocument(
        evidence=IMAGES,
        content=selection,
        series_instance_uid="1.2.3.5",
        series_number=9,
        sop_instance_uid="1.2.3.6",
        instance_number=1,
        manufacturer="Test",
        institution_name="Test",
        institutional_department_name="Test",
    )
    plain = plain_values(theirs)
    assert list(content.tree_problems(plain, table.KEY_OBJECT_SELECTION)) == []
    assert content.member(content.title(plain)[:2], 7010) is True
    assert content.unlisted(plain) == []


def test_we_accept_the_basic_text_report_of_highdicom() -> None:
    root = ContainerContentItem(name=codes.cid7000.RadiologyReport, template_id="2000")
    section = ContainerContentItem(name=codes.cid7001.Findings, relationship_type=RelationshipTypeValues.CONTAINS)
    section.ContentSequence = [
        TextContentItem(
            name=codes.cid7002.Finding, value="The lungs are clear.", relationship_type=RelationshipTypeValues.CONTAINS
        )
    ]
    language = CodeContentItem(
        name=codes.DCM.LanguageOfContentItemAndDescendants,
        value=highdicom.sr.CodedConcept("en", "RFC5646", "English"),
        relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD,
    )
    root.ContentSequence = [language, section]
    plain = plain_values(root)
    assert list(content.tree_problems(plain, table.ENHANCED_SR)) == []
    assert list(content.report_template_problems(plain)) == []
