"""RAD-8 Modality Images Stored, as the modality sends them (RAD TF-2 4.8 and Appendix A, PS3.17 J)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import MPPS, Journal, Operation
from harness.profiles.observe import check, judged, same
from harness.profiles.steps import Case, Entry, PerformedStep, Steps
from harness.profiles.swf.mapping import images
from harness.profiles.values import Attributes, codes, items, listed, references, shown, text, valued

REQUEST = "RequestAttributesSequence"
_STORAGE = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1(\.\d+)+|1\.2\.840\.10008\.5\.1\.4\.34\.7")
#: objects that carry no performed step attributes of their own series
_NO_ACQUISITION = frozenset({"PR", "KO", "SR"})

Found = Iterator[tuple[Operation, PerformedStep]]


def modality_stores(j: Journal) -> tuple[Operation, ...]:
    """What the system under test stored as a modality."""
    return j.stores_of(names.MODALITY)


def with_step(j: Journal) -> Found:
    steps = Steps(j)
    for store in modality_stores(j):
        if (step := steps.of(store)) is not None:
            yield store, step


def label_of(store: Operation) -> str:
    return f"image {store.request.label}"


def storage_class_used(j: Journal) -> Iterator[Observation]:
    for store in modality_stores(j):
        inside = text(store.attributes, "SOPClassUID")
        ok = bool(_STORAGE.fullmatch(store.sop_class)) and inside in ("", store.sop_class)
        yield judged(
            ok,
            f"{store.request.label} sends SOP class {store.sop_class or '(none)'}"
            + ("" if inside in ("", store.sop_class) else f", the data set says {inside}"),
            (store.request.seq,),
            expected="a storage SOP class, the same in command and data set",
            actual=f"{store.sop_class or '(none)'} / {inside or '(none)'}",
            locator="SOPClassUID",
            why="Archives index and displays choose by the SOP class.",
        )


def _from_entry(
    j: Journal, keywords: Sequence[str], why: str, *, cases: frozenset[Case] | None = None
) -> Iterator[Observation]:
    for store, step in with_step(j):
        entry = next(iter(step.worklist), None)
        if entry is None or (cases is not None and step.case not in cases):
            continue
        for keyword in keywords:
            yield same(
                keyword,
                entry.attributes.get(keyword),
                store.attributes.get(keyword),
                source="the worklist",
                target=label_of(store),
                evidence=(entry.seq, store.request.seq),
                why=why,
            )


def patient_from_worklist(j: Journal) -> Iterator[Observation]:
    yield from _from_entry(j, images.PATIENT, "The image would be filed under another patient.")


def study_uid_from_worklist(j: Journal) -> Iterator[Observation]:
    yield from _from_entry(
        j,
        ("StudyInstanceUID",),
        "The order filler announced this study to the archive; images under another UID belong to no order.",
        cases=frozenset({Case.SIMPLE, Case.APPEND}),
    )


def accession_from_worklist(j: Journal) -> Iterator[Observation]:
    yield from _from_entry(
        j,
        ("AccessionNumber",),
        "People and reports find the study by it.",
        cases=frozenset({Case.SIMPLE, Case.APPEND}),
    )
    for store, step in with_step(j):
        if step.case is Case.UNSCHEDULED:
            value = store.attributes.get("AccessionNumber")
            yield judged(
                not value,
                f"Accession Number of unscheduled {label_of(store)} is {shown(value)}",
                (step.create.request.seq, store.request.seq),
                expected="empty",
                actual=shown(value),
                locator="AccessionNumber",
                why="There is no order, so there is no number of one.",
            )


def _pairs(step: PerformedStep, store: Operation) -> list[tuple[Entry, Attributes | None]]:
    """Each worklist entry of the step with the Request Attributes item that names its step, or None."""
    found = items(store.attributes, REQUEST)
    by_id = {text(item, "ScheduledProcedureStepID"): item for item in found}
    if len(step.worklist) == 1:
        return [(step.worklist[0], by_id.get(step.worklist[0].step_id) or (found[0] if found else None))]
    return [(entry, by_id.get(entry.step_id)) for entry in step.worklist]


def request_attributes_from_worklist(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        for entry, item in _pairs(step, store):
            evidence = (entry.seq, store.request.seq)
            if item is None:
                yield judged(
                    False,
                    f"{label_of(store)} has no request attributes for step {entry.step_id}",
                    evidence,
                    expected=f"an item for step {entry.step_id}",
                    actual=shown(store.attributes.get(REQUEST)),
                    locator=REQUEST,
                    why="The image does not say which order it belongs to.",
                )
                continue
            for keyword in images.REQUEST_ATTRIBUTES:
                yield same(
                    keyword,
                    entry.attributes.get(keyword),
                    item.get(keyword),
                    source=f"the worklist entry {entry.step_id}",
                    target=label_of(store),
                    evidence=evidence,
                    locator=f"{REQUEST}/{keyword}",
                    why="The image says with these values which order it belongs to.",
                )


# -- the performed step ----------------------------------------------------------------------------------------


def performed_step_referenced(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        found = references(store.attributes, "ReferencedPerformedProcedureStepSequence")
        yield judged(
            (MPPS, step.uid) in found,
            f"{label_of(store)} refers to performed step {listed(uid for _, uid in found) or '(none)'}",
            (step.create.request.seq, store.request.seq),
            expected=f"{MPPS} / {step.uid}",
            actual=listed(f"{cls} / {uid}" for cls, uid in found) or "(absent)",
            locator="ReferencedPerformedProcedureStepSequence",
            why="The archive puts images and performed step together by this reference.",
        )


def _with_step_values(j: Journal, keywords: Sequence[str], why: str) -> Iterator[Observation]:
    for store, step in with_step(j):
        for keyword in keywords:
            yield same(
                keyword,
                step.current.get(keyword),
                store.attributes.get(keyword),
                source=step.label,
                target=label_of(store),
                evidence=(*step.evidence, store.request.seq),
                why=why,
            )


def step_attributes_equal(j: Journal) -> Iterator[Observation]:
    yield from _with_step_values(j, images.PERFORMED, "Image and performed step describe the same event.")


def performed_protocol_equal(j: Journal) -> Iterator[Observation]:
    yield from _with_step_values(
        j, ("PerformedProtocolCodeSequence",), "Both say by which protocol the images were made."
    )


def procedure_code_equal(j: Journal) -> Iterator[Observation]:
    yield from _with_step_values(j, ("ProcedureCodeSequence",), "Both say which procedure was performed.")
    for store, step in with_step(j):
        entry = step.entry
        performed = codes(store.attributes, "ProcedureCodeSequence")
        if entry is None or not performed:
            continue
        planned = codes(entry.attributes, "RequestedProcedureCodeSequence")
        deviating = codes(step.current, "ProcedureCodeSequence") != planned
        if planned and not deviating:
            yield judged(
                performed == planned,
                f"{label_of(store)} was made by the procedure {shown(performed)}",
                (entry.seq, store.request.seq),
                expected=shown(planned),
                actual=shown(performed),
                locator="ProcedureCodeSequence",
                why="What was requested was performed, so the code is that of the request.",
            )


def referenced_study_from_worklist(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        entry = step.entry
        if entry is None or not valued(entry.attributes, "ReferencedStudySequence"):
            continue
        yield same(
            "ReferencedStudySequence",
            entry.attributes["ReferencedStudySequence"],
            store.attributes.get("ReferencedStudySequence"),
            source="the worklist",
            target=label_of(store),
            evidence=(entry.seq, store.request.seq),
            why="It keeps the link to the study that the information system knows.",
        )


def study_id_equal(j: Journal) -> Iterator[Observation]:
    yield from _with_step_values(j, ("StudyID",), "One study has one number.")


def study_date_constant(j: Journal) -> Iterator[Observation]:
    by_study: dict[str, list[Operation]] = {}
    for store in modality_stores(j):
        if study := text(store.attributes, "StudyInstanceUID"):
            by_study.setdefault(study, []).append(store)
    for study, stores in by_study.items():
        if len(stores) < 2:
            continue
        moments = {(text(s.attributes, "StudyDate"), text(s.attributes, "StudyTime")) for s in stores}
        yield judged(
            len(moments) == 1,
            f"The {len(stores)} images of study {study} have {len(moments)} different study date(s) and time(s)",
            tuple(s.request.seq for s in stores),
            expected="one date and time",
            actual=listed(sorted(f"{date} {time}" for date, time in moments)),
            locator="StudyDate, StudyTime",
            why="A study that began twice shows up twice in a list.",
        )


def series_agree_with_step(j: Journal) -> Iterator[Observation]:
    for store, step in with_step(j):
        if step.closing is None:
            continue
        series = text(store.attributes, "SeriesInstanceUID")
        item = next((s for s in step.series if text(s, "SeriesInstanceUID") == series), None)
        if item is None:
            yield judged(
                False,
                f"Series {series or '(none)'} of {label_of(store)} is not among the series of {step.label}",
                (*step.evidence, store.request.seq),
                expected=[text(s, "SeriesInstanceUID") for s in step.series],
                actual=series or "(absent)",
                locator="SeriesInstanceUID",
                why="The performed step lists every series that it made.",
            )
        elif text(store.attributes, "Modality") not in _NO_ACQUISITION:
            yield same(
                "ProtocolName",
                item.get("ProtocolName"),
                store.attributes.get("ProtocolName"),
                source=f"the series item of {step.label}",
                target=label_of(store),
                evidence=(*step.evidence, store.request.seq),
                why="Both name the protocol of the series.",
            )


def series_in_one_step(j: Journal) -> Iterator[Observation]:
    owners: dict[str, dict[str, int]] = {}
    for store in modality_stores(j):
        series = text(store.attributes, "SeriesInstanceUID")
        for _, uid in references(store.attributes, "ReferencedPerformedProcedureStepSequence"):
            owners.setdefault(series, {}).setdefault(uid, store.request.seq)
    for step in Steps(j).by(names.MODALITY):
        for item in step.series:
            owners.setdefault(text(item, "SeriesInstanceUID"), {}).setdefault(step.uid, step.evidence[-1])
    for series, uids in owners.items():
        yield judged(
            len(uids) == 1,
            f"Series {series or '(none)'} belongs to {len(uids)} performed step(s)",
            tuple(sorted(uids.values())),
            expected="1",
            actual=str(len(uids)),
            locator="SeriesInstanceUID",
            why="A series is made by one performed step only.",
        )


_ROWS = (
    ("store-class", "RAD-8-SCU-01", storage_class_used, "A storage class is used"),
    ("store-patient", "RAD-8-SCU-02", patient_from_worklist, "The patient is that of the worklist"),
    ("store-study-uid", "RAD-8-SCU-03", study_uid_from_worklist, "The study is that of the worklist"),
    ("store-accession", "RAD-8-SCU-04", accession_from_worklist, "The accession number is that of the worklist"),
    ("store-request", "RAD-8-SCU-05", request_attributes_from_worklist, "Request attributes are those of the worklist"),
    ("store-step-reference", "RAD-8-SCU-06", performed_step_referenced, "Images refer to their performed step"),
    ("store-step-attributes", "RAD-8-SCU-07", step_attributes_equal, "Images and step tell the same"),
    ("store-protocol-code", "RAD-8-SCU-08", performed_protocol_equal, "Images and step name the same protocol"),
    ("store-procedure-code", "RAD-8-SCU-09", procedure_code_equal, "Images and step name the same procedure"),
    ("store-referenced-study", "RAD-8-SCU-10", referenced_study_from_worklist, "The referenced study is copied"),
    ("store-study-id", "RAD-8-SCU-11", study_id_equal, "Images and step have the same Study ID"),
    ("store-study-date", "RAD-8-SCU-12", study_date_constant, "A study has one date and time"),
    ("store-series", "RAD-8-SCU-13", series_agree_with_step, "Images and step name the same series"),
    ("store-series-in-one-step", "RAD-8-SCU-14", series_in_one_step, "A series belongs to one step"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-8", function, title) for id, req, function, title in _ROWS)
