"""What attributes of one object say about each other: unique UIDs, evidence of reports, single frames (PS3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.validation.dictionary import name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.walker import DataSet

Report = Callable[[ValidationFinding], None]
_IDENTITIES = (0x0020000D, 0x0020000E, 0x00200052, 0x00080018)
_CONTENT, _REFERENCES = 0x0040A730, 0x00081199
_EVIDENCE = (0x0040A375, 0x0040A385)
MAXIMUM_ITEMS = 20_000


def check_relations(report: Report, root: DataSet) -> None:
    """All rules of this module."""
    _unique_identities(report, root)
    if 0x0040A040 in root.elements and _CONTENT in root.elements:
        _evidence(report, root)


def _unique_identities(report: Report, root: DataSet) -> None:
    """Study, series, frame of reference and instance are different things and have different UIDs (PS3.5 9)."""
    seen: dict[str, int] = {}
    for tag in _IDENTITIES:
        uid = root.text(tag)
        if uid and uid in seen:
            expected = f"another UID than {name(seen[uid])}"
            report(ValidationFinding("IOD-UID-REUSED", Severity.ERROR, name(tag), expected, shown(uid), "PS3.5 9"))
        seen.setdefault(uid, tag)


def _evidence(report: Report, root: DataSet) -> None:
    """Every instance that the content refers to is listed as evidence (PS3.3 C.17.2.3)."""
    listed = {
        item.text(0x00081155)
        for tag in _EVIDENCE
        for study in root.items(tag)
        for series in study.items(0x00081115)
        for item in series.items(_REFERENCES)
    }
    for item in _referenced(root):
        uid = item.text(0x00081155)
        if uid and uid not in listed:
            report(
                ValidationFinding(
                    "IOD-SR-EVIDENCE",
                    Severity.ERROR,
                    item.path + name(0x00081155),
                    "an instance of the evidence sequences",
                    shown(uid),
                    "PS3.3 C.17.2.3",
                )
            )


def _referenced(root: DataSet) -> Iterator[DataSet]:
    """The references of all content items."""
    pending, count = [root], 0
    while pending and count < MAXIMUM_ITEMS:
        content = pending.pop()
        count += 1
        if content is not root:
            yield from content.items(_REFERENCES)
        pending.extend(reversed(content.items(_CONTENT)))
