"""Displays and evidence creators under test: our archive holds known studies, the product asks for them."""

from __future__ import annotations

from harness.bdd.context import ScenarioContext
from harness.bdd.registry import given, then, when
from harness.bdd.studies import StoredStudy, value_of
from harness.bdd.tables import pairs
from harness.core.errors import NonConformance, UsageError
from harness.core.message import Direction
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, KEY_OBJECT_SELECTION

_NOTE = ("RAD-29-OBJ-01", KEY_OBJECT_SELECTION)
#: kinds of documents: the requirement that demands one, and what the UIDs of its SOP classes begin with
_DOCUMENTS = {
    "key image note": _NOTE,
    "rejection note": _NOTE,
    "evidence document": ("RAD-43-OBJ-01", "1.2.840.10008.5.1.4.1.1.88."),
}


def _studies(context: ScenarioContext) -> dict[str, StoredStudy]:
    studies: dict[str, StoredStudy] = context.memory.get("studies", {})
    return studies


def _archive(context: ScenarioContext) -> str:
    """Our archive as an operator is told of it."""
    archive = context.lab.image_manager
    return f"{archive.ae_title} at {context.lab.sut.harness.advertise}:{archive.port}"


@given('the Image Manager holds the studies "{names:Text}"')
def archive_holds(scenario_context: ScenarioContext, names: str) -> None:
    """Put studies of the library into our archive; it knows nothing else of these patients."""
    lab = scenario_context.lab
    studies = {name: lab.library.study(name) for name in (part.strip() for part in names.split(","))}
    scenario_context.memory["studies"] = studies
    lab.image_manager.load([sample.dataset for study in studies.values() for sample in study.samples], EXPLICIT_VR_LE)


@when('the system under test queries the archive at "{level:Text}" level by')
def display_queries(scenario_context: ScenarioContext, level: str, datatable: list[list[str]]) -> None:
    """Have the display query; values may be words such as ID of doe. Keys above the level are given as well."""
    context, studies = scenario_context, list(_studies(scenario_context).values())
    keys = {name: value_of(text, studies) for name, text in pairs(datatable).items()}
    context.memory["asked"] = keys
    context.act("query-images", peer=_archive(context), level=level, keys=keys)


@when('the system under test retrieves the study "{name:Text}"')
def display_retrieves(scenario_context: ScenarioContext, name: str) -> None:
    """Have the display retrieve a study as a whole."""
    _retrieve(scenario_context, name, "STUDY")


@when('the system under test retrieves the series of the study "{name:Text}"')
def display_retrieves_series(scenario_context: ScenarioContext, name: str) -> None:
    """Have the display retrieve a study series by series."""
    _retrieve(scenario_context, name, "SERIES")


def _retrieve(context: ScenarioContext, name: str, level: str) -> None:
    study = str(_studies(context)[name].first.StudyInstanceUID)
    context.memory["retrieved"] = name
    context.act("retrieve-images", peer=_archive(context), study=study, level=level)


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
            where=lambda m, uid=uid: m.fields.get("AffectedSOPInstanceUID") in (uid, None),  # type: ignore[misc]
            demanded_by="RAD-16-SCU-02",
        )


@when('the system under test creates {what:Text} of the study "{name:Text}"')
def product_creates(scenario_context: ScenarioContext, what: str, name: str) -> None:
    """Have the product make `evidence` (a derived series, the step reported, commitment asked) or a document.

    Documents: `a key image note`, `a rejection note`, `an evidence document`; of several studies one in each of them.
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
        peer=_archive(context),
        manager=f"{manager.ae_title} at {lab.sut.harness.advertise}:{manager.port}",
    )


def _create_document(context: ScenarioContext, what: str, names: list[str]) -> None:
    kind = what.removeprefix("a ").removeprefix("an ")
    if kind not in _DOCUMENTS:
        raise UsageError(f"there is no document {kind!r} to create; known: {', '.join(_DOCUMENTS)}")
    row, classes = _DOCUMENTS[kind]
    studies = [str(_studies(context)[name].first.StudyInstanceUID) for name in names]
    context.act("create-document", kind=kind, study=", ".join(studies), peer=_archive(context))
    for number in range(len(studies)):
        found = context.expect(
            "C-STORE-RQ",
            "Image Manager/Archive",
            where=lambda m: str(m.fields.get("AffectedSOPClassUID") or "").startswith(classes),
            after=context.that.seq if number and context.that is not None else None,
            demanded_by="RAD-29-OBJ-06" if number else row,
        )
        context.that = found
