"""Checks of Appointment Notification (RAD-48) over messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.check import Check, Observation
from harness.profiles.journal import Journal
from harness.profiles.observe import check
from harness.profiles.swf.hl7_journal import HL7Journal, Told
from harness.profiles.swf.hl7_orders import accepted, said
from harness.profiles.swf.hl7_patients import structure_of


def appointment_triggers(journal: Journal) -> Iterator[Observation]:
    """S12 first, S13 and S15 for an appointment that was made."""
    made: dict[str, Told] = {}
    for told in HL7Journal(journal).of("RAD-48"):
        trigger, number = told.hl7.trigger, told.hl7["SCH-2.1"]
        wanted = _appointment_event(journal, told)
        if wanted:
            ok = trigger == wanted
            yield said(told, ok, f"The trigger of {told.label} is {trigger}", "MSH-9.2", wanted)
            continue
        first = number not in made
        ok = trigger in ("S12", "S13", "S15") and not (trigger == "S12" and not first)
        yield said(told, ok, f"The trigger of {told.label} is {trigger}", "MSH-9.2", "S12, S13 or S15")
        made.setdefault(number, told)


def _appointment_event(journal: Journal, told: Told) -> str:
    action: Mapping[str, Any] | None = journal.action_before(told.seq, "book-appointment")
    event = str(action.get("parameters", {}).get("event", "")) if action else ""
    return event if event in ("S12", "S13", "S15") else ""


def appointment_structure(journal: Journal) -> Iterator[Observation]:
    """SCH, patient, resources with services."""
    for told in HL7Journal(journal).of("RAD-48"):
        yield from structure_of(told)


def appointment_order_number(journal: Journal) -> Iterator[Observation]:
    """SCH-26 is the placer number of the order with the filler number in SCH-27, as RAD-2 or RAD-3 dealt it out."""
    hl7 = HL7Journal(journal)
    dealt = {g.placer_number for g in hl7.asked("RAD-2") if g.control == "NW"}
    dealt |= {o.answer.placer_number for o in hl7.of("RAD-3") if o.control == "SN" and o.answer is not None}
    for told in hl7.of("RAD-48"):
        number = told.hl7["SCH-27.1"]
        linked = {o.placer_number for o in hl7.of("RAD-4") if o.filler_number == number and o.seq < told.seq}
        expected = (linked & dealt) or dealt
        if expected - {""}:
            actual = told.hl7["SCH-26.1"]
            summary = f"SCH-26 of {told.label} is {actual or 'empty'}"
            yield said(told, actual in expected, summary, "SCH-26.1", " or ".join(sorted(expected)))


def appointment_constant(journal: Journal) -> Iterator[Observation]:
    """S13 and S15 have the SCH-2 of an S12 for the same order."""
    appointments = HL7Journal(journal).of("RAD-48")
    for told in appointments:
        if told.hl7.trigger not in ("S13", "S15"):
            continue
        before = [o for o in appointments if o.seq < told.seq and o.hl7.trigger == "S12"]
        same = [o for o in before if o.hl7["SCH-27.1"] == told.hl7["SCH-27.1"]]
        for source in (same or before)[-1:]:
            for path in ("SCH-1.1", "SCH-2.1"):
                expected = source.hl7[path]
                if expected:
                    ok = told.hl7[path] == expected
                    summary = f"{path} of {told.label} {'is' if ok else 'is not'} that of {source.label}"
                    yield said(told, ok, summary, path, expected, source)


def appointment_accepted(journal: Journal) -> Iterator[Observation]:
    """S12, S13 and S15 are acknowledged with AA."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-48"):
        if told.hl7.trigger in ("S12", "S13", "S15") and told.seq not in hl7.negative:
            yield accepted(told, "The appointment")


CHECKS: tuple[Check, ...] = (
    check("RAD-48-SRC-01/trigger", "RAD-48-SRC-01", "RAD-48", appointment_triggers, "Appointments have their trigger"),
    check("RAD-48-SRC-02/structure", "RAD-48-SRC-02", "RAD-48", appointment_structure, "Segments are in order"),
    check("RAD-48-SRC-03/order", "RAD-48-SRC-03", "RAD-48", appointment_order_number, "SCH-26 is the order's number"),
    check("RAD-48-SRC-04/constant", "RAD-48-SRC-04", "RAD-48", appointment_constant, "Appointment IDs are constant"),
    check("RAD-48-DST-01/accepted", "RAD-48-DST-01", "RAD-48", appointment_accepted, "Appointments are accepted"),
)
