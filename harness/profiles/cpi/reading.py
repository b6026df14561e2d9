"""What a data set says about its pixels and their presentation, as the plain objects of ``harness.imaging``.

Everything here raises :class:`Unreadable` for values that cannot be used, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
from harness.imaging.phantoms import PixelFormat
from harness.imaging.pipeline import Grayscale, image_presentation
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

_MOST_PIXELS = 128 * 1024 * 1024
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


class Unreadable(ValueError):
    """A value that the grayscale pipeline needs is missing or makes no sense."""


def pixel_format(ds: Dataset) -> PixelFormat:
    """Bits Stored, sign and polarity; raises Unreadable for anything but grayscale of 1 to 16 bits."""
    photometric = str(ds.get("PhotometricInterpretation", ""))
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise Unreadable(f"Photometric Interpretation is {photometric or 'absent'}, not MONOCHROME1 or MONOCHROME2")
    try:
        return PixelFormat(
            _number(ds, "BitsStored"), bool(_number(ds, "PixelRepresentation")), photometric == "MONOCHROME1"
        )
    except ValueError as error:
        raise Unreadable(str(error)) from error


def image(ds: Dataset) -> Image:
    """Pixels (native encodings), overlays and pixel shape of an image."""
    try:
        return _image(ds)
    except (ValueError, TypeError, IndexError) as error:
        raise Unreadable(str(error)) from error


def _image(ds: Dataset) -> Image:
    form = pixel_format(ds)
    rows, columns = _number(ds, "Rows"), _number(ds, "Columns")
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    allocated = _number(ds, "BitsAllocated")
    if rows * columns * frames <= 0 or rows * columns * frames > _MOST_PIXELS or allocated not in (8, 16):
        raise Unreadable(f"{frames} frames of {rows} x {columns} pixels of {allocated} bits cannot be read")
    data = ds.get("PixelData")
    if not isinstance(data, bytes) or len(data) < rows * columns * frames * allocated // 8:
        raise Unreadable("Pixel Data is absent, compressed or too short")
    cells = np.frombuffer(data, f"<u{allocated // 8}", rows * columns * frames).astype(np.int32)
    words = (cells >> max(int(ds.get("HighBit", form.bits_stored - 1)) + 1 - form.bits_stored, 0)) & (
        (1 << form.bits_stored) - 1
    )
    if form.signed:
        words = np.where(words >= 1 << (form.bits_stored - 1), words - (1 << form.bits_stored), words)
    shape = (rows, columns) if frames == 1 else (frames, rows, columns)
    spacing = ds.get("PixelSpacing") or ds.get("ImagerPixelSpacing")
    aspect = ds.get("PixelAspectRatio")
    return Image(
        words.reshape(shape).astype(np.int32),
        form,
        str(ds.get("SOPInstanceUID", "")),
        (*overlays(ds), *_embedded(ds, cells.reshape(shape))),
        (float(spacing[0]), float(spacing[1])) if spacing else None,
        (int(aspect[0]), int(aspect[1])) if aspect else None,
    )


def _embedded(ds: Dataset, cells: NDArray[np.int32]) -> Iterable[Overlay]:
    """Overlays in unused bits of the pixels (PS3.5 8.1.2, retired but to be met)."""
    for group in _OVERLAY_GROUPS:
        if (group, 0x0102) not in ds or (group, 0x3000) in ds or not ds[group, 0x0102].value:
            continue
        if cells.ndim != 2:
            raise Unreadable(f"overlay {group:04X} lies in the pixels of several frames")
        origin = ds[group, 0x0050].value if (group, 0x0050) in ds else (1, 1)
        bits = (cells >> int(ds[group, 0x0102].value)) & 1
        yield Overlay(group, bits.astype(np.bool_), (int(origin[0]), int(origin[1])))


def image_grayscale(ds: Dataset) -> Grayscale:
    """How the image is shown without a presentation state; the first window or table counts."""
    shape = str(ds.get("PresentationLUTShape", "") or "")
    return image_presentation(
        modality_lut(ds) or IDENTITY_RESCALE,
        voi_lut(ds, signed=_after_modality_signed(ds)),
        Shape(shape) if shape in set(map(str, Shape)) else None,
        monochrome1=str(ds.get("PhotometricInterpretation", "")) == "MONOCHROME1",
    )


def presentation_state(ds: Dataset, *, image: Dataset | None = None) -> PresentationState:
    """A grayscale softcopy presentation state; ``image`` tells whether its stored values are signed."""
    signed = bool(image is not None and image.get("PixelRepresentation", 0))
    try:
        modality = modality_lut(ds, signed=signed) or IDENTITY_RESCALE
        # behind a table values are unsigned; behind a rescale they may be negative (PS3.3 C.11.2.1.1)
        voi_signed = isinstance(modality, Rescale) and (signed or modality.intercept < 0)
        return PresentationState(
            references=tuple(
                reference for item in _items(ds, "ReferencedSeriesSequence") for reference in _targets(item)
            ),
            modality=modality,
            mask=_mask(ds),
            voi=tuple(
                VoiItem(voi, _targets(item))
                for item in _items(ds, "SoftcopyVOILUTSequence")
                if (voi := voi_lut(item, signed=voi_signed)) is not None
            ),
            presentation=presentation_lut(ds),
            orientation=Orientation(
                int(ds.get("ImageRotation", 0) or 0), str(ds.get("ImageHorizontalFlip", "N")) == "Y"
            ),
            areas=tuple(_area(item) for item in _items(ds, "DisplayedAreaSelectionSequence")),
            shutters=tuple(_shutters(ds)),
            shutter_value=int(ds.get("ShutterPresentationValue", 0) or 0),
            layers=tuple(_layer(item) for item in _items(ds, "GraphicLayerSequence")),
            annotations=tuple(_annotation(item) for item in _items(ds, "GraphicAnnotationSequence")),
            overlays=overlays(ds),
            activated={
                group: str(ds[group, 0x1001].value)
                for group in _OVERLAY_GROUPS
                if (group, 0x1001) in ds and ds[group, 0x1001].value
            },
        )
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise Unreadable(f"the presentation state cannot be applied: {error}") from error


def modality_lut(ds: Dataset, *, signed: bool | None = None) -> ModalityLut | None:
    """Modality LUT Sequence, or Rescale Slope and Intercept, or None."""
    for item in _items(ds, "ModalityLUTSequence"):
        return _table(item, bool(ds.get("PixelRepresentation", 0)) if signed is None else signed)
    if ds.get("RescaleSlope") is not None and ds.get("RescaleIntercept") is not None:
        return Rescale(float(ds.RescaleSlope), float(ds.RescaleIntercept))
    return None


def voi_lut(ds: Dataset, *, signed: bool = False) -> VoiLut | None:
    """The first VOI LUT table, or the first window, or None."""
    for item in _items(ds, "VOILUTSequence"):
        return _table(item, signed)
    center, width = _first(ds.get("WindowCenter")), _first(ds.get("WindowWidth"))
    if center is None or width is None:
        return None
    name = str(ds.get("VOILUTFunction", "") or "LINEAR")
    try:
        return Window(float(center), float(width), WindowFunction(name))
    except ValueError as error:
        raise Unreadable(str(error)) from error


def presentation_lut(ds: Dataset) -> PresentationLut:
    """Presentation LUT Sequence or Shape of a presentation state or of print."""
    for item in _items(ds, "PresentationLUTSequence"):
        return _table(item, False)
    shape = str(ds.get("PresentationLUTShape", "") or "IDENTITY")
    if shape not in set(map(str, Shape)):
        raise Unreadable(f"Presentation LUT Shape is {shape!r}")
    return Shape(shape)


def overlays(ds: Dataset) -> tuple[Overlay, ...]:
    """Overlay planes with data of their own."""
    found = []
    for group in _OVERLAY_GROUPS:
        data = ds.get((group, 0x3000))
        if data is None or not data.value:
            continue
        rows, columns = ds.get((group, 0x0010)), ds.get((group, 0x0011))
        if rows is None or columns is None or not rows.value or not columns.value:
            raise Unreadable(f"overlay group {group:04X} has data but no rows and columns")
        origin = ds.get((group, 0x0050))
        place = (int(origin.value[0]), int(origin.value[1])) if origin is not None else (1, 1)
        try:
            found.append(Overlay.decode(group, int(rows.value), int(columns.value), data.value, place))
        except ValueError as error:
            raise Unreadable(str(error)) from error
    return tuple(found)


def _after_modality_signed(ds: Dataset) -> bool:
    """Whether VOI LUT inputs may be negative: after a table they are not (PS3.3 C.11.2.1.1)."""
    if "ModalityLUTSequence" in ds:
        return False
    return bool(ds.get("PixelRepresentation", 0)) or float(ds.get("RescaleIntercept", 0) or 0) < 0


def _table(item: Dataset, signed: bool) -> LookupTable:
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if not isinstance(descriptor, (MultiValue, list, tuple)) or len(descriptor) != 3:
        raise Unreadable("LUT Descriptor has not three values")
    if isinstance(data, int):
        data = [data]
    if isinstance(data, (MultiValue, list, tuple)):
        data = np.array([int(value) & 0xFFFF for value in data], "<u2").tobytes()
    if not isinstance(data, bytes):
        raise Unreadable("LUT Data is absent")
    try:
        return LookupTable.decode([int(value) for value in descriptor], data, signed=signed)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _targets(item: Dataset) -> Targets:
    found = []
    for entry in _items(item, "ReferencedImageSequence"):
        frames = entry.get("ReferencedFrameNumber")
        numbers = () if frames in (None, "") else tuple(int(frame) for frame in _many(frames))
        found.append(ImageReference(str(entry.get("ReferencedSOPInstanceUID", "")), numbers))
    return tuple(found)


def _area(item: Dataset) -> DisplayedArea:
    spacing, aspect = item.get("PresentationPixelSpacing"), item.get("PresentationPixelAspectRatio")
    ratio = item.get("PresentationPixelMagnificationRatio")
    left, right = item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner
    return DisplayedArea(
        (int(left[0]), int(left[1])),
        (int(right[0]), int(right[1])),
        SizeMode(str(item.get("PresentationSizeMode", "SCALE TO FIT"))),
        (float(spacing[0]), float(spacing[1])) if spacing else None,
        (int(aspect[0]), int(aspect[1])) if aspect else None,
        float(ratio) if ratio else None,
        _targets(item),
    )


def _shutters(ds: Dataset) -> Iterable[Shutter]:
    for shape in _many(ds.get("ShutterShape", ())):
        if shape == "RECTANGULAR":
            yield RectangularShutter(
                _number(ds, "ShutterLeftVerticalEdge"),
                _number(ds, "ShutterRightVerticalEdge"),
                _number(ds, "ShutterUpperHorizontalEdge"),
                _number(ds, "ShutterLowerHorizontalEdge"),
            )
        elif shape == "CIRCULAR":
            row, column = ds.CenterOfCircularShutter
            yield CircularShutter(int(row), int(column), _number(ds, "RadiusOfCircularShutter"))
        elif shape == "POLYGONAL":
            flat = [int(value) for value in ds.VerticesOfThePolygonalShutter]
            yield PolygonalShutter(tuple(zip(flat[::2], flat[1::2], strict=True)))
        elif shape == "BITMAP":
            yield BitmapShutter(_number(ds, "ShutterOverlayGroup"))


def _mask(ds: Dataset) -> Mask | None:
    for item in _items(ds, "MaskSubtractionSequence"):
        frames = item.get("MaskFrameNumbers")
        if str(item.get("MaskOperation", "")) == "AVG_SUB" and frames is not None:
            shift = item.get("MaskSubPixelShift") or (0.0, 0.0)
            return Mask(tuple(int(frame) for frame in _many(frames)), (float(shift[0]), float(shift[1])))
    return None


def _layer(item: Dataset) -> Layer:
    value = item.get("GraphicLayerRecommendedDisplayGrayscaleValue")
    return Layer(
        str(item.get("GraphicLayer", "")),
        int(item.get("GraphicLayerOrder", 0) or 0),
        0xFFFF if value is None else int(value),
        str(item.get("GraphicLayerDescription", "") or ""),
    )


def _annotation(item: Dataset) -> Annotation:
    graphics = []
    for entry in _items(item, "GraphicObjectSequence"):
        flat = [float(value) for value in _many(entry.get("GraphicData", ()))]
        graphics.append(
            Graphic(
                GraphicKind(str(entry.get("GraphicType", ""))),
                tuple(zip(flat[::2], flat[1::2], strict=True)),
                Units(str(entry.get("GraphicAnnotationUnits", ""))),
                str(entry.get("GraphicFilled", "N")) == "Y",
            )
        )
    texts = []
    for entry in _items(item, "TextObjectSequence"):
        box_from, box_to = entry.get("BoundingBoxTopLeftHandCorner"), entry.get("BoundingBoxBottomRightHandCorner")
        anchor = entry.get("AnchorPoint")
        texts.append(
            Text(
                str(entry.get("UnformattedTextValue", "")),
                (_pair(box_from), _pair(box_to)) if box_from and box_to else None,
                Units(str(entry.get("BoundingBoxAnnotationUnits", "") or "PIXEL")),
                str(entry.get("BoundingBoxTextHorizontalJustification", "") or "LEFT"),
                _pair(anchor) if anchor else None,
                Units(str(entry.get("AnchorPointAnnotationUnits", "") or "PIXEL")),
                str(entry.get("AnchorPointVisibility", "N")) == "Y",
            )
        )
    return Annotation(str(item.get("GraphicLayer", "")), tuple(graphics), tuple(texts), _targets(item))


def _pair(value: Any) -> tuple[float, float]:
    return float(value[0]), float(value[1])


def _items(ds: Dataset, keyword: str) -> list[Dataset]:
    value = ds.get(keyword)
    return list(value) if value else []


def _many(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (MultiValue, list, tuple)) else [value]


def _first(value: Any) -> Any:
    values = _many(value)
    return values[0] if values else None


def _number(ds: Dataset, keyword: str) -> int:
    value = ds.get(keyword)
    if value is None or value == "":
        raise Unreadable(f"{keyword} is absent")
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{keyword} is {value!r}") from error
