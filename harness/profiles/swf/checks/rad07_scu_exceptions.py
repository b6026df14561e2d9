"""RAD-7: steps that were discontinued, and why (RAD TF-2 4.7, PS3.16 CID 9300)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import Journal, instance_of
from harness.profiles.observe import check, judged
from harness.profiles.steps import PerformedStep, Steps
from harness.profiles.swf.checks.rad06_scu import modality_steps
from harness.profiles.swf.checks.rad07_scu import SERIES, parameter_of
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import code, codes, items, listed, shown

# -- discontinued ----------------------------------------------------------------------------------------------


def unfinished_is_discontinued(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        asked = parameter_of(j, step, "end").upper()
        if asked in ("DISCONTINUED", "ABANDONED", "CANCELLED"):
            yield judged(
                step.end == "DISCONTINUED",
                f"The exam was broken off; {step.label} ended as {step.end or 'nothing at all'}",
                step.evidence,
                expected="DISCONTINUED",
                actual=step.end or "IN PROGRESS",
                locator="PerformedProcedureStepStatus",
                why="COMPLETED says that everything was done that was to be done.",
            )
        elif asked == "COMPLETED" and step.closing is not None:
            yield judged(
                step.end == "COMPLETED",
                f"The exam was finished; {step.label} ended as {step.end}",
                step.evidence,
                expected="COMPLETED",
                actual=step.end,
                locator="PerformedProcedureStepStatus",
            )
        elif not asked and step.end == "DISCONTINUED":
            yield judged(True, f"{step.label} ended as DISCONTINUED", step.evidence, actual="DISCONTINUED")


def reason_from_context_group(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        reasons = items(step.closing.attributes if step.closing else {}, mpps.REASON)
        reasons = [reason for reason in reasons if reason]
        if not reasons or step.closing is None:
            continue
        found = [code(reason) for reason in reasons]
        ok = len(found) == 1 and found[0][0] in mpps.REASONS and found[0][1] == "DCM" and bool(found[0][2])
        yield judged(
            ok,
            f"{step.label} was discontinued for {shown(found)}",
            step.evidence,
            expected="one code of CID 9300",
            actual=shown(found),
            locator=mpps.REASON,
            why="The order filler decides by this code whether to schedule the exam again.",
        )


def _is_wrong_entry(reason: str) -> bool:
    return mpps.WRONG_ENTRY[0] in reason or "worklist entry" in reason.lower()


def _wrong_entry_sent(step: PerformedStep) -> bool:
    state = step.closing.attributes if step.closing is not None else {}
    return any(c[:2] == mpps.WRONG_ENTRY for c in codes(state, mpps.REASON))


def wrong_entry_coded(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        asked = _is_wrong_entry(parameter_of(j, step, "reason"))
        if not asked and not _wrong_entry_sent(step):
            continue
        yield judged(
            step.end == "DISCONTINUED" and _wrong_entry_sent(step),
            f"The wrong entry was selected; {step.label} ended as {step.end or 'nothing at all'} for "
            + shown(codes(step.current, mpps.REASON)),
            step.evidence,
            expected='DISCONTINUED for (110514, DCM, "Incorrect worklist entry selected")',
            actual=f"{step.end or 'IN PROGRESS'} {shown(codes(step.current, mpps.REASON))}",
            locator=mpps.REASON,
            why="This code makes the archive hide the images and the order filler reopen the order.",
        )


def wrong_entry_done_anew(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    found = steps.by(names.MODALITY)
    for number, step in enumerate(found):
        later = found[number + 1] if number + 1 < len(found) else None
        if later is None or not _wrong_entry_sent(step):
            continue
        first = {instance_of(s) for s in j.stores if steps.of(s) is step}
        again = {instance_of(s) for s in j.stores if steps.of(s) is later}
        both = sorted(first & again)
        ids = [entry.step_id for entry in later.worklist]
        yield judged(
            not both and later.uid != step.uid and ids != [entry.step_id for entry in step.worklist],
            f"After the wrong entry {later.label} was performed for step {listed(ids) or '(none)'} with "
            f"{len(again)} image(s), {len(both)} of them under UIDs that were used before",
            (*step.evidence, *later.evidence),
            expected="a new performed step on the right entry, images with new SOP Instance UIDs",
            actual=f"{len(both)} UID(s) used twice",
            locator="SOPInstanceUID",
            why="One UID for two patients is the worst that an archive can be given.",
        )


# -- exceptions ------------------------------------------------------------------------------------------------


def abandoned_without_images(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        if step.end != "DISCONTINUED" or any(steps.of(s) is step for s in j.stores):
            continue
        yield judged(
            bool(step.series) and not step.referenced,
            f"{step.label} was abandoned; its final state has {len(step.series)} series item(s) and "
            f"{len(step.referenced)} reference(s)",
            step.evidence,
            expected="one series item or more, no references",
            actual=f"{len(step.series)} item(s), {len(step.referenced)} reference(s)",
            locator=SERIES,
            why="An archive waits for every instance that is referenced.",
        )


def discontinued_lists_its_images(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        stored = {instance_of(s) for s in j.stores if steps.of(s) is step}
        if step.end != "DISCONTINUED" or not stored:
            continue
        missing = sorted(stored - set(step.referenced))
        yield judged(
            not missing,
            f"{step.label} was broken off after {len(stored)} image(s); {len(missing)} of them are not referenced",
            step.evidence,
            expected=listed(sorted(stored)),
            actual=f"missing: {listed(missing)}" if missing else "all",
            locator=f"{SERIES}/ReferencedImageSequence",
            why="Images of a broken-off exam are still images of the patient.",
        )


def reason_can_be_chosen(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        asked = parameter_of(j, step, "reason")
        wanted = next((number for number in mpps.REASONS if number in asked), "")
        if not wanted:
            continue
        found = codes(step.current, mpps.REASON)
        yield judged(
            any(c[0] == wanted and c[1] == "DCM" for c in found),
            f"The reason {wanted} was chosen; {step.label} says {shown(found)}",
            step.evidence,
            expected=f"({wanted}, DCM)",
            actual=shown(found),
            locator=mpps.REASON,
            why="The reason decides what happens to the order.",
        )


_ROWS = (
    ("mpps-discontinued", "RAD-7-SCU-10", "RAD-7", unfinished_is_discontinued, "Unfinished is discontinued"),
    ("mpps-reason", "RAD-7-SCU-11", "RAD-7", reason_from_context_group, "The reason is one of CID 9300"),
    ("mpps-wrong-entry", "RAD-7-SCU-12", "RAD-7", wrong_entry_coded, "A wrong entry is coded as such"),
    ("mpps-wrong-entry-anew", "RAD-7-SCU-13", "RAD-7 RAD-8", wrong_entry_done_anew, "A wrong entry is done anew"),
    ("mpps-abandoned", "EX-04", "RAD-7", abandoned_without_images, "An abandoned step has empty references"),
    ("mpps-broken-off", "EX-05", "RAD-7 RAD-8", discontinued_lists_its_images, "A broken-off step lists its images"),
    ("mpps-reason-chosen", "EX-06", "RAD-7", reason_can_be_chosen, "The reason can be chosen"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
