"""Patients over HL7 (RAD-1, RAD-12), on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.actors.orders.actions import tell
from harness.actors.orders.adt import REGISTRATIONS
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import await_answers, merged, patient_values, teller
from harness.bdd.registry import PRODUCT, given, when
from harness.profiles import names

_TELLERS: Final = (PRODUCT, names.ADT, names.ORDER_FILLER)


def _tell(context: ScenarioContext, who: str, event: str, values: Mapping[str, Any]) -> None:
    """Send a message of ours about a patient, and wait for the answers."""
    context.begin()
    await_answers(context, tell(teller(context, who), event, values))


@given('{who:Party} has sent "{event:Text}" for "{patient:Text}"', who=_TELLERS)
def has_told(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """As `sends`; ours only where the product has to take it: in SWF.b orders bring the patient, not registrations."""
    if who == PRODUCT or "SWF" in scenario_context.declaration.profiles:
        tells(scenario_context, who, event, patient)


@when('{who:Party} sends "{event:Text}" for "{patient:Text}"', who=_TELLERS)
def tells(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """Register a patient (A01, A04, A05, A11, A38; RAD-1) or tell of a change (RAD-12); ours wait for the answer."""
    known = patient_values(scenario_context, patient)
    if who != PRODUCT:
        _tell(scenario_context, who, event, known)
        return
    action = "register-patient" if event in REGISTRATIONS else "update-patient"
    values = dict(known)
    if event == "A02":
        values["NewLocation"] = "ICU^2^1"
        known["CurrentPatientLocation"] = "ICU^2^1"
        known["PriorLocation"] = values["CurrentPatientLocation"]
    scenario_context.act(action, event=event, patient=values)


@when('{who:Party} renames "{patient:Text}" to "{name:Text}"', who=_TELLERS)
def renames(scenario_context: ScenarioContext, who: str, patient: str, name: str) -> None:
    """A08 with another name of the same patient."""
    values = patient_values(scenario_context, patient)
    values["PatientName"] = name
    if who == PRODUCT:
        scenario_context.act("update-patient", event="A08", patient=values)
    else:
        _tell(scenario_context, who, "A08", values)


@when('the system under test renames "{patient:Text}" to "{name:Text}" and deletes "{path:Text}"')
def product_renames(scenario_context: ScenarioContext, patient: str, name: str, path: str) -> None:
    """Have an ADT under test send A08 with another name, and two double quotes in that field."""
    values = patient_values(scenario_context, patient)
    values["PatientName"] = name
    scenario_context.act("update-patient", event="A08", patient={**values, "delete": [path]})


@when('{who:Party} merges "{retired:Text}" into "{survivor:Text}"', who=_TELLERS)
def merges(scenario_context: ScenarioContext, who: str, retired: str, survivor: str) -> None:
    """A40: the first patient is retired, the second survives."""
    values = merged(scenario_context, retired, survivor)
    if who == PRODUCT:
        scenario_context.act("update-patient", event="A40", patient=values)
    else:
        _tell(scenario_context, who, "A40", values)
