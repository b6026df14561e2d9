import numpy as np
import pytest

from harness.imaging.luts import LookupTable, Rescale, Shape, Window
from harness.imaging.phantoms import PixelFormat
from harness.imaging.pipeline import Grayscale, image_presentation, subtract_mask

TWELVE = PixelFormat(12)


def test_what_is_left_out_is_the_identity_on_the_whole_range() -> None:
    assert Grayscale().p_values(np.array([[0, 4095]]), TWELVE).tolist() == [[0.0, 1.0]]
    signed = PixelFormat(12, signed=True)
    assert Grayscale().p_values(np.array([[-2048, 2047]]), signed).tolist() == [[0.0, 1.0]]


def test_a_modality_table_sets_the_range_by_its_width_not_by_its_content() -> None:
    table = LookupTable(0, np.arange(4096), 16)
    assert Grayscale(table).p_values(np.array([[4095]]), TWELVE)[0, 0] == pytest.approx(4095 / 65535)


def test_rescale_comes_before_the_window() -> None:
    gray = Grayscale(Rescale(1, -1024), Window(40, 400))
    assert gray.p_values(np.array([[0, 1024 - 160, 1024 + 240]]), TWELVE).tolist() == [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize("shape", [None, Shape.INVERSE])
def test_monochrome1_is_inverted_once_however_often_it_is_said(shape: Shape | None) -> None:
    gray = image_presentation(None, Window(2048, 4096), shape, monochrome1=True)
    assert gray.p_values(np.array([[0, 4095]]), PixelFormat(12, monochrome1=True)).tolist() == [[1.0, 0.0]]


def test_mask_is_the_mean_of_its_frames_and_moves_by_whole_and_half_pixels() -> None:
    first, second = np.zeros((4, 4)), np.zeros((4, 4))
    first[1, 1] = second[1, 1] = 8.0
    second[0, 0] = 4.0
    contrast = np.full((4, 4), 10.0)
    assert subtract_mask(contrast, (first, second))[0, 0] == 8.0
    assert subtract_mask(contrast, (first,), shift=(1.0, 1.0))[2, 2] == 2.0
    assert subtract_mask(contrast, (first,), shift=(0.0, 0.5))[1, 1:3].tolist() == [6.0, 6.0]
    with pytest.raises(ValueError, match="at least one mask"):
        subtract_mask(contrast, ())
