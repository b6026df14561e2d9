"""Who talked with us: a list of associations, and every byte of them for Wireshark while the console is served."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydicom.uid import UID
from pynetdicom import evt

from harness.modality.domain import plain
from harness.modality.signal import Signal
from harness.protocols.dicom import pcapng
from harness.protocols.dicom.capture import Capture

MOST_ASSOCIATIONS = 200
MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """One association as far as it went; times as the database keeps them."""

    number: int
    incoming: bool
    peer: str
    address: str
    opened: str
    state: str
    services: tuple[str, ...] = ()
    messages: int = 0
    received: int = 0
    sent: int = 0
    closed: str = ""


class Traffic:
    """Remembers associations and, once `keep` was called, their bytes; safe for any number of threads."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[int, Seen] = {}
        self._numbers: dict[int, int] = {}
        self._next = 0
        self._capture: Capture | None = None
        #: called when an association begins, ends, or becomes another one
        self.changed = Signal()

    # -- keeping and showing -----------------------------------------------------------------------------------

    def keep(self, folder: Path) -> None:
        """Keep all bytes from now on in a folder, up to a bound; those of an earlier run are replaced."""
        self._capture = Capture(folder, limit=MOST_BYTES)

    def close(self) -> None:
        """Keep no more."""
        if self._capture is not None:
            self._capture.close()

    @property
    def kept(self) -> bool:
        """Say whether bytes are kept."""
        return self._capture is not None

    def associations(self) -> list[dict[str, Any]]:
        """Return the latest associations, newest first."""
        with self._lock:
            return [plain(each) for each in reversed(self._seen.values())]

    def write(self, target: Path) -> int:
        """Write all bytes kept so far as a pcapng file; return the number of packets, 0 if nothing was kept."""
        if self._capture is None:
            return 0
        self._capture.flush()
        return pcapng.write(self._capture.folder, target)

    # -- watching ----------------------------------------------------------------------------------------------

    def handlers(self, *, incoming: bool) -> list[tuple[Any, ...]]:
        """Return the event handlers that an association of ours or of a peer gets."""
        return [
            (evt.EVT_CONN_OPEN, lambda event: self._opened(event, incoming)),
            (evt.EVT_DATA_RECV, lambda event: self._bytes(event, received=True)),
            (evt.EVT_DATA_SENT, lambda event: self._bytes(event, received=False)),
            (evt.EVT_ESTABLISHED, lambda event: self._state(event, "open")),
            (evt.EVT_REJECTED, lambda event: self._state(event, "rejected")),
            (evt.EVT_RELEASED, lambda event: self._state(event, "released")),
            (evt.EVT_ABORTED, lambda event: self._state(event, "aborted")),
            (evt.EVT_DIMSE_RECV, self._message),
            (evt.EVT_DIMSE_SENT, self._message),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]

    def _opened(self, event: Any, incoming: bool) -> None:
        peer = event.address
        try:
            raw = event.assoc.dul.socket.socket
            local = raw.getsockname()
        except (OSError, AttributeError):
            return  # gone again already
        with self._lock:
            self._next += 1
            number = self._numbers[id(event.assoc)] = self._next
            self._seen[number] = Seen(number, incoming, "", f"{peer[0]}:{peer[1]}", self._now(), "connected")
            self._forget()
        if self._capture is not None:
            self._capture.opened(
                number,
                "dicom",
                tuple(local[:2]),
                tuple(peer[:2]),
                incoming=incoming,
                tls=isinstance(raw, ssl.SSLSocket),
            )

    def refused(self, address: tuple[str, int]) -> None:
        """Note a peer that called us and with whom TLS was not agreed."""
        with self._lock:
            self._next += 1
            now = self._now()
            self._seen[self._next] = Seen(
                self._next, True, "", f"{address[0]}:{address[1]}", now, "not-agreed", closed=now
            )
            self._forget()
        self.changed.set()

    def _forget(self) -> None:
        while len(self._seen) > MOST_ASSOCIATIONS:
            oldest = next(iter(self._seen))
            del self._seen[oldest]
            self._numbers = {key: each for key, each in self._numbers.items() if each != oldest}

    def _change(self, event: Any, **values: Any) -> int:
        with self._lock:
            number = self._numbers.get(id(event.assoc), 0)
            if number in self._seen:
                self._seen[number] = replace(self._seen[number], **values)
            return number

    def _state(self, event: Any, state: str) -> None:
        assoc = event.assoc
        other = assoc.requestor if assoc.is_acceptor else assoc.acceptor
        contexts = list(assoc.accepted_contexts or ())
        services = tuple(dict.fromkeys(UID(context.abstract_syntax).name for context in contexts))
        values: dict[str, Any] = {"state": state, "peer": str(other.ae_title).strip()}
        self._change(event, **values, **({"services": services} if services else {}))
        self.changed.set()

    def _message(self, event: Any) -> None:
        with self._lock:
            number = self._numbers.get(id(event.assoc), 0)
            if number in self._seen:
                self._seen[number] = replace(self._seen[number], messages=self._seen[number].messages + 1)

    def _bytes(self, event: Any, *, received: bool) -> None:
        size = len(event.data)
        with self._lock:
            number = self._numbers.get(id(event.assoc), 0)
            found = self._seen.get(number)
            if found is not None:
                if received:
                    self._seen[number] = replace(found, received=found.received + size)
                else:
                    self._seen[number] = replace(found, sent=found.sent + size)
        if self._capture is not None and number:
            if received:
                self._capture.received(number, event.data)
            else:
                self._capture.sent(number, (event.data,))

    def _closed(self, event: Any) -> None:
        number = self._change(event, closed=self._now())
        with self._lock:
            # Why it was closed may be told after this.
            found = self._seen.get(number)
            if found is not None and found.state in {"connected", "open"}:
                self._seen[number] = replace(found, state="closed")
        self.changed.set()
