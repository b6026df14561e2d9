import numpy as np
import pytest

from harness.imaging.density import Medium, Viewing
from harness.imaging.gsdf import DisplayCurve, jnd_index, jnd_index_by_fit, luminance
from harness.imaging.luts import Shape
from harness.imaging.measured import judge_density, judge_luminance, mirrored
from harness.imaging.plots import plot
from harness.imaging.tables import Sample, read_table


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


#: optical densities of PS3.14 Table D.2-1 (film of 0.20 to 3.00, 2000 cd/m2, 10 cd/m2 ambient) by P-Value
TABLE_D_2_1 = {
    0: 3.000, 1: 2.936, 2: 2.880, 3: 2.828, 8: 2.628, 16: 2.405, 32: 2.103, 48: 1.882, 64: 1.698, 80: 1.537, 96: 1.390,
    112: 1.252, 128: 1.122, 144: 0.996, 160: 0.875, 176: 0.757, 192: 0.641, 208: 0.527, 224: 0.415, 240: 0.304,
    252: 0.221, 253: 0.214, 254: 0.207, 255: 0.200,
}  # fmt: skip


def test_film_densities_are_those_that_the_standard_prints() -> None:
    found = Viewing(2000.0, 10.0, 0.20, 3.00).printed(np.array(list(TABLE_D_2_1)) / 255.0)
    assert np.abs(found - np.array(list(TABLE_D_2_1.values()))).max() < 1.5e-3


def test_the_worked_example_of_film_agrees() -> None:
    # PS3.14 D.2: densities 3.0 and 0.2 are 12.0 and 1271.9 cd/m2; the darkest is JND index 233.32 by the fit of 7.2
    viewing = Viewing(2000.0, 10.0, 0.20, 3.00)
    assert viewing.luminance([3.0, 0.2]).round(1).tolist() == [12.0, 1271.9]
    assert float(jnd_index_by_fit(viewing.luminance(3.0))) == pytest.approx(233.32, abs=0.01)
    assert float(jnd_index(viewing.luminance(3.0))) == pytest.approx(233.32, abs=0.05)


def test_the_highest_luminance_is_that_of_the_standard() -> None:
    # Table B-1 ends with 3993.4040; the printed coefficients of section 7.1 give 0.002 percent less
    assert float(luminance(1023)) == pytest.approx(3993.404, rel=3e-5)


def screen(count: int, noise: float = 0.0, gamma: float = 0.0) -> list[Sample]:
    unit = np.linspace(0, 1, count)
    light = 0.8 + 349.2 * unit**gamma if gamma else DisplayCurve(0.8, 350.0).of(unit)
    light = light * (1 + noise * np.sin(37.0 * np.arange(count)))
    return [Sample(float(p), float(v)) for p, v in zip(unit, light, strict=True)]


@pytest.mark.parametrize("count", [11, 18, 52, 256])
def test_any_number_of_levels_is_judged_alike(count: int) -> None:
    assert judge_luminance(screen(count, noise=0.004)).ok, "the noise of a meter is no fault"
    assert not judge_luminance(screen(count, gamma=2.2)).ok
    assert not judge_luminance(screen(count, gamma=1.8)).ok


@pytest.mark.parametrize("count", [18, 52, 256])
def test_one_level_that_falls_is_found(count: int) -> None:
    samples = screen(count)
    at = count // 2
    samples[at] = Sample(samples[at].p_value, samples[at - 1].measured * 0.93)
    judged = judge_luminance(samples)
    assert not judged.ok
    assert judged.worst.p_value == pytest.approx(samples[at].p_value, abs=0.07)


def test_ambient_light_is_added_to_what_a_contact_meter_read() -> None:
    in_the_room = [Sample(s.p_value, s.measured - 0.5) for s in screen(18)]
    assert judge_luminance(in_the_room, ambient=0.5).ok
    assert not judge_luminance(in_the_room).ok


def test_luminances_from_white_to_black_are_told() -> None:
    with pytest.raises(ValueError, match="from white to black"):
        judge_luminance([Sample(1 - s.p_value, s.measured) for s in reversed(screen(18))])


