"""What we asked an archive (C-FIND), what it answered, and what the harness knows it to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.message import Message
from harness.profiles import facts
from harness.profiles.journal import QUERY_FINDS, TO_SUT, Journal, Operation, instance_of
from harness.profiles.matching import asked_keys
from harness.profiles.swf.checks.rad08_scp import taken
from harness.profiles.swf.checks.rad14_scu import level_of
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import Attributes, attributes_of, text

#: purposes of queries whose answers are not what was stored, on purpose
_CHANGED = ("after-update", "after-merge")


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


def returned(j: Journal, level: str, keyword: str = "") -> Iterator[tuple[Operation, Message, list[Attributes]]]:
    """Responses at a level (that ask for a keyword), each with the known instances that it stands for."""
    unique = table.UNIQUE_KEYS[level]
    for query in queries(j):
        if level_of(query) != level or (keyword and keyword not in asked_keys(query.attributes)):
            continue
        if fact_of(j, query).get("purpose") in _CHANGED:
            continue
        known = known_instances(j, query.request.seq)
        for message in query.pending:
            uid = text(attributes_of(message), unique)
            if uid and (group := [i for i in known if text(i, unique) == uid]):
                yield query, message, group


def missed(j: Journal, level: str, modality: str) -> Iterator[tuple[Operation, list[str]]]:
    """Queries at a level that ended well, with the known entities holding such objects that did not come back.

    Only queries that ask for those very entities count: by unique keys, Patient ID and Modality, nothing else.
    """
    unique = table.UNIQUE_KEYS[level]
    for query in queries(j):
        if level_of(query) != level or query.status != 0 or fact_of(j, query).get("purpose"):
            continue
        narrowing = {k: v for k, v in query.attributes.items() if isinstance(v, str) and v and k in _NARROWING}
        if not narrowing or _other_keys(query.attributes):
            continue
        wanted = {
            text(instance, unique)
            for instance in known_instances(j, query.request.seq)
            if text(instance, "Modality") == modality
            and all(text(instance, keyword) == value for keyword, value in narrowing.items())
        }
        found = {text(attributes_of(message), unique) for message in query.pending}
        yield query, sorted(wanted - found)


_NARROWING = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality")
_CONTROL = ("QueryRetrieveLevel", "SpecificCharacterSet")


def _other_keys(identifier: Attributes) -> bool:
    return any(value and keyword not in (*_NARROWING, *_CONTROL) for keyword, value in identifier.items())
