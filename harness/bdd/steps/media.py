"""Portable media: written by the product and judged, or made by us and imported by the product."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset

from harness.actors.defects.registry import behaviour
from harness.actors.media.creator import MediaCreator
from harness.bdd.context import ScenarioContext
from harness.bdd.media import record_export, record_medium
from harness.bdd.media_studies import media_study, unclaimed
from harness.bdd.registry import then, when
from harness.core.errors import NonConformance, UsageError
from harness.profiles import names
from harness.profiles.pdi import facts
from harness.protocols.media.secure import Protection
from harness.protocols.media.writing import MediumPlan

_ENDINGS = ("", ".iso", ".zip")
_PROTECTED = "protected "
_KINDS = ("CD", "DVD", "USB", "protected CD")
_FORMS = {"folder": "", "ZIP file": ".zip", "ISO image": ".iso"}


def _deal(context: ScenarioContext) -> str:
    return f"2.25.{context.lab.source.getrandbits(121)}"


def _folder(context: ScenarioContext) -> Path:
    """A fresh folder of this scenario."""
    number = context.memory["media"] = context.memory.get("media", 0) + 1
    folder = Path(context.lab.settings.out).resolve() / "work" / "media" / f"{context.lab.source.getrandbits(64):016x}"
    place = folder / str(number)
    place.mkdir(parents=True)
    return place


def _content(context: ScenarioContext, name: str) -> list[Dataset]:
    return media_study(name, lambda: _deal(context))


@when('the system under test writes "{study:Text}" to a "{kind:Text}"', kind=_KINDS)
def writes_medium(scenario_context: ScenarioContext, study: str, kind: str) -> None:
    """Ask the product for a medium (CD, DVD, USB, protected CD) with a study of ours; record what it wrote."""
    context = scenario_context
    if kind not in _KINDS:
        raise UsageError(f"there is no kind of medium {kind!r}; known: {', '.join(_KINDS)}")
    password = _password(context) if kind.startswith(_PROTECTED) else ""
    work = _folder(context)
    source, target = work / "source", work / "medium"
    source.mkdir()
    datasets = _content(context, study)
    for number, dataset in enumerate(datasets, 1):
        dataset.save_as(source / f"{number:06d}.dcm", enforce_file_format=True)
    outcome = context.act(
        "create-media", study=study, folder=str(target), files=str(source), kind=kind, password=password
    )
    said = outcome.answers.get("medium")
    places = [Path(str(said))] if said else [target.with_name(target.name + ending) for ending in _ENDINGS]
    made = next((place for place in places if place.exists()), None)
    if made is None:
        summary = f"No medium was written to {target}: {outcome.detail or 'it is not there'}"
        context.broken("PDI-ACT-01", summary, expected=("a folder, a ZIP file or an ISO image",), actual="nothing")
        raise NonConformance(summary, tuple(context.findings))
    identifier = f"made-{context.memory['media']}"
    claimed = kind.removeprefix(_PROTECTED)
    record_medium(context.transcript, made, identifier, actor=names.DISPLAY, claimed=claimed, password=password)
    context.transcript.note(
        facts.EXPECTED, {"medium": identifier, "instances": [str(dataset.SOPInstanceUID) for dataset in datasets]}
    )


def _password(context: ScenarioContext) -> str:
    """A password of this scenario, in the characters that PS3.15 D.1.1 allows."""
    return f"pass {context.lab.source.getrandbits(40):x}"


def _imported(context: ScenarioContext, study: str, form: str, fault: str = "", *, protected: bool = False) -> None:
    work = _folder(context)
    target, export = work / f"medium{form}", work / "export"
    datasets = _content(context, study)
    password = _password(context) if protected else ""
    plan = MediumPlan(protect=Protection(password) if protected else None)
    creator = MediaCreator(plan, behaviour("media-creator", [fault] if fault else []), lambda: _deal(context))
    creator.write(datasets, target)
    identifier = f"offered-{context.memory['media']}"
    record_medium(context.transcript, target, identifier, actor=names.MEDIA_CREATOR, by_us=True, password=password)
    fact: facts.ImportFact = {
        "medium": identifier,
        "offered": [str(dataset.SOPInstanceUID) for dataset in datasets],
        "unsupported": [str(dataset.SOPInstanceUID) for dataset in datasets if unclaimed(dataset)],
        "broken": [fault] if fault else [],
        "rich": not protected,
        "protected": protected,
    }
    context.transcript.note(facts.IMPORT, {**fact})
    context.act("import-media", folder=str(target), export=str(export), password=password)
    if export.is_dir():
        record_export(context.transcript, export, actor=names.MEDIA_CREATOR)


@when('the system under test {does:Text} a "{form:Text}" with "{study:Text}"', does=("imports", "reads"))
def opens_medium(scenario_context: ScenarioContext, does: str, form: str, study: str) -> None:
    """Make a conforming medium (folder, ZIP file, ISO image) and ask the product to import it, or to read it.

    It may be protected as well (protected folder ...); to read it is what a display, a reader or a composer does.
    """
    plain = form.removeprefix(_PROTECTED)
    if plain not in _FORMS:
        raise UsageError(f"there is no form of medium {form!r}; known: {', '.join(_FORMS)}, protected folder, …")
    if does == "imports":
        _imported(scenario_context, study, _FORMS[plain], protected=plain != form)
    else:
        _read(scenario_context, study, _FORMS[plain], protected=plain != form)


def _read(context: ScenarioContext, study: str, form: str, *, protected: bool) -> None:
    target = _folder(context) / f"medium{form}"
    password = _password(context) if protected else ""
    MediaCreator(MediumPlan(protect=Protection(password) if protected else None), None, lambda: _deal(context)).write(
        _content(context, study), target
    )
    identifier = f"offered-{context.memory['media']}"
    record_medium(context.transcript, target, identifier, actor=names.MEDIA_CREATOR, by_us=True, password=password)
    context.act("read-media", folder=str(target), password=password)


@when('the system under test imports a medium with the fault "{fault:Text}"')
def imports_faulty_medium(scenario_context: ScenarioContext, fault: str) -> None:
    """Make a medium with one fault (see `ihe-harness media defects`) and ask the product to import it."""
    _imported(scenario_context, "one patient", "", fault)


@then("the import came to an end")
def import_ended(scenario_context: ScenarioContext) -> None:
    """The product neither crashed nor hung, whatever it made of the medium."""
    context = scenario_context
    failed = context.memory.get("action failed", "")
    if failed:
        summary = f"The import did not come to an end: {failed}"
        context.broken("RAD-47-PMI-06", summary, expected=("a report of what was imported",), actual=failed)
        raise NonConformance(summary, tuple(context.findings))
    context.met("RAD-47-PMI-06", "The import came to an end")
