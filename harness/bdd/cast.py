"""The simulated actors of a lab: who they are, how they come up, and who of them is away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from harness.actors.acquisition import Acquisition
from harness.actors.actor import SimulatedActor
from harness.actors.image_display import ImageDisplay, Received
from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.pps_manager import PpsManager
from harness.actors.reports.reader import ReportReader
from harness.core.errors import UsageError
from harness.core.transcript import Recorder
from harness.protocols.dicom.node import Address
from harness.sut.config import ActorEndpoint, HarnessSide

_TITLES = {
    "order-filler": "IHE_OF",
    "pps-manager": "IHE_PPSM",
    "image-manager": "IHE_IM",
    "image-display": "IHE_ID",
    "acquisition-modality": "IHE_MOD",
    "report-reader": "IHE_RR",
}
_CLASSES: dict[str, type[SimulatedActor]] = {
    "order-filler": OrderFiller,
    "pps-manager": PpsManager,
    "image-manager": ImageManager,
    "image-display": ImageDisplay,
    "acquisition-modality": Acquisition,
    "report-reader": ReportReader,
}

#: names of the actors that are there in every scenario
SIMULATED = tuple(kind.name for kind in _CLASSES.values())


class Cast:
    """One actor of each kind, reachable by type or by name."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._actors: dict[str, SimulatedActor] = {}
        self._away: set[str] = set()

    def _start_cast(
        self,
        side: HarnessSide,
        stack: contextlib.ExitStack,
        equip: Callable[[SimulatedActor], None],
        behaviours: Mapping[type[SimulatedActor], object],
    ) -> None:
        """Start them all and tell each of the others. Raises EnvironmentFailure for a port that is taken."""
        for slug, make in _CLASSES.items():
            endpoint = side.actors.get(slug, ActorEndpoint())
            title = endpoint.ae_title or _TITLES[slug]
            more: dict[str, Any] = {"behaviour": behaviours[make]} if make in behaviours else {}
            actor = make(title, self.recorder, side.bind, endpoint.port, **more)
            equip(actor)
            actor.start()
            stack.callback(actor.stop)
            self._actors[slug] = actor
        for actor in self._actors.values():
            for other in self._actors.values():
                actor.know(Address(other.ae_title, side.advertise, other.port))

    @property
    def order_filler(self) -> OrderFiller:
        """The simulated DSS/Order Filler."""
        actor = self._actors["order-filler"]
        assert isinstance(actor, OrderFiller)
        return actor

    @property
    def pps_manager(self) -> PpsManager:
        """The simulated Performed Procedure Step Manager."""
        actor = self._actors["pps-manager"]
        assert isinstance(actor, PpsManager)
        return actor

    @property
    def image_manager(self) -> ImageManager:
        """The simulated Image Manager/Archive."""
        actor = self._actors["image-manager"]
        assert isinstance(actor, ImageManager)
        return actor

    @property
    def image_display(self) -> ImageDisplay:
        """The simulated Image Display."""
        actor = self._actors["image-display"]
        assert isinstance(actor, ImageDisplay)
        return actor

    @property
    def report_reader(self) -> ReportReader:
        """The simulated Report Reader."""
        actor = self._actors["report-reader"]
        assert isinstance(actor, ReportReader)
        return actor

    def reader(self, name: str) -> ImageDisplay:
        """Who asks repositories (Report Reader) or archives (Image Display). Raises UsageError for another name."""
        actor = self._named(name)
        if not isinstance(actor, ImageDisplay):
            raise UsageError(f"the {name} retrieves nothing; Image Display and Report Reader do")
        return actor

    @property
    def all_received(self) -> tuple[Received, ...]:
        """Everything that was retrieved by whoever it was."""
        return tuple(
            one for actor in self._actors.values() if isinstance(actor, ImageDisplay) for one in actor.received
        )

    @property
    def modality(self) -> Acquisition:
        """The simulated Acquisition Modality."""
        actor = self._actors["acquisition-modality"]
        assert isinstance(actor, Acquisition)
        return actor

    def actor(self, slug: str) -> SimulatedActor:
        """The simulated actor of that slug, which is there in every scenario."""
        return self._actors[slug]

    def take_away(self, name: str) -> None:
        """Have a simulated actor close its port and every connection. Raises UsageError for an unknown name."""
        self._named(name).node.leave()
        self._away.add(name)

    @property
    def away(self) -> frozenset[str]:
        """The actors that were taken away and are not back."""
        return frozenset(self._away)

    def bring_back(self, name: str) -> None:
        """Have it listen again, where it did before."""
        if name in self._away:
            self._away.discard(name)
            self._named(name).node.start()

    def _named(self, name: str) -> SimulatedActor:
        known = {actor.name: actor for actor in self._actors.values()}
        if name not in known:
            raise UsageError(f"there is no simulated actor {name!r}; known: {', '.join(known)}")
        return known[name]

    def endpoints(self) -> list[tuple[str, str, int]]:
        """Name, AE title and port of every simulated actor."""
        return [(actor.name, actor.ae_title, actor.port) for actor in self._actors.values()]
