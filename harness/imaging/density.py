"""Optical density of hardcopy: film on a light box and paper (PS3.14 annexes D.2 and D.3, PS3.4 H.4.9).

Densities are plain optical densities (not the hundredths that print attributes carry), luminances are cd/m2.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.imaging.gsdf import DisplayCurve
from harness.imaging.luts import Shape

Density = NDArray[np.float64]


class Medium(enum.StrEnum):
    """How the hardcopy is looked at."""

    TRANSMISSIVE = "film"
    REFLECTIVE = "paper"


@dataclass(frozen=True, slots=True)
class Viewing:
    """Viewing conditions and density range of one sheet.

    ``illumination``: luminance of the light box, or of a paper of density 0 (Illumination, 2010,015E).
    ``ambient``: what reflected ambient light adds on film (Reflected Ambient Light, 2010,0160); it is part of the
    illumination on paper.
    """

    illumination: float = 2000.0
    ambient: float = 10.0
    minimum: float = 0.20
    maximum: float = 3.00
    medium: Medium = Medium.TRANSMISSIVE

    def __post_init__(self) -> None:
        if not 0.0 <= self.minimum < self.maximum:
            raise ValueError(f"densities {self.minimum} to {self.maximum} are no rising range")
        if self.illumination <= 0.0 or self.ambient < 0.0:
            raise ValueError("illumination is above zero and reflected ambient light is not below it")

    @classmethod
    def paper(cls, minimum: float = 0.10, maximum: float = 1.80) -> Viewing:
        """The default conditions of PS3.4 H.4.2.2.1.1 for reflective media: 150 cd/m2."""
        return cls(150.0, 0.0, minimum, maximum, Medium.REFLECTIVE)

    def luminance(self, density: ArrayLike) -> NDArray[np.float64]:
        """What the eye gets from that density."""
        light: NDArray[np.float64] = self._veil + self.illumination * np.power(10.0, -np.asarray(density, np.float64))
        return light

    def density(self, cd_m2: ArrayLike) -> Density:
        """The density that gives that luminance."""
        share = (np.asarray(cd_m2, np.float64) - self._veil) / self.illumination
        result: Density = -np.log10(share)
        return result

    @property
    def curve(self) -> DisplayCurve:
        """The standard display function between the darkest and the brightest spot of the sheet."""
        return DisplayCurve(float(self.luminance(self.maximum)), float(self.luminance(self.minimum)))

    @property
    def _veil(self) -> float:
        return self.ambient if self.medium is Medium.TRANSMISSIVE else 0.0

    def printed(self, unit: ArrayLike, shape: Shape = Shape.IDENTITY) -> Density:
        """Optical density of P-Values 0.0 to 1.0; for LIN OD the density falls linearly with the value."""
        values = np.clip(np.asarray(unit, np.float64), 0.0, 1.0)
        if shape is Shape.LIN_OD:
            linear: Density = self.maximum - values * (self.maximum - self.minimum)
            return linear
        return self.density(self.curve.of(values))

    def p_value(self, density: ArrayLike) -> NDArray[np.float64]:
        """The P-Value 0.0 to 1.0 that the standard display function prints with that density."""
        return self.curve.p_value(self.luminance(density))
