"""``ihe-harness simulate misbehave``: a peer that breaks the rules on purpose, and what the product does about it."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer
from pydicom.dataset import Dataset
from rich.table import Table
from rich.text import Text

from harness.cli import tls_options
from harness.cli.console import out, print_json
from harness.cli.simulate_places import parse_address
from harness.core.errors import EnvironmentFailure, UsageError
from harness.core.transcript import Transcript
from harness.protocols.dicom import datasets, negotiation, uids
from harness.protocols.dicom import misbehaviour as dicom
from harness.protocols.dicom.errors import NoPresentationContext, PeerError, TlsNotAgreed
from harness.protocols.dicom.node import Address, Node, Proposal, Timeouts
from harness.protocols.dicom.script import Played
from harness.protocols.dicom.scripted import ScriptedListener, play
from harness.protocols.dicom.sockets import secure
from harness.protocols.dicom.tls import TlsSettings
from harness.protocols.hl7 import misbehaviour as hl7
from harness.protocols.hl7.exchange import Received, Wire
from harness.protocols.hl7.framing import frame
from harness.protocols.hl7.listener import MllpListener

ALL: Final = "all"
_PROPOSALS: Final = [Proposal(uids.VERIFICATION), Proposal(uids.CT_IMAGE)]
_PATIENT: Final = Timeouts(connect=5, associate=5, dimse=5, release=2)
_LONGEST: Final = 29  # characters of a name
_SILENCE: Final = 2.0  # seconds in which an answer to HL7 bytes is on its way


@dataclass(frozen=True, slots=True)
class Row:
    """What one script met. ``alive`` is None where the product calls us and cannot be asked."""

    side: str
    script: str
    breaks: str
    did: tuple[str, ...]
    expected: bool | None
    alive: bool | None
    note: str = ""


def _reports() -> Mapping[str, dicom.Misbehaviour]:
    """Reports of storage commitment: of a transaction that nobody asked for."""
    report = Dataset()
    report.TransactionUID = f"2.25.{secrets.randbits(120)}"
    reference = Dataset()
    reference.ReferencedSOPClassUID = uids.CT_IMAGE
    reference.ReferencedSOPInstanceUID = f"2.25.{secrets.randbits(120)}"
    report.ReferencedSOPSequence = [reference]
    return dicom.event_reports(datasets.encode(report, uids.IMPLICIT_VR_LE))


def catalogue(calling: str = "SCRIPTED", called: str = "SUT") -> Mapping[str, Mapping[str, Any]]:
    """Every script by side and name: who asks and who answers, in DICOM and in HL7."""
    request = negotiation.request_for(calling, called, _PROPOSALS, 16384)
    return {
        "--peer": dicom.requests(request, seconds=1.0),
        "--port": {**dicom.answers("", seconds=1.0), **_reports()},
        "--hl7-peer": hl7.messages(),
        "--hl7-port": hl7.answers(),
    }


def misbehave(
    what: Annotated[str, typer.Argument(metavar="[list]", help="list: show every script and end.")] = "",
    script: Annotated[
        list[str] | None, typer.Option("--script", metavar="NAME", help="One of the list; repeatable. Default: all.")
    ] = None,
    peer: Annotated[
        str, typer.Option(metavar="AE=HOST:PORT", help="Misbehave towards this DICOM product: it is called.")
    ] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen for DICOM and answer wrongly, a script a connection.")
    ] = None,
    hl7_peer: Annotated[
        str, typer.Option("--hl7-peer", metavar="HOST:PORT", help="Misbehave towards this HL7 product.")
    ] = "",
    hl7_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen for HL7 and answer wrongly, a script a message.")
    ] = None,
    ae: Annotated[str, typer.Option("--ae", metavar="TITLE", help="Our AE title.")] = "SCRIPTED",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    once: Annotated[
        bool, typer.Option("--once", help="When listening, end after the last script instead of at Ctrl-C.")
    ] = False,
    tls: tls_options.Speaks = False,
    tls_certificate: tls_options.Shown = None,
    tls_key: tls_options.Key = None,
    tls_ca: tls_options.Authorities = None,
    tls_profile: tls_options.Profile = tls_options.PROFILES[0],
    tls_anonymous_clients: tls_options.Anonymous = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Break the rules of DICOM or HL7 on purpose, one named way at a time, and say what the product did."""
    if what not in ("", "list"):
        raise UsageError(f"{what!r} is neither list nor an option; a script is named with --script NAME")
    address = parse_address(peer) if peer else None
    scripts = catalogue(ae, address.ae_title if address else "SUT")
    if what == "list":
        _list(scripts, json_output)
        return 0
    given = {"--peer": bool(peer), "--port": port is not None, "--hl7-peer": bool(hl7_peer), "--hl7-port":
             hl7_port is not None}  # fmt: skip
    if sum(given.values()) != 1:
        raise UsageError(f"give one of {', '.join(given)}; `ihe-harness simulate misbehave list` shows the scripts")
    (side,) = (name for name, is_given in given.items() if is_given)
    chosen = _chosen(scripts[side], script or [ALL], side)
    if side in ("--peer", "--hl7-peer"):
        if tls_anonymous_clients:
            raise UsageError("--tls-anonymous-clients is about who calls us: it goes with --port or --hl7-port")
        secured = tls_options.caller_settings(tls, tls_certificate, tls_key, tls_ca, tls_profile)
    else:
        if tls and tls_certificate is None:
            raise UsageError("--tls with a port to listen on needs --tls-certificate: a server shows one")
        secured = tls_options.settings(tls_certificate, tls_key, tls_ca, tls_profile, tls_anonymous_clients)
    if address is not None:
        rows = list(_towards(address, ae, chosen, secured))
    elif hl7_peer:
        rows = list(_towards_hl7(*_place(hl7_peer), chosen, secured))
    elif port is not None:
        rows = _answering(host, port, ae, chosen, once, json_output, secured)
    else:
        rows = _answering_hl7(host, hl7_port or 0, chosen, once, json_output, secured)
    if json_output:
        print_json({"scripts": [asdict(row) for row in rows], "alive": all(row.alive is not False for row in rows)})
    else:
        _show(rows)
    return 1 if any(row.alive is False for row in rows) else 0


