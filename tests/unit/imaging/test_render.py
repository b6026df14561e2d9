from typing import Any

import numpy as np
import pytest

from harness.imaging import phantoms
from harness.imaging.geometry import Placement
from harness.imaging.luts import Shape, Window
from harness.imaging.phantoms import PixelFormat
from harness.imaging.presentation import (
    Annotation,
    BitmapShutter,
    CircularShutter,
    DisplayedArea,
    Graphic,
    GraphicKind,
    ImageReference,
    Layer,
    Mask,
    Orientation,
    Overlay,
    PolygonalShutter,
    PresentationState,
    RectangularShutter,
    SizeMode,
    Text,
    Units,
    VoiItem,
)
from harness.imaging.render import Image, render


def flat(rows: int = 20, columns: int = 30, value: int = 0, **more: Any) -> Image:
    return Image(np.full((rows, columns), value, np.int32), PixelFormat(8), "1.2.3", **more)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_pixel_is_where_the_placement_says(rotation: int, flip: bool) -> None:
    picture = phantoms.noise(5, 7, form=PixelFormat(8)).pixels
    shown = render(Image(picture, PixelFormat(8)), PresentationState(orientation=Orientation(rotation, flip)))
    assert shown.p_values.shape == ((7, 5) if rotation in (90, 270) else (5, 7))
    for row in range(5):
        for column in range(7):
            assert shown.at(row, column) == picture[row, column] / 255


def test_rotation_is_clockwise_and_comes_before_the_flip() -> None:
    image = flat(2, 3)
    image.stored[0, 0] = 255  # the top left corner
    turned = render(image, PresentationState(orientation=Orientation(90))).p_values
    assert turned[0, -1] == 1.0
    both = render(image, PresentationState(orientation=Orientation(90, flip=True))).p_values
    assert both[0, 0] == 1.0


def test_displayed_area_cuts_and_fills_beyond_the_image() -> None:
    image = flat(4, 4, 255)
    area = DisplayedArea((0, 0), (5, 3))
    shown = render(image, PresentationState(areas=(area,)))
    assert shown.p_values.shape == (4, 6)
    assert shown.p_values[0].tolist() == [0.0] * 6
    assert shown.p_values[1].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert shown.at(3, 0) is None


def test_corners_of_a_turned_area_may_come_in_either_order() -> None:
    shape, turned = (10, 20), Orientation(180)
    first = Placement(shape, turned, DisplayedArea((20, 10), (1, 1)))
    second = Placement(shape, turned, DisplayedArea((1, 1), (20, 10)))
    assert first.bounds == second.bounds == (0, 0, 10, 20)


def test_true_size_draws_a_bar_of_fifty_millimetres_fifty_millimetres_long() -> None:
    bars = phantoms.resolution_bars(256, 160, spacing=(0.25, 0.5), length_mm=50.0, form=PixelFormat(8))
    area = DisplayedArea((1, 1), (160, 256), SizeMode.TRUE_SIZE, spacing=(0.25, 0.5))
    shown = render(Image(bars.pixels, bars.format), PresentationState(areas=(area,)))
    screen = shown.on_screen((400, 400), screen_pixel_mm=0.25)
    white = screen == 1.0
    assert white.sum(axis=1).max() * 0.25 == 50.0  # the bar along a row
    assert white.sum(axis=0).max() * 0.25 == 50.0  # the bar along a column
    with pytest.raises(ValueError, match="TRUE SIZE needs"):
        shown.on_screen((400, 400))


def test_magnify_and_fit_make_square_what_is_square_on_the_patient() -> None:
    wide = DisplayedArea((1, 1), (30, 20), SizeMode.MAGNIFY, aspect=(2, 1), magnification=3.0)
    assert Placement((20, 30), Orientation(), wide).scale((500, 500)) == (6.0, 3.0)
    assert Placement((20, 30), Orientation(90), wide).scale((500, 500)) == (1.5, 3.0)
    fit = DisplayedArea((1, 1), (30, 20), aspect=(2, 1))
    down, across = Placement((20, 30), Orientation(), fit).scale((400, 400))
    assert (down, across) == (20.0, 10.0)


def test_rectangular_shutter_leaves_its_edges_visible() -> None:
    state = PresentationState(shutters=(RectangularShutter(3, 6, 2, 4),), shutter_value=65535)
    shown = render(flat(8, 10), state)
    open_rows, open_columns = np.nonzero(shown.p_values == 0.0)
    assert (open_rows.min(), open_rows.max(), open_columns.min(), open_columns.max()) == (1, 3, 2, 5)
    assert np.array_equal(shown.covered, shown.p_values == 1.0)


def test_circular_shutter_is_round_on_pixels_that_are_not_square() -> None:
    area = DisplayedArea((1, 1), (41, 41), aspect=(2, 1))
    shut = PresentationState(shutters=(CircularShutter(21, 21, 10),), shutter_value=65535, areas=(area,))
    shown = render(flat(41, 41), shut).p_values
    assert (shown[20] == 0.0).sum() == 21
    assert (shown[:, 20] == 0.0).sum() == 11


