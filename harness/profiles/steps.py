"""Performed procedure steps, the worklist entries that they belong to, and the case that each of them is.

Whether a step is simple, grouped, appended or unscheduled is decided from what was asked of the product (ACTION facts)
where that is known, otherwise from the messages: the identifiers in the Scheduled Step Attributes Sequence against the
worklist that the product was given.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.profiles import facts
from harness.profiles.journal import FROM_SUT, MPPS, MWL_FIND, TO_SUT, Journal, Operation, instance_of
from harness.profiles.values import Attributes, attributes_of, items, references, text

SCHEDULED_ACTIONS = ("perform-step", "start-step", "append-to-step", "reassign-step")
STARTING_ACTIONS = (*SCHEDULED_ACTIONS, "perform-unscheduled", "create-evidence")
FINAL = ("COMPLETED", "DISCONTINUED")

#: how much each identifier says about which entry an item belongs to
_WEIGHTS = (
    ("ScheduledProcedureStepID", 8),
    ("RequestedProcedureID", 4),
    ("AccessionNumber", 3),
    ("StudyInstanceUID", 3),
)


class Case(enum.StrEnum):
    """How scheduled steps and performed steps relate (RAD TF-2 4.6)."""

    SIMPLE = "simple"
    GROUP = "group"
    APPEND = "append"
    UNSCHEDULED = "unscheduled"

    @property
    def scheduled(self) -> bool:
        """Whether there was a worklist entry."""
        return self is not Case.UNSCHEDULED


@dataclass(frozen=True, slots=True)
class Entry:
    """One scheduled step as a worklist offered it: flat attributes, the step's own ones lifted to the top.

    ``seq`` is the message or fact that it comes from.
    """

    attributes: Attributes
    seq: int

    def text(self, keyword: str) -> str:
        """The decoded value of an attribute, "" if it has none."""
        return text(self.attributes, keyword)

    @property
    def step_id(self) -> str:
        """Scheduled Procedure Step ID."""
        return self.text("ScheduledProcedureStepID")


def entry_of(attributes: Attributes, seq: int) -> Entry:
    """A worklist response (or the keywords of an ORDER fact) as an entry."""
    flat: dict[str, Any] = {k: v for k, v in attributes.items() if k != "ScheduledProcedureStepSequence"}
    for step in items(attributes, "ScheduledProcedureStepSequence")[:1]:
        flat.update(step)
    return Entry(flat, seq)


@dataclass(frozen=True, slots=True)
class PerformedStep:
    """One MPPS instance: the N-CREATE, the N-SETs, its case, and the entry of each Scheduled Step Attributes item."""

    uid: str
    create: Operation
    sets: tuple[Operation, ...]
    case: Case
    scheduled: tuple[Attributes, ...]
    entries: tuple[Entry | None, ...]
    intended: tuple[Entry, ...]
    earlier: tuple[str, ...]

    @property
    def attributes(self) -> Attributes:
        """What the N-CREATE holds."""
        return self.create.attributes

    @property
    def closing(self) -> Operation | None:
        """The first N-SET that ends the step, None while it is in progress."""
        for operation in self.sets:
            if text(operation.attributes, "PerformedProcedureStepStatus") in FINAL:
                return operation
        return None

    @property
    def end(self) -> str:
        """COMPLETED, DISCONTINUED, or "" while it is in progress."""
        return text(self.closing.attributes, "PerformedProcedureStepStatus") if self.closing is not None else ""

    @property
    def current(self) -> dict[str, Any]:
        """The attributes after all N-SETs up to the closing one: each replaces what it names."""
        merged = dict(self.attributes)
        for operation in self.sets:
            merged.update(operation.attributes)
            if operation is self.closing:
                break
        return merged

    @property
    def series(self) -> list[Attributes]:
        """Items of the Performed Series Sequence in the current state."""
        return items(self.current, "PerformedSeriesSequence")

    @property
    def referenced(self) -> dict[str, str]:
        """SOP Instance UID to Series Instance UID of everything that the current state references."""
        found: dict[str, str] = {}
        for series in self.series:
            for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence"):
                for _, instance in references(series, keyword):
                    found[instance] = text(series, "SeriesInstanceUID")
        return found

    @property
    def label(self) -> str:
        """How observations name it."""
        return f"performed step {text(self.attributes, 'PerformedProcedureStepID') or self.uid or '?'}"

    @property
    def evidence(self) -> tuple[int, ...]:
        """The create request and the closing one."""
        seqs = (self.create.request.seq,)
        return seqs if self.closing is None else (*seqs, self.closing.request.seq)

    @property
    def entry(self) -> Entry | None:
        """The worklist entry of a step with one scheduled step."""
        if self.case is Case.GROUP or not self.case.scheduled:
            return None
        return next((entry for entry in (*self.entries, *self.intended) if entry is not None), None)

    @property
    def worklist(self) -> tuple[Entry, ...]:
        """All entries it performs, intended ones first."""
        if not self.case.scheduled:
            return ()
        return self.intended or tuple(entry for entry in self.entries if entry is not None)


class Steps:
    """The performed steps of the system under test, and the worklist it was given."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.entries = _offered(journal)
        self.all = tuple(self._steps())
        self._by_uid = {step.uid: step for step in self.all}

    def by(self, *actors: str) -> tuple[PerformedStep, ...]:
        """The steps that the system under test performed in one of these roles."""
        return tuple(step for step in self.all if self.journal.maker(step.create.request.seq) in actors)

    def _steps(self) -> Iterable[PerformedStep]:
        forwarded = {operation.instance for operation in self.journal.select("N-CREATE-RQ", TO_SUT, MPPS)}
        sets: dict[str, list[Operation]] = {}
        for operation in self.journal.select("N-SET-RQ", FROM_SUT, MPPS):
            sets.setdefault(operation.instance, []).append(operation)
        seen: dict[str, PerformedStep] = {}
        for operation in self.journal.select("N-CREATE-RQ", FROM_SUT, MPPS):
            uid = operation.instance
            if uid in forwarded or (uid and uid in seen):
                continue
            step = self._step(uid, operation, tuple(sets.get(uid, ())), tuple(seen.values()))
            seen[uid or f"#{operation.request.seq}"] = step
            yield step

    def _step(
        self, uid: str, create: Operation, sets: tuple[Operation, ...], earlier: tuple[PerformedStep, ...]
    ) -> PerformedStep:
        seq = create.request.seq
        scheduled = tuple(items(create.attributes, "ScheduledStepAttributesSequence"))
        offered = self.offered_before(seq)
        action = self.journal.action_before(seq, *STARTING_ACTIONS)
        intended = _intended(action, offered)
        unscheduled = action is not None and action.get("action") in ("perform-unscheduled", "create-evidence")
        entries = (
            tuple(None for _ in scheduled) if unscheduled else _assign(scheduled, intended or tuple(offered.values()))
        )
        found = [entry for entry in entries if entry is not None]
        wanted = {entry.step_id for entry in (intended or found)}
        before = tuple(
            step.uid
            for step in earlier
            if step.case.scheduled and wanted & {entry.step_id for entry in step.worklist} and wanted
        )
        if unscheduled or not (intended or found):
            case = Case.UNSCHEDULED
        elif len(intended) > 1 or len(scheduled) > 1:
            case = Case.GROUP
        elif before and (action is None or action.get("action") != "perform-step" or _ended(earlier, before)):
            case = Case.APPEND
        else:
            case = Case.SIMPLE
        return PerformedStep(uid, create, sets, case, scheduled, entries, intended, before)

    def offered_before(self, seq: int) -> dict[str, Entry]:
        """The newest version of each entry, by step id, that the product could know at ``seq``."""
        newest: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.seq < seq:
                newest[entry.step_id] = entry
        return newest

    def of(self, store: Operation) -> PerformedStep | None:
        """The step that a stored instance belongs to: by its reference, else by its series, else by its study."""
        attributes = store.attributes
        for _, uid in references(attributes, "ReferencedPerformedProcedureStepSequence"):
            if uid in self._by_uid:
                return self._by_uid[uid]
        instance, series = instance_of(store), text(attributes, "SeriesInstanceUID")
        for step in self.all:
            if instance in step.referenced or any(text(s, "SeriesInstanceUID") == series for s in step.series):
                return step
        study = text(attributes, "StudyInstanceUID")
        earlier = [step for step in self.all if step.create.request.seq < store.request.seq]
        for step in reversed(earlier):
            if any(text(item, "StudyInstanceUID") == study for item in step.scheduled):
                return step
        return earlier[-1] if len(earlier) == 1 else None

    def entry_of(self, store: Operation) -> Entry | None:
        """The worklist entry of an instance of a step that has one entry."""
        step = self.of(store)
        return step.entry if step is not None else None


