"""The simulated actors that ``ihe-harness simulate`` can start: how each is made, and where it stands."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from harness.actors.acquisition import Acquisition
from harness.actors.actor import SimulatedActor
from harness.actors.defects import registry as defects
from harness.actors.evidence_creator import EvidenceCreator
from harness.actors.image_display import ImageDisplay
from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.pps_manager import PpsManager
from harness.actors.presentation.softcopy import SoftcopyDisplay
from harness.actors.printing.composer import PrintComposer
from harness.actors.printing.server import PrintServer
from harness.actors.reports.reader import ReportReader
from harness.actors.reports.repository import ExternalReportRepositoryAccess, PresentationArchive, ReportRepository
from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.transcript import Recorder
from harness.protocols.dicom.node import Address
from harness.protocols.dicom.tls import TlsSettings

AE_TITLES: Final[Mapping[str, str]] = {
    "order-filler": "ORDERFILLER",
    "pps-manager": "PPSMANAGER",
    "image-manager": "IMAGEMANAGER",
    "image-display": "IMAGEDISPLAY",
    "acquisition-modality": "MODALITY",
    "evidence-creator": "EVIDENCE",
    "print-server": "PRINTSERVER",
    "print-composer": "PRINTCOMPOSER",
    "presentation-archive": "ARCHIVE",
    "report-repository": "REPORTS",
    "external-report-repository-access": "EXTERNALREPORTS",
    "report-reader": "REPORTREADER",
    "softcopy-display": "DISPLAY",
}
#: who is told of steps and of availability, and so has to listen first
_RECEIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "image-manager": ("order-filler",),
    "pps-manager": ("order-filler", "image-manager"),
}
_RANK: Final[Mapping[str, int]] = {"image-manager": 1, "pps-manager": 2}


class _Maker(Protocol):
    def __call__(self, place: Place) -> SimulatedActor: ...


class Place:
    """Where one actor is to stand, and with what."""

    def __init__(
        self,
        slug: str,
        recorder: Recorder,
        *,
        ae_title: str,
        host: str,
        port: int,
        storage: Path | None,
        defects_of_it: Sequence[str],
        peers: Mapping[str, Address],
        destinations: Sequence[Address],
    ) -> None:
        self.slug = slug
        self.recorder = recorder
        self.ae_title = ae_title
        self.host = host
        self.port = port
        self.storage = storage
        self.behaviour = defects.behaviour(slug, defects_of_it)
        self.peers = peers
        self.destinations: Sequence[Address] = destinations

    @property
    def common(self) -> tuple[str, Recorder, str, int]:
        """The arguments that every actor takes."""
        return self.ae_title, self.recorder, self.host, self.port


def _image_manager(place: Place) -> SimulatedActor:
    return ImageManager(
        *place.common,
        behaviour=place.behaviour,
        storage=place.storage,
        peers=place.peers,
        receivers=place.destinations,
    )


def _print_server(place: Place) -> SimulatedActor:
    return PrintServer(*place.common, behaviour=place.behaviour, peers=dict(place.peers), storage=place.storage)


def _print_composer(place: Place) -> SimulatedActor:
    return PrintComposer(*place.common, behaviour=place.behaviour, peers=dict(place.peers))


MAKERS: Final[Mapping[str, _Maker]] = {
    "order-filler": lambda place: OrderFiller(*place.common, behaviour=place.behaviour, peers=place.peers),
    "pps-manager": lambda place: PpsManager(
        *place.common, behaviour=place.behaviour, peers=place.peers, destinations=place.destinations
    ),
    "image-manager": _image_manager,
    "image-display": lambda place: ImageDisplay(*place.common, behaviour=place.behaviour, peers=place.peers),
    "acquisition-modality": lambda place: Acquisition(*place.common, peers=place.peers),
    "evidence-creator": lambda place: EvidenceCreator(*place.common, evidence=place.behaviour, peers=place.peers),
    "print-server": _print_server,
    "print-composer": _print_composer,
    "report-repository": lambda place: ReportRepository(
        *place.common, behaviour=place.behaviour, storage=place.storage, peers=place.peers
    ),
    "external-report-repository-access": lambda place: ExternalReportRepositoryAccess(
        *place.common, behaviour=place.behaviour, storage=place.storage, peers=place.peers
    ),
    "presentation-archive": lambda place: PresentationArchive(
        *place.common, behaviour=place.behaviour, storage=place.storage, peers=place.peers
    ),
    "report-reader": lambda place: ReportReader(*place.common, behaviour=place.behaviour, peers=place.peers),
    "softcopy-display": lambda place: SoftcopyDisplay(*place.common, behaviour=place.behaviour, peers=place.peers),
}


def start_all(places: Sequence[Place], stack: contextlib.ExitStack, tls: TlsSettings | None) -> list[SimulatedActor]:
    """Start them, receivers before senders: steps and availability go to the actors beside them as well."""
    running: dict[int, SimulatedActor] = {}
    for number, place in sorted(enumerate(places), key=lambda one: _RANK.get(one[1].slug, 0)):
        beside = [actor.address for actor in running.values() if actor.slug in _RECEIVERS.get(place.slug, ())]
        place.destinations = [*place.destinations, *beside]
        actor = MAKERS[place.slug](place)
        actor.node.protect(tls)
        running[number] = stack.enter_context(actor)
    return [running[number] for number in sorted(running)]


def ports_of(actors: Sequence[str], given: Sequence[int]) -> list[int]:
    """The port of each actor. Raises UsageError if neither one nor one per actor is given."""
    if len(given) == 1:
        return [given[0] + number if given[0] else 0 for number in range(len(actors))]
    if len(given) != len(actors):
        raise UsageError(f"{len(given)} ports for {len(actors)} actors; give --port once, once per actor or not at all")
    return list(given)


def places_of(
    actors: Sequence[str],
    ports: Sequence[int],
    host: str,
    titles: Sequence[str],
    storage: Path | None,
    wrong: Sequence[str],
    peers: Sequence[str],
    destinations: Sequence[str],
    recorder: Recorder,
) -> list[Place]:
    """What the command line says of each actor. Raises UsageError, EnvironmentFailure for the storage folder."""
    if titles and len(titles) != len(actors):
        raise UsageError(f"{len(titles)} AE titles for {len(actors)} actors; give --ae once per actor or not at all")
    owners = {name: defects.actor_of(name) for name in wrong}
    for name, owner in owners.items():
        if owner not in actors:
            raise UsageError(f"the defect {name} belongs to {owner}, which is not started")
    if storage is not None:
        try:
            storage.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(f"{storage} cannot be made: {error.strerror}; choose another --storage") from error
    known = {address.ae_title: address for address in map(parse_address, peers)}
    return [
        Place(
            slug,
            recorder,
            ae_title=titles[number] if titles else AE_TITLES[slug],
            host=host,
            port=ports[number],
            storage=storage,
            defects_of_it=[name for name, owner in owners.items() if owner == slug],
            peers=known,
            destinations=[parse_address(text) for text in destinations],
        )
        for number, slug in enumerate(actors)
    ]


def parse_address(text: str) -> Address:
    """``AE=HOST:PORT``. Raises UsageError."""
    title, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    if not (title.strip() and host and port.isdigit() and 0 < int(port) < 65536) or len(title) > 16:
        raise UsageError(f"{text!r} is no peer; write AE=HOST:PORT, for instance DISPLAY=127.0.0.1:11112")
    return Address(title.strip(), host.strip("[]"), int(port))
