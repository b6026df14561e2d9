"""RAD-49 Instance Availability Notification, RAD-11 as it is asked, and RAD-42 (PS3.4 R; RAD TF-2 4.11, TF-3 4.49)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import (
    FROM_SUT,
    GENERAL_PURPOSE_PPS,
    IAN,
    MPPS,
    QUERY_FINDS,
    TO_SUT,
    Journal,
    Operation,
    instance_of,
)
from harness.profiles.observe import all_valued, check, judged, same_set
from harness.profiles.swf.checks.rad08_scp import taken
from harness.profiles.swf.checks.rad16_scp import delivered, moves
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import Attributes, codes, items, listed, references, text

AVAILABILITIES = ("ONLINE", "NEARLINE", "OFFLINE", "UNAVAILABLE")
_STEP = "ReferencedPerformedProcedureStepSequence"


def notices(j: Journal) -> Iterator[Operation]:
    """Notices of the archive under test."""
    return j.select("N-CREATE-RQ", FROM_SUT, IAN)


def instances(notice: Operation) -> list[Attributes]:
    """The items that stand for one instance each."""
    return [
        item
        for series in items(notice.attributes, "ReferencedSeriesSequence")
        for item in items(series, "ReferencedSOPSequence")
    ]


def _steps(j: Journal) -> dict[str, tuple[set[str], int]]:
    """What each ended performed step that we reported references, with the ``seq`` of its final N-SET."""
    found: dict[str, tuple[set[str], int]] = {}
    for operation in j.select("N-SET-RQ", TO_SUT, MPPS):
        listed_instances = {
            uid
            for series in items(operation.attributes, "PerformedSeriesSequence")
            for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
            for _, uid in references(series, keyword)
        }
        ended = text(operation.attributes, "PerformedProcedureStepStatus") in ("COMPLETED", "DISCONTINUED")
        # images under a wrongly chosen entry are withdrawn, so nothing may be said to be available
        wrong = mpps.WRONG_ENTRY[0] in {code[0] for code in codes(operation.attributes, mpps.REASON)}
        if ended and listed_instances and operation.status == 0 and not wrong:
            found[operation.instance] = (listed_instances, operation.request.seq)
    return found


def _stored(j: Journal) -> dict[str, int]:
    """When each instance that the archive took was sent first; its answer may be seen after what follows from it."""
    found: dict[str, int] = {}
    for store in j.ours:
        if taken(store) and store.final is not None:
            found.setdefault(instance_of(store), store.request.seq)
    return found


def notice_sent(j: Journal) -> Iterator[Observation]:
    if names.AVAILABILITY not in j.sut.options:
        return
    stored = _stored(j)
    for uid, (wanted, ended) in _steps(j).items():
        if not wanted <= set(stored):
            continue
        sent = [n for n in notices(j) if uid in {u for _, u in references(n.attributes, _STEP)}]
        yield judged(
            bool(sent),
            f"All {len(wanted)} instances of performed step {uid} are there; "
            + (f"{sent[0].request.label} says so" if sent else "no notice was sent"),
            (ended, *(n.request.seq for n in sent)),
            expected=f"an N-CREATE of {IAN}",
            actual=f"{len(sent)} notice(s)",
            locator="AffectedSOPClassUID",
            why="The receiver waits for it before it starts to work.",
        )


def instances_described(j: Journal) -> Iterator[Observation]:
    for notice in notices(j):
        message = notice.request
        yield from all_valued(notice.attributes, ("StudyInstanceUID", "ReferencedSeriesSequence"), message)
        for number, series in enumerate(items(notice.attributes, "ReferencedSeriesSequence"), start=1):
            where = f"ReferencedSeriesSequence[{number}]/"
            yield from all_valued(series, ("SeriesInstanceUID", "ReferencedSOPSequence"), message, where=where)
        keywords = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "InstanceAvailability", "RetrieveAETitle")
        lacking = [
            f"{text(item, 'ReferencedSOPInstanceUID') or '?'}: {keyword}"
            for item in instances(notice)
            for keyword in keywords
            if not text(item, keyword)
        ]
        yield judged(
            not lacking,
            f"{message.label} describes {len(instances(notice))} instance(s)"
            + (f", not wholly: {listed(lacking, 3)}" if lacking else " wholly"),
            (message.seq,),
            expected=listed(keywords),
            actual=listed(lacking, 3) or "all valued",
            locator="ReferencedSeriesSequence/ReferencedSOPSequence",
            why="The receiver needs to know what can be had from where.",
        )


def availability_is_a_defined_term(j: Journal) -> Iterator[Observation]:
    for notice in notices(j):
        found = sorted({text(item, "InstanceAvailability") for item in instances(notice)})
        yield judged(
            set(found) <= set(AVAILABILITIES),
            f"{notice.request.label} calls its instances {listed(found) or '(nothing)'}",
            (notice.request.seq,),
            expected=AVAILABILITIES,
            actual=listed(found) or "(absent)",
            locator="ReferencedSeriesSequence/ReferencedSOPSequence/InstanceAvailability",
        )


def notice_after_the_last_instance(j: Journal) -> Iterator[Observation]:
    if names.AVAILABILITY not in j.sut.options:
        return
    steps, stored = _steps(j), _stored(j)
    for notice in notices(j):
        for cls, uid in references(notice.attributes, _STEP):
            if uid not in steps:
                continue
            missing = sorted(u for u in steps[uid][0] if stored.get(u, notice.request.seq + 1) > notice.request.seq)
            yield judged(
                not missing and cls == MPPS,
                f"{notice.request.label} refers to performed step {uid}; "
                + (
                    f"{len(missing)} of its instances were not there yet" if missing else "all its instances were there"
                ),
                (steps[uid][1], notice.request.seq),
                expected="a notice once the last instance is there",
                actual=f"{len(missing)} missing",
                locator=_STEP,
                why="Work that begins too early is done on half a study.",
            )


def notice_lists_the_step(j: Journal) -> Iterator[Observation]:
    steps = _steps(j)
    for notice in notices(j):
        for _, uid in references(notice.attributes, _STEP):
            if uid in steps:
                yield same_set(
                    steps[uid][0],
                    (text(item, "ReferencedSOPInstanceUID") for item in instances(notice)),
                    what="Notified instances",
                    evidence=(steps[uid][1], notice.request.seq),
                    locator="ReferencedSeriesSequence",
                    why="The notice is about the performed step, not about the whole study.",
                )


def step_sequence_present(j: Journal) -> Iterator[Observation]:
    for notice in notices(j):
        found = items(notice.attributes, _STEP)
        lacking = [item for item in found if "PerformedWorkitemCodeSequence" not in item]
        yield judged(
            _STEP in notice.attributes and not lacking,
            f"{notice.request.label} has "
            + (f"{len(found)} item(s) in {_STEP}" if _STEP in notice.attributes else f"no {_STEP}")
            + (f", {len(lacking)} without Performed Workitem Code Sequence" if lacking else ""),
            (notice.request.seq,),
            expected="present, each item with a Performed Workitem Code Sequence, possibly empty",
            actual=f"{len(found)} item(s), {len(lacking)} lacking",
            locator=_STEP,
        )


def available_can_be_retrieved(j: Journal) -> Iterator[Observation]:
    for notice in notices(j):
        online = {
            text(item, "ReferencedSOPInstanceUID")
            for item in instances(notice)
            if text(item, "InstanceAvailability") in ("ONLINE", "NEARLINE")
        }
        study = text(notice.attributes, "StudyInstanceUID")
        for move in moves(j):
            if move.request.seq < notice.request.seq or text(move.attributes, "StudyInstanceUID") != study:
                continue
            if move.final is None or text(move.attributes, "QueryRetrieveLevel") != "STUDY":
                continue
            got = {instance_of(store) for store in delivered(j, move) if taken(store)}
            missing = sorted(online - got)
            yield judged(
                not missing,
                f"{len(online & got)} of {len(online)} instances that were announced available were delivered",
                (notice.request.seq, *move.evidence),
                expected=f"{len(online)} instance(s)",
                actual=f"missing: {listed(missing)}" if missing else "all",
                locator="InstanceAvailability",
                why="What is announced can be had.",
            )


def notice_accepted(j: Journal) -> Iterator[Observation]:
    for notice in j.select("N-CREATE-RQ", TO_SUT, IAN):
        if notice.final is None:
            continue
        yield judged(
            notice.status == 0,
            f"A notice with {len(instances(notice))} instance(s) was answered {notice.status:04X}",
            notice.evidence,
            expected="0000",
            actual=f"{notice.status:04X}",
            locator="Status",
            why="A notice without optional attributes is whole.",
        )


def incomplete_step_not_notified(j: Journal) -> Iterator[Observation]:
    steps, stored = _steps(j), _stored(j)
    for uid, (wanted, ended) in steps.items():
        missing = wanted - set(stored)
        if not missing:
            continue
        early = [n for n in notices(j) if uid in {u for _, u in references(n.attributes, _STEP)}]
        yield judged(
            not early,
            f"{len(missing)} instance(s) of performed step {uid} are missing; {len(early)} notice(s) were sent",
            (ended, *(n.request.seq for n in early)),
            expected="no notice",
            actual=f"{len(early)} notice(s)",
            locator=_STEP,
            why="The receiver would work on half a study.",
        )
    for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
        fact = next((d for _, d in j.facts(facts.QUERY) if d.get("message") == query.request.seq), {})
        if fact.get("purpose") != "missing-instance" or query.status != 0 or "expected" not in fact:
            continue
        by = str(fact.get("by") or "SOPInstanceUID")
        yield same_set(
            fact["expected"],
            (text(found, by) for found in _responses(query)),
            what="Instances found while one is missing",
            evidence=query.evidence,
            locator=by,
            why="The order filler asks until the last image is there.",
        )


def _responses(query: Operation) -> list[Attributes]:
    return [Operation(message).attributes for message in query.pending]


# -- asking ----------------------------------------------------------------------------------------------------


def availability_asked_by_step(j: Journal) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors:
        return
    known: dict[str, set[str]] = {}
    for operation in j.select("N-CREATE-RQ", TO_SUT, MPPS):
        for item in items(operation.attributes, "ScheduledStepAttributesSequence"):
            known.setdefault(text(item, "StudyInstanceUID"), set())
        own = {
            text(item, "StudyInstanceUID") for item in items(operation.attributes, "ScheduledStepAttributesSequence")
        }
        for later in j.select("N-SET-RQ", TO_SUT, MPPS):
            if later.instance == operation.instance:
                for item in items(later.attributes, "PerformedSeriesSequence"):
                    for study in own:
                        known.setdefault(study, set()).add(text(item, "SeriesInstanceUID"))
    for query in j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS):
        level = text(query.attributes, "QueryRetrieveLevel")
        study, series = text(query.attributes, "StudyInstanceUID"), text(query.attributes, "SeriesInstanceUID")
        if "SWF" not in j.sut.profiles or (level != "IMAGE" and study not in known):
            continue  # it asks for something else, prior studies for instance
        asked = {"SOPClassUID", "SOPInstanceUID"} <= set(query.attributes)
        ok = level == "IMAGE" and bool(study) and bool(series) and asked
        if known:
            ok = ok and study in known and (not known[study] or series in known[study])
        yield judged(
            ok,
            f"{query.request.label} asks at {level or 'no'} level in study {study or '(none)'}, "
            f"series {series or '(none)'}",
            (query.request.seq,),
            expected="IMAGE level, study and series of the performed step, SOP class and instance as return keys",
            actual=f"{level}, {study}, {series}",
            locator="QueryRetrieveLevel, StudyInstanceUID, SeriesInstanceUID",
            why="The question is whether the images of one performed step are there.",
        )


def work_status_sent(j: Journal) -> Iterator[Observation]:
    for operation in j.select("N-CREATE-RQ", FROM_SUT, GENERAL_PURPOSE_PPS):
        status = text(operation.attributes, "GeneralPurposePerformedProcedureStepStatus")
        yield judged(
            status == "IN PROGRESS",
            f"{operation.request.label} announces work with status {status or '(none)'}",
            (operation.request.seq,),
            expected="IN PROGRESS",
            actual=status or "(absent)",
            locator="GeneralPurposePerformedProcedureStepStatus",
        )


def work_status_accepted(j: Journal) -> Iterator[Observation]:
    for kind in ("N-CREATE-RQ", "N-SET-RQ"):
        for operation in j.select(kind, TO_SUT, GENERAL_PURPOSE_PPS):
            if operation.final is None:
                continue
            yield judged(
                operation.status == 0,
                f"{operation.request.label} of a work status was answered {operation.status:04X}",
                operation.evidence,
                expected="0000",
                actual=f"{operation.status:04X}",
                locator="Status",
                why="The option promises to take the status.",
            )


_ROWS = (
    ("ian-sent", "RAD-49-SCU-01", "RAD-49", notice_sent, "A notice is sent"),
    ("ian-described", "RAD-49-SCU-02", "RAD-49", instances_described, "Instances are described"),
    ("ian-availability", "RAD-49-SCU-03", "RAD-49", availability_is_a_defined_term, "Availability is a defined term"),
    ("ian-complete", "RAD-49-SCU-04", "RAD-49 RAD-7 RAD-8", notice_after_the_last_instance, "Notice comes last"),
    ("ian-lists-step", "RAD-49-SCU-05", "RAD-49 RAD-7", notice_lists_the_step, "The notice lists the step"),
    ("ian-step-sequence", "RAD-49-SCU-06", "RAD-49", step_sequence_present, "The step sequence is present"),
    ("ian-retrievable", "RAD-49-SCU-07", "RAD-49 RAD-16", available_can_be_retrieved, "Available can be retrieved"),
    ("ian-accepted", "RAD-49-SCP-01", "RAD-49", notice_accepted, "A notice is accepted"),
    ("ian-incomplete", "EX-29", "RAD-11 RAD-49", incomplete_step_not_notified, "An incomplete step is not announced"),
    (
        "availability-asked",
        "RAD-11-SCU-01",
        "RAD-7 RAD-11",
        availability_asked_by_step,
        "Availability is asked by step",
    ),
    ("work-status-sent", "RAD-42-SCU-01", "RAD-42", work_status_sent, "Work begins in progress"),
    ("work-status-accepted", "RAD-42-SCP-01", "RAD-42", work_status_accepted, "A work status is accepted"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
