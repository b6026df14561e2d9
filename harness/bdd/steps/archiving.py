"""An archive under test: our modality stores and asks for commitment, our display queries and retrieves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.actors.archive_keys import Level
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager_behaviour import Reference
from harness.actors.objects import Sample
from harness.actors.worklist_user import Replies
from harness.bdd.context import ScenarioContext
from harness.bdd.registry import given, then, when
from harness.bdd.studies import StoredStudy, select, value_of
from harness.bdd.tables import pairs
from harness.core.errors import NonConformance, UsageError
from harness.profiles import facts
from harness.protocols.dicom.errors import NoPresentationContext

_UNIQUE = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_ARCHIVE = ("doe", "roe", "kim")


# -- storing -----------------------------------------------------------------------------------------------------


def _store(context: ScenarioContext, study: StoredStudy) -> None:
    context.begin()
    outcomes = context.converse(
        "RAD-8-SCP-01",
        f"Storing the study {study.name!r}",
        lambda: context.lab.modality.store(context.lab.product, study.samples),
    )
    context.memory["stored"] = outcomes
    context.memory.setdefault("studies", {})[study.name] = study


def _note_known(context: ScenarioContext, studies: Iterable[StoredStudy]) -> None:
    instances = [instance for study in studies for instance in study.facts()]
    context.transcript.note(facts.KNOWN_OBJECTS, {"instances": instances})


@when('the Acquisition Modality stores the study "{name:Text}"( again)')
def modality_stores(scenario_context: ScenarioContext, name: str) -> None:
    """Send every instance of a study of the library to the product."""
    study = scenario_context.lab.library.study(name)
    _store(scenario_context, study)
    _note_known(scenario_context, [study])


@given("the archive holds the studies of doe, roe and kim")
def archive_holds(scenario_context: ScenarioContext) -> None:
    """Store three studies of three patients once per run, and say what is in them."""
    lab = scenario_context.lab
    studies = [lab.library.study(name) for name in _ARCHIVE]
    if not lab.archive_filled:
        for study in studies:
            _store(scenario_context, study)
        lab.archive_filled = True
    scenario_context.memory["studies"] = {study.name: study for study in studies}
    _note_known(scenario_context, studies)


# -- commitment ----------------------------------------------------------------------------------------------------


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
    _ask_commitment(scenario_context, list(scenario_context.lab.library.study(name).samples), 0)


@when('the Acquisition Modality asks for commitment of the study "{name:Text}" and one instance that was never stored')
def modality_asks_too_much(scenario_context: ScenarioContext, name: str) -> None:
    """The same with one SOP Instance UID that the product cannot know."""
    _ask_commitment(scenario_context, list(scenario_context.lab.library.study(name).samples), 1)


# -- queries ---------------------------------------------------------------------------------------------------------


def _studies(context: ScenarioContext) -> dict[str, StoredStudy]:
    studies: dict[str, StoredStudy] = context.memory.get("studies", {})
    return studies


def _asker(context: ScenarioContext) -> ImageDisplay:
    """Our Image Display, or our Report Reader if a step said so."""
    asker: ImageDisplay = context.memory.get("asker", context.lab.image_display)
    return asker


def _character_set(context: ScenarioContext, keys: dict[str, Any]) -> tuple[str, ...]:
    """None for ASCII keys; else that of the stored study that a name is of, which the product took; else UTF-8."""
    named = {str(value).strip("*") for value in keys.values() if not str(value).isascii()}
    if not named:
        return ()
    return next(
        (
            study.patient.character_set
            for study in _studies(context).values()
            if study.patient.character_set and any(name in study.patient.name for name in named)
        ),
        ("ISO_IR 192",),
    )


def _query(context: ScenarioContext, level: str, keys: dict[str, Any], **more: Any) -> Replies:
    display = _asker(context)
    more["character_set"] = _character_set(context, keys)
    context.begin()
    replies = context.converse(
        "RAD-14-SCP-01", "The query", lambda: display.query(context.lab.product, level, keys, **more)
    )
    context.memory["query"] = {
        "replies": replies,
        "level": level,
        "keys": keys,
        "patient_root": more.get("patient_root", False),
    }
    return replies


def _note_query(context: ScenarioContext, *, purpose: str = "", expected: list[str] | None = None) -> None:
    query = context.memory["query"]
    universe = sorted(
        {
            str(sample.dataset[_UNIQUE[query["level"]]].value)
            for study in _studies(context).values()
            for sample in study.samples
        }
    )
    fact: dict[str, Any] = {
        "message": query["replies"].request,
        "level": query["level"],
        "model": "PATIENT" if query["patient_root"] else "STUDY",
        "keys": {name: value for name, value in query["keys"].items() if value},
        "by": _UNIQUE[query["level"]],
        "universe": universe,
    }
    if purpose or str(query["keys"].get("PatientName", "")).strip("*").islower():
        fact["purpose"] = purpose or "lower-case-name"
    if expected is not None:
        fact["expected"] = sorted(set(expected))
    context.transcript.note(facts.QUERY, fact)


def _keys(context: ScenarioContext, table: list[list[str]]) -> dict[str, Any]:
    studies = list(_studies(context).values())
    return {name: value_of(text, studies) for name, text in pairs(table).items()}


@when('the {asker:Text} queries "{level:Text}" level in the "{model:Text}" model by')
def display_queries(
    scenario_context: ScenarioContext, asker: str, level: str, model: str, datatable: list[list[str]]
) -> None:
    """Query the product; all return keys of the level are asked for. Values may be words: ID of doe, range of all."""
    scenario_context.memory["asker"] = scenario_context.lab.reader(asker)
    if model not in ("Study Root", "Patient Root"):
        raise UsageError(f"{model!r} is not a query model; known: Study Root, Patient Root")
    _query(scenario_context, level, _keys(scenario_context, datatable), patient_root=model == "Patient Root")


@when('the {asker:Text} {verb:Verb} "{level:Text}" level of the study "{name:Text}" by')
def display_queries_below(
    scenario_context: ScenarioContext,
    asker: str,
    verb: tuple[str, bool],
    level: str,
    name: str,
    datatable: list[list[str]],
) -> None:
    """Query below a study; unique keys of higher levels are filled in. "queries and cancels": C-CANCEL at once."""
    scenario_context.memory["asker"] = scenario_context.lab.reader(asker)
    what, cancels = verb
    if what != "queries":
        raise UsageError(f"a level of a study is queried, not {what[:-1]}ed: write queries, or queries and cancels")
    study = _studies(scenario_context)[name]
    keys: dict[str, Any] = {"StudyInstanceUID": str(study.first.StudyInstanceUID)}
    if level == "IMAGE":
        keys["SeriesInstanceUID"] = str(study.first.SeriesInstanceUID)
    keys |= {key: value or None for key, value in _keys(scenario_context, datatable).items()}
    # what a provider has sent until a cancel reaches it cannot be told apart from what it sends in spite of it
    _query(scenario_context, level, keys, **({"cancel_after": 0} if cancels else {}))


@when('the {asker:Text} queries "{level:Text}" level without the study UID')
def display_queries_illegally(scenario_context: ScenarioContext, asker: str, level: str) -> None:
    """A hierarchical query that lacks the unique key of the higher level."""
    scenario_context.memory["asker"] = scenario_context.lab.reader(asker)
    _query(scenario_context, level, {})
    _note_query(scenario_context, purpose="invalid-hierarchy")


@when('the Image Display asks at "{level:Text}" level for the unusual key "{keyword:Text}"')
def display_asks_unusual(scenario_context: ScenarioContext, level: str, keyword: str) -> None:
    """A query with an optional key that hardly any product supports."""
    study = _studies(scenario_context)["doe"]
    _query(scenario_context, level, {"PatientID": str(study.first.PatientID), keyword: None})
    _note_query(scenario_context, purpose="unsupported-key")


def _expect_uids(context: ScenarioContext, uids: list[str]) -> None:
    _note_query(context, expected=uids)


@then('exactly the studies of "{names:Text}" are returned')
def exactly_studies(scenario_context: ScenarioContext, names: str) -> None:
    """Say which of the stored studies (or their patients) must match; others that the product holds are not judged."""
    wanted = {name.strip() for name in names.split(",")}
    unique = _UNIQUE[scenario_context.memory["query"]["level"]]
    found = [str(study.first[unique].value) for study in _studies(scenario_context).values() if study.name in wanted]
    _expect_uids(scenario_context, found)


@then('exactly the series of "{name:Text}" with modality "{modality:Text}" are returned')
def exactly_series(scenario_context: ScenarioContext, name: str, modality: str) -> None:
    """Say which series must match."""
    found = select([_studies(scenario_context)[name]], lambda ds: str(ds.Modality) == modality)
    _expect_uids(scenario_context, [str(ds.SeriesInstanceUID) for ds in found])


@then('exactly the images of "{name:Text}" are returned')
def exactly_images(scenario_context: ScenarioContext, name: str) -> None:
    """Every instance of the first series of the study, each once."""
    study = _studies(scenario_context)[name]
    found = select([study], lambda ds: ds.SeriesInstanceUID == study.first.SeriesInstanceUID)
    _expect_uids(scenario_context, [str(ds.SOPInstanceUID) for ds in found])


@then('exactly the images of "{name:Text}" with number {instance:Count} are returned')
def exactly_images_numbered(scenario_context: ScenarioContext, name: str, instance: int) -> None:
    """The instances of the first series of the study with that Instance Number."""
    study = _studies(scenario_context)[name]
    found = select(
        [study], lambda ds: ds.SeriesInstanceUID == study.first.SeriesInstanceUID and int(ds.InstanceNumber) == instance
    )
    _expect_uids(scenario_context, [str(ds.SOPInstanceUID) for ds in found])


# -- retrieve ----------------------------------------------------------------------------------------------------------


def _retrieve(
    context: ScenarioContext, verb: tuple[str, bool], level: str, name: str, *, destination: str | None = None
) -> None:
    study = _studies(context)[name]
    first = study.first
    keys: dict[str, Any] = {"StudyInstanceUID": str(first.StudyInstanceUID)}
    asked = list(study.samples)
    if level in ("SERIES", "IMAGE"):
        keys["SeriesInstanceUID"] = str(first.SeriesInstanceUID)
        asked = [s for s in asked if s.dataset.SeriesInstanceUID == first.SeriesInstanceUID]
    if level == "IMAGE":
        keys["SOPInstanceUID"] = str(first.SOPInstanceUID)
        asked = [s for s in asked if s.dataset.SOPInstanceUID == first.SOPInstanceUID]
    refused = context.memory.get("refused class")
    expected = [s.sop_instance for s in asked if s.sop_class != refused]
    failing = [s.sop_instance for s in asked if s.sop_class == refused]
    context.begin()
    replies = fetched(
        context, _asker(context), verb, level, keys, {s.sop_class for s in asked}, destination=destination
    )
    context.memory["move"] = expected
    context.memory["move by"] = "RAD-16-SCP-07" if verb[0] == "gets" else "RAD-16-SCP-01"
    if replies is None:
        return
    context.transcript.note(
        facts.MOVE,
        {
            "message": replies.request,
            "destination": destination or _asker(context).ae_title,
            "expected": sorted([*expected, *failing]) if destination is None else [],
            "failing": sorted(failing),
            "unknown_destination": destination is not None,
        },
    )


def fetched(
    context: ScenarioContext,
    display: ImageDisplay,
    verb: tuple[str, bool],
    level: str,
    keys: dict[str, Any],
    classes: Iterable[str],
    *,
    destination: str | None = None,
) -> Replies | None:
    """Retrieve from the product by C-MOVE or C-GET; None if it does not offer C-GET, which it need not."""
    what, cancels = verb
    context.memory["not offered"] = False
    if what == "queries":
        raise UsageError("instances are retrieved (C-MOVE) or got (C-GET): write retrieves, or gets")
    if what == "retrieves":
        return context.converse(
            "RAD-16-SCP-01",
            "C-MOVE",
            lambda: display.move(context.lab.product, Level(level), keys, destination=destination, break_off=cancels),
        )

    def get() -> Replies | None:
        try:
            return display.get(
                context.lab.product, Level(level), keys, storage_classes=sorted(set(classes)), break_off=cancels
            )
        except NoPresentationContext:
            context.memory["not offered"] = True
            return None

    return context.converse("RAD-16-SCP-07", "C-GET", get)


@when('the {asker:Text} {verb:Verb} "{level:Text}" of "{name:Text}"')
def display_retrieves(
    scenario_context: ScenarioContext, asker: str, verb: tuple[str, bool], level: str, name: str
) -> None:
    """The whole study, its first series, or one image. "retrieves": C-MOVE to our display; "gets": C-GET on one
    association; "retrieves and cancels", "gets and cancels": C-CANCEL once the first instance is there."""
    scenario_context.memory["asker"] = scenario_context.lab.reader(asker)
    _retrieve(scenario_context, verb, level, name)


@when('the {asker:Text} retrieves "{level:Text}" of "{name:Text}" to the unknown destination "{destination:Text}"')
def display_retrieves_nowhere(
    scenario_context: ScenarioContext, asker: str, level: str, name: str, destination: str
) -> None:
    """C-MOVE to an AE title that the product does not know."""
    scenario_context.memory["asker"] = scenario_context.lab.reader(asker)
    _retrieve(scenario_context, ("retrieves", False), level, name, destination=destination)


@then("exactly the instances that were asked for arrive")
def instances_arrive(scenario_context: ScenarioContext) -> None:
    """Wait until as many instances as were asked for have come; which ones is judged apart."""
    context = scenario_context
    expected: list[str] = context.memory["move"]
    requirement = context.memory["move by"]
    if context.memory["not offered"]:
        context.met(requirement, "C-GET is not offered, which is permitted")
        return
    if not _asker(context).wait_for(len(expected), context.lab.sut.timeouts.exchange):
        came = len(_asker(context).received)
        summary = f"{came} of {len(expected)} instances arrived"
        context.broken(requirement, summary, expected=(f"{len(expected)} instances",), actual=f"{came} instances")
        raise NonConformance(summary, tuple(context.findings))
    arrived = {received.sop_instance for received in _asker(context).received}
    if arrived != set(expected):
        summary = f"{len(arrived - set(expected))} instances arrived that were not asked for"
        context.broken(requirement, summary, expected=tuple(expected), actual=", ".join(sorted(arrived)))
        raise NonConformance(summary, tuple(context.findings))
    context.met(requirement, f"{len(expected)} instances arrived, exactly those that were asked for")
