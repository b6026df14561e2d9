import numpy as np
import pytest

from harness.imaging.density import Medium, Viewing
from harness.imaging.gsdf import DisplayCurve, jnd_index, jnd_index_by_fit, luminance
from harness.imaging.luts import Shape
from harness.imaging.measured import Sample, judge_density, judge_luminance, plot, read_table


def test_luminances_of_the_first_indices() -> None:
    # PS3.14 annex B begins 0.0500, 0.0547, 0.0594, 0.0643
    assert luminance([1, 2, 3, 4]).round(4).tolist() == [0.05, 0.0547, 0.0594, 0.0643]


def test_inverse_is_exact_over_the_whole_range_and_the_fit_is_close() -> None:
    indices = np.arange(1, 1024, dtype=np.float64)
    assert np.abs(jnd_index(luminance(indices)) - indices).max() < 1e-6
    assert np.abs(jnd_index_by_fit(luminance(indices)) - indices).max() < 0.1


@pytest.mark.parametrize("bad", [0.01, 5000.0])
def test_luminance_beyond_the_function_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="covers"):
        jnd_index(bad)


def test_equal_steps_of_p_values_are_equal_steps_of_jnd() -> None:
    steps = np.diff(jnd_index(DisplayCurve(1.0, 500.0).of(np.linspace(0, 1, 18))))
    assert steps.max() - steps.min() < 1e-6


def test_densities_go_from_maximum_to_minimum_and_back_to_p_values() -> None:
    unit = np.linspace(0, 1, 33)
    for viewing in (Viewing(), Viewing(4000, 2, 0.15, 3.4), Viewing.paper()):
        density = viewing.printed(unit)
        assert density[0] == pytest.approx(viewing.maximum)
        assert density[-1] == pytest.approx(viewing.minimum)
        assert (np.diff(density) < 0).all()
        assert viewing.p_value(density) == pytest.approx(unit, abs=1e-6)


def test_ambient_light_darkens_nothing_on_paper_but_matters_on_film() -> None:
    film, dim = Viewing(ambient=50.0), Viewing(ambient=1.0)
    assert abs(float(film.printed(0.5)) - float(dim.printed(0.5))) > 0.05
    paper = Viewing(150.0, 25.0, 0.1, 1.8, Medium.REFLECTIVE)
    assert float(paper.printed(0.5)) == float(Viewing.paper().printed(0.5))


def test_lin_od_is_a_straight_line() -> None:
    assert Viewing(minimum=0.2, maximum=3.2).printed([0, 0.5, 1], Shape.LIN_OD).tolist() == pytest.approx(
        [3.2, 1.7, 0.2]
    )


def test_a_calibrated_display_passes_and_one_with_gamma_does_not() -> None:
    unit = np.linspace(0, 1, 18)
    good = [Sample(p, v) for p, v in zip(unit, DisplayCurve(0.8, 350.0).of(unit), strict=True)]
    gamma = [Sample(p, 0.8 + 349.2 * p**2.2) for p in unit]
    assert judge_luminance(good).ok
    judged = judge_luminance(gamma)
    assert not judged.ok
    assert abs(judged.worst.deviation) > 0.1
    assert "<svg" in plot(judged, title="gamma <2.2>")
    assert "<2.2>" not in plot(judged, title="gamma <2.2>")


def test_film_densities_are_judged_in_optical_density() -> None:
    viewing = Viewing()
    good = [Sample(p, float(viewing.printed(p)) + 0.02) for p in np.linspace(0, 1, 9)]
    assert judge_density(good, viewing).ok
    inverted = [Sample(1 - sample.p_value, sample.measured) for sample in good]
    assert not judge_density(inverted, viewing).ok


def test_table_with_heading_semicolons_and_decimal_commas() -> None:
    samples = read_table("level;cd/m2\n0;0,8\n128;55,5\n255;350,0\n")
    assert samples == (Sample(0.0, 0.8), Sample(128 / 255, 55.5), Sample(1.0, 350.0))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0,1\n1,2\n", "at least 3"),
        ("0,1\n1,x\n2,3\n", "line 2"),
        ("0,1\n1,nan\n2,3\n", "line 2"),
        ("0,1\n1,2\n1,3\n", "different"),
    ],
)
def test_tables_that_cannot_be_judged_say_why(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_table(text)
