"""RAD-6 and RAD-7: what order fillers and archives make of performed steps (RAD TF-2 4.6, 4.7, 4.3)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.core.message import Message
from harness.profiles import facts, names
from harness.profiles.hl7_messages import hl7_messages, order_status_messages
from harness.profiles.journal import FROM_SUT, IAN, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.swf.checks.rad06_scp import accepted_before, creates, final_before, in_hex, sets, state_in
from harness.profiles.swf.hl7_journal import HL7Journal
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import Attributes, codes, items, references, shown, text

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
        if operation.final is not None and state_in(operation) == "IN PROGRESS" and not accepted_before(j, operation):
            yield judged(
                operation.status == 0,
                f"A step without any scheduled identifier was answered {in_hex(operation.status)}",
                operation.evidence,
                expected="0000",
                actual=in_hex(operation.status),
                locator="Status",
                why="An emergency is performed first and ordered later.",
            )


def _reported(j: Journal, after: int, state: str, which: Attributes) -> Message | None:
    """The status message of that state for the order of a scheduled item, after the message ``after``."""
    numbers = {
        text(which, key) for key in ("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest")
    }
    known = _order_numbers(j, which) | (numbers - {""})
    for report in order_status_messages(j):
        if report.status == state and report.message.seq > after and (not known or report.numbers & known):
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
    step_id = text(which, "ScheduledProcedureStepID")
    for told in HL7Journal(j).sent:
        if told.transaction == "RAD-4" and step_id in (told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20")):
            found |= {told.placer_number, told.filler_number}
    return found - {""}


def _placer_listens(j: Journal) -> bool:
    """Whether an order filler under test has an Order Placer to report to; one that reports nothing has one, too."""
    if names.ORDER_FILLER not in j.sut.actors:
        return False
    # in a recording nobody says who the receiver is
    return any(m.actor == names.ORDER_PLACER for m in hl7_messages(j)) or any(True for _ in order_status_messages(j))


def _status_reported(j: Journal, grouped: bool, why: str) -> Iterator[Observation]:
    if not _placer_listens(j):
        return
    for operation in creates(j):
        scheduled = _scheduled_ids(operation)
        if operation.status != 0 or (len(scheduled) > 1) != grouped:
            continue
        for number, item in enumerate(scheduled):
            step_id = text(item, "ScheduledProcedureStepID")
            if not step_id:
                continue
            # an order is in progress from the first of its steps on; nobody has to say so again at the next one
            report = _reported(j, _first_start(j, item), "IP", item)
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


def _first_start(j: Journal, item: Attributes) -> int:
    """Where the first accepted N-CREATE for the accession of a scheduled item stands: its own, if it has none."""
    accession, step_id = text(item, "AccessionNumber"), text(item, "ScheduledProcedureStepID")
    return min(
        operation.request.seq
        for operation in creates(j)
        if operation.status == 0
        for other in _scheduled_ids(operation)
        if text(other, "ScheduledProcedureStepID") == step_id
        or (accession and text(other, "AccessionNumber") == accession)
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
    if not _placer_listens(j):
        return
    created = {operation.instance: operation for operation in creates(j) if operation.status == 0}
    done: set[str] = set()
    for operation in sets(j):
        if operation.status != 0 or state_in(operation) != "COMPLETED" or operation.instance not in created:
            continue
        for item in _scheduled_ids(created[operation.instance]):
            done.add(text(item, "ScheduledProcedureStepID"))
            if _open_siblings(j, item, done, operation.request.seq):
                continue
            report = _reported(j, operation.request.seq, "CM", item)
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
        if operation.status == 0 and state_in(operation) == "DISCONTINUED" and operation.instance in created:
            wrong = mpps.WRONG_ENTRY[0] in {c[0] for c in codes(operation.attributes, mpps.REASON)}
            if wrong == wrong_entry:
                yield created[operation.instance], operation


def _not_reported_completed(j: Journal, *, wrong_entry: bool, why: str) -> Iterator[Observation]:
    if not _placer_listens(j):
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
            report = _reported(j, closing.request.seq, "CM", item)
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
        if state_in(closing) != "DISCONTINUED" or closing.instance not in created or final_before(j, closing):
            continue
        reasons = codes(closing.attributes, mpps.REASON)
        if closing.final is None or (reasons and all(c[0] in mpps.REASONS and c[1] == "DCM" for c in reasons)):
            continue
        yield judged(
            closing.status == 0,
            f"A step was discontinued with the reason {shown(reasons)} and answered {in_hex(closing.status)}",
            closing.evidence,
            expected="0000",
            actual=in_hex(closing.status),
            locator=mpps.REASON,
            why="Not every modality codes its reason, and an unknown one is still the end of the step.",
        )


_ROWS = (
    ("mpps-scp-tied", "RAD-6-SCP-07", "RAD-6", step_tied_to_order, "The step is tied to its order"),
    ("mpps-scp-unscheduled", "RAD-6-SCP-08", "RAD-6", unscheduled_accepted, "Unscheduled steps are accepted"),
    ("mpps-scp-grouped", "RAD-6-SCP-09", "RAD-6", grouped_steps_all_started, "Grouped steps are all started"),
    ("mpps-scp-related", "RAD-6-SCP-10", "RAD-6 RAD-49", step_related_to_images, "The step is related to its images"),
    ("mpps-scp-completed", "RAD-7-SCP-04", "RAD-7 RAD-3", completion_reported, "A completed order is reported"),
    ("mpps-scp-discontinued", "RAD-7-SCP-05", "RAD-7", discontinued_is_not_completed, "Discontinued is not completed"),
    ("mpps-scp-wrong-pick", "RAD-7-SCP-07", "RAD-7", wrong_pick_is_not_completed, "A wrong pick is not completed"),
    ("mpps-scp-other-reason", "EX-09", "RAD-6 RAD-7", other_reason_is_plain_discontinue, "Any reason ends a step"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