def _chosen(scripts: Mapping[str, Any], names: Sequence[str], side: str) -> list[Any]:
    if list(names) == [ALL]:
        return list(scripts.values())
    for name in names:
        if name not in scripts:
            raise UsageError(f"there is no script {name!r} for {side}; known: {', '.join(scripts)}")
    return [scripts[name] for name in names]


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{text!r} is no address; write HOST:PORT")
    return host.strip("[]"), int(port)


# -- we ask ------------------------------------------------------------------------------------------------------


def _towards(peer: Address, title: str, chosen: Sequence[dicom.Misbehaviour], tls: TlsSettings | None) -> Iterator[Row]:
    """Play each script, then see whether a good association is still accepted; stop at the first that is not."""
    if problem := _association(peer, title, tls):
        raise EnvironmentFailure(f"a good association is needed before bad ones: {problem}")
    for case in chosen:
        try:
            played = play(peer, case.script, Transcript(), tls=tls)
        except PeerError as error:
            played = Played(reason=str(error))
        problem = _association(peer, title, tls)
        expected = bool(set(played.kinds) & set(case.reactions)) if case.reactions else None
        note = problem or ("" if expected is not False else played.reason)
        yield Row("--peer", case.name, case.breaks, tuple(played.kinds), expected, not problem, note)
        if problem:
            return


def _association(peer: Address, title: str, tls: TlsSettings | None) -> str:
    """What keeps a good association from working, empty if it works."""
    node = Node(title, Transcript(), actor="check", timeouts=_PATIENT, tls=tls, verification=False)
    try:
        with node.connect(peer, [Proposal(uids.VERIFICATION)]) as link:
            link.echo()
    except NoPresentationContext:
        return ""  # the association itself says that it lives
    except PeerError as error:
        return str(error)
    finally:
        node.stop()
    return ""


def _towards_hl7(host: str, port: int, chosen: Sequence[hl7.Sent], tls: TlsSettings | None) -> Iterator[Row]:
    if problem := _answer_of(host, port, tls):
        raise EnvironmentFailure(f"an answer to a whole message is needed before broken ones: {problem}")
    for case in chosen:
        did = _send(host, port, case, tls)
        problem = _answer_of(host, port, tls)
        yield Row("--hl7-peer", case.name, case.breaks, did, None, not problem, problem)
        if problem:
            return


def _connected(host: str, port: int, tls: TlsSettings | None) -> socket.socket:
    """A connection for HL7. Raises OSError, TlsNotAgreed."""
    plain = socket.create_connection((host, port), 5)
    return plain if tls is None else secure(plain, host, tls, f"{host}:{port}")


def _send(host: str, port: int, case: hl7.Sent, tls: TlsSettings | None) -> tuple[str, ...]:
    """The bytes of a script, and what came back."""
    try:
        with _connected(host, port, tls) as sock:
            for piece in case.pieces:
                sock.sendall(piece)
                time.sleep(case.pause)  # the slowness is what this script is about
            if case.reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return ("reset by us",)
            return tuple(_heard(sock))
    except TlsNotAgreed as error:
        return (str(error),)
    except OSError as error:
        return (f"broke the connection ({error.strerror or error})",)


def _heard(sock: socket.socket, seconds: float = _SILENCE) -> Iterator[str]:
    data, deadline = b"", time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and len(data) < 1 << 20:
        sock.settimeout(left)
        try:
            portion = sock.recv(65536)
        except TimeoutError:
            break
        except OSError:
            portion = b""
        if not portion:
            yield from _codes(data)
            yield "close"
            return
        data += portion
        if data.endswith(b"\x1c\r"):
            deadline = min(deadline, time.monotonic() + 0.2)  # perhaps there is another one
    yield from _codes(data)
    if not data:
        yield "nothing"


