"""RAD-7 Modality Procedure Step Completed/Discontinued, as the modality sends it (RAD TF-2 4.7, PS3.4 F.7.2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import FROM_SUT, MPPS, Journal, instance_of
from harness.profiles.observe import all_present, all_valued, check, judged, unreadable
from harness.profiles.steps import FINAL, STARTING_ACTIONS, PerformedStep, Steps
from harness.profiles.swf.checks.rad06_scu import modality_steps
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import code, codes, items, listed, normal_time, shown, text, valued

SERIES = "PerformedSeriesSequence"


def parameter_of(j: Journal, step: PerformedStep, name: str) -> str:
    """What the operator was asked of the end of this step ("end", "reason"), "" if nothing is known."""
    following = [s.create.request.seq for s in modality_steps(j) if s.create.request.seq > step.create.request.seq]
    until = min(following, default=None)
    ending = [
        data
        for seq, data in j.actions
        if data.get("action") == "finish-step" and seq > step.create.request.seq and (until is None or seq < until)
    ]
    action = ending[-1] if ending else j.action_before(step.create.request.seq, *STARTING_ACTIONS)
    return str(((action or {}).get("parameters") or {}).get(name) or "")


def step_is_ended(j: Journal) -> Iterator[Observation]:
    steps = modality_steps(j)
    known = {step.uid for step in steps}
    for operation in j.select("N-SET-RQ", FROM_SUT, MPPS):
        if any(o.instance == operation.instance for o in j.select("N-CREATE-RQ", FROM_SUT, MPPS)):
            continue
        if names.PPS_MANAGER not in j.sut.actors and j.maker(operation.request.seq) == names.MODALITY:
            yield judged(
                False,
                f"{operation.request.label} sets {operation.instance or '(no instance)'}, which was never created",
                (operation.request.seq,),
                expected=sorted(known) or "an instance that was created",
                actual=operation.instance or "(empty)",
                locator="RequestedSOPInstanceUID",
                why="The manager cannot tell which step has ended.",
            )
    for step in steps:
        action = j.action_before(step.create.request.seq, *STARTING_ACTIONS)
        finished = any(data.get("action") == "finish-step" for seq, data in j.actions if seq > step.create.request.seq)
        open_on_purpose = action is None or (action.get("action") == "start-step" and not finished)
        if step.closing is None and open_on_purpose:
            continue
        states = [text(o.attributes, "PerformedProcedureStepStatus") for o in step.sets]
        yield judged(
            step.end in FINAL,
            f"{step.label} ended as {step.end}" if step.end else f"{step.label} was never ended",
            step.evidence,
            expected=FINAL,
            actual=step.end or listed(states) or "no N-SET",
            locator="PerformedProcedureStepStatus",
            why="A step that stays in progress blocks its order and its availability notice.",
        )


def end_time_valued_and_after_start(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.closing is None:
            continue
        state = step.current
        yield from all_valued(
            state,
            ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime"),
            step.closing.request,
            why="The final state has an end.",
        )
        start = _moment(text(state, "PerformedProcedureStepStartDate"), text(state, "PerformedProcedureStepStartTime"))
        end = _moment(text(state, "PerformedProcedureStepEndDate"), text(state, "PerformedProcedureStepEndTime"))
        if start and end:
            yield judged(
                start <= end,
                f"{step.label} began {start} and ended {end}",
                step.evidence,
                expected=f"{start} or later",
                actual=end,
                locator="PerformedProcedureStepEndDate, PerformedProcedureStepEndTime",
                why="Nothing ends before it begins.",
            )


def _moment(date: str, time: str) -> str:
    return f"{date} {normal_time(time)}" if date and time else ""


def series_items_valued(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.closing is None:
            continue
        yield judged(
            bool(step.series),
            f"The final state of {step.label} has {len(step.series)} series item(s)",
            step.evidence,
            expected="1 item or more",
            actual=f"{len(step.series)} item(s)",
            locator=SERIES,
            why="Even a step without images has an item: it says that there are none.",
        )
        for number, series in enumerate(step.series):
            yield from all_valued(series, mpps.SERIES_TYPE_1, step.closing.request, where=f"{SERIES}[{number + 1}]/")


def series_items_whole(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.closing is None:
            continue
        for number, series in enumerate(step.series):
            yield from all_present(
                series,
                mpps.SERIES_TYPE_2,
                step.closing.request,
                where=f"{SERIES}[{number + 1}]/",
                why="The attribute is of type 2 in the final state.",
            )


def all_instances_referenced(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        if step.closing is None:
            continue
        stored = {
            instance_of(s): text(s.attributes, "SeriesInstanceUID")
            for s in j.stores_of(names.MODALITY)
            if steps.of(s) is step
        }
        if not stored:
            continue
        listed_instances = step.referenced
        missing = sorted(set(stored) - set(listed_instances))
        misplaced = sorted(uid for uid in stored if uid in listed_instances and listed_instances[uid] != stored[uid])
        yield judged(
            not missing and not misplaced,
            f"The final state of {step.label} references {len(set(stored) & set(listed_instances))} of "
            f"{len(stored)} stored instance(s)" + (f", {len(misplaced)} in a wrong series" if misplaced else ""),
            (*step.evidence, *(s.request.seq for s in j.stores_of(names.MODALITY) if steps.of(s) is step)),
            expected=listed(sorted(stored)),
            actual=(f"missing: {listed(missing)}" if missing else "")
            + (f" wrong series: {listed(misplaced)}" if misplaced else "")
            or "all",
            locator=f"{SERIES}/ReferencedImageSequence",
            why="An archive that compares the list with what arrived takes the study for incomplete or too large.",
        )


def sequences_set_whole(j: Journal) -> Iterator[Observation]:
    # an image that was rejected after a report of progress leaves the list with good reason: one that was stored not
    stored = {instance_of(s) for s in j.stores_of(names.MODALITY)}
    for step in modality_steps(j):
        earlier: dict[str, set[str]] = {}
        for operation in step.sets:
            if SERIES not in operation.attributes:
                continue
            current = {text(s, "SeriesInstanceUID"): _references(s) for s in items(operation.attributes, SERIES)}
            if earlier:
                lost = sorted(set(earlier) - set(current))
                gone = set().union(*earlier.values()) - set().union(*current.values())
                images = sorted(gone & stored)
                yield judged(
                    not lost and not images,
                    f"{operation.request.label} sends {len(current)} series"
                    + (f" and leaves out {len(lost)} that an earlier N-SET had" if lost else ", none is lost")
                    + (f", but {len(images)} instance(s) that an earlier N-SET had" if images else ""),
                    (step.create.request.seq, operation.request.seq),
                    expected=sorted(earlier),
                    actual=listed(sorted(current)) + (f" without {listed(images)}" if images else ""),
                    locator=SERIES,
                    why="A sequence in an N-SET replaces the one before it: what is left out is gone.",
                )
            earlier = current


def _references(series: Mapping[str, Any]) -> set[str]:
    keywords = ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
    return {text(item, "ReferencedSOPInstanceUID") for keyword in keywords for item in items(series, keyword)} - {""}


def fixed_attributes_not_set(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        for operation in step.sets:
            if (problem := unreadable(operation.request)) is not None:
                yield problem
                continue
            found = [keyword for keyword in mpps.NOT_IN_SET if keyword in operation.attributes]
            yield judged(
                not found,
                f"{operation.request.label} holds "
                + (f"{listed(found)}, which may not be set" if found else "nothing that may not be set"),
                (operation.request.seq,),
                expected="none of the attributes that are fixed at creation",
                actual=listed(found) or "none",
                locator=listed(found) or "N-SET",
                why="A strict manager refuses the whole N-SET, and the step stays in progress.",
            )


def nothing_after_the_end(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.closing is None:
            continue
        accepted = step.closing.status in (0, None)
        later = [o for o in step.sets if o.request.seq > step.closing.request.seq] if accepted else []
        yield judged(
            not later,
            f"After the end of {step.label} came {len(later)} N-SET(s)",
            (*step.evidence, *(o.request.seq for o in later)),
            expected="none",
            actual=listed(o.request.label for o in later) or "none",
            locator="message order",
            why="A finished step is closed for the modality; more work is a new step.",
        )


def end_not_held_up_by_storage(j: Journal) -> Iterator[Observation]:
    for _, data in j.facts(facts.FAULT_INJECTED):
        if data.get("fault") != "store-stalled":
            continue
        answered = int(data.get("message") or 0)
        for step in modality_steps(j):
            if step.closing is None or step.create.request.seq > answered:
                continue
            at = step.closing.request.seq
            yield judged(
                at < answered,
                f"{step.label} was ended {'while' if at < answered else 'only after'} the archive held back its answer",
                (*step.evidence, answered),
                expected="the N-SET does not wait for the archive",
                actual=f"N-SET #{at}, answer of the archive #{answered}",
                locator="message order",
            )


# -- billing ---------------------------------------------------------------------------------------------------


def billing_reported(j: Journal) -> Iterator[Observation]:
    if names.BILLING not in j.sut.options:
        return
    for step in modality_steps(j):
        if step.end != "COMPLETED":
            continue
        found = [keyword for keyword in mpps.BILLING if valued(step.current, keyword)]
        yield judged(
            bool(found),
            f"The final state of {step.label} has {listed(found) or 'no billing codes, films or supplies'}",
            step.evidence,
            expected=mpps.BILLING,
            actual=listed(found) or "none",
            locator=listed(mpps.BILLING),
            why="The option promises at least one of them.",
        )


def billing_items_whole(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.closing is None:
            continue
        message = step.closing.request
        for number, item in enumerate(items(step.current, "BillingProcedureStepSequence")):
            yield judged(
                all(code(item)),
                f"Billing code {number + 1} of {step.label} is {shown([item])}",
                step.evidence,
                expected="value, scheme and meaning",
                actual=shown([item]),
                locator=f"BillingProcedureStepSequence[{number + 1}]",
            )
        for number, item in enumerate(items(step.current, "FilmConsumptionSequence")):
            yield from all_valued(item, mpps.FILM_ITEM, message, where=f"FilmConsumptionSequence[{number + 1}]/")
        for number, item in enumerate(items(step.current, "BillingSuppliesAndDevicesSequence")):
            where = f"BillingSuppliesAndDevicesSequence[{number + 1}]/"
            supply = codes(item, "BillingItemSequence")
            quantities = items(item, "QuantitySequence")
            ok = bool(supply) and all(all(c) for c in supply) and any(valued(q, "Quantity") for q in quantities)
            yield judged(
                ok,
                f"Supply {number + 1} of {step.label} is {shown(supply)} with {len(quantities)} quantity item(s)",
                step.evidence,
                expected="a code and a quantity",
                actual=f"{shown(supply)}, {shown(quantities)}",
                locator=f"{where}BillingItemSequence",
            )


_ROWS = (
    ("mpps-ended", "RAD-7-SCU-01", "RAD-7", step_is_ended, "The step is ended"),
    ("mpps-end-time", "RAD-7-SCU-02", "RAD-7", end_time_valued_and_after_start, "The end is valued and not too early"),
    ("mpps-series", "RAD-7-SCU-03", "RAD-7", series_items_valued, "The final state has series"),
    ("mpps-series-type-2", "RAD-7-SCU-04", "RAD-7", series_items_whole, "Series items are whole"),
    ("mpps-all-instances", "RAD-7-SCU-05", "RAD-7 RAD-8", all_instances_referenced, "All instances are referenced"),
    ("mpps-whole-sequences", "RAD-7-SCU-06", "RAD-7", sequences_set_whole, "Sequences are sent whole"),
    ("mpps-fixed", "RAD-7-SCU-07", "RAD-7", fixed_attributes_not_set, "Fixed attributes are not set"),
    ("mpps-closed", "RAD-7-SCU-08", "RAD-7", nothing_after_the_end, "Nothing follows the end"),
    ("mpps-end-prompt", "RAD-7-SCU-09", "RAD-7", end_not_held_up_by_storage, "The end does not wait for the archive"),
    ("mpps-billing", "RAD-7-SCU-14", "RAD-7", billing_reported, "Billing codes, films or supplies are reported"),
    ("mpps-billing-items", "RAD-7-SCU-15", "RAD-7", billing_items_whole, "Billing items are whole"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
