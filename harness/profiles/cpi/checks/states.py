"""RAD-9 and RAD-19: what a presentation state is, what it belongs to and refers to, how it is kept (PS3.3 A.33)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.cpi.mapping import presentation as table
from harness.profiles.journal import COMMITMENT, FROM_SUT, MPPS, Journal, Operation, instance_of
from harness.profiles.observe import all_present, all_valued, check, judged, same
from harness.profiles.values import Attributes, items, listed, references, shown, text

_REFERENCES = "ReferencedSeriesSequence"
_IDENTIFIED = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")
_WHY = "A display applies exactly what the state says, to exactly the images that it names."


def states(j: Journal) -> Iterator[Operation]:
    """Grayscale presentation states that the system under test stored; those of colour or of blending are not asked."""
    for store in j.stores:
        other = store.sop_class.startswith(table.EVERY_STATE)
        if store.sop_class == table.GRAYSCALE_STATE or (text(store.attributes, "Modality") == "PR" and not other):
            yield store


def known_images(j: Journal) -> dict[str, tuple[int, Attributes]]:
    """Everything but presentation states that passed either way or was there before: where, and what, by instance."""
    found: dict[str, tuple[int, Attributes]] = {}
    for store in (*j.ours, *j.stores, *j.deliveries):
        if not store.sop_class.startswith(table.EVERY_STATE):
            found.setdefault(instance_of(store), (store.request.seq, store.attributes))
    for seq, data in j.facts(facts.KNOWN_OBJECTS):
        for instance in data.get("instances") or ():
            if all(text(instance, keyword) for keyword in _IDENTIFIED) and text(instance, "Modality") != "PR":
                found.setdefault(text(instance, "SOPInstanceUID"), (seq, instance))
    return found


def referenced(state: Attributes) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    """Series, SOP class, instance and frames of each image that a state refers to."""
    for series in items(state, _REFERENCES):
        for item in items(series, "ReferencedImageSequence"):
            yield (
                text(series, "SeriesInstanceUID"),
                text(item, "ReferencedSOPClassUID"),
                text(item, "ReferencedSOPInstanceUID"),
                frames_of(item),
            )


def frames_of(item: Attributes) -> tuple[int, ...]:
    """Referenced Frame Number as numbers, empty if all frames are meant."""
    parts = text(item, "ReferencedFrameNumber").split("\\")
    return tuple(int(part) for part in parts if part.strip().isdigit())


def frame_count(image: Attributes) -> int:
    """How many frames an image has; 1 where it does not say."""
    said = text(image, "NumberOfFrames")
    return int(said) if said.isdigit() else 1


def class_and_modality(j: Journal) -> Iterator[Observation]:
    for store in states(j):
        ds = store.attributes
        ok = store.sop_class == table.GRAYSCALE_STATE and text(ds, "Modality") == "PR"
        yield judged(
            ok,
            f"{store.request.label} has class {store.sop_class} and modality {text(ds, 'Modality') or '(none)'}",
            (store.request.seq,),
            expected=f"{table.GRAYSCALE_STATE}, PR",
            actual=f"{store.sop_class}, {text(ds, 'Modality')}",
            locator="SOPClassUID, Modality",
            why="Displays and archives find presentation states by class and modality.",
        )


def study_and_series(j: Journal) -> Iterator[Observation]:
    images = known_images(j)
    for store in states(j):
        ds, series = store.attributes, text(store.attributes, "SeriesInstanceUID")
        found = [(uid, *images[uid]) for _, _, uid, _ in referenced(ds) if uid in images]
        for uid, seq, image in found:
            ok = text(image, "StudyInstanceUID") == text(ds, "StudyInstanceUID")
            yield judged(
                ok,
                f"{store.request.label} lies in {'the study of' if ok else 'another study than'} image {uid}",
                (store.request.seq, seq),
                expected=text(image, "StudyInstanceUID"),
                actual=text(ds, "StudyInstanceUID"),
                locator="StudyInstanceUID",
                why="A display that opens the study looks for its presentation states there.",
            )
        if found:
            of_images = {text(image, "SeriesInstanceUID") for _, _, image in found}
            yield judged(
                series not in of_images and bool(series),
                f"{store.request.label} lies in series {series or '(none)'}; its images lie in {listed(of_images)}",
                (store.request.seq, *(seq for _, seq, _ in found)),
                expected="a series of its own",
                actual=series,
                locator="SeriesInstanceUID",
                why="A series holds one modality, and PR is one of its own.",
            )


def references_resolve(j: Journal) -> Iterator[Observation]:
    images = known_images(j)
    for store in states(j):
        named = list(referenced(store.attributes))
        if not named:
            yield judged(
                False,
                f"{store.request.label} refers to no image",
                (store.request.seq,),
                expected="at least one referenced image",
                actual=shown(store.attributes.get(_REFERENCES)),
                locator=_REFERENCES,
                why=_WHY,
            )
        studies = {text(image, "StudyInstanceUID") for _, image in images.values()}
        for series, sop_class, uid, frames in named:
            if uid not in images and uid and text(store.attributes, "StudyInstanceUID") not in studies:
                yield judged(
                    None,
                    f"{store.request.label} refers to image {uid}; nothing of its study passed here",
                    (store.request.seq,),
                )
                continue
            yield _reference(store, images.get(uid), series, sop_class, uid, frames)


def _reference(
    store: Operation,
    found: tuple[int, Attributes] | None,
    series: str,
    sop_class: str,
    uid: str,
    frames: tuple[int, ...],
) -> Observation:
    if found is None:
        return judged(
            False,
            f"{store.request.label} refers to image {uid or '(none)'}, which nobody has seen",
            (store.request.seq,),
            expected="an image of the study",
            actual=uid,
            locator=f"{_REFERENCES}.ReferencedImageSequence",
            why=_WHY,
        )
    seq, image = found
    wanted = (text(image, "SeriesInstanceUID"), text(image, "SOPClassUID"))
    count = frame_count(image)
    ok = (series, sop_class) == wanted and all(1 <= frame <= count for frame in frames)
    return judged(
        ok,
        f"{store.request.label} refers to image {uid} " + ("rightly" if ok else "with a wrong series, class or frame"),
        (store.request.seq, seq),
        expected=f"series {wanted[0]}, class {wanted[1]}, frames 1 to {count}",
        actual=f"series {series}, class {sop_class}, frames {listed(map(str, frames)) or 'all'}",
        locator=f"{_REFERENCES}.ReferencedImageSequence",
        why=_WHY,
    )


def identification(j: Journal) -> Iterator[Observation]:
    why = "A user picks a presentation state from a list of these."
    for store in states(j):
        yield from all_valued(store.attributes, table.IDENTIFICATION, store.request, why=why)
        yield from all_present(store.attributes, table.IDENTIFICATION_MAY_BE_EMPTY, store.request, why=why)


def new_instance_for_new_content(j: Journal) -> Iterator[Observation]:
    seen: dict[str, Operation] = {}
    for store in states(j):
        uid = instance_of(store)
        first = seen.setdefault(uid, store)
        if first is store:
            yield judged(
                True,
                f"{store.request.label} is a new instance",
                (store.request.seq,),
                actual=uid,
                locator="SOPInstanceUID",
            )
            continue
        same_content = dict(first.attributes) == dict(store.attributes)
        yield judged(
            same_content,
            f"Presentation state {uid} was stored twice, with {'the same' if same_content else 'other'} content",
            (first.request.seq, store.request.seq),
            expected="a new SOP Instance UID for another content",
            actual=uid,
            locator="SOPInstanceUID",
            why="Who refers to an instance has to find what it referred to.",
        )


def shared_with_images(j: Journal) -> Iterator[Observation]:
    images = known_images(j)
    for store in states(j):
        if j.maker(store.request.seq) == names.MODALITY:
            yield from _shared(store, images)


def _shared(store: Operation, images: dict[str, tuple[int, Attributes]]) -> Iterator[Observation]:
    for _, _, uid, _ in list(referenced(store.attributes))[:1]:
        if uid not in images:
            continue
        seq, image = images[uid]
        for keyword in table.SHARED:
            yield same(
                keyword,
                image.get(keyword),
                store.attributes.get(keyword),
                source=f"image {uid}",
                target=f"presentation state {store.request.label}",
                evidence=(store.request.seq, seq),
                why="All instances of a study share patient and study.",
            )


def listed_in_performed_step(j: Journal) -> Iterator[Observation]:
    yield from shared_with_images(j)
    ended = [o for o in j.select("N-SET-RQ", FROM_SUT, MPPS) if items(o.attributes, "PerformedSeriesSequence")]
    if not ended:
        return
    non_images = {
        uid: o.request.seq
        for o in ended
        for series in items(o.attributes, "PerformedSeriesSequence")
        for _, uid in references(series, "ReferencedNonImageCompositeSOPInstanceSequence")
    }
    for store in states(j):
        if j.maker(store.request.seq) != names.MODALITY:
            continue
        uid = instance_of(store)
        ok = uid in non_images
        yield judged(
            ok,
            f"Presentation state {uid} is {'listed' if ok else 'not listed'} among the non-image instances of the step",
            (store.request.seq, non_images.get(uid, ended[-1].request.seq)),
            expected=uid,
            actual=listed(sorted(non_images)) or "none",
            locator="PerformedSeriesSequence.ReferencedNonImageCompositeSOPInstanceSequence",
            why="The archive knows by this list whether it has everything.",
        )


def committed(j: Journal) -> Iterator[Observation]:
    asked = {
        uid: o.request.seq
        for o in j.select("N-ACTION-RQ", FROM_SUT, COMMITMENT)
        for _, uid in references(o.attributes, "ReferencedSOPSequence")
    }
    if not asked:
        return
    last = max(asked.values())
    for store in states(j):
        uid = instance_of(store)
        if store.request.seq > last:
            continue
        yield judged(
            uid in asked,
            f"Commitment was {'' if uid in asked else 'not '}asked for presentation state {uid}",
            (store.request.seq, asked.get(uid, last)),
            expected=uid,
            actual=listed(sorted(asked)),
            locator="ReferencedSOPSequence",
            why="A state whose commitment nobody asked for may be lost with the modality's disk.",
        )


_ROWS = (
    ("state-class-and-modality", "RAD-9-SCU-01", class_and_modality, "a state has the GSPS class and modality PR"),
    ("state-in-study-own-series", "RAD-9-SCU-02", study_and_series, "a state lies in the study, in its own series"),
    ("state-references-resolve", "RAD-9-SCU-03", references_resolve, "a state refers to images that exist"),
    ("state-identification", "RAD-9-SCU-04", identification, "a state has label, date, time, description and creator"),
    ("state-new-instance", "RAD-9-SCU-08", new_instance_for_new_content, "another content is another instance"),
    ("state-shared-and-listed", "RAD-9-SCU-09", listed_in_performed_step, "a state shares the study and is listed"),
)

CHECKS: tuple[Check, ...] = (
    *(check(id, requirement, "RAD-9 RAD-19", function, title) for id, requirement, function, title in _ROWS),
    check("state-committed", "RAD-9-SCU-10", "RAD-10", committed, "commitment is asked for each state"),
)
