"""Archives are queried and retrieved from, on either side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydicom.dataset import Dataset

from harness.actors.archive_keys import Level
from harness.actors.image_display import ImageDisplay
from harness.actors.worklist_user import Replies
from harness.bdd.context import ScenarioContext
from harness.bdd.performances import performance
from harness.bdd.registry import PRODUCT, then, when
from harness.bdd.steps.worklist import expect_steps
from harness.bdd.studies import StoredStudy, select, value_of
from harness.bdd.tables import pairs
from harness.core.errors import NonConformance, UsageError
from harness.profiles import facts
from harness.profiles import names as actors
from harness.protocols.dicom.errors import NoPresentationContext

_UNIQUE = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_BELOW: Final = ("SERIES", "IMAGE")
_ASKERS: Final = (actors.IMAGE_DISPLAY, actors.REPORT_READER)


def _studies(context: ScenarioContext) -> dict[str, StoredStudy]:
    studies: dict[str, StoredStudy] = context.memory.get("studies", {})
    return studies


def _ask_as(context: ScenarioContext, who: str) -> None:
    context.memory["asker"] = context.lab.reader(who)


def our_archive(context: ScenarioContext) -> str:
    """Our archive as an operator is told of it."""
    archive = context.lab.image_manager
    return f"{archive.ae_title} at {context.lab.sut.harness.advertise}:{archive.port}"


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


@when('{who:Party} queries at "{level:Text}" level by', who=(PRODUCT, *_ASKERS), level=tuple(_UNIQUE))
def queries(scenario_context: ScenarioContext, who: str, level: str, datatable: list[list[str]]) -> None:
    """Query by these keys; values may be words: ID of doe, range of all, studies of doe and kim.

    A product is told these keys, those above the level as well; ours asks in the Study Root model for all return keys.
    """
    keys = _keys(scenario_context, datatable)
    if who != PRODUCT:
        _ask_as(scenario_context, who)
        _query(scenario_context, level, keys)
        return
    scenario_context.memory["asked"] = keys
    scenario_context.act("query-images", peer=our_archive(scenario_context), level=level, keys=keys)


_MODELS: Final = ("Study Root", "Patient Root")


@when(
    '{who:Party} queries at "{level:Text}" level in the "{model:Text}" model by',
    who=_ASKERS,
    level=tuple(_UNIQUE),
    model=_MODELS,
)
def queries_in_model(
    scenario_context: ScenarioContext, who: str, level: str, model: str, datatable: list[list[str]]
) -> None:
    """The same in the Patient Root model, or in the Study Root model."""
    if model not in _MODELS:
        raise UsageError(f"{model!r} is not a query model; known: {', '.join(_MODELS)}")
    _ask_as(scenario_context, who)
    _query(scenario_context, level, _keys(scenario_context, datatable), patient_root=model == "Patient Root")


@when('{who:Party} {queries:Queries} at "{level:Text}" level of the study "{name:Text}" by', who=_ASKERS, level=_BELOW)
def queries_below(
    scenario_context: ScenarioContext,
    who: str,
    queries: bool,
    level: str,
    name: str,
    datatable: list[list[str]],
) -> None:
    """Query below a study; unique keys of higher levels are filled in. `queries and cancels`: C-CANCEL at once."""
    _ask_as(scenario_context, who)
    study = _studies(scenario_context)[name]
    keys: dict[str, Any] = {"StudyInstanceUID": str(study.first.StudyInstanceUID)}
    if level == "IMAGE":
        keys["SeriesInstanceUID"] = str(study.first.SeriesInstanceUID)
    keys |= {key: value or None for key, value in _keys(scenario_context, datatable).items()}
    # what a provider has sent until a cancel reaches it cannot be told apart from what it sends in spite of it
    _query(scenario_context, level, keys, **({"cancel_after": 0} if queries else {}))


@when('{who:Party} queries at "{level:Text}" level without the study UID', who=_ASKERS, level=_BELOW)
def queries_illegally(scenario_context: ScenarioContext, who: str, level: str) -> None:
    """A hierarchical query that lacks the unique key of the higher level."""
    _ask_as(scenario_context, who)
    _query(scenario_context, level, {})
    _note_query(scenario_context, purpose="invalid-hierarchy")


@when('the Image Display queries at "{level:Text}" level for the unusual key "{keyword:Text}"', level=tuple(_UNIQUE))
def queries_for_unusual(scenario_context: ScenarioContext, level: str, keyword: str) -> None:
    """A query with an optional key that hardly any product supports."""
    study = _studies(scenario_context)["doe"]
    _query(scenario_context, level, {"PatientID": str(study.first.PatientID), keyword: None})
    _note_query(scenario_context, purpose="unsupported-key")


def _expect(context: ScenarioContext, uids: list[str]) -> None:
    _note_query(context, expected=uids)


_RETURNED: Final = ("steps", "studies of", "images of")


@then('exactly the {what:Text} "{names:Text}" are returned', what=_RETURNED)
def exactly(scenario_context: ScenarioContext, what: str, names: str) -> None:
    """Say which scheduled steps, stored studies or images (of the first series of a study) must match, or none.

    Steps and studies (at Patient level: patients) that the product holds besides are not judged; each image must come
    once.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip() != "none"]
    if what == "steps":
        expect_steps(scenario_context, wanted)
        return
    studies = _studies(scenario_context)
    if what == "studies of":
        unique = _UNIQUE[scenario_context.memory["query"]["level"]]
        found = [str(study.first[unique].value) for study in studies.values() if study.name in wanted]
    elif what == "images of":
        found = [str(ds.SOPInstanceUID) for name in wanted for ds in _first_series(studies[name])]
    else:
        raise UsageError(f"{what!r} are not returned; known: {', '.join(_RETURNED)}")
    _expect(scenario_context, found)


