"""RAD-14 Query Images and RAD-16 Retrieve Images, as displays ask for them (RAD TF-2 4.14, 4.16, PS3.4 C)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, QUERY_FINDS, RETRIEVE_MOVES, TO_SUT, Journal, Operation
from harness.profiles.matching import asked_keys, matching_keys, satisfies
from harness.profiles.observe import check, judged
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import listed, text

_PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."


def queries(j: Journal) -> Iterator[Operation]:
    """Image queries of the system under test as a display."""
    if names.IMAGE_DISPLAY in j.sut.actors or not j.sut.actors:
        yield from j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS)


def moves(j: Journal) -> Iterator[Operation]:
    """Retrieve requests of the system under test."""
    yield from j.select("C-MOVE-RQ", FROM_SUT, RETRIEVE_MOVES)


def level_of(operation: Operation) -> str:
    """The query or retrieve level of a request."""
    return text(operation.attributes, "QueryRetrieveLevel")


def levels_of(operation: Operation) -> tuple[str, ...]:
    """The levels of the information model that a request uses, from the top down."""
    return table.LEVELS[0 if operation.sop_class.startswith(_PATIENT_ROOT) else 1 :]


def levels_above(operation: Operation) -> tuple[str, ...]:
    """The levels above that of the request, in the information model that it uses."""
    level, levels = level_of(operation), levels_of(operation)
    return levels[: levels.index(level)] if level in levels else ()


def missing_unique_keys(operation: Operation) -> list[str]:
    """Unique keys of higher levels that the request lacks, or that are lists, ranges or wildcards."""
    keys = (table.UNIQUE_KEYS[level] for level in levels_above(operation))
    return [k for k in keys if not (v := text(operation.attributes, k)) or any(c in v for c in "*?\\")]


def relational_agreed(j: Journal, operation: Operation) -> bool:
    """Whether the archive agreed to relational queries or retrieves (PS3.4 C.5.1.1, first byte of sub-item 56H)."""
    association = j.associations.get(operation.request.association)
    answer = association.first("A-ASSOCIATE-AC") if association is not None else None
    agreed = answer.fields.get("user_items") or () if answer is not None else ()
    return any(
        item.get("item") == "ExtendedNegotiation"
        and item.get("sop_class") == operation.sop_class
        and str(item.get("information", "")).startswith("01")
        for item in agreed
        if isinstance(item, Mapping)
    )


def _own_key_problem(operation: Operation) -> str:
    """What is wrong with the unique key of the request's own level, "" if nothing (PS3.4 C.4.1.2.1, C.4.2.2.1)."""
    keyword = table.UNIQUE_KEYS.get(level_of(operation), "")
    value = text(operation.attributes, keyword)
    if keyword not in operation.attributes:
        return f"{keyword} is absent"
    if operation.request.kind != "C-FIND-RQ" and not value:
        return f"{keyword} is empty"
    if keyword != "PatientID" and any(c in value for c in "*?"):
        return f"{keyword} has a wildcard"
    if value and not all(value.split("\\")):
        return f"{keyword} is a list with an empty value"
    return ""


def request_problem(j: Journal, operation: Operation) -> str:
    """Why a query or retrieve is not one of the baseline, "" if it is."""
    level = level_of(operation)
    if level not in levels_of(operation):
        return f"{level or 'no'} level is none of the information model"
    missing = missing_unique_keys(operation)
    if missing and not relational_agreed(j, operation):
        return f"{listed(missing)} of the levels above is missing"
    return _own_key_problem(operation)


def hierarchical_requests(j: Journal, operations: Iterable[Operation]) -> Iterator[Observation]:
    """Whether each request names the entities above its level, and the key of its own (PS3.4 C.4.1.2.1)."""
    for operation in operations:
        level, problem = level_of(operation), request_problem(j, operation)
        yield judged(
            not problem,
            f"{operation.request.label} asks at {level or 'no'} level"
            + (f": {problem}" if problem else " with the unique keys of its level and of those above"),
            (operation.request.seq,),
            expected="the unique key of every higher level, and that of its own",
            actual=problem or level,
            locator=problem.split(" ")[0] or "QueryRetrieveLevel",
            why="A provider of the baseline answers hierarchical queries only.",
        )


def hierarchical(j: Journal) -> Iterator[Observation]:
    yield from hierarchical_requests(j, queries(j))


