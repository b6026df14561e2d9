"""The HL7 sides of ``ihe-harness simulate``, and how a standing actor is asked to act: one POST per action."""

from __future__ import annotations

import contextlib
import hmac
import http.server
import itertools
import json
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.actors import imaging_actions, viewing_actions
from harness.actors.actor import SimulatedActor
from harness.actors.defects.orders import DEFECTS, behaviour
from harness.actors.defects.orders_variants import VARIANTS
from harness.actors.image_manager import ImageManager
from harness.actors.order_filler import OrderFiller
from harness.actors.orders.actions import Unsupported, perform
from harness.actors.orders.endpoint import Destination, HL7Endpoint
from harness.actors.orders.filler import FillerPeers, OrderFillerMessages
from harness.actors.orders.hl7 import HL7_231, HL7_251, Application
from harness.actors.orders.placer import OrderPlacer
from harness.actors.orders.standing import ACTORS, StandingActor, Surroundings, standing
from harness.actors.performed_steps import PerformedStep
from harness.actors.worklist import item_from_mapping
from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.transcript import Recorder
from harness.protocols.dicom.tls import TlsSettings

APPLICATIONS: Final[Mapping[str, str]] = {
    "adt": "ADT",
    "order-placer": "ORDERPLACER",
    "order-filler": "ORDERFILLER",
    "image-manager": "IMAGEMANAGER",
}
#: those without a DICOM side
HL7_ONLY: Final = ("adt", "order-placer")
VERSIONS: Final = (HL7_231, HL7_251)
#: environment variable with the token that a POST has to show; it is no option, so that no list of processes has it
TOKEN: Final = "IHE_HARNESS_CONTROL_TOKEN"
_FACILITY: Final = "SIMULATED"
_MAX_BODY: Final = 4_000_000
_ORDER: Final = ("image-manager", "order-placer", "order-filler", "adt")


@dataclass(frozen=True, slots=True)
class Hl7Options:
    """What the command line says of HL7. ``peers``: where actors that are not started here listen, by slug."""

    port: int
    version: str
    application: str
    facility: str
    peers: Mapping[str, Destination]
    wrong: Sequence[str]
    appointments: bool
    tls: TlsSettings | None = None


def is_hl7_defect(name: str) -> bool:
    """Whether a defect or variant belongs to the HL7 side of an actor."""
    return any(each.id == name for each in (*DEFECTS, *VARIANTS))


def peer_of(text: str) -> tuple[str, Destination]:
    """``order-placer=HOST:PORT`` with, optionally, ``/APPLICATION/FACILITY``. Raises UsageError."""
    slug, _, place = text.partition("=")
    address, *parts = place.split("/")
    host, _, port = address.rpartition(":")
    if slug not in ACTORS or not host or not port.isdigit() or not 0 < int(port) < 65536 or len(parts) > 2:
        known = ", ".join(ACTORS)
        raise UsageError(f"{text!r} is no HL7 peer; write ACTOR=HOST:PORT[/APPLICATION[/FACILITY]], ACTOR of {known}")
    application, facility = [*parts, "", ""][:2]
    named = Application(application or APPLICATIONS[slug], facility or _FACILITY)
    return slug, Destination(slug, host.strip("[]"), int(port), named)


def start(
    slugs: Sequence[str],
    beside: Sequence[SimulatedActor],
    recorder: Recorder,
    host: str,
    options: Hl7Options,
    stack: contextlib.ExitStack,
) -> dict[str, StandingActor]:
    """Start the HL7 sides of these actors until the stack is closed; they know each other and the peers."""
    owners = {each.id: each.actor for each in (*DEFECTS, *VARIANTS)}
    for name in options.wrong:
        if owners[name] not in (ACTORS[slug] for slug in slugs):
            raise UsageError(f"the defect {name} belongs to {owners[name]}, which is not started")
    source = random.SystemRandom()
    around = Surroundings(
        uid=lambda: f"2.25.{source.getrandbits(121)}",
        prefix=f"{source.randrange(10000, 100000)}",
        books_appointments=options.appointments,
    )
    ports = itertools.count(options.port) if options.port else itertools.repeat(0)
    peers = dict(options.peers)
    running: dict[str, StandingActor] = {}
    # who is told listens before who tells
    for slug in sorted(slugs, key=_ORDER.index):
        endpoint = HL7Endpoint(
            recorder,
            actor=ACTORS[slug],
            application=Application(options.application or APPLICATIONS[slug], options.facility or _FACILITY),
            version=options.version,
            behaviour=behaviour(ACTORS[slug], [name for name in options.wrong if owners[name] == ACTORS[slug]]),
            host=host,
            port=next(ports),
            tls=options.tls.server_context() if options.tls else None,
            client_tls=options.tls.client_context() if options.tls else None,
        )
        actor = standing(slug, endpoint, _surroundings(slug, around, peers, beside))
        stack.callback(actor.stop)
        port = actor.start()
        running[slug] = actor
        peers.setdefault(slug, Destination(slug, host, port, endpoint.application))
    _join(running, beside, peers)
    return running


