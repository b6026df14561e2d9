"""Reading and writing the data sets of print operations: image boxes, Presentation LUTs, print jobs (PS3.4 H)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from harness.actors.printing.server_behaviour import (
    CROPPED,
    IMAGE_TOO_LARGE,
    INVALID_ATTRIBUTE_VALUE,
    SUCCESS,
    Refused,
    Reply,
    check,
    is_warning,
    needed,
    optional,
)
from harness.actors.printing.server_film import Exposure
from harness.actors.printing.server_printer import Printer
from harness.imaging.luts import LookupTable, Shape

_IMAGE_ATTRIBUTES = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)


def exposure_of(printer: Printer, position: int, image: Dataset, ds: Dataset) -> Exposure:
    """The exposure that an image box asks for. Raises Refused for what the printer does not print."""
    for keyword in _IMAGE_ATTRIBUTES:
        needed(image, keyword)
    rows, columns = int(image.Rows), int(image.Columns)
    if rows * columns <= 0 or rows * columns > printer.most_pixels:
        raise Refused(IMAGE_TOO_LARGE, f"{rows} x {columns} pixels are more than the printer takes")
    stored, allocated = int(image.BitsStored), int(image.BitsAllocated)
    photometric = str(image.PhotometricInterpretation)
    if stored not in printer.bits or allocated not in (8, 16) or allocated < stored:
        raise Refused(INVALID_ATTRIBUTE_VALUE, f"{stored} bits stored of {allocated} are not printed")
    if int(image.SamplesPerPixel) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise Refused(INVALID_ATTRIBUTE_VALUE, f"{photometric} is no grayscale")
    if len(image.PixelData) < rows * columns * allocated // 8:
        raise Refused(INVALID_ATTRIBUTE_VALUE, "Pixel Data is too short")
    pixels = np.frombuffer(image.PixelData, f"<u{allocated // 8}", rows * columns)
    aspect = image.get("PixelAspectRatio") or (1, 1)
    width = ds.get("RequestedImageSize")
    check(ds, "Polarity", ("NORMAL", "REVERSE"))
    check(ds, "MagnificationType", printer.magnifications)
    check(ds, "RequestedDecimateCropBehavior", ("DECIMATE", "CROP", "FAIL"))
    return Exposure(
        position,
        (pixels & pixels.dtype.type((1 << stored) - 1)).reshape(rows, columns),
        stored,
        photometric == "MONOCHROME1",
        str(ds.get("Polarity", "") or "NORMAL") == "REVERSE",
        Shape.IDENTITY,
        (max(int(aspect[0]), 1), max(int(aspect[1]), 1)),
        float(width) if width else None,
        optional(ds, "MinDensity"),
        optional(ds, "MaxDensity"),
    )


def fitted(exposure: Exposure, most: tuple[int, int], status: Callable[[], int]) -> tuple[int, Exposure]:
    """An image in a box of that many rows and columns, with the status that its size deserves.

    Raises Refused if it is not to be printed then.
    """
    rows, columns = exposure.stored.shape
    if rows <= most[0] and columns <= most[1]:
        return SUCCESS, exposure
    outcome = status()
    if outcome != SUCCESS and not is_warning(outcome):
        raise Refused(outcome, f"{rows} x {columns} pixels; the box has {most[0]} x {most[1]}")
    if outcome != CROPPED:
        return outcome, exposure  # whatever is too large is made smaller when it is exposed
    top, left = max((rows - most[0]) // 2, 0), max((columns - most[1]) // 2, 0)
    return outcome, replace(exposure, stored=exposure.stored[top : top + most[0], left : left + most[1]])


def shade(ds: Dataset, keyword: str, low: float, high: float) -> float | None:
    """A density given as BLACK, WHITE or hundredths of optical density."""
    value = str(ds.get(keyword, "") or "")
    if not value:
        return None
    if value in ("BLACK", "WHITE"):
        return high if value == "BLACK" else low
    if not value.isdigit():
        raise Refused(INVALID_ATTRIBUTE_VALUE, f"{keyword} is {value}")
    return min(max(int(value) / 100.0, low), high)


def table_of(items: Any) -> LookupTable:
    """The table of a Presentation LUT. Raises Refused."""
    if len(items) != 1:
        raise Refused(INVALID_ATTRIBUTE_VALUE, "a Presentation LUT Sequence has one item")
    needed(items[0], "LUTDescriptor")
    needed(items[0], "LUTData")
    descriptor, data = [int(value) for value in items[0].LUTDescriptor], items[0].LUTData
    if isinstance(data, (MultiValue, list)):
        data = np.array([int(value) & 0xFFFF for value in data], "<u2").tobytes()
    if len(descriptor) != 3 or descriptor[0] not in (256, 4096) or descriptor[1] != 0 or not 10 <= descriptor[2] <= 16:
        raise Refused(INVALID_ATTRIBUTE_VALUE, f"LUT Descriptor is {descriptor}")
    return LookupTable.decode(descriptor, data)


def reference(sop_class: str, instance: str) -> Dataset:
    """One item of a reference sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def without_pixels(ds: Dataset) -> Dataset:
    """The attributes of an image box without its picture, which nobody wants back."""
    answer = Dataset()
    for element in ds:
        if element.keyword != "BasicGrayscaleImageSequence":
            answer.add(element)
    return answer


def job_of(printer: Printer, session: Dataset) -> Dataset:
    """A print job that is done."""
    ds = Dataset()
    ds.ExecutionStatus, ds.ExecutionStatusInfo = "DONE", "NORMAL"
    ds.PrintPriority, ds.PrinterName = str(session.get("PrintPriority", "") or "MED"), printer.name
    return ds


def got(sop_class: str, instance: str, ds: Dataset, asked: Any) -> Reply:
    """The attributes that an N-GET asked for, all without a list."""
    tags = asked if isinstance(asked, (list, tuple, MultiValue)) else [asked] if asked else []
    if tags:
        wanted = {int(tag) for tag in tags}
        answer = Dataset()
        for element in ds:
            if int(element.tag) in wanted:
                answer.add(element)
        ds = answer
    return Reply(SUCCESS, ds, {"AffectedSOPClassUID": sop_class, "AffectedSOPInstanceUID": instance})
