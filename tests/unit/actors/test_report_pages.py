"""A report as a page: nothing is lost, nothing is executed, nothing is endless, what is not final says so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from harness.actors.image_display import Received
from harness.actors.objects import SUBJECTS, StudyPlan, make, uid_source
from harness.actors.reports.documents import Code, Referenced, ReportPlan, evidence, key_object_note, report
from harness.actors.reports.page import document_page, report_as_html
from harness.core.message import Blob
from harness.protocols.dicom.datasets import decode, encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes

IMAGE = make([StudyPlan(SUBJECTS[0])], uid_source(2))[0].dataset


def made(**more: Any) -> Dataset:
    return report(ReportPlan(SUBJECTS[0], "1.2.3", **more), uid_source(1))


def item(kind: str, name: Code | None = None, relation: str = "CONTAINS", **values: object) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relation, kind
    if name is not None:
        ds.ConceptNameCodeSequence = Sequence([name.item()])
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def text(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"findings": ("所見なし",), "language": "ja", "complete": False, "verified": False},
        {"measurements": (("Length", 12.5),)},
        {"findings": ("Läsion & Ödem",), "impressions": (), "language": "de"},
    ],
)
def test_generated_reports_are_valid_and_shown_whole(plan: dict[str, Any]) -> None:
    ds = made(**plan)
    found = validate_dataset_bytes(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE, None)
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []
    page = report_as_html(ds)
    flags = str(ds.CompletionFlag), str(ds.VerificationFlag)
    for said in ("Diagnostic Imaging Report", "P-1001", *flags, "Reader^Ruth"):
        assert said in page
    for finding in plan.get("findings", ()):
        assert str(finding).replace("&", "&amp;") in page
    if "measurements" in plan:
        assert "12.5 mm" in page
    assert f'<html lang="{plan.get("language", "en")}">' in page


@pytest.mark.parametrize(
    ("complete", "verified", "said"),
    [
        (True, True, ""),
        (False, True, "PARTIAL: this is no final report"),
        (True, False, "UNVERIFIED: this is no final report"),
        (False, False, "PARTIAL, UNVERIFIED: this is no final report"),
    ],
)
def test_what_is_not_final_says_so_at_the_top(complete: bool, verified: bool, said: str) -> None:
    page = report_as_html(made(complete=complete, verified=verified))
    assert ('class="banner"' in page) is bool(said)
    assert said in page.partition("<h1")[0]


def test_markup_in_a_report_is_text() -> None:
    hostile = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    ds = made(findings=(hostile,), author=hostile[:30], accession_number='"><script>')
    ds.ConceptNameCodeSequence[0].CodeMeaning = hostile
    ds.ContentSequence[0].ConceptCodeSequence[0].CodeValue = 'en"><script>'
    page = report_as_html(ds)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert '<html lang="en">' in page


def test_lines_of_a_text_stay_lines() -> None:
    page = report_as_html(made(findings=("one\r\ntwo\rthree",)))
    assert '<span class="value" dir="auto">one\ntwo\nthree</span>' in page
    assert "white-space:pre-wrap" in page


def test_an_item_of_unknown_type_is_named() -> None:
    ds = made()
    ds.ContentSequence[3].ContentSequence[0].ValueType = "HOLOGRAM"
    assert "HOLOGRAM" in report_as_html(ds)


def test_a_thousand_levels_are_shown_and_read() -> None:
    ds = made()
    deepest = ds.ContentSequence[4]
    for level in range(1000):
        inner = item("TEXT", Code("121071", "DCM", "Finding"), "HAS PROPERTIES", TextValue=f"level {level}")
        deepest.ContentSequence = [inner]
        deepest = inner
    page = report_as_html(ds)
    assert "level 999" in page
    assert page.count("<div") == page.count("</div>")


def test_a_page_that_leaves_something_out_says_so() -> None:
    many = made(findings=tuple(f"finding {number}" for number in range(5100)))
    page = report_as_html(many)
    assert "longer than this page shows" in page
    assert page.count("<section") == page.count("</section>")
    long = report_as_html(made(findings=("x" * 3_000_000, "the end")))
    assert len(long) < 2_000_000
    assert "longer than this page shows" in long
    assert "and more" in long
    images = [Referenced("1.2.3", "1.2.4", "1.2.5", f"1.2.6.{number}") for number in range(5001)]
    named = made()
    for count, cut in ((5000, False), (5001, True)):
        named.CurrentRequestedProcedureEvidenceSequence = evidence(images[:count])
        assert ("more evidence than this page shows" in report_as_html(named)) is cut


@pytest.mark.parametrize("identifier", [[1, 5, 1], [1], [1, 99], [1, 0], [1, 5, 1, 1, 1, 1]])
def test_references_between_items_are_links_that_are_never_followed(identifier: list[int]) -> None:
    ds = made()
    loop = Dataset()
    loop.RelationshipType, loop.ReferencedContentItemIdentifier = "INFERRED FROM", identifier
    ds.ContentSequence[4].ContentSequence[0].ContentSequence = [loop]
    page = report_as_html(ds)
    place = ".".join(map(str, identifier))
    if identifier in ([1, 5, 1], [1]):
        assert f'href="#item-{place}"' in page
    else:
        assert f"see item {place}, which does not exist" in page
    if len(identifier) == 3:
        assert f'id="item-{place}"' in page


def test_references_to_instances_are_links_to_where_they_lie() -> None:
    note = key_object_note(ReportPlan(SUBJECTS[0], "1.2.3", images=(Referenced.of(IMAGE),)), uid_source(3), text="Look")
    image = next(one for one in note.ContentSequence if one.ValueType == "IMAGE")
    image.ReferencedSOPSequence[0].ReferencedFrameNumber = [3, 4]
    state = Dataset()
    state.ReferencedSOPClassUID, state.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.77"
    image.ReferencedSOPSequence[0].ReferencedSOPSequence = [state]
    page = report_as_html(note)
    uid = str(IMAGE.SOPInstanceUID)
    assert f'href="#instance-{uid}"' in page
    assert f'id="instance-{uid}"' in page
    for said in ("CT Image Storage, frame 3, 4", "1.2.77", str(IMAGE.SeriesInstanceUID), "Look", "Of Interest"):
        assert said in page
    assert "banner" not in page.partition("<body>")[2], "notes have no flags"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (item("NUM", Code("1", "99X", "Area")), "Area not measured"),
        (item("IMAGE"), "image without a reference"),
        (item("COMPOSITE", ReferencedSOPSequence=[]), "composite without a reference"),
        (item("CODE", Code("1", "99X", "Side"), ConceptCodeSequence=[Code("7771000", "SCT", "Left").item()]), "Left"),
        (item("SCOORD", GraphicType="POINT", GraphicData=[3.0, 4.0]), "POINT 3.0, 4.0"),
        (item("TCOORD", TemporalRangeType="SEGMENT", ReferencedTimeOffsets=["1.5", "2.5"]), "SEGMENT 1.5, 2.5"),
        (item("TEXT", Code("1", "99X", "Late"), TextValue="seen", ObservationDateTime="20260105"), "observed 20260105"),
        (item("CONTAINER"), ""),
        (Dataset(), "item of unknown type"),
    ],
)
def test_every_kind_of_item_is_told_even_if_something_is_missing(one: Dataset, said: str) -> None:
    ds = made()
    ds.ContentSequence[4].ContentSequence.append(one)
    assert said in text(report_as_html(ds))


def test_a_number_keeps_unit_and_qualifier() -> None:
    ds = made(measurements=(("Length", 12.5),))
    number = next(one for one in ds.ContentSequence[3].ContentSequence if one.ValueType == "NUM")
    number.NumericValueQualifierCodeSequence = [Code("114010", "DCM", "Estimated").item()]
    assert "12.5 mm (Estimated)" in report_as_html(ds)


def test_language_and_country_mark_the_text() -> None:
    ds = made(findings=("Kolour",), language="en")
    country = item("CODE", Code("121046", "DCM", "Country of Language"), "HAS CONCEPT MOD")
    country.ConceptCodeSequence = [Code("ZA", "ISO3166_1", "South Africa").item()]
    ds.ContentSequence[0].ContentSequence = [country]
    language = item("CODE", Code("121049", "DCM", "Sprache"), "HAS CONCEPT MOD")
    language.ConceptCodeSequence = [Code("ja", "RFC5646", "Japanese").item()]
    ds.ContentSequence[3].ContentSequence.append(language)
    page = report_as_html(ds)
    assert '<html lang="en-ZA">' in page
    assert 'id="item-1.4" lang="ja"' in page


@pytest.mark.parametrize(
    "said",
    ["판독 결과 이상 없음", "所見なし", "未见异常", "لا توجد موجودات", "Läsion", "ไม่พบ"],
    ids=lambda said: said[:3],
)
def test_every_script_survives_the_wire(said: str) -> None:
    ds = made(findings=(said,))
    read = decode(Blob.of(encode(ds, EXPLICIT_VR_LE)), EXPLICIT_VR_LE)
    assert said in report_as_html(read)


def test_an_amended_report_names_what_it_amends_and_where_it_lies_too() -> None:
    ds = made()
    ds.PredecessorDocumentsSequence = evidence([Referenced("1.2.3", "1.2.4", "1.2.5", "1.2.6")])
    ds.IdenticalDocumentsSequence = evidence([Referenced("1.3.3", "1.3.4", "1.3.5", "1.3.6")])
    page = report_as_html(ds)
    assert '<th>Amends or replaces</th><td dir="auto">1.2.6</td>' in page
    assert '<th>Also kept as</th><td dir="auto">1.3.6</td>' in page


def test_what_cannot_be_decoded_says_so() -> None:
    ds = made(measurements=(("Length", 12.5),))
    ds.ContentSequence[3].ContentSequence[0].add_new(0x0040A730, "OB", b"no sequence")
    ds.ContentSequence[4].ContentSequence += [
        item("SCOORD", GraphicType="POINT", GraphicData=[0.5]),
        item("COMPOSITE", ReferencedSOPSequence=Sequence([item("", ReferencedFrameNumber=123456)])),
    ]
    sent = encode(ds, EXPLICIT_VR_LE)
    for sound, odd in (
        (b"DS\x04\x0012.5", b"DS\x04\x001,5 "),
        (b"\x70\x00\x22\x00FL", b"\x70\x00\x22\x00FD"),
        (b"IS\x06\x00123456", b"IS\x06\x009E9999"),
    ):
        assert sent.count(sound) == 1
        sent = sent.replace(sound, odd)
    page = text(document_page(Received("", "1.2.3", EXPLICIT_VR_LE, Blob.of(sent))))
    assert "What is in this item cannot be read" in page
    assert "1,5 mm" in page
    assert "POINT unreadable value b&#x27;\\x00\\x00\\x00?&#x27;" in page
    assert "frame unreadable value b&#x27;9E9999&#x27;" in page


def test_a_document_of_nothing_is_still_a_page() -> None:
    assert "Document without title" in report_as_html(Dataset())
