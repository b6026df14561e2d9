"""From an image, and a presentation state if there is one, to the pixels that go to a printer.

The composer applies everything up to the Presentation LUT, so that the printer gets P-Values and the film equals the
softcopy (PS3.4 H.4.9, N.2). Its reading of the attributes is the actor's own; what judges films reads them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from harness.core.errors import UsageError
from harness.imaging.geometry import Placement
from harness.imaging.luts import (
    IDENTITY_RESCALE,
    LookupTable,
    ModalityLut,
    PresentationLut,
    Rescale,
    Shape,
    Unit,
    VoiLut,
    Window,
    WindowFunction,
    quantized,
)
from harness.imaging.phantoms import PixelFormat
from harness.imaging.pipeline import Grayscale, image_presentation
from harness.imaging.presentation import DisplayedArea, Orientation


@dataclass(frozen=True, slots=True, eq=False)
class PrintPicture:
    """Pixels of shape (rows, columns), ``bits`` wide; the aspect of a pixel is (vertical, horizontal)."""

    pixels: NDArray[np.int64]
    bits: int = 12
    monochrome1: bool = False
    polarity: str = ""
    aspect: tuple[int, int] | None = None
    source: str = ""
    #: what is to happen if the image is larger than its box: DECIMATE, CROP or FAIL, "" to leave it to the printer
    decimate_crop: str = ""


def picture_of(image: Dataset, state: Dataset | None = None, *, bits: int = 12, frame: int = 1) -> PrintPicture:
    """The picture of an image as its presentation state, or else the image itself, wants it.

    Raises UsageError for an image that is not grayscale, not native or without pixels.
    """
    stored, form = _stored(image, frame)
    unit = (_grayscale_of_state(state, image) if state is not None else _grayscale_of_image(image)).p_values(
        stored, form
    )
    aspect = image.get("PixelAspectRatio")
    if state is not None:
        unit, area_aspect = _geometry(unit, state, str(image.get("SOPInstanceUID", "")))
        aspect = area_aspect or aspect
    return PrintPicture(
        quantized(unit, bits),
        bits,
        aspect=(int(aspect[0]), int(aspect[1])) if aspect else None,
        source=str(image.get("SOPInstanceUID", "")),
    )


def _stored(image: Dataset, frame: int) -> tuple[NDArray[np.int64], PixelFormat]:
    photometric = str(image.get("PhotometricInterpretation", ""))
    data = image.get("PixelData")
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or not isinstance(data, bytes):
        raise UsageError("only native grayscale images can be printed; decompress or convert the image first")
    form = PixelFormat(int(image.BitsStored), bool(image.PixelRepresentation), photometric == "MONOCHROME1")
    rows, columns, size = int(image.Rows), int(image.Columns), int(image.BitsAllocated) // 8
    start = (frame - 1) * rows * columns * size
    if len(data) < start + rows * columns * size:
        raise UsageError(f"Pixel Data holds no frame {frame} of {rows} x {columns} pixels")
    raw = np.frombuffer(data, f"<u{size}", rows * columns, start).astype(np.int64).reshape(rows, columns)
    raw &= (1 << form.bits_stored) - 1
    return (np.where(raw > form.highest, raw - (1 << form.bits_stored), raw) if form.signed else raw), form


def _grayscale_of_image(image: Dataset) -> Grayscale:
    shape = image.get("PresentationLUTShape")
    return image_presentation(
        _modality(image, image),
        _voi(image),
        Shape(str(shape)) if shape else None,
        monochrome1=str(image.PhotometricInterpretation) == "MONOCHROME1",
    )


def _grayscale_of_state(state: Dataset, image: Dataset) -> Grayscale:
    uid = str(image.get("SOPInstanceUID", ""))
    items = [item for item in state.get("SoftcopyVOILUTSequence") or () if _meant(item, uid)]
    lut: PresentationLut = Shape(str(state.get("PresentationLUTShape", "") or "IDENTITY"))
    if state.get("PresentationLUTSequence"):
        lut = _table(state.PresentationLUTSequence[0])
    return Grayscale(_modality(state, image), _voi(items[0]) if items else None, lut)


def _modality(ds: Dataset, image: Dataset) -> ModalityLut:
    if ds.get("ModalityLUTSequence"):
        return _table(ds.ModalityLUTSequence[0], signed=bool(image.get("PixelRepresentation", 0)))
    if ds.get("RescaleSlope") is not None:
        return Rescale(float(ds.RescaleSlope), float(ds.get("RescaleIntercept", 0) or 0))
    return IDENTITY_RESCALE


def _voi(ds: Dataset) -> VoiLut | None:
    if ds.get("VOILUTSequence"):
        return _table(ds.VOILUTSequence[0], signed=True)
    center, width = ds.get("WindowCenter"), ds.get("WindowWidth")
    if center is None or width is None:
        return None
    first = [float(value if isinstance(value, (int, float, str)) else value[0]) for value in (center, width)]
    return Window(first[0], first[1], WindowFunction(str(ds.get("VOILUTFunction", "") or "LINEAR")))


def _table(item: Dataset, *, signed: bool = False) -> LookupTable:
    descriptor: Any = item.LUTDescriptor
    data: Any = item.LUTData
    if not isinstance(data, bytes):
        data = np.array([int(value) & 0xFFFF for value in data], "<u2").tobytes()
    return LookupTable.decode([int(value) for value in descriptor], data, signed=signed)


def _meant(item: Dataset, uid: str) -> bool:
    references = item.get("ReferencedImageSequence") or ()
    return not references or any(str(entry.get("ReferencedSOPInstanceUID", "")) == uid for entry in references)


def _geometry(unit: Unit, state: Dataset, uid: str) -> tuple[Unit, tuple[int, int] | None]:
    orientation = Orientation(int(state.get("ImageRotation", 0) or 0), str(state.get("ImageHorizontalFlip", "")) == "Y")
    items = [item for item in state.get("DisplayedAreaSelectionSequence") or () if _meant(item, uid)]
    area, aspect = None, None
    if items:
        left, right = items[0].DisplayedAreaTopLeftHandCorner, items[0].DisplayedAreaBottomRightHandCorner
        area = DisplayedArea((int(left[0]), int(left[1])), (int(right[0]), int(right[1])))
        spacing, ratio = items[0].get("PresentationPixelSpacing"), items[0].get("PresentationPixelAspectRatio")
        if ratio:
            aspect = (int(ratio[0]), int(ratio[1]))
        elif spacing:
            aspect = (round(float(spacing[0]) * 1000), round(float(spacing[1]) * 1000))
        if aspect and orientation.rotation in (90, 270):
            aspect = aspect[::-1]
    shape = (unit.shape[0], unit.shape[1])
    return Placement(shape, orientation, area).cut(unit, 0.0), aspect
