"""Studies lie in archives, ours or one under test: they are stored, and commitment is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from harness.actors.image_manager_behaviour import Reference
from harness.actors.objects import Sample
from harness.bdd.context import ScenarioContext
from harness.bdd.registry import PRODUCT, given, when
from harness.bdd.studies import StoredStudy
from harness.core.errors import NonConformance
from harness.profiles import facts
from harness.profiles import names as actors
from harness.protocols.dicom.uids import EXPLICIT_VR_LE


def _store(context: ScenarioContext, study: StoredStudy) -> None:
    context.begin()
    answers = context.converse(
        "RAD-8-SCP-01",
        f"Storing the study {study.name!r}",
        lambda: context.lab.modality.store(context.lab.product, study.samples),
    )
    refused = [f"{answer.status:04X}" for answer in answers if answer.status and answer.status >> 12 != 0xB]
    if refused:
        # what is not there can be neither committed nor found: nothing of that may be asked for
        summary = f"{len(refused)} of the {len(answers)} images of the study {study.name!r} were refused"
        context.broken(
            "RAD-8-SCP-01", summary, expected=("0000 or a warning",), actual=", ".join(dict.fromkeys(refused))
        )
        raise NonConformance(summary, tuple(context.findings))
    context.memory.setdefault("studies", {})[study.name] = study


def _note_known(context: ScenarioContext, studies: Iterable[StoredStudy]) -> None:
    instances = [instance for study in studies for instance in study.facts()]
    context.transcript.note(facts.KNOWN_OBJECTS, {"instances": instances})


@when('the Acquisition Modality stores the study "{name:Text}"( again)')
def modality_stores(scenario_context: ScenarioContext, name: str) -> None:
    """Send every instance of a study of the library to the product."""
    study = scenario_context.lab.studies.study(name)
    _store(scenario_context, study)
    _note_known(scenario_context, [study])


@given('{who:Party} holds the studies "{names:Text}"', who=(PRODUCT, actors.IMAGE_MANAGER))
def holds_studies(scenario_context: ScenarioContext, who: str, names: str) -> None:
    """Studies of the library lie in an archive; into a product they are stored once per run.

    Our own archive knows nothing else of these patients.
    """
    lab = scenario_context.lab
    studies = {name: lab.studies.study(name) for name in (part.strip() for part in names.split(","))}
    if who != PRODUCT:
        samples = [sample.dataset for study in studies.values() for sample in study.samples]
        lab.image_manager.load(samples, EXPLICIT_VR_LE)
    else:
        for study in studies.values():
            if study.name not in lab.archived:
                _store(scenario_context, study)
                lab.archived.add(study.name)
        _note_known(scenario_context, studies.values())
    scenario_context.memory["studies"] = studies


def _ask_commitment(context: ScenarioContext, samples: list[Sample], unknown: int) -> None:
    references = [Reference(sample.sop_class, sample.sop_instance) for sample in samples]
    missing = [Reference(samples[0].sop_class, f"2.25.{context.lab.source.getrandbits(121)}") for _ in range(unknown)]
    context.begin()
    request = context.converse(
        "RAD-10-SCP-01",
        "The commitment request",
        lambda: context.lab.modality.request_commitment(context.lab.product, [*references, *missing]),
    )
    context.memory["transaction"] = request.transaction_uid
    context.transcript.note(
        facts.COMMIT,
        {
            "message": request.request,
            "transaction_uid": request.transaction_uid,
            "expected_ok": sorted(reference.sop_instance for reference in references),
            "expected_failed": sorted(reference.sop_instance for reference in missing),
        },
    )


@when('the Acquisition Modality asks for commitment of the study "{name:Text}"')
def modality_asks_commitment(scenario_context: ScenarioContext, name: str) -> None:
    """Request storage commitment of everything that was stored, and release."""
    _ask_commitment(scenario_context, list(scenario_context.lab.studies.study(name).samples), 0)


@when('the Acquisition Modality asks for commitment of the study "{name:Text}" and one instance that was never stored')
def modality_asks_too_much(scenario_context: ScenarioContext, name: str) -> None:
    """The same with one SOP Instance UID that the product cannot know."""
    _ask_commitment(scenario_context, list(scenario_context.lab.studies.study(name).samples), 1)
