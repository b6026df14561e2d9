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
    marked = _with_overlay(phantoms.noise(seed=8, form=PixelFormat(12)))
    yield _overlaid(marked)


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


def _overlaid(ds: Dataset) -> Case:
    """DCMTK draws overlays of images only; a state that activates the plane has to look alike."""
    look = objects.state(ds, _overlay_active)

    def ours() -> Picture:
        return quantized(render(reading.image(ds), reading.presentation_state(look, image=ds)).p_values, 16)

    def theirs(folder: Path) -> Picture:
        return dcmtk.dcm2pnm(folder, ds, "+Ww", "2100", "1500", "+O", "1", "+Omr", "+Osf", str(49152 / 65535))

    return Case("overlay", "dcm2pnm", 16, theirs, ours)


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


def _overlay_active(ds: Dataset) -> None:
    ds.SoftcopyVOILUTSequence = items(WindowCenter=2100, WindowWidth=1500)
    ds.add_new((0x6000, 0x1001), "CS", "MARKS")
    ds.GraphicLayerSequence = items(
        GraphicLayer="MARKS", GraphicLayerOrder=1, GraphicLayerRecommendedDisplayGrayscaleValue=49152
    )
