"""Steps that are performed: by a modality under test, or by ours for a product that is told of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from harness.actors import step_messages
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.objects import Subject
from harness.actors.performed_steps import COMPLETED
from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.ordered import patient_values
from harness.bdd.orders import Step
from harness.bdd.people import person
from harness.bdd.performances import (
    Performed,
    acquire,
    create,
    end,
    performance,
    scheduled,
    start,
    store,
    worklist_entries,
)
from harness.bdd.registry import PRODUCT, when
from harness.core.errors import UsageError
from harness.core.message import Direction
from harness.profiles import facts, names

_BOTH: Final = (PRODUCT, names.MODALITY)


def _ask(context: ScenarioContext, action: str, steps: list[Step], **more: object) -> None:
    """Ask the product to do something with scheduled steps."""
    context.act(action, step_ids=[step.step_id for step in steps], patient=steps[0].patient.name, **more)


def _perform(context: ScenarioContext, wanted: str, **more: object) -> None:
    steps = scheduled(context, wanted)
    _ask(context, "perform-step", steps, modality=str(steps[0].sps["Modality"]), commit=True, **more)


def _go_on(context: ScenarioContext, performed: Performed, images: int, reason: str | None = None) -> None:
    """The rest of a step of ours, from its images to its end."""
    acquire(context, performed, images)
    store(context, performed.samples)
    end(context, performed, reason)


# -- from begin to end -------------------------------------------------------------------------------------------


@when('{who:Party} performs "{steps:Text}" with {images:Count} image(s)', who=_BOTH)
def performs(scenario_context: ScenarioContext, who: str, steps: str, images: int) -> None:
    """Perform a step (several: a group) and store its images; a product asks for commitment as well.

    Our modality tells a product of it from begin to end; of the images an archive gets all, others none. Performing a
    step of ours again appends to it.
    """
    if who == PRODUCT:
        _perform(scenario_context, steps, images=images)
    else:
        _go_on(scenario_context, start(scenario_context, steps), images)


_MANNERS: Final[Mapping[str, Mapping[str, object]]] = {
    "but another procedure": {"protocol": "other"},
    "staying for the commitment report": {"stay": True},
}


def _manner(text: str) -> Mapping[str, object]:
    if found := re.fullmatch(r"rejecting (\d+)", text):
        return {"reject": int(found[1])}
    if text not in _MANNERS:
        raise UsageError(f"a step is not performed {text!r}; known: rejecting <number>, {', '.join(_MANNERS)}")
    return _MANNERS[text]


@when('the system under test performs "{steps:Text}" with {images:Count} image(s), {manner:Text}')
def performs_in_a_manner(scenario_context: ScenarioContext, steps: str, images: int, manner: str) -> None:
    """The same, `rejecting <number>`, `but another procedure`, or `staying for the commitment report`.

    Rejected images must not be part of the step. A product that stays keeps the association of its commitment request
    open until the report has come.
    """
    _perform(scenario_context, steps, images=images, **_manner(manner))


@when('{who:Party} abandons "{steps:Text}" after {images:Count} image(s) for the reason "{reason:Text}"', who=_BOTH)
def abandons(scenario_context: ScenarioContext, who: str, steps: str, images: int, reason: str) -> None:
    """Discontinue a step: a code of CID 9300 as the reason; ours also a local code, or none (empty)."""
    if who == PRODUCT:
        _perform(scenario_context, steps, images=images, end="discontinued", reason=reason)
    else:
        _go_on(scenario_context, start(scenario_context, steps), images, reason)


@when('{who:Party} performs an unscheduled examination of "{patient:Text}" with {images:Count} image(s)', who=_BOTH)
def performs_unscheduled(scenario_context: ScenarioContext, who: str, patient: str, images: int) -> None:
    """Examine somebody whom nobody has ordered to; a later order of ours for the patient is for this exam."""
    context, subject = scenario_context, person(patient)
    if who == PRODUCT:
        context.act(
            "perform-unscheduled",
            patient=subject.name,
            patient_id=subject.patient_id,
            images=images,
            modality="DX",
            commit=True,
        )
        return
    modality = context.lab.modality
    patient_id = str(patient_values(context, patient)["PatientID"])
    known = Subject(subject.name, patient_id, subject.birth_date, subject.sex, subject.character_set)
    context.begin()
    performed = create(context, patient, [], replace(modality.plan_for([]), subject=known), modality)
    _go_on(context, performed, images)
    context.memory.setdefault("exams", {})[patient] = performed.study_uid


# -- in parts ----------------------------------------------------------------------------------------------------


@when('the Acquisition Modality starts "{step:Text}"')
def starts(scenario_context: ScenarioContext, step: str) -> None:
    """Say that a step is in progress, before any image."""
    start(scenario_context, step)


@when('the system under test starts "{step:Text}" with {images:Count} image(s)')
def product_starts(scenario_context: ScenarioContext, step: str, images: int) -> None:
    """Have the product start a scheduled step and acquire images; it does not end the step yet."""
    steps = scheduled(scenario_context, step)
    _ask(scenario_context, "start-step", steps, modality=str(steps[0].sps["Modality"]), images=images)


@when('{who:Party} ends "{step:Text}" with {images:Count}( more) image(s)', who=_BOTH)
def ends(scenario_context: ScenarioContext, who: str, step: str, images: int) -> None:
    """Acquire the rest of a step that was started, complete it and store; a product asks for commitment as well."""
    if who == PRODUCT:
        scheduled(scenario_context, step)
        scenario_context.act("finish-step", images=images, commit=True)
    else:
        _go_on(scenario_context, performance(scenario_context, step), images)


@when('the Acquisition Modality ends "{step:Text}" with {images:Count} image(s), storing all but {held:Count}')
def ends_holding_back(scenario_context: ScenarioContext, step: str, images: int, held: int) -> None:
    """Complete a step that references more images than were stored so far."""
    performed = performance(scenario_context, step)
    acquire(scenario_context, performed, images)
    store(scenario_context, performed.samples[: images - held])
    scenario_context.memory["held back"] = list(performed.samples[images - held :])
    end(scenario_context, performed)


@when("the Acquisition Modality stores what it held back")
def stores_the_rest(scenario_context: ScenarioContext) -> None:
    """Store the rest of the images of the step before."""
    scenario_context.begin()
    store(scenario_context, scenario_context.memory.pop("held back"))


# -- afterwards --------------------------------------------------------------------------------------------------


@when('the system under test appends {images:Count} image(s) to "{steps:Text}"')
def product_appends(scenario_context: ScenarioContext, images: int, steps: str) -> None:
    """Have the product append images to a step that it completed before: a new performed step."""
    _ask(scenario_context, "append-to-step", scheduled(scenario_context, steps), images=images, commit=True)


@when('the system under test moves the images of the wrong entry to "{step:Text}"')
def product_reassigns(scenario_context: ScenarioContext, step: str) -> None:
    """Have the product do the examination, discontinued for 110514, anew on the right entry."""
    _ask(scenario_context, "reassign-step", scheduled(scenario_context, step), commit=True)


@when('the Evidence Creator reports its work on the study "{name:Text}"')
def creator_reports(scenario_context: ScenarioContext, guests: Guests, name: str) -> None:
    """A creator step: created, derived images (stored into an archive under test), completed."""
    context = scenario_context
    creator = guests.invite(EvidenceCreator)
    sources = [sample.dataset for sample in context.lab.studies.study(name).samples]
    plan = creator.plan_for(sources)
    context.begin()
    performed = create(context, f"work on {name}", [], plan, creator)
    performed.samples = creator.derive(sources, step_uid=performed.uid, plan=plan)
    if context.tags.actor == names.IMAGE_MANAGER:
        context.converse(
            "RAD-18-SCP-01",
            "Storing the derived images",
            lambda: creator.store(context.lab.product, performed.samples),
        )
    end(context, performed)


# -- what must be refused ----------------------------------------------------------------------------------------


def _begun(status: str) -> Callable[[ScenarioContext, str], None]:
    """An N-CREATE with another status than IN PROGRESS."""

    def begin(context: ScenarioContext, step: str) -> None:
        entries, modality = worklist_entries(context, step), context.lab.modality
        dataset = step_messages.creation(entries, modality.plan_for(entries))
        dataset.PerformedProcedureStepStatus = status
        context.begin()
        context.converse("RAD-6-SCP-02", "The N-CREATE", lambda: modality.create_step(context.lab.product, dataset))

    return begin


def _begun_twice(context: ScenarioContext, step: str) -> None:
    """An N-CREATE of an instance that exists."""
    performed = performance(context, step)
    context.begin()
    context.converse(
        "RAD-6-SCP-03",
        "The second N-CREATE",
        lambda: performed.sender.create_step(context.lab.product, performed.created, performed.uid),
    )


def _changed_after_its_end(context: ScenarioContext, step: str) -> None:
    """An N-SET of a step that is completed."""
    performed = performance(context, step)
    dataset = step_messages.completion(performed.samples, performed.plan, performed.created, status=COMPLETED)
    context.begin()
    context.converse(
        "RAD-7-SCP-01",
        "The N-SET after the end",
        lambda: performed.sender.set_step(context.lab.product, performed.uid, dataset),
    )


def _ended_unbegun(context: ScenarioContext, step: str) -> None:
    """An N-SET of an instance that does not exist."""
    del step
    modality = context.lab.modality
    plan = modality.plan_for([])
    samples = modality.acquire([], plan, modality.uid(), images=1)
    dataset = step_messages.completion(samples, plan, step_messages.creation([], plan))
    context.begin()
    context.converse(
        "RAD-7-SCP-02",
        "The N-SET of an unknown step",
        lambda: modality.set_step(context.lab.product, modality.uid(), dataset),
    )


#: what is wrong with a report: how it is made, the message that is wrong, its rule, the status that refuses it
_WRONGS: Final[Mapping[str, tuple[Callable[[ScenarioContext, str], None], str, str, int]]] = {
    "begun as COMPLETED": (_begun("COMPLETED"), "N-CREATE-RQ", "create-status", 0x0106),
    "begun as DISCONTINUED": (_begun("DISCONTINUED"), "N-CREATE-RQ", "create-status", 0x0106),
    "begun twice": (_begun_twice, "N-CREATE-RQ", "create-duplicate", 0x0111),
    "changed after its end": (_changed_after_its_end, "N-SET-RQ", "set-final", 0x0110),
    "ended and never begun": (_ended_unbegun, "N-SET-RQ", "set-unknown", 0x0112),
}


@when('the Acquisition Modality wrongly reports "{step:Text}" as "{wrong:Text}"', wrong=tuple(_WRONGS))
def wrongly_reports(scenario_context: ScenarioContext, step: str, wrong: str) -> None:
    """Send an N-CREATE or N-SET that has to be refused; where the step was not begun, any name will do."""
    if wrong not in _WRONGS:
        raise UsageError(f"{wrong!r} is no wrong report; known: {', '.join(_WRONGS)}")
    make, kind, rule, status = _WRONGS[wrong]
    make(scenario_context, step)
    sent = scenario_context.transcript.select(kind, direction=Direction.TO_SUT)
    note: dict[str, Any] = {"message": sent[-1].seq, "rule": rule, "statuses": [status]}
    scenario_context.transcript.note(facts.NEGATIVE, note)
