"""Findings in the forms that other tools read: SARIF 2.1.0, JUnit XML, and a page of HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import UsageError
from harness.validation.codes import explain
from harness.validation.finding import Severity, ValidationFinding

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One file with its kind and findings."""

    path: str
    kind: str
    findings: tuple[ValidationFinding, ...]


def meaning(code: str) -> str:
    """What a code means, the code itself if it has no explanation."""
    try:
        return explain(code)
    except UsageError:
        return code


def to_sarif(files: Sequence[Judged]) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run."""
    codes = sorted({finding.code for file in files for finding in file.findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ihe-harness validate",
                        "rules": [{"id": code, "shortDescription": {"text": meaning(code)}} for code in codes],
                    }
                },
                "results": [
                    {
                        "ruleId": finding.code,
                        "ruleIndex": codes.index(finding.code),
                        "level": _LEVELS[finding.severity],
                        "message": {
                            "text": f"{finding.locator}: expected {finding.expected}; found {finding.actual} "
                            f"({finding.clause})"
                        },
                        "locations": [
                            {
                                "physicalLocation": {"artifactLocation": {"uri": file.path}},
                                "logicalLocations": [{"fullyQualifiedName": finding.locator}],
                            }
                        ],
                    }
                    for file in files
                    for finding in file.findings
                ],
            }
        ],
    }


def to_junit(files: Sequence[Judged]) -> str:
    """A test case for each file; errors are failures, warnings and remarks are its output."""
    failed = sum(any(finding.severity is Severity.ERROR for finding in file.findings) for file in files)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites><testsuite name="ihe-harness validate" tests="{len(files)}" failures="{failed}" errors="0">',
    ]
    for file in files:
        lines.append(f'<testcase classname="{_attribute(file.kind or "unknown")}" name="{_attribute(file.path)}">')
        errors = [finding for finding in file.findings if finding.severity is Severity.ERROR]
        if errors:
            text = "\n".join(_line(finding) for finding in errors)
            lines.append(f'<failure message="{len(errors)} errors">{html.escape(_xml(text), quote=False)}</failure>')
        others = [finding for finding in file.findings if finding.severity is not Severity.ERROR]
        if others:
            text = "\n".join(_line(finding) for finding in others)
            lines.append(f"<system-out>{html.escape(_xml(text), quote=False)}</system-out>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite></testsuites>", ""])


def to_html(files: Sequence[Judged], pictures: Mapping[str, str] | None = None) -> str:
    """One page, readable without a network. ``pictures`` are pieces of HTML by path, shown above the findings."""
    rows = []
    for file in files:
        errors = sum(finding.severity is Severity.ERROR for finding in file.findings)
        mark = "✕" if errors else "✓"
        rows.append(f"<h2>{mark} {html.escape(file.path)} <small>{html.escape(file.kind)}</small></h2>")
        if pictures and file.path in pictures:
            rows.append(pictures[file.path])
        if file.findings:
            rows.append("<table><tr><th>Severity<th>Code<th>Where<th>Expected<th>Found<th>Clause</tr>")
            rows += [
                f'<tr class="{finding.severity.value}"><td>{finding.severity.value}'
                f'<td title="{html.escape(meaning(finding.code))}">{html.escape(finding.code)}'
                f"<td>{html.escape(finding.locator)}<td>{html.escape(finding.expected)}"
                f"<td>{html.escape(finding.actual)}<td>{html.escape(finding.clause)}</tr>"
                for finding in file.findings
            ]
            rows.append("</table>")
    style = (
        "body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #bbb;padding:.3rem .5rem;"
        "text-align:left;vertical-align:top;overflow-wrap:anywhere}"
        ".error td:first-child{color:#a40000;font-weight:bold}"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Validation</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><h1>Validation</h1>{''.join(rows)}</body></html>\n"
    )


def _line(finding: ValidationFinding) -> str:
    return (
        f"{finding.severity.value} {finding.code} {finding.locator}: expected {finding.expected}; "
        f"found {finding.actual} ({finding.clause})"
    )


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("�", text)


def _attribute(text: str) -> str:
    """As the value of an attribute in double quotes; line ends would become spaces there."""
    return html.escape(_xml(text)).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
