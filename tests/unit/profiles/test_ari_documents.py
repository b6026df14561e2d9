"""What is judged of notes, evidence documents and pages of reports: good ones pass, one change fails, variants pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors import evidence_documents
from harness.actors.objects import SUBJECTS, SeriesPlan, StudyPlan, make, uid_source
from harness.actors.reports.documents import Code, Referenced, ReportPlan, key_object_note, report
from harness.actors.reports.page import report_as_html
from harness.core.check import Declaration
from harness.core.message import Direction
from harness.profiles.ari.checks import content
from harness.profiles.journal import STUDY_ROOT_FIND
from harness.profiles.values import plain_values
from harness.protocols.dicom.datasets import encode
from tests.unit.profiles.builders import EXPLICIT, FROM_SUT, TO_SUT, Story, failing, observed

SUBJECT = SUBJECTS[0]
STUDIES = [
    [sample.dataset for sample in make([StudyPlan(SUBJECT, (SeriesPlan("CT", 2),))], uid_source(seed))]
    for seed in (1, 2)
]
CREATOR = Declaration(frozenset({"Evidence Creator"}), frozenset({"KIN", "ED"}))
READER = Declaration(frozenset({"Report Reader"}), frozenset({"ARI"}), frozenset({"Multiple Sources"}))
Change = Callable[[list[Dataset]], Any]


def made(kind: str, studies: int = 1, change: Change | None = None) -> Story:
    """The product fetched the images of one study or two and stored what it made of them."""
    documents = evidence_documents.documents(kind, SUBJECT, STUDIES[:studies], uid_source(5))
    if change:
        change(documents)
    story = Story(CREATOR)
    for number, image in enumerate(image for study in STUDIES[:studies] for image in study):
        _store(story, f"image{number}", TO_SUT, image)
    for number, document in enumerate(documents):
        _store(story, f"document{number}", FROM_SUT, document)
    return story


def _store(story: Story, name: str, direction: Direction, ds: Dataset) -> None:
    event = story.ask(name, "C-STORE-RQ", direction, str(ds.SOPClassUID), instance=str(ds.SOPInstanceUID))
    event.raw = encode(ds, EXPLICIT)


def _each(change: Callable[[Dataset], object]) -> Change:
    return lambda documents: [change(one) for one in documents]


def _without_unit(ds: Dataset) -> None:
    number = next(i for s in ds.ContentSequence for i in s.get("ContentSequence") or () if i.ValueType == "NUM")
    del number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence


def _forget_evidence(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence.pop()


def _evidence_elsewhere(ds: Dataset) -> None:
    ds.PertinentOtherEvidenceSequence = ds.CurrentRequestedProcedureEvidenceSequence
    del ds.CurrentRequestedProcedureEvidenceSequence


#: judged by tests of this module
SHOWN = (
    *("evidence-well-formed", "evidence-references", "evidence-patient", "display-finds-documents"),
    *("reader-page", "reader-lost-source", "display-page"),
)
DOCUMENT_CASES: list[tuple[str, Callable[[Dataset], object]]] = [
    ("evidence-well-formed", _without_unit),
    ("evidence-well-formed", lambda ds: setattr(ds, "CompletionFlag", "MAYBE")),
    ("evidence-references", _forget_evidence),
    ("evidence-patient", lambda ds: setattr(ds, "PatientID", "SOMEBODY")),
    ("evidence-patient", lambda ds: setattr(ds, "StudyInstanceUID", "1.2.3")),
]


@pytest.mark.parametrize("check_id", sorted({case[0] for case in DOCUMENT_CASES}))
def test_a_good_evidence_document_passes(check_id: str) -> None:
    seen = observed(check_id, made("evidence document"))
    assert [one.ok for one in seen] == [True], [one.summary for one in seen]


@pytest.mark.parametrize(("check_id", "change"), DOCUMENT_CASES)
def test_a_bad_evidence_document_fails(check_id: str, change: Callable[[Dataset], object]) -> None:
    assert failing(check_id, made("evidence document", change=_each(change)))


def test_evidence_of_a_document_may_stand_in_either_list_but_that_of_a_note_not() -> None:
    assert not failing("evidence-references", made("evidence document", change=_each(_evidence_elsewhere)))
    assert failing("note-references", made("key image note", change=_each(_evidence_elsewhere)))


# -- notes --------------------------------------------------------------------------------------------------------


def test_a_note_over_two_studies_lies_in_both() -> None:
    seen = observed("note-several-studies", made("key image note", 2))
    assert [one.ok for one in seen] == [True, True], [one.summary for one in seen]


@pytest.mark.parametrize(
    "change",
    [
        lambda notes: notes.pop(),
        lambda notes: [notes.pop(), notes[0].pop("IdenticalDocumentsSequence")],
        _each(lambda note: note.pop("IdenticalDocumentsSequence")),
    ],
    ids=["duplicate not stored", "first study only", "duplicates do not know each other"],
)
def test_a_note_over_two_studies_without_its_duplicate_fails(change: Change) -> None:
    assert failing("note-several-studies", made("key image note", 2, change))


def titled(title: Code, *modifiers: Code) -> Story:
    note = key_object_note(
        ReportPlan(SUBJECT, str(STUDIES[0][0].StudyInstanceUID), images=(Referenced.of(STUDIES[0][0]),)),
        uid_source(6),
        title=title,
    )
    for modifier in modifiers:
        item = Dataset()
        item.RelationshipType, item.ValueType = "HAS CONCEPT MOD", "CODE"
        item.ConceptNameCodeSequence = Sequence([Code("113011", "DCM", "Document Title Modifier").item()])
        item.ConceptCodeSequence = Sequence([modifier.item()])
        note.ContentSequence.insert(0, item)
    story = Story(CREATOR)
    _store(story, "note", FROM_SUT, note)
    return story


BEST, REJECTED, INTEREST = (
    Code("113013", "DCM", "Best In Set"),
    Code("113001", "DCM", "Rejected for Quality Reasons"),
    Code("113000", "DCM", "Of Interest"),
)
SERIES, MOTION = Code("113015", "DCM", "Series"), Code("111210", "DCM", "Motion blur")
PRIVATE = Code("X1", "99VENDOR", "Something of ours")


@pytest.mark.parametrize(
    ("title", "modifiers", "expected"),
    [
        (REJECTED, (MOTION,), [True]),
        (REJECTED, (INTEREST,), [False]),
        (REJECTED, (), []),
        (REJECTED, (PRIVATE,), [None]),
        (REJECTED, (MOTION, PRIVATE), [True]),
        (BEST, (SERIES,), [True]),
        (BEST, (), [False]),
        (BEST, (MOTION,), [False]),
        (INTEREST, (MOTION,), []),
    ],
)
def test_titles_are_modified_from_their_group(title: Code, modifiers: tuple[Code, ...], expected: list[Any]) -> None:
    assert [one.ok for one in observed("note-reason", titled(title, *modifiers))] == expected


def test_a_title_of_a_later_edition_is_neither_praised_nor_blamed() -> None:
    later = Code("139999", "DCM", "Manifest with Description")
    assert [one.ok for one in observed("note-template", titled(later))] == [None]
    assert [one.ok for one in observed("note-template", titled(Code("121071", "DCM", "Finding")))] == [False]


# -- TID 2000 -----------------------------------------------------------------------------------------------------


def problems(change: Callable[[Dataset], object]) -> list[str]:
    ds = report(ReportPlan(SUBJECT, "1.2.3", measurements=(("Length", 1.5),)), uid_source(7))
    change(ds)
    plain = plain_values(ds)
    claimed = content.template_of(plain) == "2000"
    return [problem for _, problem in content.report_template_problems(plain)] if claimed else []


def _no_language(ds: Dataset) -> None:
    del ds.ContentSequence[0]


def _two_languages(ds: Dataset) -> None:
    ds.ContentSequence.insert(0, copy.deepcopy(ds.ContentSequence[0]))


def _section_in_a_section(ds: Dataset) -> None:
    sections = [item for item in ds.ContentSequence if item.ValueType == "CONTAINER"]
    sections[0].ContentSequence.append(copy.deepcopy(sections[1]))


def country(ds: Dataset) -> None:
    item = Dataset()
    item.RelationshipType, item.ValueType = "HAS CONCEPT MOD", "CODE"
    item.ConceptNameCodeSequence = Sequence([Code("121046", "DCM", "Country of Language").item()])
    item.ConceptCodeSequence = Sequence([Code("US", "ISO3166_1", "United States").item()])
    ds.ContentSequence[0].ContentSequence = Sequence([item])


def no_observer(ds: Dataset) -> None:
    ds.ContentSequence = Sequence(i for i in ds.ContentSequence if i.RelationshipType != "HAS OBS CONTEXT")


def private_template(ds: Dataset) -> None:
    ds.ContentTemplateSequence[0].MappingResource = "99VENDOR"
    _section_in_a_section(ds)
    _no_language(ds)


@pytest.mark.parametrize("change", [_no_language, _two_languages, _section_in_a_section])
def test_what_the_template_forbids_is_found(change: Callable[[Dataset], object]) -> None:
    assert problems(change)


@pytest.mark.parametrize("change", [lambda ds: None, country, no_observer, private_template])
def test_what_the_template_allows_is_no_problem(change: Callable[[Dataset], object]) -> None:
    assert problems(change) == []


# -- pages --------------------------------------------------------------------------------------------------------


def read(page: Any, **plan: Any) -> Story:
    ds = report(ReportPlan(SUBJECT, "1.2.3", measurements=(("Length", 12.5),), **plan), uid_source(8))
    story = Story(READER)
    story.fact("ACTION", "action", action="retrieve-report", parameters={"report": str(ds.SOPInstanceUID)})
    _store(story, "report", TO_SUT, ds)
    shown = page(ds) if callable(page) else page
    story.fact("OUTCOME", "outcome", action="retrieve-report", state="done", answers={"page": shown})
    return story


def _changed(old: str, new: str) -> Callable[[Dataset], str]:
    return lambda ds: report_as_html(ds).replace(old, new)


def _in_german(ds: Dataset) -> str:
    """Codes and flags in another language, text and numbers as they are."""
    return (
        "Adams^John Robert Quincy P-1001 VORLÄUFIG. Befundbericht. Ruth Reader. Befund: The lungs\nare clear. "
        "Länge 12,5 mm. Beurteilung: No acute disease."
    )


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (report_as_html, True),
        (_changed("12.5", "12,5"), True),
        (_changed("The lungs are clear.", "The LUNGS\n  are   clear."), True),
        (_changed("No acute disease.", ""), False),
        (_changed("12.5", "125"), False),
        (_changed("P-1001", "P-1002"), False),
        (_changed("Ruth", ""), False),
        (_in_german, None),
    ],
)
def test_a_page_says_what_the_report_says(page: Any, expected: bool | None) -> None:
    assert [one.ok for one in observed("reader-page", read(page))] == [expected]


def test_a_preliminary_report_says_so_in_known_words_or_nobody_can_tell() -> None:
    plan = {"verified": False, "complete": False}
    assert [one.ok for one in observed("reader-page", read(report_as_html, **plan))] == [True]
    silent = (
        "Adams John Robert Quincy P-1001 Diagnostic Imaging Report Reader Ruth Findings The lungs are clear. Length "
    )
    silent += "12.5 mm Impressions No acute disease."
    assert [one.ok for one in observed("reader-page", read(silent, **plan))] == [None]
    assert [one.ok for one in observed("reader-page", read(silent + " Draft", **plan))] == [True]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [("Yamada Tarou", True), ("山田 太郎", True), ("やまだ たろう", True), ("Yamada", False), ("山田", False)],
)
def test_one_group_of_a_name_is_enough(shown: str, expected: bool) -> None:
    ds = report(ReportPlan(SUBJECTS[1], "1.2.3", measurements=(("Length", 3.0),)), uid_source(8))
    ds.ContentSequence[3].ContentSequence[1].MeasuredValueSequence[0].NumericValue = "3.0"
    story = Story(READER)
    story.fact("ACTION", "action", action="retrieve-report", parameters={"report": str(ds.SOPInstanceUID)})
    _store(story, "report", TO_SUT, ds)
    page = (
        f"Diagnostic Imaging Report {shown} P-1002 Ruth Reader Findings The lungs are clear. Length 3 mm Impressions "
    )
    answers = {"page": page + "No acute disease."}
    story.fact("OUTCOME", "outcome", action="retrieve-report", state="done", answers=answers)
    assert [one.ok for one in observed("reader-page", story)] == [expected]


@pytest.mark.parametrize("page", ["", None, 7])
def test_without_a_page_nothing_is_judged(page: Any) -> None:
    assert observed("reader-page", read(page)) == []


def searched(entries: Any, error: Any) -> Story:
    story = Story(READER)
    story.fact("FAULT-INJECTED", "away", fault="source-away", actor="External Report Repository Access")
    story.fact("ACTION", "action", action="query-reports", parameters={"keys": {"StudyDate": "20260105"}})
    keys = {"QueryRetrieveLevel": "STUDY", "StudyDate": "20260105", "StudyInstanceUID": ""}
    story.ask("study", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, keys, status=None)
    story.answer("study", 0xFF00, {**keys, "StudyInstanceUID": "1.2.3"}, name="match")
    story.answer("study", 0)
    story.fact("OUTCOME", "outcome", action="query-reports", state="done", answers={"entries": entries, "error": error})
    return story


@pytest.mark.parametrize(
    ("entries", "error", "expected"),
    [
        (1, "EXTERNAL: connection refused", True),
        ([{"title": "x"}, {"title": "y"}], "EXTERNAL is away", True),
        (0, "EXTERNAL is away", False),
        (1, "", False),
        (1, None, False),
    ],
)
def test_a_source_that_is_away_hides_nothing(entries: Any, error: Any, expected: bool) -> None:
    assert [one.ok for one in observed("reader-lost-source", searched(entries, error))] == [expected]


def displayed(page: Any) -> Story:
    ds = report(ReportPlan(SUBJECT, "1.2.3", measurements=(("Length", 12.5),)), uid_source(8))
    note = key_object_note(
        ReportPlan(SUBJECT, "1.2.3", images=(Referenced.of(STUDIES[0][0]),)), uid_source(9), text="x"
    )
    story = Story(Declaration(frozenset({"Image Display"}), frozenset({"ARI"})))
    story.fact("ACTION", "action", action="retrieve-images", parameters={"study": "1.2.3"})
    for name, document in (("report", ds), ("note", note)):
        _store(story, name, TO_SUT, document)
    pages = {str(ds.SOPInstanceUID): page(ds), str(note.SOPInstanceUID): "nothing", "1.2.999": "of what never came"}
    story.fact("OUTCOME", "outcome", action="retrieve-images", state="done", answers={"pages": pages})
    keys = {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": "1.2.3", "Modality": "SR", "SeriesInstanceUID": ""}
    story.ask("series", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, keys)
    asked = dict.fromkeys(("CompletionFlag", "VerificationFlag", "ContentDate", "ContentTime"), "")
    images = {**keys, "QueryRetrieveLevel": "IMAGE", "SeriesInstanceUID": "1.2.4", "Modality": ""}
    story.ask("images", "C-FIND-RQ", FROM_SUT, STUDY_ROOT_FIND, {**images, **asked, "ConceptNameCodeSequence": []})
    return story


@pytest.mark.parametrize(
    ("page", "expected"), [(report_as_html, True), (_changed("12.5", "12"), False), (_in_german, None)]
)
def test_a_display_shows_evidence_documents_whole(page: Any, expected: bool | None) -> None:
    assert [one.ok for one in observed("display-page", displayed(page))] == [expected]


def test_a_display_asks_for_the_flags_of_documents() -> None:
    story = displayed(report_as_html)
    assert [one.ok for one in observed("display-finds-documents", story)] == [True, True]
    story.data("images").pop("VerificationFlag")
    assert failing("display-finds-documents", story)
