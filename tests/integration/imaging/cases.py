"""Images and presentation states that our pipeline and DCMTK both have to render alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from harness.imaging import phantoms
from harness.imaging.luts import Shape, apply_presentation_lut, quantized
from harness.imaging.phantoms import PixelFormat
from harness.imaging.presentation import PresentationState
from harness.imaging.render import Image, render
from harness.profiles.cpi import reading
from tests.integration.imaging import dcmtk, objects
from tests.integration.imaging.objects import items, table

Picture = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: ``theirs`` runs the tool in a folder, ``ours`` is computed; both are integers of ``bits``.

    ``allowed`` is the largest difference in output levels: 1 is rounding (DCMTK cuts off where we round); more has a
    ``reason``.
    """

    name: str
    tool: str
    bits: int
    theirs: Callable[[Path], Picture]
    ours: Callable[[], Picture]
    allowed: int = 1
    reason: str = ""


FORMATS = {
    "8 bit": PixelFormat(8),
    "10 bit": PixelFormat(10),
    "12 bit": PixelFormat(12),
    "16 bit": PixelFormat(16),
    "12 bit signed": PixelFormat(12, signed=True),
    "16 bit signed": PixelFormat(16, signed=True),
}


def _set(**values: Any) -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


def _curve(count: int, bits: int) -> NDArray[np.int64]:
    top = (1 << bits) - 1
    return np.rint(top * (np.arange(count) / max(count - 1, 1)) ** 0.6).astype(np.int64)


