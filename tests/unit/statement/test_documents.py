"""Both layouts, the integration statement, and every format."""

from __future__ import annotations

import html.parser
import io
import sys
import zipfile
from pathlib import Path

import docx
import pytest
from lxml import etree

from harness.core.errors import UsageError
from harness.core.verdict import Verdict
from harness.statement import diagrams, render
from harness.statement.build import build, declared_from
from harness.statement.document import Document, Section, Table
from harness.statement.integration import SENTENCE, ihe_document
from harness.statement.layouts import Layout, dicom_document
from tests.unit.statement import products

CLASSIC = (
    "Conformance statement overview", "Table of contents", "Introduction", "Networking", "Media interchange",
    "Transformation of DICOM to CDA", "Support of character sets", "Security", "Annexes",
)  # fmt: skip
ANNEX_N = (
    "Overview", "Table of contents", "Introduction", "Implementation model",
    "Service and interoperability description", "Configuration", "Network and media communication details",
    "Security", "Annexes",
)  # fmt: skip


@pytest.mark.parametrize(("layout", "titles"), [(Layout.CLASSIC, CLASSIC), (Layout.ANNEX_N, ANNEX_N)])
def test_sections_are_in_the_order_of_the_template(layout: Layout, titles: tuple[str, ...]) -> None:
    document = dicom_document(products.modality_statement(), layout)
    assert tuple(section.title for section in document.sections) == titles
    numbers = [s.number for s in walk(document.sections)]
    assert len(numbers) == len(set(numbers))


def test_services_of_annex_n_have_the_numbers_of_the_template() -> None:
    """N.5.2.1 is the worklist, .5 storage; status codes stand in N.7.3.2 under the same numbers."""
    sections = {s.number: s for s in walk(dicom_document(products.modality_statement(), Layout.ANNEX_N).sections)}
    titles = {
        "1.1": "Content and transfer",
        "5.2": "DIMSE services",
        "5.2.1": "Basic Worklist Management Service",
        "5.2.5": "Storage Service",
        "6.2": "Configuration of DIMSE services",
        "7.2": "Specifications",
        "7.3.2.5": "Storage Service",
        "A.A": "Information object definitions (IODs)",
        "A.B": "Structured report content encoding",
    }
    assert {number: sections[number].title for number in titles if number in sections} == titles
    captions = [block.caption for block in sections["7.3.2.5"].blocks if isinstance(block, Table)]
    assert captions
    assert all(caption.startswith("Status codes") for caption in captions)


def walk(sections: tuple[Section, ...]) -> list[Section]:
    return [inner for section in sections for inner in (section, *walk(section.sections))]


@pytest.mark.parametrize("layout", Layout)
def test_the_same_statement_gives_the_same_bytes(layout: Layout) -> None:
    first, second = (dicom_document(products.modality_statement(), layout) for _ in range(2))
    assert render.html_text(first) == render.html_text(second)
    assert render.markdown_text(first) == render.markdown_text(second)


class Balance(html.parser.HTMLParser):
    """Open elements, to see that every one is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [(values["href"] or "")[1:]] if "href" in values else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_names_of_products_cannot_break_it() -> None:
    declared = declared_from({"name": "<script>alert(1)</script>|*"}, [], {}, ae_titles=["A&B"])
    for document in (dicom_document(build(declared)), dicom_document(products.modality_statement(), Layout.ANNEX_N)):
        page = render.html_text(document)
        parser = Balance()
        parser.feed(page)
        assert parser.open == []
        assert set(parser.links) <= set(parser.ids)
        assert "<script" not in page
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_diagrams_are_well_formed_and_show_who_sends() -> None:
    statement = products.modality_statement()
    for drawing in (diagrams.data_flow(statement), diagrams.sequence(statement)):
        assert etree.QName(etree.fromstring(drawing.encode())).localname == "svg"
    assert diagrams.steps(statement) == [(True, "C-FIND: Query (Modality Worklist)"), (True, "C-STORE: Storage")]


@pytest.mark.parametrize("name", ["dicom", "ihe"])
def test_the_document_is_the_one_that_was_looked_at(name: str) -> None:
    statement = products.modality_statement(store_failure="It tries again", published="2026-11-21")
    document = dicom_document(statement) if name == "dicom" else ihe_document(statement)
    golden = Path(__file__).parent / "golden" / f"{name}.md"
    assert render.markdown_text(document) == golden.read_text(encoding="utf-8")


def test_unknown_is_shown_as_unknown() -> None:
    page = render.markdown_text(dicom_document(build(products.modality())))
    assert "| Vendor | not stated |" in page
    assert "| Maximum PDU size received, bytes | not stated |" in page


def test_integration_statement_lists_whole_actors_with_their_basis() -> None:
    page = render.markdown_text(ihe_document(products.modality_statement(ihe_url="https://example.org/ihe")))
    assert SENTENCE in page
    assert "| Scheduled Workflow (SWF) | Acquisition Modality | Broad Worklist Query |" in page
    assert "https://example.org/ihe" in page
    unproven = render.markdown_text(ihe_document(build(products.modality())))
    assert "declared by the vendor, not verified" in unproven


def test_integration_statement_does_not_list_partial_or_broken_claims_as_implemented() -> None:
    page = render.markdown_text(ihe_document(products.archive_statement()))
    assert SENTENCE not in page
    assert "no integration claim" in page
    number = products.first_requirement("RAD-5", products.MODALITY)
    bad = products.scenario("bad", products.MODALITY, ["RAD-5"], products.finding(number, Verdict.FAIL))
    broken = build(products.modality(), None, products.run_of(*products.passing_run().scenarios, bad))
    page = render.markdown_text(ihe_document(broken))
    assert "Integration profiles implemented" not in page
    assert "Claims that a run contradicts" in page


def test_a_finding_leads_to_its_place_in_the_page_of_the_run() -> None:
    number = products.first_requirement("RAD-5", products.MODALITY)
    bad = products.scenario("bad", products.MODALITY, ["RAD-5"], products.finding(number, Verdict.FAIL))
    document = ihe_document(build(products.modality(), None, products.run_of(*products.passing_run().scenarios, bad)))
    assert '<a href="run/report.html#s6"><code>bad</code></a>' in render.html_text(document, "run/report.html")
    assert "<a href" not in render.html_text(document)


def small() -> Document:
    return ihe_document(build(products.modality()))


def test_docx_holds_the_text() -> None:
    with zipfile.ZipFile(io.BytesIO(render.docx_bytes(small()))) as archive:
        assert b"IHE Integration Statement" in archive.read("word/document.xml")


@pytest.mark.parametrize("layout", Layout)
def test_docx_read_back_has_every_section_and_table_in_order(layout: Layout) -> None:
    document = dicom_document(products.modality_statement(), layout)
    made = docx.Document(io.BytesIO(render.docx_bytes(document)))
    headings = [p.text for p in made.paragraphs if p.style is not None and p.style.name.startswith("Heading")]
    wanted = [f"{s.number} {s.title}".strip() for s in walk(document.sections)]
    assert [text for text in headings if text in wanted] == wanted
    tables = [b for s in walk(document.sections) for b in s.blocks if isinstance(b, Table)]
    cells = [table.rows[0].cells[0].text for table in made.tables][-len(tables) :]
    assert cells == [str(table.headings[0]) for table in tables]


@pytest.mark.parametrize(("module", "write"), [("weasyprint", render.pdf_bytes), ("docx", render.docx_bytes)])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, module: str, write: object) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert callable(write)
    with pytest.raises(UsageError, match=r"ihe-harness\[statement\]"):
        write(small())
