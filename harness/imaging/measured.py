"""Measured luminances and optical densities judged against the standard display function (PS3.14 annexes C and D).

PS3.14 defines the function and how to compare with it, not how close a display has to come; the tolerances here are
those usual for primary diagnostic displays (contrast response within 10 percent) and may be replaced by the caller.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.imaging.density import Viewing
from harness.imaging.gsdf import HIGHEST_LUMINANCE, LOWEST_LUMINANCE, DisplayCurve, jnd_index
from harness.imaging.luts import Shape

CONTRAST_TOLERANCE = 0.10
DENSITY_TOLERANCE = 0.10
_MOST_LINES = 70000


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured point: P-Value 0.0 to 1.0 and what was measured there, cd/m2 or optical density."""

    p_value: float
    measured: float


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
        """The sample that deviates most."""
        return max(self.samples, key=lambda sample: abs(sample.deviation))


def read_table(text: str) -> tuple[Sample, ...]:
    """Samples of a CSV table with two columns: digital level or P-Value, measured value.

    The levels are scaled so that the largest is 1.0. A first line of words is a heading; separators are comma,
    semicolon or tabulator. Raises ValueError that names the line.
    """
    separator = next((sign for sign in ";\t," if sign in text), ",")
    pairs: list[tuple[float, float]] = []
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
        if number > _MOST_LINES:
            raise ValueError(f"the table has more than {_MOST_LINES} lines")
        if not cells or not "".join(cells).strip() or cells[0].lstrip().startswith("#"):
            continue
        try:
            level, value = (float(cell.strip().replace(",", ".")) for cell in cells[:2])
        except ValueError as error:
            if not pairs and number == 1:
                continue
            raise ValueError(f"line {number}: expected a level and a measured value, found {cells!r}") from error
        if not (np.isfinite(level) and np.isfinite(value)) or level < 0:
            raise ValueError(f"line {number}: {cells!r} are no measured numbers")
        pairs.append((level, value))
    if len(pairs) < 3:
        raise ValueError(f"the table has {len(pairs)} measured points; at least 3 are needed")
    pairs.sort()
    top = pairs[-1][0]
    if top <= 0 or len({level for level, _ in pairs}) != len(pairs):
        raise ValueError("the levels have to be different and rise above 0")
    return tuple(Sample(level / top, value) for level, value in pairs)


def judge_luminance(
    samples: Sequence[Sample], *, ambient: float = 0.0, tolerance: float = CONTRAST_TOLERANCE
) -> JudgedCurve:
    """Luminances in cd/m2 of rising P-Values, judged by the contrast between neighbours.

    ``ambient`` in cd/m2 is added if the meter did not see the ambient light. The deviation of a sample is that of the
    luminance ratio per JND on the way from the sample before it. Raises ValueError for luminances beyond the function.
    """
    light = np.array([sample.measured for sample in samples]) + ambient
    values = np.array([sample.p_value for sample in samples])
    if light.min() < LOWEST_LUMINANCE or light.max() > HIGHEST_LUMINANCE or light[-1] <= light[0]:
        raise ValueError("the luminances have to rise and lie between 0.05 and 3993 cd/m2")
    low, high = float(jnd_index(light[0])), float(jnd_index(light[-1]))
    share = (values - values[0]) / (values[-1] - values[0])
    expected = DisplayCurve(float(light[0]), float(light[-1])).of(share)
    measured_jnd = np.diff(jnd_index(light))
    expected_jnd = np.diff(low + share * (high - low))
    deviations = [0.0, *((measured_jnd - expected_jnd) / expected_jnd).tolist()]
    return JudgedCurve(
        tuple(
            JudgedSample(float(p), float(m), float(e), float(d), abs(d) <= tolerance)
            for p, m, e, d in zip(values, light, expected, deviations, strict=True)
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


def plot(curve: JudgedCurve, *, title: str = "", width: int = 480, height: int = 320) -> str:
    """The measured points over the expected line as an SVG picture; bad points are crosses, not only red."""
    measured = np.array([sample.measured for sample in curve.samples])
    expected = np.array([sample.expected for sample in curve.samples])
    logarithmic = curve.unit != "OD"
    if logarithmic:
        measured, expected = np.log10(np.maximum(measured, 1e-3)), np.log10(np.maximum(expected, 1e-3))
    low, high = float(min(measured.min(), expected.min())), float(max(measured.max(), expected.max()))
    span = (high - low) or 1.0

    def place(p_value: float, value: float) -> tuple[float, float]:
        return round(48 + p_value * (width - 64), 1), round(height - 36 - (value - low) / span * (height - 60), 1)

    line = " ".join(
        ",".join(map(str, place(s.p_value, float(e)))) for s, e in zip(curve.samples, expected, strict=True)
    )
    marks = []
    for sample, value in zip(curve.samples, measured, strict=True):
        x, y = place(sample.p_value, float(value))
        if sample.ok:
            marks.append(f'<circle cx="{x}" cy="{y}" r="3" fill="#1a6"/>')
        else:
            marks.append(f'<path d="M{x - 4} {y - 4}l8 8m0 -8l-8 8" stroke="#c22" stroke-width="2"/>')
    ends = [f"{10**value:.3g}" if logarithmic else f"{value:.2f}" for value in (low, high)]
    safe = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{safe}</title><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="48" y="16">{safe}</text><path d="M48 24V{height - 36}H{width - 16}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#259" stroke-width="1.5"/>{"".join(marks)}'
        f'<text x="4" y="{height - 36}">{ends[0]}</text><text x="4" y="30">{ends[1]}</text>'
        f'<text x="4" y="{height // 2}">{curve.unit}</text>'
        f'<text x="{width // 2}" y="{height - 12}">P-Value</text></svg>'
    )
