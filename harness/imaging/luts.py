"""The transformations of the grayscale pipeline: rescale, window functions, look-up tables, presentation shapes.

PS3.3 C.11.1 (Modality LUT), C.11.2 (VOI LUT), C.11.4 and C.11.6 (Presentation LUT).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
#: P-Values and everything between VOI LUT and Presentation LUT: 0.0 is the lowest output, 1.0 the highest
Unit = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Range:
    """The closed interval that the values of one stage of the pipeline can take."""

    low: float
    high: float

    def scaled(self, values: Values) -> Unit:
        """Values as a share of the range, clipped to 0.0 to 1.0; a range of one value maps to 0.0."""
        if self.high <= self.low:
            return np.zeros_like(values, dtype=np.float64)
        share: Unit = np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        return share


@dataclass(frozen=True, slots=True)
class Rescale:
    """The linear Modality LUT: output = ``slope`` x stored + ``intercept``."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, values: Values) -> Values:
        result: Values = values * self.slope + self.intercept
        return result

    def output_range(self, stored: Range) -> Range:
        """What the stored range becomes; a negative slope turns it round."""
        ends = sorted((stored.low * self.slope + self.intercept, stored.high * self.slope + self.intercept))
        return Range(ends[0], ends[1])


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A table of ``bits`` wide entries, the first of which belongs to the input ``first``.

    Inputs below ``first`` take the first entry, inputs beyond the last take the last (PS3.3 C.11.1.1).
    """

    first: int
    entries: NDArray[np.int64]
    bits: int
    explanation: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.entries) <= 65536:
            raise ValueError(f"a look-up table has 1 to 65536 entries, not {len(self.entries)}")
        if not 1 <= self.bits <= 16:
            raise ValueError(f"the entries of a look-up table have 1 to 16 bits, not {self.bits}")

    @classmethod
    def decode(
        cls, descriptor: Sequence[int], data: bytes, *, signed: bool = False, big_endian: bool = False
    ) -> LookupTable:
        """A table from LUT Descriptor and the bytes of LUT Data.

        A first descriptor value of 0 means 65536 entries. The second is two's complement if ``signed`` and it came as
        an unsigned number. Entries of 8 bits may fill bytes or words; the length tells which. Raises ValueError if
        the data are too short for the number of entries.
        """
        count, first, bits = (int(value) for value in descriptor)
        count = count or 65536
        if signed and first > 32767:
            first -= 65536
        if bits <= 8 and count <= len(data) < 2 * count:
            entries = np.frombuffer(data, np.uint8, count)
        elif len(data) >= 2 * count:
            entries = np.frombuffer(data, ">u2" if big_endian else "<u2", count)
        else:
            raise ValueError(f"LUT Data has {len(data)} bytes, too few for {count} entries of {bits} bits")
        return cls(first, entries.astype(np.int64), bits)

    @property
    def highest(self) -> int:
        """The largest output that the width of the entries allows."""
        return (1 << self.bits) - 1

    def __call__(self, values: Values) -> Values:
        index = np.clip(np.floor(values + 0.5) - self.first, 0, len(self.entries) - 1).astype(np.int64)
        result: Values = self.entries[index].astype(np.float64)
        return result

    def output_range(self, stored: Range) -> Range:
        """0 to the largest entry that ``bits`` allows, whatever goes in."""
        return Range(0.0, float(self.highest))


class WindowFunction(enum.StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """Window Center and Window Width with their function (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

    center: float
    width: float
    function: WindowFunction = WindowFunction.LINEAR
    explanation: str = ""

    def __post_init__(self) -> None:
        least = 1.0 if self.function is WindowFunction.LINEAR else 0.0
        if self.width < least or (self.width == 0.0 and least == 0.0):
            raise ValueError(f"Window Width {self.width} is not allowed for {self.function.value}")

    def __call__(self, values: Values) -> Unit:
        if self.function is WindowFunction.SIGMOID:
            exponent = np.clip(-4.0 * (values - self.center) / self.width, -700.0, 700.0)
            result: Unit = 1.0 / (1.0 + np.exp(exponent))
            return result
        if self.function is WindowFunction.LINEAR_EXACT:
            return self._linear(values, self.center, self.width)
        return self._linear(values, self.center - 0.5, self.width - 1.0)

    @staticmethod
    def _linear(values: Values, center: float, width: float) -> Unit:
        low, high = center - width / 2.0, center + width / 2.0
        if width == 0.0:
            return np.where(values <= low, 0.0, 1.0)
        inside = (values - center) / width + 0.5
        return np.where(values <= low, 0.0, np.where(values > high, 1.0, inside))


class Shape(enum.StrEnum):
    """Presentation LUT Shape (2050,0020); LIN OD exists for print only."""

    IDENTITY = "IDENTITY"
    INVERSE = "INVERSE"
    LIN_OD = "LIN OD"


ModalityLut = Rescale | LookupTable
IDENTITY_RESCALE = Rescale()
VoiLut = Window | LookupTable
PresentationLut = Shape | LookupTable


def apply_presentation_lut(unit: Unit, lut: PresentationLut) -> Unit:
    """P-Values 0.0 to 1.0; the full range that comes in is scaled to the full input range of a table."""
    if isinstance(lut, LookupTable):
        indices = np.clip(unit, 0.0, 1.0) * (len(lut.entries) - 1) + lut.first
        return lut(indices) / lut.highest
    if lut is Shape.INVERSE:
        return 1.0 - unit
    return unit


def quantized(unit: Unit, bits: int) -> NDArray[np.int64]:
    """Unit values as integers of that many bits, rounded to the nearest."""
    scaled: NDArray[np.int64] = np.floor(np.clip(unit, 0.0, 1.0) * ((1 << bits) - 1) + 0.5).astype(np.int64)
    return scaled
