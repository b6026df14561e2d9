"""RAD-10 Storage Commitment, as modalities and evidence creators ask for it (RAD TF-2 4.10, PS3.4 J)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import COMMITMENT, COMMITMENT_INSTANCE, FROM_SUT, TO_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged, same_set
from harness.profiles.steps import Steps
from harness.profiles.values import listed, references, text

FIELD = "ReferencedSOPSequence"


def requests(j: Journal) -> Iterator[Operation]:
    """Commitment requests of the system under test."""
    return j.select("N-ACTION-RQ", FROM_SUT, COMMITMENT)


def results(j: Journal) -> Iterator[Operation]:
    """Results that we sent to the system under test."""
    return j.select("N-EVENT-REPORT-RQ", TO_SUT, COMMITMENT)


def requested(operation: Operation) -> list[str]:
    """SOP Instance UIDs of a request or result."""
    return [uid for _, uid in references(operation.attributes, FIELD)]


def request_of(j: Journal, result: Operation) -> Operation | None:
    """The request that a result answers, by Transaction UID."""
    uid = text(result.attributes, "TransactionUID")
    return next((r for r in requests(j) if text(r.attributes, "TransactionUID") == uid), None)


def well_known_instance_asked(j: Journal) -> Iterator[Observation]:
    for operation in requests(j):
        action, instance = operation.request.fields.get("ActionTypeID"), operation.instance
        ok = action == 1 and instance == COMMITMENT_INSTANCE
        yield judged(
            ok,
            f"{operation.request.label} asks {instance or '(no instance)'} for action {action}",
            (operation.request.seq,),
            expected=f"action 1 on {COMMITMENT_INSTANCE}",
            actual=f"action {action} on {instance or '(none)'}",
            locator="RequestedSOPInstanceUID, ActionTypeID",
            why="The push model has one instance that everybody knows.",
        )


def transaction_uid_new(j: Journal) -> Iterator[Observation]:
    found = list(requests(j))
    counted = Counter(text(o.attributes, "TransactionUID") for o in found)
    for operation in found:
        uid = text(operation.attributes, "TransactionUID")
        retried = [o for o in found if text(o.attributes, "TransactionUID") == uid and o.status not in (0, None)]
        times = counted[uid] - len([o for o in retried if o is not operation])
        yield judged(
            bool(uid) and times == 1,
            f"Transaction UID {uid or '(none)'} is used by {counted[uid]} request(s)",
            tuple(o.request.seq for o in found if text(o.attributes, "TransactionUID") == uid),
            expected="a new Transaction UID for every request",
            actual=uid or "(absent)",
            locator="TransactionUID",
            why="Results are matched by it; two requests of one UID cannot be told apart.",
        )


def sent_instances_listed_once(j: Journal) -> Iterator[Observation]:
    sent = {instance_of(store) for store in j.stores}
    for operation in requests(j):
        wanted = requested(operation)
        twice = sorted(uid for uid, times in Counter(wanted).items() if times > 1)
        earlier = {instance_of(s) for s in j.stores if s.request.seq < operation.request.seq}
        unknown = sorted(set(wanted) - earlier) if sent else []
        yield judged(
            bool(wanted) and not twice and not unknown,
            f"{operation.request.label} lists {len(wanted)} instance(s)"
            + (f", {len(twice)} of them twice" if twice else "")
            + (f", {len(unknown)} of them never sent" if unknown else ""),
            (operation.request.seq, *(s.request.seq for s in j.stores[:20])),
            expected="every instance that was sent, each once",
            actual=listed(twice + unknown) or f"{len(wanted)} instance(s)",
            locator=FIELD,
            why="An archive cannot be responsible for what it never got.",
        )


def all_instances_covered(j: Journal) -> Iterator[Observation]:
    found = list(requests(j))
    if not found:
        return
    asked = {uid for operation in found for uid in requested(operation)}
    stored = {instance_of(s) for s in j.stores if s.request.seq < found[-1].request.seq and s.status in (0, None)} | {
        instance_of(s)
        for s in j.stores
        if s.status is not None and 0xB000 <= s.status <= 0xBFFF and s.request.seq < found[-1].request.seq
    }
    steps = Steps(j)
    for step in steps.all:
        stored |= {uid for uid in step.referenced if step.closing and step.closing.request.seq < found[-1].request.seq}
    missing = sorted(stored - asked)
    yield judged(
        not missing,
        f"Commitment was asked for {len(stored & asked)} of {len(stored)} instance(s) that were made",
        tuple(operation.request.seq for operation in found),
        expected=listed(sorted(stored)),
        actual=f"missing: {listed(missing)}" if missing else "all",
        locator=FIELD,
        why="What nobody took responsibility for may be lost when the modality makes room.",
    )


# -- results ---------------------------------------------------------------------------------------------------


def _delivered(j: Journal, *, same_association: bool) -> Iterator[tuple[Operation, Operation | None]]:
    for result in results(j):
        request = request_of(j, result)
        same = request is not None and request.request.association == result.request.association
        if same == same_association:
            yield result, request


def result_taken_on_same_association(j: Journal) -> Iterator[Observation]:
    for result, request in _delivered(j, same_association=True):
        yield _taken(result, request, "the same association")


def _taken(result: Operation, request: Operation | None, where: str) -> Observation:
    status = result.status
    return judged(
        status == 0,
        f"The result {result.request.label} on {where} was answered "
        + (f"{status:04X}" if status is not None else "by nothing"),
        ((request.request.seq,) if request is not None else ()) + result.evidence,
        expected="0000",
        actual=f"{status:04X}" if status is not None else "no response",
        locator="Status",
        why="A result that is not taken leaves the instances uncommitted for ever.",
    )


def result_taken_on_another_association(j: Journal) -> Iterator[Observation]:
    for result, request in _delivered(j, same_association=False):
        yield _taken(result, request, "another association")
    for association in j.associations.values():
        if association.from_sut or association.request is None:
            continue
        reply = association.first("A-ASSOCIATE-AC")
        refusal = association.first("A-ASSOCIATE-RJ")
        for context in association.proposed:
            if context.get("abstract_syntax") != COMMITMENT or not context.get("scp_role"):
                continue
            if refusal is not None and any(True for _ in requests(j)):
                yield judged(
                    False,
                    "The association that brings the result was rejected",
                    (association.request.seq, refusal.seq),
                    expected="accepted, with the caller in the SCP role",
                    actual="A-ASSOCIATE-RJ",
                    locator="A-ASSOCIATE-RJ",
                    why="An archive reports when it is ready, and then it has to call.",
                )
            if reply is None:
                continue
            answer = next((c for c in association.accepted if c.get("id") == context.get("id")), None)
            role = answer is not None and association.accepted_scp(COMMITMENT)
            yield judged(
                role,
                "The caller proposed the SCP role for storage commitment; it was "
                + ("accepted" if role else "not accepted"),
                (association.request.seq, reply.seq),
                expected="the context and the SCP role are accepted",
                actual="role accepted" if role else "context accepted, role not" if answer else "context not accepted",
                locator="SCP/SCU role selection",
                why="Without the role the archive may not send its report.",
            )


def result_answered(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        if result.final is None:
            yield judged(
                False,
                f"The result {result.request.label} was never answered",
                (result.request.seq,),
                expected="an N-EVENT-REPORT response with 0000",
                actual="no response",
                locator="Status",
            )
            continue
        yield judged(
            result.status == 0,
            f"The result {result.request.label} was answered {result.status:04X}",
            result.evidence,
            expected="0000",
            actual=f"{result.status:04X}",
            locator="Status",
            why="The archive repeats or gives up when its report is not taken.",
        )


def failed_instances_recovered(j: Journal) -> Iterator[Observation]:
    stated = str(j.sut.statement.get("commitment_failure", ""))
    for result in results(j):
        failed = {uid for _, uid in references(result.attributes, "FailedSOPSequence")}
        if not failed or result.status != 0:
            continue
        again = [s for s in j.stores if s.request.seq > result.request.seq and instance_of(s) in failed]
        asked = [o for o in requests(j) if o.request.seq > result.request.seq and failed & set(requested(o))]
        recovered = bool(asked)
        yield judged(
            recovered or bool(stated),
            f"{len(failed)} instance(s) were not committed; {len(again)} were sent again and commitment was "
            + ("asked for again" if asked else "not asked for again")
            + (f"; the statement says: {stated}" if stated else "; no statement says what happens"),
            (*result.evidence, *(s.request.seq for s in again), *(o.request.seq for o in asked)),
            expected="the behaviour that the conformance statement names, usually sending and asking again",
            actual=f"{len(again)} sent again, {len(asked)} new request(s)",
            locator="FailedSOPSequence",
            why="Whoever runs the modality must know whether failed images need attention.",
        )


def failed_result_taken(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        if result.request.fields.get("EventTypeID") != 2:
            continue
        yield _taken(result, request_of(j, result), "a failure of one instance")


def late_result_taken(j: Journal) -> Iterator[Observation]:
    late = {
        data.get("transaction_uid") for _, data in j.facts(facts.COMMIT) if data.get("delivery") in ("late", "other")
    }
    for result, request in _delivered(j, same_association=False):
        released = request is not None and _closed_before(j, request, result)
        if request is None or not (released or text(result.attributes, "TransactionUID") in late):
            continue
        yield _taken(result, request, "a later association")


def _closed_before(j: Journal, request: Operation, result: Operation) -> bool:
    association = j.associations.get(request.request.association)
    if association is None:
        return False
    closed = association.first("A-RELEASE-RQ") or association.first("CONNECTION-CLOSED")
    return closed is not None and closed.seq < result.request.seq


def request_matches_stored_and_listed(j: Journal) -> Iterator[Observation]:
    found = list(requests(j))
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        stored = {instance_of(s) for s in j.stores if steps.of(s) is step}
        asked = {uid for operation in found for uid in requested(operation)}
        if not stored or not asked & stored or step.closing is None:
            continue
        yield same_set(
            stored | set(step.referenced),
            asked & (stored | set(step.referenced)),
            what=f"Instances of {step.label} in commitment requests",
            evidence=(*step.evidence, *(operation.request.seq for operation in found)),
            locator=FIELD,
            why="Stored, listed and committed are the same instances.",
        )
    known = {instance_of(s) for s in j.stores} | {uid for step in steps.all for uid in step.referenced}
    for operation in found:
        strange = sorted(set(requested(operation)) - known)
        if known:
            yield judged(
                not strange,
                f"{operation.request.label} asks for {len(strange)} instance(s) that were neither stored nor listed",
                (operation.request.seq,),
                expected="stored and listed instances only",
                actual=listed(strange) or "none",
                locator=FIELD,
            )


_ROWS = (
    ("commit-instance", "RAD-10-SCU-01", "RAD-10", well_known_instance_asked, "The well-known instance is asked"),
    ("commit-transaction-uid", "RAD-10-SCU-02", "RAD-10", transaction_uid_new, "Each request has its Transaction UID"),
    ("commit-sent-once", "RAD-10-SCU-03", "RAD-10 RAD-8", sent_instances_listed_once, "Sent instances are listed once"),
    ("commit-covered", "RAD-10-SCU-04", "RAD-10 RAD-8", all_instances_covered, "All instances are covered"),
    ("commit-same", "RAD-10-SCU-05", "RAD-10", result_taken_on_same_association, "A result at once is taken"),
    ("commit-other", "RAD-10-SCU-06", "RAD-10", result_taken_on_another_association, "A result by a call is taken"),
    ("commit-answered", "RAD-10-SCU-07", "RAD-10", result_answered, "The result is answered"),
    ("commit-failure-recovered", "RAD-10-SCU-09", "RAD-10", failed_instances_recovered, "Failures are acted upon"),
    ("commit-failed-taken", "EX-22", "RAD-10", failed_result_taken, "A failure result is taken"),
    ("commit-late-taken", "EX-23", "RAD-10", late_result_taken, "A late result is taken"),
    (
        "commit-consistent",
        "XC-19",
        "RAD-8 RAD-10",
        request_matches_stored_and_listed,
        "Stored, listed, committed agree",
    ),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
