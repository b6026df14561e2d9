"""Exceptions and special cases as whole flows, where the rows name a case and not a single message (RAD TF-1 3, 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles import facts, names
from harness.profiles.journal import FROM_SUT, MPPS, MWL_FIND, QUERY_FINDS, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged, same, same_set
from harness.profiles.steps import Case, Steps
from harness.profiles.swf.checks import (
    consistency_cases,
    rad05_scp,
    rad06_scp_orders,
    rad06_scu,
    rad06_scu_cases,
    rad08_scp,
)
from harness.profiles.swf.checks.updates import comparable, patient_updates
from harness.profiles.values import attributes_of, equal, items, text


def _both(*functions: Any) -> Any:
    def run(j: Journal) -> Iterator[Observation]:
        for function in functions:
            yield from function(j)

    return run


unscheduled_exam = _both(rad06_scu.unscheduled_identifiers_empty, consistency_cases.unscheduled_images_agree)
other_procedure_done = rad06_scu_cases.deviation_shows_in_performed_codes
append_case = _both(rad06_scu_cases.append_is_a_new_step, consistency_cases.appended_step_agrees)


def group_of_one_procedure(j: Journal) -> Iterator[Observation]:
    for step in Steps(j).by(names.MODALITY):
        if step.case is not Case.GROUP or len({e.text("RequestedProcedureID") for e in step.worklist}) != 1:
            continue
        yield same_set(
            (entry.step_id for entry in step.worklist),
            (text(item, "ScheduledProcedureStepID") for item in step.scheduled),
            what=f"Scheduled steps of one procedure in {step.label}",
            evidence=(*(entry.seq for entry in step.worklist), step.create.request.seq),
            locator=f"{rad06_scu.SSAS}/ScheduledProcedureStepID",
            why="Both steps were done by one acquisition.",
        )
        used = {text(item, "StudyInstanceUID") for item in step.scheduled}
        yield judged(
            used == {entry.text("StudyInstanceUID") for entry in step.worklist},
            f"{step.label} is in {len(used)} study, as planned",
            (*(entry.seq for entry in step.worklist), step.create.request.seq),
            expected=sorted({entry.text("StudyInstanceUID") for entry in step.worklist}),
            actual=", ".join(sorted(used)) or "(none)",
            locator=f"{rad06_scu.SSAS}/StudyInstanceUID",
            why="One procedure has one study.",
        )


# -- patient updates -------------------------------------------------------------------------------------------


def _answers(j: Journal, patient_id: str, after: int) -> Iterator[tuple[Operation, Mapping[str, Any], int]]:
    for models in (MWL_FIND, QUERY_FINDS):
        for query in j.select("C-FIND-RQ", TO_SUT, models):
            if query.request.seq < after:
                continue
            for message in query.pending:
                attributes = attributes_of(message)
                if text(attributes, "PatientID") == patient_id:
                    yield query, attributes, message.seq


def _new_values_shown(j: Journal, *, archive_only: bool = False) -> Iterator[Observation]:
    updates = patient_updates(j)
    for number, (at, data) in enumerate(updates):
        patient = str(data.get("patient_id") or "")
        until = next((seq for seq, later in updates[number + 1 :] if later.get("patient_id") == patient), None)
        for query, attributes, seq in _answers(j, patient, at):
            if until is not None and seq > until:
                continue
            if archive_only and query.sop_class not in QUERY_FINDS:
                continue
            for keyword, value in (data.get("keywords") or {}).items():
                if keyword in query.attributes:
                    yield same(
                        keyword,
                        value,
                        comparable(keyword, value, text(attributes, keyword)),
                        source="the last update",
                        target="the answer to a query",
                        evidence=(query.request.seq, seq),
                        why="An old name on a new list is a patient who is not found.",
                    )
        retired = str(data.get("retired_patient_id") or "")
        if not retired:
            continue
        for models in (MWL_FIND, QUERY_FINDS):
            for query in j.select("C-FIND-RQ", TO_SUT, models):
                if query.request.seq < at or text(query.attributes, "PatientID") != retired or query.status != 0:
                    continue
                if archive_only and models is MWL_FIND:
                    continue
                yield judged(
                    not query.pending,
                    f"A query by the retired Patient ID {retired} found {len(query.pending)} match(es)",
                    (*query.evidence, *(m.seq for m in query.pending)),
                    expected="no match",
                    actual=f"{len(query.pending)} match(es)",
                    locator="PatientID",
                    why="The retired number leads nowhere any more.",
                )


def updated_values_everywhere(j: Journal) -> Iterator[Observation]:
    yield from _new_values_shown(j, archive_only=True)
    for at, data in patient_updates(j):
        patient = str(data.get("patient_id") or "")
        for store in j.deliveries:
            if store.request.seq < at or text(store.attributes, "PatientID") != patient:
                continue
            for keyword, value in (data.get("keywords") or {}).items():
                if keyword in store.attributes:
                    yield same(
                        keyword,
                        value,
                        comparable(keyword, value, text(store.attributes, keyword)),
                        source="the last update",
                        target=f"retrieved {store.request.label}",
                        evidence=(store.request.seq,),
                        why="Who retrieves the image reads the name in it.",
                    )


def merged_patient_found(j: Journal) -> Iterator[Observation]:
    for at, data in patient_updates(j):
        retired, patient = str(data.get("retired_patient_id") or ""), str(data.get("patient_id") or "")
        if not retired:
            continue
        moved = {
            text(s.attributes, "StudyInstanceUID")
            for s in j.ours
            if text(s.attributes, "PatientID") in (retired, patient) and s.request.seq < at and rad08_scp.taken(s)
        }
        for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
            asked = text(query.attributes, "PatientID")
            if query.request.seq < at or query.status != 0 or asked not in (retired, patient):
                continue
            if text(query.attributes, "QueryRetrieveLevel") != "STUDY":
                continue
            found = {text(attributes_of(m), "StudyInstanceUID") for m in query.pending}
            wanted = set() if asked == retired else moved
            yield judged(
                not found if asked == retired else wanted <= found,
                f"After the merge, {len(found)} study(s) are found under "
                + ("the retired" if asked == retired else "the surviving")
                + f" Patient ID {asked}",
                (*query.evidence, *(m.seq for m in query.pending)),
                expected="none" if asked == retired else sorted(wanted),
                actual=", ".join(sorted(found)) or "none",
                locator="PatientID",
                why="The images of one person are found under one number.",
            )


def updated_in_queries(j: Journal) -> Iterator[Observation]:
    if names.IMAGE_MANAGER in j.sut.actors:
        yield from _new_values_shown(j, archive_only=True)


def objects_updated_and_uids_kept(j: Journal) -> Iterator[Observation]:
    """Retrieved objects hold the update; study, series and instance are those that were stored."""
    for at, data in patient_updates(j):
        known = {str(data.get("patient_id") or ""), str(data.get("retired_patient_id") or "")} - {""}
        for store, delivery in rad08_scp.returned_pairs(j):
            if delivery.request.seq < at or text(store.attributes, "PatientID") not in known:
                continue
            if store.request.seq > at:
                continue
            for keyword, value in (data.get("keywords") or {}).items():
                yield same(
                    keyword,
                    value,
                    comparable(keyword, value, text(delivery.attributes, keyword)),
                    source="the last update",
                    target=f"retrieved {delivery.request.label}",
                    evidence=(store.request.seq, delivery.request.seq),
                    why="Who retrieves the image reads the name in it.",
                )
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                yield same(
                    keyword,
                    text(store.attributes, keyword),
                    text(delivery.attributes, keyword),
                    source="the stored object",
                    target=f"retrieved {delivery.request.label}",
                    evidence=(store.request.seq, delivery.request.seq),
                    why="Everything that refers to the object uses its UIDs.",
                )


def late_images_reconciled(j: Journal) -> Iterator[Observation]:
    """Images that came under the retired number after the merge are found under the surviving one."""
    for at, data in patient_updates(j):
        retired, patient = str(data.get("retired_patient_id") or ""), str(data.get("patient_id") or "")
        late = {
            text(s.attributes, "StudyInstanceUID"): s.request.seq
            for s in j.ours
            if retired and text(s.attributes, "PatientID") == retired and s.request.seq > at and rad08_scp.taken(s)
        }
        for query in j.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
            if text(query.attributes, "PatientID") != patient or query.status != 0:
                continue
            found = {text(attributes_of(m), "StudyInstanceUID") for m in query.pending}
            for study, seq in late.items():
                if query.request.seq < seq or text(query.attributes, "StudyInstanceUID") not in ("", study):
                    continue
                yield judged(
                    study in found,
                    f"Study {study}, which came late under {retired}, is "
                    + ("found" if study in found else "not found")
                    + f" under {patient}",
                    (seq, *query.evidence),
                    expected=study,
                    actual=", ".join(sorted(found)) or "none",
                    locator="StudyInstanceUID",
                    why="The modality did not know yet that the number had changed.",
                )


def matched_with_registration(j: Journal) -> Iterator[Observation]:
    """Case 4: the filler's own registration is merged into that of the ADT, and nothing answers to it any more."""
    if names.ORDER_FILLER in j.sut.actors:
        yield from _identified_later(j, merge=True)


