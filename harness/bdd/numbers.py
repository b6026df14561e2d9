"""The numbers of steps that a product under test has scheduled: those that it was given, or those that it gave itself.

Steps, requested procedures, accessions and studies are numbered by the DSS/Order Filler (RAD TF-2 4.4, 4.5), so that
most products number what an operator enters, whatever the harness suggested.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydicom.dataset import Dataset

from harness.actors.step_messages import scheduled_step
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.orders import Step
from harness.core.errors import EnvironmentFailure, UsageError

_OF_PROCEDURE: Final = (
    "AccessionNumber",
    "RequestedProcedureID",
    "StudyInstanceUID",
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
)
_OF_STEP: Final = "ScheduledProcedureStepID"
#: what a driver says instead of the numbers, to have them read from the worklist
ON_THE_WORKLIST: Final = "worklist"


class Numbers:
    """Made before the product is asked to schedule ``steps``; :meth:`learn` says afterwards what they really are."""

    def __init__(self, context: ScenarioContext, steps: Mapping[str, Step]) -> None:
        self._context, self._steps = context, dict(steps)
        by_hand = context.lab.sut.driver.kind == "manual"
        #: steps that were there before: those of an operator's last try look like those of this one
        self._before = {_step_id(entry) for entry in self._listed()} if by_hand else frozenset[str]()

    def learn(self, answers: Mapping[str, Any]) -> dict[str, Step]:
        """The steps under the numbers of the product. Raises EnvironmentFailure if one cannot be told from others."""
        told = answers.get("orders")
        if isinstance(told, list) and told:
            if len(told) != len(self._steps):
                raise UsageError(f"the driver answered with {len(told)} orders for {len(self._steps)} steps")
            pairs = zip(self._steps.items(), told, strict=True)
            return {name: replace(step, entry=numbered(step.entry, given)) for (name, step), given in pairs}
        if self._context.lab.sut.driver.kind != "manual" and answers.get("numbers") != ON_THE_WORKLIST:
            return self._steps
        entries = [entry for entry in self._listed() if _step_id(entry) not in self._before]
        return {name: _found(step, entries) for name, step in self._steps.items()}

    def _listed(self) -> list[Dataset]:
        """What the product's worklist has for the patients of the steps."""
        lab = self._context.lab
        user = WorklistUser(lab.modality.node, lab.recorder)
        wanted = dict.fromkeys(str(step.entry["PatientID"]) for step in self._steps.values())
        found: list[Dataset] = []
        for patient in wanted:
            keys = {"PatientID": patient, **dict.fromkeys(_OF_PROCEDURE[3:])}
            replies = self._context.converse(
                "RAD-5-SCP-01",
                "The worklist query",
                functools.partial(user.query, lab.product, keys),
            )
            found += replies.datasets()
        return found


def numbered(entry: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the numbers of another; those that the other leaves empty stay."""
    item, other = entry["ScheduledProcedureStepSequence"][0], given.get("ScheduledProcedureStepSequence") or [{}]
    changed = {**entry, **{key: str(given[key]) for key in _OF_PROCEDURE if given.get(key)}}
    changed["ScheduledProcedureStepSequence"] = [{**item, _OF_STEP: str(other[0].get(_OF_STEP) or item[_OF_STEP])}]
    if changed["StudyInstanceUID"] != entry["StudyInstanceUID"] and "ReferencedStudySequence" in entry:
        reference = {**entry["ReferencedStudySequence"][0], "ReferencedSOPInstanceUID": changed["StudyInstanceUID"]}
        changed["ReferencedStudySequence"] = [reference]
    return changed


def _found(step: Step, entries: Sequence[Dataset]) -> Step:
    """A step under the numbers of the worklist entry for its patient, modality and start, unless it kept its own."""
    if any(_step_id(entry) == step.step_id for entry in entries):
        return step
    same = [entry for entry in entries if _same_exam(step, entry)]
    if not same:
        # nothing was scheduled, or otherwise than asked: what is judged next shows it
        return step
    if len(same) > 1:
        raise EnvironmentFailure(
            f"the worklist has {len(same)} entries for {step.patient.name}, {step.sps['Modality']}, "
            f"{step.sps['ScheduledProcedureStepStartDate']} {step.sps['ScheduledProcedureStepStartTime']}: "
            "remove what earlier runs left there, or have the driver answer with the numbers (`orders`)"
        )
    entry, item = same[0], scheduled_step(same[0])
    given = {key: str(entry.get(key) or "") for key in _OF_PROCEDURE}
    return replace(step, entry=numbered(step.entry, {**given, "ScheduledProcedureStepSequence": [
        {_OF_STEP: str(item.get(_OF_STEP) or "")}
    ]}))  # fmt: skip


def _same_exam(step: Step, entry: Dataset) -> bool:
    item = scheduled_step(entry)
    start, other = step.sps["ScheduledProcedureStepStartTime"], str(item.get("ScheduledProcedureStepStartTime", ""))
    alike = (
        (entry.get("PatientID", ""), step.entry["PatientID"]),
        (item.get("Modality", ""), step.sps["Modality"]),
        (item.get("ScheduledProcedureStepStartDate", ""), step.sps["ScheduledProcedureStepStartDate"]),
        (other[:4], start[:4]),
    )
    return all(str(one) == str(another) for one, another in alike)


def _step_id(entry: Dataset) -> str:
    return str(scheduled_step(entry).get(_OF_STEP, "") or "")
