"""A grayscale softcopy presentation state as the modality reads it, to show or print an image like its author saw it.

What we could not show faithfully is refused rather than left out (PS3.3 A.33.1, PS3.4 N.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from harness.imaging.luts import (
    IDENTITY_RESCALE,
    LookupTable,
    ModalityLut,
    PresentationLut,
    Rescale,
    Shape,
    VoiLut,
    Window,
    WindowFunction,
)
from harness.imaging.presentation import (
    Annotation,
    CircularShutter,
    DisplayedArea,
    Graphic,
    GraphicKind,
    ImageReference,
    Layer,
    Orientation,
    PolygonalShutter,
    PresentationState,
    RectangularShutter,
    Shutter,
    SizeMode,
    Targets,
    Text,
    Units,
    VoiItem,
)
from harness.modality.elements import items, text
from harness.modality.errors import Refused
from harness.modality.objects import GSPS


def state_for(state: Dataset, image: Dataset) -> PresentationState:
    """Read what a presentation state asks for an image; raises Refused if it is not for it, or asks for too much."""
    uid = text(state, "SOPInstanceUID")
    if text(state, "SOPClassUID") != GSPS:
        raise Refused(f"{uid} is not a grayscale presentation state")
    beyond = ", ".join(_beyond(state))
    if beyond:
        raise Refused(f"presentation state {uid} asks for {beyond}, which is not done here")
    try:
        made = _read(state, image)
    except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise Refused(f"presentation state {uid} cannot be read: {error}") from None
    if not made.covers(text(image, "SOPInstanceUID")):
        raise Refused(f"presentation state {uid} is not for image {text(image, 'SOPInstanceUID')}")
    return made


def images_of(state: Dataset) -> frozenset[str]:
    """Return the images that a presentation state names, by SOP Instance UID."""
    return frozenset(
        target.sop_instance_uid for series in items(state, "ReferencedSeriesSequence") for target in _targets(series)
    )


def _beyond(state: Dataset) -> Iterator[str]:
    if "MaskSubtractionSequence" in state:
        yield "mask subtraction"
    if "BITMAP" in text(state, "ShutterShape").split("\\"):
        yield "a bitmap shutter"
    if any((group, 0x1001) in state or (group, 0x3000) in state for group in range(0x6000, 0x6020, 2)):
        yield "overlays"


def _read(state: Dataset, image: Dataset) -> PresentationState:
    below_zero = bool(image.get("PixelRepresentation")) or float(state.get("RescaleIntercept") or 0) < 0
    voi = [(each, _voi(each, below_zero)) for each in items(state, "SoftcopyVOILUTSequence")]
    presentation: PresentationLut = Shape(text(state, "PresentationLUTShape") or "IDENTITY")
    for each in items(state, "PresentationLUTSequence"):
        presentation = _table(each, signed=False)
    return PresentationState(
        references=tuple(one for series in items(state, "ReferencedSeriesSequence") for one in _targets(series)),
        modality=_modality(state, image),
        voi=tuple(VoiItem(transform, _targets(each)) for each, transform in voi if transform is not None),
        presentation=presentation,
        orientation=Orientation(int(state.get("ImageRotation") or 0), text(state, "ImageHorizontalFlip") == "Y"),
        areas=tuple(_area(each) for each in items(state, "DisplayedAreaSelectionSequence")),
        shutters=tuple(_shutters(state)),
        shutter_value=int(state.get("ShutterPresentationValue") or 0),
        layers=tuple(_layer(each) for each in items(state, "GraphicLayerSequence")),
        annotations=tuple(_annotation(each) for each in items(state, "GraphicAnnotationSequence")),
    )


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    value: Any = dataset.get(keyword)
    if value is None or value == "":
        return []
    if isinstance(value, bytes):  # US or SS of an implicit VR, which nobody has decided yet
        return [float(each) for each in np.frombuffer(value, "<u2")]
    return [float(each) for each in value] if isinstance(value, (MultiValue, list, tuple)) else [float(value)]


def _whole(dataset: Dataset, keyword: str) -> list[int]:
    return [int(each) for each in _numbers(dataset, keyword)]


def _points(dataset: Dataset, *keywords: str) -> tuple[tuple[float, float], ...]:
    flat = [number for keyword in keywords for number in _numbers(dataset, keyword)]
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _modality(state: Dataset, image: Dataset) -> ModalityLut:
    for each in items(state, "ModalityLUTSequence"):
        return _table(each, signed=bool(image.get("PixelRepresentation")))
    slope = _numbers(state, "RescaleSlope")
    return Rescale(slope[0], (_numbers(state, "RescaleIntercept") or [0.0])[0]) if slope else IDENTITY_RESCALE


def _voi(dataset: Dataset, below_zero: bool) -> VoiLut | None:
    for each in items(dataset, "VOILUTSequence"):
        return _table(each, signed=below_zero)
    center, width = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    if not center or not width:
        return None
    return Window(center[0], width[0], WindowFunction(text(dataset, "VOILUTFunction") or "LINEAR"))


def _table(dataset: Dataset, *, signed: bool) -> LookupTable:
    data: Any = dataset.get("LUTData")
    if not isinstance(data, bytes):
        data = np.array([each & 0xFFFF for each in _whole(dataset, "LUTData")], "<u2").tobytes()
    return LookupTable.decode(_whole(dataset, "LUTDescriptor"), data, signed=signed)


def _targets(dataset: Dataset) -> Targets:
    return tuple(
        ImageReference(text(each, "ReferencedSOPInstanceUID"), tuple(_whole(each, "ReferencedFrameNumber")))
        for each in items(dataset, "ReferencedImageSequence")
    )


def _area(dataset: Dataset) -> DisplayedArea:
    first = _whole(dataset, "DisplayedAreaTopLeftHandCorner")
    last = _whole(dataset, "DisplayedAreaBottomRightHandCorner")
    spacing, aspect = _numbers(dataset, "PresentationPixelSpacing"), _whole(dataset, "PresentationPixelAspectRatio")
    return DisplayedArea(
        (first[0], first[1]),
        (last[0], last[1]),
        SizeMode(text(dataset, "PresentationSizeMode") or "SCALE TO FIT"),
        (spacing[0], spacing[1]) if spacing else None,
        (aspect[0], aspect[1]) if aspect else None,
        next(iter(_numbers(dataset, "PresentationPixelMagnificationRatio")), None),
        _targets(dataset),
    )


def _shutters(state: Dataset) -> Iterator[Shutter]:
    shapes = text(state, "ShutterShape").split("\\")
    if "RECTANGULAR" in shapes:
        names = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
        yield RectangularShutter(*(_whole(state, f"Shutter{name}Edge")[0] for name in names))
    if "CIRCULAR" in shapes:
        row, column = _whole(state, "CenterOfCircularShutter")
        yield CircularShutter(row, column, _whole(state, "RadiusOfCircularShutter")[0])
    if "POLYGONAL" in shapes:
        flat = _whole(state, "VerticesOfThePolygonalShutter")
        yield PolygonalShutter(tuple(zip(flat[::2], flat[1::2], strict=True)))


def _layer(dataset: Dataset) -> Layer:
    grey = _whole(dataset, "GraphicLayerRecommendedDisplayGrayscaleValue")
    return Layer(text(dataset, "GraphicLayer"), _whole(dataset, "GraphicLayerOrder")[0], grey[0] if grey else 0xFFFF)


def _annotation(dataset: Dataset) -> Annotation:
    graphics = tuple(
        Graphic(
            GraphicKind(text(each, "GraphicType")),
            _points(each, "GraphicData"),
            Units(text(each, "GraphicAnnotationUnits")),
            text(each, "GraphicFilled") == "Y",
        )
        for each in items(dataset, "GraphicObjectSequence")
    )
    texts = tuple(_text(each) for each in items(dataset, "TextObjectSequence"))
    return Annotation(text(dataset, "GraphicLayer"), graphics, texts, _targets(dataset))


def _text(dataset: Dataset) -> Text:
    box = _points(dataset, "BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner")
    anchor = _points(dataset, "AnchorPoint")
    return Text(
        text(dataset, "UnformattedTextValue"),
        (box[0], box[1]) if box else None,
        Units(text(dataset, "BoundingBoxAnnotationUnits") or "PIXEL"),
        text(dataset, "BoundingBoxTextHorizontalJustification") or "LEFT",
        anchor[0] if anchor else None,
        Units(text(dataset, "AnchorPointAnnotationUnits") or "PIXEL"),
        text(dataset, "AnchorPointVisibility") == "Y",
    )
