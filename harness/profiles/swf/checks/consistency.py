"""Consistency of worklist, performed step and images over the whole exchange (RAD TF-2 Appendix A, PS3.17 J)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, IAN, MPPS, TO_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged, same, same_set
from harness.profiles.steps import Case, Entry, PerformedStep, Steps
from harness.profiles.swf.checks.rad06_scu import SSAS
from harness.profiles.swf.checks.rad08_scu import REQUEST
from harness.profiles.swf.mapping import images, mpps
from harness.profiles.values import Attributes, items, listed, normal_name, references, shown, text

_WHY = "What one system calls it and what the next one calls it are joined by these values alone."


def _steps(j: Journal) -> Iterator[tuple[PerformedStep, Entry]]:
    """Performed steps of the modality with their (first) worklist entry."""
    for step in Steps(j).by(names.MODALITY):
        if step.worklist:
            yield step, step.worklist[0]


def _images(j: Journal) -> Iterator[tuple[Operation, PerformedStep]]:
    steps = Steps(j)
    for store in j.stores_of(names.MODALITY):
        if (step := steps.of(store)) is not None:
            yield store, step


def _compare(
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
            why=_WHY,
        )


def patient_in_step(j: Journal) -> Iterator[Observation]:
    for step, entry in _steps(j):
        yield from _compare(
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
                yield from _compare(
                    keywords,
                    entry.attributes,
                    item,
                    ("the worklist", f"{step.label}, {SSAS}"),
                    (entry.seq, step.create.request.seq),
                )
        for entry in step.worklist:
            if entry.step_id not in paired:
                yield judged(
                    False,
                    f"{step.label} has no item for scheduled step {entry.step_id}",
                    (entry.seq, step.create.request.seq),
                    expected=f"an item for step {entry.step_id}",
                    actual=shown([text(item, "ScheduledProcedureStepID") for item in step.scheduled]),
                    locator=SSAS,
                    why=_WHY,
                )


def patient_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in _images(j):
        for entry in step.worklist[:1]:
            yield from _compare(
                images.PATIENT,
                entry.attributes,
                store.attributes,
                ("the worklist", f"image {store.request.label}"),
                (entry.seq, store.request.seq),
            )


def scheduled_attributes_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in _images(j):
        entry = step.entry
        if step.case is not Case.SIMPLE or entry is None:
            continue
        evidence = (entry.seq, store.request.seq)
        where = ("the worklist", f"image {store.request.label}")
        yield from _compare(
            ("StudyInstanceUID", "AccessionNumber"), entry.attributes, store.attributes, where, evidence
        )
        if entry.attributes.get("ReferencedStudySequence"):
            yield from _compare(("ReferencedStudySequence",), entry.attributes, store.attributes, where, evidence)
        found = items(store.attributes, REQUEST)
        yield from _compare(images.REQUEST_ATTRIBUTES, entry.attributes, found[0] if found else {}, where, evidence)


def step_uid_in_images(j: Journal) -> Iterator[Observation]:
    for store, step in _images(j):
        found = [uid for _, uid in references(store.attributes, "ReferencedPerformedProcedureStepSequence")]
        yield judged(
            step.uid in found,
            f"Image {store.request.label} names performed step {listed(found) or '(none)'}",
            (step.create.request.seq, store.request.seq),
            expected=step.uid,
            actual=listed(found) or "(absent)",
            locator="ReferencedPerformedProcedureStepSequence[1]/ReferencedSOPInstanceUID",
            why=_WHY,
        )


def _step_and_images(j: Journal, keywords: Sequence[str]) -> Iterator[Observation]:
    for store, step in _images(j):
        yield from _compare(
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
    for store, step in _images(j):
        planned, found = text(step.attributes, "Modality"), text(store.attributes, "Modality")
        ok = found == planned or found in images.COMPANION_MODALITIES
        yield judged(
            ok,
            f"{step.label} is of modality {planned or '(none)'}, image {store.request.label} of {found or '(none)'}",
            (step.create.request.seq, store.request.seq),
            expected=planned,
            actual=found or "(absent)",
            locator="Modality",
            why=_WHY,
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
    for store, step in _images(j):
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
                why=_WHY,
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
                    why=_WHY,
                )


# -- cases -----------------------------------------------------------------------------------------------------


def ids_of_steps_and_series(j: Journal) -> Iterator[Observation]:
    owners: dict[str, dict[str, int]] = {}
    for step in Steps(j).all:
        if own := text(step.attributes, "PerformedProcedureStepID"):
            owners.setdefault(own, {})[step.uid] = step.create.request.seq
    for own, uids in owners.items():
        yield judged(
            len(uids) == 1,
            f"Performed Procedure Step ID {own} stands for {len(uids)} performed step(s)",
            tuple(uids.values()),
            expected="1",
            actual=str(len(uids)),
            locator="PerformedProcedureStepID",
            why=_WHY,
        )
    by_series: dict[str, dict[str, int]] = {}
    for store in j.stores:
        if own := text(store.attributes, "PerformedProcedureStepID"):
            by_series.setdefault(text(store.attributes, "SeriesInstanceUID"), {})[own] = store.request.seq
    for series, ids in by_series.items():
        yield judged(
            len(ids) == 1,
            f"Series {series} names the performed step id(s) {listed(sorted(ids))}",
            tuple(ids.values()),
            expected="one id",
            actual=listed(sorted(ids)),
            locator="PerformedProcedureStepID",
            why=_WHY,
        )


def unscheduled_images_agree(j: Journal) -> Iterator[Observation]:
    for store, step in _images(j):
        if step.case is not Case.UNSCHEDULED:
            continue
        study = text(store.attributes, "StudyInstanceUID")
        evidence = (step.create.request.seq, store.request.seq)
        yield judged(
            any(text(item, "StudyInstanceUID") == study for item in step.scheduled),
            f"Unscheduled image {store.request.label} is in study {study or '(none)'}",
            evidence,
            expected=[text(item, "StudyInstanceUID") for item in step.scheduled],
            actual=study or "(absent)",
            locator="StudyInstanceUID",
            why=_WHY,
        )
        invented = [
            keyword
            for item in items(store.attributes, REQUEST)
            for keyword in ("RequestedProcedureID", "ScheduledProcedureStepID")
            if text(item, keyword)
        ]
        yield judged(
            not invented,
            f"Unscheduled image {store.request.label} names "
            + (f"{listed(invented)} of an order that does not exist" if invented else "no order"),
            evidence,
            expected="no request attributes",
            actual=shown(store.attributes.get(REQUEST)),
            locator=REQUEST,
            why="An order that does not exist cannot be found.",
        )


def grouped_images_agree(j: Journal) -> Iterator[Observation]:
    for store, step in _images(j):
        if step.case is not Case.GROUP:
            continue
        yield same_set(
            (text(item, "ScheduledProcedureStepID") for item in step.scheduled),
            (text(item, "ScheduledProcedureStepID") for item in items(store.attributes, REQUEST)),
            what=f"Step ids in {step.label} against image {store.request.label}",
            evidence=(step.create.request.seq, store.request.seq),
            locator=f"{REQUEST}/ScheduledProcedureStepID",
            why=_WHY,
        )


def appended_step_agrees(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    by_uid = {step.uid: step for step in steps.all}
    for step in steps.by(names.MODALITY):
        if step.case is not Case.APPEND or not step.earlier:
            continue
        first = by_uid[step.earlier[-1]]
        evidence = (*first.evidence, *step.evidence)
        yield from _compare(
            mpps.COPIED,
            (first.scheduled or ({},))[0],
            (step.scheduled or ({},))[0],
            (first.label, step.label),
            evidence,
        )
        shared = sorted(
            {text(s, "SeriesInstanceUID") for s in first.series} & {text(s, "SeriesInstanceUID") for s in step.series}
        )
        ids = (text(first.attributes, "PerformedProcedureStepID"), text(step.attributes, "PerformedProcedureStepID"))
        yield judged(
            not shared and ids[0] != ids[1],
            f"Appended {step.label} shares {len(shared)} series and "
            + ("the id" if ids[0] == ids[1] else "no id")
            + f" with {first.label}",
            evidence,
            expected="another id and other series",
            actual=listed(shared) or f"{ids[0]} / {ids[1]}",
            locator="PerformedSeriesSequence",
            why=_WHY,
        )


# -- text ------------------------------------------------------------------------------------------------------


def text_equal_everywhere(j: Journal) -> Iterator[Observation]:
    for step, entry in _steps(j):
        targets = [(step.attributes, step.label, step.create.request.seq)]
        targets += [
            (s.attributes, f"image {s.request.label}", s.request.seq) for s, of in _images(j) if of.uid == step.uid
        ]
        for attributes, label, seq in targets:
            for keyword in ("PatientName", "PatientID"):
                value = entry.text(keyword)
                if value.isascii() and text(attributes, keyword).isascii():
                    continue
                yield same(
                    keyword,
                    value,
                    attributes.get(keyword),
                    source="the worklist, decoded",
                    target=f"{label}, decoded",
                    evidence=(entry.seq, seq),
                    why="Bytes may differ, characters may not.",
                )


def names_keep_their_groups(j: Journal) -> Iterator[Observation]:
    for step, entry in _steps(j):
        wanted = normal_name(entry.text("PatientName")).split("=")
        if len(wanted) < 2:
            continue
        targets = [(step.attributes, step.label, step.create.request.seq)]
        targets += [
            (s.attributes, f"image {s.request.label}", s.request.seq) for s, of in _images(j) if of.uid == step.uid
        ]
        for attributes, label, seq in targets:
            found = normal_name(text(attributes, "PatientName")).split("=")
            yield judged(
                len(found) == len(wanted) and all(bool(a) == bool(b) for a, b in zip(found, wanted, strict=True)),
                f"The name in {label} has {len([g for g in found if g])} of {len([g for g in wanted if g])} groups",
                (entry.seq, seq),
                expected="=".join(wanted),
                actual="=".join(found),
                locator="PatientName",
                why="The ideographic group is the name that people read.",
            )


def events_in_order(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        moments: list[tuple[str, int]] = []
        entry = step.entry
        if entry is not None:
            moments.append(("the worklist answer", entry.seq))
        moments.append(("the start of the step", step.create.request.seq))
        stores = [s.request.seq for s in j.stores if steps.of(s) is step]
        if stores:
            moments.append(("the first image", min(stores)))
        stored = {instance_of(s) for s in j.stores if steps.of(s) is step}
        asked = [
            o.request.seq
            for o in j.select("N-ACTION-RQ", FROM_SUT)
            if stored & {uid for _, uid in references(o.attributes, "ReferencedSOPSequence")}
        ]
        if asked:
            moments.append(("the commitment request", min(asked)))
        wrong = [
            f"{later} came before {earlier}"
            for (earlier, first), (later, second) in itertools.pairwise(moments)
            if second < first
        ]
        yield judged(
            not wrong,
            f"{step.label}: " + (listed(wrong) if wrong else " then ".join(name for name, _ in moments)),
            tuple(seq for _, seq in moments),
            expected="query, start, images, commitment",
            actual=listed(wrong) or "in order",
            locator="message order",
            why="A later event that is seen first is taken for one of another exam.",
        )


def notified_equals_listed(j: Journal) -> Iterator[Observation]:
    listed_by: dict[str, tuple[set[str], int]] = {}
    for operation in j.select("N-SET-RQ", TO_SUT, MPPS):
        found = {
            uid
            for series in items(operation.attributes, "PerformedSeriesSequence")
            for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
            for _, uid in references(series, keyword)
        }
        if found:
            listed_by[operation.instance] = (found, operation.request.seq)
    for notice in j.select("N-CREATE-RQ", FROM_SUT, IAN):
        told = {
            text(item, "ReferencedSOPInstanceUID")
            for series in items(notice.attributes, "ReferencedSeriesSequence")
            for item in items(series, "ReferencedSOPSequence")
        }
        for _, uid in references(notice.attributes, "ReferencedPerformedProcedureStepSequence"):
            if uid in listed_by:
                yield same_set(
                    listed_by[uid][0],
                    told,
                    what="Notified instances against those of the performed step",
                    evidence=(listed_by[uid][1], notice.request.seq),
                    locator="ReferencedSeriesSequence",
                    why="The receiver starts to work when everything is there.",
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
    ("xc-listed-stored", "XC-17", "RAD-7 RAD-8", listed_equals_stored, "Listed and stored are the same"),
    ("xc-series", "XC-18", "RAD-7 RAD-8", series_in_images, "Step and images describe a series alike"),
    ("xc-notified", "XC-22", "RAD-7 RAD-49", notified_equals_listed, "Notified and listed are the same"),
    ("xc-ids", "XC-25", "RAD-6 RAD-7 RAD-8", ids_of_steps_and_series, "One id for each step and series"),
    ("xc-text", "XC-26", "RAD-5 RAD-6 RAD-8", text_equal_everywhere, "Text is the same everywhere"),
    ("xc-name-groups", "XC-27", "RAD-5 RAD-6 RAD-8", names_keep_their_groups, "Names keep their groups"),
    ("xc-unscheduled", "XC-29", "RAD-6 RAD-8", unscheduled_images_agree, "Unscheduled step and images agree"),
    ("xc-group", "XC-30", "RAD-6 RAD-8", grouped_images_agree, "Grouped step and images agree"),
    ("xc-append", "XC-31", "RAD-6 RAD-8", appended_step_agrees, "The appended step agrees with the first"),
    ("xc-order-of-events", "XC-36", "RAD-5 RAD-6 RAD-7 RAD-8 RAD-10", events_in_order, "Events are in their order"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
