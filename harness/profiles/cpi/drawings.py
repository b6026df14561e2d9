"""Are graphics, overlays and texts drawn where a presentation state puts them; how they look is up to the display.

Line width, letters and grey are recommendations or nothing at all in PS3.3 C.10.5 and C.10.7: what is judged is where
something was drawn, and that the rest of the picture was left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.imaging import likeness
from harness.imaging.likeness import Likeness
from harness.imaging.luts import Unit
from harness.imaging.placing import Mask
from harness.imaging.presentation import Text, Units
from harness.imaging.render import Rendition

#: how much a pixel has to differ to count as drawn over
_INK = 0.10
#: how many pixels a line may be off, and how large a point may be drawn
_OFF, _AROUND = 3, 10
_COVERED = 0.85
#: how far text may leave its box, and where text at an anchor may stand
_BEYOND_BOX, _ABOUT_ANCHOR = 8, 30
_LEAST_TEXT = 8
#: share of a text that has to be in its box
_INSIDE = 0.4


def marked(bare: Rendition, wanted: Unit, found: Unit, tolerance: float, *, may_be_levels: bool = False) -> Likeness:
    """Graphics and overlays: drawn at all, and nothing besides."""
    meant = np.abs(wanted - bare.p_values) > _INK
    if not meant.any():
        return Likeness(None, "nothing is to be drawn that could be told from the image")
    seen = _background(bare, found, tolerance, ~likeness.near(meant, _AROUND), may_be_levels)
    if not seen.ok:
        return seen
    drawn = likeness.ink(bare.p_values, found, seen.region) > _INK
    near = likeness.near(drawn, _OFF)
    share = _share(near, meant & likeness.even(bare.p_values))
    if share is None:
        return replace(seen, ok=None, why="nothing is to be drawn where the image is even")
    if share >= _COVERED:
        return seen
    row, column = np.argwhere(meant & ~near)[0]
    return replace(
        seen,
        ok=False,
        why=f"only {share:.0%} of what is to be drawn is there",
        row=int(row),
        column=int(column),
        wanted=float(wanted[row, column]),
        found=float(bare.p_values[row, column]),
    )


def written(
    bare: Rendition, texts: Sequence[Text], found: Unit, tolerance: float, *, may_be_levels: bool = False
) -> Likeness:
    """Texts: something in every box and at every anchor, and nothing elsewhere."""
    places = [(text, *_place(text, bare)) for text in texts]
    free = np.ones(bare.p_values.shape, np.bool_)
    for _, _, allowed in places:
        free &= ~allowed
    seen = _background(bare, found, tolerance, free, may_be_levels)
    if not seen.ok:
        return seen
    drawn = likeness.ink(bare.p_values, found, seen.region) > _INK
    for text, inside, allowed in places:
        ink = int((drawn & inside).sum())
        if ink < _LEAST_TEXT or (text.box and ink < _INSIDE * int((drawn & allowed).sum())):
            row, column = np.argwhere(inside)[0] if inside.any() else (0, 0)
            where = "in its box" if text.box else "at its anchor"
            return replace(
                seen, ok=False, why=f"there is no text {where} ({text.value[:32]})", row=int(row), column=int(column)
            )
    return seen


def _background(bare: Rendition, found: Unit, tolerance: float, keep: Mask, may_be_levels: bool) -> Likeness:
    return likeness.compare(
        bare.p_values,
        found,
        tolerance,
        pixel=bare.placement.pixel_shape,
        keep=keep,
        may_stretch=True,
        may_be_levels=may_be_levels,
    )


def _share(there: Mask, meant: Mask) -> float | None:
    return float(there[meant].mean()) if meant.any() else None


def _place(text: Text, bare: Rendition) -> tuple[Mask, Mask]:
    """Where a text has to be, and where it may be."""
    rows, columns = bare.p_values.shape
    corners = text.box or ((text.anchor, text.anchor) if text.anchor else ((0.0, 0.0), (0.0, 0.0)))
    units = text.box_units if text.box else text.anchor_units
    points = [bare.placement.point(x, y) if units is Units.PIXEL else (x * columns, y * rows) for x, y in corners]
    (left, right), (top, bottom) = sorted(x for x, _ in points), sorted(y for _, y in points)
    if text.box:
        inside = _rectangle(rows, columns, left, top, right, bottom)
        return inside, likeness.near(inside, _BEYOND_BOX)
    inside = _rectangle(
        rows, columns, left - _ABOUT_ANCHOR, top - _ABOUT_ANCHOR, right + 2 * _ABOUT_ANCHOR, bottom + _ABOUT_ANCHOR
    )
    return inside, inside | _rectangle(rows, columns, 0, top - _ABOUT_ANCHOR, columns, bottom + _ABOUT_ANCHOR)


def _rectangle(rows: int, columns: int, left: float, top: float, right: float, bottom: float) -> Mask:
    mask = np.zeros((rows, columns), np.bool_)
    mask[max(round(top), 0) : max(round(bottom), 0), max(round(left), 0) : max(round(right), 0)] = True
    return mask
