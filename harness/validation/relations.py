"""What attributes of one object say about each other: unique UIDs, units of CT images, frame numbers (PS3.3)."""

from __future__ import annotations

from collections.abc import Callable

from harness.validation.dictionary import name
from harness.validation.finding import Severity, ValidationFinding, shown
from harness.validation.iod_tables import Tables
from harness.validation.walker import DataSet

Report = Callable[[ValidationFinding], None]
_IDENTITIES = (0x0020000D, 0x0020000E, 0x00200052, 0x00080018)
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_FRAMES, _PIXELS = 0x00280008, 0x7FE00010
_FRAME_NUMBER, _CLASS = 0x00081160, 0x00081150
MAXIMUM_DEPTH = 24
#: references of one object that are looked at
MAXIMUM_ITEMS = 20_000


def check_relations(report: Report, root: DataSet, sop_class: str, known: Tables) -> None:
    """All rules of this module."""
    _unique_identities(report, root)
    if sop_class == _CT_IMAGE:
        _hounsfield(report, root)
    _FrameNumbers(report, known).walk(root, 0)


def _unique_identities(report: Report, root: DataSet) -> None:
    """Study, series, frame of reference and instance are different things and have different UIDs (PS3.5 9)."""
    seen: dict[str, int] = {}
    for tag in _IDENTITIES:
        uid = root.text(tag)
        if uid and uid in seen:
            expected = f"another UID than {name(seen[uid])}"
            report(ValidationFinding("IOD-UID-REUSED", Severity.ERROR, name(tag), expected, shown(uid), "PS3.5 9"))
        seen.setdefault(uid, tag)


def _hounsfield(report: Report, root: DataSet) -> None:
    """Stored values of original CT images become Hounsfield units (PS3.3 C.8.2.1, Rescale Intercept)."""
    image_type, units = root.values(0x00080008), root.text(0x00281054)
    if not image_type or image_type[0] != "ORIGINAL" or image_type[2:3] in ([], ["LOCALIZER"]):
        return
    if units and units != "HU" and root.text(0x00189361) != "YES":
        report(
            ValidationFinding(
                "IOD-RESCALE-TYPE",
                Severity.ERROR,
                name(0x00281054),
                "HU of an original image that is no localizer",
                shown(units),
                "PS3.3 C.8.2.1",
            )
        )


class _FrameNumbers:
    """Referenced Frame Number is for multi-frame instances, and counts from 1 (PS3.3 Table 10-3)."""

    def __init__(self, report: Report, known: Tables) -> None:
        self._report, self._known = report, known
        self._left = MAXIMUM_ITEMS

    def walk(self, ds: DataSet, depth: int) -> None:
        if _FRAME_NUMBER in ds.elements:
            self._check(ds)
        for element in ds.elements.values():
            for item in element.items or ():
                self._left -= 1
                if self._left < 0 or depth >= MAXIMUM_DEPTH:
                    return
                self.walk(item, depth + 1)

    def _check(self, ds: DataSet) -> None:
        iod = self._known.sop_classes.get(ds.text(_CLASS))
        if iod is not None:
            tags = self._known.object(iod).tags
            if _PIXELS in tags and _FRAMES not in tags:
                self._add(ds, f"no frame number, because a {iod} has one frame", ds.text(_FRAME_NUMBER))
                return
        if any(value.isdecimal() and int(value) < 1 for value in ds.values(_FRAME_NUMBER)):
            self._add(ds, "frame numbers from 1", ds.text(_FRAME_NUMBER))

    def _add(self, ds: DataSet, expected: str, actual: str) -> None:
        locator = ds.path + name(_FRAME_NUMBER)
        self._report(
            ValidationFinding(
                "IOD-FRAME-NUMBER", Severity.ERROR, locator, expected, shown(actual), "PS3.3 10.3, Table 10-3"
            )
        )
