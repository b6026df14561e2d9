"""Test objects whose every pixel is known: a chest, a step wedge, resolution bars, a test pattern, an asymmetric mark.

Stored pixel values are made for any width up to 16 bits, unsigned or two's complement, MONOCHROME1 or MONOCHROME2, so
that the pixel description of a phantom is complete enough to write an image from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int32]
_Unit = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How stored values are encoded (PS3.3 C.7.6.3): ``bits_stored`` 1 to 16, High Bit is one less."""

    bits_stored: int = 12
    signed: bool = False
    monochrome1: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits_stored <= 16:
            raise ValueError(f"bits_stored is {self.bits_stored}; phantoms have 1 to 16 bits")

    @property
    def bits_allocated(self) -> int:
        """8 or 16."""
        return 8 if self.bits_stored <= 8 else 16

    @property
    def lowest(self) -> int:
        """The smallest stored value."""
        return -(1 << (self.bits_stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The largest stored value."""
        return self.lowest + (1 << self.bits_stored) - 1

    @property
    def photometric_interpretation(self) -> str:
        """MONOCHROME1 or MONOCHROME2."""
        return "MONOCHROME1" if self.monochrome1 else "MONOCHROME2"


@dataclass(frozen=True, slots=True)
class Probe:
    """A pixel whose value is worth a look: zero-based row and column, stored value."""

    name: str
    row: int
    column: int
    stored: int


@dataclass(frozen=True, slots=True)
class Phantom:
    """A picture of stored values, shape (rows, columns), with its pixel spacing (row, column) in millimetres."""

    name: str
    pixels: Pixels
    format: PixelFormat
    spacing: tuple[float, float] = (0.5, 0.5)
    probes: tuple[Probe, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.pixels.shape[0])

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.pixels.shape[1])

    def encoded(self) -> bytes:
        """Native little endian Pixel Data of one frame, padded to an even length."""
        kind = ("i" if self.format.signed else "u") + str(self.format.bits_allocated // 8)
        mask = (1 << self.format.bits_stored) - 1
        if self.format.signed:
            # two's complement in Bits Stored; the sign goes on into the unused bits, as PS3.5 8.1.1 leaves free
            data = self.pixels.astype("<" + kind).tobytes()
        else:
            data = (self.pixels & mask).astype("<" + kind).tobytes()
        return data + b"\0" * (len(data) % 2)

    def with_spacing(self, row_mm: float, column_mm: float) -> Phantom:
        """The same pixels with another pixel spacing (row, column) in millimetres."""
        return replace(self, spacing=(row_mm, column_mm))


def _stored(brightness: _Unit, form: PixelFormat) -> Pixels:
    """Stored values of a picture that is given as brightness 0.0 (black) to 1.0 (white)."""
    unit = 1.0 - brightness if form.monochrome1 else brightness
    span = form.highest - form.lowest
    return (np.rint(np.clip(unit, 0.0, 1.0) * span).astype(np.int32) + form.lowest).astype(np.int32)


def _probe(name: str, row: int, column: int, pixels: Pixels) -> Probe:
    return Probe(name, row, column, int(pixels[row, column]))


def step_wedge(
    rows: int = 128, columns: int = 256, *, steps: int = 16, form: PixelFormat | None = None, spacing: float = 0.5
) -> Phantom:
    """Vertical bars of equal width from black (left) to white (right) in equal steps, one probe in each."""
    form = form or PixelFormat()
    if not 2 <= steps <= columns:
        raise ValueError(f"{steps} steps do not fit into {columns} columns; use 2 to {columns}")
    index = np.arange(columns) * steps // columns
    brightness = np.broadcast_to(index / (steps - 1), (rows, columns)).astype(np.float64)
    pixels = _stored(brightness, form)
    probes = tuple(
        _probe(f"step {n + 1}", rows // 2, int(np.flatnonzero(index == n).mean()), pixels) for n in range(steps)
    )
    return Phantom("step wedge", pixels, form, (spacing, spacing), probes)


def ramp(form: PixelFormat | None = None, *, spacing: float = 0.5) -> Phantom:
    """Every stored value that the format can hold exactly once, in rows of at most 256."""
    form = form or PixelFormat()
    columns = min(256, form.highest - form.lowest + 1)
    pixels = np.arange(form.lowest, form.highest + 1, dtype=np.int32).reshape(-1, columns)
    if form.monochrome1:
        pixels = pixels[::-1, ::-1].copy()
    return Phantom("ramp", pixels, form, (spacing, spacing))


def chest(rows: int = 256, columns: int = 256, *, seed: int = 1, form: PixelFormat | None = None) -> Phantom:
    """A projection of a chest: body, lungs, ribs, heart, spine and quantum noise, all drawn from ``seed``."""
    form = form or PixelFormat()
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1.0 : 1.0 : rows * 1j, -1.0 : 1.0 : columns * 1j]
    lean = float(random.uniform(-0.04, 0.04))
    width = float(random.uniform(0.30, 0.36))
    body = _ellipse(y, x, 0.15, 0.0, 1.15, 0.88)
    left = _ellipse(y, x, -0.05, 0.42 + lean, 0.66, width)
    right = _ellipse(y, x, -0.05, -0.42 + lean, 0.70, width)
    heart = _ellipse(y, x, 0.25, 0.16 + lean, 0.36, 0.30)
    lungs = np.maximum(left, right)
    picture = 0.05 + 0.60 * body - 0.42 * lungs * (1.0 - 0.75 * heart)
    picture += 0.22 * np.exp(-(((x - lean) / 0.07) ** 2)) * body
    ribs = np.cos(22.0 * (y + 0.35 * x**2)) > 0.72
    picture += 0.07 * ribs * body * (np.abs(x - lean) > 0.08)
    nodule_y, nodule_x = float(random.uniform(-0.35, 0.1)), float(random.choice((-1, 1)) * random.uniform(0.35, 0.5))
    picture += 0.16 * np.exp(-(((y - nodule_y) ** 2 + (x - nodule_x) ** 2) / 0.0018))
    picture += random.normal(0.0, 0.006, picture.shape)
    # the side marker: an L on the patient's left, so that a flipped picture can be told
    _draw_l(picture, rows // 12, columns - columns // 6, max(rows // 16, 5))
    pixels = _stored(picture, form)
    middle = _probe("spine", rows // 2, columns // 2, pixels)
    lung = _probe("right lung", int(rows * 0.45), int(columns * 0.28), pixels)
    return Phantom("chest", pixels, form, (0.5, 0.5), (middle, lung))


def resolution_bars(
    rows: int = 256,
    columns: int = 256,
    *,
    length_mm: float = 50.0,
    spacing: tuple[float, float] = (0.5, 0.5),
    form: PixelFormat | None = None,
) -> Phantom:
    """A horizontal and a vertical bar of ``length_mm`` (to the nearest pixel) and line pairs of 1 to 8 pixels.

    ``spacing`` is (row, column) in millimetres and may be anisotropic; the bars are then of equal length in
    millimetres, not in pixels.
    """
    form = form or PixelFormat()
    long_x, long_y = round(length_mm / spacing[1]), round(length_mm / spacing[0])
    margin = 8
    if long_x > columns - 2 * margin or long_y > rows - 2 * margin:
        raise ValueError(f"a bar of {length_mm} mm does not fit; enlarge the phantom or the spacing")
    picture = np.full((rows, columns), 0.2)
    picture[margin : margin + 4, margin : margin + long_x] = 1.0
    picture[margin : margin + long_y, margin : margin + 4] = 1.0
    top = rows - rows // 4
    left = margin + 8
    for line in (1, 2, 4, 8):
        for pair in range(4):
            start = left + 2 * line * pair
            if start + line < columns - margin:
                picture[top : rows - margin, start : start + line] = 1.0
        left += 8 * line + 8
    pixels = _stored(picture, form)
    probes = (
        _probe("inside the horizontal bar", margin + 1, margin + long_x - 1, pixels),
        _probe("just beyond the horizontal bar", margin + 1, margin + long_x, pixels),
        _probe("inside the vertical bar", margin + long_y - 1, margin + 1, pixels),
        _probe("just beyond the vertical bar", margin + long_y, margin + 1, pixels),
    )
    return Phantom("resolution bars", pixels, form, spacing, probes)


def grey_patches(rows: int = 256, columns: int = 256, *, form: PixelFormat | None = None) -> Phantom:
    """Eighteen grey patches in a frame, each with a small inset one step brighter and one darker, on mid grey."""
    form = form or PixelFormat()
    picture = np.full((rows, columns), 0.2)
    picture[2:-2, 2:4] = picture[2:-2, -4:-2] = picture[2:4, 2:-2] = picture[-4:-2, 2:-2] = 1.0
    cell_y, cell_x = (rows - 16) // 3, (columns - 16) // 6
    centres = []
    for n in range(18):
        top, left = 8 + (n // 6) * cell_y, 8 + (n % 6) * cell_x
        level = n / 17.0
        picture[top : top + cell_y, left : left + cell_x] = level
        inset = max(cell_x // 5, 1)
        picture[top : top + inset, left : left + inset] = min(level + 0.01, 1.0)
        picture[top : top + inset, left + cell_x - inset : left + cell_x] = max(level - 0.01, 0.0)
        centres.append((top + cell_y // 2, left + cell_x // 2))
    pixels = _stored(picture, form)
    probes = tuple(_probe(f"patch {n + 1}", y, x, pixels) for n, (y, x) in enumerate(centres))
    return Phantom("test pattern", pixels, form, (0.5, 0.5), probes)


def orientation_mark(rows: int = 96, columns: int = 128, *, form: PixelFormat | None = None) -> Phantom:
    """A picture without any symmetry: four corners of four greys and an L; tells all eight orientations apart."""
    form = form or PixelFormat()
    picture = np.full((rows, columns), 0.1)
    size = max(min(rows, columns) // 6, 2)
    picture[:size, :size], picture[:size, -size:] = 1.0, 0.7
    picture[-size:, -size:], picture[-size:, :size] = 0.5, 0.3
    _draw_l(picture, rows // 4, columns // 3, rows // 3)
    pixels = _stored(picture, form)
    corners = {
        "top left": (1, 1),
        "top right": (1, columns - 2),
        "bottom right": (rows - 2, columns - 2),
        "bottom left": (rows - 2, 1),
    }
    return Phantom(
        "orientation mark",
        pixels,
        form,
        (0.5, 0.5),
        tuple(_probe(name, y, x, pixels) for name, (y, x) in corners.items()),
    )


def noise(rows: int = 64, columns: int = 64, *, seed: int = 1, form: PixelFormat | None = None) -> Phantom:
    """Stored values drawn evenly from the whole range of the format."""
    form = form or PixelFormat()
    random = np.random.default_rng(seed)
    pixels = random.integers(form.lowest, form.highest, (rows, columns), endpoint=True, dtype=np.int32)
    return Phantom("noise", pixels, form)


def _ellipse(y: _Unit, x: _Unit, centre_y: float, centre_x: float, half_y: float, half_x: float) -> _Unit:
    distance = ((y - centre_y) / half_y) ** 2 + ((x - centre_x) / half_x) ** 2
    soft: _Unit = 1.0 / (1.0 + np.exp(np.clip((distance - 1.0) * 24.0, -50.0, 50.0)))
    return soft


def _draw_l(picture: _Unit, top: int, left: int, height: int) -> None:
    stroke = max(height // 5, 1)
    picture[top : top + height, left : left + stroke] = 1.0
    picture[top + height - stroke : top + height, left : left + height * 2 // 3] = 1.0