def asked_of_product(j: Journal, operation: Operation, action: str) -> dict[str, str] | None:
    """The keys that a user of the product gave, by keyword; None if it was not told to ask."""
    told = j.action_before(operation.request.seq)
    if told is None or told.get("action") != action:
        return None
    keys = (told.get("parameters") or {}).get("keys")
    return {str(key): str(value) for key, value in keys.items() if value} if isinstance(keys, Mapping) else None


def same_question(keyword: str, asked: str, sent: str) -> bool:
    """Whether the archive is asked what the user asked: wildcards may be added, a date may be written as a range."""
    if keyword.endswith("Date"):
        return bool(sent) and all(satisfies(keyword, sent, end) for end in asked.split("-") if end)
    plain_sent, plain_asked = (value.strip("*^= ").casefold() for value in (sent, asked))
    return bool(plain_sent) and plain_sent == plain_asked


def _by(j: Journal, keyword: str, *, wildcard: bool = False) -> Iterator[Observation]:
    for operation in queries(j):
        if level_of(operation) not in ("STUDY", "PATIENT"):
            continue
        keys, asked = matching_keys(operation.attributes), asked_of_product(j, operation, "query-images")
        if keyword not in (asked if asked is not None else keys):
            continue
        value = keys.get(keyword, "")
        wanted = asked.get(keyword, "") if asked is not None else value
        ok = bool(value) and same_question(keyword, wanted, value)
        yield judged(
            ok,
            f"{operation.request.label} asks for {keyword} {value or '(empty)'}"
            + (" with a wildcard" if wildcard and "*" in value else "")
            + ("" if ok else f", the user asked for {wanted}"),
            (operation.request.seq,),
            expected=wanted or f"a value in {keyword}",
            actual=value or "(empty)",
            locator=keyword,
            why="What the user looks for has to reach the archive, or all studies come back.",
        )


def by_name(j: Journal) -> Iterator[Observation]:
    yield from _by(j, "PatientName", wildcard=True)


def by_patient_id(j: Journal) -> Iterator[Observation]:
    yield from _by(j, "PatientID")


def by_accession(j: Journal) -> Iterator[Observation]:
    yield from _by(j, "AccessionNumber")


def by_study_date(j: Journal) -> Iterator[Observation]:
    yield from _by(j, "StudyDate")


def by_modalities(j: Journal) -> Iterator[Observation]:
    yield from _by(j, "ModalitiesInStudy")


def _return_keys(j: Journal, level: str, keys: tuple[str, ...]) -> Iterator[Observation]:
    for operation in queries(j):
        if level_of(operation) != level:
            continue
        asked = asked_keys(operation.attributes)
        missing = [keyword for keyword in keys if keyword not in asked]
        yield judged(
            not missing,
            f"{operation.request.label} at {level} level asks for "
            + (f"all but {listed(missing)}" if missing else "all return keys of the table"),
            (operation.request.seq,),
            expected=listed(keys, len(keys)),
            actual=f"missing: {listed(missing)}" if missing else "all",
            locator=listed(missing) or "identifier",
            why="What is not asked for is not returned, and the user cannot see it.",
        )


def study_return_keys(j: Journal) -> Iterator[Observation]:
    yield from _return_keys(j, "STUDY", table.STUDY_RETURN_KEYS)


def series_return_keys(j: Journal) -> Iterator[Observation]:
    yield from _return_keys(j, "SERIES", table.SERIES_RETURN_KEYS)


# -- retrieve --------------------------------------------------------------------------------------------------


def delivered_to_requester(j: Journal, operations: Iterable[Operation]) -> Iterator[Observation]:
    """Whether each C-MOVE names what it wants, and a destination that is the requester's own."""
    for operation in operations:
        destination = str(operation.request.fields.get("MoveDestination") or "").strip()
        known = {title.strip() for title in j.sut.ae_titles}
        association = j.associations.get(operation.request.association)
        if association is not None and association.request is not None:
            known.add(str(association.request.fields.get("calling_ae") or "").strip())
        problem = request_problem(j, operation)
        own = not j.sut.ae_titles or destination in known
        yield judged(
            bool(destination) and own and not problem,
            f"{operation.request.label} asks for delivery to {destination or '(none)'}"
            + (f": {problem}" if problem else ""),
            (operation.request.seq,),
            expected=sorted(known - {""}),
            actual=destination or "(empty)",
            locator=problem.split(" ")[0] or "MoveDestination",
            why="The images go where this title is configured.",
        )


def moved_to_own_storage(j: Journal) -> Iterator[Observation]:
    yield from delivered_to_requester(j, moves(j))


