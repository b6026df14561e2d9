"""Presentation states, key image notes and reports: made, kept, found, fetched and shown (CPI and ARI)."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from harness.actors.archive_keys import Level
from harness.actors.objects import SUBJECTS, Sample, Subject
from harness.actors.presentation import objects as presentation_objects
from harness.actors.reports.documents import (
    BASIC_TEXT_SR,
    Code,
    Referenced,
    ReportPlan,
    key_object_note,
    report,
)
from harness.actors.reports.reader import DOCUMENT_KEYS
from harness.bdd.context import ScenarioContext
from harness.bdd.registry import then, when
from harness.bdd.steps.archiving import fetched, retrieve_row
from harness.bdd.steps.printing import send_objects
from harness.core.errors import UsageError
from harness.profiles import facts, names
from harness.profiles.values import plain_values

#: what is asked of each instance besides its identifiers
_KEYS = {
    "PR": (
        "ContentLabel",
        "ContentDescription",
        "PresentationCreationDate",
        "PresentationCreationTime",
        "ContentCreatorName",
        "ReferencedSeriesSequence",
    ),
    "KO": ("ContentDate", "ContentTime", "ObservationDateTime", "ConceptNameCodeSequence"),
    "SR": DOCUMENT_KEYS,
}
_READERS = (names.IMAGE_DISPLAY, names.REPORT_READER)
_REASON = Code("111210", "DCM", "Motion blur")
KNOWN_DOCUMENTS = (
    "basic report",
    "preliminary report",
    "measured report",
    "Japanese report",
    "Korean report",
    "corrected report",
    "note",
    "rejection note",
)


def new_uid(context: ScenarioContext) -> str:
    return f"2.25.{context.lab.source.getrandbits(121)}"


def fresh(context: ScenarioContext, subject: Subject) -> Subject:
    """A patient of this run with the name of a known one, so that older content does not disturb."""
    number = f"{subject.id}-{context.lab.source.getrandbits(32):08X}"
    return Subject(subject.name, number, subject.birth_date, subject.sex, subject.character_set)


def keep(context: ScenarioContext, datasets: list[Dataset]) -> None:
    """Remember what was stored, and say so for the checks."""
    context.memory["objects"] = datasets
    context.transcript.note(facts.KNOWN_OBJECTS, {"instances": [_known(ds) for ds in datasets]})


def _known(ds: Dataset) -> dict[str, Any]:
    return {
        keyword: value
        for keyword, value in plain_values(ds).items()
        if keyword not in ("PixelData", "ContentSequence") and not keyword.startswith("#")
    }


def _objects(context: ScenarioContext) -> list[Dataset]:
    found: list[Dataset] = context.memory.get("objects", [])
    if not found:
        raise UsageError("this step needs objects that an earlier step stored")
    return found


# -- storing -------------------------------------------------------------------------------------------------------


@when('the Acquisition Modality stores the test object "{name:Text}" with its presentation state')
def stores_test_object(scenario_context: ScenarioContext, name: str) -> None:
    """Store an image and its presentation state into the product; `list steps` shows the names of the objects."""
    context = scenario_context
    made = presentation_objects.make(name, fresh(context, SUBJECTS[0]), lambda: new_uid(context))
    send_objects(context, [made])
    keep(context, list(made.datasets))


@when('the Acquisition Modality stores a study with a "{kind:Text}"', kind=KNOWN_DOCUMENTS)
def modality_stores_document(scenario_context: ScenarioContext, kind: str) -> None:
    """Store images and a document about them: a report of one kind or another, or a note."""
    store_document(scenario_context, kind)


def store_document(context: ScenarioContext, kind: str) -> None:
    """Store a document into the product; with the images that it is about, unless the product is a repository."""
    made = presentation_objects.make("VOI window", fresh(context, SUBJECTS[0]), lambda: new_uid(context))
    image = made.image
    document = document_of(context, kind, image)
    alone = context.tags.actor in (names.REPORT_REPOSITORY, names.EXTERNAL_REPORT_REPOSITORY)
    datasets = [document] if alone else [image, document]
    context.begin()
    context.converse(
        "RAD-29-OBJ-01" if "note" in kind else "ARI-ACT-04",
        f"Storing a {kind}",
        lambda: context.lab.modality.store(context.lab.product, [Sample(ds) for ds in datasets]),
    )
    keep(context, datasets)


def document_of(context: ScenarioContext, kind: str, image: Dataset) -> Dataset:
    patient = Subject(str(image.PatientName), str(image.PatientID), str(image.PatientBirthDate), str(image.PatientSex))
    base: dict[str, Any] = {
        "subject": patient,
        "study": str(image.StudyInstanceUID),
        "images": (Referenced.of(image),),
        "shared": image,
    }

    def new() -> str:
        return new_uid(context)

    match kind:
        case "basic report":
            return report(ReportPlan(**base), new)
        case "preliminary report":
            return report(ReportPlan(**base, complete=False, verified=False), new)
        case "measured report":
            return report(ReportPlan(**base, measurements=(("Length", 12.5),)), new)
        case "Japanese report":
            return report(ReportPlan(**base, findings=("所見なし",), impressions=("正常",), language="ja"), new)
        case "Korean report":
            base["subject"] = replace(patient, character_set=("", "ISO 2022 IR 149"))
            return report(ReportPlan(**base, findings=("이상 소견 없음.",), impressions=("정상",), language="ko"), new)
        case "corrected report":
            earlier = Referenced(str(image.StudyInstanceUID), new(), BASIC_TEXT_SR, new())
            return report(ReportPlan(**base, findings=("A small nodule.",), predecessor=earlier), new)
        case "note":
            return key_object_note(ReportPlan(**base), new, text="Look here")
        case "rejection note":
            title = Code("113001", "DCM", "Rejected for Quality Reasons")
            return key_object_note(ReportPlan(**base), new, title=title, reason=_REASON)
    raise UsageError(f"there is no document {kind!r}; known: {', '.join(KNOWN_DOCUMENTS)}")


# -- finding and fetching ------------------------------------------------------------------------------------------


@when('{who:Party} looks for "{modality:Text}" objects of that patient', who=_READERS, modality=tuple(_KEYS))
def looks_for_objects(scenario_context: ScenarioContext, who: str, modality: str) -> None:
    """Our Image Display or Report Reader asks at every level for objects of a modality (PR, KO, SR) with all keys."""
    context, lab = scenario_context, scenario_context.lab
    wanted = next((ds for ds in _objects(context) if str(ds.Modality) == modality), None)
    if wanted is None or modality not in _KEYS:
        raise UsageError(f"no {modality} object was stored; known modalities: {', '.join(_KEYS)}")
    study, series = str(wanted.StudyInstanceUID), str(wanted.SeriesInstanceUID)
    questions: tuple[tuple[Level, dict[str, Any], tuple[str, ...] | None], ...] = (
        (Level.STUDY, {"PatientID": str(wanted.PatientID), "ModalitiesInStudy": None}, None),
        (Level.SERIES, {"StudyInstanceUID": study, "Modality": modality}, None),
        (
            Level.IMAGE,
            {"StudyInstanceUID": study, "SeriesInstanceUID": series},
            tuple(dict.fromkeys(("SOPClassUID", "SOPInstanceUID", "InstanceNumber", *_KEYS[modality]))),
        ),
    )
    context.begin()
    for level, keys, returned in questions:
        context.converse(
            "RAD-14-SCP-01",
            f"The query at {level} level",
            functools.partial(lab.reader(who).query, lab.product, level, keys, returned=returned),
        )


@when("{who:Party} {fetches:Fetches} that study", who=_READERS)
def retrieves_study(scenario_context: ScenarioContext, who: str, fetches: tuple[str, bool]) -> None:
    """Fetch the study that was stored, by C-MOVE (`gets`: by C-GET), and wait until it has come, or time is up."""
    context, lab = scenario_context, scenario_context.lab
    wanted = _objects(context)
    reader = lab.reader(who)
    before = len(reader.received)
    keys = {"StudyInstanceUID": str(wanted[0].StudyInstanceUID)}
    context.begin()
    replies = fetched(context, reader, fetches, Level.STUDY, keys, {str(ds.SOPClassUID) for ds in wanted})
    if replies is not None and not fetches[1]:
        reader.wait_for(before + len(wanted), lab.sut.timeouts.exchange)


@then("every stored object comes back")
def everything_comes_back(scenario_context: ScenarioContext) -> None:
    """Each stored instance was delivered."""
    context = scenario_context
    if context.memory.get("not offered"):
        context.spared(retrieve_row(context, "gets"), "This way of retrieving is not offered, which is permitted")
        return
    wanted = {str(ds.SOPInstanceUID) for ds in _objects(context)}
    found = {received.sop_instance for received in context.lab.all_received}
    if missing := sorted(wanted - found):
        context.broken(
            "RAD-27-SCP-01" if "Report Repository" in context.tags.actor else "RAD-16-SCP-01",
            f"{len(missing)} of {len(wanted)} stored objects did not come back",
            expected=tuple(sorted(wanted)),
            actual=", ".join(sorted(wanted & found)) or "nothing",
            locator="SOPInstanceUID",
        )


# -- what a product makes and shows ----------------------------------------------------------------------------------


@when("the system under test creates a presentation state for its last image")
def product_creates_state(scenario_context: ScenarioContext) -> None:
    """Have the product make a presentation state for the image that it stored last, and store it."""
    scenario_context.act("create-presentation-state", images="last")
