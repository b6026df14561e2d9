"""RAD-6 Modality Procedure Step In Progress, as the modality sends it (RAD TF-2 4.6, PS3.4 F.7.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.core.check import Check, Observation
from harness.profiles import names
from harness.profiles.journal import FROM_SUT, MPPS, Journal
from harness.profiles.observe import all_present, all_valued, check, judged, same, unreadable
from harness.profiles.steps import STARTING_ACTIONS, Case, PerformedStep, Steps
from harness.profiles.swf.mapping import mpps
from harness.profiles.values import listed, shown, text

SSAS = "ScheduledStepAttributesSequence"


def modality_steps(j: Journal) -> tuple[PerformedStep, ...]:
    """The steps that the system under test performed as a modality."""
    return Steps(j).by(names.MODALITY)


def _announced_before_the_end(j: Journal) -> Iterator[Observation]:
    """Where starting and finishing were asked for apart, the step is announced between the two."""
    for number, (seq, data) in enumerate(j.actions[:-1]):
        end, following = j.actions[number + 1]
        if data.get("action") != "start-step" or following.get("action") != "finish-step":
            continue
        created = [o.request.seq for o in j.select("N-CREATE-RQ", FROM_SUT, MPPS) if o.request.seq > seq]
        if created:
            yield judged(
                created[0] < end,
                "The exam was started, then finished; the step was announced "
                + ("in between" if created[0] < end else "only after the end was asked for"),
                (created[0],),
                expected="N-CREATE when the exam starts",
                actual="in time" if created[0] < end else "when the exam ended",
                locator="message order",
                why="Whoever looks meanwhile believes that nobody has begun.",
            )


def begun_while_manager_is_away(j: Journal, created: int) -> bool:
    """Whether the exam of an N-CREATE (its ``seq``) was asked for while the PPS Manager was away on purpose."""
    asked = max((seq for seq, a in j.actions if seq < created and a.get("action") in STARTING_ACTIONS), default=0)
    return any(since < asked < until < created for since, until in j.outages(names.PPS_MANAGER))


def created_before_the_first_image(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    stores = j.stores_of(names.MODALITY)
    for step in steps.by(names.MODALITY):
        first = min((s.request.seq for s in stores if steps.of(s) is step), default=None)
        at = step.create.request.seq
        if begun_while_manager_is_away(j, at):
            continue  # nobody listened when it began
        ok = first is None or at < first
        yield judged(
            ok,
            f"{step.label} was announced "
            + (
                "before its first image" if ok and first else "after an image of it was stored" if first else "at start"
            ),
            (at,) if first is None else (at, first),
            expected="N-CREATE before the first C-STORE of the step",
            actual=f"N-CREATE #{at}, first C-STORE {'#' + str(first) if first else 'none'}",
            locator="message order",
            why="The order filler and the archive learn from it that the exam has begun.",
        )
    yield from _announced_before_the_end(j)
    if steps.all:
        return
    started = [seq for seq, data in j.actions if data.get("action") in STARTING_ACTIONS[:-1]]
    first_store = next((s.request.seq for s in stores if started and s.request.seq > started[0]), None)
    if first_store is not None:
        yield judged(
            False,
            f"{len(stores)} image(s) were stored and no performed step was ever announced",
            (first_store,),
            expected=f"an N-CREATE of {MPPS}",
            actual="none",
            locator="message order",
            why="The order filler and the archive learn from it that the exam has begun.",
        )


def status_in_progress(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        status = text(step.attributes, "PerformedProcedureStepStatus")
        yield judged(
            status == "IN PROGRESS",
            f"The status in {step.create.request.label} is {status or '(none)'}",
            (step.create.request.seq,),
            expected="IN PROGRESS",
            actual=status or "(absent)",
            locator="PerformedProcedureStepStatus",
            why="A step begins in progress; a manager refuses any other status.",
        )


def type_1_valued(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        message = step.create.request
        yield from all_valued(step.attributes, mpps.CREATE_TYPE_1, message, why="The attribute is of type 1.")
        for number, item in enumerate(step.scheduled):
            yield from all_valued(
                item, ("StudyInstanceUID",), message, where=f"{SSAS}[{number + 1}]/", why="The attribute is of type 1."
            )


def type_2_present(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        yield from all_present(
            step.attributes,
            mpps.CREATE_TYPE_2,
            step.create.request,
            why="An attribute that is not created cannot be set at the end of the step.",
        )


def scheduled_item_type_2_present(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        for number, item in enumerate(step.scheduled):
            yield from all_present(
                item,
                mpps.SCHEDULED_TYPE_2,
                step.create.request,
                where=f"{SSAS}[{number + 1}]/",
                why="Every identifier of the scheduled step has its place here, empty if there is none.",
            )


def copied_from_worklist(j: Journal, cases: frozenset[Case], keywords: tuple[str, ...]) -> Iterator[Observation]:
    """Compare Scheduled Step Attributes items with the worklist entries of steps in these cases."""
    for step in modality_steps(j):
        if step.case not in cases or step.entry is None:
            continue
        entry, seq = step.entry, step.create.request.seq
        if not step.scheduled:
            yield judged(
                False,
                f"{step.label} names no scheduled step",
                (entry.seq, seq),
                expected=f"one item for step {entry.step_id}",
                actual=shown(step.attributes.get(SSAS)),
                locator=SSAS,
                why="Nobody can tell which order was performed.",
            )
            continue
        for keyword in keywords:
            yield same(
                keyword,
                entry.attributes.get(keyword),
                step.scheduled[0].get(keyword),
                source="the worklist",
                target=f"{step.label}, scheduled step attributes",
                evidence=(entry.seq, seq),
                locator=f"{SSAS}[1]/{keyword}",
                why="The order filler finds the order by these values.",
            )


def simple_case_copies_worklist(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        if step.case is Case.SIMPLE:
            yield judged(
                len(step.scheduled) == 1,
                f"{step.label} has {len(step.scheduled)} item(s) in {SSAS}",
                (step.create.request.seq,),
                expected="1 item",
                actual=f"{len(step.scheduled)} item(s)",
                locator=SSAS,
                why="One scheduled step was performed.",
            )
    yield from copied_from_worklist(j, frozenset({Case.SIMPLE}), mpps.COPIED)


def patient_from_worklist(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        entry = next(iter(step.worklist), None)
        if entry is None:
            continue
        for keyword in mpps.PATIENT:
            yield same(
                keyword,
                entry.attributes.get(keyword),
                step.attributes.get(keyword),
                source="the worklist",
                target=step.label,
                evidence=(entry.seq, step.create.request.seq),
                why="The step would be filed under another patient.",
            )


def step_ids_unique(j: Journal) -> Iterator[Observation]:
    found = modality_steps(j)
    counted = Counter(text(step.attributes, "PerformedProcedureStepID") for step in found)
    for step in found:
        own = text(step.attributes, "PerformedProcedureStepID")
        if own:
            yield judged(
                counted[own] == 1,
                f"Performed Procedure Step ID {own} is used by {counted[own]} performed step(s)",
                tuple(s.create.request.seq for s in found if text(s.attributes, "PerformedProcedureStepID") == own),
                expected="an id of its own for each performed step",
                actual=own,
                locator="PerformedProcedureStepID",
                why="Images name the step that made them by this id.",
            )


def only_created_attributes_set(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        for operation in step.sets:
            if (problem := unreadable(operation.request)) is not None:
                yield problem
                continue
            late = sorted(k for k in operation.attributes if k not in step.attributes and not k.startswith("#"))
            yield judged(
                not late,
                f"{operation.request.label} sets "
                + (f"{listed(late)}, which the N-CREATE did not hold" if late else "only what the N-CREATE held"),
                (step.create.request.seq, operation.request.seq),
                expected="every attribute was created, with zero length if unknown",
                actual=listed(late) or "all were created",
                locator=listed(late) or "N-SET",
                why="A manager refuses to set what was not created; the final state is lost with it.",
            )


def unscheduled_identifiers_empty(j: Journal) -> Iterator[Observation]:
    steps = Steps(j)
    for step in steps.by(names.MODALITY):
        if step.case is not Case.UNSCHEDULED:
            continue
        seq = step.create.request.seq
        yield judged(
            len(step.scheduled) == 1,
            f"Unscheduled {step.label} has {len(step.scheduled)} item(s) in {SSAS}",
            (seq,),
            expected="1 item",
            actual=f"{len(step.scheduled)} item(s)",
            locator=SSAS,
        )
        known = {entry.text("StudyInstanceUID") for entry in steps.offered_before(seq).values()} - {""}
        for item in step.scheduled[:1]:
            study = text(item, "StudyInstanceUID")
            yield judged(
                bool(study) and study not in known,
                f"Unscheduled {step.label} has the Study Instance UID {study or '(none)'}"
                + (", which is one of the worklist" if study in known else ""),
                (seq,),
                expected="a Study Instance UID made by the modality",
                actual=study or "(empty)",
                locator=f"{SSAS}[1]/StudyInstanceUID",
                why="The images of an emergency would land in the study of somebody else.",
            )
            for keyword in mpps.UNSCHEDULED_EMPTY:
                value = item.get(keyword)
                yield judged(
                    keyword in item and not value,
                    f"{keyword} of unscheduled {step.label} is {shown(value)}",
                    (seq,),
                    expected="present with zero length",
                    actual=shown(value),
                    locator=f"{SSAS}[1]/{keyword}",
                    why="An invented identifier ties the exam to an order that does not exist.",
                )


# -- sending ---------------------------------------------------------------------------------------------------


def sent_once(j: Journal) -> Iterator[Observation]:
    if names.PPS_MANAGER in j.sut.actors:
        return  # a manager sends to each of its destinations
    sent: dict[str, list[tuple[int, int | None]]] = {}
    for operation in j.select("N-CREATE-RQ", FROM_SUT, MPPS):
        if operation.instance:
            sent.setdefault(operation.instance, []).append((operation.request.seq, operation.status))
    for uid, attempts in sent.items():
        first_success = next((n for n, (_, status) in enumerate(attempts) if status == 0), None)
        again = attempts[first_success + 1 :] if first_success is not None else []
        yield judged(
            not again,
            f"Performed step {uid} was announced {len(attempts)} time(s)"
            + (f", {len(again)} of them after it was accepted" if again else ""),
            tuple(seq for seq, _ in attempts),
            expected="one accepted N-CREATE",
            actual=f"{len(attempts)} N-CREATE",
            locator="AffectedSOPInstanceUID",
            why="One manager receives the step and passes it on.",
        )


def queued_while_manager_is_away(j: Journal) -> Iterator[Observation]:
    for seq, until in j.outages(names.PPS_MANAGER):
        acted = [at for at, a in j.actions if seq < at < until and a.get("action") in STARTING_ACTIONS]
        if not acted:
            continue
        late = [step for step in modality_steps(j) if step.create.request.seq > until]
        ordered = all(s.create.request.seq < o.request.seq for s in late for o in s.sets)
        yield judged(
            bool(late) and ordered,
            f"{len(late)} performed step(s) arrived after the manager was back"
            + ("" if ordered else ", not in their order"),
            tuple(s for step in late for s in step.evidence) or (until,),
            expected="N-CREATE, then N-SET, once the manager can be reached",
            actual=f"{len(late)} step(s)",
            locator="message order",
            why="A step that is not repeated is never known to have happened.",
        )


def character_set_constant(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        declared = text(step.attributes, "SpecificCharacterSet")
        beyond = _beyond_ascii(step.attributes)
        yield judged(
            bool(declared) or not beyond,
            f"{step.create.request.label} declares {declared or 'no character set'}"
            + (f" and holds text beyond ASCII in {listed(beyond, 3)}" if beyond else ""),
            (step.create.request.seq,),
            expected="a character set that covers the text",
            actual=declared or "(absent)",
            locator="SpecificCharacterSet",
        )
        for operation in step.sets:
            later = text(operation.attributes, "SpecificCharacterSet")
            if not later and not _beyond_ascii(operation.attributes):
                continue
            yield judged(
                later == declared,
                f"{operation.request.label} declares {later or 'no character set'}, the N-CREATE {declared or 'none'}",
                (step.create.request.seq, operation.request.seq),
                expected=declared or "(none)",
                actual=later or "(absent)",
                locator="SpecificCharacterSet",
                why="The manager keeps one object; it cannot mix two character sets in it.",
            )


def _beyond_ascii(attributes: object, prefix: str = "") -> list[str]:
    found: list[str] = []
    if isinstance(attributes, dict):
        for keyword, value in attributes.items():
            if isinstance(value, list):
                for item in value:
                    found += _beyond_ascii(item, f"{keyword}.")
            elif isinstance(value, str) and not keyword.startswith("#") and not value.isascii():
                found.append(prefix + keyword)
    return found


def study_id_is_procedure_id(j: Journal) -> Iterator[Observation]:
    for step in modality_steps(j):
        entry = step.entry
        if entry is None or not entry.text("RequestedProcedureID"):
            continue
        yield same(
            "StudyID",
            entry.text("RequestedProcedureID"),
            text(step.attributes, "StudyID"),
            source="the Requested Procedure ID",
            target=step.label,
            evidence=(entry.seq, step.create.request.seq),
            why="It is recommended, so that people find the study by the number of the procedure.",
        )


_ROWS = (
    ("mpps-created-first", "RAD-6-SCU-01", created_before_the_first_image, "The step is announced when it starts"),
    ("mpps-in-progress", "RAD-6-SCU-02", status_in_progress, "A step begins IN PROGRESS"),
    ("mpps-create-type-1", "RAD-6-SCU-03", type_1_valued, "Type 1 attributes are valued"),
    ("mpps-create-type-2", "RAD-6-SCU-04", type_2_present, "Type 2 attributes are present"),
    ("mpps-item-type-2", "RAD-6-SCU-05", scheduled_item_type_2_present, "Scheduled step items are whole"),
    ("mpps-simple-copies", "RAD-6-SCU-06", simple_case_copies_worklist, "The simple case copies the worklist"),
    ("mpps-patient", "RAD-6-SCU-07", patient_from_worklist, "The patient is that of the worklist"),
    ("mpps-id-unique", "RAD-6-SCU-08", step_ids_unique, "Each performed step has an id of its own"),
    ("mpps-set-what-was-created", "RAD-6-SCU-09", only_created_attributes_set, "Only what was created is set"),
    ("mpps-unscheduled", "RAD-6-SCU-10", unscheduled_identifiers_empty, "Unscheduled steps have empty identifiers"),
    ("mpps-sent-once", "RAD-6-SCU-16", sent_once, "A step is announced once"),
    ("mpps-queued", "RAD-6-SCU-17", queued_while_manager_is_away, "Steps wait for the manager to come back"),
    ("mpps-charset", "RAD-6-SCU-18", character_set_constant, "The character set covers the text and stays"),
    ("mpps-study-id", "RAD-6-SCU-19", study_id_is_procedure_id, "The Study ID is the Requested Procedure ID"),
)

CHECKS: tuple[Check, ...] = tuple(check(id, req, "RAD-6", function, title) for id, req, function, title in _ROWS)
