"""RAD-14 Query Images, as the archive matches and behaves (PS3.4 C.2.2.2, C.4.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles.journal import PATIENT_ROOT_FIND, QUERY_FINDS, Journal, Operation, status_of
from harness.profiles.matching import asked_keys, find, matching_keys, mismatches
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad14_asked import fact_of, queries, returned
from harness.profiles.swf.checks.rad14_scu import level_of, missing_unique_keys
from harness.profiles.swf.checks.updates import patient_updates
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import Attributes, attributes_of, equal, listed, shown, text

CANCELLED = 0xFE00


def both_models_answered(j: Journal) -> Iterator[Observation]:
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        reply = association.first("A-ASSOCIATE-AC") or association.first("A-ASSOCIATE-RJ")
        accepted = {context.get("id") for context in association.accepted}
        for context in association.proposed:
            model = str(context.get("abstract_syntax"))
            if model not in QUERY_FINDS or reply is None:
                continue
            ok = context.get("id") in accepted
            name = "Patient Root" if model.endswith(".1.2.1.1") else "Study Root"
            yield judged(
                ok,
                f"{name} FIND was {'accepted' if ok else 'not accepted'}",
                (association.request.seq, reply.seq),
                expected="accepted",
                actual="accepted" if ok else "not accepted",
                locator=f"presentation context {context.get('id')}",
                why="A display chooses either model.",
            )


# -- matching --------------------------------------------------------------------------------------------------


def matching(j: Journal, level: str, keywords: frozenset[str], why: str) -> Iterator[Observation]:
    """Legal queries at a level by any of these keys: they are answered, and with the right entities."""
    for query in queries(j):
        fact = fact_of(j, query)
        keys = matching_keys(query.attributes)
        asked = set(keys) - {table.UNIQUE_KEYS[above] for above in table.LEVELS[: table.LEVELS.index(level)]}
        if level == "STUDY":  # the Patient ID is a key of study queries, and the unique key above only in Patient Root
            asked = set(keys)
        if level_of(query) != level or not asked & keywords or query.status in (None, CANCELLED):
            continue
        if fact.get("purpose") or missing_unique_keys(query):
            continue
        yield from _judge(j, query, keys, fact, why) if query.status == 0 else _not_answered(query, keys, why)


def _shown_keys(keys: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in keys.items()) or "no key at all"


def _not_answered(query: Operation, keys: Mapping[str, str], why: str) -> Iterator[Observation]:
    yield judged(
        False,
        f"A query by {_shown_keys(keys)} was answered {query.status or 0:04X}",
        query.evidence,
        expected="0000",
        actual=f"{query.status or 0:04X}",
        locator="Status",
        why=why,
    )


def _unsatisfied(keys: Mapping[str, str], response: Attributes) -> list[str]:
    """Keys that a response does not satisfy; an unknown value (zero length) matches every key (PS3.4 C.2.2.1.2)."""
    return [keyword for keyword in mismatches(keys, response) if find(response, keyword)]


def _judge(
    j: Journal, query: Operation, keys: Mapping[str, str], fact: Mapping[str, Any], why: str
) -> Iterator[Observation]:
    asked = _shown_keys(keys)
    evidence = (*query.evidence, *(message.seq for message in query.pending[:20]))
    bad = [k for message in query.pending for k in _unsatisfied(keys, attributes_of(message))]
    yield judged(
        not bad,
        f"{len(query.pending)} match(es) for {asked}" + (f"; not satisfied: {listed(sorted(set(bad)))}" if bad else ""),
        evidence,
        expected=asked,
        actual=f"{len(bad)} mismatch(es)",
        locator=listed(keys) or "identifier",
        why=why,
    )
    if "expected" not in fact or not fact.get("by"):
        return
    by = str(fact["by"])
    universe = set(fact["universe"]) if fact.get("universe") else None
    found = [text(attributes_of(message), by) for message in query.pending]
    doubles = sorted({value for value in found if value and found.count(value) > 1})
    if doubles:
        yield judged(
            False,
            f"{len(doubles)} value(s) of {by} came more than once for {asked}",
            evidence,
            expected="each once",
            actual=listed(doubles),
            locator=by,
            why="No two entities of a level have the same unique key (PS3.4 C.2.2.1.1).",
        )
    yield same_set(
        fact["expected"],
        [value for value in found if universe is None or value in universe],
        what=f"Matches for {asked}, by {by}",
        evidence=evidence,
        locator=listed(keys) or "identifier",
        why=why,
    )


_LIST = "A study that is not found is taken again, or reported from memory."


def _required_keys_returned(j: Journal, level: str, why: str) -> Iterator[Observation]:
    """Required keys that were asked for come back as they were stored (PS3.4 C.4.1.1.3.2): they are never optional."""
    coerced = set(j.sut.statement.get("coerced_attributes") or ())
    updates = patient_updates(j)
    for query, message, group in returned(j, level):
        asked = asked_keys(query.attributes)
        patient_root = query.sop_class == PATIENT_ROOT_FIND
        excused = coerced.union(*(data.get("keywords") or () for seq, data in updates if seq < message.seq))
        answer = attributes_of(message)
        keywords = [k for k in table.required_keys(level, patient_root=patient_root) if k in asked and k not in excused]
        absent = [keyword for keyword in keywords if keyword not in answer]
        other = [k for k in keywords if k in answer and not _as_stored(k, answer[k], group)]
        said = {k: f"{shown(answer.get(k))}, stored was {shown(_stored(k, group))}" for k in (*absent, *other)}
        yield judged(
            not said,
            f"{message.label} "
            + (f"does not return {listed(said)} as stored" if said else "returns the required keys as stored"),
            (query.request.seq, message.seq),
            expected="; ".join(f"{k}: {shown(_stored(k, group))}" for k in said) or listed(keywords, len(keywords)),
            actual="; ".join(f"{k}: {shown(answer.get(k))}" for k in said) or "as stored",
            locator=listed(said) or "identifier",
            why=why,
        )


def _stored(keyword: str, group: list[Attributes]) -> str | None:
    return next((value for one in group if (value := text(one, keyword))), None)


def _as_stored(keyword: str, found: Any, group: list[Attributes]) -> bool:
    values = [value for one in group if (value := text(one, keyword))]
    return not values or any(equal(keyword, value, found) for value in values)


def study_matching(j: Journal) -> Iterator[Observation]:
    """Matching and return of the keys that are required at study level, and at patient level in Patient Root."""
    for level in ("PATIENT", "STUDY"):
        yield from matching(j, level, frozenset(table.STUDY_KEYS), _LIST)
        yield from _required_keys_returned(j, level, "A name or number that comes back otherwise is another patient.")


def series_matching(j: Journal) -> Iterator[Observation]:
    """The same at series level."""
    yield from matching(j, "SERIES", frozenset(table.SERIES_KEYS), _LIST)
    yield from _required_keys_returned(j, "SERIES", "A series is picked by its modality and number.")


def image_matching(j: Journal) -> Iterator[Observation]:
    """The same at image level."""
    yield from matching(j, "IMAGE", frozenset(table.IMAGE_KEYS), _LIST)
    yield from _required_keys_returned(j, "IMAGE", "An image is picked by its number.")


# -- behaviour -------------------------------------------------------------------------------------------------


def hierarchy_demanded(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        missing = missing_unique_keys(query)
        if not missing or query.final is None:
            continue
        status = query.status or 0
        ok = not query.pending and (status == 0 or status == 0xA900 or 0xC000 <= status <= 0xCFFF)
        yield judged(
            ok,
            f"A query at {level_of(query)} level without {listed(missing)} was answered {status:04X} with "
            f"{len(query.pending)} match(es)",
            query.evidence,
            expected="a failure (A900 or Cxxx), or success without a match",
            actual=f"{status:04X}, {len(query.pending)} match(es)",
            locator="Status",
            why="Answers from all studies at once flood the display.",
        )


def name_case_as_stated(j: Journal) -> Iterator[Observation]:
    stated = j.sut.statement.get("person_name_case_sensitive")
    for query in queries(j):
        fact = fact_of(j, query)
        if fact.get("purpose") != "lower-case-name" or query.status != 0 or "expected" not in fact:
            continue
        by = str(fact.get("by") or "StudyInstanceUID")
        found = {text(attributes_of(message), by) for message in query.pending}
        insensitive = bool(set(fact["expected"]) & found)
        ok = None if stated is None else insensitive != bool(stated)
        yield judged(
            ok,
            f"A name in lower case {'matches' if insensitive else 'does not match'}; the statement says "
            + ("nothing of it" if stated is None else "that case matters" if stated else "that case does not matter"),
            query.evidence,
            expected="as the conformance statement says",
            actual="case does not matter" if insensitive else "case matters",
            locator="PatientName",
            why="A user who does not know how names are matched looks in vain.",
        )


def unsupported_keys_marked(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        unsupported = fact_of(j, query).get("purpose") == "unsupported-key"
        for message in query.pending:
            status = status_of(message)
            absent = sorted(
                k
                for k in query.attributes
                if k not in attributes_of(message) and k not in ("SpecificCharacterSet", "TimezoneOffsetFromUTC")
            )
            if not absent and not unsupported:
                continue
            yield judged(
                status == 0xFF01 if absent else True,
                f"{message.label} has status {status or 0:04X}"
                + (f" and leaves out {listed(absent)}" if absent else " and holds every key that was asked for"),
                (query.request.seq, message.seq),
                expected="FF01" if absent else ("FF00", "FF01"),
                actual=f"{status or 0:04X}",
                locator="Status",
                why="A display must know that a key was ignored: the list is longer than was asked for.",
            )


def cancel_honoured(j: Journal) -> Iterator[Observation]:
    """A query that is cancelled before everything was sent ends with FE00 (PS3.4 C.4.1.3.1)."""
    for query in queries(j):
        at = j.cancelled_at(query)
        if not at or query.status is None:
            continue
        later = [message for message in query.pending if message.seq > at]
        if query.status != CANCELLED and not later:
            continue  # everything was sent before the cancel could arrive
        yield judged(
            query.status == CANCELLED,
            f"After the cancel came {len(later)} match(es) and the final status {query.status:04X}",
            (query.request.seq, at, *query.evidence[1:]),
            expected="FE00",
            actual=f"{query.status:04X}",
            locator="Status",
            why="Who asked for too much should not have to wait for all of it.",
        )


_Function = Callable[[Journal], Iterator[Observation]]
_ROWS: tuple[tuple[str, str, _Function, str], ...] = (
    ("query-scp-models", "RAD-14-SCP-01", both_models_answered, "Both query models are accepted"),
    ("query-scp-study", "RAD-14-SCP-02", study_matching, "Study keys match and are returned"),
    ("query-scp-series", "RAD-14-SCP-07", series_matching, "Series keys match and are returned"),
    ("query-scp-image", "RAD-14-SCP-10", image_matching, "Image keys match and are returned"),
    ("query-scp-hierarchy", "RAD-14-SCP-13", hierarchy_demanded, "The hierarchy is demanded"),
    ("query-scp-name-case", "RAD-14-SCP-14", name_case_as_stated, "Case of names as the statement says"),
    ("query-scp-unsupported", "RAD-14-SCP-15", unsupported_keys_marked, "Ignored keys are marked"),
    ("query-scp-cancel", "RAD-14-SCP-16", cancel_honoured, "A cancel is honoured"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-14", function, title) for id, req, function, title in _ROWS)