def test_paper_has_its_own_densities() -> None:
    paper = Viewing.paper()
    good = [Sample(p, float(paper.printed(p))) for p in np.linspace(0, 1, 16)]
    assert judge_density(good, paper).ok
    on_a_light_box = Viewing(minimum=0.1, maximum=1.8)
    assert not judge_density(good, on_a_light_box, tolerance=0.01).ok
    assert judge_density(mirrored([Sample(1 - s.p_value, s.measured) for s in reversed(good)]), paper).ok


def test_a_plot_names_its_axes_and_what_is_wrong() -> None:
    wrong = judge_luminance(screen(256, gamma=2.2))
    drawn = plot(wrong, title="A screen")
    assert "Luminance in cd/m²" in drawn
    assert f"{sum(not s.ok for s in wrong.samples)} beyond tolerance" in drawn
    film = judge_density([Sample(p, float(Viewing().printed(p))) for p in np.linspace(0, 1, 16)], Viewing())
    assert "Optical density" in plot(film)
    assert "beyond" not in plot(film)


STEPS = (Sample(0.0, 0.8), Sample(128 / 255, 55.5), Sample(1.0, 350.0))


@pytest.mark.parametrize(
    "text",
    [
        "level;cd/m2\n0;0,8\n128;55,5\n255;350,0\n",
        "level,cd/m2\n0,0.8\n128,55.5\n255,350\n",
        "255,350\n0,0.8\n128,55.5\n",
        "0\t0,8\r\n128\t55,5\r\n255\t350\r\n",
        "0 0,8\n128 55,5\n255   350,0\n",
        "# a meter\nMeter XY; serial 12\nLevel;Luminance\n\n0;0.8 cd/m2\n128;55.5cd/m²\n255;350 nit\n",
        "time;level\n0;0.8\n128;55.5\n255;350\n",
        "DDL,x,y,Lv (cd/m2)\n0,0.31,0.33,0.8\n128,0.31,0.33,55.5\n255,0.31,0.33,350\n",
        "sep=;\n0;0,79\n0;0,81\n128;55,5\n255;350\n",
        '"0","0,8"\n"128","55,5"\n"255","350,0"\n',
        "0;0,8;\n128;55,5;\n255;350;\n",
        "0;8e-1\n128;5.55E1\n255;3.5e+2\n",
    ],
)
def test_tables_of_many_programs_are_read(text: str) -> None:
    found = read_table(text)
    assert [s.p_value for s in found] == [s.p_value for s in STEPS]
    assert [s.measured for s in found] == pytest.approx([s.measured for s in STEPS])


def test_steps_may_be_counted_from_one() -> None:
    text = "\n".join(f"{n};{n * 2}" for n in range(1, 17))
    assert [s.p_value for s in read_table(text, steps=16)] == pytest.approx(np.linspace(0, 1, 16).tolist())
    from_zero = "\n".join(f"{n};{n * 2}" for n in range(16) if n != 7)
    assert len(read_table(from_zero, steps=16)) == 15, "a step that was left out is no fault"
    with pytest.raises(ValueError, match="0 to 14; 16 steps"):
        read_table("\n".join(f"{n};{n * 2}" for n in range(15)), steps=16)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0,1\n1,2\n", "at least 3"),
        ("0,1\n1,x\n2,3\n", "line 2"),
        ("0,1\n1,nan\n2,3\n", "line 2"),
        ("0,1\n1,2\n1,3\n", "different"),
        ("0,0,8\n1,55,5\n2,350,0\n", "decimal commas"),
        ("0;1\n-1;2\n2;3\n", "line 2"),
        ("0;1\n1;2 lux\n2;3\n", "line 2"),
        ("nothing here\n", "0 measured"),
        ("", "0 measured"),
        ("level;cd\n" + "0;1\n" * 70001, "more than"),
    ],
)
def test_tables_that_cannot_be_judged_say_why(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_table(text)
