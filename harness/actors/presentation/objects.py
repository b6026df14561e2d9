"""Images with presentation states whose correct P-Values are known: one pair for each thing that a display must do.

Every pair is an image (a phantom) and a grayscale softcopy presentation state, or an image alone; a right display
shows what ``harness.imaging`` computes of them, and a wrong one shows something visibly else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.actors.objects import Subject, UidSource
from harness.actors.presentation import drawings as drawn
from harness.actors.presentation.frames import FRAME_OBJECTS
from harness.actors.presentation.parts import Change, TestObject, composite, items, lut, picture, state_of
from harness.core.errors import UsageError
from harness.imaging import phantoms
from harness.imaging.phantoms import Phantom, PixelFormat
from harness.protocols.dicom.uids import CR_IMAGE

TWELVE = PixelFormat(12)


@dataclass(frozen=True, slots=True)
class _Recipe:
    requirement: str
    question: str
    phantom: Callable[[], Phantom]
    state: Change | None
    image: Change | None = None


def _put(**values: Any) -> Change:
    def change(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


def _both(*changes: Change) -> Change:
    def change(ds: Dataset) -> None:
        for one in changes:
            one(ds)

    return change


def _window(center: float, width: float) -> Change:
    return lambda ds: setattr(ds, "SoftcopyVOILUTSequence", items(WindowCenter=center, WindowWidth=width))


def _presentation_table(ds: Dataset) -> None:
    del ds.PresentationLUTShape
    ds.PresentationLUTSequence = lut(0, np.rint(255 * (np.arange(256) / 255) ** 2).astype(int) * 257, 16)


def _together(ds: Dataset) -> None:
    """A window, an inverse shape, a quarter turn with flip, a part of the image, a shutter, all in one state."""
    _window(2048, 3000)(ds)
    _area(DisplayedAreaTopLeftHandCorner=[9, 7], DisplayedAreaBottomRightHandCorner=[120, 90])(ds)
    _turned(90, "Y")(ds)
    ds.PresentationLUTShape = "INVERSE"
    ds.ShutterShape, ds.ShutterPresentationValue = "RECTANGULAR", 0x6000
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 20, 110
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 12, 80


def _area(**values: Any) -> Change:
    def change(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds.DisplayedAreaSelectionSequence[0], keyword, value)

    return change


def _turned(rotation: int, flip: str) -> Change:
    """Rotation, then flip; the corners of the area are those of the picture as shown (PS3.3 C.10.4)."""

    def change(ds: Dataset) -> None:
        ds.ImageRotation, ds.ImageHorizontalFlip = rotation, flip
        area = ds.DisplayedAreaSelectionSequence[0]
        left, top = area.DisplayedAreaTopLeftHandCorner
        right, bottom = area.DisplayedAreaBottomRightHandCorner
        # clockwise from the top left of the image; a turn by 90 degrees brings the corner before it to the top left
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        first, last = (4 - rotation // 90) % 4, (6 - rotation // 90) % 4
        if flip == "Y":
            first, last = (first + 1) % 4, (first + 3) % 4
        area.DisplayedAreaTopLeftHandCorner = list(corners[first])
        area.DisplayedAreaBottomRightHandCorner = list(corners[last])

    return change


def _true_size(ds: Dataset) -> None:
    area = ds.DisplayedAreaSelectionSequence[0]
    area.PresentationSizeMode, area.PresentationPixelSpacing = "TRUE SIZE", [0.5, 0.5]
    del area.PresentationPixelAspectRatio  # only one of the two says how large or how wide a pixel is


def _magnified(ds: Dataset) -> None:
    area = ds.DisplayedAreaSelectionSequence[0]
    area.PresentationSizeMode, area.PresentationPixelMagnificationRatio = "MAGNIFY", 3.0


def _narrow_pixels(ds: Dataset) -> None:
    """Every pixel is twice as high as wide."""
    ds.PixelSpacing = [1.0, 0.5]


def _signed_voi_table(ds: Dataset) -> None:
    """The first entry belongs to -2048; entries of 8 bits."""
    entries = np.rint(255 * np.sin(np.pi * np.arange(4096) / 4095)).astype(int)
    ds.SoftcopyVOILUTSequence = items(VOILUTSequence=lut(-2048, entries, 8))


def _mark() -> Phantom:
    return phantoms.orientation_mark(96, 128, form=TWELVE)


def _wedge(form: PixelFormat = TWELVE) -> Phantom:
    return phantoms.step_wedge(96, 128, steps=16, form=form)


_RECIPES: Mapping[str, _Recipe] = MappingProxyType(
    {
        "window of the image": _Recipe(
            "CPI-DISP-02",
            "Is the step wedge black on the left quarter, white on the right quarter and stepped between?",
            _wedge,
            None,
            _put(WindowCenter=2048, WindowWidth=2048),
        ),
        "monochrome1 of the image": _Recipe(
            "CPI-DISP-02",
            "Does the step wedge go from black on the left to white on the right?",
            lambda: _wedge(PixelFormat(12, monochrome1=True)),
            None,
            _put(WindowCenter=2048, WindowWidth=4096, PresentationLUTShape="INVERSE"),
        ),
        "presentation state": _Recipe(
            "RAD-17-SCU-01",
            "Does the wedge change from white to black in its middle half only?",
            _wedge,
            _both(_window(2048, 2048), _put(PresentationLUTShape="INVERSE")),
            _put(WindowCenter=2048, WindowWidth=4096),
        ),
        "everything together": _Recipe(
            "RAD-17-SCU-02",
            "Is the picture as the reference picture shows it: part, turn, greys and frame?",
            _mark,
            _together,
            _put(WindowCenter=2048, WindowWidth=4096),
        ),
        "photometric interpretation": _Recipe(
            "CPI-DISP-03",
            "Does the step wedge go from white on the left to black on the right?",
            lambda: _wedge(PixelFormat(12, monochrome1=True)),
            _window(2048, 4096),
        ),
        "modality rescale": _Recipe(
            "CPI-DISP-04",
            "Is the left half of the step wedge black?",
            _wedge,
            _both(_put(RescaleSlope=2, RescaleIntercept=-4096, RescaleType="US"), _window(2048, 4096)),
            _put(RescaleSlope=1, RescaleIntercept=0, RescaleType="US"),
        ),
        "modality table": _Recipe(
            "CPI-DISP-04",
            "Do the steps of the wedge rise steeply in the dark and slowly in the bright?",
            _wedge,
            _put(
                ModalityLUTSequence=lut(
                    0, np.rint(65535 * (np.arange(4096) / 4095) ** 0.4).astype(int), 16, ModalityLUTType="US"
                )
            ),
        ),
        "VOI window": _Recipe(
            "CPI-DISP-06", "Is contrast confined to the middle of the wedge?", _wedge, _window(2048, 1024)
        ),
        "VOI table": _Recipe(
            "CPI-DISP-06",
            "Is the wedge bright in the middle and dark at both ends?",
            _wedge,
            _put(
                SoftcopyVOILUTSequence=items(
                    VOILUTSequence=lut(0, np.rint(4095 * np.sin(np.pi * np.arange(4096) / 4095)).astype(int), 12)
                )
            ),
        ),
        "VOI sigmoid": _Recipe(
            "CPI-DISP-06",
            "Do the steps of the wedge change most in the middle, and little but visibly at both ends?",
            _wedge,
            _put(SoftcopyVOILUTSequence=items(WindowCenter=2048, WindowWidth=1024, VOILUTFunction="SIGMOID")),
        ),
        "VOI table of signed values": _Recipe(
            "CPI-DISP-06",
            "Is the wedge bright in the middle and dark at both ends?",
            lambda: _wedge(PixelFormat(12, signed=True)),
            _signed_voi_table,
        ),
        "presentation inverse": _Recipe(
            "CPI-DISP-07",
            "Does the wedge go from white on the left to black on the right?",
            _wedge,
            _both(_window(2048, 4096), _put(PresentationLUTShape="INVERSE")),
        ),
        "presentation table": _Recipe(
            "CPI-DISP-07",
            "Do the steps of the wedge rise slowly in the dark and steeply in the bright?",
            _wedge,
            _both(_window(2048, 4096), _presentation_table),
        ),
        **{
            f"rotation {rotation}, flip {flip}": _Recipe(
                "CPI-DISP-08",
                "Is the picture turned and flipped as the reference picture shows?",
                _mark,
                _turned(rotation, flip),
            )
            for rotation in (0, 90, 180, 270)
            for flip in ("N", "Y")
        },
        "displayed area": _Recipe(
            "CPI-DISP-09",
            "Is only the middle of the picture shown, filling the screen?",
            _mark,
            _area(DisplayedAreaTopLeftHandCorner=[33, 25], DisplayedAreaBottomRightHandCorner=[96, 72]),
        ),
        "true size": _Recipe(
            "CPI-DISP-09",
            "Are both bars 50 mm long, measured on the screen?",
            lambda: phantoms.resolution_bars(128, 128, length_mm=50.0, form=TWELVE),
            _true_size,
        ),
        "magnify": _Recipe(
            "CPI-DISP-09",
            "Is every pixel of the image three pixels of the screen wide and high?",
            _mark,
            _magnified,
        ),
        "pixels that are not square": _Recipe(
            "CPI-DISP-09",
            "Is the picture higher than it is wide, in the proportions of the reference picture?",
            _mark,
            _area(PresentationPixelAspectRatio=[2, 1]),
            _narrow_pixels,
        ),
        "graphics": _Recipe(
            "CPI-DISP-10", "Are a point, lines, a curve, a circle and an ellipse drawn?", _mark, drawn.graphics
        ),
        "text": _Recipe("CPI-DISP-11", "Is there text in the box and at the anchor point?", _mark, drawn.text),
        "layers": _Recipe("CPI-DISP-12", "Does the white square cover the grey one?", _mark, drawn.layers),
        "shutters": _Recipe("CPI-DISP-13", "Is everything outside of all three shutters grey?", _mark, drawn.shutters),
        "bitmap shutter": _Recipe(
            "CPI-DISP-13", "Is everything outside of an oval window grey?", _mark, drawn.bitmap_shutter
        ),
        "overlay of the state": _Recipe(
            "CPI-DISP-14",
            "Is there a white bar in the lower right, and none in the upper left?",
            _mark,
            drawn.overlay_of_the_state,
            drawn.two_overlays,
        ),
        "overlays": _Recipe(
            "CPI-DISP-14",
            "Is the upper of two overlays shown, and not the lower?",
            _mark,
            drawn.first_overlay,
            drawn.two_overlays,
        ),
    }
)
NAMES: tuple[str, ...] = (*_RECIPES, *FRAME_OBJECTS)


def names_for(requirement: str) -> tuple[str, ...]:
    """Names of the objects that are about a requirement."""
    known = {name: recipe.requirement for name, recipe in _RECIPES.items()}
    known |= {name: made.requirement for name, made in FRAME_OBJECTS.items()}
    return tuple(name for name, row in known.items() if row == requirement)


def make(name: str, subject: Subject, uid: UidSource, *, study: str = "") -> TestObject:
    """The pair of that name, with new UIDs. Raises UsageError naming the known ones."""
    if name in FRAME_OBJECTS:
        return FRAME_OBJECTS[name].make(name, subject, uid, study or uid())
    recipe = _RECIPES.get(name)
    if recipe is None:
        raise UsageError(f"there is no display test object {name!r}; known: {', '.join(NAMES)}")
    study_uid = study or uid()
    phantom = recipe.phantom()
    image = composite(CR_IMAGE, "CR", subject, study_uid, uid)
    picture(image, phantom)
    if recipe.image:
        recipe.image(image)
    state = state_of(image, recipe.state, subject, uid, name) if recipe.state else None
    return TestObject(name, recipe.requirement, recipe.question, image, state)
