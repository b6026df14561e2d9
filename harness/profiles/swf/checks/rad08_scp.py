"""RAD-8 Modality Images Stored and RAD-18 Creator Images Stored, as the archive receives them (PS3.4 B, C.2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import facts
from harness.profiles.journal import MPPS, QUERY_FINDS, TO_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks.updates import patient_updates
from harness.profiles.values import Attributes, attributes_of, equal, listed, references, text

#: group length and padding say nothing; the retrieving side adds none of them
_TECHNICAL = frozenset({"DataSetTrailingPadding", "SpecificCharacterSet", "InstanceAvailability", "RetrieveAETitle"})


def taken(operation: Operation) -> bool:
    """Whether a C-STORE was answered with success or a warning."""
    status = operation.status
    return status is not None and (status == 0 or 0xB000 <= status <= 0xBFFF)


def _hex(status: int | None) -> str:
    return "none" if status is None else f"{status:04X}"


def declared_classes_accepted(j: Journal) -> Iterator[Observation]:
    declared = j.sut.statement.get("storage_sop_classes")
    for association in j.associations.values():
        if association.from_sut or association.first("A-ASSOCIATE-AC") is None or association.request is None:
            continue
        accepted = {context.get("id") for context in association.accepted}
        for context in association.proposed:
            uid = str(context.get("abstract_syntax"))
            if not declared or uid not in declared:
                continue
            ok = context.get("id") in accepted
            yield judged(
                ok,
                f"The declared storage class {uid} was {'accepted' if ok else 'not accepted'}",
                (association.request.seq, association.messages[1].seq if len(association.messages) > 1 else 0),
                expected="accepted",
                actual="accepted" if ok else "not accepted",
                locator=f"presentation context {context.get('id')}",
                why="The conformance statement promises it.",
            )
    for store in j.ours:
        if store.final is not None:
            yield judged(
                taken(store),
                f"An instance of {store.sop_class} was answered {_hex(store.status)}",
                store.evidence,
                expected="0000 or a warning",
                actual=_hex(store.status),
                locator="Status",
                why="An accepted context is a promise to take the object.",
            )


def differences(stored: Attributes, returned: Attributes, *, pixels: bool = True) -> list[str]:
    """Keywords of a stored object that came back missing or different, and those that were added."""
    found = []
    for keyword in sorted(set(stored) | set(returned)):
        if keyword in _TECHNICAL or keyword.startswith("#") or keyword.endswith("0000"):
            continue
        if not pixels and keyword == "PixelData":
            continue
        if keyword not in returned or not equal(keyword, stored.get(keyword, ""), returned[keyword]):
            found.append(keyword)
    return found


def returned_pairs(j: Journal) -> Iterator[tuple[Operation, Operation]]:
    """Each instance that we stored with a C-STORE by which the archive delivered it."""
    sent = {instance_of(store): store for store in j.ours if taken(store)}
    for delivery in j.deliveries:
        if (store := sent.get(instance_of(delivery))) is not None:
            yield store, delivery


def changed(store: Operation, delivery: Operation, j: Journal) -> list[str]:
    """What came back otherwise; what the statement says it coerces, and what an update changed, is left out."""
    excused = set(j.sut.statement.get("coerced_attributes") or ())
    for seq, data in patient_updates(j):
        if store.request.seq < seq < delivery.request.seq:
            excused |= set(data.get("keywords") or ())
    same_syntax = store.request.transfer_syntax == delivery.request.transfer_syntax
    found = differences(store.attributes, delivery.attributes, pixels=same_syntax)
    return [keyword for keyword in found if keyword not in excused]


def everything_comes_back(j: Journal) -> Iterator[Observation]:
    for store, delivery in returned_pairs(j):
        lost = [k for k in changed(store, delivery, j) if k not in delivery.attributes]
        private = [k for k in store.attributes if len(k) == 8 and k[3] in "13579BDF" and k.isalnum() and k.isupper()]
        yield judged(
            not lost,
            f"Instance {instance_of(store)} came back "
            + (f"without {listed(lost)}" if lost else f"with all attributes, {len(private)} private one(s) among them"),
            (*store.evidence, delivery.request.seq),
            expected="every attribute, private ones included",
            actual=f"missing: {listed(lost)}" if lost else "all",
            locator=listed(lost) or "data set",
            why="Level 2 storage keeps what it does not understand: other systems do.",
        )


def coercion_announced(j: Journal) -> Iterator[Observation]:
    coerced = set(j.sut.statement.get("coerced_attributes") or ())
    for store, delivery in returned_pairs(j):
        found = changed(store, delivery, j)
        announced = store.status == 0xB000
        if announced and coerced and not found:
            continue  # the statement says what was changed
        yield judged(
            announced == bool(found),
            f"Storing was answered {_hex(store.status)}; "
            + (f"{listed(found)} came back changed" if found else "everything came back as it was sent"),
            (*store.evidence, delivery.request.seq),
            expected="B000" if found else "0000",
            actual=_hex(store.status),
            locator="Status",
            why="Who is not told of a change trusts values that are no longer there.",
        )


def images_without_step_accepted(j: Journal) -> Iterator[Observation]:
    announced = {operation.instance: operation for operation in j.select("N-CREATE-RQ", TO_SUT, MPPS)}
    for store in j.ours:
        refs = [uid for _, uid in references(store.attributes, "ReferencedPerformedProcedureStepSequence")]
        early = [uid for uid in refs if uid in announced and announced[uid].request.seq < store.request.seq]
        if early or store.final is None:
            continue
        yield judged(
            taken(store),
            f"An image whose performed step was not announced was answered {_hex(store.status)}",
            store.evidence,
            expected="0000 or a warning",
            actual=_hex(store.status),
            locator="Status",
            why="Images may be faster than the report about them.",
        )


def unannounced_study_accepted(j: Journal) -> Iterator[Observation]:
    from_orders = {str((data.get("keywords") or {}).get("StudyInstanceUID", "")) for _, data in j.facts(facts.ORDER)}
    for store in j.ours:
        study = text(store.attributes, "StudyInstanceUID")
        if store.final is None or study in from_orders:
            continue
        yield judged(
            taken(store),
            f"An image of study {study}, which no message announced, was answered {_hex(store.status)}",
            store.evidence,
            expected="0000 or a warning",
            actual=_hex(store.status),
            locator="Status",
            why="An emergency has no order.",
        )


def stored_twice_is_one(j: Journal) -> Iterator[Observation]:
    sent: dict[str, list[Operation]] = {}
    for store in j.ours:
        if taken(store):
            sent.setdefault(instance_of(store), []).append(store)
    twice = {uid: stores for uid, stores in sent.items() if len(stores) > 1}
    for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
        if text(query.attributes, "QueryRetrieveLevel") != "IMAGE" or query.status != 0:
            continue
        found = [text(attributes_of(message), "SOPInstanceUID") for message in query.pending]
        for uid, stores in twice.items():
            if stores[1].request.seq > query.request.seq or uid not in found:
                continue
            yield judged(
                found.count(uid) == 1,
                f"Instance {uid} was stored {len(stores)} times and is found {found.count(uid)} time(s)",
                (*(s.request.seq for s in stores), *query.evidence),
                expected="1",
                actual=str(found.count(uid)),
                locator="SOPInstanceUID",
                why="A repeated transfer must not make a second image.",
            )


def creator_objects_found(j: Journal) -> Iterator[Observation]:
    derived = {instance_of(s): s for s in j.ours if taken(s) and text(s.attributes, "ImageType").startswith("DERIVED")}
    for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
        level = text(query.attributes, "QueryRetrieveLevel")
        if level != "IMAGE" or query.status != 0:
            continue
        found = {text(attributes_of(message), "SOPInstanceUID") for message in query.pending}
        for uid, store in derived.items():
            same_place = all(
                text(query.attributes, k) in ("", text(store.attributes, k))
                for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            )
            if not same_place or store.request.seq > query.request.seq:
                continue
            yield judged(
                uid in found,
                f"The derived object {uid} is {'found' if uid in found else 'not found'} in its study",
                (*store.evidence, *query.evidence),
                expected="found",
                actual="found" if uid in found else "not found",
                locator="SOPInstanceUID",
                why="Evidence belongs to the study that it was made from.",
            )


_ROWS = (
    ("store-scp-classes", "RAD-8-SCP-01", "RAD-8", declared_classes_accepted, "Declared classes are accepted"),
    ("store-scp-level-2", "RAD-8-SCP-02", "RAD-8 RAD-16", everything_comes_back, "Every attribute comes back"),
    ("store-scp-coercion", "RAD-8-SCP-03", "RAD-8 RAD-16", coercion_announced, "A change is announced"),
    ("store-scp-no-step", "RAD-8-SCP-04", "RAD-8", images_without_step_accepted, "Images without a step are accepted"),
    ("store-scp-twice", "RAD-8-SCP-05", "RAD-8 RAD-14", stored_twice_is_one, "Stored twice is one"),
    ("store-scp-unannounced", "RAD-4-DST-02", "RAD-8", unannounced_study_accepted, "Unannounced studies are accepted"),
    ("store-scp-creator", "RAD-18-SCP-01", "RAD-18 RAD-14", creator_objects_found, "Creator objects are found"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
