"""Where in a picture another one may lie, at whatever size: by correlation, and by grey values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.imaging.luts import Unit

Mask = NDArray[np.bool_]
#: top, left, height, width in pixels of the picture that was found
Region = tuple[float, float, float, float]

_SEARCHED, _COARSE = 192, 128
_FOUND_SCORE, _CLEARLY_BETTER = 0.85, 0.15


def places(part: Unit, whole: Unit, proportion: float, keep: Mask | None = None) -> Iterator[Region]:
    """Around where the grey values of ``part`` lie nearest to those of the whole, the likeliest width only.

    ``proportion`` is height to width of the part in pixels of the whole; ``keep`` limits what has to be near.
    """
    step = max(1.0, max(whole.shape) / _COARSE)
    small = _resized(whole, *(max(8, int(size / step)) for size in whole.shape))
    weight = np.ones(part.shape) if keep is None else keep.astype(np.float64)
    best = min(_nearest(part, weight, small, proportion, np.linspace(0.3, 0.95, 27)), default=None)
    if best is None:
        return
    fine = np.linspace(-0.03, 0.03, 13) + best[1]
    _, share, y, x = min(_nearest(part, weight, small, proportion, fine), default=best)
    width = share * whole.shape[1]
    for down in (0.0, -0.5 * step, 0.5 * step, -step, step):
        for across in (0.0, -0.5 * step, 0.5 * step, -step, step):
            yield y * step + down, x * step + across, width * proportion, width


def _nearest(
    part: Unit, weight: Unit, small: Unit, proportion: float, shares: Unit
) -> Iterator[tuple[float, float, int, int]]:
    """For every width, as a share of the whole: the least mean square of differences, the width, and where."""
    rows, columns = small.shape
    spectrum, squares = np.fft.rfft2(small), np.fft.rfft2(small * small)
    for share in shares.tolist():
        width = round(share * columns)
        height = round(width * proportion)
        if not (8 <= height <= rows and 8 <= width <= columns):
            continue
        one, weights = _resized(part, height, width), _resized(weight, height, width)
        kernel = np.fft.rfft2((one * weights)[::-1, ::-1], small.shape)
        mask = np.fft.rfft2(weights[::-1, ::-1], small.shape)
        off = np.fft.irfft2(squares * mask - 2 * spectrum * kernel, small.shape)[height - 1 :, width - 1 :]
        off = (off + float((one * one * weights).sum())) / max(float(weights.sum()), 1.0)
        y, x = np.unravel_index(int(off.argmin()), off.shape)
        yield float(off[y, x]), share, int(y), int(x)


def elsewhere(wanted: Unit, found: Unit) -> Region | None:
    """Where a part of the picture is like the wanted one, clearly more so than the whole; None if nowhere."""
    step = max(1.0, max(found.shape) / _SEARCHED)
    rows, columns = (max(8, int(size / step)) for size in found.shape)
    small = _resized(found, rows, columns)
    whole = _score(_resized(wanted, rows, columns), small)
    best = max(_matched(wanted, small, np.linspace(0.3, 0.95, 27)), default=None)
    if best is None or best[0] < _FOUND_SCORE - _CLEARLY_BETTER:
        return None
    best = max(best, *_matched(wanted, small, np.linspace(-0.02, 0.02, 9) + best[1]))
    score, share, y, x = best
    if score < _FOUND_SCORE or score < whole + _CLEARLY_BETTER:
        return None
    width = share * found.shape[1]
    return y * step, x * step, width * wanted.shape[0] / wanted.shape[1], width


def _matched(wanted: Unit, small: Unit, shares: Unit) -> Iterator[tuple[float, float, int, int]]:
    """For every width, as a share of the whole: the best correlation, the width, and where."""
    rows, columns = small.shape
    for share in shares.tolist():
        width = round(share * columns)
        height = round(width * wanted.shape[0] / wanted.shape[1])
        if 8 <= height <= rows and 8 <= width <= columns:
            score, y, x = _match(_resized(wanted, height, width), small)
            yield score, share, y, x


def _resized(picture: Unit, rows: int, columns: int) -> Unit:
    y = ((np.arange(rows) + 0.5) * picture.shape[0] / rows).astype(np.intp)
    x = ((np.arange(columns) + 0.5) * picture.shape[1] / columns).astype(np.intp)
    result: Unit = picture[np.ix_(y, x)]
    return result


def _score(one: Unit, other: Unit) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0


def _match(template: Unit, picture: Unit) -> tuple[float, int, int]:
    """The best normalized correlation of a template inside a picture, and where."""
    height, width = template.shape
    flat = template - template.mean()
    norm = float(np.sqrt((flat * flat).sum()))
    if norm < 1e-6:
        return 0.0, 0, 0
    kernel = np.fft.rfft2(flat[::-1, ::-1], picture.shape)
    across = np.fft.irfft2(np.fft.rfft2(picture) * kernel, picture.shape)[height - 1 :, width - 1 :]
    total, squares = _sums(picture, height, width), _sums(picture * picture, height, width)
    spread = np.sqrt(np.maximum(squares - total * total / (height * width), 1e-9))
    scores = np.where(spread > 1e-3, across / (norm * spread), 0.0)
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[y, x]), int(y), int(x)


def _sums(picture: Unit, height: int, width: int) -> Unit:
    """Sum of every window of that size."""
    table = np.pad(picture.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    result: Unit = table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
    return result
