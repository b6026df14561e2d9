"""RAD-16 Retrieve Images, as the archive answers it (RAD TF-2 4.16, PS3.4 C.4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import facts
from harness.profiles.journal import QUERY_FINDS, RETRIEVE_MOVES, TO_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad08_scp import changed, returned_pairs, taken
from harness.profiles.swf.checks.rad14_scp import known_instances
from harness.profiles.values import attributes_of, listed, text

COUNTS = {
    "completed": "NumberOfCompletedSuboperations",
    "failed": "NumberOfFailedSuboperations",
    "warning": "NumberOfWarningSuboperations",
}


def moves(j: Journal) -> Iterator[Operation]:
    """Retrieve requests that we sent."""
    return j.select("C-MOVE-RQ", TO_SUT, RETRIEVE_MOVES)


def fact_of(j: Journal, move: Operation) -> Mapping[str, Any]:
    """The MOVE fact of a request, ``{}`` if none was noted."""
    return next((data for _, data in j.facts(facts.MOVE) if data.get("message") == move.request.seq), {})


def delivered(j: Journal, move: Operation) -> list[Operation]:
    """C-STOREs that belong to this move: by its message id, or by lying between the request and its end."""
    end = move.final.seq if move.final is not None else max((m.seq for m in j.messages), default=0)
    others = [m for m in moves(j) if m.request.seq != move.request.seq and m.request.seq < end]
    found = []
    for store in j.deliveries:
        if not move.request.seq < store.request.seq < end:
            continue
        origin = store.request.fields.get("MoveOriginatorMessageID")
        overlapping = any(o.final is None or o.final.seq > move.request.seq for o in others)
        if origin is None or not overlapping or origin == move.request.fields.get("MessageID"):
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


def exactly_the_requested_instances(j: Journal) -> Iterator[Observation]:
    for move in moves(j):
        wanted = _wanted(j, move)
        if wanted is None or move.final is None or _unknown(fact_of(j, move)):
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


def _number(move: Operation, which: str) -> int | None:
    value = move.final.fields.get(COUNTS[which]) if move.final is not None else None
    return value if isinstance(value, int) else None


def counts_right(j: Journal) -> Iterator[Observation]:
    for move in moves(j):
        if move.final is None or _unknown(fact_of(j, move)):
            continue
        stores = delivered(j, move)
        good = {instance_of(s) for s in stores if s.status == 0}
        warned = {instance_of(s) for s in stores if s.status is not None and 0xB000 <= s.status <= 0xBFFF} - good
        completed, failed, warning = (_number(move, which) for which in COUNTS)
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
    (
        "archive-consistent",
        "XC-21",
        "RAD-8 RAD-14 RAD-16",
        stored_found_and_retrieved_agree,
        "Stored, counted and retrieved agree",
    ),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
