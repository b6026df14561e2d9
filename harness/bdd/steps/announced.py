"""Products that were told by HL7 what to expect: images of orders, and what queries then show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.actors.objects import SeriesPlan, StudyPlan, Subject, make
from harness.actors.worklist_user import WorklistUser
from harness.bdd.context import ScenarioContext
from harness.bdd.ordered import ordered, patient_values
from harness.bdd.people import person
from harness.bdd.registry import given, then, when
from harness.bdd.studies import StoredStudy
from harness.core.errors import UsageError
from harness.profiles import facts


@given('the Acquisition Modality has stored images of the order "{order:Text}"')
@when('the Acquisition Modality stores images of the order "{order:Text}"')
def modality_stores(scenario_context: ScenarioContext, order: str) -> None:
    """Store two CT images into the study that was scheduled, with the patient as the order had it."""
    context = scenario_context
    known = ordered(context, order)
    if known.order is None or not known.order.procedures:
        raise UsageError(f"the order {order!r} was not scheduled by our DSS/Order Filler")
    procedure, values = known.order.procedures[0], known.values["patient"]
    plan = StudyPlan(
        Subject(
            known.patient_name,
            values["PatientID"],
            values["PatientBirthDate"],
            values["PatientSex"],
            tuple(values.get("SpecificCharacterSet", ())),
            values["IssuerOfPatientID"],
        ),
        (SeriesPlan("CT", 2),),
        uid=procedure.study_uid,
        accession_number=procedure.accession_number,
    )
    samples = make([plan], lambda: f"2.25.{context.lab.source.getrandbits(121)}")
    study = StoredStudy(order, person(known.subject), tuple(samples))
    context.begin()
    context.converse(
        "RAD-8-SCP-01",
        f"Storing the images of {order!r}",
        lambda: context.lab.modality.store(context.lab.product, study.samples),
    )
    context.memory.setdefault("studies", {})[order] = study
    context.transcript.note(facts.KNOWN_OBJECTS, {"instances": study.facts()})


def _studies(context: ScenarioContext, patient_id: str) -> int:
    keys = {"PatientID": patient_id, "PatientName": "", "PatientBirthDate": "", "PatientSex": "", "AccessionNumber": ""}
    context.begin()
    replies = context.converse(
        "RAD-14-SCP-01",
        "The query",
        lambda: context.lab.image_display.query(context.lab.product, "STUDY", {**keys, "StudyInstanceUID": ""}),
    )
    return len(replies.pending)


def _steps(context: ScenarioContext, patient_id: str) -> int:
    user = WorklistUser(context.lab.modality.node, context.lab.recorder)
    # besides what every modality asks for, the numbers that join a step with its order
    wanted = {
        "PlacerOrderNumberImagingServiceRequest": None,
        "FillerOrderNumberImagingServiceRequest": None,
        "PatientID": patient_id,
    }
    replies = context.converse("RAD-5-SCP-01", "The worklist query", lambda: user.query(context.lab.product, wanted))
    return len(replies.pending)


@then(
    'the {place:Text} has {what:Text} of "{patient:Text}" as "{requirement:Text}" demands',
    place=("worklist", "archive"),
    what=("steps", "no step", "a study", "no study"),
)
def place_has(scenario_context: ScenarioContext, place: str, what: str, patient: str, requirement: str) -> None:
    """Query the product's worklist or archive by Patient ID: at least one match must come, or none may come."""
    if (place, what) not in _HELD:
        known = ", ".join(f"the {where} has {held}" for where, held in _HELD)
        raise UsageError(f"the {place} has nothing like {what!r}; known: {known}")
    context, count = scenario_context, _HELD[place, what]
    patient_id = str(patient_values(context, patient)["PatientID"])
    found = count(context, patient_id)
    noun = "step" if place == "worklist" else "study"
    seen = f"The {place} has {found} match(es) of the patient {patient_id}"
    if bool(found) != what.startswith("no "):
        context.met(requirement, seen)
    else:
        expected = "no match" if what.startswith("no ") else f"a {noun}"
        context.broken(requirement, seen, expected=(expected,), actual=f"{found} matches")


_HELD: Final[Mapping[tuple[str, str], Callable[[ScenarioContext, str], int]]] = {
    ("worklist", "steps"): _steps,
    ("worklist", "no step"): _steps,
    ("archive", "a study"): _studies,
    ("archive", "no study"): _studies,
}
