"""Each finding code is raised by an object with one mistake, and by no conformant one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom import Dataset

import harness.validation
from harness.core.errors import UsageError
from harness.validation.codes import codes, explain
from harness.validation.dimse import validate_command
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.hl7 import validate_hl7
from harness.validation.objects import validate_part10
from tests.unit.validation import samples, test_content_trees
from tests.unit.validation.broken import PLACER, Findings, create, store
from tests.unit.validation.cases import CASES, final_state
from tests.unit.validation.test_rules import BROKEN

#: codes that no bytes of a test can raise in reasonable time, with the reason
NOT_RAISED_HERE = {
    "FILE-UNREADABLE": "raised by the command line, tested there",
    "HL7-UNREADABLE": "a guard: every message that begins with MSH can be read",
    "IOD-MODULE-NOT-ALLOWED": "no condition of a module says so in words that the build tool understands",
    "IOD-2C-NOT-ALLOWED": "no condition of a type 2C attribute forbids it explicitly",
}


def serious(findings: list[ValidationFinding]) -> list[ValidationFinding]:
    return [finding for finding in findings if finding.severity is not Severity.INFO]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"])
@pytest.mark.parametrize("name", samples.BASELINES)
def test_a_conformant_object_raises_nothing(name: str, syntax: str) -> None:
    assert serious(validate_part10(samples.part10(samples.BASELINES[name](), syntax))) == []


def test_conformant_messages_raise_nothing() -> None:
    assert validate_hl7(samples.HL7_ADMIT, "RAD-1") == []
    assert validate_hl7(samples.HL7_ORDER, "RAD-4") == []
    assert validate_hl7(PLACER, "RAD-2") == []
    assert serious(validate_command(store())) == []
    assert serious(create(samples.performed_step())) == []


@pytest.mark.parametrize(("code", "run"), CASES, ids=[f"{code}-{n}" for n, (code, _) in enumerate(CASES)])
def test_one_mistake_raises_its_code(code: str, run: Findings) -> None:
    found = [finding for finding in run() if finding.code == code]
    assert found, f"raised only {sorted({finding.code for finding in run()})}"
    for finding in found:
        assert finding.locator
        assert finding.expected
        assert finding.clause
        assert explain(finding.code)


def test_every_code_is_explained_and_every_explained_code_is_raised() -> None:
    trees = (*test_content_trees.BROKEN, *test_content_trees.WARNED)
    raised = {code for code, _ in CASES} | {code for code, *_ in BROKEN} | {code for code, *_ in trees}
    families = {
        re.sub(r"^VR-[A-Z]{2}-(LENGTH|VALUE)$", r"VR-{vr}-\1", code) if code not in codes() else code for code in raised
    }
    elsewhere = {
        code for code in codes() if code.startswith(("SET-", "SITE-", "MEDIA-", "WEB-", "CONV-"))
    }  # tested elsewhere
    assert families | set(NOT_RAISED_HERE) | elsewhere == set(codes())


def test_every_code_in_the_source_is_explained() -> None:
    folder = Path(harness.validation.__file__).parent
    pattern = re.compile(r'"((?:ENC|VM|CS|IOD|PX|FILE|CMD|SERVICE|QR|HL7)-[A-Z0-9]+(?:-[A-Z0-9]+)*)"')
    sources = [*folder.glob("*.py"), folder.parent / "protocols" / "dicom" / "charset.py"]
    used = {code for source in sources for code in pattern.findall(source.read_text("utf-8"))}
    prefixes = {"CS-TERM", "CS-ISO2022", "CS-ESC", "CS-PN", "CS-VR"}
    assert used - prefixes <= set(codes())


def test_an_unknown_code_is_refused_with_similar_ones() -> None:
    with pytest.raises(UsageError, match="PX-LENGTH"):
        explain("PX-NOTHING")
    with pytest.raises(UsageError, match="there are"):
        explain("NOTHING")


def test_a_final_state_needs_what_came_with_neither_message() -> None:
    created = samples.performed_step()
    ended = Dataset()
    ended.PerformedProcedureStepStatus = "COMPLETED"
    ended.PerformedProcedureStepEndDate, ended.PerformedProcedureStepEndTime = "20260102", "1030"
    missing = final_state(created, ended)
    assert [(finding.code, finding.locator) for finding in missing] == [
        ("SERVICE-1-EMPTY", "(0040,0340) PerformedSeriesSequence")
    ]
    series = Dataset()
    series.PerformingPhysicianName, series.ProtocolName, series.OperatorsName = "", "CHEST", ""
    series.SeriesInstanceUID, series.SeriesDescription, series.RetrieveAETitle = "1.2.3", "", ""
    series.ReferencedImageSequence, series.ReferencedNonImageCompositeSOPInstanceSequence = [samples.reference()], []
    ended.PerformedSeriesSequence = [series]
    assert final_state(created, ended) == []
