"""Consistency of worklist, performed step and images over the whole exchange (RAD TF-2 Appendix A, PS3.17 J)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal, Operation, instance_of
from harness.profiles.observe import check, judged, same, same_set
from harness.profiles.steps import Case, Entry, PerformedStep, Steps
from harness.profiles.swf.checks.rad06_scu import SSAS
from harness.profiles.swf.checks.rad08_scu import REQUEST
from harness.profiles.swf.mapping import images, mpps
from harness.profiles.values import Attributes, items, listed, references, shown, text

WHY = "What one system calls it and what the next one calls it are joined by these values alone."


def steps_with_entry(j: Journal) -> Iterator[tuple[PerformedStep, Entry]]:
    """Performed steps of the modality with their (first) worklist entry."""
    for step in Steps(j).by(names.MODALITY):
        if step.worklist:
            yield step, step.worklist[0]


def images_with_step(j: Journal) -> Iterator[tuple[Operation, PerformedStep]]:
    steps = Steps(j)
    for store in j.stores_of(names.MODALITY):
        if (step := steps.of(store)) is not None:
            yield store, step


def compare(
    keywords: Sequence[str], source: Attributes, target: Attributes, names_: tuple[str, str], evidence: Sequence[int]
) -> Iterator[Observation]:
    for keyword in keywords:
        yield same(
            keyword,
            source.get(keyword),
            target.get(keyword),
            source=names_[0],
            target=names_[1],
            evidence=evidence,
            why=WHY,
        )


def patient_in_step(j: Journal) -> Iterator[Observation]:
    for step, entry in steps_with_entry(j):
        yield from compare(
            mpps.PATIENT,
            entry.attributes,
            step.attributes,
            ("the worklist", step.label),
            (entry.seq, step.create.request.seq),
        )


def scheduled_attributes_in_step(j: Journal) -> Iterator[Observation]:
    for step in Steps(j).by(names.MODALITY):
        several = len({entry.text("RequestedProcedureID") for entry in step.worklist}) > 1
        keywords = [k for k in mpps.COPIED if not several or k not in ("StudyInstanceUID", "ReferencedStudySequence")]
        paired = {entry.step_id for entry in step.entries if entry is not None}
        for item, entry in zip(step.scheduled, step.entries, strict=True):
            if entry is not None:
                yield from compare(
                    keywords,
                    entry.attributes,
                    item,
                    ("the worklist", f"{step.label}, {SSAS}"),
                    (entry.seq, step.create.request.seq),
                )
        for entry in step.worklist:
            # a group that leaves a step out is judged where the numbers of items are compared
            if entry.step_id not in paired and step.case is not Case.GROUP:
                yield judged(
                    False,
                    f"{step.label} has no item for scheduled step {entry.step_id}",
                    (entry.seq, step.create.request.seq),
                    expected=f"an item for step {entry.step_id}",
                    actual=shown([text(item, "ScheduledProcedureStepID") for item in step.scheduled]),
                    locator=SSAS,
                    why=WHY,
                )


def patient_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        for entry in step.worklist[:1]:
            yield from compare(
                images.PATIENT,
                entry.attributes,
                store.attributes,
                ("the worklist", f"image {store.request.label}"),
                (entry.seq, store.request.seq),
            )


def scheduled_attributes_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        entry = step.entry
        if step.case is not Case.SIMPLE or entry is None:
            continue
        evidence = (entry.seq, store.request.seq)
        where = ("the worklist", f"image {store.request.label}")
        yield from compare(("StudyInstanceUID", "AccessionNumber"), entry.attributes, store.attributes, where, evidence)
        if entry.attributes.get("ReferencedStudySequence"):
            yield from compare(("ReferencedStudySequence",), entry.attributes, store.attributes, where, evidence)
        found = items(store.attributes, REQUEST)
        yield from compare(images.REQUEST_ATTRIBUTES, entry.attributes, found[0] if found else {}, where, evidence)


def step_uid_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        found = [uid for _, uid in references(store.attributes, "ReferencedPerformedProcedureStepSequence")]
        yield judged(
            step.uid in found,
            f"Image {store.request.label} names performed step {listed(found) or '(none)'}",
            (step.create.request.seq, store.request.seq),
            expected=step.uid,
            actual=listed(found) or "(absent)",
            locator="ReferencedPerformedProcedureStepSequence[1]/ReferencedSOPInstanceUID",
            why=WHY,
        )


def _step_and_images(j: Journal, keywords: Sequence[str]) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        yield from compare(
            keywords,
            step.current,
            store.attributes,
            (step.label, f"image {store.request.label}"),
            (*step.evidence, store.request.seq),
        )


def step_attributes_in_images(j: Journal) -> Iterator[Observation]:
    yield from _step_and_images(j, images.PERFORMED)


def study_id_in_images(j: Journal) -> Iterator[Observation]:
    yield from _step_and_images(j, ("StudyID",))


def codes_in_images(j: Journal) -> Iterator[Observation]:
    yield from _step_and_images(j, ("ProcedureCodeSequence", "PerformedProtocolCodeSequence"))


def modality_fits(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        planned, found = text(step.attributes, "Modality"), text(store.attributes, "Modality")
        captured = text(store.attributes, "SOPClassUID").startswith(images.SECONDARY_CAPTURE)
        ok = found in {planned, *images.COMPANION_MODALITIES, *(images.CAPTURED_MODALITIES if captured else ())}
        yield judged(
            ok,
            f"{step.label} is of modality {planned or '(none)'}, image {store.request.label} of {found or '(none)'}",
            (step.create.request.seq, store.request.seq),
            expected=planned,
            actual=found or "(absent)",
            locator="Modality",
            why=WHY,
        )


def listed_equals_stored(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        stores = [s for s in j.stores_of(names.MODALITY) if steps.of(s) is step]
        if step.closing is None or not (stores or step.referenced):
            continue
        yield same_set(
            step.referenced,
            (instance_of(s) for s in stores),
            what=f"Instances listed by {step.label} against those stored",
            evidence=(*step.evidence, *(s.request.seq for s in stores)),
            locator="PerformedSeriesSequence",
            why="A listed image that was never stored keeps the study incomplete; an unlisted one is never looked for.",
        )


def series_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
        series = text(store.attributes, "SeriesInstanceUID")
        item = next((s for s in step.series if text(s, "SeriesInstanceUID") == series), None)
        if step.closing is None:
            continue
        if item is None:
            yield judged(
                False,
                f"Series {series or '(none)'} of image {store.request.label} is not in {step.label}",
                (*step.evidence, store.request.seq),
                expected=[text(s, "SeriesInstanceUID") for s in step.series],
                actual=series or "(absent)",
                locator="SeriesInstanceUID",
                why=WHY,
            )
            continue
        for keyword in images.SERIES:
            if item.get(keyword) or keyword in ("ProtocolName",):
                yield same(
                    keyword,
                    item.get(keyword),
                    store.attributes.get(keyword),
                    source=step.label,
                    target=f"image {store.request.label}",
                    evidence=(*step.evidence, store.request.seq),
                    why=WHY,
                )


_ROWS = (
    ("xc-patient-step", "XC-08", "RAD-5 RAD-6", patient_in_step, "Worklist and step name the same patient"),
    ("xc-scheduled-step", "XC-09", "RAD-5 RAD-6", scheduled_attributes_in_step, "Worklist and step agree"),
    ("xc-patient-images", "XC-10", "RAD-5 RAD-8", patient_in_images, "Worklist and images name the same patient"),
    ("xc-scheduled-images", "XC-11", "RAD-5 RAD-8", scheduled_attributes_in_images, "Worklist and images agree"),
    ("xc-step-uid", "XC-12", "RAD-6 RAD-8", step_uid_in_images, "Images name their step"),
    ("xc-step-attributes", "XC-13", "RAD-6 RAD-8", step_attributes_in_images, "Step and images agree"),
    ("xc-study-id", "XC-14", "RAD-6 RAD-8", study_id_in_images, "Step and images have one Study ID"),
    ("xc-codes", "XC-15", "RAD-6 RAD-8", codes_in_images, "Step and images have the same codes"),
    ("xc-modality", "XC-16", "RAD-6 RAD-8", modality_fits, "Step and images are of one modality"),
    ("xc-listed-stored", "XC-17", "RAD-8 RAD-10", listed_equals_stored, "Listed and stored are the same"),
    ("xc-series", "XC-18", "RAD-7 RAD-8", series_in_images, "Step and images describe a series alike"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