def update_during_exam_reconciled(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for at, _ in patient_updates(j):
        for step in steps.by(names.MODALITY):
            closing = step.closing
            begun = step.create.request.seq < at
            if not begun or (closing is not None and closing.request.seq < at):
                continue
            if any(a.get("action") == "start-step" for _, a in j.actions) and closing is None:
                continue
            yield judged(
                closing is not None,
                f"The patient was updated while {step.label} was in progress; it "
                + ("was ended" if closing is not None else "was never ended"),
                step.evidence,
                expected="the modality ends the step with what it has",
                actual=step.end or "IN PROGRESS",
                locator="PerformedProcedureStepStatus",
                why="An update elsewhere must not leave the exam open.",
            )
    if any(_exam_open_at(j, at) for at, _ in patient_updates(j)):
        yield from _new_values_shown(j)


def _exam_open_at(j: Journal, at: int) -> bool:
    """Whether a performed step was in progress then, of the product or of our modality."""
    for direction in (FROM_SUT, TO_SUT):
        ended = {
            operation.instance
            for operation in j.select("N-SET-RQ", direction, MPPS)
            if operation.request.seq < at
            and text(operation.attributes, "PerformedProcedureStepStatus") in ("COMPLETED", "DISCONTINUED")
        }
        creates = j.select("N-CREATE-RQ", direction, MPPS)
        if any(create.request.seq < at and create.instance not in ended for create in creates):
            return True
    return False


# -- unidentified patients -------------------------------------------------------------------------------------


def _identified_later(j: Journal, *, merge: bool) -> Iterator[Observation]:
    wanted = [data for _, data in patient_updates(j) if bool(data.get("retired_patient_id")) == merge]
    if wanted:
        yield from _new_values_shown(j)


def renamed_later(j: Journal) -> Iterator[Observation]:
    yield from _identified_later(j, merge=False)


def merged_later(j: Journal) -> Iterator[Observation]:
    yield from _identified_later(j, merge=True)


def ordered_after_the_exam(j: Journal) -> Iterator[Observation]:
    """An unscheduled step that we reported is taken; an order scheduled afterwards has its Study Instance UID."""
    for operation in j.select("N-CREATE-RQ", TO_SUT, MPPS):
        found = items(operation.attributes, "ScheduledStepAttributesSequence")
        if not found or any(text(item, "ScheduledProcedureStepID") for item in found) or operation.final is None:
            continue
        yield judged(
            operation.status == 0,
            f"An exam without an order was reported and answered {operation.status:04X}",
            operation.evidence,
            expected="0000",
            actual=f"{operation.status:04X}",
            locator="Status",
            why="The order follows when the patient is known.",
        )
        study, patient = text(found[0], "StudyInstanceUID"), text(operation.attributes, "PatientID")
        for query in j.select("C-FIND-RQ", TO_SUT, MWL_FIND):
            for message in query.pending:
                answer = attributes_of(message)
                late = message.seq > operation.request.seq and equal("PatientID", patient, text(answer, "PatientID"))
                if late and patient:
                    yield judged(
                        text(answer, "StudyInstanceUID") == study,
                        f"The order that followed has Study Instance UID {text(answer, 'StudyInstanceUID')}",
                        (operation.request.seq, message.seq),
                        expected=study,
                        actual=text(answer, "StudyInstanceUID"),
                        locator="StudyInstanceUID",
                        why="The images exist already; only their own UID leads to them.",
                    )


def wrong_pick_still_to_be_done(j: Journal) -> Iterator[Observation]:
    yield from rad05_scp.wrongly_picked_step_offered_again(j)
    yield from rad06_scp_orders.wrong_pick_is_not_completed(j)


def cancelled_order_leaves_worklist(j: Journal) -> Iterator[Observation]:
    yield from rad05_scp.cancelled_steps_gone(j)


def temporary_identity_taken(j: Journal) -> Iterator[Observation]:
    """A patient whom nobody registered: images and step are taken, and found under the real identity afterwards."""
    known = {str((data.get("keywords") or {}).get("PatientID", "")) for _, data in j.facts(facts.ORDER)}
    merges = [data for _, data in patient_updates(j) if data.get("retired_patient_id")]
    for store in j.ours:
        patient = text(store.attributes, "PatientID")
        if not any(patient == str(m.get("retired_patient_id")) for m in merges) or patient in known:
            continue
        if store.final is not None:
            yield judged(
                rad08_scp.taken(store),
                f"An image under the temporary Patient ID {patient} was answered {store.status:04X}",
                store.evidence,
                expected="0000 or a warning",
                actual=f"{store.status:04X}",
                locator="Status",
                why="The patient is treated before anybody knows the name.",
            )
    if merges:
        yield from merged_patient_found(j)


_ROWS = (
    ("case-unscheduled", "EX-17", "RAD-6 RAD-8", unscheduled_exam, "An exam without a worklist entry"),
    ("case-other-procedure", "EX-18", "RAD-6 RAD-8", other_procedure_done, "Another procedure than scheduled"),
    ("case-append", "EX-19", "RAD-6 RAD-8", append_case, "Append after completion"),
    ("case-group-one", "EX-20", "RAD-6 RAD-8", group_of_one_procedure, "Two steps of one procedure"),
    (
        "case-group-two",
        "EX-21",
        "RAD-6 RAD-8",
        rad06_scu_cases.group_of_procedures_shares_a_new_study,
        "Two procedures in one acquisition",
    ),
    ("case-cancel", "EX-01", "RAD-5 RAD-13", cancelled_order_leaves_worklist, "A cancelled order leaves the worklist"),
    ("case-wrong-pick", "EX-08", "RAD-5 RAD-7", wrong_pick_still_to_be_done, "A wrong pick is still to be done"),
    ("case-update-in-exam", "EX-10", "RAD-5 RAD-6 RAD-12", update_during_exam_reconciled, "Update during the exam"),
    ("case-merge", "EX-11", "RAD-12 RAD-14", merged_patient_found, "Merge after images were stored"),
    ("case-renamed", "EX-12", "RAD-5 RAD-12 RAD-14", renamed_later, "Unidentified, renamed later"),
    ("case-merged", "EX-13", "RAD-5 RAD-12 RAD-14", merged_later, "Unidentified, merged later"),
    ("case-ordered-later", "EX-14", "RAD-4 RAD-5 RAD-6 RAD-8", ordered_after_the_exam, "Ordered after the exam"),
    ("case-temporary", "EX-16", "RAD-6 RAD-8 RAD-12", temporary_identity_taken, "A temporary identity"),
    ("case-filler-registered", "EX-15", "RAD-5 RAD-6 RAD-8 RAD-12", matched_with_registration, "Matched with the ADT"),
    ("archive-updated", "RAD-12-DST-04", "RAD-12 RAD-14", updated_in_queries, "Queries show the update"),
    ("archive-merged", "RAD-12-DST-05", "RAD-12 RAD-14", merged_patient_found, "Queries show the merge"),
    (
        "archive-objects-updated",
        "RAD-12-DST-06",
        "RAD-12 RAD-14 RAD-16",
        objects_updated_and_uids_kept,
        "Retrieved objects are updated",
    ),
    (
        "archive-late-images",
        "RAD-12-DST-07",
        "RAD-8 RAD-12 RAD-14",
        late_images_reconciled,
        "Late images are reconciled",
    ),
    ("xc-updated", "XC-24", "RAD-12 RAD-14 RAD-16", updated_values_everywhere, "Updates show everywhere"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
