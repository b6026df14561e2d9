"""Checks of Placer and Filler Order Management (RAD-2, RAD-3) over messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import MPPS, TO_SUT, Journal, Operation
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import HL7Journal, Told, sent_value
from harness.profiles.values import attributes_of, items, text

_GOOD = ("AA", "CA")
_WHEN_KNOWN = (
    ("OBR-12", "DangerCode"),
    ("OBR-13", "RelevantClinicalInformation"),
    ("OBR-30", "PatientTransportArrangements"),
    ("OBR-31", "ReasonForTheRequestedProcedure"),
)


def accepted(told: Told, what: str) -> Observation:
    """Whether a message of ours was acknowledged with AA."""
    return judged(
        told.code in _GOOD,
        f"{what} {told.label} was answered with {told.code or 'nothing'}",
        told.evidence,
        expected="AA",
        actual=told.code or "no answer",
        locator="MSA-1",
    )


def said(told: Told, ok: bool, summary: str, path: str, expected: str, *others: Told) -> Observation:
    """An observation of one field of a message; ``others`` are the messages it is compared with."""
    evidence = (told.seq, *(other.seq for other in others))
    return judged(ok, summary, evidence, expected=expected, actual=told.hl7[path], locator=path)


# -- RAD-2 -----------------------------------------------------------------------------------------------------------


def new_order_control(journal: Journal) -> Iterator[Observation]:
    """The first message about a placer number is a new order, in the form of v2.3.1."""
    yield from _new_orders(journal, old=True)


def new_order_form(journal: Journal) -> Iterator[Observation]:
    """In v2.5.1 orders are OMG^O19."""
    for told in HL7Journal(journal).of("RAD-2"):
        if told.hl7.version == "2.5.1" or told.hl7.type == "OMG":
            kind = f"{told.hl7.type}^{told.hl7.trigger}"
            yield said(told, kind == "OMG^O19", f"{told.label} is {kind}", "MSH-9", "OMG^O19")


def _new_orders(journal: Journal, *, old: bool) -> Iterator[Observation]:
    known: set[str] = set()
    for told in HL7Journal(journal).of("RAD-2"):
        first = told.placer_number not in known
        known.add(told.placer_number)
        withdrawn = journal.action_before(told.seq)
        if not first or told.is_old != old or (withdrawn and withdrawn.get("action") == "withdraw-order"):
            continue
        if told.control == "CA":
            continue
        ok = told.control == "NW" and told.record.kind == "ORM^O01"
        yield said(told, ok, f"{told.label} has the order control {told.control or 'nothing'}", "ORC-1", "NW")


def cancel_names_the_order(journal: Journal) -> Iterator[Observation]:
    """A cancel has the placer number of an order that was placed before."""
    orders = HL7Journal(journal).of("RAD-2")
    for told in orders:
        placed = [o for o in orders if o.seq < told.seq and o.control == "NW"]
        if told.control == "CA" and placed:
            same = [o for o in placed if o.placer_number == told.placer_number]
            source = (same or placed)[-1]
            summary = f"ORC-2 of {told.label} {'is' if same else 'is not'} that of an order placed before"
            yield said(told, bool(same), summary, "ORC-2.1", source.placer_number, source)
    for seq, action in journal.actions:
        if action.get("action") == "withdraw-order":
            later = [o for o in orders if o.seq > seq]
            if later and later[0].control not in ("CA", "NW"):
                summary = f"The withdrawal of an order came as {later[0].control or 'nothing'}"
                yield said(later[0], False, summary, "ORC-1", "CA")


def sent_when_known(journal: Journal) -> Iterator[Observation]:
    """Danger code, clinical information, transport and reason are sent when the order has them."""
    for told in HL7Journal(journal).of("RAD-2"):
        if told.control != "NW":
            continue
        action = journal.action_before(told.seq, "place-order")
        order = action.get("parameters", {}).get("order", {}) if action else {}
        for path, key in _WHEN_KNOWN:
            value = told.hl7[path]
            known = bool(isinstance(order, Mapping) and order.get(key))
            if value or known:
                summary = f"{path} of {told.label} is {'valued' if value else 'empty although it is known'}"
                yield said(told, bool(value), summary, path, "the known value")


def new_order_scheduled(journal: Journal) -> Iterator[Observation]:
    """A new order is accepted and leads to RAD-4."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-2"):
        if told.control != "NW" or told.seq in hl7.negative:
            continue
        if told.code not in _GOOD:
            yield accepted(told, "The new order")
        elif hl7.sees(names.IMAGE_MANAGER):  # without one nobody can see whether it was scheduled
            later = [o for o in hl7.of("RAD-4") if o.seq > told.seq and o.patient == told.patient]
            led = [o for o in hl7.of("RAD-4") if o.seq > told.seq and o.placer_number == told.placer_number]
            other = f"{later[0].label} has the placer number {later[0].placer_number or '(none)'}" if later else ""
            seen = "led to " + led[0].label if led else "led to no scheduling message under its number"
            yield judged(
                bool(led),
                f"{told.label} {seen}" + (f": {other}" if other and not led else ""),
                (told.seq, *(o.seq for o in (led or later)[:1])),
                expected=f"a RAD-4 message with the placer number {told.placer_number}",
                actual=led[0].label if led else other or "nothing",
                locator="ORC-2",
            )


