"""RAD-18, RAD-20 and RAD-21: what an Evidence Creator stores and reports (RAD TF-2 4.18, 4.20, 4.21)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import Journal, Operation, instance_of
from harness.profiles.observe import all_present, all_valued, check, judged, same, same_set
from harness.profiles.steps import FINAL, PerformedStep, Steps
from harness.profiles.swf.mapping import images, mpps
from harness.profiles.values import Attributes, listed, references, shown, text

SSAS = "ScheduledStepAttributesSequence"
_NOT_IMAGES = ("1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.88.")


def creations(j: Journal) -> tuple[Operation, ...]:
    """What the system under test stored as an Evidence Creator."""
    return j.stores_of(names.EVIDENCE_CREATOR)


def _is_image(store: Operation) -> bool:
    return not store.sop_class.startswith(_NOT_IMAGES)


def sources(j: Journal) -> list[Attributes]:
    """The objects that it works on: what was delivered to it, and KNOWN-OBJECTS facts."""
    found: dict[str, Attributes] = {}
    for _, data in j.facts(facts.KNOWN_OBJECTS):
        for instance in data.get("instances") or ():
            found[str(instance.get("SOPInstanceUID", ""))] = instance
    first = min((store.request.seq for store in creations(j)), default=0)
    before = {*found, *(instance_of(store) for store in j.ours if store.request.seq < first)}
    for store in j.ours:
        found[instance_of(store)] = store.attributes
    own = {instance_of(store) for store in creations(j)}  # what it made may have been given back to it later
    return [source for uid, source in found.items() if uid not in own or uid in before]


def _sources_of(j: Journal, store: Operation) -> list[Attributes]:
    """Sources in the study of a created object, or the ones that it names."""
    known = sources(j)
    named = {uid for _, uid in references(store.attributes, "SourceImageSequence")}
    by_name = [source for source in known if text(source, "SOPInstanceUID") in named]
    study = text(store.attributes, "StudyInstanceUID")
    return by_name or [source for source in known if text(source, "StudyInstanceUID") == study] or known[:1]


def new_instances_in_own_series(j: Journal) -> Iterator[Observation]:
    known = sources(j)
    instances = {text(source, "SOPInstanceUID") for source in known}
    series = {text(source, "SeriesInstanceUID") for source in known}
    for store in creations(j):
        uid, own = instance_of(store), text(store.attributes, "SeriesInstanceUID")
        if not known:
            continue
        yield judged(
            uid not in instances and own not in series,
            f"{store.request.label} is "
            + ("a new instance" if uid not in instances else "an instance of the sources")
            + (" in a series of its own" if own not in series else " in a series of the sources"),
            (store.request.seq,),
            expected="a new SOP Instance UID in a series of its own",
            actual=f"{uid} in {own}",
            locator="SOPInstanceUID, SeriesInstanceUID",
            why="A series is made by one equipment; an archive refuses or mixes up what pretends otherwise.",
        )


def study_taken_over(j: Journal) -> Iterator[Observation]:
    for store in creations(j):
        found = _sources_of(j, store)
        if not found or text(found[0], "StudyInstanceUID") != text(store.attributes, "StudyInstanceUID"):
            continue
        for keyword in (*images.PATIENT, *images.STUDY):
            if keyword not in found[0]:
                continue
            yield same(
                keyword,
                found[0].get(keyword),
                store.attributes.get(keyword),
                source="the source images",
                target=f"created {store.request.label}",
                evidence=(store.request.seq,),
                why="All instances of one study share patient and study.",
            )


def derived_marked(j: Journal) -> Iterator[Observation]:
    for store in creations(j):
        if not _is_image(store):
            continue
        first = text(store.attributes, "ImageType").split("\\")[0]
        yield judged(
            first == "DERIVED",
            f"Image Type of {store.request.label} begins with {first or '(nothing)'}",
            (store.request.seq,),
            expected="DERIVED",
            actual=text(store.attributes, "ImageType") or "(absent)",
            locator="ImageType",
            why="Who reads the image must know that it was computed.",
        )


def own_step_referenced(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    own = {step.uid for step in steps.by(names.EVIDENCE_CREATOR)}
    for store in filter(_is_image, creations(j)):
        found = {uid for _, uid in references(store.attributes, "ReferencedPerformedProcedureStepSequence")}
        acquisition = {
            uid for source in sources(j) for _, uid in references(source, "ReferencedPerformedProcedureStepSequence")
        }
        if not own and not found:
            continue
        yield judged(
            bool(found) and found <= own if own else not found & acquisition,
            f"{store.request.label} names performed step {listed(sorted(found)) or '(none)'}",
            (store.request.seq, *(step.create.request.seq for step in steps.by(names.EVIDENCE_CREATOR))),
            expected=sorted(own) or "none of the acquisition",
            actual=listed(sorted(found)) or "none",
            locator="ReferencedPerformedProcedureStepSequence",
        )


# -- performed steps -------------------------------------------------------------------------------------------


def _creator_steps(j: Journal) -> tuple[PerformedStep, ...]:
    return Steps(j).by(names.EVIDENCE_CREATOR)


def step_created(j: Journal) -> Iterator[Observation]:
    studies = {text(source, "StudyInstanceUID") for source in sources(j)} - {""}
    for step in _creator_steps(j):
        message = step.create.request
        status = text(step.attributes, "PerformedProcedureStepStatus")
        yield judged(
            status == "IN PROGRESS",
            f"The status in {message.label} is {status or '(none)'}",
            (message.seq,),
            expected="IN PROGRESS",
            actual=status or "(absent)",
            locator="PerformedProcedureStepStatus",
        )
        yield from all_valued(step.attributes, mpps.CREATE_TYPE_1, message)
        yield from all_present(step.attributes, mpps.CREATE_TYPE_2, message)
        for number, item in enumerate(step.scheduled, start=1):
            study = text(item, "StudyInstanceUID")
            yield judged(
                bool(study) and (not studies or study in studies),
                f"Item {number} of {step.label} is of study {study or '(none)'}",
                (message.seq,),
                expected=sorted(studies) or "the study worked on",
                actual=study or "(empty)",
                locator=f"{SSAS}[{number}]/StudyInstanceUID",
                why="The work belongs to the study that it was done on.",
            )
            if text(item, "ScheduledProcedureStepID"):
                continue
            for keyword in ("AccessionNumber", "ReferencedStudySequence"):
                yield judged(
                    keyword in item and not item[keyword],
                    f"{keyword} of {step.label}, which has no scheduled step, is {shown(item.get(keyword))}",
                    (message.seq,),
                    expected="present with zero length",
                    actual=shown(item.get(keyword)),
                    locator=f"{SSAS}[{number}]/{keyword}",
                )


def step_ended_with_instances(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.EVIDENCE_CREATOR):
        stores = [s for s in creations(j) if steps.of(s) is step]
        if step.closing is None:
            if stores:
                yield judged(
                    False,
                    f"{step.label} was never ended although {len(stores)} object(s) were stored",
                    (step.create.request.seq, *(s.request.seq for s in stores)),
                    expected=FINAL,
                    actual="IN PROGRESS",
                    locator="PerformedProcedureStepStatus",
                )
            continue
        yield same_set(
            (instance_of(s) for s in stores),
            step.referenced,
            what=f"Objects listed by {step.label}",
            evidence=(*step.evidence, *(s.request.seq for s in stores)),
            locator="PerformedSeriesSequence",
            why="What is not listed is never looked for.",
        )
        others = {instance_of(s) for s in stores if not _is_image(s)}
        as_images = {uid for series in step.series for _, uid in references(series, "ReferencedImageSequence")} & others
        if others:
            yield judged(
                not as_images,
                f"{len(others - as_images)} of {len(others)} non-image object(s) are listed as such",
                step.evidence,
                expected="in the Referenced Non-Image Composite SOP Instance Sequence",
                actual=f"{len(as_images)} among the images",
                locator="PerformedSeriesSequence/ReferencedNonImageCompositeSOPInstanceSequence",
            )


_ROWS = (
    ("creator-series", "RAD-18-SCU-01", "RAD-18", new_instances_in_own_series, "Created objects are new"),
    ("creator-study", "RAD-18-SCU-02", "RAD-18", study_taken_over, "Patient and study are taken over"),
    ("creator-derived", "RAD-18-SCU-03", "RAD-18", derived_marked, "Derived images say so"),
    ("creator-own-step", "RAD-18-SCU-04", "RAD-18 RAD-20", own_step_referenced, "Objects name the creator's step"),
    ("creator-step", "RAD-20-SCU-01", "RAD-20", step_created, "The creator announces its step"),
    ("creator-step-ended", "RAD-21-SCU-01", "RAD-21", step_ended_with_instances, "The creator ends its step"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
