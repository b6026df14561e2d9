"""The Grayscale Standard Display Function of PS3.14: just-noticeable differences and luminance.

Luminance is in cd/m2, from 0.05 (index 1) to about 3993.4 (index 1023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Luminance = NDArray[np.float64]
Index = NDArray[np.float64]

LOWEST_INDEX, HIGHEST_INDEX = 1.0, 1023.0

# PS3.14 section 7.1: a, c, e, g, m above the line; b, d, f, h, k below it, by rising power of ln(j)
_ABOVE = (-1.3011877, 8.0242636e-2, 1.3646699e-1, -2.5468404e-2, 1.3635334e-3)
_BELOW = (1.0, -2.5840191e-2, -1.0320229e-1, 2.8745620e-2, -3.1978977e-3, 1.2992634e-4)
# PS3.14 section 7.2: the fit of the inverse, A to I, by rising power of log10(L)
_INVERSE = (
    71.498068,
    94.593053,
    41.912053,
    9.8247004,
    0.28175407,
    -1.1878455,
    -0.18014349,
    0.14710899,
    -0.017046845,
)


def luminance(index: ArrayLike) -> Luminance:
    """Luminance in cd/m2 of JND indices from 1 to 1023; raises ValueError outside."""
    j = np.asarray(index, dtype=np.float64)
    if np.any(j < LOWEST_INDEX) or np.any(j > HIGHEST_INDEX):
        raise ValueError("a JND index lies between 1 and 1023")
    x: NDArray[np.float64] = np.log(j)
    above = np.polynomial.polynomial.polyval(x, _ABOVE)
    power = above / np.polynomial.polynomial.polyval(x, _BELOW)
    return np.asarray(np.power(10.0, power), np.float64)


LOWEST_LUMINANCE = float(luminance(LOWEST_INDEX))
HIGHEST_LUMINANCE = float(luminance(HIGHEST_INDEX))


def jnd_index_by_fit(cd_m2: ArrayLike) -> Index:
    """JND index by the polynomial of PS3.14 7.2, which is off by up to a tenth of an index."""
    values = np.log10(np.asarray(cd_m2, dtype=np.float64))
    return np.asarray(np.polynomial.polynomial.polyval(values, _INVERSE), np.float64)


def jnd_index(cd_m2: ArrayLike) -> Index:
    """JND index of luminances, the exact inverse of :func:`luminance`; raises ValueError outside its range."""
    values = np.asarray(cd_m2, dtype=np.float64)
    slack = 1e-9
    if np.any(values < LOWEST_LUMINANCE * (1 - slack)) or np.any(values > HIGHEST_LUMINANCE * (1 + slack)):
        raise ValueError(f"the display function covers {LOWEST_LUMINANCE:.2f} to {HIGHEST_LUMINANCE:.1f} cd/m2")
    wanted = np.log(np.clip(values, LOWEST_LUMINANCE, HIGHEST_LUMINANCE))
    j = np.asarray(np.clip(jnd_index_by_fit(values), LOWEST_INDEX, HIGHEST_INDEX), np.float64)
    for _ in range(4):  # Newton on the logarithm: the fit is already within a tenth of an index
        step = 1e-4
        ahead, behind = np.minimum(j + step, HIGHEST_INDEX), np.maximum(j - step, LOWEST_INDEX)
        slope = (np.log(luminance(ahead)) - np.log(luminance(behind))) / (ahead - behind)
        j = np.asarray(np.clip(j - (np.log(luminance(j)) - wanted) / slope, LOWEST_INDEX, HIGHEST_INDEX), np.float64)
    return j


@dataclass(frozen=True, slots=True)
class DisplayCurve:
    """The standard display function between the luminances (cd/m2, ambient light included) that a display reaches."""

    darkest: float
    brightest: float

    def __post_init__(self) -> None:
        if not LOWEST_LUMINANCE <= self.darkest < self.brightest <= HIGHEST_LUMINANCE:
            raise ValueError(
                f"{self.darkest} to {self.brightest} cd/m2: expected a rising range within "
                f"{LOWEST_LUMINANCE:.2f} to {HIGHEST_LUMINANCE:.1f}"
            )

    @property
    def steps(self) -> float:
        """How many just-noticeable differences lie between darkest and brightest."""
        return float(jnd_index(self.brightest) - jnd_index(self.darkest))

    def of(self, unit: ArrayLike) -> Luminance:
        """Luminance in cd/m2 of P-Values 0.0 to 1.0: equal steps of P-Values are equal numbers of JND."""
        low = float(jnd_index(self.darkest))
        return luminance(np.clip(low + np.asarray(unit, dtype=np.float64) * self.steps, LOWEST_INDEX, HIGHEST_INDEX))

    def p_value(self, cd_m2: ArrayLike) -> NDArray[np.float64]:
        """The P-Value 0.0 to 1.0 that gives that luminance."""
        result: NDArray[np.float64] = (jnd_index(cd_m2) - jnd_index(self.darkest)) / self.steps
        return result
