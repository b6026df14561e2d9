"""Presentation states of the reference modality: judged by the checks, rendered as DCMTK renders them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from harness.core.check import Declaration
from harness.imaging import phantoms
from harness.imaging.luts import quantized
from harness.imaging.phantoms import PixelFormat
from harness.imaging.render import render
from harness.modality.objects import View, presentation_state
from harness.profiles.cpi import reading
from harness.profiles.cpi.checks import states, states_content
from harness.protocols.dicom.datasets import encode
from tests.integration.imaging import dcmtk, objects
from tests.peers import require_program
from tests.unit.profiles.builders import EXPLICIT, FROM_SUT, Story

VIEWS = {
    "plain": View(center=2048, width=4096),
    "window and inverse": View(center=1500, width=900, invert=True),
    "turned": View(center=2048, width=4096, rotation=90),
    "turned and flipped": View(center=2048, width=4096, rotation=270, flip_h=True),
    "flipped over": View(center=2048, width=4096, flip_v=True),
}
#: what needs performed steps or commitment to look at
_ELSEWHERE = ("state-committed",)


def _made(view: View) -> tuple[Dataset, Dataset]:
    image = objects.image(phantoms.chest(48, 64, form=PixelFormat(12)))
    base = objects.state(image)
    common = Dataset()
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
        "AccessionNumber", "ReferringPhysicianName", "StudyID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
        "Manufacturer", "Modality",
    ):  # fmt: skip
        setattr(common, keyword, base.get(keyword))
    common.SOPClassUID, common.SOPInstanceUID = UID(objects.GRAYSCALE_PRESENTATION_STATE), base.SOPInstanceUID
    common.ContentDate, common.ContentTime, common.OperatorsName = "20240102", "120000", "Tech^Tom"
    state = presentation_state(common, [image], view, "VIEW", "as looked at")
    state.file_meta = base.file_meta
    return image, state


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_states_of_the_reference_modality_are_right(view: View) -> None:
    image, state = _made(view)
    story = Story(Declaration(frozenset({"Acquisition Modality"}), frozenset({"CPI"})))
    for name, ds in (("image", image), ("state", state)):
        uid = str(ds.SOPInstanceUID)
        event = story.ask(name, "C-STORE-RQ", FROM_SUT, str(ds.SOPClassUID), instance=uid)
        event.raw = encode(ds, EXPLICIT)
    exchange = story.exchange()
    for check in (*states.CHECKS, *states_content.CHECKS):
        seen = list(check(exchange))
        assert seen or check.id in _ELSEWHERE, check.id
        assert all(one.ok for one in seen), [one.summary for one in seen if not one.ok]


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_states_of_the_reference_modality_look_the_same_in_dcmtk(view: View, tmp_path: Path) -> None:
    require_program("dcmp2pgm")
    image, state = _made(view)
    theirs = dcmtk.dcmp2pgm(tmp_path, image, state)
    ours = quantized(render(reading.image(image), reading.presentation_state(state, image=image)).p_values, 8)
    assert theirs.shape == ours.shape
    assert np.abs(theirs - ours).max() <= 1
