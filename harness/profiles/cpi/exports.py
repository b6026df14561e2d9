"""Pictures that a display exports, as P-Values: read from files, and from driving levels of a calibrated screen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from harness.imaging import bitmaps
from harness.imaging.gsdf import DisplayCurve
from harness.imaging.luts import Unit
from harness.profiles.cpi import reading

P_VALUES, DRIVING_LEVELS = "P-Values", "driving levels"
#: what a lossy compression may change where a picture is even
LOSSY_TOLERANCE = 0.04
_JPEG = b"\xff\xd8"
_MOST_PIXELS = 64 << 20
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91")


@dataclass(frozen=True, slots=True)
class Export:
    """What a file holds: values 0.0 to 1.0 of shape (rows, columns), and whether a compression changed them."""

    values: Unit
    lossy: bool = False


def read(data: bytes) -> Export:
    """A PNG, BMP, TIFF, JPEG or Secondary Capture. Raises ValueError saying what to export instead."""
    if data[128:132] == b"DICM":
        return _captured(data)
    if data.startswith(_JPEG):
        return Export(_grey(_jpeg(data)), lossy=True)
    if data.startswith(b"GIF8"):
        raise ValueError("the file is a GIF; export PNG, TIFF, BMP or Secondary Capture, which lose nothing")
    return Export(_grey(bitmaps.decode(data)))


def p_values(export: Export, display: Mapping[str, Any]) -> Unit:
    """The P-Values of an export; ``display`` is what a DISPLAYED fact says of it.

    Driving levels go through the measured luminances of the screen and the inverse of the standard display function.
    Raises ValueError for a screen that was not measured.
    """
    if display.get("values") != DRIVING_LEVELS:
        return export.values
    samples = display.get("characteristic") or ()
    if len(samples) < 3:
        raise ValueError("driving levels can be judged only with the measured luminances of the screen")
    levels, light = _rising(samples, float(display.get("ambient") or 0.0))
    result: Unit = DisplayCurve(float(light[0]), float(light[-1])).p_value(np.interp(export.values, levels, light))
    return result


def half_a_level(display: Mapping[str, Any]) -> float:
    """How much half a driving level of 8 bits can be at most, in P-Values: what rounding on the screen may cost."""
    if display.get("values") != DRIVING_LEVELS:
        return 0.0
    levels = np.arange(256) / 255.0
    return float(np.abs(np.diff(p_values(Export(levels[None, :]), display)[0])).max()) / 2.0


def _rising(samples: Sequence[Sequence[float]], ambient: float) -> tuple[Unit, Unit]:
    pairs = sorted((float(level), float(light) + ambient) for level, light in samples)
    levels, light = np.array([level for level, _ in pairs]), np.array([light for _, light in pairs])
    if (np.diff(light) < 0).any() or light[-1] <= light[0]:
        raise ValueError("the measured luminances of the screen do not rise with its driving levels")
    return levels, light


def _grey(picture: bitmaps.Picture) -> Unit:
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    unit: Unit = grey / float(65535 if picture.dtype == np.uint16 else 255)
    return unit


def _jpeg(data: bytes) -> bitmaps.Picture:
    try:
        from PIL import Image as Pictures
    except ImportError:
        raise ValueError("JPEG needs the extra 'media'; export PNG, which loses nothing") from None
    try:
        with Pictures.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError(f"a JPEG of {picture.width} x {picture.height} pixels is not read")
            return np.asarray(picture.convert("L" if picture.mode == "L" else "RGB"), np.uint8)
    except (OSError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise ValueError(f"the JPEG cannot be read: {error}") from error


def _captured(data: bytes) -> Export:
    """A Secondary Capture file, grey or RGB; what a right display would make of it."""
    try:
        ds = dcmread(io.BytesIO(data))
        syntax = ds.file_meta.TransferSyntaxUID
        if syntax.is_compressed and "PixelData" in ds:
            if int(ds.Rows) * int(ds.Columns) > _MOST_PIXELS:
                raise ValueError("the picture is too large")
            ds.decompress()
        lossy = str(syntax) in _LOSSY
        if int(ds.get("SamplesPerPixel", 1) or 1) == 3 and isinstance(ds.get("PixelData"), bytes):
            return Export(_colours(ds), lossy)
        picture = reading.image(ds)
        return Export(reading.image_grayscale(ds).p_values(picture.frame(), picture.format), lossy)
    except (
        InvalidDicomError, EOFError, OSError, AttributeError, TypeError, IndexError, RuntimeError, NotImplementedError,
    ) as error:  # fmt: skip
        raise ValueError(f"the file cannot be read: {error}") from error


def _colours(ds: Dataset) -> Unit:
    rows, columns = int(ds.Rows), int(ds.Columns)
    if str(ds.PhotometricInterpretation) != "RGB" or int(ds.BitsAllocated) != 8:
        raise ValueError(f"a picture of {ds.PhotometricInterpretation} with {ds.BitsAllocated} bits; export 8 bits RGB")
    if rows <= 0 or columns <= 0 or rows * columns * 3 > len(ds.PixelData):
        raise ValueError("Pixel Data is too short for its rows and columns")
    flat = np.frombuffer(ds.PixelData, np.uint8, rows * columns * 3).astype(np.float64) / 255.0
    planes = flat.reshape((3, rows, columns)) if int(ds.get("PlanarConfiguration", 0) or 0) else None
    grey: Unit = flat.reshape((rows, columns, 3)).mean(axis=2) if planes is None else planes.mean(axis=0)
    return grey
