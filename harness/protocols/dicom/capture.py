"""Every byte both ways, with its time and connection, at little cost: a file of bytes and an index of chunks.

A capture is a folder. ``traffic.bin`` holds the bytes of all connections in the order they passed, ``traffic.idx``
records of 32 bytes, ``traffic.json`` who the connections were. The data sets that a listener writes to files anyway
are not written twice: the index points into them. Any protocol over TCP may use it;
:mod:`harness.protocols.dicom.pcapng` makes a file for Wireshark of it.
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
from harness.protocols.dicom.sinks import Extent

# A chunk: nanoseconds, association, direction, offset in traffic.bin, length. After it its extents: where it begins
# in the chunk, number of the file, 2, offset in the file, length.
_RECORD = struct.Struct("<qIBxxxqq")
RECEIVED: Final = 0
SENT: Final = 1
_EXTENT: Final = 2
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
    """Bytes that passed together; ``offset`` is the place in ``traffic.bin`` of those that are not in ``extents``."""

    time: int
    association: int
    direction: int
    offset: int
    length: int
    extents: tuple[Extent, ...] = ()


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
        self._files: dict[Path, int] = {}
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

    def received(self, association: int, data: memoryview | bytes, extents: Sequence[Extent] = ()) -> None:
        """Bytes that came from the peer; those in ``extents``, in ascending order, stand in other files."""
        if not extents:
            self._take(association, RECEIVED, (data,), len(data), ())
            return
        parts: list[memoryview | bytes] = []
        position = 0
        for extent in extents:
            if extent.begin > position:
                parts.append(data[position : extent.begin])
            position = extent.begin + extent.length
        if position < len(data):
            parts.append(data[position:])
        self._take(association, RECEIVED, parts, len(data), extents)

    def sent(self, association: int, data: Sequence[memoryview | bytes]) -> None:
        """Bytes that go to the peer."""
        self._take(association, SENT, data, sum(map(len, data)), ())

    def _take(
        self,
        association: int,
        direction: int,
        parts: Sequence[memoryview | bytes],
        length: int,
        extents: Sequence[Extent],
    ) -> None:
        now = time.time_ns()
        size = length - sum(extent.length for extent in extents) if extents else length
        with self._lock:
            if self._closed or (self._limit is not None and self._offset + size > self._limit):
                self.truncated = True
                return
            self._records += _RECORD.pack(now, association, direction, self._offset, length)
            for extent in extents:
                number = self._files.setdefault(extent.path, len(self._files))
                self._records += _RECORD.pack(extent.begin, number, _EXTENT, extent.offset, extent.length)
            self._offset += size
            if size >= _DIRECT:
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
            files = [
                str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path) for path in self._files
            ]
        summary = {"connections": entries, "files": files, "truncated": self.truncated}
        (self.folder / "traffic.json").write_text(json.dumps(summary))

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


class CaptureReader:
    """Reads a capture that was flushed or closed."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "traffic.json").is_file():
            raise UsageError(f"{folder} holds no capture: traffic.json is missing; close the capture first")
        summary = json.loads((folder / "traffic.json").read_text())
        self.folder = folder
        self.truncated = bool(summary["truncated"])
        self.connections = {
            entry["association"]: Connection(**{**entry, "local": tuple(entry["local"]), "peer": tuple(entry["peer"])})
            for entry in summary["connections"]
        }
        self._files = [folder / name for name in summary["files"]]

    def chunks(self) -> Iterator[Chunk]:
        """The index, oldest first."""
        with (self.folder / "traffic.idx").open("rb") as stream:
            current: Chunk | None = None
            extents: list[Extent] = []
            while len(record := stream.read(_RECORD.size)) == _RECORD.size:
                first, number, direction, offset, length = _RECORD.unpack(record)
                if direction == _EXTENT:
                    extents.append(Extent(first, length, self._files[number], offset))
                    continue
                if current is not None:
                    yield _with(current, extents)
                current, extents = Chunk(first, number, direction, offset, length), []
            if current is not None:
                yield _with(current, extents)

    def bytes_of(self, chunk: Chunk) -> bytes:
        """The bytes of a chunk as they passed. Raises FileNotFoundError if a payload file was removed."""
        with (self.folder / "traffic.bin").open("rb") as stream:
            stream.seek(chunk.offset)
            if not chunk.extents:
                return stream.read(chunk.length)
            parts, position = [], 0
            for extent in chunk.extents:
                parts.append(stream.read(extent.begin - position))
                with extent.path.open("rb") as other:
                    other.seek(extent.offset)
                    parts.append(other.read(extent.length))
                position = extent.begin + extent.length
            parts.append(stream.read(chunk.length - position))
        return b"".join(parts)

    def stream(self, association: int, direction: int) -> bytes:
        """All bytes of one direction of one connection."""
        return b"".join(
            self.bytes_of(chunk)
            for chunk in self.chunks()
            if (chunk.association, chunk.direction) == (association, direction)
        )


def _with(chunk: Chunk, extents: list[Extent]) -> Chunk:
    if not extents:
        return chunk
    return Chunk(chunk.time, chunk.association, chunk.direction, chunk.offset, chunk.length, tuple(extents))
