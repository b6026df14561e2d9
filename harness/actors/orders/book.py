"""The order book of a DSS/Order Filler: orders, the schedules of their procedures, and what became of each step."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

from harness.actors.orders.values import Identifier, Order, OrderState, Patient, StepState, Visit, WorklistEntry


class OrderBook:
    """The newest version of every patient and order; thread-safe. Retired patient IDs lead to their survivors.

    ``version`` grows with every change, so that a reader can keep what it derived until then.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._patients: dict[tuple[str, str], Patient] = {}
        self._visits: dict[tuple[str, str], Visit] = {}
        self._survivors: dict[tuple[str, str], tuple[str, str]] = {}
        self._orders: dict[int, Order] = {}
        self._handles = itertools.count(1)
        self._by_patient: dict[tuple[str, str], set[int]] = {}
        # numbers by value first: one value may have been dealt out by several authorities
        self._by_placer: dict[str, dict[str, int]] = {}
        self._by_filler: dict[str, dict[str, int]] = {}
        self._by_study: dict[str, int] = {}
        self._by_step: dict[str, int] = {}
        self._entries: dict[int, tuple[WorklistEntry, ...]] = {}
        self.version = 0

    # -- patients ------------------------------------------------------------------------------------------

    def resolve(self, identifier: Identifier | tuple[str, str]) -> tuple[str, str]:
        """The key under which that patient is kept now: the survivor's, if it was merged away."""
        key = identifier.key if isinstance(identifier, Identifier) else identifier
        with self._lock:
            seen = {key}
            while (after := self._survivors.get(key)) is not None and after not in seen:
                seen.add(after)
                key = after
            return key

    def patient(self, identifier: Identifier | tuple[str, str]) -> Patient | None:
        """The patient of that identifier, following merges, or None."""
        with self._lock:
            return self._patients.get(self.resolve(identifier))

    @property
    def patients(self) -> tuple[Patient, ...]:
        """All patients that were not merged away."""
        with self._lock:
            return tuple(self._patients.values())

    def visit(self, identifier: Identifier | tuple[str, str]) -> Visit | None:
        """The newest visit of that patient, or None."""
        with self._lock:
            return self._visits.get(self.resolve(identifier))

    def register(self, patient: Patient, visit: Visit | None = None) -> Patient:
        """Add or replace a patient, and the visit if one is given. Orders of the patient show it at once."""
        with self._lock:
            key = self.resolve(patient.identifier)
            if key != patient.identifier.key:
                patient = replace(patient, identifier=self._patients[key].identifier)
            self._patients[key] = patient
            if visit is not None:
                self._visits[key] = visit
            self._refresh(key)
            return patient

    def set_visit(self, identifier: Identifier | tuple[str, str], visit: Visit) -> None:
        """Replace the visit of a patient and the visit shown with its open orders."""
        with self._lock:
            key = self.resolve(identifier)
            self._visits[key] = visit
            for handle in self._by_patient.get(key, ()):
                order = self._orders[handle]
                if order.state in (OrderState.SCHEDULED, OrderState.IN_PROGRESS):
                    self._orders[handle] = replace(order, visit=visit)
            self._refresh(key)

    def merge(self, survivor: Patient, retired: Identifier) -> tuple[Order, ...]:
        """Move all orders of the retired identifier to the survivor; a merge with itself changes nothing."""
        with self._lock:
            new, old = self.resolve(survivor.identifier), retired.key
            known = self._patients.get(new)
            self._patients[new] = survivor if known is None or new == survivor.identifier.key else known
            old_now = self.resolve(old)
            if old_now == new:
                self._refresh(new)
                return ()
            self._survivors[old_now] = new
            self._patients.pop(old_now, None)
            visit = self._visits.pop(old_now, None)
            if visit is not None:
                self._visits.setdefault(new, visit)
            moved = self._by_patient.pop(old_now, set())
            for handle in moved:
                self._orders[handle] = replace(self._orders[handle], patient=new)
            self._by_patient.setdefault(new, set()).update(moved)
            self._refresh(new)
            return tuple(self._orders[handle] for handle in sorted(moved))

    # -- orders --------------------------------------------------------------------------------------------

    def add(self, order: Order) -> Order:
        """Keep a new order. Raises KeyError if its patient is unknown."""
        with self._lock:
            key = self.resolve(order.patient)
            if key not in self._patients:
                raise KeyError(f"no patient {order.patient}: register it before its order")
            order = replace(order, patient=key)
            handle = next(self._handles)
            self._by_patient.setdefault(key, set()).add(handle)
            self._put(handle, order)
            return order

    def update(self, old: Order, new: Order) -> Order:
        """Replace an order by a newer version of itself. Raises KeyError if ``old`` is not in the book."""
        with self._lock:
            handle = self._handle(old)
            if handle is None:
                raise KeyError(f"no order {old.placer_number.value or old.filler_number.value}")
            new = replace(new, patient=self.resolve(new.patient))
            self._put(handle, new)
            return new

    def current(self, order: Order) -> Order:
        """The newest version of an order that was read some time ago; itself if the book does not know it."""
        with self._lock:
            handle = self._handle(order)
            return order if handle is None else self._orders[handle]

    def by_placer(self, number: Identifier) -> Order | None:
        """The order with that placer number, or None; an authority on one side only does not separate them."""
        with self._lock:
            return self._find(self._by_placer, number)

    def by_filler(self, number: Identifier) -> Order | None:
        """The order with that filler number, or None."""
        with self._lock:
            return self._find(self._by_filler, number)

    def by_study(self, study_uid: str) -> Order | None:
        """The order one of whose procedures has that Study Instance UID, or None."""
        with self._lock:
            handle = self._by_study.get(study_uid)
            return None if handle is None else self._orders[handle]

    def by_step(self, step_id: str) -> Order | None:
        """The order one of whose steps has that Scheduled Procedure Step ID, or None."""
        with self._lock:
            handle = self._by_step.get(step_id)
            return None if handle is None else self._orders[handle]

    def orders_of(self, identifier: Identifier | tuple[str, str]) -> tuple[Order, ...]:
        """All orders of a patient, oldest first."""
        with self._lock:
            handles = self._by_patient.get(self.resolve(identifier), set())
            return tuple(self._orders[handle] for handle in sorted(handles))

    @property
    def orders(self) -> tuple[Order, ...]:
        """All orders, oldest first."""
        with self._lock:
            return tuple(self._orders.values())

    def set_step_state(self, step_id: str, state: StepState) -> Order | None:
        """Note what became of a step; returns the order as it is now, or None if no order has that step."""
        with self._lock:
            order = self.by_step(step_id)
            if order is None:
                return None
            procedures = tuple(
                replace(p, steps=tuple(replace(s, state=state) if s.id == step_id else s for s in p.steps))
                for p in order.procedures
            )
            changed = replace(order, procedures=procedures)
            return self.update(order, replace(changed, state=_state_of(changed)))

    def cancel(self, order: Order, state: StepState = StepState.CANCELLED) -> Order:
        """Take every step of an order that is not finished off the worklist; returns the order as it is now."""
        order = self.current(order)
        done = (StepState.COMPLETED, StepState.DISCONTINUED)
        procedures = tuple(
            replace(p, steps=tuple(s if s.state in done else replace(s, state=state) for s in p.steps))
            for p in order.procedures
        )
        now = OrderState.CANCELLED if state is StepState.CANCELLED else OrderState.DISCONTINUED
        return self.update(order, replace(order, procedures=procedures, state=now))

    # -- worklist ------------------------------------------------------------------------------------------

    def entries(self) -> tuple[WorklistEntry, ...]:
        """One entry per step of every order, whatever its state; the reader decides what it offers."""
        with self._lock:
            return tuple(entry for entries in self._entries.values() for entry in entries)

    def entries_of(self, identifier: Identifier | tuple[str, str]) -> tuple[WorklistEntry, ...]:
        """The entries of one patient."""
        with self._lock:
            handles = self._by_patient.get(self.resolve(identifier), set())
            return tuple(entry for handle in sorted(handles) for entry in self._entries[handle])

    # -- inside --------------------------------------------------------------------------------------------

    def _put(self, handle: int, order: Order) -> None:
        before = self._orders.get(handle)
        if before is not None:
            for procedure in before.procedures:
                self._by_study.pop(procedure.study_uid, None)
                for step in procedure.steps:
                    self._by_step.pop(step.id, None)
        self._orders[handle] = order
        if order.placer_number:
            self._by_placer.setdefault(order.placer_number.value, {})[order.placer_number.key[1]] = handle
        if order.filler_number:
            self._by_filler.setdefault(order.filler_number.value, {})[order.filler_number.key[1]] = handle
        for procedure in order.procedures:
            self._by_study[procedure.study_uid] = handle
            for step in procedure.steps:
                self._by_step[step.id] = handle
        self._derive(handle)
        self.version += 1

    def _derive(self, handle: int) -> None:
        order = self._orders[handle]
        patient = self._patients[order.patient]
        self._entries[handle] = tuple(
            WorklistEntry(patient, order, procedure, step) for procedure in order.procedures for step in procedure.steps
        )

    def _refresh(self, key: tuple[str, str]) -> None:
        for handle in self._by_patient.get(key, ()):
            self._derive(handle)
        self.version += 1

    def _handle(self, order: Order) -> int | None:
        for index, number in ((self._by_filler, order.filler_number), (self._by_placer, order.placer_number)):
            handle = index.get(number.value, {}).get(number.key[1]) if number else None
            if handle is not None:
                return handle
        return next((handle for handle, kept in self._orders.items() if kept == order), None)

    def _find(self, index: dict[str, dict[str, int]], number: Identifier) -> Order | None:
        dealt = index.get(number.value) if number.value else None
        if not dealt:
            return None
        who = number.key[1]
        handle = dealt.get(who)
        if handle is None:
            same = [known for authority, known in dealt.items() if not (authority and who)]
            handle = same[0] if len(same) == 1 else None
        return None if handle is None else self._orders[handle]


def _state_of(order: Order) -> OrderState:
    states = {step.state for step in order.steps}
    open_states = {StepState.SCHEDULED, StepState.STARTED}
    if StepState.STARTED in states or (states & open_states and states - open_states - {StepState.CANCELLED}):
        return OrderState.IN_PROGRESS
    if StepState.SCHEDULED in states:
        return OrderState.SCHEDULED
    if StepState.COMPLETED in states:
        return OrderState.COMPLETED
    return OrderState.DISCONTINUED if StepState.DISCONTINUED in states else OrderState.CANCELLED
