"""Where a pixel of the image goes: rotation and flip, displayed area, and the size on the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.imaging.presentation import DisplayedArea, Orientation, SizeMode


def oriented(picture: NDArray[Any], orientation: Orientation) -> NDArray[Any]:
    """The picture rotated clockwise, then flipped left to right."""
    turned = np.rot90(picture, k=-(orientation.rotation // 90))
    return turned[:, ::-1] if orientation.flip else turned


@dataclass(frozen=True, slots=True)
class Placement:
    """Maps points of an image of ``shape`` into the displayed area, one output pixel for each image pixel."""

    shape: tuple[int, int]
    orientation: Orientation
    area: DisplayedArea | None = None

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """First row, first column, end row, end column of the area in the image, from 0; may lie beyond it."""
        if self.area is None:
            return 0, 0, *self.shape
        columns = sorted((self.area.top_left[0], self.area.bottom_right[0]))
        rows = sorted((self.area.top_left[1], self.area.bottom_right[1]))
        return rows[0] - 1, columns[0] - 1, rows[1], columns[1]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the displayed area after rotation."""
        top, left, bottom, right = self.bounds
        rows, columns = bottom - top, right - left
        return (columns, rows) if self.orientation.rotation in (90, 270) else (rows, columns)

    @property
    def pixel_shape(self) -> tuple[float, float]:
        """Relative height and width of a pixel after rotation."""
        height, width = self.area.pixel_shape if self.area else (1.0, 1.0)
        return (width, height) if self.orientation.rotation in (90, 270) else (height, width)

    def cut(self, picture: NDArray[Any], fill: float) -> NDArray[Any]:
        """The displayed area of the picture, rotated and flipped; ``fill`` where the area lies beyond the image."""
        top, left, bottom, right = self.bounds
        rows, columns = picture.shape
        result = np.full((bottom - top, right - left), fill, picture.dtype)
        y0, x0, y1, x1 = max(top, 0), max(left, 0), min(bottom, rows), min(right, columns)
        if y0 < y1 and x0 < x1:
            result[y0 - top : y1 - top, x0 - left : x1 - left] = picture[y0:y1, x0:x1]
        return oriented(result, self.orientation)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the image (x, y from its outer corner) in the displayed area."""
        top, left, bottom, right = self.bounds
        x, y, width, height = x - left, y - top, float(right - left), float(bottom - top)
        for _ in range(self.orientation.rotation // 90):
            x, y, width, height = height - y, x, height, width
        return (width - x, y) if self.orientation.flip else (x, y)

    def pixel(self, row: int, column: int) -> tuple[int, int] | None:
        """Where the pixel (row, column from 0) of the image lies in the displayed area, or None if outside."""
        x, y = self.point(column + 0.5, row + 0.5)
        rows, columns = self.size
        return (math.floor(y), math.floor(x)) if 0 <= x < columns and 0 <= y < rows else None

    def scale(self, viewport: tuple[int, int], *, screen_pixel_mm: float | None = None) -> tuple[float, float]:
        """Screen pixels per image pixel, down and across, on a viewport of (rows, columns) square pixels.

        TRUE SIZE needs the size of a screen pixel in millimetres; raises ValueError without.
        """
        height, width = self.pixel_shape
        mode = self.area.mode if self.area else SizeMode.SCALE_TO_FIT
        if mode is SizeMode.TRUE_SIZE:
            if not screen_pixel_mm or not self.area or not self.area.spacing:
                raise ValueError("TRUE SIZE needs Presentation Pixel Spacing and the pixel size of the screen")
            return height / screen_pixel_mm, width / screen_pixel_mm
        if mode is SizeMode.MAGNIFY:
            ratio = (self.area.magnification if self.area else None) or 1.0
            return ratio * height / width, ratio
        rows, columns = self.size
        unit = min(viewport[0] / (rows * height), viewport[1] / (columns * width))
        return unit * height, unit * width


def resampled(picture: NDArray[Any], scale: tuple[float, float]) -> NDArray[Any]:
    """The picture by nearest neighbour, ``scale`` (down, across) output pixels for each input pixel."""
    rows = max(round(picture.shape[0] * scale[0]), 1)
    columns = max(round(picture.shape[1] * scale[1]), 1)
    y = np.minimum(((np.arange(rows) + 0.5) * picture.shape[0] / rows).astype(int), picture.shape[0] - 1)
    x = np.minimum(((np.arange(columns) + 0.5) * picture.shape[1] / columns).astype(int), picture.shape[1] - 1)
    return picture[np.ix_(y, x)]


def screened(picture: NDArray[Any], placement: Placement, screen_pixel_mm: float) -> NDArray[Any]:
    """The picture in square pixels of a screen: as large as TRUE SIZE and MAGNIFY ask, else no smaller than it is."""
    height, width = placement.pixel_shape
    if placement.area is not None and placement.area.mode is not SizeMode.SCALE_TO_FIT:
        return resampled(picture, placement.scale((1, 1), screen_pixel_mm=screen_pixel_mm))
    return resampled(picture, (max(height / width, 1.0), max(width / height, 1.0)))


def centred(picture: NDArray[Any], viewport: tuple[int, int], fill: float) -> NDArray[Any]:
    """The picture in the middle of a viewport of (rows, columns): cut where larger, filled where smaller."""
    result = np.full(viewport, fill, picture.dtype)
    top, left = (viewport[0] - picture.shape[0]) // 2, (viewport[1] - picture.shape[1]) // 2
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + picture.shape[0], viewport[0]), min(left + picture.shape[1], viewport[1])
    result[y0:y1, x0:x1] = picture[y0 - top : y1 - top, x0 - left : x1 - left]
    return result
