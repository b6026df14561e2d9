"""RAD-9, RAD-15 and RAD-17: presentation states stored in, found in and retrieved from the archive."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.cpi.checks import retrieval
from harness.profiles.cpi.mapping import presentation as table
from harness.profiles.journal import Journal, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks.rad08_scp import taken
from harness.profiles.values import text

_IS_STATE = retrieval.of_modality("PR")
_WHY = "A display that cannot find or trust the state shows the image as it likes."


def accepted_and_kept(j: Journal) -> Iterator[Observation]:
    for store in j.ours:
        if store.sop_class != table.GRAYSCALE_STATE or store.final is None:
            continue
        yield judged(
            taken(store),
            f"Presentation state {instance_of(store)} was answered with {store.status or 0:04X}",
            store.evidence,
            expected="0000 or a warning",
            actual=f"{store.status or 0:04X}",
            locator="Status",
            why=_WHY,
        )
    yield from retrieval.delivered_unchanged(j, _IS_STATE, _WHY)


def labels_returned(j: Journal) -> Iterator[Observation]:
    yield from retrieval.values_returned(j, "PR", table.QUERY_RETURN, "A user picks the state by these.")


def references_returned(j: Journal) -> Iterator[Observation]:
    yield from retrieval.values_returned(
        j, "PR", ("ReferencedSeriesSequence",), "A display has to know which images the state is for."
    )


def modality_listed(j: Journal) -> Iterator[Observation]:
    yield from retrieval.modality_in_study(j, "PR", "A display looks for states only where PR is listed.")


def delivered_as_stored(j: Journal) -> Iterator[Observation]:
    yield from retrieval.delivered_unchanged(j, _IS_STATE, _WHY)


def display_finds_states(j: Journal) -> Iterator[Observation]:
    yield from retrieval.finds_modality(
        j, "PR", ("ContentLabel", "PresentationCreationDate", "PresentationCreationTime"), "A user picks by these."
    )


def references_exist(j: Journal) -> Iterator[Observation]:
    """Whatever a delivered or stored state, key object or report refers to is among the instances of the exchange."""
    from_sut = {instance_of(store) for store in j.stores}
    everything = from_sut | {instance_of(o) for o in (*j.ours, *j.deliveries)}
    for store in (*j.stores, *j.deliveries):
        kind = text(store.attributes, "Modality")
        if kind not in ("PR", "KO", "SR"):
            continue
        named = retrieval.referenced_instances(store.attributes) | retrieval.evidence_instances(store.attributes)
        if not named:
            continue
        missing = sorted(named - everything)
        yield judged(
            not missing,
            f"{kind} object {instance_of(store)} refers to {len(named)} instance(s), {len(missing)} of them unknown",
            (store.request.seq,),
            expected="instances that exist",
            actual=", ".join(missing[:4]) or "all exist",
            locator="ReferencedSeriesSequence",
            why="A reference to nothing makes the object useless.",
        )


_ROWS = (
    ("archive-state-kept", "RAD-9-SCP-01", "RAD-9 RAD-19 RAD-17", accepted_and_kept, "a state is accepted and kept"),
    ("archive-state-labels", "RAD-15-SCP-01", "RAD-15", labels_returned, "label, dates and creator are returned"),
    ("archive-state-references", "RAD-15-SCP-02", "RAD-15", references_returned, "references are returned"),
    (
        "archive-state-modality",
        "RAD-15-SCP-03",
        "RAD-15 RAD-14",
        modality_listed,
        "Modalities in Study names PR for states",
    ),
    ("archive-state-delivered", "RAD-17-SCP-01", "RAD-17", delivered_as_stored, "a state is delivered as stored"),
    ("display-finds-states", "RAD-15-SCU-01", "RAD-15", display_finds_states, "the display looks for states"),
    ("references-exist", "XC-33", "RAD-8 RAD-9 RAD-17 RAD-31", references_exist, "what is referred to exists"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, row, rads, function, title) for id, row, rads, function, title in _ROWS)
