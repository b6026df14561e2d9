"""Stored values to P-Values: Modality LUT, mask, VOI LUT, Presentation LUT (PS3.4 N.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.imaging.luts import (
    IDENTITY_RESCALE,
    ModalityLut,
    PresentationLut,
    Range,
    Shape,
    Unit,
    Values,
    VoiLut,
    Window,
    apply_presentation_lut,
)
from harness.imaging.phantoms import PixelFormat

Stored = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Grayscale:
    """One grayscale rendition: what is left out is the identity, as PS3.4 N.2.1 has it."""

    modality: ModalityLut = IDENTITY_RESCALE
    voi: VoiLut | None = None
    presentation: PresentationLut = Shape.IDENTITY

    def modality_values(self, stored: Stored) -> Values:
        """Values after the Modality LUT."""
        return self.modality(stored.astype(np.float64))

    def p_values(self, stored: Stored, form: PixelFormat) -> Unit:
        """P-Values 0.0 to 1.0 of stored values in that pixel format."""
        return self.from_modality(self.modality_values(stored), form)

    def from_modality(self, values: Values, form: PixelFormat) -> Unit:
        """P-Values 0.0 to 1.0 of values behind the Modality LUT (and behind a mask subtraction, if any)."""
        if isinstance(self.voi, Window):
            unit = self.voi(values)
        elif self.voi is not None:
            unit = self.voi(values) / self.voi.highest
        else:
            unit = self.modality.output_range(Range(form.lowest, form.highest)).scaled(values)
        return apply_presentation_lut(unit, self.presentation)


def image_presentation(
    modality: ModalityLut | None, voi: VoiLut | None, shape: PresentationLut | None, *, monochrome1: bool
) -> Grayscale:
    """The rendition of an image without presentation state.

    Photometric Interpretation MONOCHROME1 and Presentation LUT Shape INVERSE say the same thing twice, they do not
    cancel out (PS3.3 C.8.11.3.1.2 and C.7.6.3.1.2): the picture is inverted once.
    """
    if shape is None or isinstance(shape, Shape):
        presentation: PresentationLut = Shape.INVERSE if monochrome1 or shape is Shape.INVERSE else Shape.IDENTITY
    else:
        presentation = shape
    return Grayscale(modality or IDENTITY_RESCALE, voi, presentation)


def subtract_mask(contrast: Values, masks: tuple[Values, ...], *, shift: tuple[float, float] = (0.0, 0.0)) -> Values:
    """Contrast minus the mean of the masks, moved by ``shift`` (rows, columns in pixels), PS3.3 C.7.6.10.

    A positive shift moves the mask towards larger row and column numbers; what comes in at the edge repeats the edge.
    Raises ValueError without a mask.
    """
    if not masks:
        raise ValueError("a mask subtraction needs at least one mask frame")
    mean: Values = np.mean(np.stack(masks), axis=0)
    return contrast - _shifted(mean, shift)


def _shifted(values: Values, shift: tuple[float, float]) -> Values:
    rows, columns = values.shape
    y = np.clip(np.arange(rows) - shift[0], 0, rows - 1)
    x = np.clip(np.arange(columns) - shift[1], 0, columns - 1)
    return bilinear(values, y, x)


def bilinear(values: Values, y: Values, x: Values) -> Values:
    """Values at the crossings of fractional rows ``y`` and columns ``x`` (both within the picture)."""
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    bottom = np.minimum(top + 1, values.shape[0] - 1)
    right = np.minimum(left + 1, values.shape[1] - 1)
    down, across = (y - top)[:, None], (x - left)[None, :]
    upper = values[np.ix_(top, left)] * (1 - across) + values[np.ix_(top, right)] * across
    lower = values[np.ix_(bottom, left)] * (1 - across) + values[np.ix_(bottom, right)] * across
    result: Values = upper * (1 - down) + lower * down
    return result
