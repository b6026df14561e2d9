"""RAD-5 Query Modality Worklist: what the modality makes of the answers (RAD TF-2 4.5, PS3.4 K.4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, Journal, Operation, status_of
from harness.profiles.observe import check, judged, same
from harness.profiles.steps import Entry, Steps
from harness.profiles.swf.checks.rad05_scu import queries
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import listed, text


def _answers(j: Journal, query: Operation) -> Mapping[str, Any]:
    """What the driver saw the product show after this query: the outcome of the action that asked for it."""
    action = j.action_before(query.request.seq)
    if action is not None and action.get("action") == "query-worklist":
        answers = (action.get("outcome") or {}).get("answers")
        if isinstance(answers, Mapping):
            return answers
    return {}


def _entries_shown(answers: Mapping[str, Any]) -> int | None:
    entries = answers.get("entries")
    if isinstance(entries, list | tuple):
        return len(entries)
    return entries if isinstance(entries, int) else None


def _cancel(j: Journal, query: Operation) -> Message | None:
    for message in j.messages:
        if message.kind == "C-CANCEL-RQ" and message.association == query.request.association:
            asked = message.fields.get("MessageIDBeingRespondedTo")
            if asked == query.request.fields.get("MessageID") and message.seq > query.request.seq:
                return message
    return None


def _left_early(j: Journal, query: Operation) -> Message | None:
    """The release or abort by which the modality ended the association before the final response, if it did."""
    association = j.associations.get(query.request.association)
    if association is None:
        return None
    until = query.final.seq if query.final is not None else None
    for message in association.messages:
        ends = message.direction is FROM_SUT and message.kind in ("A-RELEASE-RQ", "A-ABORT")
        if ends and message.seq > query.request.seq and (until is None or message.seq < until):
            return message
    return None


def all_pending_responses_consumed(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if not query.pending or _cancel(j, query) is not None:
            continue
        left = _left_early(j, query)
        shown = _entries_shown(_answers(j, query))
        evidence = (query.request.seq, *(message.seq for message in query.pending))
        if left is not None:
            yield judged(
                False,
                f"The modality ended the association after {len(query.pending)} pending response(s), before the last",
                (*evidence, left.seq),
                expected="all responses up to the final one are taken",
                actual=left.kind,
                why="What was not taken is missing on the worklist; FF01 is as much a match as FF00.",
            )
        elif query.final is not None:
            error = _answers(j, query).get("error") if query.status == 0 else None
            ok = not error and (shown is None or shown == len(query.pending))
            kinds = listed(sorted({f"{status_of(m) or 0:04X}" for m in query.pending}))
            yield judged(
                ok,
                f"{len(query.pending)} matches were sent with status {kinds}"
                + (
                    f"; the modality says {error!r}"
                    if error
                    else f"; the modality shows {shown}"
                    if shown is not None
                    else " and taken to the end"
                ),
                evidence,
                expected=f"{len(query.pending)} entries",
                actual=str(error) if error else f"{shown if shown is not None else len(query.pending)} entries",
                why="FF00 and FF01 both carry a match; an entry that is dropped is a patient who is not found.",
            )


def zero_matches_is_an_empty_list(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if query.status != 0 or query.pending:
            continue
        answers = _answers(j, query)
        shown, error = _entries_shown(answers), answers.get("error")
        if shown is None and error is None:
            continue
        yield judged(
            not error and not shown,
            f"Nothing matched; the modality shows {shown if shown is not None else 'no'} entries"
            + (f" and the error {error!r}" if error else " and no error"),
            query.evidence,
            expected="an empty list and no error",
            actual=f"{shown} entries, error {error!r}",
            why="An operator who is told of an error starts to look for a fault that is not there.",
        )


def failure_is_not_an_empty_list(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        status = query.status
        if status is None or not (status in (0xA700, 0xA900, 0x0122) or 0xC000 <= status <= 0xCFFF):
            continue
        answers = _answers(j, query)
        if "error" not in answers and "entries" not in answers:
            continue
        yield judged(
            bool(answers.get("error")),
            f"The query failed with {status:04X}; the modality "
            + (f"says {answers.get('error')!r}" if answers.get("error") else "shows an empty worklist"),
            query.evidence,
            expected="a message that the query failed",
            actual=str(answers.get("error") or "no error"),
            why="An empty list says that nobody is scheduled, which is not what the provider answered.",
        )


def newest_answer_used(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        entry = step.entry
        if entry is None or not step.scheduled:
            continue
        older = [known for known in steps.entries if known.step_id == entry.step_id and known.seq < entry.seq]
        for keyword in (*mpps.PATIENT, *mpps.COPIED):
            if not older or all(_same_value(known, entry, keyword) for known in older):
                continue
            actual = step.attributes if keyword in mpps.PATIENT else step.scheduled[0]
            yield same(
                keyword,
                entry.attributes.get(keyword),
                actual.get(keyword),
                source=f"the newest worklist answer (#{entry.seq})",
                target=step.label,
                evidence=(entry.seq, step.create.request.seq),
                why="The order was changed between two queries; the older answer is out of date.",
            )


def _same_value(one: Entry, other: Entry, keyword: str) -> bool:
    return bool(one.attributes.get(keyword) == other.attributes.get(keyword))


def text_copied_without_loss(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        entry = step.entry
        if entry is None or not step.scheduled:
            continue
        seq = step.create.request.seq
        for keyword in (*mpps.PATIENT, "RequestedProcedureDescription", "ScheduledProcedureStepDescription"):
            if entry.text(keyword).isascii():
                continue
            holder = step.attributes if keyword in mpps.PATIENT else step.scheduled[0]
            yield _copied(keyword, entry, text(holder, keyword), step.label, seq)
        yield from _declared(entry, step.create)
    for store in j.stores_of(names.MODALITY):
        entry = steps.entry_of(store)
        if entry is None or entry.text("PatientName").isascii():
            continue
        yield _copied("PatientName", entry, text(store.attributes, "PatientName"), "the image", store.request.seq)
        yield from _declared(entry, store)


def _copied(keyword: str, entry: Entry, value: str, target: str, seq: int) -> Observation:
    return same(
        keyword,
        entry.text(keyword),
        value,
        source="the worklist",
        target=target,
        evidence=(entry.seq, seq),
        why="A name that lost its characters is another patient to the next system.",
    )


def _declared(entry: Entry, operation: Operation) -> Iterator[Observation]:
    if entry.text("PatientName").isascii() or text(operation.attributes, "PatientName").isascii():
        return
    declared = text(operation.attributes, "SpecificCharacterSet")
    yield judged(
        bool(declared),
        f"{operation.request.label} declares the character set {declared or '(none)'}",
        (entry.seq, operation.request.seq),
        expected="a character set that holds the text",
        actual=declared or "(absent)",
        locator="SpecificCharacterSet",
        why="Without it a receiver reads the bytes as ASCII.",
    )


def works_without_worklist_provider(j: Journal) -> Iterator[Observation]:
    for seq, until in j.outages(names.ORDER_FILLER):
        asked = [
            at
            for at, action in j.actions
            if at > seq and (not until or at < until) and action.get("action") == "perform-unscheduled"
        ]
        if not asked:
            continue
        stored = [s for s in j.stores_of(names.MODALITY) if s.request.seq > asked[0]]
        yield judged(
            bool(stored),
            f"With the worklist provider away, {len(stored)} image(s) of an unscheduled exam were stored",
            (*(s.request.seq for s in stored[:3]),) or (seq,),
            expected="an unscheduled exam is possible",
            actual=f"{len(stored)} image(s)",
            why="An emergency does not wait for the information system.",
        )


CHECKS: tuple[Check, ...] = (
    check(
        "mwl-scu-all-responses",
        "RAD-5-SCU-16",
        "RAD-5",
        all_pending_responses_consumed,
        "All matches are taken, whatever their pending status",
    ),
    check("mwl-scu-zero-matches", "RAD-5-SCU-17", "RAD-5", zero_matches_is_an_empty_list, "No match is an empty list"),
    check("mwl-scu-failure", "RAD-5-SCU-18", "RAD-5", failure_is_not_an_empty_list, "A failure is not an empty list"),
    check("mwl-scu-newest-answer", "RAD-5-SCU-19", "RAD-5 RAD-6", newest_answer_used, "The newest answer is used"),
    check(
        "mwl-scu-text-copied",
        "RAD-5-SCU-20",
        "RAD-5 RAD-6 RAD-8",
        text_copied_without_loss,
        "Text beyond ASCII reaches the step and the images",
    ),
    check(
        "mwl-scu-provider-down",
        "EX-25",
        "RAD-5",
        works_without_worklist_provider,
        "Work goes on without a worklist provider",
    ),
)
