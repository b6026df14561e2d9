"""Pixel by pixel: our pipeline and DCMTK on the same inputs."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.imaging.density import Viewing
from harness.imaging.gsdf import DisplayCurve
from tests.integration.imaging.cases import Case, all_cases
from tests.peers import require_program

CASES = all_cases()


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("case", CASES, ids=[f"{case.tool}-{case.name}" for case in CASES])
def test_same_picture_as_dcmtk(case: Case, tmp_path: Path) -> None:
    require_program(case.tool)
    theirs, ours = case.theirs(tmp_path), case.ours()
    assert theirs.shape == ours.shape
    assert theirs.max() > theirs.min(), "a picture of one value proves nothing"
    assert int(np.abs(theirs - ours).max()) <= case.allowed


def _curve_of_dcmdspfn(folder: Path, *options: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    target = folder / "curve.txt"
    subprocess.run(["dcmdspfn", *options, "+Og", str(target)], check=True, capture_output=True, timeout=30)
    lines = [line.split() for line in target.read_text().splitlines() if line[:1].isdigit()]
    return np.array([[float(cell) for cell in line] for line in lines])


@pytest.mark.peer("dcmtk")
def test_display_function_is_that_of_dcmdspfn(tmp_path: Path) -> None:
    require_program("dcmdspfn")
    rows = _curve_of_dcmdspfn(tmp_path, "+Il", "0.5", "400", "+Cd", "256")
    ours = DisplayCurve(0.5, 400.0).of(rows[:, 0] / 255.0)
    assert len(rows) == 256
    assert np.abs(ours / rows[:, 1] - 1.0).max() < 2e-3


@pytest.mark.peer("dcmtk")
def test_film_density_is_that_of_dcmdspfn(tmp_path: Path) -> None:
    require_program("dcmdspfn")
    rows = _curve_of_dcmdspfn(tmp_path, "+Io", "0.2", "3.0", "+Cd", "256", "+Ca", "10", "+Ci", "2000")
    viewing = Viewing(2000.0, 10.0, 0.2, 3.0)
    values = rows[:, 0] / 255.0
    assert np.abs(viewing.luminance(viewing.printed(values)) / rows[:, 1] - 1.0).max() < 2e-3
