"""A simulated Performed Procedure Step Manager: keeps each step and passes every message on (RAD-6, 7, 20, 21).

Each destination has its own queue: a destination that is down delays nobody else, and the sender is answered
without regard to any of them (RAD TF-3 4.59, RAD TF-2 4.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.actors.actor import SimulatedActor, sop_instance
from harness.actors.courier import Courier
from harness.actors.objects import UidSource, uid_source
from harness.actors.performed_steps import (
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    UNRECOGNIZED_OPERATION,
    PerformedStep,
    PerformedSteps,
    StepBehaviour,
    selected,
)
from harness.core.message import Blob
from harness.core.transcript import Recorder, Transcript
from harness.protocols.dicom.datasets import decode
from harness.protocols.dicom.node import Address, Proposal, Request, Response
from harness.protocols.dicom.uids import EXPLICIT_VR_LE, IMPLICIT_VR_LE, MPPS, MPPS_RETRIEVE


@dataclass(frozen=True, slots=True)
class Parcel:
    """One accepted message on its way to one destination: the data set bytes as they were received."""

    kind: str
    uid: str
    payload: Blob
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class PpsManagerBehaviour:
    """The decisions of a PPS Manager that the Technical Framework and DICOM regulate."""

    steps: StepBehaviour = field(default_factory=StepBehaviour)
    #: what goes to the destination with this number (from 0) for an accepted message; None: nothing
    forward: Callable[[Parcel, int], Parcel | None] = lambda parcel, destination: parcel
    #: False: a message that could not be delivered at once is lost
    keeps: bool = True
    #: True: the sender is refused while a destination is down
    depends_on_destinations: bool = False


class PpsManager(SimulatedActor):
    """Accepts performed procedure steps, answers at once, and forwards them in order to every destination."""

    slug = "pps-manager"
    name = "PPS Manager"

    def __init__(
        self,
        ae_title: str,
        recorder: Transcript | Recorder,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        behaviour: PpsManagerBehaviour | None = None,
        destinations: Sequence[Address] = (),
        retry: float = 1.0,
        peers: Mapping[str, Address] | None = None,
        uid: UidSource | None = None,
    ) -> None:
        self.behaviour = behaviour or PpsManagerBehaviour()
        self.performed = PerformedSteps(self.behaviour.steps)
        self._uid = uid or uid_source()
        self._couriers = [
            Courier[Parcel](
                f"{ae_title} to {destination.ae_title}",
                self._delivery(destination),
                recorder.fault,
                retry=retry,
                attempts=0 if self.behaviour.keeps else 1,
            )
            for destination in destinations
        ]
        super().__init__(ae_title, recorder, host, port, peers=peers)

    def _serve(self) -> None:
        self.node.serve([MPPS], self._step)
        self.node.serve([MPPS_RETRIEVE], self._retrieve)

    def _started(self) -> None:
        for courier in self._couriers:
            courier.start()

    def _stopping(self) -> None:
        for courier in self._couriers:
            courier.stop()

    # -- what scenarios ask of it --------------------------------------------------------------------------

    @property
    def steps(self) -> tuple[PerformedStep, ...]:
        """Every step it keeps, oldest first."""
        return self.performed.steps

    def pending(self) -> int:
        """How many messages still wait for a destination."""
        return sum(len(courier.pending) for courier in self._couriers)

    def retry_now(self) -> None:
        """Try waiting messages again at once."""
        for courier in self._couriers:
            courier.wake()

    def wait_forwarded(self, timeout: float) -> bool:
        """True once every destination has everything; False if that takes longer than ``timeout`` seconds."""
        return all(courier.wait_idle(timeout) for courier in self._couriers)

    # -- RAD-6, RAD-7 --------------------------------------------------------------------------------------

    def _step(self, request: Request) -> Response:
        uid = sop_instance(request) or self._uid()
        if self.behaviour.depends_on_destinations and any(courier.failing for courier in self._couriers):
            return Response(PROCESSING_FAILURE, None, {"AffectedSOPInstanceUID": uid})
        reply = self.performed.apply(request, uid)
        if reply.status == 0:
            parcel = Parcel(request.kind, uid, request.payload, request.transfer_syntax)
            for number, courier in enumerate(self._couriers):
                out = self.behaviour.forward(parcel, number)
                if out is not None:
                    courier.post(out)
        return Response(reply.status, None, {"AffectedSOPInstanceUID": uid, **reply.fields})

    def _retrieve(self, request: Request) -> Response:
        if request.kind != "N-GET-RQ":
            return Response(UNRECOGNIZED_OPERATION)
        uid = sop_instance(request)
        step = self.performed.get(uid)
        if step is None:
            return Response(NO_SUCH_INSTANCE, None, {"AffectedSOPInstanceUID": uid})
        tags = tuple(request.command.get("AttributeIdentifierList") or ())
        return Response(0, selected(step.dataset, tags), {"AffectedSOPInstanceUID": uid})

    def _delivery(self, destination: Address) -> Callable[[Parcel], None]:
        return lambda parcel: self._forward(destination, parcel)

    def _forward(self, destination: Address, parcel: Parcel) -> None:
        syntaxes = tuple(dict.fromkeys((parcel.transfer_syntax, IMPLICIT_VR_LE, EXPLICIT_VR_LE)))
        with self.node.connect(destination, [Proposal(MPPS, (syntax,)) for syntax in syntaxes]) as association:
            same = any(context.transfer_syntax == parcel.transfer_syntax for context in association.accepted)
            creates = parcel.kind == "N-CREATE-RQ"
            answers = association.request(
                parcel.kind,
                {"AffectedSOPInstanceUID" if creates else "RequestedSOPInstanceUID": parcel.uid},
                # another syntax than the sender's needs another encoding; otherwise the bytes go on as they came
                parcel.payload.bytes() if same else decode(parcel.payload, parcel.transfer_syntax),
                abstract_syntax=MPPS,
                transfer_syntax=parcel.transfer_syntax if same else None,
            )
            next(answers)
