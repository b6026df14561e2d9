"""Receivers of performed steps under test: our modality (or evidence creator) reports, destinations may be away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydicom.dataset import Dataset

from harness.actors import step_messages
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.objects import Sample, Subject
from harness.actors.orders import Code
from harness.actors.performed_steps import COMPLETED
from harness.actors.records import assign
from harness.actors.sender import Sender
from harness.actors.step_messages import StepPlan
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.guests import Guests
from harness.bdd.ordered import patient_values
from harness.bdd.orders import Step
from harness.bdd.people import person
from harness.bdd.registry import when
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction
from harness.profiles import facts, names
from harness.protocols.dicom.node import Answer

#: reasons of CID 9300 that the scenarios name, with their meaning; others are local codes
_REASONS = {
    code.value: code
    for code in (
        step_messages.DOCTOR_CANCELLED,
        step_messages.UNSPECIFIED_REASON,
        step_messages.INCORRECT_WORKLIST_ENTRY,
        Code("110501", "DCM", "Equipment failure"),
    )
}
#: what is broken by a receiver that refuses the regular end of a step
_END_REFUSED = {
    names.PPS_MANAGER: "RAD-7-SCP-03",
    names.ORDER_FILLER: "RAD-7-SCP-04",
    names.IMAGE_MANAGER: "RAD-6-SCP-10",
}


@dataclass(slots=True)
class Performed:
    """One performed step that we reported: what was sent so far."""

    uid: str
    plan: StepPlan
    entries: Sequence[Dataset]
    created: Dataset
    sender: Sender
    samples: Sequence[Sample] = ()

    @property
    def study_uid(self) -> str:
        """The study of its first scheduled step, or of the unscheduled exam."""
        return str(self.created.ScheduledStepAttributesSequence[0].StudyInstanceUID)


# -- worklist entries --------------------------------------------------------------------------------------------


def _dataset(values: Mapping[str, Any]) -> Dataset:
    """A worklist entry by keyword as a data set."""
    made = Dataset()
    for keyword, value in values.items():
        nested = isinstance(value, list | tuple) and value and isinstance(value[0], Mapping)
        assign(made, keyword, [_dataset(item) for item in value] if nested else value)
    return made


def _entries(context: ScenarioContext, wanted: str) -> list[Dataset]:
    """What the modality knows of scheduled steps: from the worklist of an order filler under test, else from ours."""
    known: dict[str, Step] = context.memory.get("steps", {})
    steps = [name.strip() for name in wanted.split(",")]
    if missing := [name for name in steps if name not in known]:
        raise UsageError(f"no step {', '.join(missing)} was scheduled; known: {', '.join(known) or 'none'}")
    if context.tags.actor != names.ORDER_FILLER:
        return [_dataset(known[name].entry) for name in steps]
    return [_offered(context, known[name]) for name in steps]


def _offered(context: ScenarioContext, step: Step) -> Dataset:
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    keys = {"PatientID": str(step.entry["PatientID"])}
    replies = context.converse("RAD-5-SCP-01", "The worklist query", lambda: user.query(context.lab.product, keys))
    for entry in replies.datasets():
        if str(step_messages.scheduled_step(entry).get("ScheduledProcedureStepID", "")) == step.step_id:
            return entry
    summary = f"The worklist does not offer the step {step.step_id} of {step.patient.name}"
    context.broken("RAD-5-SCP-08", summary, expected=(step.step_id,), actual=f"{len(replies.pending)} other entries")
    raise NonConformance(summary, tuple(context.findings))


# -- reporting ---------------------------------------------------------------------------------------------------


def _steps(context: ScenarioContext) -> dict[str, Performed]:
    steps: dict[str, Performed] = context.memory.setdefault("performed", {})
    return steps


def _create(
    context: ScenarioContext, name: str, entries: Sequence[Dataset], plan: StepPlan, sender: Sender
) -> Performed:
    created = step_messages.creation(entries, plan)
    if isinstance(sender, EvidenceCreator):
        demanded = "RAD-20-SCP-01"
    elif not entries and context.tags.actor == names.ORDER_FILLER:
        demanded = "RAD-6-SCP-08"
    else:
        demanded = "RAD-6-SCP-01"
    demanded = "RAD-6-SCP-06" if context.lab.away else demanded
    uid, answer = context.converse(
        demanded, "The N-CREATE", lambda: sender.create_step(context.lab.product, created, sender.uid())
    )
    _accepted(context, answer, demanded, "The beginning of a step")
    performed = Performed(uid, plan, entries, created, sender)
    _steps(context)[name] = performed
    return performed


def _set(context: ScenarioContext, performed: Performed, dataset: Dataset) -> None:
    demanded = "RAD-6-SCP-06" if context.lab.away else _END_REFUSED[context.tags.actor]
    if isinstance(performed.sender, EvidenceCreator):
        demanded = "RAD-20-SCP-01"
    answer = context.converse(
        demanded, "The N-SET", lambda: performed.sender.set_step(context.lab.product, performed.uid, dataset)
    )
    _accepted(context, answer, demanded, "A change of a step in progress")


def _accepted(context: ScenarioContext, answer: Answer, demanded: str, what: str) -> None:
    if answer.status != 0:
        summary = f"{what} was answered {answer.status:04X}"
        context.broken(demanded, summary, expected=("0000",), actual=f"{answer.status:04X}", locator="Status")
        raise NonConformance(summary, tuple(context.findings))


def _start(context: ScenarioContext, names_: str) -> Performed:
    entries = _entries(context, names_)
    modality = context.lab.modality
    context.begin()
    return _create(context, names_, entries, modality.plan_for(entries), modality)


def _acquire(context: ScenarioContext, performed: Performed, images: int) -> None:
    """Make the images of a step; an archive under test gets them before the step ends, as a modality stores."""
    modality = context.lab.modality
    if images:
        performed.samples = modality.acquire(performed.entries, performed.plan, performed.uid, images=images)


def _store(context: ScenarioContext, samples: Sequence[Sample]) -> None:
    if samples and context.tags.actor == names.IMAGE_MANAGER:
        context.converse(
            "RAD-8-SCP-01", "Storing the images", lambda: context.lab.modality.store(context.lab.product, samples)
        )


def _end(context: ScenarioContext, performed: Performed, reason: str | None = None) -> None:
    samples, plan, created = performed.samples, performed.plan, performed.created
    if reason is None:
        _set(context, performed, step_messages.completion(samples, plan, created))
        return
    code = _REASONS.get(reason, Code(reason, "99IHEHARNESS", "Local reason")) if reason else None
    _set(context, performed, step_messages.discontinuation(samples, plan, created, code))


def performed_as(context: ScenarioContext, name: str) -> Performed:
    try:
        return _steps(context)[name]
    except KeyError:
        raise UsageError(f"{name!r} was not started; known: {', '.join(_steps(context)) or 'none'}") from None


@when('the Acquisition Modality performs "{wanted:Text}" with {images:Count} image')
@when('the Acquisition Modality performs "{wanted:Text}" with {images:Count} images')
def modality_performs(scenario_context: ScenarioContext, wanted: str, images: int) -> None:
    """Report a step (several: a group) from its begin to its end; an archive gets the images. Again: append."""
    performed = _start(scenario_context, wanted)
    _acquire(scenario_context, performed, images)
    _store(scenario_context, performed.samples)
    _end(scenario_context, performed)


@when('the Acquisition Modality starts "{wanted:Text}"')
def modality_starts(scenario_context: ScenarioContext, wanted: str) -> None:
    """Report that a step is in progress."""
    _start(scenario_context, wanted)


@when('the Acquisition Modality ends "{wanted:Text}" with {images:Count} images')
def modality_ends(scenario_context: ScenarioContext, wanted: str, images: int) -> None:
    """Acquire, store and complete a step that was started."""
    performed = performed_as(scenario_context, wanted)
    _acquire(scenario_context, performed, images)
    _store(scenario_context, performed.samples)
    _end(scenario_context, performed)


@when('the Acquisition Modality ends "{wanted:Text}" with {images:Count} images, storing all but {held:Count}')
def modality_holds_back(scenario_context: ScenarioContext, wanted: str, images: int, held: int) -> None:
    """Complete a step that references more images than were stored so far."""
    performed = performed_as(scenario_context, wanted)
    _acquire(scenario_context, performed, images)
    _store(scenario_context, performed.samples[: images - held])
    scenario_context.memory["held back"] = list(performed.samples[images - held :])
    _end(scenario_context, performed)


@when("the Acquisition Modality stores what it held back")
def modality_stores_rest(scenario_context: ScenarioContext) -> None:
    """Store the rest of the images of the step before."""
    scenario_context.begin()
    _store(scenario_context, scenario_context.memory.pop("held back"))


@when('the Acquisition Modality abandons "{wanted:Text}" after {images:Count} images for the reason "{reason:Text}"')
def modality_abandons(scenario_context: ScenarioContext, wanted: str, images: int, reason: str) -> None:
    """Report a step that is discontinued: a code of CID 9300, a local code, or none (empty)."""
    performed = _start(scenario_context, wanted)
    _acquire(scenario_context, performed, images)
    _store(scenario_context, performed.samples)
    _end(scenario_context, performed, reason)


@when('the Acquisition Modality performs an unscheduled examination of "{key:Text}" with {images:Count} images')
def modality_unscheduled(scenario_context: ScenarioContext, key: str, images: int) -> None:
    """Report a step that nobody has ordered; an order for the patient that follows is for this exam."""
    context, modality, who = scenario_context, scenario_context.lab.modality, person(key)
    patient_id = str(patient_values(context, key)["PatientID"])
    subject = Subject(who.name, patient_id, who.birth_date, who.sex, who.character_set)
    context.begin()
    performed = _create(context, key, [], replace(modality.plan_for([]), subject=subject), modality)
    _acquire(context, performed, images)
    _store(context, performed.samples)
    _end(context, performed)
    context.memory.setdefault("exams", {})[key] = performed.study_uid


# -- what must be refused ----------------------------------------------------------------------------------------


def _note_negative(context: ScenarioContext, kind: str, rule: str, *statuses: int) -> None:
    sent = context.transcript.select(kind, direction=Direction.TO_SUT)
    context.transcript.note(facts.NEGATIVE, {"message": sent[-1].seq, "rule": rule, "statuses": list(statuses)})


@when('the Acquisition Modality reports "{wanted:Text}" as "{status:Text}" at once')
def modality_creates_final(scenario_context: ScenarioContext, wanted: str, status: str) -> None:
    """An N-CREATE with another status than IN PROGRESS."""
    context, modality = scenario_context, scenario_context.lab.modality
    entries = _entries(context, wanted)
    dataset = step_messages.creation(entries, modality.plan_for(entries))
    dataset.PerformedProcedureStepStatus = status
    context.begin()
    context.converse("RAD-6-SCP-02", "The N-CREATE", lambda: modality.create_step(context.lab.product, dataset))
    _note_negative(context, "N-CREATE-RQ", "create-status", 0x0106)


@when('the Acquisition Modality creates the performed step of "{wanted:Text}" once more')
def modality_creates_twice(scenario_context: ScenarioContext, wanted: str) -> None:
    """An N-CREATE of an instance that exists."""
    context, performed = scenario_context, performed_as(scenario_context, wanted)
    context.begin()
    context.converse(
        "RAD-6-SCP-03",
        "The second N-CREATE",
        lambda: performed.sender.create_step(context.lab.product, performed.created, performed.uid),
    )
    _note_negative(context, "N-CREATE-RQ", "create-duplicate", 0x0111)


@when('the Acquisition Modality changes the performed step of "{wanted:Text}" after its end')
def modality_changes_final(scenario_context: ScenarioContext, wanted: str) -> None:
    """An N-SET of a step that is completed."""
    context, performed = scenario_context, performed_as(scenario_context, wanted)
    dataset = step_messages.completion(performed.samples, performed.plan, performed.created, status=COMPLETED)
    context.begin()
    context.converse(
        "RAD-7-SCP-01",
        "The N-SET after the end",
        lambda: performed.sender.set_step(context.lab.product, performed.uid, dataset),
    )
    _note_negative(context, "N-SET-RQ", "set-final", 0x0110)


@when("the Acquisition Modality changes a performed step that nobody created")
def modality_changes_unknown(scenario_context: ScenarioContext) -> None:
    """An N-SET of an instance that does not exist."""
    context, modality = scenario_context, scenario_context.lab.modality
    plan = modality.plan_for([])
    samples = modality.acquire([], plan, modality.uid(), images=1)
    dataset = step_messages.completion(samples, plan, step_messages.creation([], plan))
    context.begin()
    context.converse(
        "RAD-7-SCP-02",
        "The N-SET of an unknown step",
        lambda: modality.set_step(context.lab.product, modality.uid(), dataset),
    )
    _note_negative(context, "N-SET-RQ", "set-unknown", 0x0112)


# -- an evidence creator that reports ----------------------------------------------------------------------------


@when('the Evidence Creator reports its work on the study "{name:Text}"')
def creator_reports(scenario_context: ScenarioContext, guests: Guests, name: str) -> None:
    """A creator step: created, derived images (stored into an archive under test), completed."""
    context = scenario_context
    creator = guests.invite(EvidenceCreator)
    sources = [sample.dataset for sample in context.lab.library.study(name).samples]
    plan = creator.plan_for(sources)
    context.begin()
    performed = _create(context, f"work on {name}", [], plan, creator)
    performed.samples = creator.derive(sources, step_uid=performed.uid, plan=plan)
    if context.tags.actor == names.IMAGE_MANAGER:
        context.converse(
            "RAD-18-SCP-01",
            "Storing the derived images",
            lambda: creator.store(context.lab.product, performed.samples),
        )
    _end(context, performed)
