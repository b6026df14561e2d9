"""Where the bytes of an arriving data set go: memory while they are few, a Part 10 file from there on.

Fragments are views of the receive buffer. They are gathered until :meth:`Sink.flush` and then written with one
system call, so that a large data set costs one copy into the page cache and no memory.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from harness.core.message import EMPTY, Blob

SPOOL_THRESHOLD: Final = 64 << 10


class Extent(NamedTuple):
    """Bytes ``begin`` to ``begin + length`` of a received chunk stand at ``offset`` in the file ``path``."""

    begin: int
    length: int
    path: Path
    offset: int


class Sink(Protocol):
    """Takes the fragments of one data set."""

    size: int

    def write(self, data: memoryview, position: int) -> None:
        """Append; the view is valid until ``flush``. ``position`` is where it begins in the received chunk."""

    def flush(self) -> None:
        """The receive buffer is about to be reused."""

    def finish(self) -> Blob:
        """The data set is complete."""

    def discard(self) -> None:
        """It will never be complete."""


class MemorySink:
    """Keeps everything in memory; for tests and for peers that are trusted to be small."""

    __slots__ = ("_buffer", "size")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.size = 0

    def write(self, data: memoryview, position: int) -> None:
        """Append."""
        self._buffer += data
        self.size += len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def finish(self) -> Blob:
        """A blob in memory."""
        return Blob.of(bytes(self._buffer)) if self.size else EMPTY

    def discard(self) -> None:
        """Forget it."""
        self._buffer.clear()


class SpoolSink:
    """Memory up to ``threshold`` bytes, then a file in ``folder`` that begins with ``head``.

    The blob of a file starts after the head, so that the file as a whole is a DICOM file if ``head`` is its file
    meta information. What went to the file is reported in ``extents``, if a list is given.
    """

    __slots__ = (
        "_extents",
        "_file",
        "_folder",
        "_head",
        "_memory",
        "_path",
        "_pending",
        "_positions",
        "_threshold",
        "size",
    )

    def __init__(
        self, folder: Path, head: bytes = b"", *, threshold: int = SPOOL_THRESHOLD, extents: list[Extent] | None = None
    ) -> None:
        self._folder = folder
        self._head = head
        self._threshold = threshold
        self._extents = extents
        self._memory = bytearray()
        self._pending: list[memoryview] = []
        self._positions: list[int] = []
        self._file = -1
        self._path = Path()
        self.size = 0

    def write(self, data: memoryview, position: int) -> None:
        """Append."""
        self._pending.append(data)
        self._positions.append(position)
        self.size += len(data)

    def flush(self) -> None:
        """Copy what is pending, to memory or to the file."""
        if not self._pending:
            return
        if self._file < 0:
            if self.size <= self._threshold:
                for view in self._pending:
                    self._memory += view
                self._pending.clear()
                self._positions.clear()
                return
            self._file, name = tempfile.mkstemp(suffix=".dcm", dir=self._folder)
            self._path = Path(name)
            self._write_all([self._head, self._memory, *self._pending])
            self._memory = bytearray()
        else:
            self._write_all(list(self._pending))
        if self._extents is not None:
            end = len(self._head) + self.size
            offset = end - sum(map(len, self._pending))
            for view, begin in zip(self._pending, self._positions, strict=True):
                self._extents.append(Extent(begin, len(view), self._path, offset))
                offset += len(view)
        self._pending.clear()
        self._positions.clear()

    def _write_all(self, buffers: list[bytes | bytearray | memoryview]) -> None:
        first = 0
        while first < len(buffers):
            written = os.writev(self._file, buffers[first : first + 1000])
            while first < len(buffers) and written >= len(buffers[first]):
                written -= len(buffers[first])
                first += 1
            if written:
                buffers[first] = memoryview(buffers[first])[written:]

    def finish(self) -> Blob:
        """A blob in memory or, if it was large, in a file."""
        self.flush()
        if self._file < 0:
            return Blob.of(bytes(self._memory)) if self.size else EMPTY
        os.close(self._file)
        self._file = -1
        return Blob("", self.size, path=self._path, offset=len(self._head))

    def discard(self) -> None:
        """Forget it; its file stays if the capture points into it."""
        if self._file < 0:
            self._pending.clear()
            return
        self.flush()
        os.close(self._file)
        self._file = -1
        if self._extents is None:
            self._path.unlink(missing_ok=True)
