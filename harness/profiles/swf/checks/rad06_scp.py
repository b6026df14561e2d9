"""RAD-6, RAD-7, RAD-20 and RAD-21, as managers, order fillers and archives receive them (PS3.4 F.7.2)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Declaration, Observation
from harness.profiles import facts, names
from harness.profiles.journal import FROM_SUT, MPPS, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.steps import FINAL
from harness.profiles.values import Attributes, equal, listed, text

DUPLICATE_INSTANCE = 0x0111
INVALID_VALUE = 0x0106
PROCESSING_FAILURE = 0x0110
NO_SUCH_INSTANCE = 0x0112
MAY_NOT_BE_CHANGED = 0xA710


def creates(j: Journal) -> Iterator[Operation]:
    """N-CREATEs that we sent."""
    return j.select("N-CREATE-RQ", TO_SUT, MPPS)


def sets(j: Journal) -> Iterator[Operation]:
    """N-SETs that we sent."""
    return j.select("N-SET-RQ", TO_SUT, MPPS)


def state_in(operation: Operation) -> str:
    return text(operation.attributes, "PerformedProcedureStepStatus")


def accepted_before(j: Journal, operation: Operation) -> bool:
    """Whether the instance of an N-CREATE had been created before."""
    return any(
        other.instance == operation.instance and other.status == 0 and other.request.seq < operation.request.seq
        for other in creates(j)
    )


def in_hex(status: int | None) -> str:
    return "none" if status is None else f"{status:04X}"


def create_accepted(j: Journal) -> Iterator[Observation]:
    negative = {data.get("message") for _, data in j.facts(facts.NEGATIVE)}
    for operation in creates(j):
        if state_in(operation) != "IN PROGRESS" or accepted_before(j, operation) or operation.final is None:
            continue
        if operation.request.seq not in negative:
            yield judged(
                operation.status == 0,
                f"{operation.request.label} was answered {in_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=in_hex(operation.status),
                locator="Status",
                why="A modality that is refused cannot report its exam.",
            )


def _refused(operation: Operation, wanted: int, what: str, why: str) -> Observation:
    return judged(
        operation.status == wanted,
        f"{what} was answered {in_hex(operation.status)}",
        operation.evidence,
        expected=f"{wanted:04X}",
        actual=in_hex(operation.status),
        locator="Status",
        why=why,
    )


def other_status_refused(j: Journal) -> Iterator[Observation]:
    for operation in creates(j):
        status = state_in(operation)
        if operation.final is not None and status and status != "IN PROGRESS" and not accepted_before(j, operation):
            yield _refused(operation, INVALID_VALUE, f"An N-CREATE with status {status}", "A step begins in progress.")


def duplicate_refused(j: Journal) -> Iterator[Observation]:
    for operation in creates(j):
        if operation.final is not None and accepted_before(j, operation) and state_in(operation) == "IN PROGRESS":
            yield _refused(
                operation,
                DUPLICATE_INSTANCE,
                "An N-CREATE of an instance that exists",
                "A second object of one UID would overwrite the first.",
            )


# -- final state -----------------------------------------------------------------------------------------------


def final_before(j: Journal, operation: Operation) -> Operation | None:
    return next(
        (
            other
            for other in sets(j)
            if other.instance == operation.instance
            and other.status == 0
            and state_in(other) in FINAL
            and other.request.seq < operation.request.seq
        ),
        None,
    )


def set_after_final_refused(j: Journal) -> Iterator[Observation]:
    for operation in sets(j):
        closing = final_before(j, operation)
        if closing is None or operation.final is None:
            continue
        error = operation.final.fields.get("ErrorID")
        yield judged(
            operation.status == PROCESSING_FAILURE and error == MAY_NOT_BE_CHANGED,
            f"An N-SET of a step that was {state_in(closing)} was answered {in_hex(operation.status)}"
            + (f" with error id {in_hex(error)}" if isinstance(error, int) else " without error id"),
            (closing.request.seq, *operation.evidence),
            expected="0110 with error id A710",
            actual=f"{in_hex(operation.status)}, error id {in_hex(error) if isinstance(error, int) else 'none'}",
            locator="Status, ErrorID",
            why="What is finished may not be changed by the modality any more.",
        )


def set_of_unknown_refused(j: Journal) -> Iterator[Observation]:
    # a step whose N-CREATE was refused is another matter: that refusal is judged, and what follows from it is not
    known = {operation.instance for operation in creates(j)}
    for operation in sets(j):
        if operation.final is not None and operation.instance not in known:
            yield _refused(
                operation, NO_SUCH_INSTANCE, "An N-SET of an instance that nobody created", "There is nothing to set."
            )


# -- forwarding ------------------------------------------------------------------------------------------------


def destinations(sut: Declaration) -> list[str]:
    """The simulated actors that a manager passes steps on to.

    Those it is not grouped with, unless its file states others: a manager has to support two destinations besides the
    actor that it is grouped with (RAD TF-3 4.59.1), so one of them may be of the same kind.
    """
    receivers = (names.IMAGE_MANAGER, names.ORDER_FILLER)
    stated = sut.statement.get("pps_destinations")
    if stated:
        return [actor for actor in receivers if actor in stated]
    return [actor for actor in receivers if actor not in sut.actors]


def _away(j: Journal, actor: str) -> list[tuple[int, int]]:
    return j.outages(actor)


def _copies(j: Journal, operation: Operation, actor: str) -> list[Operation]:
    found = []
    for copy in j.select(operation.request.kind, FROM_SUT, MPPS):
        if copy.request.actor in (actor, "") and copy.instance == operation.instance:
            same_state = operation.request.kind == "N-CREATE-RQ" or state_in(copy) == state_in(operation)
            if same_state and copy.request.seq > operation.request.seq:
                found.append(copy)
    return found


def _forwarded(j: Journal, operations: Iterator[Operation], why: str) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    for operation in operations:
        if operation.status != 0:
            continue
        for actor in destinations(j.sut):
            if any(not until for _, until in _away(j, actor)):
                continue  # it never came back
            copies = _copies(j, operation, actor)
            differing = _differences(operation.attributes, copies[0].attributes) if copies else []
            yield judged(
                bool(copies) and not differing,
                f"{operation.request.label} "
                + (
                    f"did not reach the {actor}"
                    if not copies
                    else f"reached the {actor} with other values in {listed(differing)}"
                    if differing
                    else f"reached the {actor} unchanged"
                ),
                (*operation.evidence, *(copy.request.seq for copy in copies[:1])),
                expected=f"the same instance and content at the {actor}",
                actual=listed(differing) if copies else "nothing",
                locator=listed(differing) or "AffectedSOPInstanceUID",
                why=why,
            )


def _differences(one: Attributes, other: Attributes) -> list[str]:
    keywords = sorted(set(one) | set(other))
    return [k for k in keywords if k != "SpecificCharacterSet" and not equal(k, one.get(k), other.get(k))]


def create_forwarded(j: Journal) -> Iterator[Observation]:
    yield from _forwarded(j, creates(j), "The modality reports to one manager and relies on it for all others.")


def set_forwarded(j: Journal) -> Iterator[Observation]:
    yield from _forwarded(j, sets(j), "Who missed the end of the step waits for it for ever.")


def everything_forwarded(j: Journal) -> Iterator[Observation]:
    yield from create_forwarded(j)
    yield from set_forwarded(j)


def creator_steps_forwarded(j: Journal) -> Iterator[Observation]:
    """Steps that we reported as an Evidence Creator: accepted by all, forwarded by a manager."""
    own = {o.instance for o in creates(j) if o.request.actor == names.EVIDENCE_CREATOR}
    for operation in (*creates(j), *sets(j)):
        if operation.instance in own and operation.final is not None:
            yield judged(
                operation.status == 0,
                f"{operation.request.label} of an Evidence Creator was answered {in_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=in_hex(operation.status),
                locator="Status",
                why="Evidence is reported like an acquisition.",
            )
    yield from _forwarded(j, (o for o in creates(j) if o.instance in own), "Evidence is reported like an acquisition.")


def repeated_until_destination_is_back(j: Journal) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    for actor in destinations(j.sut):
        for since, until in _away(j, actor):
            sent = [o for o in (*creates(j), *sets(j)) if since < o.request.seq < until and o.status == 0]
            sent.sort(key=lambda o: o.request.seq)
            if not until or not sent:
                continue
            arrived = [next(iter(c for c in _copies(j, o, actor) if c.request.seq > until), None) for o in sent]
            order = [copy.request.seq for copy in arrived if copy is not None]
            yield judged(
                None not in arrived and order == sorted(order),
                f"{len(order)} of {len(sent)} message(s) reached the {actor} after it was back"
                + ("" if order == sorted(order) else ", in another order"),
                (*(o.request.seq for o in sent), *order),
                expected=f"all {len(sent)}, in their order",
                actual=f"{len(order)}",
                locator="message order",
                why="A destination that was down for a while must not miss an exam.",
            )


def modality_answered_while_destination_is_away(j: Journal) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    for actor in (names.IMAGE_MANAGER, names.ORDER_FILLER):
        for since, until in _away(j, actor):
            for operation in (*creates(j), *sets(j)):
                if operation.request.seq < since or (until and operation.request.seq > until):
                    continue
                yield judged(
                    operation.status == 0,
                    f"With the {actor} away, {operation.request.label} was answered {in_hex(operation.status)}",
                    operation.evidence,
                    expected="0000",
                    actual=in_hex(operation.status),
                    locator="Status",
                    why="The modality is not concerned with who else is up.",
                )


_ROWS = (
    ("mpps-scp-create", "RAD-6-SCP-01", "RAD-6", create_accepted, "A step in progress is accepted"),
    ("mpps-scp-other-status", "RAD-6-SCP-02", "RAD-6", other_status_refused, "Another first status is refused"),
    ("mpps-scp-duplicate", "RAD-6-SCP-03", "RAD-6", duplicate_refused, "A duplicate is refused"),
    ("mpps-scp-create-forwarded", "RAD-6-SCP-04", "RAD-6", create_forwarded, "N-CREATE is forwarded"),
    ("mpps-scp-repeated", "RAD-6-SCP-05", "RAD-6 RAD-7", repeated_until_destination_is_back, "Messages are repeated"),
    (
        "mpps-scp-independent",
        "RAD-6-SCP-06",
        "RAD-6 RAD-7",
        modality_answered_while_destination_is_away,
        "The modality is answered whoever is away",
    ),
    ("mpps-scp-equal", "XC-23", "RAD-6 RAD-7", everything_forwarded, "Received and forwarded are equal"),
    ("mpps-scp-away", "EX-24", "RAD-6 RAD-7", repeated_until_destination_is_back, "Destinations may be away"),
    ("mpps-scp-creator", "RAD-20-SCP-01", "RAD-20 RAD-21", creator_steps_forwarded, "Creator steps are forwarded"),
    ("mpps-scp-final", "RAD-7-SCP-01", "RAD-7", set_after_final_refused, "A finished step is not changed"),
    ("mpps-scp-unknown", "RAD-7-SCP-02", "RAD-7", set_of_unknown_refused, "An unknown step is not set"),
    ("mpps-scp-set-forwarded", "RAD-7-SCP-03", "RAD-7", set_forwarded, "N-SET is forwarded"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