def begun_before(journal: Journal, cancel: Told) -> list[Operation]:
    """Accepted N-CREATEs for the order that a cancel names, before it."""
    hl7 = HL7Journal(journal)
    own = [o for o in hl7.of("RAD-4") if o.seq < cancel.seq and o.placer_number == cancel.placer_number]
    steps = {step for o in own for step in o.hl7.values("IPC-4.1") or o.hl7.values("OBR-20")} - {""}
    return [
        operation
        for operation in journal.select("N-CREATE-RQ", TO_SUT, MPPS)
        if operation.status == 0 and operation.request.seq < cancel.seq
        for item in items(operation.attributes, "ScheduledStepAttributesSequence")[:1]
        if text(item, "ScheduledProcedureStepID") in steps
    ]


def cancel_told(journal: Journal) -> Iterator[Observation]:
    """A cancel of an order that was not started leads to RAD-13 CA."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-2"):
        scheduled = [o for o in hl7.of("RAD-4") if o.seq < told.seq and o.placer_number == told.placer_number]
        if told.control != "CA" or told.seq in hl7.negative or not scheduled or begun_before(journal, told):
            continue
        yield accepted(told, "The cancel")
        for uid in dict.fromkeys(o.study_uid for o in scheduled):
            led = [o for o in hl7.of("RAD-13") if o.seq > told.seq and o.study_uid == uid and o.control in ("CA", "DC")]
            yield judged(
                bool(led),
                f"{told.label} {'led to ' + led[0].label if led else 'led to no RAD-13 cancel'}",
                (told.seq, led[0].seq) if led else (told.seq,),
                expected="ORC-1 CA for that study",
                actual=led[0].control if led else "nothing",
                locator="ORC-1",
            )


def placer_number_kept(journal: Journal) -> Iterator[Observation]:
    """Later messages of the filler about a placer's order have its placer number in ORC-2 and OBR-2."""
    hl7 = HL7Journal(journal)
    numbers = {g.placer_number: g for g in hl7.asked("RAD-2") if g.control == "NW" and g.code in _GOOD}
    by_filler: dict[str, Told] = {}
    own = {o.filler_number for o in hl7.of("RAD-3") if o.control == "SN"}
    for told in hl7.sent:
        if told.transaction not in ("RAD-3", "RAD-4", "RAD-13") or told.filler_number in own:
            continue
        source = numbers.get(told.hl7["ORC-2.1"]) or by_filler.get(told.filler_number)
        if source is None:
            same = [g for g in numbers.values() if g.patient == told.patient and g.seq < told.seq]
            same = [g for g in same if g.hl7["OBR-4.1"] == told.hl7["OBR-4.1"]]
            source = same[0] if len(same) == 1 else None
        if source is None:
            continue
        by_filler.setdefault(told.filler_number, source)
        for path in ("ORC-2.1", "OBR-2.1") if "OBR" in told.hl7 else ("ORC-2.1",):
            actual = told.hl7[path]
            ok = actual == source.placer_number
            summary = f"{path} of {told.label} {'is' if ok else 'is not'} the number of {source.label}"
            yield said(told, ok, summary, path, source.placer_number, source)