def image_cases() -> Iterator[Case]:
    """Images without presentation state, against dcm2pnm with 16 bits of output."""
    for name, form in FORMATS.items():
        made = phantoms.noise(seed=3, form=form)
        middle, width = (form.lowest + form.highest + 1) / 2, (form.highest - form.lowest) / 3
        yield _image(f"{name}, window", objects.image(made, _set(WindowCenter=middle, WindowWidth=width)), "+Wi", "1")
        # asked for more bits than it has, DCMTK shifts instead of stretching; so it is asked for as many as it has
        yield _image(f"{name}, no window", objects.image(made), bits=form.bits_stored)
    twelve = phantoms.noise(seed=4, form=PixelFormat(12))
    ct = _set(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU", WindowCenter=40, WindowWidth=400)
    yield _image("rescale and window", objects.image(twelve, ct), "+Wi", "1")
    fraction = _set(RescaleSlope=0.37, RescaleIntercept=-17.5, RescaleType="US", WindowCenter=300, WindowWidth=512.5)
    yield _image(
        "fractional rescale",
        objects.image(twelve, fraction),
        "+Wi",
        "1",
        allowed=round(65535 / 511.5) + 1,
        reason="DCMTK rounds the output of the Modality LUT to integers, which PS3.3 C.11.1 does not ask for",
    )
    yield _image("window of one", objects.image(twelve, _set(WindowCenter=2000, WindowWidth=1)), "+Wi", "1")
    sigmoid = _set(WindowCenter=2000, WindowWidth=900, VOILUTFunction="SIGMOID")
    yield _image("sigmoid", objects.image(twelve, sigmoid), "+Wi", "1")
    one = phantoms.noise(seed=5, form=PixelFormat(12, monochrome1=True))
    yield _image("MONOCHROME1", objects.image(one, _set(WindowCenter=2000, WindowWidth=900)), "+Wi", "1")
    both = _set(WindowCenter=2000, WindowWidth=900, PresentationLUTShape="INVERSE")
    yield _image("MONOCHROME1 and INVERSE", objects.image(one, both), "+Wi", "1")
    for bits in (8, 12, 16):
        lut = _set(VOILUTSequence=table(300, _curve(3000, bits), bits))
        yield _image(f"VOI LUT of {bits} bits", objects.image(twelve, lut), "+Wl", "1", bits=bits)
    lut = _set(ModalityLUTSequence=table(100, _curve(3900, 16), 16, ModalityLUTType="US"))
    yield _image("Modality LUT", objects.image(twelve, lut))
    yield from _image_edges(twelve)
    marked = _with_overlay(phantoms.noise(seed=8, form=PixelFormat(12)))
    yield _overlaid(marked)
    yield _overlaid(_with_overlay_in_pixels(phantoms.noise(seed=15, form=PixelFormat(12))), "overlay in the pixels")


def _image_edges(twelve: phantoms.Phantom) -> Iterator[Case]:
    """Negative first values, as many entries as there can be, entries in bytes, windows at their limits."""
    signed = phantoms.noise(seed=9, form=PixelFormat(12, signed=True))
    signed16 = phantoms.noise(seed=10, form=PixelFormat(16, signed=True))
    sixteen = phantoms.noise(seed=11, form=PixelFormat(16))
    below = _set(ModalityLUTSequence=table(-2048, _curve(4096, 16), 16, ModalityLUTType="US"))
    yield _image("Modality LUT from -2048", objects.image(signed, below))
    below = _set(VOILUTSequence=table(-1500, _curve(3000, 12), 12))
    yield _image("VOI LUT from -1500", objects.image(signed, below), "+Wl", "1", bits=12)
    rescaled = _set(
        RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU", **_one(table(-1000, _curve(3000, 12), 12))
    )
    yield _image("VOI LUT from -1000 behind a rescale", objects.image(twelve, rescaled), "+Wl", "1", bits=12)
    whole = _set(VOILUTSequence=table(0, _curve(65536, 16), 16))
    yield _image("VOI LUT of 65536 entries", objects.image(sixteen, whole), "+Wl", "1")
    whole = _set(VOILUTSequence=table(-32768, _curve(65536, 16), 16))
    yield _image("VOI LUT of 65536 entries from -32768", objects.image(signed16, whole), "+Wl", "1")
    narrow = _set(VOILUTSequence=table(300, _curve(3000, 8), 8, packed=True))
    yield _image("VOI LUT of 8 bits in bytes", objects.image(twelve, narrow), "+Wl", "1", bits=8)
    single = _set(VOILUTSequence=table(2000, np.array([0, 4095]), 12))
    yield _image("VOI LUT of two entries", objects.image(twelve, single), "+Wl", "1", bits=12)
    for name, center, width in (("two", 2000, 2), ("fractions", 2000.25, 300.5), ("all but one", 2048, 4095)):
        yield _image(
            f"window of {name}", objects.image(twelve, _set(WindowCenter=center, WindowWidth=width)), "+Wi", "1"
        )
    far = _set(WindowCenter=-500, WindowWidth=5000)
    yield _image("window that begins below zero", objects.image(twelve, far), "+Wi", "1")
    falling = _set(RescaleSlope=-2, RescaleIntercept=500, RescaleType="US", WindowCenter=-3000, WindowWidth=5000)
    yield _image("falling rescale", objects.image(twelve, falling), "+Wi", "1")
    steep = _set(WindowCenter=0, WindowWidth=100, VOILUTFunction="SIGMOID")
    yield _image("sigmoid of signed values", objects.image(signed, steep), "+Wi", "1")
    odd = objects.image(phantoms.chest(33, 47, form=PixelFormat(8)))
    yield _image("odd number of pixels", odd, bits=8)


def _one(lut: Any) -> dict[str, Any]:
    return {"VOILUTSequence": lut}


def _state_edges(twelve: phantoms.Phantom) -> Iterator[Case]:
    """Signed values, narrow windows, tables in bytes, frames, areas of turned pictures, bitmap shutters."""
    signed = phantoms.noise(seed=12, form=PixelFormat(12, signed=True))
    below = _set(SoftcopyVOILUTSequence=items(VOILUTSequence=table(-1500, _curve(3000, 12), 12)))
    yield from _state("VOI LUT from -1500", objects.image(signed), below)
    below = _set(ModalityLUTSequence=table(-2048, _curve(4096, 16), 16, ModalityLUTType="US"))
    yield from _state("Modality LUT from -2048", objects.image(signed), below)
    one = _set(SoftcopyVOILUTSequence=items(WindowCenter=2000, WindowWidth=1))
    yield from _state("window of one", objects.image(twelve), one)
    packed = _set(SoftcopyVOILUTSequence=items(VOILUTSequence=table(300, _curve(3000, 8), 8, packed=True)))
    yield from _state("VOI LUT of 8 bits in bytes", objects.image(twelve), packed, narrow=True)
    whole = _set(SoftcopyVOILUTSequence=items(VOILUTSequence=table(0, _curve(65536, 16), 16)))
    yield from _state("VOI LUT of 65536 entries", objects.image(phantoms.noise(seed=13, form=PixelFormat(16))), whole)
    mark = phantoms.orientation_mark(48, 64)
    for rotation, flip, corners in (
        (90, "N", ([9, 36], [48, 5])),
        (90, "Y", ([9, 5], [48, 36])),
        (180, "N", ([48, 36], [9, 5])),
        (270, "Y", ([48, 36], [9, 5])),
    ):
        area = items(
            DisplayedAreaTopLeftHandCorner=corners[0],
            DisplayedAreaBottomRightHandCorner=corners[1],
            PresentationSizeMode="SCALE TO FIT",
            PresentationPixelAspectRatio=[1, 1],
        )
        turned = _set(ImageRotation=rotation, ImageHorizontalFlip=flip, DisplayedAreaSelectionSequence=area)
        name = f"displayed area, rotation {rotation}, flip {flip}"
        yield from _state(name, objects.image(mark), turned, tools=("dcmpsprt",))
    two = objects.image(phantoms.noise(seed=14, form=PixelFormat(12)), _two_frames)
    for frame in (1, 2):
        yield _frame_of(two, frame)
    yield from _state("bitmap shutter", objects.image(twelve), _bitmap_shutter, tools=("dcmp2pgm",))


def _two_frames(ds: Dataset) -> None:
    other = phantoms.orientation_mark(64, 64, form=PixelFormat(12))
    ds.NumberOfFrames, ds.PixelData = 2, ds.PixelData + other.encoded()
    ds["PixelData"].VR = "OW"


def _frame_of(ds: Dataset, frame: int) -> Case:
    """Each frame has a window of its own."""

    def windows(look: Dataset) -> None:
        found: list[Dataset] = []
        for number, (center, width) in enumerate(((1000, 1500), (3000, 1800)), start=1):
            meant = items(
                ReferencedSOPClassUID=ds.SOPClassUID,
                ReferencedSOPInstanceUID=ds.SOPInstanceUID,
                ReferencedFrameNumber=number,
            )
            found += items(WindowCenter=center, WindowWidth=width, ReferencedImageSequence=meant)
        look.SoftcopyVOILUTSequence = found

    look = objects.state(ds, windows)

    def ours() -> Picture:
        state = reading.presentation_state(look, image=ds)
        return quantized(render(reading.image(ds), state, frame=frame).p_values, 8)

    return Case(f"window of frame {frame}", "dcmp2pgm", 8, lambda f: dcmtk.dcmp2pgm(f, ds, look, frame=frame), ours)


def _bitmap_shutter(ds: Dataset) -> None:
    rows, columns = 64, 64
    y, x = np.mgrid[0:rows, 0:columns]
    bits = ((y - 30) ** 2 + (x - 33) ** 2 > 25**2).astype(np.uint8)
    ds.SoftcopyVOILUTSequence = items(WindowCenter=2100, WindowWidth=1500)
    ds.ShutterShape, ds.ShutterOverlayGroup, ds.ShutterPresentationValue = "BITMAP", 0x6000, 0x8000
    ds.add_new((0x6000, 0x0010), "US", rows)
    ds.add_new((0x6000, 0x0011), "US", columns)
    ds.add_new((0x6000, 0x0040), "CS", "G")
    ds.add_new((0x6000, 0x0050), "SS", [1, 1])
    ds.add_new((0x6000, 0x0100), "US", 1)
    ds.add_new((0x6000, 0x0102), "US", 0)
    ds.add_new((0x6000, 0x3000), "OW", np.packbits(bits, axis=None, bitorder="little").tobytes())


def state_cases() -> Iterator[Case]:
    """Images with presentation state, against dcmp2pgm (8 bits) and the print bitmap of dcmpsprt (12 bits)."""
    window = {"SoftcopyVOILUTSequence": items(WindowCenter=2100, WindowWidth=1500)}
    twelve = phantoms.noise(seed=6, form=PixelFormat(12))
    for name, form in FORMATS.items():
        made = phantoms.noise(seed=3, form=form)
        middle, width = (form.lowest + form.highest + 1) / 2, (form.highest - form.lowest) / 3
        voi = items(WindowCenter=middle, WindowWidth=width)
        yield from _state(f"{name}, window", objects.image(made), _set(SoftcopyVOILUTSequence=voi))
    yield from _state("no VOI", objects.image(twelve), _set())
    yield from _state(
        "rescale replaces that of the image",
        objects.image(twelve, _set(RescaleSlope=5, RescaleIntercept=9, WindowCenter=1, WindowWidth=2)),
        _set(
            RescaleSlope=2,
            RescaleIntercept=-1000,
            RescaleType="HU",
            SoftcopyVOILUTSequence=items(WindowCenter=2500, WindowWidth=4000),
        ),
    )
    yield from _state("INVERSE", objects.image(twelve), _set(PresentationLUTShape="INVERSE", **window))
    one = phantoms.noise(seed=7, form=PixelFormat(12, monochrome1=True))
    yield from _state("MONOCHROME1 is ignored", objects.image(one), _set(**window))
    yield from _state("MONOCHROME1 with INVERSE", objects.image(one), _set(PresentationLUTShape="INVERSE", **window))
    for bits in (8, 12, 16):
        voi = items(VOILUTSequence=table(300, _curve(3000, bits), bits))
        yield from _state(
            f"VOI LUT of {bits} bits", objects.image(twelve), _set(SoftcopyVOILUTSequence=voi), narrow=bits < 12
        )
    for count, bits in ((256, 8), (256, 12), (4096, 12), (1024, 16)):
        lut = table(0, _curve(count, bits), bits)

        def change(ds: Dataset, lut: Any = lut) -> None:
            _set(PresentationLUTSequence=lut, **window)(ds)
            del ds.PresentationLUTShape

        entries = _curve(count, bits)
        yield from _state(
            f"Presentation LUT of {count} entries of {bits} bits",
            objects.image(twelve),
            change,
            one_entry=float(np.diff(entries).max()) / ((1 << bits) - 1),
        )
    yield from _state(
        "Modality LUT",
        objects.image(twelve),
        _set(ModalityLUTSequence=table(100, _curve(3900, 16), 16, ModalityLUTType="US")),
    )
    mark = phantoms.orientation_mark(48, 64)
    for rotation in (0, 90, 180, 270):
        for flip in ("N", "Y"):
            turn = _set(ImageRotation=rotation, ImageHorizontalFlip=flip)
            yield from _state(f"rotation {rotation}, flip {flip}", objects.image(mark), turn)
    area = items(
        DisplayedAreaTopLeftHandCorner=[9, 5],
        DisplayedAreaBottomRightHandCorner=[48, 36],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    yield from _state(
        "displayed area",
        objects.image(twelve),
        _set(DisplayedAreaSelectionSequence=area, **window),
        tools=("dcmpsprt",),
    )
    yield from _state_edges(twelve)


def all_cases() -> tuple[Case, ...]:
    """Every comparison, in a fixed order."""
    return (*image_cases(), *state_cases())


def _image(name: str, ds: Dataset, *options: str, bits: int = 16, allowed: int = 1, reason: str = "") -> Case:
    def ours() -> Picture:
        source = reading.image(ds)
        return quantized(reading.image_grayscale(ds).p_values(source.frame(), source.format), bits)

    def theirs(folder: Path) -> Picture:
        return dcmtk.dcm2pnm(folder, ds, *options, bits=bits)

    return Case(name, "dcm2pnm", bits, theirs, ours, allowed, reason)


def _overlaid(ds: Dataset, name: str = "overlay") -> Case:
    """DCMTK draws overlays of images only; a state that activates the plane has to look alike."""
    look = objects.state(ds, _overlay_active)

    def ours() -> Picture:
        return quantized(render(reading.image(ds), reading.presentation_state(look, image=ds)).p_values, 16)

    def theirs(folder: Path) -> Picture:
        return dcmtk.dcm2pnm(folder, ds, "+Ww", "2100", "1500", "+O", "1", "+Omr", "+Osf", str(49152 / 65535))

    return Case(name, "dcm2pnm", 16, theirs, ours)


def _state(
    name: str,
    ds: Dataset,
    change: Callable[[Dataset], None],
    *,
    tools: tuple[str, ...] = ("dcmp2pgm", "dcmpsprt"),
    one_entry: float = 0.0,
    narrow: bool = False,
) -> Iterator[Case]:
    look = objects.state(ds, change)
    reason = "where we take the nearest entry of the Presentation LUT, DCMTK takes the one below" if one_entry else ""

    def ours(bits: int) -> Picture:
        picture: Image = reading.image(ds)
        state: PresentationState = reading.presentation_state(look, image=ds)
        return quantized(render(picture, state).p_values, bits)

    def printed(folder: Path) -> Picture:
        bitmap, print_object = dcmtk.dcmpsprt(folder, ds, look)
        # the bitmap is the input of the print Presentation LUT, which travels beside it
        contents = print_object.get("PresentationLUTContentSequence")
        lut = reading.presentation_lut(contents[0]) if contents else Shape.IDENTITY
        return quantized(apply_presentation_lut(bitmap / 4095.0, lut), 12)

    if "dcmp2pgm" in tools:
        allowed = max(1, math.ceil(one_entry * 255) + 1) if one_entry else 1
        yield Case(name, "dcmp2pgm", 8, lambda f: dcmtk.dcmp2pgm(f, ds, look), lambda: ours(8), allowed, reason)
    if "dcmpsprt" in tools:
        allowed = max(1, math.ceil(one_entry * 4095) + 1) if one_entry else 1
        if narrow:
            allowed, reason = 15, "DCMTK shifts 8 bits to 12, so that white ends at 4080 and not at the largest P-Value"
        yield Case(name, "dcmpsprt", 12, printed, lambda: ours(12), allowed, reason)


def _with_overlay(phantom: phantoms.Phantom) -> Dataset:
    bits = np.zeros((24, 32), np.uint8)
    bits[4:20, 8:24] = 1
    bits[8:12, 12:20] = 0

    def change(ds: Dataset) -> None:
        ds.add_new((0x6000, 0x0010), "US", 24)
        ds.add_new((0x6000, 0x0011), "US", 32)
        ds.add_new((0x6000, 0x0040), "CS", "G")
        ds.add_new((0x6000, 0x0050), "SS", [11, 21])
        ds.add_new((0x6000, 0x0100), "US", 1)
        ds.add_new((0x6000, 0x0102), "US", 0)
        ds.add_new((0x6000, 0x3000), "OW", np.packbits(bits, bitorder="little").tobytes())

    return objects.image(phantom, change)


def _with_overlay_in_pixels(phantom: phantoms.Phantom) -> Dataset:
    """Bit 14 of every pixel is an overlay."""

    def change(ds: Dataset) -> None:
        words = np.frombuffer(ds.PixelData, "<u2").reshape(phantom.rows, phantom.columns).copy()
        words[10:40, 20:50] |= 1 << 14
        words[16:30, 26:40] &= 0x0FFF
        ds.PixelData = words.tobytes()
        ds.add_new((0x6000, 0x0010), "US", phantom.rows)
        ds.add_new((0x6000, 0x0011), "US", phantom.columns)
        ds.add_new((0x6000, 0x0040), "CS", "G")
        ds.add_new((0x6000, 0x0050), "SS", [1, 1])
        ds.add_new((0x6000, 0x0100), "US", 16)
        ds.add_new((0x6000, 0x0102), "US", 14)

    return objects.image(phantom, change)


def _overlay_active(ds: Dataset) -> None:
    ds.SoftcopyVOILUTSequence = items(WindowCenter=2100, WindowWidth=1500)
    ds.add_new((0x6000, 0x1001), "CS", "MARKS")
    ds.GraphicLayerSequence = items(
        GraphicLayer="MARKS", GraphicLayerOrder=1, GraphicLayerRecommendedDisplayGrayscaleValue=49152
    )
