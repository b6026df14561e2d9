"""Each check of ARI: good reports, notes and queries pass, one change fails."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from harness.actors.objects import SUBJECTS, StudyPlan, make, uid_source
from harness.actors.reports.documents import (
    BASIC_TEXT_SR,
    ENHANCED_SR,
    REJECTED,
    Code,
    Referenced,
    ReportPlan,
    key_object_note,
    report,
)
from harness.core.check import Declaration, Exchange
from harness.core.message import Direction
from harness.core.transcript import Transcript
from harness.profiles.ari.checks import CHECKS
from harness.profiles.journal import STUDY_ROOT_FIND, STUDY_ROOT_MOVE
from harness.protocols.dicom.datasets import encode
from tests.unit.profiles import test_ari_documents
from tests.unit.profiles.builders import EXPLICIT, FROM_SUT, TO_SUT, Event, Story, failing, observed

IMAGES = [sample.dataset for sample in make([StudyPlan()], uid_source(1))]
PLAN = ReportPlan(
    SUBJECTS[0], str(IMAGES[0].StudyInstanceUID), images=tuple(Referenced.of(image) for image in IMAGES[:2])
)
MOTION = Code("111210", "DCM", "Motion blur")


def declared(*actors: str) -> Declaration:
    return Declaration(frozenset(actors), frozenset({"ARI"}))


def the_report(change: Callable[[Dataset], object] | None = None, plan: ReportPlan = PLAN) -> Dataset:
    ds = report(plan, uid_source(2))
    if change:
        change(ds)
    return ds


def the_note(change: Callable[[Dataset], object] | None = None, **more: Any) -> Dataset:
    ds = key_object_note(PLAN, uid_source(3), **more)
    if change:
        change(ds)
    return ds


def store(
    story: Story, name: str, direction: Direction, ds: Dataset, *, association: int = 1, status: int = 0
) -> Event:
    uid = str(ds.SOPInstanceUID)
    event = story.ask(
        name, "C-STORE-RQ", direction, str(ds.SOPClassUID), instance=uid, association=association, status=status
    )
    event.raw = encode(ds, EXPLICIT)
    return event


# -- notes that a modality makes -----------------------------------------------------------------------------------


def made(note: Dataset) -> Story:
    story = Story(declared("Acquisition Modality"))
    for number, image in enumerate(IMAGES[:2]):
        store(story, f"image{number}", FROM_SUT, image)
    store(story, "note", FROM_SUT, note)
    return story


def _title(value: str, scheme: str = "DCM") -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        ds.ConceptNameCodeSequence[0].CodeValue = value
        ds.ConceptNameCodeSequence[0].CodingSchemeDesignator = scheme

    return change


def _second_text(ds: Dataset) -> None:
    ds.ContentSequence.append(ds.ContentSequence[0])


def _forget_evidence(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence.pop()


def _no_references(ds: Dataset) -> None:
    ds.ContentSequence = [item for item in ds.ContentSequence if item.ValueType != "IMAGE"]


def _two_studies(ds: Dataset) -> None:
    second = copy.deepcopy(ds.CurrentRequestedProcedureEvidenceSequence[0])
    second.StudyInstanceUID = "1.2.888"
    ds.CurrentRequestedProcedureEvidenceSequence.append(second)


def _needless_identical(ds: Dataset) -> None:
    other = Dataset()
    other.StudyInstanceUID = "1.2.888"
    ds.IdenticalDocumentsSequence = [other]


def _number(ds: Dataset) -> None:
    ds.ContentSequence[0].ValueType = "NUM"


NOTE_CASES: list[tuple[str, Callable[[Dataset], object]]] = [
    ("note-class", lambda ds: setattr(ds, "Modality", "OT")),
    ("note-template", _title("121071")),
    ("note-template", lambda ds: ds.pop("ContentTemplateSequence")),
    ("note-template", _number),
    ("note-description", _second_text),
    ("note-references", _forget_evidence),
    ("note-references", _no_references),
    ("note-several-studies", _two_studies),
    ("note-several-studies", _needless_identical),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in NOTE_CASES}))
def test_a_good_note_passes(check_id: str) -> None:
    seen = observed(check_id, made(the_note(text="Look here")))
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


@pytest.mark.parametrize(("check_id", "change"), NOTE_CASES)
def test_a_bad_note_fails(check_id: str, change: Callable[[Dataset], object]) -> None:
    assert failing(check_id, made(the_note(change, text="Look here")))


def test_a_rejection_names_its_reason_from_the_group() -> None:
    assert not failing("note-reason", made(the_note(title=REJECTED, reason=MOTION)))
    assert observed("note-reason", made(the_note(title=REJECTED, reason=MOTION)))
    wrong = Code("113000", "DCM", "Of Interest")
    assert failing("note-reason", made(the_note(title=REJECTED, reason=wrong)))


def test_a_private_title_is_neither_praised_nor_blamed() -> None:
    seen = observed("note-template", made(the_note(_title("X1", "99VENDOR"))))
    assert [one.ok for one in seen] == [None]


def test_notes_over_two_studies_name_their_duplicates() -> None:
    def complete(ds: Dataset) -> None:
        _two_studies(ds)
        _needless_identical(ds)

    assert not failing("note-several-studies", made(the_note(complete)))


# -- the repository ------------------------------------------------------------------------------------------------


def served(
    actor: str, ds: Dataset, *, modalities: str = "CT\\SR", answer: dict[str, Any] | None = None, count: str = "1"
) -> Story:
    """We store a document, ask for it at study and image level and fetch it."""
    story = Story(declared(actor))
    store(story, "document", TO_SUT, ds)
    keys = {
        "QueryRetrieveLevel": "STUDY",
        "StudyInstanceUID": str(ds.StudyInstanceUID),
        "ModalitiesInStudy": "",
        "NumberOfStudyRelatedInstances": "",
        "PatientID": "",
        "PatientName": "",
    }
    found = {
        **keys,
        "ModalitiesInStudy": modalities,
        "NumberOfStudyRelatedInstances": count,
        "PatientID": str(ds.PatientID),
        "PatientName": str(ds.PatientName),
    }
    story.ask("study", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, keys, status=None)
    story.answer("study", 0xFF00, found, name="study match")
    story.answer("study", 0)
    title = ds.ConceptNameCodeSequence[0]
    values: dict[str, Any] = {
        "ContentDate": str(ds.ContentDate),
        "ContentTime": str(ds.ContentTime),
        "ConceptNameCodeSequence": [
            {"CodeValue": title.CodeValue, "CodingSchemeDesignator": title.CodingSchemeDesignator, "CodeMeaning": "x"}
        ],
    }
    if "CompletionFlag" in ds:
        values |= {"CompletionFlag": ds.CompletionFlag, "VerificationFlag": ds.VerificationFlag}
    image_keys: dict[str, Any] = {
        "QueryRetrieveLevel": "IMAGE",
        "StudyInstanceUID": str(ds.StudyInstanceUID),
        "SeriesInstanceUID": str(ds.SeriesInstanceUID),
        "SOPInstanceUID": "",
        **{keyword: [] if isinstance(value, list) else "" for keyword, value in values.items()},
    }
    story.ask("images", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, image_keys, status=None)
    match = {**image_keys, "SOPInstanceUID": str(ds.SOPInstanceUID), **values, **(answer or {})}
    story.answer("images", 0xFF00, match, name="image match")
    story.answer("images", 0)
    story.ask("move", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, {"QueryRetrieveLevel": "IMAGE"}, status=None)
    story.associate("delivery", FROM_SUT, (str(ds.SOPClassUID),), 5)
    store(story, "delivered", FROM_SUT, ds, association=5)
    story.answer("move", 0, name="move answer")
    return story


REPOSITORY = "Report Repository"
EXTERNAL = "External Report Repository Access"
ARCHIVE = "Image Manager/Archive"
SERVED = {
    "ari-repository": REPOSITORY,
    "ari-external": EXTERNAL,
    "ari-archive": ARCHIVE,
    "repository-modality": REPOSITORY,
    "repository-flags": REPOSITORY,
    "repository-unchanged": REPOSITORY,
    "repository-well-formed": REPOSITORY,
    "external-patient": EXTERNAL,
    "archive-documents": ARCHIVE,
}


@pytest.mark.parametrize("check_id", sorted(SERVED))
def test_a_good_repository_passes(check_id: str) -> None:
    seen = observed(check_id, served(SERVED[check_id], the_report()))
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


def _status(event: str, status: int) -> Callable[[Story], None]:
    def change(story: Story) -> None:
        story[event].fields["Status"] = status

    return change


def _deliver(change: Callable[[Dataset], object]) -> Callable[[Story], None]:
    def apply(story: Story) -> None:
        story["delivered"].raw = encode(the_report(change), EXPLICIT)

    return apply


def _root(keyword: str, value: Any) -> Callable[[Dataset], None]:
    return lambda ds: setattr(ds, keyword, value)


def _nameless_text(ds: Dataset) -> None:
    ds.ContentSequence[3].ContentSequence[0].pop("ConceptNameCodeSequence")


def _text_at_the_root(ds: Dataset) -> None:
    item = Dataset()
    item.update(ds.ContentSequence[3].ContentSequence[0])
    item.pop("ContentSequence", None)
    ds.ContentSequence.append(item)


def _number_in_basic_text(ds: Dataset) -> None:
    ds.ContentSequence[3].ContentSequence[0].ValueType = "NUM"


def _empty_text(ds: Dataset) -> None:
    ds.ContentSequence[3].ContentSequence[0].TextValue = ""


def _bad_relationship(ds: Dataset) -> None:
    ds.ContentSequence[0].RelationshipType = "IS NEAR"


SERVED_CASES: list[tuple[str, Callable[[Story], object]]] = [
    ("ari-repository", _status("study response", 0xA700)),
    ("ari-external", _status("move answer", 0xA702)),
    ("repository-modality", lambda story: story.data("study match").update(ModalitiesInStudy="CT")),
    ("repository-modality", lambda story: story.data("study match").update(NumberOfStudyRelatedInstances="7")),
    ("repository-flags", lambda story: story.data("image match").update(VerificationFlag="UNVERIFIED")),
    ("repository-flags", lambda story: story.data("image match").pop("CompletionFlag")),
    ("repository-unchanged", _deliver(_root("CompletionFlag", "PARTIAL"))),
    ("repository-well-formed", _deliver(_root("CompletionFlag", "MAYBE"))),
    ("repository-well-formed", _deliver(lambda ds: ds.pop("VerificationFlag"))),
    ("repository-well-formed", _deliver(_text_at_the_root)),
    ("repository-well-formed", _deliver(_number_in_basic_text)),
    ("repository-well-formed", _deliver(_empty_text)),
    ("repository-well-formed", _deliver(_bad_relationship)),
    ("repository-well-formed", _deliver(_forget_evidence)),
    ("repository-well-formed", _deliver(_nameless_text)),
    ("external-patient", _deliver(_root("PatientID", "SOMEBODY"))),
    ("archive-documents", lambda story: story.data("image match").update(ContentDate="19990101")),
    ("ari-archive", _status("images response", 0xA700)),
]


@pytest.mark.parametrize(("check_id", "change"), SERVED_CASES)
def test_a_bad_repository_fails(check_id: str, change: Callable[[Story], object]) -> None:
    story = served(SERVED[check_id], the_report())
    change(story)
    if check_id == "ari-archive":
        story["study response"].fields["Status"] = 0xA700
    if check_id == "ari-repository":
        story["images response"].fields["Status"] = 0xA700
    assert failing(check_id, story)


def test_enhanced_reports_with_measurements_are_well_formed_too() -> None:
    plan = ReportPlan(SUBJECTS[1], PLAN.study, images=PLAN.images, measurements=(("Length", 12.5),), language="ja")
    assert the_report(plan=plan).SOPClassUID == ENHANCED_SR
    assert not failing("repository-well-formed", served(REPOSITORY, the_report(plan=plan)))


def _own_heading(ds: Dataset) -> None:
    """CID 7001 is a baseline group: any concept may head a section (PS3.16 TID 2000 row 8)."""
    for item in ds.ContentSequence:
        if item.ValueType == "CONTAINER":
            item.ConceptNameCodeSequence[0].CodeValue = "121071"
            item.ConceptNameCodeSequence[0].CodingSchemeDesignator = "DCM"


def _without_sections(ds: Dataset) -> None:
    ds.ContentSequence = [item for item in ds.ContentSequence if item.ValueType != "CONTAINER"]


def _nameless_coordinates(ds: Dataset) -> None:
    """Concept names are not required of spatial coordinates (PS3.3 Table C.17.3-1)."""
    image = Dataset()
    image.RelationshipType, image.ValueType = "SELECTED FROM", "IMAGE"
    image.ReferencedSOPSequence = [_reference()]
    item = Dataset()
    item.RelationshipType, item.ValueType = "INFERRED FROM", "SCOORD"
    item.GraphicType, item.GraphicData = "POINT", [3.0, 4.0]
    item.ContentSequence = [image]
    sections = [one for one in ds.ContentSequence if one.ValueType == "CONTAINER"]
    sections[0].ContentSequence[0].ContentSequence = [item]


def _reference() -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = IMAGES[0].SOPClassUID, IMAGES[0].SOPInstanceUID
    return item


def _comprehensive(ds: Dataset) -> None:
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"


def _by_reference(ds: Dataset) -> None:
    """The impression is inferred from the finding, by reference (PS3.3 A.35.3.3.1.2)."""
    _comprehensive(ds)
    item = Dataset()
    item.RelationshipType, item.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 4, 1]
    ds.ContentSequence[4].ContentSequence[0].ContentSequence = [item]


def _partial(ds: Dataset) -> None:
    ds.CompletionFlag, ds.VerificationFlag = "PARTIAL", "UNVERIFIED"
    del ds.VerifyingObserverSequence


def _amending(ds: Dataset) -> None:
    ds.PredecessorDocumentsSequence = copy.deepcopy(ds.CurrentRequestedProcedureEvidenceSequence)


def _evidence_of_another_request(ds: Dataset) -> None:
    ds.PertinentOtherEvidenceSequence = ds.CurrentRequestedProcedureEvidenceSequence
    del ds.CurrentRequestedProcedureEvidenceSequence


@pytest.mark.parametrize(
    "change",
    [
        *(_own_heading, _title("18748-4", "LN"), _title("113000"), _without_sections, _comprehensive, _by_reference),
        *(_partial, _amending, _evidence_of_another_request),
        *(test_ari_documents.country, test_ari_documents.no_observer, test_ari_documents.private_template),
    ],
)
def test_legal_but_unusual_reports_break_nothing(change: Callable[[Dataset], object]) -> None:
    seen = observed("repository-well-formed", served(REPOSITORY, the_report(change)))
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


def test_coordinates_without_a_name_break_nothing() -> None:
    plan = ReportPlan(SUBJECTS[1], PLAN.study, images=PLAN.images, measurements=(("Length", 12.5),))
    seen = observed("repository-well-formed", served(REPOSITORY, the_report(_nameless_coordinates, plan=plan)))
    assert [one.ok for one in seen] == [True], [one.summary for one in seen]


# -- queries and retrieves of a repository, by its own rows ---------------------------------------------------------


def asked_and_fetched() -> Story:
    """A query by patient, one without the unique key above, and two retrieves; the second goes to a stranger."""
    story, ds = Story(declared(REPOSITORY)), the_report()
    store(story, "document", TO_SUT, ds)
    patient = {"QueryRetrieveLevel": "STUDY", "PatientID": str(ds.PatientID), "StudyInstanceUID": ""}
    story.ask("study", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, patient, status=None)
    story.answer("study", 0xFF00, {**patient, "StudyInstanceUID": str(ds.StudyInstanceUID)}, name="study match")
    story.answer("study", 0, name="study end")
    lacking = {"QueryRetrieveLevel": "SERIES", "Modality": "SR", "SeriesInstanceUID": ""}
    story.ask("lacking", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, lacking, status=None)
    story.answer("lacking", 0xA900, name="lacking end")
    keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": str(ds.StudyInstanceUID)}
    story.ask("move", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, keys, status=None)
    story.associate("delivery", FROM_SUT, (str(ds.SOPClassUID),), 5)
    store(story, "delivered", FROM_SUT, ds, association=5)
    counts = {f"NumberOf{which}Suboperations": 0 for which in ("Remaining", "Failed", "Warning")}
    story.answer("move", 0, name="move answer", fields={**counts, "NumberOfCompletedSuboperations": 1})
    story.ask("stranger", "C-MOVE-RQ", TO_SUT, STUDY_ROOT_MOVE, keys, status=None)
    story.fact("MOVE", "stranger fact", message="@stranger", unknown_destination=True, expected=[])
    story.answer("stranger", 0xA801, name="stranger answer")
    story.ask("long", "C-FIND-RQ", TO_SUT, STUDY_ROOT_FIND, patient, status=None)
    story.add(Event("cancel", "C-CANCEL-RQ", TO_SUT, sop_class=STUDY_ROOT_FIND, answers="long"))
    story.answer("long", 0xFE00, name="long end")
    return story


def _counted(story: Story) -> None:
    story["move answer"].fields["NumberOfCompletedSuboperations"] = 4


def _answered_anyway(story: Story) -> None:
    story["lacking end"].fields["Status"] = 0xFF00
    story.answer("lacking", 0x0000)


def _went_on(story: Story) -> None:
    story["long end"].fields["Status"] = 0x0000
    story.add(
        Event("late", "C-FIND-RSP", FROM_SUT, story.data("study match"), {"Status": 0xFF00}, answers="long"),
        after="cancel",
    )


ASKED_CASES: list[tuple[str, Callable[[Story], object]]] = [
    ("repository-keys", lambda story: story.data("study match").update(PatientID="SOMEBODY")),
    ("repository-hierarchy", _answered_anyway),
    ("repository-keys", _status("study end", 0xC001)),
    ("repository-cancel", _went_on),
    ("repository-retrieve", _counted),
    ("repository-retrieve", lambda story: story.events.remove(story["delivered"])),
    ("repository-retrieve", _status("stranger answer", 0x0000)),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in ASKED_CASES}))
def test_a_good_answer_of_a_repository_passes(check_id: str) -> None:
    seen = observed(check_id, asked_and_fetched())
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


@pytest.mark.parametrize(("check_id", "change"), ASKED_CASES)
def test_a_bad_answer_of_a_repository_fails(check_id: str, change: Callable[[Story], object]) -> None:
    story = asked_and_fetched()
    change(story)
    assert failing(check_id, story)


def test_notes_in_the_archive() -> None:
    story = served(ARCHIVE, the_note(), modalities="CT\\KO")
    for check_id in ("archive-note-values", "archive-note-delivered"):
        assert observed(check_id, story)
        assert not failing(check_id, story)
    story.data("image match")["ContentDate"] = "19990101"
    story["delivered"].raw = encode(the_note(_title("113004")), EXPLICIT)
    assert failing("archive-note-values", story)
    assert failing("archive-note-delivered", story)


# -- the reader and the display ------------------------------------------------------------------------------------


def reads(**keys: str) -> Story:
    story = Story(declared("Report Reader", "Image Display"))
    story.fact("ACTION", "action", action="query-reports", parameters={"keys": {"PatientName": "DOE*"}})
    asked = keys or {"PatientName": "DOE*", "ModalitiesInStudy": "SR", "StudyInstanceUID": ""}
    story.ask("study", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", **asked})
    flags = dict.fromkeys(("CompletionFlag", "VerificationFlag", "ContentDate", "ContentTime"), "")
    place = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "SOPInstanceUID": ""}
    document: dict[str, Any] = {"QueryRetrieveLevel": "IMAGE", **place, **flags, "ConceptNameCodeSequence": []}
    story.ask("images", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, document)
    notes = {"QueryRetrieveLevel": "SERIES", **place, "SeriesInstanceUID": "", "Modality": "KO"}
    story.ask("notes", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, notes)
    wanted, where = {**place, "SOPInstanceUID": "1.2.5"}, {"MoveDestination": "READER"}
    story.ask("move", "C-MOVE-RQ", FROM_SUT, STUDY_ROOT_MOVE, {"QueryRetrieveLevel": "IMAGE", **wanted}, fields=where)
    story.associate("delivery", TO_SUT, (BASIC_TEXT_SR, ENHANCED_SR), 6)
    store(story, "report", TO_SUT, the_report(), association=6)
    measured = ReportPlan(SUBJECTS[0], PLAN.study, measurements=(("Length", 3.0),))
    store(story, "enhanced", TO_SUT, the_report(plan=measured), association=6)
    return story


READER_CASES: list[tuple[str, Callable[[Story], object]]] = [
    ("ari-reader", _status("move answer", 0xA801)),
    ("ari-display", _status("move answer", 0xA801)),
    ("reader-study-keys", lambda story: story.data("study").pop("PatientName")),
    ("reader-study-keys", lambda story: story.data("study").update(PatientName="ROE*")),
    ("reader-document-keys", lambda story: story.data("images").pop("CompletionFlag")),
    ("reader-hierarchical", lambda story: story.data("images").pop("StudyInstanceUID")),
    ("reader-own-storage", lambda story: story["move"].fields.update(MoveDestination="")),
    ("reader-own-storage", lambda story: story.data("move").update(SOPInstanceUID="")),
    ("reader-basic-text", _status("report answer", 0x0122)),
    ("reader-enhanced", _status("enhanced answer", 0x0122)),
    ("reader-basic-text", lambda story: story["delivery accepted"].fields.update(contexts=[])),
    ("display-finds-notes", lambda story: story.data("images").pop("ConceptNameCodeSequence")),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in READER_CASES}))
def test_a_good_reader_passes(check_id: str) -> None:
    seen = observed(check_id, reads())
    assert seen
    assert all(one.ok for one in seen), [one.summary for one in seen]


@pytest.mark.parametrize(("check_id", "change"), READER_CASES)
def test_a_bad_reader_fails(check_id: str, change: Callable[[Story], object]) -> None:
    story = reads()
    change(story)
    assert failing(check_id, story)


# -- all of them ---------------------------------------------------------------------------------------------------


def test_every_check_is_shown_to_pass_and_to_fail() -> None:
    shown = {case[0] for case in (*NOTE_CASES, *SERVED_CASES, *ASKED_CASES, *READER_CASES)}
    shown |= {"note-reason", "archive-note-values", "archive-note-delivered"}
    shown |= set(test_ari_documents.SHOWN)
    assert {check.id for check in CHECKS} == shown


@pytest.mark.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])
def test_nothing_seen_is_nothing_said(check: Any) -> None:
    assert list(check(Exchange(Transcript(), Declaration()))) == []


@pytest.mark.parametrize(
    "base",
    [lambda: made(the_note()), lambda: served(EXTERNAL, the_report()), reads, asked_and_fetched],
    ids=["made", "served", "read", "asked"],
)
def test_garbage_raises_nothing_and_evidence_names_messages(base: Callable[[], Story]) -> None:
    story = base()
    for event in story.events:
        if event.raw is not None or (event.data is not None and not event.kind.startswith("#")):
            event.raw = b"\x00\x01garbage that is no data set\xff" * 3
    exchange = story.exchange()
    messages = {message.seq for message in exchange.transcript.messages}
    for check in CHECKS:
        for seen in check(exchange):
            assert set(seen.evidence) <= messages, check.id
