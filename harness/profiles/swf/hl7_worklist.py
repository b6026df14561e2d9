"""Checks of what the worklist says after Procedure Scheduled and Procedure Update (RAD-4, RAD-13)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.journal import MWL_FIND, PENDING, TO_SUT, Journal, status_of
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import HL7Journal, Told, day_of
from harness.profiles.swf.hl7_mapping import SEX_IN_DICOM, WORKLIST_MAP
from harness.profiles.swf.hl7_schedules import schedules
from harness.profiles.values import attributes_of, items, text

#: a worklist may leave these out (PS3.4 K.6.1.2.2)
_OPTIONAL = ("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest")


def worklist_agrees(journal: Journal) -> Iterator[Observation]:
    """What the worklist says of a step is what the newest scheduling message about it said."""
    hl7 = HL7Journal(journal)
    scheduled = schedules(hl7)
    for operation in journal.select("C-FIND-RQ", TO_SUT, MWL_FIND):
        for message in operation.responses:
            if status_of(message) not in PENDING:
                continue
            attributes = attributes_of(message)
            for step in items(attributes, "ScheduledProcedureStepSequence")[:1]:
                step_id = text(step, "ScheduledProcedureStepID")
                about = [
                    told
                    for told in scheduled
                    if told.seq < message.seq and step_id in (told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20"))
                ]
                if not step_id or not about:
                    continue
                told = about[-1]
                updated = any(g.seq > told.seq and g.seq < message.seq for g in hl7.asked("RAD-12"))
                for paths, keyword in WORKLIST_MAP:
                    expected = next((told.hl7[path] for path in paths.split("|") if told.hl7[path]), "")
                    if expected and keyword in attributes and not (updated and keyword.startswith("Patient")):
                        actual = text(attributes, keyword)
                        if not actual and keyword in _OPTIONAL:
                            continue
                        same = actual in _in_dicom(told, paths, keyword)
                        yield judged(
                            same,
                            f"{keyword} of {message.label} {'is' if same else 'is not'} that of {told.label}",
                            (message.seq, told.seq),
                            expected=expected,
                            actual=actual,
                            locator=keyword,
                        )


def _in_dicom(told: Told, paths: str, keyword: str) -> set[str]:
    """The ways in which a worklist may say what a message said: any repetition, any of its orders."""
    found: set[str] = set()
    for path in paths.split("|"):
        found.update(told.hl7.values(path))
    if keyword == "PatientBirthDate":
        return {day_of(value) for value in found}
    if keyword == "PatientSex":
        return found.union(*(SEX_IN_DICOM.get(value, ()) for value in found))
    if keyword in _OPTIONAL:  # order numbers, with or without the application that gave them out
        field = paths.split("-")[1].split(".")[0]
        found |= {"^".join(orc.components(int(field))[:2]) for orc in told.hl7.all("ORC")}
    return found


def cancelled_step_gone(journal: Journal) -> Iterator[Observation]:
    """A worklist query after a cancel was acknowledged does not offer its steps."""
    for told in HL7Journal(journal).of("RAD-13"):
        if told.control != "CA" or told.answer is None:
            continue
        steps = set(told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20"))
        for operation in journal.select("C-FIND-RQ", TO_SUT, MWL_FIND):
            if operation.request.seq < told.answer.seq or operation.final is None:
                continue
            offered = {
                text(step, "ScheduledProcedureStepID")
                for message in operation.pending
                for step in items(attributes_of(message), "ScheduledProcedureStepSequence")
            }
            still = sorted(steps & offered)
            yield judged(
                not still,
                f"After {told.label} the worklist {'still has its steps' if still else 'has none of its steps'}",
                (told.seq, operation.request.seq),
                expected="no match",
                actual=", ".join(still) or "no match",
                locator="(0040,0009)",
            )


CHECKS: tuple[Check, ...] = (
    check("RAD-4-SRC-22/worklist", "RAD-4-SRC-22", "RAD-4", worklist_agrees, "Schedule and worklist agree"),
    check("RAD-13-SRC-07/worklist", "RAD-13-SRC-07", "RAD-13", cancelled_step_gone, "A cancelled step is gone"),
)
