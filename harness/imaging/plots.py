"""Measured points over the expected curve, as an SVG picture that needs nothing beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.imaging.measured import JudgedCurve

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 52, 44
#: more points than this would cover each other
_MOST_MARKS = 256
_NAMES = {"cd/m2": "Luminance in cd/m²", "OD": "Optical density"}


def plot(curve: JudgedCurve, *, title: str = "", width: int = 560, height: int = 380) -> str:
    """The measured points over the expected line; bad points are crosses, not only red.

    Luminances have a logarithmic axis, densities a linear one.
    """
    measured = np.array([sample.measured for sample in curve.samples])
    expected = np.array([sample.expected for sample in curve.samples])
    logarithmic = curve.unit != "OD"
    ticks = _decades(measured, expected) if logarithmic else _even(measured, expected)
    if logarithmic:
        measured, expected = np.log10(np.maximum(measured, 1e-3)), np.log10(np.maximum(expected, 1e-3))
    places = [math.log10(tick) if logarithmic else tick for tick in ticks]
    low, high = min(places[0], *measured, *expected), max(places[-1], *measured, *expected)
    span = float(high - low) or 1.0

    def across(p_value: float) -> float:
        return round(_LEFT + p_value * (width - _LEFT - _RIGHT), 1)

    def down(value: float) -> float:
        return round(height - _BOTTOM - float(value - low) / span * (height - _TOP - _BOTTOM), 1)

    floor = height - _BOTTOM
    grid = [
        f'<path d="M{_LEFT} {down(place)}H{width - _RIGHT}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{down(place) + 4}" text-anchor="end">{tick:g}</text>'
        for tick, place in zip(ticks, places, strict=True)
    ] + [
        f'<path d="M{across(share)} {_TOP}V{floor}" stroke="#ddd"/>'
        f'<text x="{across(share)}" y="{floor + 16}" text-anchor="middle">{share:g}</text>'
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    line = " ".join(f"{across(s.p_value)},{down(e)}" for s, e in zip(curve.samples, expected, strict=True))
    marks = [
        _mark(across(curve.samples[at].p_value), down(measured[at]), ok=curve.samples[at].ok) for at in _chosen(curve)
    ]
    safe = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="#222"><title>{safe}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="18" font-weight="bold">{safe}</text>'
        f'{_legend(curve)}{"".join(grid)}<path d="M{_LEFT} {_TOP}V{floor}H{width - _RIGHT}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#259" stroke-width="1.5"/>{"".join(marks)}'
        f'<text x="{(_LEFT + width - _RIGHT) // 2}" y="{height - 8}" text-anchor="middle">P-Value</text>'
        f'<text transform="translate(14 {(_TOP + floor) // 2}) rotate(-90)" text-anchor="middle">'
        f"{_NAMES.get(curve.unit, curve.unit)}</text></svg>"
    )


def _chosen(curve: JudgedCurve) -> list[int]:
    """Which samples are marked: all that are wrong, and of the others as many as can be told apart."""
    count = len(curve.samples)
    step = max(1, math.ceil(count / _MOST_MARKS))
    wrong = [at for at, sample in enumerate(curve.samples) if not sample.ok][: 4 * _MOST_MARKS]
    return sorted({*range(0, count, step), count - 1, *wrong})


def _legend(curve: JudgedCurve) -> str:
    bad = sum(not sample.ok for sample in curve.samples)
    words = f"{len(curve.samples)} measured"
    said = (
        f'<path d="M{_LEFT} 34h22" stroke="#259" stroke-width="1.5"/><text x="{_LEFT + 28}" y="38">expected</text>'
        f'{_mark(_LEFT + 102.0, 34.0, ok=True)}<text x="{_LEFT + 112}" y="38">{words}</text>'
    )
    if bad:
        said += f'{_mark(_LEFT + 212.0, 34.0, ok=False)}<text x="{_LEFT + 222}" y="38">{bad} beyond tolerance</text>'
    return said


def _mark(x: float, y: float, *, ok: bool) -> str:
    if ok:
        return f'<circle cx="{x}" cy="{y}" r="3" fill="#1a6"/>'
    return f'<path d="M{x - 4} {y - 4}l8 8m0 -8l-8 8" stroke="#c22" stroke-width="2"/>'


def _decades(*values: NDArray[np.float64]) -> Sequence[float]:
    """1, 10, 100 and so on around the values, with 2 and 5 between if they span little."""
    every = np.maximum(np.concatenate(values), 1e-3)
    low, high = math.floor(math.log10(float(every.min()))), math.ceil(math.log10(float(every.max())))
    steps = (1.0, 2.0, 5.0) if high - low <= 2 else (1.0,)
    ticks = [step * 10.0**power for power in range(low, high + 1) for step in steps if step == 1.0 or power < high]
    inside = [tick for tick in ticks if float(every.min()) <= tick <= float(every.max())]
    return inside if len(inside) >= 2 else [10.0**low, 10.0 ** max(high, low + 1)]


def _even(*values: NDArray[np.float64]) -> Sequence[float]:
    """Even steps of 1, 2 or 5 around the values, six or fewer."""
    every = np.concatenate(values)
    low, high = float(every.min()), float(every.max())
    rough = max((high - low) / 5, 1e-3)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)
    first = math.floor(low / step)
    return [round(step * number, 6) for number in range(first, math.ceil(high / step) + 1)] or [low]
