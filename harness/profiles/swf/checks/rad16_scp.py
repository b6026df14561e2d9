"""RAD-16 Retrieve Images, as the archive answers it (RAD TF-2 4.16, PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import facts
from harness.profiles.journal import (
    QUERY_FINDS,
    RETRIEVE_GETS,
    RETRIEVE_MOVES,
    TO_SUT,
    Journal,
    Operation,
    instance_of,
)
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad08_scp import changed, returned_pairs, taken
from harness.profiles.swf.checks.rad14_asked import known_instances
from harness.profiles.swf.checks.rad14_scp import CANCELLED
from harness.profiles.values import attributes_of, listed, text

COUNTS = {
    "remaining": "NumberOfRemainingSuboperations",
    "completed": "NumberOfCompletedSuboperations",
    "failed": "NumberOfFailedSuboperations",
    "warning": "NumberOfWarningSuboperations",
}


#: sub-operations that a provider may have under way, on several associations, when a cancel comes
_UNDER_WAY = 16

Retrieves = Callable[[Journal], Iterator[Operation]]


def moves(j: Journal) -> Iterator[Operation]:
    """Retrieve requests that we sent by C-MOVE."""
    return j.select("C-MOVE-RQ", TO_SUT, RETRIEVE_MOVES)


def gets(j: Journal) -> Iterator[Operation]:
    """Retrieve requests that we sent by C-GET."""
    return j.select("C-GET-RQ", TO_SUT, RETRIEVE_GETS)


def fact_of(j: Journal, move: Operation) -> Mapping[str, Any]:
    """The MOVE fact of a request, ``{}`` if none was noted."""
    return next((data for _, data in j.facts(facts.MOVE) if data.get("message") == move.request.seq), {})


def delivered(j: Journal, retrieve: Operation) -> list[Operation]:
    """C-STOREs that belong to this retrieve: by message id or association, or by lying between request and end."""
    end = retrieve.final.seq if retrieve.final is not None else max((m.seq for m in j.messages), default=0)
    between = [store for store in j.deliveries if retrieve.request.seq < store.request.seq < end]
    if retrieve.request.kind == "C-GET-RQ":
        return [store for store in between if store.request.association == retrieve.request.association]
    others = [m for m in moves(j) if m.request.seq != retrieve.request.seq and m.request.seq < end]
    overlapping = any(o.final is None or o.final.seq > retrieve.request.seq for o in others)
    found = []
    for store in between:
        origin = store.request.fields.get("MoveOriginatorMessageID")
        if origin is None or not overlapping or origin == retrieve.request.fields.get("MessageID"):
            found.append(store)
    return found


def _unknown(fact: Mapping[str, Any]) -> bool:
    return bool(fact.get("unknown_destination"))


def _wanted(j: Journal, move: Operation) -> set[str] | None:
    """SOP Instance UIDs that the request asks for, None if the harness does not know the content of the archive."""
    fact = fact_of(j, move)
    if "expected" in fact:
        return set(fact["expected"])
    keys = {
        key: set(text(move.attributes, key).split("\\")) - {""}
        for key in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    }
    known = known_instances(j, move.request.seq)
    wanted = {
        text(instance, "SOPInstanceUID")
        for instance in known
        if all(not values or text(instance, key) in values for key, values in keys.items())
    }
    return wanted or None


def exactly_the_requested_instances(j: Journal, retrieves: Retrieves = moves) -> Iterator[Observation]:
    for move in retrieves(j):
        wanted = _wanted(j, move)
        if wanted is None or move.final is None or _unknown(fact_of(j, move)) or j.cancelled_at(move):
            continue
        stores = delivered(j, move)
        yield same_set(
            wanted,
            (instance_of(store) for store in stores),
            what=f"Instances delivered at {text(move.attributes, 'QueryRetrieveLevel') or 'no'} level",
            evidence=(*move.evidence, *(store.request.seq for store in stores)),
            locator="SOPInstanceUID",
            why="Half a study looks like a whole one to who reads it.",
        )


def _number(response: Message | None, which: str) -> int | None:
    value = response.fields.get(COUNTS[which]) if response is not None else None
    return value if isinstance(value, int) else None


def _outcome(stores: list[Operation]) -> tuple[set[str], set[str]]:
    """Instances that were taken well, and those that were taken with a warning only."""
    good = {instance_of(s) for s in stores if s.status == 0}
    return good, {instance_of(s) for s in stores if taken(s)} - good


def counts_right(j: Journal, retrieves: Retrieves = moves) -> Iterator[Observation]:
    for move in retrieves(j):
        if move.final is None or _unknown(fact_of(j, move)) or j.cancelled_at(move):
            continue
        stores = delivered(j, move)
        good, warned = _outcome(stores)
        completed, failed, warning = (_number(move.final, which) for which in ("completed", "failed", "warning"))
        wanted = _wanted(j, move)
        ok = (completed, warning or 0) == (len(good), len(warned))
        if wanted is not None:
            ok = ok and (failed or 0) == len(wanted - good - warned)
        yield judged(
            ok,
            f"{move.final.label} counts {completed} completed, {failed} failed, {warning} with warning; "
            f"{len(good)} arrived well, {len(warned)} with warning",
            (*move.evidence, *(store.request.seq for store in stores)),
            expected=f"{len(good)} completed, {len(wanted - good - warned) if wanted is not None else 'any'} failed, "
            f"{len(warned)} with warning",
            actual=f"{completed} completed, {failed} failed, {warning} with warning",
            locator=", ".join(COUNTS.values()),
            why="The display tells its user by these numbers whether something is missing.",
        )
        if wanted:
            yield from _status_fits(move, good, warned, wanted - good - warned)
        yield from _pending_adds_up(move, len(wanted) if wanted else None)


def _status_fits(move: Operation, good: set[str], warned: set[str], failed: set[str]) -> Iterator[Observation]:
    """Success says that everything went well, a failure that nothing did (PS3.4 C.4.2.3.1); B000 is judged apart."""
    status = move.status or 0
    if failed and not good and not warned:
        ok, wanted = status & 0xF000 in (0xA000, 0xC000), "a failure: Axxx or Cxxx"
    elif not failed:
        ok, wanted = status == 0 or (bool(warned) and status == 0xB000), "0000" if not warned else "B000"
    else:
        return
    yield judged(
        ok,
        f"{len(good)} sub-operation(s) went well, {len(failed)} failed; the final status is {status:04X}",
        move.evidence,
        expected=wanted,
        actual=f"{status:04X}",
        locator="Status",
        why="Who is told of a failure asks again for what is there; who is told of success does not.",
    )


def _pending_adds_up(move: Operation, total: int | None) -> Iterator[Observation]:
    """Remaining, completed, failed and warning sub-operations are always all of them (PS3.4 C.4.2.1.6 to 9)."""
    sums = {message.seq: [_number(message, which) for which in COUNTS] for message in move.pending}
    if not sums:
        return
    complete = {seq: sum(n for n in numbers if n is not None) for seq, numbers in sums.items() if None not in numbers}
    expected = total if total is not None else next(iter(complete.values()), 0)
    wrong = [seq for seq in sums if complete.get(seq) != expected]
    shown = [" + ".join("none" if n is None else str(n) for n in sums[seq]) for seq in wrong]
    yield judged(
        not wrong,
        f"{len(sums)} pending response(s) "
        + (f"count {listed(shown, 3)}, not {expected} together" if wrong else f"always count {expected} together"),
        (move.request.seq, *(wrong or list(sums))[:5]),
        expected=f"remaining, completed, failed and warning are {expected} together",
        actual=listed(shown, 3) or str(expected),
        locator=", ".join(COUNTS.values()),
        why="A display shows by these numbers how far it is.",
    )


def unknown_destination_refused(j: Journal) -> Iterator[Observation]:
    for move in moves(j):
        if not _unknown(fact_of(j, move)) or move.final is None:
            continue
        yield judged(
            move.status == 0xA801,
            f"A move to the unknown destination {move.request.fields.get('MoveDestination')} was answered "
            f"{move.status:04X}",
            move.evidence,
            expected="A801",
            actual=f"{move.status:04X}",
            locator="Status",
            why="A success would have the user wait for images that nobody sends.",
        )


def partial_failure_is_a_warning(j: Journal) -> Iterator[Observation]:
    for move in moves(j):
        fact, stores = fact_of(j, move), delivered(j, move)
        refused = {instance_of(s) for s in stores if s.status is not None and not taken(s)} | set(
            fact.get("failing") or ()
        )
        good = {instance_of(s) for s in stores if taken(s)}
        if not refused or not good or move.final is None or _unknown(fact):
            continue
        yield judged(
            move.status == 0xB000,
            f"{len(refused)} of {len(refused | good)} sub-operations failed; the final status is {move.status:04X}",
            (*move.evidence, *(store.request.seq for store in stores)),
            expected="B000",
            actual=f"{move.status:04X}",
            locator="Status",
            why="Success says that everything arrived.",
        )
        told = set(text(attributes_of(move.final), "FailedSOPInstanceUIDList").split("\\")) - {""}
        yield same_set(
            refused,
            told,
            what="Failed SOP Instance UID List of the final response",
            evidence=move.evidence,
            locator="FailedSOPInstanceUIDList",
            why="A display asks again for what did not come.",
        )


def get_carried_out(j: Journal) -> Iterator[Observation]:
    """C-GET may be left out; where it is offered, it delivers what was asked for and tells so (PS3.4 C.4.3.3.1)."""
    for association in j.associations.values():
        answer = association.first("A-ASSOCIATE-AC")
        accepted = {context.get("id") for context in association.accepted}
        for context in association.proposed:
            if association.from_sut or answer is None or association.request is None:
                continue
            if context.get("abstract_syntax") in RETRIEVE_GETS and context.get("id") not in accepted:
                yield judged(
                    True,
                    "C-GET is not offered, which is permitted",
                    (association.request.seq, answer.seq),
                    actual="not offered",
                    locator=f"presentation context {context.get('id')}",
                )
    yield from exactly_the_requested_instances(j, gets)
    yield from counts_right(j, gets)


def both(j: Journal) -> Iterator[Operation]:
    """Retrieve requests of either kind."""
    yield from moves(j)
    yield from gets(j)


def cancel_honoured(j: Journal) -> Iterator[Observation]:
    """A cancelled retrieve stops and says what was done until then (PS3.4 C.4.2.3.1, C.4.3.3.1)."""
    for move in both(j):
        at = j.cancelled_at(move)
        if not at or move.final is None:
            continue
        stores = delivered(j, move)
        begun = [store for store in stores if store.request.seq > at]
        if move.status != CANCELLED and len(begun) <= _UNDER_WAY:
            continue  # the rest was under way before the cancel could arrive
        good, warned = _outcome(stores)
        completed, warning = _number(move.final, "completed"), _number(move.final, "warning")
        # the one sub-operation that was under way may be counted or not
        counted = completed is not None and len(good) + len(warned) - completed - (warning or 0) in (0, 1)
        yield judged(
            move.status == CANCELLED and counted,
            f"After the cancel {len(begun)} more sub-operation(s) began; the final response is {move.status or 0:04X} "
            f"and counts {completed} completed of {len(good)}",
            (move.request.seq, at, *move.evidence[1:]),
            expected=f"FE00, {len(good)} completed",
            actual=f"{move.status or 0:04X}, {completed} completed",
            locator="Status, NumberOfCompletedSuboperations",
            why="Who chose the wrong study should not have to wait for all of it.",
        )


def originator_named(j: Journal) -> Iterator[Observation]:
    for move in moves(j):
        association = j.associations.get(move.request.association)
        request = association.request if association is not None else None
        caller = str(request.fields.get("calling_ae") or "").strip() if request is not None else ""
        for store in delivered(j, move):
            title = str(store.request.fields.get("MoveOriginatorApplicationEntityTitle") or "").strip()
            number = store.request.fields.get("MoveOriginatorMessageID")
            ok = bool(title) and number == move.request.fields.get("MessageID") and (not caller or title == caller)
            yield judged(
                ok,
                f"{store.request.label} names {title or 'nobody'} and message {number} as its origin",
                (move.request.seq, store.request.seq),
                expected=f"{caller or 'the requester'}, message {move.request.fields.get('MessageID')}",
                actual=f"{title or '(absent)'}, {number}",
                locator="MoveOriginatorApplicationEntityTitle, MoveOriginatorMessageID",
                why="A display that asks two archives tells by it which answer this is.",
            )


def objects_unchanged(j: Journal) -> Iterator[Observation]:
    for store, delivery in returned_pairs(j):
        found = changed(store, delivery, j)
        yield judged(
            not found,
            f"Instance {instance_of(store)} was delivered "
            + (f"with other values in {listed(found)}" if found else "as it was stored"),
            (store.request.seq, delivery.request.seq),
            expected="as it was stored",
            actual=listed(found) or "as it was stored",
            locator=listed(found) or "data set",
            why="Nobody can tell a change in the archive from a change by the modality.",
        )


def stored_found_and_retrieved_agree(j: Journal) -> Iterator[Observation]:
    stored: dict[str, set[str]] = {}
    seqs: dict[str, list[int]] = {}
    for store in j.ours:
        if taken(store):
            study = text(store.attributes, "StudyInstanceUID")
            stored.setdefault(study, set()).add(instance_of(store))
            seqs.setdefault(study, []).append(store.request.seq)
    for study, instances in stored.items():
        last = max(seqs[study])
        got = {
            instance_of(d): d
            for d in j.deliveries
            if text(d.attributes, "StudyInstanceUID") == study and d.request.seq > last
        }
        counted: list[tuple[int, str]] = []
        for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
            for message in query.pending:
                attributes = attributes_of(message)
                number = text(attributes, "NumberOfStudyRelatedInstances")
                if text(attributes, "StudyInstanceUID") == study and number and message.seq > last:
                    counted.append((message.seq, number))
        whole = any(
            text(m.attributes, "StudyInstanceUID") == study
            and text(m.attributes, "QueryRetrieveLevel") == "STUDY"
            and m.status == 0
            for m in moves(j)
        )
        if not counted and not (got and whole):
            continue
        ok = all(number == str(len(instances)) for _, number in counted) and (
            not whole or not got or set(got) == instances
        )
        yield judged(
            ok,
            f"Of study {study} {len(instances)} instance(s) were stored, "
            f"{listed(dict.fromkeys(n for _, n in counted)) or 'not'} counted, "
            f"{len(got) if whole else 'not'} retrieved",
            (*seqs[study], *(seq for seq, _ in counted), *(d.request.seq for d in got.values())),
            expected=f"{len(instances)} each time",
            actual=f"counted {listed(dict.fromkeys(n for _, n in counted)) or '-'}, retrieved {len(got)}",
            locator="SOPInstanceUID",
            why="The three answers come from one archive.",
        )


_ROWS = (
    ("move-scp-exact", "RAD-16-SCP-01", "RAD-16", exactly_the_requested_instances, "The requested instances arrive"),
    ("move-scp-counts", "RAD-16-SCP-02", "RAD-16", counts_right, "The counts are right"),
    ("move-scp-unknown", "RAD-16-SCP-03", "RAD-16", unknown_destination_refused, "Unknown destinations are refused"),
    ("move-scp-partial", "RAD-16-SCP-04", "RAD-16", partial_failure_is_a_warning, "A partial failure is a warning"),
    ("move-scp-originator", "RAD-16-SCP-05", "RAD-16", originator_named, "The originator is named"),
    ("move-scp-unchanged", "RAD-16-SCP-06", "RAD-16", objects_unchanged, "Objects are unchanged"),
    ("get-scp", "RAD-16-SCP-08", "RAD-16 RAD-17 RAD-31 RAD-45", get_carried_out, "C-GET delivers what was asked for"),
    ("retrieve-scp-cancel", "RAD-16-SCP-09", "RAD-16 RAD-17 RAD-31 RAD-45", cancel_honoured, "A cancel is honoured"),
    (
        "archive-consistent",
        "XC-21",
        "RAD-8 RAD-14 RAD-16",
        stored_found_and_retrieved_agree,
        "Stored, counted and retrieved agree",
    ),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
