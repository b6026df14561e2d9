"""Simulated actors that only some scenarios need: started when a step first asks for one, gone with the scenario."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from harness.actors.actor import SimulatedActor
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.server import PrintServer
from harness.actors.reports.repository import ExternalReportRepositoryAccess, ReportRepository
from harness.core.errors import EngineFailure, UsageError
from harness.profiles import names
from harness.protocols.dicom.node import Address
from harness.sut.config import ActorEndpoint

if TYPE_CHECKING:
    from harness.bdd.lab import Lab

A = TypeVar("A", bound=SimulatedActor)

TITLES = {
    "print-server": "IHE_PS",
    "print-composer": "IHE_PC",
    "report-repository": "IHE_RP",
    "external-report-repository-access": "IHE_ER",
}
#: their names
GUESTS = tuple(kind.name for kind in (PrintServer, PrintComposer, ReportRepository, ExternalReportRepositoryAccess))

#: the guests that a product of that actor talks with
_PARTNERS: dict[str, tuple[type[SimulatedActor], ...]] = {
    names.PRINT_COMPOSER: (PrintServer,),
    names.PRINT_SERVER: (PrintComposer,),
    names.REPORT_READER: (ReportRepository, ExternalReportRepositoryAccess),
}


def expected(lab: Lab) -> list[tuple[str, str, int]]:
    """Name, AE title and port of the guests that this product will meet; port 0: another one in each scenario."""
    met = [kind for claim in lab.sut.claims for kind in _PARTNERS.get(claim.actor, ())]
    ends = [(kind, lab.sut.harness.actors.get(kind.slug, ActorEndpoint())) for kind in dict.fromkeys(met)]
    return [(kind.name, end.ae_title or TITLES[kind.slug], end.port) for kind, end in ends]


class Guests:
    """Actors by class; each listens where the SUT file says, or on a free port."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._actors: dict[str, SimulatedActor] = {}
        self._stack = contextlib.ExitStack()

    def invite(self, kind: type[A], **more: Any) -> A:
        """The actor of that class, started now unless it runs; ``more`` goes to its constructor.

        Raises EnvironmentFailure if its port is taken.
        """
        found = self._actors.get(kind.slug)
        if found is None:
            side = self._lab.sut.harness
            endpoint = side.actors.get(kind.slug, ActorEndpoint())
            title = endpoint.ae_title or TITLES.get(kind.slug, "IHE_GUEST")
            found = kind(title, self._lab.recorder, side.bind, endpoint.port, **more)
            self._lab.equip(found)
            found.start()
            self._stack.callback(found.stop)
            self._actors[kind.slug] = found
            if self._lab.callable:
                found.know(self._lab.product)
        if not isinstance(found, kind):
            raise EngineFailure(f"{kind.slug} runs already as {type(found).__name__}")
        return found

    def named(self, name: str) -> SimulatedActor:
        """A guest that was invited before. Raises UsageError if there is none of that name."""
        known = {actor.name: actor for actor in self._actors.values()}
        if name not in known:
            raise UsageError(f"there is no simulated actor {name!r} yet; invited so far: {', '.join(known) or 'none'}")
        return known[name]

    def address(self, actor: SimulatedActor) -> Address:
        """Where the product reaches a guest."""
        return Address(actor.ae_title, self._lab.sut.harness.advertise, actor.port)

    def close(self) -> None:
        """Send them home."""
        self._stack.close()
