"""DICOM objects: a Part 10 file or a bare data set against every rule that applies to it.

Pure functions of the bytes as received. No bytes make them raise; work and output are bounded.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.protocols.dicom.charset import check_terms
from harness.validation.content import check_content
from harness.validation.dictionary import name
from harness.validation.display import check_display
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.iod import ObjectRules
from harness.validation.iod_tables import tables
from harness.validation.pixels import PixelRules
from harness.validation.relations import check_relations
from harness.validation.values import ValueRules
from harness.validation.walker import DataSet, Syntax, Walk, looks_implicit

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
#: how private transfer syntaxes encode data sets and pixels is known to their owners only
STANDARD_SYNTAXES = "1.2.840.10008.1.2"
#: transfer syntaxes whose pixel data is native
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
MAXIMUM_INFLATED = 512 << 20
#: of the standard; a file that begins with a higher one is no bare data set
LAST_GROUP = 0x7FE0
#: of one object; a report with more is not read by anybody
MAXIMUM_FINDINGS = 500


@dataclass(slots=True)
class _Collector:
    findings: list[ValidationFinding]

    def __call__(self, finding: ValidationFinding) -> None:
        if len(self.findings) < MAXIMUM_FINDINGS:
            self.findings.append(finding)

    def add(
        self, code: str, locator: str, expected: str, actual: str, clause: str, severity: Severity = Severity.ERROR
    ) -> None:
        self(ValidationFinding(code, severity, locator, expected, actual, clause))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without garbage collection: nothing becomes garbage meanwhile, and looking for it again and again is a third of
    the time of an object with many items. Whoever found it running lets it run again.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def validate_file(path: Path) -> list[ValidationFinding]:
    """Judge one Part 10 file (PS3.10). Raises OSError if it cannot be read."""
    return validate_part10(path.read_bytes())


def validate_part10(raw: bytes) -> list[ValidationFinding]:
    """Judge the bytes of a Part 10 file: preamble, meta information, and the data set (PS3.10 7.1)."""
    return judge_part10(raw)[0]


@_undisturbed()
def judge_part10(raw: bytes) -> tuple[list[ValidationFinding], DataSet | None]:
    """As :func:`validate_part10`, with the elements of the data set (None if there is none to read)."""
    report = _Collector([])
    if raw[128:132] != b"DICM":
        report.add(
            "FILE-PREAMBLE", "byte 128", "DICM after a preamble of 128 bytes", shown(raw[128:132]), "PS3.10 7.1"
        )  # fmt: skip
        if len(raw) > 8 and raw[0] == 0 and 0 < raw[1] <= 0x20 and raw[4:6].isalpha():
            return report.findings, _check_dataset(report, raw, 0, BIG_ENDIAN, None)
        implicit = looks_implicit(raw)
        if implicit is None or int.from_bytes(raw[:2], "little") > LAST_GROUP:
            report.findings.clear()  # a preamble is not what such a file lacks
            report.add("FILE-NOT-DICOM", "byte 0", "a DICOM file", shown(raw[:8]), "PS3.10 7.1")
            return report.findings, None
        return report.findings, _check_dataset(report, raw, 0, IMPLICIT if implicit else EXPLICIT, None)
    meta = Walk(raw, Syntax(), 132, stop_after_group=2)
    for finding in meta.findings:
        report(finding)
    transfer_syntax = meta.root.text(0x00020010)
    _check_meta(report, meta.root, meta.position)
    if meta.stopped:
        return report.findings, None
    root = _check_dataset(report, raw, meta.position, transfer_syntax or EXPLICIT, None)
    if root is not None:
        for meta_tag, tag in ((0x00020002, 0x00080016), (0x00020003, 0x00080018)):
            stated, actual = meta.root.text(meta_tag), root.text(tag)
            if meta_tag in meta.root.elements and tag in root.elements and stated != actual:
                report.add("FILE-META-MISMATCH", name(meta_tag), shown(actual), shown(stated), "PS3.10 7.1")
    return report.findings, root


@_undisturbed()
def validate_dataset_bytes(
    raw: bytes, transfer_syntax: str, sop_class: str | None, *, query: bool = False
) -> list[ValidationFinding]:
    """Judge the bytes of a data set without meta information.

    ``sop_class`` selects the IOD; None takes the SOP Class UID inside; ``""`` judges no IOD (an identifier of a
    query, an attribute list of a normalized service). With ``query`` wildcards and ranges are legal.
    """
    report = _Collector([])
    _check_dataset(report, raw, 0, transfer_syntax, sop_class, query=query)
    return report.findings


def parse_dataset(raw: bytes, transfer_syntax: str) -> tuple[DataSet, list[ValidationFinding]]:
    """The elements of a data set and what is wrong with its encoding."""
    report = _Collector([])
    walk = _walk(report, raw, 0, transfer_syntax)
    if walk is None:
        return DataSet(b"", "", True, None), report.findings
    return walk.root, report.findings


def _check_dataset(
    report: _Collector, raw: bytes, start: int, transfer_syntax: str, sop_class: str | None, *, query: bool = False
) -> DataSet | None:
    walk = _walk(report, raw, start, transfer_syntax)
    if walk is None:
        return None
    root = walk.root
    for tag in root.elements:
        if tag >> 16 in (0x0000, 0x0002):
            report.add("ENC-GROUP", name(tag), "no element of group 0000 or 0002", "present", "PS3.10 7.1")
            break
    ValueRules(report, query=query).walk(root)
    _check_terms(report, root)
    if sop_class != "":
        own = root.text(0x00080016)
        if sop_class is None and not own:
            if 0x00041220 in root.elements:
                ObjectRules(report, tables()).check(root, MEDIA_DIRECTORY)
            else:
                report.add(
                    "IOD-1-MISSING", name(0x00080016), "an element of type 1", "absent", "PS3.3 sop-common module"
                )
        else:
            ObjectRules(report, tables()).check(root, sop_class or own)
        named = sop_class or own
        check_relations(report, root, named, tables())
        check_content(report, root, tables().sop_classes.get(named, ""))
        check_display(report, root)
        if transfer_syntax.startswith(STANDARD_SYNTAXES):
            PixelRules(report).check(root, transfer_syntax, transfer_syntax not in NATIVE)
    return root


def _walk(report: _Collector, raw: bytes, start: int, transfer_syntax: str) -> Walk | None:
    if transfer_syntax == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            raw, start = inflater.decompress(raw[start:], MAXIMUM_INFLATED), 0
        except zlib.error as error:
            report.add("ENC-DEFLATE", "data set", "a deflated data set", str(error), "PS3.5 A.5")
            return None
        if not inflater.eof:
            report.add("ENC-DEFLATE", "data set", "the end of the deflated stream", "not reached", "PS3.5 A.5")
    syntax = Syntax(explicit=transfer_syntax != IMPLICIT, little=transfer_syntax != BIG_ENDIAN)
    if syntax.little and len(raw) - start >= 8:
        implicit = looks_implicit(raw, start)
        if implicit is not None and implicit == syntax.explicit:
            found = "implicit" if implicit else "explicit"
            if transfer_syntax.startswith(STANDARD_SYNTAXES):
                report.add(
                    "ENC-TRANSFER-SYNTAX", "data set", f"encoded as {transfer_syntax}", f"{found} VR", "PS3.5 10"
                )  # fmt: skip
            syntax = Syntax(explicit=not implicit)
    walk = Walk(raw, syntax, start)
    for finding in walk.findings:
        report(finding)
    return walk


def _check_terms(report: _Collector, ds: DataSet, depth: int = 0) -> None:
    """The values of every Specific Character Set in the tree."""
    if 0x00080005 in ds.elements:
        text = ds.text(0x00080005)
        for problem in check_terms([term.strip(" ") for term in text.split("\\")] if text else []):
            severity = Severity.WARNING if problem.code == "CS-TERM-SINGLE" else Severity.ERROR
            report.add(
                problem.code, f"{ds.path}{name(0x00080005)}", "defined terms in an allowed combination", problem.detail,
                "PS3.3 C.12.1.1.2", severity,
            )  # fmt: skip
    if depth < 4:
        for element in ds.elements.values():
            for item in (element.items or [])[:16]:
                _check_terms(report, item, depth + 1)


def _check_meta(report: _Collector, meta: DataSet, end: int) -> None:
    """File Meta Information (PS3.10 Table 7.1-1)."""
    first = meta.elements.get(0x00020000)
    if first is not None:
        stated = meta.number(0x00020000)
        if stated != end - first.end:
            report.add("FILE-META-LENGTH", name(0x00020000), str(end - first.end), str(stated), "PS3.10 7.1")
    for tag in (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012):
        value = meta.value(tag)
        if value is None:
            report.add("FILE-META-MISSING", name(tag), "an element of type 1", "absent", "PS3.10 7.1")
        elif not value.strip(b" \0") and tag != 0x00020001:
            report.add("FILE-META-MISSING", name(tag), "a value", "empty", "PS3.10 7.1")
    version = meta.value(0x00020001)
    if version is not None and version != b"\x00\x01":
        report.add("FILE-META-VERSION", name(0x00020001), "00 01", version[:8].hex(" "), "PS3.10 7.1", Severity.WARNING)
    ValueRules(report).walk(meta)
    transfer_syntax = meta.text(0x00020010)
    if transfer_syntax and transfer_syntax not in NATIVE and not transfer_syntax.startswith("1.2.840.10008.1.2."):
        report.add(
            "FILE-TRANSFER-SYNTAX", name(0x00020010), "a transfer syntax of PS3.5 or a private one that is known",
            shown(transfer_syntax), "PS3.5 10", Severity.WARNING,
        )  # fmt: skip
