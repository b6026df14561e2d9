"""From an ordered service to requested procedures and scheduled steps, as a department's catalogue has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.actors.orders.behaviour import OrdersBehaviour
from harness.actors.orders.reader import PRIORITY
from harness.actors.orders.values import Code, Numbering, Order, RequestedProcedure, ScheduledStep

SCHEME = "99HARNESS"


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a procedure: what is done, on which equipment."""

    modality: str
    protocol: Code
    station_ae_title: str = ""
    station_name: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class ProcedurePlan:
    """One requested procedure and its steps."""

    code: Code
    steps: tuple[StepPlan, ...]


Catalogue = Mapping[str, tuple[ProcedurePlan, ...]]


def _plan(value: str, meaning: str, *steps: tuple[str, str, str]) -> ProcedurePlan:
    return ProcedurePlan(
        Code(value, SCHEME, meaning),
        tuple(StepPlan(modality, Code(code, SCHEME, text)) for modality, code, text in steps),
    )


DEFAULT_CATALOGUE: Catalogue = MappingProxyType(
    {
        "XR-CHEST": (_plan("RP-XR-CHEST", "Chest radiography", ("DX", "PR-XR-CHEST", "Chest two views")),),
        "CT-HEAD": (_plan("RP-CT-HEAD", "CT of the head", ("CT", "PR-CT-HEAD", "Head without contrast")),),
        "CT-TRUNK": (
            _plan("RP-CT-CHEST", "CT of the chest", ("CT", "PR-CT-CHEST", "Chest spiral")),
            _plan("RP-CT-ABDOMEN", "CT of the abdomen", ("CT", "PR-CT-ABDOMEN", "Abdomen spiral")),
        ),
        "MR-BRAIN": (
            _plan(
                "RP-MR-BRAIN",
                "MR of the brain",
                ("MR", "PR-MR-T1", "T1 weighted"),
                ("MR", "PR-MR-T2", "T2 weighted"),
            ),
        ),
        "US-ABDOMEN": (_plan("RP-US-ABDOMEN", "Ultrasound of the abdomen", ("US", "PR-US-ABD", "Abdomen survey")),),
    }
)


def plan_for(order: Order, catalogue: Catalogue) -> tuple[ProcedurePlan, ...]:
    """The plans of an ordered service; one that is not in the catalogue becomes one procedure with one step."""
    plans = catalogue.get(order.service.value)
    if plans is not None:
        return plans
    return (ProcedurePlan(order.service, (StepPlan("OT", order.service),)),)


def schedule(
    order: Order,
    catalogue: Catalogue,
    numbering: Numbering,
    behaviour: OrdersBehaviour,
    start: Callable[[], str],
    study_uid: str = "",
) -> tuple[RequestedProcedure, ...]:
    """Requested procedures with new numbers; ``study_uid`` is that of an exam that was done before the order.

    ``start`` is the time stamp that steps get if the order names none.
    """
    procedures: list[RequestedProcedure] = []
    study_uid = behaviour.study_uid_of_exam(numbering.uid, study_uid) if study_uid else ""
    when = order.start or start()
    accession = behaviour.accession(numbering.next("A"))
    for plan in plan_for(order, catalogue):
        steps = tuple(
            ScheduledStep(
                id=numbering.next("S"),
                modality=step.modality,
                station_ae_title=step.station_ae_title,
                station_name=step.station_name,
                location=step.location,
                start_date=when[:8],
                start_time=when[8:14],
                description=step.protocol.meaning,
                protocol=(step.protocol,),
            )
            for step in plan.steps
        )
        uid = study_uid or behaviour.study_uid(numbering.uid, tuple(procedures))
        procedures.append(
            RequestedProcedure(
                id=numbering.next("R"),
                accession_number=accession,
                study_uid=uid,
                code=plan.code,
                description=plan.code.meaning,
                priority=PRIORITY.get(order.priority, "ROUTINE"),
                steps=steps,
            )
        )
        study_uid = ""
    return tuple(procedures)
