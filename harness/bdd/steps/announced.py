"""An archive under test that was told by HL7 what to expect: images of orders, and what queries then show."""

from __future__ import annotations

from harness.actors.objects import SeriesPlan, StudyPlan, Subject, make
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


def _studies(context: ScenarioContext, patient: str) -> int:
    wanted = patient_values(context, patient)["PatientID"]
    keys = {"PatientID": wanted, "PatientName": "", "PatientBirthDate": "", "PatientSex": "", "AccessionNumber": ""}
    context.begin()
    replies = context.converse(
        "RAD-14-SCP-01",
        "The query",
        lambda: context.lab.image_display.query(context.lab.product, "STUDY", {**keys, "StudyInstanceUID": ""}),
    )
    return len(replies.pending)


@then('the archive has a study of "{patient:Text}" as "{requirement:Text}" demands')
def archive_has(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Query studies by Patient ID: at least one must be found."""
    found = _studies(scenario_context, patient)
    name = patient_values(scenario_context, patient)["PatientID"]
    if found:
        scenario_context.met(requirement, f"The archive has {found} study(s) of the patient {name}")
    else:
        summary = f"The archive finds no study of the patient {name}"
        scenario_context.broken(requirement, summary, expected=("a study",), actual="no match")


@then('the archive has no study of "{patient:Text}" as "{requirement:Text}" demands')
def archive_has_none(scenario_context: ScenarioContext, patient: str, requirement: str) -> None:
    """Query studies by Patient ID: nothing may be found."""
    found = _studies(scenario_context, patient)
    name = patient_values(scenario_context, patient)["PatientID"]
    if found:
        summary = f"The archive still finds {found} study(s) of the patient {name}"
        scenario_context.broken(requirement, summary, expected=("no match",), actual=f"{found} matches")
    else:
        scenario_context.met(requirement, f"The archive has nothing of the patient {name}")
