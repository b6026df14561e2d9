"""Look-up tables and displayed areas: numbers that have to fit each other (PS3.3 C.7.6.3, C.10.4, C.11)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from harness.validation.dictionary import name
from harness.validation.finding import Severity, ValidationFinding
from harness.validation.walker import DataSet

Report = Callable[[ValidationFinding], None]
_DESCRIPTOR, _DATA = 0x00283002, 0x00283006
_MODALITY_LUT, _VOI_LUT, _SOFTCOPY, _PRESENTATION_LUT = 0x00283000, 0x00283010, 0x00283110, 0x20500010
#: bits of an entry
_OF_MODALITY, _OF_VOI, _OF_PRESENTATION = (8, 16), tuple(range(8, 17)), tuple(range(10, 17))
_AREAS, _TOP_LEFT, _BOTTOM_RIGHT = 0x0070005A, 0x00700052, 0x00700053
_ROTATION, _FLIP = 0x00700042, 0x00700041
MAXIMUM_ITEMS = 1000


def check_display(report: Report, root: DataSet) -> None:
    """All rules of this module."""
    for table in root.items(_MODALITY_LUT)[:MAXIMUM_ITEMS]:
        _table(report, table, _OF_MODALITY, "PS3.3 C.11.1.1.1")
    for holder in (root, *root.items(_SOFTCOPY)[:MAXIMUM_ITEMS]):
        for table in holder.items(_VOI_LUT)[:MAXIMUM_ITEMS]:
            _table(report, table, _OF_VOI, "PS3.3 C.11.2.1.1")
    for table in root.items(_PRESENTATION_LUT)[:MAXIMUM_ITEMS]:
        _table(report, table, _OF_PRESENTATION, "PS3.3 C.11.4.1")
    if _AREAS in root.elements:
        _areas(report, root)


def _table(report: Report, ds: DataSet, bits: tuple[int, ...], clause: str) -> None:
    """The bits of an entry are allowed, and there are as many entries as the descriptor says."""
    descriptor, data = _numbers(ds, _DESCRIPTOR), ds.elements.get(_DATA)
    if descriptor is None or len(descriptor) != 3:
        return
    entries, depth = descriptor[0] or 65536, descriptor[2]

    def add(tag: int, expected: str, actual: str) -> None:
        report(ValidationFinding("IOD-LUT", Severity.ERROR, ds.path + name(tag), expected, actual, clause))

    if depth not in bits:
        wanted = " or ".join(map(str, bits)) if len(bits) == 2 else f"{bits[0]} to {bits[-1]}"
        add(_DESCRIPTOR, f"{wanted} bits in each entry", str(depth))
        return
    if data is None or data.items is not None or data.fragments is not None:
        return
    # entries of 8 bits may be packed two to a word (PS3.3 C.11.1.1.1), and a count of them may be odd
    lengths = {2 * entries} | ({entries + entries % 2} if depth == 8 else set())
    if data.end > data.start and data.end - data.start not in lengths:
        add(_DATA, f"{entries} entries of {depth} bits", f"{data.end - data.start} bytes")


def _areas(report: Report, root: DataSet) -> None:
    """The corners are those of the picture as shown, after rotation and flip (PS3.3 C.10.4)."""
    turns, flip = (root.number(_ROTATION) or 0) // 90 % 4, root.text(_FLIP) == "Y"
    for area in root.items(_AREAS)[:MAXIMUM_ITEMS]:
        first, last = _numbers(area, _TOP_LEFT), _numbers(area, _BOTTOM_RIGHT)
        if first is None or last is None or len(first) != 2 or len(last) != 2:
            continue
        left, top = _turned(first, turns, flip)
        right, bottom = _turned(last, turns, flip)
        if left > right or top > bottom:
            how = f"after rotation by {90 * turns}{' and flip' if flip else ''}"
            report(
                ValidationFinding(
                    "IOD-DISPLAYED-AREA",
                    Severity.ERROR,
                    area.path + name(_TOP_LEFT),
                    f"the corner that is top left {how}",
                    f"{first[0]}\\{first[1]} to {last[0]}\\{last[1]}",
                    "PS3.3 C.10.4",
                )
            )


def _turned(point: tuple[int, ...], turns: int, flip: bool) -> tuple[int, int]:
    """A point after clockwise turns by 90 degrees, then the horizontal flip, up to a shift."""
    x, y = point
    for _ in range(turns):
        x, y = -y, x
    return (-x if flip else x), y


def _numbers(ds: DataSet, tag: int) -> tuple[int, ...] | None:
    """The values of a short binary element, None if there is none."""
    element = ds.elements.get(tag)
    if element is None or element.items is not None or not 0 < element.end - element.start <= 64:
        return None
    width, code = {"SL": (4, "i"), "UL": (4, "I"), "SS": (2, "h")}.get(element.vr, (2, "H"))
    field = ds.raw[element.start : element.end]
    if len(field) % width:
        return None
    return struct.unpack(("<" if ds.little else ">") + f"{len(field) // width}{code}", field)