def _offered(journal: Journal) -> tuple[Entry, ...]:
    """Entries that the product was given, oldest first: worklist answers, or the ORDER facts if it never asked."""
    answered = [
        entry_of(attributes_of(message), message.seq)
        for operation in journal.select("C-FIND-RQ", FROM_SUT, MWL_FIND)
        for message in operation.pending
    ]
    if answered:
        return tuple(answered)
    return tuple(
        entry_of(data.get("keywords") or {}, seq) for seq, data in journal.facts(facts.ORDER) if data.get("keywords")
    )


def _intended(action: Mapping[str, Any] | None, offered: Mapping[str, Entry]) -> tuple[Entry, ...]:
    if action is None or action.get("action") not in SCHEDULED_ACTIONS:
        return ()
    parameters = action.get("parameters") or {}
    step_ids = parameters.get("step_ids") or ()
    if isinstance(step_ids, str):
        step_ids = [part.strip() for part in step_ids.split(",")]
    return tuple(offered[step_id] for step_id in step_ids if step_id in offered)


def _assign(scheduled: tuple[Attributes, ...], candidates: tuple[Entry, ...]) -> tuple[Entry | None, ...]:
    """For each item the best entry that no other item has; None where no identifier agrees."""
    left = list(candidates)
    assigned: list[Entry | None] = []
    for item in scheduled:
        best = max(left, key=lambda entry: _likeness(item, entry), default=None)
        if best is None or _likeness(item, best) == 0:
            assigned.append(None)
            continue
        left.remove(best)
        assigned.append(best)
    return tuple(assigned)


def _likeness(item: Attributes, entry: Entry) -> int:
    return sum(
        weight for keyword, weight in _WEIGHTS if (value := text(item, keyword)) and value == entry.text(keyword)
    )


def _ended(steps: tuple[PerformedStep, ...], uids: tuple[str, ...]) -> bool:
    return any(step.end == "COMPLETED" for step in steps if step.uid in uids)
