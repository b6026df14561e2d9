"""RAD-6 Modality Procedure Step In Progress: group and append cases, and what was really done (RAD TF-2 4.6)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, MPPS, Journal
from harness.profiles.observe import check, judged, same, same_set
from harness.profiles.steps import STARTING_ACTIONS, Case, PerformedStep, Steps
from harness.profiles.swf.checks.rad06_scu import SSAS, modality_steps
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import codes, listed, references, shown, text

# -- group and append ------------------------------------------------------------------------------------------


def _procedures(step: PerformedStep) -> set[str]:
    return {entry.text("RequestedProcedureID") for entry in step.worklist} - {""}


def group_has_one_item_for_each_step(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.case is not Case.GROUP:
            continue
        seq = step.create.request.seq
        wanted = [entry.step_id for entry in step.worklist]
        yield same_set(
            wanted,
            (text(item, "ScheduledProcedureStepID") for item in step.scheduled),
            what=f"Scheduled steps of grouped {step.label}",
            evidence=(*(entry.seq for entry in step.worklist), seq),
            locator=f"{SSAS}/ScheduledProcedureStepID",
            why="A scheduled step that is not named stays open on the worklist.",
        )
        copied = mpps.COPIED if len(_procedures(step)) < 2 else mpps.SCHEDULED_TYPE_2
        for number, (item, entry) in enumerate(zip(step.scheduled, step.entries, strict=True)):
            if entry is None:
                continue
            for keyword in copied:
                if keyword == "ReferencedStudySequence" and len(_procedures(step)) > 1:
                    continue  # judged where several procedures share a study
                yield same(
                    keyword,
                    entry.attributes.get(keyword),
                    item.get(keyword),
                    source=f"the worklist entry {entry.step_id}",
                    target=f"item {number + 1} of {step.label}",
                    evidence=(entry.seq, seq),
                    locator=f"{SSAS}[{number + 1}]/{keyword}",
                    why="Each item carries the identifiers of its own order.",
                )


def group_of_procedures_shares_a_new_study(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.case is not Case.GROUP or len(_procedures(step)) < 2:
            continue
        seq = step.create.request.seq
        evidence = (*(entry.seq for entry in step.worklist), seq)
        used = {text(item, "StudyInstanceUID") for item in step.scheduled}
        planned = {entry.text("StudyInstanceUID") for entry in step.worklist}
        named = {entry.text("StudyInstanceUID") for entry in step.entries if entry is not None}
        yield judged(
            len(used) == 1 and not used & planned,
            f"The items of grouped {step.label} hold {len(used)} Study Instance UID(s)"
            + (", one of them from the worklist" if used & planned else ", none from the worklist"),
            evidence,
            expected="one new Study Instance UID in every item",
            actual=listed(sorted(used)) or "none",
            locator=f"{SSAS}/StudyInstanceUID",
            why="Images acquired together are one study, and it is neither of the two planned ones.",
        )
        kept = {uid for item in step.scheduled for _, uid in references(item, "ReferencedStudySequence")}
        yield judged(
            named <= kept,
            f"{len(named & kept)} of {len(named)} planned studies are kept in Referenced Study Sequence",
            evidence,
            expected=sorted(named),
            actual=listed(sorted(kept)) or "none",
            locator=f"{SSAS}/ReferencedStudySequence",
            why="It is the only link from the study to the procedures that were ordered.",
        )


def _appended_without_step(j: Journal) -> Iterator[Observation]:
    """Work that was asked to be appended and came without an N-CREATE of its own."""
    for number, (seq, data) in enumerate(j.actions):
        if data.get("action") != "append-to-step":
            continue
        until = j.actions[number + 1][0] if number + 1 < len(j.actions) else float("inf")
        later = [s for s in j.stores_of(names.MODALITY) if seq < s.request.seq < until]
        later += [o for o in j.select("N-SET-RQ", FROM_SUT, MPPS) if seq < o.request.seq < until]
        created = [o for o in j.select("N-CREATE-RQ", FROM_SUT, MPPS) if seq < o.request.seq < until]
        if later and not created:
            yield judged(
                False,
                f"Work was appended: {len(later)} message(s) came and no performed step was announced for it",
                tuple(o.request.seq for o in later),
                expected="a new MPPS instance with a new Performed Procedure Step ID",
                actual="no N-CREATE",
                locator="message order",
                why="A finished step is not added to; what comes later is a step of its own.",
            )


def append_is_a_new_step(j: Journal) -> Iterator[Observation]:
    yield from _appended_without_step(j)
    steps = Steps(j)
    by_uid = {step.uid: step for step in steps.all}
    for step in steps.by(names.MODALITY):
        if step.case is not Case.APPEND or not step.earlier:
            continue
        first = by_uid[step.earlier[-1]]
        evidence = (first.create.request.seq, step.create.request.seq)
        ids = (text(first.attributes, "PerformedProcedureStepID"), text(step.attributes, "PerformedProcedureStepID"))
        yield judged(
            ids[0] != ids[1] and bool(ids[1]) and step.uid != first.uid,
            f"Appended {step.label} has id {ids[1] or '(none)'}, the first one {ids[0] or '(none)'}",
            evidence,
            expected="a new MPPS instance with a new Performed Procedure Step ID",
            actual=ids[1] or "(empty)",
            locator="PerformedProcedureStepID",
            why="A finished step is not added to; what comes later is a step of its own.",
        )
        for keyword in mpps.COPIED:
            yield same(
                keyword,
                (first.scheduled or ({},))[0].get(keyword),
                (step.scheduled or ({},))[0].get(keyword),
                source="the first performed step",
                target=f"appended {step.label}",
                evidence=evidence,
                locator=f"{SSAS}[1]/{keyword}",
                why="Both performed steps belong to the same scheduled one.",
            )


# -- what was really done --------------------------------------------------------------------------------------

_PLANNED = (
    ("ProcedureCodeSequence", "RequestedProcedureCodeSequence"),
    ("PerformedProtocolCodeSequence", "ScheduledProtocolCodeSequence"),
)


#: what says which work was planned; the identifiers beside it are judged as copies
_DESCRIPTIVE = ("RequestedProcedureDescription", "ScheduledProcedureStepDescription", "ScheduledProtocolCodeSequence")


def _asked_protocol(j: Journal, step: PerformedStep) -> str:
    action = j.action_before(step.create.request.seq, *STARTING_ACTIONS)
    return str(((action or {}).get("parameters") or {}).get("protocol") or "")


def deviation_shows_in_performed_codes(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        entry = step.entry
        if entry is None:
            continue
        asked = _asked_protocol(j, step)
        deviating = [
            performed
            for performed, planned in _PLANNED
            if codes(step.current, performed) and codes(step.current, performed) != codes(entry.attributes, planned)
        ]
        planned_codes = {c[0] for _, planned in _PLANNED for c in codes(entry.attributes, planned)}
        if not deviating and (not asked or asked in planned_codes):
            continue
        if asked and asked not in planned_codes:
            yield judged(
                bool(deviating),
                f"Protocol {asked} was performed instead of the scheduled one; "
                + (f"{listed(deviating)} says so" if deviating else "the performed codes still say what was scheduled"),
                (entry.seq, *step.evidence),
                expected=f"the code of what was done ({asked})",
                actual=shown(codes(step.current, "PerformedProtocolCodeSequence")),
                locator="PerformedProtocolCodeSequence",
                why="The order filler bills and archives what was done, not what was planned.",
            )
        for keyword in _DESCRIPTIVE:
            yield same(
                keyword,
                entry.attributes.get(keyword),
                (step.scheduled or ({},))[0].get(keyword),
                source="the worklist",
                target=f"{step.label}, scheduled step attributes",
                evidence=(entry.seq, step.create.request.seq),
                locator=f"{SSAS}[1]/{keyword}",
                why="A deviation shows in performed attributes; what was scheduled stays as it was.",
            )


def performed_protocol_coded(j: Journal) -> Iterator[Observation]:
    if names.ASSISTED_PROTOCOL not in j.sut.options:
        return
    for step in modality_steps(j):
        entry = step.entry
        if entry is None or step.end != "COMPLETED":
            continue
        scheduled = codes(entry.attributes, "ScheduledProtocolCodeSequence")
        performed = codes(step.current, "PerformedProtocolCodeSequence")
        if not scheduled:
            continue
        changed = _asked_protocol(j, step) not in ("", *(c[0] for c in scheduled))
        yield judged(
            bool(performed) and (changed or performed == scheduled),
            f"{step.label} was performed with {shown(performed)}",
            (entry.seq, *step.evidence),
            expected=shown(scheduled) if not changed else "the code of the protocol that was used",
            actual=shown(performed),
            locator="PerformedProtocolCodeSequence",
            why="The option promises that a coded protocol is taken over and reported.",
        )


_ROWS = (
    ("mpps-group-items", "RAD-6-SCU-11", group_has_one_item_for_each_step, "One item for each grouped step"),
    ("mpps-group-study", "RAD-6-SCU-12", group_of_procedures_shares_a_new_study, "Grouped procedures share a study"),
    ("mpps-append", "RAD-6-SCU-13", append_is_a_new_step, "Appended work is a new performed step"),
    ("mpps-deviation", "RAD-6-SCU-14", deviation_shows_in_performed_codes, "A deviation shows in performed codes"),
    ("mpps-assisted-protocol", "RAD-6-SCU-15", performed_protocol_coded, "The performed protocol is coded"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-6", function, title) for id, req, function, title in _ROWS)
