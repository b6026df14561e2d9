"""Where the bytes of an arriving data set go: memory while they are few, a Part 10 file from there on.

Fragments are views of the receive buffer. They are gathered until :meth:`Sink.flush` and then written with one
system call, so that a large data set costs one copy into the page cache and no memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from harness.core.errors import EnvironmentFailure
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


class Spool:
    """Makes the files of one association, and has the next one ready before it is needed.

    Making a file costs as much as filling it with an image; done while the peer prepares its next message, it costs
    nothing. ``folder`` says where, when it is first needed. ``extents`` collects what went to files since it was
    last cleared.
    """

    __slots__ = ("_association", "_closed", "_count", "_folder", "_prefix", "_spare", "_used", "extents")

    def __init__(self, folder: Callable[[], Path], association: int) -> None:
        self.extents: list[Extent] = []
        self._folder = folder
        self._association = association
        self._prefix = ""
        self._count = 0
        self._spare: tuple[int, str] | None = None
        self._used = False
        self._closed = False

    def take(self) -> tuple[int, str]:
        """A new file: its descriptor and name."""
        self._used = True
        if self._spare is not None:
            spare, self._spare = self._spare, None
            return spare
        return self._make()

    def _make(self) -> tuple[int, str]:
        if not self._prefix:
            self._prefix = f"{self._folder()}/{os.getpid()}-{self._association}-"
        while True:
            self._count += 1
            name = f"{self._prefix}{self._count}.dcm"
            try:
                return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), name
            except FileExistsError:
                continue  # of an earlier process with the same number

    def prepare(self) -> None:
        """If the last message took a file, the next one probably will."""
        if self._used and self._spare is None and not self._closed:
            self._used = False
            self._spare = self._make()

    def close(self) -> None:
        """Remove the file that was not needed."""
        self._closed = True
        if self._spare is not None:
            handle, name = self._spare
            self._spare = None
            os.close(handle)
            Path(name).unlink()


class SpoolSink:
    """Memory up to ``threshold`` bytes, then a file of ``spool`` that begins with ``head``.

    The blob of a file starts after the head, so that the file as a whole is a DICOM file if ``head`` is its file
    meta information. What went to the file is reported in the extents of the spool, if ``captured``.
    """

    __slots__ = (
        "_extents",
        "_file",
        "_head",
        "_memory",
        "_path",
        "_pending",
        "_positions",
        "_spool",
        "_threshold",
        "size",
    )

    def __init__(
        self, spool: Spool, head: bytes = b"", *, threshold: int = SPOOL_THRESHOLD, captured: bool = False
    ) -> None:
        self._spool = spool
        self._head = head
        self._threshold = threshold
        self._extents = spool.extents if captured else None
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
            self._file, name = self._spool.take()
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
            try:
                written = os.writev(self._file, buffers[first : first + 1000])
            except OSError as problem:
                self._give_up()
                raise EnvironmentFailure(
                    f"a data set of {self.size} bytes so far cannot be kept in {self._path.parent}: "
                    f"{problem.strerror}; free some room on that disk"
                ) from problem
            while first < len(buffers) and written >= len(buffers[first]):
                written -= len(buffers[first])
                first += 1
            if written:
                buffers[first] = memoryview(buffers[first])[written:]

    def _give_up(self) -> None:
        """Half a file helps nobody, and takes the room that is missing."""
        self._pending.clear()
        self._positions.clear()
        os.close(self._file)
        self._file = -1
        self._path.unlink(missing_ok=True)

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