def test_polygonal_and_bitmap_shutters_add_up() -> None:
    bits = np.zeros((20, 30), np.bool_)
    bits[10, 10] = True
    triangle = PolygonalShutter(((1, 1), (1, 30), (20, 30), (20, 1)))
    both = PresentationState(shutters=(triangle, BitmapShutter(0x6000)), shutter_value=65535)
    shown = render(flat(overlays=(Overlay(0x6000, bits),)), both).p_values
    assert (shown == 1.0).sum() == 1
    assert shown[10, 10] == 1.0


def test_only_activated_overlays_are_drawn_and_those_beyond_the_image_are_cut() -> None:
    bits = np.ones((4, 4), np.bool_)
    image = flat(overlays=(Overlay(0x6000, bits, (18, 28)), Overlay(0x6002, bits)))
    state = PresentationState(layers=(Layer("A", 1, 0x8000),), activated={0x6000: "A"})
    shown = render(image, state).p_values
    assert (shown > 0).sum() == 9
    assert shown[0, 0] == 0.0
    assert shown[19, 29] == pytest.approx(0.5, abs=1e-4)


def test_later_layers_cover_earlier_ones() -> None:
    lines = tuple(Annotation(name, (Graphic(GraphicKind.POLYLINE, ((0, 5), (20, 5))),)) for name in ("OVER", "UNDER"))
    layers = (Layer("OVER", 2, 65535), Layer("UNDER", 1, 0x4000))
    shown = render(flat(), PresentationState(layers=layers, annotations=lines)).p_values
    assert shown[5, 3] == 1.0


@pytest.mark.parametrize(
    ("kind", "points", "on", "off"),
    [
        (GraphicKind.POINT, ((4.5, 3.5),), (3, 4), (4, 4)),
        (GraphicKind.POLYLINE, ((2, 2), (12, 2), (12, 9), (2, 9), (2, 2)), (2, 7), (5, 7)),
        (GraphicKind.CIRCLE, ((15.5, 10.5), (20.5, 10.5)), (10, 20), (10, 15)),
        (GraphicKind.ELLIPSE, ((5.5, 10.5), (25.5, 10.5), (15.5, 6.5), (15.5, 14.5)), (6, 15), (10, 15)),
        (GraphicKind.INTERPOLATED, ((2.5, 2.5), (9.5, 8.5), (20.5, 2.5)), (8, 9), (15, 15)),
    ],
)
def test_graphics_mark_their_outline(
    kind: GraphicKind, points: tuple[tuple[float, float], ...], on: tuple[int, int], off: tuple[int, int]
) -> None:
    state = PresentationState(layers=(Layer("A", 1),), annotations=(Annotation("A", (Graphic(kind, points),)),))
    shown = render(flat(), state).p_values
    assert shown[on] == 1.0
    assert shown[off] == 0.0


def test_filled_graphics_cover_their_inside_and_display_units_ignore_the_image() -> None:
    square = Graphic(GraphicKind.POLYLINE, ((0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1), (0.5, 0.5)), Units.DISPLAY, True)
    area = DisplayedArea((11, 6), (20, 15))
    notes = (Annotation("A", (square,)),)
    shown = render(flat(), PresentationState(layers=(Layer("A", 1),), annotations=notes, areas=(area,))).p_values
    assert shown[7, 7] == 1.0
    assert shown[2, 2] == 0.0


def test_text_lies_in_its_box_and_follows_its_justification() -> None:
    def first_column(justification: str) -> int:
        text = Text("L", box=((2, 2), (28, 12)), justification=justification)
        state = PresentationState(layers=(Layer("A", 1),), annotations=(Annotation("A", texts=(text,)),))
        return int(np.nonzero(render(flat(), state).p_values.any(axis=0))[0][0])

    assert first_column("LEFT") < first_column("CENTER") < first_column("RIGHT")


def test_items_with_references_touch_only_those_images_and_frames() -> None:
    mine, other = ImageReference("1.2.3", (2,)), ImageReference("1.2.4")
    state = PresentationState(voi=(VoiItem(Window(10, 1), (mine,)), VoiItem(Window(99, 1), (other,))))
    assert state.grayscale("1.2.3", 2).voi == Window(10, 1)
    assert state.grayscale("1.2.3", 1).voi is None
    assert state.grayscale("1.2.4", 7).voi == Window(99, 1)


def test_mask_subtraction_before_the_window() -> None:
    frames = np.stack([np.full((3, 3), 10), np.full((3, 3), 40)]).astype(np.int32)
    state = PresentationState(mask=Mask((1,)), voi=(VoiItem(Window(30.5, 2)),), presentation=Shape.IDENTITY)
    assert render(Image(frames, PixelFormat(8)), state, frame=2).p_values[0, 0] == pytest.approx(0.5)


def test_a_missing_frame_is_named() -> None:
    with pytest.raises(IndexError, match="frame 2"):
        render(flat(), PresentationState(), frame=2)


def test_a_rotation_of_45_degrees_is_refused() -> None:
    with pytest.raises(ValueError, match="45"):
        Orientation(45)


def test_short_overlay_data_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        Overlay.decode(0x6000, 8, 8, b"\0")
