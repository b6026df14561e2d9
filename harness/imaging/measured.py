"""Measured luminances and optical densities judged against the standard display function (PS3.14 annexes C and D).

PS3.14 defines the function and how to compare with it, not how close a display has to come; the tolerances here are
those usual for primary diagnostic displays (contrast response within 10 percent) and may be replaced by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.imaging.density import Viewing
from harness.imaging.gsdf import HIGHEST_LUMINANCE, LOWEST_LUMINANCE, DisplayCurve, jnd_index
from harness.imaging.luts import Shape
from harness.imaging.tables import Sample

CONTRAST_TOLERANCE = 0.10
DENSITY_TOLERANCE = 0.10
#: how far apart in P-Values contrast is judged, and a fall that is more than noise
_STEP, _ONE_JND = 1.0 / 17.0, 1.0


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A sample beside what the standard display function asks for, and its deviation as the judgement counts it."""

    p_value: float
    measured: float
    expected: float
    deviation: float
    ok: bool


@dataclass(frozen=True, slots=True)
class JudgedCurve:
    """All samples of a device; ``ok`` if every one is within tolerance."""

    samples: tuple[JudgedSample, ...]
    tolerance: float
    unit: str

    @property
    def ok(self) -> bool:
        """Whether every sample is within tolerance."""
        return all(sample.ok for sample in self.samples)

    @property
    def worst(self) -> JudgedSample:
        """The sample that deviates most, one that is wrong if there is any."""
        return max(self.samples, key=lambda sample: (not sample.ok, abs(sample.deviation)))


def judge_luminance(
    samples: Sequence[Sample], *, ambient: float = 0.0, tolerance: float = CONTRAST_TOLERANCE
) -> JudgedCurve:
    """Luminances in cd/m2 of rising P-Values, judged by the contrast between levels that are a step apart.

    ``ambient`` in cd/m2 is added if the meter did not see the ambient light. The deviation of a sample is that of the
    number of JND on the way from the nearest sample at least one seventeenth of the range before it: usual test
    patterns have 18 levels, and between all of 256 there is little but noise. A luminance that falls by more than one
    JND is wrong whatever the tolerance. Raises ValueError for luminances beyond the function.
    """
    light = np.array([sample.measured for sample in samples]) + ambient
    values = np.array([sample.p_value for sample in samples])
    if light.min() < LOWEST_LUMINANCE or light.max() > HIGHEST_LUMINANCE:
        raise ValueError(
            f"luminances of {light.min():g} to {light.max():g} cd/m2; the display function covers "
            f"{LOWEST_LUMINANCE:.2f} to {HIGHEST_LUMINANCE:.0f}"
        )
    if light[-1] <= light[0]:
        raise ValueError("the luminance does not rise with the level; was the table written from white to black?")
    share = (values - values[0]) / (values[-1] - values[0])
    jnd = jnd_index(light)
    wanted = jnd[0] + share * (jnd[-1] - jnd[0])
    expected = DisplayCurve(float(light[0]), float(light[-1])).of(share)
    before = np.maximum(np.searchsorted(share, share - _STEP + 1e-9, side="right") - 1, 0)
    before = np.minimum(before, np.maximum(np.arange(len(share)) - 1, 0))
    way, wanted_way = jnd - jnd[before], wanted - wanted[before]
    deviations = np.divide(way - wanted_way, wanted_way, out=np.zeros_like(way), where=wanted_way > 0)
    falls = np.diff(jnd, prepend=jnd[0]) < -_ONE_JND
    return JudgedCurve(
        tuple(
            JudgedSample(float(p), float(m), float(e), float(d), bool(abs(d) <= tolerance and not f))
            for p, m, e, d, f in zip(values, light, expected, deviations, falls, strict=True)
        ),
        tolerance,
        "cd/m2",
    )


def judge_density(
    samples: Sequence[Sample],
    viewing: Viewing,
    *,
    tolerance: float = DENSITY_TOLERANCE,
    shape: Shape = Shape.IDENTITY,
) -> JudgedCurve:
    """Optical densities of rising P-Values against what viewing conditions, density range and shape ask for.

    ``tolerance`` is in optical density.
    """
    values = np.array([sample.p_value for sample in samples])
    expected = viewing.printed(values, shape)
    return JudgedCurve(
        tuple(
            JudgedSample(
                s.p_value, s.measured, float(e), s.measured - float(e), abs(s.measured - float(e)) <= tolerance
            )
            for s, e in zip(samples, expected, strict=True)
        ),
        tolerance,
        "OD",
    )


def mirrored(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The same measurements as if they had been written from the other end."""
    return tuple(Sample(1.0 - sample.p_value, sample.measured) for sample in reversed(samples))