def _first_series(study: StoredStudy) -> list[Dataset]:
    return select([study], lambda ds: bool(ds.SeriesInstanceUID == study.first.SeriesInstanceUID))


@then(
    'exactly the {what:Text} of "{name:Text}" with {keyword:Text} "{value:Text}" are returned',
    what=("series", "images"),
)
def exactly_with(scenario_context: ScenarioContext, what: str, name: str, keyword: str, value: str) -> None:
    """Say which series, or which images of the first series, must match: those with that value of an attribute."""
    study = _studies(scenario_context)[name]
    if what == "images":
        found = [ds.SOPInstanceUID for ds in _first_series(study) if str(ds.get(keyword, "")) == value]
    else:
        found = [ds.SeriesInstanceUID for ds in select([study], lambda ds: str(ds.get(keyword, "")) == value)]
    _expect(scenario_context, [str(uid) for uid in found])


# -- retrieve ----------------------------------------------------------------------------------------------------------


def _retrieve(
    context: ScenarioContext, verb: tuple[str, bool], level: str, name: str, *, destination: str | None = None
) -> None:
    known = _studies(context)
    asked = list(known[name].samples if name in known else performance(context, name).samples)
    first = asked[0].dataset
    keys: dict[str, Any] = {"StudyInstanceUID": str(first.StudyInstanceUID)}
    if level == "PATIENT":  # every study of the library is of a patient of its own
        keys = {"PatientID": str(first.PatientID)}
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
    context.memory["move by"] = retrieve_row(context, verb[0])
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


def retrieve_row(context: ScenarioContext, what: str) -> str:
    """The requirement that a retrieve which fails breaks: that of the actor under test, and of the service."""
    if "Report Repository" in context.tags.actor:
        return "RAD-27-SCP-04"
    return "RAD-16-SCP-08" if what == "gets" else "RAD-16-SCP-01"


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
    """Retrieve from the product by C-MOVE or C-GET, of Patient Root for a patient; None if it does not offer that.

    Of all these services only C-MOVE of Study Root has to be there.
    """
    what, cancels = verb
    patient_root = level == Level.PATIENT
    context.memory["not offered"] = False

    def fetch() -> Replies | None:
        product, at = context.lab.product, Level(level)
        try:
            if what == "retrieves":
                return display.move(
                    product, at, keys, destination=destination, patient_root=patient_root, break_off=cancels
                )
            taken = sorted(set(classes))
            return display.get(product, at, keys, storage_classes=taken, patient_root=patient_root, break_off=cancels)
        except NoPresentationContext:
            if what == "retrieves" and not patient_root:
                raise
            context.memory["not offered"] = True
            return None

    return context.converse(retrieve_row(context, what), "C-MOVE" if what == "retrieves" else "C-GET", fetch)


_LEVELS: Final = tuple(_UNIQUE)


@when('{who:Party} {fetches:Fetches} "{level:Text}" of "{name:Text}"', who=(PRODUCT, *_ASKERS), level=_LEVELS)
def retrieves(scenario_context: ScenarioContext, who: str, fetches: tuple[str, bool], level: str, name: str) -> None:
    """All of a patient, a study (also that of a performed step) as a whole, its first series, or one image.

    `retrieves`: C-MOVE to our display; `gets`: C-GET on one association; `retrieves and cancels`, `gets and cancels`:
    C-CANCEL once the first instance is there. A product only `retrieves`: the whole study, or its series one by one.
    """
    if who != PRODUCT:
        _ask_as(scenario_context, who)
        _retrieve(scenario_context, fetches, level, name)
        return
    if fetches != ("retrieves", False):
        raise UsageError("a product is asked to retrieve; how, and until when, is its own affair")
    study = str(_studies(scenario_context)[name].first.StudyInstanceUID)
    scenario_context.memory["retrieved"] = name
    scenario_context.act("retrieve-images", peer=our_archive(scenario_context), study=study, level=level)


@when(
    '{who:Party} retrieves "{level:Text}" of "{name:Text}" to the unknown destination "{destination:Text}"',
    who=_ASKERS,
    level=_LEVELS,
)
def retrieves_to_nowhere(scenario_context: ScenarioContext, who: str, level: str, name: str, destination: str) -> None:
    """C-MOVE to an AE title that the product does not know."""
    _ask_as(scenario_context, who)
    _retrieve(scenario_context, ("retrieves", False), level, name, destination=destination)


@then("exactly the instances that were asked for arrive")
def instances_arrive(scenario_context: ScenarioContext) -> None:
    """Wait until as many instances as were asked for have come; which ones is judged apart."""
    context = scenario_context
    expected: list[str] = context.memory["move"]
    requirement = context.memory["move by"]
    if context.memory["not offered"]:
        context.spared(requirement, "This way of retrieving is not offered, which is permitted")
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