def declared_classes_accepted(j: Journal) -> Iterator[Observation]:
    declared = set(j.sut.statement.get("display_sop_classes") or ())
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        reply = association.first("A-ASSOCIATE-AC") or association.first("A-ASSOCIATE-RJ")
        accepted = {context.get("id") for context in association.accepted}
        for context in association.proposed:
            uid = str(context.get("abstract_syntax"))
            if uid not in declared or reply is None:
                continue
            ok = context.get("id") in accepted
            yield judged(
                ok,
                f"The declared class {uid} was {'accepted' if ok else 'not accepted'}",
                (association.request.seq, reply.seq),
                expected="accepted",
                actual="accepted" if ok else "not accepted",
                locator=f"presentation context {context.get('id')}",
                why="The conformance statement promises it.",
            )
    requested = any(True for _ in moves(j))
    for store in j.select("C-STORE-RQ", TO_SUT):
        if names.IMAGE_DISPLAY not in j.sut.actors or not requested or store.final is None:
            continue
        if not store.request.fields.get("MoveOriginatorMessageID"):
            continue
        status = store.status or 0
        yield judged(
            status == 0 or 0xB000 <= status <= 0xBFFF,
            f"An instance of {store.sop_class}, delivered on request, was answered {status:04X}",
            store.evidence,
            expected="0000 or a warning",
            actual=f"{status:04X}",
            locator="Status",
            why="The display asked for it.",
        )


def _told(j: Journal, seq: int) -> Mapping[str, object]:
    """What the product showed after the action that a request belongs to, as far as the driver can see it."""
    action = j.action_before(seq, "query-images", "retrieve-images")
    outcome = (action or {}).get("outcome") or {}
    answers = outcome.get("answers") or {}
    return answers if isinstance(answers, Mapping) else {}


def failures_shown(j: Journal) -> Iterator[Observation]:
    for operation in moves(j):
        told = _told(j, operation.request.seq)
        if operation.status in (0, None) or "error" not in told:
            continue
        yield judged(
            bool(told["error"]),
            f"{operation.request.label} was answered {operation.status:04X}; the product shows "
            + (f"{told['error']!r}" if told["error"] else "no error"),
            operation.evidence,
            expected="an error that the user sees",
            actual=str(told["error"]) or "none",
            locator="Status",
            why="A user who is told nothing believes that there are no more images.",
        )
    for operation in queries(j):
        told = _told(j, operation.request.seq)
        if operation.status != 0 or operation.pending or "entries" not in told:
            continue
        shown = told["entries"]
        count = len(shown) if isinstance(shown, list) else shown
        yield judged(
            count == 0 and not told.get("error"),
            f"{operation.request.label} had no match; the product shows {count} and "
            + (f"the error {told['error']!r}" if told.get("error") else "no error"),
            operation.evidence,
            expected="an empty list",
            actual=f"{count} entries, error {told.get('error') or 'none'}",
            locator="Status",
            why="No match is an answer, not a failure.",
        )


_Function = Callable[[Journal], Iterator[Observation]]
_ROWS: tuple[tuple[str, str, str, _Function, str], ...] = (
    ("query-hierarchical", "RAD-14-SCU-01", "RAD-14", hierarchical, "Queries are hierarchical"),
    ("query-by-name", "RAD-14-SCU-02", "RAD-14", by_name, "Query by Patient Name"),
    ("query-by-patient-id", "RAD-14-SCU-03", "RAD-14", by_patient_id, "Query by Patient ID"),
    ("query-by-accession", "RAD-14-SCU-04", "RAD-14", by_accession, "Query by Accession Number"),
    ("query-by-date", "RAD-14-SCU-05", "RAD-14", by_study_date, "Query by Study Date"),
    ("query-by-modalities", "RAD-14-SCU-06", "RAD-14", by_modalities, "Query by Modalities in Study"),
    ("query-study-keys", "RAD-14-SCU-07", "RAD-14", study_return_keys, "Study return keys are asked for"),
    ("query-series-keys", "RAD-14-SCU-08", "RAD-14", series_return_keys, "Series return keys are asked for"),
    ("move-own-storage", "RAD-16-SCU-01", "RAD-16", moved_to_own_storage, "Images are moved to the display"),
    ("display-failures-shown", "EX-27", "RAD-14 RAD-16", failures_shown, "The user is told what went wrong"),
    ("move-classes", "RAD-16-SCU-02", "RAD-16", declared_classes_accepted, "Declared classes are accepted"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
