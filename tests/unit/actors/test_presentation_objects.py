"""Display test objects: valid, telling, and each different from what a display shows that ignores the state."""

from __future__ import annotations

import numpy as np
import pytest

from harness.actors.evidence_states import presentation_state
from harness.actors.objects import SUBJECTS, uid_source
from harness.actors.presentation.objects import NAMES, make, names_for
from harness.core.errors import UsageError
from harness.imaging.presentation import PresentationState
from harness.imaging.render import render
from harness.profiles import requirements
from harness.profiles.cpi import appearance, reading
from harness.protocols.dicom.datasets import encode
from harness.protocols.dicom.uids import EXPLICIT_VR_LE
from harness.validation.finding import Severity
from harness.validation.objects import validate_dataset_bytes


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_valid_and_about_a_known_requirement(name: str) -> None:
    made = make(name, SUBJECTS[0], uid_source(1))
    assert made.requirement in requirements()
    for ds in made.datasets:
        found = validate_dataset_bytes(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE, None)
        assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []


#: what is about the size on the screen, or about nothing at all
_SAME = ("rotation 0, flip N", "true size", "magnify", "pixels that are not square")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in _SAME])
def test_who_ignores_what_the_object_says_shows_another_picture(name: str) -> None:
    made = make(name, SUBJECTS[0], uid_source(1))
    image = reading.image(made.image)
    naive = render(image, PresentationState(), frame=made.frame).p_values
    right = appearance.of(made.image, made.state, made.frame).p_values
    if name == "photometric interpretation":  # here the state says that the pixels are to be shown as they are
        naive = 1.0 - naive
    if name == "image that the state does not name":
        assert made.state is not None
        naive = render(image, reading.presentation_state(made.state, image=made.image)).p_values
    assert right.shape != naive.shape or np.abs(right - naive).max() > 0.2


def test_every_row_about_pictures_has_an_object_and_luminance_is_measured() -> None:
    rows = {row for row in requirements() if row.startswith("CPI-DISP")}
    assert {row for row in rows if not names_for(row)} == {"CPI-DISP-01"}


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="shutters"):
        make("nonsense", SUBJECTS[0], uid_source(1))


def test_an_evidence_creator_makes_a_state_for_images_of_all_sizes_that_share_their_rescale() -> None:
    small, large = (make(name, SUBJECTS[0], uid_source(2)).image for name in ("VOI window", "true size"))
    other = make("modality rescale", SUBJECTS[0], uid_source(3)).image
    state = presentation_state([small, large, other], uid_source(4))
    found = validate_dataset_bytes(encode(state, EXPLICIT_VR_LE), EXPLICIT_VR_LE, None)
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []
    assert reading.presentation_state(state).area(str(large.SOPInstanceUID)) is not None
    assert len(state.DisplayedAreaSelectionSequence) == 2
    named = [
        item.ReferencedSOPInstanceUID for s in state.ReferencedSeriesSequence for item in s.ReferencedImageSequence
    ]
    assert str(other.SOPInstanceUID) not in named
    assert (state.PatientID, state.StudyInstanceUID) == (small.PatientID, small.StudyInstanceUID)
