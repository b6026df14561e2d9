"""The simulated screen shows what the oracle computes, and each of its defects shows something else."""

from __future__ import annotations

import numpy as np
import pytest

from harness.actors.defects import registry as defects
from harness.actors.defects.softcopy import SOFTCOPY_DEFECTS
from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation.objects import NAMES, make, names_for
from harness.actors.presentation.softcopy import PATCHES, PIXEL_MM, SoftcopyBehaviour, SoftcopyDisplay
from harness.core.errors import UsageError
from harness.core.transcript import Transcript
from harness.imaging.geometry import screened
from harness.imaging.luts import Unit
from harness.imaging.measured import judge_luminance
from harness.imaging.tables import read_table
from harness.profiles.cpi import appearance

#: the requirements that pictures and measurements are about
SHOWN = {make(name, SUBJECTS[0], uid_source(1)).requirement for name in NAMES} | {"CPI-DISP-01"}


def shown(name: str, behaviour: SoftcopyBehaviour) -> tuple[Unit, Unit]:
    """What that screen shows of a test object, and what is right."""
    made = make(name, SUBJECTS[0], uid_source(1))
    wanted = appearance.of(made.image, made.state, made.frame)
    right = screened(wanted.p_values, wanted.placement, PIXEL_MM)
    return behaviour.shown(made.image, made.state, made.frame), right


def differs(name: str, behaviour: SoftcopyBehaviour) -> bool:
    found, right = shown(name, behaviour)
    return found.shape != right.shape or float(np.abs(found - right).max()) > 0.02


@pytest.mark.parametrize("name", NAMES)
def test_two_readings_of_the_same_objects_agree(name: str) -> None:
    assert not differs(name, SoftcopyBehaviour())


@pytest.mark.parametrize("row", [row for row in SOFTCOPY_DEFECTS if row[2].split()[0] in SHOWN], ids=lambda row: row[0])
def test_a_defect_shows_in_an_object_of_its_requirement(row: tuple[str, str, str, object]) -> None:
    behaviour = defects.behaviour("softcopy-display", [row[0]])
    if row[2] == "CPI-DISP-01":
        with SoftcopyDisplay("SCREEN", Transcript(), behaviour=behaviour) as display:
            assert not judge_luminance(read_table(display.measured())).ok
    else:
        assert any(differs(name, behaviour) for name in names_for(row[2].split()[0]))


def test_a_healthy_screen_is_measured_as_the_display_function_asks() -> None:
    with SoftcopyDisplay("SCREEN", Transcript()) as display:
        samples = read_table(display.measured())
        with pytest.raises(UsageError, match="was not sent"):
            display.show("1.2.3")
    assert len(samples) == PATCHES
    assert judge_luminance(samples).ok
