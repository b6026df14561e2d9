"""Shutters, overlays and graphics as masks over pixels: True where something hides or marks the picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.imaging.presentation import (
    BitmapShutter,
    CircularShutter,
    Graphic,
    GraphicKind,
    Overlay,
    RectangularShutter,
    Shutter,
)

Mask = NDArray[np.bool_]
Point = tuple[float, float]


def overlay_mask(overlay: Overlay, shape: tuple[int, int]) -> Mask:
    """Where the overlay is set, over an image of that shape; parts beyond the image are cut off."""
    mask = np.zeros(shape, np.bool_)
    top, left = overlay.origin[0] - 1, overlay.origin[1] - 1
    rows, columns = overlay.bits.shape
    first_row, first_column = max(top, 0), max(left, 0)
    last_row, last_column = min(top + rows, shape[0]), min(left + columns, shape[1])
    if first_row < last_row and first_column < last_column:
        mask[first_row:last_row, first_column:last_column] = overlay.bits[
            first_row - top : last_row - top, first_column - left : last_column - left
        ]
    return mask


def hidden(
    shutter: Shutter,
    shape: tuple[int, int],
    *,
    overlays: Sequence[Overlay] = (),
    pixel_shape: tuple[float, float] = (1.0, 1.0),
) -> Mask:
    """Which pixels of an image of that shape the shutter hides.

    ``pixel_shape`` (height, width) makes circles round on pixels that are not square: the radius counts pixels along
    a row (PS3.3 C.7.6.11).
    """
    rows, columns = np.mgrid[1 : shape[0] + 1, 1 : shape[1] + 1]
    if isinstance(shutter, RectangularShutter):
        inside = (columns >= shutter.left) & (columns <= shutter.right)
        inside &= (rows >= shutter.upper) & (rows <= shutter.lower)
        return np.asarray(~inside, np.bool_)
    if isinstance(shutter, CircularShutter):
        down = (rows - shutter.row) * (pixel_shape[0] / pixel_shape[1])
        return np.asarray(down**2 + (columns - shutter.column) ** 2 > shutter.radius**2, np.bool_)
    if isinstance(shutter, BitmapShutter):
        found = next((overlay for overlay in overlays if overlay.group == shutter.group), None)
        return overlay_mask(found, shape) if found else np.zeros(shape, np.bool_)
    corners = [(column - 0.5, row - 0.5) for row, column in shutter.vertices]
    return ~(filled(corners, shape) | polyline([*corners, corners[0]], shape)) if corners else np.zeros(shape, np.bool_)


def graphic_mask(graphic: Graphic, points: Sequence[Point], shape: tuple[int, int]) -> Mask:
    """Where the graphic marks a picture of that shape; ``points`` are its points (x, y) in pixels of that picture."""
    if not points:
        return np.zeros(shape, np.bool_)
    if graphic.kind is GraphicKind.POINT:
        return _dots(np.array(points[:1]), shape)
    outline = _outline(graphic.kind, points)
    mask = polyline(outline, shape)
    if graphic.filled and math.dist(outline[0], outline[-1]) < 1e-6:
        mask |= filled(outline, shape)
    return mask


def polyline(points: Sequence[Point], shape: tuple[int, int]) -> Mask:
    """A line of one pixel through the points."""
    mask = np.zeros(shape, np.bool_)
    longest = 4 * (shape[0] + shape[1])
    for start, end in itertools.pairwise(points):
        steps = min(max(math.ceil(2 * max(abs(end[0] - start[0]), abs(end[1] - start[1]))), 1), longest)
        share = np.linspace(0.0, 1.0, steps + 1)[:, None]
        mask |= _dots(np.array(start) * (1 - share) + np.array(end) * share, shape)
    return mask


def filled(points: Sequence[Point], shape: tuple[int, int]) -> Mask:
    """The pixels whose centres lie inside the closed polygon (even-odd rule)."""
    inside = np.zeros(shape, np.bool_)
    y, x = np.mgrid[0.5 : shape[0] + 0.5, 0.5 : shape[1] + 0.5]
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside


def _outline(kind: GraphicKind, points: Sequence[Point]) -> list[Point]:
    if kind is GraphicKind.CIRCLE and len(points) == 2:
        radius = math.dist(points[0], points[1])
        return _ellipse(points[0], (radius, 0.0), (0.0, radius))
    if kind is GraphicKind.ELLIPSE and len(points) == 4:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
        centre = ((ax + bx) / 2, (ay + by) / 2)
        return _ellipse(centre, ((bx - ax) / 2, (by - ay) / 2), ((dx - cx) / 2, (dy - cy) / 2))
    if kind is GraphicKind.INTERPOLATED and len(points) > 2:
        return _smooth(points)
    return list(points)


def _ellipse(centre: Point, major: Point, minor: Point) -> list[Point]:
    angles = np.linspace(0.0, 2 * math.pi, 361)
    x = centre[0] + np.cos(angles) * major[0] + np.sin(angles) * minor[0]
    y = centre[1] + np.cos(angles) * major[1] + np.sin(angles) * minor[1]
    outline = list(zip(x.tolist(), y.tolist(), strict=True))
    outline[-1] = outline[0]
    return outline


def _smooth(points: Sequence[Point]) -> list[Point]:
    """A curve through all points (Catmull-Rom); which interpolation is used is left to the display."""
    closed = points[0] == points[-1]
    before = points[-2] if closed else points[0]
    after = points[1] if closed else points[-1]
    nodes = np.array([before, *points, after], np.float64)
    curve: list[Point] = []
    for a, b, c, d in zip(nodes, nodes[1:], nodes[2:], nodes[3:], strict=False):
        for t in np.linspace(0.0, 1.0, 17):
            x, y = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            curve.append((float(x), float(y)))
    return curve


def _dots(points: NDArray[np.float64], shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    bounded = np.clip(points, -1.0, float(max(shape)) + 1.0)
    x, y = np.floor(bounded[:, 0]).astype(int), np.floor(bounded[:, 1]).astype(int)
    inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    mask[y[inside], x[inside]] = True
    return mask
