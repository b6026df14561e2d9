"""Ways of a display to show images wrongly: (id, title, requirements that break, change of behaviour)."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from harness.actors.defects.having import having
from harness.actors.presentation import reading as display_reading
from harness.actors.presentation.softcopy import SCREEN, SoftcopyBehaviour, look_of_state, own_look
from harness.imaging.drawing import hidden
from harness.imaging.geometry import Placement
from harness.imaging.luts import Shape, Unit, Window, WindowFunction
from harness.imaging.presentation import BitmapShutter, Orientation, PresentationState, Text, VoiItem
from harness.imaging.render import Image, render

Change = Callable[[SoftcopyBehaviour], SoftcopyBehaviour]
Row = tuple[str, str, str, Change]


def _look(change: Callable[[PresentationState, Image, Dataset], PresentationState]) -> Change:
    """Change what a presentation state asks for before it is shown."""

    def changed(image: Image, dataset: Dataset, state: Dataset, frame: int) -> PresentationState:
        return change(look_of_state(image, dataset, state, frame), image, dataset)

    return lambda behaviour: replace(behaviour, look=changed)


def _without(**values: Any) -> Change:
    change = having(PresentationState, **values)
    return _look(lambda look, image, dataset: change(look))


def _own(**values: Any) -> Change:
    change = having(PresentationState, **values)
    return having(SoftcopyBehaviour, own_look=lambda image, dataset: change(display_reading.own_presentation(dataset)))


def _twice_inverted(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    if not image.format.monochrome1:
        return look
    return replace(look, presentation=Shape.IDENTITY if look.presentation is Shape.INVERSE else Shape.INVERSE)


def _modality_of_image(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    return replace(look, modality=display_reading.own_presentation(dataset).modality)


def _flipped_first(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    """Flip and then turn: for a quarter turn that is another picture."""
    turn = look.orientation
    return replace(look, orientation=Orientation(-turn.rotation % 360 if turn.flip else turn.rotation, turn.flip))


def _upside_down_layers(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    return replace(look, layers=tuple(replace(layer, order=-layer.order) for layer in look.layers))


def _without_graphics(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    return replace(look, annotations=tuple(replace(note, graphics=()) for note in look.annotations))


def _shifted_text(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    def moved(text: Text) -> Text:
        if text.box is None:
            return text
        (left, top), (right, bottom) = text.box
        return replace(text, box=((left + 15, top + 20), (right + 15, bottom + 20)))

    return replace(
        look, annotations=tuple(replace(note, texts=tuple(map(moved, note.texts))) for note in look.annotations)
    )


def _every_overlay(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    name = look.layers[0].name if look.layers else ""
    return replace(look, activated=MappingProxyType({plane.group: name for plane in image.overlays}))


def _applied_to_all(image: Image, dataset: Dataset, state: Dataset, frame: int) -> PresentationState:
    return display_reading.presentation(state, dataset)


def _first_window(image: Image, dataset: Dataset, state: Dataset, frame: int) -> PresentationState:
    look = look_of_state(image, dataset, state, frame)
    return replace(look, voi=tuple(replace(item, applies_to=()) for item in look.voi))


def _stretched(image: Image, look: PresentationState, frame: int) -> Unit:
    """The displayed area is ignored."""
    return render(image, replace(look, areas=()), frame=frame).p_values


def _as_large_as_ever(values: Unit, placement: Placement) -> Unit:
    """Whatever size a state asks for, a pixel of the image is a pixel of the screen."""
    return values


def _without_bitmap(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    return replace(look, shutters=tuple(one for one in look.shutters if not isinstance(one, BitmapShutter)))


def _plane_of_the_image(image: Image, look: PresentationState, frame: int) -> Unit:
    """An overlay of the state does not stand for that of the image with the same group."""
    groups = {plane.group for plane in image.overlays}
    own = tuple(plane for plane in look.overlays if plane.group not in groups)
    return render(image, replace(look, overlays=own), frame=frame).p_values


def _linear(look: PresentationState, image: Image, dataset: Dataset) -> PresentationState:
    def plain(item: VoiItem) -> VoiItem:
        if isinstance(item.transform, Window):
            return replace(item, transform=replace(item.transform, function=WindowFunction.LINEAR))
        return item

    return replace(look, voi=tuple(map(plain, look.voi)))


def _unsigned(image: Image, dataset: Dataset, state: Dataset, frame: int) -> PresentationState:
    """The first value of a VOI LUT is never taken for a negative one."""
    read = copy.deepcopy(dataset)
    read.PixelRepresentation = 0
    return display_reading.presentation(state, read)


def _shutter_last(image: Image, look: PresentationState, frame: int) -> Unit:
    """Edges of shutters are counted in the picture as it is shown."""
    plain = render(image, replace(look, shutters=()), frame=frame).p_values
    shape = (plain.shape[0], plain.shape[1])
    for shutter in look.shutters:
        plain = np.where(hidden(shutter, shape, overlays=look.overlays), look.shutter_value / 65535.0, plain)
    return plain


def _gamma(p_value: float) -> float:
    return float(SCREEN[0] + (SCREEN[1] - SCREEN[0]) * p_value**2.2)


def _dropped(*keywords: str) -> Change:
    """The query goes out without these keys."""

    def asked(identifier: Dataset) -> Dataset:
        for keyword in keywords:
            identifier.pop(keyword, None)
        return identifier

    return lambda behaviour: replace(behaviour, archive=replace(behaviour.archive, asked=asked))


def _refusing(*classes: str) -> Change:
    return lambda behaviour: replace(behaviour, archive=replace(behaviour.archive, refused_classes=frozenset(classes)))


_STATE = "1.2.840.10008.5.1.4.1.1.11.1"


def _without_decimals(answers: dict[str, Any]) -> dict[str, Any]:
    """Numbers in documents lose what follows their decimal point."""
    pages = {uid: re.sub(r"(\d)\.\d+", r"\1", page) for uid, page in (answers.get("pages") or {}).items()}
    return {**answers, "pages": pages} if pages else answers


SOFTCOPY_DEFECTS: tuple[Row, ...] = (
    (
        "display-rounds-documents",
        "Numbers in evidence documents are shown without decimals",
        "RAD-45-SCU-01",
        lambda behaviour: replace(behaviour, archive=replace(behaviour.archive, told=_without_decimals)),
    ),
    (
        "display-asks-no-status",
        "A query for evidence documents asks for no flags",
        "RAD-44-SCU-01",
        _dropped("CompletionFlag", "VerificationFlag"),
    ),
    ("display-other-gsdf", "The screen follows a gamma of 2.2", "CPI-DISP-01", lambda b: replace(b, luminance=_gamma)),
    ("display-lost-own-window", "The window of an image is not applied", "CPI-DISP-02", _own(voi=())),
    (
        "display-own-inversion-lost",
        "MONOCHROME1 without presentation state is not inverted",
        "CPI-DISP-02",
        _own(presentation=Shape.IDENTITY),
    ),
    (
        "display-ignores-states",
        "Every image is shown as it is, whatever state is chosen",
        "RAD-17-SCU-01 RAD-17-SCU-02",
        lambda behaviour: replace(behaviour, look=lambda image, dataset, state, frame: own_look(image, dataset)),
    ),
    (
        "display-shutter-of-the-screen",
        "Shutters are laid over the turned picture, not over the image",
        "RAD-17-SCU-02",
        lambda behaviour: replace(behaviour, rendered=_shutter_last),
    ),
    (
        "display-double-inversion",
        "MONOCHROME1 is inverted besides the presentation state",
        "CPI-DISP-03",
        _look(_twice_inverted),
    ),
    (
        "display-modality-of-image",
        "The Modality LUT of the image is kept",
        "CPI-DISP-04",
        _look(_modality_of_image),
    ),
    ("display-no-mask", "The mask is not subtracted", "CPI-DISP-05", _without(mask=None)),
    ("display-lost-window", "The VOI LUT of the state is not applied", "CPI-DISP-06", _without(voi=())),
    (
        "display-lost-presentation-lut",
        "The Presentation LUT of the state is not applied",
        "CPI-DISP-07",
        _without(presentation=Shape.IDENTITY),
    ),
    ("display-flips-first", "The image is flipped before it is turned", "CPI-DISP-08", _look(_flipped_first)),
    (
        "display-whole-image",
        "The displayed area is ignored",
        "CPI-DISP-09",
        lambda behaviour: replace(behaviour, rendered=_stretched),
    ),
    (
        "display-size-of-its-own",
        "TRUE SIZE and MAGNIFY are shown as large as everything else",
        "CPI-DISP-09",
        lambda behaviour: replace(behaviour, sized=_as_large_as_ever),
    ),
    ("display-linear-only", "Every VOI LUT Function is taken for LINEAR", "CPI-DISP-06", _look(_linear)),
    (
        "display-unsigned-lut",
        "The first value of a VOI LUT is never negative",
        "CPI-DISP-06",
        lambda behaviour: replace(behaviour, look=_unsigned),
    ),
    ("display-no-graphics", "Graphics are not drawn", "CPI-DISP-10", _look(_without_graphics)),
    ("display-text-elsewhere", "Text is drawn outside of its box", "CPI-DISP-11", _look(_shifted_text)),
    ("display-layers-upside-down", "The lowest layer covers the others", "CPI-DISP-12", _look(_upside_down_layers)),
    ("display-no-shutter", "Shutters are not drawn", "CPI-DISP-13", _without(shutters=())),
    ("display-no-bitmap-shutter", "Bitmap shutters are not drawn", "CPI-DISP-13", _look(_without_bitmap)),
    (
        "display-overlay-of-image",
        "The overlay of the image is drawn where the state has one of the same group",
        "CPI-DISP-14",
        lambda behaviour: replace(behaviour, rendered=_plane_of_the_image),
    ),
    ("display-every-overlay", "All overlays of the image are shown", "CPI-DISP-14", _look(_every_overlay)),
    (
        "display-state-for-all",
        "A state is applied to images that it does not name",
        "CPI-DISP-15",
        lambda behaviour: replace(behaviour, look=_applied_to_all),
    ),
    (
        "display-window-of-first-frame",
        "The window of the first frame is used for all",
        "CPI-DISP-15",
        lambda behaviour: replace(behaviour, look=_first_window),
    ),
    (
        "display-refuses-states",
        "Presentation states are not taken",
        "CPI-ACT-04 RAD-16-SCU-01",
        _refusing(_STATE),
    ),
    (
        "display-sends-to-a-stranger",
        "A retrieve names an AE title that the archive does not know",
        "ARI-ACT-01 RAD-16-SCU-01",
        lambda b: replace(b, archive=replace(b.archive, destination=lambda own: "ELSEWHERE")),
    ),
    (
        "display-asks-no-label",
        "A query for presentation states asks for no label",
        "RAD-15-SCU-01",
        _dropped("ContentLabel"),
    ),
    (
        "display-asks-no-title",
        "A query for key image notes asks for no title",
        "RAD-30-SCU-01",
        _dropped("ConceptNameCodeSequence"),
    ),
)
