import numpy as np
import pytest

from harness.imaging.luts import (
    LookupTable,
    Range,
    Rescale,
    Shape,
    Window,
    WindowFunction,
    apply_presentation_lut,
    quantized,
)


def values(*numbers: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(numbers, np.float64)


def test_linear_window_of_the_standards_examples() -> None:
    # PS3.3 C.11.2.1.2: center 2048, width 4096 is the identity on 12 bits; 2^(n-1) and 2^n in general
    window = Window(2048, 4096)
    stored = np.arange(4096, dtype=np.float64)
    assert np.array_equal(quantized(window(stored), 12), np.arange(4096))
    # center 0, width 100: -50 is the last minimum, 49.something the first maximum
    assert Window(0, 100)(values(-50, 49))[0] == 0.0
    assert Window(0, 100)(values(-50, 49))[1] == pytest.approx(1.0)


def test_window_of_one_is_a_threshold() -> None:
    assert Window(100, 1)(values(99, 99.5, 99.6, 100)).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_linear_exact_ends_half_a_width_from_the_center() -> None:
    window = Window(0, 100, WindowFunction.LINEAR_EXACT)
    assert window(values(-50, -25, 0, 25, 50)).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_sigmoid_crosses_one_half_at_the_center_and_never_overflows() -> None:
    window = Window(10, 4, WindowFunction.SIGMOID)
    assert window(values(10))[0] == 0.5
    assert window(values(11))[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert window(values(-1e9, 1e9)).tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("function", list(WindowFunction))
def test_a_window_without_width_is_refused(function: WindowFunction) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Window(0, 0, function)


def test_table_keeps_its_ends_beyond_its_inputs() -> None:
    table = LookupTable(100, np.array([7, 8, 9]), 8)
    assert table(values(0, 99, 100, 101, 102, 103, 9999)).tolist() == [7, 7, 7, 8, 9, 9, 9]


@pytest.mark.parametrize("data", [bytes([1, 2, 3, 0]), bytes([1, 2, 3])])
def test_entries_of_eight_bits_may_fill_bytes(data: bytes) -> None:
    assert LookupTable.decode((3, 0, 8), data).entries.tolist() == [1, 2, 3]


def test_entries_of_eight_bits_may_fill_words() -> None:
    assert LookupTable.decode((3, 0, 8), bytes([1, 0, 2, 0, 3, 0])).entries.tolist() == [1, 2, 3]


def test_descriptor_zero_means_65536_entries_and_the_first_input_may_be_negative() -> None:
    table = LookupTable.decode((0, 65536 - 2048, 16), bytes(131072), signed=True)
    assert len(table.entries) == 65536
    assert table.first == -2048


def test_too_few_entries_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        LookupTable.decode((256, 0, 12), bytes(100))


def test_negative_slope_turns_the_range_round() -> None:
    assert Rescale(-2, 10).output_range(Range(0, 100)) == Range(-190, 10)


def test_presentation_table_gets_the_full_range_whatever_its_length() -> None:
    short, long = LookupTable(0, np.array([0, 255]), 8), LookupTable(0, np.arange(4096), 12)
    assert apply_presentation_lut(values(0.0, 1.0), short).tolist() == [0.0, 1.0]
    assert apply_presentation_lut(values(0.0, 0.5, 1.0), long).tolist() == pytest.approx([0.0, 0.5, 1.0], abs=2e-4)


def test_inverse_is_its_own_inverse() -> None:
    unit = np.linspace(0, 1, 11)
    twice = apply_presentation_lut(apply_presentation_lut(unit, Shape.INVERSE), Shape.INVERSE)
    assert np.allclose(twice, unit)
