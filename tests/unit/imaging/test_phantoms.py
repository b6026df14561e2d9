import numpy as np
import pytest

from harness.imaging import phantoms
from harness.imaging.phantoms import PixelFormat

FORMATS = [
    PixelFormat(8),
    PixelFormat(12),
    PixelFormat(16),
    PixelFormat(12, signed=True),
    PixelFormat(16, signed=True),
    PixelFormat(10, monochrome1=True),
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "make",
    [
        phantoms.step_wedge,
        phantoms.ramp,
        phantoms.chest,
        phantoms.resolution_bars,
        phantoms.grey_patches,
        phantoms.orientation_mark,
        phantoms.noise,
    ],
)
def test_every_phantom_keeps_to_its_format_and_knows_its_probes(make, form):  # type: ignore[no-untyped-def]
    phantom = make(form=form)
    assert phantom.pixels.min() >= form.lowest
    assert phantom.pixels.max() <= form.highest
    assert len(phantom.encoded()) == phantom.rows * phantom.columns * form.bits_allocated // 8
    for probe in phantom.probes:
        assert phantom.pixels[probe.row, probe.column] == probe.stored


def test_encoded_pixels_read_back_as_two_complement() -> None:
    phantom = phantoms.ramp(PixelFormat(12, signed=True))
    back = np.frombuffer(phantom.encoded(), "<i2").reshape(phantom.rows, phantom.columns)
    assert np.array_equal(back, phantom.pixels)
    assert back.min() == -2048


def test_same_seed_same_chest_other_seed_another() -> None:
    first, again, other = phantoms.chest(seed=5), phantoms.chest(seed=5), phantoms.chest(seed=6)
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_step_wedge_has_equal_steps_from_end_to_end() -> None:
    wedge = phantoms.step_wedge(steps=18, form=PixelFormat(12))
    values = [probe.stored for probe in wedge.probes]
    assert values[0] == 0
    assert values[-1] == 4095
    assert max(np.diff(values)) - min(np.diff(values)) <= 1


def test_monochrome1_wedge_is_stored_the_other_way_round() -> None:
    plain, inverted = phantoms.step_wedge(), phantoms.step_wedge(form=PixelFormat(12, monochrome1=True))
    assert np.array_equal(plain.pixels, 4095 - inverted.pixels)


def test_bars_are_equal_in_millimetres_when_pixels_are_not_square() -> None:
    bars = phantoms.resolution_bars(spacing=(0.25, 0.5), length_mm=40.0)
    bright = bars.pixels == bars.format.highest
    assert bright[9, :].sum() * 0.5 == 40.0
    assert bright[8 : 8 + 200, 9].sum() * 0.25 == 40.0


def test_orientation_mark_differs_in_all_eight_orientations() -> None:
    square = phantoms.orientation_mark(96, 96).pixels
    seen = {np.rot90(side, turns).tobytes() for side in (square, square[:, ::-1]) for turns in range(4)}
    assert len(seen) == 8


def test_a_phantom_that_cannot_be_drawn_says_why() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        phantoms.resolution_bars(length_mm=500.0)
    with pytest.raises(ValueError, match="1 to 16"):
        PixelFormat(17)
