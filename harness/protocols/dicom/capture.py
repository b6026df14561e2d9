"""Every byte both ways, with its time and connection, at little cost: one file of bytes and one index of chunks.

Two files in a folder: ``traffic.bin`` holds the bytes of all connections in the order they passed, ``traffic.idx``
one record of 32 bytes for each chunk, and ``traffic.json`` who the connections were. Any protocol over TCP may use
it; :mod:`harness.protocols.dicom.pcapng` makes a file for Wireshark of it.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError

_RECORD = struct.Struct("<qIBxxxqq")  # nanoseconds, association, direction, offset, length
RECEIVED: Final = 0
SENT: Final = 1
_DIRECT: Final = 32 << 10  # larger chunks are written at once, smaller ones are gathered
_GATHER: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Connection:
    """Who a connection was between; ``incoming`` if the peer opened it. Times are nanoseconds since the epoch."""

    association: int
    protocol: str
    local: tuple[str, int]
    peer: tuple[str, int]
    incoming: bool
    opened: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that passed together; ``offset`` is their place in ``traffic.bin``."""

    time: int
    association: int
    direction: int
    offset: int
    length: int


class Capture:
    """Writes what listeners and connections pass; safe for any number of threads.

    After ``limit`` bytes it takes no more, and :attr:`truncated` becomes true.
    """

    def __init__(self, folder: Path, *, limit: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.truncated = False
        self._limit = limit
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._data = os.open(folder / "traffic.bin", flags, 0o600)
        self._index = os.open(folder / "traffic.idx", flags, 0o600)
        self._gathered = bytearray()
        self._records = bytearray()
        self._offset = 0
        self._connections: dict[int, Connection] = {}
        self._closed = False

    # -- writing -----------------------------------------------------------------------------------------------

    def opened(
        self,
        association: int,
        protocol: str,
        local: tuple[str, int],
        peer: tuple[str, int],
        *,
        incoming: bool,
        tls: bool = False,
    ) -> None:
        """A connection stands. With TLS the bytes that follow are those inside it."""
        with self._lock:
            self._connections[association] = Connection(
                association, protocol, local, peer, incoming, time.time_ns(), tls
            )

    def received(self, association: int, data: memoryview | bytes) -> None:
        """Bytes that came from the peer."""
        self._take(association, RECEIVED, (data,), len(data))

    def sent(self, association: int, data: Sequence[memoryview | bytes]) -> None:
        """Bytes that go to the peer."""
        self._take(association, SENT, data, sum(map(len, data)))

    def _take(self, association: int, direction: int, parts: Sequence[memoryview | bytes], length: int) -> None:
        now = time.time_ns()
        with self._lock:
            if self._closed or (self._limit is not None and self._offset + length > self._limit):
                self.truncated = True
                return
            self._records += _RECORD.pack(now, association, direction, self._offset, length)
            self._offset += length
            if length >= _DIRECT:
                self._write(parts)
                return
            for part in parts:
                self._gathered += part
            if len(self._gathered) >= _GATHER:
                self._write(())

    def _write(self, parts: Sequence[memoryview | bytes]) -> None:
        pending: list[memoryview | bytes] = [bytes(self._gathered), *parts] if self._gathered else list(parts)
        self._gathered.clear()
        first = 0
        while first < len(pending):
            written = os.writev(self._data, pending[first : first + 512])
            while first < len(pending) and written >= len(pending[first]):
                written -= len(pending[first])
                first += 1
            if written:
                pending[first] = memoryview(pending[first])[written:]
        if len(self._records) >= _GATHER:
            os.write(self._index, self._records)
            self._records.clear()

    def flush(self) -> None:
        """Everything so far is in the files afterwards."""
        with self._lock:
            if self._closed:
                return
            self._write(())
            os.write(self._index, self._records)
            self._records.clear()
            entries = [asdict(connection) for connection in self._connections.values()]
        (self.folder / "traffic.json").write_text(json.dumps({"connections": entries, "truncated": self.truncated}))

    def close(self) -> None:
        """Flush and close; bytes that pass later are not kept."""
        self.flush()
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._data)
                os.close(self._index)

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# -- reading ---------------------------------------------------------------------------------------------------


def chunks(folder: Path) -> Iterator[Chunk]:
    """The index of a capture, oldest first."""
    path = folder / "traffic.idx"
    if not path.is_file():
        raise UsageError(f"{folder} holds no capture: traffic.idx is missing")
    with path.open("rb") as stream:
        while len(record := stream.read(_RECORD.size)) == _RECORD.size:
            when, association, direction, offset, length = _RECORD.unpack(record)
            yield Chunk(when, association, direction, offset, length)


def connections(folder: Path) -> dict[int, Connection]:
    """The connections of a capture by association number."""
    entries = json.loads((folder / "traffic.json").read_text())["connections"]
    return {
        entry["association"]: Connection(**{**entry, "local": tuple(entry["local"]), "peer": tuple(entry["peer"])})
        for entry in entries
    }


def stream_of(folder: Path, association: int, direction: int) -> bytes:
    """All bytes of one direction of one connection."""
    parts = []
    with (folder / "traffic.bin").open("rb") as stream:
        for chunk in chunks(folder):
            if (chunk.association, chunk.direction) == (association, direction):
                stream.seek(chunk.offset)
                parts.append(stream.read(chunk.length))
    return b"".join(parts)
