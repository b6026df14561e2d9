"""Performed steps that we report to a product: begin, images, end; what a scenario remembers of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from harness.actors import step_messages
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.objects import Sample
from harness.actors.orders.values import Code
from harness.actors.records import assign
from harness.actors.sender import Sender
from harness.actors.step_messages import StepPlan
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Step
from harness.core.errors import NonConformance, UsageError
from harness.profiles import names
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


def scheduled(context: ScenarioContext, wanted: str) -> list[Step]:
    """Steps of the scenario by their names, separated by commas. Raises UsageError for one that nobody scheduled."""
    known: dict[str, Step] = context.memory.get("steps", {})
    steps = [name.strip() for name in wanted.split(",")]
    if missing := [name for name in steps if name not in known]:
        raise UsageError(f"no step {', '.join(missing)} was scheduled; known: {', '.join(known) or 'none'}")
    return [known[name] for name in steps]


def worklist_entries(context: ScenarioContext, wanted: str) -> list[Dataset]:
    """What the modality knows of scheduled steps: from the worklist of an order filler under test, else from ours."""
    steps = scheduled(context, wanted)
    if context.tags.actor != names.ORDER_FILLER:
        return [_dataset(step.entry) for step in steps]
    return [_offered(context, step) for step in steps]


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


def create(
    context: ScenarioContext, name: str, entries: Sequence[Dataset], plan: StepPlan, sender: Sender
) -> Performed:
    """Send the N-CREATE of a step; raises NonConformance if it is not taken."""
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


def start(context: ScenarioContext, wanted: str) -> Performed:
    """Begin one step, or several as a group."""
    entries = worklist_entries(context, wanted)
    modality = context.lab.modality
    context.begin()
    return create(context, wanted, entries, modality.plan_for(entries), modality)


def acquire(context: ScenarioContext, performed: Performed, images: int) -> None:
    """Make the images of a step, without sending them."""
    modality = context.lab.modality
    if images:
        performed.samples = modality.acquire(performed.entries, performed.plan, performed.uid, images=images)


def store(context: ScenarioContext, samples: Sequence[Sample]) -> None:
    """Send images to an archive under test; other products get none. Before the step ends, as a modality stores."""
    if samples and context.tags.actor == names.IMAGE_MANAGER:
        context.converse(
            "RAD-8-SCP-01", "Storing the images", lambda: context.lab.modality.store(context.lab.product, samples)
        )


def end(context: ScenarioContext, performed: Performed, reason: str | None = None) -> None:
    """Complete a step, or discontinue it for a code of CID 9300, a local one, or none (empty)."""
    samples, plan, created = performed.samples, performed.plan, performed.created
    if reason is None:
        _set(context, performed, step_messages.completion(samples, plan, created))
        return
    code = _REASONS.get(reason, Code(reason, "99IHEHARNESS", "Local reason")) if reason else None
    _set(context, performed, step_messages.discontinuation(samples, plan, created, code))


def performance(context: ScenarioContext, name: str) -> Performed:
    """What was begun under that name. Raises UsageError if nothing was."""
    try:
        return _steps(context)[name]
    except KeyError:
        raise UsageError(f"{name!r} was not started; known: {', '.join(_steps(context)) or 'none'}") from None
