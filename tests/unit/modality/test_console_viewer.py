"""The viewer of the console without a browser: what is shown is what the service renders."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from harness.imaging import png
from harness.imaging.geometry import Placement
from harness.imaging.presentation import DisplayedArea, Orientation
from harness.modality.console.pointing import affine
from tests.unit.modality.visitor import Place, with_study


def shown_pictures(text: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'src="(/console/image/[^"]+)"', text)]


def test_picture_in_the_viewer_is_the_rendering_of_the_service(place: Place) -> None:
    study, image = with_study(place)
    asked: dict[str, Any] = {
        "window_center": 1500,
        "window_width": 900,
        "zoom": 2,
        "pan_x": 30,
        "pan_y": -40,
        "rotate": 90,
    }
    given = {"study": study, "layout": "2x2", "instance": image, "press": "flip_v", **asked}
    text = place.visitor.press("review/view", **given)
    _, _, (_, raw) = place.visitor.open(shown_pictures(text)[0])
    wanted = place.modality.review.review(image, **asked, flip_v=True)
    dataset, _ = place.modality.review.load(image)
    view = place.modality.review.view({**asked, "flip_v": True}, dataset)
    assert np.array_equal(png.decode(raw), place.modality.review.picture(dataset, view, 512, 512))
    assert "W/L 1500 · W/W 900" in text
    assert wanted["window_center"] == 1500
    plain_text = place.visitor.press("review/view", **{**given, "press": "reset"})
    _, _, (_, first) = place.visitor.open(shown_pictures(plain_text)[0])
    assert not np.array_equal(png.decode(first), png.decode(raw))


def test_four_rotations_and_two_flips_are_nothing(place: Place) -> None:
    study, image = with_study(place)
    given: dict[str, Any] = {"study": study, "layout": "1x1", "instance": image}
    start = place.visitor.open(shown_pictures(place.visitor.press("review/view", **given, zoom=1))[0])[2][1]
    turn = 0
    for press in ("rotate_right",) * 4 + ("flip_h",):
        text = place.visitor.press("review/view", **given, press=press, zoom=1, rotate=turn)
        turn = (turn + 90) % 360 if press == "rotate_right" else turn
    assert place.visitor.open(shown_pictures(text)[0])[2][1] != start
    text = place.visitor.press("review/view", **given, press="flip_h", zoom=1, rotate=0, flip_h=1)
    assert place.visitor.open(shown_pictures(text)[0])[2][1] == start


def test_bad_view_is_refused_and_the_old_one_stays(place: Place) -> None:
    study, image = with_study(place)
    text = place.visitor.press("review/view", study=study, instance=image, zoom=1000)
    assert "zoom is 0.01 to 100" in text
    assert "Zoom 100 %" in text


def test_saved_view_is_a_presentation_state(place: Place) -> None:
    study, image = with_study(place)
    place.visitor.press("review/view", study=study, instance=image, window_center=1000, window_width=500, zoom=1)
    assert "presentation state was saved" in place.visitor.press("review/save", study=study, instance=image, label="A")
    state = next(row for row in place.modality.studies.instances(study) if row["modality"] == "PR")
    dump = place.modality.studies.dump(state["sop_instance_uid"])["text"]
    assert "DS [1000] # WindowCenter" in dump


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_points_go_to_the_screen_and_back(rotation: int, flip: bool) -> None:
    area = DisplayedArea((11, 21), (70, 80))
    place_ = Placement((100, 80), Orientation(rotation, flip), area)
    made = affine(place_, (512, 512))
    picture = np.zeros((100, 80), np.float64)
    picture[40, 30] = 1.0
    row, column = (int(each) for each in np.argwhere(place_.cut(picture, 0.0) == 1.0)[0])
    scale = 512 / 60
    x, y = made.to_screen((30.5, 40.5))
    assert (x * 512, y * 512) == pytest.approx(((column + 0.5) * scale, (row + 0.5) * scale))
    assert made.to_image((x, y)) == pytest.approx((30.5, 40.5))
