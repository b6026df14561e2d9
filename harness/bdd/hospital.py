"""The HL7 side of the lab: ADT, Order Placer, Order Filler and Image Manager, who talk to the product alone."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping
from typing import Final

from harness.actors.orders import standing as orders_standing
from harness.actors.orders.adt import PatientRegistration
from harness.actors.orders.book import OrderBook
from harness.actors.orders.endpoint import Destination, HL7Endpoint, Retry
from harness.actors.orders.filler import FillerPeers, OrderFillerMessages
from harness.actors.orders.hl7 import HL7_231, HL7_251, Application
from harness.actors.orders.placer import OrderPlacer
from harness.actors.orders.records import PatientRecords
from harness.actors.orders.schedule import ScheduleReceiver
from harness.actors.orders.standing import Surroundings, standing
from harness.core.errors import UsageError
from harness.core.transcript import Recorder
from harness.profiles import names
from harness.protocols.dicom.tls import TlsSettings
from harness.protocols.hl7.mllp import Tap, Timeouts
from harness.sut.config import ActorEndpoint, SutFile

#: MSH-3 of our actors; MSH-4 is the same for all
APPLICATIONS: Final[Mapping[str, str]] = {
    "adt": "IHE_ADT",
    "order-placer": "IHE_OP",
    "order-filler": "IHE_OF",
    "image-manager": "IHE_IM",
}
FACILITY: Final = "IHE"


def version_for(sut: SutFile) -> str:
    """The version of our messages: 2.5.1 for products that claim SWF.b or the option, else 2.3.1."""
    new = any(claim.profile == "SWF.b" or names.HL7_V251 in claim.options for claim in sut.claims)
    return HL7_251 if new else HL7_231


class Hospital:
    """One per lab. Actors of which the product is one stand by and are told nothing."""

    def __init__(
        self,
        recorder: Recorder,
        sut: SutFile,
        source: random.Random,
        archive: PatientRecords,
        tap: Tap | None,
        tls: TlsSettings | None = None,
    ) -> None:
        self.version = version_for(sut)
        self.book = OrderBook()
        self._sut, self._recorder, self._tap, self._tls = sut, recorder, tap, tls
        # numbers must be new to products that remember earlier runs
        around = Surroundings(
            uid=lambda: f"2.25.{source.getrandbits(121)}", prefix=f"{source.randrange(10000, 100000)}"
        )
        self.adt = PatientRegistration(self._endpoint("adt"), ())
        placer = standing("order-placer", self._endpoint("order-placer"), around)
        assert isinstance(placer, OrderPlacer)
        self.placer = placer
        filler = standing("order-filler", self._endpoint("order-filler"), _with(around, book=self.book))
        assert isinstance(filler, OrderFillerMessages)
        self.filler = filler
        manager = standing("image-manager", self._endpoint("image-manager"), _with(around, archive=archive))
        assert isinstance(manager, ScheduleReceiver)
        self.manager = manager
        #: what the Order Filler tells Image Managers of patients (RAD-12)
        self.forwarder = PatientRegistration(self.filler.endpoint, ())
        self.product: Destination | None = None

    def _endpoint(self, slug: str) -> HL7Endpoint:
        side, seconds = self._sut.harness, self._sut.timeouts
        return HL7Endpoint(
            self._recorder,
            actor=orders_standing.ACTORS[slug],
            application=Application(APPLICATIONS[slug], FACILITY),
            version=self.version,
            host=side.bind,
            port=side.actors.get(slug, ActorEndpoint()).hl7_port,
            timeouts=Timeouts(connect=seconds.connect, acknowledge=seconds.exchange),
            # a second attempt would hide that the first one was not answered
            retry=Retry(attempts=1),
            tap=self._tap,
            tls=self._tls.server_context() if self._tls else None,
            client_tls=self._tls.client_context() if self._tls else None,
        )

    @property
    def endpoints(self) -> Mapping[str, HL7Endpoint]:
        """The ends by slug."""
        return {
            "adt": self.adt.endpoint,
            "order-placer": self.placer.endpoint,
            "order-filler": self.filler.endpoint,
            "image-manager": self.manager.endpoint,
        }

    def end_of(self, actor: str) -> HL7Endpoint:
        """The end of an actor by its name. Raises UsageError for one without HL7."""
        for endpoint in self.endpoints.values():
            if endpoint.actor == actor:
                return endpoint
        known = ", ".join(endpoint.actor for endpoint in self.endpoints.values())
        raise UsageError(f"{actor!r} has no HL7 side; known: {known}")

    def start(self, stack: contextlib.ExitStack) -> None:
        """Listen until the stack is closed. Raises EnvironmentFailure if a port is taken."""
        for actor in (self.adt, self.placer, self.filler, self.manager):
            stack.callback(actor.stop)
            actor.start()

    def meet(self, host: str, port: int) -> None:
        """Learn where the product listens; each of our actors calls it in the roles that it claims."""
        table = self._sut.hl7
        assert table is not None
        product = Destination(self._sut.product.name, host, port, Application(table.application, table.facility))
        roles = self._sut.declaration().actors
        self.product = product
        if roles & {names.ORDER_PLACER, names.ORDER_FILLER}:
            self.adt = self._told_to(self.adt, product)
        if names.ORDER_FILLER in roles:
            self.placer.filler = product
        to_manager = (product,) if names.IMAGE_MANAGER in roles else ()
        self.filler.peers = FillerPeers(product if names.ORDER_PLACER in roles else None, to_manager)
        if to_manager:
            self.forwarder = self._told_to(self.forwarder, product)

    @staticmethod
    def _told_to(adt: PatientRegistration, product: Destination) -> PatientRegistration:
        return PatientRegistration(adt.endpoint, (product,))

    def settle(self, seconds: float) -> bool:
        """Wait until everything received was carried out and everything queued was answered or given up."""
        return all(endpoint.wait_idle(seconds) for endpoint in self.endpoints.values())

    def reset(self) -> None:
        """Nothing of an earlier scenario is on its way any more, or on our worklist."""
        self.settle(self._sut.timeouts.exchange)
        for endpoint in self.endpoints.values():
            endpoint.forget_script()
        for order in self.book.orders:
            if any(step.state.value in ("SCHEDULED", "STARTED") for step in order.steps):
                self.book.cancel(order)


def _with(
    around: Surroundings, *, book: OrderBook | None = None, archive: PatientRecords | None = None
) -> Surroundings:
    return Surroundings(uid=around.uid, prefix=around.prefix, book=book, archive=archive)
