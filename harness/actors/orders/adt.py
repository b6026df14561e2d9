"""The simulated ADT: registers patients (RAD-1) and tells of every later change (RAD-12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.actors.orders.behaviour import build
from harness.actors.orders.endpoint import Delivery, Destination, HL7Endpoint
from harness.actors.orders.hl7 import Scene
from harness.actors.orders.values import Patient, Visit

ADT = "ADT"

REGISTRATIONS = ("A01", "A04", "A05", "A11", "A38")
UPDATES = ("A02", "A03", "A06", "A07", "A08", "A12", "A13", "A40")


class PatientRegistration:
    """Sends ADT messages to every destination; ``endpoint`` gives it its queues and its name."""

    def __init__(self, endpoint: HL7Endpoint, destinations: Iterable[Destination]) -> None:
        self.endpoint = endpoint
        self.destinations = tuple(destinations)

    def start(self) -> int:
        """Listen, though nobody has to send anything to an ADT: everything is rejected. Returns the port."""
        return self.endpoint.start({})

    def stop(self) -> None:
        """Close all connections."""
        self.endpoint.stop()

    def __enter__(self) -> PatientRegistration:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(
        self,
        trigger: str,
        patient: Patient,
        visit: Visit,
        *,
        retired: Patient | None = None,
        deleted: Iterable[str] = (),
    ) -> tuple[Delivery, ...]:
        """Send one event to every destination. ``deleted`` names fields to be deleted (``PID-10``)."""
        layout = self.endpoint.behaviour.adt_layout(trigger)
        if retired is not None:
            patient, retired = self.endpoint.behaviour.swap(patient, retired)
        scene = Scene(
            type=layout.type,
            trigger=layout.trigger,
            structure=layout.structure,
            version=self.endpoint.version,
            time=self.endpoint.now(),
            control_id="",
            sender=self.endpoint.application,
            receiver=self.endpoint.application,
            character_sets=self.endpoint.character_sets,
            patient=patient,
            visit=visit,
            retired=retired,
            deleted=frozenset(deleted),
        )
        return tuple(
            self.endpoint.post(
                destination,
                build(
                    self.endpoint.behaviour,
                    replace(scene, control_id=self.endpoint.next_control_id(), receiver=destination.application),
                    layout,
                ),
            )
            for destination in self.endpoint.behaviour.receivers(trigger, self.destinations)
        )

    def admit(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A01: an inpatient is admitted."""
        return self.send("A01", patient, replace(visit, patient_class="I"))

    def register(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A04: an outpatient is registered."""
        return self.send("A04", patient, visit)

    def preadmit(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A05: a patient is expected."""
        return self.send("A05", patient, replace(visit, patient_class="P"))

    def cancel_admission(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A11: cancels A01 or A04."""
        return self.send("A11", patient, visit)

    def cancel_preadmission(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A38: cancels A05."""
        return self.send("A38", patient, visit)

    def transfer(self, patient: Patient, visit: Visit, to: str) -> tuple[Delivery, ...]:
        """A02: PV1-3 is the new location, PV1-6 the one before."""
        return self.send("A02", patient, replace(visit, location=to, prior_location=visit.location))

    def cancel_transfer(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A12: back to the location before."""
        return self.send("A12", patient, replace(visit, location=visit.prior_location, prior_location=""))

    def discharge(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A03."""
        return self.send("A03", patient, replace(visit, discharged=self.endpoint.now()))

    def cancel_discharge(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A13."""
        return self.send("A13", patient, replace(visit, discharged=""))

    def to_inpatient(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A06."""
        return self.send("A06", patient, replace(visit, patient_class="I"))

    def to_outpatient(self, patient: Patient, visit: Visit) -> tuple[Delivery, ...]:
        """A07."""
        return self.send("A07", patient, replace(visit, patient_class="O"))

    def update(self, patient: Patient, visit: Visit, deleted: Iterable[str] = ()) -> tuple[Delivery, ...]:
        """A08: other demographics, the same identifier."""
        return self.send("A08", patient, visit, deleted=deleted)

    def merge(self, survivor: Patient, retired: Patient) -> tuple[Delivery, ...]:
        """A40: PID is the surviving patient, MRG the one that is retired."""
        return self.send("A40", survivor, Visit(), retired=retired)
