"""Displays and evidence creators under test: our archive holds known studies, the product asks for them."""

from __future__ import annotations

from collections.abc import Callable

from harness.bdd.context import ScenarioContext
from harness.bdd.registry import then, when
from harness.bdd.steps.archiving import our_archive
from harness.bdd.studies import StoredStudy
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction, Message
from harness.protocols.dicom.uids import GRAYSCALE_PRESENTATION_STATE, KEY_OBJECT_SELECTION

_NOTE = ("RAD-29-OBJ-01", KEY_OBJECT_SELECTION)
#: kinds of documents: the requirement that demands one, and what the UIDs of its SOP classes begin with
_DOCUMENTS = {
    "key image note": _NOTE,
    "rejection note": _NOTE,
    "evidence document": ("RAD-43-OBJ-01", "1.2.840.10008.5.1.4.1.1.88."),
    "presentation state": ("RAD-9-SCU-01", GRAYSCALE_PRESENTATION_STATE),
}


def _studies(context: ScenarioContext) -> dict[str, StoredStudy]:
    studies: dict[str, StoredStudy] = context.memory.get("studies", {})
    return studies


@then('every image of "{name:Text}" was delivered to the product')
def images_delivered(scenario_context: ScenarioContext, name: str) -> None:
    """Our archive stored each image of the study into the product and was answered."""
    context, wanted = scenario_context, set(_studies(scenario_context)[name].instance_uids)
    sent = context.transcript.select("C-STORE-RQ", direction=Direction.TO_SUT, after=context.asked_at)
    came = {str(m.fields.get("AffectedSOPInstanceUID")) for m in sent}
    if wanted - came:
        summary = f"{len(wanted - came)} of {len(wanted)} images of the study were not asked for or could not be sent"
        context.broken(
            "RAD-16-SCU-01", summary, expected=(f"{len(wanted)} images",), actual=f"{len(wanted & came)} images"
        )
        raise NonConformance(summary, tuple(context.findings))
    for uid in sorted(wanted):
        context.expect(
            "C-STORE-RSP",
            "Image Manager/Archive",
            where=_about(uid),
            demanded_by="RAD-16-SCU-02",
        )


def _about(uid: str) -> Callable[[Message], bool]:
    """Answers that name this instance, or none: they need not."""
    return lambda message: message.fields.get("AffectedSOPInstanceUID") in (uid, None)


@when('the system under test creates {what:Text} of the study "{name:Text}"')
def product_creates(scenario_context: ScenarioContext, what: str, name: str) -> None:
    """Have the product make `evidence` (a derived series, the step reported, commitment asked) or a document.

    Documents: `a key image note`, `a rejection note`, `an evidence document`, `a presentation state` (commitment is
    asked for it); of several studies one in each of them.
    """
    context, lab = scenario_context, scenario_context.lab
    if what != "evidence":
        _create_document(context, what, [part.strip() for part in name.split(",")])
        return
    manager = lab.pps_manager
    study = str(_studies(context)[name].first.StudyInstanceUID)
    context.act(
        "create-evidence",
        study=study,
        peer=our_archive(context),
        manager=f"{manager.ae_title} at {lab.sut.harness.advertise}:{manager.port}",
    )


def _create_document(context: ScenarioContext, what: str, names: list[str]) -> None:
    kind = what.removeprefix("a ").removeprefix("an ")
    if kind not in _DOCUMENTS:
        raise UsageError(f"there is no document {kind!r} to create; known: {', '.join(_DOCUMENTS)}")
    row, classes = _DOCUMENTS[kind]
    studies = [str(_studies(context)[name].first.StudyInstanceUID) for name in names]
    context.act("create-document", kind=kind, study=", ".join(studies), peer=our_archive(context))
    for number in range(len(studies)):
        found = context.expect(
            "C-STORE-RQ",
            "Image Manager/Archive",
            where=lambda m: str(m.fields.get("AffectedSOPClassUID") or "").startswith(classes),
            after=context.that.seq if number and context.that is not None else None,
            demanded_by="RAD-29-OBJ-06" if number else row,
        )
        context.that = found
