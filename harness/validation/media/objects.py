"""Each DICOM file of a medium against the rules of its object: what a reader would stumble over after the import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from harness.protocols.media.medium import DEFAULT_LIMITS
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.media.view import View
from harness.validation.objects import judge_part10

#: of one code over all files: one mistake of a product is in each of its objects
MAXIMUM_FINDINGS: Final = 20


def judge_objects(view: View) -> Iterator[ValidationFinding]:
    """Findings of the objects, with the path on the medium before the place. One file is in memory at a time."""
    told: Counter[str] = Counter()
    for path in view.instances:
        size = view.medium.entries[path].size
        if size > DEFAULT_LIMITS.read:
            told["MEDIA-OBJECT-LARGE"] += 1
            yield ValidationFinding(
                "MEDIA-OBJECT-LARGE", Severity.INFO, path, f"at most {DEFAULT_LIMITS.read} bytes", str(size), "PS3.10"
            )
            continue
        findings, _ = judge_part10(view.medium.read(path))
        for finding in findings:
            told[finding.code] += 1
            if told[finding.code] <= MAXIMUM_FINDINGS:
                yield replace(finding, locator=f"{path} {finding.locator}")
    for code, number in told.items():
        if number > MAXIMUM_FINDINGS:
            more = f"{number - MAXIMUM_FINDINGS} more of this kind"
            yield ValidationFinding(code, Severity.INFO, "medium", "none", more, "PS3.3")
