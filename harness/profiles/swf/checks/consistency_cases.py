"""Consistency over the whole exchange: cases, text and the order of events (RAD TF-2 Appendix A, PS3.17 J)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, IAN, MPPS, TO_SUT, Journal, instance_of
from harness.profiles.observe import check, judged, same, same_set
from harness.profiles.steps import Case, Steps
from harness.profiles.swf.checks.consistency import WHY, compare, images_with_step, steps_with_entry
from harness.profiles.swf.checks.rad06_scu import begun_while_manager_is_away
from harness.profiles.swf.checks.rad08_scu import REQUEST
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import items, listed, normal_name, references, shown, text

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
            why=WHY,
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
            why=WHY,
        )


def unscheduled_images_agree(j: Journal) -> Iterator[Observation]:
    for store, step in images_with_step(j):
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
            why=WHY,
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
    for store, step in images_with_step(j):
        if step.case is not Case.GROUP:
            continue
        yield same_set(
            (text(item, "ScheduledProcedureStepID") for item in step.scheduled),
            (text(item, "ScheduledProcedureStepID") for item in items(store.attributes, REQUEST)),
            what=f"Step ids in {step.label} against image {store.request.label}",
            evidence=(step.create.request.seq, store.request.seq),
            locator=f"{REQUEST}/ScheduledProcedureStepID",
            why=WHY,
        )


def appended_step_agrees(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    by_uid = {step.uid: step for step in steps.all}
    for step in steps.by(names.MODALITY):
        if step.case is not Case.APPEND or not step.earlier:
            continue
        first = by_uid[step.earlier[-1]]
        evidence = (*first.evidence, *step.evidence)
        yield from compare(
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
            why=WHY,
        )


# -- text ------------------------------------------------------------------------------------------------------


def text_equal_everywhere(j: Journal) -> Iterator[Observation]:
    for step, entry in steps_with_entry(j):
        targets = [(step.attributes, step.label, step.create.request.seq)]
        targets += [
            (s.attributes, f"image {s.request.label}", s.request.seq)
            for s, of in images_with_step(j)
            if of.uid == step.uid
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
    for step, entry in steps_with_entry(j):
        wanted = normal_name(entry.text("PatientName")).split("=")
        if len(wanted) < 2:
            continue
        targets = [(step.attributes, step.label, step.create.request.seq)]
        targets += [
            (s.attributes, f"image {s.request.label}", s.request.seq)
            for s, of in images_with_step(j)
            if of.uid == step.uid
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
        # a step that is reported late because nobody listened was in order at the modality
        if not begun_while_manager_is_away(j, step.create.request.seq):
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
        if len(moments) < 2:
            continue
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