def unknown_patient_accepted(journal: Journal) -> Iterator[Observation]:
    """A new order for a patient that was never registered is accepted."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-2"):
        if told.control == "NW" and told.seq not in hl7.negative:
            before = any(g.seq < told.seq and told.patient in (g.patient, g.retired) for g in hl7.given)
            if not before:
                yield accepted(told, "For an unknown patient the order")


# -- RAD-3 -----------------------------------------------------------------------------------------------------------


def number_assigned(journal: Journal) -> Iterator[Observation]:
    """SN in v2.3.1 is answered with ORR^O02: NA, a placer number, and the filler number."""
    yield from _assigned(journal, "ORM", "ORR", "O02")


def number_assigned_new(journal: Journal) -> Iterator[Observation]:
    """SN in v2.5.1 is answered with ORG^O20 with a placer number."""
    yield from _assigned(journal, "OMG", "ORG", "O20")


def _assigned(journal: Journal, asked: str, answered: str, trigger: str) -> Iterator[Observation]:
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-3"):
        if told.control != "SN" or told.hl7.type != asked or told.seq in hl7.negative:
            continue
        answer = told.answer
        if answer is None:
            yield judged(
                False, f"{told.label} was not answered", (told.seq,), expected=f"{answered}^{trigger}", locator="MSA"
            )
            continue
        kind = f"{answer.hl7.type}^{answer.hl7.trigger}"
        ok = kind == f"{answered}^{trigger}"
        yield said(answer, ok, f"{told.label} was answered with {kind}", "MSH-9", f"{answered}^{trigger}", told)
        if not ok:
            continue
        yield said(answer, answer.control == "NA", f"ORC-1 is {answer.control or 'empty'}", "ORC-1", "NA", told)
        number = answer.hl7["ORC-2.1"]
        yield said(answer, bool(number), f"The placer number is {number or 'empty'}", "ORC-2.1", "a value", told)
        same = answer.hl7["ORC-3.1"] == told.filler_number
        summary = f"ORC-3 {'echoes' if same else 'does not echo'} the filler number"
        yield said(answer, same, summary, "ORC-3.1", told.filler_number, told)


def learned_number_used(journal: Journal) -> Iterator[Observation]:
    """After SN was answered, every later message about that order has the number that we gave."""
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-3"):
        number = told.answer.placer_number if told.answer is not None else ""
        if told.control != "SN" or not number or told.answer is None:
            continue
        for later in hl7.sent:
            if later.seq > told.answer.seq and later.filler_number == told.filler_number and later.control != "SN":
                actual = later.hl7["ORC-2.1"]
                ok = actual == number
                summary = f"ORC-2 of {later.label} {'is' if ok else 'is not'} the number that {told.label} was given"
                yield said(later, ok, summary, "ORC-2.1", number, told)


def timing_of_filler_order(journal: Journal) -> Iterator[Observation]:
    """ORC-7 and OBR-27 of SN: valued in v2.3.1, not used in v2.5.1."""
    for told in HL7Journal(journal).of("RAD-3"):
        if told.control == "SN":
            for path in ("ORC-7", "OBR-27"):
                value = sent_value(told.hl7[path])
                ok = bool(value) == told.is_old
                summary = f"{path} of {told.label} is {'valued' if value else 'empty'}"
                yield said(told, ok, summary, path, "a value" if told.is_old else "no value")


def _linked(hl7: HL7Journal, operation: Operation) -> frozenset[str]:
    """Filler numbers of the orders that a performed step is for, by its Requested Procedure IDs."""
    scheduled = items(operation.attributes, "ScheduledStepAttributesSequence")
    ids = {text(item, "RequestedProcedureID") for item in scheduled} - {""}
    uids = {text(item, "StudyInstanceUID") for item in scheduled} - {""}
    found = (o for o in hl7.sent if o.transaction in ("RAD-4", "RAD-13") and o.seq < operation.request.seq)
    return frozenset(o.filler_number for o in found if o.procedure_id in ids or o.study_uid in uids)


def started_told(journal: Journal) -> Iterator[Observation]:
    """The first performed step of an order leads to SC with IP."""
    hl7 = HL7Journal(journal)
    begun: set[str] = set()
    for operation in journal.select("N-CREATE-RQ", TO_SUT, MPPS):
        for number in sorted(_linked(hl7, operation) - begun):
            begun.add(number)
            yield from _status_told(hl7, operation.request.seq, number, "IP", "The first performed step")


def completed_told(journal: Journal) -> Iterator[Observation]:
    """The completion of all steps of an order leads to SC with CM."""
    hl7 = HL7Journal(journal)
    creates = {o.instance: o for o in journal.select("N-CREATE-RQ", TO_SUT, MPPS)}
    steps: dict[str, set[str]] = {}
    for told in hl7.sent:
        if told.transaction == "RAD-4":
            known = steps.setdefault(told.filler_number, set())
            known.update(told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20"))
    done: dict[str, set[str]] = {}
    for operation in journal.select("N-SET-RQ", TO_SUT, MPPS):
        create = creates.get(operation.instance)
        if create is None or text(attributes_of(operation.request), "PerformedProcedureStepStatus") != "COMPLETED":
            continue
        performed = {
            text(item, "ScheduledProcedureStepID")
            for item in items(create.attributes, "ScheduledStepAttributesSequence")
        }
        for number in sorted(_linked(hl7, create)):
            finished = done.setdefault(number, set())
            before = steps.get(number, set()) <= finished
            finished |= performed
            if steps.get(number) and steps[number] <= finished and not before:
                yield from _status_told(hl7, operation.request.seq, number, "CM", "The last completed step")


def status_as_asked(journal: Journal) -> Iterator[Observation]:
    """A status that the product was asked to report is the one that it reports: CD stands for DC."""
    hl7 = HL7Journal(journal)
    for told in hl7.of("RAD-3"):
        action = journal.action_before(told.seq)
        if told.control != "SC" or action is None or action.get("action") != "report-status":
            continue
        wanted = str(action.get("parameters", {}).get("status", ""))
        actual = told.hl7["ORC-5"]
        same = wanted == actual or (wanted, actual) == ("DC", "CD")
        # an order that is completed at once is in progress before
        if wanted and not (wanted == "CM" and actual == "IP"):
            summary = f"The status {wanted} of an order was to be reported; {told.label} says {actual or 'nothing'}"
            yield said(told, same, summary, "ORC-5", wanted)


def _status_told(hl7: HL7Journal, seq: int, number: str, status: str, what: str) -> Iterator[Observation]:
    told = [o for o in hl7.of("RAD-3") if o.filler_number == number and o.control == "SC" and o.hl7["ORC-5"] == status]
    later = [o for o in told if o.seq > seq]
    yield judged(
        bool(later),
        f"{what} of order {number} {'led to ' + later[0].label if later else 'led to no status ' + status}",
        (seq, later[0].seq) if later else (seq,),
        expected=f"ORC-1 SC, ORC-5 {status}",
        actual=later[0].label if later else "nothing",
        locator="ORC-5",
    )


def changed_by_cancel_and_new(journal: Journal) -> Iterator[Observation]:
    """A change at the filler is OC and SN: no other order control reaches the placer."""
    orders = HL7Journal(journal).of("RAD-3")
    for told in orders:
        if told.control == "OC":
            later = [o for o in orders if o.seq > told.seq and o.control == "SN" and o.patient == told.patient]
            if later:
                other = later[0].filler_number != told.filler_number
                summary = f"{later[0].label} replaces {told.label}"
                yield said(later[0], other, summary, "ORC-3.1", "another filler number", told)
        elif told.control not in ("SN", "SC", "NA"):
            summary = f"{told.label} has the order control {told.control or 'nothing'}"
            yield said(told, False, summary, "ORC-1", "SN, SC or OC")


def status_accepted(journal: Journal) -> Iterator[Observation]:
    """SC and OC are acknowledged with AA."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-3"):
        if told.control in ("SC", "OC") and told.seq not in hl7.negative:
            yield accepted(told, "The status")


