"""An archive that refuses images is told so, and not blamed for what follows from it."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.actors.acquisition import Acquisition
from harness.actors.defects import registry as defects
from harness.actors.image_manager import ImageManager
from harness.bdd.context import ScenarioContext
from harness.bdd.steps import storing
from harness.bdd.studies import StudyLibrary
from harness.bdd.tags import read
from harness.core.errors import NonConformance
from harness.core.transcript import Transcript
from harness.profiles import facts

TAGS = ("profile:SWF", "actor:image-manager", "transaction:RAD-8")


@pytest.mark.parametrize(("ids", "refuses"), [((), False), (("archive-wants-a-step",), True)])
def test_a_study_that_is_refused_ends_the_scenario_there(tmp_path: Path, ids: tuple[str, ...], refuses: bool) -> None:
    transcript = Transcript()
    behaviour = defects.behaviour("image-manager", ids)
    with (
        Acquisition("MODALITY", transcript) as modality,
        ImageManager("SUT", Transcript(), storage=tmp_path, behaviour=behaviour) as product,
    ):
        lab: Any = SimpleNamespace(modality=modality, product=product.address, studies=StudyLibrary(random.Random(3)))
        context = ScenarioContext(lab, transcript, read(TAGS), "x", strict=False)
        if refuses:
            with pytest.raises(NonConformance, match="images of the study 'ct of doe' were refused"):
                storing.modality_stores(context, "ct of doe")
        else:
            storing.modality_stores(context, "ct of doe")
    assert {finding.requirement for finding in context.findings} == ({"RAD-8-SCP-01"} if refuses else set())
    assert bool(transcript.facts_of(facts.KNOWN_OBJECTS)) is not refuses
