"""Queries and retrieves of one kind of object (presentation states, key objects, reports), judged alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from harness.core.check import Observation
from harness.profiles import facts
from harness.profiles.journal import FROM_SUT, QUERY_FINDS, Journal, instance_of
from harness.profiles.matching import asked_keys
from harness.profiles.observe import judged
from harness.profiles.swf.checks import rad14_asked, rad14_scu
from harness.profiles.swf.checks.rad08_scp import changed, returned_pairs
from harness.profiles.swf.mapping import query as table
from harness.profiles.values import Attributes, attributes_of, codes, equal, items, listed, references, shown, text

Selects = Callable[[Attributes], bool]


def of_modality(modality: str) -> Selects:
    """Objects of a series modality."""
    return lambda attributes: text(attributes, "Modality") == modality


def not_found(j: Journal, level: str, modality: str, why: str) -> Iterator[Observation]:
    """Queries for the series or study of such an object that did not bring it."""
    for query, missing in rad14_asked.missed(j, level, modality):
        if missing:
            yield judged(
                False,
                f"{len(missing)} of the {modality} objects that were stored did not come back at {level} level",
                query.evidence,
                expected=listed(missing),
                actual=f"{len(query.pending)} match(es)",
                locator=table.UNIQUE_KEYS[level],
                why=why,
            )


def values_returned(j: Journal, modality: str, keywords: Iterable[str], why: str) -> Iterator[Observation]:
    """Every asked keyword of an object of that modality comes back as it was stored (IMAGE level)."""
    keywords, is_meant = tuple(keywords), of_modality(modality)
    yield from not_found(j, "IMAGE", modality, why)
    for query in rad14_asked.queries(j):
        if rad14_scu.level_of(query) != "IMAGE":
            continue
        known = {
            text(instance, "SOPInstanceUID"): instance
            for instance in rad14_asked.known_instances(j, query.request.seq)
            if is_meant(instance)
        }
        asked = asked_keys(query.attributes)
        for message in query.pending:
            answer = attributes_of(message)
            stored = known.get(text(answer, "SOPInstanceUID"))
            if stored is None:
                continue
            for keyword in keywords:
                if keyword not in asked or stored.get(keyword) in (None, "", []):
                    continue
                yield _returned(keyword, stored, answer, (query.request.seq, message.seq), why)


def _returned(keyword: str, stored: Attributes, answer: Attributes, evidence: tuple[int, int], why: str) -> Observation:
    if keyword.endswith("CodeSequence"):
        wanted, found = [c[:2] for c in codes(stored, keyword)], [c[:2] for c in codes(answer, keyword)]
        ok = wanted == found
    elif keyword == "ReferencedSeriesSequence":
        ok = referenced_instances(answer) == referenced_instances(stored)
    else:
        ok = keyword in answer and equal(keyword, stored[keyword], answer[keyword])
    return judged(
        ok,
        f"{keyword} is returned as {shown(answer.get(keyword))}" + ("" if ok else ", not as it was stored"),
        evidence,
        expected=shown(stored.get(keyword)),
        actual=shown(answer.get(keyword)),
        locator=keyword,
        why=why,
    )


def referenced_instances(attributes: Attributes) -> set[str]:
    """SOP Instance UIDs in the Referenced Series Sequence."""
    return {
        uid
        for series in items(attributes, "ReferencedSeriesSequence")
        for keyword in ("ReferencedImageSequence", "ReferencedSOPSequence")
        for _, uid in references(series, keyword)
    }


def modality_in_study(j: Journal, modality: str, why: str) -> Iterator[Observation]:
    """Modalities in Study names the modality for every study that holds such an object."""
    yield from not_found(j, "STUDY", modality, why)
    for query in rad14_asked.queries(j):
        if rad14_scu.level_of(query) != "STUDY" or "ModalitiesInStudy" not in asked_keys(query.attributes):
            continue
        holding = {
            text(instance, "StudyInstanceUID")
            for instance in rad14_asked.known_instances(j, query.request.seq)
            if text(instance, "Modality") == modality
        }
        for message in query.pending:
            answer = attributes_of(message)
            if text(answer, "StudyInstanceUID") not in holding:
                continue
            found = [part.strip() for part in text(answer, "ModalitiesInStudy").split("\\")]
            yield judged(
                modality in found,
                f"Modalities in Study of a study with {modality} is {listed(found) or '(none)'}",
                (query.request.seq, message.seq),
                expected=modality,
                actual=listed(found) or "(absent)",
                locator="ModalitiesInStudy",
                why=why,
            )


def delivered_unchanged(j: Journal, is_meant: Selects, why: str) -> Iterator[Observation]:
    """What was stored comes back with the same values."""
    for store, delivery in returned_pairs(j):
        if not is_meant(store.attributes):
            continue
        found = changed(store, delivery, j)
        yield judged(
            not found,
            f"Instance {instance_of(store)} was delivered "
            + (f"with other values in {listed(found)}" if found else "as it was stored"),
            (store.request.seq, delivery.request.seq),
            expected="as it was stored",
            actual=listed(found) or "as it was stored",
            locator=listed(found) or "data set",
            why=why,
        )


def finds_modality(j: Journal, modality: str, keywords: Iterable[str], why: str) -> Iterator[Observation]:
    """A reader under test looks for series of a modality, and asks for these keywords of their instances."""
    wanted = tuple(keywords)
    series = {
        text(instance, "SeriesInstanceUID")
        for _, data in j.facts(facts.KNOWN_OBJECTS)
        for instance in data.get("instances") or ()
        if text(instance, "Modality") == modality
    }
    for query in j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS):
        level, keys = rad14_scu.level_of(query), query.attributes
        if level == "SERIES" and text(keys, "Modality") == modality:
            yield judged(
                True,
                f"{query.request.label} looks for series of modality {modality}",
                (query.request.seq,),
                actual=modality,
                locator="Modality",
            )
        elif level == "IMAGE":
            found = asked_keys(keys) & set(wanted)
            if not found and text(keys, "SeriesInstanceUID") not in series:
                continue  # instances of another kind
            missing = [keyword for keyword in wanted if keyword not in found]
            yield judged(
                not missing,
                f"{query.request.label} asks for "
                + (f"all but {listed(missing)}" if missing else "all keys of these objects"),
                (query.request.seq,),
                expected=listed(wanted, len(wanted)),
                actual=f"missing: {listed(missing)}" if missing else "all",
                locator=listed(missing) or "identifier",
                why=why,
            )


def evidence_instances(attributes: Attributes) -> set[str]:
    """SOP Instance UIDs that a report or key object lists as evidence, current and other."""
    return {
        uid
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in items(attributes, keyword)
        for series in items(study, "ReferencedSeriesSequence")
        for _, uid in references(series, "ReferencedSOPSequence")
    }
