"""Healthy and damaged documents before dicom3tools, DCMTK and us: who says what, and who is right by which clause."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from harness.actors import evidence_documents
from harness.actors.objects import SUBJECTS, SeriesPlan, StudyPlan, make, uid_source
from harness.actors.reports.documents import BASIC_TEXT_SR, Code, Referenced, ReportPlan, report
from harness.actors.reports.page import report_as_html
from harness.core.check import Declaration
from harness.profiles.ari.checks import content
from harness.profiles.ari.checks.reading import squeezed
from harness.profiles.values import plain_values
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes
from tests.peers import require_program
from tests.unit.profiles.builders import TO_SUT, Story, observed

pytestmark = [pytest.mark.peer("dicom3tools"), pytest.mark.peer("dcmtk")]

SUBJECT = SUBJECTS[0]
IMAGES = [sample.dataset for sample in make([StudyPlan(SUBJECT, (SeriesPlan("CT", 2),))], uid_source(1))]
PLAN = ReportPlan(SUBJECT, str(IMAGES[0].StudyInstanceUID), images=(Referenced.of(IMAGES[0]),))
Change = Callable[[Dataset], object]


def basic() -> Dataset:
    return report(PLAN, uid_source(2))


def enhanced() -> Dataset:
    plan = ReportPlan(SUBJECT, PLAN.study, images=PLAN.images, measurements=(("Length", 12.5),))
    return report(plan, uid_source(2))


def of_kind(kind: str) -> Callable[[], Dataset]:
    return lambda: evidence_documents.documents(kind, SUBJECT, [IMAGES], uid_source(3))[0]


note = of_kind(evidence_documents.KEY_IMAGE_NOTE)
evidence = of_kind(evidence_documents.EVIDENCE_DOCUMENT)
rejection = of_kind(evidence_documents.REJECTION_NOTE)


def section(ds: Dataset) -> Dataset:
    found: Dataset = next(item for item in ds.ContentSequence if item.ValueType == "CONTAINER")
    return found


def text(ds: Dataset) -> Dataset:
    found: Dataset = section(ds).ContentSequence[0]
    return found


def number(ds: Dataset) -> Dataset:
    found: Dataset = next(item for item in section(ds).ContentSequence if item.ValueType == "NUM")
    return found


def _by_reference(ds: Dataset) -> None:
    item = Dataset()
    item.RelationshipType, item.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 5, 1]
    text(ds).ContentSequence.append(item)


def _point(ds: Dataset) -> None:
    item = Dataset()
    item.RelationshipType, item.ValueType = "INFERRED FROM", "SCOORD"
    item.GraphicType, item.GraphicData = "POINT", [1.0, 2.0]
    text(ds).ContentSequence.append(item)


def _code_contained(ds: Dataset) -> None:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "CODE"
    item.ConceptNameCodeSequence = [Code("121071", "DCM", "Finding").item()]
    item.ConceptCodeSequence = [Code("111210", "DCM", "Motion blur").item()]
    ds.ContentSequence.append(item)


def _forget_evidence(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence.pop()


def judgements(ds: Dataset, path: Path) -> tuple[bool, bool, bool]:
    """Whether we, dciodvfy and dsrdump (other than that it does not know templates) find anything wrong."""
    ds.save_as(path, enforce_file_format=True)
    raw = encode(ds, EXPLICIT_VR_LE)
    ours = [f for f in validate_dataset_bytes(raw, EXPLICIT_VR_LE, None) if f.severity is not Severity.INFO]
    ours = [f for f in ours if not f.code.startswith(("IOD-CONTEXT-GROUP", "IOD-DEFINED-TERM"))]
    plain = plain_values(ds)
    template = content.report_template_problems(plain) if content.template_of(plain) == "2000" else ()
    verifier = subprocess.run([require_program("dciodvfy"), path], capture_output=True, text=True, timeout=30)
    dump = subprocess.run([require_program("dsrdump"), "-Ee", "-Er", path], capture_output=True, text=True, timeout=30)
    said = [line for line in dump.stderr.splitlines() if line[:2] in ("W:", "E:") and "not yet supported" not in line]
    return bool(ours or [*template]), "Error" in verifier.stderr, bool(said)


@pytest.mark.parametrize("made", [basic, enhanced, note, rejection, evidence])
def test_all_agree_on_healthy_documents(made: Callable[[], Dataset], tmp_path: Path) -> None:
    assert judgements(made(), tmp_path / "document.dcm") == (False, False, False)


#: damage, and whether dciodvfy and dsrdump see it; we see all of it. Where one of them is silent, the clause that is
#: broken: PS3.3 A.35.x.3.1 (value types, relationships, by value only), C.17.2 (flags, evidence), C.18.1, PS3.16
DAMAGED: list[tuple[str, Callable[[], Dataset], Change, bool, bool]] = [
    ("no flag", basic, lambda ds: ds.pop("CompletionFlag"), True, True),
    ("verified but partial: C.17.2", basic, lambda ds: setattr(ds, "CompletionFlag", "PARTIAL"), True, False),
    ("verified by nobody", basic, lambda ds: ds.pop("VerifyingObserverSequence"), True, True),
    ("a number in Basic Text SR", basic, lambda ds: section(ds).ContentSequence.append(number(enhanced())), True, True),
    ("no such relationship", basic, lambda ds: setattr(text(ds), "RelationshipType", "IS NEAR"), False, True),
    ("empty text", basic, lambda ds: setattr(text(ds), "TextValue", ""), True, True),
    ("no concept name", basic, lambda ds: text(ds).pop("ConceptNameCodeSequence"), True, True),
    ("no evidence: C.17.2.3", basic, lambda ds: ds.pop("CurrentRequestedProcedureEvidenceSequence"), True, False),
    ("no title", basic, lambda ds: ds.pop("ConceptNameCodeSequence"), True, True),
    ("by reference: A.35.1.3.1.2", basic, _by_reference, False, False),
    ("no language: TID 2000 row 5", basic, lambda ds: ds.ContentSequence.pop(0), False, False),
    ("a section in a section: TID 2002", basic, lambda ds: section(ds).ContentSequence.append(section(basic())), False,
     False),
    ("no unit", enhanced, lambda ds: number(ds).MeasuredValueSequence[0].pop("MeasurementUnitsCodeSequence"), True,
     True),
    ("two numbers in one: C.18.1", enhanced,
     lambda ds: setattr(number(ds).MeasuredValueSequence[0], "NumericValue", ["1", "2"]), False, True),
    ("a point in no image: C.17.3", enhanced, _point, True, False),
    ("another modality", note, lambda ds: setattr(ds, "Modality", "OT"), True, True),
    ("no template: A.35.4.3.1.3", note, lambda ds: ds.pop("ContentTemplateSequence"), False, True),
    ("two texts: TID 2010 row 7", note, lambda ds: ds.ContentSequence.append(copy.deepcopy(ds.ContentSequence[0])),
     False, False),
    ("nothing selected: TID 2010 rows 8-10", note, lambda ds: setattr(ds, "ContentSequence", ds.ContentSequence[:1]),
     False, False),
    ("evidence short: Table C.17.6-2", note, _forget_evidence, True, False),
    ("a code contained: Table A.35.4-2", note, _code_contained, False, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "change", "verifier", "dump"), [row[1:] for row in DAMAGED], ids=[r[0] for r in DAMAGED]
)
def test_damage_is_found(
    made: Callable[[], Dataset], change: Change, verifier: bool, dump: bool, tmp_path: Path
) -> None:
    ds = made()
    change(ds)
    assert judgements(ds, tmp_path / "document.dcm") == (True, verifier, dump)


def test_legal_variants_are_legal_for_all(tmp_path: Path) -> None:
    def partial(ds: Dataset) -> None:
        ds.CompletionFlag, ds.VerificationFlag = "PARTIAL", "UNVERIFIED"
        del ds.VerifyingObserverSequence

    def amended(ds: Dataset) -> None:
        ds.PredecessorDocumentsSequence = copy.deepcopy(ds.CurrentRequestedProcedureEvidenceSequence)

    def private_template(ds: Dataset) -> None:
        ds.ContentTemplateSequence[0].MappingResource = "99VENDOR"
        ds.ContentSequence.pop(0)

    def unmeasured(ds: Dataset) -> None:
        number(ds).MeasuredValueSequence = []

    for change in (partial, amended, private_template, unmeasured):
        ds = enhanced()
        change(ds)
        assert judgements(ds, tmp_path / "document.dcm") == (False, False, False), change.__name__


@pytest.mark.parametrize("findings", [("The lungs are clear.",), ("所見なし", "Läsion & Ödem <5 mm")])
def test_pages_of_dcmtk_and_ours_say_the_same(findings: tuple[str, ...], tmp_path: Path) -> None:
    plan = ReportPlan(SUBJECT, PLAN.study, findings=findings, images=PLAN.images, measurements=(("Length", 12.5),))
    ds = report(plan, uid_source(4))
    ds.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    page = tmp_path / "report.html"
    subprocess.run([require_program("dsr2html"), tmp_path / "report.dcm", page], check=True, timeout=30)
    theirs, ours = page.read_text(encoding="utf-8", errors="replace"), report_as_html(ds)
    for said in (*findings, "12.5 mm", "P-1001", "Impressions", "No acute disease.", "VERIFIED", "COMPLETE"):
        assert "".join(said.casefold().split()) in squeezed(theirs)
        assert "".join(said.casefold().split()) in squeezed(ours)
    for shown in (theirs, ours):
        story = Story(Declaration(frozenset({"Report Reader"}), frozenset({"ARI"})))
        story.fact("ACTION", "action", action="retrieve-report", parameters={"report": str(ds.SOPInstanceUID)})
        event = story.ask("report", "C-STORE-RQ", TO_SUT, str(ds.SOPClassUID), instance=str(ds.SOPInstanceUID))
        event.raw = encode(ds, EXPLICIT_VR_LE)
        story.fact("OUTCOME", "outcome", action="retrieve-report", state="done", answers={"page": shown})
        assert [one.ok for one in observed("reader-page", story)] == [True]


def test_the_kinds_are_what_they_are_called() -> None:
    assert str(basic().SOPClassUID) == BASIC_TEXT_SR
    assert [str(made().Modality) for made in (note, rejection, evidence)] == ["KO", "KO", "SR"]
