"""Pictures of other sizes, with borders and frames, after lossy compression, cut, stretched, inverted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.imaging import likeness
from harness.imaging.luts import Unit
from harness.imaging.phantoms import PixelFormat, orientation_mark, step_wedge

MARK: Unit = orientation_mark(96, 128, form=PixelFormat(12)).pixels / 4095.0
WEDGE: Unit = step_wedge(96, 128, steps=16, form=PixelFormat(12)).pixels / 4095.0
BOTH = pytest.mark.parametrize("wanted", [MARK, WEDGE], ids=["mark", "wedge"])


def enlarged(picture: Unit, times: int) -> Unit:
    return np.repeat(np.repeat(picture, times, 0), times, 1)


def stretched(picture: Unit, rows: int, columns: int) -> Unit:
    y = ((np.arange(rows) + 0.5) * picture.shape[0] / rows).astype(int)
    x = ((np.arange(columns) + 0.5) * picture.shape[1] / columns).astype(int)
    return picture[np.ix_(y, x)]


def put(picture: Unit, rows: int, columns: int, top: int, left: int, around: float = 0.0) -> Unit:
    whole: Unit = np.full((rows, columns), around)
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def verdict(wanted: Unit, found: Unit, **more: Any) -> bool | None:
    return likeness.compare(wanted, found, 0.02, **more).ok


def gui() -> Unit:
    """A screen with a tree of patients, buttons and a ruler, but without the image."""
    picture: Unit = np.full((600, 800), 0.2)
    picture[:40] = 0.5
    for at in range(0, 800, 40):
        picture[8:32, at : at + 20] = 0.8
    for at in range(60, 580, 24):
        picture[at : at + 10, 10 : 60 + (at * 7) % 90] = 0.9
    return picture


@BOTH
def test_every_convention_of_showing_the_whole_image_is_alike(wanted: Unit) -> None:
    assert verdict(wanted, wanted)
    for times in (2, 3, 5):
        assert verdict(wanted, enlarged(wanted, times))
    assert verdict(wanted, stretched(wanted, 410, 547))  # no whole factor
    large = enlarged(wanted, 4)
    assert verdict(wanted, put(large, 384, 800, 0, 144))  # bars left and right
    assert verdict(wanted, put(large, 900, 512, 258, 0, 1.0))  # white bars above and below
    assert verdict(wanted, put(large, 500, 700, 20, 30, 0.35))  # off the middle, in an even frame


@BOTH
def test_a_lossy_compression_is_no_failure(wanted: Unit) -> None:
    ringing = np.random.default_rng(1).normal(0.0, 0.012, wanted.shape)
    assert verdict(wanted, wanted + np.clip(ringing, -0.05, 0.05)) is not False


def test_a_frame_of_controls_is_not_judged_but_said() -> None:
    screen = gui()
    screen[80 : 80 + 384, 200 : 200 + 512] = enlarged(MARK, 4)
    seen = likeness.compare(MARK, screen, 0.02)
    assert seen.ok is None
    assert "seems to lie" in seen.why
    place = [int(part) for part in seen.why.split(") ")[1].split(";")[0].split(",")]
    assert np.abs(np.array(place) - (80, 200, 384, 512)).max() < 16
    other = screen[:, :700]
    assert likeness.compare(MARK, other, 0.02).ok is None


def test_a_region_that_is_told_is_judged() -> None:
    screen = gui()
    screen[80 : 80 + 384, 200 : 200 + 512] = enlarged(MARK, 4)
    assert verdict(MARK, screen[80 : 80 + 384, 200 : 200 + 512])


@BOTH
@pytest.mark.parametrize("times", [1, 3])
def test_a_wrong_picture_is_wrong_at_every_size(wanted: Unit, times: int) -> None:
    for wrong in (1.0 - wanted, wanted * 0.5 + 0.25, np.zeros(wanted.shape), wanted[:, ::-1]):
        assert verdict(wanted, enlarged(wrong, times)) is False
        if times > 1 and wrong.any():
            assert verdict(wanted, put(enlarged(wrong, times), 288, 500, 0, 58)) is not True


@BOTH
def test_a_part_of_the_image_is_not_the_image(wanted: Unit) -> None:
    assert verdict(wanted, enlarged(wanted[12:84, 16:112], 4)) is not True
    assert verdict(wanted, wanted[:, :100]) is not True


def test_a_stretched_picture_breaks_only_where_proportions_are_asked() -> None:
    wide = stretched(MARK, 200, 400)
    assert verdict(MARK, wide) is True
    seen = likeness.compare(MARK, wide, 0.02, may_stretch=False)
    assert seen.ok is False
    assert "stretched" in seen.why
    assert verdict(MARK, wide, may_stretch=False, found_pixel=(1.5, 1.0)) is True


def test_a_known_mistake_is_named() -> None:
    turned = np.rot90(MARK)
    seen = likeness.compare(MARK, enlarged(turned, 2), 0.02, mistakes=[("turned by 90 degrees", turned)])
    assert seen.ok is False
    assert "turned by 90 degrees" in seen.why


def test_small_pictures_and_pictures_without_even_areas_are_not_judged() -> None:
    assert verdict(MARK, 1.0 - MARK[::4, ::4]) is None
    noise: Unit = np.random.default_rng(2).random((40, 40))
    assert verdict(noise, enlarged(noise, 2)) is None
    assert verdict(noise, noise) is True
    assert verdict(noise, 1.0 - noise) is False
