"""Everything that a run leaves in its folder."""

from __future__ import annotations

from pathlib import Path

from harness.core.result import RunResult
from harness.profiles import registry
from harness.reporting.evidence import EvidenceStore, write_atomically
from harness.reporting.html import render_html
from harness.reporting.junit import junit_xml
from harness.reporting.media_view import Browser


def write_outputs(run: RunResult, folder: Path, browser: Browser | None = None) -> Path:
    """``run.json`` first (the truth), then its renderings; returns the path of the HTML report.

    ``browser`` shows pages of media as pictures in it.
    """
    EvidenceStore(folder).write_run(run)
    write_atomically(folder / "junit.xml", junit_xml(run))
    report = folder / "report.html"
    html = render_html(run, folder, registry.requirements(), registry.TRANSACTIONS, browser=browser)
    write_atomically(report, html.encode("utf-8", "replace"))
    return report
