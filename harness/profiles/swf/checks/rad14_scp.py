"""RAD-14 Query Images and RAD-11 Images Availability Query, as the archive answers them (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import facts
from harness.profiles.journal import QUERY_FINDS, TO_SUT, Journal, Operation, instance_of, status_of
from harness.profiles.matching import asked_keys, find, matching_keys, mismatches
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad08_scp import taken
from harness.profiles.swf.checks.rad14_scu import level_of, missing_unique_keys
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import Attributes, attributes_of, equal, items, listed, shown, text, valued


def queries(j: Journal) -> Iterator[Operation]:
    """Image queries that we sent."""
    return j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS)


def fact_of(j: Journal, query: Operation) -> Mapping[str, Any]:
    """The QUERY fact of a query, ``{}`` if none was noted."""
    return next((data for _, data in j.facts(facts.QUERY) if data.get("message") == query.request.seq), {})


def known_instances(j: Journal, before: int) -> list[Attributes]:
    """Everything the harness knows to be in the archive before ``before``: what it stored, and KNOWN-OBJECTS facts."""
    known: dict[str, Attributes] = {}
    for seq, data in j.facts(facts.KNOWN_OBJECTS):
        if seq < before:
            for instance in data.get("instances") or ():
                known[str(instance.get("SOPInstanceUID", ""))] = instance
    for store in j.ours:
        if taken(store) and store.request.seq < before:
            known[instance_of(store)] = store.attributes
    return list(known.values())


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


def _matching(j: Journal, level: str, keywords: frozenset[str], why: str) -> Iterator[Observation]:
    for query in queries(j):
        fact = fact_of(j, query)
        keys = matching_keys(query.attributes)
        asked = set(keys) - {table.UNIQUE_KEYS[above] for above in table.LEVELS[: table.LEVELS.index(level)]}
        if level == "STUDY":  # the Patient ID is a key of study queries, and the unique key above only in Patient Root
            asked = set(keys)
        if level_of(query) != level or not asked & keywords or query.status != 0:
            continue
        if fact.get("purpose") or missing_unique_keys(query):
            continue
        yield from _judge(j, query, keys, fact, why)


def _judge(
    j: Journal, query: Operation, keys: Mapping[str, str], fact: Mapping[str, Any], why: str
) -> Iterator[Observation]:
    asked = ", ".join(f"{key}={value}" for key, value in keys.items()) or "no key at all"
    evidence = (*query.evidence, *(message.seq for message in query.pending[:20]))
    bad = [k for message in query.pending for k in mismatches(keys, attributes_of(message))]
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


def study_matching(j: Journal) -> Iterator[Observation]:
    yield from _matching(j, "STUDY", frozenset(table.STUDY_KEYS), _LIST)


def series_matching(j: Journal) -> Iterator[Observation]:
    yield from _matching(j, "SERIES", frozenset(table.SERIES_KEYS), _LIST)


def image_matching(j: Journal) -> Iterator[Observation]:
    yield from _matching(j, "IMAGE", frozenset(table.IMAGE_KEYS), _LIST)


# -- returned values -------------------------------------------------------------------------------------------


def _returned(j: Journal, level: str, keyword: str) -> Iterator[tuple[Operation, Message, list[Attributes]]]:
    """Responses to queries of a level that asked for a keyword, with the known instances that each stands for."""
    unique = table.UNIQUE_KEYS[level]
    for query in queries(j):
        if level_of(query) != level or keyword not in asked_keys(query.attributes):
            continue
        if fact_of(j, query).get("purpose") in ("after-update", "after-merge"):
            continue
        known = known_instances(j, query.request.seq)
        for message in query.pending:
            uid = text(attributes_of(message), unique)
            if uid and (group := [i for i in known if text(i, unique) == uid]):
                yield query, message, group


def _value(j: Journal, level: str, keyword: str, why: str) -> Iterator[Observation]:
    for query, message, group in _returned(j, level, keyword):
        values = [instance[keyword] for instance in group if instance.get(keyword) not in (None, "")]
        if not values:
            continue
        found = attributes_of(message).get(keyword)
        ok = any(equal(keyword, value, found) for value in values)
        yield judged(
            ok,
            f"{keyword} is returned as {shown(found)}" + ("" if ok else f", stored was {shown(values[0])}"),
            (query.request.seq, message.seq),
            expected=sorted({shown(value) for value in values}),
            actual=shown(found),
            locator=keyword,
            why=why,
        )


def _count(j: Journal, level: str, keyword: str, counted: str) -> Iterator[Observation]:
    for query, message, group in _returned(j, level, keyword):
        wanted = len({text(instance, counted) for instance in group})
        found = text(attributes_of(message), keyword)
        yield judged(
            found.isdigit() and int(found) == wanted,
            f"{keyword} is returned as {found or '(none)'}, {wanted} were stored",
            (query.request.seq, message.seq),
            expected=str(wanted),
            actual=found or "(absent)",
            locator=keyword,
            why="A display tells by the count whether it has everything.",
        )


def modalities_in_study(j: Journal) -> Iterator[Observation]:
    yield from _matching(j, "STUDY", frozenset({"ModalitiesInStudy"}), "A user narrows the list down to a modality.")
    for query, message, group in _returned(j, "STUDY", "ModalitiesInStudy"):
        wanted = {text(instance, "Modality") for instance in group} - {""}
        found = {part.strip() for part in text(attributes_of(message), "ModalitiesInStudy").split("\\")} - {""}
        if wanted:
            yield same_set(
                wanted,
                found,
                what="Modalities in Study",
                evidence=(query.request.seq, message.seq),
                locator="ModalitiesInStudy",
                why="A study that has two modalities is found by either.",
            )


def birth_date_and_sex(j: Journal) -> Iterator[Observation]:
    for keyword in ("PatientBirthDate", "PatientSex"):
        yield from _value(j, "STUDY", keyword, "A user tells patients of one name apart by these.")


def study_counts(j: Journal) -> Iterator[Observation]:
    yield from _count(j, "STUDY", "NumberOfStudyRelatedSeries", "SeriesInstanceUID")
    yield from _count(j, "STUDY", "NumberOfStudyRelatedInstances", "SOPInstanceUID")


def referring_physician(j: Journal) -> Iterator[Observation]:
    yield from _matching(j, "STUDY", frozenset({"ReferringPhysicianName"}), "A user looks for the own patients.")
    yield from _value(j, "STUDY", "ReferringPhysicianName", "A user looks for the own patients.")


def series_counts(j: Journal) -> Iterator[Observation]:
    yield from _count(j, "SERIES", "NumberOfSeriesRelatedInstances", "SOPInstanceUID")


def series_request_attributes(j: Journal) -> Iterator[Observation]:
    for keyword in ("RequestedProcedureID", "ScheduledProcedureStepID"):
        for query, message, group in _returned(j, "SERIES", keyword):
            wanted = {
                text(item, keyword) for instance in group for item in items(instance, "RequestAttributesSequence")
            } - {""}
            found = find(attributes_of(message), keyword)
            if wanted:
                yield judged(
                    found in wanted,
                    f"{keyword} of the series is returned as {found or '(none)'}",
                    (query.request.seq, message.seq),
                    expected=sorted(wanted),
                    actual=found or "(absent)",
                    locator=f"RequestAttributesSequence.{keyword}",
                )
    for keyword in ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"):
        yield from _value(j, "SERIES", keyword, "")


def image_values(j: Journal) -> Iterator[Observation]:
    for keyword in table.IMAGE_RETURN_KEYS:
        yield from _value(j, "IMAGE", keyword, "A display decides by it whether and how it can show the image.")


def retrieve_title_and_level_returned(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        level = level_of(query)
        for message in query.pending:
            attributes = attributes_of(message)
            where = valued(attributes, "RetrieveAETitle") or (
                valued(attributes, "StorageMediaFileSetID") and valued(attributes, "StorageMediaFileSetUID")
            )
            echoed = text(attributes, "QueryRetrieveLevel")
            yield judged(
                bool(where) and echoed == level,
                f"{message.label} names {text(attributes, 'RetrieveAETitle') or 'no retrieve AE title'}"
                f" and level {echoed or '(none)'}",
                (query.request.seq, message.seq),
                expected=f"a Retrieve AE Title (or a file-set ID and UID) and the level {level}",
                actual=f"{text(attributes, 'RetrieveAETitle') or '(absent)'}, {echoed or '(absent)'}",
                locator="RetrieveAETitle, QueryRetrieveLevel",
                why="A display that does not know whom to ask cannot retrieve.",
            )


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


def availability_answered(j: Journal) -> Iterator[Observation]:
    for query in queries(j):
        if level_of(query) != "IMAGE" or query.status != 0 or missing_unique_keys(query):
            continue
        known = {text(i, "SOPInstanceUID") for i in known_instances(j, query.request.seq)}
        wanted = [uid for uid in text(query.attributes, "SOPInstanceUID").split("\\") if uid]
        found = {text(attributes_of(m), "SOPInstanceUID"): m for m in query.pending}
        for uid in wanted:
            ok = (uid in found) == (uid in known)
            yield judged(
                ok,
                f"Instance {uid}, which was {'stored' if uid in known else 'never stored'}, is "
                + ("found" if uid in found else "not found"),
                (*query.evidence, *([found[uid].seq] if uid in found else [])),
                expected="found" if uid in known else "success without a match",
                actual="found" if uid in found else "not found",
                locator="SOPInstanceUID",
                why="The order filler waits for the images that are still missing.",
            )
        for uid, message in found.items():
            where = attributes_of(message)
            yield judged(
                valued(where, "RetrieveAETitle") or valued(where, "StorageMediaFileSetUID"),
                f"Instance {uid} can be had from {text(where, 'RetrieveAETitle') or 'nowhere'}",
                (query.request.seq, message.seq),
                expected="a Retrieve AE Title, or the file-set ID and UID",
                actual=text(where, "RetrieveAETitle") or "(absent)",
                locator="RetrieveAETitle",
            )


def _purpose(j: Journal, purposes: tuple[str, ...], why: str) -> Iterator[Observation]:
    for query in queries(j):
        fact = fact_of(j, query)
        if fact.get("purpose") not in purposes or query.status != 0 or "expected" not in fact:
            continue
        by = str(fact.get("by") or "StudyInstanceUID")
        found = [text(attributes_of(message), by) for message in query.pending]
        universe = set(fact["universe"]) if fact.get("universe") else None
        yield same_set(
            fact["expected"],
            [value for value in found if universe is None or value in universe],
            what=f"Matches for {', '.join(f'{k}={v}' for k, v in matching_keys(query.attributes).items())}",
            evidence=(*query.evidence, *(message.seq for message in query.pending)),
            locator=by,
            why=why,
        )


def wrong_entry_hidden(j: Journal) -> Iterator[Observation]:
    yield from _purpose(j, ("after-wrong-entry",), "Images under the wrong name must not be seen by anybody.")


_Function = Callable[[Journal], Iterator[Observation]]
_ROWS: tuple[tuple[str, str, str, _Function, str], ...] = (
    ("query-scp-models", "RAD-14-SCP-01", "RAD-14", both_models_answered, "Both query models are accepted"),
    ("query-scp-study", "RAD-14-SCP-02", "RAD-14", study_matching, "Matching on study keys"),
    ("query-scp-modalities", "RAD-14-SCP-03", "RAD-14", modalities_in_study, "Modalities in Study"),
    ("query-scp-patient", "RAD-14-SCP-04", "RAD-14", birth_date_and_sex, "Birth date and sex are returned"),
    ("query-scp-study-counts", "RAD-14-SCP-05", "RAD-14", study_counts, "Counts of a study are right"),
    ("query-scp-physician", "RAD-14-SCP-06", "RAD-14", referring_physician, "Referring physician"),
    ("query-scp-series", "RAD-14-SCP-07", "RAD-14", series_matching, "Matching on series keys"),
    ("query-scp-series-counts", "RAD-14-SCP-08", "RAD-14", series_counts, "Counts of a series are right"),
    ("query-scp-series-request", "RAD-14-SCP-09", "RAD-14", series_request_attributes, "Request data of a series"),
    ("query-scp-image", "RAD-14-SCP-10", "RAD-14", image_matching, "Matching on image keys"),
    ("query-scp-image-values", "RAD-14-SCP-11", "RAD-14", image_values, "Values of an image are returned"),
    ("query-scp-retrieve", "RAD-14-SCP-12", "RAD-14", retrieve_title_and_level_returned, "Where to retrieve from"),
    ("query-scp-hierarchy", "RAD-14-SCP-13", "RAD-14", hierarchy_demanded, "The hierarchy is demanded"),
    ("query-scp-name-case", "RAD-14-SCP-14", "RAD-14", name_case_as_stated, "Case of names as the statement says"),
    ("query-scp-unsupported", "RAD-14-SCP-15", "RAD-14", unsupported_keys_marked, "Ignored keys are marked"),
    ("availability-answered", "RAD-11-SCP-01", "RAD-11", availability_answered, "Availability is answered"),
    ("wrong-entry-hidden", "RAD-7-SCP-06", "RAD-7 RAD-14", wrong_entry_hidden, "Wrongly taken images are hidden"),
    ("wrong-entry-stored", "EX-07", "RAD-7 RAD-14", wrong_entry_hidden, "Stored wrong images are hidden"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
