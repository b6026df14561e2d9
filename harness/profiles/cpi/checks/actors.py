"""Does an actor of CPI do what its claim needs at all: store both, commit both, find, retrieve, print."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Direction
from harness.profiles import names
from harness.profiles.cpi.checks.print_jobs import film_associations
from harness.profiles.cpi.checks.retrieval import referenced_instances
from harness.profiles.cpi.mapping import presentation, printing
from harness.profiles.journal import (
    COMMITMENT,
    FROM_SUT,
    QUERY_FINDS,
    RETRIEVE_MOVES,
    TO_SUT,
    Journal,
    Operation,
    instance_of,
)
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks.rad08_scp import taken
from harness.profiles.values import references, text


def _both_stored_and_committed(j: Journal, actor: str) -> Iterator[Observation]:
    stored = [store for store in j.stores_of(actor) if taken(store)]
    states = [store for store in stored if store.sop_class == presentation.GRAYSCALE_STATE]
    images = [store for store in stored if "PixelData" in store.attributes]
    asked = {
        uid: operation.request.seq
        for operation in j.select("N-ACTION-RQ", FROM_SUT, COMMITMENT)
        for _, uid in references(operation.attributes, "ReferencedSOPSequence")
    }
    if not states or not images:
        return  # a scenario about something else
    for kind, group in (("image", images), ("presentation state", states)):
        first = group[0]
        committed = [store for store in group if instance_of(store) in asked]
        if not asked:
            continue
        yield judged(
            bool(committed),
            f"{len(group)} {kind}(s) stored, commitment asked for {len(committed)}",
            (first.request.seq, max(asked.values())),
            expected=f"storage and commitment of {kind}s",
            actual=f"{len(committed)} of {len(group)}",
            locator="ReferencedSOPSequence",
            why="What the profile shows consistently has to be kept as a whole.",
        )


def modality_stores_both(j: Journal) -> Iterator[Observation]:
    yield from _both_stored_and_committed(j, names.MODALITY)


def creator_stores_both(j: Journal) -> Iterator[Observation]:
    yield from _both_stored_and_committed(j, names.EVIDENCE_CREATOR)


def archive_takes_and_answers(j: Journal) -> Iterator[Observation]:
    states = [store for store in j.ours if store.sop_class == presentation.GRAYSCALE_STATE]
    groups: tuple[tuple[str, list[Operation]], ...] = (
        ("storage of presentation states", states),
        ("queries", list(j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS))),
        ("retrieves", list(j.select("C-MOVE-RQ", TO_SUT, RETRIEVE_MOVES))),
    )
    if not states:
        return
    for what, operations in groups:
        answered = [o for o in operations if o.status is not None]
        if not operations:
            continue
        good = [o for o in answered if o.status == 0 or (o.status or 0) & 0xF000 == 0xB000]
        yield judged(
            bool(good),
            f"{len(good)} of {len(operations)} {what} succeeded",
            operations[0].evidence,
            expected="success",
            actual=f"{len(good)} of {len(operations)}",
            locator="Status",
            why="The archive stands between those who make presentation states and those who show them.",
        )


def display_finds_and_retrieves(j: Journal) -> Iterator[Observation]:
    finds = list(j.select("C-FIND-RQ", FROM_SUT, QUERY_FINDS))
    moves = list(j.select("C-MOVE-RQ", FROM_SUT, RETRIEVE_MOVES))
    delivered = [o for o in j.ours if o.sop_class == presentation.GRAYSCALE_STATE]
    if finds and moves:
        ok = any(taken(store) for store in delivered)
        first = delivered[0] if delivered else moves[-1]
        yield judged(
            ok,
            f"The display asked {len(finds)} time(s), retrieved {len(moves)} time(s) and took "
            f"{sum(taken(store) for store in delivered)} presentation state(s)",
            (finds[0].request.seq, moves[0].request.seq, *first.evidence),
            expected="a query, a retrieve and a presentation state that was taken",
            actual=f"{len(delivered)} delivered",
            locator="C-STORE",
            why="A display that does not get the state cannot apply it.",
        )


def print_with_lut(j: Journal) -> Iterator[Observation]:
    for_films = {association.id for association, _ in film_associations(j)}
    for association in j.associations.values():
        if association.request is None or (association.from_sut and association.id not in for_films):
            continue
        proposed = {str(context.get("abstract_syntax")) for context in association.proposed}
        if printing.META not in proposed:
            continue
        answer = association.first("A-ASSOCIATE-AC")
        accepted = {context.get("id") for context in association.accepted}
        for uid, name in ((printing.META, "grayscale print"), (printing.PRESENTATION_LUT, "Presentation LUT")):
            ids = {context.get("id") for context in association.proposed if context.get("abstract_syntax") == uid}
            from_sut = association.request.direction is Direction.FROM_SUT
            ok = bool(ids) if from_sut else bool(ids & accepted)
            yield judged(
                ok,
                f"The context of {name} is {'there' if ok else 'missing'}",
                (association.request.seq, *([answer.seq] if answer else [])),
                expected=f"{uid} {'proposed' if from_sut else 'accepted'}",
                actual="there" if ok else "missing",
                locator="presentation contexts",
                why="Print in this profile is print with Presentation LUT.",
            )


def shared_with_study(j: Journal) -> Iterator[Observation]:
    """XC-32: presentation states, key objects and reports carry the patient and study of their study's images."""
    images: dict[str, Operation] = {}
    known: dict[str, Operation] = {}
    for store in (*j.stores, *j.ours):
        if text(store.attributes, "Modality") not in ("PR", "KO", "SR"):
            known.setdefault(instance_of(store), store)
            images.setdefault(text(store.attributes, "StudyInstanceUID"), store)
    for store in j.stores:
        kind = text(store.attributes, "Modality")
        image = images.get(text(store.attributes, "StudyInstanceUID"))
        if image is None and kind == "PR":  # it may refer to images of its own study only (PS3.3 C.11.11)
            image = next((known[uid] for uid in referenced_instances(store.attributes) if uid in known), None)
        if kind not in ("PR", "KO", "SR") or image is None:
            continue
        for keyword in presentation.SHARED:
            wanted, found = text(image.attributes, keyword), text(store.attributes, keyword)
            yield judged(
                wanted == found,
                f"{keyword} of the {kind} object {'equals' if wanted == found else 'differs from'} that of the images",
                (store.request.seq, image.request.seq),
                expected=wanted or "(empty)",
                actual=found or "(empty)",
                locator=keyword,
                why="All instances of a study share patient and study.",
            )


_ROWS = (
    ("cpi-modality", "CPI-ACT-01", "RAD-8 RAD-9 RAD-10", modality_stores_both, "the modality stores and commits both"),
    ("cpi-creator", "CPI-ACT-02", "RAD-18 RAD-19 RAD-10", creator_stores_both, "the creator stores and commits both"),
    ("cpi-archive", "CPI-ACT-03", "RAD-9 RAD-15 RAD-17", archive_takes_and_answers, "the archive takes and answers"),
    ("cpi-display", "CPI-ACT-04", "RAD-15 RAD-17", display_finds_and_retrieves, "the display finds and retrieves"),
    ("cpi-print", "CPI-ACT-05", "RAD-23", print_with_lut, "print actors use the Presentation LUT"),
    ("objects-share-study", "XC-32", "RAD-8 RAD-9 RAD-29", shared_with_study, "objects share patient and study"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, rads, function, title) for id, row, rads, function, title in _ROWS)
