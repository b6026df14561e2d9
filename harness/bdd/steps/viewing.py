"""Displays under test: what they show is exported and judged by its pixels, or seen by the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.actors.objects import SUBJECTS
from harness.actors.presentation import objects as presentation_objects
from harness.actors.presentation.parts import TestObject
from harness.bdd import pictures
from harness.bdd.context import ScenarioContext
from harness.bdd.registry import then, when
from harness.bdd.steps.presenting import fresh, keep, new_uid
from harness.bdd.steps.printing import send_objects
from harness.core.errors import Unjudgeable, UsageError
from harness.imaging.measured import judge_luminance
from harness.profiles.cpi import facts

_ROW = "CPI-DISP-01"


@when('the system under test shows the test object "{name:Text}"')
def product_shows(scenario_context: ScenarioContext, name: str) -> None:
    """Store an image and its presentation state into the product and have it shown; an exported picture is kept."""
    context = scenario_context
    made = presentation_objects.make(name, fresh(context, SUBJECTS[0]), lambda: new_uid(context))
    send_objects(context, [made])
    keep(context, list(made.datasets))
    right = pictures.record_expected(context, made)
    context.memory["shown"], context.memory["right picture"] = made, right
    with_state = f" with the presentation state {made.state.ContentLabel}" if made.state is not None else ""
    state = str(made.state.SOPInstanceUID) if made.state is not None else ""
    place = pictures.folder(context, "shown")
    outcome = context.act(
        "show-images",
        study=str(made.image.StudyInstanceUID),
        with_state=with_state,
        image=str(made.image.SOPInstanceUID),
        state=state,
        frame=made.frame,
        export=str(place),
        right=str(right),
    )
    picture = pictures.exported(context, outcome.answers, place)
    if picture is None:
        return
    fact: facts.Displayed = {
        "requirement": made.requirement,
        "image": str(made.image.SOPInstanceUID),
        "state": state,
        "frame": made.frame,
        "message": picture.seq,
    }
    region = outcome.answers.get("region")
    if region is not None:
        fact["region"] = _region(region)
    screen = context.lab.sut.display
    if screen.export:
        fact["values"] = screen.export
    if screen.pixel_mm:
        fact["pixel_mm"] = screen.pixel_mm
    if screen.characteristic:
        path = Path(context.lab.settings.sut).resolve().parent / screen.characteristic
        samples, _ = pictures.table(context, path)
        fact["characteristic"] = [[one.p_value, one.measured] for one in samples]
        fact["ambient"] = screen.ambient
    context.transcript.note(facts.DISPLAYED, {**fact})


def _region(said: Any) -> list[int]:
    """Left, top, width, height that a driver told. Raises UsageError for anything else."""
    if isinstance(said, list) and len(said) == 4 and all(isinstance(value, int | float) for value in said):
        return [round(value) for value in said]
    raise UsageError(f"the answer to show-images has the region {said!r}; it is [left, top, width, height] in pixels")


@then("the display shows what the test object asks")
def shows_what_is_asked(scenario_context: ScenarioContext) -> None:
    """Judge the exported picture by its pixels; without one, ask the operator, whom the report shows what is right."""
    context = scenario_context
    made: TestObject = context.memory["shown"]
    question = f"{made.question} Compare with {context.memory['right picture']}."
    if context.transcript.facts_of(facts.DISPLAYED):
        context.judge("requirement", made.requirement)
        if made.is_sized and not context.lab.sut.display.pixel_mm:
            context.attest(made.requirement, question)  # no picture tells how large it is on the screen
    elif detail := context.memory.get("action failed"):
        raise Unjudgeable(f"nothing was shown: {detail}")
    else:
        context.attest(made.requirement, question)


@when("the luminance of the display is measured")
def luminance_measured(scenario_context: ScenarioContext) -> None:
    """Ask for a table (CSV) of luminances at equal steps of P-Values, ambient light included, and plot it."""
    context = scenario_context
    path = pictures.folder(context, "measured") / "luminance.csv"
    context.act("measure-display", table=str(path))
    samples, message = pictures.table(context, path)
    ambient = context.lab.sut.display.ambient
    fact: facts.Luminances = {
        "message": message.seq,
        "samples": [[one.p_value, one.measured] for one in samples],
        "ambient": ambient,
    }
    context.transcript.note(facts.LUMINANCES, {**fact})
    try:
        curve = judge_luminance(samples, ambient=ambient)
    except ValueError as error:
        raise Unjudgeable(f"{path}: {error}") from error
    pictures.record_plot(context, curve, "Luminance of the display against the standard display function")
    context.judge("requirement", _ROW)
