"""RAD-5 Query Modality Worklist: matching, as the order filler does it (PS3.4 Table K.6-1, RAD TF-2 Table 4.5-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles.journal import Journal, Operation
from harness.profiles.matching import matching_keys, mismatches
from harness.profiles.observe import check, judged, same_set
from harness.profiles.steps import entry_of
from harness.profiles.swf.checks.rad05_scp import fact_of, queries
from harness.profiles.values import attributes_of, listed

Selector = Callable[[Mapping[str, str]], bool]


def matches(j: Journal, select: Selector, why: str) -> Iterator[Observation]:
    """Judge the answers of each query whose keys ``select`` takes: each satisfies its keys, none is missing.

    Completeness is judged where a QUERY fact says what must match.
    """
    for query in queries(j):
        keys = matching_keys(query.attributes)
        fact = fact_of(j, query)
        if not select(keys) or query.status != 0 or fact.get("purpose"):
            continue
        yield from judge_matches(query, keys, fact, why)


def judge_matches(
    query: Operation, keys: Mapping[str, str], fact: Mapping[str, Any], why: str
) -> Iterator[Observation]:
    """Soundness and, where the fact knows it, completeness of one query's answers."""
    asked = ", ".join(f"{key}={value}" for key, value in keys.items()) or "no key at all"
    evidence = (*query.evidence, *(message.seq for message in query.pending[:20]))
    wrong = {message.seq: mismatches(keys, attributes_of(message)) for message in query.pending}
    bad = {seq: keywords for seq, keywords in wrong.items() if keywords}
    yield judged(
        not bad,
        f"{len(query.pending)} match(es) for {asked}"
        + (
            f"; {len(bad)} of them do not satisfy {listed(sorted({k for w in bad.values() for k in w}))}" if bad else ""
        ),
        evidence,
        expected=asked,
        actual=f"{len(bad)} wrong of {len(query.pending)}",
        locator=listed(keys) or "identifier",
        why=why,
    )
    if "expected" not in fact or not fact.get("by"):
        return
    by = str(fact["by"])
    found = [entry_of(attributes_of(message), message.seq).text(by) for message in query.pending]
    universe = set(fact["universe"]) if fact.get("universe") else None
    yield same_set(
        fact["expected"],
        [value for value in found if universe is None or value in universe],
        what=f"Matches for {asked}, by {by}",
        evidence=evidence,
        locator=listed(keys) or "identifier",
        why=why,
    )


def _by(keyword: str, *beside: str) -> Selector:
    def select(keys: Mapping[str, str]) -> bool:
        return keyword in keys and set(keys) <= {keyword, *beside}

    return select


_DATE = "ScheduledProcedureStepStartDate"
_TIME = "ScheduledProcedureStepStartTime"
_WHY = "An operator acts on this list: a wrong entry or a missing one leads to the wrong exam."


def by_station(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("ScheduledStationAETitle", _DATE), _WHY)


def by_date(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by(_DATE), _WHY)


def by_time(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by(_TIME, _DATE), _WHY)


def by_modality(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("Modality", _DATE), _WHY)


def by_physician(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("ScheduledPerformingPhysicianName", _DATE), _WHY)


def by_name(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("PatientName"), _WHY)


def by_patient_id(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("PatientID"), _WHY)


def by_accession(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("AccessionNumber"), _WHY)


def by_procedure_id(j: Journal) -> Iterator[Observation]:
    yield from matches(j, _by("RequestedProcedureID"), _WHY)


def keys_combine(j: Journal) -> Iterator[Observation]:
    yield from matches(j, lambda keys: len(keys) > 1, "Keys narrow each other down.")


def empty_keys_match_all(j: Journal) -> Iterator[Observation]:
    yield from matches(j, lambda keys: not keys, "A key without a value restricts nothing.")


_TITLES: tuple[tuple[str, str, Callable[[Journal], Iterator[Observation]], str], ...] = (
    ("mwl-scp-by-station", "RAD-5-SCP-02", by_station, "Matching on Scheduled Station AE Title"),
    ("mwl-scp-by-date", "RAD-5-SCP-03", by_date, "Matching on the start date"),
    ("mwl-scp-by-time", "RAD-5-SCP-04", by_time, "Matching on the start time"),
    ("mwl-scp-by-modality", "RAD-5-SCP-05", by_modality, "Matching on Modality"),
    ("mwl-scp-by-physician", "RAD-5-SCP-06", by_physician, "Matching on the performing physician"),
    ("mwl-scp-by-name", "RAD-5-SCP-07", by_name, "Matching on Patient Name"),
    ("mwl-scp-by-patient-id", "RAD-5-SCP-08", by_patient_id, "Matching on Patient ID"),
    ("mwl-scp-by-accession", "RAD-5-SCP-09", by_accession, "Matching on Accession Number"),
    ("mwl-scp-by-procedure-id", "RAD-5-SCP-10", by_procedure_id, "Matching on Requested Procedure ID"),
    ("mwl-scp-keys-combine", "RAD-5-SCP-11", keys_combine, "Several keys narrow each other down"),
    ("mwl-scp-universal", "RAD-5-SCP-12", empty_keys_match_all, "Keys without a value match everything"),
)

CHECKS: tuple[Check, ...] = tuple(
    check(id, requirement, "RAD-5", function, title) for id, requirement, function, title in _TITLES
)
