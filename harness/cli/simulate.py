"""``ihe-harness simulate``: simulated actors that stand alone until they are told to stop."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer

from harness.actors.actor import SimulatedActor
from harness.actors.order_filler import OrderFiller
from harness.actors.orders.standing import ACTORS as HL7_ACTORS
from harness.actors.orders.values import StepState
from harness.actors.worklist import WorklistItem, item_from_mapping
from harness.cli import simulate_hl7, tls_options
from harness.cli import simulate_places as places
from harness.cli.console import complain, out
from harness.core.errors import ConfigurationError, UsageError
from harness.core.message import Message
from harness.core.transcript import Recorder, Transcript

_KEPT: Final = 2000


class RecentMessages(Transcript):
    """A transcript that forgets: an actor that serves for weeks must not grow with what it has served."""

    def record(self, *args: Any, **details: Any) -> Message:
        """As :meth:`Transcript.record`; the oldest messages go when there are twice as many as are kept."""
        message = super().record(*args, **details)
        with self._changed:
            if len(self._messages) > 2 * _KEPT:
                del self._messages[:-_KEPT]
                self._taken.clear()
        return message


#: every actor that can stand alone, those without a DICOM side last
_KNOWN: Final = (*places.MAKERS, *simulate_hl7.HL7_ONLY)


def simulate(
    actors: Annotated[list[str], typer.Argument(metavar="ACTOR...", help=f"Any of: {', '.join(_KNOWN)}.")],
    port: Annotated[
        list[int] | None,
        typer.Option(
            min=0, max=65535, help="One per actor, or that of the first and the next ones follow; 0 or none: free."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    ae: Annotated[list[str] | None, typer.Option("--ae", metavar="TITLE", help="AE title, one per actor.")] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Where an Image Manager keeps files and index, and a Print Server its films (PNG and P-Values).",
        ),
    ] = None,
    defect: Annotated[list[str] | None, typer.Option("--defect", metavar="ID", help="Be wrong in this way.")] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option("--peer", metavar="AE=HOST:PORT", help="A move destination or requester of commitment."),
    ] = None,
    destination: Annotated[
        list[str] | None,
        typer.Option("--destination", metavar="AE=HOST:PORT", help="Where steps (PPS Manager) or availability go."),
    ] = None,
    worklist: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSON list of worklist entries by DICOM keyword."),
    ] = None,
    hl7_port: Annotated[
        int, typer.Option(min=0, max=65535, help="HL7 port of the first actor that has one; 0: free.")
    ] = 0,
    hl7_version: Annotated[str, typer.Option(help="2.3.1 or 2.5.1.")] = simulate_hl7.VERSIONS[0],
    hl7_peer: Annotated[
        list[str] | None,
        typer.Option("--hl7-peer", metavar="ACTOR=HOST:PORT[/APP[/FACILITY]]", help="Where HL7 messages go."),
    ] = None,
    application: Annotated[str, typer.Option(help="MSH-3 of what is sent, like ADT or RIS.")] = "",
    facility: Annotated[str, typer.Option(help="MSH-4 of what is sent.")] = "",
    appointments: Annotated[bool, typer.Option(help="Have an order filler book one for each order.")] = False,
    control: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=f"Take POST /actions/NAME on this port; token in {simulate_hl7.TOKEN}."),
    ] = None,
    tls_certificate: tls_options.Certificate = None,
    tls_key: tls_options.Key = None,
    tls_ca: tls_options.Authorities = None,
    tls_profile: tls_options.Profile = tls_options.PROFILES[0],
    tls_anonymous_clients: tls_options.Anonymous = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON line once everything listens.")] = False,
) -> int:
    """Start simulated actors and serve until SIGTERM or Ctrl-C."""
    for slug in actors:
        if slug not in _KNOWN:
            raise UsageError(f"there is no simulated actor {slug!r}; known: {', '.join(_KNOWN)}")
    if hl7_version not in simulate_hl7.VERSIONS:
        raise UsageError(f"HL7 version {hl7_version!r}; known: {', '.join(simulate_hl7.VERSIONS)}")
    wrong = [name for name in defect or () if not simulate_hl7.is_hl7_defect(name)]
    tls = tls_options.settings(tls_certificate, tls_key, tls_ca, tls_profile, tls_anonymous_clients)
    options = simulate_hl7.Hl7Options(
        port=hl7_port,
        version=hl7_version,
        application=application,
        facility=facility,
        peers=dict(map(simulate_hl7.peer_of, hl7_peer or ())),
        wrong=[name for name in defect or () if name not in wrong],
        appointments=appointments,
        tls=tls,
    )
    with_dicom = [slug for slug in actors if slug in places.MAKERS]
    recorder = Recorder(RecentMessages())
    ports = places.ports_of(with_dicom, port or [0])
    standing = places.places_of(
        with_dicom, ports, host, ae or [], storage, wrong, peer or [], destination or [], recorder
    )
    entries = _entries(worklist)
    with _stop_signals() as stopped, contextlib.ExitStack() as stack:
        running = places.start_all(standing, stack, tls)
        with_hl7 = [slug for slug in dict.fromkeys(actors) if slug in HL7_ACTORS]
        talking = simulate_hl7.start(with_hl7, running, recorder, host, options, stack)
        for actor in running:
            for other in running:
                actor.know(other.address)
            if isinstance(actor, OrderFiller):
                for values in entries:
                    actor.schedule(_item(values))
        endpoints = [
            {"actor": actor.slug, "protocol": "dicom", "ae_title": actor.ae_title, "host": host, "port": actor.port}
            for actor in running
        ]
        endpoints += [
            {
                "actor": slug,
                "protocol": "hl7",
                "application": actor.endpoint.application.name,
                "facility": actor.endpoint.application.facility,
                "host": host,
                "port": actor.endpoint.port,
            }
            for slug, actor in talking.items()
        ]
        if control is not None:
            desk = simulate_hl7.Desk(tuple(talking.values()), running)
            number = stack.enter_context(simulate_hl7.control(desk, control))
            endpoints.append({"actor": "control", "protocol": "http", "host": "127.0.0.1", "port": number})
        if tls is not None:
            endpoints = [one if one["protocol"] == "http" else {**one, "tls": True} for one in endpoints]
        _announce(endpoints, as_json=json_output)
        while not stopped.wait():
            if worklist is not None:
                _reload(worklist, running)
    return 0


def _reload(worklist: Path, running: Sequence[SimulatedActor]) -> None:
    """Read the worklist file again (SIGHUP); ``FILE.loaded`` says that it was done. A bad file changes nothing."""
    try:
        entries = _entries(worklist)
    except ConfigurationError as error:
        complain(str(error))
        return
    for actor in running:
        if isinstance(actor, OrderFiller):
            actor.reset()
            for values in entries:
                actor.schedule(_item(values))
    worklist.with_suffix(".loaded").touch()


def _item(values: Mapping[str, Any]) -> WorklistItem:
    """A worklist entry from DICOM keywords and ``State`` (SCHEDULED unless given). Raises KeyError, ValueError."""
    keywords = {keyword: value for keyword, value in values.items() if keyword != "State"}
    return item_from_mapping(keywords, StepState(values.get("State", StepState.SCHEDULED)))


def _entries(path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigurationError(path, "", "a list of objects with DICOM keywords is expected")
        for entry in entries:
            _item(entry)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(path, "", f"not a list of worklist entries: {error}") from error
    return entries


class _Signals:
    """SIGTERM and SIGINT end the program, SIGHUP has it read its worklist again."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._stopped = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self._stopped = self._stopped or number != signal.SIGHUP
        self._wake.set()

    def wait(self) -> bool:
        """Wait for a signal; True if it ends the program."""
        self._wake.wait()
        self._wake.clear()
        return self._stopped


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Signals]:
    """What signals say; they do what they did before when it is over."""
    signals = _Signals()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, signals.handle) for number in numbers}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(endpoints: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"ready": True, "endpoints": list(endpoints)}) + "\n")
        sys.stdout.flush()
        return
    for endpoint in endpoints:
        name = endpoint.get("ae_title") or endpoint.get("application") or "actions"
        protocol = str(endpoint["protocol"]).upper() + (" over TLS" if endpoint.get("tls") else "")
        out().print(f"{endpoint['actor']}: {name} listens on {endpoint['host']}:{endpoint['port']} ({protocol})")
    out().print("Ctrl-C stops it")
