"""Is an exported picture the one that was asked for, wherever in it the image lies and however large it is.

A picture may be enlarged, stand between borders, or have been compressed with loss. It is *like* the wanted one if it
agrees in even areas; it is *unlike* only where it is clear which part of it is the image. Everything else is undecided,
with a reason that tells what to export instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.imaging import placing
from harness.imaging.luts import Unit
from harness.imaging.placing import Mask, Region

#: share of compared points that may differ: edges are drawn in many ways
EDGE_SHARE = 0.02
#: how far proportions may be off before the picture counts as stretched
_STRETCH = 0.03
#: differences that a lossy compression makes, if hardly any point is wrong otherwise
_LOSSY = 0.10
_SMALLEST_SCALE = 0.5
_EVEN = 5
#: the least share of a picture that has to be even
_EVEN_SHARE = 0.25
#: how many grey values a relation has to have to be one, how steep it is at least, and how far off its ends may be
_FEWEST_LEVELS, _MOST_LEVELS, _LEAST_SLOPE, _ENDS, _LEVEL = 3, 4096, 0.05, 0.1, 1.5 / 255
#: where the place of a part is known roughly only: share of all points, and of those of one grey value, that may differ
_PART_SHARE, _LEVEL_SHARE, _FEWEST_POINTS, _STRICTER = 0.1, 0.3, 12, 0.4
_COMPARED = 4000


@dataclass(frozen=True, slots=True)
class Likeness:
    """The outcome; ``ok`` is None if it could not be decided, ``why`` says for what reason it is not True.

    ``row`` and ``column`` (from 0) are where the wanted picture differs most, with the values ``wanted`` and ``found``.
    """

    ok: bool | None
    why: str = ""
    points: int = 0
    bad: int = 0
    largest: float = 0.0
    row: int = 0
    column: int = 0
    wanted: float = 0.0
    found: float = 0.0
    region: Region = (0.0, 0.0, 0.0, 0.0)
    #: whether it is a wrong picture with a name
    named: bool = False


def compare(
    wanted: Unit,
    found: Unit,
    tolerance: float,
    *,
    pixel: tuple[float, float] = (1.0, 1.0),
    found_pixel: tuple[float, float] = (1.0, 1.0),
    keep: Mask | None = None,
    may_stretch: bool = True,
    alone: bool = False,
    may_be_levels: bool = False,
    mistakes: Iterable[tuple[str, Unit]] = (),
) -> Likeness:
    """Compare P-Values of shape (rows, columns); ``pixel`` are height and width of one pixel in any unit.

    ``keep`` limits the comparison to pixels of the wanted picture. ``mistakes`` are wrong pictures with their names:
    who shows one of them is told so. ``may_stretch`` is False where proportions are part of what is asked. ``alone``:
    nothing but the image belongs into the picture, as on film, so that other proportions are wrong. ``may_be_levels``:
    nobody said whether the picture holds P-Values or the driving levels of a calibrated screen.
    """
    exact = wanted.shape == found.shape and pixel == found_pixel
    if exact and keep is None:
        seen = _at_every_pixel(wanted, found, tolerance)
        if seen.bad == 0:
            return seen
    flat = even(wanted)
    points: Mask = flat if keep is None else flat & keep
    if int(points.sum()) < _EVEN_SHARE * (wanted.size if keep is None else int(keep.sum())) or not points.any():
        if exact:
            seen = _at_every_pixel(wanted, found, tolerance)
            return _undecided(seen, "") if keep is not None else _failed(seen, "")
        return Likeness(None, "it has another size, and hardly any even area in which it could be compared")
    stretch = _stretch(wanted, found, pixel, found_pixel)
    places = list(_places(found, _proportion(wanted, pixel, found_pixel)))
    tried = [_at(wanted, found, points, tolerance, place) for place in places]
    best = min(tried, key=lambda one: one.bad / max(one.points, 1))
    whole = tried[0]
    if _alike(best) and best is not whole:
        return best
    if _alike(whole):
        if abs(stretch - 1.0) <= _STRETCH or may_stretch:
            return whole
        return _failed(whole, f"it is stretched: its height to width is {stretch:.2f} times what was asked for")
    if best.region[2] < wanted.shape[0] * _SMALLEST_SCALE:
        return _undecided(best, "it is too small; export it at least as large as the image")
    for name, mistake in mistakes:
        if _shows(mistake, found, tolerance, pixel, found_pixel):
            return replace(_failed(best, f"it is {name}"), named=True)
    if may_be_levels and _rises_with(wanted, found, points, best.region, tolerance):
        return _undecided(best, "its grey values rise with the P-Values: driving levels of a calibrated screen?")
    seen = _judged(best, wanted, found, points, tolerance, stretch, exact=exact, alone=alone)
    if seen.ok is not False or alone or exact:
        return seen
    if found_at(wanted, found, tolerance, pixel, found_pixel, keep=keep) is not None:
        return _undecided(best, "the image is a part of the picture only; export it alone, or tell its region")
    if may_stretch and found_at(found, wanted, tolerance, found_pixel, pixel) is not None:
        return _undecided(best, "it shows a part of the image only; export all of it, at any size")
    return seen


def _judged(
    best: Likeness,
    wanted: Unit,
    found: Unit,
    points: Mask,
    tolerance: float,
    stretch: float,
    *,
    exact: bool,
    alone: bool,
) -> Likeness:
    """What to say of a picture that is not alike: wrong only where it is clear which part of it is the image."""
    differences = _differences(wanted, found, points, best.region)
    if float(differences.max()) <= _LOSSY and _spread(wanted[points], differences, tolerance):
        return _undecided(best, "it differs a little nearly everywhere, as after a lossy compression; export it as PNG")
    if not exact and (place := placing.elsewhere(wanted, found)) is not None:
        where = ", ".join(str(round(value)) for value in place)
        return _undecided(best, f"the image seems to lie at (top, left, height, width) {where}; export it alone")
    top, left, height, width = best.region
    framed = (top, left) != (0.0, 0.0) or (height, width) != found.shape
    if abs(stretch - 1.0) > _STRETCH and not framed:
        if alone:
            return _failed(best, f"its height to width is {stretch:.2f} times what was asked for")
        return _undecided(
            best, "it has other proportions than the image; export the displayed area alone, or tell its region"
        )
    return _failed(best, "")


def _spread(wanted: Unit, differences: Unit, tolerance: float) -> bool:
    """Whether no grey value is wrong as a whole: a compression changes some points of each."""
    grey = np.round(wanted * 64.0)
    return all(float(np.median(differences[grey == level])) <= tolerance for level in np.unique(grey))


def ink(plain: Unit, found: Unit, region: Region) -> Unit:
    """How much each pixel of ``plain`` was drawn over: the largest difference of the found pixels that show it."""
    rows, columns = plain.shape
    top, left, height, width = region
    drawn: Unit = np.zeros(plain.shape)
    r = np.floor((np.arange(found.shape[0]) + 0.5 - top) * rows / height).astype(np.intp)
    c = np.floor((np.arange(found.shape[1]) + 0.5 - left) * columns / width).astype(np.intp)
    y, x = np.nonzero((r >= 0) & (r < rows))[0], np.nonzero((c >= 0) & (c < columns))[0]
    at = np.ix_(r[y], c[x])
    np.maximum.at(drawn, at, np.abs(found[np.ix_(y, x)] - plain[at]))
    return np.where(even(plain), drawn, 0.0)


def found_at(
    part: Unit,
    whole: Unit,
    tolerance: float,
    pixel: tuple[float, float] = (1.0, 1.0),
    whole_pixel: tuple[float, float] = (1.0, 1.0),
    *,
    keep: Mask | None = None,
) -> Region | None:
    """Where in a larger picture another one lies with the same grey values, at whatever size; None if nowhere.

    ``keep`` limits the comparison to pixels of the part.
    """
    points = even(part) if keep is None else even(part) & keep
    rows, columns = np.nonzero(points)
    step = max(1, rows.size // _COMPARED)
    rows, columns = rows[::step], columns[::step]
    if rows.size < _FEWEST_POINTS:
        return None
    for place in placing.places(part, whole, _proportion(part, pixel, whole_pixel), keep):
        y, x = _sampled(whole.shape, place, part.shape, rows, columns)
        if _the_same(part[rows, columns], whole[y, x], tolerance * _STRICTER):
            return place
    return None


def near(mask: Mask, distance: int) -> Mask:
    """Every pixel at most so many rows and columns away from one of the mask."""
    padded = np.pad(mask, distance)
    size = 2 * distance + 1
    along = np.asarray(np.lib.stride_tricks.sliding_window_view(padded, size, axis=0).any(axis=-1))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(along, size, axis=1).any(axis=-1))


def _at_every_pixel(wanted: Unit, found: Unit, tolerance: float) -> Likeness:
    region = (0.0, 0.0, float(wanted.shape[0]), float(wanted.shape[1]))
    return _at(wanted, found, np.ones(wanted.shape, np.bool_), tolerance, region)


def _at(wanted: Unit, found: Unit, points: Mask, tolerance: float, region: Region) -> Likeness:
    rows, columns = np.nonzero(points)
    difference = _differences(wanted, found, points, region)
    worst = int(difference.argmax())
    row, column = int(rows[worst]), int(columns[worst])
    value = float(wanted[row, column])
    y, x = _sampled(found.shape, region, wanted.shape, rows[worst : worst + 1], columns[worst : worst + 1])
    return Likeness(
        True,
        "",
        int(difference.size),
        int((difference > tolerance).sum()),
        float(difference[worst]),
        row,
        column,
        value,
        float(found[y, x][0]),
        region,
    )


def _differences(wanted: Unit, found: Unit, points: Mask, region: Region) -> Unit:
    rows, columns = np.nonzero(points)
    y, x = _sampled(found.shape, region, wanted.shape, rows, columns)
    result: Unit = np.abs(wanted[rows, columns] - found[y, x])
    return result


def _sampled(
    shape: tuple[int, ...], region: Region, wanted: tuple[int, ...], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    top, left, height, width = region
    y = np.floor(top + (rows + 0.5) * height / wanted[0]).astype(np.intp)
    x = np.floor(left + (columns + 0.5) * width / wanted[1]).astype(np.intp)
    return np.clip(y, 0, shape[0] - 1), np.clip(x, 0, shape[1] - 1)


def even(picture: Unit) -> Mask:
    """Pixels that lie in the middle of an even area of five by five."""
    result: Mask = np.zeros(picture.shape, np.bool_)
    if min(picture.shape) >= _EVEN:
        windows = np.lib.stride_tricks.sliding_window_view(picture, (_EVEN, _EVEN))
        edge = _EVEN // 2
        result[edge:-edge, edge:-edge] = (windows.max(axis=(2, 3)) - windows.min(axis=(2, 3))) < 1e-9
    return result


def _proportion(wanted: Unit, pixel: tuple[float, float], found_pixel: tuple[float, float]) -> float:
    """Height to width of the wanted picture, counted in pixels of the found one."""
    rows, columns = wanted.shape
    return float((rows * pixel[0] / found_pixel[0]) / (columns * pixel[1] / found_pixel[1]))


def _stretch(wanted: Unit, found: Unit, pixel: tuple[float, float], found_pixel: tuple[float, float]) -> float:
    return float((found.shape[0] / found.shape[1]) / _proportion(wanted, pixel, found_pixel))


def _places(found: Unit, proportion: float) -> Iterator[Region]:
    """Where the image may lie: everywhere, fitted into the middle, or inside of an even border."""
    rows, columns = found.shape
    yield 0.0, 0.0, float(rows), float(columns)
    width = min(float(columns), rows / proportion)
    height = width * proportion
    if rows - height >= 1.0 or columns - width >= 1.0:
        yield (rows - height) / 2, (columns - width) / 2, height, width
    other = np.abs(found - found[0, 0]) > 1e-3
    y, x = np.nonzero(other.any(axis=1))[0], np.nonzero(other.any(axis=0))[0]
    if y.size and (y[0] or x[0] or y[-1] < rows - 1 or x[-1] < columns - 1):
        height, width = float(y[-1] - y[0] + 1), float(x[-1] - x[0] + 1)
        if abs(height / width / proportion - 1.0) <= _STRETCH:
            yield float(y[0]), float(x[0]), height, width


def _alike(one: Likeness) -> bool:
    return one.points > 0 and one.bad <= EDGE_SHARE * one.points and one.region[2] > 0


def _shows(
    mistake: Unit, found: Unit, tolerance: float, pixel: tuple[float, float], found_pixel: tuple[float, float]
) -> bool:
    points = even(mistake)
    if points.mean() < _EVEN_SHARE:
        return mistake.shape == found.shape and _at_every_pixel(mistake, found, tolerance).bad == 0
    places = _places(found, _proportion(mistake, pixel, found_pixel))
    return any(_alike(_at(mistake, found, points, tolerance, place)) for place in places)


def _rises_with(wanted: Unit, found: Unit, points: Mask, region: Region, tolerance: float) -> bool:
    """Whether every wanted value has one value of its own, from black to white in the same order."""
    rows, columns = np.nonzero(points)
    y, x = _sampled(found.shape, region, wanted.shape, rows, columns)
    levels, where = np.unique(np.round(wanted[rows, columns], 4), return_inverse=True)
    if not _FEWEST_LEVELS <= len(levels) <= _MOST_LEVELS:
        return False
    seen, at = found[y, x], where.reshape(-1)
    middle = np.array([float(np.median(seen[at == level])) for level in range(len(levels))])
    scattered = int((np.abs(seen - middle[at]) > tolerance).sum())
    ends = [abs(m - level) for m, level in zip(middle, levels, strict=True) if level < 0.01 or level > 0.99]
    chosen = [0]  # grey values that are far enough apart to be told by any screen
    for number in range(1, len(levels)):
        if levels[number] - levels[chosen[-1]] >= tolerance:
            chosen.append(number)
    rising = bool((np.diff(middle[chosen]) > _LEAST_SLOPE * np.diff(levels[chosen])).all())
    rising = rising and bool((np.diff(middle) > -_LEVEL).all())
    return rising and scattered <= EDGE_SHARE * seen.size and max(ends, default=0.0) <= _ENDS


def _the_same(wanted: Unit, found: Unit, tolerance: float) -> bool:
    """Whether the points agree, those of each grey value by themselves.

    A mark on a wide ground counts as much as the ground: a picture that lacks it is another one.
    """
    wrong = np.abs(wanted - found) > tolerance
    if float(wrong.mean()) > _PART_SHARE:
        return False
    _, level, count = np.unique(np.round(wanted * 64.0), return_inverse=True, return_counts=True)
    share = np.bincount(level.reshape(-1), weights=wrong) / count
    return bool((share[count >= _FEWEST_POINTS] <= _LEVEL_SHARE).all())


def _failed(one: Likeness, why: str) -> Likeness:
    return _with(one, False, why)


def _undecided(one: Likeness, why: str) -> Likeness:
    return _with(one, None, why or "there is no even area in which it could be compared")


def _with(one: Likeness, ok: bool | None, why: str) -> Likeness:
    return Likeness(ok, why, one.points, one.bad, one.largest, one.row, one.column, one.wanted, one.found, one.region)
