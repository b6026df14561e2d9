"""Where the bytes of an arriving data set go: memory while they are few, a file from there on."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from typing import Final, Protocol

from harness.core.message import EMPTY, Blob

SPOOL_THRESHOLD: Final = 4 << 20


class Sink(Protocol):
    """Takes the fragments of one data set."""

    size: int

    def write(self, data: memoryview) -> None:
        """Append; the view is valid during the call only."""

    def finish(self) -> Blob:
        """The data set is complete."""

    def discard(self) -> None:
        """It will never be complete."""


class MemorySink:
    """Keeps everything in memory; for tests and for peers that are trusted to be small."""

    __slots__ = ("_buffer", "size")

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self.size = 0

    def write(self, data: memoryview) -> None:
        """Append."""
        self._buffer.write(data)
        self.size += len(data)

    def finish(self) -> Blob:
        """A blob in memory."""
        return Blob.of(self._buffer.getvalue()) if self.size else EMPTY

    def discard(self) -> None:
        """Forget it."""
        self._buffer.close()


class SpoolSink:
    """Memory up to ``threshold`` bytes, then a file in ``folder``; a large data set is hashed as it arrives."""

    __slots__ = ("_buffer", "_file", "_folder", "_hash", "_threshold", "size")

    def __init__(self, folder: Path, threshold: int = SPOOL_THRESHOLD) -> None:
        self._folder = folder
        self._threshold = threshold
        self._buffer = io.BytesIO()
        self._file: io.FileIO | None = None
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: memoryview) -> None:
        """Append."""
        self.size += len(data)
        if self._file is None:
            self._buffer.write(data)
            if self.size > self._threshold:
                handle, name = tempfile.mkstemp(suffix=".dataset", dir=self._folder)
                self._file = io.FileIO(handle, "w")
                self._file.name = name
                self._to_file(self._buffer.getbuffer())
                self._buffer = io.BytesIO()
        else:
            self._to_file(data)

    def _to_file(self, data: memoryview) -> None:
        assert self._file is not None
        self._hash.update(data)
        while len(data):
            data = data[self._file.write(data) :]

    def finish(self) -> Blob:
        """A blob in memory or, if it was large, in a file."""
        if self._file is None:
            return Blob.of(self._buffer.getvalue()) if self.size else EMPTY
        path = Path(str(self._file.name))
        self._file.close()
        return Blob(self._hash.hexdigest(), self.size, path=path)

    def discard(self) -> None:
        """Forget it, and remove the file."""
        if self._file is not None:
            self._file.close()
            Path(str(self._file.name)).unlink(missing_ok=True)
