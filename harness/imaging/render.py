"""The oracle: an image and a presentation state to P-Values, and the P-Value that a probe point must show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.imaging.drawing import Mask, graphic_mask, hidden, overlay_mask
from harness.imaging.geometry import Placement, centred, resampled
from harness.imaging.glyphs import text_mask
from harness.imaging.luts import Unit
from harness.imaging.phantoms import PixelFormat
from harness.imaging.pipeline import Stored, subtract_mask
from harness.imaging.presentation import (
    Annotation,
    Overlay,
    PresentationState,
    Text,
    Units,
    applicable,
)

_FULL = 65535.0


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """What the renderer needs to know of an image; ``stored`` has the shape (rows, columns) or (frames, rows, columns).

    ``spacing`` is (row, column) in millimetres, ``aspect`` (vertical, horizontal).
    """

    stored: Stored
    format: PixelFormat
    sop_instance_uid: str = ""
    overlays: tuple[Overlay, ...] = ()
    spacing: tuple[float, float] | None = None
    aspect: tuple[int, int] | None = None

    def frame(self, number: int = 1) -> Stored:
        """The pixels of a frame, counted from 1; raises IndexError if there is none."""
        if self.stored.ndim == 2:
            if number != 1:
                raise IndexError(f"the image has one frame; frame {number} was asked")
            return self.stored
        if not 1 <= number <= self.stored.shape[0]:
            raise IndexError(f"the image has {self.stored.shape[0]} frames; frame {number} was asked")
        result: Stored = self.stored[number - 1]
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Rendition:
    """P-Values 0.0 to 1.0 of the displayed area, one for each image pixel, and where each came from."""

    p_values: Unit
    placement: Placement
    #: True where a shutter, overlay, graphic or text covers the image
    covered: Mask

    def at(self, row: int, column: int) -> float | None:
        """The P-Value of the image pixel (row, column from 0), or None if it is not displayed."""
        place = self.placement.pixel(row, column)
        return float(self.p_values[place]) if place else None

    def on_screen(self, viewport: tuple[int, int], *, screen_pixel_mm: float | None = None) -> Unit:
        """The P-Values on a viewport of (rows, columns), sized as the displayed area asks."""
        scaled = resampled(self.p_values, self.placement.scale(viewport, screen_pixel_mm=screen_pixel_mm))
        result: Unit = centred(scaled, viewport, 0.0)
        return result


def render(image: Image, state: PresentationState, *, frame: int = 1) -> Rendition:
    """The displayed area of a frame as PS3.4 N.2 has it: grey values, shutters, overlays, area, annotations."""
    uid = image.sop_instance_uid
    unit = _grey(image, state, frame)
    shape: tuple[int, int] = (unit.shape[0], unit.shape[1])
    area = state.area(uid, frame)
    # an overlay of the state stands for that of the image with the same group (PS3.3 A.33.1.2)
    replaced = {plane.group for plane in state.overlays}
    planes = (*(plane for plane in image.overlays if plane.group not in replaced), *state.overlays)
    covered = np.zeros(shape, np.bool_)
    for shutter in state.shutters:
        mask = hidden(shutter, shape, overlays=planes, pixel_shape=area.pixel_shape if area else (1.0, 1.0))
        unit = np.where(mask, state.shutter_value / _FULL, unit)
        covered |= mask
    layers = {layer.name: layer for layer in state.layers}
    placement = Placement(shape, state.orientation, area)
    for layer in sorted(state.layers, key=lambda item: item.order):
        value = layer.grayscale / _FULL
        for plane in planes:
            if state.activated.get(plane.group) == layer.name:
                mask = overlay_mask(plane, shape)
                unit = np.where(mask, value, unit)
                covered |= mask
    shown, over = placement.cut(unit, 0.0), placement.cut(covered, False)
    notes = applicable(state.annotations, uid, frame)
    for note in sorted(notes, key=lambda item: layers[item.layer].order if item.layer in layers else 0):
        value = layers[note.layer].grayscale / _FULL if note.layer in layers else 1.0
        mask = annotation_mask(note, placement)
        shown = np.where(mask, value, shown)
        over = over | mask
    return Rendition(shown, placement, over)


def annotation_mask(note: Annotation, placement: Placement) -> Mask:
    """Where the graphics and texts of an annotation mark the displayed area."""
    mask = np.zeros(placement.size, np.bool_)
    for graphic in note.graphics:
        mask |= graphic_mask(graphic, _placed(graphic.points, graphic.units, placement), placement.size)
    for text in note.texts:
        mask |= _written(text, placement)
    return mask


def _grey(image: Image, state: PresentationState, frame: int) -> Unit:
    gray = state.grayscale(image.sop_instance_uid, frame)
    values = gray.modality_values(image.frame(frame))
    if state.mask:
        masks = tuple(gray.modality_values(image.frame(number)) for number in state.mask.frames)
        values = subtract_mask(values, masks, shift=state.mask.shift)
    return gray.from_modality(values, image.format)


def _placed(points: Sequence[tuple[float, float]], units: Units, placement: Placement) -> list[tuple[float, float]]:
    if units is Units.PIXEL:
        return [placement.point(x, y) for x, y in points]
    rows, columns = placement.size
    return [(x * columns, y * rows) for x, y in points]


def _written(text: Text, placement: Placement) -> Mask:
    rows, columns = placement.size
    mask = np.zeros((rows, columns), np.bool_)
    if text.box:
        corners = _placed(text.box, text.box_units, placement)
    elif text.anchor:
        corners = _placed((text.anchor, text.anchor), text.anchor_units, placement)
    else:
        return mask
    glyphs = text_mask(text.value)
    left, right = sorted((corners[0][0], corners[1][0]))
    top = min(corners[0][1], corners[1][1])
    if text.justification == "RIGHT":
        left = right - glyphs.shape[1]
    elif text.justification == "CENTER":
        left = (left + right - glyphs.shape[1]) / 2
    y, x = np.nonzero(glyphs)
    y, x = y + round(top), x + round(left)
    inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    mask[y[inside], x[inside]] = True
    return mask
