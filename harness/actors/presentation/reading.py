"""What a simulated display makes of an image and a presentation state: its own reading of the attributes.

What judges displays reads the same attributes again, elsewhere; nothing is shared but the objects of ``imaging``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from harness.core.errors import UsageError
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
from harness.imaging.phantoms import PixelFormat
from harness.imaging.presentation import (
    Annotation,
    BitmapShutter,
    CircularShutter,
    DisplayedArea,
    Graphic,
    GraphicKind,
    ImageReference,
    Layer,
    Mask,
    Orientation,
    Overlay,
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
from harness.imaging.render import Image

_MOST_PIXELS = 64 << 20
_GROUPS = range(0x6000, 0x6020, 2)


def picture(ds: Dataset) -> Image:
    """Pixels, overlays and pixel shape. Raises UsageError for anything but native grayscale."""
    photometric, data = str(ds.get("PhotometricInterpretation", "")), ds.get("PixelData")
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or not isinstance(data, bytes):
        raise UsageError("this display shows native grayscale images only")
    frames, rows, columns = int(ds.get("NumberOfFrames", 1) or 1), int(ds.Rows), int(ds.Columns)
    form = PixelFormat(int(ds.BitsStored), bool(ds.PixelRepresentation), photometric == "MONOCHROME1")
    count, size = frames * rows * columns, int(ds.BitsAllocated) // 8
    if not 0 < count <= _MOST_PIXELS or size not in (1, 2) or len(data) < count * size:
        raise UsageError(f"{frames} frames of {rows} x {columns} pixels cannot be shown")
    words = np.frombuffer(data, f"<u{size}", count).astype(np.int64)
    raw = words & ((1 << form.bits_stored) - 1)
    if form.signed:
        raw = np.where(raw > form.highest, raw - (1 << form.bits_stored), raw)
    spacing, aspect = ds.get("PixelSpacing"), ds.get("PixelAspectRatio")
    return Image(
        raw.reshape((rows, columns) if frames == 1 else (frames, rows, columns)).astype(np.int32),
        form,
        str(ds.SOPInstanceUID),
        (*_overlays(ds), *(_planes_in_pixels(ds, words.reshape(rows, columns)) if frames == 1 else ())),
        (float(spacing[0]), float(spacing[1])) if spacing else None,
        (int(aspect[0]), int(aspect[1])) if aspect else None,
    )


def own_presentation(ds: Dataset) -> PresentationState:
    """How an image is shown that nobody made a presentation state for."""
    inverse = "INVERSE" in (ds.get("PresentationLUTShape"),) or str(ds.PhotometricInterpretation) == "MONOCHROME1"
    voi = _voi(ds, signed=_signed_after(ds, ds))
    return PresentationState(
        modality=_modality(ds, ds),
        voi=(VoiItem(voi),) if voi is not None else (),
        presentation=Shape.INVERSE if inverse else Shape.IDENTITY,
    )


def presentation(ds: Dataset, image: Dataset) -> PresentationState:
    """What a grayscale softcopy presentation state asks for. Raises ValueError for values that make no sense."""
    signed = _signed_after(ds, image)
    lut: PresentationLut = Shape(str(ds.get("PresentationLUTShape", "") or "IDENTITY"))
    if ds.get("PresentationLUTSequence"):
        lut = _table(ds.PresentationLUTSequence[0])
    vois = ((item, _voi(item, signed=signed)) for item in ds.get("SoftcopyVOILUTSequence") or ())
    return PresentationState(
        references=tuple(one for series in ds.get("ReferencedSeriesSequence") or () for one in _targets(series)),
        modality=_modality(ds, image),
        mask=_mask(ds),
        voi=tuple(VoiItem(voi, _targets(item)) for item, voi in vois if voi is not None),
        presentation=lut,
        orientation=Orientation(int(ds.get("ImageRotation", 0) or 0), ds.get("ImageHorizontalFlip") == "Y"),
        areas=tuple(_area(item) for item in ds.get("DisplayedAreaSelectionSequence") or ()),
        shutters=tuple(_shutters(ds)),
        shutter_value=int(ds.get("ShutterPresentationValue", 0) or 0),
        layers=tuple(_layer(item) for item in ds.get("GraphicLayerSequence") or ()),
        annotations=tuple(_annotation(item) for item in ds.get("GraphicAnnotationSequence") or ()),
        overlays=tuple(_overlays(ds)),
        activated={group: str(ds[group, 0x1001].value) for group in _GROUPS if (group, 0x1001) in ds},
    )


def _signed_after(ds: Dataset, image: Dataset) -> bool:
    """Whether values behind the Modality LUT may be negative."""
    if ds.get("ModalityLUTSequence"):
        return False
    return bool(image.get("PixelRepresentation", 0)) or float(ds.get("RescaleIntercept", 0) or 0) < 0


def _modality(ds: Dataset, image: Dataset) -> ModalityLut:
    if ds.get("ModalityLUTSequence"):
        return _table(ds.ModalityLUTSequence[0], signed=bool(image.get("PixelRepresentation", 0)))
    if ds.get("RescaleSlope") is not None:
        return Rescale(float(ds.RescaleSlope), float(ds.get("RescaleIntercept", 0) or 0))
    return IDENTITY_RESCALE


def _voi(ds: Dataset, *, signed: bool) -> VoiLut | None:
    if ds.get("VOILUTSequence"):
        return _table(ds.VOILUTSequence[0], signed=signed)
    centers, widths = _list(ds.get("WindowCenter")), _list(ds.get("WindowWidth"))
    if not centers or not widths:
        return None
    function = WindowFunction(str(ds.get("VOILUTFunction", "") or "LINEAR"))
    return Window(float(centers[0]), float(widths[0]), function)


def _table(item: Dataset, *, signed: bool = False) -> LookupTable:
    data: Any = item.LUTData
    if not isinstance(data, bytes):
        data = np.array([int(value) & 0xFFFF for value in _list(data)], "<u2").tobytes()
    return LookupTable.decode([int(value) for value in item.LUTDescriptor], data, signed=signed)


def _mask(ds: Dataset) -> Mask | None:
    for item in ds.get("MaskSubtractionSequence") or ():
        if item.get("MaskOperation") == "AVG_SUB":
            shift = item.get("MaskSubPixelShift") or (0.0, 0.0)
            frames = tuple(int(frame) for frame in _list(item.MaskFrameNumbers))
            return Mask(frames, (float(shift[0]), float(shift[1])))
    return None


def _targets(item: Dataset) -> Targets:
    return tuple(
        ImageReference(
            str(one.get("ReferencedSOPInstanceUID", "")),
            tuple(int(frame) for frame in _list(one.get("ReferencedFrameNumber"))),
        )
        for one in item.get("ReferencedImageSequence") or ()
    )


def _area(item: Dataset) -> DisplayedArea:
    first, last = item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner
    spacing, aspect = item.get("PresentationPixelSpacing"), item.get("PresentationPixelAspectRatio")
    ratio = item.get("PresentationPixelMagnificationRatio")
    return DisplayedArea(
        (int(first[0]), int(first[1])),
        (int(last[0]), int(last[1])),
        SizeMode(str(item.get("PresentationSizeMode", "SCALE TO FIT"))),
        (float(spacing[0]), float(spacing[1])) if spacing else None,
        (int(aspect[0]), int(aspect[1])) if aspect else None,
        float(ratio) if ratio else None,
        _targets(item),
    )


def _shutters(ds: Dataset) -> Iterator[Shutter]:
    shapes = _list(ds.get("ShutterShape"))
    if "RECTANGULAR" in shapes:
        yield RectangularShutter(
            int(ds.ShutterLeftVerticalEdge),
            int(ds.ShutterRightVerticalEdge),
            int(ds.ShutterUpperHorizontalEdge),
            int(ds.ShutterLowerHorizontalEdge),
        )
    if "CIRCULAR" in shapes:
        centre = ds.CenterOfCircularShutter
        yield CircularShutter(int(centre[0]), int(centre[1]), int(ds.RadiusOfCircularShutter))
    if "POLYGONAL" in shapes:
        numbers = [int(value) for value in ds.VerticesOfThePolygonalShutter]
        yield PolygonalShutter(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    if "BITMAP" in shapes:
        yield BitmapShutter(int(ds.ShutterOverlayGroup))


def _layer(item: Dataset) -> Layer:
    grey = item.get("GraphicLayerRecommendedDisplayGrayscaleValue")
    return Layer(str(item.GraphicLayer), int(item.GraphicLayerOrder), 0xFFFF if grey is None else int(grey))


def _annotation(item: Dataset) -> Annotation:
    graphics, texts = [], []
    for one in item.get("GraphicObjectSequence") or ():
        kind, units = GraphicKind(str(one.GraphicType)), Units(str(one.GraphicAnnotationUnits))
        graphics.append(Graphic(kind, _points(one.GraphicData), units, one.get("GraphicFilled") == "Y"))
    for one in item.get("TextObjectSequence") or ():
        box, anchor = None, None
        if "BoundingBoxTopLeftHandCorner" in one:
            box = _points([*one.BoundingBoxTopLeftHandCorner, *one.BoundingBoxBottomRightHandCorner])
        if "AnchorPoint" in one:
            anchor = _points(one.AnchorPoint)[0]
        texts.append(
            Text(
                str(one.UnformattedTextValue),
                (box[0], box[1]) if box else None,
                Units(str(one.get("BoundingBoxAnnotationUnits", "") or "PIXEL")),
                str(one.get("BoundingBoxTextHorizontalJustification", "") or "LEFT"),
                anchor,
                Units(str(one.get("AnchorPointAnnotationUnits", "") or "PIXEL")),
                one.get("AnchorPointVisibility") == "Y",
            )
        )
    return Annotation(str(item.GraphicLayer), tuple(graphics), tuple(texts), _targets(item))


def _points(values: Any) -> tuple[tuple[float, float], ...]:
    numbers = [float(value) for value in values]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _overlays(ds: Dataset) -> Iterator[Overlay]:
    for group in _GROUPS:
        if (group, 0x3000) in ds:
            rows, columns = int(ds[group, 0x0010].value), int(ds[group, 0x0011].value)
            origin = ds[group, 0x0050].value if (group, 0x0050) in ds else (1, 1)
            yield Overlay.decode(group, rows, columns, ds[group, 0x3000].value, (int(origin[0]), int(origin[1])))


def _planes_in_pixels(ds: Dataset, words: NDArray[np.int64]) -> Iterator[Overlay]:
    """Planes that an old modality left in the high bits of the pixels."""
    for group in _GROUPS:
        bit = ds.get((group, 0x0102))
        if bit is not None and bit.value and (group, 0x3000) not in ds:
            row, column = ds[group, 0x0050].value if (group, 0x0050) in ds else (1, 1)
            yield Overlay(group, (words >> int(bit.value)) & 1 == 1, (int(row), int(column)))


def _list(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (MultiValue, list, tuple)) else [value]
