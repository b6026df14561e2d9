"""Exposing a film: pixels of the image boxes through polarity and Presentation LUT to P-Values, densities and a PNG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.actors.printing.server_printer import BoxPlace
from harness.imaging import png
from harness.imaging.density import Viewing
from harness.imaging.geometry import resampled
from harness.imaging.glyphs import text_mask
from harness.imaging.luts import LookupTable, PresentationLut, Shape, Unit, apply_presentation_lut

PIXELS_PER_MM = 2.0
_MOST_LEVELS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """One image box as it was set: stored values of shape (rows, columns) and how they are to be printed."""

    position: int
    stored: NDArray[np.integer[Any]]
    bits_stored: int
    monochrome1: bool = False
    reverse: bool = False
    lut: PresentationLut = Shape.IDENTITY
    aspect: tuple[int, int] = (1, 1)
    requested_width_mm: float | None = None
    #: densities of this image box in hundredths of optical density, which override those of the film box
    minimum_density: int | None = None
    maximum_density: int | None = None

    @property
    def lut_name(self) -> str:
        """The Presentation LUT in words."""
        if isinstance(self.lut, LookupTable):
            return f"table of {len(self.lut.entries)} entries of {self.lut.bits} bits"
        return self.lut.value


def lut_input(exposure: Exposure) -> Unit:
    """What every stored value, from 0, brings to the Presentation LUT, 0.0 to 1.0.

    MONOCHROME1 and Polarity REVERSE turn it round, each once.
    """
    highest = (1 << exposure.bits_stored) - 1
    unit: Unit = np.arange(highest + 1) / float(highest)
    return 1.0 - unit if exposure.monochrome1 != exposure.reverse else unit


def p_values(exposure: Exposure) -> Unit:
    """The P-Value 0.0 to 1.0 of every stored value (for LIN OD: the share of the way from highest to lowest density).

    A film of full resolution has twenty million pixels, but no more than 4096 values.
    """
    return apply_presentation_lut(lut_input(exposure), exposure.lut)


def densities(exposure: Exposure, values: Unit, viewing: Viewing) -> NDArray[np.float64]:
    """Optical densities of values by the standard display function, or linear in density for LIN OD."""
    printed: NDArray[np.float64] = viewing.printed(
        values, Shape.LIN_OD if exposure.lut is Shape.LIN_OD else Shape.IDENTITY
    )
    return printed


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """An exposed film: the picture as PNG, and the table of P-Values and densities as plain data."""

    picture: bytes
    table: Mapping[str, Any]


def expose(
    exposures: tuple[Exposure, ...],
    places: tuple[BoxPlace, ...],
    film_mm: tuple[float, float],
    viewing: Viewing,
    *,
    facts: Mapping[str, Any],
    empty_density: float | None = None,
    border_density: float | None = None,
    label: str = "",
) -> Sheet:
    """Expose one film of ``film_mm`` (height, width); ``facts`` are kept in the table as they are."""
    rows, columns = (max(round(size * PIXELS_PER_MM), 1) for size in film_mm)
    border = viewing.maximum if border_density is None else border_density
    film = np.full((rows, columns), border)
    by_position = {exposure.position: exposure for exposure in exposures}
    boxes = []
    for position, place in enumerate(places, start=1):
        top, left = round(place.top * rows) + 2, round(place.left * columns) + 2
        bottom, right = round((place.top + place.height) * rows) - 2, round((place.left + place.width) * columns) - 2
        exposure = by_position.get(position)
        if exposure is None:
            film[top:bottom, left:right] = viewing.maximum if empty_density is None else empty_density
            continue
        values, own = p_values(exposure), _own_range(exposure, viewing)
        printed = densities(exposure, values, own)
        _place(film[top:bottom, left:right], printed, exposure)
        boxes.append(_box(exposure, values, printed, own))
    if label:
        dots = text_mask(label)[: rows - 4, : columns - 4]
        film[-dots.shape[0] - 2 : -2, 2 : 2 + dots.shape[1]][dots] = viewing.minimum
    steps = np.linspace(viewing.minimum, viewing.maximum, 1024)
    grey = np.interp(film, steps, viewing.p_value(steps))
    picture = png.encode(np.rint(np.clip(grey, 0.0, 1.0) * 255).astype(np.uint8), pixel_mm=1.0 / PIXELS_PER_MM)
    table = {
        **facts,
        "viewing": {
            "illumination": viewing.illumination,
            "ambient": viewing.ambient,
            "minimum_density": viewing.minimum,
            "maximum_density": viewing.maximum,
            "medium": viewing.medium.value,
        },
        "boxes": boxes,
    }
    return Sheet(picture, table)


def _own_range(exposure: Exposure, viewing: Viewing) -> Viewing:
    """Densities of an image box override those of its film box, within what the printer reaches (H.4.3.1.2.1.1)."""
    low, high = exposure.minimum_density, exposure.maximum_density
    minimum = viewing.minimum if low is None else low / 100.0
    maximum = viewing.maximum if high is None else high / 100.0
    return replace(viewing, minimum=minimum, maximum=maximum) if 0.0 <= minimum < maximum else viewing


def _place(box: NDArray[np.float64], printed: NDArray[np.float64], exposure: Exposure) -> None:
    """Put the picture into the middle of its box, as large as the box or the requested width allow."""
    tall, wide = exposure.aspect
    height, width = exposure.stored.shape[0] * tall / wide, float(exposure.stored.shape[1])
    scale = min(box.shape[0] / height, box.shape[1] / width)
    if exposure.requested_width_mm:
        scale = min(scale, exposure.requested_width_mm * PIXELS_PER_MM / width)
    drawn = printed[resampled(exposure.stored, (scale * tall / wide, scale))[: box.shape[0], : box.shape[1]]]
    top, left = (box.shape[0] - drawn.shape[0]) // 2, (box.shape[1] - drawn.shape[1]) // 2
    box[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn


def _box(exposure: Exposure, values: Unit, printed: NDArray[np.float64], viewing: Viewing) -> dict[str, Any]:
    """The table of one box: up to 32 stored values, where each first occurs, its P-Value and density."""
    flat, columns = exposure.stored.reshape(-1), exposure.stored.shape[1]
    levels = np.flatnonzero(np.bincount(flat, minlength=len(values)))
    chosen = levels[np.unique(np.linspace(0, len(levels) - 1, min(len(levels), _MOST_LEVELS)).round().astype(int))]
    return {
        "position": exposure.position,
        "rows": int(exposure.stored.shape[0]),
        "columns": int(columns),
        "bits_stored": exposure.bits_stored,
        "photometric_interpretation": "MONOCHROME1" if exposure.monochrome1 else "MONOCHROME2",
        "polarity": "REVERSE" if exposure.reverse else "NORMAL",
        "minimum_density": viewing.minimum,
        "maximum_density": viewing.maximum,
        "presentation_lut": exposure.lut_name,
        "levels": [
            {
                "stored": int(level),
                "row": place // columns,
                "column": place % columns,
                "p_value": round(float(values[level]), 6),
                "density": round(float(printed[level]), 4),
            }
            for level in chosen
            for place in (int((flat == level).argmax()),)
        ],
    }
