"""Checks of Procedure Scheduled and Procedure Update (RAD-4, RAD-13) over messages, and against the worklist."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles.journal import MPPS, QUERY_FINDS, TO_SUT, Journal
from harness.profiles.observe import check, judged
from harness.profiles.swf.hl7_journal import HL7Journal, Told
from harness.profiles.swf.hl7_orders import accepted, said
from harness.profiles.swf.hl7_patients import structure_of
from harness.profiles.values import attributes_of, items, text

_SCHEDULING = ("RAD-4", "RAD-13")


def schedules(hl7: HL7Journal) -> list[Told]:
    """Scheduling messages of the system under test, one copy of each where several receivers get it."""
    seen: set[tuple[str, str, str, tuple[str, ...]]] = set()
    found = []
    for told in hl7.sent:
        if told.transaction not in _SCHEDULING:
            continue
        steps = tuple(told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20"))
        key = (told.study_uid, told.control, told.hl7.control_id, steps)
        if key not in seen:
            seen.add(key)
            found.append(told)
    return found


def first_is_new(journal: Journal) -> Iterator[Observation]:
    """The first message about a Study Instance UID has NW, later ones have not."""
    known: dict[tuple[str, str], Told] = {}
    for told in schedules(HL7Journal(journal)):
        if not told.study_uid:
            continue
        first = known.setdefault((told.record.actor, told.study_uid), told)
        if first is told:
            summary = f"{told.label}, the first about its study, has the order control {told.control or 'nothing'}"
            yield said(told, told.control == "NW", summary, "ORC-1", "NW")
        elif first.hl7.raw != told.hl7.raw:
            summary = f"{told.label}, a later one about its study, has the order control {told.control or 'nothing'}"
            yield said(told, told.control != "NW", summary, "ORC-1", "XO, CA or DC", first)


def new_order_control(journal: Journal) -> Iterator[Observation]:
    """The v2.3.1 form of RAD-4, the first message about a Requested Procedure, is ORM^O01 with NW."""
    known: set[str] = set()
    for told in schedules(HL7Journal(journal)):
        if told.procedure_id in known or not told.is_old:
            continue
        known.add(told.procedure_id)
        ok = told.control == "NW" and told.record.kind == "ORM^O01"
        yield said(told, ok, f"{told.label} has the order control {told.control or 'nothing'}", "ORC-1", "NW")


def pairs_of_one_procedure(journal: Journal) -> Iterator[Observation]:
    """Every step has an ORC and OBR of its own, all of one Requested Procedure."""
    for told in HL7Journal(journal).of("RAD-4"):
        if not told.is_old:
            continue
        orcs, obrs = told.hl7.all("ORC"), told.hl7.all("OBR")
        yield judged(
            len(orcs) == len(obrs) > 0,
            f"{told.label} has {len(orcs)} ORC and {len(obrs)} OBR",
            (told.seq,),
            expected="one ORC for each OBR",
            actual=f"{len(orcs)} ORC, {len(obrs)} OBR",
            locator="ORC, OBR",
        )
        steps = [obr["20"] for obr in obrs]
        procedures = {obr["19"] for obr in obrs}
        yield judged(
            len(set(steps)) == len(steps),
            f"The {len(steps)} steps of {told.label} have {len(set(steps))} different IDs",
            (told.seq,),
            expected="an ID for each step",
            actual=", ".join(steps),
            locator="OBR-20",
        )
        yield judged(
            len(procedures) == 1,
            f"{told.label} is about {len(procedures)} requested procedures",
            (told.seq,),
            expected="one Requested Procedure ID",
            actual=", ".join(sorted(procedures)),
            locator="OBR-19",
        )


def one_zds_at_the_end(journal: Journal) -> Iterator[Observation]:
    """Exactly one ZDS, after all pairs."""
    for told in HL7Journal(journal).sent:
        if told.transaction in _SCHEDULING and told.is_old:
            order = [segment.name for segment in told.hl7 if segment.name == "ZDS" or not segment.name.startswith("Z")]
            ok = order.count("ZDS") == 1 and order[-1:] == ["ZDS"]
            yield judged(
                ok,
                f"{told.label} has {order.count('ZDS')} ZDS{'' if ok else ', not one at the end'}",
                (told.seq,),
                expected="one ZDS after all ORC and OBR",
                actual=" ".join(order),
                locator="ZDS",
            )


def omi_structure(journal: Journal) -> Iterator[Observation]:
    """OMI^O23 with its segments, NW and SC."""
    for told in HL7Journal(journal).of("RAD-4"):
        if told.is_old:
            continue
        yield from structure_of(told)
        for name in ("PID", "PV1", "TQ1"):
            if name not in told.hl7:
                yield judged(
                    False, f"{told.label} has no {name}", (told.seq,), expected=name, actual="missing", locator=name
                )
        ok = (told.control, told.hl7["ORC-5"]) == ("NW", "SC")
        yield said(told, ok, f"{told.label} has {told.control}/{told.hl7['ORC-5']}", "ORC-5", "NW with SC")


def one_group_per_procedure(journal: Journal) -> Iterator[Observation]:
    """One ORC group in a message, and one message for all steps of a Requested Procedure."""
    seen: dict[tuple[str, str], Told] = {}
    for told in schedules(HL7Journal(journal)):
        if told.is_old or told.transaction != "RAD-4":
            continue
        groups = len(told.hl7.all("ORC"))
        summary = f"{told.label} has {groups} ORC and {len(told.hl7.all('IPC'))} IPC"
        yield judged(groups == 1, summary, (told.seq,), expected="one ORC", actual=str(groups), locator="ORC")
        earlier = seen.setdefault((told.record.actor, told.procedure_id), told)
        if earlier is not told and earlier.hl7.raw != told.hl7.raw:
            summary = f"{told.label} is about the requested procedure of {earlier.label}"
            yield said(told, False, summary, "IPC-2.1", "all steps in one message", earlier)


def ipc_repeats_procedure(journal: Journal) -> Iterator[Observation]:
    """All IPC of a message have the same first three fields and different steps."""
    for told in HL7Journal(journal).sent:
        segments = told.hl7.all("IPC")
        if told.transaction not in _SCHEDULING or len(segments) < 2:
            continue
        for field, name in ((1, "accession number"), (2, "Requested Procedure ID"), (3, "Study Instance UID")):
            values = {segment[f"{field}.1"] for segment in segments}
            yield judged(
                len(values) == 1,
                f"The {len(segments)} IPC of {told.label} name {len(values)} values as {name}",
                (told.seq,),
                expected="one value",
                actual=", ".join(sorted(values)),
                locator=f"IPC-{field}",
            )
        steps = [segment["4.1"] for segment in segments]
        yield judged(
            len(set(steps)) == len(steps),
            f"The {len(steps)} IPC of {told.label} name {len(set(steps))} steps",
            (told.seq,),
            expected="an ID for each step",
            actual=", ".join(steps),
            locator="IPC-4",
        )


def procedures_have_own_studies(journal: Journal) -> Iterator[Observation]:
    """Two Requested Procedures of one order have two Study Instance UIDs."""
    studies: dict[str, dict[str, Told]] = {}
    for told in HL7Journal(journal).of("RAD-4"):
        if told.procedure_id and told.study_uid:
            studies.setdefault(told.study_uid, {}).setdefault(told.procedure_id, told)
    for uid, procedures in studies.items():
        yield judged(
            len(procedures) == 1,
            f"Study {uid} belongs to {len(procedures)} requested procedures",
            tuple(one.seq for one in procedures.values()),
            expected="one requested procedure",
            actual=", ".join(procedures),
            locator="ZDS-1, IPC-3",
        )


def schedule_accepted(journal: Journal) -> Iterator[Observation]:
    """RAD-4 is acknowledged with AA."""
    hl7 = HL7Journal(journal)
    for told in hl7.asked("RAD-4"):
        if told.seq not in hl7.negative:
            yield accepted(told, "The schedule")


def update_applied(journal: Journal) -> Iterator[Observation]:
    """RAD-13 about a study that was announced is accepted, and later queries of that study have its accession number.

    An acknowledgement alone is no pass: what the record holds is seen in query responses only.
    """
    hl7 = HL7Journal(journal)
    announced = {g.study_uid for g in hl7.asked("RAD-4")}
    newest: dict[str, Told] = {}
    for told in hl7.asked("RAD-13"):
        if told.study_uid in announced and told.seq not in hl7.negative:
            newest[told.study_uid] = told
            if told.code not in ("AA", "CA"):
                yield accepted(told, "The update")
    for operation in journal.select("C-FIND-RQ", TO_SUT, QUERY_FINDS):
        for message in operation.pending:
            attributes = attributes_of(message)
            source = newest.get(text(attributes, "StudyInstanceUID"))
            expected = source.hl7["IPC-1.1"] or source.hl7["OBR-18"] if source is not None else ""
            if (
                source is None
                or source.seq > operation.request.seq
                or "AccessionNumber" not in attributes
                or not expected
            ):
                continue
            actual = text(attributes, "AccessionNumber")
            yield judged(
                actual == expected,
                f"AccessionNumber of {message.label} {'is' if actual == expected else 'is not'} that of {source.label}",
                (message.seq, source.seq),
                expected=expected,
                actual=actual,
                locator="(0008,0050)",
            )


# -- RAD-13 ----------------------------------------------------------------------------------------------------------


def _completed_before(journal: Journal, told: Told) -> bool:
    """Whether all steps that a message is about were completed.

    Performed steps of ours say so, or the product itself: in a status update, or asked by an action.
    """
    return _reported_completed(journal, told) or _performed_before(journal, told)


def _reported_completed(journal: Journal, told: Told) -> bool:
    numbers = {told.hl7["ORC-3.1"], told.hl7["OBR-3.1"]} - {""}
    accession = told.hl7["IPC-1.1"] or told.hl7["OBR-18.1"]
    updates = (o for o in HL7Journal(journal).of("RAD-3") if o.seq < told.seq and o.hl7["ORC-5"] == "CM")
    asked = (data for seq, data in journal.actions if seq < told.seq and data.get("action") == "report-status")
    return any({o.hl7["ORC-3.1"], o.hl7["OBR-3.1"]} & numbers for o in updates) or any(
        accession and data.get("parameters", {}).get("accession") == accession
        for data in asked
        if data.get("parameters", {}).get("status") == "CM"
    )


def _performed_before(journal: Journal, told: Told) -> bool:
    steps = set(told.hl7.values("IPC-4.1") or told.hl7.values("OBR-20"))
    creates = {o.instance: o for o in journal.select("N-CREATE-RQ", TO_SUT, MPPS)}
    done: set[str] = set()
    for operation in journal.select("N-SET-RQ", TO_SUT, MPPS):
        create = creates.get(operation.instance)
        ended = text(operation.attributes, "PerformedProcedureStepStatus") == "COMPLETED"
        if create is not None and ended and operation.request.seq < told.seq:
            scheduled = items(create.attributes, "ScheduledStepAttributesSequence")
            done |= {text(item, "ScheduledProcedureStepID") for item in scheduled}
    return bool(steps) and steps <= done


def change_before_completion(journal: Journal) -> Iterator[Observation]:
    """XO while a step is not completed has SC."""
    yield from _changes(journal, "SC", completed=False)


def change_after_completion(journal: Journal) -> Iterator[Observation]:
    """XO after completion has CM."""
    yield from _changes(journal, "CM", completed=True)


def _changes(journal: Journal, status: str, *, completed: bool) -> Iterator[Observation]:
    for told in HL7Journal(journal).of("RAD-13"):
        if told.control not in ("XO", "CA", "DC"):
            if not completed:
                summary = f"{told.label} has the order control {told.control or 'nothing'}"
                yield said(told, False, summary, "ORC-1", "XO, CA or DC")
        elif told.control == "XO" and _completed_before(journal, told) == completed:
            actual = told.hl7["ORC-5"]
            yield said(told, actual == status, f"XO of {told.label} has status {actual or 'nothing'}", "ORC-5", status)


def study_uid_constant(journal: Journal) -> Iterator[Observation]:
    """A change names the Study Instance UID under which the procedure was scheduled."""
    hl7 = HL7Journal(journal)
    scheduled = {told.study_uid: told for told in hl7.of("RAD-4")}
    for told in hl7.of("RAD-13"):
        by_procedure = [o for o in hl7.of("RAD-4") if o.procedure_id == told.procedure_id and o.seq < told.seq]
        source = by_procedure[-1] if by_procedure else scheduled.get(told.study_uid)
        if source is not None:
            ok = told.study_uid == source.study_uid
            summary = f"The Study Instance UID of {told.label} {'is' if ok else 'is not'} that of {source.label}"
            path = "IPC-3.1" if "IPC" in told.hl7 else "ZDS-1.1"
            yield said(told, ok, summary, path, source.study_uid, source)


def scheduled_after_the_fact(journal: Journal) -> Iterator[Observation]:
    """An exam without a schedule is ordered afterwards with the Study Instance UID of its performed step."""
    hl7 = HL7Journal(journal)
    for operation in journal.select("N-CREATE-RQ", TO_SUT, MPPS):
        scheduled = items(operation.attributes, "ScheduledStepAttributesSequence")
        if any(text(item, "RequestedProcedureID") for item in scheduled):
            continue
        uids = {text(item, "StudyInstanceUID") for item in scheduled} - {""}
        patient = text(operation.attributes, "PatientID")
        later = [o for o in hl7.of("RAD-4") if o.seq > operation.request.seq and o.patient[0] == patient]
        if not uids or not later:
            continue
        same = [o for o in later if o.study_uid in uids]
        told = (same or later)[0]
        summary = f"{told.label} {'reuses' if same else 'does not reuse'} the study of the performed step"
        path = "IPC-3.1" if "IPC" in told.hl7 else "ZDS-1.1"
        yield judged(
            bool(same),
            summary,
            (told.seq, operation.request.seq),
            expected=sorted(uids),
            actual=told.study_uid,
            locator=path,
        )


CHECKS: tuple[Check, ...] = (
    check("RAD-4-SRC-01/first", "RAD-4-SRC-01", "RAD-4 RAD-13", first_is_new, "The first message of a study is NW"),
    check("RAD-4-SRC-02/control", "RAD-4-SRC-02", "RAD-4", new_order_control, "A new procedure is ORM with NW"),
    check("RAD-4-SRC-03/pairs", "RAD-4-SRC-03", "RAD-4", pairs_of_one_procedure, "Each step has its ORC and OBR"),
    check("RAD-4-SRC-04/zds", "RAD-4-SRC-04", "RAD-4 RAD-13", one_zds_at_the_end, "One ZDS closes the message"),
    check("RAD-4-SRC-14/structure", "RAD-4-SRC-14", "RAD-4", omi_structure, "OMI has its segments"),
    check("RAD-4-SRC-15/group", "RAD-4-SRC-15", "RAD-4", one_group_per_procedure, "One group for a procedure"),
    check("RAD-4-SRC-17/ipc", "RAD-4-SRC-17", "RAD-4 RAD-13", ipc_repeats_procedure, "IPC repeat the procedure"),
    check("RAD-4-SRC-21/studies", "RAD-4-SRC-21", "RAD-4", procedures_have_own_studies, "Each has its own study"),
    check("RAD-4-DST-01/accepted", "RAD-4-DST-01", "RAD-4", schedule_accepted, "The schedule is accepted"),
    check("RAD-13-SRC-02/change", "RAD-13-SRC-02", "RAD-13", change_before_completion, "A change has status SC"),
    check("RAD-13-SRC-03/change", "RAD-13-SRC-03", "RAD-13", change_after_completion, "A late change has status CM"),
    check("RAD-13-SRC-05/study", "RAD-13-SRC-05", "RAD-13", study_uid_constant, "The study stays the same"),
    check("RAD-13-SRC-06/study", "RAD-13-SRC-06", "RAD-13", scheduled_after_the_fact, "A late order has its study"),
    check("RAD-13-DST-01/applied", "RAD-13-DST-01", "RAD-13", update_applied, "The update is applied"),
)
