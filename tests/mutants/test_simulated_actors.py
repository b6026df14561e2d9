"""Every seeded defect of a simulated actor is found, by exactly the requirements that it breaks; variants are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest

from harness.actors.defects import registry as defects
from harness.core.transcript import Transcript
from tests.integration.actors import battery, battery_steps, judging

UNDER_TEST: dict[str, tuple[Callable[[Sequence[str]], AbstractContextManager[tuple[Transcript, Any]]], str]] = {
    "image-manager": (battery.archive_under_test, "Image Manager/Archive"),
    "order-filler": (battery_steps.filler_under_test, "DSS/Order Filler"),
    "pps-manager": (battery_steps.manager_under_test, "PPS Manager"),
}
#: those of print and media actors are judged in tests/integration, each beside the exchange that shows it
#: what leaves out a service breaks all that the battery builds on it: `ihe-harness mutants` runs scenarios instead
BY_SCENARIO = {
    "archive-drops-derived",
    "archive-wants-a-step",
    "archive-wants-an-order",
    "archive-delivers-nothing",
    "archive-no-image-level",
    "archive-refuses-secondary-capture",
    "archive-ignores-cancel",
}
DEFECTS = tuple(each for each in defects.DEFECTS if each.actor in UNDER_TEST and each.id not in BY_SCENARIO)
VARIANTS = tuple(each for each in defects.VARIANTS if each.actor in UNDER_TEST)
#: the least that a healthy actor is judged on: a battery that looks at nothing finds nothing
JUDGED = {"image-manager": 50, "order-filler": 35, "pps-manager": 12}


def outcome(actor: str, *ids: str) -> judging.Outcome:
    under_test, name = UNDER_TEST[actor]
    with under_test(ids) as (transcript, tester):
        tester.run()
    return judging.found(transcript, name, case_sensitive=any("case-sensitive" in one for one in ids))


@pytest.mark.parametrize("actor", UNDER_TEST)
def test_a_healthy_actor_is_judged_and_nothing_is_broken(actor: str) -> None:
    healthy = outcome(actor)
    assert healthy.broken == {}
    assert len(healthy.judged) >= JUDGED[actor]


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: each.id)
def test_a_defect_breaks_exactly_what_it_says(defect: defects.Defect) -> None:
    broken = outcome(defect.actor, defect.id).broken
    assert set(broken) == defect.breaks, broken


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.id)
def test_a_legal_variant_breaks_nothing(variant: defects.Defect) -> None:
    assert outcome(variant.actor, variant.id).broken == {}