def _surroundings(
    slug: str, around: Surroundings, peers: Mapping[str, Destination], beside: Sequence[SimulatedActor]
) -> Surroundings:
    filler = next((actor for actor in beside if isinstance(actor, OrderFiller)), None)
    archive = next((actor for actor in beside if isinstance(actor, ImageManager)), None)
    manager = peers.get("image-manager")
    return Surroundings(
        uid=around.uid,
        placer=peers.get("order-placer"),
        filler=peers.get("order-filler"),
        managers=(manager,) if manager is not None else (),
        book=filler.worklist.book if filler is not None and slug == "order-filler" else None,
        archive=archive if slug == "image-manager" else None,
        books_appointments=around.books_appointments,
        prefix=around.prefix,
    )


def _join(
    running: Mapping[str, StandingActor], beside: Sequence[SimulatedActor], peers: Mapping[str, Destination]
) -> None:
    """Tell those that started early of those that started late, and the filler's HL7 side of performed steps."""
    placer, filler = running.get("order-placer"), running.get("order-filler")
    if isinstance(placer, OrderPlacer) and placer.filler is None:
        placer.filler = peers.get("order-filler")
    if isinstance(filler, OrderFillerMessages):
        follow = _follower(filler)
        for actor in beside:
            if isinstance(actor, OrderFiller):
                actor.on_step.append(follow)
        filler.peers = FillerPeers(peers.get("order-placer"), filler.peers.managers)


def _follower(filler: OrderFillerMessages) -> Callable[[PerformedStep], None]:
    def follow(step: PerformedStep) -> None:
        filler.steps_changed(step.scheduled_step_ids)

    return follow


# -- asking ------------------------------------------------------------------------------------------------------


class Desk:
    """Takes actions of the closed list to the actor that knows how; one at a time."""

    def __init__(self, actors: Sequence[StandingActor], beside: Sequence[SimulatedActor]) -> None:
        self._actors, self._beside, self._lock = actors, beside, threading.Lock()

    def do(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Unsupported if nobody here can, UsageError for parameters that make no sense."""
        with self._lock:
            if action == "schedule-steps":
                return self._schedule(parameters.get("orders", ()))
            if action == "cancel-order" and self._cancelled(str(parameters.get("accession", ""))):
                return {}
            for beside in self._beside:
                if imaging_actions.can(beside, action):
                    return imaging_actions.perform(beside, action, parameters)
                if viewing_actions.can(beside, action):
                    return viewing_actions.perform(beside, action, parameters)
            for actor in self._actors:
                with contextlib.suppress(Unsupported):
                    return perform(actor, action, parameters)
        raise Unsupported(f"none of these actors can {action}")

    def _cancelled(self, accession: str) -> bool:
        """Cancel steps that were scheduled without an order; False if none has that accession number."""
        found = [
            actor.cancel(item.step_id)
            for actor in self._beside
            if isinstance(actor, OrderFiller)
            for item in actor.worklist.items
            if item.value("AccessionNumber") == accession and actor.worklist.book.by_step(item.step_id) is None
        ]
        return any(found)

    def _schedule(self, orders: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        for actor in self._beside:
            if isinstance(actor, OrderFiller):
                items = [item_from_mapping(values) for values in orders]
                actor.reset()
                for item in items:
                    actor.schedule(item)
                return {"scheduled": len(items)}
        raise Unsupported("no order filler is here")


@contextlib.contextmanager
def control(desk: Desk, port: int) -> Iterator[int]:
    """Serve ``POST /actions/NAME`` on loopback; yields the port. Raises UsageError without a token."""
    token = os.environ.get(TOKEN, "")
    if not token:
        raise UsageError(f"--control needs a token in the environment variable {TOKEN}")
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(desk, token))
    except OSError as error:
        raise EnvironmentFailure(f"the control port {port} cannot be opened: {error.strerror}") from error
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, name="control", args=(0.1,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(desk: Desk, token: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 30.0

        def do_POST(self) -> None:
            status, body = self._answer()
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self) -> tuple[int, dict[str, Any]]:
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
                return 401, {"detail": "the token is wrong"}
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > _MAX_BODY:
                return 413, {"detail": f"a body of at most {_MAX_BODY} bytes is needed"}
            prefix, _, action = self.path.rpartition("/")
            try:
                parameters = json.loads(self.rfile.read(int(length)))
                if prefix != "/actions" or not isinstance(parameters, dict):
                    return 404, {"detail": "POST an object to /actions/NAME"}
                return 200, desk.do(action, parameters)
            except Unsupported as error:
                return 501, {"detail": str(error)}
            except (UsageError, ValueError, KeyError, TypeError, AttributeError) as error:
                return 400, {"detail": str(error)}

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged: they name patients."""

    return Handler
