"""Patients over HL7 (RAD-1, RAD-12), on both sides."""

from __future__ import annotations

from harness.actors.adt import REGISTRATIONS
from harness.actors.orders_actions import tell
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import await_answers, merged, patient_values, teller
from harness.bdd.registry import given, when


@given('the "{who:Text}" has sent "{event:Text}" for "{patient:Text}"')
def we_told(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """As "sends", where the product has to take it: SWF.b has no patient registration, its orders bring the patient."""
    if "SWF" in scenario_context.declaration.profiles:
        we_tell(scenario_context, who, event, patient)


@when('the "{who:Text}" sends "{event:Text}" for "{patient:Text}"')
def we_tell(scenario_context: ScenarioContext, who: str, event: str, patient: str) -> None:
    """Our ADT (RAD-1, RAD-12) or our DSS/Order Filler (RAD-12) tells the product of a patient; waits for its answer."""
    scenario_context.begin()
    await_answers(
        scenario_context, tell(teller(scenario_context, who), event, patient_values(scenario_context, patient))
    )


@when('the "{who:Text}" renames "{patient:Text}" to "{name:Text}"')
def we_rename(scenario_context: ScenarioContext, who: str, patient: str, name: str) -> None:
    """A08 with another name of the same patient."""
    patient_values(scenario_context, patient)["PatientName"] = name
    scenario_context.begin()
    await_answers(
        scenario_context, tell(teller(scenario_context, who), "A08", patient_values(scenario_context, patient))
    )


@when('the "{who:Text}" merges "{retired:Text}" into "{survivor:Text}"')
def we_merge(scenario_context: ScenarioContext, who: str, retired: str, survivor: str) -> None:
    """A40: the first patient is retired, the second survives."""
    scenario_context.begin()
    await_answers(
        scenario_context,
        tell(teller(scenario_context, who), "A40", merged(scenario_context, retired, survivor)),
    )


@given('the system under test has sent "{event:Text}" for "{patient:Text}"')
@when('the system under test sends "{event:Text}" for "{patient:Text}"')
def product_tells(scenario_context: ScenarioContext, event: str, patient: str) -> None:
    """Have an ADT under test register a patient (A01, A04, A05, A11, A38) or tell of a change (RAD-12)."""
    action = "register-patient" if event in REGISTRATIONS else "update-patient"
    values = dict(patient_values(scenario_context, patient))
    if event == "A02":
        values["NewLocation"] = "ICU^2^1"
        patient_values(scenario_context, patient)["CurrentPatientLocation"] = "ICU^2^1"
        patient_values(scenario_context, patient)["PriorLocation"] = values["CurrentPatientLocation"]
    scenario_context.act(action, event=event, patient=values)


@when('the system under test renames "{patient:Text}" to "{name:Text}" and deletes "{path:Text}"')
def product_renames(scenario_context: ScenarioContext, patient: str, name: str, path: str) -> None:
    """Have an ADT under test send A08 with another name, and two double quotes in that field."""
    values = patient_values(scenario_context, patient)
    values["PatientName"] = name
    scenario_context.act("update-patient", event="A08", patient={**values, "delete": [path]})


@when('the system under test merges "{retired:Text}" into "{survivor:Text}"')
def product_merges(scenario_context: ScenarioContext, retired: str, survivor: str) -> None:
    """Have an ADT under test send A40."""
    values = merged(scenario_context, retired, survivor)
    scenario_context.act("update-patient", event="A40", patient=values)
