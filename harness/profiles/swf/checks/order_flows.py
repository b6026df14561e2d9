"""Flows of HL7 messages as a whole, and the version that a claim of SWF.b demands (RAD TF-1 3 and 34)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import MPPS, TO_SUT, Journal
from harness.profiles.observe import check, judged
from harness.profiles.steps import FINAL
from harness.profiles.swf.checks.rad06_scp import in_hex, state_in
from harness.profiles.swf.hl7_journal import HL7Journal, Told
from harness.profiles.swf.hl7_orders import begun_before
from harness.profiles.values import listed

# -- the version of HL7 --------------------------------------------------------------------------------------------


def _new_is_used(j: Journal) -> bool:
    """Whether the exchange is one of SWF.b: nothing else is claimed, or somebody in it speaks v2.5.1."""
    if "SWF.b" not in j.sut.profiles:
        return False
    hl7 = HL7Journal(j)
    return "SWF" not in j.sut.profiles or any(told.hl7.version == "2.5.1" for told in (*hl7.given, *hl7.sent))


def _new_form(j: Journal, transactions: tuple[str, ...], kind: str) -> Iterator[Observation]:
    """Products that claim SWF.b send these transactions in the form of v2.5.1."""
    if not _new_is_used(j):
        return
    for told in HL7Journal(j).sent:
        if told.transaction not in transactions or (kind == "OMG" and told.hl7.type in ("ORG", "ORR")):
            continue
        ok = told.hl7.type == kind and "ZDS" not in told.hl7 and (kind != "OMI" or "IPC" in told.hl7)
        yield judged(
            ok,
            f"{told.label} is of type {told.hl7.type}" + (" with a ZDS segment" if "ZDS" in told.hl7 else ""),
            (told.seq,),
            expected=f"{kind} of HL7 v2.5.1" + (" with IPC and without ZDS" if kind == "OMI" else ""),
            actual=told.hl7.type,
            locator="MSH-9",
            why="SWF.b knows no other form, and who claims it alone understands none.",
        )


def order_messages_are_omg(j: Journal) -> Iterator[Observation]:
    yield from _new_form(j, ("RAD-2", "RAD-3"), "OMG")


def scheduling_messages_are_omi(j: Journal) -> Iterator[Observation]:
    yield from _new_form(j, ("RAD-4", "RAD-13"), "OMI")


# -- flows ---------------------------------------------------------------------------------------------------------


def registration_reaches_all(j: Journal) -> Iterator[Observation]:
    """Each A04 and A08 that the product was asked for arrives at both receivers that listen."""
    hl7 = HL7Journal(j)
    receivers = [a for a in (names.ORDER_PLACER, names.ORDER_FILLER) if a not in j.sut.actors and hl7.sees(a)]
    if len(receivers) < 2 or names.ADT not in j.sut.actors:
        return
    # copies are counted: two renderings of one event need not have the same time, two events may have the same
    by_event: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for told in hl7.sent:
        if told.hl7.type == "ADT" and told.transaction in ("RAD-1", "RAD-12"):
            copies = by_event.setdefault((told.hl7.trigger, told.patient[0]), {}).setdefault(told.record.actor, {})
            copies.setdefault(told.hl7.control_id, told.seq)  # what is sent again after silence is one copy
    for (trigger, patient), reached in by_event.items():
        number = max(len(copies) for copies in reached.values())
        missing = [actor for actor in receivers if len(reached.get(actor, {})) < number]
        yield judged(
            not missing,
            f"{trigger} of patient {patient} " + (f"did not reach {listed(missing)}" if missing else "reached all"),
            tuple(seq for copies in reached.values() for seq in copies.values()),
            expected=receivers,
            actual=listed(f"{actor} ({len(copies)})" for actor, copies in sorted(reached.items())),
            locator="MSH-5",
            why="Who is left out goes on with an old name.",
        )


def placer_does_all(j: Journal) -> Iterator[Observation]:
    """Only in a flow with a registration, a message of the filler, and an order that came or was asked for."""
    if names.ORDER_PLACER not in j.sut.actors:
        return
    hl7 = HL7Journal(j)
    registered, reported, ordered = hl7.asked("RAD-1"), hl7.asked("RAD-3"), hl7.of("RAD-2")
    asked = any(action.get("action") == "place-order" for _, action in j.actions)
    asked = asked or any(g.control == "SC" for g in reported)
    if not registered or not reported or not (ordered or asked):
        return  # a placer that nobody asked to order has not failed to
    ok = bool(ordered) and all(g.code in ("AA", "CA") for g in (*registered, *reported) if g.seq not in hl7.negative)
    yield judged(
        ok,
        f"The placer sent {len(ordered)} order(s); of {len(registered)} registration(s) and {len(reported)} message(s) "
        f"of the filler it took {sum(g.code in ('AA', 'CA') for g in (*registered, *reported))}",
        (*(g.seq for g in registered), *(g.seq for g in reported), *(t.seq for t in ordered)),
        expected="an order, and AA to everything",
        actual=f"{len(ordered)} order(s)",
        locator="transactions",
        why="A claim of a profile covers all required transactions of the actor.",
    )


def filler_change_in_order(j: Journal) -> Iterator[Observation]:
    """After OC: a cancel of the schedule (RAD-13), then SN, and a schedule with another study."""
    hl7 = HL7Journal(j)
    for cancel in (t for t in hl7.of("RAD-3") if t.control == "OC"):
        later = [t for t in hl7.sent if t.seq > cancel.seq and t.patient == cancel.patient]
        new = next((t for t in later if t.transaction == "RAD-3" and t.control == "SN"), None)
        if new is None:
            continue  # cancelled, not changed
        withdrawn = [t for t in hl7.of("RAD-13") if t.control in ("CA", "DC") and t.patient == cancel.patient]
        scheduled = [t for t in later if t.transaction == "RAD-4" and t.seq > new.seq]
        number = new.answer.hl7["ORC-2.1"] if new.answer is not None else ""
        same_number = not number or all(t.placer_number == number for t in scheduled)
        old_studies = {t.study_uid for t in withdrawn}
        ok = bool(withdrawn) and bool(scheduled) and same_number
        ok = ok and not old_studies & {t.study_uid for t in scheduled}
        yield judged(
            ok,
            f"The filler changed an order: {len(withdrawn)} schedule(s) withdrawn, {len(scheduled)} new one(s)"
            + ("" if same_number else f", not under the new placer number {number}"),
            (cancel.seq, new.seq, *(t.seq for t in withdrawn), *(t.seq for t in scheduled)),
            expected="OC, cancel of the schedule, SN, a new schedule with the new placer number and another study",
            actual=f"{len(withdrawn)} withdrawn, {len(scheduled)} new",
            locator="ORC-1",
            why="Old and new exam would both be offered.",
        )


def late_cancel(j: Journal) -> Iterator[Observation]:
    """A cancel of an exam under way is refused, or told as discontinued; its performed step goes on."""
    hl7 = HL7Journal(j)
    for cancel in hl7.asked("RAD-2"):
        begun = {o.instance for o in begun_before(j, cancel)} if cancel.control == "CA" else set()
        sets = [o for o in j.select("N-SET-RQ", TO_SUT, MPPS) if o.instance in begun]
        begun -= {o.instance for o in sets if o.request.seq < cancel.seq and state_in(o) in FINAL}
        if names.ORDER_FILLER not in j.sut.actors or not begun or cancel.answer is None:
            continue
        told = [o for o in hl7.of("RAD-13") if o.seq > cancel.seq and o.placer_number == cancel.placer_number]
        good = next((o for o in told if o.control == "DC"), None)
        yield judged(
            cancel.code in ("AE", "AR") or good is not None,
            f"{cancel.label}, a cancel of an exam under way, was answered with {cancel.code}"
            + (f" and told as {told[0].control} by {told[0].label}" if told else " and told to nobody"),
            (*cancel.evidence, *(o.seq for o in told[:1])),
            expected="AE or AR, or AA and a RAD-13 with DC",
            actual=f"{cancel.code}, {told[0].control if told else 'no RAD-13'}",
            locator="MSA-1, ORC-1",
            why="Images are being made: the archive must not take the exam for one that never began.",
        )
        for change in sets:
            if change.instance in begun and change.request.seq > cancel.seq and change.final is not None:
                yield judged(
                    change.status == 0,
                    f"{change.request.label} of the exam under way was answered {in_hex(change.status)} after a cancel",
                    (cancel.seq, *change.evidence),
                    expected="0000",
                    actual=in_hex(change.status),
                    locator="Status",
                    why="What was done is done, whoever wanted it no more.",
                )


def appointment_moved_and_cancelled(j: Journal) -> Iterator[Observation]:
    by_id: dict[str, list[Told]] = {}
    for told in HL7Journal(j).of("RAD-48"):
        by_id.setdefault(told.hl7["SCH-2.1"] or told.hl7["SCH-2"], []).append(told)
    for appointment, messages in by_id.items():
        triggers = [told.hl7.trigger for told in messages]
        if len(triggers) < 2:
            continue
        ok = triggers[0] == "S12" and "S12" not in triggers[1:] and "S15" not in triggers[:-1]
        yield judged(
            ok,
            f"Appointment {appointment or '(no id)'} was announced by {listed(triggers)}",
            tuple(told.seq for told in messages),
            expected="S12, then S13 for each move, S15 last",
            actual=listed(triggers),
            locator="MSH-9",
            why="The patient is told the last of them.",
        )


_ROWS = (
    ("swfb-orders", "SWFB-ACT-01", "RAD-2 RAD-3", order_messages_are_omg, "Orders are OMG"),
    ("swfb-schedules", "SWFB-ACT-02", "RAD-4 RAD-13", scheduling_messages_are_omi, "Schedules are OMI"),
    ("adt-reaches-all", "SWF-ACT-01", "RAD-1 RAD-12", registration_reaches_all, "Placer and filler are both told"),
    ("placer-does-all", "SWF-ACT-02", "RAD-3", placer_does_all, "An order placer does its part"),
    ("late-cancel", "EX-03", "RAD-2 RAD-6 RAD-7 RAD-13", late_cancel, "An exam under way is not cancelled"),
    ("filler-change", "EX-02", "RAD-3 RAD-4 RAD-13", filler_change_in_order, "A change by the filler is in order"),
    ("appointment-moved", "EX-28", "RAD-48", appointment_moved_and_cancelled, "Appointments move and end in order"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, rads, function, title) for id, req, rads, function, title in _ROWS)
