"""A report as a page: nothing is lost, nothing is executed."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.report_reader_html import report_as_html
from harness.actors.report_repository_documents import ReportPlan, report
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes


def made(**more: object) -> Dataset:
    return report(ReportPlan(SUBJECTS[0], "1.2.3", **more), uid_source(1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"findings": ("所見なし",), "language": "ja", "complete": False, "verified": False},
        {"measurements": (("Length", 12.5),)},
        {"findings": ("Läsion & Ödem",), "impressions": (), "language": "de"},
    ],
)
def test_generated_reports_are_valid_and_shown_whole(plan: dict[str, object]) -> None:
    ds = made(**plan)
    found = validate_dataset_bytes(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE, None)
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []
    page = report_as_html(ds)
    for text in ("Diagnostic imaging study", "P-1001", str(ds.CompletionFlag), str(ds.VerificationFlag), "Reader^Ruth"):
        assert text in page
    for finding in plan.get("findings", ()):  # type: ignore[attr-defined]
        assert str(finding).replace("&", "&amp;") in page
    if "measurements" in plan:
        assert "12.5 mm" in page
    assert f'<html lang="{plan.get("language", "en")}">' in page


def test_markup_in_a_report_is_text() -> None:
    page = report_as_html(made(findings=('<script>alert("x")</script>',)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_item_of_unknown_type_is_named_and_endless_nesting_is_cut() -> None:
    ds = made()
    ds.ContentSequence[3].ContentSequence[0].ValueType = "HOLOGRAM"
    assert "HOLOGRAM" in report_as_html(ds)
    deepest = ds.ContentSequence[4]
    for _ in range(40):
        inner = Dataset()
        inner.ValueType, inner.RelationshipType, inner.TextValue = "TEXT", "CONTAINS", "deep"
        deepest.ContentSequence = [inner]
        deepest = inner
    assert "deeper than this page shows" in report_as_html(ds)


def test_a_document_of_nothing_is_still_a_page() -> None:
    assert "Document without title" in report_as_html(Dataset())