CHECKS: tuple[Check, ...] = (
    check("RAD-2-SRC-01/new-order", "RAD-2-SRC-01", "RAD-2", new_order_control, "A new order is ORM with NW"),
    check("RAD-2-SRC-02/cancel", "RAD-2-SRC-02", "RAD-2", cancel_names_the_order, "A cancel has the order's number"),
    check("RAD-2-SRC-03/form", "RAD-2-SRC-03", "RAD-2", new_order_form, "Orders of v2.5.1 are OMG"),
    check("RAD-2-SRC-13/known", "RAD-2-SRC-13", "RAD-2", sent_when_known, "Clinical data are sent when known"),
    check("RAD-2-DST-01/scheduled", "RAD-2-DST-01", "RAD-2", new_order_scheduled, "A new order is scheduled"),
    check("RAD-2-DST-02/cancelled", "RAD-2-DST-02", "RAD-2", cancel_told, "A cancel leads to RAD-13"),
    check("RAD-2-DST-03/number", "RAD-2-DST-03", "RAD-2", placer_number_kept, "The placer number is kept"),
    check("RAD-2-DST-04/unknown", "RAD-2-DST-04", "RAD-2", unknown_patient_accepted, "Unknown patients are accepted"),
    check("RAD-3-DST-01/number", "RAD-3-DST-01", "RAD-3", number_assigned, "SN gets a placer number by ORR"),
    check("RAD-3-DST-02/number", "RAD-3-DST-02", "RAD-3", number_assigned_new, "SN gets a placer number by ORG"),
    check("RAD-3-SRC-02/learned", "RAD-3-SRC-02", "RAD-3", learned_number_used, "The number given is used"),
    check("RAD-3-SRC-03/timing", "RAD-3-SRC-03", "RAD-3", timing_of_filler_order, "Timing stands where it belongs"),
    check("RAD-3-SRC-06/asked", "RAD-3-SRC-06", "RAD-3", status_as_asked, "The status is the one asked for"),
    check("RAD-3-SRC-07/started", "RAD-3-SRC-07", "RAD-3", started_told, "A started order is told with IP"),
    check("RAD-3-SRC-08/completed", "RAD-3-SRC-08", "RAD-3", completed_told, "A completed order is told with CM"),
    check("RAD-3-SRC-10/change", "RAD-3-SRC-10", "RAD-3", changed_by_cancel_and_new, "A change is OC and SN"),
    check("RAD-3-DST-03/accepted", "RAD-3-DST-03", "RAD-3", status_accepted, "SC and OC are accepted"),
)
