"""Ways of a DSS/Order Filler to be wrong: (id, title, requirements that break, change of behaviour)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from harness.actors import order_filler, records
from harness.actors.defects.having import having
from harness.actors.defects.steps import (
    accepts_any_creation,
    accepts_duplicates,
    accepts_final_change,
    accepts_unknown,
    demands_coded_reason,
    refuses_unscheduled,
)
from harness.actors.matching import MatchingRules, Query, select
from harness.actors.order_filler import OrderFillerBehaviour
from harness.actors.orders.values import StepState
from harness.actors.performed_steps import DISCONTINUED, PerformedStep
from harness.actors.records import CHARACTER_SET, Record, encode, tag_of
from harness.actors.worklist import STEP_SEQUENCE, WorklistItem
from harness.protocols.dicom.uids import EXPLICIT_VR_LE

Change = Callable[[OrderFillerBehaviour], OrderFillerBehaviour]
Row = tuple[str, str, str, Change]


_with = partial(having, OrderFillerBehaviour)


def _rules(**changes: Any) -> Change:
    change = having(MatchingRules, **changes)
    return lambda behaviour: replace(behaviour, rules=change(behaviour.rules))


def _ignoring(*keywords: str) -> Change:
    return _rules(ignored=frozenset(tag_of(keyword) for keyword in keywords))


def _answer(alter: Callable[[Record, Record], Record]) -> Change:
    """Answers altered at the procedure level and, by the second record, at the step level."""

    def respond(query: Query, record: Record) -> Record:
        answer = select(query.keys, record)
        step = dict(next(iter(records.items(answer, STEP_SEQUENCE)), {}))
        answer = dict(alter(answer, step))
        if STEP_SEQUENCE in answer and len(answer[STEP_SEQUENCE]) == 1:
            answer[STEP_SEQUENCE] = (step,)
        return answer

    return _with(respond=respond)


def _lacking(*keywords: str) -> Change:
    tags = [tag_of(keyword) for keyword in keywords]

    def alter(answer: Record, step: Record) -> Record:
        for tag in tags:
            answer.pop(tag, None)
            step.pop(tag, None)
        return answer

    return _answer(alter)


def _emptied(*keywords: str) -> Change:
    tags = [tag_of(keyword) for keyword in keywords]

    def alter(answer: Record, step: Record) -> Record:
        for tag in tags:
            for place in (answer, step):
                if tag in place:
                    place[tag] = ()
        return answer

    return _answer(alter)


def _steps_at_root(answer: Record, step: Record) -> Record:
    moved = {tag: value for tag, value in step.items() if tag != tag_of("Modality")}
    step.clear()
    return answer | moved


def _two_items(answer: Record, step: Record) -> Record:
    if STEP_SEQUENCE in answer:
        answer[STEP_SEQUENCE] = (dict(step), dict(step))
    return answer


def _codes_without_scheme(answer: Record, step: Record) -> Record:
    scheme = tag_of("CodingSchemeDesignator")
    for place, keyword in ((answer, "RequestedProcedureCodeSequence"), (step, "ScheduledProtocolCodeSequence")):
        tag = tag_of(keyword)
        if tag in place:
            place[tag] = tuple({t: v for t, v in item.items() if t != scheme} for item in records.items(place, tag))
    return answer


def _new_study_uids(behaviour: OrderFillerBehaviour) -> OrderFillerBehaviour:
    numbers = itertools.count(1)
    study = tag_of("StudyInstanceUID")

    def alter(answer: Record, step: Record) -> Record:
        if study in answer:
            answer[study] = (f"1.2.826.0.1.3680043.10.1599.77.{next(numbers)}",)
        return answer

    return _answer(alter)(behaviour)


def _one_study_uid(answer: Record, step: Record) -> Record:
    study = tag_of("StudyInstanceUID")
    if study in answer:
        answer[study] = ("1.2.826.0.1.3680043.10.1599.78",)
    return answer


def _study_per_step(answer: Record, step: Record) -> Record:
    study, step_id = tag_of("StudyInstanceUID"), records.text(step, tag_of("ScheduledProcedureStepID"))
    if study in answer and step_id:
        number = int.from_bytes(step_id.encode()[:12], "big")
        answer[study] = (f"1.2.826.0.1.3680043.10.1599.79.{number}",)
    return answer


def _undeclared(record: Record, *, implicit: bool) -> bytes:
    """Text as UTF-8 although the default repertoire is declared."""
    whole = encode(record | {CHARACTER_SET: ("ISO_IR 192",)}, implicit=implicit)
    if whole[:4] != b"\x08\x00\x05\x00":
        return whole
    length = int.from_bytes(whole[4:8] if implicit else whole[6:8], "little")
    return whole[8 + length :]


def _nothing_for_empty_keys(query: Query, found: list[WorklistItem]) -> list[WorklistItem]:
    valued = any(part for value in query.keys.values() for part in value if isinstance(part, str)) or any(
        part
        for item in records.items(query.keys, STEP_SEQUENCE)
        for value in item.values()
        for part in value
        if isinstance(part, str)
    )
    return found if valued else []


def _closes_wrong_entries(step: PerformedStep, before: StepState) -> StepState:
    if step.status == DISCONTINUED:
        return StepState.DISCONTINUED
    return order_filler.state_after(step, before)


def _completes_everything(step: PerformedStep, before: StepState) -> StepState:
    return StepState.COMPLETED if step.is_final else order_filler.state_after(step, before)


def _also(*states: StepState) -> Change:
    return _with(offered=lambda item: order_filler.offered(item) or item.state in states)


_TYPE_2 = (
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
    "ReferencedStudySequence",
    "PatientTransportArrangements",
    "AdmissionID",
    "CurrentPatientLocation",
    "PatientWeight",
    "Allergies",
    "MedicalAlerts",
    "SpecialNeeds",
)

ORDER_FILLER_DEFECTS: tuple[Row, ...] = (
    (
        "filler-ignores-station",
        "Scheduled Station AE Title does not narrow a query",
        "RAD-5-SCP-02",
        _ignoring("ScheduledStationAETitle"),
    ),
    (
        "filler-ignores-date",
        "Start Date does not narrow a query",
        "RAD-5-SCP-03",
        _ignoring("ScheduledProcedureStepStartDate"),
    ),
    (
        "filler-no-ranges",
        "Ranges of dates and times match nothing",
        "RAD-5-SCP-03 RAD-5-SCP-04 RAD-5-SCP-11",
        _rules(ranges=False),
    ),
    (
        "filler-ignores-time",
        "Start Time does not narrow a query",
        "RAD-5-SCP-04 RAD-5-SCP-11",
        _ignoring("ScheduledProcedureStepStartTime"),
    ),
    ("filler-ignores-modality", "Modality does not narrow a query", "RAD-5-SCP-05 RAD-5-SCP-11", _ignoring("Modality")),
    (
        "filler-ignores-physician",
        "Performing Physician does not narrow a query",
        "RAD-5-SCP-06",
        _ignoring("ScheduledPerformingPhysicianName"),
    ),
    ("filler-no-wildcards", "Wildcards are taken literally", "RAD-5-SCP-06 RAD-5-SCP-07", _rules(wildcards=False)),
    ("filler-ignores-name", "Patient Name does not narrow a query", "RAD-5-SCP-07", _ignoring("PatientName")),
    (
        "filler-ignores-patient-id",
        "Patient ID does not narrow a query",
        "RAD-5-SCP-08 RAD-5-SCP-11",
        _ignoring("PatientID"),
    ),
    (
        "filler-ignores-accession",
        "Accession Number does not narrow a query",
        "RAD-5-SCP-09",
        _ignoring("AccessionNumber"),
    ),
    (
        "filler-ignores-procedure-id",
        "Requested Procedure ID does not narrow a query",
        "RAD-5-SCP-10",
        _ignoring("RequestedProcedureID"),
    ),
    (
        "filler-empty-keys-match-nothing",
        "A query whose keys are all empty has no match",
        "RAD-5-SCP-12",
        _with(matches=_nothing_for_empty_keys),
    ),
    ("filler-two-items", "Two items in the Scheduled Procedure Step Sequence", "RAD-5-SCP-13", _answer(_two_items)),
    ("filler-steps-at-root", "Step attributes stand beside the sequence", "RAD-5-SCP-14", _answer(_steps_at_root)),
    ("filler-no-study-uid", "Study Instance UID is empty", "RAD-5-SCP-14 RAD-5-SCP-23", _emptied("StudyInstanceUID")),
    (
        "filler-no-step-description",
        "Neither description nor protocol code of the step",
        "RAD-5-SCP-15 RAD-5-SCP-18",
        _emptied("ScheduledProcedureStepDescription", "ScheduledProtocolCodeSequence"),
    ),
    (
        "filler-no-procedure-description",
        "Neither description nor code of the procedure",
        "RAD-5-SCP-16 RAD-5-SCP-18",
        _emptied("RequestedProcedureDescription", "RequestedProcedureCodeSequence"),
    ),
    ("filler-drops-type-2", "Type 2 return keys without a value are left out", "RAD-5-SCP-17", _lacking(*_TYPE_2)),
    (
        "filler-no-protocol-code",
        "Scheduled Protocol Code Sequence is always empty",
        "RAD-5-SCP-18",
        _emptied("ScheduledProtocolCodeSequence"),
    ),
    (
        "filler-codes-without-scheme",
        "Code items lack the coding scheme",
        "RAD-5-SCP-18 RAD-5-SCP-19",
        _answer(_codes_without_scheme),
    ),
    (
        "filler-fails-at-the-end",
        "Ends a query that it answered with a failure status",
        "RAD-5-SCP-20",
        _with(final_status=lambda query, matches: 0xC001 if matches else 0x0000),
    ),
    ("filler-undeclared-text", "UTF-8 without Specific Character Set", "RAD-5-SCP-21", _with(write=_undeclared)),
    (
        "filler-study-per-step",
        "Steps of one procedure have different studies",
        "RAD-5-SCP-22",
        _answer(_study_per_step),
    ),
    ("filler-one-study", "All procedures share one Study Instance UID", "RAD-5-SCP-23", _answer(_one_study_uid)),
    (
        "filler-offers-cancelled",
        "Cancelled steps stay on the worklist",
        "EX-01 EX-08 RAD-5-SCP-12 RAD-5-SCP-24 RAD-5-SCP-25 RAD-5-SCP-26",
        _also(StepState.CANCELLED),
    ),
    (
        "filler-closes-wrong-entries",
        "A step picked by mistake is not offered again",
        "EX-08 RAD-5-SCP-12 RAD-5-SCP-25",
        _with(state_after=_closes_wrong_entries),
    ),
    (
        "filler-offers-completed",
        "Completed steps stay on the worklist",
        "EX-08 RAD-5-SCP-12 RAD-5-SCP-25 RAD-5-SCP-26",
        _also(StepState.COMPLETED),
    ),
    ("filler-ignores-cancel", "C-CANCEL has no effect", "RAD-5-SCP-27", _with(honours_cancel=False)),
    (
        "filler-new-study-uids",
        "Every query makes new Study Instance UIDs",
        "RAD-5-SCP-22 RAD-5-SCP-28",
        _new_study_uids,
    ),
    (
        "filler-completes-discontinued",
        "A discontinued step counts as completed",
        "EX-08 RAD-5-SCP-12 RAD-5-SCP-25",
        _with(state_after=_completes_everything),
    ),
    ("filler-creates-completed", "Accepts N-CREATE with any status", "RAD-6-SCP-02", accepts_any_creation),
    ("filler-creates-twice", "Accepts N-CREATE of an existing instance", "RAD-6-SCP-03", accepts_duplicates),
    (
        "filler-refuses-unscheduled",
        "Refuses steps without a scheduled step",
        "EX-14 RAD-6-SCP-01 RAD-6-SCP-08",
        refuses_unscheduled,
    ),
    ("filler-changes-final", "Accepts N-SET after the step is final", "RAD-7-SCP-01", accepts_final_change),
    ("filler-sets-unknown", "Accepts N-SET of a step that was never created", "RAD-7-SCP-02", accepts_unknown),
    (
        "filler-demands-coded-reason",
        "Refuses the end of a step without a reason of CID 9300",
        "EX-09",
        demands_coded_reason,
    ),
    (
        "filler-explicit-only",
        "Takes worklist queries in Explicit VR only",
        "RAD-5-SCP-01",
        _with(worklist_syntaxes=(EXPLICIT_VR_LE,)),
    ),
    (
        "filler-data-with-the-end",
        "The final response of a query brings the last match once more",
        "DICOM-GEN-02 RAD-5-SCP-20",
        _with(repeated=lambda matches: matches[-1:]),
    ),
    (
        "filler-ends-twice",
        "A query has two final responses",
        "DICOM-GEN-03",
        _with(final_answers=2),
    ),
    (
        "filler-refuses-availability",
        "Refuses availability notifications",
        "RAD-49-SCP-01",
        _with(availability_status=lambda request: 0x0110),
    ),
)

ORDER_FILLER_VARIANTS: tuple[Row, ...] = (
    (
        "filler-case-sensitive-names",
        "Matches person names case sensitively, as its statement says",
        "",
        _rules(person_name_case_sensitive=True),
    ),
    (
        "filler-all-utf8",
        "Answers every query in UTF-8",
        "",
        _with(write=lambda record, *, implicit: encode(record | {CHARACTER_SET: ("ISO_IR 192",)}, implicit=implicit)),
    ),
)
