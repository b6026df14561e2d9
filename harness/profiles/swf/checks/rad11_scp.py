"""RAD-11 Images Availability Query, and images that nobody may find any more, as the archive answers."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.journal import Journal
from harness.profiles.matching import matching_keys
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad14_asked import fact_of, known_instances, queries
from harness.profiles.swf.checks.rad14_scu import level_of, missing_unique_keys
from harness.profiles.values import attributes_of, text, valued


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


_ROWS = (
    ("availability-answered", "RAD-11-SCP-01", "RAD-11", availability_answered, "Availability is answered"),
    ("wrong-entry-hidden", "RAD-7-SCP-06", "RAD-7 RAD-14", wrong_entry_hidden, "Wrongly taken images are hidden"),
    ("wrong-entry-stored", "EX-07", "RAD-7 RAD-14", wrong_entry_hidden, "Stored wrong images are hidden"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
