"""RAD-10 Storage Commitment, as the archive answers it (RAD TF-2 4.10, PS3.4 J)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import COMMITMENT, FROM_SUT, TO_SUT, Journal, Operation, instance_of
from harness.profiles.observe import check, judged, same_set
from harness.profiles.swf.checks.rad10_scu import FIELD, requested
from harness.profiles.values import items, listed, references, text

#: enumerated values of Failure Reason (PS3.3 C.14.1.1)
REASONS = frozenset({0x0110, 0x0112, 0x0213, 0x0122, 0x0119, 0x0131})
_NOT_IMAGES = ("1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.88.")


def requests(j: Journal) -> Iterator[Operation]:
    """Commitment requests that we sent."""
    return j.select("N-ACTION-RQ", TO_SUT, COMMITMENT)


def results(j: Journal) -> Iterator[Operation]:
    """Results that the archive sent."""
    return j.select("N-EVENT-REPORT-RQ", FROM_SUT, COMMITMENT)


def _request_of(j: Journal, result: Operation) -> Operation | None:
    uid = text(result.attributes, "TransactionUID")
    return next((r for r in requests(j) if text(r.attributes, "TransactionUID") == uid), None)


def _fact(j: Journal, request: Operation) -> Mapping[str, Any]:
    uid = text(request.attributes, "TransactionUID")
    for _, data in j.facts(facts.COMMIT):
        if data.get("message") == request.request.seq or (uid and data.get("transaction_uid") == uid):
            return data
    return {}


def _split(j: Journal, request: Operation) -> tuple[set[str], set[str]]:
    """What must be committed and what must fail: by the COMMIT fact, else by what the archive accepted from us."""
    fact, wanted = _fact(j, request), set(requested(request))
    if "expected_ok" in fact or "expected_failed" in fact:
        return set(fact.get("expected_ok") or ()), set(fact.get("expected_failed") or ())
    accepted = {
        instance_of(s) for s in j.ours if s.status is not None and (s.status == 0 or 0xB000 <= s.status <= 0xBFFF)
    }
    return wanted & accepted, wanted - accepted


def _failed(result: Operation) -> list[str]:
    return [uid for _, uid in references(result.attributes, "FailedSOPSequence")]


def action_answered(j: Journal) -> Iterator[Observation]:
    for request in requests(j):
        if request.final is None:
            continue
        yield judged(
            request.status == 0,
            f"{request.request.label} was answered {request.status:04X}",
            request.evidence,
            expected="0000",
            actual=f"{request.status:04X}",
            locator="Status",
            why="A modality that is refused keeps everything and asks again.",
        )


def success_lists_all(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        request = _request_of(j, result)
        event = result.request.fields.get("EventTypeID")
        if request is None:
            yield judged(
                False,
                f"{result.request.label} has Transaction UID "
                f"{text(result.attributes, 'TransactionUID') or '(none)'}, which nobody asked for",
                (result.request.seq,),
                expected=[text(r.attributes, "TransactionUID") for r in requests(j)],
                actual=text(result.attributes, "TransactionUID") or "(absent)",
                locator="TransactionUID",
                why="The requester cannot tell which request is answered.",
            )
            continue
        good, bad = _split(j, request)
        if bad or not good:
            continue
        yield judged(
            event == 1 and "FailedSOPSequence" not in result.attributes,
            f"Everything was stored; the result is event type {event}",
            (request.request.seq, result.request.seq),
            expected="event type 1",
            actual=f"event type {event}",
            locator="EventTypeID",
            why="A false failure keeps the modality from deleting what is safe.",
        )
        yield same_set(
            good,
            requested(result),
            what="Committed instances",
            evidence=(request.request.seq, result.request.seq),
            locator=FIELD,
            why="The modality deletes what is listed here.",
        )


def failures_listed(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        request = _request_of(j, result)
        if request is None:
            continue
        good, bad = _split(j, request)
        if not bad:
            continue
        event = result.request.fields.get("EventTypeID")
        evidence = (request.request.seq, result.request.seq)
        yield judged(
            event == 2,
            f"{len(bad)} instance(s) cannot be committed; the result is event type {event}",
            evidence,
            expected="event type 2",
            actual=f"event type {event}",
            locator="EventTypeID",
            why="A false success makes the modality delete what exists nowhere else.",
        )
        yield same_set(bad, _failed(result), what="Failed instances", evidence=evidence, locator="FailedSOPSequence")
        yield same_set(good, requested(result), what="Committed instances", evidence=evidence, locator=FIELD)
        for number, item in enumerate(items(result.attributes, "FailedSOPSequence")):
            yield judged(
                bool(text(item, "FailureReason")),
                f"Failed instance {text(item, 'ReferencedSOPInstanceUID')} has "
                + ("a" if text(item, "FailureReason") else "no")
                + " failure reason",
                evidence,
                expected="a failure reason",
                actual=_reason(item),
                locator=f"FailedSOPSequence[{number + 1}]/FailureReason",
            )


def _reason(item: Mapping[str, Any]) -> str:
    value = text(item, "FailureReason")
    return f"{int(value):04X}" if value.isdigit() else value or "(absent)"


def reasons_from_the_defined_set(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        request = _request_of(j, result)
        never_sent = (_split(j, request)[1] if request is not None else set()) - {instance_of(s) for s in j.ours}
        for number, item in enumerate(items(result.attributes, "FailedSOPSequence")):
            value, uid = text(item, "FailureReason"), text(item, "ReferencedSOPInstanceUID")
            known = value.isdigit() and int(value) in REASONS
            # DICOM says 0112 for an instance that the provider does not have
            wanted = "0112" if uid in never_sent else listed(sorted(f"{r:04X}" for r in REASONS))
            yield judged(
                known and (uid not in never_sent or int(value) == 0x0112),
                f"Failed instance {uid} has the reason {_reason(item)}",
                (result.request.seq, *((request.request.seq,) if request is not None else ())),
                expected=wanted,
                actual=_reason(item),
                locator=f"FailedSOPSequence[{number + 1}]/FailureReason",
                why="The reason decides whether the instance is sent again.",
            )


def role_proposed_when_calling(j: Journal) -> Iterator[Observation]:
    for association in j.associations.values():
        if not association.from_sut or association.request is None:
            continue
        for context in association.proposed:
            if context.get("abstract_syntax") != COMMITMENT:
                continue
            reports = [r for r in results(j) if r.request.association == association.id]
            if not reports and not any(True for _ in requests(j)):
                continue
            role = context.get("scp_role")
            yield judged(
                bool(role),
                "The archive calls back and proposes " + ("the SCP role" if role else "no SCP role"),
                (association.request.seq, *(r.request.seq for r in reports)),
                expected="SCP role selection for storage commitment",
                actual=f"SCU role {context.get('scu_role')}, SCP role {role}",
                locator=f"presentation context {context.get('id')}",
                why="The caller is SCU by default, and an SCU does not report.",
            )


def result_repeated_when_unreachable(j: Journal) -> Iterator[Observation]:
    for seq, until in j.outages(names.MODALITY, names.EVIDENCE_CREATOR):
        if not until:
            continue
        waiting = [r for r in requests(j) if r.request.seq < until and r.status == 0]
        for request in waiting:
            uid = text(request.attributes, "TransactionUID")
            answers = [r for r in results(j) if text(r.attributes, "TransactionUID") == uid]
            if any(r.request.seq < seq for r in answers):
                continue
            late = [r for r in answers if r.request.seq > until]
            yield judged(
                bool(late),
                "The requester was away; "
                + ("the result came after it was back" if late else "no result came once it was back"),
                (request.request.seq, *(r.request.seq for r in late)),
                expected="the result, once the requester can be reached",
                actual=f"{len(late)} result(s)",
                locator="message order",
            )


def other_objects_committed(j: Journal) -> Iterator[Observation]:
    for request in requests(j):
        other = {uid for cls, uid in references(request.attributes, FIELD) if cls.startswith(_NOT_IMAGES)} & _split(
            j, request
        )[0]
        result = next((r for r in results(j) if _request_of(j, r) is request), None)
        if not other or result is None:
            continue
        missing = sorted(other - set(requested(result)))
        yield judged(
            not missing,
            f"{len(other) - len(missing)} of {len(other)} presentation states and documents were committed",
            (request.request.seq, result.request.seq),
            expected=sorted(other),
            actual=listed(sorted(other & set(requested(result)))) or "none",
            locator=FIELD,
            why="A study is more than its images.",
        )


def committed_and_failed_make_the_request(j: Journal) -> Iterator[Observation]:
    for result in results(j):
        request = _request_of(j, result)
        if request is None:
            continue
        answered = requested(result) + _failed(result)
        twice = sorted(uid for uid, times in Counter(answered).items() if times > 1)
        yield same_set(
            requested(request),
            answered,
            what="Committed and failed instances against the request",
            evidence=(request.request.seq, result.request.seq),
            locator=f"{FIELD}, FailedSOPSequence",
            why="An instance that is in neither list is in limbo.",
        )
        yield judged(
            not twice,
            f"{len(twice)} instance(s) are listed more than once in {result.request.label}",
            (request.request.seq, result.request.seq),
            expected="each once",
            actual=listed(twice) or "each once",
            locator=f"{FIELD}, FailedSOPSequence",
        )


_ROWS = (
    ("commit-scp-action", "RAD-10-SCP-01", action_answered, "The request is accepted"),
    ("commit-scp-success", "RAD-10-SCP-02", success_lists_all, "A success lists everything"),
    ("commit-scp-failures", "RAD-10-SCP-03", failures_listed, "Failures are listed apart"),
    ("commit-scp-reasons", "RAD-10-SCP-04", reasons_from_the_defined_set, "Failure reasons are defined ones"),
    ("commit-scp-role", "RAD-10-SCP-05", role_proposed_when_calling, "The SCP role is proposed when calling back"),
    ("commit-scp-repeated", "RAD-10-SCP-06", result_repeated_when_unreachable, "The result is repeated"),
    ("commit-scp-other", "RAD-10-SCP-07", other_objects_committed, "Other objects are committed too"),
    ("commit-scp-sum", "XC-20", committed_and_failed_make_the_request, "Committed and failed make the request"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-10", function, title) for id, req, function, title in _ROWS)