def _codes(data: bytes) -> Iterator[str]:
    for block in data.split(b"\x1c\r"):
        for segment in block.split(b"\r"):
            if segment.startswith(b"MSA|"):
                yield "ACK " + segment[4:6].decode("ascii", "replace")


def _answer_of(host: str, port: int, tls: TlsSettings | None) -> str:
    """What keeps a whole message, of a trigger that nobody knows and that leaves nothing behind, from its answer."""
    try:
        with _connected(host, port, tls) as sock:
            sock.sendall(frame(hl7.message(kind="ADT^Z99", control_id=f"OK{secrets.token_hex(4)}")))
            heard = list(_heard(sock, 5.0))
    except TlsNotAgreed as error:
        return str(error)
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"
    return "" if any(word.startswith("ACK") for word in heard) else f"{host}:{port} answered {', '.join(heard)}"


# -- we answer ---------------------------------------------------------------------------------------------------


def _answering(
    host: str,
    port: int,
    title: str,
    chosen: Sequence[dicom.Misbehaviour],
    once: bool,
    quiet: bool,
    tls: TlsSettings | None,
) -> list[Row]:
    rows: dict[int, Row] = {}
    over = threading.Event()

    def told(number: int, played: Played) -> None:
        case = chosen[min(number, len(chosen) - 1)]
        did = tuple(kind for kind in played.kinds if kind)
        expected = bool(set(did) & set(case.reactions)) if case.reactions else None
        rows[number] = Row("--port", case.name, case.breaks, did, expected, None, played.reason)
        if not quiet:
            _say(rows[number])
        if once and len(rows) >= len(chosen):
            over.set()

    with ScriptedListener(
        [case.script for case in chosen], Transcript(), ae_title=title, host=host, port=port, on_played=told, tls=tls
    ) as listener:
        _announce(f"{title} listens on {host}:{listener.address.port}", chosen, quiet)
        _until_stopped(over)
    return [rows[number] for number in sorted(rows)]


def _answering_hl7(
    host: str, port: int, chosen: Sequence[hl7.Answered], once: bool, quiet: bool, tls: TlsSettings | None
) -> list[Row]:
    rows: list[Row] = []
    over, lock = threading.Event(), threading.Lock()

    def answer(received: Received) -> Iterator[Wire]:
        with lock:
            case = chosen[min(len(rows), len(chosen) - 1)]
            did = (received.record.kind,)
            rows.append(Row("--hl7-port", case.name, case.breaks, did, None, None))
        if not quiet:
            _say(rows[-1])
        yield from case.answers(received.message)
        if once and len(rows) >= len(chosen):
            over.set()

    context = tls.server_context() if tls is not None else None
    with MllpListener(Transcript(), answer, actor="scripted", host=host, port=port, tls=context) as listener:
        _announce(f"HL7 listens on {host}:{listener.port}", chosen, quiet)
        _until_stopped(over)
    return rows


def _announce(where: str, chosen: Sequence[Any], quiet: bool) -> None:
    if not quiet:
        out().print(f"{where}; first: {', '.join(case.name for case in chosen[:4])}")
        out().print("Ctrl-C stops it")


def _say(row: Row) -> None:
    out().print(Text(f"{row.script}: the product did {', '.join(row.did) or 'nothing'}"))


def _until_stopped(over: threading.Event) -> None:
    """Until a signal, or the last script."""
    before: dict[signal.Signals, Any] = {}
    stop: Callable[..., None] = lambda *_: over.set()  # noqa: E731
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):  # not on the main thread
                before[number] = signal.signal(number, stop)
        over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- showing -----------------------------------------------------------------------------------------------------


def _list(scripts: Mapping[str, Mapping[str, Any]], json_output: bool) -> None:
    rows = [
        {"side": side, "script": case.name, "breaks": case.breaks, "fine": list(getattr(case, "reactions", ()))}
        for side, cases in scripts.items()
        for case in cases.values()
    ]
    if json_output:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("with", "script", "breaks", "fine reactions"):
        table.add_column(heading, min_width=_LONGEST if heading == "script" else None)
    for row in rows:
        table.add_row(row["side"], Text(row["script"]), Text(row["breaks"]), ", ".join(row["fine"]))
    out().print(table)


def _show(rows: Sequence[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("script", "breaks", "what the product did", "as it may", "afterwards"):
        table.add_column(heading, min_width=_LONGEST if heading == "script" else None)
    words = {True: "yes", False: "no", None: "-"}
    for row in rows:
        after = {True: "works", False: "DEAD", None: "-"}[row.alive]
        did = ", ".join(row.did) or "nothing"
        table.add_row(Text(row.script), Text(row.breaks), Text(did), words[row.expected], after)
    out().print(table)
    for row in rows:
        if row.note:
            out().print(Text(f"{row.script}: {row.note}"))
