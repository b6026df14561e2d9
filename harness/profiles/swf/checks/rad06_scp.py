"""RAD-6, RAD-7, RAD-20 and RAD-21, as managers, order fillers and archives receive them (PS3.4 F.7.2)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import facts, names
from harness.profiles.hl7_messages import order_status_messages
from harness.profiles.journal import FROM_SUT, IAN, MPPS, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.steps import FINAL
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import Attributes, codes, equal, items, listed, references, shown, text

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


def _status(operation: Operation) -> str:
    return text(operation.attributes, "PerformedProcedureStepStatus")


def _accepted_before(j: Journal, operation: Operation) -> bool:
    """Whether the instance of an N-CREATE had been created before."""
    return any(
        other.instance == operation.instance and other.status == 0 and other.request.seq < operation.request.seq
        for other in creates(j)
    )


def _hex(status: int | None) -> str:
    return "none" if status is None else f"{status:04X}"


def create_accepted(j: Journal) -> Iterator[Observation]:
    negative = {data.get("message") for _, data in j.facts(facts.NEGATIVE)}
    for operation in creates(j):
        if _status(operation) != "IN PROGRESS" or _accepted_before(j, operation) or operation.final is None:
            continue
        if operation.request.seq not in negative:
            yield judged(
                operation.status == 0,
                f"{operation.request.label} was answered {_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=_hex(operation.status),
                locator="Status",
                why="A modality that is refused cannot report its exam.",
            )


def _refused(operation: Operation, wanted: int, what: str, why: str) -> Observation:
    return judged(
        operation.status == wanted,
        f"{what} was answered {_hex(operation.status)}",
        operation.evidence,
        expected=f"{wanted:04X}",
        actual=_hex(operation.status),
        locator="Status",
        why=why,
    )


def other_status_refused(j: Journal) -> Iterator[Observation]:
    for operation in creates(j):
        status = _status(operation)
        if operation.final is not None and status and status != "IN PROGRESS" and not _accepted_before(j, operation):
            yield _refused(operation, INVALID_VALUE, f"An N-CREATE with status {status}", "A step begins in progress.")


def duplicate_refused(j: Journal) -> Iterator[Observation]:
    for operation in creates(j):
        if operation.final is not None and _accepted_before(j, operation) and _status(operation) == "IN PROGRESS":
            yield _refused(
                operation,
                DUPLICATE_INSTANCE,
                "An N-CREATE of an instance that exists",
                "A second object of one UID would overwrite the first.",
            )


# -- final state -----------------------------------------------------------------------------------------------


def _final_before(j: Journal, operation: Operation) -> Operation | None:
    return next(
        (
            other
            for other in sets(j)
            if other.instance == operation.instance
            and other.status == 0
            and _status(other) in FINAL
            and other.request.seq < operation.request.seq
        ),
        None,
    )


def set_after_final_refused(j: Journal) -> Iterator[Observation]:
    for operation in sets(j):
        closing = _final_before(j, operation)
        if closing is None or operation.final is None:
            continue
        error = operation.final.fields.get("ErrorID")
        yield judged(
            operation.status == PROCESSING_FAILURE and error == MAY_NOT_BE_CHANGED,
            f"An N-SET of a step that was {_status(closing)} was answered {_hex(operation.status)}"
            + (f" with error id {_hex(error)}" if isinstance(error, int) else " without error id"),
            (closing.request.seq, *operation.evidence),
            expected="0110 with error id A710",
            actual=f"{_hex(operation.status)}, error id {_hex(error) if isinstance(error, int) else 'none'}",
            locator="Status, ErrorID",
            why="What is finished may not be changed by the modality any more.",
        )


def set_of_unknown_refused(j: Journal) -> Iterator[Observation]:
    known = {operation.instance for operation in creates(j) if operation.status == 0}
    for operation in sets(j):
        if operation.final is not None and operation.instance not in known:
            yield _refused(
                operation, NO_SUCH_INSTANCE, "An N-SET of an instance that nobody created", "There is nothing to set."
            )


# -- forwarding ------------------------------------------------------------------------------------------------


def _destinations(j: Journal) -> list[str]:
    """The simulated actors that a manager passes steps on to: those it is not grouped with."""
    return [actor for actor in (names.IMAGE_MANAGER, names.ORDER_FILLER) if actor not in j.sut.actors]


def _away(j: Journal, actor: str) -> list[tuple[int, int]]:
    return [
        (seq, int(data.get("until") or 0))
        for seq, data in j.facts(facts.FAULT_INJECTED)
        if data.get("fault") == "unreachable" and data.get("actor") == actor
    ]


def _copies(j: Journal, operation: Operation, actor: str) -> list[Operation]:
    found = []
    for copy in j.select(operation.request.kind, FROM_SUT, MPPS):
        if copy.request.actor in (actor, "") and copy.instance == operation.instance:
            same_state = operation.request.kind == "N-CREATE-RQ" or _status(copy) == _status(operation)
            if same_state and copy.request.seq > operation.request.seq:
                found.append(copy)
    return found


def _forwarded(j: Journal, operations: Iterator[Operation], why: str) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    for operation in operations:
        if operation.status != 0:
            continue
        for actor in _destinations(j):
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
                f"{operation.request.label} of an Evidence Creator was answered {_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=_hex(operation.status),
                locator="Status",
                why="Evidence is reported like an acquisition.",
            )
    yield from _forwarded(j, (o for o in creates(j) if o.instance in own), "Evidence is reported like an acquisition.")


def repeated_until_destination_is_back(j: Journal) -> Iterator[Observation]:
    if names.PPS_MANAGER not in j.sut.actors:
        return
    for actor in _destinations(j):
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
                    f"With the {actor} away, {operation.request.label} was answered {_hex(operation.status)}",
                    operation.evidence,
                    expected="0000",
                    actual=_hex(operation.status),
                    locator="Status",
                    why="The modality is not concerned with who else is up.",
                )


# -- what receivers make of it ---------------------------------------------------------------------------------


def _scheduled_ids(operation: Operation) -> list[Attributes]:
    return items(operation.attributes, "ScheduledStepAttributesSequence")


def unscheduled_accepted(j: Journal) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors:
        return
    for operation in creates(j):
        scheduled = _scheduled_ids(operation)
        if not scheduled or any(text(item, "ScheduledProcedureStepID") for item in scheduled):
            continue
        if operation.final is not None and _status(operation) == "IN PROGRESS" and not _accepted_before(j, operation):
            yield judged(
                operation.status == 0,
                f"A step without any scheduled identifier was answered {_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=_hex(operation.status),
                locator="Status",
                why="An emergency is performed first and ordered later.",
            )


def _reported(j: Journal, trigger: Operation, state: str, which: Attributes) -> Message | None:
    """The status message of that state for the order of a scheduled item, after ``trigger``."""
    numbers = {
        text(which, key) for key in ("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest")
    }
    known = _order_numbers(j, which) | (numbers - {""})
    for report in order_status_messages(j):
        if (
            report.status == state
            and report.message.seq > trigger.request.seq
            and (not known or report.numbers & known)
        ):
            return report.message
    return None


def _order_numbers(j: Journal, which: Attributes) -> set[str]:
    found: set[str] = set()
    for _, data in j.facts(facts.ORDER):
        keywords = data.get("keywords") or {}
        step = (keywords.get("ScheduledProcedureStepSequence") or [{}])[0]
        if step.get("ScheduledProcedureStepID") != text(which, "ScheduledProcedureStepID"):
            continue
        for key in ("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest"):
            if keywords.get(key):
                found.add(str(keywords[key]).partition("^")[0])
    return found


def _status_reported(j: Journal, grouped: bool, why: str) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors or not any(True for _ in order_status_messages(j)):
        return
    for operation in creates(j):
        scheduled = _scheduled_ids(operation)
        if operation.status != 0 or (len(scheduled) > 1) != grouped:
            continue
        for number, item in enumerate(scheduled):
            step_id = text(item, "ScheduledProcedureStepID")
            if not step_id:
                continue
            report = _reported(j, operation, "IP", item)
            yield judged(
                report is not None,
                f"Step {step_id} was started; the order is "
                + (f"reported in progress by {report.label}" if report else "not reported in progress"),
                (operation.request.seq, *([report.seq] if report else [])),
                expected="an order status IP",
                actual=report.label if report else "none",
                locator=f"ScheduledStepAttributesSequence[{number + 1}]/ScheduledProcedureStepID",
                why=why,
            )


def step_tied_to_order(j: Journal) -> Iterator[Observation]:
    yield from _status_reported(j, False, "The placer learns from it that the exam has begun.")


def grouped_steps_all_started(j: Journal) -> Iterator[Observation]:
    yield from _status_reported(j, True, "Each item of a grouped step stands for a scheduled step of its own.")


def step_related_to_images(j: Journal) -> Iterator[Observation]:
    if names.IMAGE_MANAGER not in j.sut.actors:
        return
    created = {operation.instance: operation for operation in creates(j) if operation.status == 0}
    for notice in j.select("N-CREATE-RQ", FROM_SUT, IAN):
        for _, uid in references(notice.attributes, "ReferencedPerformedProcedureStepSequence"):
            yield judged(
                uid in created,
                f"{notice.request.label} refers to performed step {uid}"
                + ("" if uid in created else ", which nobody announced"),
                (notice.request.seq, *([created[uid].request.seq] if uid in created else [])),
                expected=sorted(created),
                actual=uid,
                locator="ReferencedPerformedProcedureStepSequence",
                why="The receiver looks the step up by this UID.",
            )


def completion_reported(j: Journal) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors or not any(True for _ in order_status_messages(j)):
        return
    created = {operation.instance: operation for operation in creates(j) if operation.status == 0}
    done: set[str] = set()
    for operation in sets(j):
        if operation.status != 0 or _status(operation) != "COMPLETED" or operation.instance not in created:
            continue
        for item in _scheduled_ids(created[operation.instance]):
            done.add(text(item, "ScheduledProcedureStepID"))
            if _open_siblings(j, item, done, operation.request.seq):
                continue
            report = _reported(j, operation, "CM", item)
            yield judged(
                report is not None,
                "All steps of the order are completed; the order is "
                + (f"reported completed by {report.label}" if report else "not reported completed"),
                (operation.request.seq, *([report.seq] if report else [])),
                expected="an order status CM",
                actual=report.label if report else "none",
                locator="ORC-5",
                why="The placer waits for the result of a completed order.",
            )


def _open_siblings(j: Journal, item: Attributes, done: set[str], before: int) -> set[str]:
    """Other scheduled steps of the same accession that are not completed yet."""
    accession = text(item, "AccessionNumber")
    siblings = set()
    for seq, data in j.facts(facts.ORDER):
        keywords = data.get("keywords") or {}
        step = (keywords.get("ScheduledProcedureStepSequence") or [{}])[0]
        if seq < before and accession and keywords.get("AccessionNumber") == accession and not data.get("cancelled"):
            siblings.add(str(step.get("ScheduledProcedureStepID", "")))
    return siblings - done - {""}


def _discontinued(j: Journal, *, wrong_entry: bool) -> Iterator[tuple[Operation, Operation]]:
    created = {operation.instance: operation for operation in creates(j) if operation.status == 0}
    for operation in sets(j):
        if operation.status == 0 and _status(operation) == "DISCONTINUED" and operation.instance in created:
            wrong = mpps.WRONG_ENTRY[0] in {c[0] for c in codes(operation.attributes, mpps.REASON)}
            if wrong == wrong_entry:
                yield created[operation.instance], operation


def _not_reported_completed(j: Journal, *, wrong_entry: bool, why: str) -> Iterator[Observation]:
    if names.ORDER_FILLER not in j.sut.actors or not any(True for _ in order_status_messages(j)):
        return
    for create, closing in _discontinued(j, wrong_entry=wrong_entry):
        for item in _scheduled_ids(create):
            again = any(
                text(other, "ScheduledProcedureStepID") == text(item, "ScheduledProcedureStepID")
                for later in creates(j)
                if later.request.seq > closing.request.seq
                for other in _scheduled_ids(later)
            )
            if again or not text(item, "ScheduledProcedureStepID"):
                continue
            report = _reported(j, closing, "CM", item)
            yield judged(
                report is None,
                f"Step {text(item, 'ScheduledProcedureStepID')} was discontinued; its order is "
                + (f"reported completed by {report.label}" if report else "not reported completed"),
                (closing.request.seq, *([report.seq] if report else [])),
                expected="no order status CM",
                actual=report.label if report else "none",
                locator="ORC-5",
                why=why,
            )


def discontinued_is_not_completed(j: Journal) -> Iterator[Observation]:
    yield from _not_reported_completed(
        j, wrong_entry=False, why="The placer would wait for images that were never made."
    )


def wrong_pick_is_not_completed(j: Journal) -> Iterator[Observation]:
    yield from _not_reported_completed(j, wrong_entry=True, why="The order that was picked by mistake is not done.")


def other_reason_is_plain_discontinue(j: Journal) -> Iterator[Observation]:
    created = {operation.instance for operation in creates(j) if operation.status == 0}
    for closing in sets(j):
        if _status(closing) != "DISCONTINUED" or closing.instance not in created or _final_before(j, closing):
            continue
        reasons = codes(closing.attributes, mpps.REASON)
        if closing.final is None or (reasons and all(c[0] in mpps.REASONS and c[1] == "DCM" for c in reasons)):
            continue
        yield judged(
            closing.status == 0,
            f"A step was discontinued with the reason {shown(reasons)} and answered {_hex(closing.status)}",
            closing.evidence,
            expected="0000",
            actual=_hex(closing.status),
            locator=mpps.REASON,
            why="Not every modality codes its reason, and an unknown one is still the end of the step.",
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
    ("mpps-scp-tied", "RAD-6-SCP-07", "RAD-6", step_tied_to_order, "The step is tied to its order"),
    ("mpps-scp-unscheduled", "RAD-6-SCP-08", "RAD-6", unscheduled_accepted, "Unscheduled steps are accepted"),
    ("mpps-scp-grouped", "RAD-6-SCP-09", "RAD-6", grouped_steps_all_started, "Grouped steps are all started"),
    ("mpps-scp-related", "RAD-6-SCP-10", "RAD-6 RAD-49", step_related_to_images, "The step is related to its images"),
    ("mpps-scp-final", "RAD-7-SCP-01", "RAD-7", set_after_final_refused, "A finished step is not changed"),
    ("mpps-scp-unknown", "RAD-7-SCP-02", "RAD-7", set_of_unknown_refused, "An unknown step is not set"),
    ("mpps-scp-set-forwarded", "RAD-7-SCP-03", "RAD-7", set_forwarded, "N-SET is forwarded"),
    ("mpps-scp-completed", "RAD-7-SCP-04", "RAD-7 RAD-3", completion_reported, "A completed order is reported"),
    ("mpps-scp-discontinued", "RAD-7-SCP-05", "RAD-7", discontinued_is_not_completed, "Discontinued is not completed"),
    ("mpps-scp-wrong-pick", "RAD-7-SCP-07", "RAD-7", wrong_pick_is_not_completed, "A wrong pick is not completed"),
    ("mpps-scp-other-reason", "EX-09", "RAD-6 RAD-7", other_reason_is_plain_discontinue, "Any reason ends a step"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
